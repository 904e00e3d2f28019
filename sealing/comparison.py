"""The redline of two versions as a PDF: to read, print and send, never to sign.

It is made from a comparison as plain data, in a child process with limits of its own. Nothing of
it is sealed; every page says so.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sealing import document, fonts, render
from sealing.errors import ChildFailed, RenderFailed
from sealing.limits import Child

Data = Mapping[str, Any]

MAX_REQUEST_BYTES = 4_000_000
NOT_SIGNED = "Not a signed document"

child = Child(
    "sealing.comparison_child",
    cpu_seconds=60,
    memory_bytes=1_500_000_000,
    environment={"FONTCONFIG_FILE": str(Path(__file__).with_name("fonts.conf"))},
)


def render_comparison(data: Data, *, timeout_seconds: float = 60) -> bytes:
    """Give the redline as PDF bytes. Raises RenderFailed, whose sentence a page may show.

    `data`: organisation, document (its number), title, before and after ("v3"), sentences about
    the two, made (a time in words), draft (whether one may still change), names (Office keys to
    short names), and what a comparison has as data: counts, summary, control, groups.
    """
    problem = render.weasyprint_problem()
    if problem:
        raise RenderFailed(problem)
    request = json.dumps({"html": _drawable(page(data)), "css": _style(data)}).encode()
    if len(request) > MAX_REQUEST_BYTES:
        raise RenderFailed("So much changed that the PDF would be too large. Read it on the page.")
    try:
        return child.ask(request, wall_seconds=timeout_seconds)
    except ChildFailed as error:
        raise RenderFailed(f"The PDF could not be made: {error}.") from error


def answer(request: bytes) -> bytes:
    """Render one request of `render_comparison`; runs in the child process."""
    asked = json.loads(request)
    return render.render_plain(asked["html"], asked["css"])


def _style(data: Data) -> str:
    own = Path(__file__).with_name("comparison.css").read_text(encoding="utf-8")
    between = f"{data['document']}, changes from {data['before']} to {data['after']}"
    return f"""{document.style_sheet()}{own}
