"""Arrays of values as fields give them: plain ones, coded ones, and several values a row.

A plain array has one value a row. `Coded` has distinct values and the number of one of them for each row, so
that a text is made once however often its value comes. `Several` has any number of values a row.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class Coded(NamedTuple):
    """Values that come again and again: row `i` has `values[codes[i]]`; `codes` are integers[rows]."""

    codes: Array
    values: Array


class Several(NamedTuple):
    """Several values a row: row `i` has `values[stops[i - 1]:stops[i]]`; `stops` ascends, one a row."""

    stops: npt.NDArray[np.int64]
    values: "Array | Coded"


Values = Array | Coded | Several

#: Whole numbers that reach no further are told apart by a table, and not by sorting.
_TABLE_BITS = 16
_TABLE = 1 << _TABLE_BITS
#: An odd number whose products spread over all of their upper bits: 2^64 by the golden ratio.
_ODD = np.uint64(0x9E3779B97F4A7C15)
#: Values of a column that tell whether it has few distinct ones.
_SAMPLE = 1 << 10


def since(time: Array, earlier: Array) -> Array:
    """Nanoseconds, int64[n], from `earlier` (also one for all) to `time`."""
    passed: Array = time - earlier
    return passed


def coded(values: Array) -> Coded:
    """The same values, coded: the distinct ones ascending."""
    if values.dtype.kind not in "iu":
        return _sorted(values)
    if _reach(values) > max(len(values), _TABLE):
        return _sorted(values) if _varies(values) else _scattered(values)
    if not len(values):
        return Coded(np.zeros(0, np.int64), values)
    # Differences from the least one: they are right whatever the type overflows to.
    least = values.min()
    places = values.astype(np.int64)
    if least:
        places -= least.astype(np.int64)
    occurs = np.zeros(_reach(values) + 1, np.bool_)
    occurs[places] = True
    found = np.flatnonzero(occurs)
    codes = np.empty(len(occurs), np.int64)
    codes[found] = np.arange(len(found))
    return Coded(codes[places], found.astype(values.dtype) + least)


def _sorted(values: Array) -> Coded:
    """The same by sorting, of values of any type that can be sorted."""
    found, codes = np.unique(values, return_inverse=True)
    return Coded(codes.reshape(-1), found)


def _varies(values: Array) -> bool:
    """Whether a sample of these has so many distinct values that a table for them would be of no use."""
    sample = values[:: len(values) // _SAMPLE + 1]
    return len(values) < _TABLE or len(np.unique(sample)) > len(sample) // 4


def _scattered(values: Array) -> Coded:
    """The same of many whole numbers of which few are distinct, in time that is linear in their number.

    Each has its place in a table by the upper bits of a product; what meets another value there is sorted.
    """
    products = values.astype(np.uint64)
    products *= _ODD
    products >>= np.uint64(64 - _TABLE_BITS)
    places = products.view(np.int64)
    table, used = np.zeros(_TABLE, values.dtype), np.zeros(_TABLE, np.bool_)
    table[places], used[places] = values, True
    # Invariant: each used place of the table has one of the values that belong there; those that are another
    # one are `rest`, and no value is in both.
    rest = np.flatnonzero(table[places] != values)
    found = np.unique(np.concatenate([table[used], values[rest]]))
    codes = np.searchsorted(found, table)[places]
    codes[rest] = np.searchsorted(found, values[rest])
    return Coded(codes, found)


def is_narrow(values: Array) -> bool:
    """Whether these are whole numbers of which there are few: of 16 bits, or nearer together than rows."""
    if values.dtype.kind not in "iu" or not len(values):
        return False
    return values.dtype.itemsize <= 2 or _reach(values) < len(values) - 1


def _reach(values: Array) -> int:
    """How far the greatest of these whole numbers is from the least."""
    return int(values.max()) - int(values.min()) if len(values) else 0


def both(first: Array, second: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """Stops and values of `Several` with two values a row, such as those of both sides."""
    values = np.empty(2 * len(first), np.result_type(first, second))
    values[0::2], values[1::2] = first, second
    return np.arange(2, 2 * len(first) + 2, 2), values


def object_array(values: Sequence[Any]) -> Array:
    """An object[n] of any values, also of sequences, which stay as they are."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def each(values: "Array | Coded", convert: Callable[[Array], list[Any]]) -> list[Any]:
    """What `convert` makes of each row's value; of coded ones it is asked for those that occur, once."""
    if not isinstance(values, Coded):
        return convert(values)
    used, places = np.unique(values.codes, return_inverse=True)
    made: list[Any] = object_array(convert(values.values[used]))[places.reshape(-1)].tolist()
    return made


def grouped(several: Several, flat: list[Any]) -> list[list[Any]]:
    """Each row's part of `flat`, which has what became of each of the values."""
    stops = several.stops.tolist()
    return [flat[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]
