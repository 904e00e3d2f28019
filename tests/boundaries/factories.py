"""A small company boundary in every state, made by the product's own verbs.

Only two things are short cuts: the catalog has five functions, and the signing copy is a few
bytes instead of a rendered PDF. Everybody who holds an Office is there.
"""

import secrets
from datetime import UTC, date, datetime, timedelta

from boundaries import agreeing, consent, drafting, plan, proof, signing, workflow
from boundaries.files import files
from boundaries.models import Agreement, Freeze, Revision, Signature
from boundaries.parties import party_offices
from boundaries.states import Period, Role, State
from functions_catalog.models import Function, SubScope
from people.appointments import appoint
from tests.people.factories import (
    PASSWORD,
    SINCE,
    PersonFactory,
    appointed_at_once,
    northwind_people,
)

# Friday, 20 November 2026, 10:00 in New York.
NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SESSION = "a-browser-session"
REASON = "The scope of deal desk is not what we said."

# key, category, natural owner, touches financial reporting; all stand in the template
CATALOG = (
    ("deal_desk", "commercial", "cro", True),
    ("territory_planning", "commercial", "cro", False),
    ("vendor_management", "shared_services", "coo", False),
    ("billing_and_collections", "finance_and_go_to_market", "cfo", True),
    ("master_data_management", "hybrid", "hybrid", False),
)


def small_catalog():
    """Five functions, one of them split; returns them by key."""
    functions = {}
    for position, (key, category, owner, financial) in enumerate(CATALOG, start=1):
        functions[key] = Function.objects.create(
            key=key,
            name=key.replace("_", " ").capitalize(),
            category=category,
            natural_owner=owner,
            touches_financial_reporting=financial,
            position=position,
        )
    for key, name, owner in (
        ("accounts_and_contacts", "Accounts and contacts", "cro"),
        ("products_and_employees", "Products and employees", "coo"),
    ):
        SubScope.objects.create(
            function=functions["master_data_management"], key=key, name=name, natural_owner=owner
        )
    return functions


def another_function(key="quota_and_capacity_setting", owner="cro", **more):
    return Function.objects.create(
        key=key,
        name=key.replace("_", " ").capitalize(),
        category="commercial",
        natural_owner=owner,
        position=99,
        **more,
    )


def everybody():
    """Northwind's executives, and holders of every other Office; by Office key and "member"."""
    others = {
        "corporate_secretary": PersonFactory(name="Iris Novak"),
        "auditor": PersonFactory(name="Samuel Adeyemi"),
        "administrator": PersonFactory(name="Joan Petit"),
    }
    appointed_at_once(others)
    return northwind_people() | others


def appointed(person, office, *, starts_on=SINCE, ends_on=None, acting=False, at=NOW):
    return appoint(
        person=person,
        office_key=office,
        starts_on=starts_on,
        ends_on=ends_on,
        acting=acting,
        instrument="Memo of the CEO" if acting else "",
        acting_user=None,
        at=at,
    )


def acting(person, office, *, starts_on=date(2026, 11, 1), ends_on=date(2026, 12, 1)):
    """``person`` stands in for the Office in November 2026."""
    return appointed(person, office, starts_on=starts_on, ends_on=ends_on, acting=True)


def handed_over(person, office, *, on=TODAY):
    """The Office goes from whoever holds it to ``person``; from ``on`` they act."""
    from people.models import Appointment

    Appointment.objects.filter(office__key=office, ends_on__isnull=True, acting=False).update(
        ends_on=on
    )
    return appointed(person, office, starts_on=on)


# --- Drafts -----------------------------------------------------------------------------------


def draft(people, *, at=NOW, opener="cro", number="NC-RB", functions=None):
    """A fresh draft: the company boundary, or a document of ``functions`` only."""
    return workflow.open_document(
        number=number,
        title="Northwind Cloud RevOps boundary" if functions is None else f"Boundary {number}",
        company_boundary=functions is None,
        functions=functions or (),
        acting_user=people[opener],
        at=at,
    )


def everything_read(revision):
    """What a reader of the whole draft has before their eyes, as ``agree_to_all_read`` wants."""
    return {("article", one.pk): one.version for one in revision.articles.all()} | {
        ("row", one.pk): one.version for one in revision.rows.all()
    }


def all_agree(revision, people, *, at=NOW, parties=None):
    for office in parties or party_offices():
        agreeing.agree_to_all_read(
            revision=revision, read=everything_read(revision), acting_user=people[office], at=at
        )
    return revision


def effective(revision, people, day, *, at=NOW, sunset=None):
    """Set the effective date as an editor does."""
    control = revision.articles.get(key="control")
    drafting.edit_control(
        revision=revision,
        expected_version=control.version,
        text=control.text,
        effective_date=day,
        sunset_date=sunset,
        acting_user=people["cro"],
        at=at,
    )
    return fresh(revision)


def row_of(revision, key="deal_desk"):
    return revision.rows.select_related("function", "revision__document").get(function__key=key)


def article_of(revision, key):
    return revision.articles.select_related("revision__document").get(key=key)


def edit(row, people, *, by="cro", at=NOW, version=None, **changes):
    """Save a row with some fields changed."""
    from dataclasses import replace

    return drafting.edit_row(
        row=row,
        expected_version=row.version if version is None else version,
        text=replace(drafting.row_text(row), **changes),
        acting_user=people[by],
        at=at,
    )


def edit_data(article, people, *, by="cro", at=NOW, **changes):
    """Save an article with some of its data changed."""
    return drafting.edit_article(
        article=article,
        expected_version=article.version,
        text=drafting.ArticleText(text=article.text, data={**article.data, **changes}),
        acting_user=people[by],
        at=at,
    )


# --- From frozen to in force ------------------------------------------------------------------


