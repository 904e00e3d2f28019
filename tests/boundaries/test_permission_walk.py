"""Every verb of the product, by every role, in every state a Revision can be in.

The verbs are found in the code: whatever public function takes an ``acting_user``. Each has a row
here, so that a new verb without one fails. Who is allowed is read from ``MATRIX``; where a verb is
narrower, its row names who remains and why, and no row may be wider. The verbs of
``boundaries.workflow`` are walked in test_matrix, against expectations of their own.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from audit.models import Event
from boundaries import (
    agreeing,
    disputes,
    drafting,
    evidence,
    exceptions,
    log_reading,
    plan,
    rulings,
    signing,
    succession,
    threads,
    vetoes,
    workflow,
)
from boundaries.archive import disposal, erasure, holds, retention
from boundaries.exchange import importing, reading
from boundaries.models import (
    Agreement,
    Proposal,
    Reading,
    Revision,
    Signature,
    SigningIntent,
    Succession,
    ThreadEntry,
)
from boundaries.states import ANSWERING, PUBLISHED, Role, State
from functions_catalog import catalog
from functions_catalog.models import Function
from notifications.models import Notice, OutgoingMail
from people import (
    absences,
    accounts,
    appointments,
    company,
    invitations,
    lost_factors,
    password_links,
    security,
    sessions,
    settings_of_person,
)
from people.errors import Refused
from people.models import Appointment, Invitation, Office, Person
from people.permissions import EVERYBODY, MATRIX, Act
from reviews import workflow as reviews
from reviews.models import Review
from tests.boundaries import archived, disputing, factories, test_matrix
from tests.boundaries.factories import NOW, REASON, SESSION, TODAY
from tests.people.factories import CompanyFactory, PersonFactory

PARTIES = ("cro", "coo", "cfo")
ROLES = (
    *PARTIES,
    "ceo",
    "revops_lead",
    "corporate_secretary",
    "auditor",
    "administrator",
    "member",
    "superuser",
)
EVERY_STATE = frozenset(State)
LATER = NOW + timedelta(minutes=5)


@dataclass
class World:
    """One case: a Revision in its state, everybody by role, and who is about to act."""

    revision: Revision
    people: dict[str, Person]
    role: str

    @property
    def person(self) -> Person:
        return self.people[self.role]

    def by(self, at=NOW) -> dict[str, Any]:
        return {"acting_user": self.person, "at": at}


@dataclass(frozen=True)
class Walk:
    """A verb's row: the act it asks for, how it is called, and in which states it may succeed.

    ``call`` prepares what the verb needs and returns what then calls it, so that a refusal can be
    told from its preparation; None where the state has nothing to call it on. ``allowed`` is given
    where the verb is narrower than the matrix.
    """

    act: Act
    call: Callable[[World], Callable[[], Any] | None]
    states: frozenset[State] = frozenset({State.DRAFT})
    allowed: frozenset[str] | None = None
    because: str = ""
    # Doing it again is no event: whoever signed has read.
    logged: bool = True
    # Verbs about a Revision are walked in every state, others once.
    of_revision: bool = True
    roles: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        may = MATRIX[self.act]
        wide = frozenset(ROLES) if EVERYBODY in may else frozenset(may)
        assert self.allowed is None or (self.allowed <= wide and self.because)
        object.__setattr__(self, "roles", wide if self.allowed is None else self.allowed)


# --- Verbs on a draft -------------------------------------------------------------------------


def _row(world):
    return factories.row_of(world.revision)


def _nobody_agrees(world):
    """The Secretary's edit leaves the row without any party's agreement."""
    if world.revision.state == State.DRAFT:
        factories.edit(_row(world), world.people, by="corporate_secretary", scope_in="Prices")
    return _row(world)


def _edit_row(world):
    row = _row(world)
    text = replace(drafting.row_text(row), rationale="It is near the field.")
    return lambda: drafting.edit_row(row=row, expected_version=row.version, text=text, **world.by())


def _edit_article(world):
    article = factories.article_of(world.revision, "purpose")
    text = drafting.ArticleText(text="Another purpose.", data=article.data)
    return lambda: drafting.edit_article(
        article=article, expected_version=article.version, text=text, **world.by()
    )


def _edit_control(world):
    control = factories.article_of(world.revision, "control")
    return lambda: drafting.edit_control(
        revision=world.revision,
        expected_version=control.version,
        text=control.text,
        effective_date=TODAY,
        sunset_date=None,
        **world.by(),
    )


def _add_row(world):
    function = factories.another_function()
    return lambda: drafting.add_row(revision=world.revision, function=function, **world.by())


def _leave_out(world):
    row = _row(world)
    return lambda: drafting.leave_out(
        row=row, expected_version=row.version, reason=REASON, **world.by()
    )


def _take_back_in(world):
    row = _row(world)
    if world.revision.state == State.DRAFT:
        row = factories.edit(row, world.people, owner="", left_out_reason=REASON)
    return lambda: drafting.take_back_in(row=row, expected_version=row.version, **world.by())


def _move_row(world):
    row, last = _row(world), world.revision.rows.last()
    return lambda: drafting.move_row(row=row, after=last, **world.by())


def _remove_row(world):
    """From a document about a part: the company boundary covers the whole catalog."""
    functions = [factories.another_function(), factories.another_function("lead_routing")]
    part = factories.draft(world.people, number="NC-PART", functions=functions)
    row = factories.row_of(part, "lead_routing")
    return lambda: drafting.remove_row(row=row, expected_version=row.version, **world.by())


def _agree(world):
    row = _nobody_agrees(world)
    return lambda: agreeing.agree(clause=row, expected_version=row.version, **world.by())


def _withdraw_agreement(world):
    row = _nobody_agrees(world)
    if world.revision.state == State.DRAFT and world.role in PARTIES:
        agreeing.agree(clause=row, expected_version=row.version, **world.by())
    return lambda: agreeing.withdraw_agreement(clause=row, **world.by())


def _agree_to_all(world):
    _nobody_agrees(world)
    read = factories.everything_read(world.revision)
    return lambda: agreeing.agree_to_all_read(revision=world.revision, read=read, **world.by())


def _contest(world):
    row = _row(world)
    return lambda: agreeing.contest(clause=row, reason=REASON, **world.by())


def _confirm_predecessors(world):
    """Each party is walked as a successor who came after the agreements were given."""
    read = factories.everything_read(world.revision)
    if world.role in PARTIES:
        Appointment.objects.filter(person=world.person).update(ends_on=TODAY)
        successor = PersonFactory(name="Robin Hale")
        factories.appointed(successor, world.role, starts_on=TODAY, at=LATER)
        world.people[world.role] = successor
    return lambda: agreeing.confirm_predecessors(
        revision=world.revision, read=read, **world.by(at=LATER + timedelta(minutes=1))
    )


def _comment(world):
    row = _row(world)
    return lambda: threads.comment(clause=row, text="Who answers?", **world.by())


def _propose(world):
    row = _row(world)
    text = replace(drafting.row_text(row), scope_in="Answers in two days.")
    return lambda: threads.propose(clause=row, text=text, base_version=row.version, **world.by())


def _proposed(world, by):
    """A proposed change, put there in every state: verbs must ask for the state themselves."""
    row, proposer = _row(world), world.people[by]
    entry = ThreadEntry.objects.create(
        revision=world.revision,
        row=row,
        kind=ThreadEntry.Kind.PROPOSAL,
        person=proposer,
        person_name=proposer.name,
        person_office="An Office",
        office=by,
        written_at=NOW,
    )
    text = replace(drafting.row_text(row), scope_in="Answers in two days.")
    return Proposal.objects.create(
        entry=entry, base_version=row.version, text=drafting.row_json(text)
    )


def _accept(world):
    proposal = _proposed(world, "revops_lead")
    return lambda: threads.accept(proposal=proposal, **world.by())


def _decline(world):
    proposal = _proposed(world, "revops_lead")
    return lambda: threads.decline(proposal=proposal, word=REASON, **world.by())


def _take_back_proposal(world):
    proposal = _proposed(world, world.role)
    return lambda: threads.take_back(proposal=proposal, **world.by())


def _resolve(world):
    entry = _proposed(world, "revops_lead").entry
    Proposal.objects.filter(entry=entry).update(answer="taken_back", answered_at=NOW)
    return lambda: threads.resolve(clause=_row(world), **world.by())


def _reopen(world):
    person = world.people["revops_lead"]
    ThreadEntry.objects.create(
        revision=world.revision,
        row=_row(world),
        kind=ThreadEntry.Kind.RESOLVED,
        person=person,
        person_name=person.name,
        person_office="RevOps Lead",
        office="revops_lead",
        written_at=NOW,
    )
    return lambda: threads.reopen(clause=_row(world), **world.by())


def _confirm_carried(world):
    """What an amendment took over, which the three parties had signed before."""
    revision = world.revision
    if revision.state == State.DRAFT:
        functions = [factories.another_function()]
        former = factories.in_force(world.people, number="NC-PART", functions=functions)
        revision = workflow.amend(revision=former, acting_user=world.people["cro"], at=NOW)
    read = factories.everything_read(revision)
    return lambda: agreeing.confirm_carried(revision=revision, read=read, **world.by())


def _veto(world):
    row = _row(world)
    return lambda: vetoes.veto(row=row, reason=REASON, **world.by())


def _vetoed(world):
    if world.revision.state != State.DRAFT:
        return None
    return vetoes.veto(row=_row(world), reason=REASON, acting_user=world.people["cfo"], at=NOW)


def _lift(world):
    standing = _vetoed(world)
    return standing and (lambda: vetoes.lift(veto=standing, **world.by()))


def _order(world):
    standing = _vetoed(world)
    possible = NOW + timedelta(days=20)
    return standing and (
        lambda: vetoes.order(veto=standing, rationale=REASON, **world.by(at=possible))
    )


# --- Verbs on what is frozen or in force ------------------------------------------------------


def _record_reading(world):
    freeze = world.revision.freezes.order_by("-number").first()
    if freeze is None:
        return None
    return lambda: signing.record_reading(freeze=freeze, **world.by())


def _begin(role):
    def call(world):
        freeze = world.revision.freezes.order_by("-number").first()
        if freeze is not None:
            Reading.objects.get_or_create(
                freeze=freeze,
                person=world.person,
                defaults={"file_sha256": freeze.signing_copy_sha256, "opened_at": NOW},
            )
        return lambda: signing.open_intent(
            revision=world.revision,
            role=role,
            meaning_accepted=True,
            session_key=SESSION,
            **world.by(),
        )

    return call


def _check_log(world):
    return lambda: log_reading.ask_for_check(**world.by())


def _export_log(world):
    return lambda: list(log_reading.export(wanted=log_reading.Filter(), form="csv", **world.by()))


def _take_evidence(world):
    return lambda: evidence.record_taken(revision=world.revision, sha256="0" * 64, **world.by())


def _acknowledge_plan(world):
    return lambda: plan.acknowledge(
        revision=world.revision, milestones=factories.execution_plan(), **world.by()
    )


def _succeeded(world):
    """The CRO's Office has changed hands; whoever is walked as the CRO is the successor."""
    if world.revision.state not in ANSWERING:
        return None
    successor = PersonFactory(name="Robin Hale")
    factories.handed_over(successor, "cro")
    world.people["cro"] = successor
    succession.begin_due(at=NOW)
    return Succession.objects.get()


