"""The states of a Revision and of what is agreed about it."""

from django.db.models import TextChoices


class State(TextChoices):
    DRAFT = "draft", "Draft"
    COSIGNING = "cosigning", "Co-signing"
    AWAITING_APPROVAL = "awaiting_approval", "CEO approval"
    APPROVED = "approved", "Approved"
    IN_FORCE = "in_force", "In force"
    SUPERSEDED = "superseded", "Superseded"
    EXPIRED_UNRENEWED = "expired_unrenewed", "Expired, not renewed"
    WITHDRAWN = "withdrawn", "Withdrawn"


# At most one Revision of a document is in each of these sets (the database holds that too).
UNFINISHED = (State.DRAFT, State.COSIGNING, State.AWAITING_APPROVAL, State.APPROVED)
ANSWERING = (State.IN_FORCE, State.EXPIRED_UNRENEWED)  # an expired one still answers, flagged
PUBLISHED = (State.APPROVED, State.IN_FORCE, State.SUPERSEDED, State.EXPIRED_UNRENEWED)


class Verb(TextChoices):
    """The verbs that change a Revision's state."""

    FREEZE = "freeze"
    COSIGN = "cosign"
    DECLINE = "decline"
    APPROVE = "approve"
    RETURN = "return_to_draft"
    WITHDRAW = "withdraw"
    BRING_INTO_FORCE = "bring_into_force"
    SUPERSEDE = "supersede"
    EXPIRE = "expire"
    AMEND = "amend"
    OPEN = "open"


# verb -> the states it may start from
TRANSITIONS: dict[Verb, tuple[State, ...]] = {
    Verb.FREEZE: (State.DRAFT,),
    Verb.COSIGN: (State.COSIGNING,),
    Verb.DECLINE: (State.COSIGNING, State.AWAITING_APPROVAL),
    Verb.APPROVE: (State.AWAITING_APPROVAL,),
    Verb.RETURN: (State.AWAITING_APPROVAL,),
    Verb.WITHDRAW: UNFINISHED,
    Verb.BRING_INTO_FORCE: (State.APPROVED,),
    Verb.SUPERSEDE: ANSWERING,
    Verb.EXPIRE: (State.IN_FORCE,),
    # A withdrawn one only where its document has none in force: the verb checks that.
    Verb.AMEND: (*ANSWERING, State.WITHDRAWN),
}


class Stance(TextChoices):
    """What a party says of a row or article."""

    AGREED = "agreed", "Agreed"
    CONTESTED = "contested", "Contested"


class ClauseState(TextChoices):
    """What all parties together say of a row or article."""

    PROPOSED = "proposed", "Proposed"
    AGREED = "agreed", "Agreed"
    CONTESTED = "contested", "Contested"


class Role(TextChoices):
    """In which part a signature is given."""

    COSIGNER = "cosigner", "Co-signer"
    APPROVER = "approver", "Approver"


class Period(TextChoices):
    """The three parts of an execution plan, in days after coming in force."""

    FIRST = "1-30", "Days 1-30"
    SECOND = "31-60", "Days 31-60"
    THIRD = "61-90", "Days 61-90"
