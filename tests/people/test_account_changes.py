"""Deactivating, reactivating and linking accounts: what ends, what stays, who may not."""

from datetime import UTC, date, datetime

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from knox.models import AuthToken

from audit.models import Event, PersonalText
from notifications.models import OutgoingMail
from people import accounts
from people.errors import NotYourOffice
from people.models import Appointment, Office, Person
from people.queries import accounts_of, holder_of, same_human
from people.signals import person_deactivated
from tests.boundaries.factories import acting
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import PASSWORD, PersonFactory

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = date(2026, 11, 20)


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


def change(verb, person, administrator, **more):
    return verb(person=person, reason="She left us.", acting_user=administrator, at=NOW, **more)


def signed_in(client, person):
    """A session by the sign-in page, as people have it, with its row beside it."""
    answer = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302
    assert client.get(reverse("functions_catalog:lookup")).status_code == 200
    return client


def counted():
    return Event.objects.count(), OutgoingMail.objects.count()


def last_event():
    return Event.objects.latest("sequence")


# --- Deactivating -----------------------------------------------------------------------------


def test_deactivate_closes_the_account(everybody, administrator):
    maya = everybody["cro"]
    before = Event.objects.count()
    person = change(accounts.deactivate, maya, administrator)
    assert (person.is_active, person.deactivated_at, person.deactivated_by) == (
        False,
        NOW,
        administrator,
    )
    assert Event.objects.count() == before + 1
    event = last_event()
    assert (event.event, event.actor_id, event.office, event.object_type, event.object_id) == (
        "person.deactivated",
        administrator.pk,
        "administrator",
        "person",
        str(maya.pk),
    )
    assert event.data == {"sessions": 0, "tokens": 0}
    assert PersonalText.objects.get(sequence=event.sequence).text == "She left us."
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.address) == ("account-deactivated", maya.email)
    assert "Joan Petit has deactivated your account." in mail.text
    assert mail.person_id is None  # to the address: the account gets no mail any more


def test_the_offices_of_a_deactivated_person_are_vacant(everybody, administrator):
    change(accounts.deactivate, everybody["cro"], administrator)
    assert holder_of("cro", on=TODAY) is None
    assert Appointment.objects.get(office__key="cro").ends_on is None  # history is not rewritten


def test_deactivate_ends_sessions_and_tokens_in_the_same_moment(client, everybody, administrator):
    maya = everybody["cro"]
    signed_in(client, maya)
    other = signed_in(type(client)(), maya)
    daniel = signed_in(type(client)(), everybody["coo"])
    _made, token = AuthToken.objects.create(user=maya)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    assert client.get("/api/v1/functions/", **bearer).status_code == 200
    keys = [client.session.session_key, other.session.session_key]
    assert Session.objects.filter(session_key__in=keys).count() == 2

    accounts.deactivate(person=maya, reason="Left", acting_user=administrator, at=timezone.now())

    assert last_event().data == {"sessions": 2, "tokens": 1}
    assert not Session.objects.filter(session_key__in=keys).exists()
    assert not UserSession.objects.filter(user=maya).exists()
    assert not AuthToken.objects.filter(user=maya).exists()
    for browser in (client, other):
        answer = browser.get(reverse("functions_catalog:lookup"))
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))
    assert type(client)().get("/api/v1/functions/", **bearer).status_code == 401
    assert daniel.get(reverse("functions_catalog:lookup")).status_code == 200


def test_the_browser_that_was_signed_in_is_told_that_it_is_not(client, everybody, administrator):
    signed_in(client, everybody["cro"])
    change(accounts.deactivate, everybody["cro"], administrator)
    said = "You were signed out. Nothing you had begun was signed or saved."
    page = client.get(reverse("functions_catalog:lookup"), follow=True)
    assert said in page.content.decode()
    assert said not in client.get(reverse("account_login")).content.decode()
    assert said not in type(client)().get(reverse("account_login")).content.decode()


def test_signing_out_oneself_is_no_news(client, everybody):
    signed_in(client, everybody["cro"])
    client.post(reverse("account_logout"), follow=True)
    page = client.get(reverse("account_login"))
    assert "You were signed out." not in page.content.decode()


def test_a_deactivated_person_is_signed_out_even_where_a_session_was_left(client, everybody):
    """The account itself is asked at each request, not only its sessions."""
    signed_in(client, everybody["cro"])
    Person.objects.filter(pk=everybody["cro"].pk).update(is_active=False)
    answer = client.get(reverse("functions_catalog:lookup"))
    assert answer.status_code == 302 and reverse("account_login") in answer["Location"]


