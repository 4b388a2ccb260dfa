"""Vectors hold the values of a field for some rows; masks of values fold to masks of rows.

A mask is worked out for distinct values where there are such, spread to each value, and folded to rows.
"""

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, coded
from cosemscope.analysis.fields.value_types import Flag, ValueType
from cosemscope.analysis.filter.masks.value_tests import Mask

#: Objects of which there are more are told apart once, so that each is compared once.
_MANY = 512


class Fold(Enum):
    """How many of a row's values must pass a test; a row without a value never passes."""

    ANY = "any"
    ALL = "all"
    NONE = "none"
    NOT_ALL = "not all"


@dataclass(frozen=True)
class Vector:
    """Values of `count` rows.

    `there` (bool, None for all) says which of `values` apply. With `codes`, value i is `values[codes[i]]`.
    With `stops` row r has the values from `stops[r - 1]` to `stops[r]`; `width`: each has so many, 0 unknown.
    """

    count: int
    values: Array
    there: Mask | None = None
    codes: Array | None = None
    stops: npt.NDArray[np.int64] | None = None
    width: int = 1

    def fold(self, mask: Mask, how: Fold = Fold.ANY) -> Mask:
        """Which rows have so many values that pass; `mask`, bool[values], says which values do."""
        there = self._spread(self.there) if self.there is not None else None
        if self.there is not None:
            mask = mask & self.there
        flat: Mask = self._spread(mask)
        if self.stops is None:
            if how in (Fold.ANY, Fold.ALL):
                return flat
            return ~flat if there is None else there & ~flat
        passed = self._counts(flat)
        some = self.totals if there is None else self._counts(there)
        if how is Fold.ANY:
            found: Mask = passed > 0
        elif how is Fold.ALL:
            found = (some > 0) & (passed == some)
        else:
            found = (some > 0) & (passed == 0) if how is Fold.NONE else passed < some
        return found

    @property
    def totals(self) -> npt.NDArray[np.int64]:
        """How many values each row has, whether they apply or not, int64[count]."""
        if self.stops is None:
            return np.ones(self.count, np.int64)
        return np.diff(self.stops, prepend=0)

    def exists(self) -> Mask:
        """Which rows have a value."""
        if self.there is None:
            return self.totals > 0 if self.stops is not None else np.ones(self.count, np.bool_)
        return self.fold(self.there)

    def number_of_values(self) -> npt.NDArray[np.int64]:
        """How many values of each row apply."""
        if self.there is None:
            return self.totals
        flat = self._spread(self.there)
        return flat.astype(np.int64) if self.stops is None else self._counts(flat)

    def _spread(self, mask: Mask) -> Mask:
        return mask if self.codes is None else mask[self.codes]

    def _counts(self, flat: Mask) -> npt.NDArray[np.int64]:
        """How many of each row's values are marked."""
        if self.width == 2:
            return flat[0::2].astype(np.int64) + flat[1::2]
        assert self.stops is not None
        sums = np.zeros(len(flat) + 1, np.int64)
        np.cumsum(flat, out=sums[1:])
        starts = np.concatenate([np.zeros(1, np.int64), self.stops[:-1]]) if self.count else self.stops
        counts: npt.NDArray[np.int64] = sums[self.stops] - sums[starts]
        return counts

    def flat(self) -> tuple[Array, Mask | None, npt.NDArray[np.int64] | None]:
        """Every value by itself, which apply, and the rows of those that do not stand one a row."""
        values, there = self.values, self.there
        if self.codes is not None:
            values = values[self.codes]
            there = None if there is None else there[self.codes]
        owner = None if self.stops is None else np.repeat(np.arange(self.count), self.totals)
        return values, there, owner

    def take(self, places: npt.NDArray[np.int64]) -> "Vector":
        """The vector of these rows."""
        if self.stops is None:
            if self.codes is not None:
                return replace(self, count=len(places), codes=self.codes[places])
            there = None if self.there is None else self.there[places]
            return replace(self, count=len(places), values=self.values[places], there=there)
        counts = self.totals[places]
        stops = np.cumsum(counts)
        starts = self.stops[places] - counts
        at = np.arange(int(stops[-1]) if len(stops) else 0) + np.repeat(starts - (stops - counts), counts)
        if self.codes is not None:
            return replace(self, count=len(places), codes=self.codes[at], stops=stops)
        there = None if self.there is None else self.there[at]
        return replace(self, count=len(places), values=self.values[at], there=there, stops=stops)

    def same(self, values: Array, there: Mask | None) -> "Vector":
        """Other values in the places of these."""
        return replace(self, values=values, there=there)

    @property
    def octets(self) -> int:
        """The memory of its arrays that no other array holds."""
        parts = (self.values, self.there, self.codes, self.stops)
        return sum(part.nbytes for part in parts if part is not None and part.base is None)


def vector_of(kind: ValueType, values: Values, count: int) -> Vector:
    """The vector of a field's values for `count` rows."""
    stops, width = None, 1
    if isinstance(values, Several):
        stops, values = values
        totals = np.diff(stops, prepend=0)
        width = 2 if len(totals) and bool((totals == 2).all()) else 0
    codes: Array | None = None
    if isinstance(values, Coded):
        codes, values = values
    elif values.dtype == object and len(values) > _MANY:
        codes, values = encoded(values)
    return Vector(count, values, _there(kind, values), codes, stops, width)


def encoded(values: Array) -> Coded:
    """Objects, each once, and their numbers: each is compared once however often it comes."""
    numbers: dict[Any, int] = {}
    codes = np.fromiter(
        (numbers.setdefault(value, len(numbers)) for value in values.tolist()), np.int64, len(values)
    )
    distinct = np.empty(len(numbers), object)
    distinct[:] = list(numbers)
    return Coded(codes, distinct)


def _there(kind: ValueType, values: Array) -> Mask | None:
    """Which values apply; None where all do."""
    if values.dtype.names is not None or (isinstance(kind, Flag) and kind.none is None):
        return None
    if isinstance(kind, Flag):
        found: Mask = values != kind.none
        return found
    blank = kind.blank(values)
    return ~blank if blank.any() else None


def joined_vectors(kind: ValueType, parts: list[Vector]) -> Vector:
    """The vector of the rows of some vectors, one part behind the other."""
    if len(parts) == 1:
        return parts[0]
    told = [part.flat() for part in parts]
    values = np.concatenate([values for values, _, _ in told])
    count = sum(part.count for part in parts)
    stops, width = None, 1
    if parts[0].stops is not None:
        stops, width = np.cumsum(np.concatenate([part.totals for part in parts])), 0
    codes: Array | None = None
    if values.dtype == object:
        codes, values = encoded(values)
    return Vector(count, values, _there(kind, values), codes, stops, width)


def counted(vector: Vector) -> tuple[Array, npt.NDArray[np.int64]]:
    """The distinct values of a vector that apply, and how often each comes, int64[n]."""
    values, there, codes = vector.values, vector.there, vector.codes
    if codes is None:
        codes, values = coded(values if there is None else values[there])
        there = None
    numbers = np.bincount(codes, minlength=len(values)).astype(np.int64)
    left = numbers > 0 if there is None else there & (numbers > 0)
    values, numbers = values[left], numbers[left]
    # What comes coded may have a value under several codes.
    again, distinct = encoded(values) if values.dtype == object else coded(values)
    return distinct, np.bincount(again, numbers, len(distinct)).astype(np.int64)
