"""Searching for the first of some rows that passes a display filter, in the background and bit by bit."""

import threading
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, Signal

from cosemscope.analysis.filter.display_filter import DisplayFilter
from cosemscope.capture.cancelling import Cancelled, look_at
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.background import in_background
from cosemscope.gui.document.asking import beside
from cosemscope.gui.document.traffic import Traffic

#: Rows that are asked first, and at most at once: a hit nearby is told at once.
_FIRST, _MOST = 256, 1 << 16


class Hit(NamedTuple):
    """What a search came to: a row, -1 for none, and its place among the rows; or why it failed."""

    row: int = -1
    place: int = -1
    failure: str = ""


class Search(QObject):
    """One search at a time. `ended` gives its `Hit`; of one that was given up nothing is told."""

    ended = Signal(object)
    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._unwanted = threading.Event()
        self._running = False
        self._came.connect(self._take)

    @property
    def running(self) -> bool:
        """Whether a search goes on."""
        return self._running

    def find(self, display: DisplayFilter, traffic: Traffic, rows: npt.NDArray[np.int64]) -> None:
        """Look for the first of `rows`, in their order, that passes; another search is given up."""
        self.cancel()
        unwanted = self._unwanted = threading.Event()
        self._running = True
        in_background(lambda: (unwanted, _first(display, traffic, rows, unwanted)), self._came)

    def cancel(self) -> None:
        """Give up the search, if one goes on."""
        self._unwanted.set()
        self._running = False

    def _take(self, came: tuple[threading.Event, Hit]) -> None:
        unwanted, hit = came
        if not unwanted.is_set():
            self._running = False
            self.ended.emit(hit)


def _first(
    display: DisplayFilter, traffic: Traffic, rows: npt.NDArray[np.int64], unwanted: threading.Event
) -> Hit:
    """The first of `rows` that passes."""
    associations = beside(traffic.associations)
    start, size = 0, _FIRST
    try:
        while start < len(rows):
            part = rows[start : start + size]
            look = look_at(unwanted.is_set)
            passed = display.rows(traffic.analysis, part, associations=associations, look=look)
            if len(passed):
                row = int(passed[0])
                return Hit(row, start + int(np.flatnonzero(part == row)[0]))
            start, size = start + size, min(2 * size, _MOST)
    except Cancelled:
        return Hit()
    except (CaptureError, OSError) as error:
        return Hit(failure=f"The capture cannot be searched: {error}")
    return Hit()
