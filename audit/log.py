"""``record``: the log's only writer."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from django.db import transaction
from django.utils import timezone

from sealing import merkle

from .leaf import JSON, ip_hash, leaf_of, personal_commitment
from .models import Event, LogHead, PersonalText


class Actor(Protocol):
    """Whoever acts: a Person, of whom this app knows only key and name."""

    @property
    def pk(self) -> Any: ...

    @property
    def name(self) -> str: ...


class LogDamaged(Exception):
    """The log's head is missing or contradicts itself: nothing can be recorded."""


def record(
    event: str,
    *,
    at: datetime,
    actor: Actor | None,
    office: str = "",
    appointment_id: int | None = None,
    object_type: str,
    object_id: str,
    object_version: str = "",
    object_sha256: str = "",
    ip: str = "",
    authentication_sha256: str = "",
    data: Mapping[str, JSON] | None = None,
    personal_text: str = "",
) -> Event:
    """Append one event, so that it stands or falls with the change that it tells of.

    ``event`` is dotted past tense (``revision.cosigned``); ``at`` is aware; ``office`` is the key
    acted for; hashes are hexadecimal SHA-256. ``data`` must hold JSON values only and is public to
    readers of the log; what somebody may later have to erase goes into ``personal_text``.
    Raises ``TransactionManagementError`` outside ``transaction.atomic()``, ``ValueError`` for a
    naive time, ``LogDamaged`` when the head is missing.
    """
    connection = transaction.get_connection()
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError(
            "audit.record() belongs into the transaction of the change that it records."
        )
    if timezone.is_naive(at):
        raise ValueError("audit.record() needs an aware time.")

    # The head row is the lock: whoever holds it has the next number, until commit.
    try:
        head = LogHead.objects.select_for_update().get(pk=1)
    except LogHead.DoesNotExist:
        raise LogDamaged("The log has no head row. Run `manage audit_verify`.") from None

    salt = secrets.token_hex(32) if personal_text else ""
    new = Event(
        sequence=head.size + 1,
        at=at.astimezone(UTC),
        event=event,
        actor_id=None if actor is None else actor.pk,
        actor_name="" if actor is None else actor.name,
        office=office,
        appointment_id=appointment_id,
        object_type=object_type,
        object_id=object_id,
        object_version=object_version,
        object_sha256=object_sha256,
        ip_hash=ip_hash(ip),
        authentication_sha256=authentication_sha256,
        data=dict(data or {}),
        personal_commitment=personal_commitment(personal_text, salt) if personal_text else "",
    )
    leaf = leaf_of(new)
    new.leaf_hash = leaf.hex()
    try:
        frontier = merkle.appended([bytes.fromhex(one) for one in head.frontier], head.size, leaf)
    except ValueError as fault:
        raise LogDamaged(f"The log's head contradicts itself: {fault}.") from fault

    new.save(force_insert=True)
    if personal_text:
        PersonalText.objects.create(sequence=new.sequence, salt=salt, text=personal_text)
    head.size += 1
    head.frontier = [one.hex() for one in frontier]
    head.root = merkle.root_from_frontier(frontier).hex()
    head.save(update_fields=["size", "frontier", "root"])
    return new
