"""The canonical content of a Revision: what is frozen, hashed, rendered, signed and answered from.

The shape is versioned (``revops-boundary/1``); what is once frozen is never rewritten.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from functions_catalog.ownership import Answer, AnswerPart
from people.models import Company, Office
from people.offices import CEO, HYBRID, office_short

from .models import Article, Freeze, Revision, Row

SCHEMA = "revops-boundary/1"
ALLOCATIONS, CHANGE_LOG = 4, 13  # the articles whose content is made of rows, or generated

Content = dict[str, Any]


def utc_text(at: datetime) -> str:
    """RFC 3339, UTC, whole seconds: "2026-12-03T15:02:11Z"."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def content_of(freeze: Freeze) -> Content:
    """The frozen content, parsed."""
    parsed: Content = json.loads(bytes(freeze.content))
    return parsed


def published_freeze(revision: Revision | None) -> Freeze | None:
    """The freeze that rules (or ruled) for a Revision, or None while it has none."""
    if revision is None:
        return None
    return revision.freezes.filter(voided_at__isnull=True).first()


def _row(row: Row) -> Content:
    return {
        "reference": row.reference,
        "function": row.function.key,
        "name": row.function.name,
        "category": row.function.category,
        "touches_financial_reporting": row.function.touches_financial_reporting,
        "owner": row.owner,
        "sub_scopes": [
            {"key": part.key, "name": part.name, "owner": part.owner}
            for part in (row.sub_scopes.all() if row.owner == HYBRID else ())
        ],
        "scope_in": row.scope_in,
        "scope_out": row.scope_out,
        "consulted": list(row.consulted),
        "informed": list(row.informed),
        "rationale": row.rationale,
    }


def _article(article: Article, rows: Sequence[Row]) -> Content:
    content: Content = {
        "number": article.number,
        "key": article.key,
        "title": article.title,
        "text": article.text,
    }
    if article.key == "reporting_line":
        data = article.data
        content["data"] = {
            "solid_line": next(key for key in data["solid_lines"] if key),
            "dotted_line": data.get("dotted_line", ""),
            "dotted_line_scope": data.get("dotted_line_scope", ""),
            "team_shape": data.get("team_shape", ""),
            "marketing": data.get("marketing", ""),
        }
    elif article.number == ALLOCATIONS:
        content["rows"] = [_row(row) for row in rows if not row.left_out_reason]
        content["left_out"] = [
            {
                "reference": row.reference,
                "function": row.function.key,
                "name": row.function.name,
                "reason": row.left_out_reason,
            }
            for row in rows
            if row.left_out_reason
        ]
    elif article.data:
        content["data"] = article.data
    return content


def _party(office: Office) -> Content:
    return {"office": office.key, "title": office.title, "short": office.short}


def _not_established() -> list[Content]:
    """The Offices that the company does not have, whose part goes to another, and why."""
    return [
        {
            **_party(office),
            "part_goes_to": office.part_goes_to.key,
            "reason": office.not_established_reason,
        }
        for office in Office.objects.filter(established=False)
        .select_related("part_goes_to")
        .order_by("position", "key")
        if office.part_goes_to is not None
    ]


def build(
    revision: Revision,
    *,
    parties: Sequence[str],
    freeze_number: int,
    frozen_at: datetime,
    frozen_by_office: str,
) -> Content:
    """Build the canonical content of a Revision that nothing blocks any more."""
    assert revision.effective_date is not None and revision.sunset_date is not None  # noqa: S101 - the blockers make sure; this tells the type checker
    rows = list(revision.rows.select_related("function").prefetch_related("sub_scopes"))
    offices = {office.key: office for office in Office.objects.filter(key__in=[*parties, CEO])}
    former = revision.supersedes
    content: Content = {
        "schema": SCHEMA,
        "organisation": Company.objects.get().name,
        "document": {
            "number": revision.document.number,
            "title": revision.document.title,
            "company_boundary": revision.document.is_company_boundary,
        },
        "revision": {
            "number": revision.number,
            "reference": revision.reference,
            "supersedes": former.number if former else None,
            "effective_date": revision.effective_date.isoformat(),
            "sunset_date": revision.sunset_date.isoformat(),
        },
        "parties": [_party(offices[key]) for key in parties],
        "approver": _party(offices[CEO]),
        "freeze": {
            "number": freeze_number,
            "frozen_at": utc_text(frozen_at),
            "frozen_by_office": frozen_by_office,
        },
        "articles": [_article(article, rows) for article in revision.articles.all()],
    }
    missing = _not_established()
    if missing:
        # Left out where every Office is established, as in what was frozen before it was kept.
        content["not_established"] = missing
    former_freeze = published_freeze(former)
    content["articles"].append(
        {
            "number": CHANGE_LOG,
            "key": "change_log",
            "title": "Change log",
            "text": change_log(content_of(former_freeze) if former_freeze else None, content),
        }
    )
    return content


