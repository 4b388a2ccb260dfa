"""Rows written out by their fields: JSON objects a line, and tables of aligned text."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import NamedTuple

import numpy as np
import orjson

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_arrays import (
    Array,
    Coded,
    Several,
    Values,
    coded,
    is_narrow,
    object_array,
)
from cosemscope.analysis.fields.value_types import ValueType
from cosemscope.wording import printable

#: Columns become one where the pairs of their pieces are no more than this share of the rows.
_SHARE = 8


class _Column(NamedTuple):
    """Pieces of JSON; `codes`, integers[rows], say which of them each row has. None: row i has piece i."""

    pieces: list[bytes]
    codes: Array | None

    def rows(self) -> list[bytes]:
        """The piece of each row."""
        return self.pieces if self.codes is None else object_array(self.pieces)[self.codes].tolist()


def json_lines(keys: Mapping[str, RowField], asked: AskedRows) -> bytes:
    """JSON objects with these keys and the fields' values, a line each, in UTF-8."""
    columns = {key: (field.type, field.values(asked)) for key, field in keys.items()}
    return json_records(columns, len(asked.numbers))


def json_records(columns: Mapping[str, tuple[ValueType, Values]], rows: int) -> bytes:
    """JSON objects of so many rows of typed values by their keys; one that comes again is written once."""
    marks = chain([b"{"], repeat(b","))
    members = [
        _column(b"%b%b:" % (mark, orjson.dumps(key)), kind, values)
        for mark, (key, (kind, values)) in zip(marks, columns.items(), strict=False)
    ]
    members.append(_Column([b"}\n"], np.zeros(rows, np.int64)))
    pieces = zip(*(column.rows() for column in _side_by_side(members, rows // _SHARE)), strict=True)
    return b"".join(chain.from_iterable(pieces))


def _column(head: bytes, kind: ValueType, values: Values) -> _Column:
    """The member of each row's object that begins so and has the row's value."""
    if isinstance(values, Several):
        return _Column(_lists(head, kind, values), None)
    if isinstance(values, np.ndarray) and (kind.repetitive or is_narrow(values)):
        values = coded(values)
    codes, distinct = values if isinstance(values, Coded) else (None, values)
    return _Column(kind.octets(distinct, head), codes)


def _lists(head: bytes, kind: ValueType, several: Several) -> list[bytes]:
    """The lists of several values a row behind `head`; most lists have one value."""
    counts = np.diff(several.stops, prepend=0)
    alone, flat = counts == 1, several.values
    if isinstance(flat, Coded):
        flat = flat.values[flat.codes]
    others = kind.jsons(Several(np.cumsum(counts[~alone]), flat[np.repeat(~alone, counts)]))
    lists = kind.octets(flat[several.stops - 1], head + b"[", b"]") if alone.any() else [b""] * len(counts)
    for place, values in zip(np.flatnonzero(~alone).tolist(), others, strict=True):
        lists[place] = head + orjson.dumps(values)
    return lists


def _side_by_side(columns: Iterable[_Column], most: int) -> Iterator[_Column]:
    """Neighbours as one column of all pairs of their pieces, as long as those are few."""
    left, *others = columns
    for right in others:
        if left.codes is None or right.codes is None or len(left.pieces) * len(right.pieces) > most:
            yield left
            left = right
        else:
            pieces = [first + second for first in left.pieces for second in right.pieces]
            left = _Column(pieces, left.codes * len(right.pieces) + right.codes)
    yield left


class AlignedColumns:
    """Texts in columns under their heads; a column that once had a wide text stays as wide.

    The heads stand above the first lines, as wide as these. `right` are the heads of numbers.
    """

    def __init__(self, heads: Sequence[str], right: Container[str]) -> None:
        self._heads = tuple(heads)
        self._marks = [">" if head in right else "<" for head in heads]
        self._widths = list(map(len, heads))
        self._headed = False

    def lines(self, columns: Iterable[Iterable[str]]) -> str:
        """A line for each row of the columns; what cannot be printed is escaped."""
        told = [[printable(text) for text in column] for column in columns]
        self._widths = [
            max(chain([width], map(len, column))) for width, column in zip(self._widths, told, strict=True)
        ]
        lines = [self._line(row) for row in zip(*told, strict=True)]
        if not self._headed:
            self._headed = True
            lines.insert(0, self._line(self._heads))
        return "".join(lines)

    def _line(self, row: Iterable[str]) -> str:
        cells = zip(row, self._marks, self._widths, strict=True)
        return "  ".join([f"{text:{mark}{width}}" for text, mark, width in cells]).rstrip() + "\n"


class TextTable:
    """Fields of rows as aligned columns under the fields' names."""

    def __init__(self, fields: Iterable[RowField]) -> None:
        self._fields = tuple(fields)
        self._columns = AlignedColumns(
            [field.name for field in self._fields],
            {field.name for field in self._fields if field.type.numeric},
        )

    def lines(self, asked: AskedRows) -> str:
        """A line for each row."""
        return self._columns.lines([field.texts(asked) for field in self._fields])
