"""Security events: which they are, who reads them, in which words, and how they are taken away."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from time_machine import travel

import audit
from audit.erasing import erase
from audit.models import ERASING_EVENT, Event
from people import accounts, invitations, security
from people.errors import NotYourOffice
from people.security_words import lines
from tests.boundaries.factories import appointed
from tests.people.factories import PASSWORD, PersonFactory

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
PAGE = "people:security"
EXPORT = "people:security_export"


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


@pytest.fixture
def reader(client, administrator):
    with travel(NOW, tick=True):
        client.force_login(administrator)
        yield client


def happened(name, actor=None, *, at=NOW, about=None, data=None, said="", ip=""):
    with transaction.atomic():
        return audit.record(
            name,
            at=at,
            actor=actor,
            object_type="person",
            object_id=str(about.pk) if about else "",
            data=data or {},
            personal_text=said,
            ip=ip,
        )


def words_of(event):
    (line,) = lines([event])
    return line.sentence


def shown(response):
    """The events of the page: (number, who and what)."""
    body = response.content.decode()
    if "<tbody>" not in body:
        return []
    cells = [
        [
            " ".join(re.sub(r"<[^>]+>", "", cell).split())
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, flags=re.DOTALL)
        ]
        for row in body.split("<tbody>")[1].split("</tbody>")[0].split("</tr>")
        if "<td" in row
    ]
    return [(int(row[0]), *row[1:]) for row in cells]


# --- Which --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("session.signed_in", True),
        ("factor.added", True),
        ("password.reset", True),
        ("invitation.sent", True),
        ("person.deactivated", True),
        ("appointment.recorded", True),
        ("office.added", True),
        ("token.issued", True),
        ("export.made", True),
        ("revision.frozen", False),
        ("row.edited", False),
        ("session", True),
        ("sessions.merged", False),
    ],
)
def test_which_events_are_security_events(db, name, is_one):
    assert security.is_security_event(name) is is_one
    if "." in name:
        event = happened(name)
        assert list(security.events(security.Filter())) == ([event] if is_one else [])


def test_newest_first_and_of_one_person(everybody):
    maya, daniel = everybody["cro"], everybody["coo"]
    appointed(maya, "auditor")
    mine = happened("session.signed_in", maya, about=maya)
    tried = happened("session.sign_in_failed", None, about=maya)
    happened("session.signed_in", daniel, about=daniel)
    found = list(security.events(security.Filter(person=maya)))
    assert found[:2] == [tried, mine]
    # Her appointment was recorded by nobody signed in, and concerns her all the same.
    assert [one.event for one in found[2:]] == ["appointment.recorded"]


def test_days_are_those_of_the_readers_zone(db):
    late = happened("session.signed_in", at=datetime(2026, 11, 20, 4, 30, tzinfo=UTC))
    with timezone.override("America/New_York"):  # 23:30 on the 19th
        assert list(security.events(security.Filter(last_day=date(2026, 11, 19)))) == [late]
        assert not security.events(security.Filter(first_day=date(2026, 11, 20)))
    with timezone.override("Europe/Vienna"):  # 05:30 on the 20th
        assert list(security.events(security.Filter(first_day=date(2026, 11, 20)))) == [late]
        assert not security.events(security.Filter(last_day=date(2026, 11, 19)))


def test_kinds_are_told_apart(db):
    happened("session.signed_in")
    added = happened("factor.added")
    assert list(security.events(security.Filter(kind="factor"))) == [added]
    assert security.events(security.Filter(kind="nonsense")).count() == 2


# --- In words -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "signed_in", "data", "says"),
    [
        (
            "session.signed_in",
            True,
            {"method": "passkey", "device": "Firefox on Windows"},
            "Maya Lindqvist signed in with a passkey, Firefox on Windows",
        ),
        (
            "session.signed_in",
            True,
            {"method": "single sign-on"},
            "Maya Lindqvist signed in with single sign-on",
        ),
        (
            "session.sign_in_failed",
            False,
            {"stage": "password"},
            "Somebody tried a wrong password for the account of Maya Lindqvist",
        ),
        (
            "session.sign_in_failed",
            False,
            {"stage": "code", "deactivated": True},
            "Somebody tried a wrong code for the account of Maya Lindqvist, which is deactivated",
        ),
        (
            "session.expired",
            True,
            {"why": "idle"},
            "Maya Lindqvist was signed out: it was not used",
        ),
        ("factor.added", True, {"type": "webauthn"}, "Maya Lindqvist added a passkey"),
        ("factor.removed", True, {"type": "totp"}, "Maya Lindqvist removed a code generator"),
        (
            "factor.recovery_code_used",
            True,
            {"left": 9},
            "Maya Lindqvist used a recovery code (9 are left)",
        ),
        ("password.changed", True, {}, "Maya Lindqvist changed their password"),
        ("person.gone_fishing", True, {}, "Maya Lindqvist gone fishing (person)"),
    ],
)
def test_each_event_is_a_sentence(everybody, name, signed_in, data, says):
    maya = everybody["cro"]
    event = happened(name, maya if signed_in else None, about=maya, data=data)
    assert words_of(event) == says


def test_a_stranger_is_somebody_and_the_registry_itself(db):
    failed = happened("session.sign_in_failed", data={"stage": "password"})
    assert words_of(failed).startswith("Somebody tried to sign in with a wrong password")
    assert words_of(happened("export.made", data={"rows": 3})).startswith("The registry exported")


def test_invitations_and_accounts_are_told_by_name(everybody, administrator):
    invitation, _link = invitations.invite(
        name="Nadia Haddad", email="nadia@northwind.example", acting_user=administrator, at=NOW
    )
    nadia = invitations.accept(invitation=invitation, password="a quiet harbour in spring", at=NOW)
    accounts.link(
        person=nadia, to=everybody["cro"], reason="One", acting_user=administrator, at=NOW
    )
    accounts.deactivate(person=nadia, reason="Left us", acting_user=administrator, at=NOW)
    told = lines(list(security.events(security.Filter())[:4]))
    both = "the accounts of Nadia Haddad and Maya Lindqvist"
    assert [(line.sentence, line.said) for line in told] == [
        ("Joan Petit deactivated the account of Nadia Haddad", "Left us"),
        (f"Joan Petit linked {both}: they count as one person", "One"),
        (
            "Nadia Haddad accepted the invitation and chose a password",
            "nadia@northwind.example",
        ),
        ("Joan Petit invited Nadia Haddad", "nadia@northwind.example"),
    ]


def test_appointments_are_told_with_office_and_days(everybody):
    appointed(everybody["cro"], "auditor")
    event = Event.objects.filter(event="appointment.recorded").get()
    assert words_of(event).endswith("recorded Maya Lindqvist as Auditor, from 1 Jan 2026")


def test_what_was_erased_is_not_shown(reader, everybody):
    event = happened("person.deactivated", about=everybody["cro"], said="A secret reason")
    by = happened(ERASING_EVENT, about=everybody["cro"])
    with transaction.atomic():
        erase([event.sequence], by=by, at=NOW)
    (line,) = lines([event])
    assert (line.said, line.erased_at) == ("", NOW)
    page = reader.get(reverse(PAGE)).content.decode()
    assert "Erased on 20 Nov 2026." in page
    assert "A secret reason" not in page
    exported = b"".join(reader.post(reverse(EXPORT)).streaming_content).decode()
    assert "erased on 2026-11-20 UTC" in exported


def test_places_are_compared_never_shown(everybody):
    maya, daniel = everybody["cro"], everybody["coo"]
    first = happened("session.signed_in", maya, about=maya, ip="203.0.113.9")
    again = happened("session.signed_in", maya, about=maya, ip="203.0.113.9")
    other = happened("session.signed_in", maya, about=maya, ip="198.51.100.7")
    hers = happened("session.signed_in", daniel, about=daniel, ip="203.0.113.9")
    nowhere = happened("session.signed_out", maya, about=maya)
    assert [line.place for line in lines([first, again, other, hers, nowhere])] == [
        "new place",
        f"same place as event {first.sequence}",
        "new place",
        "new place",
        "",
    ]


def test_lately_tells_the_last_of_ones_own_without_reasons(everybody, administrator):
    maya = everybody["cro"]
    for number in range(5):
        happened("session.signed_in", maya, about=maya, data={"device": f"Browser {number}"})
    happened("person.reactivated", administrator, about=maya, said="She is back")
    found = security.lately(maya, 3)
    assert [line.said for line in found] == ["", "", ""]
    assert [line.words for line in found] == [
        "reactivated the account of Maya Lindqvist",
        "signed in, Browser 4",
        "signed in, Browser 3",
    ]


# --- The page -----------------------------------------------------------------------------------


def test_the_page_shows_the_newest_first_in_the_readers_zone(reader, everybody, administrator):
    maya = everybody["cro"]
    event = happened("session.signed_in", maya, about=maya, data={"method": "passkey"})
    page = reader.get(reverse(PAGE))
    rows = shown(page)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
    assert (event.sequence, "20 Nov 2026, 10:00 EST") == next(
        row[:2] for row in rows if row[0] == event.sequence
    )
    administrator.time_zone = "Europe/Vienna"
    administrator.save()
    assert "20 Nov 2026, 16:00 CET" in reader.get(reverse(PAGE)).content.decode()


def test_the_page_filters(reader, everybody):
    maya = everybody["cro"]
    old = happened("factor.added", maya, about=maya, at=NOW - timedelta(days=40))
    new = happened("factor.added", maya, about=maya)
    happened("factor.added", everybody["coo"], about=everybody["coo"])
    asked = {"person": maya.pk, "kind": "factor"}
    assert [row[0] for row in shown(reader.get(reverse(PAGE), asked))] == [
        new.sequence,
        old.sequence,
    ]
    asked["first_day"] = "2026-11-01"
    assert [row[0] for row in shown(reader.get(reverse(PAGE), asked))] == [new.sequence]
    asked = {"kind": "token"}
    assert "No event passes this filter" in reader.get(reverse(PAGE), asked).content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"person": "999999999"},
        {"kind": "revision"},
        {"first_day": "yesterday"},
        {"first_day": "0001-01-01"},
        {"last_day": "9999-12-31"},
        {"first_day": "2026-11-02", "last_day": "2026-11-01"},
    ],
)
def test_a_filter_that_cannot_be_read_shows_nothing_and_says_so(reader, wrong):
    page = reader.get(reverse(PAGE), wrong)
    assert page.status_code == 422
    assert shown(page) == [] and "No event is shown" in page.content.decode()


def test_the_page_asks_the_same_number_of_questions_for_many(
    reader, everybody, administrator, django_assert_num_queries
):
    def add(number):
        person = PersonFactory(name=f"Kim {number}")
        ip = f"203.0.113.{number}"
        happened("session.signed_in", person, about=person, ip=ip)
        happened("person.deactivated", administrator, about=person, said="Left", ip=ip)

    add(0)
    reader.get(reverse(PAGE))
    with CaptureQueriesContext(connection) as few:
        reader.get(reverse(PAGE))
    for number in range(1, 60):
        add(number)
    with django_assert_num_queries(len(few)):
        page = reader.get(reverse(PAGE))
    assert len(shown(page)) == 50
    second = reader.get(reverse(PAGE), {"page": 2, "kind": "session"})
    assert "kind=session" in second.content.decode()


@pytest.mark.parametrize(
    ("office", "status"),
    [
        ("ceo", 200),
        ("corporate_secretary", 200),
        ("auditor", 200),
        ("administrator", 200),
        ("cro", 403),
        ("cfo", 403),
        ("revops_lead", 403),
        ("member", 403),
    ],
)
def test_who_reads_security_events(client, everybody, office, status):
    client.force_login(everybody[office])
    page = client.get(reverse(PAGE))
    assert page.status_code == status
    before = Event.objects.count()
    answer = client.post(reverse(EXPORT), {})
    assert answer.status_code == status
    assert Event.objects.count() == before + (status == 200)
    if status == 403:
        assert "may read security events" in page.content.decode()


# --- Taking them away ---------------------------------------------------------------------------


def exported(reader, **asked):
    answer = reader.post(reverse(EXPORT), asked)
    text = b"".join(answer.streaming_content).decode()
    return answer, list(csv.DictReader(io.StringIO(text)))


def test_an_export_streams_the_filter_and_is_an_event_itself(reader, everybody, administrator):
    maya = everybody["cro"]
    event = happened("factor.added", maya, about=maya, data={"type": "totp"}, ip="203.0.113.9")
    happened("session.signed_in", maya, about=maya)
    before = Event.objects.count()
    answer, rows = exported(reader, kind="factor", first_day="2026-11-01")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="security-events-2026')
    assert "no-store" in answer["Cache-Control"]
    assert rows == [
        {
            "event": str(event.sequence),
            "time_utc": "2026-11-20T15:00:00.000000Z",
            "name": "factor.added",
            "who": "Maya Lindqvist",
            "office": "",
            "what_happened": "added a code generator",
            "said": "",
            "place": "new place",
        }
    ]
    assert Event.objects.count() == before + 1
    made = Event.objects.latest("sequence")
    assert (made.event, made.actor_id, made.office) == (
        "export.made",
        administrator.pk,
        "administrator",
    )
    assert made.data == {
        "what": "security events",
        "rows": 1,
        "filter": {
            "person_id": None,
            "kind": "factor",
            "first_day": "2026-11-01",
            "last_day": None,
            "zone": "America/New_York",
        },
    }


def test_an_export_holds_as_many_rows_as_it_says(reader, everybody, monkeypatch):
    monkeypatch.setattr(security, "_AT_ONCE", 3)  # several pages, none twice, none left out
    maya = everybody["cro"]
    for _ in range(10):
        happened("session.signed_in", maya, about=maya)
    _answer, rows = exported(reader)
    made = Event.objects.latest("sequence")
    assert len(rows) == made.data["rows"]
    numbers = [int(row["event"]) for row in rows]
    assert numbers == sorted(set(numbers), reverse=True)
    assert made.sequence not in numbers
    assert all(security.is_security_event(row["name"]) for row in rows)


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_export_runs_no_formula(reader, everybody, formula):
    name = f"{formula.strip()} Evil"
    person = PersonFactory(name=name, email="evil@northwind.example")
    happened("person.deactivated", person, about=person, said=formula)
    _answer, rows = exported(reader, kind="person")
    assert rows[0]["who"] == f"'{name}"
    assert rows[0]["said"] == f"'{formula}"


def test_an_export_with_a_broken_filter_takes_nothing(reader, everybody):
    before = Event.objects.count()
    assert reader.post(reverse(EXPORT), {"kind": "revision"}).status_code == 422
    assert reader.get(reverse(EXPORT)).status_code == 405
    assert Event.objects.count() == before


def test_export_asks_for_the_office_itself(everybody):
    with pytest.raises(NotYourOffice):
        security.export(wanted=security.Filter(), acting_user=everybody["cro"], at=NOW)


def test_signing_in_for_real_appears_on_the_page(client, everybody):
    client.post(
        reverse("account_login"),
        {"login": everybody["administrator"].email, "password": PASSWORD},
    )
    rows = shown(client.get(reverse(PAGE)))
    assert rows[0][2].startswith("Joan Petit signed in with a password")
