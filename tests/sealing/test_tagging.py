"""The structure tree loses its idle elements and nothing that a reader is told."""

import io
import subprocess
import warnings

import pydyf
import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from sealing import render, tagging
from sealing.errors import RenderFailed

from .conftest import URL


@pytest.fixture(scope="module")
def idle_and_simple(pango, content):
    """The same document with and without its idle elements."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # WeasyPrint leaves its colour profile open; elsewhere that ends with the child process
        warnings.simplefilter("ignore", ResourceWarning)
        simple = render.render_here(content, verification_url=URL)
        patch.setattr(tagging, "simplify", lambda pdf: None)
        return render.render_here(content, verification_url=URL), simple


def spoken(pdf):
    """The marked content in the order of the structure tree, with page and number."""
    reader = PdfFileReader(io.BytesIO(pdf), strict=True)
    pages = {
        reader.root["/Pages"]["/Kids"].raw_get(index).idnum: index
        for index in range(int(reader.root["/Pages"]["/Count"]))
    }

    def walk(element):
        children = element.get("/K", [])
        for raw in children if isinstance(children, generic.ArrayObject) else [children]:
            child = raw.get_object()
            if isinstance(child, generic.NumberObject):
                yield pages[element.raw_get("/Pg").idnum], int(child)
            elif child.get("/Type") == "/StructElem":
                yield from walk(child)

    return list(walk(reader.root["/StructTreeRoot"]["/K"][0]))


def test_everything_is_read_out_in_the_same_order(idle_and_simple):
    idle, simple = idle_and_simple

    assert spoken(simple) == spoken(idle)
    assert len(spoken(simple)) > 150


def test_a_third_of_the_objects_goes(idle_and_simple):
    idle, simple = (pdf.count(b" 0 obj") for pdf in idle_and_simple)

    assert simple < 0.7 * idle


def test_each_piece_of_content_names_the_element_that_holds_it(idle_and_simple):
    reader = PdfFileReader(io.BytesIO(idle_and_simple[1]), strict=True)
    numbers = reader.root["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    checked = 0
    for index in range(1, len(numbers), 2):
        if not isinstance(numbers[index], generic.ArrayObject):
            continue
        for mcid, reference in enumerate(numbers[index]):
            holder = reference.get_object()
            children = holder["/K"]
            listed = children if isinstance(children, generic.ArrayObject) else [children]
            if holder["/P"].get("/S") is not None:  # running headers are outside the tree
                checked += 1
                assert mcid in listed
    assert checked > 150


def test_the_numbers_of_objects_run_on_without_a_gap(idle_and_simple):
    reader = PdfFileReader(io.BytesIO(idle_and_simple[1]), strict=True)

    for number in range(1, int(reader.trailer["/Size"])):
        assert reader.get_object(generic.Reference(number, 0, reader)) is not None


def test_the_pages_look_the_same(idle_and_simple, tmp_path):
    pictures = []
    for name, pdf in zip(("idle", "simple"), idle_and_simple, strict=True):
        (tmp_path / f"{name}.pdf").write_bytes(pdf)
        try:
            made = subprocess.run(
                ["pdftoppm", "-r", "40", "-gray", str(tmp_path / f"{name}.pdf")],
                capture_output=True,
                check=True,
            )
        except FileNotFoundError:
            pytest.skip("pdftoppm is not installed")
        pictures.append(made.stdout)

    assert pictures[0] == pictures[1]
    assert len(pictures[0]) > 100_000


def test_a_reference_in_an_unknown_place_stops_the_rendering():
    pdf = pydyf.PDF()
    text = pydyf.Dictionary({"Odd": "/XYZ 2 0 R"})
    pdf.add_object(text)

    with pytest.raises(RenderFailed, match="unexpected place"):
        tagging._take_out(pdf, set())


def test_what_is_still_referred_to_is_not_taken_out():
    pdf = pydyf.PDF()
    pdf.add_object(pydyf.Dictionary({"Type": "/Spare"}))
    pdf.catalog["Spare"] = pdf.objects[-1].reference

    with pytest.raises(RenderFailed, match="still refers"):
        tagging._take_out(pdf, {pdf.objects[-1].number})
