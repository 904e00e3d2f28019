"""Every state x every verb x every Office: who may do what when, and what a refusal leaves.

A state is made once for all of its cases; each case runs in a savepoint that is rolled back. The
expectations stand here as the product describes them, not read from the product's own tables.
"""

import pytest
from django.db import transaction

from audit.models import Event
from boundaries import queries, workflow
from boundaries.errors import (
    AlreadySigned,
    NotYetEffective,
    TransitionNotAllowed,
)
from boundaries.models import Freeze, Revision, Signature, StateChange
from boundaries.states import Role, State, Verb
from functions_catalog.models import Ownership
from notifications.models import OutgoingMail
from people.errors import NotYourOffice
from people.models import Person
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, SESSION, TODAY

PARTIES = {"cro", "coo", "cfo"}
OFFICES = (
    "cro",
    "coo",
    "cfo",
    "ceo",
    "revops_lead",
    "corporate_secretary",
    "auditor",
    "administrator",
    "member",
)
# The strongest Offices, held by somebody who has been deactivated.
INACTIVE = ("inactive cro", "inactive ceo")

# verb -> (states it starts from, who may then do it). The CRO opened every Revision here, and
# the COO has signed the one that is being co-signed.
PERSONS_VERBS = {
    Verb.FREEZE: ({State.DRAFT}, PARTIES | {"corporate_secretary"}),
    Verb.COSIGN: ({State.COSIGNING}, PARTIES),
    Verb.DECLINE: ({State.COSIGNING, State.AWAITING_APPROVAL}, PARTIES),
    Verb.APPROVE: ({State.AWAITING_APPROVAL}, {"ceo"}),
    Verb.RETURN: ({State.AWAITING_APPROVAL}, {"ceo"}),
    Verb.WITHDRAW: (
        {State.DRAFT, State.COSIGNING, State.AWAITING_APPROVAL, State.APPROVED},
        {"ceo"},
    ),
    # The withdrawn one here is its document's only one: it may be taken up again.
    Verb.AMEND: (
        {State.IN_FORCE, State.EXPIRED_UNRENEWED, State.WITHDRAWN},
        PARTIES | {"corporate_secretary"},
    ),
}
CLOCKS_VERBS = {
    Verb.BRING_INTO_FORCE: {State.APPROVED},
    Verb.EXPIRE: {State.IN_FORCE},
}


def expected_refusal(state, verb, who):
    """The named error that this case must raise, or None where it must succeed."""
    states, allowed = PERSONS_VERBS[verb]
    if state not in states:
        return TransitionNotAllowed
    if who.startswith("inactive"):
        return NotYourOffice
    if verb == Verb.WITHDRAW and who == "cro":
        # Who opened it, as long as nobody has signed.
        return None if state == State.DRAFT else NotYourOffice
    if who not in allowed:
        return NotYourOffice
    if verb == Verb.COSIGN and who == "coo":
        return AlreadySigned
    return None


@pytest.fixture(scope="module")
def db(django_db_setup, django_db_blocker):
    """Instead of pytest-django's: one transaction for the whole module, rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module", params=[state.value for state in State])
def stage(request, db):
    """(state, Revision in it, people), undone after the state's last case."""
    from tests.people.factories import CompanyFactory

    state = State(request.param)
    savepoint = transaction.savepoint()
    CompanyFactory()
    people = factories.everybody()
    factories.small_catalog()
    revision = factories.in_state(state, people)
    assert revision.state == state
    yield state, revision, people
    transaction.savepoint_rollback(savepoint)


@pytest.fixture
def case(stage):
    state, revision, people = stage
    savepoint = transaction.savepoint()
    yield state, factories.fresh(revision), people
    transaction.savepoint_rollback(savepoint)


def person_for(who, people):
    if not who.startswith("inactive "):
        return people[who]
    person = people[who.removeprefix("inactive ")]
    Person.objects.filter(pk=person.pk).update(is_active=False)
    return Person.objects.get(pk=person.pk)


def do(verb, revision, person, at):
    match verb:
        case Verb.FREEZE:
            return workflow.freeze(revision=revision, acting_user=person, at=at)
        case Verb.COSIGN | Verb.APPROVE:
            role = Role.APPROVER if verb == Verb.APPROVE else Role.COSIGNER
            return getattr(workflow, verb.value)(
                revision=revision,
                intent=factories.forged_intent(revision, person, role=role, at=at),
                session_key=SESSION,
                acting_user=person,
                at=at,
            )
        case Verb.DECLINE | Verb.RETURN | Verb.WITHDRAW:
            return getattr(workflow, verb.value)(
                revision=revision, reason=REASON, acting_user=person, at=at
            )
        case Verb.AMEND:
            return workflow.amend(revision=revision, acting_user=person, at=at)
        case Verb.BRING_INTO_FORCE | Verb.EXPIRE:
            return getattr(workflow, verb.value)(revision=revision, at=at)


