"""Codes of a field: a small number for each of its values, as rows are counted and grouped by.

    codes = coded_field(FIELDS["obis"], asked)
    codes.codes, codes.values, FIELDS["obis"].type.texts(codes.values)

Codes ascend as the values do. Values that JSON tells alike have one code, and so have rows without a value.
"""

from collections.abc import Iterable
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, coded, object_array
from cosemscope.analysis.fields.value_types import ValueType

Numbers = npt.NDArray[np.int64]


class FieldCodes(NamedTuple):
    """Entry i says that row `rows[i]` (int64[m], ascending; None: row i) has the value `values[codes[i]]`.

    `codes`, unsigned[m], are `len(values)` where there is no value; each row has an entry.
    """

    codes: Array
    values: Array
    rows: Numbers | None

    @property
    def width(self) -> int:
        """How many codes there can be."""
        return len(self.values) + 1

    def texts(self, kind: ValueType, codes: Numbers) -> list[str]:
        """The text of each of these codes, "" for no value."""
        told = object_array([*kind.texts(self.values), ""])
        texts: list[str] = told[codes].tolist()
        return texts

    def jsons(self, kind: ValueType, codes: Numbers) -> list[Any]:
        """What JSON gets of each of these codes."""
        told = object_array([*kind.jsons(self.values), kind.nothing])
        jsons: list[Any] = told[codes].tolist()
        return jsons

    def as_values(self, kind: ValueType, rows: Numbers | None = None) -> Coded | Several:
        """The values of these rows (int64[n]; None: all in turn) as fields give them."""
        place, codes = self.entries(rows)
        values = self.values
        if place is None:
            if values.dtype == object:
                values = object_array([*values.tolist(), kind.none])
            elif kind.none is not None:
                values = np.append(values, values.dtype.type(kind.none))
            return Coded(codes, values)
        there = codes < len(values)
        count = (int(place[-1]) + 1 if len(place) else 0) if rows is None else len(rows)
        stops = np.cumsum(np.bincount(place[there], minlength=count))
        return Several(stops, Coded(codes[there], values))

    def entries(self, rows: Numbers | None) -> tuple[Numbers | None, Array]:
        """The codes of these rows (int64[n]; None: all in turn), several of a row behind one another.

        With them the place in `rows` of each, int64[m]; None where there is one of each row.
        """
        if self.rows is None:
            return None, self.codes if rows is None else self.codes[rows]
        if rows is None:
            return self.rows, self.codes
        starts = np.searchsorted(self.rows, rows)
        counts = np.searchsorted(self.rows, rows, "right") - starts
        place = np.repeat(np.arange(len(rows)), counts)
        within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
        return place, self.codes[starts[place] + within]


def coded_field(field: RowField, asked: AskedRows) -> FieldCodes:
    """The codes of a field of these rows, all at once."""
    return _ranked(field.type, *_entries(field.values(asked)))


def coded_parts(kind: ValueType, parts: Iterable[Values]) -> FieldCodes:
    """The codes of values of this type that come in parts, as those that cost a look do."""
    return _ranked(kind, *_together(parts))


def kept_parts(parts: Iterable[Values]) -> FieldCodes:
    """The same of values that are only kept: codes in no order, of which equal values may have several."""
    (codes, values), rows = _together(parts)
    return FieldCodes(np.where(codes < 0, len(values), codes).astype(np.uint32), values, rows)


def _together(parts: Iterable[Values]) -> tuple[Coded, Numbers | None]:
    """The values of all parts and the row of each, as `_entries` gives those of one."""
    found = [_entries(values) for values in parts]
    if not found:
        return Coded(np.zeros(0, np.int64), object_array([])), None
    first = accumulate((len(values.values) for values, _ in found), initial=0)
    codes = np.concatenate(
        [
            np.where(one.codes < 0, -1, one.codes + start)
            for (one, _), start in zip(found, first, strict=False)
        ]
    )
    together = Coded(codes, np.concatenate([values.values for values, _ in found]))
    if all(rows is None for _, rows in found):
        return together, None
    lengths = [len(values.codes) if rows is None else int(rows[-1]) + 1 for values, rows in found]
    firsts = accumulate(lengths, initial=0)
    owners = [
        start + (np.arange(len(values.codes)) if rows is None else rows)
        for (values, rows), start in zip(found, firsts, strict=False)
    ]
    return together, np.concatenate(owners)


def _entries(values: Values) -> tuple[Coded, Numbers | None]:
    """The values, coded, and the row of each; None where each row has one. Code -1 is for no value."""
    if not isinstance(values, Several):
        return _coded(values), None
    flat = _coded(values.values)
    counts = np.diff(values.stops, prepend=0)
    rows = np.repeat(np.arange(len(counts)), np.maximum(counts, 1))
    codes = np.full(len(rows), -1, np.int64)
    codes[np.repeat(counts > 0, np.maximum(counts, 1))] = flat.codes
    # What a row has twice is one entry.
    if counts.max(initial=0) <= 2:
        again = (rows[1:] == rows[:-1]) & (codes[1:] == codes[:-1])
        once = np.flatnonzero(np.concatenate([[True], ~again])[: len(rows)])
    else:
        once = np.unique(rows * (len(flat.values) + 1) + codes + 1, return_index=True)[1]
        once.sort()
    return Coded(codes[once], flat.values), rows[once]


def _coded(values: Array | Coded) -> Coded:
    """The values, each at most a few times, and the code of each row, in no order."""
    if isinstance(values, Coded):
        if len(values.values) <= len(values.codes):
            return values
        codes, used = coded(values.codes)
        return Coded(codes, values.values[used])
    if values.dtype != object:
        return coded(values)
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(value, len(numbers)) for value in values.tolist()), np.int64, len(values)
    )
    return Coded(codes, object_array(list(numbers)))


def _ranked(kind: ValueType, found: Coded, rows: Numbers | None) -> FieldCodes:
    """Codes by the order of the values, one for those that are told alike, the last for those without one."""
    values = found.values
    occurs = np.zeros(len(values) + 1, np.bool_)
    occurs[found.codes] = True
    there = np.flatnonzero(occurs[:-1] & ~kind.is_none(values))
    if kind.exact and values.dtype != object:
        rank, distinct = coded(values[there])
    else:
        there = there[np.argsort(kind.order(values[there]), kind="stable")]
        known: dict[bytes, int] = {}
        told = kind.octets(values[there])
        rank = np.fromiter((known.setdefault(octets, len(known)) for octets in told), np.int64, len(told))
        distinct = values[there[np.unique(rank, return_index=True)[1]]]
    number = np.full(len(values) + 1, len(distinct), np.min_scalar_type(len(distinct)))
    number[there] = rank
    return FieldCodes(number[found.codes], distinct, rows)
