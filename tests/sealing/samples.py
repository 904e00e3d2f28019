"""Canonical content to seal in tests: a boundary of realistic size, and a small one."""

from __future__ import annotations

from typing import Any

OFFICES = {
    "cro": "Chief Revenue Officer",
    "coo": "Chief Operating Officer",
    "cfo": "Chief Financial Officer",
    "ceo": "Chief Executive Officer",
}

FUNCTIONS: list[tuple[str, str, str, bool, str]] = [
    ("Sales operations strategy", "commercial", "cro", False, "The yearly plan of how the field works: segments, coverage, capacity"),
    ("Deal desk", "commercial", "cro", True, "Deal structure, discounts, non-standard terms up to the bands of article 5"),
    ("Comp design and administration", "commercial", "cro", True, "Plan design, quota letters, exceptions of up to two per cent of the plan"),
    ("Forecast methodology and governance", "commercial", "cro", False, "Stages, categories, the weekly call and the commit"),
    ("Sales analytics and insights", "commercial", "cro", False, "Win rate, cycle time, pipeline cover, the CRO's own dashboards"),
    ("Territory planning", "commercial", "cro", False, "Segments, named accounts, coverage models, changes within the year"),
    ("Lead routing rules", "commercial", "cro", False, "Round robin, named-account matching, time limits for picking up a lead"),
    ("Sales tooling decisions", "commercial", "cro", False, "CRM configuration, sales engagement, call recording"),
    ("HRIS integration", "shared_services", "coo", False, "The feed of joiners, movers and leavers into revenue systems"),
    ("Finance / ERP integration", "shared_services", "coo", True, "The sync between CRM and ERP, its monitoring and repair"),
    ("IT services to sales", "shared_services", "coo", False, "Laptops, single sign-on, service desk"),
    ("Vendor management", "shared_services", "coo", False, "Tenders, contracts, renewals of more than 25,000 USD a year"),
    ("Real estate and facilities", "shared_services", "coo", False, "Desks, offices, events on our own premises"),
    ("Cross-functional change management", "shared_services", "coo", False, "Roll-outs that touch more than one department"),
    ("Internal communications platforms", "shared_services", "coo", False, "Chat, intranet, announcements"),
    ("Data engineering / data warehouse", "hybrid", "coo", False, "Pipelines, models, quality checks, cost of the warehouse"),
    ("Master data management", "hybrid", "hybrid", False, "Stewardship, duplicates, the golden record"),
    ("Reporting and BI", "hybrid", "hybrid", False, "Definition and delivery of recurring reports"),
    ("Commission calculation and payout", "finance_integrity", "cfo", True, "Calculation, statements, payroll file, clawback"),
    ("Deal and revenue recognition", "finance_integrity", "cfo", True, "Booking rules, contract review for recognition"),
    ("Billing and collections", "finance_integrity", "cfo", True, "Invoices, dunning, credit holds"),
    ("ARR and metric definitions", "finance_integrity", "cfo", True, "One definition of ARR, NRR and churn; the board's numbers"),
    ("Quote-to-cash / CPQ", "go_to_market", "cro", True, "Price book in the quoting tool, order forms, approvals"),
    ("Rules of engagement", "go_to_market", "cro", False, "Account disputes, deal splits, partner conflicts"),
    ("CRM change control", "go_to_market", "cro", False, "New fields, automation, release freeze at quarter end"),
]  # fmt: skip

SUB_SCOPES = {
    "Master data management": [
        ("accounts_and_contacts", "Accounts and contacts", "cro"),
        ("products_and_employees", "Products and employees", "coo"),
    ],
    "Reporting and BI": [
        ("sales_reporting", "Sales reporting", "cro"),
        ("company_reporting", "Everything broader", "coo"),
    ],
}


def _party(office: str) -> dict[str, str]:
    return {"office": office, "title": OFFICES[office], "short": office.upper()}


def _row(position: int, function: tuple[str, str, str, bool, str]) -> dict[str, Any]:
    name, category, owner, reporting, scope_in = function
    others = [o for o in ("cro", "coo", "cfo") if o != owner]
    return {
        "reference": f"4.{position}",
        "function": name.lower().replace(" ", "_").replace("/", "_"),
        "name": name,
        "category": category,
        "touches_financial_reporting": reporting,
        "owner": owner,
        "sub_scopes": [
            {"key": key, "name": sub, "owner": sub_owner}
            for key, sub, sub_owner in SUB_SCOPES.get(name, [])
        ],
        "scope_in": scope_in,
        "scope_out": "Pricing policy, credit decisions" if position % 2 else "Payroll",
        "consulted": others[:1],
        "informed": others[1:],
        "rationale": "The work has its effect in the field, so the decision sits next to it."
        if owner == "cro"
        else "",
    }


