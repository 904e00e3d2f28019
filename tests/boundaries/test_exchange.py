"""A draft as a file and back: nothing is lost, nothing is smuggled in, nothing is overwritten."""

import contextlib
import csv
import io
import json
import zipfile
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from audit.models import Event
from boundaries import drafting
from boundaries.errors import NotADraft
from boundaries.exchange import importing, previewing, reading, writing
from boundaries.exchange.errors import ImportOutdated, NothingChosen, UnreadableFile
from boundaries.exchange.table import COLUMNS, Names
from boundaries.models import Agreement, Article, EarlierText, Proposal, Row
from boundaries.states import State
from notifications.models import Notice
from people.errors import NotYourOffice
from tests.boundaries import factories
from tests.boundaries.factories import NOW

pytestmark = pytest.mark.django_db

BASE = "/boundaries/NC-RB/1/exchange/"
ENDINGS = ("json", "xlsx", "csv")
WRITE = {"json": writing.as_json, "xlsx": writing.as_xlsx, "csv": writing.as_csv}


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=False):
        yield


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def exported(revision, ending="json"):
    return WRITE[ending](revision, at=NOW)


def read(content, ending="json"):
    return reading.read(content, f"draft.{ending}", Names())


def previewed(revision, content, ending="json"):
    return previewing.preview(revision, read(content, ending), Names())


def changed_json(revision, *, rows=None, articles=None):
    """The export with some fields of rows (by function) and articles (by key) changed."""
    given_ = json.loads(exported(revision))
    for one in given_["rows"]:
        one.update((rows or {}).get(one["function"], {}))
    for one in given_["articles"]:
        one.update((articles or {}).get(one["key"], {}))
    return json.dumps(given_).encode()


def imported(revision, people, content, *, by="cro", ending="json", chosen=None):
    incoming = read(content, ending)
    if chosen is None:
        found = previewing.preview(revision, incoming, Names())
        chosen = {one.anchor: one.version for one in found.changes}
    return importing.import_draft(
        revision=revision, incoming=incoming, chosen=chosen, acting_user=people[by], at=NOW
    )


def table_of(content):
    """The lines of an exported CSV, as lists that can be changed."""
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def as_csv(lines):
    file = io.StringIO()
    csv.writer(file).writerows(lines)
    return file.getvalue().encode()


def column(name):
    return list(COLUMNS).index(name)


def everything():
    return (
        Event.objects.count(),
        EarlierText.objects.count(),
        Notice.objects.count(),
        Proposal.objects.count(),
        list(Row.objects.order_by("pk").values_list("pk", "version", "scope_in", "owner")),
        list(Article.objects.order_by("pk").values_list("pk", "version", "text")),
        list(Agreement.objects.order_by("pk").values_list("pk", "withdrawn_at")),
    )


# --- Round trips ------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_was_exported_changes_nothing(draft, ending):
    found = previewed(draft, exported(draft, ending), ending)

    assert (found.changes, found.problems, found.kept, found.absent) == ([], [], [], 0)
    assert found.unchanged == (5 if ending == "csv" else 17)


TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        st.sampled_from("=+-@'\"\t\r\n;,:|_x005F\x0b\ufeff\u2028 "),
    ),
    max_size=60,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(scope_in=TEXTS, scope_out=TEXTS, rationale=TEXTS, reason=TEXTS, prose=TEXTS, part=TEXTS)
def test_texts_of_any_signs_come_back_as_they_were(
    draft, scope_in, scope_out, rationale, reason, prose, part
):
    texts = {"scope_in": scope_in, "scope_out": scope_out, "rationale": rationale}
    Row.objects.filter(revision=draft, position=1).update(**texts)
    Row.objects.filter(revision=draft, position=2).update(owner="", left_out_reason=reason.strip())
    draft.articles.filter(key="purpose").update(text=prose)
    name = "".join(part.split()) or "Part"
    factories.row_of(draft, "master_data_management").sub_scopes.filter(position=1).update(
        name=name
    )
    for ending in ENDINGS:
        if ending != "json" and not previewing.tidy(name).strip(":"):
            continue
        found = previewed(draft, exported(draft, ending), ending)
        # A name that a table cannot hold is told of; it is never changed by the way.
        assert [one.title for one in found.changes if "Master data" not in one.title] == [], ending
        assert [one for one in found.problems if "Parts" not in one.place] == [], ending


