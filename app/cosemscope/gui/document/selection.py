"""The view on a capture that panes watch: the current WPDU, the filters in force, the history.

The panes do not know each other. One that lets a person choose a WPDU goes to it here, one that restricts the
rows puts a named filter in force here, and all of them hear of either by a signal.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from cosemscope.gui.document.traffic import Traffic

#: A mask, bool[rows].
Mask = npt.NDArray[np.bool_]

#: Returns the mask of the rows wanted from `start` to `stop`.
Predicate = Callable[[int, int], Mask]

#: Rows kept in the history.
_REMEMBERED = 500


class Filters:
    """Predicates by name; a row is shown when it passes all of them."""

    def __init__(self) -> None:
        self._predicates: dict[str, Predicate] = {}

    def __bool__(self) -> bool:
        return bool(self._predicates)

    def __contains__(self, name: str) -> bool:
        return name in self._predicates

    def set(self, name: str, predicate: Predicate | None) -> bool:
        """Put `predicate` in force under `name` (None: take it away); False when that changes nothing."""
        before = self._predicates.pop(name, None)
        if predicate is not None:
            self._predicates[name] = predicate
        return before is not predicate

    def clear(self) -> frozenset[str]:
        """Take all away; return their names."""
        names = frozenset(self._predicates)
        self._predicates.clear()
        return names

    def without(self, name: str) -> Mapping[str, Predicate]:
        """All predicates but the one of that name."""
        return {other: predicate for other, predicate in self._predicates.items() if other != name}

    def matching(self, start: int, stop: int, without: str = "") -> Mask:
        """The mask, bool[stop - start], of the rows that pass all filters but the one named `without`."""
        mask = np.ones(stop - start, np.bool_)
        for predicate in self.without(without).values():
            mask &= predicate(start, stop)
        return mask


class History:
    """WPDU rows that were looked at, with a place in them, as in a web browser."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._at = -1

    def visit(self, row: int) -> None:
        """Remember `row` after the present place; what lay ahead is forgotten."""
        if self._at < 0 or self._rows[self._at] != row:
            self._rows[self._at + 1 :] = [row]
            del self._rows[:-_REMEMBERED]
            self._at = len(self._rows) - 1

    def move(self, by: int) -> int | None:
        """Go back (-1) or forward (1); the row there, or None at the end."""
        if not self.can_move(by):
            return None
        self._at += by
        return self._rows[self._at]

    def can_move(self, by: int) -> bool:
        """Whether there is something to go to."""
        return 0 <= self._at + by < len(self._rows)

    def clear(self) -> None:
        """Forget all."""
        self._rows, self._at = [], -1


class Selection(QObject):
    """The current WPDU row of a capture, the filters in force, and the rows looked at before.

    `rowChanged` gives the row that became current, -1 for none. `rowSought` gives a row that somebody went to
    and that is to be brought into view, perhaps the current one. `filtersChanged` gives the names of the
    filters that were set or taken away, frozenset[str]. A new capture begins with `rowChanged(-1)` alone.
    """

    rowChanged = Signal(int)
    rowSought = Signal(int)
    filtersChanged = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.traffic = Traffic.empty()
        self.filters = Filters()
        self.history = History()
        self._row = -1

    def set_traffic(self, traffic: Traffic) -> None:
        """Begin with another capture: no row, no filter, no history."""
        self.traffic = traffic
        self.filters.clear()
        self.history.clear()
        self._row = -1
        self.rowChanged.emit(-1)

    # The row

    @property
    def row(self) -> int:
        """The current WPDU row, -1 for none."""
        return self._row

    def select(self, row: int) -> None:
        """Make a row current that passes the filters, or none (-1)."""
        if row == self._row:
            return
        self._row = row
        if row >= 0:
            self.history.visit(row)
        self.rowChanged.emit(row)

    def go_to(self, row: int) -> bool:
        """Make a row current and bring it into view; filters that hide it give way. False: there is none."""
        if not 0 <= row < self.traffic.total:
            return False
        if not self.filters.matching(row, row + 1)[0]:
            self.show_all()
        self.select(row)
        self.rowSought.emit(row)
        return True

    def go_back(self) -> None:
        """Go to the WPDU looked at before."""
        self._go_in_history(-1)

    def go_forward(self) -> None:
        """Undo going back."""
        self._go_in_history(1)

    def _go_in_history(self, by: int) -> None:
        row = self.history.move(by)
        if row is not None:
            self.go_to(row)

    def go_previous_here(self) -> None:
        """Go to the WPDU before, of the same stream and wPort pair."""
        self.go_to(self.traffic.neighbour(self._row, -1))

    def go_next_here(self) -> None:
        """Go to the WPDU after, of the same stream and wPort pair."""
        self.go_to(self.traffic.neighbour(self._row, 1))

    # The filters

    def restrict(self, name: str, predicate: Predicate | None) -> None:
        """Show only rows that `predicate` wants, among those that pass the other filters (None: no more)."""
        if self.filters.set(name, predicate):
            self.filtersChanged.emit(frozenset((name,)))

    def show_all(self) -> None:
        """Take all filters away."""
        names = self.filters.clear()
        if names:
            self.filtersChanged.emit(names)
