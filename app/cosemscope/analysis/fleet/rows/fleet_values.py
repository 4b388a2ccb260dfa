"""The fleet's table of values: a row a reading of an attribute, with its number or text; secrets are hidden.

What has elements, such as the buffer of a profile, is told without its value.
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import Array, Coded, Values, object_array
from cosemscope.analysis.fields.value_types import Integer, Quantity, Term, Text, Word
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm, words_of
from cosemscope.analysis.fleet.rows.fleet_columns import FleetColumn, FleetTable, meant_as
from cosemscope.analysis.fleet.rows.taken_capture import KEY, FleetRows, TakenCapture
from cosemscope.analysis.objects.object_table import Attribute, ObjectView
from cosemscope.analysis.objects.object_values import KeptValue
from cosemscope.analysis.objects.told_data import How
from cosemscope.apdu.names.blue_book import dotted, unit
from cosemscope.apdu.names.codes import DATA_ACCESS_RESULTS

#: Powers of ten, and whole numbers below this, that a floating-point number has exactly.
_EXACT, _WHOLE = 22, 1 << 53
Numbers = npt.NDArray[np.int64]


class ValueRows(FleetRows):
    """The readings of a capture, in its order."""

    def __init__(self, taken: TakenCapture) -> None:
        super().__init__(taken, len(taken.view.readings))
        self.wpdus = AskedRows(taken.analysis, self.column("wpdu").astype(np.int64))

    def column(self, name: str) -> Array:
        """A column of the readings."""
        return self.taken.view.readings[name][: self.count]

    def of_attribute(self, tell: Callable[[Attribute], Any]) -> Coded:
        """What each reading's attribute says."""
        told = [tell(attribute) for attribute in self.taken.view.attributes]
        return Coded(self.column("attribute"), object_array(told))

    @cached_property
    def told(self) -> "ToldReadings":
        """What the readings say, with scalers and units."""
        return told_readings(self.taken.view, self.column("attribute"), self.column("value"))


class ToldReadings(NamedTuple):
    """Of each reading its number, float64[n] with NaN for none, its text and its unit."""

    number: Array
    text: Coded
    unit: Coded


def told_readings(view: ObjectView, attribute: Array, place: Array) -> ToldReadings:
    """What readings of these attributes with these values say; places in the lists of a view, -1 no value."""
    scalers = [view.scaler_unit(one) for one in view.attributes]
    exponents = np.array([one[0] if one is not None else 0 for one in scalers] or [0], np.int64)
    values = view.values
    # Invariant: of a `simple` value the number, divided by a power of ten, is the nearest to the true one.
    simple = np.array([_is_simple(value) for value in values] or [False], np.bool_)
    numbers = np.array([value.number if _is_simple(value) else 0 for value in values] or [0], np.float64)
    scaled = np.flatnonzero((place >= 0) & simple[place] & (np.abs(exponents[attribute]) <= _EXACT))
    exponent = exponents[attribute[scaled]]
    number = np.full(len(place), np.nan)
    powers = 10.0 ** np.abs(exponent)
    number[scaled] = np.where(exponent < 0, numbers[place[scaled]] / powers, numbers[place[scaled]] * powers)
    units = _Terms()
    unit_of = np.array([units.place(unit(one[1]) if one is not None else None) for one in scalers] or [0])
    unit_codes = np.zeros(len(place), np.int64)
    unit_codes[scaled] = unit_of[attribute[scaled]]
    # All others one by one: floating-point numbers, words, and values that have their scalers beside them.
    texts = _Terms()
    text_codes = np.zeros(len(place), np.int64)
    others = np.setdiff1d(np.flatnonzero(place >= 0), scaled, assume_unique=True)
    which, codes = np.unique(place[others].astype(np.int64) << 32 | attribute[others], return_inverse=True)
    told = [values[one >> 32].scaled(scalers[one & 0xFFFFFFFF]) for one in which.tolist()]
    made = [
        (np.nan, str(one.value)) if isinstance(one.value, str | bool) else (one.value, None) for one in told
    ]
    back = codes.reshape(-1)
    number[others] = np.array([np.nan if one is None else one for one, _ in made], np.float64)[back]
    text_codes[others] = np.array([texts.place(text) for _, text in made], np.int64)[back]
    unit_codes[others] = np.array([units.place(one.unit) for one in told], np.int64)[back]
    return ToldReadings(number, Coded(text_codes, texts.array()), Coded(unit_codes, units.array()))


