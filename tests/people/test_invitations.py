"""Invitations: sent, sent again, revoked, accepted; and every link that opens nothing."""

import html
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from time_machine import travel

from audit.models import Event, PersonalText
from notifications.models import OutgoingMail
from people import accounts, factors, invitations
from people.errors import NotYourOffice
from people.models import Invitation, Person
from tests.boundaries.races.together import at_once, refusals
from tests.people.factories import PASSWORD, PersonFactory
from tests.people.soft_passkey import SoftPasskey

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
ADDRESS = "nadia.haddad@northwind.example"
NEW_PASSWORD = "a quiet harbour in spring"


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


def invite(administrator, *, at=NOW, **changes):
    given = {"name": "Nadia Haddad", "email": ADDRESS, "job_title": "Controller", **changes}
    return invitations.invite(**given, acting_user=administrator, at=at)


def token_of(link):
    return link.rstrip("/").rsplit("/", 1)[1]


def path_of(link):
    return link.removeprefix(django_settings.PUBLIC_URL)


def last_event():
    return Event.objects.latest("sequence")


# --- Inviting ---------------------------------------------------------------------------------


def test_invite_mails_a_link_and_keeps_only_its_hash(administrator):
    before = Event.objects.count()
    invitation, link = invite(administrator, email=" Nadia.HADDAD@northwind.example ")
    token = token_of(link)
    assert (invitation.email, invitation.name, invitation.job_title) == (
        ADDRESS,
        "Nadia Haddad",
        "Controller",
    )
    assert invitation.token_sha256 == invitations.sha256_of(token)
    assert invitation.expires_at == NOW + timedelta(days=django_settings.INVITATION_DAYS)
    assert token not in str(invitation.__dict__)
    assert not Person.objects.filter(email=ADDRESS).exists()

    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.address, mail.person_id, mail.sensitive) == (
        "invitation",
        ADDRESS,
        None,
        True,
    )
    assert mail.subject == "Joan Petit invites you to Northwind Cloud's boundary registry"
    assert link in mail.text and "until 4 Dec 2026, 10:00 EST" in mail.text

    assert Event.objects.count() == before + 1
    event = last_event()
    assert (event.event, event.actor_id, event.office, event.object_id) == (
        "invitation.sent",
        administrator.pk,
        "administrator",
        str(invitation.pk),
    )
    assert PersonalText.objects.get(sequence=event.sequence).text == ADDRESS
    assert ADDRESS not in str(event.data) and token not in str(event.__dict__)


@pytest.mark.parametrize("office", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_only_the_administrator_invites(everybody, office):
    invitation, _link = invite(everybody["administrator"])
    before = Event.objects.count(), OutgoingMail.objects.count()
    other = everybody[office]
    with pytest.raises(NotYourOffice):
        invite(other, email="another@northwind.example")
    with pytest.raises(NotYourOffice):
        invitations.send_again(invitation=invitation, acting_user=other, at=NOW)
    with pytest.raises(NotYourOffice):
        invitations.revoke(invitation=invitation, acting_user=other, at=NOW)
    invitation.refresh_from_db()
    assert (invitation.times_sent, invitation.revoked_at) == (1, None)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "..."}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "Nadia\u202eHaddad"}, "name"),
        ({"name": "Nadia\u0007 Haddad"}, "name"),
        ({"name": "Na" + "\u0301" * 6 + "dia"}, "name"),
        ({"job_title": "y" * 121}, "job_title"),
        ({"job_title": "Controller\u2066"}, "job_title"),
        ({"email": "nadia"}, "email"),
        ({"email": "nadia@northwind.example\nBcc: all@example.com"}, "email"),
        ({"email": "maya.lindqvi\u017ft@northwind.example"}, "email"),  # a long s
        ({"email": "nadia@\u043d\u043erthwind.example"}, "email"),  # Cyrillic
        ({"email": "nadia@northwind.example."}, "email"),
        ({"email": f"{'n' * 250}@northwind.example"}, "email"),
    ],
)
def test_what_cannot_be_used_is_refused(administrator, changes, field):
    before = Event.objects.count()
    with pytest.raises(invitations.InvalidInvitee) as refused:
        invite(administrator, **changes)
    assert refused.value.field == field
    assert not Invitation.objects.exists()
    assert not OutgoingMail.objects.exists()
    assert Event.objects.count() == before