def test_every_field_comes_in_by_json(draft, people):
    rows = {
        "deal_desk": {
            "owner": "hybrid",
            "sub_scopes": [
                {"name": "Approvals", "owner": "cro"},
                {"name": "Terms", "owner": "cfo"},
            ],
            "scope_in": "In.",
            "scope_out": "Out.",
            "consulted": ["cfo"],
            "informed": ["coo"],
            "rationale": "Why.",
        },
        "territory_planning": {"owner": "", "left_out_reason": "Not ours."},
    }
    control = {"text": "New control.", "effective_date": "2027-01-04", "sunset_date": "2027-12-31"}
    done = imported(draft, people, changed_json(draft, rows=rows, articles={"control": control}))

    assert done.words == "2 rows and 1 article"
    row = factories.row_of(draft)
    assert drafting.row_json(drafting.row_text(row)) == {
        **rows["deal_desk"],
        "sub_scopes": (
            {"key": "approvals", "name": "Approvals", "owner": "cro"},
            {"key": "terms", "name": "Terms", "owner": "cfo"},
        ),
        "consulted": ("cfo",),
        "informed": ("coo",),
        "left_out_reason": "",
    }
    assert factories.row_of(draft, "territory_planning").left_out_reason == "Not ours."
    revision = factories.fresh(draft)
    assert (str(revision.effective_date), str(revision.sunset_date)) == ("2027-01-04", "2027-12-31")
    assert factories.article_of(draft, "control").text == "New control."


def test_tables_hold_words_that_people_use(draft, people):
    lines = table_of(exported(draft, "csv"))
    line = next(one for one in lines if one[column("function")] == "deal_desk")
    line[column("owner")] = "Hybrid"
    line[column("sub_scopes")] = "Approvals: CRO\nTerms: Chief Financial Officer"
    line[column("consulted")] = "CFO; coo"
    imported(draft, people, as_csv(lines), ending="csv")

    row = factories.row_of(draft)
    parts = [(one.key, one.name, one.owner) for one in row.sub_scopes.all()]
    assert parts == [("approvals", "Approvals", "cro"), ("terms", "Terms", "cfo")]
    assert row.consulted == ["cfo", "coo"]


def test_a_workbook_brings_articles_lists_and_facts(draft, people):
    book = load_workbook(io.BytesIO(exported(draft, "xlsx")))
    sheet = book[writing.FACTS]
    for line in sheet.iter_rows(min_row=2):
        if line[1].value == "dotted_line_scope":
            line[2].value = "Advice only."
        if line[1].value == "executives_business_days":
            line[2].value = 4
        if line[1].value == "layers.weekly.owner":
            line[2].value = "COO"
    scenarios = book["Scenarios"]
    scenarios.cell(2, 2).value = "Two teams claim a deal"
    terms = book["Terms"]
    terms.append(["", "Paper order", "", "An order on paper."])
    file = io.BytesIO()
    book.save(file)
    done = imported(draft, people, file.getvalue(), ending="xlsx")

    assert done.articles >= 4
    assert factories.article_of(draft, "reporting_line").data["dotted_line_scope"] == "Advice only."
    assert factories.article_of(draft, "escalation").data["executives_business_days"] == 4
    layers = factories.article_of(draft, "cadence").data["layers"]
    assert next(one for one in layers if one["layer"] == "weekly")["owner"] == "coo"
    first = factories.article_of(draft, "conflict_scenarios").data["scenarios"][0]
    assert first["name"] == "Two teams claim a deal"
    assert factories.article_of(draft, "definitions").data["terms"][-1]["key"] == "paper_order"


