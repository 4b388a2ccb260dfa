"""The pane of objects: meters, their objects and attributes with last values, and what was told of each.

Which there are is worked out in the background once somebody looks, and goes on as a capture grows. Words
above the tree, the display filters in force, and the notch decide what is shown of it.
"""

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QMenu,
    QSplitter,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.objects.grouped_readings import GroupedReadings, grouped_readings
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.latest_task import LatestTask
from cosemscope.gui.base.task import Tell
from cosemscope.gui.base.when_seen import WhenSeen
from cosemscope.gui.document.asking import beside
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import TreeDelegate, paint_hint
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.asked_filter import add_filter_menus
from cosemscope.gui.panes.objects.object_detail import ObjectDetail
from cosemscope.gui.panes.objects.object_model import (
    COLUMNS,
    OBJECT,
    PUSHED,
    READ,
    REFUSED,
    TOLD,
    VALUE,
    WRITTEN,
    ObjectTreeModel,
)
from cosemscope.gui.panes.objects.object_nodes import AskedObjects, Level, NodeKey, ObjectNodes
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.wording import clock, count

_ROWS = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
_WAITING = "Objects stand here as soon as the capture has been read."
_WORKING = "Objects are being put together…"
_STOPPED = "Putting the objects together was stopped. Enter in the line above goes on with it."
_NONE_HERE = (
    "No object is told of in this capture.\n"
    "Ciphered APDUs tell theirs once they are opened: Ctrl+Alt+K has the keys."
)
_NONE_FIT = "No object fits the words above, or the WPDUs that are displayed."
_NO_NEWS = "Nothing has changed since the notch."
#: Trees of so many nodes are opened by themselves.
_OPENED = 300
#: Columns, the first of which stay the longest where there is little room, and names that always have it.
_STAY_BEFORE = (VALUE, TOLD, READ, PUSHED, REFUSED, WRITTEN)
_USUAL_NAME = "1.0.99.98.0.255  Event log"
#: Milliseconds for which what has changed is lit, and between two growths at least.
_LIT_FOR, _GROWTH_EVERY = 1500, 500
_AIR = 14
#: Progress is shown of more rows than this.
_MANY = 20_000