@pytest.mark.parametrize("name", ["Zoë Núñez", "李 小龍", "نگار می\u200cخواهد", "O’Brien-Smith"])
def test_names_of_all_peoples_are_welcome(administrator, name):
    invitation, _link = invite(administrator, name=f"  {name} ")
    assert invitation.name == name


@pytest.mark.parametrize(("active", "says"), [(True, "has an account"), (False, "Reactivate")])
def test_an_address_with_an_account_is_refused(administrator, active, says):
    person = PersonFactory(name="Nadia Haddad")
    Person.objects.filter(pk=person.pk).update(is_active=active)
    with pytest.raises(invitations.AddressHasAccount, match=says):
        invite(administrator, email=ADDRESS.upper())
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("later", [timedelta(minutes=1), timedelta(days=30)])
def test_an_open_invitation_is_sent_again_not_made_twice(administrator, later):
    invite(administrator)
    with pytest.raises(invitations.InvitationIsOpen, match="Send that one again"):
        invite(administrator, at=NOW + later)
    assert Invitation.objects.count() == 1


def test_one_administrator_sends_so_many_a_day(administrator, monkeypatch):
    monkeypatch.setattr(invitations, "INVITATIONS_A_DAY", 3)
    first, _link = invite(administrator)
    invite(administrator, email="b@northwind.example")
    invitations.send_again(invitation=first, acting_user=administrator, at=NOW)
    before = Event.objects.count()
    with pytest.raises(invitations.TooManyInvitations, match="tomorrow"):
        invite(administrator, email="c@northwind.example")
    with pytest.raises(invitations.TooManyInvitations):
        invitations.send_again(invitation=first, acting_user=administrator, at=NOW)
    assert Event.objects.count() == before
    invite(administrator, email="c@northwind.example", at=NOW + timedelta(days=1, seconds=1))


# --- Sending again, revoking ------------------------------------------------------------------


def test_send_again_makes_a_new_link_and_the_former_opens_nothing(administrator, client):
    invitation, former = invite(administrator)
    client.get(path_of(former))
    later = NOW + timedelta(days=20)
    again, link = invitations.send_again(invitation=invitation, acting_user=administrator, at=later)
    assert (again.times_sent, again.sent_at, again.opened_at) == (2, later, None)
    assert again.expires_at == later + timedelta(days=django_settings.INVITATION_DAYS)
    assert invitations.find(token_of(link), at=later) == invitation
    with pytest.raises(invitations.LinkUnknown, match="newest mail"):
        invitations.find(token_of(former), at=later)
    assert last_event().event == "invitation.sent_again"
    assert OutgoingMail.objects.filter(kind="invitation").count() == 2
    assert link in OutgoingMail.objects.filter(kind="invitation").first().text
    # Whoever opened the former link before it was sent again accepts nothing with it.
    assert client.get("/invitation/").status_code == 404


@pytest.mark.parametrize("verb", [invitations.send_again, invitations.revoke])
@pytest.mark.parametrize("ended", ["accepted", "revoked"])
def test_nothing_more_is_done_with_an_invitation_that_ended(administrator, verb, ended):
    invitation, _link = invite(administrator)
    if ended == "accepted":
        invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW)
    else:
        invitations.revoke(invitation=invitation, acting_user=administrator, at=NOW)
    before = Event.objects.count(), OutgoingMail.objects.count()
    with pytest.raises(invitations.InvitationEnded, match=ended):
        verb(invitation=invitation, acting_user=administrator, at=NOW)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == before


