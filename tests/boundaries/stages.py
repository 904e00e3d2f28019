"""Bring a small boundary to a stage of its life by the product's own verbs.

Three functions instead of the whole catalog, and a few bytes in place of the signing copy, where
a test is not about either: every verb, guard and signature is real.
"""

import secrets
from collections import Counter
from datetime import UTC, datetime, timedelta

from audit.models import Event
from boundaries import agreeing, drafting, signing, workflow
from boundaries.files import files
from boundaries.models import Document, Freeze, Revision
from boundaries.states import Role
from functions_catalog.models import Function
from notifications.models import OutgoingMail
from people.calendar import company_date
from tests.people.factories import PASSWORD

# Noon in New York: far from the midnight at which the company's date changes.
NOW = datetime(2026, 11, 20, 17, tzinfo=UTC)
PARTIES = ("cro", "coo", "cfo")
FUNCTIONS = (
    ("deal_desk", "Deal desk", "cro", False),
    ("vendor_management", "Vendor management", "coo", False),
    ("commission_calculation_and_payout", "Commission calculation and payout", "cfo", True),
)


def clock():
    return NOW


def small_catalog():
    """Three functions that the template has text for."""
    for position, (key, name, owner, veto) in enumerate(FUNCTIONS, start=1):
        Function.objects.get_or_create(
            key=key,
            defaults={
                "name": name,
                "category": Function.Category.COMMERCIAL,
                "covers": f"What belongs to {name.lower()}.",
                "natural_owner": owner,
                "touches_financial_reporting": veto,
                "position": position,
            },
        )


def drafted(people, *, at=NOW, **more):
    """The company boundary as a draft, as the template proposes it."""
    small_catalog()
    return workflow.open_document(
        number=more.pop("number", "NC-RB"),
        title=more.pop("title", "Northwind Cloud RevOps boundary"),
        company_boundary=more.pop("company_boundary", True),
        acting_user=people["cro"],
        at=at,
        **more,
    )


def set_effective(revision, people, *, effective, sunset=None, at=NOW):
    control = revision.articles.get(key="control")
    return drafting.edit_control(
        revision=revision,
        expected_version=control.version,
        text=control.text,
        effective_date=effective,
        sunset_date=sunset,
        acting_user=people["cro"],
        at=at,
    )


def all_agree(revision, people, *, at=NOW, offices=PARTIES):
    """The parties agree to all that stands in the draft."""
    read = {("article", one.pk): one.version for one in revision.articles.all()} | {
        ("row", one.pk): one.version for one in revision.rows.all()
    }
    for office in offices:
        agreeing.agree_to_all_read(revision=revision, read=read, acting_user=people[office], at=at)


def ready_to_freeze(people, *, at=NOW, effective=None, revision=None):
    """A draft that nothing blocks; effective at once unless ``effective`` says when."""
    revision = revision or drafted(people, at=at)
    set_effective(revision, people, effective=effective or company_date(at), at=at)
    all_agree(revision, people, at=at)
    return Revision.objects.get(pk=revision.pk)


def give_signing_copy(freeze):
    """Put a few bytes where the worker would put the certified PDF."""
    content = f"%PDF-1.7 signing copy of {freeze} {freeze.content_sha256}".encode()
    sha256 = files.put(content)
    Freeze.objects.filter(pk=freeze.pk).update(signing_copy_sha256=sha256, pdf_sha256=sha256)
    freeze.refresh_from_db()
    return freeze


def give_sealed_file(revision, content=b"%PDF-1.7 sealed"):
    """Put a few bytes where the worker would put the sealed PDF."""
    sha256 = files.put(content)
    Freeze.objects.filter(pk=live_freeze(revision).pk).update(
        pdf_sha256=sha256, sealed_sha256=sha256, sealed_at=NOW
    )
    return content


def frozen(people, *, at=NOW, effective=None, revision=None):
    """A Revision in co-signing whose signing copy can be opened."""
    revision = ready_to_freeze(people, at=at, effective=effective, revision=revision)
    give_signing_copy(workflow.freeze(revision=revision, acting_user=people["cro"], at=at))
    return Revision.objects.get(pk=revision.pk)


