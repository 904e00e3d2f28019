"""The permission matrix as people read it: the same table that every verb asks."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from ..offices import (
    ADMINISTRATOR,
    AUDITOR,
    CEO,
    CFO,
    COO,
    CORPORATE_SECRETARY,
    CRO,
    REVOPS_LEAD,
    office_short,
)
from ..permissions import EVERYBODY, GROUPS, MATRIX, NOTES, Act, require
from .frame import reader_of, signed_in, today

PARTIES_IN_ORDER = (CRO, COO, CFO)
# Each column: its words, and the Offices it stands for (none: whoever holds no Office).
COLUMNS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (", ".join(office_short(key) for key in PARTIES_IN_ORDER), PARTIES_IN_ORDER),
    *(
        (office_short(key), (key,))
        for key in (CEO, REVOPS_LEAD, CORPORATE_SECRETARY, AUDITOR, ADMINISTRATOR)
    ),
    ("Member", ()),
)


@dataclass(frozen=True)
class Cell:
    """What one role may: ``words`` are "Yes", "No" or which of its Offices only."""

    role: str
    words: str

    @property
    def allowed(self) -> bool:
        return self.words != "No"


@dataclass(frozen=True)
class Line:
    act: Act
    note: str
    cells: tuple[Cell, ...]


def _cell(act: Act, role: str, offices: tuple[str, ...]) -> Cell:
    allowed = MATRIX[act]
    if EVERYBODY in allowed:
        return Cell(role, "Yes")
    named = [office_short(key) for key in offices if key in allowed]
    if len(named) == len(offices) and named:
        return Cell(role, "Yes")
    return Cell(role, f"{' and '.join(named)} only" if named else "No")


def table() -> list[tuple[str, list[Line]]]:
    """The matrix in its groups, a line for each act."""
    return [
        (
            title,
            [
                Line(act, NOTES.get(act, ""), tuple(_cell(act, *column) for column in COLUMNS))
                for act in acts
            ],
        )
        for title, acts in GROUPS
    ]


@signed_in
@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    """Who may do what, for those who answer for it."""
    require(reader_of(request), Act.READ_PERMISSIONS, on=today())
    context = {
        "section": "offices",
        "roles": [role for role, _offices in COLUMNS],
        "groups": table(),
    }
    return render(request, "people/matrix.html", context)
