"""Erasure of texts about a person: what goes, what stays and why, and that the log verifies."""

from datetime import timedelta

import pytest
from django.db import transaction

import audit
from audit.models import ErasedText, Event, PersonalText
from audit.verify import verify_log
from boundaries.archive import erasure, holds
from boundaries.archive.errors import AlreadyAnswered, NothingToDo, TakesAnotherPerson
from boundaries.errors import ReasonMissing
from boundaries.models import ErasureRequest
from notifications.models import Notice, OutgoingMail, State
from people.errors import NotYourOffice
from people.models import Person
from tests.audit.test_protection import refused
from tests.boundaries.factories import NOW
from tests.people.factories import PersonFactory

LONG_AGO = NOW - timedelta(days=500)
SECRET = "Her phone was stolen in Lisbon"


def happened(event, *, about=None, actor=None, at=LONG_AGO, said=SECRET, **more):
    values = {"object_type": "person", "object_id": str(about.pk) if about else "", **more}
    with transaction.atomic():
        return audit.record(event, at=at, actor=actor, personal_text=said, **values)


def mailed(person, key="m", *, state=State.SENT, address=""):
    return OutgoingMail.objects.create(
        key=key,
        kind="notice",
        person=person,
        name=person.name if person else "Somebody",
        address=address or person.email,
        subject=SECRET,
        text=SECRET,
        html=SECRET,
        message_id=f"<{key}@localhost>",
        created_at=LONG_AGO,
        not_before=LONG_AGO,
        sent_at=LONG_AGO if state == State.SENT else None,
        state=state,
    )


def told(person, key="n"):
    return Notice.objects.create(
        person=person, key=key, kind="thread", title=SECRET, text=SECRET, path="/", at=LONG_AGO
    )


@pytest.fixture
def robin(people):
    """A member who left, with a text beside the log, a mail and a piece of news."""
    one = PersonFactory(name="Robin Hale")
    happened("factor.reset", about=one, actor=people["administrator"])
    mailed(one)
    told(one)
    return one


def asked(person, people, at=NOW):
    return erasure.ask(
        person=person, reason="Letter of 3 November", acting_user=people["administrator"], at=at
    )


def agreed(person, people, by="corporate_secretary"):
    return erasure.agree(request=asked(person, people), acting_user=people[by], at=NOW)


def test_erasure_takes_texts_mails_and_news_and_the_log_verifies(people, robin):
    event = Event.objects.get(event="factor.reset")
    before = verify_log()
    one = agreed(robin, people)

    assert one.erased == {"texts": 1, "mails": 1, "news": 1}
    assert not PersonalText.objects.filter(sequence=event.sequence).exists()
    assert ErasedText.objects.get().erased_at == NOW
    mail, news = OutgoingMail.objects.get(key="m"), Notice.objects.get(key="n")
    assert (mail.subject, mail.address) == ("Erased on 20 Nov 2026", "erased@invalid")
    assert (news.title, news.text) == ("Erased on 20 Nov 2026", "")
    assert SECRET not in mail.text + mail.html
    after = verify_log()
    assert before.sound
    assert after.sound
    assert Event.objects.get(pk=event.pk).leaf_hash == event.leaf_hash


def test_erasure_is_told_without_any_erased_text(people, robin):
    one = agreed(robin, people)
    event = Event.objects.get(event="person.texts_erased")
    assert (event.actor_name, event.object_id) == ("Iris Novak", str(robin.pk))
    assert event.data == {
        "request": one.pk,
        "asked_by": "Joan Petit",
        "texts": 1,
        "mails": 1,
        "news": 1,
        "events": [Event.objects.get(event="factor.reset").sequence],
    }
    left = [
        *PersonalText.objects.values_list("text", flat=True),
        *map(str, Event.objects.values_list("data", flat=True)),
        *OutgoingMail.objects.values_list("text", flat=True),
        *OutgoingMail.objects.values_list("html", flat=True),
        *OutgoingMail.objects.values_list("subject", flat=True),
        *Notice.objects.values_list("text", flat=True),
    ]
    assert not [words for words in left if SECRET in words]
    assert OutgoingMail.objects.get(kind="erasure-done").person == robin


def test_others_keep_their_texts(people, robin):
    other = PersonFactory(name="Ana Other")
    theirs = happened("factor.reset", about=other, actor=people["administrator"])
    mail, news = mailed(other, "theirs"), told(other)
    agreed(robin, people)
    assert PersonalText.objects.filter(sequence=theirs.sequence).exists()
    mail.refresh_from_db()
    news.refresh_from_db()
    assert (mail.text, news.title) == (SECRET, SECRET)


def test_mail_that_waits_is_not_touched(people, robin):
    waiting = mailed(robin, "waiting", state=State.QUEUED)
    agreed(robin, people)
    waiting.refresh_from_db()
    assert (waiting.text, waiting.address) == (SECRET, robin.email)


def test_linked_account_is_erased_with_it(people, robin):
    second = PersonFactory(name="Robin Hale (2)", same_person_as=robin)
    event = happened("factor.reset", about=second, actor=people["administrator"])
    agreed(robin, people)
    assert not PersonalText.objects.filter(sequence=event.sequence).exists()


@pytest.mark.parametrize(
    ("event", "more", "why"),
    [
        ("revision.declined", {"object_type": "revision", "object_version": "NC-RB-4"}, "NC-RB-4"),
        ("dispute.ruled", {"object_type": "dispute"}, "retained record"),
        ("appointment.ended", {"object_type": "appointment"}, "who held an Office"),
    ],
)
def test_text_of_a_retained_record_stays_however_old(people, event, more, why):
    maya = people["cro"]
    kept = happened(event, actor=maya, **more)
    told(maya)
    found = erasure.outlook(maya, at=NOW)
    assert [one.texts for one in found.kept] == [1]
    assert why in found.kept[0].why
    agreed(maya, people)
    assert PersonalText.objects.filter(sequence=kept.sequence).exists()


