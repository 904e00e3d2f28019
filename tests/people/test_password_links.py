"""The Administrator's link for a new password: for somebody who has no way in any more."""

import re

import pytest
from allauth.socialaccount.models import SocialAccount
from django.urls import reverse

from audit.models import Event, PersonalText
from notifications.models import OutgoingMail
from people import accounts, factors
from people.errors import NotYourOffice
from people.models import Person
from people.password_links import NoPasswordHere, OwnPassword, make_password_link
from tests.people.factories import PersonFactory
from tests.people.signing_in import AT, add_generator

DUMMY = "django.core.mail.backends.dummy.EmailBackend"
NEW = "a quiet harbour in spring"


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(AT, tick=False)
    return time_machine


@pytest.fixture
def administrator(everybody):
    return everybody["administrator"]


@pytest.fixture
def lost(everybody):
    """Somebody whose passkey was the only way in."""
    person = everybody["cfo"]
    person.set_unusable_password()
    person.save()
    return person


def make(person, administrator, reason="Phone lost, called back"):
    return make_password_link(person=person, reason=reason, acting_user=administrator, at=AT)


def act_page(person):
    return reverse("people:account_act", args=[person.pk, "password"])


def shown_on(answer):
    return re.search(r'<p class="hash one-time-link">([^<]+)</p>', answer.content.decode())[1]


def set_by(client, link, password=NEW):
    page = client.get(link.removeprefix("http://127.0.0.1:8000"), follow=True)
    if "no longer works" in page.content.decode():
        return page
    where = page.redirect_chain[-1][0]
    return client.post(where, {"password1": password, "password2": password}, follow=True)


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def test_without_a_mail_server_the_link_is_shown_once_and_sets_a_password(
    client, lost, administrator, settings
):
    settings.EMAIL_BACKEND = DUMMY
    client.force_login(administrator)
    account = client.get(reverse("people:person_account", args=[lost.pk])).content.decode()
    assert act_page(lost) in account
    asked = words(client.get(act_page(lost)))
    assert "You see the link once" in asked and "call back on a number that you know" in asked
    assert f"Nobody is mailed: tell {lost.name} yourself" in asked and "told by mail" not in asked
    events = Event.objects.count()

    answer = client.post(act_page(lost), {"reason": "Phone lost, called back"})

    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    link = shown_on(answer)
    assert Event.objects.count() == events + 1
    event = Event.objects.latest("sequence")
    assert (event.event, event.object_id) == ("password.link_made", str(lost.pk))
    assert (event.actor_id, event.office) == (administrator.pk, "administrator")
    assert event.data == {"mailed": False}
    assert PersonalText.objects.get(sequence=event.sequence).text == "Phone lost, called back"
    token = link.rstrip("/").rpartition("/")[2]
    mail = OutgoingMail.objects.get(kind="password-link")
    assert token not in mail.text + mail.html and administrator.name in mail.text
    lost.refresh_from_db()
    assert not lost.has_usable_password()  # making it changes nothing

    stranger = type(client)()
    assert "Your password is changed" in words(set_by(stranger, link))
    lost.refresh_from_db()
    assert lost.check_password(NEW)
    assert "no longer works" in words(set_by(type(client)(), link, "another harbour in winter"))
    events_page = words(client.get(reverse("people:security")))
    assert f"made a link that sets a new password of {lost.name}" in events_page


