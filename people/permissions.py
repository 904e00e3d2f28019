"""Who may do what: the matrix of PRODUCT.md 1 as data, and the one question asked of it.

Verbs ask ``require``; pages ask ``may`` to decide what to offer. Both read this table.
"""

from datetime import date
from enum import StrEnum

from .errors import NotYourOffice
from .models import Appointment, Person
from .offices import (
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
from .queries import appointments_of

EVERYBODY = "everybody"  # any active Person, Members included
PARTIES = frozenset({CRO, COO, CFO})


class Act(StrEnum):
    """An act of the matrix. Values read as "may <value>" in refusals."""

    LOOK_UP = "look up owners"
    READ_IN_FORCE = "read what is in force"
    READ_DRAFT = "read drafts"
    OPEN = "open a draft"
    EDIT = "edit a draft"
    AGREE = "agree"
    CONTEST = "contest"
    SIGN = "sign"
    DECLINE = "decline"
    VETO = "veto"
    FREEZE = "freeze"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    REMIND = "remind the others of a review"
    READ_LOG = "read the audit log"
    READ_SECURITY_EVENTS = "read security events"
    CHANGE_CATALOG = "change the catalog"
    RECORD_APPOINTMENT = "record appointments"
    PROPOSE_STAND_IN = "propose a stand-in for the own Office"
    CONFIRM_APPOINTMENT = "confirm appointments"
    INVITE = "invite people"
    MANAGE_ACCOUNTS = "deactivate and link accounts"
    CHANGE_COMPANY = "change the company's calendar"


MATRIX: dict[Act, frozenset[str]] = {
    Act.LOOK_UP: frozenset({EVERYBODY}),
    Act.READ_IN_FORCE: frozenset({EVERYBODY}),
    Act.READ_DRAFT: PARTIES | {CEO, REVOPS_LEAD, CORPORATE_SECRETARY, AUDITOR},
    Act.OPEN: PARTIES | {CORPORATE_SECRETARY},
    Act.EDIT: PARTIES | {CORPORATE_SECRETARY},
    Act.AGREE: PARTIES,
    Act.CONTEST: PARTIES,
    Act.SIGN: PARTIES,
    Act.DECLINE: PARTIES,
    Act.VETO: frozenset({CFO}),
    Act.FREEZE: PARTIES | {CORPORATE_SECRETARY},
    # Parties only when they opened it, before any signature: the verb checks that.
    Act.WITHDRAW: PARTIES | {CEO},
    Act.APPROVE: frozenset({CEO}),
    Act.RETURN: frozenset({CEO}),
    Act.ACKNOWLEDGE: frozenset({REVOPS_LEAD}),
    Act.REMIND: PARTIES | {REVOPS_LEAD, CORPORATE_SECRETARY},
    # Parties: of their own documents. The Administrator reads security events only.
    Act.READ_LOG: PARTIES | {CEO, CORPORATE_SECRETARY, AUDITOR},
    Act.READ_SECURITY_EVENTS: frozenset({CEO, CORPORATE_SECRETARY, AUDITOR, ADMINISTRATOR}),
    Act.CHANGE_CATALOG: PARTIES | {REVOPS_LEAD, CORPORATE_SECRETARY},
    # The Administrator: the first ones, and while there never was a Secretary. The verb checks it.
    Act.RECORD_APPOINTMENT: frozenset({CORPORATE_SECRETARY, ADMINISTRATOR}),
    Act.PROPOSE_STAND_IN: PARTIES,
    Act.CONFIRM_APPOINTMENT: frozenset({CEO}),
    Act.INVITE: frozenset({ADMINISTRATOR}),
    Act.MANAGE_ACCOUNTS: frozenset({ADMINISTRATOR}),
    Act.CHANGE_COMPANY: frozenset({ADMINISTRATOR, CORPORATE_SECRETARY}),
}


def entitling_appointments(person: Person, act: Act, *, on: date) -> list[Appointment]:
    """The appointments of ``person`` on the date ``on`` that allow ``act`` (may be empty)."""
    if not person.is_active:
        return []
    allowed = MATRIX[act]
    return [one for one in appointments_of(person, on=on) if one.office.key in allowed]


def may(person: Person, act: Act, *, on: date) -> bool:
    """Whether ``person`` may do ``act`` on the date ``on``."""
    if not (person.is_authenticated and person.is_active):
        return False
    return EVERYBODY in MATRIX[act] or bool(entitling_appointments(person, act, on=on))


def require(person: Person, act: Act, *, on: date) -> list[Appointment]:
    """Return the entitling appointments, or refuse with ``NotYourOffice`` naming who may."""
    held = entitling_appointments(person, act, on=on)
    if not held and not may(person, act, on=on):
        offices = ", ".join(sorted(office_short(key) for key in MATRIX[act]))
        raise NotYourOffice(f"Only the holder of one of these Offices may {act.value}: {offices}.")
    return held
