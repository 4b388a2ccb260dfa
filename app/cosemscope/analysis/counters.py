"""Invocation counters over time: for each system title and key, which WPDU used which counter, what is odd.

Within one association `Look.notes` says it; here are all associations of a capture together, so that a
counter used again on another connection shows too. Columns of NumPy, ready for a graph or a table.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.association import Look


@dataclass(frozen=True, slots=True)
class CounterTimeline:
    """The counters of one system title and kind of key ("encryption", "broadcast", "dedicated"), in order.

    `rows` are WPDU rows. `step` is how far each counter is above the highest before it: 1 in order, more
    where counters are missing, 0 or less where one was used before or set back; the first has 1.
    """

    title: bytes
    kind: str
    rows: npt.NDArray[np.int64]
    counters: npt.NDArray[np.int64]
    step: npt.NDArray[np.int64]

    @property
    def replays(self) -> npt.NDArray[np.int64]:
        """The WPDU rows whose counter is not above those before it."""
        return self.rows[self.step <= 0]

    @property
    def gaps(self) -> npt.NDArray[np.int64]:
        """The WPDU rows before which counters are missing."""
        return self.rows[self.step > 1]


def counter_timelines(
    looks: Iterable[tuple[int, Look]], pairs: npt.NDArray[Any]
) -> tuple[CounterTimeline, ...]:
    """The timelines of WPDU rows and their looks, in the order in which they begin.

    `pairs` is the wPort pair of each row: dedicated keys are another key on each, the others are the same
    everywhere.
    """
    used: dict[tuple[bytes, str, int], tuple[list[int], list[int]]] = {}
    for row, look in looks:
        for use in look.counters:
            apart = int(pairs[row]) if use.kind == "dedicated" else -1
            rows, counters = used.setdefault((use.title, use.kind, apart), ([], []))
            rows.append(row)
            counters.append(use.counter)
    return tuple(
        _timeline(title, kind, rows, counters) for (title, kind, _), (rows, counters) in used.items()
    )


def _timeline(title: bytes, kind: str, rows: list[int], counters: list[int]) -> CounterTimeline:
    values = np.array(counters, np.int64)
    before = np.maximum.accumulate(values)[:-1]
    step = np.concatenate([np.ones(1, np.int64), values[1:] - before])
    return CounterTimeline(title, kind, np.array(rows, np.int64), values, step)
