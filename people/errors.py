"""Refusals. Each carries a sentence that the page or API shows as it is."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .models import Appointment


class Refused(Exception):
    """A verb refused. Nothing was changed; ``str()`` says why and what to do."""

    code = "refused"

    def __init__(self, *words: str, field: str = "", about: "Appointment | None" = None) -> None:
        super().__init__(*words)
        # Which field of a form it is about, where one is.
        self.field = field
        # The appointment that stands in the way: pages link what settles it.
        self.about = about


class NotYourOffice(Refused):
    """The acting person holds no Office that may do this."""

    code = "not_your_office"


class SomebodyActsForYou(NotYourOffice):
    """While an Acting appointment runs, the holder of the Office only reads."""

    code = "somebody_acts_for_you"


class CeoIsNoParty(NotYourOffice):
    """The CEO holds a co-signing Office, and acts for it as a party would."""

    code = "ceo_is_no_party"


class AppointmentClash(Refused):
    """The Office has, in part of that time, another holder."""

    code = "appointment_clash"


class InvalidAppointment(Refused):
    """The appointment lacks something that it needs, whoever else holds the Office."""

    code = "invalid_appointment"


class OwnAppointment(Refused):
    """Nobody records their own appointment, nor that of a linked account."""

    code = "own_appointment"


class NotYoursToConfirm(Refused):
    """Who is appointed, or who recorded it, does not confirm it."""

    code = "not_yours_to_confirm"


class NothingToConfirm(Refused):
    """It waits for nobody any more: confirmed, refused or taken back meanwhile."""

    code = "nothing_to_confirm"


class SubDelegation(Refused):
    """A stand-in appoints no stand-in."""

    code = "sub_delegation"


class AlreadyEnded(Refused):
    """An appointment gets its end once, or is not there any more to be ended."""

    code = "already_ended"


class OfficeNotEstablished(Refused):
    """The company has no such Office at present, or has it already."""

    code = "office_not_established"


class OfficeStays(Refused):
    """The company cannot do without this Office, or not yet."""

    code = "office_stays"


class OfficeExists(Refused):
    """There is an Office of this name."""

    code = "office_exists"
