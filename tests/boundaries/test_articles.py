"""Articles as data: putting in order, what is refused, what is missing, and the two templates."""

import re

import pytest

from boundaries import articles, blockers, content, drafting, template, workflow
from boundaries.articles import GIVE_A_LIMIT, SHAPES, clean, lacking, normalise, spoken
from boundaries.errors import InvalidText
from boundaries.models import Document
from boundaries.parties import party_offices
from functions_catalog.catalog import load_standard_catalog
from functions_catalog.models import Function
from people.models import Office
from sealing.entries import ATTRIBUTION, LAYOUTS
from sealing.fonts import undrawable
from tests.boundaries import factories
from tests.boundaries.factories import NOW, TODAY, article_of, edit_data

OFFICES = ("cro", "coo", "cfo", "ceo", "revops_lead")
NAMES = {"deal_desk": "Deal desk", "quote_to_cash": "Quote-to-cash / CPQ"}


def handoff(**changes):
    return {
        "name": "Signed order",
        "functions": ["deal_desk"],
        "giver": "sales",
        "receiver": "finance",
        "what": "The order.",
        "service_level": "1 business day after signature",
        "acceptance_test": "It equals the quote.",
        "rejection_path": "Back to sales.",
        "none_needed": "",
        **changes,
    }


def measure(**changes):
    return {
        "name": "Cash",
        "definition": "Days sales outstanding",
        "target": "at most 45",
        "primary_owner": "cfo",
        **changes,
    }


def lacks(key, data, **more):
    given = {"functions": NAMES, "touching": (), **more}
    return [(one.code, one.says) for one in lacking(key, data, **given)]


# --- One place for all ------------------------------------------------------------------------


def test_what_is_written_and_what_is_read_have_the_same_lists_and_fields():
    assert set(LAYOUTS) == set(SHAPES)
    for key, shape in SHAPES.items():
        layout, names = LAYOUTS[key], {one.name for one in shape.entries.fields}
        assert layout.list_name == shape.entries.name
        assert layout.name == shape.entries.named_by
        shown = {column.name for column in layout.columns} | {layout.name, layout.note}
        shown |= {column.then for column in layout.columns} | {"group", "functions"}
        assert names <= shown
        assert bool(layout.unneeded) == (shape.entries.unneeded not in ("", articles.WHOLE))
    assert [name for name, _ in ATTRIBUTION] == [one.name for one in SHAPES["definitions"].texts]


# --- In order ---------------------------------------------------------------------------------


def test_order_is_the_same_however_often_it_is_made():
    given = {"handoffs": [handoff(), handoff(name="Signed  order\n"), {"name": "", "what": " "}]}
    once = normalise("interfaces", given)
    assert [one["key"] for one in once["handoffs"]] == ["signed_order", "signed_order_2"]
    assert once["handoffs"][1]["name"] == "Signed order"
    assert normalise("interfaces", once) == once


def test_an_entry_keeps_its_key_when_its_name_changes_and_a_new_one_never_takes_it():
    given = {"terms": [{"term": "ARR"}, {"key": "arr", "term": "Yearly revenue"}]}
    found = normalise("definitions", given)["terms"]
    assert [one["key"] for one in found] == ["arr_2", "arr"]


@pytest.mark.parametrize("key", ["", "No good", "../x", "a" * 99, None, 7, ["x"]])
def test_a_key_that_is_none_is_made_from_the_name(key):
    found = normalise("definitions", {"terms": [{"key": key, "term": "Net ARR (new)"}]})
    assert found["terms"][0]["key"] == "net_arr_new"


def test_a_name_of_no_letters_has_a_key_too():
    assert normalise("definitions", {"terms": [{"term": "§§"}]})["terms"][0]["key"] == "entry"


@pytest.mark.parametrize("data", [None, [], "x", {"rights": None}, {"rights": [1, None, []]}])
def test_what_is_no_data_is_an_empty_list(data):
    assert normalise("decision_rights", data) == {"rights": []}


def test_data_without_a_shape_stays_as_it_is():
    data = {"leads_business_days": 2}
    assert normalise("escalation", data) == data
    assert normalise("purpose", {}) == {}


