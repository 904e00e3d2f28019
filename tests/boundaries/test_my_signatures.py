"""My signatures: what the signer, and nobody else, sees of each, and whether it still holds."""

import hashlib
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from boundaries import consent, my_signatures, proof, signing, workflow
from boundaries.files import files
from boundaries.models import Freeze, Signature
from sealing.attestation import findings
from sealing.canonical import canonical_json, sha256_hex
from tests.boundaries import factories
from tests.boundaries.factories import NOW, REASON, SESSION
from tests.people.factories import PersonFactory
from tests.people.second_factors import SigningPasskey

LIST = "/signatures/"


def browser_of(person):
    client = Client()
    client.force_login(person)
    return client


def by_passkey(revision, person, *, at=NOW, role="cosigner", **more):
    """A signature (or approval) by the person's passkey, which is made if there is none."""
    passkey = SigningPasskey()
    passkey.made_for(person)
    intent = factories.intent_for(revision, person, at=at, role=role, **more)
    challenge = proof.challenge_of(proof.challenge_text(intent))
    intent = signing.authenticate(
        intent=intent,
        passkey=proof.PasskeyAnswer(
            response=passkey.answer(challenge), rp_id="localhost", origin="http://localhost"
        ),
        session_key=SESSION,
        acting_user=person,
        at=at,
    )
    verb = workflow.cosign if role == "cosigner" else workflow.approve
    made = verb(revision=revision, intent=intent, session_key=SESSION, acting_user=person, at=at)
    return made[0] if role == "cosigner" else made


@pytest.fixture
def signed(frozen, people):
    """The COO's signature by passkey, with a reservation and a declared conflict."""
    return by_passkey(
        frozen.revision,
        people["coo"],
        reservation="Until May.",
        conflict_declared="My sister works there.",
    )


def test_list_begins_empty_and_says_what_will_stand_there(people):
    page = browser_of(people["coo"]).get(LIST).content.decode()
    assert "You have signed nothing yet" in page
    account = browser_of(people["coo"]).get("/account/").content.decode()
    assert f'<a href="{LIST}">None given yet</a>' in account


