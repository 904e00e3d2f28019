"""Random parties play with a document: whatever they try, some things always hold.

The verbs may refuse; they may never leave two Revisions in force, a signature that counts where
nobody can sign, a log that shrinks, frozen text that moves, or look-ups that say other than what
is in force.
"""

from datetime import timedelta
from typing import ClassVar

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from audit.models import Event
from boundaries import agreeing, drafting, succession, workflow
from boundaries import content as contents
from boundaries.models import Freeze, Revision, Signature, Succession
from boundaries.states import ANSWERING, UNFINISHED, Role, State
from functions_catalog.models import Ownership
from people.calendar import company_date
from people.errors import Refused
from people.models import Appointment
from sealing.canonical import sha256_hex
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, SESSION
from tests.people.factories import PersonFactory

MAY_HOLD_SIGNATURES = {
    *(State.COSIGNING, State.AWAITING_APPROVAL, State.APPROVED),
    *(State.IN_FORCE, State.SUPERSEDED, State.EXPIRED_UNRENEWED),
}
PARTIES = ("cro", "coo", "cfo")
COMPLETE = {*((office, "cosigner") for office in PARTIES), ("ceo", "approver")}
anybody = st.sampled_from([*PARTIES, "ceo", "revops_lead", "corporate_secretary", "member"])
party = st.sampled_from(PARTIES)
row_keys = st.sampled_from([key for key, *_ in factories.CATALOG])
owners = st.sampled_from(["cro", "coo", "cfo"])


