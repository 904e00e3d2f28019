"""Who may do what: the matrix of PRODUCT.md 1 as data, and the one question asked of it.

Verbs ask ``require``; pages ask ``may`` (or ``powers_of``, of many acts at once) to decide what to
offer. All read this table, and nothing else: a superuser of the database admin may no more here
than their Offices allow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .calendar import date_words
from .errors import CeoIsNoParty, NotYourOffice, SomebodyActsForYou
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
from .queries import held_by, is_appointed

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
    COMMENT = "comment on a draft"
    PROPOSE = "propose a change to a draft"
    ESCALATE = "escalate a row to the CEO"
    RULE = "rule on a dispute"
    ORDER = "order what goes in after a veto"
    SIGN = "sign"
    DECLINE = "decline"
    VETO = "veto"
    FREEZE = "freeze"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    RETURN = "return"
    ACKNOWLEDGE = "acknowledge"
    REMIND = "remind the others of a review"
    REQUEST_EXCEPTION = "ask for an exception"
    ANSWER_EXCEPTION = "answer an exception"
    READ_LOG = "read the audit log"
    READ_SECURITY_EVENTS = "read security events"
    CHANGE_CATALOG = "change the catalog"
    RECORD_APPOINTMENT = "record appointments"
    PROPOSE_STAND_IN = "propose a stand-in for the own Office"
    CONFIRM_APPOINTMENT = "confirm appointments"
    INVITE = "invite people"
    MANAGE_ACCOUNTS = "deactivate and link accounts"
    CHANGE_COMPANY = "change the company's calendar"
    READ_PERMISSIONS = "read who may do what"
    READ_ARCHIVE = "read the archive"
    SET_RETENTION = "change how long records are kept"
    HOLD = "place and lift legal holds"
    DISPOSE = "propose a disposal"
    CONFIRM_ARCHIVE = "confirm a retention or a disposal"
    ASK_ERASURE = "ask for an erasure"
    AGREE_ERASURE = "agree to an erasure"


MATRIX: dict[Act, frozenset[str]] = {
    Act.LOOK_UP: frozenset({EVERYBODY}),
    Act.READ_IN_FORCE: frozenset({EVERYBODY}),
    Act.READ_DRAFT: PARTIES | {CEO, REVOPS_LEAD, CORPORATE_SECRETARY, AUDITOR},
    Act.OPEN: PARTIES | {CORPORATE_SECRETARY},
    Act.EDIT: PARTIES | {CORPORATE_SECRETARY},
    Act.AGREE: PARTIES,
    Act.CONTEST: PARTIES,
    Act.COMMENT: PARTIES | {CEO, REVOPS_LEAD, CORPORATE_SECRETARY},
    Act.PROPOSE: PARTIES | {REVOPS_LEAD, CORPORATE_SECRETARY},
    Act.ESCALATE: PARTIES,
    Act.RULE: frozenset({CEO}),
    Act.ORDER: frozenset({CEO}),
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
    Act.REQUEST_EXCEPTION: PARTIES | {REVOPS_LEAD, CORPORATE_SECRETARY},
    # Parties: what they own, the CFO also what touches financial reporting. The verb checks that.
    Act.ANSWER_EXCEPTION: PARTIES | {CEO},
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
    Act.READ_PERMISSIONS: frozenset({ADMINISTRATOR, CORPORATE_SECRETARY, AUDITOR, CEO}),
    Act.READ_ARCHIVE: frozenset({CEO, CORPORATE_SECRETARY, AUDITOR}),
    Act.SET_RETENTION: frozenset({CORPORATE_SECRETARY}),
    Act.HOLD: frozenset({CORPORATE_SECRETARY, CEO}),
    Act.DISPOSE: frozenset({CORPORATE_SECRETARY}),
    Act.CONFIRM_ARCHIVE: frozenset({CEO}),
    Act.ASK_ERASURE: frozenset({ADMINISTRATOR}),
    Act.AGREE_ERASURE: frozenset({CORPORATE_SECRETARY, CEO}),
}

# The table as people read it: in this order, under these words.
GROUPS: tuple[tuple[str, tuple[Act, ...]], ...] = (
    ("Looking up and reading", (Act.LOOK_UP, Act.READ_IN_FORCE, Act.READ_DRAFT)),
    (
        "Negotiating",
        (
            Act.OPEN,
            Act.EDIT,
            Act.PROPOSE,
            Act.COMMENT,
            Act.AGREE,
            Act.CONTEST,
            Act.VETO,
            Act.FREEZE,
        ),
    ),
    ("Disagreeing", (Act.ESCALATE, Act.RULE, Act.ORDER)),
    ("Signing", (Act.SIGN, Act.DECLINE, Act.APPROVE, Act.RETURN, Act.WITHDRAW)),
    (
        "In force",
        (
            Act.ACKNOWLEDGE,
            Act.REQUEST_EXCEPTION,
            Act.ANSWER_EXCEPTION,
            Act.REMIND,
            Act.CHANGE_CATALOG,
        ),
    ),
    (
        "Offices and accounts",
        (
            Act.RECORD_APPOINTMENT,
            Act.PROPOSE_STAND_IN,
            Act.CONFIRM_APPOINTMENT,
            Act.INVITE,
            Act.MANAGE_ACCOUNTS,
            Act.CHANGE_COMPANY,
        ),
    ),
    (
        "The archive",
        (
            Act.READ_ARCHIVE,
            Act.SET_RETENTION,
            Act.HOLD,
            Act.DISPOSE,
            Act.CONFIRM_ARCHIVE,
            Act.ASK_ERASURE,
            Act.AGREE_ERASURE,
        ),
    ),
    ("The log", (Act.READ_LOG, Act.READ_SECURITY_EVENTS, Act.READ_PERMISSIONS)),
)

# What the table alone does not say of an act: the verbs hold to it.
NOTES: dict[Act, str] = {
    Act.OPEN: "Also an amendment of what is in force.",
    Act.EDIT: "Saving withdraws every agreement to that place.",
    Act.AGREE: "For the own Office, to exactly the text that was read.",
    Act.CONTEST: "For the own Office, with a written reason.",
    Act.PROPOSE: "One of the others accepts or declines it.",
    Act.VETO: "Only a row that touches financial reporting, with a written reason.",
    Act.ESCALATE: "A contested row of a draft, or a row in force.",
    Act.RULE: "Once the pages of the parties are open. A ruling lifts no veto.",
    Act.ORDER: "10 business days after the veto: the row as it is in force, or CFO, interim.",
    Act.FREEZE: "When nothing blocks it any more.",
    Act.SIGN: "For the own Office, once, confirmed at that moment. Two distinct people at least.",
    Act.DECLINE: "For the own Office, with a reason, until the CEO approves.",
    Act.APPROVE: "Never who co-signed it, in whichever account or Office.",
    Act.RETURN: "With a reason.",
    Act.WITHDRAW: "A party only what it opened itself, before any signature.",
    Act.ACKNOWLEDGE: "With the execution plan.",
    Act.REQUEST_EXCEPTION: "For at most 90 days, to what is in force.",
    Act.ANSWER_EXCEPTION: (
        "The owner; the CFO too where it touches financial reporting. Nobody their own: then the "
        "CEO, in their place."
    ),
    Act.RECORD_APPOINTMENT: (
        "Nobody records their own. The Administrator records the first of an Office, and stands in "
        "while there is no Corporate Secretary."
    ),
    Act.PROPOSE_STAND_IN: "The CEO confirms it. A stand-in names no stand-in.",
    Act.CONFIRM_APPOINTMENT: "To co-signing Offices, never their own.",
    Act.SET_RETENTION: "The CEO confirms it: a promise once given is never shortened.",
    Act.HOLD: "With a reason and the matter; lifted only with a reason.",
    Act.DISPOSE: "Of files, once the retention ended and no hold stands. The CEO confirms it.",
    Act.CONFIRM_ARCHIVE: "Never who asked for it, in whichever account.",
    Act.ASK_ERASURE: "Of texts about a person outside the retained record.",
    Act.AGREE_ERASURE: "Neither who asked for it nor the person it is about.",
    Act.READ_LOG: "A party only of its own documents.",
}


# While somebody acts in their place, the holder of an Office only reads.
READING = frozenset(
    {
        Act.LOOK_UP,
        Act.READ_IN_FORCE,
        Act.READ_DRAFT,
        Act.READ_LOG,
        Act.READ_SECURITY_EVENTS,
        Act.READ_PERMISSIONS,
        Act.READ_ARCHIVE,
    }
)

# What a party does to a text. The CEO approves it, so the same human being does none of this for
# a co-signing Office that they hold as well: another person is named Acting.
PARTY_ACTS = frozenset(
    {
        Act.OPEN,
        Act.EDIT,
        Act.AGREE,
        Act.CONTEST,
        Act.PROPOSE,
        Act.ESCALATE,
        Act.SIGN,
        Act.DECLINE,
        Act.VETO,
        Act.FREEZE,
        Act.ANSWER_EXCEPTION,
    }
)


def _allows(appointment: Appointment, act: Act) -> bool:
    """Whether the Office may: what all three parties may, every further co-signing Office may."""
    allowed = MATRIX[act]
    return appointment.office.key in allowed or (
        appointment.office.co_signing and allowed >= PARTIES
    )


@dataclass(frozen=True)
class Powers:
    """What one person's Offices allow on one day: read once, asked of many acts."""

    appointments: Sequence[Appointment]
    is_ceo: bool
    # An appointment in whose place somebody acts, and theirs: it still allows to read.
    resting: Sequence[tuple[Appointment, Appointment]] = ()

    def by(self, act: Act) -> list[Appointment]:
        """The appointments that allow ``act`` (may be none)."""
        resting = [one for one, _acting in self.resting] if act in READING else []
        return [
            one
            for one in [*self.appointments, *resting]
            if _allows(one, act)
            and not (self.is_ceo and act in PARTY_ACTS and one.office.co_signing)
        ]

    def may(self, act: Act) -> bool:
        return EVERYBODY in MATRIX[act] or bool(self.by(act))


