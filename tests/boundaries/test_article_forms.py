"""The forms of the structured articles, as browsers without a script send them."""

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from audit.models import Event
from boundaries import content as contents
from boundaries import workflow
from boundaries.article_forms import EMPTY_SLOTS
from boundaries.articles import GIVE_A_LIMIT, MAX_ENTRIES, SHAPES
from boundaries.models import Document
from people.models import Office
from sealing.document import signing_html
from tests.boundaries import factories
from tests.boundaries.factories import NOW, article_of, edit_data

BASE = "/boundaries/NC-RB/1/"
NUMBERS = {"decision_rights": 5, "veto_list": 6, "interfaces": 7, "conflict_scenarios": 9}
NUMBERS |= {"measures": 10, "definitions": 12}


@pytest.fixture
def sign_in(people):
    def signing_in(office):
        client = Client()
        client.force_login(people[office])
        return client

    return signing_in


def page_of(key):
    return f"{BASE}articles/{NUMBERS[key]}/"


def shown(client, key):
    """What a browser would send back: every field with its value, boxes that are not ticked left
    out."""
    return sent(client.get(page_of(key)).context["form"])


def sent(form):
    data = {}
    for field in form:
        value = field.value()
        if value not in (None, False, []):
            kept = value if isinstance(value, list) else str(value)
            data[field.name] = "on" if value is True else kept
    return data


def listed(draft, key):
    return article_of(draft, key).data[SHAPES[key].entries.name]


@pytest.mark.parametrize("key", list(NUMBERS))
def test_saving_what_is_shown_changes_nothing(sign_in, draft, key):
    client = sign_in("cro")
    assert client.post(page_of(key), shown(client, key)).status_code == 302
    assert article_of(draft, key).version == 1


def test_an_entry_is_changed_and_keeps_its_key(sign_in, draft):
    client = sign_in("cro")
    before = listed(draft, "measures")
    data = shown(client, "measures") | {
        "entry_0_name": "Deals won",
        "entry_0_primary_owner": "coo",
        "entry_0_also_measured": ["cro", "cfo"],
    }
    assert client.post(page_of("measures"), data).status_code == 302
    after = listed(draft, "measures")
    assert after[0] == {
        **before[0],
        "name": "Deals won",
        "primary_owner": "coo",
        "also_measured": ["cro", "cfo"],
    }
    assert after[1:] == before[1:]
    assert Event.objects.filter(event="article.edited").count() == 1


def test_an_entry_is_added_in_an_empty_place_with_functions_by_name(sign_in, draft):
    client = sign_in("cro")
    data = shown(client, "conflict_scenarios")
    place = int(data["count"]) - EMPTY_SLOTS
    data |= {
        f"entry_{place}_name": "Two quotes for one customer",
        f"entry_{place}_more": "deal DESK; ",
        f"entry_{place}_decider": "the CRO",
        f"entry_{place}_limit": "1 business day",
        f"entry_{place}_until_then": "Neither is sent.",
    }
    assert client.post(page_of("conflict_scenarios"), data).status_code == 302
    added = listed(draft, "conflict_scenarios")[-1]
    assert added == {
        "key": "two_quotes_for_one_customer",
        "name": "Two quotes for one customer",
        "functions": ["deal_desk"],
        "decider": "the CRO",
        "limit": "1 business day",
        "until_then": "Neither is sent.",
        "none_needed": "",
    }


def test_ticked_entries_are_removed_and_functions_unticked(sign_in, draft):
    client = sign_in("cro")
    before = listed(draft, "interfaces")
    data = shown(client, "interfaces") | {"entry_0_remove": "on"}
    del data["entry_1_functions"]
    assert client.post(page_of("interfaces"), data).status_code == 302
    assert listed(draft, "interfaces") == [{**before[1], "functions": []}, *before[2:]]


