"""The pane of expert information: what is wrong or remarkable, by severity and kind, open to single items.

An item that is selected makes its WPDU the current one, or the WPDU next to its packet; the other way round
the pane marks an item of the WPDU that has become current.
"""

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.filter.language.filter_words import quoted
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import TreeDelegate, paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.look.severity_buttons import SeverityButtons
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.expert.expert_model import (
    ABOUT,
    CLAUSE,
    COUNT,
    ITEM,
    PACKET,
    TITLES,
    WPDU,
    ExpertModel,
)
from cosemscope.gui.panes.expert.item_groups import ItemGroups, counts_by_severity
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.wording import count

#: Texts as wide as the columns should be, beside that of the items, and pixels of air.
_SAMPLES = {
    ABOUT: "association",
    COUNT: "000,000",
    WPDU: "000,000",
    PACKET: "0,000,000",
    CLAUSE: "IEC 62056-4-7, 5.3.1.1",
}
_AIR = 14
#: Columns that are shown only where items keep the room of this one, in the order in which they go.
_GIVE_WAY = (CLAUSE, ABOUT)
_LEAST_ITEM = "Expected the tag of an APDU at offset 8, found 0x00"


class ExpertTree(QTreeView):
    """The tree of kinds and items, with a hint where there are none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.items = ExpertModel(self)
        self.hint = ""
        self.setModel(self.items)
        self.setAccessibleName("Expert information")
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setItemDelegate(TreeDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(ITEM, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(36)
        self.fit()

    def fit(self) -> None:
        """Give each column its usual width, and leave some out where items would have no room."""
        metrics, header = self.fontMetrics(), self.header()
        widths = {column: metrics.horizontalAdvance(text) + _AIR for column, text in _SAMPLES.items()}
        room = self.width() - sum(widths.values())
        least = metrics.horizontalAdvance(_LEAST_ITEM)
        for column, width in widths.items():
            header.resizeSection(column, width)
        for column in _GIVE_WAY:
            goes = room < least
            header.setSectionHidden(column, goes)
            room += widths[column] if goes else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self.fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rows, or words where there are none."""
        super().paintEvent(event)
        if not self.items.rowCount():
            paint_hint(self.viewport(), self.hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as trees do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Put the current row on the clipboard, with tabs between its cells."""
        index = self.currentIndex()
        if index.isValid():
            cells = (self.items.text(index.siblingAtColumn(column)) for column in range(len(TITLES)))
            severity = self.items.kind(index).severity.word
            QGuiApplication.clipboard().setText("\t".join([severity, *cells]))


class ExpertPane(QWidget, Pane):
    """The pane; its table of items is worked out anew when it is seen and there is another."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._stopped = False
        self._items_due = WhenSeen(self, self._show_anew)
        self._filling = False
        self.choice = SeverityButtons(self, choices=True, tip=": shown, or not")
        self.displayed_only = QCheckBox("Displayed WPDUs only", self)
        self.displayed_only.setToolTip("Leave out items of WPDUs that the table does not show")
        self.state = PlainLabel(self)
        self.go_on = QPushButton("Read them", self)
        self.go_on.setToolTip("Read all APDUs, and find what only they tell")
        self.tree = ExpertTree(self)
        line = QHBoxLayout()
        line.setContentsMargins(4, 2, 6, 2)
        line.setSpacing(10)
        line.addWidget(self.choice)
        line.addWidget(self.displayed_only)
        line.addStretch(1)
        line.addWidget(self.state)
        line.addWidget(self.go_on)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.tree, 1)
        self.choice.asked.connect(self._show_anew)
        self.displayed_only.toggled.connect(self._show_anew)
        self.go_on.clicked.connect(wishes.itemsAsked)
        self.tree.selectionModel().currentChanged.connect(self._go)
        self.tree.clicked.connect(self._go)
        self.tree.clicked.connect(self.tree.items.show_more)
        self.tree.activated.connect(self.tree.items.show_more)
        selection.rowChanged.connect(self._follow)
        selection.filtersChanged.connect(self._follow_filters)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self._opened: set[int] = set()
        self.tree.expanded.connect(lambda index: self._opened.add(self.tree.items.kind(index).number))
        self.tree.collapsed.connect(lambda index: self._opened.discard(self.tree.items.kind(index).number))
        self.set_traffic(selection.traffic)

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """The items of another capture."""
        self._opened.clear()
        self.show_items(stopped=False)

    def show_items(self, *, stopped: bool) -> None:
        """Show the table of items as it is now; `stopped`: nobody reads the APDUs that were not read."""
        self._stopped = stopped
        self._items_due.ask()

    def _show_anew(self) -> None:
        selection, tree = self._selection, self.tree
        analysis = selection.traffic.analysis
        items = analysis.expert_items
        counts = counts_by_severity(items)
        displayed = None
        if self.displayed_only.isChecked():
            displayed = selection.filters.matching(0, selection.traffic.total)
        before, at = tree.currentIndex(), tree.verticalScrollBar().value()
        kind = tree.items.kind(before) if before.isValid() else None
        place = tree.items.place(before)
        self._filling = True
        self.choice.show_counts(counts)
        tree.items.show_groups(ItemGroups(items, self.choice.wanted, displayed))
        for group, one in enumerate(tree.items.groups.kinds):
            if one.number in self._opened:
                tree.expand(tree.items.index(group, 0))
        group = tree.items.groups.group(kind) if kind is not None else -1
        if group >= 0:
            self._mark(group, "packet", place[1], is_item=place != (-1, -1, -1))
        tree.verticalScrollBar().setValue(at)
        self._filling = False
        left = len(analysis.wpdus) - items.completed
        said = f"{count(left, 'APDU')} not read" if self._stopped else "What only APDUs tell is still to come"
        self.state.setText(said if left > 0 else "")
        self.go_on.setVisible(self._stopped and left > 0)
        tree.hint = "No items of these severities" if any(counts.values()) else "Nothing to remark on"
        tree.viewport().update()

    def _mark(self, group: int, column: str, value: int, *, is_item: bool) -> bool:
        """Make the row of a kind current, or its first item with this value; False when there is none."""
        items, tree = self.tree.items, self.tree
        index = items.index(group, 0)
        if is_item:
            places = items.groups.places(group, column, value)
            there = len(places) and places[0] < items.shown(group)
            index = items.index(int(places[0]), 0, index) if there else QModelIndex()
        if index.isValid():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            tree.selectionModel().setCurrentIndex(index, flags)
        return index.isValid()

    # Hands

    def filter_offers(self, index: QModelIndex) -> list[tuple[str, str]]:
        """Display filters of the kind at `index`, and of its severity."""
        if not index.isValid():
            return []
        kind = self.tree.items.kind(index)
        return [
            ("WPDUs with this item", f"expert.item == {quoted(kind.word)}"),
            ("WPDUs as bad as this", f"expert.severity >= {kind.severity.word}"),
        ]

    def _open_menu(self, point: QPoint) -> None:
        index = self.tree.indexAt(point)
        menu = QMenu(self)
        if index.isValid():
            menu.addAction(icon("copy"), "Copy", self.tree.copy)
        add_filter_menus(menu, self._selection, self.filter_offers(index))
        menu.exec(self.tree.viewport().mapToGlobal(point))
        menu.deleteLater()

    # Where one goes

    def _go(self, index: QModelIndex) -> None:
        """Make the WPDU of an item current, or of an item without one the WPDU next to its packet."""
        wpdu, packet, stream = self.tree.items.place(index)
        if self._filling or packet < 0 > wpdu:
            return
        traffic = self._selection.traffic
        self._selection.go_to(wpdu if wpdu >= 0 else traffic.row_next_to(packet, stream))

    def _follow(self, row: int) -> None:
        """Mark an item of the WPDU that has become current, in a kind that is open; else mark nothing."""
        items = self.tree.items
        if not self.isVisible() or items.place(self.tree.currentIndex())[0] == row >= 0:
            return
        self._filling = True
        opened = (group for group, kind in enumerate(items.groups.kinds) if kind.number in self._opened)
        if row < 0 or not any(self._mark(group, "wpdu", row, is_item=True) for group in opened):
            self.tree.setCurrentIndex(QModelIndex())
            self.tree.clearSelection()
        self._filling = False

    def _follow_filters(self) -> None:
        if self.displayed_only.isChecked():
            self.show_items(stopped=self._stopped)

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.tree.setFont(theme.zoomed(QGuiApplication.font(), points))
        self.tree.fit()
