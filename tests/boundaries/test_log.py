"""The log as people read it: who may, filtered, proved, exported, compared."""

import csv
import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

import audit
from audit import checkpoints, protection
from audit.models import Checkpoint, Event, LogCheck
from boundaries import log_reading
from boundaries.models import Document
from people.calendar import company_date
from people.errors import NotYourOffice
from people.offices import ADMINISTRATOR, AUDITOR, CORPORATE_SECRETARY
from people.security_words import _by_name
from sealing import checkpoint, log_entry, merkle
from tests.audit.test_checkpoints import rewrite_head, tampered
from tests.boundaries import stages
from tests.people.factories import PersonFactory, appointed_at_once

pytestmark = pytest.mark.django_db

URL = "/log/"


@pytest.fixture
def people(executives):
    """The executives, and who keeps the log."""
    keepers = {
        AUDITOR: PersonFactory(name="Kenji Mori"),
        CORPORATE_SECRETARY: PersonFactory(name="Ruth Adeyemi"),
        ADMINISTRATOR: PersonFactory(name="Tom Berg"),
    }
    appointed_at_once(keepers)
    return {**executives, **keepers}


@pytest.fixture
def walked(people, signing_keys):
    """A company boundary that went as far as the CEO, and what it left in the log."""
    return stages.awaiting_approval(people, at=timezone.now())


@pytest.fixture
def auditor(client, people):
    client.force_login(people[AUDITOR])
    return client


def record(name="row.edited", *, by=None, **more):
    values = {"object_type": "row", "object_id": "1", **more}
    return audit.record(name, at=timezone.now(), actor=by, **values)


def sequences(answer):
    return [told.event.sequence for _, events in answer.context["days"] for told in events]


# --- Who reads what ---------------------------------------------------------------------------


@pytest.mark.parametrize("office", ["ceo", AUDITOR, CORPORATE_SECRETARY])
def test_keepers_read_the_whole_log(client, people, walked, office):
    client.force_login(people[office])

    answer = client.get(URL)

    assert answer.status_code == 200
    assert answer.context["page"].paginator.count == Event.objects.count()


@pytest.mark.parametrize("office", ["member", "revops_lead", ADMINISTRATOR])
def test_others_are_told_who_may(client, people, walked, office):
    client.force_login(people[office])
    event = Event.objects.first().sequence

    for path in (URL, f"{URL}events/{event}/", f"{URL}events/{event}/proof.json"):
        assert client.get(path).status_code == 403, path
    for path in ("export/", "check/", "compare/"):
        assert client.post(f"{URL}{path}", {"form": "csv"}).status_code == 403, path
    assert not Event.objects.filter(event="export.made").exists()
    with pytest.raises(NotYourOffice, match="read the audit log"):
        log_reading.scope_of(people[office], on=company_date(timezone.now()))


def test_a_visitor_signs_in_first(client, db):
    assert client.get(URL).url.startswith("/accounts/login/")


def test_a_party_reads_the_events_of_its_documents_and_no_others(client, people, walked):
    secret = record("session.signed_in", by=people["coo"], object_type="person", object_id="9")
    client.force_login(people["cro"])

    answer = client.get(URL)
    names = {told.event.event for _, events in answer.context["days"] for told in events}

    assert {"revision.cosigned", "revision.frozen"} <= names
    assert "session.signed_in" not in names
    assert client.get(f"{URL}events/{secret.sequence}/").status_code == 404
    assert client.get(f"{URL}?event=session.signed_in").context["page"].paginator.count == 0
    assert b"Check the whole log now" not in answer.content
    assert client.post(f"{URL}compare/").status_code == 403


def test_a_further_office_reads_only_where_it_owns_a_row(client, people, walked):
    from people.models import Office

    cmo, _ = Office.objects.get_or_create(
        key="cmo", defaults={"title": "Chief Marketing Officer", "short": "CMO", "position": 40}
    )
    Office.objects.filter(pk=cmo.pk).update(co_signing=True, established=True)
    person = PersonFactory(name="Ines Duarte")
    appointed_at_once({"cmo": person})
    client.force_login(person)

    assert client.get(URL).context["page"].paginator.count == 0
    other = stages.part_document(people, number="NC-MK", function_keys=["deal_desk"])
    protection.drop_all()
    other.rows.update(owner="cmo")

    found = client.get(URL).context["page"].object_list
    assert {log_reading.reference_of(one) for one in found} == {"NC-MK-1"}