def boundary(*, functions: int = len(FUNCTIONS), number: int = 4) -> dict[str, Any]:
    """Give the canonical content of a frozen Revision with the first `functions` rows."""
    plain = {
        5: ("decision_rights", "Decision rights", "The owner of a row decides. Who is asked is heard first; who is told hears within two business days.\n\n- Discounts up to 15 per cent: sales manager\n- Up to 25 per cent: deal desk\n- Above: the CRO, with the CFO on non-standard terms"),
        6: ("veto_list", "CFO veto list and grounds", "Every row marked as touching financial reporting. Grounds: misstatement, control weakness, tax."),
        7: ("interfaces", "Interfaces", "Marketing hands a qualified lead to sales with source, score and contact; sales accepts or rejects within 24 hours with a reason.\n\nSales hands a signed customer to customer success with the order form, the goals and the risks."),
        9: ("conflict_scenarios", "Conflict scenarios", "- Lead qualified or not: the RevOps Lead decides on the written test within 24 hours\n- Two reps claim an account: sales operations, then the CRO, within 48 hours\n- A rep disputes a payout: RevOps, appeal to the CFO, within 10 business days"),
        10: ("measures", "Measures", "Forecast accuracy: RevOps Lead. Win rate: CRO. Invoice accuracy: CFO."),
        12: ("definitions", "Shared definitions", "ARR: the annual value of recurring revenue under contract on the day, without one-off fees.\nQualified lead: fits the written profile, has a need, and agreed to a meeting."),
        13: ("change_log", "Change log", "Version 4 changes the owner of 2 functions and adds 1 against version 3."),
    }  # fmt: skip
    articles: list[dict[str, Any]] = [
        {
            "number": 1,
            "key": "control",
            "title": "Control",
            "text": "This document says who owns which part of revenue operations. "
            "What it does not name is not settled by it.",
        },
        {
            "number": 2,
            "key": "purpose",
            "title": "Purpose and strategy",
            "text": "Each function has exactly one owner, so that decisions take days and no work "
            "is done twice.\n\nThe owner decides. Those asked are heard before the decision; "
            "those told hear of it within two business days.",
        },
        {
            "number": 3,
            "key": "reporting_line",
            "title": "Reporting line of the RevOps Lead",
            "text": "The RevOps Lead has one solid line.",
            "data": {
                "solid_line": "cro",
                "dotted_line": "cfo",
                "dotted_line_scope": "Commission calculation and metric definitions",
                "team_shape": "centralised",
                "marketing": "cmo_peer",
            },
        },
        {
            "number": 4,
            "key": "allocations",
            "title": "Allocations",
            "text": "",
            "rows": [_row(i, f) for i, f in enumerate(FUNCTIONS[:functions], 1)],
            "left_out": [
                {
                    "reference": "4.90",
                    "function": "attribution_model",
                    "name": "Attribution model",
                    "reason": "Settled in the marketing boundary.",
                }
            ],
        },
        {
            "number": 8,
            "key": "escalation",
            "title": "Escalation path",
            "text": "Who disagrees says so in writing and goes on working under the interim rule.",
            "data": {
                "leads_business_days": 2,
                "executives_business_days": 5,
                "interim_decider": "The owner in force; where there is none, the natural owner.",
            },
        },
        {
            "number": 11,
            "key": "cadence",
            "title": "Cadence",
            "text": "",
            "data": {
                "layers": [
                    {
                        "layer": "weekly",
                        "owner": "revops_lead",
                        "mandate": "Forecast, hand-offs that stalled, changes to systems",
                        "escalation": "Open for two meetings",
                    },
                    {
                        "layer": "monthly",
                        "owner": "cro",
                        "mandate": "Capacity, plan against actuals, exceptions",
                        "escalation": "Two Offices disagree",
                    },
                    {
                        "layer": "quarterly",
                        "owner": "ceo",
                        "mandate": "Review of this boundary, targets, budget",
                        "escalation": "",
                    },
                ],
                "one_to_one": "Every second week, 45 minutes, with the list of open questions.",
            },
        },
        *(
            {"number": n, "key": key, "title": title, "text": text}
            for n, (key, title, text) in plain.items()
        ),
    ]
    return {
        "schema": "revops-boundary/1",
        "organisation": "Northwind Cloud",
        "document": {
            "number": "NC-RB",
            "title": "Northwind Cloud RevOps boundary",
            "company_boundary": True,
        },
        "revision": {
            "number": number,
            "reference": f"NC-RB-{number}",
            "supersedes": number - 1 or None,
            "effective_date": "2026-12-12",
            "sunset_date": "2027-12-12",
        },
        "parties": [_party("cro"), _party("coo"), _party("cfo")],
        "approver": _party("ceo"),
        "freeze": {
            "number": 1,
            "frozen_at": "2026-12-03T15:02:11Z",
            "frozen_by_office": "cro",
        },
        "articles": sorted(articles, key=lambda a: int(a["number"])),
    }