def live_freeze(revision):
    return revision.freezes.get(voided_at__isnull=True)


class Ceremony:
    """One person's ceremony up to the last click: opened, meant, authenticated."""

    def __init__(self, revision, role, person, *, at=NOW, **more):
        self.revision, self.role, self.person, self.at = revision, role, person, at
        self.session_key = secrets.token_hex(16)
        signing.record_reading(freeze=live_freeze(revision), acting_user=person, at=at)
        intent = signing.open_intent(
            revision=revision,
            role=role,
            meaning_accepted=True,
            session_key=self.session_key,
            acting_user=person,
            at=at,
            **more,
        )
        self.intent = signing.authenticate(
            intent=intent,
            password=PASSWORD,
            session_key=self.session_key,
            acting_user=person,
            at=at,
        )

    def finish(self, *, at=None):
        """The last click."""
        verb = workflow.cosign if self.role == Role.COSIGNER else workflow.approve
        return verb(
            revision=self.revision,
            intent=self.intent,
            session_key=self.session_key,
            acting_user=self.person,
            at=at or self.at,
        )


def to_sign(revision, person, *, at=NOW, **more):
    return Ceremony(revision, Role.COSIGNER, person, at=at, **more)


def to_approve(revision, person, *, at=NOW, **more):
    return Ceremony(revision, Role.APPROVER, person, at=at, **more)


def signed_by(revision, people, *offices, at=NOW):
    for office in offices:
        to_sign(revision, people[office], at=at).finish()
    return Revision.objects.get(pk=revision.pk)


def awaiting_approval(people, *, at=NOW, effective=None, revision=None):
    revision = frozen(people, at=at, effective=effective, revision=revision)
    return signed_by(revision, people, *PARTIES, at=at)


def approved(people, *, at=NOW, effective=None, revision=None):
    """Approved; in force when the effective date has come (it has, unless given)."""
    revision = awaiting_approval(people, at=at, effective=effective, revision=revision)
    to_approve(revision, people["ceo"], at=at).finish()
    return Revision.objects.get(pk=revision.pk)


def approved_for_later(people, *, at=NOW, days=30):
    return approved(people, at=at, effective=company_date(at) + timedelta(days=days))


def amended(revision, people, *, at=NOW):
    return workflow.amend(revision=revision, acting_user=people["cro"], at=at)


def part_document(people, *, number, function_keys, at=NOW):
    """A document about some functions only, as a draft."""
    small_catalog()
    return workflow.open_document(
        number=number,
        title=f"Boundary {number}",
        company_boundary=False,
        functions=list(Function.objects.filter(key__in=function_keys)),
        acting_user=people["cro"],
        at=at,
    )


# --- What is there: to assert that nothing is lost and nothing doubled -------------------------


def signatures_of(revision):
    """``{"live": offices in order, "void": offices}``."""
    live = revision.signatures.filter(voided_at__isnull=True)
    void = revision.signatures.filter(voided_at__isnull=False)
    return {
        "live": sorted(live.values_list("office", flat=True)),
        "void": sorted(void.values_list("office", flat=True)),
    }


def verbs_of(revision):
    """How often each verb changed the state."""
    return dict(Counter(revision.changes.values_list("verb", flat=True)))


def events_of(*names):
    """How often each of these events is in the log (0 included)."""
    return {name: Event.objects.filter(event=name).count() for name in names}


def mails_of(*kinds):
    """How many mails of each kind are owed (0 included)."""
    return {kind: OutgoingMail.objects.filter(kind=kind).count() for kind in kinds}


def everything():
    """Counts of all that a refused act must leave as it was."""
    return {
        "states": list(Revision.objects.order_by("pk").values_list("pk", "state")),
        "signatures": list(
            Revision.objects.order_by("pk").values_list("signatures__pk", "signatures__voided_at")
        ),
        "changes": sum(one.changes.count() for one in Revision.objects.all()),
        "events": Event.objects.count(),
        "mails": OutgoingMail.objects.count(),
        "documents": Document.objects.count(),
    }
