"""The canonical content of a Revision: what is frozen, hashed, rendered, signed and answered from.

The shape is versioned (``revops-boundary/1``); what is once frozen is never rewritten.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from functions_catalog.ownership import Answer, AnswerPart
from people.calendar import company_date
from people.models import Company, Office
from people.offices import CEO, HYBRID, STANDARD_OFFICES

from .comparing import change_log
from .models import Article, Freeze, Revision, Row
from .states import State

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


def _settled(row: Row) -> Content:
    """By what the CEO settled a row; nothing where the parties agreed to it."""
    if row.ruling is not None:
        by, reference, at = "ruling", f"Dispute {row.ruling.dispute_id}", row.ruling.ruled_at
    elif row.order is not None and row.order.ordered_at is not None:
        by, reference, at = "order", "Veto order", row.order.ordered_at
    else:
        return {}
    on = company_date(at).isoformat()
    return {"settled": {"by": by, "reference": reference, "on": on}}


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
        **_settled(row),
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
            "solid_line": next((key for key in data["solid_lines"] if key), ""),
            "dotted_line": data.get("dotted_line", ""),
            "dotted_line_scope": data.get("dotted_line_scope", ""),
            "team_shape": data.get("team_shape", ""),
            "marketing": data.get("marketing", ""),
        }
        if data.get("rationale"):
            content["data"]["rationale"] = data["rationale"]
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


def _values(tree: object) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for one in tree.values():
            yield from _values(one)
    elif isinstance(tree, list):
        for one in tree:
            yield from _values(one)


def _further_offices(articles: Sequence[Content], parties: Sequence[str]) -> list[Content]:
    """The Offices that the company added and the articles name, though they are no party."""
    standard = {one.key for one in STANDARD_OFFICES}
    added = Office.objects.exclude(key__in=standard | set(parties)).order_by("position", "key")
    named = set(_values(list(articles))) if added else set()
    return [_party(office) for office in added if office.key in named]


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
    content = _text(revision, parties)
    content["freeze"] = {
        "number": freeze_number,
        "frozen_at": utc_text(frozen_at),
        "frozen_by_office": frozen_by_office,
    }
    former_freeze = published_freeze(revision.supersedes)
    content["articles"].append(
        {
            "number": CHANGE_LOG,
            "key": "change_log",
            "title": "Change log",
            "text": change_log(content_of(former_freeze) if former_freeze else None, content),
        }
    )
    return content


def _text(revision: Revision, parties: Sequence[str]) -> Content:
    """Everything that the parties write: all but the freeze and what is generated from it."""
    rows = list(
        revision.rows.select_related("function", "ruling", "order").prefetch_related("sub_scopes")
    )
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
            "effective_date": _iso(revision.effective_date),
            "sunset_date": _iso(revision.sunset_date),
        },
        "parties": [_party(offices[key]) for key in parties],
        "approver": _party(offices[CEO]),
        "articles": [_article(article, rows) for article in revision.articles.all()],
    }
    further = _further_offices(content["articles"], parties)
    if further:
        # Left out where there are none, as in what was frozen before it was kept.
        content["offices"] = further
    missing = _not_established()
    if missing:
        # Left out where every Office is established, as in what was frozen before it was kept.
        content["not_established"] = missing
    return content


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def draft_content(revision: Revision) -> Content:
    """The text of a Revision as it stands, to compare: nothing of it is frozen or signed.

    What a draft may still lack is tolerated: dates are None, an owner is empty, and where there is
    not exactly one solid line ``solid_lines`` has those there are.
    """
    from .parties import party_offices  # it reads frozen content itself

    content = _text(revision, party_offices(revision))
    lines = revision.articles.filter(key="reporting_line").values_list("data", flat=True).first()
    solid = [key for key in (lines or {}).get("solid_lines", ()) if key]
    if len(solid) != 1:
        data = article(content, "reporting_line")["data"]
        data.pop("solid_line", None)
        data["solid_lines"] = solid
    return content


def version_content(revision: Revision) -> Content:
    """What a version says: its frozen text, or the text of a draft as it stands now."""
    if revision.state == State.DRAFT:
        return draft_content(revision)
    # The freeze that stands; of a withdrawn Revision its last, if it was ever frozen.
    freeze = published_freeze(revision) or revision.freezes.order_by("-number").first()
    return content_of(freeze) if freeze else draft_content(revision)


def article(content: Mapping[str, Any], key: str) -> Content:
    found: Content = next(one for one in content["articles"] if one["key"] == key)
    return found


def rows_of(content: Mapping[str, Any]) -> dict[str, Content]:
    """The rows of a content by function key."""
    return {row["function"]: row for row in article(content, "allocations")["rows"]}


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
