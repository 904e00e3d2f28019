"""Answers as a frozen Revision gives them, and bringing them in force."""

from datetime import UTC, datetime

from django.db import transaction

from functions_catalog.models import Function
from functions_catalog.ownership import Answer, AnswerPart, bring_into_force

AT = datetime(2026, 1, 5, tzinfo=UTC)


def answer(key, owner="cro", *, number="NC-RB", revision=1, parts=(), **more):
    function = Function.objects.get(key=key)
    return Answer(
        function_key=key,
        name=more.pop("name", function.name),
        owner="hybrid" if parts else owner,
        document_number=number,
        document_title="Northwind Cloud RevOps boundary",
        revision_number=revision,
        article_reference=more.pop("article_reference", f"4.{function.position}"),
        sub_scopes=tuple(AnswerPart(*part) for part in parts),
        veto=function.touches_financial_reporting,
        **more,
    )


def in_force(answers, from_date, *, number="NC-RB", revision=1, at=AT):
    with transaction.atomic():
        return bring_into_force(
            answers=answers,
            from_date=from_date,
            document_number=number,
            revision_number=revision,
            at=at,
        )


MDM_PARTS = (
    ("accounts_and_contacts", "Accounts and contacts", "cro"),
    ("products_and_employees", "Products and employees", "coo"),
)
