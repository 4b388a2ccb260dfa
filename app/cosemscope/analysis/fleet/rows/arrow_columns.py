"""Columns of fields become Arrow arrays: NumPy's memory as it is, texts once for each distinct value.

Needs the optional pyarrow. Times and durations are in microseconds, which all
engines read: Spark knows no timestamps of nanoseconds.
"""

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum, unique
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.value_arrays import Array, Coded, Several, Values, coded, object_array
from cosemscope.analysis.fields.value_types import ValueType

_MICROSECOND = 1000


@unique
class ColumnForm(Enum):
    """What a column of a file is: the name of its Arrow type, and Parquet's encoding.

    Where no encoding is named, distinct values are written once and rows have their numbers.
    """

    TEXT = ("text", "")
    TEXTS = ("texts", "")
    FLAG = ("bool_", "PLAIN")
    CODE = ("int32", "")
    COUNT = ("int32", "DELTA_BINARY_PACKED")
    NUMBER = ("int64", "DELTA_BINARY_PACKED")
    MICROSECONDS = ("microseconds", "DELTA_BINARY_PACKED")
    INSTANT = ("instant", "DELTA_BINARY_PACKED")
    DOUBLE = ("float64", "BYTE_STREAM_SPLIT")

    @property
    def encoding(self) -> str:
        """Parquet's name of the encoding; "" for a dictionary."""
        return self.value[1]


def arrow_type(form: ColumnForm) -> Any:
    """The Arrow type of a form. Raises ImportError without pyarrow."""
    import pyarrow

    name = form.value[0]
    if name == "text":
        return pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    if name == "texts":
        return pyarrow.list_(pyarrow.string())
    if name == "instant":
        return pyarrow.timestamp("us", tz="UTC")
    if name == "microseconds":
        return pyarrow.int64()
    return getattr(pyarrow, name)()


def arrow_array(form: ColumnForm, kind: ValueType, values: Values) -> Any:
    """An Arrow array of these values of a type; null where they are its `none`."""
    import pyarrow

    if form is ColumnForm.TEXT:
        assert not isinstance(values, Several)
        codes, texts = _texts(kind, values)
        return pyarrow.DictionaryArray.from_arrays(
            pyarrow.array(codes, mask=codes < 0), pyarrow.array(texts, pyarrow.string())
        )
    if form is ColumnForm.TEXTS:
        assert isinstance(values, Several)
        codes, texts = _texts(kind, values.values)
        flat = pyarrow.array(object_array([*texts, None])[codes], pyarrow.string())
        return pyarrow.ListArray.from_arrays(np.append(0, values.stops).astype(np.int32), flat)
    assert not isinstance(values, Several)
    numbers, none = _numbers(form, kind, values)
    if form is ColumnForm.MICROSECONDS:
        numbers = numbers // _MICROSECOND
    elif form is ColumnForm.INSTANT:
        numbers = (numbers // _MICROSECOND).view("M8[us]")
    made = pyarrow.array(numbers, mask=none if none.any() else None)
    return made.cast(arrow_type(form))


def _texts(kind: ValueType, values: Array | Coded) -> tuple[npt.NDArray[np.int32], list[str]]:
    """The place of each row's text among the distinct ones, int32[n], -1 for none; and these."""
    if not isinstance(values, Coded):
        values = _distinct(values) if values.dtype == object else coded(values)
    codes, distinct = values
    none = kind.is_none(distinct)
    texts = kind.texts(np.ascontiguousarray(distinct))
    # Invariant: `places` has the number of each distinct value's text; values that are told alike share one.
    known: dict[str, int] = {}
    places = np.full(len(texts) + 1, -1, np.int32)
    for place in np.flatnonzero(~none).tolist():
        if texts[place]:
            places[place] = known.setdefault(texts[place], len(known))
    return places[codes], list(known)


def _distinct(values: Array) -> Coded:
    """Python's values, coded in the order in which they come."""
    numbers: dict[Any, int] = {}
    listed = values.tolist()
    codes = np.fromiter((numbers.setdefault(value, len(numbers)) for value in listed), np.int64, len(listed))
    return Coded(codes, object_array(list(numbers)))


def _numbers(form: ColumnForm, kind: ValueType, values: Array | Coded) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The numbers of rows, with 0 where there is none; and where that is."""
    plain = values.values[values.codes] if isinstance(values, Coded) else values
    none = kind.is_none(plain)
    if plain.dtype == object:
        told = plain.tolist()
        none = none | ~np.fromiter(map(_is_number, told), np.bool_, len(told))
        plain = np.array([0 if nothing else value for value, nothing in zip(told, none, strict=True)], float)
    if plain.dtype.kind == "f":
        none = none | np.isnan(plain)
    if form is ColumnForm.FLAG:
        return plain.astype(np.bool_), none
    if form is ColumnForm.DOUBLE:
        return plain.astype(np.float64), none
    wide = plain.astype(np.int64)
    return np.where(none, 0, wide) if none.any() else wide, none


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and isfinite(value)


def same_text(text: str, count: int) -> Coded:
    """The same text in so many rows."""
    return Coded(np.zeros(count, np.int32), object_array([text]))


def words_of(names: Iterable[str], codes: npt.NDArray[Any]) -> Coded:
    """The names at these places, integers[n]; none where they are negative."""
    return Coded(codes, object_array([*names, None]))
