"""Article 13, the change log: a comparison as plain text that is frozen into the next version.

The wording stays in documents for ever: change it only where it says something wrong.
"""

from collections.abc import Iterator, Sequence

from people.offices import office_short

from .changes import OWNER_LABEL, SETTLED_LABEL, Change, Field, Kind, counted, listed, lowered
from .contents import compare
from .rows import Content, left_out, owner_words, rows_of

_NAMED = 8


def change_log(before: Content | None, after: Content) -> str:
    """What differs from the version it supersedes, a line each."""
    if before is None:
        return f"Version {after['revision']['number']} is the first version of this document."
    comparison = compare(before, after)
    lines = [
        *(
            line
            for one in comparison.rows
            if one.changed
            for line in _row_lines(one, before, after)
        ),
        *(
            f"- Article {one.reference}, {one.title}: {what_changed(one)}."
            for one in comparison.articles
            if one.changed
        ),
        *_party_lines(before, after),
        *_establishment_lines(before, after),
        *_date_lines(before, after),
    ]
    head = f"Changes since version {before['revision']['number']}:"
    if not lines:
        return f"{head} none."
    counts = comparison.counts
    stayed = f"{counts.unchanged_rows} of {counted(counts.rows, 'row')} did not change."
    return "\n".join([head, *lines, "", stayed])


def _row_lines(change: Change, before: Content, after: Content) -> Iterator[str]:
    name = f"- Row {change.reference}, {change.title}"
    now, was = rows_of(after).get(change.key), rows_of(before).get(change.key)
    if change.kind == Kind.ADDED and now:
        yield f"{name}: added, {owner_words(now)}."
        return
    if change.kind in (Kind.RETIRED, Kind.LEFT_OUT):
        reason = str(left_out(after).get(change.key, {}).get("reason", "")).strip()
        yield f"{name}: left out. Reason: {reason}" if reason else f"{name}: no longer allocated."
        return
    if was and now and owner_words(was) != owner_words(now):
        yield f"{name}: from {owner_words(was)} to {owner_words(now)}."
    fields = [one for entry in change.entries for one in entry.fields if one.label != OWNER_LABEL]
    labels = [lowered(one.label) for one in fields if one.label != SETTLED_LABEL]
    if labels:
        yield f"{name}: {', '.join(labels)} changed."
    yield from (f"{name}: {words}." for words in _settled_words(fields))


def _settled_words(fields: Sequence[Field]) -> list[str]:
    """ "settled by the CEO's ruling, Dispute 12, 2 Dec 2026"; nothing where no field says so."""
    return [f"settled {lowered(one.after)}" for one in fields if one.label == SETTLED_LABEL]


def what_changed(change: Change, *, most: int = _NAMED) -> str:
    """ "leads and text changed; Renewal added; Two reps claim an account changed"."""
    if change.kind == Kind.ADDED:
        return "added"
    if change.kind == Kind.RETIRED:
        return "dropped"
    words = []
    for entry in change.entries:
        if entry.name:
            words.append(f"{entry.name} {entry.change}")
        else:
            fields = entry.changed_fields
            labels = [lowered(one.label) for one in fields if one.label != SETTLED_LABEL]
            words += [f"{listed(labels)} changed"] if labels else []
            words += _settled_words(fields)
    more = len(words) - most
    return "; ".join(words[:most] + ([f"and {more} more"] if more > 0 else []))


def _party_lines(before: Content, after: Content) -> Iterator[str]:
    old = {one["office"]: one["short"] for one in before.get("parties", ())}
    new = {one["office"]: one["short"] for one in after.get("parties", ())}
    yield from (f"- The {short} becomes a party." for key, short in new.items() if key not in old)
    yield from (
        f"- The {short} is no longer a party." for key, short in old.items() if key not in new
    )


def _establishment_lines(before: Content, after: Content) -> Iterator[str]:
    gone = {one["office"]: one["part_goes_to"] for one in before.get("not_established", ())}
    for one in after.get("not_established", ()):
        if gone.pop(one["office"], None) != one["part_goes_to"]:
            yield (
                f"- The Office of the {one['short']} is not established; its part goes to the "
                f"{office_short(one['part_goes_to'])}."
            )
    yield from (f"- The Office of the {office_short(key)} is established." for key in gone)


def _date_lines(before: Content, after: Content) -> Iterator[str]:
    for key, words in (("effective_date", "Effective date"), ("sunset_date", "Sunset date")):
        was, now = before["revision"].get(key), after["revision"].get(key)
        if was != now:
            yield f"- {words}: from {was or 'none'} to {now or 'none'}."
