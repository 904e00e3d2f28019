"""How look-up pages show people and the plain text of a boundary."""

from collections.abc import Mapping
from datetime import date

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from functions_catalog import registry
from functions_catalog.ownership import Answer
from functions_catalog.queries import Lookup
from people.models import Appointment
from people.offices import office_short
from people.templatetags.speech import day_words

register = template.Library()
_LINE_BREAK = mark_safe("<br>")


@register.filter
def of_office(holders: Mapping[str, Appointment], office_key: str) -> Appointment | None:
    """The appointment that acts for the Office now; None while it is vacant."""
    return holders.get(office_key)


@register.filter
def as_of(on: date, today: date) -> str:
    """ "?on=2026-03-03" for links that keep to a date; nothing for today."""
    return "" if on == today else f"?on={on.isoformat()}"


@register.filter
def boundary_text(text: str) -> SafeString:
    """Plain text of a boundary as HTML: paragraphs, line breaks, and lists from "- " lines."""
    blocks: list[SafeString] = []
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        items: list[str] = []
        lines: list[str] = []
        for line in paragraph.strip().split("\n"):
            if line.startswith("- "):
                _add_lines(blocks, lines)
                items.append(line[2:].strip())
            else:
                _add_items(blocks, items)
                lines.append(line)
        _add_lines(blocks, lines)
        _add_items(blocks, items)
    return mark_safe("".join(blocks))  # noqa: S308 - every piece was escaped when it was made


def _add_lines(blocks: list[SafeString], lines: list[str]) -> None:
    if any(line.strip() for line in lines):
        broken = format_html_join(_LINE_BREAK, "{}", ((line,) for line in lines))
        blocks.append(format_html("<p>{}</p>", broken))
    lines.clear()


def _add_items(blocks: list[SafeString], items: list[str]) -> None:
    if items:
        listed = format_html_join("", "<li>{}</li>", ((item,) for item in items))
        blocks.append(format_html("<ul>{}</ul>", listed))
    items.clear()


@register.simple_tag
def document_link(answer: Answer, row: bool = False) -> SafeString:
    """ "NC-RB-4, row 4.3", linked where the Revision has a page.

    Of an interim decision: "Interim decision (dispute 12) beside NC-RB-4, row 4.3".
    """
    reference = answer.article_reference if row else ""
    words = answer.revision_reference + (f", row {reference}" if reference else "")
    if answer.decision and row:
        words = f"Interim decision ({answer.decision_words}) beside {words}"
    url = registry.document_url(answer.document_number, answer.revision_number, reference)
    return format_html('<a href="{}">{}</a>', url, words) if url else format_html("{}", words)


@register.simple_tag
def holder(holders: Mapping[str, Appointment], office: str, titled: bool = False) -> SafeString:
    """Who holds the Office now: "Priya Raman" or, ``titled``, "Priya Raman, CFO".

    Of an Office that is not established: "The COO's part is held by the CFO, Priya Raman".
    """
    held = holders.get(office)
    if held is not None and held.office.key != office:
        return format_html(
            "The {}’s part is held by the {}, {}",
            office_short(office),
            held.title,
            held.person.name,
        )
    if held is not None:
        titled = titled or held.acting
        return format_html(
            "{}", f"{held.person.name}, {held.title}" if titled else held.person.name
        )
    vacant = format_html('<span class="muted">{}</span>', "vacant now")
    return format_html("{}: {}", office_short(office), vacant) if titled else vacant


@register.simple_tag
def named(holders: Mapping[str, Appointment], offices: tuple[str, ...]) -> SafeString:
    """ "Priya Raman, CFO; Tomas Vega, RevOps Lead", or "Nobody."."""
    if not offices:
        return format_html('<span class="muted">{}</span>', "Nobody.")
    return format_html_join("; ", "{}", ((holder(holders, one, titled=True),) for one in offices))


@register.simple_tag
def read_from(lookup: Lookup) -> SafeString:
    """ "read from NC-RB-3, in force on 20 Nov 2026": where all the answers come from."""
    links = format_html_join(", ", "{}", ((document_link(one),) for one in lookup.sources))
    stands = "as it stands for" if lookup.on > lookup.today else "in force on"
    return format_html("read from {}, {} {}", links, stands, day_words(lookup.on))
