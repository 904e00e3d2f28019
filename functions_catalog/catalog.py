"""The verbs on the catalog: load the standard one; add, rename and retire a function.

Nothing is deleted: a retired function keeps its past, and a renamed one is still found by its
former name.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Lower

import audit
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import HYBRID
from people.permissions import Act, require

from .errors import AlreadyRetired, NameTaken, NotAFunction
from .models import KEY_PATTERN, Alias, Function, SubScope, check_key

STANDARD_CATALOG = Path(__file__).parent / "data" / "standard_catalog.yaml"

# The fields that the standard catalog gives and a company may change.
_FIELDS = (
    "name",
    "category",
    "covers",
    "rationale",
    "natural_owner",
    "usual_outcome",
    "touches_financial_reporting",
    "position",
)


class BadCatalog(Exception):
    """The catalog file is not what it should be; ``str()`` names the entry and the fault."""


# --- The standard catalog -------------------------------------------------------------------


@dataclass(frozen=True)
class StandardSubScope:
    key: str
    name: str
    natural_owner: str


@dataclass(frozen=True)
class StandardFunction:
    """One entry of the catalog file, checked."""

    key: str
    name: str
    category: str
    covers: str
    rationale: str
    natural_owner: str
    position: int
    usual_outcome: str = ""
    touches_financial_reporting: bool = False
    aliases: tuple[str, ...] = ()
    sub_scopes: tuple[StandardSubScope, ...] = ()

    def field_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}


@dataclass
class LoadResult:
    """What loading did: function keys added, changed, and left because the company has others."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        return bool(self.added or self.updated)


