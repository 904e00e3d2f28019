"""The Offices every company starts with, and how an Office is spoken of.

An Office is known everywhere by its key (``cro``); title and short name are for reading.
"""

from dataclasses import dataclass

from django.apps import apps


@dataclass(frozen=True)
class StandardOffice:
    key: str
    title: str
    short: str
    co_signing: bool = False
    several_holders: bool = False


STANDARD_OFFICES = (
    StandardOffice("cro", "Chief Revenue Officer", "CRO", co_signing=True),
    StandardOffice("coo", "Chief Operating Officer", "COO", co_signing=True),
    StandardOffice("cfo", "Chief Financial Officer", "CFO", co_signing=True),
    StandardOffice("ceo", "Chief Executive Officer", "CEO"),
    StandardOffice("revops_lead", "RevOps Lead", "RevOps Lead"),
    StandardOffice("corporate_secretary", "Corporate Secretary", "Corporate Secretary"),
    StandardOffice("auditor", "Auditor", "Auditor", several_holders=True),
    StandardOffice("administrator", "Administrator", "Administrator"),
)

CRO, COO, CFO, CEO = "cro", "coo", "cfo", "ceo"
REVOPS_LEAD = "revops_lead"
CORPORATE_SECRETARY = "corporate_secretary"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
HYBRID = "hybrid"  # not an Office: the owner of a function that is split into sub-scopes

_BY_KEY = {office.key: office for office in STANDARD_OFFICES}
# Offices that PRODUCT.md names as further parties; spelt here so that every page agrees.
FURTHER = {
    "cmo": ("Chief Marketing Officer", "CMO"),
    "cco": ("Chief Customer Officer", "CCO"),
    "legal": ("Legal", "Legal"),
}
# Words that stand beside Office keys in addresses and allocations, and so are none themselves.
RESERVED_KEYS = frozenset(
    {HYBRID, "none", "further", "everybody", "record", "permissions", "appointments", "add"}
    | {"stand_in", "shared", "nobody"}
)


# Names of the Offices that the company added, by key: (title, short). An Office keeps its names,
# so what was read once stays true in every process.
_added: dict[str, tuple[str, str]] = {}


def _names_of(key: str) -> tuple[str, str] | None:
    """Title and short name of an Office that the company added; None where there is none."""
    if key in ("", HYBRID):
        return None
    if key not in _added:
        found = apps.get_model("people", "Office").objects.filter(key=key)
        names = found.values_list("title", "short").first()
        if names is None:
            return None
        _added[key] = names
    return _added[key]


def office_short(key: str) -> str:
    """How an Office (or "hybrid", or nobody) is named in a badge: "CRO", "Hybrid", "Unassigned"."""
    if not key:
        return "Unassigned"
    if key == HYBRID:
        return "Hybrid"
    if key in _BY_KEY:
        return _BY_KEY[key].short
    if key in FURTHER:
        return FURTHER[key][1]
    if names := _names_of(key):
        return names[1]
    return key.replace("_", " ").upper() if len(key) <= 4 else key.replace("_", " ").title()


def office_title(key: str) -> str:
    """The Office's full title: "Chief Revenue Officer"."""
    if key in _BY_KEY:
        return _BY_KEY[key].title
    if key in FURTHER:
        return FURTHER[key][0]
    if names := _names_of(key):
        return names[0]
    return office_short(key)