# --- The page ---------------------------------------------------------------------------------


def test_every_event_of_a_walk_is_told_in_a_sentence(auditor, walked):
    """None by its bare name, which is what an event without a sentence gets."""
    told = log_reading.told(list(Event.objects.all()))

    bare = {one.event.event for one in told if one.line.words == _by_name(one.event, None)}
    assert bare == set()
    words = {one.event.event: one.line.sentence for one in told}
    assert words["revision.frozen"] == "Maya Lindqvist froze NC-RB-1 for signing"
    assert words["revision.cosigned"].startswith("Priya Raman signed NC-RB-1")


def test_rows_lead_to_what_they_are_about(auditor, walked):
    where = {one.event.event: one.where for one in log_reading.told(list(Event.objects.all()))}

    assert where["revision.frozen"].url == walked.get_absolute_url()
    assert where["signing.begun"].words == "NC-RB-1"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({"event": "revision.cosigned"}, {"revision.cosigned"}),
        ({"kind": "catalog"}, {"function.renamed"}),
        ({"object_type": "function", "object_id": "deal_desk"}, {"function.renamed"}),
        ({"words": "deal_desk_alias"}, {"function.renamed"}),
        ({"words": "KENJI"}, {"function.renamed"}),
        ({"first_day": "2990-01-01"}, set()),
        ({"last_day": "1990-01-01"}, set()),
        ({"words": "nothing like it"}, set()),
    ],
)
def test_filters_let_through_what_was_asked_for(auditor, people, walked, query, wanted):
    record(
        "function.renamed", by=people[AUDITOR], object_type="function", object_id="deal_desk",
        data={"from": "deal_desk_alias"},
    )  # fmt: skip

    answer = auditor.get(URL, query)

    found = {told.event.event for _, events in answer.context["days"] for told in events}
    assert found == wanted
    assert answer.context["filtered"]
    if not wanted:
        assert b"No event passes this filter" in answer.content


def test_filters_by_person_and_document(auditor, people, walked):
    other = stages.part_document(people, number="NC-RB-X", function_keys=["deal_desk"])
    of_person = auditor.get(URL, {"person": people["coo"].pk}).context["page"].object_list
    of_document = auditor.get(URL, {"document": "NC-RB"}).context["page"].object_list

    assert {one.actor_name for one in of_person} == {"Daniel Osei"}
    references = {log_reading.reference_of(one) for one in of_document}
    assert references == {"NC-RB-1"}
    assert other.reference not in references


@pytest.mark.parametrize(
    "query",
    [
        {"first_day": "yesterday"},
        {"first_day": "2026-12-03", "last_day": "2026-12-02"},
        {"document": "NC-NONE"},
        {"kind": "everything"},
        {"person": "x"},
        {"words": "x" * 200},
        {"first_day": "0001-01-01"},
    ],
)
def test_a_filter_that_cannot_be_read_says_so_and_shows_nothing(auditor, walked, query):
    answer = auditor.get(URL, query)

    assert answer.status_code == 422
    assert sequences(answer) == []
    assert answer.context["form"].errors


def test_a_long_log_comes_in_pages_of_equal_cost(
    auditor, people, signing_keys, django_assert_max_num_queries
):
    for _ in range(5):
        record(by=people["cro"], data={"revision": "NC-RB-1", "place": "Row 4.1, Deal desk"})
    with django_assert_max_num_queries(40) as few:
        auditor.get(URL)
    for _ in range(60):
        record(by=people["cro"], data={"revision": "NC-RB-1", "place": "Row 4.1, Deal desk"})
    with django_assert_max_num_queries(len(few)):
        answer = auditor.get(URL)

    assert len(sequences(answer)) == 50
    assert answer.context["page"].paginator.num_pages == 2
    assert len(sequences(auditor.get(f"{URL}?page=2"))) > 0