# --- What is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "data", "says"),
    [
        ("interfaces", {"handoffs": [handoff(service_level="soon")]}, GIVE_A_LIMIT),
        ("interfaces", {"handoffs": [handoff(service_level="2")]}, GIVE_A_LIMIT),
        ("interfaces", {"handoffs": [handoff(service_level="2 shakes")]}, GIVE_A_LIMIT),
        ("interfaces", {"handoffs": [handoff(name="")]}, "Name this hand-off."),
        ("interfaces", {"handoffs": [handoff(), handoff(name="signed ORDER")]}, "its own name"),
        ("interfaces", {"handoffs": [handoff(what="x" * 601)]}, "at most 600 characters"),
        ("interfaces", {"handoffs": [handoff(none_needed="We are one team.")]}, "Clear one"),
        ("conflict_scenarios", {"scenarios": [{"name": "A", "limit": "fast"}]}, GIVE_A_LIMIT),
        ("measures", {"measures": [measure(primary_owner="shared")]}, "exactly one Office"),
        ("measures", {"measures": [measure(also_measured=["nobody"])]}, "no Office “nobody”"),
        (
            "measures",
            {"measures": [measure(functions=[f"f{n}" for n in range(21)])]},
            "at most 20 functions",
        ),
        ("definitions", {"terms": [{"meaning": "Something."}]}, "Name this term."),
        (
            "definitions",
            {"attribution_targets": "x" * 1001},
            "Attribution model for targets: Write at most 1,000 characters.",
        ),
        (
            "decision_rights",
            {"rights": [{"matter": "Discount", "threshold": "up to 10%", "none_needed": "No."}]},
            "not both",
        ),
        (
            "definitions",
            {"terms": [{"term": f"Term {n}"} for n in range(61)]},
            "Keep at most 60 terms: these are 61.",
        ),
    ],
)
def test_what_cannot_stand_is_refused_with_what_to_write(key, data, says):
    with pytest.raises(InvalidText, match=re.escape(says)):
        clean(key, data, offices=OFFICES)


def test_a_refusal_names_the_entry_and_the_field():
    with pytest.raises(InvalidText, match="“Signed order”, hand-off time: Give a number"):
        clean("interfaces", {"handoffs": [handoff(service_level="soon")]}, offices=OFFICES)


@pytest.mark.parametrize(
    "limit",
    ["24 hours", "2 business days", "Within 1 hour", "5 Working Days", "90 days ahead", "1 week",
     "Monday 12:00; board figures 5 business days before"],
)  # fmt: skip
def test_a_number_and_a_unit_are_a_limit(limit):
    found = clean("interfaces", {"handoffs": [handoff(service_level=limit)]}, offices=OFFICES)
    assert found["handoffs"][0]["service_level"] == limit


def test_the_verb_refuses_it_too_and_nothing_changes(draft, people):
    article = article_of(draft, "interfaces")
    broken = [{**article.data["handoffs"][0], "service_level": "soon"}]
    with pytest.raises(InvalidText):
        edit_data(article, people, handoffs=broken)
    assert article_of(draft, "interfaces").version == 1


def test_saving_the_same_in_another_form_changes_nothing(draft, people):
    article = article_of(draft, "measures")
    loose = [{**one, "name": f"  {one['name']} ", "new": "x"} for one in article.data["measures"]]
    edit_data(article, people, measures=loose)
    assert article_of(draft, "measures").version == 1


# --- What is missing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "data", "code", "says"),
    [
        (
            "interfaces",
            {"handoffs": [handoff(service_level="", acceptance_test="")]},
            "entry_incomplete",
            (
                "“Signed order” lacks hand-off time and acceptance test. "
                "Add them, or say why none is needed."
            ),
        ),
        (
            "interfaces",
            {"handoffs": [handoff(functions=["gone"])]},
            "function_not_in_draft",
            "“Signed order” names a function that this draft does not have (gone). Untick it.",
        ),
        (
            "measures",
            {"measures": [measure(primary_owner="")]},
            "measure_without_owner",
            "“Cash” has no primary owner. Choose exactly one Office.",
        ),
        (
            "conflict_scenarios",
            {"scenarios": []},
            "no_conflict_scenario",
            "Name at least one conflict that comes up, with who decides it and by when.",
        ),
        (
            "decision_rights",
            {"rights": [{"matter": "Discount", "decides": "the CRO"}]},
            "entry_incomplete",
            "“Discount” lacks threshold. Add it, or say why none is needed.",
        ),
        (
            "definitions",
            {"attribution_targets": "One source."},
            "attribution_missing",
            "Write the attribution model for learning.",
        ),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(key, data, code, says):
    assert (code, says) in lacks(key, data)


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("interfaces", {"handoffs": [{"name": "Renewal", "none_needed": "One team does it."}]}),
        (
            "conflict_scenarios",
            {"scenarios": [{"name": "Split", "none_needed": "Never comes up."}]},
        ),
        (
            "decision_rights",
            {"rights": [{"matter": "Terms", "decides": "the CFO", "none_needed": "Each counts."}]},
        ),
    ],
)
def test_none_needed_with_a_reason_is_enough(key, data):
    assert lacks(key, data) == []
    assert clean(key, data, offices=OFFICES)


