"""Every table in every format is read back equal; what cannot be written so is told."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosemscope.analysis.export.exports import FORMATS, TABLES, Order, asked_fields, check, export
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.whole_file import ExportError
from tests.helpers.exported import sample, subject_of, written


@pytest.fixture(scope="module")
def whole() -> Iterator[Subject]:
    path, keys = sample()
    with subject_of(path, keys=keys) as subject:
        yield subject


def some_of(subject: Subject) -> Subject:
    """The WPDUs of the first two thirds are left."""
    return Subject(subject.analysis, subject.associations, np.arange(len(subject.analysis.wpdus) * 2 // 3))


@pytest.mark.parametrize("what", TABLES)
@pytest.mark.parametrize("left", ["all", "some"])
def test_all_formats_tell_the_same(whole: Subject, what: str, left: str) -> None:
    """JSON, JSON lines and CSV have the same rows, and as many as the table says."""
    subject = whole if left == "all" else some_of(whole)
    objects = json.loads(written(subject, Order("json", what)))
    lines = written(subject, Order("jsonl", what)).splitlines()
    assert list(map(json.loads, lines)) == objects
    rows = list(csv.DictReader(io.StringIO(written(subject, Order("csv", what)).decode(), newline="")))
    table = TABLES[what].make(subject, None)
    assert len(rows) == len(objects) == table.rows > 0
    assert [column.name for column in table.columns] == list(rows[0]) == list(objects[0])
    for row, one in zip(rows, objects, strict=True):
        for column in table.columns:
            value, cell = one[column.name], row[column.name]
            if isinstance(value, int) and not isinstance(value, bool) and column.type.word != "flag":
                assert float(int(cell, 16) if cell.startswith("0x") else cell) == value
            elif value is None or value is False:
                assert cell == ""
            elif isinstance(value, dict):
                assert all(name.replace("_", " ") in cell for name in value)
            elif isinstance(value, list):
                assert cell == ", ".join(map(str, value))
    if left == "some":
        assert 0 < len(objects) < len(json.loads(written(whole, Order("json", what))))


def test_exchanges_have_the_values_that_they_told(whole: Subject) -> None:
    """Those of the answer, or of what was set; other fields are those of the request."""
    objects = json.loads(
        written(whole, Order("json", "exchanges", ("exchange", "value", "unit", "wpdu.number")))
    )
    asked = json.loads(written(whole, Order("json", "wpdus", ("wpdu.number", "exchange", "value", "unit"))))
    by_number = {one["wpdu.number"]: one for one in asked}
    told = [one for one in objects if one["unit"] is not None]
    assert len(told) > 5
    for one in told:
        values = [each for each in asked if each["exchange"] == one["exchange"] and each["value"] is not None]
        assert (one["value"], one["unit"]) in [(each["value"], each["unit"]) for each in values]
        assert by_number[one["wpdu.number"]]["exchange"] == one["exchange"]


def test_no_rows_are_a_table_too(whole: Subject) -> None:
    """The names of the columns stand there, and JSON is an empty array."""
    nothing = Subject(whole.analysis, whole.associations, np.zeros(0, np.int64))
    for what in TABLES:
        assert json.loads(written(nothing, Order("json", what))) == []
        assert written(nothing, Order("jsonl", what)) == b""
        assert len(written(nothing, Order("csv", what)).splitlines()) == 1
        assert len(written(nothing, Order("text", what)).splitlines()) == (what != "wpdus")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (Order("pcapng", "exchanges"), "pcapng is written of wpdus and packets, and not of exchanges"),
        (Order("text", "wpdus", ("obis",)), "text of wpdus has no columns"),
        (Order("csv", handshakes=True), "csv has no handshakes"),
        (Order("text", "exchanges", passwords=True), "text of exchanges has no passwords"),
    ],
)
def test_what_cannot_be_written_is_told(order: Order, said: str) -> None:
    """In a sentence, before anything is read."""
    with pytest.raises(ExportError, match=said):
        check(order)


@pytest.mark.parametrize("what", TABLES)
def test_names_of_no_column_are_told_with_the_nearest(whole: Subject, what: str) -> None:
    """Whatever the table."""
    with pytest.raises(ExportError, match=r"“nmber”"):
        TABLES[what].make(whole, ("nmber",))


def test_fields_are_known_before_the_pass(whole: Subject) -> None:
    """Each order that can be written has some field that says what has to be known."""
    for form, kind in FORMATS.items():
        for what in filter(kind.takes, TABLES):
            assert asked_fields(Order(form, what))


def test_a_failed_export_leaves_nothing(whole: Subject, tmp_path: Path, monkeypatch: Any) -> None:
    """Neither the file nor a part of it."""

    def broken(done: int, total: int) -> None:
        raise KeyboardInterrupt

    subject = Subject(whole.analysis, whole.associations, None, broken)
    with pytest.raises(KeyboardInterrupt):
        export(subject, Order("csv"), tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []
