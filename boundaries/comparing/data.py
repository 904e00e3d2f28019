"""A comparison as plain data: what the API answers and the PDF is made from."""

from typing import Any

from .changes import Change, Comparison, Field, Show
from .sentences import in_one_sentence, summary


def as_data(
    comparison: Comparison, show: Show = Show.ALL, *, short: bool = False
) -> dict[str, Any]:
    """The comparison as plain data; ``short`` leaves long stretches of unchanged lines out."""
    counts = comparison.counts
    return {
        "in_one_sentence": in_one_sentence(comparison),
        "counts": {
            "changed": counts.changed,
            "owner": counts.owner,
            "added": counts.added,
            "retired": counts.retired,
            "left_out": counts.left_out,
            "text_rows": counts.text_rows,
            "text_articles": counts.text_articles,
            "unchanged_rows": counts.unchanged_rows,
            "unchanged_articles": counts.unchanged_articles,
            "rows": counts.rows,
            "articles": counts.articles,
        },
        "summary": [
            {
                "heading": one.heading,
                "sentences": [str(sentence) for sentence in one.sentences],
                "note": one.note,
            }
            for one in summary(comparison)
        ],
        "control": [_field_data(one, short=short) for one in comparison.control],
        "groups": [
            {
                "key": group.key,
                "title": group.title,
                "changes": [_change_data(one, short=short) for one in group.changes],
            }
            for group in comparison.groups(show)
        ],
    }


def _change_data(change: Change, *, short: bool) -> dict[str, Any]:
    return {
        "what": change.what,
        "key": change.key,
        "reference": change.reference,
        "title": change.title,
        "kind": change.kind.value,
        "words": change.words,
        "owner_before": change.owner_before,
        "owner_after": change.owner_after,
        "entries": [
            {
                "name": entry.name,
                "change": entry.change,
                "fields": [_field_data(one, short=short) for one in entry.fields],
            }
            for entry in change.entries
        ],
    }


def _field_data(one: Field, *, short: bool) -> dict[str, Any]:
    return {
        "label": one.label,
        "before": one.before,
        "after": one.after,
        "pieces": [
            {"kind": piece.kind, "text": piece.text}
            for piece in (one.short_pieces if short else one.pieces)
        ],
    }
