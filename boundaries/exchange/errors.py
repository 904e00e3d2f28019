"""Named refusals of importing."""

from people.errors import Refused


class UnreadableFile(Refused):
    """Nothing in the uploaded file can be read; the sentence says what to do."""

    code = "unreadable_file"


class ImportOutdated(Refused):
    """The draft changed while the preview was open, or the preview is no longer good."""

    code = "import_outdated"


class NothingChosen(Refused):
    """No change of the preview was ticked."""

    code = "nothing_chosen"