def everything():
    """All that a refused verb could have changed."""
    return {
        "revisions": list(Revision.objects.order_by("pk").values()),
        "signatures": list(Signature.objects.order_by("pk").values()),
        "freezes": list(Freeze.objects.order_by("pk").values_list("pk", "voided_at")),
        "changes": StateChange.objects.count(),
        "events": Event.objects.count(),
        "mails": OutgoingMail.objects.count(),
        "ownership": list(Ownership.objects.order_by("pk").values()),
    }


@pytest.mark.parametrize("who", [*OFFICES, *INACTIVE])
@pytest.mark.parametrize("verb", list(PERSONS_VERBS))
def test_verb_follows_state_and_office(case, verb, who):
    state, revision, people = case
    person = person_for(who, people)
    refusal = expected_refusal(state, verb, who)
    before = everything()
    if refusal is not None:
        with pytest.raises(refusal) as refused:
            do(verb, revision, person, NOW)
        assert type(refused.value) is refusal
        assert len(str(refused.value)) > 20  # a sentence that the page shows
        assert everything() == before
        return
    do(verb, revision, person, NOW)
    SUCCEEDED[verb](revision, person, who, before)


def _moved(revision, verb, from_state, to_state, person, title, *, reason=""):
    """The Revision is where it should be and its history says who brought it there."""
    revision.refresh_from_db()
    assert revision.state == to_state
    assert revision.state_since == NOW
    change = revision.changes.order_by("pk").last()
    assert (change.verb, change.from_state, change.to_state) == (verb, from_state, to_state)
    assert (change.by, change.by_name, change.by_office) == (person, person.name, title)
    assert (change.at, change.reason) == (NOW, reason)


def _logged(before, name, person, office):
    """One event more, in the name of the person and Office; returned."""
    assert Event.objects.count() == before["events"] + 1
    event = Event.objects.latest("sequence")
    assert (event.event, event.actor_id, event.office) == (name, person.pk, office)
    return event


def _mailed(before):
    """(kind, Office key of the recipient) of the mails that this case queued."""
    mails = OutgoingMail.objects.order_by("pk")[before["mails"] :]
    keys = dict(Person.objects.values_list("pk", "appointments__office__key"))
    return sorted((mail.kind, keys[mail.person_id]) for mail in mails)


TITLES = {
    "cro": "CRO",
    "coo": "COO",
    "cfo": "CFO",
    "ceo": "CEO",
    "corporate_secretary": "Corporate Secretary",
}


def _froze(revision, person, who, before):
    _moved(revision, Verb.FREEZE, State.DRAFT, State.COSIGNING, person, TITLES[who])
    freeze = revision.freezes.get()
    assert (freeze.frozen_by, freeze.frozen_by_office) == (person, TITLES[who])
    assert freeze.voided_at is None
    event = _logged(before, "revision.frozen", person, who)
    assert event.object_sha256 == freeze.content_sha256
    assert _mailed(before) == [("signature-asked", office) for office in ("cfo", "coo", "cro")]
    assert factories.live_signatures(revision) == []


def _cosigned(revision, person, who, before):
    revision.refresh_from_db()
    assert revision.state == State.COSIGNING  # the third signature is still missing
    assert factories.live_signatures(revision) == sorted([("coo", "cosigner"), (who, "cosigner")])
    signature = revision.signatures.get(office=who)
    assert (signature.person, signature.person_name) == (person, person.name)
    assert signature.content_sha256 == revision.freezes.get().content_sha256
    event = _logged(before, "revision.cosigned", person, who)
    assert event.authentication_sha256 == signature.evidence_sha256
    assert event.data["last"] is False
    assert _mailed(before) == []
    assert StateChange.objects.count() == before["changes"]


def _back_in_draft(verb, event, kind):
    def check(revision, person, who, before):
        came_from = State(next(one for one in before["revisions"])["state"])
        _moved(revision, verb, came_from, State.DRAFT, person, TITLES[who], reason=REASON)
        assert factories.live_signatures(revision) == []
        assert revision.signatures.count() == len(before["signatures"]) > 0
        assert {one.void_reason for one in revision.signatures.all()} == {REASON}
        freeze = revision.freezes.get()
        assert (freeze.voided_at, freeze.void_reason) == (NOW, REASON)
        logged = _logged(before, event, person, who)
        assert logged.data["signatures_voided"] == len(before["signatures"])
        assert REASON not in str(logged.data)  # it may have to be erased: only committed to
        told = {"cro", "coo", "cfo", "ceo", "revops_lead"} - {who}
        assert _mailed(before) == sorted((kind, office) for office in told)

    return check


