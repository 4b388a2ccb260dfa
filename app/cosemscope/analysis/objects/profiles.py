"""Profiles (class 7) as tables: the rows of all readings of a buffer under the names of its capture objects.

Buffers come by ranges, entries and blocks, and their capture objects perhaps in another
session. Rows with one time are one row, which later readings complete. null-data stands
for what the row before says, in the clock's column a capture period later (IEC 62056-6-2).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import inf
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.told_values import ToldValue
from cosemscope.analysis.objects.object_table import Attribute, LogicalDevice, ObjectView
from cosemscope.analysis.objects.object_values import kept
from cosemscope.analysis.objects.push_data import object_list
from cosemscope.analysis.objects.told_data import How, ToldData, elements
from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.names.blue_book import attribute_name
from cosemscope.apdu.names.texts import obis_text

PROFILE, BUFFER, CAPTURE_OBJECTS, CAPTURE_PERIOD = 7, 2, 3, 4
_CLOCK = (8, 2)
_BY_RANGE, _BY_ENTRY = 1, 2
_NOTHING = ToldValue()


class CaptureObject(NamedTuple):
    """A column: `reference` and data index (`element` of its value, 0: all) as the meter told them."""

    reference: Reference | None
    element: int
    title: str
    is_clock: bool = False


_Row = dict[CaptureObject, ToldValue]


class ProfileTable(NamedTuple):
    """A profile of one device; `rows` have a value for each column, in the order of time where it is told.

    `named`: its capture objects are known; `period`: capture period in seconds, 0 where it is not known.
    """

    device: LogicalDevice
    instance: bytes
    columns: tuple[CaptureObject, ...]
    rows: list[list[ToldValue]]
    named: bool
    period: int

    @property
    def titles(self) -> list[str]:
        """The heads of the columns: what is captured, and the unit that all its values have."""
        titles = []
        for place, column in enumerate(self.columns):
            units = {row[place].unit for row in self.rows if row[place].value is not None}
            unit = units.pop() if len(units) == 1 else None
            titles.append(f"{column.title} [{unit}]" if unit else column.title)
        return titles


def profiles(view: ObjectView) -> list[tuple[LogicalDevice, bytes]]:
    """The profiles whose buffers the capture tells of, in the order of the view."""
    buffers = ((one.device, one.instance) for one in view.attributes if _is(one, BUFFER))
    return list(dict.fromkeys(buffers))


def _is(attribute: Attribute, member: int) -> bool:
    return (attribute.class_id, attribute.member) == (PROFILE, member)


def profile_table(view: ObjectView, device: LogicalDevice, instance: bytes) -> ProfileTable:
    """The table of a profile. Raises CaptureError and OSError when octets cannot be read any more."""
    return _Profile(view, device, instance).table()


class _Profile:
    """Puts the readings of one buffer together."""

    def __init__(self, view: ObjectView, device: LogicalDevice, instance: bytes) -> None:
        self._view = view
        self._device = device
        self._instance = instance
        self._lists = [self._capture_objects(field) for field in self._fields(CAPTURE_OBJECTS)]
        periods = [field.value for field in self._fields(CAPTURE_PERIOD)]
        self._period = periods[-1] if periods and isinstance(periods[-1], int) else 0

    def table(self) -> ProfileTable:
        """All rows under all columns."""
        columns: dict[CaptureObject, int] = {}
        rows: dict[object, _Row] = {}
        for reading in self._readings(BUFFER).tolist():
            field = self._view.field(reading)
            for row in self._rows(field, reading) if field is not None else ():
                for column in row:
                    columns.setdefault(column, len(columns))
                rows.setdefault(_time_of(row) or tuple(row.items()), {}).update(row)
        order = sorted(columns, key=lambda column: self._place(column, columns))
        known = _in_time(list(rows.values()))
        return ProfileTable(
            self._device,
            self._instance,
            tuple(order),
            [[row.get(column, _NOTHING) for column in order] for row in known],
            all(column.reference is not None for column in order),
            self._period,
        )

    def _place(self, column: CaptureObject, columns: dict[CaptureObject, int]) -> tuple[int, int]:
        """Where a column stands: as in the meter's list, else as it came."""
        known = self._lists[-1] if self._lists else ()
        return (known.index(column) if column in known else len(known), columns[column])

    def _readings(self, member: int) -> npt.NDArray[np.int64]:
        """The readings of an attribute of the profile that have a value.

        Of all but the buffer they are those at any logical device of the meter.
        """
        view = self._view
        devices = [self._device] if member == BUFFER else view.devices[self._device.meter]
        places = [view.place(Attribute(device, PROFILE, self._instance, member)) for device in devices]
        found = [view.readings_of(place) for place in places if place is not None]
        rows = np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)
        return rows[view.readings["value"][rows] >= 0]

    def _fields(self, member: int) -> Iterator[Field]:
        for reading in self._readings(member).tolist():
            field = self._view.field(reading)
            if field is not None:
                yield field

    def _capture_objects(self, field: Field) -> tuple[CaptureObject, ...]:
        return tuple(_capture_object(element) for element in field.value or ())

    # --- the rows of one reading ---

    def _rows(self, field: Field, reading: int) -> Iterator[_Row]:
        """Each entry of a buffer by its columns; nulls are filled in."""
        columns: tuple[CaptureObject, ...] = ()
        before: _Row = {}
        for entry in elements(find(field, "array-contents") or field):
            cells = elements(entry)
            if len(columns) != len(cells):
                columns, before = self._columns(cells, reading), {}
            before = {
                column: self._value(column, cell, before.get(column, _NOTHING))
                for column, cell in zip(columns, cells, strict=True)
            }
            yield before

    def _value(self, column: CaptureObject, cell: Field, before: ToldValue) -> ToldValue:
        if cell.value is None:
            return _later(before, self._period) if column.is_clock else before
        if column.is_clock:
            told = moment(cell.value) if isinstance(cell.value, bytes) else None
            if told is not None:
                return ToldValue(str(told))
        reference = column.reference or Reference(0, b"", 0)
        value = kept(ToldData(reference, How.READ, cell))
        attribute = Attribute(self._device, reference.class_id, reference.instance, reference.member)
        return value.scaled(self._view.scaler_unit(attribute)) if value is not None else _NOTHING

    def _columns(self, cells: list[Field], reading: int) -> tuple[CaptureObject, ...]:
        """The columns of an entry: those asked for, else all that are captured, else numbers."""
        for known in (*reversed(self._lists), ()):
            chosen = self._chosen(known, reading)
            if len(chosen) == len(cells):
                return chosen
        return tuple(
            CaptureObject(None, 0, f"[{number}]", _is_moment(cell)) for number, cell in enumerate(cells, 1)
        )

    def _chosen(self, known: tuple[CaptureObject, ...], reading: int) -> tuple[CaptureObject, ...]:
        """The columns that a reading asked for, by the selective access of its request."""
        selector, parameters = self._selection(reading)
        if selector == _BY_RANGE and isinstance(parameters, tuple) and len(parameters) > 3 and parameters[3]:
            return tuple(_capture_object(element) for element in parameters[3])
        if selector == _BY_ENTRY and isinstance(parameters, tuple) and len(parameters) > 3:
            first, last = parameters[2:4]
            if isinstance(first, int) and isinstance(last, int) and first > 0:
                return known[first - 1 : last or None]
        return known

    def _selection(self, reading: int) -> tuple[object, object]:
        """Selector and parameters of the request behind a reading; (0, None) where nothing was selected."""
        view = self._view
        row, item = (int(view.readings[name][reading]) for name in ("wpdu", "item"))
        exchanges = view.analysis.pair()
        exchange = int(exchanges.of["exchange"][row])
        request = int(exchanges["whole_request"][exchange]) if exchange >= 0 else -1
        if request < 0:
            return 0, None
        plain = view.associations.look(request).plain
        selections = [one for one in walk(decode_apdu(plain).root) if one.name == "access-selection"]
        value = selections[item].value if item < len(selections) else None
        return value if isinstance(value, tuple) and len(value) == 2 else (0, None)