def test_a_function_that_the_draft_lacks_is_added(draft, people):
    function = factories.another_function()
    given_ = json.loads(exported(draft))
    new = {"function": function.key, "owner": "coo", "scope_in": "All of it."}
    content = json.dumps({**given_, "rows": [*given_["rows"], new]}).encode()
    found = previewed(draft, content)
    assert [(one.anchor, one.is_new) for one in found.changes] == [(f"add-{function.key}", True)]

    assert imported(draft, people, content).words == "1 new row"
    row = factories.row_of(draft, function.key)
    assert (row.owner, row.scope_in) == ("coo", "All of it.")


# --- Formulas ---------------------------------------------------------------------------------

EVIL = ["=1+1", "+1", "-2+3", "@SUM(A1)", '=HYPERLINK("http://evil.example";"x")', "'=1+1"]


def test_no_text_becomes_a_formula(draft):
    for evil in EVIL:
        no_text_becomes_a_formula(draft, evil)


def no_text_becomes_a_formula(draft, evil):
    Row.objects.filter(revision=draft, position=1).update(scope_in=evil)

    for line in table_of(exported(draft, "csv"))[1:]:
        assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in line)
    sheet = load_workbook(io.BytesIO(exported(draft, "xlsx")))[writing.ROWS]
    cell = sheet.cell(2, column("scope_in") + 1)
    assert (cell.value, cell.data_type, cell.number_format) == (evil, "s", "@")
    for ending in ENDINGS:
        assert previewed(draft, exported(draft, ending), ending).changes == []


def test_a_formula_is_told_of_and_not_taken_over(draft):
    book = load_workbook(io.BytesIO(exported(draft, "xlsx")))
    book[writing.ROWS].cell(2, column("scope_in") + 1).value = "=A1"
    file = io.BytesIO()
    book.save(file)
    found = previewed(draft, file.getvalue(), "xlsx")
    assert [one.words for one in found.problems] == ["It holds a formula. Write the text itself."]
    assert found.problems[0].place == "Sheet Rows, row 2, column F"


# --- Errors by row ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        (
            {"owner": "Marketing"},
            "Row 2 of the file, column Owner",
            "“Marketing” is not an Office that may own a function. Choose one of: CRO, COO, CFO",
        ),
        ({"owner": "shared"}, "Row 2 of the file, column Owner", "“Shared” is not an owner."),
        (
            {"owner": "CEO"},
            "Row 2 of the file, column Owner",
            "“CEO” is not an Office that may own",
        ),
        (
            {"consulted": "CFO, Moon"},
            "Row 2 of the file, column Who is asked",
            "There is no Office “Moon”.",
        ),
        ({"scope_in": "x" * 2001}, "Row 2 of the file, column Scope in", "2,001 characters"),
        ({"left_out_reason": "No."}, "Row 2 of the file, column Left out because", "has no owner"),
        ({"function": "no_such"}, "Row 2 of the file", "The catalog has no function “no_such”."),
        (
            {"owner": "Hybrid", "sub_scopes": "Approvals"},
            "Row 2 of the file, column Parts and their owners",
            "names no owner",
        ),
        (
            {"owner": "Hybrid", "sub_scopes": "A: CRO\na: COO"},
            "Row 2 of the file, column Parts and their owners",
            "same name",
        ),
        ({"function": "territory_planning"}, "Row 3 of the file", "the same function as Row 2"),
    ],
)
def test_errors_say_where_and_what_to_write(draft, changes, place, words):
    lines = table_of(exported(draft, "csv"))
    for name, value in changes.items():
        lines[1][column(name)] = value
    found = previewed(draft, as_csv(lines), "csv")

    assert [one.place for one in found.problems] == [place]
    assert words in found.problems[0].words
    assert found.absent == int("function" in changes)
    # What is right in the file can be taken over all the same.
    assert not any(one.function == "deal_desk" for one in found.changes)


