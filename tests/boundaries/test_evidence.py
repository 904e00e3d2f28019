"""The evidence bundle of a Revision that was walked to its seal, and taking it away."""

import json

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

import audit
from audit import checkpoints
from audit.models import Checkpoint, Event
from boundaries import evidence, pdf, workflow
from boundaries.errors import EvidenceNotReady
from boundaries.models import Revision
from boundaries.states import State
from people.models import Company
from sealing import bundle as bundles
from sealing import merkle
from sealing.evidence import judge
from sealing.render import weasyprint_problem
from sealing.verify import verify_in_child
from tests.boundaries import stages
from tests.people.factories import CompanyFactory, northwind_people

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def walked(django_db_setup, django_db_blocker, signing_keys):
    """One boundary sealed for the whole module, in a transaction that is rolled back."""
    from django.db import transaction

    problem = weasyprint_problem()
    if problem:
        pytest.skip(problem)
    with django_db_blocker.unblock(), transaction.atomic():
        CompanyFactory()
        people, now = northwind_people(), timezone.now()
        revision = stages.ready_to_freeze(people, at=now)
        freeze = workflow.freeze(revision=revision, acting_user=people["cro"], at=now)
        pdf.advance(freeze.pk)
        revision = stages.signed_by(revision, people, "cro", "coo", "cfo", at=now)
        stages.to_approve(revision, people["ceo"], at=now).finish()
        pdf.advance(freeze.pk)
        yield people, Revision.objects.get(pk=revision.pk)
        transaction.set_rollback(True)


@pytest.fixture
def people(walked, db):
    return walked[0]


@pytest.fixture
def revision(walked, db):
    return Revision.objects.get(pk=walked[1].pk)


@pytest.fixture(autouse=True)
def _own_cache():
    yield
    cache.clear()


def judged(bundle, revision):
    sealed = evidence._sealed_freeze(revision)
    content = pdf.files.get(sealed.sealed_sha256)
    root = pdf.company_keys().root_fingerprint
    verdict = verify_in_child(content, root_fingerprint=root)
    return judge(content, bundle, verdict, [root])


def test_the_bundle_of_a_sealed_revision_bears_it_out(revision):
    bundle = evidence.bundle_of(revision)
    found = judged(bundle, revision)

    assert found.kind == "genuine", found.sentences
    told = " ".join(check.says for check in found.checks)
    assert "events that the file anchors" in told
    for short in ("CRO", "COO", "CFO", "CEO"):
        assert f"{short}: the log recorded this evidence" in told


def test_the_same_state_gives_the_same_bytes_whatever_else_the_log_says(revision, people):
    first = evidence.bundle_of(revision)
    evidence.record_taken(
        revision=revision, sha256="0" * 64, acting_user=people["member"], at=timezone.now()
    )
    cache.clear()
    checkpoints.issue(why=Checkpoint.Why.DAILY, at=timezone.now())

    assert evidence.bundle_of(revision) == first


def test_the_bundle_says_what_the_registry_knows_of_the_standing(revision):
    members = bundles.unpack(evidence.bundle_of(revision))
    verdict = json.loads(members[bundles.VERDICT])

    assert (verdict["kind"], verdict["standing"]["standing"]) == ("genuine", "in_force")
    assert "content" not in verdict
    assert verdict["standing"]["in_force_from"]


def test_personal_text_beside_the_log_stays_there(revision, people):
    secret = "Somebody's reason, to be erased one day"
    audit.record(
        "revision.noted", at=timezone.now(), actor=people["cro"], object_type="revision",
        object_id=str(revision.pk), object_version=revision.reference, personal_text=secret,
        data={"words": "unknown to the bundle"},
    )  # fmt: skip
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())

    bundle = evidence.bundle_of(revision)

    assert secret.encode() not in bundle
    assert b"unknown to the bundle" not in bundle
    events = json.loads(bundles.unpack(bundle)[bundles.EVENTS])["events"]
    noted = next(one["event"] for one in events if one["event"]["event"] == "revision.noted")
    assert noted["personal_commitment"]
    assert judged(bundle, revision).kind == "genuine"


def test_nobody_is_told_who_read_the_signing_copy(revision):
    events = json.loads(bundles.unpack(evidence.bundle_of(revision))[bundles.EVENTS])["events"]
    assert {one["event"]["event"] for one in events} >= {
        "revision.frozen", "revision.cosigned", "revision.approved", "revision.sealed",
    }  # fmt: skip
    assert "signing_copy.opened" not in {one["event"]["event"] for one in events}


