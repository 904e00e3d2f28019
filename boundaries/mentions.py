"""Offices mentioned in a text as "@CFO" or "@RevOps Lead": found, and shown as such."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from people.models import Office
from people.permissions import MATRIX, Act


@dataclass(frozen=True)
class Words:
    """A run of a text; with an Office's key where it mentions that Office."""

    text: str
    office: str = ""


def mentionable() -> dict[str, str]:
    """Whom a thread can call by name, "CRO" to its key: whoever may write in it. One query."""
    found = Office.objects.filter(
        Q(key__in=MATRIX[Act.COMMENT]) | Q(co_signing=True), established=True
    ).order_by("position", "key")
    return dict(found.values_list("short", "key"))


def words_of(text: str, names: Mapping[str, str]) -> list[Words]:
    """The text in runs, mentions by themselves; ``names`` as ``mentionable`` gives them."""
    if not names:
        return [Words(text)]
    by_name = {name.casefold(): key for name, key in names.items()}
    # The longest name first: "@RevOps Lead" is not "@RevOps".
    either = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    runs, end = [], 0
    for match in re.finditer(rf"(?<![\w@])@({either})(?!\w)", text, re.IGNORECASE):
        if match.start() > end:
            runs.append(Words(text[end : match.start()]))
        runs.append(Words(match[0], by_name[match[1].casefold()]))
        end = match.end()
    if end < len(text) or not runs:
        runs.append(Words(text[end:]))
    return runs


def mentions_in(text: str, names: Mapping[str, str]) -> Sequence[str]:
    """The keys of the Offices mentioned, each once, in the order of the text."""
    return list(dict.fromkeys(one.office for one in words_of(text, names) if one.office))