def frozen(revision, people, *, at=NOW, by="cro"):
    """Freeze what all agree to, and put a signing copy where the worker would."""
    freeze = workflow.freeze(revision=revision, acting_user=people[by], at=at)
    return with_signing_copy(freeze)


def with_signing_copy(freeze):
    sha256 = files.put(b"signing copy of " + bytes(freeze.content))
    Freeze.objects.filter(pk=freeze.pk).update(signing_copy_sha256=sha256, pdf_sha256=sha256)
    freeze.refresh_from_db()
    return freeze


def intent_for(revision, person, *, role=Role.COSIGNER, at=NOW, session_key=SESSION, **more):
    """Open the signing copy and begin to sign."""
    signing.record_reading(
        freeze=revision.freezes.get(voided_at__isnull=True), acting_user=person, at=at
    )
    return signing.open_intent(
        revision=revision,
        role=role,
        meaning_accepted=True,
        session_key=session_key,
        acting_user=person,
        at=at,
        **more,
    )


def authenticated_intent(revision, person, *, role=Role.COSIGNER, at=NOW, **more):
    intent = intent_for(revision, person, role=role, at=at, **more)
    return signing.authenticate(
        intent=intent, password=PASSWORD, session_key=SESSION, acting_user=person, at=at
    )


def forged_intent(revision, person, *, role=Role.COSIGNER, at=NOW):
    """A complete intent for somebody whom the ceremony would not let in: verbs must refuse it."""
    from boundaries.models import Reading, SigningIntent

    freeze = revision.freezes.order_by("-number").first()
    if freeze is None:
        return SigningIntent(role=role, person=person)
    Reading.objects.get_or_create(
        freeze=freeze,
        person=person,
        defaults={"file_sha256": freeze.signing_copy_sha256, "opened_at": at},
    )
    return SigningIntent.objects.create(
        freeze=freeze,
        role=role,
        person=person,
        appointment_ids=list(person.appointments.values_list("pk", flat=True)),
        session_sha256=signing.session_sha256(SESSION),
        content_sha256=freeze.content_sha256,
        signing_copy_sha256=freeze.signing_copy_sha256,
        meaning="I agree.",
        consent_version=consent.CURRENT.version,
        nonce=secrets.token_hex(32),
        created_at=at,
        expires_at=at + timedelta(minutes=5),
        authenticated_at=at,
        method=proof.PASSWORD_ONLY,
    )


def cosigned(revision, people, *offices, at=NOW):
    for office in offices or party_offices():
        workflow.cosign(
            revision=revision,
            intent=authenticated_intent(revision, people[office], at=at),
            session_key=SESSION,
            acting_user=people[office],
            at=at,
        )
    return fresh(revision)


def approved(revision, people, *, at=NOW):
    workflow.approve(
        revision=revision,
        intent=authenticated_intent(revision, people["ceo"], role=Role.APPROVER, at=at),
        session_key=SESSION,
        acting_user=people["ceo"],
        at=at,
    )
    return fresh(revision)


def in_force(people, *, at=NOW, number="NC-RB", functions=None):
    """A document in force since the company's date at ``at``."""
    revision = draft(people, at=at, number=number, functions=functions)
    return brought_into_force(revision, people, at=at)


def brought_into_force(revision, people, *, at=NOW):
    """Take a draft through agreement, signatures and approval, effective at once."""
    from people.calendar import company_date

    revision = effective(revision, people, company_date(at), at=at)
    all_agree(revision, people, at=at)
    frozen(revision, people, at=at)
    cosigned(revision, people, at=at)
    return approved(revision, people, at=at)


def in_state(state, people, *, at=NOW):
    """The company boundary's Revision in ``state``, by the shortest way there.

    COSIGNING has the COO's signature; a DRAFT is agreed by all, ready to freeze.
    """
    revision = draft(people, at=at)
    if state in (State.IN_FORCE, State.SUPERSEDED, State.EXPIRED_UNRENEWED):
        revision = brought_into_force(revision, people, at=at)
        if state == State.SUPERSEDED:
            later = at + timedelta(days=1)
            amendment = workflow.amend(revision=revision, acting_user=people["cro"], at=later)
            brought_into_force(amendment, people, at=later)
        if state == State.EXPIRED_UNRENEWED:
            workflow.expire(revision=revision, at=at + timedelta(days=400))
        return fresh(revision)
    all_agree(revision, people, at=at)
    if state == State.WITHDRAWN:
        workflow.withdraw(revision=revision, reason=REASON, acting_user=people["cro"], at=at)
    if state in (State.COSIGNING, State.AWAITING_APPROVAL, State.APPROVED):
        frozen(revision, people, at=at)
        offices = ("coo",) if state == State.COSIGNING else ()
        cosigned(revision, people, *offices, at=at)
    if state == State.APPROVED:
        approved(revision, people, at=at)
    return fresh(revision)


def fresh(revision):
    return Revision.objects.select_related("document").get(pk=revision.pk)


def execution_plan():
    return [
        plan.PlannedMilestone(
            period=period,
            text="Move the queue",
            responsible="RevOps Lead",
            due_date=TODAY + timedelta(days=30 * number),
        )
        for number, period in enumerate(Period, start=1)
    ]


# --- What is to be seen -----------------------------------------------------------------------


def live_signatures(revision):
    """(Office, role) of every signature that counts."""
    return sorted(
        Signature.objects.filter(revision=revision, voided_at__isnull=True).values_list(
            "office", "role"
        )
    )


def live_stances(clause):
    """Office -> stance, of the agreements to a row or article that stand."""
    return dict(
        Agreement.objects.filter(
            **agreeing.about(clause), withdrawn_at__isnull=True, clause_version=clause.version
        ).values_list("office", "stance")
    )