# --- Taking it ----------------------------------------------------------------------------------


@pytest.fixture
def told_once(monkeypatch):
    """Judging the file once is enough: the bundle that is handed out is compared by its bytes."""
    monkeypatch.setattr(evidence, "bundle_of", lambda revision: b"PK a bundle")


def test_whoever_may_read_takes_it_and_the_log_says_so(client, revision, people, told_once):
    client.force_login(people["member"])
    page = client.get(revision.get_absolute_url()).content.decode()
    link = reverse("boundaries:evidence_bundle", args=[revision.document.number, revision.number])
    before = Event.objects.count()

    answer = client.get(link)

    assert link in page
    assert (answer.status_code, answer.content) == (200, b"PK a bundle")
    assert f'filename="{revision.reference}-evidence.zip"' in answer["Content-Disposition"]
    assert Event.objects.count() == before + 1
    taken = Event.objects.last()
    assert (taken.event, taken.actor_name, taken.object_version) == (
        "evidence.taken", people["member"].name, revision.reference,
    )  # fmt: skip


def test_the_api_gives_the_same_and_records_it_too(client, revision, people, told_once):
    client.force_login(people["member"])
    link = reverse("api-evidence", args=[revision.document.number, revision.number])

    answer = client.get(link, headers={"accept": "application/zip"})

    assert (answer.status_code, answer.content) == (200, b"PK a bundle")
    assert Event.objects.last().event == "evidence.taken"


def test_a_stranger_takes_nothing(client, revision, told_once):
    before = Event.objects.count()
    page = reverse("boundaries:evidence_bundle", args=[revision.document.number, revision.number])
    api = reverse("api-evidence", args=[revision.document.number, revision.number])

    assert client.get(page).status_code == 302
    assert client.get(api).status_code in {401, 403}
    assert Event.objects.count() == before


@pytest.mark.parametrize("state", [State.COSIGNING, State.DRAFT, State.WITHDRAWN])
def test_there_is_no_evidence_of_what_was_not_approved(client, revision, people, state):
    Revision.objects.filter(pk=revision.pk).update(state=state)
    client.force_login(people["cro"])
    link = reverse("boundaries:evidence_bundle", args=[revision.document.number, revision.number])

    answer = client.get(link, follow=True)

    assert "no evidence" in answer.content.decode()
    api = reverse("api-evidence", args=[revision.document.number, revision.number])
    refused = client.get(api)
    assert (refused.status_code, "no evidence" in refused.json()["detail"]) == (409, True)


def test_a_superseded_revision_keeps_its_evidence(revision):
    Revision.objects.filter(pk=revision.pk).update(
        state=State.SUPERSEDED, in_force_until=timezone.now()
    )
    bundle = evidence.bundle_of(Revision.objects.get(pk=revision.pk))
    standing = json.loads(bundles.unpack(bundle)[bundles.VERDICT])["standing"]
    assert standing["standing"] == "superseded"


def test_without_keys_the_page_says_so(client, revision, people, monkeypatch):
    from sealing.errors import KeysUnusable

    def no_keys():
        raise KeysUnusable("missing")

    monkeypatch.setattr(evidence, "company_keys", no_keys)
    client.force_login(people["cro"])
    link = reverse("boundaries:evidence_bundle", args=[revision.document.number, revision.number])
    assert "no signing keys at hand" in client.get(link, follow=True).content.decode()
    api = reverse("api-evidence", args=[revision.document.number, revision.number])
    assert client.get(api).status_code == 503


def test_a_log_that_is_not_what_was_signed_proves_nothing(revision, monkeypatch):
    real = merkle.Tree
    monkeypatch.setattr(merkle, "Tree", lambda leaves: real([bytes(32), *leaves]))
    with pytest.raises(EvidenceNotReady, match="not what its checkpoint says"):
        evidence.bundle_of(revision)


def test_the_company_is_named(revision):
    readme = bundles.unpack(evidence.bundle_of(revision))[bundles.README].decode()
    assert Company.objects.get().name in readme
    assert pdf.company_keys().root_fingerprint in readme
    assert "Exit status 0: genuine" in readme
