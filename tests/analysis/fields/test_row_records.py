"""Rows written by their fields: JSON objects a line, tables of aligned text."""

import json

import numpy as np
import orjson
import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_field import Cost
from cosemscope.analysis.fields.row_records import AlignedColumns, TextTable, json_lines
from cosemscope.capture.files.reader import open_capture
from tests.helpers.traffic_samples import SAMPLES


def test_json_lines() -> None:
    """An object a row, its keys in the order that was asked for."""
    with open_capture(SAMPLES / "push.pcapng") as reader:
        asked = AskedRows(Analysis(reader).run(), np.array([2, 0]))
        keys = {"b": FIELDS["wpdu.number"], "a": FIELDS["wport"]}
        lines = json_lines(keys, asked).splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["b"] for row in rows] == [3, 1]
    assert [list(row) for row in rows] == [["b", "a"]] * 2


def test_columns_are_aligned_and_stay_as_wide() -> None:
    """Numbers at the right, words at the left, and later lines under the earlier ones."""
    with open_capture(SAMPLES / "push.pcapng") as reader:
        analysis = Analysis(reader).run()
        table = TextTable([FIELDS[name] for name in ("wpdu.number", "source", "role")])
        told = table.lines(AskedRows(analysis, slice(0, 3))) + table.lines(AskedRows(analysis, slice(3, 6)))
    head, *lines = told.splitlines()
    assert head.split() == ["wpdu.number", "source", "role"]
    assert {line.index("server") for line in lines} == {head.index("role")}
    assert lines[0].startswith("          1  ")
    assert len(lines) == 6  # the names stand once


@pytest.mark.parametrize("count", [0, 1, 40])
def test_lines_say_what_the_fields_say(count: int) -> None:
    """Members whose values come again are written once: each line still has its own row's, to the letter."""
    with open_capture(SAMPLES / "push.pcapng") as reader:
        analysis = Analysis(reader).run()
        asked = AskedRows(analysis, np.arange(count) % len(analysis.wpdus))
        keys = {name: field for name, field in FIELDS.items() if field.cost not in (Cost.LOOK, Cost.TREE)}
        lines = json_lines(keys, asked).splitlines()
        columns = [field.jsons(asked) for field in keys.values()]
    rows = zip(*columns, strict=True)
    assert lines == [orjson.dumps(dict(zip(keys, row, strict=True))) for row in rows]


def test_later_lines_widen_columns_and_never_narrow_them() -> None:
    """Each line stands under the lines before, as wide as the widest text so far; rows may lack."""
    table = AlignedColumns(["No.", "Service"], {"No."})
    assert table.lines([[], []]) == "No.  Service\n"
    assert (
        table.lines([["1", "2"], ["service-not-supported", "x\n"]])
        == "  1  service-not-supported\n  2  x\\n\n"
    )
    assert table.lines([["12345"], ["y"]]) == "12345  y\n"
