"""The session tree as people see and use it.

Selecting a node restricts the table to it; the first row, all traffic, takes the restriction away.
"""

import numpy as np
from PySide6.QtCore import QByteArray, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QStyleOptionViewItem,
    QTreeView,
    QWidget,
)

from cosemscope.analysis.sessions.session_tree import Peers, StreamSession, WPortPair
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import TreeDelegate, elided_halves, paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.sessions.session_model import BETWEEN, TITLES, DisplayedCounts, Item, SessionModel
from cosemscope.streams.tables.wpdu_table import Mark

_Index = QModelIndex | QPersistentModelIndex

#: The filter of the selected node.
SESSION = "session"

#: Pixels beside icon and label, and beside figures.
_LABEL_AIR, _FIGURE_AIR = 14, 12

#: Figures that are shown only where labels keep room, in the order in which they go: for this share of a
#: usual label.
_GIVE_WAY = ((TITLES.index("Start"), 0.9), (TITLES.index("Duration"), 0.9), (TITLES.index("Octets"), 0.7))
_USUAL_LABEL = "198.51.100.44 ↔ 198.51.100.157"

#: Branches are opened by themselves while the tree has no more streams than this.
_OPENED_STREAMS = 100


def filter_of(item: Item | None) -> str:
    """The display filter of an item's WPDUs; "" for all."""
    if isinstance(item, WPortPair):
        return f"session == {item.row}"
    if isinstance(item, StreamSession):
        return f"stream == {item.stream}"
    if not isinstance(item, Peers):
        return ""
    if item.client == item.server:
        return f"ip.src == {item.client} && ip.dst == {item.client}"
    return f"ip.addr == {item.client} && ip.addr == {item.server}"


