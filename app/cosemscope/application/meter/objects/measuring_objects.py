"""Registers that move: classes 3, 4 and 5 over a simulated load, and plain values of class 1."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cosemscope.application.encoding import data_values as d
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.meter.objects.clock_object import MeterClock, date_time_of
from cosemscope.application.meter.objects.cosem_object import PUBLIC, READER, CosemObject, Write
from cosemscope.application.meter.objects.simulated_load import INSTALLED, PERIOD, SimulatedLoad

WH, VARH, W, V, A, HZ, M3 = 30, 32, 27, 35, 33, 44, 13
_MONTH = 30 * 96


def scaler_unit(scaler: int, unit: int) -> Data:
    """Attribute scaler_unit."""
    return d.structure(d.integer(scaler), d.enum(unit))


def data_object(name: str, value: Data, *, level: int = READER, write: Write | None = None) -> CosemObject:
    """A value that stays as it is (class 1)."""
    return CosemObject(1, 0, name, {2: value}, writes={2: write} if write else None, level=level)


class Registers:
    """The registers of one meter, over its clock and its load."""

    def __init__(self, clock: MeterClock, load: SimulatedLoad) -> None:
        self._clock, self._load = clock, load

    def all(self) -> tuple[CosemObject, ...]:
        """Energies, power, voltage, current, frequency, the month's highest demand, the demand now."""
        load, energy = self._load, d.double_long_unsigned
        return (
            self._register("1.0.1.8.0.255", load.imported, energy, 0, WH, level=PUBLIC),
            self._register("1.0.2.8.0.255", load.exported, energy, 0, WH),
            self._register("1.0.3.8.0.255", load.reactive, energy, 0, VARH),
            self._register("1.0.1.7.0.255", load.power, d.double_long_unsigned, 0, W),
            self._register("1.0.32.7.0.255", load.voltage, d.long_unsigned, -1, V),
            self._register("1.0.31.7.0.255", load.current, d.long_unsigned, -2, A),
            self._register("1.0.14.7.0.255", load.frequency, d.long_unsigned, -2, HZ),
            self._maximum("1.0.1.6.0.255"),
            self._demand("1.0.1.4.0.255"),
        )

    def volume(self) -> CosemObject:
        """The volume of a second device that measures gas: a tenth of a litre for each Wh."""
        load = self._load
        return self._register(
            "7.0.3.0.0.255",
            lambda at: load.imported(at) / 10,
            d.double_long_unsigned,
            -3,
            M3,
            level=PUBLIC,
        )

    def _register(
        self,
        name: str,
        measure: Callable[[Any], Any],
        make: Callable[[int], Data],
        scaler: int,
        unit: int,
        level: int = READER,
    ) -> CosemObject:
        def value(now: float) -> Data:
            return make(max(int(measure(self._clock.time(now))), 0))  # a clock may stand before the meter

        return CosemObject(3, 0, name, {2: value, 3: scaler_unit(scaler, unit)}, level=level)

    def _maximum(self, name: str) -> CosemObject:
        """The highest demand of the last 30 days, with its time (class 4)."""

        def highest(now: float) -> tuple[int, float]:
            last = self._clock.time(now) // PERIOD * PERIOD
            ends = last - PERIOD * np.arange(_MONTH)
            demands = self._load.demand(ends[ends > INSTALLED])
            if not len(demands):
                return 0, INSTALLED
            place = int(np.argmax(demands))
            return int(demands[place]), float(ends[place])

        return CosemObject(
            4,
            0,
            name,
            {
                2: lambda now: d.double_long_unsigned(highest(now)[0]),
                3: scaler_unit(0, W),
                4: d.unsigned(0),
                5: lambda now: d.octet_string(date_time_of(highest(now)[1])),
            },
        )

    def _demand(self, name: str) -> CosemObject:
        """The average power of this quarter of an hour so far, and of the last one (class 5)."""

        def begun(now: float) -> float:
            return self._clock.time(now) // PERIOD * PERIOD

        def current(now: float) -> Data:
            start, at = begun(now), self._clock.time(now)
            seconds = max(at - start, 1.0)
            watts = (self._load.imported(start + seconds) - self._load.imported(start)) * 3600 / seconds
            return d.double_long_unsigned(max(int(watts), 0))

        return CosemObject(
            5,
            0,
            name,
            {
                2: current,
                3: lambda now: d.double_long_unsigned(int(self._load.demand(begun(now)))),
                4: scaler_unit(0, W),
                5: d.unsigned(0),
                6: lambda now: d.octet_string(date_time_of(begun(now))),
                7: lambda now: d.octet_string(date_time_of(begun(now))),
                8: d.double_long_unsigned(int(PERIOD)),
                9: d.long_unsigned(1),
            },
        )
