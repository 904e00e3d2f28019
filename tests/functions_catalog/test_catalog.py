"""Loading the standard catalog, and the company's own changes to it."""

from datetime import UTC, date, datetime

import pytest
import yaml
from django.core.management import call_command
from django.db import IntegrityError, transaction

from audit.models import Event
from functions_catalog import catalog as verbs
from functions_catalog.errors import AlreadyRetired, NameTaken, NotAFunction
from functions_catalog.models import Alias, Function, SubScope
from functions_catalog.search import search
from people.errors import NotYourOffice

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def everything():
    """All that the catalog holds, as values."""
    return (
        list(Function.objects.order_by("pk").values()),
        list(Alias.objects.order_by("pk").values()),
        list(SubScope.objects.order_by("pk").values()),
    )


def upgraded(tmp_path, change):
    """A later edition of the standard catalog: ``change`` edits the entries by key."""
    content = yaml.safe_load(verbs.STANDARD_CATALOG.read_text(encoding="utf-8"))
    change({entry["key"]: entry for entry in content["functions"]}, content["functions"])
    path = tmp_path / "later.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def test_load_catalog_command_loads_everything_once(db, capsys):
    call_command("load_catalog")
    assert "35 functions added, 0 updated" in capsys.readouterr().out
    assert Function.objects.count() == 35
    assert Alias.objects.filter(source="standard").count() == Alias.objects.count() > 70
    assert SubScope.objects.count() == 4
    first = everything()
    assert Event.objects.filter(event="catalog.loaded").count() == 1

    call_command("load_catalog")

    assert everything() == first
    assert Event.objects.filter(event="catalog.loaded").count() == 1  # nothing happened


def test_upgrade_updates_what_the_company_left_and_keeps_what_it_changed(
    catalog, executives, tmp_path
):
    verbs.rename_function(key="deal_desk", name="Deal room", acting_user=executives["cro"], at=AT)
    Function.objects.filter(key="territory_planning").update(natural_owner="coo")
    verbs.retire_function(key="real_estate_and_facilities", acting_user=executives["coo"], at=AT)

    def change(by_key, entries):
        by_key["deal_desk"]["name"] = "Deal office"
        by_key["deal_desk"]["covers"] = "Everything about deals that are not standard."
        by_key["territory_planning"]["natural_owner"] = "cfo"
        by_key["real_estate_and_facilities"]["name"] = "Workplace"
        entries.append({**by_key["deal_desk"], "key": "partner_fees", "name": "Partner fees"})

    result = verbs.load_standard_catalog(at=AT, path=upgraded(tmp_path, change))

    assert result.added == ["partner_fees"]
    assert result.updated == ["deal_desk", "territory_planning"]
    deal_desk = Function.objects.get(key="deal_desk")
    assert deal_desk.name == "Deal room"  # the company's
    assert deal_desk.covers == "Everything about deals that are not standard."
    assert Function.objects.get(key="territory_planning").natural_owner == "coo"
    assert Function.objects.get(key="real_estate_and_facilities").name == (
        "Real estate and facilities"
    )
    # A field that the company changed stays the company's in the next upgrade too.
    verbs.load_standard_catalog(
        at=AT, path=upgraded(tmp_path, lambda by_key, _: by_key["deal_desk"].update(name="DD"))
    )
    assert Function.objects.get(key="deal_desk").name == "Deal room"


def test_upgrade_leaves_removed_aliases_removed_and_the_company_s_own_alone(
    catalog, executives, tmp_path
):
    by = {"acting_user": executives["revops_lead"], "at": AT}
    verbs.remove_alias(key="deal_desk", text="Discount Approval", **by)
    verbs.add_alias(key="deal_desk", text="deal room", **by)

    def change(by_key, _entries):
        by_key["deal_desk"]["aliases"] = ["discount approval", "deal help", "Deal Room"]

    verbs.load_standard_catalog(at=AT, path=upgraded(tmp_path, change))

    there = dict(Alias.objects.filter(function__key="deal_desk").values_list("text", "source"))
    # "non-standard terms" was withdrawn by the later edition, "deal help" is new in it.
    assert there == {"deal room": "company", "deal help": "standard"}