def test_deactivate_tells_what_depends_on_it(everybody, administrator):
    heard = []

    def listener(person, at, **_):
        heard.append((person.pk, person.is_active, at))

    person_deactivated.connect(listener)
    try:
        change(accounts.deactivate, everybody["cro"], administrator)
    finally:
        person_deactivated.disconnect(listener)
    assert heard == [(everybody["cro"].pk, False, NOW)]


def test_when_something_that_depends_on_it_fails_nothing_is_changed(everybody, administrator):
    def fails(**_):
        raise RuntimeError("an intent could not be revoked")

    before = counted()
    person_deactivated.connect(fails)
    try:
        with pytest.raises(RuntimeError):
            change(accounts.deactivate, everybody["cro"], administrator)
    finally:
        person_deactivated.disconnect(fails)
    assert Person.objects.get(pk=everybody["cro"].pk).is_active
    assert counted() == before


def test_nobody_deactivates_their_own_account(administrator):
    before = counted()
    with pytest.raises(accounts.OwnAccount, match="Another Administrator"):
        change(accounts.deactivate, administrator, administrator)
    assert counted() == before


def test_the_last_administrator_stays(everybody, administrator):
    stand_in = acting(PersonFactory(name="Sam Okafor"), "administrator").person
    before = counted()
    with pytest.raises(accounts.LastAdministrator, match="Have a successor recorded first"):
        change(accounts.deactivate, administrator, stand_in)
    assert Person.objects.get(pk=administrator.pk).is_active
    assert counted() == before


def test_a_former_administrator_can_be_deactivated(everybody, administrator):
    successor = PersonFactory(name="Sam Okafor")
    Appointment.objects.filter(person=administrator).update(ends_on=date(2026, 11, 1))
    Appointment.objects.create(
        person=successor,
        office=Office.objects.get(key="administrator"),
        starts_on=date(2026, 11, 1),
        recorded_at=NOW,
    )
    assert not change(accounts.deactivate, administrator, successor).is_active


def test_an_account_is_deactivated_once(everybody, administrator):
    change(accounts.deactivate, everybody["cro"], administrator)
    before = counted()
    with pytest.raises(accounts.AlreadyDeactivated, match="Maya Lindqvist"):
        change(accounts.deactivate, everybody["cro"], administrator)
    assert counted() == before


@pytest.mark.parametrize("verb", [accounts.deactivate, accounts.reactivate, accounts.unlink])
@pytest.mark.parametrize("reason", ["", "  \n ", "x" * 501])
def test_every_act_needs_a_reason(everybody, administrator, verb, reason):
    before = counted()
    with pytest.raises(accounts.ReasonMissing):
        verb(person=everybody["cro"], reason=reason, acting_user=administrator, at=NOW)
    assert counted() == before


