"""What fields want to know of all exchanges of an analysis, worked out once until there is more traffic."""

from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.exchanges.statuses import SILENCE, ConnectionEnds, statuses
from cosemscope.capture.columns import Array

Numbers = npt.NDArray[np.int64]


class ExchangeFacts:
    """Facts of the exchanges as of now: how each ended, and its WPDU rows."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self.table = analysis.pair()
        self.of: Array = self.table.of["exchange"].copy()
        self.count = len(self.table)
        self._packets = len(analysis.packets)

    def is_current(self) -> bool:
        """Whether no traffic has come since."""
        analysis = self._analysis
        same = self.table is analysis.exchanges and len(self.of) == len(analysis.first_look)
        return same and self._packets == len(analysis.packets)

    @cached_property
    def statuses(self) -> npt.NDArray[np.uint8]:
        """The Status of each exchange, uint8[n]."""
        analysis = self._analysis
        ends = ConnectionEnds(analysis.packets, analysis.packet_streams, analysis.streams)
        last = int(analysis.packets["time"][-1]) if len(analysis.packets) else 0
        return statuses(self.table, analysis.wpdus, ends, last, SILENCE)

    @cached_property
    def _sorted(self) -> tuple[Numbers, Numbers]:
        """WPDU rows with the rows of each exchange together, and where those of each begin."""
        order = np.argsort(self.of, kind="stable")
        return order, np.searchsorted(self.of[order], np.arange(self.count + 1))

    def rows_of(self, exchanges: Numbers) -> tuple[Numbers, Numbers]:
        """Stops and values of `Several`: the WPDU rows of each of these exchanges, in their order."""
        order, starts = self._sorted
        counts = starts[exchanges + 1] - starts[exchanges]
        stops = np.cumsum(counts)
        within = np.arange(int(stops[-1]) if len(stops) else 0) - np.repeat(stops - counts, counts)
        return stops, order[np.repeat(starts[exchanges], counts) + within]


_KNOWN: WeakKeyDictionary[Analysis, ExchangeFacts] = WeakKeyDictionary()


def exchange_facts(analysis: Analysis) -> ExchangeFacts:
    """The facts of an analysis as of now."""
    known = _KNOWN.get(analysis)
    if known is None or not known.is_current():
        known = _KNOWN[analysis] = ExchangeFacts(analysis)
    return known
