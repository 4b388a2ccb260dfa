"""What is copied reads back as what it was: rows as tables, octets as programs have them."""

import ast
import csv
import io
import json
import re
from collections.abc import Iterator
from unicodedata import bidirectional, category

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.export.formats.copied_rows import ROW_COPIES, c_arrays, copied_rows, python_bytes
from cosemscope.analysis.export.tables.out_table import OutColumn, OutTable
from cosemscope.analysis.fields.value_arrays import Values, object_array
from cosemscope.analysis.fields.value_types import Integer, Text

ROWS = st.lists(
    st.lists(
        st.tuples(
            st.integers(-5, 99),
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6),
        ),
        min_size=1,
        max_size=4,
    ),
    max_size=3,
)


def table(batches: list[list[tuple[int, str]]]) -> OutTable:
    """A table of a number and a text, in these batches."""

    def values() -> Iterator[list[Values]]:
        for batch in batches:
            numbers, texts = zip(*batch, strict=True)
            yield [np.array(numbers), object_array(texts)]

    columns = (OutColumn("wpdu.number", Integer(), ""), OutColumn("info_text", Text(), ""))
    return OutTable(columns, values(), sum(map(len, batches)))


def copied(kind: str, batches: list[list[tuple[int, str]]]) -> str:
    return "".join(copied_rows(kind, table(batches)))


@given(ROWS)
def test_json_and_csv_read_back(batches: list[list[tuple[int, str]]]) -> None:
    """In any batches; formulas have an apostrophe in CSV."""
    rows = [row for batch in batches for row in batch]
    told = json.loads(copied("json", batches))
    assert [(one["wpdu.number"], one["info_text"]) for one in told] == rows
    head, *lines = csv.reader(io.StringIO(copied("csv", batches), newline=""))
    assert head == ["wpdu.number", "info_text"]
    assert [(int(number), text.removeprefix("'")) for number, text in lines] == [
        (number, _in_csv(text).removeprefix("'")) for number, text in rows
    ]


def _in_csv(text: str) -> str:
    """The text with what terminals obey escaped, mark by mark."""
    return "".join(
        mark.encode("unicode_escape").decode()
        if (category(mark) == "Cc" and mark not in "\t\r\n") or bidirectional(mark) in _OVERRIDES
        else mark
        for mark in text
    )


_OVERRIDES = frozenset(("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"))


@given(ROWS)
def test_a_row_is_a_line_of_text_and_of_markdown(batches: list[list[tuple[int, str]]]) -> None:
    """Whatever stands in a cell: it ends no line and no cell, and is no mark of Markdown."""
    count = sum(map(len, batches))
    text = copied("text", batches).split("\n")[:-1]
    assert len(text) == count
    assert all(line.count("\t") == 1 for line in text)
    head, sides, *lines = copied("markdown", batches).split("\n")[:-1]
    assert head == r"| wpdu.number | info\_text |"
    assert sides == "| ---: | --- |"
    assert len(lines) == count
    assert all(len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) == 3 for line in lines)


def test_texts_are_no_formulas_where_they_are_pasted() -> None:
    """Negative numbers stay as they are."""
    assert copied("text", [[(-5, "=1+1")]]) == "-5\t'=1+1\n"


def test_all_copies_have_titles_of_their_own() -> None:
    """For menus."""
    assert len({kind.title for kind in ROW_COPIES.values()}) == len(ROW_COPIES)
    with pytest.raises(KeyError):
        copied_rows("tar", table([]))


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_python_reads_the_octets(runs: list[bytes]) -> None:
    """One run as it is, several as a list."""
    tree = ast.parse(python_bytes(runs), mode="eval")
    found = eval(compile(tree, "copied", "eval"), {"__builtins__": {"bytes": bytes}})
    assert found == (runs[0] if len(runs) == 1 else runs)


@given(st.binary(max_size=40))
def test_c_has_the_octets_and_their_number(run: bytes) -> None:
    """An array is never empty, since C has none that is."""
    text = c_arrays([("WPDU 5", run)])
    assert bytes(int(octet, 16) for octet in re.findall(r"0x([0-9A-F]{2}),", text)) == run
    assert f"WPDU_5[{max(len(run), 1)}] = {{" in text
    assert f"WPDU_5_length = {len(run)};" in text


def test_names_of_c_are_names() -> None:
    """Also those that begin with a digit, or have no letter."""
    assert re.findall(r"char (\w+)\[", c_arrays([("7é", b"1"), ("", b"")])) == ["_7_", "_"]