def _acknowledge_succession(world):
    taken_over = _succeeded(world)
    if taken_over is None:
        return None
    return lambda: succession.acknowledge(succession=taken_over, **world.by())


def _ask_for_amendment(world):
    taken_over = _succeeded(world)
    if taken_over is None:
        return None
    return lambda: succession.ask_for_amendment(
        succession=taken_over, wish="Fewer exceptions.", **world.by()
    )


def _remind(world):
    review = Review.objects.first()
    if review is None or world.revision.state != State.IN_FORCE:
        return None
    return lambda: reviews.remind_now(review=review, **world.by())


def _request_exception(world):
    row = factories.row_of(world.revision, "vendor_management")
    return lambda: exceptions.request(
        row=row,
        what="Sales signs its own licences.",
        reason=REASON,
        expires_on=TODAY + timedelta(days=30),
        **world.by(),
    )


def _requested(world, by="revops_lead"):
    """An exception that the RevOps Lead asked for; the CRO and the CFO approve it."""
    if world.revision.state not in ANSWERING:
        return None
    return exceptions.request(
        row=factories.row_of(world.revision, "deal_desk"),
        what="Sales managers approve discounts themselves.",
        reason=REASON,
        expires_on=TODAY + timedelta(days=30),
        acting_user=world.people[by],
        at=NOW,
    )


