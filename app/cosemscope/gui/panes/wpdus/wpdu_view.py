"""The table of WPDUs as people see and use it: columns, selection, keys, copying.

Selections are handled as ranges, so that a million selected rows cost as much as one.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QGuiApplication,
    QIcon,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from cosemscope.analysis.filter.offered_filters import filter_of_cell
from cosemscope.gui.base.task import Task, Tell
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import CellDelegate, paint_hint
from cosemscope.gui.look.hex_text import hex_dump, hex_stream
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.wpdus.column_looks import look_of
from cosemscope.gui.panes.wpdus.exchange_thread import (
    NO_THREAD,
    THREAD_WIDTH,
    ThreadSign,
    paint_thread,
    thread_of,
)
from cosemscope.gui.panes.wpdus.read_orders import ReadOrder, reading_task
from cosemscope.gui.panes.wpdus.row_copies import COPY_FORMS, copied_as
from cosemscope.gui.panes.wpdus.row_texts import CopiedRows, RowTexts
from cosemscope.gui.panes.wpdus.wpdu_header import WpduHeaderView
from cosemscope.gui.panes.wpdus.wpdu_model import WpduModel
from cosemscope.wording import count

#: Rows that are copied while somebody waits: a few hundredths of a second.
COPIED_AT_ONCE = 50


_NO_MODIFIER, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_KEYPAD = Qt.KeyboardModifier.KeypadModifier


class WpduView(QTableView, Pane):
    """The view. While `follows_tail`, new rows scroll it on as long as its end is in view."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._wishes = wishes
        self.wpdus = WpduModel(selection.filters, self)
        self._restoring = False
        self._copying: Task | None = None
        self.follows_tail = False
        self._at_tail = True
        self._hint = ""
        self.setModel(self.wpdus)
        self.setAccessibleName("WPDUs")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.header = WpduHeaderView(self.wpdus, self)
        self.setHorizontalHeader(self.header)
        self.header.countAsked.connect(wishes.countAsked)
        self.header.sortAsked.connect(self._sort)
        self._reading: Task | None = None
        self.header.setSortIndicatorShown(True)  # a table that does not sort by itself hides it
        self._delegate = CellDelegate(self)
        self._delegate.ink = self.wpdus.ink
        self._delegate.margin, self._delegate.margin_width = self._paint_margin, THREAD_WIDTH
        self._thread = NO_THREAD
        self.setItemDelegate(self._delegate)
        self._note_fields()
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self._set_up_rows()
        self.set_zoom(0)
        self.selectionModel().currentChanged.connect(self._tell)
        self.wpdus.modelAboutToBeReset.connect(self._remember)
        self.wpdus.modelReset.connect(self._restore)
        self.wpdus.rowsAboutToBeInserted.connect(self._note_tail)
        self.wpdus.rowsInserted.connect(self._keep_tail)
        self.wpdus.rowsChanged.connect(self.header.fit_growth)
        self.wpdus.modelReset.connect(self._note_fields)
        self.doubleClicked.connect(lambda _: wishes.counterpartAsked.emit())
        selection.rowSought.connect(self.select_row)
        selection.filtersChanged.connect(self.wpdus.filter_anew)
        selection.filtersChanged.connect(self._sort_again)
        selection.noted.connect(self._show_notes)
        selection.rowChanged.connect(self._show_thread)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture from its beginning, as it came."""
        if self._copying is not None:
            self._copying.cancel()
        self.wpdus.set_traffic(traffic)
        self.header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)

    def take_rows(self, total: int) -> None:
        """Show what is new."""
        self.wpdus.take_rows(total)

    def begin(self) -> None:
        """Make the first row current where none is: something to look at from the first moment."""
        if self.current_row < 0 and self.wpdus.rowCount():
            self.step(1)
            if self.follows_tail:
                self.scrollToBottom()

    def read_anew(self) -> None:
        """Make the info lines anew."""
        self.wpdus.forget_infos()
        self._sort_again()

    def show_completed(self, early: set[int]) -> None:
        """Make the cells of these rows that cost a look anew, where they are kept, and the rows' order."""
        self._show_thread(self._selection.row)
        self.wpdus.cells.settle_again(early)
        self.viewport().update()  # rows have the colours of what was opened
        if self.wpdus.order.sorted:
            self.wpdus.filter_anew()
        self._sort_again()

    def show_items(self, *, stopped: bool) -> None:
        """Make the cells of expert items anew, and the rows' order."""
        self.wpdus.forget_pages()
        if self.wpdus.order.sorted:
            self.wpdus.filter_anew()

    def _show_thread(self, row: int) -> None:
        """Join the WPDUs of the exchange that has become current."""
        thread = thread_of(self._selection.traffic, row) if row >= 0 else NO_THREAD
        if thread != self._thread:
            self._thread = thread
            self.viewport().update()

    def _paint_margin(self, painter: QPainter, rect: QRect, position: int, ink: QColor) -> None:
        sign = self._thread.sign(self.wpdus.row(position))
        if self.wpdus.order.sorted:  # other rows stand between: arrows without a line
            sign &= ThreadSign.ASKS | ThreadSign.ANSWERS
        if sign:
            paint_thread(painter, rect, sign, ink)

    def _show_notes(self) -> None:
        """Somebody has noted something: rows look otherwise, and relative times may count from elsewhere."""
        self.wpdus.forget_pages()
        self.viewport().update()

    def _set_up_rows(self) -> None:
        down = self.verticalHeader()
        down.hide()
        # Once and low: a least height above that of the rows is given to each row by itself, for minutes.
        down.setMinimumSectionSize(1)
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def set_hint(self, text: str) -> None:
        """What to say where there is no row: why there is none."""
        self._hint = text
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or words where there are none."""
        super().paintEvent(event)
        if self.hint:
            paint_hint(self.viewport(), self.hint)

    @property
    def hint(self) -> str:
        """What is said where there is no row, and what to do about it; "" where there are rows."""
        if self.wpdus.rowCount():
            return ""
        if self.wpdus.order.filters and self.wpdus.known:
            return "No WPDUs here.\n“Show all WPDUs” brings all of the capture back."
        return self._hint

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's, and the rows to fit."""
        font = theme.zoomed(QGuiApplication.font(), points)
        self.setFont(font)
        self.verticalHeader().setDefaultSectionSize(QFontMetrics(font).height() + 5)
        self.header.fit()

    def height_of(self, rows: int) -> int:
        """The height of the view, in pixels, in which so many rows are seen whole."""
        bars = self.header.sizeHint().height() + self.horizontalScrollBar().sizeHint().height()
        return bars + rows * self.verticalHeader().defaultSectionSize() + 2 * self.frameWidth()

    # Columns

    def fit_columns(self) -> None:
        """Give each column what its contents need, and the last what is left."""
        self.header.fit_columns()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self.header.fit()

    def arrangement(self) -> bytes:
        """Which columns there are, their order and widths; nothing where no person has changed them."""
        return self.header.arrangement()

    def restore(self, state: bytes) -> None:
        """Take back remembered columns."""
        self.header.restore(state)

    def _note_fields(self) -> None:
        """Columns of addresses, among others, lose their middles where there is little room."""
        looks = map(look_of, self.wpdus.fields)
        self._delegate.middle = frozenset(number for number, look in enumerate(looks) if look.middle)

    # The tail

    @property
    def at_tail(self) -> bool:
        """Whether the last row is in view."""
        bar = self.verticalScrollBar()
        return bar.value() >= bar.maximum()

    def _note_tail(self) -> None:
        self._at_tail = self.at_tail

    def _keep_tail(self) -> None:
        """Rows came to live traffic: stay at the end, unless a person has scrolled away from it."""
        if self.follows_tail and self._at_tail:
            self.scrollToBottom()

    # Selection

    @property
    def current_row(self) -> int:
        """The WPDU row that is current, -1 for none."""
        return self._selection.row

    def select_row(self, row: int) -> bool:
        """Make a WPDU row current and show it; False when it is not among the rows shown."""
        position = self.wpdus.position(row)
        if position < 0:
            return False
        index = self.wpdus.index(position, 0)
        self.selectionModel().setCurrentIndex(
            index,
            QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows,
        )
        self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)
        return True

    def step(self, by: int) -> None:
        """Move the current row `by` places; far steps end at the first or last row."""
        last = self.wpdus.rowCount() - 1
        if last < 0:
            return
        at = self.currentIndex().row() if self.currentIndex().isValid() else (-1 if by > 0 else last + 1)
        self.select_row(self.wpdus.row(min(last, max(0, at + by))))

    def selected_rows(self) -> list[range]:
        """The selected positions as ranges, in order; never a list of a million indexes."""
        ranges = [range(part.top(), part.bottom() + 1) for part in self.selectionModel().selection().toList()]
        return sorted(ranges, key=lambda part: part.start)

    def selected_row_numbers(self) -> npt.NDArray[np.int64]:
        """The WPDU rows that are selected, in the order shown, int64[n]."""
        parts = [self.wpdus.order.part(part.start, part.stop) for part in self.selected_rows()]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    def selectAll(self) -> None:
        """Select every row as one range."""
        if self.wpdus.rowCount():
            top = self.wpdus.index(0, 0)
            bottom = self.wpdus.index(self.wpdus.rowCount() - 1, self.wpdus.columnCount() - 1)
            selection = QItemSelection()
            selection.append(QItemSelectionRange(top, bottom))
            self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _tell(self, current: QModelIndex) -> None:
        if self._restoring:
            return
        self._selection.select(self.wpdus.row(current.row()) if current.isValid() else -1)

    def _remember(self) -> None:
        self._restoring = True

    def _restore(self) -> None:
        """After filter or order changed: the same WPDU stays current, or the first one where it is hidden."""
        self._restoring = False
        row = self.current_row
        if row < 0 or self.select_row(row):
            return
        if self.wpdus.rowCount():
            self.step(1)
        else:
            self._selection.select(-1)

    # Sorting

    def _sort(self, section: int, order: Qt.SortOrder) -> None:
        """Sort by a column; what is read out of each APDU is read in the background first."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if not self.wpdus.is_read(section):
            self.wpdus.sort(section, order)
            return
        rows = np.sort(self.wpdus.order.rows.astype(np.int64))
        task = self._reading = reading_task(self.wpdus.traffic, self.wpdus.fields[section], rows)
        task.ended.connect(lambda read: self._take_order(task, read, section, order))
        self._wishes.taskBegun.emit("Sorting", task)
        task.start()

    def _take_order(self, task: Task, read: ReadOrder | None, section: int, order: Qt.SortOrder) -> None:
        if task is not self._reading:
            return
        self._reading = None
        if read is None or read.trouble:
            self._wishes.said.emit(read.trouble if read is not None else "Sorting was stopped.")
            self.header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        else:
            down = order == Qt.SortOrder.DescendingOrder
            self.wpdus.sort_by_key(partial(read.key, descending=down), section, order)

    def _sort_again(self) -> None:
        """Other rows are shown, or more is known of them: read them, if the rows stand in such an order."""
        section, order = self.header.sortIndicatorSection(), self.header.sortIndicatorOrder()
        if self.wpdus.is_read(section):
            self._sort(section, order)

    # Copying

    def copy(self) -> None:
        """Put the selected rows on the clipboard as lines of text under the columns' titles.

        A page of them at once, more of them in the background.
        """
        self._copy(lambda texts: texts.lines)

    def copy_as(self, form: str) -> None:
        """The same in one of `COPY_FORMS`."""
        self._copy(lambda texts: partial(copied_as, form, texts))

    def _copy(self, maker: Callable[[RowTexts], Callable[[Tell], CopiedRows]]) -> None:
        parts = self.selected_rows()
        if not parts:
            return
        texts = self.wpdus.cells.row_texts(self.header.shown, parts)
        make = maker(texts)
        if len(texts.rows) <= COPIED_AT_ONCE:
            self._take_copy(make(lambda done, total: None))
            return
        if self._copying is not None:
            self._copying.cancel()
        task = self._copying = Task(make, self)
        task.ended.connect(lambda copied: self._end_copy(task, copied))
        self._wishes.taskBegun.emit("Copying rows", task)
        task.start()

    def _end_copy(self, task: Task, copied: CopiedRows | None) -> None:
        if task is self._copying:
            self._copying = None
            if copied is None:
                self._wishes.said.emit("Copying was stopped: the clipboard is as it was.")
            else:
                self._take_copy(copied)
        task.deleteLater()

    def _take_copy(self, copied: CopiedRows) -> None:
        if copied.trouble and not copied.rows:
            self._wishes.warned.emit(f"{count(copied.asked, 'row')} were not copied: {copied.trouble}.")
            return
        QGuiApplication.clipboard().setText(copied.text)
        if copied.trouble:
            self._wishes.warned.emit(
                f"The first {copied.rows:,} of {count(copied.asked, 'row')} were copied: {copied.trouble}."
            )
        else:
            self._wishes.said.emit(f"{count(copied.rows, 'row')} copied.")

    def copy_hex(self) -> None:
        """Put the current WPDU's octets on the clipboard as hexadecimal."""
        if self.current_row >= 0:
            QGuiApplication.clipboard().setText(hex_stream(self.wpdus.traffic.octets(self.current_row)))

    def copy_dump(self) -> None:
        """Put the current WPDU's octets on the clipboard as a hex dump."""
        if self.current_row >= 0:
            QGuiApplication.clipboard().setText(hex_dump(self.wpdus.traffic.octets(self.current_row)))

    def copy_apdu(self) -> None:
        """Put the octets after the current WPDU's header on the clipboard as hexadecimal."""
        if self.current_row >= 0:
            QGuiApplication.clipboard().setText(hex_stream(self.wpdus.traffic.apdu_octets(self.current_row)))

    def copy_plaintext(self) -> None:
        """Put the octets of the current WPDU's opened APDU on the clipboard as hexadecimal."""
        if self.current_row >= 0:
            plain = self.wpdus.traffic.plaintext(self.current_row)
            QGuiApplication.clipboard().setText(hex_stream(plain or b""))

    def copy_cell(self) -> None:
        """Put the text of the current cell on the clipboard."""
        index = self.currentIndex()
        if index.isValid():
            QGuiApplication.clipboard().setText(str(self.wpdus.data(index)))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; what can be read begins a display filter; everything else as tables do."""
        plain = event.modifiers() & ~(_SHIFT | _KEYPAD) == _NO_MODIFIER
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif plain and event.text().isprintable() and event.text().strip():
            self._wishes.filterBegun.emit(event.text())
        else:
            super().keyPressEvent(event)

    def menu_actions(self, menu: QMenu, row: int) -> None:
        """Fill a context menu for a WPDU row, which is the current one."""
        traffic = self.wpdus.traffic
        menu.addAction(icon("copy"), "Copy rows as text", self.copy)
        ways = menu.addMenu("Copy rows as")
        for form, kind in COPY_FORMS.items():
            ways.addAction(kind.title, partial(self.copy_as, form))
        menu.addAction(QIcon(), "Copy cell", self.copy_cell)
        menu.addAction(QIcon(), "Copy octets as hex stream", self.copy_hex)
        menu.addAction(QIcon(), "Copy octets as hex dump", self.copy_dump)
        menu.addAction(QIcon(), "Copy APDU as hex stream", self.copy_apdu)
        if traffic.plaintext(row) is not None:
            menu.addAction(QIcon(), "Copy decrypted APDU as hex stream", self.copy_plaintext)
        menu.addSeparator()
        add_filter_menus(menu, self._selection, self.filter_offers())
        menu.addAction("Follow session", lambda: self._wishes.followAsked.emit(traffic.pair(row)))
        menu.addAction(icon("wport"), "Show this session only", self._wishes.sessionAsked.emit)
        wanted = traffic.wanted_key(row)
        if wanted is not None:
            menu.addAction(icon("key"), wanted.order, lambda: self._wishes.addKeyAsked.emit(wanted))
        menu.addAction(
            icon("decode-as"), "Decode as…", lambda: self._wishes.decodeAsAsked.emit(traffic.stream(row))
        )

    def filter_offers(self) -> list[tuple[str, str]]:
        """The display filter of the current cell, with the title of its column; nothing without a cell."""
        index = self.currentIndex()
        if not index.isValid():
            return []
        field = self.wpdus.fields[index.column()]
        asked = self.wpdus.traffic.asked(np.array([self.wpdus.row(index.row())]))
        return [(field.title, filter_of_cell(field, asked))]

    def _open_menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        if not index.isValid():
            return
        menu = QMenu(self)
        self.menu_actions(menu, self.wpdus.row(index.row()))
        menu.exec(self.viewport().mapToGlobal(point))
        menu.deleteLater()

    def changeEvent(self, event: Any) -> None:
        """Follow the colour scheme."""
        if event.type() == event.Type.PaletteChange and hasattr(self, "wpdus"):
            self.wpdus.forget_colours()
        super().changeEvent(event)