def test_upgrade_brings_no_removed_sub_scope_back(catalog, tmp_path):
    SubScope.objects.get(key="sales_reporting").delete()

    def change(by_key, _entries):
        parts = by_key["reporting_and_bi"]["sub_scopes"]
        parts[1]["name"] = "All other reporting"
        parts.append({"key": "board_pack", "name": "Board pack", "natural_owner": "cfo"})

    verbs.load_standard_catalog(at=AT, path=upgraded(tmp_path, change))

    parts = SubScope.objects.filter(function__key="reporting_and_bi")
    assert [part.name for part in parts] == ["All other reporting", "Board pack"]


def test_upgrade_skips_a_standard_function_whose_name_or_key_is_the_company_s(
    company, executives, tmp_path
):
    for key, name in (("deals", "Deal desk"), ("sales_enablement", "Coaching")):
        verbs.add_function(
            key=key,
            name=name,
            category="commercial",
            covers="The company's own.",
            natural_owner="cro",
            acting_user=executives["cro"],
            at=AT,
        )
    result = verbs.load_standard_catalog(at=AT)
    assert result.skipped == ["deal_desk", "sales_enablement"]
    assert Function.objects.get(key="sales_enablement").name == "Coaching"
    assert not Function.objects.filter(key="deal_desk").exists()


@pytest.mark.parametrize("office", ["cro", "coo", "cfo", "revops_lead"])
def test_function_is_added_and_logged(catalog, executives, office):
    function = verbs.add_function(
        key="partner_referral_fees",
        name=" Partner  referral fees ",
        category="commercial",
        covers="What partners are paid for introductions.",
        natural_owner="cro",
        aliases=["referral commission", "Referral Commission"],
        acting_user=executives[office],
        at=AT,
    )
    assert function.name == "Partner referral fees"
    assert function.position == 36  # after the standard ones
    assert [alias.source for alias in function.aliases.all()] == ["company"]
    event = Event.objects.get(event="function.added")
    assert (event.object_type, event.object_id, event.office) == (
        "function",
        "partner_referral_fees",
        office,
    )


@pytest.mark.parametrize("office", ["ceo", "member"])
def test_catalog_is_changed_only_by_those_whom_the_matrix_names(catalog, executives, office):
    before, events = everything(), Event.objects.count()
    by = {"acting_user": executives[office], "at": AT}
    acts = [
        lambda: verbs.add_function(
            key="x", name="X", category="commercial", covers="X.", natural_owner="cro", **by
        ),
        lambda: verbs.rename_function(key="deal_desk", name="Y", **by),
        lambda: verbs.retire_function(key="deal_desk", **by),
        lambda: verbs.add_alias(key="deal_desk", text="y", **by),
        lambda: verbs.remove_alias(key="deal_desk", text="discount approval", **by),
    ]
    for act in acts:
        with pytest.raises(NotYourOffice, match="change the catalog"):
            act()
    assert (everything(), Event.objects.count()) == (before, events)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"key": "Deal Desk 2"}, NotAFunction, "lower case with underscores"),
        ({"key": "deal_desk"}, NameTaken, "for ever"),
        ({"name": "deal DESK"}, NameTaken, "Deal desk"),
        ({"name": "   "}, NotAFunction, "Write a name"),
        ({"natural_owner": ""}, NotAFunction, "natural owner"),
        ({"category": "sales"}, NotAFunction, "no category sales"),
    ],
)
def test_function_that_does_not_fit_is_refused(catalog, executives, change, error, says):
    before, events = everything(), Event.objects.count()
    given = {
        "key": "partner_fees",
        "name": "Partner fees",
        "category": "commercial",
        "covers": "Fees.",
        "natural_owner": "cro",
    }
    with pytest.raises(error, match=says):
        verbs.add_function(**(given | change), acting_user=executives["cro"], at=AT)
    assert (everything(), Event.objects.count()) == (before, events)