def _is_simple(value: KeptValue) -> bool:
    """Whether it is a whole number that needs nothing but its attribute's scaler."""
    number = value.number
    return (
        isinstance(number, int)
        and -_WHOLE < number < _WHOLE
        and value.scaler_unit is None
        and value.told.value is None
    )


class _Terms:
    """Texts and their places; None has the place 0."""

    def __init__(self) -> None:
        self._places: dict[str | None, int] = {None: 0}

    def place(self, text: str | None) -> int:
        return self._places.setdefault(text, len(self._places))

    def array(self) -> Array:
        return object_array(list(self._places))


def _of_wpdu(name: str, form: ColumnForm, field: str) -> FleetColumn[ValueRows]:
    own = FIELDS[field]
    return FleetColumn(name, form, own.type, own.meaning, lambda rows: own.values(rows.wpdus), field)


def _results(rows: ValueRows) -> Values:
    result = rows.column("result").astype(np.int64)
    return np.where(result == 0, -1, result)


VALUES: FleetTable[ValueRows] = FleetTable(
    "values",
    "a value of an attribute that was read, written or pushed, or refused",
    (
        KEY,
        _of_wpdu("stream", ColumnForm.COUNT, "stream"),
        _of_wpdu("wpdu", ColumnForm.COUNT, "wpdu.number"),
        FleetColumn(
            "item",
            ColumnForm.CODE,
            Integer(),
            "Its place among those that the WPDU tells, from 0",
            lambda rows: rows.column("item"),
        ),
        _of_wpdu("time", ColumnForm.INSTANT, "wpdu.time"),
        FleetColumn(
            "meter",
            ColumnForm.TEXT,
            Text(),
            meant_as("meter"),
            lambda rows: rows.of_attribute(lambda one: one.device.meter),
            "meter",
        ),
        FleetColumn(
            "server_wport",
            ColumnForm.CODE,
            Integer(),
            meant_as("wport.server"),
            lambda rows: rows.of_attribute(lambda one: one.device.wport),
            "wport.server",
        ),
        FleetColumn(
            "class_id",
            ColumnForm.CODE,
            Integer(none=-1),
            meant_as("class"),
            lambda rows: rows.of_attribute(lambda one: one.class_id),
            "class",
        ),
        FleetColumn(
            "obis",
            ColumnForm.TEXT,
            Text(),
            meant_as("obis"),
            lambda rows: rows.of_attribute(lambda one: dotted(one.instance)),
            "obis",
        ),
        FleetColumn(
            "attribute",
            ColumnForm.CODE,
            Integer(),
            meant_as("attribute"),
            lambda rows: rows.of_attribute(lambda one: one.member),
            "attribute",
        ),
        FleetColumn(
            "how",
            ColumnForm.TEXT,
            Term(),
            "How it was told: read, written or pushed",
            lambda rows: words_of((how.word for how in How), rows.column("how")),
        ),
        FleetColumn(
            "result",
            ColumnForm.TEXT,
            Word(DATA_ACCESS_RESULTS, none=-1),
            "Why it was refused; none where it was not",
            _results,
        ),
        FleetColumn(
            "value",
            ColumnForm.DOUBLE,
            Quantity(),
            "The number, with the scaler that the meter told applied",
            lambda rows: rows.told.number,
        ),
        FleetColumn(
            "text",
            ColumnForm.TEXT,
            Text(),
            "What is no number, in words; of a secret only that it is one; none of what has elements",
            lambda rows: rows.told.text,
        ),
        FleetColumn("unit", ColumnForm.TEXT, Term(), meant_as("unit"), lambda rows: rows.told.unit, "unit"),
        _of_wpdu("packet", ColumnForm.COUNT, "frame.number"),
        _of_wpdu("file_offset", ColumnForm.NUMBER, "wpdu.offset"),
    ),
    lambda rows: rows.wpdus.wpdus("time"),
)
