"""The catalog file against the product's own table."""

# ruff: noqa: E501 - a table reads best with one line to a row

import pytest

from functions_catalog.catalog import BadCatalog, read_standard_catalog

COMMERCIAL, SHARED = "commercial", "shared_services"
HYBRID, ADDED = "hybrid", "finance_and_go_to_market"

# name, category, natural owner, veto, why or usual outcome ("" where the product gives none),
# aliases
PRODUCT = [
    ("Sales operations strategy", COMMERCIAL, "cro", False, "direct effect on the field", "sales ops"),
    ("Deal desk", COMMERCIAL, "cro", True, "commercial discount and structure decisions", "discount approval, non-standard terms"),
    ("Comp design and administration", COMMERCIAL, "cro", True, "sales motivation and retention", "OTE, SPIFF, comp plan"),
    ("Forecast methodology and governance", COMMERCIAL, "cro", False, "revenue accountability", "commit, forecast call"),
    ("Sales analytics and insights", COMMERCIAL, "cro", False, "decision support for the CRO", "dashboards, win rate"),
    ("Territory planning", COMMERCIAL, "cro", False, "sales effectiveness", "patch, carve, named accounts"),
    ("Lead routing rules", COMMERCIAL, "cro", False, "fairness and efficiency", "round robin, lead assignment"),
    ("Sales tooling decisions", COMMERCIAL, "cro", False, "field productivity", "CRM, sales engagement"),
    ("HRIS integration", SHARED, "coo", False, "cross-functional employee data", "new-hire feed"),
    ("Finance / ERP integration", SHARED, "coo", True, "cross-functional financial data", "CRM-ERP sync"),
    ("IT services to sales", SHARED, "coo", False, "shared IT infrastructure", "laptop, single sign-on"),
    ("Vendor management", SHARED, "coo", False, "cross-functional procurement", "procurement, tool purchase"),
    ("Real estate and facilities", SHARED, "coo", False, "cross-functional workspace", "office, desks"),
    ("Cross-functional change management", SHARED, "coo", False, "shared operating discipline", "roll-out"),
    ("Internal communications platforms", SHARED, "coo", False, "organisation-wide tools", "chat, intranet"),
    ("Data engineering / data warehouse", HYBRID, "hybrid", False, "CRO if revenue-centric, COO if cross-functional", "warehouse, ETL"),
    ("Customer success operations", HYBRID, "hybrid", False, "CRO, or the Chief Customer Officer where there is one", "CS ops, health score"),
    ("Integration architecture", HYBRID, "hybrid", False, "CRO if go-to-market only, COO if broader", "iPaaS, API"),
    ("Master data management", HYBRID, "hybrid", False, "sub-scopes: CRO accounts and contacts; COO products and employees", "duplicates, golden record"),
    ("Reporting and BI", HYBRID, "hybrid", False, "sub-scopes: CRO sales reporting; COO everything broader", "board metrics"),
    ("Commission calculation and payout", ADDED, "cfo", True, "", "my commission, clawback"),
    ("Deal and revenue recognition", ADDED, "cfo", True, "", "rev rec, booking"),
    ("Billing and collections", ADDED, "cfo", True, "", "invoice, dunning"),
    ("ARR and metric definitions", ADDED, "cfo", True, "", "NRR, which number"),
    ("Quote-to-cash / CPQ", ADDED, "cro", True, "", "quote, order form"),
    ("Quota and capacity setting", ADDED, "cro", True, "", "target, headcount"),
    ("Pricing and packaging", ADDED, "cro", True, "", "price list"),
    ("System access and financial controls", ADDED, "cfo", True, "", "permissions, segregation of duties"),
    ("Rules of engagement", ADDED, "cro", False, "", "account dispute, deal split"),
    ("Lead qualification hand-off", ADDED, "cro", False, "", "MQL, SAL"),
    ("Attribution model", ADDED, "cro", False, "", "sourced pipeline"),
    ("Sales-to-customer-success hand-off", ADDED, "cro", False, "", "onboarding, kick-off"),
    ("Renewals and expansion", ADDED, "cro", False, "", "upsell, churn"),
    ("CRM change control", ADDED, "cro", False, "", "new field, release freeze"),
    ("Sales enablement", ADDED, "cro", False, "", "training, playbook"),
]  # fmt: skip


def test_catalog_has_every_function_of_the_product_and_no_other():
    assert [one.name for one in read_standard_catalog()] == [row[0] for row in PRODUCT]


@pytest.mark.parametrize("row", PRODUCT, ids=lambda row: row[0])
def test_function_is_as_the_product_says(row):
    name, category, owner, veto, why, aliases = row
    (function,) = [one for one in read_standard_catalog() if one.name == name]
    assert (function.category, function.natural_owner) == (category, owner)
    assert function.touches_financial_reporting is veto
    if why:
        assert why == (function.usual_outcome if owner == "hybrid" else function.rationale)
    wanted = aliases.split(", ")
    assert list(function.aliases[: len(wanted)]) == wanted
    assert function.covers.endswith(".") and len(function.covers.split()) >= 8
    assert function.rationale


def test_split_functions_have_the_product_s_sub_scopes():
    parts = {
        one.key: [(part.name, part.natural_owner) for part in one.sub_scopes]
        for one in read_standard_catalog()
        if one.sub_scopes
    }
    assert parts == {
        "master_data_management": [
            ("Accounts and contacts", "cro"),
            ("Products and employees", "coo"),
        ],
        "reporting_and_bi": [("Sales reporting", "cro"), ("Everything broader", "coo")],
    }


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("{key: Deal Desk}", "missing"),
        ("{key: deal_desk, name: D, category: x, covers: c, rationale: r, natural_owner: cro}", "category"),
        ("{key: DealDesk, name: D, category: commercial, covers: c, rationale: r, natural_owner: cro}", "snake_case"),
        ("{key: dd, name: D, category: commercial, covers: c, rationale: r, natural_owner: hybrid}", "usual_outcome"),
        ("{key: dd, name: D, category: commercial, covers: c, rationale: r, natural_owner: cro, color: red}", "color"),
        ("{key: dd, name: D, category: commercial, covers: c, rationale: r, natural_owner: cro, aliases: [a, A]}", "twice"),
        ("just text", "not a mapping"),
    ],
)  # fmt: skip
def test_faulty_catalog_file_is_refused_with_the_entry_s_fault(tmp_path, entry, says):
    path = tmp_path / "catalog.yaml"
    path.write_text(f"functions:\n  - {entry}\n")
    with pytest.raises(BadCatalog, match=says):
        read_standard_catalog(path)
