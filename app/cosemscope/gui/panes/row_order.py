"""The rows shown in a table and their order, as arrays of row numbers, without Qt.

Which rows are shown the filters say; order is a stable sort by one key. Rows that
come in while a capture is read are tested alone and join at the end, unless the
rows are sorted: then they are sorted anew, and no oftener than its cost allows.
"""

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cosemscope.gui.document.conditions import Filters

Rows = npt.NDArray[np.uint32]

#: Gives the sort key of the rows from 0 to `stop`.
Key = Callable[[int], npt.NDArray[np.generic]]

#: A sort of growing rows is repeated when this many times its own duration has passed.
SORT_PATIENCE = 10


def stable_order(key: npt.NDArray[np.generic], descending: bool) -> npt.NDArray[np.intp]:
    """Returns the positions that sort `key`, intp[len(key)]; equal keys keep their order, up and down."""
    if key.dtype.itemsize > 2 and key.dtype.kind == "u" and len(key) and key.max() <= 0xFFFF:
        key = key.astype(np.uint16)  # those are sorted by counting
    if not descending:
        return np.argsort(key, kind="stable")
    return len(key) - 1 - np.argsort(key[::-1], kind="stable")[::-1]


class RowOrder:
    """The row numbers to show, out of rows 0 to `total`: those that pass `filters`."""

    def __init__(self, filters: Filters) -> None:
        self.filters = filters
        self.clear()

    def clear(self) -> None:
        """Forget rows and order."""
        self.total = 0
        self._key: Key | None = None
        self._descending = False
        self._rows: Rows | None = None  # None: all of them, as they come
        self._displayed: Rows | None = None  # the same rows, in the order of the capture
        self._next_sort = 0.0

    def __len__(self) -> int:
        return self.total if self._rows is None else len(self._rows)

    @property
    def rows(self) -> Rows:
        """The row numbers shown, uint32[n], in their order."""
        return np.arange(self.total, dtype=np.uint32) if self._rows is None else self._rows

    @property
    def sorted(self) -> bool:
        """Whether rows stand in another order than they came."""
        return self._key is not None

    def row(self, position: int) -> int:
        """The row number shown at `position`."""
        return position if self._rows is None else self._rows.item(position)

    def part(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The row numbers shown from `start` up to `stop`, as far as there are any, int64."""
        if self._rows is None:
            return np.arange(start, min(stop, self.total))
        return self._rows[start:stop].astype(np.int64)

    def before(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """The rows displayed before those shown from `start` up to `stop`, in the order of the capture.

        int64, -1 where there is none; however the rows are sorted.
        """
        rows = self.part(start, stop)
        if self._displayed is None:
            return rows - 1
        places = np.searchsorted(self._displayed, rows) - 1
        return np.where(places >= 0, self._displayed[np.maximum(places, 0)].astype(np.int64), -1)

    def position(self, row: int) -> int:
        """Returns the position at which `row` is shown, -1 for none."""
        if not 0 <= row < self.total:
            return -1
        if self._rows is None:
            return row
        if self._key is None:  # ascending row numbers
            place = int(np.searchsorted(self._rows, row))
            return place if place < len(self._rows) and self._rows.item(place) == row else -1
        found = np.flatnonzero(self._rows == row)
        return int(found[0]) if len(found) else -1

    def set_order(self, key: Key | None, descending: bool = False) -> None:
        """Sort by `key` (None: as the rows came, or backwards)."""
        if key is None and descending:
            key, descending = (lambda stop: np.arange(stop, dtype=np.uint32)), True
        self._key, self._descending = key, descending
        self.rebuild()

    def grow(self, total: int) -> tuple[int, Rows | None]:
        """Take in rows up to `total`, without changing anything yet.

        Returns the number of rows to be shown at the end, and their row numbers, uint32[n], for
        `commit`, None for all. When rows are sorted nothing joins at the end: call `due` and `rebuild`.
        """
        if not self.filters:
            return total - self.total, None
        fresh = np.flatnonzero(self.filters.matching(self.total, total)).astype(np.uint32) + np.uint32(
            self.total
        )
        return len(fresh), fresh

    def commit(self, total: int, fresh: Rows | None) -> None:
        """Take over what `grow` has found."""
        self.total = total
        if fresh is not None:
            self._rows = fresh if self._rows is None else np.concatenate((self._rows, fresh))
            self._displayed = self._rows

    def due(self, now: float) -> bool:
        """Whether sorted rows that grew may be sorted again at `now` (seconds, monotonic)."""
        return now >= self._next_sort

    def rebuild(self, total: int | None = None) -> None:
        """Work all rows out anew, up to `total` if given."""
        began = time.monotonic()
        if total is not None:
            self.total = total
        rows: Rows | None = None
        if self.filters:
            rows = np.flatnonzero(self.filters.matching(0, self.total)).astype(np.uint32)
        self._displayed = rows
        if self._key is not None:
            key = self._key(self.total)
            order = stable_order(key if rows is None else key[rows], self._descending)
            rows = order.astype(np.uint32) if rows is None else rows[order]
        self._rows = rows
        now = time.monotonic()
        self._next_sort = now + SORT_PATIENCE * (now - began)
