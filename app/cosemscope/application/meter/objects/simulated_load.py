"""A simulated house: power and energy at any time, as closed formulas, so that a year costs no memory.

Power swings by the day and by the hour around a base; energy is its integral since the meter was installed.
All functions take seconds since 1970 (UTC), as a number or as float64 arrays of any shape.
"""

from typing import Any, NamedTuple

import numpy as np

#: When the meter was installed: 1 January 2020.
INSTALLED = 1_577_836_800.0
PERIOD = 900.0
_DAY, _SWING = 86_400.0, 5_400.0
_TURN = 2 * np.pi


class SimulatedLoad(NamedTuple):
    """The house of one meter; `seed` makes it differ from its neighbours'."""

    seed: int = 0

    @property
    def _scale(self) -> float:
        return 1.0 + self.seed % 97 / 97

    @property
    def _phase(self) -> float:
        return (self.seed % 53) / 53 * _TURN

    def power(self, at: Any) -> Any:
        """Active power taken from the grid, in W."""
        slow = 260 * np.cos(_TURN * at / _DAY + self._phase)
        return self._scale * (520 - slow + 180 * np.cos(_TURN * at / _SWING + self._phase))

    def imported(self, at: Any) -> Any:
        """Active energy taken from the grid since the installation, in Wh."""
        return self._scale * (self._integral(at) - self._integral(INSTALLED)) / 3600

    def _integral(self, at: Any) -> Any:
        slow = 260 * _DAY / _TURN * np.sin(_TURN * at / _DAY + self._phase)
        return 520 * at - slow + 180 * _SWING / _TURN * np.sin(_TURN * at / _SWING + self._phase)

    def exported(self, at: Any) -> Any:
        """Active energy given to the grid since the installation, in Wh."""
        return self._scale * (self._sun(at) - self._sun(INSTALLED)) / 3600

    def _sun(self, at: Any) -> Any:
        return 150 * at - 150 * _DAY / _TURN * np.sin(_TURN * at / _DAY)

    def reactive(self, at: Any) -> Any:
        """Reactive energy taken from the grid since the installation, in varh."""
        return self.imported(at) / 7

    def voltage(self, at: Any) -> Any:
        """Voltage of the first phase, in 0.1 V."""
        return 2300 + 25 * np.sin(_TURN * at / 1_200 + self._phase)

    def current(self, at: Any) -> Any:
        """Current of the first phase, in 0.01 A."""
        return self.power(at) / self.voltage(at) * 1_000

    def frequency(self, at: Any) -> Any:
        """Frequency of the grid, in 0.01 Hz."""
        return 5_000 + 3 * np.sin(_TURN * at / 300)

    def demand(self, ends: Any) -> Any:
        """The average power of the quarters of an hour that end at these times, in W."""
        return (self.imported(ends) - self.imported(ends - PERIOD)) * 3600 / PERIOD
