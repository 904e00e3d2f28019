"""Named refusals of the archive's verbs. Each sentence is shown as it is."""

from people.errors import Refused


class AlreadyAnswered(Refused):
    """What two people decide was confirmed, refused or taken back meanwhile."""

    code = "already_answered"


class TakesAnotherPerson(Refused):
    """Who asked for it, in whichever account, does not confirm it."""

    code = "takes_another_person"


class StillKept(Refused):
    """The retention has not ended, or the Revision still rules or is on its way."""

    code = "still_kept"


class UnderHold(Refused):
    """A legal hold stands."""

    code = "under_hold"


class NothingToDo(Refused):
    """There is nothing that this act could change."""

    code = "nothing_to_do"


class YearsOutOfBounds(Refused):
    """The number of years is too small or too large."""

    code = "years_out_of_bounds"