ARTICLE_ERRORS = [
    ("nowhere", {"key": "nowhere", "text": "x"}, "no article “nowhere”"),
    ("purpose", {"text": "x" * 12_001}, "12,001 characters"),
    ("reporting_line", {"data": {"solid_lines": ["moon"]}}, "name one Office"),
    ("reporting_line", {"data": {"team_shape": "round"}}, "choose one of"),
    ("reporting_line", {"data": {"three_lines": "x"}}, "no field"),
    ("escalation", {"data": {"executives_business_days": "soon"}}, "whole number"),
    ("cadence", {"data": {"layers": [{"layer": "daily"}]}}, "Layers"),
    ("cadence", {"data": {"layers": "x"}}, "Layers"),
    ("control", {"sunset_date": "2020-01-01", "effective_date": "2027-01-01"}, "after"),
]


def test_errors_of_articles(draft):
    given_ = json.loads(exported(draft))
    for article, changes, words in ARTICLE_ERRORS:
        given_["articles"] = [{"key": article, **changes}]
        found = previewed(draft, json.dumps(given_).encode())
        assert [words in one.words for one in found.problems] == [True], (article, words)


# --- Three ways -------------------------------------------------------------------------------


def test_what_moved_on_is_skipped_unless_ticked(draft, people):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "From the file."}})
    factories.edit(factories.row_of(draft), people, by="coo", scope_in="From the COO.")
    factories.edit(factories.row_of(draft, "territory_planning"), people, rationale="Newer.")
    found = previewed(draft, content)

    assert [one.title for one in found.conflicts] == ["Row 4.1, Deal desk"]
    assert found.sound == []
    assert found.kept == ["Row 4.2, Territory planning"]
    [difference] = found.conflicts[0].differences
    assert (difference.theirs, difference.yours) == ("From the COO.", "From the file.")

    imported(draft, people, content)
    assert factories.row_of(draft).scope_in == "From the file."
    assert factories.row_of(draft, "territory_planning").rationale == "Newer."


def test_fields_that_only_one_side_changed_are_merged(draft, people):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "From the file."}})
    factories.edit(factories.row_of(draft), people, by="coo", rationale="From the COO.")
    found = previewed(draft, content)
    assert [one.conflict for one in found.changes] == [False]

    imported(draft, people, content)
    row = factories.row_of(draft)
    assert (row.scope_in, row.rationale) == ("From the file.", "From the COO.")


def test_the_file_of_another_draft_says_so(draft):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "Other."}})
    given_ = json.loads(content)
    given_["revision"]["reference"] = "NC-RB-0"
    found = previewed(draft, json.dumps(given_).encode())
    assert found.other == "NC-RB-0"
    assert [one.conflict for one in found.changes] == [False]


def test_a_change_between_preview_and_import_refuses_all(draft, people):
    content = changed_json(
        draft, rows={key: {"scope_in": "New."} for key in ("deal_desk", "territory_planning")}
    )
    chosen = {one.anchor: one.version for one in previewed(draft, content).changes}
    factories.edit(factories.row_of(draft), people, by="coo", scope_in="Meanwhile.")
    before = everything()
    with pytest.raises(ImportOutdated, match="Nothing was imported"):
        imported(draft, people, content, chosen=chosen)
    assert everything() == before


# --- The verb ---------------------------------------------------------------------------------


def test_importing_is_an_edit_like_any_other(ready, people):
    content = changed_json(
        ready,
        rows={"deal_desk": {"scope_in": "New."}},
        articles={"purpose": {"text": "Another purpose."}},
    )
    imported(ready, people, content)

    assert factories.live_stances(factories.row_of(ready)) == {"cro": "agreed"}
    untouched = factories.live_stances(factories.row_of(ready, "territory_planning"))
    assert untouched == dict.fromkeys(("cro", "coo", "cfo"), "agreed")
    assert EarlierText.objects.filter(revision=ready).count() == 2
    events = Event.objects.order_by("-sequence").values_list("event", flat=True)[:3]
    assert sorted(events) == ["article.edited", "draft.imported", "row.edited"]
    last = Event.objects.get(event="draft.imported")
    assert last.data["places"] == ["Row 4.1, Deal desk", "Article 2, Purpose and strategy"]
    told = Notice.objects.filter(kind="draft-imported").values_list("person__name", flat=True)
    assert sorted(told) == ["Daniel Osei", "Priya Raman"]