def test_list_has_every_signature_also_the_void(signed, frozen, people):
    workflow.decline(revision=frozen.revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    later = NOW + timedelta(hours=1)
    factories.frozen(frozen.revision, people, at=later)
    factories.cosigned(frozen.revision, people, "cro", at=later)
    browser = browser_of(people["coo"])
    page = browser.get(LIST)
    assert [(one.standing, one.live) for one in page.context["lines"]] == [("Void", False)]
    assert REASON in page.content.decode()
    assert (
        f'<a href="{LIST}">All 1, with their evidence</a>'
        in browser.get("/account/").content.decode()
    )
    theirs = browser_of(people["cro"]).get(LIST)
    assert [one.standing for one in theirs.context["lines"]] == ["Waits for the others"]


def test_signature_is_shown_in_full_and_proves_itself(signed, frozen, people):
    page = browser_of(people["coo"]).get(f"{LIST}{signed.pk}/").content.decode()

    for sha256 in (frozen.content_sha256, frozen.signing_copy_sha256):
        assert " ".join(sha256[i : i + 4] for i in range(0, 64, 4)) in page
    for words in (
        "Chief Operating Officer",
        signed.meaning,
        "Until May.",
        "My sister works there.",
        "What you consented to (version 2026-12)",
        consent.CURRENT.paragraphs[-1],
        "Passkey",
        "Opened the text",
        "Began to sign",
        "Confirmed",
        "The whole PDF",
        signed.evidence["proof"]["credential_id"],
        signed.evidence["proof"]["public_key"],
        "http://localhost",
        "It holds, and proves itself",
        "The stored signing copy is byte for byte the file that you opened.",
        "20 Nov 2026, 10:00 EST",
    ):
        assert words in page, words
    assert "Failed:" not in page


def test_password_is_the_registrys_word(frozen, people):
    factories.cosigned(frozen.revision, people, "coo")
    page = browser_of(people["coo"]).get(f"{LIST}{Signature.objects.get().pk}/").content.decode()
    assert "It holds by the registry’s word" in page
    assert "a passkey leaves such a proof" in page


def test_nobody_else_sees_it(signed, people):
    """Not another signer, not the Administrator, not the Auditor: there is no such page."""
    paths = ("", "evidence.json", "signing-copy.pdf", "sealed.pdf")
    for other in (people["cro"], people["administrator"], people["auditor"], PersonFactory()):
        for path in paths:
            assert browser_of(other).get(f"{LIST}{signed.pk}/{path}").status_code == 404
        assert browser_of(other).get(LIST).context["lines"] == []
    for path in paths:
        assert Client().get(f"{LIST}{signed.pk}/{path}").status_code == 302
    mine = browser_of(people["coo"])
    for path in ("0/", f"{10**30}/", "x/", "?page=x", "?page=-1", f"?page={10**30}"):
        assert mine.get(f"{LIST}{path}").status_code in (200, 404)


def test_second_account_of_the_same_human_being_sees_it(signed, people):
    other = PersonFactory(same_person_as=people["coo"])
    assert browser_of(other).get(f"{LIST}{signed.pk}/").status_code == 200


def test_files_are_those_that_were_signed_also_when_it_is_void(signed, frozen, people):
    workflow.decline(revision=frozen.revision, reason=REASON, acting_user=people["cfo"], at=NOW)
    browser = browser_of(people["coo"])
    copy = browser.get(f"{LIST}{signed.pk}/signing-copy.pdf")
    assert hashlib.sha256(copy.content).hexdigest() == signed.signing_copy_sha256
    assert browser.get(f"{LIST}{signed.pk}/sealed.pdf").status_code == 404
    page = browser.get(f"{LIST}{signed.pk}/").content.decode()
    assert "This signature is void since" in page
    assert REASON in page


def test_sealed_file_is_there_once_it_was_made(frozen, people):
    factories.cosigned(frozen.revision, people)
    factories.approved(frozen.revision, people)
    sealed = files.put(b"%PDF-1.7 sealed")
    Freeze.objects.update(sealed_sha256=sealed, sealed_at=NOW)
    mine = Signature.objects.get(office="ceo")
    browser = browser_of(people["ceo"])
    assert browser.get(f"{LIST}{mine.pk}/sealed.pdf").content == b"%PDF-1.7 sealed"
    page = browser.get(f"{LIST}{mine.pk}/").content.decode()
    assert "Your approval of" in page
    assert "Sealed PDF with all signatures" in page


def test_evidence_is_downloaded_as_it_was_stored(signed, people):
    answer = browser_of(people["coo"]).get(f"{LIST}{signed.pk}/evidence.json")
    assert answer["Content-Disposition"] == 'attachment; filename="NC-RB-1-coo-evidence.json"'
    assert "no-store" in answer["Cache-Control"]
    told = json.loads(answer.content)
    assert told["evidence_sha256"] == sha256_hex(canonical_json(told["evidence"]))
    assert all(one.holds for one in findings(told["evidence"], role="cosigner"))


def test_list_costs_the_same_for_one_and_many(frozen, people):
    browser = browser_of(people["coo"])
    factories.cosigned(frozen.revision, people, "coo")

    def queries():
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(LIST).status_code == 200
        return len(caught)

    one = queries()
    signature = Signature.objects.get()
    for number in range(24):
        signature.pk, signature.voided_at = None, NOW + timedelta(seconds=number)
        signature.intent_id = factories.forged_intent(frozen.revision, people["coo"]).pk
        signature.save(force_insert=True)
    assert Signature.objects.count() == 25
    assert queries() == one
    page = browser.get(LIST)
    assert len(page.context["lines"]) == 20
    assert len(browser.get(f"{LIST}?page=2").context["lines"]) == 5


# --- What does not hold -----------------------------------------------------------------------


def test_changed_evidence_is_found(signed):
    evidence = signed.evidence
    assert [one.holds for one in findings(evidence, role="cosigner")] == [True, True]
    assert [one.holds for one in findings(evidence, role="approver")] == [False]
    kept = evidence["proof"]
    for made in (
        {"proof": {**kept, "signature": kept["signature"][:-6] + "AAAAAA"}},
        {"proof": {**kept, "client_data_json": "e30"}},
        {"proof": {**kept, "challenge_text": kept["challenge_text"].replace("May", "June")}},
        {"proof": {**kept, "origin": "https://evil.example"}},
        {"content_sha256": "0" * 64},
        {"meaning": "I agree to nothing."},
        {"reservation": ""},
        {"conflict_declared": ""},
    ):
        assert [one.holds for one in findings({**evidence, **made}, role="cosigner")] == [False]
    assert findings({**evidence, "proof": {}}, role="cosigner") == []
    assert findings({}, role="cosigner") == []


def test_evidence_of_another_document_does_not_pass_for_this_one(signed, people):
    """An old assertion beside a new hash: the challenge still names the old one."""
    evidence = {**signed.evidence, "content_sha256": "ab" * 32}
    signed.evidence = evidence
    signed.content_sha256 = "ab" * 32
    signed.evidence_sha256 = sha256_hex(canonical_json(evidence))
    record = my_signatures.record_of(signed)
    assert not record.holds
    failed = [one.words for one in record.findings if not one.holds]
    assert failed == [
        "The document’s text no longer has the fingerprint that you signed.",
        "The passkey was asked for something else than what is recorded.",
    ]


def test_page_says_what_fails(signed, people, monkeypatch):
    def rotten(_sha256):
        raise ValueError("rotten")

    monkeypatch.setattr(files, "get", rotten)
    page = browser_of(people["coo"]).get(f"{LIST}{signed.pk}/").content.decode()
    assert "It does not hold" in page
    assert "The stored signing copy is no longer the file that you opened." in page


# --- Consent ----------------------------------------------------------------------------------


def test_consent_of_a_version_never_changes():
    """Signatures name these versions and hashes. A new word is a new version below the old ones."""
    assert {one.version: one.sha256 for one in consent._VERSIONS} == {
        "2026-12": "24c5f84405f23ee386159b6f902b923a329a37bd02186ed98a25c520fbf8fca1",
    }
    assert consent.consent_of("2026-11") is None
    assert consent.consent_sha256("2026-11") == ""


def test_passkey_signs_the_consent_too(signed):
    meant = json.loads(signed.evidence["proof"]["challenge_text"])
    assert meant["consent_sha256"] == consent.CURRENT.sha256
    assert signed.evidence["consent_sha256"] == consent.CURRENT.sha256
