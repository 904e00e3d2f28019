"""The signing copy as HTML, made from the canonical content alone.

Every text passes `_e` or `_prose`, so nothing that people typed is ever read as HTML. The style
sheet is `document.css`; what changes from one document to the next (running header, fingerprint
in the footer) is added by `running_css`.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sealing import content as canonical_content
from sealing import prose
from sealing.canonical import grouped
from sealing.content import SEAL_FIELD, Signatory
from sealing.entries import Cell, Entry, Listing, listing
from sealing.errors import ContentInvalid

Content = Mapping[str, Any]

QR_ASSET = "asset:qr.svg"
COLOURED = ("cro", "coo", "cfo", "ceo", "hybrid")  # colour means owner; no other Office has one

OFFICES = {
    "cro": "CRO",
    "coo": "COO",
    "cfo": "CFO",
    "ceo": "CEO",
    "cmo": "CMO",
    "cco": "CCO",
    "legal": "Legal",
    "revops_lead": "RevOps Lead",
    "corporate_secretary": "Corporate Secretary",
    "auditor": "Auditor",
    "administrator": "Administrator",
    "hybrid": "Hybrid",
    "": "Unassigned",
}
# How the document that is being printed names its own Offices: those that a company added.
_NAMES: ContextVar[Mapping[str, str]] = ContextVar(
    "short names of Offices",
    default=MappingProxyType({}),
)
CATEGORIES = {
    "commercial": "Commercial",
    "shared_services": "Shared services",
    "shared": "Shared services",
    "hybrid": "Hybrid",
    "finance_integrity": "Finance integrity",
    "go_to_market": "Go-to-market",
}
TEAM_SHAPES = {"centralised": "Centralised", "embedded": "Embedded", "hybrid": "Hybrid"}
MARKETING = {"under_cro": "Under the CRO", "cmo_peer": "A CMO as the CRO's peer"}
LAYERS = {"weekly": "Weekly", "monthly": "Monthly", "quarterly": "Quarterly"}


def style_sheet() -> str:
    """Give the style sheet of the signing copy."""
    return Path(__file__).with_name("document.css").read_text(encoding="utf-8")


def running_css(content: Content, content_sha256: str) -> str:
    """Give the rules that print organisation, reference, page n of m and fingerprint."""
    organisation = _css(canonical_content.text_at(content, "organisation"))
    title = _css(canonical_content.title(content))
    reference = _css(canonical_content.reference(content))
    return f"""
@page {{
  @top-left {{ content: "{organisation}" }}
  @top-right {{ content: "{title}" }}
  @bottom-left {{ content: "{_css("Content SHA-256  " + grouped(content_sha256))}" }}
  @bottom-right {{
    content: "{reference}, page " counter(page) " of " counter(pages) }}
}}
@page :first {{
  @top-left {{ content: none }}
  @top-right {{ content: none }}
}}"""


def signing_html(content: Content, *, content_sha256: str, verification_url: str) -> str:
    """Give the whole signing copy as HTML; ContentInvalid names what the content lacks."""
    names = _NAMES.set(_short_names(content))
    try:
        return _signing_html(content, content_sha256, verification_url)
    finally:
        _NAMES.reset(names)


def _signing_html(content: Content, content_sha256: str, verification_url: str) -> str:
    articles = content.get("articles")
    if not isinstance(articles, list):
        raise ContentInvalid("The content has no articles.")
    frozen_at = moment(canonical_content.text_at(content, "freeze", "frozen_at"))
    signatories = canonical_content.signatories(content)
    body = "".join(
        [
            _opening(content, signatories, content_sha256, verification_url),
            *(_article(content, article, signatories) for article in articles),
            _signatures(content, signatories, verification_url),
        ]
    )
    stamp = frozen_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{_e(canonical_content.title(content))}</title>"
        f'<meta name="author" content="{_e(content["organisation"])}">'
        f'<meta name="description" content="{_e(canonical_content.subject(content))}">'
        f'<meta name="generator" content="RevOps Boundary Registry">'
        f'<meta name="dcterms.created" content="{stamp}">'
        f'<meta name="dcterms.modified" content="{stamp}">'
        f"</head><body>{body}</body></html>"
    )


def texts(value: Any) -> Iterable[str]:
    """Give every text inside the content, keys left out, for the fonts to check."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