@pytest.mark.parametrize("office", ["ceo", "revops_lead", "auditor", "member", "administrator"])
def test_others_do_not_import(draft, people, office):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "New."}})
    before = everything()
    with pytest.raises(NotYourOffice):
        imported(draft, people, content, by=office)
    assert everything() == before


def test_nothing_ticked_and_nothing_frozen_is_imported(draft, people):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "New."}})
    with pytest.raises(NothingChosen):
        imported(draft, people, content, chosen={})
    factories.all_agree(draft, people)
    with pytest.raises(ImportOutdated):
        imported(draft, people, content, chosen={"row-1": 7})
    factories.effective(draft, people, factories.TODAY)
    factories.all_agree(draft, people)
    factories.frozen(draft, people)
    with pytest.raises(NotADraft):
        imported(draft, people, content, chosen={"row-1": 1})


def test_the_lead_proposes_instead(draft, people):
    content = changed_json(
        draft,
        rows={"deal_desk": {"scope_in": "New."}},
        articles={"control": {"text": "Mine."}},
    )
    incoming = read(content)
    chosen = {one.anchor: one.version for one in previewed(draft, content).changes}
    done = importing.propose_imported(
        revision=draft,
        incoming=incoming,
        chosen=chosen,
        acting_user=people["revops_lead"],
        at=NOW,
    )

    assert done.words == "1 row"
    assert Proposal.objects.get().text["scope_in"] == "New."
    assert factories.row_of(draft).scope_in != "New."


# --- Hostile files ----------------------------------------------------------------------------


def zipped(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("__", "/"), content)
    return file.getvalue()


def workbook(fill):
    book = Workbook()
    book.active.title = writing.ROWS
    fill(book.active)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_entities():
    """A real workbook whose sheet begins with entities that would grow without end."""
    source = zipfile.ZipFile(io.BytesIO(workbook(lambda sheet: sheet.append(["Function"]))))
    parts = {name: source.read(name) for name in source.namelist()}
    name = "xl/worksheets/sheet1.xml"
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    parts[name] = bomb + parts[name].replace(b"Function", b"&b;")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for key, content in parts.items():
            packed.writestr(key, content)
    return file.getvalue()


