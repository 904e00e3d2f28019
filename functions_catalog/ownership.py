"""Who owned what on which date: the dated ``Ownership`` table and the two verbs that write it.

Look-ups read this table alone, never the boundary documents. Dates are company-local.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from people.calendar import company_date
from people.offices import HYBRID

from . import registry
from .errors import AllocatedElsewhere, InForceOutOfOrder, NotAFunction
from .models import Function, Ownership


@dataclass(frozen=True)
class AnswerPart:
    """A sub-scope of a hybrid function, with its one owner (an Office key)."""

    key: str
    name: str
    owner: str


@dataclass(frozen=True)
class Answer:
    """The whole answer to "who owns it?", as the sealed text gives it.

    ``owner`` is an Office key, or "hybrid" and then ``sub_scopes`` name the owners. ``consulted``
    and ``informed`` are Office keys. The three fields at the end are set on reading and are not
    part of the snapshot: the period (end exclusive) and whether the answer is only expected, from
    a Revision approved for a future date.
    """

    function_key: str
    name: str
    owner: str
    document_number: str
    document_title: str
    revision_number: int
    article_reference: str
    sub_scopes: tuple[AnswerPart, ...] = ()
    scope_in: str = ""
    scope_out: str = ""
    consulted: tuple[str, ...] = ()
    informed: tuple[str, ...] = ()
    rationale: str = ""
    # Touches financial reporting: the CFO holds a veto on the row.
    veto: bool = False
    # An interim decision of the CEO beside the sealed text: "dispute-12"; empty: the text itself.
    decision: str = ""
    in_force_from: date | None = None
    in_force_until: date | None = None
    expected: bool = False

    @property
    def is_hybrid(self) -> bool:
        return self.owner == HYBRID

    @property
    def owners(self) -> tuple[str, ...]:
        """The Offices that own it or a part of it, each once, in the order of the text."""
        if not self.is_hybrid:
            return (self.owner,)
        return tuple(dict.fromkeys(part.owner for part in self.sub_scopes))

    @property
    def offices(self) -> frozenset[str]:
        """Every Office that the answer names."""
        return frozenset((*self.owners, *self.consulted, *self.informed))

    @property
    def revision_reference(self) -> str:
        """ "NC-RB-4": document and Revision."""
        return f"{self.document_number}-{self.revision_number}"

    @property
    def decision_words(self) -> str:
        """ "dispute 12": which interim decision it rests on; empty where the text says it."""
        return self.decision.replace("-", " ")

    def holdings(self) -> frozenset[tuple[str, str]]:
        """(Office, sub-scope key or ""): what each Office holds of the function."""
        if not self.is_hybrid:
            return frozenset({(self.owner, "")})
        return frozenset((part.owner, part.key) for part in self.sub_scopes)

    def to_json(self) -> dict[str, Any]:
        """The snapshot as JSON types only; ``from_json`` reads it back."""
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        for transient in _TRANSIENT:
            del data[transient]
        data["sub_scopes"] = [
            {"key": part.key, "name": part.name, "owner": part.owner} for part in self.sub_scopes
        ]
        data["consulted"] = list(self.consulted)
        data["informed"] = list(self.informed)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Answer":
        """Read a snapshot. Fields that this version does not know are passed over."""
        known = {field.name for field in fields(cls)} - _TRANSIENT
        values = {name: value for name, value in data.items() if name in known}
        values["sub_scopes"] = tuple(
            AnswerPart(key=part["key"], name=part["name"], owner=part["owner"])
            for part in values.get("sub_scopes", ())
        )
        values["consulted"] = tuple(values.get("consulted", ()))
        values["informed"] = tuple(values.get("informed", ()))
        return cls(**values)


_TRANSIENT = frozenset({"in_force_from", "in_force_until", "expected"})


@dataclass(frozen=True)
class FunctionChange:
    """What coming in force did to one function; ``before`` or ``after`` is None for nobody."""

    function_key: str
    before: Answer | None
    after: Answer | None

    @property
    def name(self) -> str:
        answer = self.after or self.before
        return answer.name if answer else self.function_key

    @property
    def owner_changed(self) -> bool:
        return _holdings(self.before) != _holdings(self.after)


@dataclass(frozen=True)
class OwnershipChange:
    """All that one Revision's coming in force changed, function by function."""

    changes: tuple[FunctionChange, ...]

    @property
    def owner_changed(self) -> bool:
        """Whether any function or part went to another Office (then a plan is owed)."""
        return any(change.owner_changed for change in self.changes)

    def gained(self) -> dict[str, tuple[FunctionChange, ...]]:
        """By Office key: the functions of which it now holds more than before."""
        return self._by_office(lambda change: _holdings(change.after) - _holdings(change.before))

    def lost(self) -> dict[str, tuple[FunctionChange, ...]]:
        """By Office key: the functions of which it held something that it no longer holds."""
        return self._by_office(lambda change: _holdings(change.before) - _holdings(change.after))

    def _by_office(self, difference: Any) -> dict[str, tuple[FunctionChange, ...]]:
        found: dict[str, list[FunctionChange]] = {}
        for change in self.changes:
            for office in sorted({office for office, _part in difference(change)}):
                found.setdefault(office, []).append(change)
        return {office: tuple(changes) for office, changes in found.items()}