def _answer_exception(world):
    one = _requested(world)
    if one is None:
        return None
    return lambda: exceptions.answer(exception=one, approves=True, **world.by())


def _answer_in_their_place(world):
    """The CRO asked, so the CEO approves in the CRO's place."""
    one = _requested(world, by="cro")
    if one is None:
        return None
    return lambda: exceptions.answer(exception=one, approves=True, **world.by())


def _take_back_exception(world):
    one = _requested(world)
    if one is None:
        return None
    return lambda: exceptions.take_back(exception=one, **world.by())


# --- Disputes ---------------------------------------------------------------------------------


def _escalate(world):
    if world.revision.state == State.DRAFT:
        disputing.contested(world.revision, world.people)
    row = _row(world)
    return lambda: disputes.escalate(row=row, question=disputing.QUESTION, **world.by())


def _escalate_in_force(world):
    row = _row(world)
    return lambda: disputes.escalate_in_force(
        row=row, question=disputing.QUESTION, reason=REASON, **world.by()
    )


def _disputed(world):
    return disputing.escalated(world.revision, world.people)


def _own_page(world):
    office = world.role if world.role in PARTIES else "cfo"
    return {"dispute": _disputed(world), "office": office}


def _save_page(world):
    own = _own_page(world)
    return lambda: disputes.save_page(text="I ask for it.", **own, **world.by())


def _file_page(world):
    own = _own_page(world)
    return lambda: disputes.file_page(text="I ask for it.", **own, **world.by())


def _waive_page(world):
    own = _own_page(world)
    return lambda: disputes.waive_page(**own, **world.by())


def _settle(world):
    dispute = _disputed(world)
    return lambda: disputes.settle(dispute=dispute, **world.by())


def _take_back_settlement(world):
    dispute = _disputed(world)
    if world.role in PARTIES:
        disputes.settle(dispute=dispute, **world.by())
    return lambda: disputes.take_back_settlement(dispute=dispute, **world.by())


def _name_interim_decider(world):
    Function.objects.filter(key="deal_desk").update(natural_owner="hybrid")
    dispute = _disputed(world)
    return lambda: disputes.name_interim_decider(dispute=dispute, office="cro", **world.by())


def _rule(world):
    dispute = disputing.filed(_disputed(world), world.people)
    return lambda: rulings.rule(
        dispute=dispute, terms=disputing.TERMS, rationale=REASON, **world.by()
    )


def _from_a_file(world, verb):
    """A file that changes one row of the draft."""
    row = factories.row_of(world.revision)
    incoming = reading.Incoming(
        reference=world.revision.reference,
        rows=[reading.RowIn("Row 2", row.function.key, row.version, {"scope_in": "Prices."})],
    )
    chosen = {row.anchor: row.version}
    return lambda: verb(revision=world.revision, incoming=incoming, chosen=chosen, **world.by())


def _import_draft(world):
    return _from_a_file(world, importing.import_draft)


def _propose_imported(world):
    return _from_a_file(world, importing.propose_imported)


# --- Verbs without a Revision -----------------------------------------------------------------


def _open_document(world):
    functions = [factories.another_function()]
    return lambda: workflow.open_document(
        number="NC-PART",
        title="A part",
        company_boundary=False,
        functions=functions,
        **world.by(),
    )


def _add_function(world):
    return lambda: catalog.add_function(
        key="partner_operations",
        name="Partner operations",
        category="commercial",
        covers="Partners.",
        natural_owner="cro",
        rationale="It sells.",
        **world.by(),
    )


def _rename_function(world):
    return lambda: catalog.rename_function(key="deal_desk", name="Deals", **world.by())


