"""The texts of the WPDU table's cells: a page at a time where they are columns, one row at a time where not.

Fields that cost a look or a tree are shown with what the row's own octets tell at once, and are completed a
moment later, those asked for last first, without keeping the window from its work.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QObject, QTimer, Signal

from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.gui.document.traffic import Line, Traffic
from cosemscope.gui.panes.row_order import RowOrder
from cosemscope.gui.panes.wpdus.row_texts import RowTexts
from cosemscope.wording import printable

#: Fields whose cells are made a page at a time.
_PAGED = (Cost.COLUMN, Cost.TREES)
#: Rows of a page, and pages that are kept.
_PAGE = 64
_KEPT_PAGES = 256
#: Rows whose looked-at cells are kept, and how many of those asked for last are completed.
KEPT_ROWS = 20_000
SETTLED_ROWS = 200
#: How long the window may be kept from other work to complete them.
SETTLE_SECONDS = 0.008


class _Told(NamedTuple):
    """What was made of a row by looking at it: its line, and the texts of the other fields by name."""

    line: Line
    texts: dict[str, str]


class WpduCells(QObject):
    """The cells of the rows that `order` shows. `settled` tells that looked-at cells have become complete."""

    changed = Signal()

    def __init__(self, order: RowOrder) -> None:
        super().__init__()
        self.time_format = "relative"
        self.places = 6
        self._order = order
        self._traffic = Traffic.empty()
        self._looked: tuple[RowField, ...] = ()
        self._pages: dict[tuple[str, int], list[str]] = {}
        self._told: dict[int, _Told] = {}
        self._unsettled: list[int] = []
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(10)
        self._settling.timeout.connect(self._settle)

    def set_traffic(self, traffic: Traffic) -> None:
        """The cells are those of another capture."""
        self._traffic = traffic
        self.forget()

    def set_fields(self, fields: tuple[RowField, ...]) -> None:
        """These are the columns."""
        self._looked = tuple(field for field in fields if field.cost not in _PAGED and field.name != "info")
        self.forget()

    def forget(self) -> None:
        """What cells say may have changed, as with other keys: make them anew."""
        self.forget_pages()
        self._told.clear()
        self._unsettled.clear()

    def forget_pages(self) -> None:
        """Rows stand in other places, or there are more of them."""
        self._pages.clear()

    def settle_again(self, rows: set[int]) -> None:
        """More is known of these rows than when their cells were completed."""
        again = [row for row in rows.difference(self._unsettled) if row in self._told]
        if len(again) > SETTLED_ROWS:
            self.forget()
            self.changed.emit()
        elif again:
            self._unsettled += again
            self._settling.start()

    @property
    def kept(self) -> int:
        """The number of rows that were looked at."""
        return len(self._told)

    @property
    def settled(self) -> bool:
        """Whether the cells that were asked for are complete."""
        return not self._unsettled

    def text(self, field: RowField, position: int) -> str:
        """The text of a field in the row shown at `position`, on one line."""
        if field.name == "wpdu.time":
            return self._time_text(position)
        if field.cost not in _PAGED:
            told = self._tell(self._order.row(position))
            return printable(told.line.text) if field.name == "info" else told.texts.get(field.name, "")
        number, place = divmod(position, _PAGE)
        page = self._pages.get((field.name, number))
        if page is None or place >= len(page):
            if len(self._pages) >= _KEPT_PAGES:
                self._pages.clear()
            rows = self._order.part(number * _PAGE, (number + 1) * _PAGE)
            page = self._pages[field.name, number] = self._lines(field, rows)
        return page[place]

    def line(self, row: int) -> Line:
        """What a row is about: at first from its own octets, a moment later with its association."""
        return self._tell(row).line

    def _time_text(self, position: int) -> str:
        """The time of the row shown at `position`, in the present format."""
        return self.row_texts((), [range(position, position + 1)]).times(slice(None))[0]

    def row_texts(self, fields: Sequence[RowField], parts: Sequence[range]) -> RowTexts:
        """The rows shown at these positions, to be told as text: as they stand now."""
        rows = [self._order.part(part.start, part.stop) for part in parts]
        before = [self._order.before(part.start, part.stop) for part in parts]
        nothing = np.zeros(0, np.int64)
        return RowTexts(
            self._traffic,
            tuple(fields),
            np.concatenate([nothing, *rows]),
            np.concatenate([nothing, *before]),
            self.time_format,
            self.places,
        )

    def _lines(self, field: RowField, rows: npt.NDArray[np.int64]) -> list[str]:
        return [printable(text) for text in field.texts(self._traffic.asked(rows))]

    def _tell(self, row: int) -> _Told:
        told = self._told.get(row)
        if told is None:
            if len(self._told) >= KEPT_ROWS:
                self._told.clear()
            told = self._told[row] = _Told(Line(self._traffic.outline(row)), {})
            self._unsettled.append(row)
            self._settling.start()
        return told

    def _settle(self) -> None:
        """Complete rows for some milliseconds, those asked for last first; then let the window work."""
        end = time.monotonic() + SETTLE_SECONDS
        changed = False
        for row in self._unsettled[:-SETTLED_ROWS]:
            self._told.pop(row, None)  # scrolled past: begins anew when it is seen again
        del self._unsettled[:-SETTLED_ROWS]
        while self._unsettled and time.monotonic() < end:
            row = self._unsettled.pop()
            asked = self._traffic.asked(np.array([row]))
            texts = {field.name: printable(field.texts(asked)[0]) for field in self._looked}
            told = _Told(self._traffic.info(row), texts)
            changed |= self._told.get(row) != told
            self._told[row] = told
        if changed:
            self.changed.emit()
        if self._unsettled:
            self._settling.start()
