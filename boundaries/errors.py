"""Named refusals of the boundary verbs. Each sentence is shown as it is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from people.errors import NotYourOffice, Refused
from people.permissions import Act

from .states import State, Verb

if TYPE_CHECKING:
    from .blockers import Blocker
    from .models import Article, Revision, Row
    from .parties import Absence


class TransitionNotAllowed(Refused):
    """The Revision is not in a state from which this verb may start."""

    code = "transition_not_allowed"

    def __init__(self, revision: "Revision", verb: Verb) -> None:
        self.revision, self.verb = revision, verb
        state = State(revision.state).label
        act = verb.value.replace("_", " ")
        super().__init__(
            f'{revision.reference} is in the state "{state}", so nobody can {act} it now. '
            "Reload the page to see what it waits for."
        )


class NotADraft(Refused):
    """The text is frozen: only a draft is edited or agreed."""

    code = "not_a_draft"

    def __init__(self, revision: "Revision") -> None:
        super().__init__(
            f"{revision.reference} is no longer a draft, so its text cannot change. "
            "Nothing was saved."
        )


class NotReadyToFreeze(Refused):
    """Something still blocks freezing; ``blockers`` lists all of it."""

    code = "not_ready_to_freeze"

    def __init__(self, blockers: "list[Blocker]") -> None:
        self.blockers = blockers
        count = len(blockers)
        what = "1 thing still blocks" if count == 1 else f"{count} things still block"
        super().__init__(f"{what} freezing. First: {blockers[0].title}: {blockers[0].detail}")


class ChangedMeanwhile(Refused):
    """Somebody else saved this row or article first; ``clause`` is what stands now."""

    code = "changed_meanwhile"

    def __init__(self, clause: "Row | Article", *, agreeing: bool = False) -> None:
        self.clause = clause
        then = (
            "You have not agreed to it: read it as it stands now, and agree to that."
            if agreeing
            else "Nothing of yours was saved yet: compare both texts and save again."
        )
        super().__init__(
            f"{clause.changed_by_name or 'Somebody'} changed {clause} while you had it open. {then}"
        )


class NothingToWithdraw(Refused):
    """No Office of the person agrees to this row or article."""

    code = "nothing_to_withdraw"

    def __init__(self, clause: "Row | Article") -> None:
        super().__init__(
            f"None of your Offices agrees to {clause}, so there is nothing to take back. Reload "
            "the page to see what each party says."
        )


class RowIsSettled(Refused):
    """The row is locked to the CEO's ruling or order."""

    code = "row_is_settled"

    def __init__(self, row: "Row") -> None:
        how = "ruling" if row.ruling_id is not None else "order after a veto"
        super().__init__(
            f"{row} is locked to the CEO's {how} and counts as agreed by all. Its text cannot "
            "change in this version; ask for an amendment once it is in force."
        )


class NotAParty(NotYourOffice):
    """A further co-signing Office acts as a party only where it owns a row or a part of one."""

    code = "not_a_party"

    def __init__(self, revision: "Revision", offices: "Sequence[str]", act: Act) -> None:
        named = " and ".join(f"the {office}" for office in offices)
        own = "own" if len(offices) > 1 else "owns"
        super().__init__(
            f"{named[0].upper()}{named[1:]} {own} no row of {revision.reference} and so is no "
            f"party to it: you may read and comment on it, but not {act.value}. Ask one of its "
            "parties, or have one of them give you a function or a part of one in article 4."
        )


class RowRemoved(Refused):
    """The row is no longer in this draft."""

    code = "row_removed"

    def __init__(self, row: "Row") -> None:
        super().__init__(
            f"{row} was removed from this draft. Nothing was saved. Add it again from the catalog "
            "if it belongs here."
        )


class RowCannotGo(Refused):
    """The row has to stay where it is; the sentence says what to do instead."""

    code = "row_cannot_go"


