"""The fleet's table of captures: one row each, written last, so that all its other rows are there."""

from typing import Any

import numpy as np

from cosemscope import __version__
from cosemscope.analysis.fields.value_arrays import Several, Values, object_array
from cosemscope.analysis.fields.value_types import Instant, Integer, Term, Text
from cosemscope.analysis.fleet.capture_files import CaptureFiles
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm
from cosemscope.analysis.fleet.rows.fleet_columns import FleetColumn, FleetTable
from cosemscope.analysis.fleet.rows.taken_capture import KEY, FleetRows, TakenCapture


class CaptureRow(FleetRows):
    """The row of a capture that came from these files; `rows`: how many rows each other table got."""

    def __init__(self, taken: TakenCapture, files: CaptureFiles, rows: dict[str, int]) -> None:
        super().__init__(taken, 1)
        self.files = files
        self.rows = rows


def _texts(texts: list[str]) -> Several:
    return Several(np.array([len(texts)], np.int64), object_array(texts))


def _number(number: int) -> Values:
    return np.array([number], np.int64)


def _count(name: str, meaning: str, columns: str) -> FleetColumn[CaptureRow]:
    return FleetColumn(
        name,
        ColumnForm.NUMBER,
        Integer(),
        meaning,
        lambda row: _number(len(getattr(row.taken.analysis, columns))),
    )


def _rows(table: str) -> FleetColumn[CaptureRow]:
    meaning = f"Rows that it has in {table}"
    return FleetColumn(table, ColumnForm.NUMBER, Integer(), meaning, lambda row: _number(row.rows[table]))


def _last_time(row: CaptureRow) -> Values:
    return _number(row.taken.facts.last_time)


def _problems(row: CaptureRow) -> Values:
    problems = row.taken.analysis.reader.problems
    return _texts([f"octet {problem.offset}: {problem.message}" for problem in problems])


def _times(row: CaptureRow) -> Any:
    return np.array([row.taken.first_time], np.int64)


CAPTURES: FleetTable[CaptureRow] = FleetTable(
    "captures",
    "a capture: a file, or the files of a ring",
    (
        KEY,
        FleetColumn(
            "files",
            ColumnForm.TEXTS,
            Text(),
            "Where its files were, in their order",
            lambda row: _texts([str(one.path.absolute()) for one in row.files]),
        ),
        FleetColumn(
            "hashes",
            ColumnForm.TEXTS,
            Term(),
            "The SHA-256 of each file",
            lambda row: _texts([one.digest for one in row.files]),
        ),
        FleetColumn(
            "sizes",
            ColumnForm.TEXTS,
            Term(),
            "Octets of each file; offsets count on through the uncompressed files",
            lambda row: _texts([str(one.size) for one in row.files]),
        ),
        FleetColumn(
            "time", ColumnForm.INSTANT, Instant(none=0), "When its first packet was captured", _times
        ),
        FleetColumn(
            "last_time", ColumnForm.INSTANT, Instant(none=0), "When its last packet was captured", _last_time
        ),
        _count("packets", "Packets in it", "packets"),
        _count("wpdus", "WPDUs in it", "wpdus"),
        *map(_rows, ("sessions", "associations", "exchanges", "expert_items", "values")),
        FleetColumn(
            "problems", ColumnForm.TEXTS, Text(), "What is damaged in its files, and where", _problems
        ),
        FleetColumn(
            "program",
            ColumnForm.TEXT,
            Term(),
            "The version of Cosemscope that wrote this",
            lambda row: object_array([__version__]),
        ),
    ),
    _times,
)