def _holdings(answer: Answer | None) -> frozenset[tuple[str, str]]:
    return answer.holdings() if answer else frozenset()


def locked_functions(keys: Iterable[str]) -> dict[str, Function]:
    """Lock functions by key, for whoever is about to say who owns them.

    The lock keeps two documents from taking one function at the same time. Take it before the
    first event is recorded: verbs on the catalog lock a function and then the log's head, and two
    that wait for each other would end by one being killed. Always in the order of keys, and so
    that rows of drafts may still be written about the functions meanwhile.
    """
    locked = (
        Function.objects.select_for_update(no_key=True).filter(key__in=list(keys)).order_by("key")
    )
    return {function.key: function for function in locked}


def bring_into_force(
    *,
    answers: Sequence[Answer],
    from_date: date,
    document_number: str,
    revision_number: int,
    at: datetime,
) -> OwnershipChange:
    """Make ``answers`` what look-ups say from ``from_date`` on, in the caller's transaction.

    ``answers`` is the whole of the Revision: functions of the document's former Revision that it
    does not allocate any more end on ``from_date``. ``at`` is the instant of writing (aware).
    Raises ``AllocatedElsewhere`` when another document in force has one of the functions,
    ``InForceOutOfOrder`` when a former row began later than ``from_date``, and ``NotAFunction``
    for answers that do not fit the catalog or each other.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("bring_into_force belongs in the transaction that changes the Revision.")
    by_key = _checked(answers, document_number, revision_number)
    # Under their lock the look at what is open stays true until the commit.
    functions = locked_functions(by_key)
    unknown = sorted(set(by_key) - set(functions))
    if unknown:
        raise NotAFunction(f"The catalog has no function {', '.join(unknown)}.")

    opened = Ownership.objects.open().select_related("function")
    foreign = opened.filter(function__key__in=by_key).exclude(document_number=document_number)
    clash = foreign.order_by("function__key").first()
    if clash is not None:
        raise AllocatedElsewhere(
            f"{clash.function.name} is already allocated by {clash.document_number}-"
            f"{clash.revision_number}. Take it out of one of the two documents."
        )
    former = list(opened.filter(document_number=document_number).select_for_update(of=("self",)))
    late = next((row for row in former if row.in_force_from > from_date), None)
    if late is not None:
        raise InForceOutOfOrder(
            f"{late.document_number}-{late.revision_number} began on {late.in_force_from}: "
            f"nothing can replace it from {from_date} on."
        )

    Ownership.objects.filter(pk__in=[row.pk for row in former]).update(in_force_until=from_date)
    Ownership.objects.bulk_create(
        Ownership(
            function=functions[answer.function_key],
            owner=answer.owner,
            in_force_from=from_date,
            document_number=document_number,
            revision_number=revision_number,
            article_reference=answer.article_reference,
            answer=answer.to_json(),
            written_at=at,
        )
        for answer in by_key.values()
    )
    before = {row.function.key: _answer(row) for row in former}
    after = {
        key: replace(answer, in_force_from=from_date, in_force_until=None, expected=False)
        for key, answer in by_key.items()
    }
    return OwnershipChange(
        changes=tuple(
            FunctionChange(function_key=key, before=before.get(key), after=after.get(key))
            for key in dict.fromkeys((*after, *before))
        )
    )


def bind(*, answer: Answer, from_date: date, at: datetime) -> OwnershipChange:
    """Let an interim decision answer for one function from ``from_date`` on, beside the text.

    ``answer.decision`` names it; ``answer`` cites the Revision that it stands beside. The former
    answer ends on that date. In the caller's transaction; ``at`` is the instant of writing (aware).
    Raises ``AllocatedElsewhere``, ``InForceOutOfOrder`` and ``NotAFunction`` as
    ``bring_into_force`` does.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("bind belongs in the transaction that records the decision.")
    if not answer.decision:
        raise ValueError("an interim decision has a name")
    _checked([answer], answer.document_number, answer.revision_number)
    function = locked_functions([answer.function_key]).get(answer.function_key)
    if function is None:
        raise NotAFunction(f"The catalog has no function {answer.function_key}.")
    former = (
        Ownership.objects.open()
        .filter(function=function)
        .select_related("function")
        .select_for_update(of=("self",))
        .first()
    )
    if former is not None and former.document_number != answer.document_number:
        raise AllocatedElsewhere(
            f"{function.name} is allocated by {former.document_number}-{former.revision_number}. "
            "A decision about it belongs to that document."
        )
    if former is not None and former.in_force_from > from_date:
        raise InForceOutOfOrder(
            f"{function.name} has an answer since {former.in_force_from}: nothing can replace it "
            f"from {from_date} on."
        )
    if former is not None:
        Ownership.objects.filter(pk=former.pk).update(in_force_until=from_date)
    Ownership.objects.create(
        function=function,
        owner=answer.owner,
        in_force_from=from_date,
        document_number=answer.document_number,
        revision_number=answer.revision_number,
        article_reference=answer.article_reference,
        decision=answer.decision,
        answer=answer.to_json(),
        written_at=at,
    )
    after = replace(answer, in_force_from=from_date, in_force_until=None, expected=False)
    before = _answer(former) if former else None
    return OwnershipChange(changes=(FunctionChange(answer.function_key, before, after),))


