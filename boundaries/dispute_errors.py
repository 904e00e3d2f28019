"""Named refusals of disputes and rulings. Each sentence is shown as it is."""

from typing import TYPE_CHECKING

from people.errors import NotYourOffice, Refused

if TYPE_CHECKING:
    from .models import Dispute


class NoDispute(Refused):
    """No dispute can be opened about this row; the sentence says what can be done instead."""

    code = "no_dispute"


class AlreadyDisputed(Refused):
    """There is an open dispute about this function."""

    code = "already_disputed"

    def __init__(self, dispute: "Dispute") -> None:
        self.dispute = dispute
        super().__init__(
            f"{dispute} is open: the CEO rules on this function there. Say it on your page of that "
            "dispute, or withdraw it together and escalate anew."
        )


class DisputeEnded(Refused):
    """Ruled, withdrawn or lapsed: nothing is done in it any more."""

    code = "dispute_ended"

    def __init__(self, dispute: "Dispute") -> None:
        how = dispute.get_outcome_display().lower()
        then = {
            "ruled": "Read the ruling on its page; once it is in force, dispute the row anew.",
            "withdrawn": "To bring the question to the CEO again, escalate the row anew.",
            "lapsed": "Contest the row in the next draft, and escalate it there.",
        }[dispute.outcome]
        super().__init__(f"{dispute} is over ({how}). Nothing was changed. {then}")


class NotAPartyToIt(NotYourOffice):
    """Only a party's Office files a page, waives it or withdraws."""

    code = "not_a_party_to_it"


class PageIsFinal(Refused):
    """The Office has filed or waived its page, and does so once."""

    code = "page_is_final"


class PagesAreClosed(Refused):
    """The pages are open to read, or the time is up: none is filed any more."""

    code = "pages_are_closed"


class PagesStaySealed(Refused):
    """Not all pages are in and there is time left: nobody reads them, nobody rules."""

    code = "pages_stay_sealed"


class OwnCause(NotYourOffice):
    """Who wrote a page of a dispute, or opened it, does not rule on it."""

    code = "own_cause"


class NotSettled(Refused):
    """There is no word of this person to take back."""

    code = "not_settled"


class DeciderIsNamed(Refused):
    """Who decides until the ruling follows from the owner, and is not the CEO's to name."""

    code = "decider_is_named"