HOSTILE = {
    "empty": (b" ", "json"),
    "no json": (b"{", "json"),
    "deep": (b"[" * 100_000, "json"),
    "deep and closed": (b'{"a":' * 500 + b"1" + b"}" * 500, "json"),
    "another json": (b'{"format": "x"}', "json"),
    "a list": (b"[]", "json"),
    "nan": (b'{"format": NaN}', "json"),
    "half a pair": (
        json.dumps({"format": writing.FORMAT, "rows": [{"function": "\ud800"}]}).encode(),
        "json",
    ),
    "rows that are none": (json.dumps({"format": writing.FORMAT, "rows": {}}).encode(), "json"),
    "many rows": (json.dumps({"format": writing.FORMAT, "rows": [1] * 2001}).encode(), "json"),
    "huge number": (b'{"format": ' + b"9" * 5000 + b"}", "json"),
    "latin": ("Function;Owner\nä".encode("latin-1"), "csv"),
    "nul": (b"Function\n\0", "csv"),
    "no columns": (b"a,b\n1,2", "csv"),
    "twice": (b"Function,Owner,Owner\n1,2,3", "csv"),
    "long lines": (b"Function\n" + b"x\n" * 2001, "csv"),
    "huge field": (b'Function\n"' + b"x" * 200_000 + b'"', "csv"),
    "no zip": (b"PK\3\4 nothing", "xlsx"),
    "another zip": (zipped(a="b"), "xlsx"),
    "bomb": (zipped(xl__worksheets__sheet1="0" * (reading.MAX_UNPACKED + 1)), "xlsx"),
    "other sheets": (
        zipped(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<a>"}),
        "xlsx",
    ),
    "entities": (with_entities(), "xlsx"),
    "too many rows": (
        workbook(lambda sheet: [sheet.append(["Function"]) for _ in range(2005)]),
        "xlsx",
    ),
    "large": (b"x" * (reading.MAX_BYTES + 1), "csv"),
    "another kind": (b"%PDF", "pdf"),
    "old excel": (b"\xd0\xcf\x11\xe0", "xls"),
}


def test_hostile_files_are_refused_in_words(draft, people):
    client = signed_in(people["cro"])
    for name, (content, ending) in HOSTILE.items():
        with pytest.raises(UnreadableFile) as refused:
            read(content, ending)
        assert len(str(refused.value)) > 20, name

        answer = client.post(BASE, {"file": SimpleUploadedFile(f"x.{ending}", content)})
        assert answer.status_code == 422, name


ODD_ROWS = [
    [1, None, "x", []],
    [{"function": 1}],
    [{"function": "deal_desk", "owner": 3}],
    [{"function": "deal_desk", "consulted": "cfo"}],
    [{"function": "deal_desk", "consulted": [1]}],
    [{"function": "deal_desk", "sub_scopes": [1]}],
    [{"function": "deal_desk", "owner": "hybrid", "sub_scopes": [{"name": "x", "key": "../"}]}],
    [{"function": "deal_desk", "owner": "hybrid", "sub_scopes": [{"name": "x"}] * 9}],
    [{"function": "deal_desk", "owner": "x" * 100_000}],
]


def test_odd_rows_are_problems_not_failures(draft):
    for rows in ODD_ROWS:
        content = json.dumps({"format": writing.FORMAT, "rows": rows}).encode()
        found = previewed(draft, content)
        assert found.changes == [], rows
        assert found.problems, rows


ODD_DATA: tuple[dict[str, Any], ...] = (
    {"x": {"y": []}},
    {"measures": [1, {"name": 3}]},
    {"terms": {}},
    {"solid_lines": [{}]},
)


@pytest.mark.parametrize("key", ["control", "purpose", "reporting_line", "measures", "definitions"])
def test_odd_data_of_articles_never_fails(draft, people, key):
    client = signed_in(people["cro"])
    for data in ODD_DATA:
        articles = [{"key": key, "data": data, "version": 1}]
        content = json.dumps({"format": writing.FORMAT, "articles": articles}).encode()
        answer = client.post(BASE, {"file": SimpleUploadedFile("x.json", content)})
        assert answer.status_code == 200, data


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["rows", "articles", "function", "key", "data", "text", "owner", "sub_scopes"]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_any_json_is_read_or_refused(draft, anything):
    given_ = {"format": writing.FORMAT, "rows": [anything], "articles": [anything]}
    if isinstance(anything, dict):
        given_ |= {name: anything[name] for name in ("rows", "articles") if name in anything}
    content = json.dumps(given_).encode()
    with contextlib.suppress(UnreadableFile):
        previewed(draft, content)


# --- Pages and API ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("office", "status"),
    [("cro", 200), ("revops_lead", 200), ("auditor", 200), ("ceo", 200), ("member", 404)],
)
def test_readers_of_the_draft_export_it(draft, people, office, status):
    client = signed_in(people[office])
    for ending in ENDINGS:
        answer = client.get(f"{BASE}draft.{ending}")
        assert answer.status_code == status
        if status == 200:
            assert answer["Content-Disposition"] == f'attachment; filename="NC-RB-1.{ending}"'
    assert client.get(BASE).status_code == status


def test_what_is_in_force_is_exported_for_everybody(people, functions):
    factories.in_force(people)
    client = signed_in(people["member"])
    assert json.loads(client.get(f"{BASE}draft.json").content)["revision"]["state"] == "in_force"
    page = client.get(BASE)
    assert "frozen" in page.content.decode()
    file = SimpleUploadedFile("x.json", b"{}")
    assert client.post(BASE, {"file": file}).status_code == 302


def test_page_and_api_agree(draft, people):
    client = signed_in(people["revops_lead"])
    by_page = json.loads(client.get(f"{BASE}draft.json").content)
    by_api = client.get("/api/v1/documents/NC-RB/revisions/1/draft/").json()
    assert by_page == by_api
    assert by_api["rows"][0]["version"] == 1
    outside = signed_in(people["member"]).get("/api/v1/documents/NC-RB/revisions/1/draft/")
    assert outside.status_code == 404


