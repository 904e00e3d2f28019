import time

import pytest

from sealing import fonts


@pytest.mark.parametrize(
    "text",
    [
        "Priya Raman, CFO: “win rate” – 25 % → 30 €\n\tindented",
        "Đặng Nguyễn, Łukasz Żółć, İbrahim Şahin, Иванов, Παπαδόπουλος",
        "e\u0301 composes, and q\u0323\u0307 has two marks",
        "\u2010 is in the serif only",
    ],
)
def test_undrawable_passes_what_the_fonts_have(text):
    assert fonts.undrawable(text) == []


@pytest.mark.parametrize(
    ("text", "bad"),
    [
        ("王小明", ["王", "小", "明"]),
        ("ship it 🚀🚀", ["🚀"]),
        ("safe\u202etxt.exe", ["\u202e"]),
        ("zero\u200bwidth", ["\u200b"]),
        ("bell\x07", ["\x07"]),
        ("half \ud800", ["\ud800"]),
    ],
)
def test_undrawable_names_what_cannot_be_printed(text, bad):
    assert fonts.undrawable(text) == bad


def test_undrawable_refuses_a_tower_of_marks_and_does_so_at_once():
    started = time.process_time()
    assert fonts.undrawable("q" + "\u0323" * 50_000) == ["\u0323"]
    assert time.process_time() - started < 2


def test_serif_is_wanted_only_for_what_the_sans_lacks():
    assert fonts.needs_serif("a\u2010b")
    assert not fonts.needs_serif("a-b 王")


def test_font_assets_are_the_files_of_the_packages():
    assets = fonts.font_assets()
    assert set(assets) == {file for *_, file in fonts.FACES}
    assert all(data[:4] == b"OTTO" for data in assets.values())
