"""News of a draft: who hears of a comment, a proposal, a changed or contested text.

Whoever did it is never told. The CEO is told where mentioned, and of disputes and vetoes (which
tell their own); drafts are the parties' work until they reach the CEO.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from django.urls import reverse

from notifications.news import tell
from people.calendar import company_date
from people.models import Appointment, Person
from people.offices import CEO, REVOPS_LEAD
from people.permissions import Act, powers_of
from people.queries import who_acts_for

from .models import Article, Proposal, Revision, Row, ThreadEntry
from .parties import party_offices

Clause = Row | Article


def place_path(clause: Clause) -> str:
    """Where a row or article stands on its board."""
    return f"{clause.revision.get_absolute_url()}#{clause.anchor}"


def thread_path(clause: Clause) -> str:
    number, n = clause.revision.document.number, clause.revision.number
    if isinstance(clause, Row):
        return reverse("boundaries:row_thread", args=[number, n, clause.position])
    return reverse("boundaries:article_thread", args=[number, n, clause.number])


def _others(
    told: Iterable[Person], *, actor: Person, at: datetime, even_ceo: bool = False
) -> list[Person]:
    """Each human being once, neither whoever did it nor (unless mentioned) the CEO."""
    left_out = {actor.human_id}
    if not even_ceo:
        left_out |= {
            one.person.human_id for one in who_acts_for([CEO], on=company_date(at)).values()
        }
    found: dict[int, Person] = {}
    for person in told:
        if person.human_id not in left_out:
            found.setdefault(person.pk, person)
    return list(found.values())


def _taking_part(revision: Revision, *, at: datetime) -> list[Person]:
    """The parties and the RevOps Lead of today."""
    offices = [*party_offices(revision), REVOPS_LEAD]
    return [one.person for one in who_acts_for(offices, on=company_date(at)).values()]


def _in_the_thread(clause: Clause, *, at: datetime) -> list[Person]:
    """Who takes part in the draft, and whoever wrote in this thread and may still read it."""
    usual = _taking_part(clause.revision, at=at)
    known = {one.pk for one in usual}
    wrote = Person.objects.filter(
        pk__in=clause.threadentrys.values("person_id"), is_active=True
    ).exclude(pk__in=known)
    on = company_date(at)
    return [*usual, *(one for one in wrote if powers_of(one, on=on).may(Act.READ_DRAFT))]


def written(entry: ThreadEntry, clause: Clause) -> None:
    """A comment or a proposed change: those whom it mentions are told so."""
    actor, at = entry.person, entry.written_at
    who = f"{entry.person_name}, {entry.person_office},"
    called = [one.person for one in who_acts_for(entry.mentions, on=company_date(at)).values()]
    mentioned = _others(called, actor=actor, at=at, even_ceo=True)
    path = thread_path(clause)
    tell(
        mentioned,
        kind="mention",
        key=f"mention-{entry.pk}",
        title=f"{who} mentioned you: {clause}",
        text=entry.text,
        path=path,
        at=at,
    )
    proposed = entry.kind == ThreadEntry.Kind.PROPOSAL
    done = "proposed a change to" if proposed else "commented on"
    knows = {one.pk for one in mentioned}
    rest = _others(_in_the_thread(clause, at=at), actor=actor, at=at)
    tell(
        [one for one in rest if one.pk not in knows],
        kind="proposal" if proposed else "comment",
        key=f"thread-{entry.pk}",
        title=f"{who} {done} {clause}",
        text=entry.text,
        path=path,
        at=at,
    )


def answered(proposal: Proposal, clause: Clause, *, acting_user: Person, at: datetime) -> None:
    """Accepted, declined or taken back: whoever takes part in the thread hears it."""
    done = {
        Proposal.Answer.ACCEPTED: "accepted the change that {} proposed to {}",
        Proposal.Answer.DECLINED: "declined the change that {} proposed to {}",
        Proposal.Answer.TAKEN_BACK: "took back the change proposed to {1}",
    }[Proposal.Answer(proposal.answer)]
    words = done.format(proposal.entry.person_name, clause)
    tell(
        _others(_in_the_thread(clause, at=at), actor=acting_user, at=at),
        kind=f"proposal-{proposal.answer.replace('_', '-')}",
        key=f"proposal-{proposal.pk}-{proposal.answer}",
        title=f"{proposal.answered_by_name}, {proposal.answered_by_office}, {words}",
        text=proposal.answer_word,
        path=thread_path(clause),
        at=at,
    )


def edited(
    clause: Clause, *, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> None:
    """A changed text. Ten changes of one person in an hour are told once."""
    tell(
        _others(_taking_part(clause.revision, at=at), actor=acting_user, at=at),
        kind="edit",
        key=f"edit-{_name(clause)}-{acting_user.pk}-{_hour(at)}",
        title=f"{acting_user.name}, {held[0].title}, changed {clause}",
        text="Agreements to the former text no longer count. Read it as it stands now.",
        path=place_path(clause),
        at=at,
    )


def contested(
    clause: Clause, *, reason: str, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> None:
    """A contest with its reason; contested again within the hour it is told once."""
    tell(
        _others(_taking_part(clause.revision, at=at), actor=acting_user, at=at),
        kind="contest",
        key=f"contest-{_name(clause)}-{acting_user.pk}-{_hour(at)}",
        title=f"{acting_user.name}, {held[0].title}, contested {clause}",
        text=f"“{reason}”",
        path=place_path(clause),
        at=at,
    )


def draft_opened(
    revision: Revision, *, acting_user: Person, held: Sequence[Appointment], at: datetime
) -> None:
    """A new draft: everybody who takes part hears of it."""
    tell(
        _others(_taking_part(revision, at=at), actor=acting_user, at=at),
        kind="draft-opened",
        key=f"opened-{revision.reference}",
        title=f"{acting_user.name}, {held[0].title}, opened the draft {revision.reference}",
        text=(
            f"{revision.document.title}, version {revision.number}. Read it row by row, and agree "
            "or say what should change."
        ),
        path=revision.get_absolute_url(),
        at=at,
    )


def _name(clause: Clause) -> str:
    return f"{'row' if isinstance(clause, Row) else 'article'}-{clause.pk}"


def _hour(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%d%H")
