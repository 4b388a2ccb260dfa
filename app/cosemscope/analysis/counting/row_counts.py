"""Counts of rows by any fields, with the spread of a number in each group: what `count` and tables tell.

    counts = RowCounts(analysis, rows, looker)
    table = counts.by([FIELDS["obis"], FIELDS["result"]], FIELDS["response_time"])

The codes of fields are kept: counting the same rows by others again costs some tens of nanoseconds a row.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.counting.field_codes import FieldCodes, coded_field, coded_parts
from cosemscope.analysis.counting.grouping import Groups, Spread, group, spread
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows, Looker
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.fields.value_arrays import Array, Coded, Several
from cosemscope.analysis.fields.value_types import Duration, Instant, Integer, Quantity, ValueType
from cosemscope.wording import short_duration

Numbers = npt.NDArray[np.int64]

#: Names of what a spread tells, in the order in which it is told.
SPREAD = ("min", "mean", "median", "p95", "max")
#: Rows whose looks are had at once.
_AT_ONCE = 4096
#: Octets of codes that are kept at most.
_MOST_KEPT = 128 << 20
#: Types whose values are numbers, and of these those of nanoseconds, which have whole means.
_NUMBERS = (Integer, Duration, Instant, Quantity)
_NANOSECONDS = (Duration, Instant)


class NotANumberError(ValueError):
    """A field that has no minimum and no mean; the message says which would do."""


class CountTable(NamedTuple):
    """Groups and their counts, the largest first, those of equal size in the order of their values.

    `keys[f]` are the codes of field f by group, `codes[f]` what they stand for; `total` is the number of
    rows; `spread` is that of a number by group, where one was asked for.
    """

    fields: tuple[RowField, ...]
    codes: tuple[FieldCodes, ...]
    keys: tuple[Numbers, ...]
    counts: Numbers
    total: int
    of: RowField | None
    spread: Spread | None

    def shares(self) -> npt.NDArray[np.float64]:
        """The share of each group in all rows, from 0 to 1."""
        return self.counts / max(self.total, 1)

    def texts(self) -> list[list[str]]:
        """The texts of each field, by group."""
        return [
            codes.texts(field.type, keys)
            for field, codes, keys in zip(self.fields, self.codes, self.keys, strict=True)
        ]

    def jsons(self) -> Iterator[dict[str, Any]]:
        """Each group for scripts: its fields, count, share, and min, mean, median, p95, max, measured."""
        columns: dict[str, list[Any]] = {
            field.name: codes.jsons(field.type, keys)
            for field, codes, keys in zip(self.fields, self.codes, self.keys, strict=True)
        }
        columns["count"] = self.counts.tolist()
        columns["share"] = [round(share, 6) for share in self.shares().tolist()]
        if self.of is not None and self.spread is not None:
            columns["measured"] = self.spread.counts.tolist()
            columns |= dict(zip(SPREAD, self._told(self.of.type.jsons), strict=True))
        for values in zip(*columns.values(), strict=True):
            yield dict(zip(columns, values, strict=True))

    def spread_texts(self, *, short: bool = False) -> list[list[str]]:
        """The texts of min, mean, median, p95 and max, by group; "" of groups without any number.

        `short` has durations in three figures.
        """
        if self.of is None:
            return []
        tell = _short if short and isinstance(self.of.type, Duration) else self.of.type.texts
        return [["" if one is None else str(one) for one in column] for column in self._told(tell)]

    def _told(self, tell: Callable[[Array], list[Any]]) -> list[list[Any]]:
        """Each number of the spread as `tell` tells values of the field, None of groups without any number.

        Means and medians of whole numbers, and numbers that need not be whole, are told as they are.
        """
        assert self.of is not None
        assert self.spread is not None
        found = self.spread
        if isinstance(self.of.type, _NANOSECONDS):
            columns = [found.least, found.mean, found.median, found.p95, found.most]
        else:
            mean, median = found.least + found.above, found.middle + found.apart
            tell, columns = _plain, [found.least, mean, median, found.p95, found.most]
        told = list(map(tell, columns))
        some = (found.counts > 0).tolist()
        return [
            [value if there else None for value, there in zip(column, some, strict=True)] for column in told
        ]


def _plain(numbers: Array) -> list[int | float]:
    """Numbers with at most six places, those that are whole as whole ones."""
    return [int(value) if value == int(value) else round(value, 6) for value in numbers.tolist()]


def _short(times: Array) -> list[str]:
    return list(map(short_duration, times.tolist()))


class RowCounts:
    """Counts of some WPDU rows, int64[n] ascending, or of all (None), by fields.

    `looker` serves fields that cost a tree; fields that cost less are asked without looks, so the pass that
    they need has been made. `told` is called with the rows that were looked at and their number.
    """

    def __init__(
        self,
        analysis: Analysis,
        rows: Numbers | None = None,
        looker: Looker | None = None,
        *,
        told: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        self._analysis, self._looker, self._tell = analysis, looker, told
        self._rows: slice | Numbers = slice(0, len(analysis.wpdus)) if rows is None else rows
        self._kept: dict[str, FieldCodes] = {}
        self._asked = AskedRows(analysis, self._rows)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._asked.numbers)

    def by(self, fields: Sequence[RowField], of: RowField | None = None) -> CountTable:
        """The rows by these fields, at least one, and the spread of the number `of`.

        Raises NotANumberError, and CaptureError and OSError when octets cannot be read.
        """
        numbers = self._numbers(of) if of is not None else None
        codes, groups = self.groups(fields)
        counts = groups.counts()
        order = np.argsort(-counts, kind="stable")
        spreads = spread(groups, *numbers).taken(order) if numbers is not None else None
        keys = tuple(key[order] for key in groups.keys)
        return CountTable(tuple(fields), codes, keys, counts[order], self.total, of, spreads)

    def groups(self, fields: Sequence[RowField]) -> tuple[tuple[FieldCodes, ...], Groups]:
        """The groups of the rows by these fields, at least one, in the order of their values; and the codes.

        Raises CaptureError and OSError when octets cannot be read.
        """
        codes = tuple(map(self._codes, fields))
        return codes, group(codes)

    def _codes(self, field: RowField) -> FieldCodes:
        codes = self._kept.pop(field.name, None)
        if codes is None:
            if field.cost is Cost.TREE:
                codes = coded_parts(field.type, map(field.values, self._parts()))
            else:
                codes = coded_field(field, self._asked)
            while self._kept and sum(map(_octets, self._kept.values())) + _octets(codes) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        self._kept[field.name] = codes  # as the last: what was asked for longest ago goes first
        return codes

    def _parts(self) -> Iterator[AskedRows]:
        for start in range(0, self.total, _AT_ONCE):
            yield AskedRows(self._analysis, self._asked.numbers[start : start + _AT_ONCE], self._looker)
            self._tell(min(start + _AT_ONCE, self.total), self.total)

    def _numbers(self, field: RowField) -> tuple[Array, npt.NDArray[np.bool_]]:
        """The numbers of a field, int64 or float64 by row, and whether a row has one. NotANumberError."""
        if not isinstance(field.type, _NUMBERS) or field.several:
            why = "has several values" if field.several else f"is no number, but of type {field.type.word}"
            raise NotANumberError(
                f"{field.name} {why}: a number or a time has a mean, such as response_time or wpdu.length"
            )
        if field.cost is not Cost.TREE:
            return _numbers_of(field.type, field.values(self._asked))
        found = [_numbers_of(field.type, field.values(part)) for part in self._parts()]
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.bool_)
        numbers, there = zip(*found, strict=True)
        return np.concatenate(numbers), np.concatenate(there)


def _octets(codes: FieldCodes) -> int:
    rows = 0 if codes.rows is None else codes.rows.nbytes
    return codes.codes.nbytes + codes.values.nbytes + rows


def _numbers_of(kind: ValueType, values: Array | Coded | Several) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Values as int64, or as float64 where any is none of these, and which of them are numbers."""
    assert not isinstance(values, Several)
    plain = values.values[values.codes] if isinstance(values, Coded) else values
    there = ~kind.is_none(plain)
    if plain.dtype != object:
        return plain.astype(np.int64), there
    told = [isinstance(value, int | float | Decimal) and math.isfinite(value) for value in plain.tolist()]
    there &= np.array(told, np.bool_)
    return np.where(there, plain, 0).astype(np.float64), there