def _powers(person: Person, acts: frozenset[Act], *, on: date) -> Powers:
    """``Powers`` that hold for ``acts``: the CEO is asked for only where it matters."""
    if not (person.is_authenticated and person.is_active):
        return Powers((), is_ceo=False)
    held = held_by(person, on=on)
    matters = acts & PARTY_ACTS and any(one.office.co_signing for one in held.active)
    is_ceo = bool(matters) and is_appointed(person, CEO, on=on)
    return Powers(held.active, is_ceo, held.resting)


def powers_of(person: Person, *, on: date) -> Powers:
    """What ``person`` may do by Office on the date ``on``; three queries at most."""
    return _powers(person, frozenset(Act), on=on)


def resting_words(mine: Appointment, acting: Appointment) -> str:
    """Who acts in the holder's place, until when, and from when the holder acts again."""
    assert acting.ends_on is not None and acting.last_day is not None  # noqa: S101 - the database refuses an acting appointment without an end
    again = date_words(acting.ends_on)
    return (
        f"{acting.person.name} acts as {mine.office.short}; the last day is "
        f"{date_words(acting.last_day)}. You read until then, and act again from {again}."
    )


def entitling_appointments(person: Person, act: Act, *, on: date) -> list[Appointment]:
    """The appointments of ``person`` on the date ``on`` that allow ``act`` (may be empty)."""
    return _powers(person, frozenset({act}), on=on).by(act)