# The opening: title, parties, fingerprint, QR code


def _opening(
    content: Content, signatories: list[Signatory], content_sha256: str, verification_url: str
) -> str:
    revision = content["revision"]
    parties = _words([f"the {s.title}" for s in signatories if not s.approver])
    approver = next(s for s in signatories if s.approver)
    supersedes = revision.get("supersedes")
    follows = (
        f" It replaces version {_e(supersedes)} from the day it comes into force."
        if supersedes
        else " It is the first version."
    )
    return f"""
<header class="opening">
<div class="names">
<p class="organisation">{_e(content["organisation"])}</p>
<h1>{_e(canonical_content.title(content))}</h1>
<p class="lead">Between {_e(parties)}, for approval by the {_e(approver.title)}.{follows}</p>
</div>
<div class="check">
<img src="{QR_ASSET}" alt="QR code that leads to the verification page of this document">
</div>
</header>
<table class="facts control"><tbody>
{_fact("Document", _e(canonical_content.document_number(content)))}
{_fact("Reference", _e(canonical_content.reference(content)))}
{_fact("Effective date", _e(_day(revision.get("effective_date"))))}
{_fact("Sunset date", _e(_day(revision.get("sunset_date"))))}
{_fact("Frozen", _e(_frozen(content)))}
{_fact("Content SHA-256", f'<span class="hash">{_e(grouped(content_sha256))}</span>')}
{_fact("Check this copy", f'<a href="{_e(verification_url)}">{_e(verification_url)}</a>')}
</tbody></table>"""


def _frozen(content: Content) -> str:
    freeze = content["freeze"]
    office = freeze.get("frozen_by_office") or ""
    by = _office(office) if office else ""
    at = moment(canonical_content.text_at(content, "freeze", "frozen_at"))
    text = f"{_time(at)}{f' by the {by}' if by else ''}"
    number = freeze.get("number", 1)
    return text if number == 1 else f"{text}, freeze {number}"


# Articles


def _article(content: Content, article: Any, signatories: list[Signatory]) -> str:
    if not isinstance(article, Mapping):
        raise ContentInvalid("An article is not an object.")
    number, key = article.get("number"), article.get("key")
    title = canonical_content.text_at(article, "title")
    special = {
        "control": lambda: _control(content, signatories),
        "reporting_line": lambda: _reporting_line(article.get("data") or {}),
        "allocations": lambda: _allocations(article),
        "escalation": lambda: _escalation(article.get("data") or {}),
        "cadence": lambda: _cadence(article.get("data") or {}),
    }.get(str(key))
    found = listing(str(key), article.get("data"), _function_names(content))
    inside = _prose(article.get("text", "")) + (special() if special else "")
    inside += _listing(found) if found else ""
    if not inside:
        inside = '<p class="none">Nothing is set down under this article.</p>'
    wide = " wide" if key == "allocations" else ""
    return (
        f'<section class="article{wide}"><h2><span class="number">{_e(number)}</span>'
        f'{_e(title)}</h2><div class="body">{inside}</div></section>'
    )


def _control(content: Content, signatories: list[Signatory]) -> str:
    offices = "".join(
        f'<tr><th scope="row">{_badge(s.office, s.short)}</th><td>{_e(s.title)}</td>'
        f"<td>{'Approves' if s.approver else 'Agrees and co-signs'}</td></tr>"
        for s in signatories
    )
    return (
        '<table class="data offices"><thead><tr><th scope="col">Office</th>'
        '<th scope="col">Title</th><th scope="col">Part</th></tr></thead>'
        f"<tbody>{offices}</tbody></table>{_not_established(content)}"
    )