def test_an_empty_log_says_what_will_appear(auditor):
    assert b"Nothing has happened yet" in auditor.get(URL).content


def test_the_page_says_whether_the_log_is_whole(auditor, people, walked):
    assert b"Not checked yet" in auditor.get(URL).content
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    LogCheck.objects.create(
        made_at=timezone.now(), why="hand", size=3, root="00" * 32, checkpoints=0, faults=[]
    )
    sound = auditor.get(URL).content.decode()
    assert "Every event is what it was" in sound
    assert "The log signed what it says" in sound
    LogCheck.objects.create(
        made_at=timezone.now(), why="hand", size=3, root="00" * 32, checkpoints=0,
        faults=["Event 2 does not match its own hash.", "And so on."],
    )  # fmt: skip
    broken = auditor.get(URL).content.decode()
    assert "The log is not what it was" in broken
    assert "Event 2 does not match its own hash. And 1 more." in broken


def test_the_log_is_linked_for_those_who_may_read_it(client, people):
    for office, bar, foot in ((AUDITOR, 1, 1), ("cro", 0, 1), ("member", 0, 0)):
        client.force_login(people[office])
        page = client.get("/boundaries/").content.decode()
        nav, _, rest = page.partition("</nav>")
        assert nav.count('href="/log/"') == bar, office
        assert rest.count('href="/log/"') == foot, office


# --- One event --------------------------------------------------------------------------------


def test_an_event_shows_its_proof_against_the_newest_checkpoint(auditor, walked):
    made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    sequence = Event.objects.get(event="revision.frozen").sequence

    answer = auditor.get(f"{URL}events/{sequence}/")

    inclusion = answer.context["inclusion"]
    assert inclusion.holds
    assert merkle.verify_inclusion(
        inclusion.leaf, sequence - 1, made.size, inclusion.proof, bytes.fromhex(made.root)
    )
    assert b"Yes, unchanged" in answer.content


def test_a_stranger_checks_one_event_with_what_the_page_gives(auditor, walked):
    """With nothing but the file and the public key: no database, no code of the apps."""
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    sequence = Event.objects.get(event="revision.frozen").sequence
    verifier = checkpoint.LogVerifier.from_text(auditor.get(f"{URL}key").content.decode())

    file = json.loads(auditor.get(f"{URL}events/{sequence}/proof.json").content)

    said = checkpoint.verify(file["checkpoint"], verifier)
    place = file["event"]["inclusion"]
    leaf = log_entry.leaf_of(file["event"])
    assert place["size"] == said.size
    proof = [bytes.fromhex(one) for one in place["proof"]]
    assert merkle.verify_inclusion(leaf, place["index"], said.size, proof, said.root)
    forged = log_entry.leaf_of(file["event"] | {"actor_name": "Somebody Else"})
    assert not merkle.verify_inclusion(forged, place["index"], said.size, proof, said.root)


def test_an_event_that_is_newer_than_the_checkpoint_says_that_it_waits(auditor, walked):
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    late = record()

    answer = auditor.get(f"{URL}events/{late.sequence}/")

    assert b"It waits for the next checkpoint" in answer.content
    file = json.loads(auditor.get(f"{URL}events/{late.sequence}/proof.json").content)
    assert file["event"]["inclusion"] is None


def test_a_changed_event_does_not_prove(auditor, walked):
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    frozen = Event.objects.get(event="revision.frozen")
    assert auditor.get(f"{URL}events/{frozen.sequence}/").context["inclusion"].holds
    protection.drop_all()
    tampered(frozen.sequence, actor_name="Somebody Else")
    rewrite_head()

    answer = auditor.get(f"{URL}events/{frozen.sequence}/")

    assert not answer.context["inclusion"].holds
    assert b"This event is not what was signed" in answer.content


def test_there_is_no_page_of_an_event_that_is_not_there(auditor, walked):
    assert auditor.get(f"{URL}events/999999/").status_code == 404