def _retire_function(world):
    return lambda: catalog.retire_function(key="deal_desk", successor_key="", **world.by())


def _add_alias(world):
    return lambda: catalog.add_alias(key="deal_desk", text="discounts", **world.by())


def _remove_alias(world):
    catalog.add_alias(key="deal_desk", text="discounts", acting_user=world.people["cro"], at=NOW)
    return lambda: catalog.remove_alias(key="deal_desk", text="discounts", **world.by())


def _further_office(**more):
    return Office.objects.create(key="cmo", title="Chief Marketing Officer", short="CMO", **more)


def _not_established(world):
    office, heir = _further_office(), Office.objects.get(key="cro")
    return lambda: absences.not_established(
        office=office, part_goes_to=heir, reason=REASON, **world.by()
    )


def _establish(world):
    office = _further_office(
        established=False,
        part_goes_to=Office.objects.get(key="cro"),
        not_established_reason=REASON,
    )
    return lambda: absences.establish(office=office, **world.by())


def _add_office(world):
    return lambda: absences.add_office(
        title="Chief Customer Officer", short="CCO", co_signing=False, **world.by()
    )


def _deactivate(world):
    other = PersonFactory(name="Robin Hale")
    return lambda: accounts.deactivate(person=other, reason=REASON, **world.by())


def _reactivate(world):
    other = PersonFactory(name="Robin Hale", is_active=False)
    return lambda: accounts.reactivate(person=other, reason=REASON, **world.by())


def _link(world):
    one, other = PersonFactory(name="Robin Hale"), PersonFactory(name="Robin Hale (2)")
    return lambda: accounts.link(person=one, to=other, reason=REASON, **world.by())


def _unlink(world):
    other = PersonFactory(name="Robin Hale")
    one = PersonFactory(name="Robin Hale (2)", same_person_as=other)
    return lambda: accounts.unlink(person=one, reason=REASON, **world.by())


def _remove_lost(world):
    other = PersonFactory(name="Robin Hale")
    Authenticator.objects.create(user=other, type=Authenticator.Type.TOTP, data={})
    return lambda: lost_factors.remove_lost(person=other, reason=REASON, **world.by())


def _make_password_link(world):
    other = PersonFactory(name="Somebody Without A Password")
    return lambda: password_links.make_password_link(person=other, reason=REASON, **world.by())


def _record(world):
    successor = PersonFactory(name="Robin Hale")
    return lambda: appointments.record(
        person=successor, office_key="revops_lead", starts_on=TODAY, **world.by()
    )


def _record_the_first(world):
    _further_office()
    first = PersonFactory(name="Robin Hale")
    return lambda: appointments.record(
        person=first, office_key="cmo", starts_on=TODAY, **world.by()
    )


def _propose_stand_in(world):
    stand_in = PersonFactory(name="Robin Hale")
    office = world.role if world.role in PARTIES else "cro"
    return lambda: appointments.propose_stand_in(
        person=stand_in,
        office_key=office,
        starts_on=TODAY,
        ends_on=TODAY + timedelta(days=14),
        instrument="Memo of 20 November 2026",
        **world.by(),
    )


def _of_the_lead():
    return Appointment.objects.get(office__key="revops_lead")


def _correct(world):
    wrong = _of_the_lead()
    return lambda: appointments.correct(
        appointment=wrong,
        person=wrong.person,
        starts_on=date(2026, 2, 1),
        ends_on=None,
        reason="The letter names February.",
        **world.by(),
    )


def _end(world):
    running = _of_the_lead()
    return lambda: appointments.end(
        appointment=running, last_day=TODAY, reason="Leaves the company.", **world.by()
    )


def _waiting(world):
    """A successor of the COO, recorded by the Secretary, waits for the CEO."""
    return appointments.record(
        person=PersonFactory(name="Robin Hale"),
        office_key="coo",
        starts_on=TODAY + timedelta(days=10),
        acting_user=world.people["corporate_secretary"],
        at=NOW,
    )


def _confirm(world):
    waiting = _waiting(world)
    return lambda: appointments.confirm(appointment=waiting, **world.by())


def _refuse(world):
    waiting = _waiting(world)
    return lambda: appointments.refuse(appointment=waiting, reason=REASON, **world.by())


def _take_back(world):
    waiting = _waiting(world)
    return lambda: appointments.take_back(appointment=waiting, reason=REASON, **world.by())


def _change_calendar(world):
    return lambda: company.change_calendar(country="AT", subdivision="", **world.by())


def _invite(world):
    return lambda: invitations.invite(
        name="Robin Hale", email="robin.hale@northwind.example", **world.by()
    )


def _invited(world):
    invitation, _link = invitations.invite(
        name="Robin Hale",
        email="robin.hale@northwind.example",
        acting_user=world.people["administrator"],
        at=NOW,
    )
    return invitation


def _send_again(world):
    invitation = _invited(world)
    return lambda: invitations.send_again(invitation=invitation, **world.by(at=LATER))


def _revoke(world):
    invitation = _invited(world)
    return lambda: invitations.revoke(invitation=invitation, **world.by())


def _export(world):
    return lambda: security.export(wanted=security.Filter(), **world.by())


# --- The archive ------------------------------------------------------------------------------


def _propose_term(world):
    return lambda: retention.propose(years=10, reason=REASON, **world.by())


def _term(world):
    # The database takes no confirmation from the past: it is given on the day of the test.
    return retention.propose(
        years=10, reason=REASON, acting_user=world.people["corporate_secretary"], at=NOW
    )