def _not_established(content: Content) -> str:
    """Print the Offices that the company does not have; content of before it was kept has none."""
    missing = canonical_content.not_established(content)
    if not missing:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_badge(one.office, one.short)}</th><td>{_e(one.title)}</td>'
        f"<td>{_badge(one.part_goes_to)}</td><td>{_prose(one.reason)}</td></tr>"
        for one in missing
    )
    return (
        "<h3>Not established</h3>"
        "<p>The company does not have these Offices. Their part in this document goes to the "
        "Office named beside them.</p>"
        '<table class="data absent"><thead><tr><th scope="col">Office</th>'
        '<th scope="col">Title</th><th scope="col">Its part goes to</th>'
        f'<th scope="col">Why</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _reporting_line(data: Content) -> str:
    facts = [_fact("Reports to (solid line)", _badge_or_none(data.get("solid_line")))]
    if data.get("dotted_line"):
        facts.append(_fact("Dotted line", _badge_or_none(data.get("dotted_line"))))
        facts.append(_fact("For", _prose(data.get("dotted_line_scope", ""))))
    else:
        facts.append(_fact("Dotted line", "None"))
    facts.append(_fact("Team", _e(_label(TEAM_SHAPES, data.get("team_shape")))))
    facts.append(_fact("Marketing", _e(_label(MARKETING, data.get("marketing")))))
    if data.get("rationale"):
        facts.append(_fact("Why", _prose(data.get("rationale"))))
    return _facts(facts)


def _escalation(data: Content) -> str:
    return _facts(
        [
            _fact("Leads", f"Within {_days(data.get('leads_business_days'))}"),
            _fact("Executives", f"Within {_days(data.get('executives_business_days'))}"),
            _fact("After that", "The CEO decides"),
            _fact("Until then", _prose(data.get("interim_decider", ""))),
        ]
    )


def _cadence(data: Content) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_e(_label(LAYERS, layer.get("layer")))}</th>'
        f"<td>{_badge_or_none(layer.get('owner'))}</td><td>{_prose(layer.get('mandate', ''))}</td>"
        f"<td>{_prose(layer.get('escalation', ''))}</td></tr>"
        for layer in data.get("layers") or []
    )
    table = (
        '<table class="data cadence"><thead><tr><th scope="col">Layer</th>'
        '<th scope="col">Owner</th><th scope="col">Decides</th>'
        f'<th scope="col">Goes up when</th></tr></thead><tbody>{rows}</tbody></table>'
        if rows
        else ""
    )
    one_to_one = data.get("one_to_one")
    facts = _facts([_fact("One to one", _prose(one_to_one))]) if one_to_one else ""
    return table + facts


def _allocations(article: Content) -> str:
    rows = [row for row in article.get("rows") or [] if isinstance(row, Mapping)]
    runs = [(key, list(run)) for key, run in groupby(rows, lambda r: str(r.get("category", "")))]
    # A heading for each category only where the rows' own order keeps categories together.
    grouped_rows = len({key for key, _ in runs}) == len(runs)
    parts = [_shares(rows)] if rows else []
    for category, run in runs if grouped_rows else [("", rows)]:
        if category:
            parts.append(f"<h3>{_e(_label(CATEGORIES, category))}</h3>")
        parts.append(
            '<table class="data rows"><thead><tr><th scope="col">Row</th>'
            '<th scope="col">Function</th><th scope="col">Owner</th>'
            '<th scope="col">Inside the boundary</th><th scope="col">Outside it</th>'
            '<th scope="col">Asked, told</th></tr></thead><tbody>'
            + "".join(_row(row) for row in run)
            + "</tbody></table>"
        )
    left_out = [row for row in article.get("left_out") or [] if isinstance(row, Mapping)]
    if left_out:
        listed = "".join(
            f'<tr><td class="ref">{_e(row.get("reference", ""))}</td>'
            f'<th scope="row">{_e(row.get("name", ""))}</th>'
            f"<td>{_prose(row.get('reason', ''))}</td></tr>"
            for row in left_out
        )
        parts.append(
            '<h3>Left out of this version</h3><table class="data"><thead><tr>'
            '<th scope="col" class="ref">Row</th><th scope="col">Function</th>'
            f'<th scope="col">Reason</th></tr></thead><tbody>{listed}</tbody></table>'
        )
    return "".join(parts)


def _function_names(content: Content) -> dict[str, str]:
    """Give the names of the functions that the content allocates or leaves out, by key."""
    return {
        str(row.get("function", "")): str(row.get("name", ""))
        for article in content["articles"]
        if isinstance(article, Mapping)
        for row in [*(article.get("rows") or []), *(article.get("left_out") or [])]
        if isinstance(row, Mapping)
    }