# --- Export -----------------------------------------------------------------------------------


def body(answer):
    return b"".join(answer.streaming_content).decode()


def test_an_export_as_csv_has_the_filtered_events_and_is_an_event(auditor, people, walked):
    answer = auditor.post(f"{URL}export/", {"form": "csv", "event": "revision.cosigned"})

    rows = list(csv.DictReader(io.StringIO(body(answer))))
    assert [row["who"] for row in rows] == ["Maya Lindqvist", "Daniel Osei", "Priya Raman"]
    assert {row["about"] for row in rows} == {"NC-RB-1"}
    taken = Event.objects.get(event="export.made")
    assert taken.actor_id == people[AUDITOR].pk
    assert (taken.data["rows"], taken.data["form"]) == (3, "csv")
    assert taken.data["filter"]["event"] == "revision.cosigned"


def test_what_a_table_would_take_for_a_formula_is_text(auditor, people):
    record("row.commented", by=people["cro"], personal_text="=HYPERLINK(1)")

    rows = list(csv.DictReader(io.StringIO(body(auditor.post(f"{URL}export/", {"form": "csv"})))))

    assert rows[0]["said"] == "'=HYPERLINK(1)"


def test_an_export_as_json_lines_can_be_checked_line_by_line(auditor, people, walked):
    record("row.commented", by=people["cro"], personal_text="Why so?")
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    late = record()

    head, *lines = [
        json.loads(one)
        for one in body(auditor.post(f"{URL}export/", {"form": "jsonl"})).splitlines()
    ]

    verifier = checkpoint.LogVerifier.from_text(auditor.get(f"{URL}key").content.decode())
    said = checkpoint.verify(head["checkpoint"], verifier)
    assert len(lines) == late.sequence
    for line in lines:
        leaf = log_entry.leaf_of(line)
        assert leaf.hex() == line["leaf_hash"]
        if line["sequence"] > said.size:
            assert line["inclusion"] is None
            continue
        proof = [bytes.fromhex(one) for one in line["inclusion"]["proof"]]
        place = line["sequence"] - 1
        assert merkle.verify_inclusion(leaf, place, said.size, proof, said.root)
    spoken = next(line for line in lines if line["personal"] and line["event"] == "row.commented"
                  and line["personal"]["text"] == "Why so?")  # fmt: skip
    opened = log_entry.personal_commitment(**spoken["personal"])
    assert opened == spoken["personal_commitment"]


def test_a_party_exports_its_documents_only(client, people, walked):
    record("session.signed_in", by=people["coo"], object_type="person", object_id="9")
    client.force_login(people["cro"])

    rows = list(csv.DictReader(io.StringIO(body(client.post(f"{URL}export/", {"form": "csv"})))))

    assert rows
    assert {row["about"] for row in rows} == {"NC-RB-1"}
    assert Event.objects.get(event="export.made").office == "cro"


@pytest.mark.parametrize("data", [{"form": "xml"}, {"form": "csv", "first_day": "soon"}])
def test_an_export_that_cannot_be_read_takes_nothing(auditor, walked, data):
    assert auditor.post(f"{URL}export/", data).status_code == 422
    assert not Event.objects.filter(event="export.made").exists()


# --- Checking and comparing -------------------------------------------------------------------