def _checked(
    answers: Iterable[Answer], document_number: str, revision_number: int
) -> dict[str, Answer]:
    by_key: dict[str, Answer] = {}
    for answer in answers:
        if answer.function_key in by_key:
            raise NotAFunction(f"{answer.name} is allocated twice.")
        if (answer.document_number, answer.revision_number) != (document_number, revision_number):
            raise NotAFunction(
                f"The answer for {answer.name} rests on {answer.revision_reference}, not on "
                f"{document_number}-{revision_number}."
            )
        if not answer.owners or not all(answer.owners) or HYBRID in answer.owners:
            raise NotAFunction(f"Every part of {answer.name} needs one Office as its owner.")
        by_key[answer.function_key] = answer
    return by_key


def _answer(row: Ownership) -> Answer:
    return replace(
        Answer.from_json(row.answer),
        in_force_from=row.in_force_from,
        in_force_until=row.in_force_until,
    )


def answers_on(day: date) -> dict[str, Answer]:
    """Every answer in force on ``day``, by function key (functions nobody owns are missing).

    One query. For a date later than today, approved Revisions that take effect by then count
    too; their answers carry ``expected``.
    """
    answers = {
        row.function.key: _answer(row)
        for row in Ownership.objects.on(day).select_related("function")
    }
    return _with_outlook(answers, day)


def answer_on(function: Function, on: date) -> Answer | None:
    """The answer for one function on the date ``on``, or None when nobody owns it then."""
    row = Ownership.objects.on(on).filter(function=function).first()
    answers = {function.key: _answer(row)} if row else {}
    return _with_outlook(answers, on).get(function.key)


def _with_outlook(answers: dict[str, Answer], day: date) -> dict[str, Answer]:
    if day <= company_date(timezone.now()):
        return answers
    coming = registry.expected_answers(day)
    # A Revision replaces its whole document: what it no longer allocates ends with it.
    replaced = {answer.document_number for answer in coming.values()}
    kept = {key: one for key, one in answers.items() if one.document_number not in replaced}
    return kept | {key: replace(answer, expected=True) for key, answer in coming.items()}


def history(function: Function) -> list[Answer]:
    """Every answer the function ever had, oldest first, each with its period.

    A Revision replaced on the very day it began is there too, with an empty period.
    """
    rows = Ownership.objects.filter(function=function).order_by("in_force_from", "pk")
    return [_answer(row) for row in rows]


def first_in_force_date() -> date | None:
    """The date on which the first boundary came in force, or None while none has."""
    return (
        Ownership.objects.order_by("in_force_from").values_list("in_force_from", flat=True).first()
    )
