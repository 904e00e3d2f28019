"""The quicker way to find where objects are used gives pyHanko's own answer, path by path."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import PdfFileWriter

from sealing import usages

NAMES = ["/K", "/P", "/Parent", "/Kids", "/StructTreeRoot", "/Pages", "/Type", "/A", "/B"]


def both_answers(pdf):
    """For each revision: what pyHanko's method finds, and what ours does, by reference."""
    answers = []
    for load, ask in (
        (usages._original_load, usages._original_usages),
        (usages._load, usages._usages),
    ):
        reader = PdfFileReader(io.BytesIO(pdf), strict=True)
        found = []
        for revision in range(reader.total_revisions):
            resolver = reader.get_historical_resolver(revision)
            references = [
                generic.Reference(number, 0, reader)
                for number in range(int(reader.trailer["/Size"]) + 3)
            ]
            try:
                load(resolver)
            except (PdfReadError, TypeError, AttributeError, KeyError, RecursionError) as error:
                found.append(type(error))
                continue
            found.append({ref: ask(resolver, ref) for ref in references})
        answers.append(found)
    return answers


@pytest.mark.parametrize("stage", ["unsigned", "CRO", "closed"])
def test_a_sealed_file_is_read_as_pyhanko_reads_it(stages, stage):
    theirs, ours = both_answers(stages[stage])

    assert len(theirs) == (1 if stage == "unsigned" else 4 if stage == "CRO" else 7)
    assert ours == theirs
    assert sum(len(paths) for paths in theirs[0].values()) > 500


def test_a_revision_that_changes_pages_and_structure_is_read_the_same(closed):
    writer = IncrementalPdfFileWriter(io.BytesIO(closed))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Other"] = writer.root.raw_get("/StructTreeRoot")
    writer.update_container(page)
    element = writer.root["/StructTreeRoot"]["/K"][0].get_object()
    element["/K"] = generic.ArrayObject(list(element["/K"])[1:])
    writer.update_container(element)
    out = io.BytesIO()
    writer.write(out)

    theirs, ours = both_answers(out.getvalue())

    assert len(theirs) == 8
    assert ours == theirs


@st.composite
def graphs(draw):
    """Small PDFs of objects that refer to each other at random, in two revisions."""
    count = draw(st.integers(2, 7))
    leaves = st.one_of(
        st.integers(0, count - 1),  # a reference to that object
        st.sampled_from(["/StructElem", "/Pages", "/Page", None, "text"]),
    )
    values = st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
        ),
        max_leaves=6,
    )
    first = [draw(values) for _ in range(count)]
    second = draw(st.dictionaries(st.integers(0, count - 1), values, min_size=1, max_size=2))
    structure = draw(st.one_of(st.none(), st.integers(0, count - 1), values))
    return first, second, structure


def built(graph):
    first, second, structure = graph
    writer = PdfFileWriter()
    page = generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Page")})
    writer.insert_page(page)
    references = [writer.allocate_placeholder() for _ in first]
    for reference, value in zip(references, first, strict=True):
        writer.add_object(as_pdf(value, references, direct=True), idnum=reference.idnum)
    if structure is not None:
        writer.root["/StructTreeRoot"] = as_pdf(structure, references)
    page["/Others"] = generic.ArrayObject([*references])
    out = io.BytesIO()
    writer.write(out)
    again = IncrementalPdfFileWriter(io.BytesIO(out.getvalue()))
    for index, value in second.items():
        reference = generic.Reference(references[index].idnum, 0, again)
        mine = [generic.IndirectObject(one.idnum, 0, again) for one in references]
        again.objects[(0, reference.idnum)] = as_pdf(value, mine, direct=True)
    changed = io.BytesIO()
    again.write(changed)
    return changed.getvalue()


def as_pdf(value, references, *, direct=False):
    if isinstance(value, int):
        reference = references[value]
        if direct:  # an object that is a bare reference cannot be written by every writer
            return generic.ArrayObject([reference])
        return generic.IndirectObject(reference.idnum, 0, reference.get_pdf_handler())
    if isinstance(value, list):
        return generic.ArrayObject([as_pdf(one, references) for one in value])
    if isinstance(value, dict):
        return generic.DictionaryObject(
            {generic.pdf_name(key): as_pdf(one, references) for key, one in value.items()}
        )
    if value is None:
        return generic.NullObject()
    return generic.pdf_name(value) if value.startswith("/") else generic.pdf_string(value)


@given(graphs())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_graph_is_read_as_pyhanko_reads_it(graph):
    theirs, ours = both_answers(built(graph))

    assert ours == theirs
