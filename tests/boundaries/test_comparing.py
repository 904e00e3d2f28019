"""What changed between two contents: kinds, counts, sentences and the change log."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundaries import comparing
from boundaries.comparing import Kind, Show, as_data, changed_rows, compare, summary
from boundaries.comparing import change_log as log_of
from boundaries.comparing import in_one_sentence as one_sentence
from tests.boundaries.contents import article, content, left_out, row


def kinds(before, after):
    return {one.key: one.kind.value for one in compare(before, after).rows}


def said(before, after):
    return [str(one) for line in summary(compare(before, after)) for one in line.sentences]


def headings(before, after):
    return [line.heading for line in summary(compare(before, after))]


def fields(change):
    return {one.label: (one.before, one.after) for entry in change.entries for one in entry.fields}


PARTS = (("accounts", "cro"), ("products", "coo"))


# --- Rows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "kind", "sentence"),
    [
        (row("deal_desk"), row("deal_desk"), "unchanged", None),
        (
            row("deal_desk"),
            row("deal_desk", "cfo"),
            "owner",
            "The CFO took Deal desk from the CRO.",
        ),
        (
            row("data"),
            row("data", parts=PARTS),
            "owner",
            "The COO took products in Data from the CRO.",
        ),
        (
            row("data", parts=PARTS),
            row("data", "cfo"),
            "owner",
            "The CFO took accounts in Data from the CRO.",
        ),
        (
            row("data", parts=PARTS),
            row("data", parts=(("accounts", "cro"), ("products", "cfo"))),
            "owner",
            "The CFO took products in Data from the COO.",
        ),
        (
            row("data", parts=PARTS),
            row("data", parts=(*PARTS, ("employees", "cfo"))),
            "owner",
            "The CFO gained employees in Data.",
        ),
        (
            row("data", parts=(*PARTS, ("employees", "cfo"))),
            row("data", parts=PARTS),
            "owner",
            "The CFO gave up employees in Data.",
        ),
        (
            row("data"),
            row("data", parts=(("accounts", "cro"), ("leads", "cro"))),
            "owner",
            "Data is divided into parts; the CRO keeps all of it.",
        ),
        (
            row("data", parts=PARTS),
            row("data", parts=tuple(reversed(PARTS))),
            "text",
            "Data: owner changed.",
        ),
        (
            row("deal_desk"),
            row("deal_desk", scope_out="Other things."),
            "text",
            "Deal desk: scope out changed.",
        ),
        (row("deal_desk"), row("deal_desk", ""), "owner", "The CRO no longer has Deal desk"),
        (row("deal_desk", ""), row("deal_desk"), "owner", "The CRO gained Deal desk."),
    ],
)
def test_what_became_of_a_row(before, after, kind, sentence):
    found = content(before), content(after, number=2)
    assert kinds(*found) == {after["function"]: kind}
    spoken = said(*found)
    assert (spoken == []) if sentence is None else spoken[0].startswith(sentence.rstrip("."))


def test_functions_come_and_go():
    before = content(row("deal_desk"), row("quotas", n=2), row("data", n=3))
    after = content(
        row("deal_desk"),
        row("intake", "coo", n=4),
        row("health", n=5, parts=PARTS),
        number=2,
        gone=[left_out("quotas", "The board decides.", n=2)],
    )
    assert kinds(before, after) == {
        "deal_desk": "unchanged",
        "intake": "added",
        "health": "added",
        "quotas": "left_out",
        "data": "retired",
    }
    assert headings(before, after)[1] == "2 functions were added, 1 retired, 1 left out"
    assert said(before, after) == [
        "Intake, owned by the COO.",
        "Health, in parts.",
        "Quotas, which the CRO owned, is left out, with a reason.",
        "Data, which the CRO owned, is not there any more.",
    ]
    changed = {one.key: one for one in changed_rows(before, after)}
    assert fields(changed["quotas"])["Left out because"] == ("", "The board decides.")
    assert fields(changed["intake"])["Owner"] == ("", "COO")


def test_one_left_out_in_both_is_unchanged_unless_its_reason_is_not():
    before = content(gone=[left_out("quotas")])
    same, other = (
        content(number=2, gone=[left_out("quotas")]),
        content(number=2, gone=[left_out("quotas", "Another reason.")]),
    )
    assert kinds(before, same) == {"quotas": "unchanged"}
    assert kinds(before, other) == {"quotas": "text"}
    assert kinds(same, before) == {"quotas": "unchanged"}


def test_rows_are_matched_by_function_not_by_number_or_place():
    before = content(row("deal_desk", n=1), row("quotas", n=2))
    after = content(row("quotas", n=2), row("deal_desk", n=1), number=2)
    assert compare(before, after).is_empty


def test_only_the_fields_that_differ_are_listed():
    before = content(row("deal_desk"))
    after = content(
        row(
            "deal_desk",
            scope_in="Approve discounts up to 20%.",
            informed=["cfo"],
            touches_financial_reporting=True,
            settled={"by": "ruling", "reference": "Dispute 12", "on": "2026-12-02"},
        ),
        number=2,
    )
    (change,) = changed_rows(before, after)
    assert fields(change) == {
        "Scope in": ("Approve discounts up to 10%.", "Approve discounts up to 20%."),
        "Informed": ("", "CFO"),
        "Settled": ("", "By the CEO's ruling, Dispute 12, 2 Dec 2026"),
        "Reporting": ("No", "Touches financial reporting"),
    }


def test_a_lock_that_ended_with_its_version_is_no_change():
    settled = {"by": "ruling", "reference": "Dispute 12", "on": "2026-12-02"}
    before = content(row("deal_desk", settled=settled))
    assert compare(before, content(row("deal_desk"), number=2)).is_empty


def test_what_the_ceo_settled_is_said_in_words():
    settled = {"by": "order", "reference": "Veto order", "on": "2026-12-02"}
    before = content(row("deal_desk"), row("b", n=2))
    after = content(
        row("deal_desk", settled=settled), row("b", n=2, rationale="X", settled=settled), number=2
    )
    changes = changed_rows(before, after)
    assert [one.words for one in changes] == ["Settled, text as before", "Text changed"]
    lines = log_of(before, after).splitlines()
    words = "settled by the CEO's order, Veto order, 2 Dec 2026."
    assert [line.partition(": ")[2] for line in lines[1:4]] == [words, "rationale changed.", words]
    assert said(before, after)[0].endswith(f": {words}")


# --- Articles ---------------------------------------------------------------------------------

RIGHTS = [
    {"key": "one", "matter": "Discount", "threshold": "up to 10%", "decides": "the manager"},
    {"key": "two", "matter": "Discount", "threshold": "above 10%", "decides": "the CRO"},
]


def test_entries_are_matched_by_key():
    before = content(articles=[article(5, "decision_rights", "Rules.", rights=RIGHTS)])
    changed = [RIGHTS[1] | {"decides": "the CFO"}, {"key": "three", "matter": "Credit"}]
    after = content(number=2, articles=[article(5, "decision_rights", "Rules.", rights=changed)])
    (change,) = [one for one in compare(before, after).articles if one.changed]
    assert [(one.name, one.change) for one in change.entries] == [
        ("Discount, above 10%", "changed"),
        ("Credit", "added"),
        ("Discount, up to 10%", "removed"),
    ]
    assert fields(change)["Decides"][0] in ("the CRO", "the manager")
    assert log_of(before, after).splitlines()[1] == (
        "- Article 5, Decision rights: Discount, above 10% changed; Credit added; "
        "Discount, up to 10% removed."
    )


def test_offices_functions_and_days_are_written_in_words():
    functions = (row("deal_desk"),)
    measures = [{"key": "m", "name": "Speed", "functions": ["deal_desk"], "primary_owner": "cro"}]
    before = content(
        *functions,
        articles=[
            article(3, "reporting_line", solid_line="cro", team_shape="embedded"),
            article(8, "escalation", leads_business_days=2),
            article(10, "measures", measures=[]),
        ],
    )
    after = content(
        *functions,
        number=2,
        articles=[
            article(3, "reporting_line", solid_line="coo", team_shape="centralised"),
            article(8, "escalation", leads_business_days=1),
            article(10, "measures", measures=measures),
        ],
    )
    line, escalation, measured = (one for one in compare(before, after).articles if one.changed)
    assert fields(line) == {"Solid line": ("CRO", "COO"), "Team": ("Embedded", "Centralised")}
    assert fields(escalation) == {"Leads": ("Within 2 business days", "Within 1 business day")}
    assert fields(measured) == {"About": ("", "Deal desk"), "Primary owner": ("", "CRO")}


def test_content_from_before_articles_had_data_is_tolerated():
    before = content(articles=[article(7, "interfaces", "Prose alone.")])
    after = content(
        number=2,
        articles=[article(7, "interfaces", "Prose.", handoffs=[{"key": "a", "name": "New lead"}])],
    )
    (change,) = [one for one in compare(before, after).articles if one.changed]
    assert [one.name for one in change.entries] == ["", "New lead"]
    assert not [one for one in compare(after, after).articles if one.changed]


def test_dates_and_parties_are_named_and_not_counted():
    before = content(row("deal_desk"))
    after = content(row("deal_desk"), number=2, parties=("cro", "coo", "cfo", "cmo"))
    after["revision"]["effective_date"] = "2026-12-01"
    found = compare(before, after)
    assert found.is_empty and found.counts.changed == 0
    assert [(one.label, one.after) for one in found.control] == [
        ("Effective date", "1 Dec 2026"),
        ("Parties", "CRO, COO, CFO, CMO"),
    ]
    assert log_of(before, after).splitlines() == [
        "Changes since version 1:",
        "- The CMO becomes a party.",
        "- Effective date: from 2026-11-20 to 2026-12-01.",
        "",
        "1 of 1 row did not change.",
    ]


def test_rules_in_the_prose_of_article_1_are_counted():
    """Its dates differ in every version; that its rules do must not go by unseen."""
    before, after = content(), content(number=2)
    assert "control" not in {one.key for one in compare(before, after).articles}
    after["articles"][0]["text"] = "These are other rules."
    (change,) = [one for one in compare(before, after).articles if one.changed]
    assert (change.key, change.kind) == ("control", Kind.TEXT)
    assert "Article 1, Control: text changed." in log_of(before, after)


def test_the_introduction_of_article_4_is_counted():
    before, after = content(), content(number=2)
    after["articles"][1]["text"] = "Rows are read otherwise."
    assert [one.key for one in compare(before, after).articles if one.changed] == ["allocations"]


# --- Drafts -----------------------------------------------------------------------------------


def test_what_a_draft_lacks_is_tolerated():
    before = content(row("deal_desk"), articles=[article(3, "reporting_line", solid_line="cro")])
    after = content(
        row("deal_desk", ""),
        number=2,
        articles=[article(3, "reporting_line", solid_lines=["cro", "coo"])],
    )
    after["revision"] |= {"effective_date": None, "sunset_date": None}
    found = compare(before, after)
    assert fields(found.articles[0])["Solid line"] == ("CRO", "CRO and COO")
    assert [one.after for one in found.control] == ["Not set", "Not set"]
    assert found.groups()[-1].title == "Nobody yet"


# --- Sentences, log, data ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "sentence"),
    [
        (content(row("a"), row("b", n=2), number=2), "No row and no article changed since v1."),
        (
            content(row("a", "cfo"), row("b", n=2), number=2),
            "1 of 2 rows changed since v1; 1 row has another owner.",
        ),
        (
            content(row("a", rationale="X"), row("b", n=2, rationale="Y"), number=2),
            "2 of 2 rows changed since v1; every owner stays.",
        ),
        (
            content(row("a"), row("c", n=3), number=2),
            "2 of 3 rows changed since v1; 1 function came in and 1 function went out.",
        ),
    ],
)
def test_in_one_sentence(after, sentence):
    assert one_sentence(compare(content(row("a"), row("b", n=2)), after)) == sentence


def test_the_log_of_the_first_version():
    assert log_of(None, content()) == "Version 1 is the first version of this document."
    assert log_of(content(), content(number=2)) == "Changes since version 1: none."


def test_a_long_list_of_texts_names_some_and_counts_the_rest():
    before = content(*(row(f"f{n}", n=n) for n in range(1, 13)))
    after = content(*(row(f"f{n}", n=n, rationale="New") for n in range(1, 13)), number=2)
    assert said(before, after)[-1] == "And 4 more, listed below."


def test_groups_go_by_present_owner():
    before = content(row("a", "cfo"), row("b", "cro", n=2), row("c", "coo", n=3))
    after = content(row("a", "coo"), row("b", n=2, parts=PARTS), number=2)
    groups = compare(before, after).groups()
    assert [(one.title, [c.key for c in one.changes]) for one in groups] == [
        ("Hybrid", ["b"]),
        ("COO-owned", ["a"]),
        ("Retired or left out", ["c"]),
    ]


# --- Whatever the contents --------------------------------------------------------------------

OWNERS = st.sampled_from(["cro", "coo", "cfo", "cmo", ""])
TEXTS = st.sampled_from(["", "One.", "One two.", "Up to $50,000.\n- A list", "<b>& co"])
PART_LISTS = st.lists(
    st.tuples(st.sampled_from(["accounts", "products", "staff"]), OWNERS),
    unique_by=lambda part: part[0],
    max_size=3,
)


@st.composite
def contents(draw, number=1):
    rows, gone = [], []
    for n, key in enumerate(["deal_desk", "quotas", "data", "health"], start=1):
        how = draw(st.sampled_from(["row", "row", "row", "left out", "absent"]))
        if how == "row":
            rows.append(
                row(
                    key,
                    draw(OWNERS),
                    n=n,
                    parts=draw(PART_LISTS),
                    scope_in=draw(TEXTS),
                    consulted=draw(st.lists(OWNERS.filter(bool), max_size=2)),
                )
            )
        elif how == "left out":
            gone.append(left_out(key, draw(TEXTS.filter(bool)), n=n))
    entries = draw(
        st.lists(
            st.fixed_dictionaries(
                {"key": st.sampled_from("abc"), "name": TEXTS, "limit": TEXTS, "decider": TEXTS}
            ),
            unique_by=lambda one: one["key"],
            max_size=3,
        )
    )
    articles = [
        article(2, "purpose", draw(TEXTS)),
        article(9, "conflict_scenarios", draw(TEXTS), scenarios=entries),
    ]
    if draw(st.booleans()):
        articles.pop(0)
    return content(*rows, number=number, gone=gone, articles=articles)


@given(contents())
def test_a_content_does_not_differ_from_itself(one):
    found = compare(one, copy.deepcopy(one))
    assert found.is_empty and not found.control
    assert changed_rows(one, one) == []
    assert log_of(one, one) == "Changes since version 1: none."
    assert found.groups() == []


@given(contents(), contents(number=2))
def test_counts_add_up_and_agree_with_the_filters(before, after):
    found = compare(before, after)
    counts = found.counts
    for show in Show:
        assert counts.shown_by(show) == len(found.shown(show))
        assert counts.shown_by(show) == sum(len(one.changes) for one in found.groups(show))
    assert counts.changed == counts.owner + counts.coming_and_going + counts.text
    assert counts.everything == len(found.rows) + len(found.articles)
    functions = {
        one["function"]
        for each in (before, after)
        for one in (*comparing.rows_of(each).values(), *comparing.left_out(each).values())
    }
    assert {one.key for one in found.rows} == functions


@given(contents(), contents(number=2))
def test_what_is_called_unchanged_reads_the_same(before, after):
    old, new = comparing.rows_of(before), comparing.rows_of(after)
    for one in compare(before, after).rows:
        if one.changed:
            assert one.entries and all(f.changed for e in one.entries for f in e.fields)
        elif one.key in new:
            assert old[one.key] | {"sub_scopes": 0} == new[one.key] | {"sub_scopes": 0}


@given(contents(), contents(number=2))
def test_removed_and_added_give_back_both_sides(before, after):
    for group in as_data(compare(before, after), Show.EVERYTHING)["groups"]:
        for change in group["changes"]:
            for one in (field for entry in change["entries"] for field in entry["fields"]):
                for side, other in (("before", "added"), ("after", "removed")):
                    kept = (p["text"] for p in one["pieces"] if p["kind"] != other)
                    assert "".join(kept) == one[side]


@given(contents(), contents(number=2))
def test_every_owner_that_changed_is_said_once_or_more(before, after):
    found = compare(before, after)
    spoken = " ".join(str(s) for s in summary(found)[0].sentences)
    for one in found.rows:
        if one.kind == Kind.OWNER:
            assert one.title in spoken
    assert log_of(before, after).startswith("Changes since version 1:")