def _confirm_term(world):
    rule = _term(world)
    return lambda: retention.confirm(rule=rule, **world.by(at=timezone.now()))


def _refuse_term(world):
    rule = _term(world)
    return lambda: retention.refuse(rule=rule, word=REASON, **world.by())


def _take_back_term(world):
    rule = _term(world)
    return lambda: retention.take_back(rule=rule, **world.by())


def _place_hold(world):
    return lambda: holds.place(
        document=world.revision.document, matter="Case 1", reason=REASON, **world.by()
    )


def _lift_hold(world):
    hold = holds.place(
        document=None, matter="Case 1", reason=REASON, acting_user=world.people["ceo"], at=NOW
    )
    return lambda: holds.lift(hold=hold, reason=REASON, **world.by())


# Withdrawn or superseded by then, it was kept for long enough.
MUCH_LATER = NOW.replace(year=NOW.year + 8)
ENDED = frozenset({State.SUPERSEDED})


def _sealed(world):
    """With its sealed file: what is still being made is not disposed of."""
    if world.revision.state == State.SUPERSEDED:
        archived.sealed(world.revision)


def _propose_disposal(world):
    _sealed(world)
    return lambda: disposal.propose(
        revision=world.revision, reason=REASON, **world.by(at=MUCH_LATER)
    )


def _disposal(world):
    if world.revision.state != State.SUPERSEDED:
        return None
    _sealed(world)
    return disposal.propose(
        revision=world.revision,
        reason=REASON,
        acting_user=world.people["corporate_secretary"],
        at=MUCH_LATER,
    )


def _refuse_disposal(world):
    one = _disposal(world)
    return one and (lambda: disposal.refuse(disposal=one, word=REASON, **world.by(at=MUCH_LATER)))


def _take_back_disposal(world):
    one = _disposal(world)
    return one and (lambda: disposal.take_back(disposal=one, **world.by(at=MUCH_LATER)))


def _with_news():
    other = PersonFactory(name="Robin Hale")
    Notice.objects.create(person=other, key="n", kind="thread", title="T", path="/", at=NOW)
    return other


def _ask_erasure(world):
    other = _with_news()
    return lambda: erasure.ask(person=other, reason=REASON, **world.by())


def _erasure(world):
    return erasure.ask(
        person=_with_news(), reason=REASON, acting_user=world.people["administrator"], at=NOW
    )


def _agree_erasure(world):
    one = _erasure(world)
    return lambda: erasure.agree(request=one, **world.by())


def _refuse_erasure(world):
    one = _erasure(world)
    return lambda: erasure.refuse(request=one, word=REASON, **world.by())


def _take_back_erasure(world):
    one = _erasure(world)
    return lambda: erasure.take_back(request=one, **world.by())


def once(act, call, *, allowed=None, because=""):
    """The row of a verb that is about no Revision."""
    narrower = frozenset(allowed) if allowed is not None else None
    return Walk(act, call, EVERY_STATE, narrower, because, of_revision=False)


FROZEN = EVERY_STATE - {State.DRAFT, State.WITHDRAWN}
SECRETARY = {"corporate_secretary"}
THERE_IS_A_SECRETARY = "the Administrator's only as long as there never was a Secretary"