class _Delegate(TreeDelegate):
    """Of two long addresses both ends are shown."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:
        super().initStyleOption(option, index)
        if index.column() == 0 and isinstance(index.internalPointer().item, Peers):
            room = option.rect.width() - option.decorationSize.width() - _LABEL_AIR
            option.text = elided_halves(option.text, BETWEEN, option.fontMetrics, room)


class SessionTree(QTreeView, Pane):
    """The view; the selected node is the filter named `SESSION`."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._wishes = wishes
        self.sessions = SessionModel(self)
        self.setModel(self.sessions)
        self.setAccessibleName("Sessions")
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setItemDelegate(_Delegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setExpandsOnDoubleClick(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        self._shown_branches = 0
        self._filling = False
        self._widths: dict[int, int] = {}
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(36)
        self.selectionModel().currentChanged.connect(self._restrict)
        selection.filtersChanged.connect(self._follow_filters)

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture."""
        self.sessions.set_traffic(traffic)
        self._shown_branches = 0

    def show_sessions(self, sessions: tuple[Peers, ...]) -> None:
        """Show the tree as it is now; keep what is open and selected."""
        streams = sum(len(peers.streams) for peers in sessions)
        branches = streams + sum(len(stream.wports) for peers in sessions for stream in peers.streams)
        self._filling = True
        self.sessions.show_sessions(sessions)
        if branches == self._shown_branches:
            pass  # what a person has closed stays closed
        elif streams <= _OPENED_STREAMS:
            self.expandAll()
        elif len(sessions) <= _OPENED_STREAMS:
            self.expandToDepth(0)
        self._shown_branches = branches
        if not self.currentIndex().isValid() and sessions:
            self.setCurrentIndex(self.sessions.index(0, 0))
        self._filling = False
        self._widen()

    def _restrict(self, current: QModelIndex) -> None:
        if self._filling:
            return
        item = self.sessions.item(current)
        self._selection.restrict(SESSION, filter_of(item))

    def take_rows(self, total: int) -> None:
        """Count what passes the filters anew, if there are any."""
        if self._selection.filters.but(SESSION):
            self._count_displayed()

    def _count_displayed(self) -> None:
        """Count what passes the filters of others by wPort pair."""
        selection, traffic = self._selection, self._selection.traffic
        displayed = None
        if selection.filters.but(SESSION):
            total = selection.filters.answered(traffic.total)
            whole = (traffic.wpdus["marks"][:total] & Mark.TRUNCATED) == 0
            passing = selection.filters.matching(0, total, without=SESSION) & whole
            pairs = traffic.wpdu_pairs["pair"][:total][passing]
            stream_of = traffic.pairs["stream"]
            displayed = DisplayedCounts(np.bincount(pairs, minlength=len(stream_of)), stream_of)
        self.sessions.displayed = displayed
        self._widen()
        self.viewport().update()

    def _follow_filters(self, names: frozenset[str]) -> None:
        """Select all traffic when the restriction to a node was taken away elsewhere."""
        self._count_displayed()
        if SESSION in names and SESSION not in self._selection.filters and self.sessions.rowCount():
            self.setCurrentIndex(self.sessions.index(0, 0))

    def stream_at(self, index: QModelIndex) -> int:
        """The stream that a row is, or belongs to; -1 for none."""
        streams = (item.stream for item in self.sessions.path(index) if isinstance(item, StreamSession))
        return next(streams, -1)

    def pair_at(self, index: QModelIndex) -> int:
        """The wPort pair that a row is, or the first one below it; -1 for none."""
        item = self.sessions.item(index)
        if isinstance(item, WPortPair):
            return item.row
        streams = (
            item.streams if isinstance(item, Peers) else [item] if isinstance(item, StreamSession) else []
        )
        return next((pair.row for stream in streams for pair in stream.wports), -1)

    @property
    def current_stream(self) -> int:
        """The stream of the selected row, -1 for none."""
        return self.stream_at(self.currentIndex())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The sessions, or words where there are none."""
        super().paintEvent(event)
        if not self.model().rowCount():
            paint_hint(self.viewport(), "No sessions yet: meters and their connections stand here.")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave some figures to the tool tips where labels would have no room."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        header = self.header()
        figures = range(1, len(TITLES))
        label = self.fontMetrics().horizontalAdvance(_USUAL_LABEL) + 2 * self.indentation() + _LABEL_AIR
        room = self.width() - sum(self._figure_width(column) for column in figures)
        for column, share in _GIVE_WAY:
            goes = room < share * label
            header.setSectionHidden(column, goes)
            if goes:
                room += self._figure_width(column)

    def _widen(self) -> None:
        """Give columns the room that the sums of all traffic need."""
        grown = False
        for column in range(1, len(TITLES)):
            text = str(self.sessions.data(self.sessions.index(0, column)) or "")
            needed = self.fontMetrics().horizontalAdvance(text) + _FIGURE_AIR
            if self._figure_width(column) < needed:
                self.header().setSectionHidden(column, False)
                self.header().resizeSection(column, needed)
                grown = True
        if grown:
            self._fit()

    def _figure_width(self, column: int) -> int:
        """Returns the width of a column of figures, for a hidden column the last one."""
        width = self.header().sectionSize(column)
        self._widths[column] = width or self._widths.get(column, 0)
        return self._widths[column]

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.setFont(theme.zoomed(QGuiApplication.font(), points))
        self._fit()

    def select_session(self, stream: int, pair: int) -> None:
        """Select a wPort pair of a stream, and so restrict the table to it."""
        index = self.sessions.find(stream, pair)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def arrangement(self) -> bytes:
        """Widths of the columns, to be remembered."""
        return bytes(self.header().saveState().data())

    def restore(self, state: bytes) -> None:
        """Take back remembered columns, or fit them."""
        header = self.header()
        self._widths.clear()
        for column in range(len(TITLES)):
            header.setSectionHidden(column, False)  # one that is hidden takes no width
        if not state or not header.restoreState(QByteArray(state)) or header.count() != len(TITLES):
            metrics = self.fontMetrics()
            for column, sample in enumerate(("", "00,000", "00.0 MiB", "00.0 min", "00.0 min")):
                if sample:
                    header.resizeSection(column, metrics.horizontalAdvance(sample) + _FIGURE_AIR)
        self._fit()

    # Hands

    def selected_text(self) -> str:
        """The current row as text: label and figures, separated by tabs."""
        index = self.currentIndex()
        cells = [index.siblingAtColumn(column) for column in range(len(TITLES))]
        return "\t".join(str(self.sessions.data(cell) or "") for cell in cells)

    def copy(self) -> None:
        """Put the current row on the clipboard."""
        QGuiApplication.clipboard().setText(self.selected_text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as trees do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _open_menu(self, point: QPoint) -> None:
        index = self.indexAt(point)
        menu = QMenu(self)
        number = self.stream_at(index)
        if number >= 0:
            menu.addAction(icon("decode-as"), "Decode as…", lambda: self._wishes.decodeAsAsked.emit(number))
            menu.addSeparator()
        pair = self.pair_at(index)
        if pair >= 0:
            menu.addAction("Follow session", lambda: self._wishes.followAsked.emit(pair))
        text = filter_of(self.sessions.item(index))
        add_filter_menus(menu, self._selection, [("", text)] if text else [])
        if index.isValid():
            menu.addAction(icon("copy"), "Copy", self.copy)
        menu.addAction(icon("expand"), "Expand all", self.expandAll)
        menu.addAction(icon("collapse"), "Collapse all", self.collapseAll)
        menu.exec(self.viewport().mapToGlobal(point))
        menu.deleteLater()
