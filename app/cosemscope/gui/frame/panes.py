"""The panes of one capture and what links them: tree, table, fields and octets, timing graph.

Every link is one signal and one slot here, so that no pane knows another. A
selection of a WPDU, from whichever pane, goes through the table; a restriction
of the rows, from whichever pane, is a named filter of the table's model.
"""

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.gui.document.history import History
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.panes.details.details import Details
from cosemscope.gui.panes.row_order import Mask, Predicate
from cosemscope.gui.panes.sessions.session_view import SessionTree
from cosemscope.gui.panes.timing.timing_graph import TimingGraph
from cosemscope.gui.panes.wpdus.wpdu_view import WpduView

SESSION, SPAN = "session", "span"

#: Milliseconds between two growths of what is shown: each paints a page, while the reading wants to go on.
GROWTH_EVERY = 150

#: The dock panes: name, title, where they stand.
_DOCKS = (
    ("sessions", "Sessions", Qt.DockWidgetArea.LeftDockWidgetArea),
    ("details", "Fields and octets", Qt.DockWidgetArea.BottomDockWidgetArea),
    ("timing", "Timing", Qt.DockWidgetArea.BottomDockWidgetArea),
)


class Workspace(QMainWindow):
    """The panes. `selectionChanged` and `rowsChanged` tell the window to look again."""

    selectionChanged = Signal()
    rowsChanged = Signal()
    decodeAsAsked = Signal(int)
    addKeyAsked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.traffic = Traffic.empty()
        self.keys = NO_KEYS
        self.history = History()
        self._moving = False
        self._known = 0  # WPDUs that the capture has
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.setInterval(GROWTH_EVERY)
        self._growing.timeout.connect(self.show_growth)
        self.table = WpduView(self)
        self.sessions = SessionTree(self)
        self.details = Details(self)
        self.timing = TimingGraph(self)
        self.setCentralWidget(self.table)
        self._docks: dict[str, QDockWidget] = {}
        panes = {"sessions": self.sessions, "details": self.details, "timing": self.timing}
        for name, title, area in _DOCKS:
            dock = QDockWidget(title, self)
            dock.setObjectName(name)
            dock.setWidget(panes[name])
            self.addDockWidget(area, dock)
            self._docks[name] = dock
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.splitDockWidget(self._docks["details"], self._docks["timing"], Qt.Orientation.Vertical)
        self._link()

    def add_pane(self, name: str, title: str, pane: QWidget, below: str) -> QDockWidget:
        """Add a pane below another one's; hidden until it is shown."""
        dock = QDockWidget(title, self)
        dock.setObjectName(name)
        dock.setWidget(pane)
        self.splitDockWidget(self._docks[below], dock, Qt.Orientation.Vertical)
        dock.hide()
        self._docks[name] = dock
        return dock

    def show_pane(self, name: str, beside: str) -> None:
        """Show a pane that was hidden, nearly as high as the one above it."""
        if self._docks[name].isHidden():
            self._docks[name].show()
            height = max(400, self.height())
            self.resizeDocks(
                [self._docks[beside], self._docks[name]],
                [height * 52 // 100, height * 48 // 100],
                Qt.Orientation.Vertical,
            )

    def _link(self) -> None:
        self.table.wpduSelected.connect(self._show_wpdu)
        self.table.wpdus.rowsChanged.connect(self.rowsChanged)
        self.table.decodeAsAsked.connect(lambda row: self.decodeAsAsked.emit(self.traffic.stream(row)))
        self.table.addKeyAsked.connect(self.addKeyAsked)
        self.table.sessionAsked.connect(self.show_session)
        self.details.addKeyAsked.connect(self.addKeyAsked)
        self.sessions.restricted.connect(self._restrict_to_session)
        self.sessions.decodeAsAsked.connect(self.decodeAsAsked)
        self.timing.wpduChosen.connect(self.go_to)
        self.timing.spanChosen.connect(self._restrict_to_span)
        self.timing.spanCleared.connect(lambda: self.table.wpdus.set_filter(SPAN, None))

    # Content

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture from its beginning."""
        self._known = 0
        self._growing.stop()
        self.traffic = traffic
        self.traffic.associations.keys = self.keys
        self.history.clear()
        self.sessions.set_traffic(traffic)
        self.timing.set_traffic(traffic)
        self.table.wpdus.set_traffic(traffic)
        self._show_wpdu(-1)

    def take_rows(self, total: int, *, is_live: bool = False) -> None:
        """The capture has `total` WPDUs now; the first are shown at once, more some times a second.

        What is live is shown as it comes: somebody waits for it.
        """
        self._known = total
        if is_live or not self._growing.isActive():
            self.show_growth()

    def show_growth(self) -> None:
        """Show all rows that were told of."""
        if self.traffic.total < self._known:
            self._growing.start()
            self._grow(self._known)
            self.rowsChanged.emit()

    def _grow(self, total: int) -> None:
        self.traffic.take_rows(total)
        self.table.wpdus.take_rows(total)
        self.timing.take_rows(total)
        if total and self.table.current_row < 0 and self.table.wpdus.rowCount():
            self.table.step(1)  # something to look at from the first moment
            if self.table.follows_tail:
                self.table.scrollToBottom()

    def set_keys(self, keys: KeyTable) -> None:
        """Open with these keys from now on: lines, fields and octets follow, what is selected stays so."""
        self.keys = keys
        self.traffic.associations.keys = keys
        self.table.wpdus.forget_infos()
        row = self.table.current_row
        if row >= 0:
            self.details.show_again(*self.traffic.decode(row), self.traffic.sender_address(row))

    def _show_wpdu(self, row: int) -> None:
        if row >= 0:
            self.details.show_decoded(*self.traffic.decode(row), self.traffic.sender_address(row))
        else:
            self.details.show_decoded(None)
        self.details.comments.show_comments(self.traffic.comments(row) if row >= 0 else ())
        self.timing.show_row(row)
        if row >= 0 and not self._moving:
            self.history.visit(row)
        self.selectionChanged.emit()

    @property
    def current_stream(self) -> int:
        """The stream that is selected in the tree, or that of the current WPDU; -1 for none."""
        stream = self.sessions.current_stream
        if stream < 0 and self.table.current_row >= 0:
            stream = self.traffic.stream(self.table.current_row)
        return stream

    # Restrictions

    def _restrict_to_session(self, predicate: Predicate | None) -> None:
        self.table.wpdus.set_filter(SESSION, predicate)
        others = self.table.wpdus.order

        def wanted(start: int, stop: int) -> Mask:
            return others.matching(start, stop, without=SPAN)

        self.timing.set_traffic(self.traffic, wanted if predicate is not None else None)

    def _restrict_to_span(self, start: int, stop: int) -> None:
        def inside(first: int, last: int) -> Mask:
            time = self.traffic.wpdus["time"][first:last]
            mask: Mask = (time >= start) & (time <= stop)
            return mask

        self.table.wpdus.set_filter(SPAN, inside)

    @property
    def restricted(self) -> bool:
        """Whether rows are hidden."""
        return bool(self.table.wpdus.order.filters)

    def show_session(self) -> None:
        """Show the session of the current WPDU alone: its wPort pair on its stream."""
        row = self.table.current_row
        if row >= 0:
            self.sessions.select_session(self.traffic.stream(row), self.traffic.pair(row))

    def show_all(self) -> None:
        """Take all restrictions away."""
        self.timing.clear_span()
        self.table.wpdus.set_filter(SPAN, None)
        self.sessions.clear_restriction()

    # Going about

    def go_to(self, row: int) -> bool:
        """Make a WPDU current; restrictions that hide it give way."""
        if self.table.select_row(row):
            return True
        if not 0 <= row < self.traffic.total:
            return False
        self.show_all()
        return self.table.select_row(row)

    def go_back(self) -> None:
        """The WPDU looked at before."""
        self._go_in_history(-1)

    def go_forward(self) -> None:
        """Undo going back."""
        self._go_in_history(1)

    def _go_in_history(self, by: int) -> None:
        row = self.history.move(by)
        if row is not None:
            self._moving = True
            self.go_to(row)
            self._moving = False
            self.selectionChanged.emit()

    def go_previous(self) -> None:
        """The row above."""
        self.table.step(-1)

    def go_next(self) -> None:
        """The row below."""
        self.table.step(1)

    def go_first(self) -> None:
        """The first row shown."""
        self.table.step(-self.table.wpdus.rowCount())

    def go_last(self) -> None:
        """The last row shown."""
        self.table.step(self.table.wpdus.rowCount())

    def go_previous_here(self) -> None:
        """The WPDU before, of the same stream and wPort pair."""
        self._go_in_session(-1)

    def go_next_here(self) -> None:
        """The WPDU after, of the same stream and wPort pair."""
        self._go_in_session(1)

    def _go_in_session(self, by: int) -> None:
        row = self.traffic.neighbour(self.table.current_row, by)
        if row >= 0:
            self.go_to(row)

    # Layout

    def pane_actions(self) -> list[QAction]:
        """Actions that show and hide the panes."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def lay_out(self) -> None:
        """The panes' usual sizes."""
        width, height = max(270, min(self.width() * 36 // 100 - 140, 500)), max(400, self.height())
        self.resizeDocks([self._docks["sessions"]], [width], Qt.Orientation.Horizontal)
        self.resizeDocks(
            [self._docks["details"], self._docks["timing"]],
            [height * 30 // 100, height * 27 // 100],
            Qt.Orientation.Vertical,
        )

    def layout_state(self) -> bytes:
        """The panes' places, to be remembered."""
        return bytes(self.saveState().data())

    def restore_layout(self, state: bytes) -> None:
        """Take back remembered places, or the usual ones where there are none that fit."""
        if not (state and self.restoreState(QByteArray(state))):
            self.lay_out()

    def set_zoom(self, points: int) -> None:
        """Make the text of sessions, table, fields and octets larger by `points`."""
        self.sessions.set_zoom(points)
        self.table.set_zoom(points)
        self.details.set_zoom(points)