def test_a_revoked_link_opens_nothing_and_the_address_can_be_invited_anew(administrator):
    invitation, link = invite(administrator)
    invitations.revoke(invitation=invitation, acting_user=administrator, at=NOW)
    with pytest.raises(invitations.LinkRevoked, match="Ask Joan Petit"):
        invitations.find(token_of(link), at=NOW)
    with pytest.raises(invitations.LinkRevoked):
        invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW)
    assert last_event().event == "invitation.revoked"
    assert not Person.objects.filter(email=ADDRESS).exists()
    invite(administrator)
    assert Invitation.objects.filter(email=ADDRESS).count() == 2


def test_send_again_is_refused_once_single_sign_on_made_the_account(administrator):
    invitation, _link = invite(administrator)
    PersonFactory(name="Nadia Haddad")
    with pytest.raises(invitations.AddressHasAccount):
        invitations.send_again(invitation=invitation, acting_user=administrator, at=NOW)
    with pytest.raises(invitations.AddressHasAccount):
        invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW)


# --- Accepting --------------------------------------------------------------------------------


def test_accept_makes_the_account_once(administrator):
    invitation, link = invite(administrator)
    before = Event.objects.count()
    later = NOW + timedelta(days=2)
    person = invitations.accept(
        invitation=invitations.find(token_of(link), at=later),
        password=NEW_PASSWORD,
        at=later,
        ip="203.0.113.9",
    )
    assert (person.email, person.name, person.job_title, person.is_active, person.is_staff) == (
        ADDRESS,
        "Nadia Haddad",
        "Controller",
        True,
        False,
    )
    assert person.check_password(NEW_PASSWORD) and person.password_changed_at == later
    invitation.refresh_from_db()
    assert (invitation.accepted_at, invitation.person) == (later, person)
    assert Event.objects.count() == before + 1
    event = last_event()
    assert (event.event, event.actor_id) == ("invitation.accepted", person.pk)
    assert event.data == {"person_id": person.pk, "with": "password"}
    assert event.ip_hash and "203.0.113.9" not in str(event.__dict__)
    told = OutgoingMail.objects.get(kind="invitation-accepted")
    assert told.person == administrator
    assert told.subject == "Nadia Haddad accepted your invitation"

    with pytest.raises(invitations.LinkUsed, match="you can sign in"):
        invitations.find(token_of(link), at=later)
    with pytest.raises(invitations.LinkUsed):
        invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=later)
    assert Person.objects.filter(email=ADDRESS).count() == 1


def test_an_invitation_ends_by_itself(administrator):
    invitation, link = invite(administrator)
    last = NOW + timedelta(days=django_settings.INVITATION_DAYS)
    assert invitations.find(token_of(link), at=last - timedelta(seconds=1)) == invitation
    with pytest.raises(invitations.LinkExpired, match=r"4 Dec 2026, 10:00 EST.*Joan Petit"):
        invitations.find(token_of(link), at=last)
    with pytest.raises(invitations.LinkExpired):
        invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=last)
    assert not Person.objects.filter(email=ADDRESS).exists()


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "../../etc", "nöt"])
def test_an_unknown_token_opens_nothing(administrator, token):
    invite(administrator)
    with pytest.raises(invitations.LinkUnknown):
        invitations.find(token, at=NOW)


@pytest.mark.parametrize(
    "password", ["", "short", "password1234", "nadia.haddad@northwind.example"]
)
def test_a_weak_password_makes_no_account(administrator, password):
    invitation, _link = invite(administrator)
    before = Event.objects.count()
    with pytest.raises(invitations.PasswordTooWeak):
        invitations.accept(invitation=invitation, password=password, at=NOW)
    invitation.refresh_from_db()
    assert invitation.accepted_at is None
    assert not Person.objects.filter(email=ADDRESS).exists()
    assert Event.objects.count() == before