def test_renamed_function_keeps_its_key_and_is_found_by_its_former_name(catalog, executives):
    verbs.rename_function(key="deal_desk", name="Deal room", acting_user=executives["cro"], at=AT)
    (first, *_) = search("deal desk")
    assert (first.function.key, first.function.name) == ("deal_desk", "Deal room")
    assert first.why == "Matched the alias Deal desk."
    event = Event.objects.get(event="function.renamed")
    assert event.data == {"from": "Deal desk", "to": "Deal room"}


def test_name_of_another_active_function_is_refused(catalog, executives):
    with pytest.raises(NameTaken, match="Territory planning"):
        verbs.rename_function(
            key="deal_desk", name="territory planning", acting_user=executives["cro"], at=AT
        )


def test_retired_function_names_its_successor_and_changes_no_more(catalog, executives):
    by = {"acting_user": executives["cro"], "at": AT}
    verbs.retire_function(key="deal_desk", successor_key="quote_to_cash", **by)
    retired = Function.objects.get(key="deal_desk")
    assert (retired.status, retired.successor.key) == ("retired", "quote_to_cash")
    assert Event.objects.get(event="function.retired").data == {"successor": "quote_to_cash"}
    for act in (
        lambda: verbs.rename_function(key="deal_desk", name="New", **by),
        lambda: verbs.retire_function(key="deal_desk", **by),
        lambda: verbs.add_alias(key="deal_desk", text="new", **by),
    ):
        with pytest.raises(AlreadyRetired, match="retired"):
            act()


@pytest.mark.parametrize("successor", ["deal_desk", "no_such_function"])
def test_successor_must_be_another_active_function(catalog, executives, successor):
    with pytest.raises(NotAFunction, match="another active function"):
        verbs.retire_function(
            key="deal_desk", successor_key=successor, acting_user=executives["cro"], at=AT
        )
    assert Function.objects.get(key="deal_desk").is_active


def test_name_of_a_retired_function_can_be_given_again(catalog, executives):
    by = {"acting_user": executives["cro"], "at": AT}
    verbs.retire_function(key="deal_desk", **by)
    verbs.rename_function(key="quote_to_cash", name="Deal desk", **by)
    assert Function.objects.active().get(name="Deal desk").key == "quote_to_cash"


def test_alias_given_twice_is_one(catalog, executives):
    by = {"acting_user": executives["cro"], "at": AT}
    first = verbs.add_alias(key="deal_desk", text="deal room", **by)
    assert verbs.add_alias(key="deal_desk", text=" Deal  Room ", **by) == first
    assert Event.objects.filter(event="function.alias_added").count() == 1


def test_change_and_event_stand_or_fall_together(catalog, executives, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("the log is full")

    monkeypatch.setattr("audit.record", fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        verbs.rename_function(key="deal_desk", name="New", acting_user=executives["cro"], at=AT)
    assert Function.objects.get(key="deal_desk").name == "Deal desk"


def test_database_refuses_what_the_verbs_never_do(catalog):
    refused = [
        lambda: Function.objects.filter(key="deal_desk").update(key="deal_room"),
        lambda: Function.objects.filter(key="deal_desk").delete(),
        lambda: Function.objects.filter(key="deal_desk").update(name="TERRITORY planning"),
        lambda: Function.objects.filter(key="deal_desk").update(status="gone"),
        lambda: Function.objects.filter(key="deal_desk").update(
            successor=Function.objects.get(key="quote_to_cash")
        ),
        lambda: SubScope.objects.update(natural_owner="hybrid"),
        lambda: Alias.objects.create(
            function=Function.objects.get(key="deal_desk"), text="DISCOUNT approval"
        ),
    ]
    Alias.objects.filter(function__key="deal_desk", text="deal structure").delete()
    for act in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            act()
    assert Function.objects.get(key="deal_desk").name == "Deal desk"


def test_appointment_counts_on_the_day_of_the_act(catalog, executives):
    with pytest.raises(NotYourOffice):  # the executives were appointed on 1 Jan 2026
        verbs.rename_function(
            key="deal_desk",
            name="New",
            acting_user=executives["cro"],
            at=datetime.combine(date(2025, 12, 30), datetime.min.time(), tzinfo=UTC),
        )
