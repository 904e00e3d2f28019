"""What a signature looks like on the page: name, Office, meaning, method, time, reservation.

Stamps are rendered by the same renderer as the page and brought in as they are: text that pyHanko
draws itself breaks PDF/A.
"""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sealing import fonts
from sealing.errors import RenderFailed, SignatureRefused, Undrawable
from sealing.render import render_stamp, weasyprint_problem

if TYPE_CHECKING:
    from sealing.sign import ApprovalSignature

MAX_RESERVATION = 500
"""Characters of a reservation that fit, whole, beside a signature."""

_MAX_LINE = 200
_SIZES_PT = (7.5, 7.0, 6.5, 6.0, 5.5)  # of the reservation, tried in turn

# The white ground covers the dashed line that marks an empty field.
_CSS = """
html { background: #ffffff; color: #12161b }
html { font: 400 8.2pt/1.35 "Source Sans Pro", "Source Serif Pro" }
body { margin: 0 }
p { margin: 0; overflow-wrap: anywhere }
.name { font-weight: 600; font-size: 11pt; line-height: 1.25 }
.how { color: #4d5661 }
.reservation { margin-top: 1.5pt; line-height: 1.22 }
b { font-weight: 600 }
"""


def signer_stamp(signature: ApprovalSignature, *, width_pt: float, height_pt: float) -> bytes:
    """Give the stamp of a person's signature as a one-page PDF of the field's size."""
    reservation = " ".join(signature.reservation.split())
    if len(reservation) > MAX_RESERVATION:
        raise SignatureRefused(f"A reservation has at most {MAX_RESERVATION} characters.")
    office = f"{'Acting ' if signature.acting else ''}{signature.office_title}"
    body = (
        f'<p class="name">{_e(signature.name)}</p><p>{_e(office)}</p><p>{_e(signature.meaning)}</p>'
        f'<p class="how">{_e(signature.method)}, {_e(when(signature.signed_at))}</p>'
    )
    if reservation:
        body += f'<p class="reservation"><b>With reservation:</b> {_e(reservation)}</p>'
    lines = [signature.name, office, signature.meaning, signature.method]
    return _fit(body, [*lines, reservation], width_pt, height_pt)


def seal_stamp(organisation: str, at: datetime, *, width_pt: float, height_pt: float) -> bytes:
    """Give the stamp of the organisation's seal as a one-page PDF of the field's size."""
    body = (
        f'<p class="name">{_e(organisation)}</p><p>This text is fixed and issued for signature</p>'
        f'<p class="how">Sealed by the registry, {_e(when(at))}</p>'
    )
    return _fit(body, [organisation], width_pt, height_pt)


def when(at: datetime) -> str:
    """Give a time to the second in UTC: "4 Dec 2026, 14:31:05 UTC"."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %Y}, {utc:%H:%M:%S} UTC"


def _fit(body: str, texts: list[str], width_pt: float, height_pt: float) -> bytes:
    problem = weasyprint_problem()
    if problem:
        raise RenderFailed(problem)
    bad = fonts.undrawable(" ".join(texts))
    if bad:
        raise Undrawable(bad)
    if any(len(text) > _MAX_LINE for text in texts[:4]):
        raise SignatureRefused(f"A line of a signature has at most {_MAX_LINE} characters.")
    for size in _SIZES_PT:
        css = f"{_CSS} .reservation {{ font-size: {size}pt }}"
        stamp = render_stamp(body, css, width_pt=width_pt, height_pt=height_pt)
        if stamp is not None:
            return stamp
    raise SignatureRefused("The signature's text does not fit into its place on the page.")


def _e(text: str) -> str:
    return html.escape(text, quote=True)
