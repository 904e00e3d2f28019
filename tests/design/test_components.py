"""The components draw what their comments promise."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django import forms
from django.core.paginator import Paginator
from django.utils.html import strip_tags
from django_cotton import render_component


class HandOff(forms.Form):
    time = forms.CharField(label="Hand-off time", help_text="For example, 2 business days.")
    line = forms.ChoiceField(
        label="Solid line", choices=[("cro", "CRO"), ("coo", "COO")], widget=forms.RadioSelect
    )
    agreed = forms.BooleanField(label="I agree")
    version = forms.IntegerField(widget=forms.HiddenInput)


@pytest.fixture
def draw(rf):
    def draw(component, path="/", **attributes):
        return render_component(rf.get(path), component, attributes)

    return draw


@pytest.mark.parametrize(
    ("owner", "attribute", "word"),
    [
        ("cro", "cro", "CRO"),
        ("hybrid", "hybrid", "Hybrid"),
        ("", "none", "Unassigned"),
        ("legal", "further", "Legal"),
    ],
)
def test_owner_badge_has_colour_and_word(draw, owner, attribute, word):
    html = draw("owner-badge", owner=owner)
    assert f'data-owner="{attribute}"' in html
    assert f">{word}</span>" in html
    assert not html.endswith("\n")  # it stands inside sentences


@pytest.mark.parametrize(
    ("state", "aloud"),
    [
        ("agreed", "CRO agreed"),
        ("waiting", "CRO not yet agreed"),
        ("voided", "CRO agreement voided by a change"),
        ("contested", "CRO contests this"),
        ("veto", "CRO vetoed"),
    ],
)
def test_agreement_chip_says_its_state_in_words(draw, state, aloud):
    html = draw("agreement-chips", chips=[{"office": "cro", "state": state}])
    assert aloud in " ".join(strip_tags(html).replace("!", "").split())
    assert f'data-state="{state}"' in html


def test_stepper_marks_where_the_document_is(draw):
    html = draw(
        "stepper",
        steps=[
            {"label": "Draft", "note": "25 of 25 rows agreed", "state": "done"},
            {"label": "Co-signing", "note": "1 of 3 signed", "state": "current"},
        ],
    )
    assert html.count('aria-current="step"') == 1
    assert 'Draft<span class="visually-hidden"> (done)</span>' in html


def test_field_wires_label_hint_and_error(draw):
    form = HandOff({"time": ""})
    html = draw("field", field=form["time"])
    assert '<label for="id_time">Hand-off time</label>' in html
    assert 'aria-describedby="id_time_helptext id_time_error"' in html
    assert 'id="id_time_helptext"' in html
    assert 'id="id_time_error"' in html
    assert 'aria-invalid="true"' in html


def test_field_of_choices_is_a_fieldset_with_a_legend(draw):
    html = draw("field", field=HandOff()["line"])
    assert "<legend>Solid line</legend>" in html
    assert html.count('type="radio"') == 2


def test_hidden_field_has_no_label(draw):
    assert draw("field", field=HandOff()["version"]).strip().startswith('<input type="hidden"')


def test_error_summary_links_to_each_field(draw):
    html = draw("error-summary", form=HandOff({"version": "1"}))
    assert "3 things to put right" in html
    for name in ("time", "line", "agreed"):
        assert f'href="#id_{name}"' in html
    assert 'tabindex="-1"' in html


def test_error_summary_is_silent_without_errors(draw):
    assert draw("error-summary", form=HandOff()).strip() == ""


def test_text_is_escaped_everywhere(draw):
    evil = "<script>x</script>"
    for html in (
        draw("notice", title=evil),
        draw("owner-badge", label=evil),
        draw("facts", items=[(evil, evil)]),
        draw("checks", items=[{"state": "fail", "text": evil, "detail": evil, "url": '"><b>'}]),
        draw("signature", name=evil, state="signed", reservation=evil),
        draw("function-row", name=evil, note=evil),
    ):
        assert "<script>" not in html
        assert '"><b>' not in html


def test_signature_that_waits_has_no_method(draw):
    html = draw("signature", office="cro", name="Maya", title="Chief Revenue Officer")
    assert "Not yet signed" in html
    assert 'data-state="waiting"' in html


def test_signature_prints_the_reservation_whole(draw):
    html = draw(
        "signature",
        office="coo",
        name="Daniel",
        title="Chief Operating Officer",
        state="signed",
        method="with password only",
        at=datetime(2026, 12, 7, 13, 50, tzinfo=UTC),
        reservation="Row 2.2 needs one more person.",
    )
    assert "With reservation" in html
    assert "Row 2.2 needs one more person." in html
    assert "7 Dec 2026, 08:50 EST" in html


def test_fingerprint_is_grouped_for_reading_and_whole_for_copying(draw):
    html = draw("fingerprint", value="ab12" * 16)
    assert "ab12 ab12" in html
    assert f'data-copy="{"ab12" * 16}"' in html


def test_pagination_keeps_the_query(draw):
    page = Paginator(range(30), 10).page(2)
    html = draw("pagination", path="/?q=deal&page=2", page=page)
    assert "?q=deal&amp;page=1" in html
    assert "?q=deal&amp;page=3" in html
    assert "Page 2 of 3" in html


def test_pagination_of_one_page_is_nothing(draw):
    assert draw("pagination", page=Paginator(range(3), 10).page(1)).strip() == ""


def test_boundary_bar_says_its_counts_in_words(draw):
    html = draw(
        "boundary-bar",
        shares=[
            {"owner": "cro", "label": "CRO", "count": 13},
            {"owner": "none", "label": "Unassigned", "count": 1},
        ],
    )
    assert 'aria-label="CRO 13, Unassigned 1"' in html
    assert 'data-n="13"' in html


def test_function_row_opens_on_demand(draw):
    assert '<details class="function-row" id="row-1" open' in draw(
        "function-row", id="row-1", name="Deal desk", open=True
    )
    assert " open" not in draw("function-row", id="row-1", name="Deal desk")


def test_checks_draw_objects_as_well_as_dicts(draw):
    item = SimpleNamespace(state="todo", text="Lead routing", url="#row-6", detail="COO to agree")
    html = draw("checks", items=[item])
    assert '<a href="#row-6">Lead routing</a>' in html
    assert 'data-state="todo"' in html