def test_where_mail_goes_out_the_link_is_mailed_and_not_shown(client, lost, administrator):
    client.force_login(administrator)
    answer = client.post(act_page(lost), {"reason": "Called back"}, follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain == [(reverse("people:person_account", args=[lost.pk]), 302)]
    assert "one-time-link" not in page and "is on its way to" in page
    mail = OutgoingMail.objects.get(kind="password-link")
    assert (mail.person_id, mail.sensitive) == (lost.pk, True)
    (link,) = set(re.findall(r"http://127\.0\.0\.1:8000/accounts/password/reset/\S+", mail.text))
    assert link not in page
    assert Event.objects.latest("sequence").data == {"mailed": True}
    set_by(type(client)(), link)
    lost.refresh_from_db()
    assert lost.check_password(NEW)


def test_link_lives_for_an_hour(client, lost, administrator, settings, clock):
    settings.EMAIL_BACKEND = DUMMY
    link = make(lost, administrator).shown
    clock.shift(3601)
    assert "no longer works" in words(set_by(client, link))
    lost.refresh_from_db()
    assert not lost.has_usable_password()


def test_second_factor_is_asked_for_all_the_same(client, everybody, administrator, settings):
    settings.EMAIL_BACKEND = DUMMY
    person = everybody["cro"]
    add_generator(person)
    set_by(client, make(person, administrator).shown)
    answer = client.post(reverse("account_login"), {"login": person.email, "password": NEW})
    assert answer["Location"] == reverse("mfa_authenticate")
    assert factors.has_second_factor(person)


@pytest.mark.parametrize(
    ("which", "refusal"),
    [
        ("own", OwnPassword),
        ("linked", OwnPassword),
        ("deactivated", NoPasswordHere),
        ("single sign-on", NoPasswordHere),
        ("no reason", accounts.ReasonMissing),
    ],
)
def test_refused_makes_nothing(lost, administrator, settings, which, refusal):
    person, reason = lost, "Called back"
    if which == "own":
        person = administrator
    elif which == "linked":
        person = PersonFactory(same_person_as=administrator)
    elif which == "deactivated":
        Person.objects.filter(pk=lost.pk).update(is_active=False)
    elif which == "single sign-on":
        settings.OIDC_ISSUER = "https://login.example.com"
        SocialAccount.objects.create(user=lost, provider="sso", uid="1")
    else:
        reason = " "
    before = Event.objects.count(), OutgoingMail.objects.count()
    with pytest.raises(refusal):
        make(person, administrator, reason)
    assert (Event.objects.count(), OutgoingMail.objects.count()) == before


@pytest.mark.parametrize("who", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_only_the_administrator_hands_one_over(client, everybody, lost, who):
    before = Event.objects.count()
    with pytest.raises(NotYourOffice):
        make(lost, everybody[who])
    client.force_login(everybody[who])
    assert client.post(act_page(lost), {"reason": "Called back"}).status_code == 403
    assert Event.objects.count() == before


def test_own_account_offers_no_link(client, administrator):
    client.force_login(administrator)
    page = client.get(reverse("people:person_account", args=[administrator.pk])).content.decode()
    assert act_page(administrator) not in page


# --- What the pages say of mail ---------------------------------------------------------------


def test_page_for_forgotten_passwords_claims_no_mail_where_none_goes_out(
    client, everybody, settings
):
    page = client.get(reverse("account_reset_password"))
    assert "a link that sets a new password goes there" in words(page)
    settings.EMAIL_BACKEND = DUMMY
    page = client.get(reverse("account_reset_password"))
    assert "can hand over a link" in words(page) and 'name="email"' not in page.content.decode()
    done = client.post(
        reverse("account_reset_password"), {"email": everybody["cfo"].email}, follow=True
    )
    assert "on its way" not in words(done) and "can hand over a link" in words(done)


@pytest.mark.parametrize(
    ("who", "told"),
    [("administrator", True), ("ceo", True), ("corporate_secretary", True), ("cro", False)],
)
def test_keepers_of_offices_are_told_that_nobody_is_mailed(client, everybody, settings, who, told):
    client.force_login(everybody[who])
    assert "nobody is mailed" not in words(client.get(reverse("people:account")))
    settings.EMAIL_BACKEND = DUMMY
    assert ("nobody is mailed" in words(client.get(reverse("people:account")))) is told


def test_demo_has_its_mailbox(client, everybody, settings, company):
    settings.EMAIL_BACKEND = DUMMY
    company.is_demo = True
    company.save()
    client.force_login(everybody["administrator"])
    assert "nobody is mailed" not in words(client.get(reverse("people:account")))


def test_invite_form_says_who_gets_the_link(client, administrator, settings):
    client.force_login(administrator)
    assert "A link goes to that address" in words(client.get(reverse("people:invite")))
    settings.EMAIL_BACKEND = DUMMY
    page = words(client.get(reverse("people:invite")))
    assert "hand it over yourself: nobody is mailed" in page and "A link goes to" not in page


@pytest.mark.parametrize(
    ("has_password", "says"),
    [(True, "The password alone signs in"), (False, "no way in until a link for a new one")],
)
def test_removing_lost_factors_says_how_the_person_comes_in(
    client, everybody, administrator, has_password, says
):
    person = everybody["cfo"]
    add_generator(person)
    if not has_password:
        person.set_unusable_password()
        person.save()
    client.force_login(administrator)
    page = reverse("people:account_act", args=[person.pk, "factors"])
    assert says in words(client.get(page))
    client.post(page, {"reason": "Lost"})
    mail = OutgoingMail.objects.get(kind="factor-reset")
    assert ("for a link that sets one" in mail.text) is not has_password