def test_more_room_keeps_what_was_typed_and_judges_and_saves_nothing(sign_in, draft):
    client = sign_in("cro")
    data = shown(client, "interfaces")
    place = int(data["count"]) - EMPTY_SLOTS
    data |= {
        "text": "Changed.",
        f"entry_{place}_name": "Typed <here>",
        f"entry_{place}_service_level": "soon",
        "entry_0_remove": "on",
        "more": "1",
    }
    answer = client.post(page_of("interfaces"), data)
    form = answer.context["form"]
    assert answer.status_code == 200
    assert not form.errors
    assert form.slot_count == int(data["count"]) + EMPTY_SLOTS
    again = sent(form)
    assert {name: again.get(name) for name in data if name not in ("more", "count")} == {
        name: value for name, value in data.items() if name not in ("more", "count")
    }
    assert escape("Typed <here>") in answer.content.decode()
    assert article_of(draft, "interfaces").version == 1


def test_unsaved_entries_come_back_each_under_its_own_key(sign_in, draft):
    """As the browser kept them, though somebody removed one meanwhile; nothing is saved."""
    client = sign_in("cro")
    kept = shown(client, "conflict_scenarios")
    kept["entry_1_limit"] = "soon, or 7 business days"
    names = [one["key"] for one in listed(draft, "conflict_scenarios")]
    fewer = shown(client, "conflict_scenarios") | {"entry_0_remove": "on"}
    assert sign_in("coo").post(page_of("conflict_scenarios"), fewer).status_code == 302
    answer = client.post(page_of("conflict_scenarios"), kept | {"again": "1"})
    form = answer.context["form"]
    assert answer.status_code == 200
    assert sent(form) == kept
    assert [slot.key.value() for slot in form.slots][: len(names)] == names
    assert article_of(draft, "conflict_scenarios").version == 2
    # Saved, it is merged by key: the other's removal stays, and so does the own change.
    merged = client.post(page_of("conflict_scenarios"), kept)
    assert merged.status_code == 422
    client.post(page_of("conflict_scenarios"), sent(merged.context["form"]))
    stands = listed(draft, "conflict_scenarios")
    assert [one["key"] for one in stands] == names[1:]
    assert [one["limit"] for one in stands if one["key"] == names[1]] == [kept["entry_1_limit"]]


@pytest.mark.parametrize(
    ("key", "changes", "field", "says"),
    [
        ("interfaces", {"service_level": "soon"}, "service_level", GIVE_A_LIMIT),
        ("interfaces", {"name": " "}, "name", "Name this hand-off."),
        ("interfaces", {"what": "x" * 601}, "what", "Write at most 600 characters."),
        ("interfaces", {"more": "Dragons"}, "more", "This draft has no function “Dragons”."),
        ("interfaces", {"functions": ["dragons"]}, "functions", "Select a valid choice."),
        ("interfaces", {"none_needed": "No."}, "none_needed", "Clear one of them."),
        ("conflict_scenarios", {"limit": "quickly"}, "limit", GIVE_A_LIMIT),
        ("measures", {"primary_owner": "shared"}, "primary_owner", "Choose exactly one Office."),
        ("measures", {"also_measured": ["auditor"]}, "also_measured", "Select a valid choice."),
        ("definitions", {"term": "Bookings"}, "term", "Two terms are called “Bookings”."),
    ],
)
def test_what_cannot_be_saved_is_said_by_the_field_and_kept(
    sign_in, draft, key, changes, field, says
):
    client = sign_in("cro")
    changes = {f"entry_0_{name}": value for name, value in changes.items()}
    if key == "definitions":
        changes = {"entry_0_term": "Bookings", "entry_1_term": "bookings"}
    data = shown(client, key) | changes
    answer = client.post(page_of(key), data)
    form = answer.context["form"]
    place = 1 if key == "definitions" else 0
    assert answer.status_code == 422
    assert list(form.errors) == [f"entry_{place}_{field}"]
    assert says.casefold() in str(form.errors[f"entry_{place}_{field}"]).casefold()
    for name, value in changes.items():
        if not isinstance(value, list):
            assert form[name].value() == value
    assert next(slot for slot in form.slots if slot.index == place).is_open
    assert article_of(draft, key).version == 1


