"""Rows in other forms are read back by those who read such forms."""

import ast
import csv
import io
import json
import re
import subprocess

import numpy as np
import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.filter.display_filter import compile_filter
from cosemscope.capture.cancelling import Cancelled
from cosemscope.gui.panes.wpdus.row_copies import COPY_FORMS, copied_as
from cosemscope.gui.panes.wpdus.row_texts import RowTexts
from tests.helpers.capturing import needs
from tests.helpers.polled import polled_traffic

NAMES = ("wpdu.number", "apdu", "wport", "obis", "info")


def texts(rows: list[int], count: int = 40) -> RowTexts:
    numbers = np.array(rows, np.int64)
    return RowTexts(
        polled_traffic(count), tuple(FIELDS[name] for name in NAMES), numbers, numbers - 1, "relative"
    )


def nobody(done: int, total: int) -> None:
    """Nobody is told."""


def told(form: str, rows: list[int]) -> str:
    copied = copied_as(form, texts(rows), nobody)
    assert (copied.rows, copied.asked, copied.trouble) == (len(rows), len(rows), "")
    return copied.text


def test_csv_and_json_have_a_record_a_row():
    """Columns by the names of their fields, rows in the order shown."""
    lines = list(csv.reader(io.StringIO(told("csv", [5, 0, 7]), newline="")))
    assert lines[0] == list(NAMES)
    assert [line[0] for line in lines[1:]] == ["6", "1", "8"]
    records = json.loads(told("json", [5, 0, 7]))
    assert [list(record) for record in records] == [list(NAMES)] * 3
    assert [record["wpdu.number"] for record in records] == [6, 1, 8]


def test_markdown_is_a_table():
    """A head, a rule, and a line a row."""
    lines = told("markdown", [1, 2]).strip().split("\n")
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {len(NAMES) + 1}


@pytest.mark.parametrize("rows", [[3], [0, 1, 2, 9, 10, 39], [7, 3, 5, 3]])
def test_the_filter_leaves_these_rows(rows):
    """Those that follow each other as a range."""
    found = compile_filter(told("filter", rows)).rows(polled_traffic(40).analysis)
    assert found.tolist() == sorted(set(rows))


def test_a_filter_that_would_be_too_long_is_not_copied():
    """Nobody could use it; rows in a row are a range, however many."""
    copied = copied_as("filter", texts(list(range(0, 12_000, 2)), 12_000), nobody)
    assert (copied.text, copied.rows, copied.asked) == ("", 0, 6000)
    assert "a filter of 6,000 rows would have more than 16,384 characters" in copied.trouble
    whole = copied_as("filter", texts(list(range(12_000)), 12_000), nobody)
    assert whole.text == "wpdu.number in {1..12000}"


@pytest.mark.parametrize("rows", [[3], [0, 1, 2], list(range(40)) * 20])
def test_python_reads_its_octets(rows):
    """One run as bytes, several as one list, however many there are."""
    tree = ast.parse(told("python", rows), mode="eval")
    assert isinstance(tree.body, ast.Call if len(rows) == 1 else ast.List)
    value = eval(compile(tree, "copied", "eval"), {"__builtins__": {"bytes": bytes}})
    traffic = polled_traffic(40)
    assert (value if isinstance(value, list) else [value]) == [traffic.octets(row) for row in rows]


def test_a_compiler_reads_the_arrays(tmp_path):
    """Each WPDU under its number."""
    source = told("c", [0, 3])
    assert re.findall(r"char (\w+)\[", source) == ["wpdu_1", "wpdu_4"]
    (tmp_path / "octets.c").write_text(source + "int main(void) { return wpdu_1[1] + wpdu_4_length * 0; }\n")
    subprocess.run([needs("gcc"), "-o", tmp_path / "octets", tmp_path / "octets.c"], check=True)
    assert subprocess.run([tmp_path / "octets"], check=False).returncode == 1


@pytest.mark.parametrize("form", COPY_FORMS)
def test_what_is_too_long_is_not_copied_in_part(form):
    """Half a JSON text is none: it is said, and nothing is copied."""
    rows = list(range(0, 40, 2)) * 40
    copied = copied_as(form, texts(rows), nobody, most=60)
    assert (copied.text, copied.rows) == ("", 0)
    assert "of text" in copied.trouble


@pytest.mark.parametrize("form", [form for form in COPY_FORMS if form != "filter"])
def test_copying_can_be_stopped(form):
    """Between two batches of rows."""

    def stop(done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        copied_as(form, texts([0, 1]), stop)