@page {{
  @top-left {{ content: "{_quoted(data["organisation"])}" }}
  @top-right {{ content: "{_quoted(between)}" }}
  @bottom-left {{ content: "{_quoted(f"{NOT_SIGNED}. Made {data['made']}.")}" }}
  @bottom-right {{ content: "Page " counter(page) " of " counter(pages) }}
}}
@page :first {{
  @top-left {{ content: none }}
  @top-right {{ content: none }}
}}"""


def _quoted(text: str) -> str:
    """Write `text` so that it can stand inside a quoted CSS string."""
    return "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text)


def _drawable(text: str) -> str:
    """Name the characters that the fonts cannot draw: a draft may hold what freezing refuses."""
    bad = fonts.undrawable(text)
    if not bad:
        return text
    names = {ord(character): f"[U+{ord(character):04X}]" for character in bad}
    return text.translate(names)


def page(data: Data) -> str:
    """Give the whole redline as HTML."""
    title = f"What changed from {data['before']} to {data['after']}"
    groups = "".join(_group(one, data) for one in data["groups"])
    if not groups:
        groups = (
            f'<p class="lead">{_e(data["after"])} reads word for word as {_e(data["before"])}.</p>'
        )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{_e(title)}: {_e(data['title'])}</title>"
        f'<meta name="author" content="{_e(data["organisation"])}">'
        '<meta name="generator" content="RevOps Boundary Registry">'
        f"</head><body>{_opening(data, title)}{_summary(data)}{groups}</body></html>"
    )


def _opening(data: Data, title: str) -> str:
    about = [*data["sentences"]]
    draft = " It may have changed since." if data["draft"] else ""
    about.append(
        f"Made {data['made']}.{draft} {NOT_SIGNED}: what counts is the sealed text of each version."
    )
    return (
        f'<header class="opening"><p class="organisation">{_e(data["organisation"])}</p>'
        f'<h1>{_e(title)}</h1><p class="lead">{_e(data["title"])}, {_e(data["document"])}</p>'
        f'</header><div class="about">{"".join(f"<p>{_e(one)}</p>" for one in about)}</div>'
    )


def _summary(data: Data) -> str:
    rows = "".join(
        f"<tr><td>{_e(one['heading'])}</td><td>{_said(one)}</td></tr>" for one in data["summary"]
    )
    control = "; ".join(
        f"{one['label'].lower()} {one['before'] or 'none'} → {one['after'] or 'none'}"
        for one in data["control"]
    )
    counts = data["counts"]
    key = (
        f'<p class="key"><del>Struck</del> was in {_e(data["before"])}. '
        f"<ins>Underlined</ins> is new in {_e(data['after'])}. "
        f"{_count(counts['unchanged_rows'], 'row')} and "
        f"{_count(counts['unchanged_articles'], 'article')} are left out as unchanged."
        f"{f' Not counted: {_e(control)}.' if control else ''}</p>"
    )
    return f'<table class="sentences"><tbody>{rows}</tbody></table>{key}'


def _said(one: Data) -> str:
    if not one["sentences"]:
        return f'<span class="muted">{_e(one["note"])}</span>'
    return f"<ul>{''.join(f'<li>{_e(sentence)}</li>' for sentence in one['sentences'])}</ul>"


def _group(group: Data, data: Data) -> str:
    owner = document._owner(group["key"])  # the same colours as on the signing copy
    kind = " articles" if group["key"] == "articles" else ""
    changes = "".join(_change(one, data) for one in group["changes"])
    return (
        f'<section class="group{kind}" data-owner="{owner}"><h2>{_e(group["title"])}'
        f'<span class="small">{len(group["changes"])} changed</span></h2>{changes}</section>'
    )


def _change(change: Data, data: Data) -> str:
    entries = "".join(_entry(one) for one in change["entries"])
    return (
        f'<div class="change"><h3><span class="ref">{_e(change["reference"])}</span>'
        f'{_e(change["title"])}<span class="kind">{_kind(change, data)}</span></h3>{entries}</div>'
    )


def _kind(change: Data, data: Data) -> str:
    was, now = change["owner_before"], change["owner_after"]
    if change["kind"] == "owner" and was != now:
        return f"was {_badge(was, data)} now {_badge(now, data)}"
    if change["what"] == "row" and change["kind"] in ("retired", "left_out"):
        return _e(change["words"]) + (f", was {_badge(was, data)}" if was else "")
    if change["what"] == "row" and change["kind"] != "text":
        return f"{_e(change['words'])} {_badge(now, data)}"
    return _e(change["words"])


def _badge(office: str, data: Data) -> str:
    return document._badge(office, data["names"].get(office, ""))


def _entry(entry: Data) -> str:
    name = ""
    if entry["name"]:
        change = f", {entry['change']}" if entry["change"] in ("added", "removed") else ""
        name = f"<h4>{_e(entry['name'])}{change}</h4>"
    fields = "".join(
        f'<tr><th scope="row">{_e(one["label"])}</th><td>{_words(one["pieces"])}</td></tr>'
        for one in entry["fields"]
    )
    return f'{name}<table class="facts"><tbody>{fields}</tbody></table>'


_TAGS = {"removed": "del", "added": "ins"}


def _words(pieces: Sequence[Data]) -> str:
    words = ""
    former: Data = {"kind": "same", "text": " "}
    for one in pieces:
        # "24" struck and "12" added would read 2412.
        touch = not former["text"][-1:].isspace() and not one["text"][:1].isspace()
        if touch and {former["kind"], one["kind"]} == set(_TAGS):
            words += " "
        words += _piece(one["kind"], one["text"])
        former = one
    if not any(one["kind"] in _TAGS and one["text"].strip() for one in pieces):
        words += ' <span class="spaces">Only spaces or line breaks differ.</span>'
    return words


def _piece(kind: str, text: str) -> str:
    if kind == "gap":
        return '<span class="gap">… (unchanged text left out)</span>\n'
    tag = _TAGS.get(kind)
    found = re.fullmatch(r"(\s*)(.*?)(\s*)", text, re.DOTALL)
    if tag is None or found is None or not found[2]:
        return _e(text)
    return f"{found[1]}<{tag}>{_e(found[2])}</{tag}>{found[3]}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _e(value: Any) -> str:
    return html.escape(str(value), quote=True)
