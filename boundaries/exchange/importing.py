"""The verbs that take a file over into a draft: as its text, or as proposed changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core import signing
from django.db import transaction

import audit
from notifications.news import tell
from people.calendar import company_date
from people.models import Appointment, Person
from people.permissions import Act
from people.queries import who_acts_for

from .. import drafting, threads
from ..activity import touch
from ..agreeing import record_all_agreed, record_event_only, withdraw_all_agreements
from ..drafting import ArticleText, RowText
from ..locking import locked_draft
from ..looking import look
from ..models import Article, Revision, Row
from ..parties import Offices, party_offices, require_party
from .errors import ImportOutdated, NothingChosen
from .previewing import Change, preview
from .reading import Incoming
from .table import Names

_SALT = "boundaries.exchange"
GOOD_FOR_SECONDS = 24 * 3600


# --- Between preview and import ---------------------------------------------------------------


def signed(revision: Revision, incoming: Incoming, changes: Sequence[Change], by: Person) -> str:
    """What the preview showed, for the page to send back: signed, so that it is exactly that."""
    functions = {one.function for one in changes}
    articles = {one.clause.key for one in changes if isinstance(one.clause, Article)}
    shown = Incoming(
        reference=incoming.reference,
        rows=[one for one in incoming.rows if one.function in functions],
        articles=[one for one in incoming.articles if one.key in articles],
        tabular=incoming.tabular,
    )
    data = {"revision": revision.pk, "person": by.pk, "incoming": shown.to_json()}
    return signing.dumps(data, salt=_SALT, compress=True)


def unsigned(text: str, revision: Revision, by: Person) -> Incoming:
    """The file of a preview that this page gave to this person within the last day."""
    try:
        data: dict[str, Any] = signing.loads(text, salt=_SALT, max_age=GOOD_FOR_SECONDS)
    except signing.BadSignature as error:
        raise ImportOutdated(
            "This preview is no longer good. Upload the file again; nothing was changed."
        ) from error
    if (data["revision"], data["person"]) != (revision.pk, by.pk):
        raise ImportOutdated(
            "This preview is about another draft, or was shown to somebody else. Upload the file "
            "again; nothing was changed."
        )
    return Incoming.from_json(data["incoming"])


# --- The verbs --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Imported:
    """How much was taken over."""

    rows: int = 0
    added: int = 0
    articles: int = 0

    @property
    def words(self) -> str:
        """ "3 rows, 1 new row and 2 articles"."""
        counts = [(self.rows, "row"), (self.added, "new row"), (self.articles, "article")]
        named = [f"{count} {one}{'' if count == 1 else 's'}" for count, one in counts if count]
        return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _chosen(revision: Revision, incoming: Incoming, chosen: Mapping[str, int]) -> list[Change]:
    """The changes that were ticked, exactly as they were shown; all of them or a refusal."""
    if not chosen:
        raise NothingChosen("Tick what is to be taken over. Nothing was changed.")
    by_anchor = {one.anchor: one for one in preview(revision, incoming, Names()).changes}
    for anchor, version in chosen.items():
        change = by_anchor.get(anchor)
        if change is None or change.version != version:
            raise ImportOutdated(
                f"{change.title if change else 'A row or article'} changed in the draft while you "
                "looked at the preview. Nothing was imported: the preview below is compared anew."
            )
    return [one for anchor, one in by_anchor.items() if anchor in chosen]


@transaction.atomic
def import_draft(
    *,
    revision: Revision,
    incoming: Incoming,
    chosen: Mapping[str, int],
    acting_user: Person,
    at: datetime,
) -> Imported:
    """Write the chosen changes of a file into the draft: all of them, or none.

    ``chosen`` maps the anchor of each change to the version that the preview compared it with. Each
    place is an edit like any other: its agreements end, and the editor's own is recorded.
    """
    revision = locked_draft(revision)
    held = require_party(revision, acting_user, Act.EDIT, at=at)
    changes = _chosen(revision, incoming, chosen)
    _write(changes, revision, acting_user=acting_user, held=held, at=at)
    done = Imported(
        rows=sum(isinstance(one.clause, Row) for one in changes),
        added=sum(one.is_new for one in changes),
        articles=sum(isinstance(one.clause, Article) for one in changes),
    )
    count = touch(revision)
    audit.record(
        "draft.imported",
        at=at,
        actor=acting_user,
        office=held[0].office.key,
        appointment_id=held[0].pk,
        object_type="revision",
        object_id=str(revision.pk),
        object_version=str(revision.number),
        data={
            "revision": revision.reference,
            "taken_from": incoming.reference,
            "places": [one.title for one in changes],
        },
    )
    parties = who_acts_for(party_offices(revision), on=company_date(at)).values()
    tell(
        [one.person for one in parties if one.person_id != acting_user.pk],
        kind="draft-imported",
        key=f"draft-imported-{revision.pk}-{count}",
        title=f"{acting_user.name} imported {done.words} into {revision.reference}",
        text="What was changed waits for your agreement again.",
        path=revision.get_absolute_url(),
        at=at,
    )
    return done


def _write(
    changes: Sequence[Change],
    revision: Revision,
    *,
    acting_user: Person,
    held: Sequence[Appointment],
    at: datetime,
) -> None:
    """Write every change, in the order of the file: a few queries for each.

    What a change does to agreements, boards and looks is done for all of them together.
    """
    texts = [(one, one.clause) for one in changes if one.clause is not None]
    withdrawn = withdraw_all_agreements(
        [clause for change, clause in texts if not _is_control(change)],
        because=f"{acting_user.name} changed the text by an import.",
        at=at,
    )
    offices, functions = Offices.of_today(), Names().functions
    parties: Sequence[str] = party_offices(revision, may_own=offices.may_own)
    agreed: dict[Row | Article, list[Appointment]] = {}
    for change in changes:
        clause = change.clause
        if clause is None:
            clause = drafting.add_row(
                revision=revision,
                function=functions[change.function],
                acting_user=acting_user,
                at=at,
            )
            parties = party_offices(revision, may_own=offices.may_own)
            if drafting.row_text(clause) == change.text:
                continue
            withdrawn += withdraw_all_agreements(
                [clause], because=f"{acting_user.name} changed the text by an import.", at=at
            )
        clause.revision = revision
        if _is_control(change):
            _write_control(change, revision, acting_user=acting_user, at=at)
            continue
        if isinstance(clause, Row) and isinstance(change.text, RowText):
            parties = drafting.write_row(
                clause,
                change.text,
                acting_user=acting_user,
                held=held,
                at=at,
                offices=offices,
                parties=parties,
            )
            event = "row.edited"
        elif isinstance(clause, Article) and isinstance(change.text, ArticleText):
            drafting.write_article(clause, change.text, acting_user=acting_user, held=held, at=at)
            event = "article.edited"
        agreed[clause] = [one for one in held if one.office.key in parties]
        record_event_only(
            event,
            clause,
            acting_user=acting_user,
            held=held,
            at=at,
            agreements_withdrawn=withdrawn[clause],
            agreed_by_editor=[one.office.key for one in agreed[clause]],
            imported=True,
        )
    if agreed:
        record_all_agreed(revision, agreed, at=at)
        touch(revision, *agreed)
        look(list(agreed), person=acting_user, at=at)


def _is_control(change: Change) -> bool:
    """Article 1 holds the dates, and is written by a verb of its own."""
    return isinstance(change.clause, Article) and change.clause.key == "control"


def _write_control(
    change: Change, revision: Revision, *, acting_user: Person, at: datetime
) -> None:
    assert change.clause is not None  # noqa: S101 - article 1 is never new
    drafting.edit_control(
        revision=revision,
        expected_version=change.version,
        text=change.text.text if isinstance(change.text, ArticleText) else "",
        effective_date=change.dates.get("effective_date", revision.effective_date),
        sunset_date=change.dates.get("sunset_date", revision.sunset_date),
        acting_user=acting_user,
        at=at,
    )


def may_be_proposed(change: Change) -> bool:
    """A new row and article 1 are for editors alone."""
    return change.clause is not None and not _is_control(change)


@transaction.atomic
def propose_imported(
    *,
    revision: Revision,
    incoming: Incoming,
    chosen: Mapping[str, int],
    acting_user: Person,
    at: datetime,
) -> Imported:
    """Put the chosen changes of a file to the parties, each as a proposed change in its thread."""
    revision = locked_draft(revision)
    require_party(revision, acting_user, Act.PROPOSE, at=at)
    changes = [one for one in _chosen(revision, incoming, chosen) if may_be_proposed(one)]
    if not changes:
        raise NothingChosen(
            "A new row and the dates of article 1 are for those who edit the draft. Nothing was "
            "proposed: say in a comment what you need."
        )
    for one in changes:
        assert one.clause is not None  # noqa: S101 - filtered on it
        one.clause.revision = revision
        threads.propose(
            clause=one.clause,
            text=one.text,
            base_version=one.version,
            word="From an imported file.",
            acting_user=acting_user,
            at=at,
        )
    return Imported(
        rows=sum(isinstance(one.clause, Row) for one in changes),
        articles=sum(isinstance(one.clause, Article) for one in changes),
    )