def _approved(revision, person, who, before):
    _moved(revision, Verb.APPROVE, State.AWAITING_APPROVAL, State.APPROVED, person, "CEO")
    assert ("ceo", "approver") in factories.live_signatures(revision)
    assert len(factories.live_signatures(revision)) == 4
    _logged(before, "revision.approved", person, "ceo")
    told = ("cfo", "coo", "cro", "revops_lead")
    assert _mailed(before) == [("approved", office) for office in told]
    assert not Ownership.objects.exists()  # it rules from its effective date


def _withdrew(revision, person, who, before):
    came_from = State(before["revisions"][0]["state"])
    title = TITLES[who]
    _moved(revision, Verb.WITHDRAW, came_from, State.WITHDRAWN, person, title, reason=REASON)
    assert factories.live_signatures(revision) == []
    assert revision.signatures.count() == len(before["signatures"])
    assert not revision.freezes.filter(voided_at__isnull=True).exists()
    _logged(before, "revision.withdrawn", person, who)
    told = {"cro", "coo", "cfo", "ceo", "revops_lead"} - {who}
    assert _mailed(before) == sorted(("revision-withdraw", office) for office in told)


def _amended(revision, person, who, before):
    was = before["revisions"][0]["state"]
    revision.refresh_from_db()
    assert revision.state == was  # it rules on until the next one is in force
    amendment = Revision.objects.get(number=2)
    assert amendment.supersedes == (None if was == State.WITHDRAWN else revision)
    assert (amendment.state, amendment.number, amendment.opened_by) == (State.DRAFT, 2, person)
    change = amendment.changes.get()
    assert (change.verb, change.from_state, change.to_state) == (Verb.AMEND, "", State.DRAFT)
    assert change.by_office == TITLES[who]
    event = _logged(before, "revision.amendment_opened", person, who)
    assert event.object_id == str(amendment.pk)
    assert not amendment.agreements.exists()
    assert _mailed(before) == []


SUCCEEDED = {
    Verb.FREEZE: _froze,
    Verb.COSIGN: _cosigned,
    Verb.DECLINE: _back_in_draft(Verb.DECLINE, "revision.declined", "revision-decline"),
    Verb.APPROVE: _approved,
    Verb.RETURN: _back_in_draft(Verb.RETURN, "revision.returned", "revision-return-to-draft"),
    Verb.WITHDRAW: _withdrew,
    Verb.AMEND: _amended,
}


@pytest.mark.parametrize("verb", list(CLOCKS_VERBS))
def test_clock_verb_follows_state(case, verb):
    """Long after every date, so that only the state decides."""
    state, revision, _people = case
    late = NOW.replace(year=2029)
    before = everything()
    if state not in CLOCKS_VERBS[verb]:
        with pytest.raises(TransitionNotAllowed):
            do(verb, revision, None, late)
        assert everything() == before
        return
    do(verb, revision, None, late)
    revision.refresh_from_db()
    change = revision.changes.order_by("pk").last()
    assert (change.verb, change.by, change.by_name, change.at) == (verb, None, "", late)
    event = Event.objects.filter(sequence=before["events"] + 1).get()
    assert event.actor_id is None
    if verb == Verb.EXPIRE:
        assert (revision.state, event.event) == (State.EXPIRED_UNRENEWED, "revision.expired")
    else:
        assert (revision.state, event.event) == (State.IN_FORCE, "revision.in_force")


@pytest.mark.parametrize("verb", list(CLOCKS_VERBS))
def test_clock_verb_waits_for_its_date(case, verb):
    state, revision, _people = case
    too_early = NotYetEffective if state in CLOCKS_VERBS[verb] else TransitionNotAllowed
    before = everything()
    with pytest.raises(too_early):
        do(verb, revision, None, NOW)
    assert everything() == before


@pytest.mark.parametrize("who", OFFICES)
def test_page_offers_what_the_verbs_allow(case, who):
    """``what_may`` decides which buttons a page shows: the same answers, before the click."""
    state, revision, people = case
    may = queries.what_may(
        people[who],
        revision,
        on=TODAY,
        signatures=list(revision.signatures.filter(voided_at__isnull=True)),
        unfinished_exists=Revision.objects.unfinished().exists(),
        acknowledged=False,
    )
    offered = {
        Verb.FREEZE: may.freeze,
        Verb.COSIGN: may.sign,
        Verb.DECLINE: may.decline,
        Verb.APPROVE: may.approve,
        Verb.RETURN: may.return_,
        Verb.WITHDRAW: may.withdraw,
        Verb.AMEND: may.amend,
    }
    assert offered == {verb: expected_refusal(state, verb, who) is None for verb in offered}
