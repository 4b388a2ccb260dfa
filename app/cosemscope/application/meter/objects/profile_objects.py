"""Profiles (class 7): a year of quarters of an hour, made when asked for, and the log of events.

A profile is encoded column by column for all its entries at once: each column has a fixed number of octets.
Selective access by range of the clock (selector 1) and by entries (selector 2), with selected columns.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_codecs import write_count
from cosemscope.application.encoding.service_parts import SelectiveAccess
from cosemscope.application.meter.objects.clock_object import MeterClock, seconds_of
from cosemscope.application.meter.objects.cosem_object import (
    OUT_OF_SCOPE,
    UNMATCHED_TYPE,
    CosemObject,
    EncodedData,
    RefusedAccess,
    expect,
    expect_structure,
    logical_name,
)
from cosemscope.application.meter.objects.simulated_load import INSTALLED, PERIOD, SimulatedLoad

#: Entries of a year.
YEAR = 365 * 96
_MOST_EVENTS = 500
Times = NDArray[np.float64]
Octets = NDArray[np.uint8]


class ProfileColumn(NamedTuple):
    """A captured attribute; `encode` makes the entries' octets, one row each, of their times and numbers."""

    class_id: int
    name: str
    member: int
    encode: Callable[[Times, NDArray[np.int64]], Octets]

    @property
    def definition(self) -> Data:
        """The capture object definition."""
        name = d.octet_string(logical_name(self.name))
        return d.structure(d.long_unsigned(self.class_id), name, d.integer(self.member), d.long_unsigned(0))


def _columns_of(*parts: Octets) -> Octets:
    return np.concatenate(parts, axis=1)


def _constant(size: int, *octets: int) -> Octets:
    return np.broadcast_to(np.array(octets, np.uint8), (size, len(octets)))


def _numbers(values: Any, tag: int, dtype: str) -> Octets:
    """Numbers with their tag: `dtype` is big endian."""
    found = np.ascontiguousarray(np.asarray(values).astype(dtype))
    return _columns_of(_constant(len(found), tag), found.view(np.uint8).reshape(len(found), -1))