def _capture_object(element: object) -> CaptureObject:
    """The column of a capture object as its value has it: class, logical name, attribute, data index."""
    references = object_list((element,))
    if not references:
        return CaptureObject(None, 0, "?")
    reference = references[0]
    assert isinstance(element, tuple)
    part = element[3] if len(element) > 3 and isinstance(element[3], int) else 0
    title = obis_text(reference.instance)
    if reference.member != BUFFER:
        name = attribute_name(reference.class_id, reference.member) or f"attribute {reference.member}"
        title += f", {name}"
    title += f", element {part}" if part else ""
    return CaptureObject(reference, part, title, (reference.class_id, reference.member) == _CLOCK)


def _is_moment(cell: Field) -> bool:
    return isinstance(cell.value, bytes) and moment(cell.value) is not None


def _time_of(row: _Row) -> str | None:
    """The time of a row, as its clock's column has it; None where there is none."""
    return next((str(one.value) for column, one in row.items() if column.is_clock and one.value), None)


def _in_time(rows: list[_Row]) -> list[_Row]:
    """The rows by their times; one without a complete time stays behind the row that it came behind."""
    times, latest = [], -inf
    for row in rows:
        told = _parsed(_time_of(row))
        latest = told.timestamp() if told is not None else latest
        times.append(latest)
    return [rows[place] for place in sorted(range(len(rows)), key=times.__getitem__)]


def _parsed(text: str | None) -> datetime | None:
    try:
        told = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return told if told.tzinfo is not None else told.replace(tzinfo=UTC)


def _later(before: ToldValue, period: int) -> ToldValue:
    """The time a capture period (s) after another one; nothing where either is not known."""
    try:
        told = datetime.fromisoformat(str(before.value)) + timedelta(seconds=period)
    except (ValueError, OverflowError):
        return _NOTHING
    return ToldValue(str(told)) if period else _NOTHING