def test_too_many_entries_are_told(sign_in, draft):
    client = sign_in("cro")
    data = shown(client, "definitions") | {"count": "62"}
    for place in range(MAX_ENTRIES + EMPTY_SLOTS):
        data |= {f"entry_{place}_term": f"Term {place}", f"entry_{place}_meaning": "M"}
    answer = client.post(page_of("definitions"), data)
    assert answer.status_code == 422
    assert "Keep at most 60 terms" in answer.content.decode()


@pytest.mark.parametrize("count", ["", "-1", "99999999", "x", "9999"])
def test_a_made_up_count_breaks_nothing(sign_in, draft, count):
    client = sign_in("cro")
    data = shown(client, "measures") | {"count": count}
    assert client.post(page_of("measures"), data).status_code in (302, 422)


def test_the_second_writer_keeps_both_entries(sign_in, draft, people):
    """Two who work on different entries: what the first saved is never lost."""
    client = sign_in("cfo")
    data = shown(client, "measures")
    article = article_of(draft, "measures")
    theirs = [{**article.data["measures"][0], "target": "at least 30%"}]
    edit_data(article, people, measures=[*theirs, *article.data["measures"][1:]])

    answer = client.post(page_of("measures"), data | {"entry_1_target": "at most 40"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Maya Lindqvist, CRO, changed this while you had it open" in page
    assert listed(draft, "measures")[0]["target"] == "at least 30%"

    form = answer.context["form"]
    assert form["entry_0_target"].value() == "at least 30%"
    assert form["entry_1_target"].value() == "at most 40"


def test_a_function_that_is_not_in_the_draft_can_be_unticked(sign_in, draft, people):
    article = article_of(draft, "interfaces")
    gone = {**article.data["handoffs"][0], "functions": ["gone", "deal_desk"]}
    edit_data(article, people, handoffs=[gone])
    client = sign_in("cro")
    page = client.get(page_of("interfaces"))
    assert "gone, not in this draft" in page.content.decode()
    data = sent(page.context["form"]) | {"entry_0_functions": ["deal_desk"]}
    assert client.post(page_of("interfaces"), data).status_code == 302
    assert listed(draft, "interfaces")[0]["functions"] == ["deal_desk"]


def test_grounds_are_asked_for_what_touches_financial_reporting_alone(sign_in, draft, people):
    article = article_of(draft, "veto_list")
    stale = {"function": "territory_planning", "ground": "None any more."}
    edit_data(article, people, grounds=[*article.data["grounds"], stale])
    client = sign_in("cro")
    page = client.get(page_of("veto_list"))
    form = page.context["form"]
    asked = {key for key, _ in form.touching.items()}
    assert asked == {
        row.function.key
        for row in draft.rows.select_related("function")
        if row.function.touches_financial_reporting
    }
    assert "Saving takes the ground off the list" in page.content.decode()
    first = next(iter(asked))
    client.post(page_of("veto_list"), sent(form) | {f"ground_{first}": "It moves revenue."})
    grounds = {one["function"]: one["ground"] for one in listed(draft, "veto_list")}
    assert grounds[first] == "It moves revenue."
    assert set(grounds) == asked


def test_the_reporting_line_has_a_reason(sign_in, draft):
    client = sign_in("cro")
    form = client.get(f"{BASE}articles/3/").context["form"]
    data = sent(form) | {"rationale": "Close to the field."}
    assert client.post(f"{BASE}articles/3/", data).status_code == 302
    assert article_of(draft, "reporting_line").data["rationale"] == "Close to the field."
    assert "Close to the field." in client.get(f"{BASE}show/article-3/").content.decode()


def test_the_form_takes_as_many_queries_for_few_and_many_entries(
    sign_in, draft, people, django_assert_num_queries
):
    client = sign_in("cro")
    client.get(page_of("measures"))
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page_of("measures"))
    article = article_of(draft, "measures")
    one = article.data["measures"][0]
    many = [{**one, "key": f"m_{n}", "name": f"Measure {n}"} for n in range(50)]
    edit_data(article, people, measures=many)
    with django_assert_num_queries(len(few)):
        client.get(page_of("measures"))


# --- Where it is read -------------------------------------------------------------------------


def test_the_board_shows_entries_and_why_none_is_needed(sign_in, draft, people):
    article = article_of(draft, "interfaces")
    none = {"name": "Renewal", "none_needed": "One team <sells> and renews."}
    edit_data(article, people, handoffs=[*article.data["handoffs"], none])
    text = sign_in("cfo").get(f"{BASE}show/article-7/").content.decode()
    assert "<dt>None needed</dt>" in text
    assert escape("One team <sells> and renews.") in text
    assert "1 business day after signature" in text


@pytest.fixture
def frozen_content(ready, people):
    return contents.content_of(factories.frozen(ready, people))


def read_as_paper(content):
    paper = render_to_string(
        "boundaries/_paper.html", {"content": content, "sha256": "0" * 64, "signers": []}
    )
    copy = signing_html(content, content_sha256="0" * 64, verification_url="https://x.example/v")
    return paper, copy


def test_paper_and_signing_copy_show_the_entries(frozen_content):
    for text in read_as_paper(frozen_content):
        for word in ("Discount", "the deal desk lead", "Discount structure and terms decide",
                     "1 business day after signature", "Two reps claim", "Average discount",
                     "Qualified lead", "Attribution for learning"):  # fmt: skip
            assert word in text
        assert "No threshold needed" in text


@pytest.mark.parametrize(
    "data", [None, {}, [], {"rights": None, "terms": [1, {"term": 7}], "handoffs": [{}]}]
)
def test_content_that_was_frozen_before_there_were_entries_is_read(frozen_content, data):
    for article in frozen_content["articles"]:
        if article["key"] in NUMBERS:
            article.pop("data", None)
            if data is not None:
                article["data"] = data
    for text in read_as_paper(frozen_content):
        assert "Decision rights" in text
        assert "Average discount" not in text


def test_nothing_that_was_typed_is_read_as_html(frozen_content):
    evil = "<img src=x onerror=alert(1)>"
    for article in frozen_content["articles"]:
        shape = SHAPES.get(article["key"])
        if shape is not None:
            for entry in article["data"][shape.entries.name]:
                for name, value in entry.items():
                    entry[name] = [evil] if isinstance(value, list) else evil
    for text in read_as_paper(frozen_content):
        assert "<img src=x" not in text
        assert "onerror" in text


# --- Which template ---------------------------------------------------------------------------


def test_the_template_that_suits_is_chosen_beforehand(sign_in, people, functions):
    assert sign_in("cro").get("/boundaries/open/").context["form"]["template"].value() == "standard"
    Office.objects.filter(key="coo").update(
        established=False,
        part_goes_to=Office.objects.get(key="cfo"),
        not_established_reason="The company has no COO.",
    )
    page = sign_in("cro").get("/boundaries/open/")
    assert page.context["form"]["template"].value() == "cro_cfo"
    data = {"kind": "company", "title": "Boundary", "number": "NC-RB"}
    assert sign_in("cro").post("/boundaries/open/", data).status_code == 302
    draft = Document.objects.get().revisions.get()
    assert "CRO and the CFO meet" in article_of(draft, "cadence").data["one_to_one"]


def test_the_other_template_can_be_chosen(sign_in, people, functions):
    data = {"kind": "company", "title": "B", "number": "NC-RB", "template": "cro_cfo"}
    assert sign_in("cro").post("/boundaries/open/", data).status_code == 302
    draft = Document.objects.get().revisions.get()
    assert "COO" not in str([(one.text, one.data) for one in draft.articles.all()])
    unknown = data | {"number": "NC-X", "template": "none"}
    assert sign_in("cro").post("/boundaries/open/", unknown).status_code == 422


def test_the_verb_takes_the_standard_one_unless_told(people, functions):
    draft = workflow.open_document(
        number="NC-RB", title="B", company_boundary=True, acting_user=people["cro"], at=NOW
    )
    assert "COO" in article_of(draft, "cadence").data["one_to_one"]