def may(person: Person, act: Act, *, on: date) -> bool:
    """Whether ``person`` may do ``act`` on the date ``on``."""
    if not (person.is_authenticated and person.is_active):
        return False
    return EVERYBODY in MATRIX[act] or bool(entitling_appointments(person, act, on=on))


def ceo_is_no_party(act: Act, shorts: Sequence[str]) -> CeoIsNoParty:
    """The refusal for a CEO who holds the Offices ``shorts`` of parties, with what to do."""
    named = " and ".join(f"Acting {short}" for short in shorts)
    return CeoIsNoParty(
        f"Who is the CEO approves boundaries, and may not {act.value} for another Office as "
        f"well. Have the Corporate Secretary name another person {named}."
    )


def require(person: Person, act: Act, *, on: date) -> list[Appointment]:
    """Return the entitling appointments, or refuse with ``NotYourOffice`` naming who may.

    A CEO who holds a party's Office is told to name another person Acting (``CeoIsNoParty``).
    """
    powers = _powers(person, frozenset({act}), on=on)
    held = powers.by(act)
    if held or (EVERYBODY in MATRIX[act] and may(person, act, on=on)):
        return held
    for mine, acting in powers.resting:
        if _allows(mine, act):
            raise SomebodyActsForYou(resting_words(mine, acting))
    kept_out = [one.office.short for one in powers.appointments if _allows(one, act)]
    if kept_out:
        raise ceo_is_no_party(act, kept_out)
    offices = ", ".join(sorted(office_short(key) for key in MATRIX[act]))
    raise NotYourOffice(f"Only the holder of one of these Offices may {act.value}: {offices}.")