def test_the_auditor_has_the_log_checked_once_a_minute(
    auditor, people, walked, tasks_at_once, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        auditor.post(f"{URL}check/")
    again = auditor.post(f"{URL}check/", follow=True)

    made = LogCheck.objects.get()
    assert (made.why, made.sound) == (LogCheck.Why.HAND, True)
    asked = Event.objects.get(event="log.check_asked")
    assert (asked.actor_name, asked.office) == ("Kenji Mori", AUDITOR)
    assert b"being checked already" in again.content


def test_a_party_has_nothing_checked(client, people, walked):
    client.force_login(people["cro"])
    answer = client.post(f"{URL}check/", follow=True)

    assert b"ask the Auditor" in answer.content
    assert not Event.objects.filter(event="log.check_asked").exists()


def compared(client, text, name="note.txt"):
    file = SimpleUploadedFile(name, text.encode())
    return client.post(f"{URL}compare/", {"file": file})


def test_a_checkpoint_that_is_held_agrees_or_tells(auditor, walked):
    made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    record()
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())

    answer = compared(auditor, f"Dear auditor,\n\n{made.note}\n")
    assert answer.context["compared"].sound
    assert f"the first {made.size} events are unchanged" in answer.content.decode()

    protection.drop_all()
    tampered(2, actor_name="Somebody Else")
    rewrite_head()
    Checkpoint.objects.all().delete()
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    answer = compared(auditor, made.note)
    assert not answer.context["compared"].sound
    assert "was signed for other events" in answer.content.decode()


def test_a_checkpoint_of_a_longer_log_tells_that_the_end_was_cut(auditor, walked):
    record()
    made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    protection.drop_all()
    Event.objects.filter(sequence=made.size).delete()
    Checkpoint.objects.all().delete()
    rewrite_head()
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())

    assert "its end was cut" in compared(auditor, made.note).content.decode()


def test_what_is_no_checkpoint_is_told(auditor, walked):
    assert "holds neither a sealed PDF nor a checkpoint" in compared(auditor, "x").content.decode()
    answer = auditor.post(f"{URL}compare/", {})
    assert answer.status_code == 422
    assert b"Choose a file first." in answer.content


# --- For everybody ----------------------------------------------------------------------------


def test_checkpoint_and_key_are_public_and_tell_nothing_of_the_events(client, walked):
    assert client.get(f"{URL}checkpoint").status_code == 404
    made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())

    note = client.get(f"{URL}checkpoint")
    assert note.content.decode() == made.note
    assert note["Content-Type"] == "text/plain; charset=utf-8"
    verifier = checkpoint.LogVerifier.from_text(client.get(f"{URL}key").content.decode())
    assert checkpoint.verify(note.content.decode(), verifier).size == made.size
    assert client.get(f"{URL}key.pem").content.startswith(b"-----BEGIN CERTIFICATE-----")


def test_without_keys_there_is_no_key_to_publish(client, db, settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "none"
    assert client.get(f"{URL}key").status_code == 404
    assert client.get(f"{URL}key.pem").status_code == 404


# --- API --------------------------------------------------------------------------------------


def test_the_api_gives_what_the_page_gives(auditor, client, people, walked):
    checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())
    page = auditor.get(URL, {"kind": "signing"})

    found = auditor.get("/api/v1/log/events/", {"kind": "signing"}).json()

    assert [one["sequence"] for one in found["results"]] == sequences(page)
    sequence = found["results"][0]["sequence"]
    one = auditor.get(f"/api/v1/log/events/{sequence}/").json()
    assert one == json.loads(auditor.get(f"{URL}events/{sequence}/proof.json").content)
    assert auditor.get("/api/v1/log/events/", {"first_day": "soon"}).status_code == 400
    assert auditor.get("/api/v1/log/events/999999/").status_code == 404
    client.force_login(people["member"])
    assert client.get("/api/v1/log/events/").status_code == 403
    client.force_login(people["cro"])
    mine = client.get("/api/v1/log/events/").json()
    assert mine["count"] == client.get(URL).context["page"].paginator.count


def test_the_api_gives_the_newest_checkpoint_to_everybody(client, walked):
    path = reverse("api-log-checkpoint")
    assert client.get(path).status_code == 404
    made = checkpoints.issue(why=Checkpoint.Why.HAND, at=timezone.now())

    found = client.get(path).json()

    verifier = checkpoint.LogVerifier.from_text(found["verifier_key"])
    assert checkpoint.verify(found["checkpoint"], verifier).size == found["size"] == made.size


def test_documents_offered_are_those_that_may_be_read(client, people, walked):
    client.force_login(people["cro"])
    offered = client.get(URL).context["form"].fields["document"].queryset
    assert list(offered) == list(Document.objects.all())