def uploaded(client, content, name="draft.json"):
    return client.post(BASE, {"file": SimpleUploadedFile(name, content)})


def test_the_whole_way_by_the_pages(draft, people):
    client = signed_in(people["coo"])
    content = changed_json(
        draft,
        rows={"deal_desk": {"scope_in": "New."}, "territory_planning": {"owner": "moon"}},
        articles={"purpose": {"text": "Other."}},
    )
    answer = uploaded(client, content)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "2 changes." in page
    assert "“moon” is not an Office that may own a function." in page
    assert "<del>" in page
    assert 'value="row-1:1" checked' in page
    assert factories.row_of(draft).scope_in != "New."

    ticked = {"preview": answer.context["signed"], "take": ["row-1:1"]}
    done = client.post(f"{BASE}confirm/", ticked)
    assert done.status_code == 302
    words = " ".join(str(one) for one in get_messages(done.wsgi_request))
    assert words == "You imported 1 row. The others agree to them again."
    assert factories.row_of(draft).scope_in == "New."
    assert factories.article_of(draft, "purpose").text != "Other."

    again = client.post(f"{BASE}confirm/", ticked)
    assert again.status_code == 422
    assert "changed in the draft while you looked" in again.content.decode()


def test_previews_are_signed_for_one_person_and_draft(draft, people):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "New."}})
    mine = uploaded(signed_in(people["coo"]), content).context["signed"]
    before = everything()
    for person, preview in (("cro", mine), ("coo", mine[:-2] + "xx"), ("coo", "")):
        answer = signed_in(people[person]).post(
            f"{BASE}confirm/", {"preview": preview, "take": ["row-1:1"]}
        )
        assert answer.status_code == 422
        assert "Upload the file again" in answer.content.decode()
    with time_machine.travel(NOW.replace(day=23), tick=False):
        client = signed_in(people["coo"])
        late = client.post(f"{BASE}confirm/", {"preview": mine, "take": ["row-1:1"]})
        assert late.status_code == 422
    assert everything() == before


def test_who_may_only_read_gets_no_preview(draft, people):
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "New."}})
    for office in ("ceo", "auditor"):
        client = signed_in(people[office])
        assert uploaded(client, content).status_code == 403
        assert client.post(f"{BASE}confirm/", {}).status_code == 403
        assert "Send your file to one of them" in client.get(BASE).content.decode()


def test_the_lead_proposes_by_the_page(draft, people):
    client = signed_in(people["revops_lead"])
    assert "as proposed changes" in client.get(BASE).content.decode()
    content = changed_json(
        draft, rows={"deal_desk": {"scope_in": "New."}}, articles={"control": {"text": "Mine."}}
    )
    answer = uploaded(client, content)
    assert "only those who edit the draft" in answer.content.decode()
    done = client.post(
        f"{BASE}confirm/", {"preview": answer.context["signed"], "take": ["row-1:1"]}
    )
    assert done.status_code == 302
    assert Proposal.objects.count() == 1


def test_ticking_nothing_is_told(draft, people):
    client = signed_in(people["coo"])
    content = changed_json(draft, rows={"deal_desk": {"scope_in": "New."}})
    signed = uploaded(client, content).context["signed"]
    answer = client.post(f"{BASE}confirm/", {"preview": signed, "take": ["row-x", "row-1:x"]})
    assert answer.status_code == 422
    assert "Tick what is to be taken over" in answer.content.decode()


def test_a_preview_asks_as_much_for_many_rows(draft, people):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def queries(rows):
        content = changed_json(draft, rows={key: {"scope_in": "New."} for key in rows})
        incoming = read(content)
        with CaptureQueriesContext(connection) as found:
            previewing.preview(draft, incoming, Names())
        return len(found)

    few = queries(["deal_desk"])
    many = queries([row.function.key for row in draft.rows.select_related("function")])
    assert few == many


def test_states_other_than_draft_are_told(people, functions):
    factories.in_state(State.COSIGNING, people)
    page = signed_in(people["cro"]).get(BASE).content.decode()
    assert "frozen" in page
    assert 'type="file"' not in page