WALKED: dict[str, list[Walk]] = {
    "boundaries.drafting.edit_row": [Walk(Act.EDIT, _edit_row)],
    "boundaries.drafting.edit_article": [Walk(Act.EDIT, _edit_article)],
    "boundaries.drafting.edit_control": [Walk(Act.EDIT, _edit_control)],
    "boundaries.drafting.add_row": [Walk(Act.EDIT, _add_row)],
    "boundaries.drafting.leave_out": [Walk(Act.EDIT, _leave_out)],
    "boundaries.drafting.take_back_in": [Walk(Act.EDIT, _take_back_in)],
    "boundaries.drafting.move_row": [Walk(Act.EDIT, _move_row)],
    "boundaries.drafting.remove_row": [Walk(Act.EDIT, _remove_row, of_revision=False)],
    "boundaries.disputes.escalate": [Walk(Act.ESCALATE, _escalate)],
    "boundaries.disputes.escalate_in_force": [
        Walk(Act.ESCALATE, _escalate_in_force, frozenset(ANSWERING))
    ],
    "boundaries.disputes.save_page": [
        # Only its writer knows of it: nothing has happened yet.
        Walk(Act.ESCALATE, _save_page, EVERY_STATE, logged=False, of_revision=False)
    ],
    "boundaries.disputes.file_page": [once(Act.ESCALATE, _file_page)],
    "boundaries.disputes.waive_page": [once(Act.ESCALATE, _waive_page)],
    "boundaries.disputes.settle": [once(Act.ESCALATE, _settle)],
    "boundaries.disputes.take_back_settlement": [once(Act.ESCALATE, _take_back_settlement)],
    "boundaries.disputes.name_interim_decider": [once(Act.RULE, _name_interim_decider)],
    "boundaries.rulings.rule": [once(Act.RULE, _rule)],
    "boundaries.vetoes.veto": [Walk(Act.VETO, _veto)],
    "boundaries.vetoes.lift": [Walk(Act.VETO, _lift)],
    "boundaries.vetoes.order": [Walk(Act.ORDER, _order)],
    "boundaries.agreeing.agree": [Walk(Act.AGREE, _agree)],
    "boundaries.agreeing.confirm_carried": [Walk(Act.AGREE, _confirm_carried)],
    "boundaries.agreeing.agree_to_all_read": [Walk(Act.AGREE, _agree_to_all)],
    "boundaries.agreeing.confirm_predecessors": [Walk(Act.AGREE, _confirm_predecessors)],
    "boundaries.agreeing.withdraw_agreement": [Walk(Act.AGREE, _withdraw_agreement)],
    "boundaries.agreeing.contest": [Walk(Act.CONTEST, _contest)],
    "boundaries.threads.comment": [Walk(Act.COMMENT, _comment)],
    "boundaries.threads.propose": [Walk(Act.PROPOSE, _propose)],
    "boundaries.threads.accept": [Walk(Act.EDIT, _accept)],
    "boundaries.threads.decline": [Walk(Act.EDIT, _decline)],
    "boundaries.threads.take_back": [Walk(Act.PROPOSE, _take_back_proposal)],
    "boundaries.threads.resolve": [Walk(Act.COMMENT, _resolve)],
    "boundaries.threads.reopen": [Walk(Act.COMMENT, _reopen)],
    "boundaries.log_reading.ask_for_check": [
        Walk(
            Act.READ_LOG,
            _check_log,
            EVERY_STATE,
            frozenset({"ceo", "corporate_secretary", "auditor"}),
            "a party reads its own documents' events, and the whole log is checked",
            of_revision=False,
        )
    ],
    "boundaries.log_reading.export": [
        Walk(Act.READ_LOG, _export_log, EVERY_STATE, of_revision=False)
    ],
    "boundaries.evidence.record_taken": [
        Walk(Act.READ_IN_FORCE, _take_evidence, frozenset(PUBLISHED))
    ],
    "boundaries.signing.record_reading": [
        Walk(Act.READ_DRAFT, _record_reading, FROZEN, logged=False)
    ],
    "boundaries.signing.open_intent": [
        Walk(
            Act.SIGN,
            _begin(Role.COSIGNER),
            frozenset({State.COSIGNING}),
            frozenset({"cro", "cfo"}),
            "the COO has signed what is being co-signed here",
        ),
        Walk(Act.APPROVE, _begin(Role.APPROVER), frozenset({State.AWAITING_APPROVAL})),
    ],
    "boundaries.plan.acknowledge": [Walk(Act.ACKNOWLEDGE, _acknowledge_plan, frozenset(ANSWERING))],
    "boundaries.succession.acknowledge": [
        Walk(
            Act.AGREE,
            _acknowledge_succession,
            frozenset(ANSWERING),
            frozenset({"cro"}),
            "only the Office that changed hands answers",
        )
    ],
    "boundaries.succession.ask_for_amendment": [
        Walk(
            Act.AGREE,
            _ask_for_amendment,
            frozenset(ANSWERING),
            frozenset({"cro"}),
            "only the Office that changed hands answers",
        )
    ],
    "boundaries.exchange.importing.import_draft": [Walk(Act.EDIT, _import_draft)],
    "boundaries.exchange.importing.propose_imported": [Walk(Act.PROPOSE, _propose_imported)],
    "boundaries.exceptions.request": [
        Walk(Act.REQUEST_EXCEPTION, _request_exception, frozenset(ANSWERING))
    ],
    "boundaries.exceptions.answer": [
        Walk(
            Act.ANSWER_EXCEPTION,
            _answer_exception,
            frozenset(ANSWERING),
            frozenset({"cro", "cfo"}),
            "the owner, and the CFO where it touches financial reporting",
        ),
        Walk(
            Act.ANSWER_EXCEPTION,
            _answer_in_their_place,
            frozenset(ANSWERING),
            frozenset({"cfo", "ceo"}),
            "nobody approves their own request: the CEO does",
        ),
    ],
    "boundaries.exceptions.take_back": [
        Walk(
            Act.REQUEST_EXCEPTION,
            _take_back_exception,
            frozenset(ANSWERING),
            frozenset({"revops_lead"}),
            "who asked for it takes it back",
        )
    ],
    "reviews.workflow.remind_now": [Walk(Act.REMIND, _remind, frozenset({State.IN_FORCE}))],
    "boundaries.workflow.open_document": [once(Act.OPEN, _open_document)],
    "functions_catalog.catalog.add_function": [once(Act.CHANGE_CATALOG, _add_function)],
    "functions_catalog.catalog.rename_function": [once(Act.CHANGE_CATALOG, _rename_function)],
    "functions_catalog.catalog.retire_function": [once(Act.CHANGE_CATALOG, _retire_function)],
    "functions_catalog.catalog.add_alias": [once(Act.CHANGE_CATALOG, _add_alias)],
    "functions_catalog.catalog.remove_alias": [once(Act.CHANGE_CATALOG, _remove_alias)],
    "people.absences.not_established": [
        once(
            Act.RECORD_APPOINTMENT,
            _not_established,
            allowed=SECRETARY,
            because=THERE_IS_A_SECRETARY,
        )
    ],
    "people.absences.establish": [
        once(Act.RECORD_APPOINTMENT, _establish, allowed=SECRETARY, because=THERE_IS_A_SECRETARY)
    ],
    "people.absences.add_office": [
        once(Act.RECORD_APPOINTMENT, _add_office, allowed=SECRETARY, because=THERE_IS_A_SECRETARY)
    ],
    "people.accounts.deactivate": [once(Act.MANAGE_ACCOUNTS, _deactivate)],
    "people.accounts.reactivate": [once(Act.MANAGE_ACCOUNTS, _reactivate)],
    "people.accounts.link": [once(Act.MANAGE_ACCOUNTS, _link)],
    "people.accounts.unlink": [once(Act.MANAGE_ACCOUNTS, _unlink)],
    "people.lost_factors.remove_lost": [once(Act.MANAGE_ACCOUNTS, _remove_lost)],
    "people.password_links.make_password_link": [once(Act.MANAGE_ACCOUNTS, _make_password_link)],
    "people.appointments.record": [
        once(Act.RECORD_APPOINTMENT, _record, allowed=SECRETARY, because=THERE_IS_A_SECRETARY),
        once(Act.RECORD_APPOINTMENT, _record_the_first),
    ],
    "people.appointments.propose_stand_in": [once(Act.PROPOSE_STAND_IN, _propose_stand_in)],
    "people.appointments.correct": [
        once(Act.RECORD_APPOINTMENT, _correct, allowed=SECRETARY, because=THERE_IS_A_SECRETARY)
    ],
    "people.appointments.end": [
        once(Act.RECORD_APPOINTMENT, _end, allowed=SECRETARY, because=THERE_IS_A_SECRETARY)
    ],
    "people.appointments.confirm": [once(Act.CONFIRM_APPOINTMENT, _confirm)],
    "people.appointments.refuse": [once(Act.CONFIRM_APPOINTMENT, _refuse)],
    "people.appointments.take_back": [
        once(
            Act.RECORD_APPOINTMENT,
            _take_back,
            allowed=SECRETARY,
            because="who recorded it takes it back while it waits",
        )
    ],
    "people.company.change_calendar": [once(Act.CHANGE_COMPANY, _change_calendar)],
    "people.invitations.invite": [once(Act.INVITE, _invite)],
    "people.invitations.send_again": [once(Act.INVITE, _send_again)],
    "people.invitations.revoke": [once(Act.INVITE, _revoke)],
    "boundaries.archive.retention.propose": [once(Act.SET_RETENTION, _propose_term)],
    "boundaries.archive.retention.confirm": [once(Act.CONFIRM_ARCHIVE, _confirm_term)],
    "boundaries.archive.retention.refuse": [once(Act.CONFIRM_ARCHIVE, _refuse_term)],
    "boundaries.archive.retention.take_back": [once(Act.SET_RETENTION, _take_back_term)],
    "boundaries.archive.holds.place": [once(Act.HOLD, _place_hold)],
    "boundaries.archive.holds.lift": [once(Act.HOLD, _lift_hold)],
    "boundaries.archive.disposal.propose": [Walk(Act.DISPOSE, _propose_disposal, ENDED)],
    "boundaries.archive.disposal.refuse": [Walk(Act.CONFIRM_ARCHIVE, _refuse_disposal, ENDED)],
    "boundaries.archive.disposal.take_back": [Walk(Act.DISPOSE, _take_back_disposal, ENDED)],
    "boundaries.archive.erasure.ask": [once(Act.ASK_ERASURE, _ask_erasure)],
    "boundaries.archive.erasure.agree": [once(Act.AGREE_ERASURE, _agree_erasure)],
    "boundaries.archive.erasure.refuse": [once(Act.AGREE_ERASURE, _refuse_erasure)],
    "boundaries.archive.erasure.take_back": [once(Act.ASK_ERASURE, _take_back_erasure)],
    "people.security.export": [once(Act.READ_SECURITY_EVENTS, _export)],
}

