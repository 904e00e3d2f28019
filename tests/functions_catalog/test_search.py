"""Finding a function by what people call it."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_catalog.models import Alias, Function, MissedSearch
from functions_catalog.search import record_miss, search

from .builders import answer

pytestmark = pytest.mark.usefixtures("catalog")

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def first(query):
    hits = search(query)
    return hits[0].function.key if hits else None


@pytest.mark.parametrize(
    ("query", "key"),
    [
        # names: whole, in any case, its beginning, a word of it
        ("Deal desk", "deal_desk"),
        ("DEAL DESK", "deal_desk"),
        ("dealdesk", "deal_desk"),
        ("deal-desk", "deal_desk"),
        ("terri", "territory_planning"),
        ("attribution", "attribution_model"),
        ("ERP", "finance_erp_integration"),
        ("planning territory", "territory_planning"),
        # aliases
        ("my commission", "commission_calculation_and_payout"),
        ("commission", "commission_calculation_and_payout"),
        ("OTE", "comp_design_and_administration"),
        ("ote", "comp_design_and_administration"),
        ("spiff", "comp_design_and_administration"),
        ("dedupe", "master_data_management"),
        ("duplicates", "master_data_management"),
        ("rev rec", "deal_and_revenue_recognition"),
        ("revrec", "deal_and_revenue_recognition"),
        ("non-standard terms", "deal_desk"),
        ("non standard terms", "deal_desk"),
        ("NRR", "arr_and_metric_definitions"),
        ("which number", "arr_and_metric_definitions"),
        ("API", "integration_architecture"),
        ("round-robin", "lead_routing_rules"),
        # misspelt
        ("duplicats", "master_data_management"),
        ("comission", "commission_calculation_and_payout"),
        ("commision payout", "commission_calculation_and_payout"),
        ("teritory planing", "territory_planning"),
        ("forcast", "forecast_methodology_and_governance"),
        ("qouta", "quota_and_capacity_setting"),
        ("procurment", "vendor_management"),
        ("invioce", "billing_and_collections"),
        # other forms of the word
        ("invoices", "billing_and_collections"),
        ("playbooks", "sales_enablement"),
        ("onboard", "sales_to_customer_success_hand_off"),
        # whole questions
        ("who owns my commission?", "commission_calculation_and_payout"),
        ("Who owns the deal desk?", "deal_desk"),
        ("who is responsible for territory planning", "territory_planning"),
        ("our intranet", "internal_communications_platforms"),
        # sub-scopes, and what a function covers
        ("accounts and contacts", "master_data_management"),
        ("hr system", "hris_integration"),
        ("write-offs", "billing_and_collections"),
    ],
)
def test_search_finds_what_people_mean_first(query, key):
    assert first(query) == key


def test_every_standard_name_and_alias_finds_its_function_first():
    wrong = []
    for function in Function.objects.all():
        for text in [function.name, *function.aliases.values_list("text", flat=True)]:
            for typed in (text, text.upper(), f"who owns {text}?"):
                if first(typed) != function.key:
                    wrong.append((typed, first(typed)))
    assert wrong == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("deal desk", "Matched the function’s name."),
        ("rev rec", "Matched the alias rev rec."),
        ("comission", "Close to the function’s name."),
        ("accounts and contacts", "Matched its part Accounts and contacts."),
        ("write-offs", "Matched what it covers."),
    ],
)
def test_hit_says_why_it_matched(query, why):
    assert search(query)[0].why == why


def test_commission_finds_the_plan_too_and_says_by_which_alias():
    by_key = {hit.function.key: hit for hit in search("commission")}
    assert by_key["comp_design_and_administration"].why == "Matched the alias commission plan."


def test_text_in_force_is_searched_and_quoted():
    answers = {
        "deal_desk": answer(
            "deal_desk",
            scope_out="Sellers' expense claims. " * 8 + "Zebra leasing goes to Facilities.",
        )
    }
    assert search("zebra") == []
    (hit,) = search("zebra", answers=answers)
    assert hit.function.key == "deal_desk"
    assert hit.why.startswith("Matched its scope out: “… ")
    assert "Zebra leasing goes to Facilities.”" in hit.why
    assert ("Zebra", True) in hit.why_parts


def test_name_that_the_text_in_force_gives_is_found():
    answers = {"deal_desk": answer("deal_desk", name="Structuring office")}
    assert search("structuring office", answers=answers)[0].function.key == "deal_desk"


def test_close_ones_are_left_out_where_something_fits():
    assert all(not hit.close for hit in search("quote"))
    assert [hit.function.key for hit in search("deal desk")] == ["deal_desk"]


@pytest.mark.parametrize(
    "query", ["", "   ", "???", "zebra", "xqzt", "☃", "\x00", "who owns", "a" * 5000]
)
def test_search_for_nothing_known_finds_nothing(query):
    assert search(query) == []


def test_long_paste_is_searched_by_its_beginning():
    assert first("deal desk " + "lorem ipsum " * 400) == "deal_desk"


def test_retired_function_is_found_below_the_active_ones():
    Function.objects.filter(key="deal_desk").update(status="retired")
    keys = [hit.function.key for hit in search("deal")]
    assert keys[-1] == "deal_desk" or keys.index("deal_desk") > 0
    assert first("deal desk") == "deal_desk"


def test_search_costs_the_same_queries_for_few_and_many(django_assert_num_queries):
    with django_assert_num_queries(3):
        search("commission")
    Function.objects.bulk_create(
        Function(
            key=f"extra_{number}",
            name=f"Commission extra {number}",
            category="commercial",
            covers="More.",
            natural_owner="cro",
            position=100 + number,
        )
        for number in range(465)
    )
    Alias.objects.bulk_create(
        Alias(function=one, text=f"extra commission {one.pk}")
        for one in Function.objects.filter(key__startswith="extra_")
    )
    with django_assert_num_queries(3):
        assert len(search("commission")) > 465


# --- Misses ---------------------------------------------------------------------------------


def test_miss_is_kept_once_and_counted():
    record_miss("  Partner   REFERRAL fees? ", at=AT)
    record_miss("partner referral fees", at=AT + timedelta(days=1))
    missed = MissedSearch.objects.get()
    assert (missed.text, missed.count) == ("partner referral fees", 2)
    assert missed.first_searched_at == AT
    assert missed.last_searched_at == AT + timedelta(days=1)


def test_miss_is_cut_to_its_beginning():
    record_miss("word " * 400, at=AT)
    assert len(MissedSearch.objects.get().text) <= 80


@pytest.mark.parametrize("query", ["", "zz", "?!", "\x00"])
def test_what_is_not_yet_a_word_is_no_miss(query):
    record_miss(query, at=AT)
    assert not MissedSearch.objects.exists()