class VetoStands(Refused):
    """A veto of the row, or what is disputed about it, stands in the way."""

    code = "veto_stands"


class VetoEnded(Refused):
    """The veto was lifted, or cleared by an order, meanwhile."""

    code = "veto_ended"


class OrderTooEarly(Refused):
    """Only after ten business days may the CEO order what goes in after a veto."""

    code = "order_too_early"


class ReasonMissing(Refused):
    """The act needs a written reason."""

    code = "reason_missing"


class FileDisposed(Refused):
    """The file was disposed of when its retention had ended."""

    code = "file_disposed"


class InvalidText(Refused):
    """What was sent cannot become part of a boundary; the sentence says what to write."""

    code = "invalid_text"


class DocumentExists(Refused):
    """A document with this number, or a second company boundary."""

    code = "document_exists"


class UnfinishedRevisionExists(Refused):
    """At most one Revision of a document is unfinished."""

    code = "unfinished_revision_exists"


class SigningCopyNotReady(Refused):
    """The PDF to be signed is still being made."""

    code = "signing_copy_not_ready"


class NotRead(Refused):
    """The signer has not opened the exact bytes to be signed."""

    code = "not_read"


class MeaningNotAccepted(Refused):
    """The signer did not confirm what signing means."""

    code = "meaning_not_accepted"


class AlreadySigned(Refused):
    """The Office has signed this Revision already."""

    code = "already_signed"


class IntentNotValid(Refused):
    """The permission to sign is used, expired, or was given for something else."""

    code = "intent_not_valid"


class ContentChanged(IntentNotValid):
    """What was opened for signing is no longer what would be signed."""

    code = "content_changed"


class NotConfirmed(Refused):
    """What was given in the ceremony does not prove that it is the same person."""

    code = "not_confirmed"


class FactorMissing(Refused):
    """The person has nothing yet by which they could confirm a signature."""

    code = "factor_missing"


class NotASeparatePerson(Refused):
    """Co-signing and approving need separate people; two distinct ones must co-sign."""

    code = "not_a_separate_person"


class PartyNotEstablished(Refused):
    """A party that has not signed is an Office which the company no longer has."""

    code = "party_not_established"

    def __init__(self, revision: "Revision", missing: "list[Absence]") -> None:
        offices = " and ".join(f"the {one.office.short}" for one in missing)
        super().__init__(
            f"{missing[0].words}, so nobody can sign {revision.reference} for {offices}. A party "
            "sends it back to draft by declining; frozen anew, it names the parties of that day. "
            "Nothing was signed."
        )


class NothingToConfirm(Refused):
    """No agreement of a predecessor waits for this person, or none that was on the page."""

    code = "nothing_to_confirm"


class SuccessionEnded(Refused):
    """There is nothing to answer any more: the text, or the appointment, has ended."""

    code = "succession_ended"


class SuccessionAnswered(Refused):
    """The successor has answered, and an answer is given once."""

    code = "succession_answered"


class NotYetEffective(Refused):
    """The effective date has not come."""

    code = "not_yet_effective"


class NotInForce(Refused):
    """The verb is for a Revision in force."""

    code = "not_in_force"


class AlreadyAcknowledged(Refused):
    """The RevOps Lead has acknowledged this Revision."""

    code = "already_acknowledged"


class ExceptionNotPossible(Refused):
    """There is nothing to depart from, nobody to approve it, or the dates do not fit."""

    code = "exception_not_possible"


class ExceptionSettled(Refused):
    """The exception was granted, refused, taken back, or its time is over."""

    code = "exception_settled"


class NotYourOwnException(Refused):
    """Nobody approves their own request."""

    code = "not_your_own_exception"


class EvidenceNotReady(Refused):
    """There is no evidence bundle: nothing is sealed yet, or the log does not bear it out."""

    code = "evidence_not_ready"


class CheckAsked(Refused):
    """The log is not checked now: it is being checked already, or not by this reader."""

    code = "check_asked"