def _listing(found: Listing) -> str:
    """Print the entries of a structured article: a table for each group, then the texts."""
    layout = found.layout
    columns = [column for column in layout.columns if column.name not in _BESIDE_THE_NAME]
    head = "".join(f'<th scope="col">{_e(one.label)}</th>' for one in columns)
    parts = []
    for group in found.groups:
        title = f"<h3>{_e(group.title)}</h3>" if group.title else ""
        body = "".join(_entry(found, entry, len(columns)) for entry in group.entries)
        parts.append(
            f'{title}<table class="data entries {_e(layout.list_name)}"><thead><tr>'
            f'<th scope="col">{_e(layout.name_label)}</th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )
    if found.texts:
        parts.append(_facts([_fact(label, _prose(text)) for label, text in found.texts]))
    return "".join(parts)


_BESIDE_THE_NAME = ("giver", "receiver")


def _entry(found: Listing, entry: Entry, columns: int) -> str:
    note = f'<div class="note">{_prose(entry.note)}</div>' if entry.note else ""
    sides = [cell.text for cell in entry.cells if cell.name in _BESIDE_THE_NAME]
    if any(sides):
        note += f'<div class="note">From {_e(sides[0] or "?")} to {_e(sides[1] or "?")}</div>'
    about = f'<div class="about">{_e(", ".join(entry.about))}</div>' if entry.about else ""
    if entry.none_needed and not entry.only_unneeded and found.layout.unneeded:
        unneeded = f"No {found.layout.unneeded} needed: {entry.none_needed}"
        note += f'<div class="note">{_e(unneeded)}</div>'
    name = f'<th scope="row">{_e(entry.name)}{note}{about}</th>'
    if entry.none_needed and (entry.only_unneeded or not found.layout.unneeded):
        reason = f"<p>None needed: {_e(entry.none_needed)}</p>"
        return f'<tr>{name}<td colspan="{columns}">{reason}</td></tr>'
    cells = [cell for cell in entry.cells if cell.name not in _BESIDE_THE_NAME]
    return f"<tr>{name}{''.join(f'<td>{_cell(cell)}</td>' for cell in cells)}</tr>"


def _cell(cell: Cell) -> str:
    badges = " ".join(_badge(office) for office in cell.offices)
    if badges and cell.text:
        return f'{badges}<div class="note">through {_e(cell.text)}</div>'
    return badges or _prose(cell.text)


def _shares(rows: list[Content]) -> str:
    """Give the boundary bar: how many functions each owner has, in words and to scale."""
    counts = Counter(str(row.get("owner") or "") for row in rows)
    order = [*COLOURED, *sorted(set(counts) - set(COLOURED))]
    owners = [owner for owner in order if counts[owner]]
    bar = "".join(
        f'<div data-owner="{_owner(o)}" style="flex-grow: {counts[o]}"></div>' for o in owners
    )
    words = " ".join(f'<span class="share">{_badge(o)} {counts[o]}</span>' for o in owners)
    total = f"{len(rows)} function{'s' if len(rows) != 1 else ''}"
    return f'<div class="bar">{bar}</div><p class="shares">{total}: {words}</p>'


def _row(row: Content) -> str:
    asked = [("Asked", row.get("consulted")), ("Told", row.get("informed"))]
    people = "".join(
        f'<div class="told"><span class="muted">{word}</span> {_e(_offices(offices))}</div>'
        for word, offices in asked
        if offices
    )
    reporting = (
        '<div class="small muted">Touches financial reporting</div>'
        if row.get("touches_financial_reporting")
        else ""
    )
    sub_scopes = "".join(
        f'<div class="part">{_badge(str(s.get("owner") or ""))} {_e(s.get("name", ""))}</div>'
        for s in row.get("sub_scopes") or []
        if isinstance(s, Mapping)
    )
    rationale = row.get("rationale") or ""
    why = f'<div class="why">{_prose("Why: " + rationale)}</div>' if rationale else ""
    settled = _settled(row.get("settled"))
    more = (
        f'<tr class="more"><td></td><td colspan="5">{sub_scopes}{why}{settled}</td></tr>'
        if sub_scopes or why or settled
        else ""
    )
    return (
        f'<tr class="row{" plain" if not more else ""}">'
        f'<td class="ref">{_e(row.get("reference", ""))}</td>'
        f'<th scope="row">{_e(row.get("name", ""))}{reporting}</th>'
        f"<td>{_badge(str(row.get('owner') or ''))}</td>"
        f"<td>{_prose(row.get('scope_in', ''))}</td>"
        f"<td>{_prose(row.get('scope_out', ''))}</td>"
        f"<td>{people}</td></tr>{more}"
    )


def _settled(settled: Any) -> str:
    """Print by what the CEO settled a row; content of before it was kept says nothing of it."""
    if not isinstance(settled, Mapping):
        return ""
    on = _e(_day(settled.get("on")))
    if settled.get("by") == "ruling":
        dispute = _e(str(settled.get("reference", "")).lower())
        return f'<div class="why">Ruled by the CEO in {dispute} on {on}.</div>'
    return f'<div class="why">As ordered by the CEO after the CFO\'s veto on {on}.</div>'


# The signature page


def _signatures(content: Content, signatories: list[Signatory], verification_url: str) -> str:
    blocks = [
        _block(
            SEAL_FIELD,
            "none",
            "",
            _e(content["organisation"]),
            "Organisation seal: this text is fixed and issued for signature.",
        )
    ]
    for who in signatories:
        part = "Approves, which closes the document." if who.approver else "Agrees and co-signs."
        blocks.append(
            _block(
                who.field, _owner(who.office), _badge(who.office, who.short), _e(who.title), part
            )
        )
    return f"""
<section class="signatures"><h2>Signatures</h2>
<p class="lead">The Offices are printed before signing. When a signature is given, the holder's
name, its meaning, the method and the time appear beside the Office. What counts is the electronic
signature inside this file: check it at <a href="{_e(verification_url)}">{_e(verification_url)}</a>
or in a PDF reader.</p>
{"".join(blocks)}
</section>"""


def _block(field: str, owner: str, badge: str, title: str, part: str) -> str:
    return (
        f'<div class="block" data-owner="{owner}"><div class="office">'
        f'<p class="title">{title}</p><p class="part">{badge} {part}</p></div>'
        f'<div class="field" id="{_e(field)}"><div class="line"></div></div></div>'
    )


# Small pieces


def _e(value: Any) -> str:
    return html.escape(str(value), quote=True)


def _css(text: str) -> str:
    """Write `text` so that it can stand inside a quoted CSS string."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


def _prose(text: Any) -> str:
    return prose.to_html(text)


def _fact(term: str, value: str) -> str:
    return f'<tr><th scope="row">{_e(term)}</th><td>{value}</td></tr>'


def _facts(facts: list[str]) -> str:
    return f'<table class="facts"><tbody>{"".join(facts)}</tbody></table>'


def _owner(office: str) -> str:
    return office if office in COLOURED else "none"


def _office(office: Any) -> str:
    key = str(office or "")
    return _NAMES.get().get(key) or OFFICES.get(key, key.replace("_", " ").upper())


def _short_names(content: Content) -> dict[str, str]:
    """Give the short names of the Offices that the content itself names, by key."""
    listed = [*(content.get("parties") or []), *(content.get("offices") or [])]
    return {
        str(one["office"]): str(one["short"])
        for one in listed
        if isinstance(one, Mapping) and one.get("office") and one.get("short")
    }


def _offices(offices: Any) -> str:
    return ", ".join(_office(o) for o in offices if o) if isinstance(offices, list) else ""


def _badge(office: str, word: str = "") -> str:
    return (
        f'<span class="badge" data-owner="{_owner(office)}">'
        f'<span class="mark"></span>{_e(word or _office(office))}</span>'
    )


def _badge_or_none(office: Any) -> str:
    return _badge(str(office)) if office else "None"


def _label(labels: Mapping[str, str], key: Any) -> str:
    text = str(key or "")
    return labels.get(text, text.replace("_", " ").capitalize())


def _words(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _days(count: Any) -> str:
    return f"{_e(count)} business day{'' if count == 1 else 's'}"


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise ContentInvalid(f"{text!r} is not a time.") from error
    if found.utcoffset() is None or found.utcoffset():
        raise ContentInvalid(f"{text!r} is not in UTC.")
    return found


def _time(at: datetime) -> str:
    return f"{at.day} {at:%b %Y}, {at:%H:%M} UTC"


def _day(text: Any) -> str:
    try:
        found = date.fromisoformat(str(text))
    except ValueError as error:
        raise ContentInvalid(f"{text!r} is not a date.") from error
    return f"{found.day} {found:%b %Y}"