def test_every_row_that_touches_financial_reporting_needs_a_ground_and_no_other():
    data = {"grounds": [{"function": "quote_to_cash", "ground": "A control."}]}
    assert [code for code, _ in lacks("veto_list", data, touching=["deal_desk"])] == [
        "veto_ground_missing",
        "veto_ground_beside_the_point",
    ]
    assert lacks("veto_list", data, touching=["quote_to_cash"]) == []
    assert lacks("veto_list", data, touching=list(NAMES), left_out=["deal_desk"]) == []
    gone = {"grounds": [{"function": "gone", "ground": "A control."}]}
    assert [code for code, _ in lacks("veto_list", gone)] == ["function_not_in_draft"]


def test_what_is_missing_blocks_freezing_at_its_article(ready, people):
    article = article_of(ready, "measures")
    nobody = [{**one, "primary_owner": ""} for one in article.data["measures"][:1]]
    edit_data(article, people, measures=nobody)
    found = blockers.blockers(factories.fresh(ready), parties=party_offices(), today=TODAY)
    assert [(one.code, one.anchor) for one in found if one.wrong] == [
        ("measure_without_owner", "article-10")
    ]


# --- In words ---------------------------------------------------------------------------------


def test_words_for_every_article(draft):
    names = articles.function_names()
    for article in draft.articles.all():
        said = spoken(article.key, article.data, names)
        assert bool(said) == bool(article.data)
        assert len({one.id for one in said}) == len(said)
        assert all(one.label and one.text for one in said)


def test_words_of_an_entry_keep_their_place_when_it_is_renamed():
    before = {"measures": [{"key": "cash", **measure()}]}
    after = {"measures": [{"key": "cash", **measure(name="Days to cash")}]}
    (one,), (two,) = spoken("measures", before, {}), spoken("measures", after, {})
    assert (one.id, one.label) == ("measures.cash", "Measure: Cash")
    assert (two.id, two.label) == ("measures.cash", "Measure: Days to cash")
    assert "Primary owner: CFO" in one.text


# --- The templates ----------------------------------------------------------------------------


@pytest.fixture
def catalog(people):
    load_standard_catalog(at=NOW)
    return list(Function.objects.active())


def opened(people, name, *, number="NC-RB", functions=()):
    return workflow.open_document(
        number=number,
        title="Boundary",
        company_boundary=not functions,
        functions=functions,
        template=name,
        acting_user=people["cro"],
        at=NOW,
    )


def wrong(revision):
    found = blockers.blockers(revision, parties=party_offices(revision), today=TODAY)
    return [(one.code, one.title, one.detail) for one in found if one.wrong]


@pytest.mark.parametrize("name", list(template.TEMPLATES))
def test_a_fresh_draft_lacks_nothing(people, catalog, name):
    draft = opened(people, name)
    assert wrong(draft) == []
    by_key = {one.key: one for one in draft.articles.all()}
    assert len(by_key["conflict_scenarios"].data["scenarios"]) == 10
    assert len(by_key["veto_list"].data["grounds"]) == 11
    for key, shape in SHAPES.items():
        data = by_key[key].data
        assert normalise(key, data) == data
        assert clean(key, data, offices=OFFICES) == data
        assert 1 <= len(data[shape.entries.name]) <= articles.MAX_ENTRIES
        assert len(by_key[key].text) < 6000


