"""Which Offices are parties to a Revision: they agree, co-sign and may decline.

A draft's parties are today's; what is frozen keeps the parties that stand in its text, whatever
the company changes afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from people.calendar import company_date
from people.models import Appointment, Office, Person
from people.offices import HYBRID
from people.permissions import MATRIX, PARTIES, Act, require

from .content import content_of
from .errors import NotAParty, PartyNotEstablished
from .models import Revision, RowSubScope
from .states import Role, State


@dataclass(frozen=True)
class Offices:
    """The company's Offices as one verb finds them: asked for once, for any number of rows."""

    keys: frozenset[str]
    may_own: Sequence[str]  # as ``possible_owners`` gives them

    @classmethod
    def of_today(cls) -> "Offices":
        """One query."""
        known = list(
            Office.objects.order_by("position").values_list("key", "co_signing", "established")
        )
        return cls(
            keys=frozenset(key for key, _, _ in known),
            may_own=[key for key, co_signing, established in known if co_signing and established],
        )


def possible_owners() -> list[str]:
    """The keys of the Offices that may own a row, in the order they are always shown.

    Owning one makes an Office a party to the document.
    """
    return list(
        Office.objects.filter(co_signing=True, established=True)
        .order_by("position")
        .values_list("key", flat=True)
    )


def party_offices(
    revision: Revision | None = None, *, may_own: Sequence[str] | None = None
) -> list[str]:
    """Who agrees to a draft and will co-sign it, in the order they are always shown.

    The established ones of CRO, COO and CFO, and every further Office that owns a row of
    ``revision`` or a part of one, also in place of one that is not established. Without a
    ``revision``: those of every document. ``may_own`` spares the question to a verb that has
    asked it.
    """
    if may_own is None:
        may_own = possible_owners()
    owning: set[str] = set()
    if revision is not None and not PARTIES.issuperset(may_own):
        owning.update(revision.rows.values_list("owner", flat=True))
        parts = RowSubScope.objects.filter(
            row__revision=revision, row__owner=HYBRID, row__removed_at__isnull=True
        )
        owning.update(parts.values_list("owner", flat=True))
        if not owning <= {"", HYBRID, *may_own}:
            # What an Office owns that is not established goes to another, which answers for it.
            heirs = {one.office.key: one.part_goes_to.key for one in absences()}
            owning.update(heirs[key] for key in owning & heirs.keys())
    return [key for key in may_own if key in PARTIES or key in owning]


def parties_of(revision: Revision) -> list[str]:
    """The parties to ``revision``: of a draft today's, of frozen text those named in it."""
    if revision.state != State.DRAFT:
        # The freeze that stands; of a withdrawn Revision its last, if it was ever frozen.
        freeze = (
            revision.freezes.filter(voided_at__isnull=True).first()
            or revision.freezes.order_by("-number").first()
        )
        if freeze is not None:
            return [party["office"] for party in content_of(freeze)["parties"]]
    return party_offices(revision)


# --- Acting as a party ------------------------------------------------------------------------

# Who opened a draft edits it, so that a further Office can give itself its first row in its own.
_OPENERS_TOO = frozenset({Act.EDIT})


def with_a_part(
    held: Iterable[Appointment], act: Act, revision: Revision, *, parties: Sequence[str]
) -> list[Appointment]:
    """Those of the appointments that allow ``act`` on this Revision and not just somewhere.

    Offices that the matrix names act everywhere; a further co-signing Office acts as a party only
    where it is one.
    """
    return [
        one
        for one in held
        if one.office.key in MATRIX[act]
        or one.office.key in parties
        or (act in _OPENERS_TOO and one.person_id == revision.opened_by_id)
    ]


def require_party(
    revision: Revision,
    acting_user: Person,
    act: Act,
    *,
    at: datetime,
    parties: Sequence[str] | None = None,
) -> list[Appointment]:
    """``permissions.require`` for an act on one Revision: refuses with ``NotAParty`` as well.

    Every verb that only a party does (or a Secretary, where the matrix says so) asks this.
    """
    held = require(acting_user, act, on=company_date(at))
    may = with_a_part(
        held, act, revision, parties=parties_of(revision) if parties is None else parties
    )
    if not may:
        raise NotAParty(revision, [one.office.short for one in held], act)
    return may


# --- Not established --------------------------------------------------------------------------


@dataclass(frozen=True)
class Absence:
    """An Office that the company does not have, and the Office that its part goes to."""

    office: Office
    part_goes_to: Office

    @property
    def words(self) -> str:
        """ "The Office of the COO is not established; its part goes to the CFO"."""
        return (
            f"The Office of the {self.office.short} is not established; its part goes to the "
            f"{self.part_goes_to.short}"
        )


def absences() -> list[Absence]:
    """Every Office that is not established today, with who takes its part in the end."""
    missing = list(Office.objects.filter(established=False).order_by("position", "key"))
    if not missing:
        return []
    offices = {one.pk: one for one in Office.objects.all()}
    found = []
    for office in missing:
        heir, seen = office, {office.pk}
        while not heir.established and heir.part_goes_to_id not in seen:
            assert heir.part_goes_to_id is not None  # noqa: S101 - the check constraint says so
            heir = offices[heir.part_goes_to_id]
            seen.add(heir.pk)
        found.append(Absence(office, heir))
    return found


def stands_in_the_way(
    revision: Revision, *, parties: Sequence[str], signed: Sequence[str]
) -> list[Absence]:
    """The parties that owe a signature on frozen text and that the company no longer has."""
    owed = set(parties) - set(signed)
    return [one for one in absences() if one.office.key in owed]


def refuse_what_nobody_can_sign(revision: Revision, *, parties: Sequence[str]) -> None:
    """Refuse to sign text that an Office must sign which is no longer established.

    Nobody holds it, and whoever takes its part was not named to sign for it in the text that the
    others read. A signature it gave while it was established stays valid.
    """
    signed = revision.signatures.filter(voided_at__isnull=True, role=Role.COSIGNER)
    missing = stands_in_the_way(
        revision, parties=parties, signed=list(signed.values_list("office", flat=True))
    )
    if missing:
        raise PartyNotEstablished(revision, missing)
