"""Documents in force, as the boundary verbs leave them, without walking through those."""

from datetime import UTC, date, datetime
from hashlib import sha256

from boundaries.models import (
    Document,
    Freeze,
    Revision,
    Row,
    RowSubScope,
    Signature,
    SigningIntent,
)
from boundaries.states import Role, State
from functions_catalog.models import Function
from people.models import Appointment
from people.offices import HYBRID
from sealing.canonical import canonical_json


def document(opened_by, *, number="NC-RB", company_boundary=True):
    return Document.objects.create(
        number=number,
        title="Northwind Cloud RevOps boundary" if company_boundary else f"Boundary {number}",
        is_company_boundary=company_boundary,
        opened_by=opened_by,
    )


def revision_in_force(
    of,
    people,
    *,
    number=1,
    effective=date(2026, 3, 2),
    sunset=date(2027, 3, 2),
    parties=None,
    rows=(),
):
    """A Revision in force since its effective date, signed by ``parties`` (Office keys).

    ``rows`` are (function key, owner or {sub-scope: owner}) pairs. A former one is superseded.
    """
    opener = people["cro"]
    at = datetime(effective.year, effective.month, effective.day, 14, tzinfo=UTC)
    former = of.revisions.filter(state=State.IN_FORCE).first()
    if former:
        former.state, former.in_force_until = State.SUPERSEDED, at
        former.save(update_fields=["state", "in_force_until"])
    revision = Revision.objects.create(
        document=of,
        number=number,
        supersedes=former,
        effective_date=effective,
        sunset_date=sunset,
        opened_by=opener,
        opened_by_name=opener.name,
        opened_by_office="cro",
    )
    for position, (key, owner) in enumerate(rows, start=1):
        function, _ = Function.objects.get_or_create(
            key=key,
            defaults={
                "name": key.replace("_", " ").capitalize(),
                "category": Function.Category.COMMERCIAL,
                "natural_owner": "cro",
            },
        )
        row = Row.objects.create(
            revision=revision,
            function=function,
            position=position,
            owner=HYBRID if isinstance(owner, dict) else owner,
        )
        if isinstance(owner, dict):
            for place, (scope, holder) in enumerate(owner.items()):
                RowSubScope.objects.create(
                    row=row, key=scope, name=scope.capitalize(), owner=holder, position=place
                )
    in_order = ("cro", "coo", "cfo")
    signed_by = in_order if parties is None else [key for key in in_order if key in parties]
    content = canonical_json(
        {"reference": revision.reference, "parties": [{"office": key} for key in signed_by]}
    )
    freeze = Freeze.objects.create(
        revision=revision,
        number=1,
        content=content,
        content_sha256=sha256(content).hexdigest(),
        frozen_at=at,
        frozen_by=opener,
        frozen_by_name=opener.name,
        frozen_by_office="cro",
    )
    for office in signed_by:
        _sign(freeze, people[office], office, at)
    revision.state, revision.in_force_from = State.IN_FORCE, at
    revision.save(update_fields=["state", "in_force_from"])
    return revision


def _sign(freeze, person, office, at):
    intent = SigningIntent.objects.create(
        freeze=freeze,
        role=Role.COSIGNER,
        person=person,
        session_sha256="",
        content_sha256=freeze.content_sha256,
        signing_copy_sha256="",
        meaning="I agree",
        consent_version="1",
        nonce=f"{freeze.pk}-{office}",
        created_at=at,
        expires_at=at,
    )
    Signature.objects.create(
        freeze=freeze,
        revision=freeze.revision,
        role=Role.COSIGNER,
        office=office,
        person=person,
        person_name=person.name,
        appointment=Appointment.objects.get(person=person, office__key=office),
        intent=intent,
        content_sha256=freeze.content_sha256,
        signing_copy_sha256="",
        meaning="I agree",
        method="password only",
        evidence_sha256="",
        signed_at=at,
    )
