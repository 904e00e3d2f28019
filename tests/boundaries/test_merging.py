"""Two edits of one text become one: nothing that either side changed is lost without a word."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from boundaries.drafting import ArticleText, RowText, SubScopeText
from boundaries.merging import (
    MISSING,
    choose,
    choose_in_article,
    choose_in_row,
    identity,
    merge_article,
    merge_row,
    merge_trees,
    row_of_tree,
    row_tree,
)

# --- Any texts ----------------------------------------------------------------------------------

values = st.sampled_from(["", "a", "b", "c"])
members = st.lists(st.sampled_from(["cro", "coo", "cfo", "ceo"]), unique=True, max_size=3)
keys = st.sampled_from(["one", "two", "three", "four"])
entries = st.lists(
    st.fixed_dictionaries({"key": keys, "name": values, "functions": members}),
    unique_by=lambda entry: entry["key"],
    max_size=4,
)
trees = st.fixed_dictionaries({"text": values, "informed": members, "data": entries})

offices = st.sampled_from(["", "cro", "coo", "cfo"])
parts = st.lists(
    st.builds(SubScopeText, name=values, owner=offices, key=keys),
    unique_by=lambda part: part.key,
    max_size=3,
)
owned = st.builds(
    RowText, owner=offices, scope_in=values, scope_out=values, rationale=values, informed=members
)
split = st.builds(
    RowText, owner=st.just("hybrid"), sub_scopes=parts, scope_in=values, consulted=members
)
left_out = st.builds(RowText, left_out_reason=st.sampled_from(["No need.", "Retired."]))
rows = st.one_of(owned, split, left_out)


def leaves(tree, path=()):
    """Each field by its path; a list of entries by their keys, and the order of those."""
    if isinstance(tree, dict):
        found = {}
        for name, value in tree.items():
            found |= leaves(value, (*path, name))
        return found
    if isinstance(tree, list) and (path[-1] == "data" or any(map(identity, tree))):
        found = {}
        for one in tree:
            found |= leaves(one, (*path, identity(one)))
        return found
    if isinstance(tree, list):
        return {path: frozenset(tree)}
    return {path: tree}


def covered(path, conflicts):
    return any(path[: len(one.path)] == one.path for one in conflicts)


@given(trees, trees, trees)
def test_no_change_of_either_side_is_lost_silently(base, theirs, mine):
    merged = merge_trees(base, theirs, mine)
    was, their, my, now = leaves(base), leaves(theirs), leaves(mine), leaves(merged.text)
    for path in was.keys() | their.keys() | my.keys():
        if path[-1] in ("informed", "functions") or covered(path, merged.conflicts):
            continue
        before, by_them, by_me = (one.get(path, MISSING) for one in (was, their, my))
        after = now.get(path, MISSING)
        assert before in (by_them, by_me) or by_them == by_me
        if by_them != before:
            assert after == by_them
        elif by_me != before:
            assert after == by_me
        else:
            assert after == before


@given(trees, trees, trees)
def test_members_put_in_or_taken_out_by_either_side_are(base, theirs, mine):
    merged = merge_trees(base, theirs, mine)
    was, now = set(base["informed"]), set(merged.text["informed"])
    for side in (set(theirs["informed"]), set(mine["informed"])):
        assert side - was <= now
        assert not ((was - side) & now)


@given(trees, trees)
def test_a_single_edit_is_taken_as_it_is(base, edited):
    for merged in (merge_trees(base, edited, base), merge_trees(base, base, edited)):
        assert merged.text == edited
        assert not merged.conflicts


@given(trees, trees)
def test_the_same_edit_twice_is_once(base, edited):
    merged = merge_trees(base, edited, edited)
    assert merged.text == edited
    assert not merged.conflicts


@given(trees, trees, trees)
def test_both_sides_see_the_same_conflicts(base, theirs, mine):
    one, other = merge_trees(base, theirs, mine), merge_trees(base, mine, theirs)
    assert {each.path for each in one.conflicts} == {each.path for each in other.conflicts}


@given(trees, trees, trees)
def test_choosing_theirs_everywhere_leaves_nothing_of_mine_that_conflicts(base, theirs, mine):
    merged = merge_trees(base, theirs, mine)
    text = merged.text
    for one in merged.conflicts:
        text = choose(text, theirs, one.path)
    now, their = leaves(text), leaves(theirs)
    for one in merged.conflicts:
        below = {path for path in now.keys() | their.keys() if path[: len(one.path)] == one.path}
        assert all(now.get(path) == their.get(path) for path in below)
    assert merge_trees(theirs, theirs, text).conflicts == []


@given(trees, trees)
def test_an_unknown_beginning_asks_about_every_difference(theirs, mine):
    from boundaries.merging import UNKNOWN

    merged = merge_trees(UNKNOWN, theirs, mine)
    assert not merged.from_theirs
    their, my = leaves(theirs), leaves(mine)
    for path in their.keys() & my.keys():
        if their[path] != my[path]:
            assert covered(path, merged.conflicts)


@given(rows)
def test_a_row_comes_back_from_its_tree(row):
    again = row_of_tree(row_tree(row))
    assert (again.owner, tuple(again.sub_scopes)) == (row.owner, tuple(row.sub_scopes))
    assert row_tree(again) == row_tree(row)


@given(rows, rows, rows)
def test_a_row_never_mixes_one_sides_owner_with_the_others_parts(base, theirs, mine):
    merged = merge_row(base, theirs, mine)
    if merged.text.owner != "hybrid":
        assert not merged.text.sub_scopes
    if merged.text.owner:
        assert not merged.text.left_out_reason
    mixed = base.owner == theirs.owner == mine.owner == "hybrid"
    whole = [row_tree(one)["ownership"] for one in (base, theirs, mine)]
    assert mixed or row_tree(merged.text)["ownership"] in whole
    for name in ("scope_in", "rationale"):
        before, by_them, by_me = (getattr(one, name) for one in (base, theirs, mine))
        if by_them != before and by_me == before:
            assert getattr(merged.text, name) == by_them


# --- Examples -----------------------------------------------------------------------------------

ROW = RowText(
    owner="cro",
    scope_in="Prices",
    scope_out="Contracts",
    consulted=("cfo",),
    informed=("coo",),
    rationale="Near the field.",
)


def test_fields_that_one_side_changed_need_no_choice():
    theirs = replace(ROW, scope_out="Contracts and invoices", consulted=("cfo", "coo"))
    mine = replace(ROW, scope_in="Prices and discounts", consulted=())
    merged = merge_row(ROW, theirs, mine)
    assert not merged.conflicts
    assert merged.text.scope_in == "Prices and discounts"
    assert merged.text.scope_out == "Contracts and invoices"
    assert merged.text.consulted == ("coo",)
    assert list(merged.from_mine) == [("scope_in",)]
    assert list(merged.from_theirs) == [("scope_out",)]


def test_a_field_that_both_changed_is_mine_to_decide():
    theirs, mine = replace(ROW, scope_in="Discounts"), replace(ROW, scope_in="Quotes")
    merged = merge_row(ROW, theirs, mine)
    assert [one.path for one in merged.conflicts] == [("scope_in",)]
    assert merged.text.scope_in == "Quotes"
    assert choose_in_row(merged.text, theirs, [("scope_in",)]).scope_in == "Discounts"


def test_leaving_out_and_another_owner_conflict_as_a_whole():
    theirs = replace(ROW, owner="", left_out_reason="A supplier does it.")
    mine = replace(ROW, owner="coo")
    merged = merge_row(ROW, theirs, mine)
    assert [one.path for one in merged.conflicts] == [("ownership",)]
    assert (merged.text.owner, merged.text.left_out_reason) == ("coo", "")
    chosen = choose_in_row(merged.text, theirs, [("ownership",)])
    assert (chosen.owner, chosen.left_out_reason) == ("", "A supplier does it.")


def test_parts_are_merged_by_their_keys():
    base = replace(
        ROW,
        owner="hybrid",
        sub_scopes=(SubScopeText("Prices", "cro", "prices"), SubScopeText("Terms", "cfo", "terms")),
    )
    theirs = replace(base, sub_scopes=(*base.sub_scopes, SubScopeText("Quotes", "coo", "quotes")))
    mine = replace(base, sub_scopes=(SubScopeText("Prices", "coo", "prices"), base.sub_scopes[1]))
    merged = merge_row(base, theirs, mine)
    assert not merged.conflicts
    assert [(part.key, part.owner) for part in merged.text.sub_scopes] == [
        ("prices", "coo"),
        ("terms", "cfo"),
        ("quotes", "coo"),
    ]


def scenario(key, **more):
    return {"key": key, "name": key.capitalize(), "decider": "CRO", "limit": "2 days", **more}


def test_entries_of_an_article_are_merged_by_key_and_field():
    base = ArticleText("How it is read.", {"scenarios": [scenario("price"), scenario("lead")]})
    theirs = ArticleText(
        base.text, {"scenarios": [scenario("price", limit="1 day"), scenario("lead")]}
    )
    mine = ArticleText(
        "How to read it.",
        {"scenarios": [scenario("price", decider="CFO"), scenario("lead"), scenario("tool")]},
    )
    merged = merge_article(base, theirs, mine)
    assert not merged.conflicts
    assert merged.text.text == "How to read it."
    assert list(merged.text.data["scenarios"]) == [
        scenario("price", decider="CFO", limit="1 day"),
        scenario("lead"),
        scenario("tool"),
    ]


def test_an_entry_that_one_took_out_and_the_other_changed_is_a_conflict():
    base = ArticleText("", {"scenarios": [scenario("price"), scenario("lead")]})
    theirs = ArticleText("", {"scenarios": [scenario("lead")]})
    mine = ArticleText("", {"scenarios": [scenario("price", limit="1 day"), scenario("lead")]})
    merged = merge_article(base, theirs, mine)
    path = ("data", "scenarios", "price")
    assert [one.path for one in merged.conflicts] == [path]
    assert merged.text == mine
    assert choose_in_article(merged.text, theirs, [path]) == theirs
    # And the other way round: theirs comes back to where it stood.
    back = merge_article(base, mine, theirs)
    assert back.text == theirs
    assert choose_in_article(back.text, mine, [path]) == mine


def test_two_orders_of_the_same_entries_are_a_conflict():
    one, two, three = scenario("one"), scenario("two"), scenario("three")
    base, theirs, mine = (
        ArticleText("", {"scenarios": order})
        for order in ([one, two, three], [two, one, three], [one, three, two])
    )
    merged = merge_article(base, theirs, mine)
    assert [each.path for each in merged.conflicts] == [("data", "scenarios")]
    moved_only = merge_article(base, theirs, ArticleText("New.", base.data))
    assert (moved_only.text.text, moved_only.text.data) == ("New.", theirs.data)