def test_what_others_did_to_the_account_lately_stays_for_a_year(people):
    robin = PersonFactory(name="Robin Hale")
    by_others = happened("person.deactivated", about=robin, actor=people["administrator"], at=NOW)
    own = happened("factor.added", about=robin, actor=robin, at=NOW)
    found = erasure.outlook(robin, at=NOW)
    assert [event.sequence for event in found.texts] == [own.sequence]
    assert "less than a year ago" in found.kept[0].why
    year_later = erasure.outlook(robin, at=NOW + timedelta(days=366))
    assert {event.sequence for event in year_later.texts} == {by_others.sequence, own.sequence}


def test_invited_address_is_erased_too(people):
    from people import invitations

    invitation, _link = invitations.invite(
        name="Robin Hale",
        email="robin.hale@northwind.example",
        acting_user=people["administrator"],
        at=NOW,
    )
    robin = PersonFactory(name="Robin Hale", email="robin.hale@northwind.example")
    assert erasure.outlook(robin, at=NOW).is_empty
    found = erasure.outlook(robin, at=NOW + timedelta(days=366))
    assert [event.object_id for event in found.texts] == [str(invitation.pk)]


def test_hold_on_everything_keeps_everything(people, robin):
    holds.place(document=None, matter="Case 1", reason="Claim", acting_user=people["ceo"], at=NOW)
    found = erasure.outlook(robin, at=NOW)
    assert found.is_empty
    assert sorted(one.texts for one in found.kept) == [1, 2]
    with pytest.raises(NothingToDo):
        asked(robin, people)
    assert not ErasureRequest.objects.exists()


def test_hold_on_a_document_keeps_mails_and_news(people, robin, draft):
    holds.place(
        document=draft.document, matter="Case 1", reason="C", acting_user=people["ceo"], at=NOW
    )
    found = erasure.outlook(robin, at=NOW)
    assert found.counts == {"texts": 1, "mails": 0, "news": 0}


def test_hold_placed_after_the_request_counts(people, robin):
    one = asked(robin, people)
    holds.place(document=None, matter="Case 1", reason="Claim", acting_user=people["ceo"], at=NOW)
    with pytest.raises(NothingToDo):
        erasure.agree(request=one, acting_user=people["corporate_secretary"], at=NOW)
    assert PersonalText.objects.filter(text=SECRET).exists()


# --- Who may ----------------------------------------------------------------------------------


def unchanged(people, act, refusal):
    before = (Event.objects.count(), PersonalText.objects.count(), ErasureRequest.objects.count())
    with pytest.raises(refusal), transaction.atomic():
        act()
    assert before == (
        Event.objects.count(),
        PersonalText.objects.count(),
        ErasureRequest.objects.count(),
    )


@pytest.mark.parametrize("office", ["cro", "ceo", "corporate_secretary", "auditor", "member"])
def test_only_the_administrator_asks(people, robin, office):
    unchanged(
        people,
        lambda: erasure.ask(person=robin, reason="Letter", acting_user=people[office], at=NOW),
        NotYourOffice,
    )


@pytest.mark.parametrize("office", ["cro", "auditor", "administrator", "member"])
def test_others_do_not_agree(people, robin, office):
    one = asked(robin, people)
    unchanged(
        people,
        lambda: erasure.agree(request=one, acting_user=people[office], at=NOW),
        NotYourOffice,
    )


def test_linked_account_of_who_asked_does_not_agree(people, robin):
    one = asked(robin, people)
    Person.objects.filter(pk=people["ceo"].pk).update(same_person_as=people["administrator"])
    ceo = Person.objects.get(pk=people["ceo"].pk)
    unchanged(
        people, lambda: erasure.agree(request=one, acting_user=ceo, at=NOW), TakesAnotherPerson
    )


def test_nobody_agrees_to_an_erasure_about_themselves(people):
    ceo = people["ceo"]
    told(ceo)
    one = asked(ceo, people)
    unchanged(
        people, lambda: erasure.agree(request=one, acting_user=ceo, at=NOW), TakesAnotherPerson
    )
    erasure.agree(request=one, acting_user=people["corporate_secretary"], at=NOW)


def test_refused_or_taken_back_erasure_erases_nothing(people, robin):
    one = asked(robin, people)
    with pytest.raises(AlreadyAnswered):
        asked(robin, people)
    with pytest.raises(ReasonMissing):
        erasure.refuse(request=one, word=" ", acting_user=people["ceo"], at=NOW)
    erasure.refuse(request=one, word="Not hers.", acting_user=people["ceo"], at=NOW)
    again = asked(robin, people)
    erasure.take_back(request=again, acting_user=people["administrator"], at=NOW)
    with pytest.raises(AlreadyAnswered):
        erasure.agree(request=again, acting_user=people["ceo"], at=NOW)
    assert PersonalText.objects.filter(text=SECRET).count() == 1
    assert not ErasedText.objects.exists()


def test_database_keeps_requests_as_they_are(people, robin):
    agreed(robin, people)
    for statement in (
        "DELETE FROM boundaries_erasurerequest",
        "UPDATE boundaries_erasurerequest SET erased = '{}'",
        "UPDATE boundaries_erasurerequest SET answer = ''",
        "UPDATE boundaries_erasurerequest SET reason = 'x'",
    ):
        assert refused(statement), statement
