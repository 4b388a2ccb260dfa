"""The time axis of the timing graph: distances of ticks that people count in, and a unit that suits them."""

import numpy as np
import pyqtgraph as pg

#: Distances of ticks in seconds, and the unit each is written in.
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_STEPS = (
    *(factor * 10.0**power for power in range(-7, 1) for factor in (1, 2, 5)),
    *(10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0),
    *(3600.0 * hours for hours in (1, 2, 3, 6, 12)),
    *(86400.0 * factor * 10**power for power in range(6) for factor in (1, 2, 5)),
)


def tick_text(seconds: float, step: float) -> str:
    """A time on the axis, in a unit that suits the distance of ticks: `2.5 s`, `1 h 15 min`."""
    if seconds == 0:
        return "0"
    if step >= 60 or abs(seconds) >= 600:
        sign, rest = ("-" if seconds < 0 else ""), abs(seconds)
        parts = []
        for size, unit in _UNITS[:4]:
            amount = int(rest / size + 1e-6) if unit != "s" else round(rest, 6)
            rest = max(0.0, rest - amount * size)
            if amount:
                parts.append(f"{amount:g} {unit}")
        return sign + (" ".join(parts) or "0")
    for size, unit in _UNITS[3:]:
        if abs(seconds) >= size * 0.9999 or unit == "µs":
            places = max(0, int(np.ceil(-np.log10(step / size) - 1e-9)))
            return f"{seconds / size:.{places}f} {unit}"
    raise AssertionError("unreachable")


class TimeAxis(pg.AxisItem):
    """A horizontal axis of seconds."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        """One distance of ticks, in seconds, so that their texts have room."""
        wanted = max(2.0, size / 110)
        step = next((step for step in _STEPS if (high - low) / step <= wanted), _STEPS[-1])
        return [(step, 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """The texts of ticks."""
        return [tick_text(value, spacing) for value in values]