@pytest.mark.parametrize("office", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_only_the_administrator_changes_accounts(everybody, office):
    person, before = PersonFactory(name="Kim Bauer"), counted()
    for verb, more in (
        (accounts.deactivate, {}),
        (accounts.reactivate, {}),
        (accounts.link, {"to": everybody["coo"]}),
        (accounts.unlink, {}),
    ):
        with pytest.raises(NotYourOffice):
            change(verb, person, everybody[office], **more)
    assert counted() == before


def test_the_database_refuses_to_delete_a_person(everybody):
    person = PersonFactory(name="Kim Bauer")
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Person.objects.filter(pk=person.pk).delete()
    assert Person.objects.filter(pk=person.pk).exists()


# --- Reactivating -----------------------------------------------------------------------------


def test_reactivate_opens_the_account_and_brings_nothing_back(client, everybody, administrator):
    maya = everybody["cro"]
    signed_in(client, maya)
    AuthToken.objects.create(user=maya)
    at = timezone.now()
    accounts.deactivate(person=maya, reason="Left", acting_user=administrator, at=at)
    person = accounts.reactivate(
        person=maya, reason="She is back.", acting_user=administrator, at=at
    )
    assert (person.is_active, person.deactivated_at, person.deactivated_by) == (True, None, None)
    assert last_event().event == "person.reactivated"
    assert OutgoingMail.objects.get(kind="account-reactivated").person == maya
    assert not AuthToken.objects.filter(user=maya).exists()
    assert client.get(reverse("functions_catalog:lookup")).status_code == 302
    assert holder_of("cro", on=TODAY).person == maya
    signed_in(type(client)(), maya)


def test_a_session_begun_while_the_account_was_closing_does_not_come_back(
    client, everybody, administrator
):
    maya = everybody["cro"]
    at = timezone.now()
    signed_in(client, maya)
    Person.objects.filter(pk=maya.pk).update(is_active=False)
    AuthToken.objects.create(user=maya)
    accounts.reactivate(person=maya, reason="She is back.", acting_user=administrator, at=at)
    assert client.get(reverse("functions_catalog:lookup")).status_code == 302
    assert not AuthToken.objects.filter(user=maya).exists()


def test_an_active_account_is_not_reactivated(everybody, administrator):
    before = counted()
    with pytest.raises(accounts.NotDeactivated):
        change(accounts.reactivate, everybody["cro"], administrator)
    assert counted() == before


# --- Linking ----------------------------------------------------------------------------------


@pytest.fixture
def second():
    """Maya's second account."""
    return PersonFactory(name="Maya Lindqvist-Berg")


def test_linked_accounts_are_one_human_being(everybody, administrator, second):
    maya = everybody["cro"]
    before = Event.objects.count()
    change(accounts.link, second, administrator, to=maya)
    second.refresh_from_db()
    assert (second.same_person_as, maya.same_person_as) == (maya, None)
    assert same_human(second, maya)
    assert accounts_of(maya) == accounts_of(second) == sorted([maya.pk, second.pk])
    assert Event.objects.count() == before + 1
    event = last_event()
    assert (event.event, event.object_id) == ("person.linked", str(second.pk))
    assert event.data == {"to_person_id": maya.pk, "human_id": maya.pk}
    assert set(OutgoingMail.objects.values_list("address", flat=True)) == {maya.email, second.email}


def test_chains_of_links_stay_flat(everybody, administrator):
    first, second, third, fourth = (PersonFactory(name=f"Kim {word}") for word in "ABCD")
    change(accounts.link, second, administrator, to=first)
    change(accounts.link, fourth, administrator, to=third)
    change(accounts.link, third, administrator, to=second)  # who is linked itself
    people = Person.objects.in_bulk([first.pk, second.pk, third.pk, fourth.pk])
    assert people.pop(first.pk).same_person_as_id is None
    assert {one.same_person_as_id for one in people.values()} == {first.pk}


@pytest.mark.parametrize("how", ["itself", "again", "the other way round"])
def test_what_is_linked_already_is_refused(everybody, administrator, second, how):
    maya = everybody["cro"]
    change(accounts.link, second, administrator, to=maya)
    before = counted()
    person, to = {"itself": (maya, maya), "again": (second, maya)}.get(how, (maya, second))
    with pytest.raises(accounts.AlreadyLinked):
        change(accounts.link, person, administrator, to=to)
    assert counted() == before


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_accounts_linked_both_ways_at_once_are_linked_once(transactional_db, everybody):
    maya, daniel = everybody["cro"], everybody["coo"]

    def linking(person, to):
        return lambda: accounts.link(
            person=person,
            to=to,
            reason="One human being.",
            acting_user=everybody["administrator"],
            at=timezone.now(),
        )

    outcomes = at_once(linking(maya, daniel), linking(daniel, maya))
    assert refusals(outcomes) == [accounts.AlreadyLinked]
    maya.refresh_from_db()
    daniel.refresh_from_db()
    assert maya.human_id == daniel.human_id
    assert [maya.same_person_as_id, daniel.same_person_as_id].count(None) == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_ring_of_links_made_at_once_stays_flat(transactional_db, everybody):
    three = [everybody[key] for key in ("cro", "coo", "cfo")]

    def linking(person, to):
        return lambda: accounts.link(
            person=person,
            to=to,
            reason="One human being.",
            acting_user=everybody["administrator"],
            at=timezone.now(),
        )

    at_once(*(linking(three[one - 1], three[one]) for one in range(3)))
    linked = Person.objects.filter(pk__in=[one.pk for one in three])
    assert len({one.human_id for one in linked}) == 1
    assert sum(one.same_person_as_id is None for one in linked) == 1


def test_unlink_makes_an_account_a_person_of_its_own(everybody, administrator, second):
    maya = everybody["cro"]
    change(accounts.link, second, administrator, to=maya)
    change(accounts.unlink, second, administrator)
    second.refresh_from_db()
    assert second.same_person_as is None
    assert not same_human(second, maya)
    assert last_event().event == "person.unlinked"
    assert OutgoingMail.objects.filter(kind="account-unlinked").count() == 2


def test_unlinking_whoever_led_leaves_the_others_linked(administrator):
    first, second, third = (PersonFactory(name=f"Kim {word}") for word in "ABC")
    change(accounts.link, second, administrator, to=first)
    change(accounts.link, third, administrator, to=first)
    change(accounts.unlink, first, administrator)
    first, second, third = (Person.objects.get(pk=one.pk) for one in (first, second, third))
    assert (first.human_id, second.human_id, third.human_id) == (first.pk, second.pk, second.pk)


def test_what_is_not_linked_is_not_unlinked(everybody, administrator):
    before = counted()
    with pytest.raises(accounts.NotLinked):
        change(accounts.unlink, everybody["cro"], administrator)
    assert counted() == before


def test_nobody_unlinks_their_own_account(administrator, second):
    change(accounts.link, second, administrator, to=administrator)
    administrator.refresh_from_db()
    before = counted()
    for person in (second, administrator):
        with pytest.raises(accounts.OwnAccount):
            change(accounts.unlink, person, administrator)
    assert counted() == before


# --- The pages --------------------------------------------------------------------------------


def page_of(person, act=""):
    if act:
        return reverse("people:account_act", args=[person.pk, act])
    return reverse("people:person_account", args=[person.pk])


def test_the_page_says_what_deactivating_does_and_does_it(client, everybody, administrator):
    maya = everybody["cro"]
    client.force_login(administrator)
    page = client.get(page_of(maya, "deactivate")).content.decode()
    for words in ("signed out everywhere at once", "Tokens for the API end", "nothing is signed"):
        assert words in page
    answer = client.post(page_of(maya, "deactivate"), {"reason": "She left us."}, follow=True)
    assert "The account of Maya Lindqvist is deactivated." in answer.content.decode()
    maya.refresh_from_db()
    assert not maya.is_active
    page = client.get(page_of(maya)).content.decode()
    assert "by Joan Petit. Nobody can sign in with this account." in page
    client.post(page_of(maya, "reactivate"), {"reason": "She is back."})
    maya.refresh_from_db()
    assert maya.is_active


def test_the_page_links_and_unlinks(client, everybody, administrator, second):
    maya = everybody["cro"]
    client.force_login(administrator)
    answer = client.post(
        page_of(second, "link"), {"to": maya.pk, "reason": "One person, two addresses."}
    )
    assert answer.status_code == 302
    page = client.get(page_of(maya)).content.decode()
    assert second.email in page and "count as one person" in page
    client.post(page_of(second, "unlink"), {"reason": "Two people after all."})
    second.refresh_from_db()
    assert second.same_person_as is None


@pytest.mark.parametrize(
    ("act", "typed", "says"),
    [
        ("deactivate", {"reason": ""}, "Give a reason"),
        ("reactivate", {"reason": "Why not"}, "is active"),
        ("link", {"reason": "Why not", "to": ""}, "Choose the other account"),
        ("unlink", {"reason": "Why not"}, "is linked to no other account"),
    ],
)
def test_the_page_keeps_what_was_typed(client, everybody, administrator, act, typed, says):
    client.force_login(administrator)
    before = counted()
    page = client.post(page_of(everybody["cro"], act), typed)
    assert page.status_code == 422
    assert says in page.content.decode()
    assert typed["reason"] in page.content.decode()
    assert counted() == before


def test_the_own_account_offers_no_deactivating(client, administrator):
    client.force_login(administrator)
    page = client.get(page_of(administrator)).content.decode()
    assert page_of(administrator, "deactivate") not in page
    answer = client.post(page_of(administrator, "deactivate"), {"reason": "Enough"})
    assert answer.status_code == 422
    assert "cannot deactivate your own account" in answer.content.decode()


@pytest.mark.parametrize("office", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_account_pages_are_for_the_administrator(client, everybody, office):
    client.force_login(everybody[office])
    kim, before = PersonFactory(name="Kim Bauer"), counted()
    assert client.get(page_of(kim)).status_code == 403
    for act in ("deactivate", "reactivate", "link", "unlink"):
        assert client.get(page_of(kim, act)).status_code == 403
        answer = client.post(page_of(kim, act), {"reason": "x", "to": everybody["coo"].pk})
        assert answer.status_code == 403
    assert counted() == before


def test_an_unknown_act_or_person_is_nothing(client, everybody, administrator):
    client.force_login(administrator)
    assert client.get(page_of(everybody["cro"], "delete")).status_code == 404
    assert client.get(reverse("people:person_account", args=[10**9])).status_code == 404


def test_account_pages_ask_for_sign_in(client, everybody):
    for address in (page_of(everybody["cro"]), page_of(everybody["cro"], "deactivate")):
        answer = client.get(address)
        assert answer.status_code == 302 and reverse("account_login") in answer["Location"]