def test_a_reserved_id_is_given_to_nobody_else(administrator):
    reserved = invitations.reserve_person_id()
    other = PersonFactory()
    assert reserved not in (other.pk, invitations.reserve_person_id())
    assert not Person.objects.filter(pk=reserved).exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_an_invitation_accepted_twice_at_once_makes_one_account(transactional_db, everybody):
    invitation, _link = invite(everybody["administrator"])

    def accept():
        return invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW)

    outcomes = at_once(accept, accept)
    assert refusals(outcomes) == [invitations.LinkUsed]
    person = Person.objects.get(email=ADDRESS)
    invitation.refresh_from_db()
    assert invitation.person == person
    assert Event.objects.filter(event="invitation.accepted").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_an_invitation_revoked_while_it_is_accepted_is_one_or_the_other(
    transactional_db, everybody
):
    invitation, _link = invite(everybody["administrator"])
    outcomes = at_once(
        lambda: invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW),
        lambda: invitations.revoke(
            invitation=invitation, acting_user=everybody["administrator"], at=NOW
        ),
    )
    invitation.refresh_from_db()
    accepted = invitation.accepted_at is not None
    refused = invitations.InvitationEnded if accepted else invitations.LinkRevoked
    assert refusals(outcomes) == [refused]
    assert Person.objects.filter(email=ADDRESS).exists() is accepted
    ended = Event.objects.filter(event__in=["invitation.accepted", "invitation.revoked"])
    assert [one.event == "invitation.accepted" for one in ended] == [accepted]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_an_address_invited_twice_at_once_has_one_invitation(transactional_db, everybody):
    outcomes = at_once(
        lambda: invite(everybody["administrator"]), lambda: invite(everybody["administrator"])
    )
    assert refusals(outcomes) == [invitations.InvitationIsOpen]
    assert Invitation.objects.count() == 1
    assert Event.objects.filter(event="invitation.sent").count() == 1


# --- The pages --------------------------------------------------------------------------------


@pytest.fixture
def travelling():
    with travel(NOW, tick=True):
        yield


@pytest.fixture
def link(administrator, travelling):
    return invite(administrator)[1]


def test_the_link_leaves_the_address_and_signs_in(client, link):
    first = client.get(path_of(link))
    assert (first.status_code, first["Location"]) == (302, "/invitation/")
    assert "no-store" in first["Cache-Control"] and first["Referrer-Policy"] == "no-referrer"
    assert token_of(link) not in str(dict(client.session))
    opened = Invitation.objects.get().opened_at
    assert opened is not None

    page = client.get("/invitation/")
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    assert "Welcome, Nadia Haddad" in page.content.decode()
    key = client.session.session_key

    done = client.post("/invitation/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert done.status_code == 302
    person = Person.objects.get(email=ADDRESS)
    assert client.session["_auth_user_id"] == str(person.pk)
    assert client.session.session_key != key
    assert "invitation" not in " ".join(client.session.keys())
    assert Event.objects.filter(event="session.signed_in", actor_id=person.pk).count() == 1
    assert client.get(reverse("functions_catalog:lookup")).status_code == 200

    other = type(client)()
    used = other.get(path_of(link))
    assert used.status_code == 410
    assert "This invitation was used" in used.content.decode()
    assert Invitation.objects.get().opened_at == opened


def test_the_page_alone_opens_nothing(client, administrator):
    page = client.get("/invitation/")
    assert page.status_code == 404
    assert "No invitation" in page.content.decode()
    answer = client.post("/invitation/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("state", "status", "says"),
    [
        ("expired", 410, "This invitation ended on"),
        ("revoked", 410, "This invitation was revoked"),
        ("unknown", 404, "No invitation has this link"),
    ],
)
@pytest.mark.parametrize("opened_before", [True, False])
def test_a_dead_link_says_why(client, administrator, link, state, status, says, opened_before):
    if opened_before:
        client.get(path_of(link))
    if state == "expired":
        Invitation.objects.update(expires_at=NOW)
    elif state == "revoked":
        invitations.revoke(invitation=Invitation.objects.get(), acting_user=administrator, at=NOW)
    else:
        Invitation.objects.update(token_sha256="0" * 64)
    if opened_before:
        page = client.post("/invitation/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    else:
        page = client.get(path_of(link))
    assert page.status_code == status
    assert says in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert not Person.objects.filter(email=ADDRESS).exists()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"password1": NEW_PASSWORD, "password2": "something else"}, "The two passwords differ"),
        ({"password1": "short", "password2": "short"}, "at least 12"),
        ({"password1": "", "password2": ""}, "Type a password"),
    ],
)
def test_the_form_says_what_is_wrong_and_makes_no_account(client, link, typed, says):
    client.get(path_of(link))
    page = client.post("/invitation/", typed)
    assert page.status_code == 422
    assert says in page.content.decode()
    assert not Person.objects.filter(email=ADDRESS).exists()
    assert "_auth_user_id" not in client.session


