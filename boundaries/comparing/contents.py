"""Two contents side by side."""

from .articles import article_changes, control_changes
from .changes import Change, Comparison
from .rows import Content, function_names, row_changes


def compare(before: Content, after: Content) -> Comparison:
    """Compare two contents of one document, ``before`` to ``after``."""
    names = function_names(before) | function_names(after)
    return Comparison(
        before=f"v{before['revision']['number']}",
        after=f"v{after['revision']['number']}",
        rows=tuple(row_changes(before, after)),
        articles=tuple(article_changes(before, after, names)),
        control=tuple(control_changes(before, after)),
    )


def changed_rows(before: Content, after: Content) -> list[Change]:
    """The rows that changed, in the order of the later content; what is gone comes last."""
    return [one for one in row_changes(before, after) if one.changed]