class Boundary(RuleBasedStateMachine):
    """One document; ``given`` people come from the test, each run is undone at its end."""

    given: ClassVar[dict] = {}

    @initialize()
    def open(self):
        self.savepoint = transaction.savepoint()
        self.people = dict(self.given)
        self.now = NOW
        self.events = Event.objects.count()
        self.frozen = {}
        factories.draft(self.people, at=self.now)

    def teardown(self):
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    # --- What the rules need ---

    @property
    def newest(self):
        return Revision.objects.select_related("document").order_by("-number").first()

    @property
    def state(self):
        return self.newest.state

    def attempt(self, verb, **given):
        """A verb succeeds, or refuses by name and then has left nothing behind."""
        self.now += timedelta(seconds=1)
        before = (Event.objects.count(), list(Revision.objects.order_by("pk").values()))
        try:
            verb(**given, at=self.now)
        except Refused:
            assert (Event.objects.count(), list(Revision.objects.order_by("pk").values())) == before

    def sign(self, verb, who, role):
        """Through the whole ceremony where it lets one in, by a forged intent where not."""
        revision, person = self.newest, self.people[who]
        self.now += timedelta(seconds=1)
        try:
            with transaction.atomic():
                intent = factories.authenticated_intent(revision, person, role=role, at=self.now)
        except (Refused, Freeze.DoesNotExist):
            intent = factories.forged_intent(revision, person, role=role, at=self.now)
        self.attempt(
            verb, revision=revision, intent=intent, session_key=SESSION, acting_user=person
        )

    # --- Rules ---

    @precondition(lambda self: self.state in (State.DRAFT, State.COSIGNING))
    @rule(who=anybody, key=row_keys, owner=owners)
    def edit(self, who, key, owner):
        row = factories.row_of(self.newest, key)
        self.attempt(
            drafting.edit_row,
            row=row,
            expected_version=row.version,
            text=drafting.RowText(owner=owner, scope_in=f"Edited by {who}"),
            acting_user=self.people[who],
        )

    @precondition(lambda self: self.state == State.DRAFT)
    @rule(who=party, key=row_keys)
    def contest(self, who, key):
        row = factories.row_of(self.newest, key)
        self.attempt(agreeing.contest, clause=row, reason=REASON, acting_user=self.people[who])

    @precondition(lambda self: self.state == State.DRAFT)
    @rule(days=st.sampled_from([0, 3]))
    def all_agree_to_a_date(self, days):
        self._all_agree(days)

    def _all_agree(self, days):
        self.now += timedelta(seconds=1)
        revision = self.newest
        for row in revision.rows.select_related("function"):
            for one in row.agreements.filter(stance="contested", withdrawn_at__isnull=True):
                agreeing.agree(
                    clause=row,
                    expected_version=row.version,
                    acting_user=self.people[one.office],
                    at=self.now,
                )
        day = company_date(self.now) + timedelta(days=days)
        revision = factories.effective(revision, self.people, day, at=self.now)
        factories.all_agree(revision, self.people, at=self.now)

    @rule(days=st.sampled_from([0, 3]))
    def go_on(self, days):
        """The next step as a company would take it, else chance would seldom get anywhere."""
        match State(self.state):
            case State.DRAFT:
                self._all_agree(days)
                self.freeze(who="cro")
                assert self.state == State.COSIGNING
            case State.COSIGNING:
                self.everybody_cosigns()
                assert self.state == State.AWAITING_APPROVAL
            case State.AWAITING_APPROVAL:
                self.approve(who="ceo")
                assert self.state in (State.APPROVED, State.IN_FORCE)
            case State.APPROVED:
                self.days_pass(days=3)
                assert self.state == State.IN_FORCE
            case _:
                self.amend(who="coo")
                assert self.state == State.DRAFT

    @rule(days=st.sampled_from([0, 3]))
    def go_on_again(self, days):
        self.go_on(days)

    @precondition(lambda self: self.state in (State.DRAFT, State.COSIGNING))
    @rule(who=anybody)
    def freeze(self, who):
        self.attempt(workflow.freeze, revision=self.newest, acting_user=self.people[who])
        for one in Freeze.objects.filter(signing_copy_sha256="", voided_at__isnull=True):
            factories.with_signing_copy(one)

    @precondition(lambda self: self.state in UNFINISHED)
    @rule(who=anybody)
    def cosign(self, who):
        self.sign(workflow.cosign, who, Role.COSIGNER)

    @precondition(lambda self: self.state == State.COSIGNING)
    @rule()
    def everybody_cosigns(self):
        for who in PARTIES:
            self.sign(workflow.cosign, who, Role.COSIGNER)

    @precondition(lambda self: self.state in (State.COSIGNING, State.AWAITING_APPROVAL))
    @rule(who=st.sampled_from(["ceo", "ceo", "cro", "member"]))
    def approve(self, who):
        self.sign(workflow.approve, who, Role.APPROVER)

    @precondition(lambda self: self.state in UNFINISHED)
    @rule(who=anybody)
    def decline(self, who):
        self.attempt(
            workflow.decline,
            revision=self.newest,
            reason=REASON,
            acting_user=self.people[who],
        )

    @precondition(lambda self: self.state in UNFINISHED)
    @rule(who=st.sampled_from(["ceo", "coo"]))
    def return_to_draft(self, who):
        self.attempt(
            workflow.return_to_draft,
            revision=self.newest,
            reason=REASON,
            acting_user=self.people[who],
        )

    @precondition(lambda self: self.state in (*UNFINISHED, State.WITHDRAWN))
    @rule(who=st.sampled_from(["member", "revops_lead", "coo", "cro", "ceo"]))
    def withdraw(self, who):
        self.attempt(
            workflow.withdraw,
            revision=self.newest,
            reason=REASON,
            acting_user=self.people[who],
        )

    @rule(who=anybody)
    def amend(self, who):
        answering = Revision.objects.in_force().first()
        self.attempt(
            workflow.amend, revision=answering or self.newest, acting_user=self.people[who]
        )

    @rule(days=st.sampled_from([1, 4]))
    def days_pass(self, days):
        """As the sweep does: what is due comes in force, what lapsed expires."""
        self.now += timedelta(days=days)
        for revision in Revision.objects.filter(state=State.APPROVED):
            self.attempt(workflow.bring_into_force, revision=revision)
        for revision in Revision.objects.filter(state=State.IN_FORCE):
            self.attempt(workflow.expire, revision=revision)

    @rule(who=party, answers=st.sampled_from(["", "acknowledges", "asks"]))
    def the_office_changes_hands(self, who, answers):
        """On the next morning somebody new holds it; the sweep finds what follows."""
        self.days_pass(days=1)
        successor = PersonFactory()
        factories.handed_over(successor, who, on=company_date(self.now))
        self.people[who] = successor
        self.now += timedelta(hours=1)
        before = Signature.objects.filter(voided_at__isnull=True).count()
        succession.look_after(at=self.now)
        assert Signature.objects.filter(voided_at__isnull=True).count() == before
        if answers:
            self.somebody_answers(who="successor", agrees=answers == "acknowledges")

    @precondition(lambda self: self.state in ANSWERING)
    @rule(who=party, answers=st.sampled_from(["acknowledges", "asks"]))
    def the_office_changes_hands_in_force(self, who, answers):
        """Again, where there is something to take over, else chance would seldom get there."""
        self.the_office_changes_hands(who=who, answers=answers)

    @rule(who=st.sampled_from(["successor", "successor", "cro", "member"]), agrees=st.booleans())
    def somebody_answers(self, who, agrees):
        waiting = Succession.objects.waiting(company_date(self.now))
        one = waiting.last() or Succession.objects.select_related("revision").last()
        if one is None:
            return
        person = self.people[one.office if who == "successor" else who]
        if agrees:
            self.attempt(succession.acknowledge, succession=one, acting_user=person)
        else:
            self.attempt(
                succession.ask_for_amendment, succession=one, wish=REASON, acting_user=person
            )

    # --- What always holds ---

    @invariant()
    def every_successor_is_asked_once(self):
        """Whoever holds an Office today that another signed for owes an answer, or has given it."""
        today = company_date(self.now)
        signed = Signature.objects.filter(
            voided_at__isnull=True, role=Role.COSIGNER, revision__state__in=ANSWERING
        )
        for one in signed:
            asked = Succession.objects.filter(
                revision=one.revision_id,
                office=one.office,
                appointment__in=Appointment.objects.on(today),
            )
            assert asked.count() == (one.person_id != self.people[one.office].pk)
        for one in Succession.objects.exclude(answer=""):
            assert one.answered_by_id == one.appointment.person_id
            assert bool(one.wish) == (one.answer == Succession.Answer.AMENDMENT)

    @invariant()
    def at_most_one_unfinished_and_one_in_force(self):
        states = list(Revision.objects.values_list("state", flat=True))
        assert sum(state in UNFINISHED for state in states) <= 1
        assert sum(state in ANSWERING for state in states) <= 1

    @invariant()
    def signatures_count_only_where_they_may(self):
        for one in Signature.objects.filter(voided_at__isnull=True).select_related("freeze"):
            assert one.revision.state in MAY_HOLD_SIGNATURES
            assert one.freeze.voided_at is None
            assert one.content_sha256 == one.freeze.content_sha256
            assert one.evidence["content_sha256"] == one.freeze.content_sha256
            assert one.intent.consumed_at is not None

    @invariant()
    def what_rules_is_signed_by_all(self):
        for revision in Revision.objects.filter(state__in=[State.APPROVED, *ANSWERING]):
            assert set(factories.live_signatures(revision)) == COMPLETE
        for revision in Revision.objects.filter(state=State.AWAITING_APPROVAL):
            assert set(factories.live_signatures(revision)) == COMPLETE - {("ceo", "approver")}

    @invariant()
    def log_only_grows(self):
        events = Event.objects.count()
        assert events >= self.events
        self.events = events

    @invariant()
    def frozen_content_never_moves(self):
        for one in Freeze.objects.all():
            sha256 = sha256_hex(bytes(one.content))
            assert sha256 == one.content_sha256 == self.frozen.setdefault(one.pk, sha256)
        for revision in Revision.objects.all():
            live = revision.freezes.filter(voided_at__isnull=True).count()
            assert live == (1 if revision.state in MAY_HOLD_SIGNATURES else 0)
        for revision in Revision.objects.filter(state__in=MAY_HOLD_SIGNATURES):
            live = revision.freezes.get(voided_at__isnull=True)
            rows = contents.rows_of(contents.content_of(live))
            stands = {
                row.function.key: row.owner for row in revision.rows.select_related("function")
            }
            assert {key: row["owner"] for key, row in rows.items()} == stands

    @invariant()
    def lookups_say_what_is_in_force(self):
        expected = {}
        for revision in Revision.objects.in_force():
            live = revision.freezes.get(voided_at__isnull=True)
            expected = {
                answer.function_key: answer.to_json()
                for answer in contents.answers(contents.content_of(live))
            }
        found = {
            one.function.key: one.answer
            for one in Ownership.objects.open().select_related("function")
        }
        assert found == expected


@pytest.mark.timeout(120)
def test_random_parties_never_break_the_workflow(people, functions):
    Boundary.given = people
    run_state_machine_as_test(
        Boundary,
        settings=settings(
            derandomize=True,
            database=None,
            deadline=None,
            max_examples=10,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