def test_an_account_made_meanwhile_by_single_sign_on_is_told(client, link):
    client.get(path_of(link))
    PersonFactory(name="Nadia Haddad")
    page = client.post("/invitation/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert page.status_code == 409
    assert "There is an account already" in page.content.decode()
    assert Person.objects.get(email=ADDRESS).check_password(PASSWORD)


def test_whoever_is_signed_in_accepts_nothing(client, administrator, link):
    client.force_login(administrator)
    client.get(path_of(link))
    page = client.get("/invitation/")
    assert page.status_code == 409
    assert "You are signed in already" in page.content.decode()
    answer = client.post("/invitation/", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert answer.status_code == 302
    assert not Person.objects.filter(email=ADDRESS).exists()
    assert Invitation.objects.get().accepted_at is None


def test_a_flood_of_guessed_links_is_refused(client, link):
    for number in range(20):
        assert client.get(f"/invitation/guess-{number}/").status_code == 404
    assert client.get("/invitation/guess-21/").status_code == 429
    assert client.get(path_of(link)).status_code == 429  # nor is a right one told from a wrong one
    assert Invitation.objects.get().opened_at is None
    elsewhere = client.get(path_of(link), REMOTE_ADDR="198.51.100.7")
    assert elsewhere.status_code == 302


def test_opening_a_used_link_again_and_again_is_no_guessing(client, link):
    invitations.accept(invitation=Invitation.objects.get(), password=NEW_PASSWORD, at=NOW)
    for _ in range(25):
        assert client.get(path_of(link)).status_code == 410


def test_the_link_begins_a_session_that_nobody_knew(client, link):
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    client.get(path_of(link))
    assert client.session.session_key != session.session_key
    stranger = type(client)()
    stranger.cookies[django_settings.SESSION_COOKIE_NAME] = session.session_key
    assert stranger.get(reverse("people:accept")).status_code == 404


def test_asking_for_the_head_of_a_link_opens_nothing(client, link):
    client.head(path_of(link))
    assert Invitation.objects.get().opened_at is None
    assert client.get("/invitation/").status_code == 404


# --- With a passkey ---------------------------------------------------------------------------


def offered(client):
    """What the page hands to the browser for a new passkey."""
    page = client.get("/invitation/", HTTP_HOST="localhost").content.decode()
    return json.loads(html.unescape(re.search(r'data-options="([^"]+)"', page)[1]))


@pytest.fixture
def localhost(client):
    client.defaults["HTTP_HOST"] = "localhost"
    return client


def test_accept_with_a_passkey_makes_account_and_passkey_together(localhost, link):
    localhost.get(path_of(link))
    options = offered(localhost)
    assert options["publicKey"]["authenticatorSelection"]["userVerification"] == "required"
    assert options["publicKey"]["user"]["name"] == ADDRESS
    assert not Person.objects.filter(email=ADDRESS).exists()
    passkey = SoftPasskey()
    answer = localhost.post("/invitation/", {"credential": json.dumps(passkey.create(options))})
    assert (answer.status_code, answer["Location"]) == (302, reverse("people:account"))
    page = localhost.get(answer["Location"]).content.decode()
    assert "Your account is made. Add a second passkey or set a password" in page
    person = Person.objects.get(email=ADDRESS)
    assert not person.has_usable_password()
    assert len(factors.passkeys_of(person)) == 1
    assert factors.recovery_codes_of(person) is None  # they would follow a password
    # The passkey names the account that it was made for, so that it signs in by itself.
    assert (
        webauthn.extract_user_from_response(
            {"response": {"userHandle": options["publicKey"]["user"]["id"]}}
        )
        == person
    )
    assert localhost.session["_auth_user_id"] == str(person.pk)
    event = Event.objects.get(event="invitation.accepted")
    assert event.data == {"person_id": person.pk, "with": "passkey"}


NONSENSE = ("", "{}", "[]", "1", '"x"', "nonsense", '{"id": "x", "rawId": "x", "response": {}}')


@pytest.mark.parametrize("wrong", [*NONSENSE, "replayed", "without a PIN", "not resident"])
def test_a_passkey_that_was_not_verified_makes_no_account(localhost, link, wrong):
    localhost.get(path_of(link))
    options = offered(localhost)
    passkey = SoftPasskey(verifies=wrong != "without a PIN")
    credential = passkey.create(options, resident=wrong != "not resident")
    if wrong == "replayed":
        offered(localhost)  # another challenge since then
    sent = wrong if wrong in NONSENSE else json.dumps(credential)
    page = localhost.post("/invitation/", {"credential": sent})
    assert page.status_code == 422
    assert "You have no account yet" in page.content.decode()
    assert not Person.objects.filter(email=ADDRESS).exists()
    assert Invitation.objects.get().accepted_at is None


# --- For the Administrator --------------------------------------------------------------------


def form(**changes):
    return {"name": "Nadia Haddad", "email": ADDRESS, "job_title": "", **changes}


def test_without_a_mail_server_the_link_is_shown_once(client, administrator, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    client.force_login(administrator)
    assert client.get(reverse("people:invite")).status_code == 200
    page = client.post(reverse("people:invite"), form())
    shown = re.search(r'<p class="hash one-time-link">([^<]+)</p>', page.content.decode())[1]
    assert invitations.find(token_of(shown), at=Invitation.objects.get().sent_at)
    assert "no mail server" in page.content.decode() and "no-store" in page["Cache-Control"]
    later = client.get(reverse("people:invitations")).content.decode()
    assert token_of(shown) not in later
    again = client.post(reverse("people:send_invitation_again", args=[Invitation.objects.get().pk]))
    assert token_of(shown) not in again.content.decode()
    assert "one-time-link" in again.content.decode()


@pytest.mark.parametrize("how", ["mail server", "demo"])
def test_where_mail_is_read_the_link_is_not_shown(client, administrator, settings, company, how):
    if how == "demo":
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        company.is_demo = True
        company.save()
    else:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    client.force_login(administrator)
    answer = client.post(reverse("people:invite"), form(), follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(reverse("people:invitations"), 302)]
    assert "one-time-link" not in page
    assert f"The invitation of Nadia Haddad is on its way to {ADDRESS}." in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": ""}, "Give the person’s name"),
        ({"email": "nadia"}, "Give a whole e-mail address"),
        ({"email": "joan.petit@northwind.example"}, "has an account already"),
        ({"name": "Nadia\u202eHaddad"}, "invisible character"),
    ],
)
def test_the_page_keeps_what_was_typed(client, administrator, changes, says):
    client.force_login(administrator)
    page = client.post(reverse("people:invite"), form(job_title="Controller", **changes))
    assert page.status_code == 422
    assert says in page.content.decode()
    assert 'value="Controller"' in page.content.decode()
    assert not Invitation.objects.exists()


def test_the_buttons_send_again_and_revoke(client, administrator):
    invitation, _link = invite(administrator)
    client.force_login(administrator)
    client.post(reverse("people:send_invitation_again", args=[invitation.pk]))
    invitation.refresh_from_db()
    assert invitation.times_sent == 2
    page = client.post(reverse("people:revoke_invitation", args=[invitation.pk]), follow=True)
    assert "is revoked: its link opens nothing." in page.content.decode()
    invitation.refresh_from_db()
    assert invitation.revoked_by_name == "Joan Petit"
    page = client.post(reverse("people:revoke_invitation", args=[invitation.pk]), follow=True)
    assert "has revoked this invitation" in page.content.decode()


def test_the_list_tells_what_became_of_each(client, administrator, travelling):
    names = ("Nadia Haddad", "Beatriz Lobo", "Marc Oyelaran", "Omar Reyes")
    made = [
        invite(administrator, name=name, email=f"{name.split()[0]}@northwind.example")[0]
        for name in names
    ]
    invitations.accept(invitation=made[0], password=NEW_PASSWORD, at=NOW)
    invitations.revoke(invitation=made[1], acting_user=administrator, at=NOW)
    Invitation.objects.filter(pk=made[2].pk).update(expires_at=NOW - timedelta(days=1))
    client.force_login(administrator)
    page = client.get(reverse("people:invitations")).content.decode()
    for words in (
        "Joined 20 Nov 2026",
        "Revoked 20 Nov 2026 by Joan Petit",
        "Ended 19 Nov 2026",
        "Never opened",
        "Ends 4 Dec 2026",
        "Not opened yet",
    ):
        assert words in page
    assert page.count("Send again") == 2


def test_the_list_asks_the_same_number_of_questions_for_many(
    client, administrator, django_assert_num_queries
):
    client.force_login(administrator)
    invite(administrator, email="first@northwind.example")
    address = reverse("people:invitations")
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    for number in range(24):
        invitation, _link = invite(administrator, email=f"n{number}@northwind.example")
        if number % 2:
            invitations.accept(invitation=invitation, password=NEW_PASSWORD, at=NOW)
    with django_assert_num_queries(len(one)):
        client.get(address)


@pytest.mark.parametrize("office", ["cro", "ceo", "revops_lead", "auditor", "member"])
def test_pages_of_invitations_are_for_the_administrator(client, everybody, office):
    invitation, _link = invite(everybody["administrator"])
    before = Event.objects.count()
    client.force_login(everybody[office])
    for name, arguments in (("people:invite", []), ("people:invitations", [])):
        page = client.get(reverse(name, args=arguments))
        assert page.status_code == 403
        assert "Only the holder of one of these Offices" in page.content.decode()
    assert client.post(reverse("people:invite"), form(email="x@x.example")).status_code == 403
    for name in ("people:send_invitation_again", "people:revoke_invitation"):
        for pk in (invitation.pk, 10**30):
            assert client.post(reverse(name, args=[pk])).status_code == 403
    assert Event.objects.count() == before


def test_the_secretary_reads_the_list_and_asks_the_administrator(client, everybody):
    invitation, _link = invite(everybody["administrator"])
    client.force_login(everybody["corporate_secretary"])
    page = client.get(reverse("people:invitations"))
    assert page.status_code == 200
    assert "Send again" not in page.content.decode()
    assert client.get(reverse("people:invite")).status_code == 403
    answer = client.post(reverse("people:revoke_invitation", args=[invitation.pk]))
    assert answer.status_code == 403


def test_a_person_invited_after_being_deactivated_is_told_to_be_reactivated(administrator):
    person = PersonFactory(name="Nadia Haddad")
    accounts.deactivate(person=person, reason="Left", acting_user=administrator, at=NOW)
    with pytest.raises(invitations.AddressHasAccount, match="Reactivate that account"):
        invite(administrator)