@pytest.mark.parametrize("name", list(template.TEMPLATES))
def test_every_function_of_the_catalog_is_found_in_an_article(people, catalog, name):
    draft = opened(people, name)
    named = {
        key
        for article in draft.articles.all()
        for shape in [SHAPES.get(article.key)]
        if shape is not None
        for entry in article.data[shape.entries.name]
        for key in entry.get("functions", [])
    }
    assert named == {one.key for one in catalog}


def test_the_template_without_a_coo_never_speaks_of_one(people, catalog):
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cfo"),
        not_established_reason="The company has no COO.",
    )
    draft = opened(people, template.CRO_CFO)
    assert wrong(draft) == []
    texts = [repr((one.text, one.data)) for one in draft.articles.all()]
    texts += [repr(drafting.row_text(row)) for row in draft.rows.prefetch_related("sub_scopes")]
    assert [found for text in texts for found in re.findall(r".{20}\bcoo\b", text, re.I)] == []
    assert party_offices(draft) == ["cro", "cfo"]
    row = factories.row_of(draft, "vendor_management")
    assert (row.owner, row.consulted, row.informed) == ("cfo", ["cro"], ["revops_lead"])


def test_nobody_is_both_asked_and_told_or_asked_as_owner(people, catalog):
    draft = opened(people, template.CRO_CFO)
    for row in draft.rows.all():
        assert not set(row.consulted) & set(row.informed)
        assert row.owner not in {*row.consulted, *row.informed}


def test_the_other_template_says_otherwise_only_of_what_there_is():
    """A key in it that the standard one does not have would be lost without a word."""
    other = template._read("template_cro_cfo.yaml")
    whole = template._read("template.yaml")
    articles_there = {one["key"]: one for one in whole["articles"]}
    for key, differs in other["articles"].items():
        for name, value in differs.get("data", {}).items():
            listed = articles_there[key]["data"][name]
            if isinstance(value, dict):
                assert set(value) <= {one.get("key") or one["layer"] for one in listed}
    assert set(other["rows"]) <= {row["function"] for row in whole["rows"]}


def test_the_fonts_draw_both_templates():
    for name in template.TEMPLATES:
        assert undrawable(repr(template._template(name))) == []


def test_a_part_has_only_what_is_about_its_functions(people, catalog):
    some = [one for one in catalog if one.key in ("real_estate_and_facilities", "hris_integration")]
    draft = opened(people, template.STANDARD, number="NC-RE", functions=some)
    assert wrong(draft) == []
    data = {one.key: one.data for one in draft.articles.all()}
    assert [one["key"] for one in data["interfaces"]["handoffs"]] == ["joiners_movers_leavers"]
    assert data["interfaces"]["handoffs"][0]["functions"] == [
        "hris_integration",
        "real_estate_and_facilities",
    ]
    assert [one["key"] for one in data["conflict_scenarios"]["scenarios"]] == [
        "work_that_no_row_names"
    ]
    assert data["veto_list"] == {"grounds": []}


def test_a_companys_own_function_that_touches_reporting_has_a_ground(people, functions):
    own = Function.objects.create(
        key="partner_rebates",
        name="Partner rebates",
        category="commercial",
        natural_owner="cro",
        touches_financial_reporting=True,
    )
    draft = opened(people, template.STANDARD, number="NC-P", functions=[own])
    assert article_of(draft, "veto_list").data == {
        "grounds": [{"function": "partner_rebates", "ground": template.USUAL_GROUND}]
    }
    assert ("veto_ground_missing" in str(wrong(draft))) is False


def test_who_takes_the_part_of_a_missing_office_answers_for_its_measures(people, catalog):
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cro"),
        not_established_reason="The company has no COO.",
    )
    draft = opened(people, template.STANDARD)
    measures = {one["key"]: one for one in article_of(draft, "measures").data["measures"]}
    assert measures["sync"]["primary_owner"] == "cro"
    assert measures["decision_time"]["also_measured"] == ["cfo"]


def test_content_holds_the_data_as_it_stands(ready, people):
    frozen = workflow.freeze(revision=ready, acting_user=people["cro"], at=NOW)
    parsed = content.content_of(frozen)
    for article in ready.articles.all():
        if article.key in SHAPES:
            assert content.article(parsed, article.key)["data"] == article.data
    assert Document.objects.count() == 1