def encode_times(times: Times, _: NDArray[np.int64]) -> Octets:
    """Octet-strings of date-times in UTC."""
    seconds = times.astype(np.int64)
    days = seconds // 86_400
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    clock = seconds % 86_400
    small = [month, day, (days + 3) % 7 + 1, clock // 3600, clock // 60 % 60, clock % 60]
    return _columns_of(
        _constant(len(times), 9, 12),
        np.ascontiguousarray(years.astype(">u2")).view(np.uint8).reshape(-1, 2),
        np.stack(small, axis=1).astype(np.uint8),
        _constant(len(times), 0, 0, 0, 0),
    )


CLOCK_COLUMN = ProfileColumn(8, "0.0.1.0.0.255", 2, encode_times)


class Profile(ABC):
    """Entries of fixed columns; subclasses say their times, oldest first."""

    def __init__(self, name: str, columns: Sequence[ProfileColumn], *, period: int, most: int) -> None:
        self.name, self.columns, self.period, self.most = name, tuple(columns), period, most

    @abstractmethod
    def times(self, now: float) -> Times:
        """The times of the entries, oldest first; ascending as far as the clock was not set back."""

    def object(self) -> CosemObject:
        """The profile as an object."""
        return CosemObject(
            7,
            1,
            self.name,
            {
                2: lambda now: self._entries(self.times(now), None, self.columns),
                3: d.array(column.definition for column in self.columns),
                4: d.double_long_unsigned(self.period),
                5: d.enum(1),
                6: CLOCK_COLUMN.definition,
                7: lambda now: d.double_long_unsigned(len(self.times(now))),
                8: d.double_long_unsigned(self.most),
            },
            selects={2: self._select},
        )

    def _entries(
        self, times: Times, rows: NDArray[np.int64] | None, columns: Sequence[ProfileColumn]
    ) -> EncodedData:
        chosen = np.arange(len(times)) if rows is None else rows
        out = bytearray(b"\x01")
        write_count(out, len(chosen))
        if len(chosen):
            parts = [column.encode(times[chosen], chosen) for column in columns]
            out += _columns_of(_constant(len(chosen), 2, len(columns)), *parts).tobytes()
        return EncodedData(bytes(out))

    def _select(self, now: float, selection: SelectiveAccess) -> EncodedData:
        times = self.times(now)
        by = {1: self._by_range, 2: self._by_entry}.get(selection.selector)
        if by is None:
            raise RefusedAccess(OUT_OF_SCOPE)
        return self._entries(times, *by(times, selection.parameters))

    def _by_range(self, times: Times, parameters: Data) -> tuple[NDArray[np.int64], Sequence[ProfileColumn]]:
        restricting, first, last, selected = expect_structure(parameters, 4)
        column = self._column(restricting)
        if column.class_id != 8:
            raise RefusedAccess(OUT_OF_SCOPE)
        since, until = (seconds_of(expect(each, 9, 25).value) for each in (first, last))
        if since is None or until is None:
            raise RefusedAccess(UNMATCHED_TYPE)
        chosen = [self._column(each) for each in expect(selected, 1).value]
        rows = np.flatnonzero((times >= since) & (times <= until))
        return rows, tuple(chosen) or self.columns

    def _column(self, definition: Data) -> ProfileColumn:
        class_id, name, member, _ = (each.value for each in expect_structure(definition, 4))
        for column in self.columns:
            if (column.class_id, logical_name(column.name), column.member) == (class_id, name, member):
                return column
        raise RefusedAccess(OUT_OF_SCOPE)

    def _by_entry(self, times: Times, parameters: Data) -> tuple[NDArray[np.int64], Sequence[ProfileColumn]]:
        elements = expect_structure(parameters, 4)
        first, last, left, right = (expect(each, 6, 18).value for each in elements)
        if not first or (last and last < first) or not left or (right and right < left):
            raise RefusedAccess(OUT_OF_SCOPE)
        size = len(times)
        rows = np.arange(min(first - 1, size), min(last or size, size), dtype=np.int64)
        columns = self.columns[left - 1 : right or None]
        if not columns:
            raise RefusedAccess(OUT_OF_SCOPE)
        return rows, columns


class LoadProfile(Profile):
    """A year of quarters of an hour of a simulated load."""

    def __init__(self, clock: MeterClock, load: SimulatedLoad) -> None:
        columns = (
            CLOCK_COLUMN,
            ProfileColumn(1, "0.0.96.10.1.255", 2, lambda times, _: _constant(len(times), 17, 0)),
            ProfileColumn(3, "1.0.1.8.0.255", 2, lambda times, _: _numbers(load.imported(times), 6, ">u4")),
            ProfileColumn(3, "1.0.2.8.0.255", 2, lambda times, _: _numbers(load.exported(times), 6, ">u4")),
            ProfileColumn(3, "1.0.32.7.0.255", 2, lambda times, _: _numbers(load.voltage(times), 18, ">u2")),
        )
        super().__init__("1.0.99.1.0.255", columns, period=int(PERIOD), most=YEAR)
        self._clock = clock

    def times(self, now: float) -> Times:
        """The ends of the quarters of an hour."""
        last = self._clock.time(now) // PERIOD
        first = max(last - YEAR + 1, INSTALLED // PERIOD + 1)
        return np.arange(first, last + 1) * PERIOD


class EventLog(Profile):
    """What happened to the meter: the times and the numbers of events."""

    POWER_UP, CLOCK_SET, IMAGE_ACTIVATED = 2, 4, 18
    ASSOCIATION_REFUSED, KEY_CHANGED = 46, 48
    DISCONNECTED, RECONNECTED = 60, 61

    def __init__(self, clock: MeterClock) -> None:
        codes = ProfileColumn(1, "0.0.96.11.0.255", 2, self._codes)
        super().__init__("0.0.99.98.0.255", (CLOCK_COLUMN, codes), period=0, most=_MOST_EVENTS)
        self._clock = clock
        self._events: deque[tuple[float, int]] = deque(maxlen=_MOST_EVENTS)

    @property
    def last(self) -> int:
        """The number of the last event, 0 for none."""
        return self._events[-1][1] if self._events else 0

    def note(self, now: float, code: int) -> None:
        """An event happened."""
        self._events.append((float(int(self._clock.time(now))), code))

    def times(self, now: float) -> Times:
        """When the events happened."""
        return np.array([time for time, _ in self._events], np.float64)

    def _codes(self, times: Times, rows: NDArray[np.int64]) -> Octets:
        return _numbers(np.array([code for _, code in self._events], np.int64)[rows], 17, ">u1")