class ObjectTreeView(QTreeView):
    """The tree, with words where there is nothing."""

    def __init__(self, model: ObjectTreeModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.hint = _WAITING
        self.setModel(model)
        self.setAccessibleName("Objects")
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setItemDelegate(TreeDelegate(self))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setExpandsOnDoubleClick(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._used = [True] * len(COLUMNS)
        self._widths = [0] * len(COLUMNS)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(30)
        header.setSectionsMovable(False)
        header.setSectionResizeMode(OBJECT, QHeaderView.ResizeMode.Stretch)

    def fit(self, sample_time: str, used: Sequence[bool]) -> None:
        """Make columns as wide as their texts; those that are not `used` go, and names get the rest."""
        metrics = self.fontMetrics()
        self._used = list(used)
        for column, (title, _, sample) in enumerate(COLUMNS):
            texts = (title, sample_time if column == TOLD else sample)
            self._widths[column] = max(map(metrics.horizontalAdvance, texts)) + _AIR
        self._share_room()

    def _share_room(self) -> None:
        """Names keep room: other columns give way, the last of them first."""
        room = self.viewport().width() - self.fontMetrics().horizontalAdvance(_USUAL_NAME)
        for column in _STAY_BEFORE:
            room -= self._widths[column] if self._used[column] else 0
            self.header().setSectionHidden(column, not self._used[column] or room < 0)
            if not self.header().isSectionHidden(column):
                self.header().resizeSection(column, self._widths[column])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Some columns give way where there is little room."""
        super().resizeEvent(event)
        self._share_room()

    def copy(self) -> None:
        """Put the current row on the clipboard, with tabs between its cells."""
        index = self.currentIndex()
        if index.isValid():
            cells = (str(index.siblingAtColumn(column).data()) for column in range(len(COLUMNS)))
            QGuiApplication.clipboard().setText("\t".join(cells))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The tree, or words where there is none."""
        super().paintEvent(event)
        if not self.model().rowCount():
            paint_hint(self.viewport(), self.hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy by key; everything else as trees do."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)


class ObjectPane(QWidget, Pane):
    """The pane."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection, self._wishes = selection, wishes
        self._view: ObjectView | None = None
        self._grouped: GroupedReadings | None = None
        self._notch = 0
        self._opened: set[NodeKey] = set()
        self._is_settling = False
        self._chosen: NodeKey = ()
        self._taking, self._arranging = LatestTask(self), LatestTask(self)
        self._due = WhenSeen(self, self._take_in)
        self._arrange_due = WhenSeen(self, self._arrange)
        self.objects = ObjectTreeModel(self)
        self.tree = ObjectTreeView(self.objects, self)
        self.detail = ObjectDetail(selection, wishes, self)
        self._make_line()
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.addWidget(self.tree)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 11)
        self.splitter.setStretchFactor(1, 9)
        self.splitter.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._line)
        column.addWidget(self.splitter, 1)
        self._unlight = QTimer(self)
        self._unlight.setSingleShot(True)
        self._unlight.setInterval(_LIT_FOR)
        self._unlight.timeout.connect(self._put_out)
        self._rest = QTimer(self)  # between two growths
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._due.ask)
        self._connect()
        self.set_zoom(0)
        self.set_traffic(selection.traffic)

    def _make_line(self) -> None:
        self.words = QLineEdit(self)
        self.words.setPlaceholderText("Name, OBIS code, class or meter")
        self.words.setAccessibleName("Objects that are wanted")
        self.words.setClearButtonEnabled(True)
        self.notch = QToolButton(self)
        self.notch.setText("Notch")
        self.notch.setIcon(icon("bookmark"))
        self.notch.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.notch.setCheckable(True)
        self.notch.setAutoRaise(True)
        self.notch.setToolTip(
            "Hide all that is known up to now: only what changes afterwards is shown (Ctrl+Alt+Shift+N)"
        )
        self.notch.setShortcut(QKeySequence("Ctrl+Alt+Shift+N"))
        self.state = PlainLabel(self)
        self._line = QHBoxLayout()
        self._line.setContentsMargins(6, 3, 6, 3)
        self._line.setSpacing(6)
        self._line.addWidget(self.words, 1)
        self._line.addWidget(self.notch)
        self._line.addWidget(self.state)

    def _connect(self) -> None:
        self.words.textChanged.connect(lambda _: self._arrange_due.ask())
        self.words.returnPressed.connect(self._go_into_tree)
        self.notch.toggled.connect(self._cut_notch)
        self.tree.selectionModel().currentChanged.connect(self._choose)
        self.tree.activated.connect(self.go_to_last)
        self.tree.expanded.connect(partial(self._note_opened, True))
        self.tree.collapsed.connect(partial(self._note_opened, False))
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self._selection.filtersChanged.connect(lambda _: self._arrange_due.ask())

    # What is shown

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: what is worked out is not wanted any more."""
        self._forget()
        self._opened.clear()
        self._chosen = ()
        self._say(_WAITING)

    def _forget(self) -> None:
        self._taking.cancel()
        self._arranging.cancel()
        self._due.forget()
        self._view = self._grouped = None
        self._notch = 0
        self.notch.setChecked(False)
        self.objects.is_live = False
        self._show(None)

    def read_anew(self) -> None:
        """There are other keys: all is to be read again, once the pass has been made with them."""
        self._forget()

    def show_completed(self, early: set[int]) -> None:
        """Rows are known: take them in, if somebody looks."""
        if not self._rest.isActive():
            self._due.ask()

    def _take_in(self) -> None:
        """Take in, in the background, the rows that the pass over the capture has come to."""
        if self._taking.is_running:
            self._rest.start(self._taking.rest(_GROWTH_EVERY))
            return
        associations = self._selection.traffic.associations
        stop = associations.passed
        if not stop or (self._grouped is not None and self._grouped.taken >= stop):
            return
        if self._view is None:
            self._view = ObjectView(associations.analysis, associations.keys, beside=beside(associations))
        view = self._view

        def work(tell: Tell) -> GroupedReadings | str:
            def told(done: int, total: int) -> None:
                tell(done, total)
                associations.give_way()

            try:
                view.complete(stop, told=told)
            except (CaptureError, OSError) as error:
                return f"The capture cannot be read any more: {error}"
            return grouped_readings(view)

        if self._grouped is None:
            self._say(_WORKING)
        task = self._taking.start(work, self._take)
        if stop - view.taken > _MANY:
            self._wishes.taskBegun.emit("Objects", task)

    def _take(self, grouped: GroupedReadings | str | None) -> None:
        if not isinstance(grouped, GroupedReadings):
            self._say(grouped or _STOPPED)
            return
        before, self._grouped = self._grouped, grouped
        if before is not None:
            self.objects.is_live = True
            self.objects.flashing_from = before.taken
            self._unlight.start()
        self._arrange()
        if self._selection.traffic.associations.passed > grouped.taken:
            self._rest.start(self._taking.rest(_GROWTH_EVERY))

    def _arrange(self) -> None:
        """Put together, in the background, the tree of what somebody wants to see."""
        grouped, selection = self._grouped, self._selection
        if grouped is None:
            return
        displayed = selection.filters.matching(0, selection.traffic.total) if selection.filters else None
        words = tuple(self.words.text().split())
        asked = AskedObjects(words, displayed, self._notch, selection.traffic.named)
        self._arranging.start(lambda _: ObjectNodes(grouped, asked), self._show)

    def _show(self, nodes: ObjectNodes | None) -> None:
        traffic, chosen = self._selection.traffic, self._chosen
        self._is_settling = True
        is_new = self.objects.show_nodes(traffic, nodes)
        if is_new and nodes is not None:
            self._open_again(nodes)
        self._is_settling = False
        if nodes is not None:
            meters, attributes = nodes.offsets[1], nodes.attributes
            self.state.setText(
                f"{count(attributes, 'attribute')} of {count(meters, 'meter')}" if attributes else ""
            )
            self.tree.hint = (
                _NO_NEWS if self._notch else _NONE_HERE if not self._grouped.places.size else _NONE_FIT
            )
            self._fit()
        node = nodes.find(chosen) if nodes is not None and chosen else -1
        if is_new and node >= 0:
            index = self.objects.index_of(node)
            self._is_settling = True
            self.tree.selectionModel().setCurrentIndex(index, _ROWS)
            self._is_settling = False
            self.tree.scrollTo(index)
        self.detail.show_node(nodes, node)
        self.tree.viewport().update()

    def _open_again(self, nodes: ObjectNodes) -> None:
        """Open what a person had opened; all of a small tree."""
        if len(nodes) <= _OPENED:
            self.tree.expandAll()
            return
        for key in sorted(self._opened, key=len):
            node = nodes.find(key)
            if node >= 0:
                self.tree.expand(self.objects.index_of(node))

    def _note_opened(self, is_open: bool, index: QModelIndex) -> None:
        node = self.objects.node(index)
        if not self._is_settling and node >= 0 and self.objects.nodes is not None:
            key = self.objects.nodes.key(node)
            (self._opened.add if is_open else self._opened.discard)(key)

    def _put_out(self) -> None:
        self.objects.flashing_from = -1
        self.tree.viewport().update()

    def _say(self, words: str) -> None:
        """Say why there is nothing, or not all."""
        self.tree.hint = words
        self.state.setText("")
        self.tree.viewport().update()

    # Hands

    def begin(self) -> None:
        """Give the words above the tree the focus."""
        self.words.setFocus()
        self.words.selectAll()

    def _go_into_tree(self) -> None:
        """From the words to the first attribute that fits, or go on with what was stopped."""
        nodes = self.objects.nodes
        if self._grouped is None:  # putting them together was stopped
            self._due.ask()
        if nodes is None or not len(nodes):
            return
        node = nodes.child.item(nodes.child.item(nodes.child.item(0)))
        self.show_node(node)
        self.tree.setFocus()

    def show_node(self, node: int) -> None:
        """Choose a node, and bring it into view."""
        index = self.objects.index_of(node)
        self.tree.selectionModel().setCurrentIndex(index, _ROWS)
        self.tree.scrollTo(index)

    def _choose(self, index: QModelIndex) -> None:
        node, nodes = self.objects.node(index), self.objects.nodes
        if self._is_settling or nodes is None or node < 0:
            return
        self._chosen = nodes.key(node)
        self.detail.show_node(nodes, node)

    def go_to_last(self, index: QModelIndex) -> None:
        """Make the WPDU current that told something of a node last."""
        node, nodes = self.objects.node(index), self.objects.nodes
        if nodes is not None and node >= 0:
            self._selection.go_to(nodes.last_row(node))

    def _cut_notch(self, is_wanted: bool) -> None:
        """Hide what is known up to now, or show all again."""
        self._notch = self._selection.traffic.total if is_wanted else 0
        times = self._selection.traffic.wpdus["time"]
        since = f" {clock(int(times[self._notch - 1])).split()[-1][:8]}" if self._notch else ""
        self.notch.setText(f"Since{since}" if self._notch else "Notch")
        self._arrange_due.ask()

    def filter_offers(self, index: QModelIndex) -> list[tuple[str, str]]:
        """Display filters of the node at `index`: its object or attribute, and its meter."""
        node, nodes = self.objects.node(index), self.objects.nodes
        if nodes is None or node < 0:
            return []
        one, level = nodes.attribute(node), nodes.level(node)
        of_meter = ("The meter", f"meter == {one.device.meter}")
        of_object = f"obis == {dotted(one.instance)}"
        here = f"{of_object} && {of_meter[1]}"
        offers = {
            Level.METER: [of_meter],
            Level.CLASS: [("The class", f"exchange.class == {one.class_id} && {of_meter[1]}"), of_meter],
            Level.OBJECT: [
                ("The object at this meter", here),
                ("The object at all meters", of_object),
                of_meter,
            ],
            Level.ATTRIBUTE: [
                ("The object at this meter", here),
                ("The object at all meters", of_object),
                of_meter,
            ],
        }
        return offers[level]

    def menu_actions(self, menu: QMenu, index: QModelIndex) -> None:
        """Fill a context menu for the node at `index`."""
        menu.addAction(icon("goto"), "Go to its last WPDU", lambda: self.go_to_last(index))
        menu.addAction(icon("copy"), "Copy row", self.tree.copy)
        menu.addAction("Copy all values as CSV", self.detail.copy_csv)
        menu.addAction("Save all values as CSV…", lambda: self.detail.ask_save(self.detail.values.lines()))
        menu.addSeparator()
        add_filter_menus(menu, self._selection, self.filter_offers(index))
        menu.addSeparator()
        menu.addAction(icon("expand"), "Expand all below", lambda: self.tree.expandRecursively(index))
        menu.addAction(icon("collapse"), "Collapse all", self.tree.collapseAll)

    def _open_menu(self, point: QPoint) -> None:
        index = self.tree.indexAt(point)
        if index.isValid():
            menu = QMenu(self)
            self.menu_actions(menu, index)
            menu.exec(self.tree.viewport().mapToGlobal(point))
            menu.deleteLater()

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the application's."""
        self.tree.setFont(theme.zoomed(QGuiApplication.font(), points))
        self.detail.set_zoom(points)
        self._fit()

    def _fit(self) -> None:
        nodes = self.objects.nodes
        counts = nodes.sums if nodes is not None else (0,) * 4
        self.tree.fit(self.objects.sample_time, [True] * READ + [number > 0 for number in counts])