# Verbs on one's own account: no Office is asked, and nobody else's account can be named.
OWN = {
    "people.factors.add_passkey",
    "people.factors.add_code_generator",
    "people.factors.remove_factor",
    "people.factors.rename_passkey",
    "people.factors.make_recovery_codes",
    "people.sessions.sign_out_everywhere_else",
    "people.sessions.end_one",
    "people.settings_of_person.save_reading",
    "people.settings_of_person.save_news_by_mail",
    "people.tokens.revoke_token",
    # Bound to the person who opened the intent.
    "boundaries.signing.authenticate",
    "boundaries.signing.renew_intent",
}

# What verbs are made of: they ask or write for the verb that calls them.
PARTS = {
    "boundaries.archive.two_people.asked_values",
    "boundaries.archive.two_people.record",
    "boundaries.archive.two_people.refuse_own",
    "boundaries.archive.two_people.write_answer",
    "boundaries.agreeing.record_event",
    "boundaries.agreeing.record_event_only",
    "boundaries.disputes.record",
    "boundaries.draft_news.answered",
    "boundaries.draft_news.contested",
    "boundaries.draft_news.draft_opened",
    "boundaries.draft_news.edited",
    "boundaries.drafting.write_row",
    "boundaries.marks.make",
    "boundaries.drafting.write_article",
    "boundaries.parties.require_party",
    "boundaries.signing.consume",
    "people.appointments.plan_record",
    "people.appointments.plan_stand_in",
    "people.appointments.plan_correction",
    "people.recording.keeper",
    "people.recording.recorder",
    "people.recording.proposer",
    "people.recording.plan",
    # Sets up a company, and refuses whoever it is.
    "people.appointments.appoint",
}


# Walked in test_disposal: the database lets it succeed only years after a Revision ended, by its
# own clock, and no Revision here is that old.
WALKED_ELSEWHERE = {"boundaries.archive.disposal.confirm"}


