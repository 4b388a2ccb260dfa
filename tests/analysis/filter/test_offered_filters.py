"""Filters that are offered of cells and fields find at least the row that they were made of."""

from math import inf, nan

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.passed_rows import PassedRows
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import object_array
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.analysis.filter.masks.predicates import Passes
from cosemscope.analysis.filter.masks.row_source import needs_looks
from cosemscope.analysis.filter.offered_filters import (
    filter_of_cell,
    filter_of_octets,
    filter_of_tree_field,
    filter_of_value,
    in_quotes,
)
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@pytest.fixture(scope="module", params=["first-look", "push"])
def associations(request) -> Associations:
    with open_capture(resource(f"samples/{request.param}.pcapng")) as reader:
        analysis = Analysis(reader)
        while analysis.step():
            pass
        analysis.finish()
        found = Associations(analysis)
        complete(found)
        yield found


def passes(text: str, associations: Associations, row: int) -> bool:
    rows = compile_filter(text).rows(associations.analysis, np.array([row]), associations=associations)
    return list(rows) == [row]


@pytest.mark.parametrize("name", FIELDS)
def test_the_filter_of_a_cell_finds_its_row(associations, name):
    """Whatever a field says of a row, or where it says nothing."""
    field, analysis = FIELDS[name], associations.analysis
    looker = PassedRows(associations) if needs_looks(field) else None
    for row in range(0, len(analysis.wpdus), 7):
        asked = AskedRows(analysis, np.array([row]), looker)
        text = filter_of_cell(field, asked)
        assert passes(text, associations, row), (row, text)


def test_the_filter_of_a_field_of_a_tree_finds_its_row(associations):
    """Each field of each tree, with its value where it has one, and that it is there."""
    analysis = associations.analysis
    for row in range(0, len(analysis.wpdus), 11):
        octets = analysis.octets(row)
        decoded = associations.decode(row, associations.look(row, octets), octets)
        stack = [(decoded.root, (decoded.root.name,))]
        while stack:
            field, path = stack.pop()
            value = field.value if isinstance(field.value, int | bytes | str) else None
            for text in (filter_of_tree_field(path, value), filter_of_tree_field(path, None)):
                assert passes(text, associations, row), (row, path, text)
            stack += [(child, (*path, child.name)) for child in field.children]


def test_the_filter_of_octets_finds_its_row(associations):
    """Where they stand, and anywhere; one octet by itself too."""
    for start, stop in ((0, 1), (2, 6), (8, 20)):
        octets = associations.analysis.octets(0)[start:stop]
        assert passes(filter_of_octets(octets, start), associations, 0)
        assert passes(filter_of_octets(octets), associations, 0)


@pytest.mark.parametrize(
    "value",
    [1e300, 5e-324, -1e300, inf, -inf, nan, -0.0, 2**64, "inf", "x" * 20_000, '"\\' * 9000, "-", "\0\x01"],
)
def test_the_filter_of_any_value_finds_it(value):
    """Floating numbers of any size, what is none, and texts longer than a filter may be."""
    field, values = FIELDS["value"], object_array([value])
    text = filter_of_value(field, field.type.jsons(values)[0], field.type.texts(values)[0])
    predicate = compile_filter(text).predicate
    assert isinstance(predicate, Passes)
    assert predicate.test.mask(values).tolist() == [True]


def test_the_filter_of_a_long_text_in_a_tree_is_one():
    """As far as it is written out."""
    assert compile_filter(filter_of_tree_field(("get-response", "text"), "é" * 20_000)) is not None


@pytest.mark.parametrize("text", ['say "no"', "back\\slash", "two\nlines\tand a nul\0", "é ✓", ""])
def test_any_text_can_be_quoted(text):
    """What is quoted is read back as it was."""
    literal = compile_filter(f"info == {in_quotes(text)}")
    assert literal.text == f"info == {in_quotes(text)}"