def article(content: Mapping[str, Any], key: str) -> Content:
    found: Content = next(one for one in content["articles"] if one["key"] == key)
    return found


def rows_of(content: Mapping[str, Any]) -> dict[str, Content]:
    """The rows of a content by function key."""
    return {row["function"]: row for row in article(content, "allocations")["rows"]}


def owner_words(row: Mapping[str, Any]) -> str:
    """ "the CRO", or "the CRO (Accounts and contacts) and the COO (Products)"."""
    if row["owner"] != HYBRID:
        return f"the {office_short(row['owner'])}"
    parts = [f"the {office_short(part['owner'])} ({part['name']})" for part in row["sub_scopes"]]
    return " and ".join(parts)


_ROW_FIELDS = {
    "scope_in": "scope in",
    "scope_out": "scope out",
    "consulted": "consulted",
    "informed": "informed",
    "rationale": "rationale",
}


def _row_changes(before: Content, after: Content) -> list[str]:
    name = f"Row {after['reference']}, {after['name']}"
    lines = []
    if owner_words(before) != owner_words(after):
        lines.append(f"- {name}: from {owner_words(before)} to {owner_words(after)}.")
    changed = [words for field, words in _ROW_FIELDS.items() if before[field] != after[field]]
    if changed:
        lines.append(f"- {name}: {', '.join(changed)} changed.")
    return lines


def change_log(before: Content | None, after: Content) -> str:
    """Article 13: what differs from the Revision it supersedes, a line each."""
    if before is None:
        return f"Version {after['revision']['number']} is the first version of this document."
    old, new = rows_of(before), rows_of(after)
    lines: list[str] = []
    for key, row in new.items():
        if key not in old:
            lines.append(f"- Row {row['reference']}, {row['name']}: added, {owner_words(row)}.")
        else:
            lines += _row_changes(old[key], row)
    lines += [
        f"- Row {row['reference']}, {row['name']}: no longer allocated."
        for key, row in old.items()
        if key not in new
    ]
    old_articles = {one["key"]: one for one in before["articles"]}
    for one in after["articles"]:
        former = old_articles.get(one["key"])
        if one["number"] in (ALLOCATIONS, CHANGE_LOG) or former is None:
            continue
        if (one["text"], one.get("data")) != (former["text"], former.get("data")):
            lines.append(f"- Article {one['number']}, {one['title']}: changed.")
    gone = {one["office"]: one["part_goes_to"] for one in before.get("not_established", ())}
    for one in after.get("not_established", ()):
        if gone.pop(one["office"], None) != one["part_goes_to"]:
            lines.append(
                f"- The Office of the {one['short']} is not established; its part goes to the "
                f"{office_short(one['part_goes_to'])}."
            )
    lines += [f"- The Office of the {office_short(key)} is established." for key in gone]
    for field, words in (("effective_date", "Effective date"), ("sunset_date", "Sunset date")):
        was, now = before["revision"][field], after["revision"][field]
        if was != now:
            lines.append(f"- {words}: from {was} to {now}.")
    head = f"Changes since version {before['revision']['number']}:"
    return "\n".join([head, *lines]) if lines else f"{head} none."


def answers(content: Mapping[str, Any]) -> list[Answer]:
    """One look-up answer per row: what ownership snapshots keep."""
    document, revision = content["document"], content["revision"]
    return [
        Answer(
            function_key=row["function"],
            name=row["name"],
            owner=row["owner"],
            sub_scopes=tuple(AnswerPart(**part) for part in row["sub_scopes"]),
            scope_in=row["scope_in"],
            scope_out=row["scope_out"],
            consulted=tuple(row["consulted"]),
            informed=tuple(row["informed"]),
            rationale=row["rationale"],
            veto=row["touches_financial_reporting"],
            document_number=document["number"],
            document_title=document["title"],
            revision_number=revision["number"],
            article_reference=row["reference"],
        )
        for row in article(content, "allocations")["rows"]
    ]