def verbs():
    """The public functions of the product that take an ``acting_user``."""
    found = set()
    for room in ("people", "notifications", "functions_catalog", "boundaries", "reviews"):
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            if ".migrations." in module.name:
                continue
            loaded = importlib.import_module(module.name)
            found |= {
                f"{module.name}.{name}"
                for name, value in vars(loaded).items()
                if inspect.isfunction(value)
                and value.__module__ == module.name
                and not name.startswith("_")
                and "acting_user" in inspect.signature(value).parameters
            }
    return found


def test_every_verb_has_its_row():
    in_test_matrix = {f"boundaries.workflow.{verb.value}" for verb in test_matrix.PERSONS_VERBS}
    rows = [set(WALKED), in_test_matrix, OWN, PARTS, WALKED_ELSEWHERE]
    assert verbs() == set().union(*rows)
    assert sum(map(len, rows)) == len(set().union(*rows))  # each has one


# --- The walk ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """Instead of pytest-django's: one transaction for the whole module, rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(params=[state.value for state in State])
def world(request, db):
    """Northwind with its Revision in one state, undone after the state's last case."""
    savepoint = transaction.savepoint()
    CompanyFactory()
    people = factories.everybody()
    people["superuser"] = PersonFactory(name="Root", is_superuser=True, is_staff=True)
    factories.small_catalog()
    revision = factories.in_state(State(request.param), people)
    yield World(revision, people, "")
    transaction.savepoint_rollback(savepoint)


def everything():
    """All that a refused verb could have changed, in a few queries."""
    return (
        Event.objects.count(),
        OutgoingMail.objects.count(),
        Notice.objects.count(),
        ThreadEntry.objects.count(),
        list(Proposal.objects.order_by("pk").values_list("pk", "answer")),
        SigningIntent.objects.count(),
        Invitation.objects.count(),
        list(Revision.objects.order_by("pk").values_list("pk", "state", "state_since")),
        list(Signature.objects.order_by("pk").values_list("pk", "voided_at")),
        list(Agreement.objects.order_by("pk").values_list("pk", "withdrawn_at")),
        list(
            Appointment.objects.order_by("pk").values_list(
                "pk", "ends_on", "confirmed_at", "voided_at"
            )
        ),
        list(Person.objects.order_by("pk").values_list("pk", "is_active", "same_person_as")),
        list(Office.objects.order_by("pk").values_list("pk", "established")),
    )


def walked(world, name, walk, role):
    """One case in a savepoint; says what went wrong, or "" where all was as it should be."""
    case = World(factories.fresh(world.revision), dict(world.people), role)
    state = State(case.revision.state)
    savepoint = transaction.savepoint()
    try:
        act = walk.call(case)
        if act is None:
            return f"{name}: nothing to walk it on in {state}" if state in walk.states else ""
        before = everything()
        allowed = role in walk.roles and state in walk.states
        try:
            act()
        except Refused as refusal:
            if allowed:
                return f"{name}: {role} was refused in {state}: {refusal}"
            if len(str(refusal)) < 20:
                return f"{name}: {role} in {state} is refused without a sentence: {refusal}"
            if everything() != before:
                return f"{name}: {role} was refused in {state} and left something behind"
            return ""
        if not allowed:
            return f"{name}: {role} may in {state}, and should not"
        if walk.logged and Event.objects.count() == before[0]:
            return f"{name}: {role} did it in {state}, and the log has no event of it"
        return ""
    finally:
        transaction.savepoint_rollback(savepoint)


def test_who_may_do_what_in_every_state(world):
    """A Revision's verbs, in the state that this world is in."""
    wrong = [
        walked(world, name, walk, role)
        for name, walks in WALKED.items()
        for walk in walks
        if walk.of_revision
        for role in ROLES
    ]
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("world", [State.DRAFT.value], indirect=True)
def test_who_may_do_what_without_a_revision(world):
    wrong = [
        walked(world, name, walk, role)
        for name, walks in WALKED.items()
        for walk in walks
        if not walk.of_revision
        for role in ROLES
    ]
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("world", [State.DRAFT.value], indirect=True)
def test_setting_up_a_company_is_no_way_around_recording(world):
    for role in ROLES:
        case = World(world.revision, world.people, role)
        before = everything()
        with pytest.raises(Refused):
            appointments.appoint(
                person=PersonFactory.build(), office_key="cro", starts_on=TODAY, **case.by()
            )
        assert everything() == before


@pytest.mark.parametrize("world", [State.DRAFT.value], indirect=True)
def test_own_accounts_verbs_name_no_other_account(world):
    """Each takes the acting person, or refuses any other that it could be given."""
    named = {
        name
        for name in OWN
        if "person"
        in inspect.signature(
            getattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2])
        ).parameters
    }
    assert named == {
        "people.sessions.sign_out_everywhere_else",
        "people.sessions.end_one",
        "people.settings_of_person.save_reading",
        "people.settings_of_person.save_news_by_mail",
    }
    before = everything()
    for role in ("administrator", "ceo", "superuser"):
        of_another = {"person": world.people["member"], "acting_user": world.people[role]}
        with pytest.raises(Refused):
            sessions.sign_out_everywhere_else(session_key="x", at=NOW, **of_another)
        with pytest.raises(Refused):
            sessions.end_one(pk=1, session_key="x", at=NOW, **of_another)
        with pytest.raises(Refused):
            settings_of_person.save_reading(
                time_zone="Europe/Vienna", date_language="", at=NOW, **of_another
            )
        with pytest.raises(Refused):
            settings_of_person.save_news_by_mail(news_by_mail="off", at=NOW, **of_another)
    assert everything() == before
