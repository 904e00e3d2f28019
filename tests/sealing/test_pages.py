"""Pages as images and text, drawn in a child process."""

import io

import pytest
from PIL import Image

from sealing import pages
from sealing.errors import PagesNotDrawn
from sealing.limits import Child


def test_pages_are_drawn_at_the_width_that_is_asked(stages):
    shapes = pages.shapes(stages["SEAL"])
    first, last = pages.draw(stages["SEAL"], [1, len(shapes)], width=1240)
    for drawn in (first, last):
        picture = Image.open(io.BytesIO(drawn))
        assert (picture.format, picture.width) == ("PNG", 1240)
        assert picture.height == pytest.approx(1754, abs=2)  # A4
    assert first != last
    (large,) = pages.draw(stages["SEAL"], [1], width=2480)
    assert Image.open(io.BytesIO(large)).width == 2480


def test_same_bytes_give_the_same_image(stages):
    assert pages.draw(stages["SEAL"], [1], width=1240) == pages.draw(
        stages["SEAL"], [1], width=1240
    )


def test_text_of_each_page_is_told(stages):
    shapes = pages.shapes(stages["SEAL"])
    for number, shape in enumerate(shapes, start=1):
        assert f"page {number} of {len(shapes)}" in shape.text
        assert (round(shape.width), round(shape.height)) == (595, 842)


def test_stamp_of_a_signature_is_drawn(stages):
    """Whoever looks at the file after others have signed sees their stamps."""
    number = next(
        n
        for n, shape in enumerate(pages.shapes(stages["SEAL"]), start=1)
        if "Signatures" in shape.text
    )
    assert pages.draw(stages["SEAL"], [number], width=1240) != pages.draw(
        stages["COO"], [number], width=1240
    )


@pytest.mark.parametrize(
    ("numbers", "width", "words"),
    [
        ([0], 1240, "it has"),
        ([999], 1240, "it has"),
        ([1], 5000, "so wide"),
        ([1] * 9, 1240, "so many"),
    ],
)
def test_pages_that_cannot_be_are_refused_in_words(stages, numbers, width, words):
    with pytest.raises(PagesNotDrawn, match=words):
        pages.draw(stages["SEAL"], numbers, width=width)


@pytest.mark.parametrize("damaged", [b"", b"%PDF-1.7\n", b"not a PDF at all" * 100])
def test_what_is_no_pdf_is_refused(damaged):
    with pytest.raises(PagesNotDrawn):
        pages.shapes(damaged)


def test_file_that_is_too_long_is_not_even_tried(monkeypatch):
    monkeypatch.setattr(pages, "MOST_BYTES", 10)
    with pytest.raises(PagesNotDrawn, match="11 bytes"):
        pages.shapes(b"x" * 11)


def test_drawing_ends_at_its_limits(stages, monkeypatch):
    starved = Child("sealing.pages_child", cpu_seconds=20, memory_bytes=80_000_000)
    monkeypatch.setattr(pages, "_child", starved)
    with pytest.raises(PagesNotDrawn, match="could not be drawn"):
        pages.draw(stages["SEAL"], [1], width=2480)
    with pytest.raises(PagesNotDrawn, match=r"longer than 0\.01 s"):
        pages.draw(stages["SEAL"], [1], width=1240, wall_seconds=0.01)