def read_standard_catalog(path: Path = STANDARD_CATALOG) -> list[StandardFunction]:
    """Read and check the catalog file, in its order. Raises ``BadCatalog``."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not isinstance(content.get("functions"), list):
        raise BadCatalog(f"{path.name}: expected a list under 'functions'.")
    functions: list[StandardFunction] = []
    seen: set[str] = set()
    for position, entry in enumerate(content["functions"], start=1):
        one = _read_entry(entry, position)
        for name in (one.key, one.name.casefold()):
            if name in seen:
                raise BadCatalog(f"{one.key}: its key or name stands in the file twice.")
        seen |= {one.key, one.name.casefold()}
        functions.append(one)
    return functions


def _read_entry(entry: Any, position: int) -> StandardFunction:
    if not isinstance(entry, dict):
        raise BadCatalog(f"Entry {position} is not a mapping.")
    key = entry.get("key", f"entry {position}")
    values = dict(entry)
    values["touches_financial_reporting"] = values.pop("veto", False)
    values["aliases"] = tuple(str(text) for text in values.get("aliases", ()))
    try:
        values["sub_scopes"] = tuple(
            StandardSubScope(**part) for part in values.get("sub_scopes", ())
        )
        one = StandardFunction(position=position, **values)
    except TypeError as fault:
        raise BadCatalog(f"{key}: {fault}.") from fault
    if not re.match(KEY_PATTERN, one.key):
        raise BadCatalog(f"{key}: the key is not snake_case.")
    if one.category not in Function.Category.values:
        raise BadCatalog(f"{key}: there is no category {one.category}.")
    if not (one.name and one.covers and one.rationale and one.natural_owner):
        raise BadCatalog(f"{key}: name, covers, rationale and natural_owner are needed.")
    if (one.natural_owner == HYBRID) != bool(one.usual_outcome):
        raise BadCatalog(f"{key}: hybrid functions, and only those, have a usual_outcome.")
    if any(part.natural_owner in ("", HYBRID) for part in one.sub_scopes):
        raise BadCatalog(f"{key}: every sub-scope has one Office as its owner.")
    if len({text.casefold() for text in one.aliases}) != len(one.aliases):
        raise BadCatalog(f"{key}: an alias stands there twice.")
    return one


@transaction.atomic
def load_standard_catalog(*, at: datetime, path: Path = STANDARD_CATALOG) -> LoadResult:
    """Bring the standard catalog into the database without touching what the company changed.

    Run on every start: the second run changes nothing. Functions that are missing are added. In
    those that are there, a field is updated only while it still holds what the standard catalog
    gave last; aliases and sub-scopes the company removed stay removed, and retired functions are
    left alone altogether. A standard function whose name the company already uses for its own is
    skipped.
    """
    result = LoadResult()
    # In the order in which coming in force locks them, so that neither waits for the other.
    locked = Function.objects.select_for_update(no_key=True).order_by("key")
    existing = {function.key: function for function in locked}
    names = {one.name.casefold(): one.key for one in existing.values() if one.is_active}
    for standard in read_standard_catalog(path):
        function = existing.get(standard.key)
        if function is None:
            if standard.name.casefold() in names:
                result.skipped.append(standard.key)
                continue
            _add_standard(standard, at)
            names[standard.name.casefold()] = standard.key
            result.added.append(standard.key)
        elif not function.standard_values:
            result.skipped.append(standard.key)  # the company made this key its own
        elif function.is_active and _update_standard(function, standard, names):
            result.updated.append(standard.key)
    if result.changed:
        audit.record(
            "catalog.loaded",
            at=at,
            actor=None,
            object_type="catalog",
            object_id="standard",
            data={"added": list(result.added), "updated": list(result.updated)},
        )
    return result


def _snapshot(standard: StandardFunction) -> dict[str, Any]:
    return {
        **standard.field_values(),
        "aliases": list(standard.aliases),
        "sub_scopes": {
            part.key: {"name": part.name, "natural_owner": part.natural_owner}
            for part in standard.sub_scopes
        },
    }


def _add_standard(standard: StandardFunction, at: datetime) -> None:
    function = Function.objects.create(
        key=standard.key,
        **standard.field_values(),
        standard_values=_snapshot(standard),
        created_at=at,
    )
    Alias.objects.bulk_create(
        Alias(function=function, text=text, source=Alias.Source.STANDARD)
        for text in standard.aliases
    )
    SubScope.objects.bulk_create(
        SubScope(
            function=function,
            key=part.key,
            name=part.name,
            natural_owner=part.natural_owner,
            position=position,
        )
        for position, part in enumerate(standard.sub_scopes, start=1)
    )


def _update_standard(function: Function, standard: StandardFunction, names: dict[str, str]) -> bool:
    """Update what the company left as it was. Tells whether anything changed."""
    given, snapshot = function.standard_values, _snapshot(standard)
    if given == snapshot:
        return False
    for name, value in standard.field_values().items():
        if getattr(function, name) != given.get(name):
            continue
        if name == "name" and names.get(str(value).casefold(), function.key) != function.key:
            continue  # the company gave that name to another function
        setattr(function, name, value)
    names[function.name.casefold()] = function.key
    _update_aliases(function, given.get("aliases", []), snapshot["aliases"])
    _update_sub_scopes(function, given.get("sub_scopes", {}), snapshot["sub_scopes"])
    function.standard_values = snapshot
    function.save(update_fields=[*_FIELDS, "standard_values"])
    return True


def _update_aliases(function: Function, given: Sequence[str], new: Sequence[str]) -> None:
    there = {alias.text.casefold() for alias in function.aliases.all()}
    Alias.objects.bulk_create(
        Alias(function=function, text=text, source=Alias.Source.STANDARD)
        for text in new
        if text not in given and text.casefold() not in there
    )
    withdrawn = [text for text in given if text not in new]
    function.aliases.filter(text__in=withdrawn, source=Alias.Source.STANDARD).delete()


def _update_sub_scopes(
    function: Function, given: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    there = {part.key: part for part in function.sub_scopes.all()}
    for position, (key, values) in enumerate(new.items(), start=1):
        part = there.get(key)
        if part is None:
            if key not in given:
                SubScope.objects.create(function=function, key=key, position=position, **values)
            continue
        for name, value in values.items():
            if getattr(part, name) == given.get(key, {}).get(name):
                setattr(part, name, value)
        part.save(update_fields=["name", "natural_owner"])


# --- The company's own changes --------------------------------------------------------------


@transaction.atomic
def add_function(
    *,
    key: str,
    name: str,
    category: str,
    covers: str,
    natural_owner: str,
    rationale: str = "",
    usual_outcome: str = "",
    touches_financial_reporting: bool = False,
    sub_scopes: Sequence[StandardSubScope] = (),
    aliases: Sequence[str] = (),
    acting_user: Person,
    at: datetime,
) -> Function:
    """Add a function of the company's own.

    Raises ``NotYourOffice``, ``NameTaken``, or ``NotAFunction`` for a key that is not snake_case,
    an unknown category or missing text.
    """
    held = require(acting_user, Act.CHANGE_CATALOG, on=company_date(at))
    name, covers = " ".join(name.split()), covers.strip()
    try:
        check_key(key)
    except ValidationError as fault:
        raise NotAFunction(fault.messages[0]) from fault
    if category not in Function.Category.values:
        raise NotAFunction(f"There is no category {category}.")
    if not (name and covers and natural_owner):
        raise NotAFunction("Write a name, what it covers, and a natural owner.")
    if Function.objects.filter(key=key).exists():
        raise NameTaken(f"The key {key} is taken. A key stands for one function for ever.")
    _refuse_taken_name(name)
    last = Function.objects.order_by("-position").values_list("position", flat=True).first() or 0
    function = Function.objects.create(
        key=key,
        name=name,
        category=category,
        covers=covers,
        rationale=rationale.strip(),
        natural_owner=natural_owner,
        usual_outcome=usual_outcome.strip(),
        touches_financial_reporting=touches_financial_reporting,
        position=last + 1,
        created_at=at,
    )
    for position, part in enumerate(sub_scopes, start=1):
        SubScope.objects.create(
            function=function,
            key=part.key,
            name=part.name,
            natural_owner=part.natural_owner,
            position=position,
        )
    for text in {alias.strip().casefold(): alias.strip() for alias in aliases}.values():
        Alias.objects.create(function=function, text=text)
    _record("function.added", function, held, acting_user, at, {"name": name})
    return function


@transaction.atomic
def rename_function(*, key: str, name: str, acting_user: Person, at: datetime) -> Function:
    """Give a function another name; its key stays, and the former name still finds it."""
    held = require(acting_user, Act.CHANGE_CATALOG, on=company_date(at))
    name = " ".join(name.split())
    function = _active(key)
    if not name:
        raise NotAFunction("Write the new name.")
    if name == function.name:
        return function
    _refuse_taken_name(name, but=function)
    former, function.name = function.name, name
    function.save(update_fields=["name"])
    if former.casefold() != name.casefold() and not _has_alias(function, former):
        Alias.objects.create(function=function, text=former[:80])
    _record("function.renamed", function, held, acting_user, at, {"from": former, "to": name})
    return function


@transaction.atomic
def retire_function(
    *, key: str, successor_key: str = "", acting_user: Person, at: datetime
) -> Function:
    """Take a function out of use, naming its successor where there is one.

    What is in force about it stays in force until a Revision says otherwise.
    """
    held = require(acting_user, Act.CHANGE_CATALOG, on=company_date(at))
    function = _active(key)
    successor = None
    if successor_key:
        successor = Function.objects.active().filter(key=successor_key).first()
        if successor is None or successor == function:
            raise NotAFunction("The successor must be another active function.")
    function.status = Function.Status.RETIRED
    function.successor = successor
    function.save(update_fields=["status", "successor"])
    _record("function.retired", function, held, acting_user, at, {"successor": successor_key})
    return function


@transaction.atomic
def add_alias(*, key: str, text: str, acting_user: Person, at: datetime) -> Alias:
    """Add what people type for a function. An alias that is already there is returned."""
    held = require(acting_user, Act.CHANGE_CATALOG, on=company_date(at))
    function, text = _active(key), " ".join(text.split())
    if not text or len(text) > 80:
        raise NotAFunction("Write an alias of 1 to 80 characters.")
    there = function.aliases.annotate(lower=Lower("text")).filter(lower=text.lower()).first()
    if there is not None:
        return there
    alias = Alias.objects.create(function=function, text=text)
    _record("function.alias_added", function, held, acting_user, at, {"alias": text})
    return alias


@transaction.atomic
def remove_alias(*, key: str, text: str, acting_user: Person, at: datetime) -> None:
    """Remove an alias; the standard catalog will not bring it back."""
    held = require(acting_user, Act.CHANGE_CATALOG, on=company_date(at))
    function = _active(key)
    deleted, _ = function.aliases.filter(text__iexact=text.strip()).delete()
    if not deleted:
        raise NotAFunction(f"{function.name} has no alias {text}.")
    _record("function.alias_removed", function, held, acting_user, at, {"alias": text.strip()})


def _active(key: str) -> Function:
    # Rows may be written about it meanwhile: who writes one may hold the log, which is next here.
    function = Function.objects.select_for_update(no_key=True).filter(key=key).first()
    if function is None:
        raise NotAFunction(f"The catalog has no function {key}.")
    if not function.is_active:
        raise AlreadyRetired(f"{function.name} is retired. Add a new function instead.")
    return function


def _has_alias(function: Function, text: str) -> bool:
    return function.aliases.filter(text__iexact=text).exists()


def _refuse_taken_name(name: str, *, but: Function | None = None) -> None:
    taken = Function.objects.active().filter(name__iexact=name)
    if but is not None:
        taken = taken.exclude(pk=but.pk)
    other = taken.first()
    if other is not None:
        raise NameTaken(f"There is already an active function named {other.name}.")


def _record(
    event: str,
    function: Function,
    held: Sequence[Appointment],
    acting_user: Person,
    at: datetime,
    data: Mapping[str, Any],
) -> None:
    audit.record(
        event,
        at=at,
        actor=acting_user,
        office=held[0].office.key if held else "",
        appointment_id=held[0].pk if held else None,
        object_type="function",
        object_id=function.key,
        data=data,
    )
