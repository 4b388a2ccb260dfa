"""CSV that the csv module reads back, and in which no spreadsheet finds a formula."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.export.formats.csv_lines import csv_cell, csv_columns, csv_lines
from cosemscope.analysis.fields.value_arrays import Coded, Several, object_array
from cosemscope.analysis.fields.value_types import Integer, Quantity, Text, Word

CELLS = st.text(
    st.one_of(st.characters(exclude_categories=("Cs", "Cc", "Cf")), st.sampled_from("\t\r\n")), max_size=8
)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2), max_size=5))
def test_the_csv_module_reads_the_same_texts(rows: list[list[str]]) -> None:
    """But for the apostrophe before what could be a formula."""
    read = list(csv.reader(io.StringIO(csv_lines(rows), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+A1", "-2-3", "@SUM(A1)", "\t=1", "\r=1", "-", "-inf", "+1_0", "＝1"]
)
def test_no_cell_begins_a_formula(text: str) -> None:
    """Whatever a capture says: it stands behind an apostrophe."""
    (row,) = csv.reader(io.StringIO(csv_cell(text), newline=""))
    assert row == ["'" + text]


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("nul\0nul", "nul\\x00nul"),
        ("\x0b=1", "\\x0b=1"),
        ("\u202eevil\x9b", "\\u202eevil\\x9b"),
        ("two\r\nlines\tand a tab", "two\r\nlines\tand a tab"),
        ("a\xa0b", "a\xa0b"),
    ],
)
def test_no_cell_commands_a_terminal(text: str, cell: str) -> None:
    """Nor ends where a spreadsheet sees an end; line breaks and tabs are text."""
    (row,) = csv.reader(io.StringIO(csv_cell(text), newline=""))
    assert row == [cell]


@pytest.mark.parametrize("text", ["-2", "+0.5", "-1.5e-3", "7", "1.0.1.8.0.255", ""])
def test_numbers_stay_numbers(text: str) -> None:
    """Also negative ones."""
    assert csv_cell(text) == text


def test_columns_are_told_as_in_lists() -> None:
    """Coded or not, several with commas between; a line a row, with CR LF."""
    columns = [
        (Integer(none=-1), np.array([5, -1])),
        (Word({1: "one", 2: '=two"'}), np.array([2, 1])),
        (Text(), Coded(np.array([0, 0]), object_array(["a,b", "never"]))),
        (Integer(), Several(np.array([2, 2]), np.array([7, 8]))),
        (Quantity(), object_array([-3, "-x"])),
    ]
    assert csv_columns(columns) == '5,"\'=two""","a,b","7, 8",-3\r\n,one,"a,b",,\'-x\r\n'
    assert csv_columns([(Integer(), np.zeros(0, np.int64))]) == ""
