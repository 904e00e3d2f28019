"""What changed between two contents of a document: who gained, who lost, which words moved.

Pure, over two canonical contents (``content.py``), so that the page, the PDF, the API, the change
log and the mails say the same and count alike. Rows are matched by function, entries of articles
by key: never by number or place. What an older content lacks is read as empty.

Every row and article is of exactly one kind, and the kinds add up: what changed and what did not is
everything there is. The change log always differs and is left out. Of article 1 only the rules in
prose are compared: its dates and parties differ in every version and stand apart (``control``).
"""

from .changes import Change, Comparison, Counts, Entry, Field, Group, Kind, Move, Show
from .contents import changed_rows, compare
from .data import as_data
from .log import change_log
from .rows import left_out, owner_words, rows_of
from .sentences import Bit, Sentence, Summary, in_one_sentence, summary

__all__ = [
    "Bit",
    "Change",
    "Comparison",
    "Counts",
    "Entry",
    "Field",
    "Group",
    "Kind",
    "Move",
    "Sentence",
    "Show",
    "Summary",
    "as_data",
    "change_log",
    "changed_rows",
    "compare",
    "in_one_sentence",
    "left_out",
    "owner_words",
    "rows_of",
    "summary",
]
