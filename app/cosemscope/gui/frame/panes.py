"""The panes of one capture, in one table, and the workspace that shows them: a pane is one file and one row.

The workspace hands traffic, keys and zoom to all panes alike. They share what is looked at by the `Selection`
and say what they want of the window by `Wishes`: none knows another.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

from PySide6.QtCore import QByteArray, QChildEvent, Qt, QTimer, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QVBoxLayout, QWidget

from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.sessions.session_tree import Peers
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.settings import Option
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.frame.pane_room import PaneRoom, below_the_table, bring_to_front
from cosemscope.gui.frame.places import KeptPlace
from cosemscope.gui.live.asked_jobs import LIVE_PANES
from cosemscope.gui.live.panels.link_panel import LinkPanel
from cosemscope.gui.live.panels.live_panel import LivePanel
from cosemscope.gui.live.panels.meter_panel import MeterPanel
from cosemscope.gui.live.panels.relay_panel import RelayPanel
from cosemscope.gui.look.dock_style import DockStyle
from cosemscope.gui.panes.counts.count_pane import CountPane
from cosemscope.gui.panes.details.details_pane import DetailsPane
from cosemscope.gui.panes.exchanges.exchange_pane import ExchangePane
from cosemscope.gui.panes.expert.expert_pane import ExpertPane
from cosemscope.gui.panes.filter.filter_bar import FilterBar
from cosemscope.gui.panes.filter.filter_line import FilterLine
from cosemscope.gui.panes.filter.find_bar import FindBar, Sought
from cosemscope.gui.panes.follow.follow_pane import FollowPane
from cosemscope.gui.panes.objects.object_pane import ObjectPane
from cosemscope.gui.panes.overview.overview_pane import OverviewPane
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.gui.panes.procedures.procedure_pane import ProcedurePane
from cosemscope.gui.panes.response_times.response_pane import ResponsePane
from cosemscope.gui.panes.sequence.sequence_pane import SequencePane
from cosemscope.gui.panes.sessions.session_view import SessionTree
from cosemscope.gui.panes.timing.timing_graph import TimingGraph
from cosemscope.gui.panes.wpdus.wpdu_view import WpduView

_LEFT, _BOTTOM = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea

#: Milliseconds between two growths of what is shown: each paints a page, while the reading wants to go on.
GROWTH_EVERY = 150


class PaneRow(NamedTuple):
    """One pane: `make(selection, wishes, parent)` returns the widget, which is a `Pane`.

    It docks in `area`, below the pane named `below`, or in one place with the pane named `beside`; those with
    none of these are the centre, one above the other. `height` is its usual share of the workspace's height
    in percent. `state` is where its arrangement is remembered. A pane `on_demand` is hidden until the window
    shows it.
    """

    name: str
    title: str
    make: Callable[[Selection, Wishes, QWidget], Any]
    area: Qt.DockWidgetArea | None = None
    below: str = ""
    beside: str = ""
    height: int = 0
    state: Option[bytes] | None = None
    on_demand: bool = False


class LinkPane(LinkPanel, Pane):
    """The panel of a test link as a pane, which has no part in the capture that is shown."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget) -> None:
        super().__init__(parent)


class MeterPane(MeterPanel, Pane):
    """The panel of the built-in meter as a pane, likewise."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget) -> None:
        super().__init__(parent)


class RelayPane(RelayPanel, Pane):
    """The panel of a relay as a pane; the capture that is shown tells values for its breakpoint."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget) -> None:
        super().__init__(FilterLine(selection), parent)


#: The panes, in the order in which they are made, hear of the traffic and are reached by the Tab key.
PANES = (
    PaneRow("filter", "Display filter", FilterBar, state=options.FILTERS),
    PaneRow("wpdus", "WPDUs", WpduView, state=options.TABLE_COLUMNS),
    PaneRow("find", "Find", FindBar),
    PaneRow("sessions", "Sessions", SessionTree, _LEFT, state=options.TREE_COLUMNS),
    PaneRow("details", "Fields and octets", DetailsPane, _BOTTOM, height=30, state=options.DETAIL_SPLITTER),
    PaneRow("timing", "Timing", TimingGraph, below="details", height=27, state=options.TIMING),
    PaneRow("expert", "Expert information", ExpertPane, beside="timing", height=38, on_demand=True),
    PaneRow("exchanges", "Exchanges", ExchangePane, beside="timing", height=38, on_demand=True),
    PaneRow("response-times", "Response times", ResponsePane, beside="timing", height=42, on_demand=True),
    PaneRow("sequence", "Sequence diagram", SequencePane, beside="timing", height=48, on_demand=True),
    PaneRow("objects", "Objects", ObjectPane, beside="timing", height=42, on_demand=True),
    PaneRow("procedures", "Procedures", ProcedurePane, beside="timing", height=38, on_demand=True),
    PaneRow("follow", "Session", FollowPane, beside="timing", height=42, on_demand=True),
    PaneRow("overview", "Overview", OverviewPane, beside="timing", height=38, on_demand=True),
    PaneRow("counts", "Counts", CountPane, beside="timing", height=38, state=options.COUNTS, on_demand=True),
    PaneRow("link", "Test link", LinkPane, below="sessions", on_demand=True),
    PaneRow("meter", "Built-in meter", MeterPane, beside="link", on_demand=True),
    PaneRow("relay", "Relay", RelayPane, beside="timing", height=44, on_demand=True),
)


class Workspace(QMainWindow):
    """The panes. `rowsChanged` tells the window that other rows are shown, or more."""

    rowsChanged = Signal()

    def __init__(self, parent: QWidget | None = None, rows: Sequence[PaneRow] = PANES) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.setCorner(Qt.Corner.BottomLeftCorner, _LEFT)
        self.keys = NO_KEYS
        self.selection = Selection(self)
        self.wishes = Wishes(self)
        self._known = 0  # WPDUs that the capture has
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.setInterval(GROWTH_EVERY)
        self._growing.timeout.connect(self.show_growth)
        self._rows = rows
        self._docks: dict[str, QDockWidget] = {}
        self._dock_style = DockStyle()
        self.panes: dict[str, Any] = {}
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.setCentralWidget(centre)
        for row in rows:
            pane = self.panes[row.name] = row.make(self.selection, self.wishes, self)
            if row.area is None and not row.below and not row.beside:
                column.addWidget(pane)
            else:
                self._dock(row, pane)
        self.filter: FilterBar = self.panes["filter"]
        self.finding: FindBar = self.panes["find"]
        self.table: WpduView = self.panes["wpdus"]
        self.sessions: SessionTree = self.panes["sessions"]
        self.details: DetailsPane = self.panes["details"]
        self.timing: TimingGraph = self.panes["timing"]
        self.live_panels: dict[str, LivePanel] = {name: self.panes[name] for name in LIVE_PANES}
        self.table.wpdus.rowsChanged.connect(self.rowsChanged)
        self.wishes.sessionAsked.connect(self.show_session)
        self.wishes.counterpartAsked.connect(self.go_to_counterpart)
        self.wishes.streamAsked.connect(lambda stream: self.sessions.select_session(stream, -1))
        self.room = PaneRoom(self, self.table, self.table.height_of, self._stacks, self._lay_out_heights)
        self.wishes.tableAsked.connect(self.table.setFocus)
        self.wishes.filterBegun.connect(self.filter.begin)
        self.wishes.followAsked.connect(lambda _: self.show_pane("follow", True))
        self.wishes.countAsked.connect(lambda *_: self.show_pane("counts", True))
        self.selection.noted.connect(self.rowsChanged)
        self.selection.rowsAnswered.connect(self._take_answered)

    def _dock(self, row: PaneRow, pane: QWidget) -> None:
        dock = QDockWidget(row.title, self)
        dock.setObjectName(row.name)
        dock.setStyle(self._dock_style)
        dock.setWidget(pane)
        if row.beside:
            self.tabifyDockWidget(self._docks[row.beside], dock)
        elif row.below:
            self.splitDockWidget(self._docks[row.below], dock, Qt.Orientation.Vertical)
        else:
            self.addDockWidget(row.area, dock)
        self._docks[row.name] = dock
        if row.on_demand:
            dock.hide()

    def _stacks(self) -> list[list[QDockWidget]]:
        """The docks below the table, those of one place together."""
        places: dict[str, list[QDockWidget]] = {}
        for row in self._rows:
            if row.name in self._docks and row.area != _LEFT:
                places.setdefault(row.beside or row.name, []).append(self._docks[row.name])
        return [below_the_table(self, docks) for docks in places.values()]

    def childEvent(self, event: QChildEvent) -> None:
        """Name the tabs of panes in one place: Qt makes them when there are such panes."""
        tabs = event.child()
        if event.polished() and isinstance(tabs, QTabBar):
            tabs.setAccessibleName("Panes in this place")
        super().childEvent(event)

    def show_pane(self, name: str, wanted: bool) -> None:
        """Show a pane that is there on demand, before others in its place, or hide the pane.

        One that has come below another is nearly as high as that, one beside another at least as its share.
        """
        dock, height = self._docks[name], max(400, self.height())
        rows = {row.name: row for row in self._rows}
        row = rows[name]
        below = row.below or (rows[row.beside].below if row.beside else "")
        is_new = dock.isHidden()
        is_alone = all(other.isHidden() for other in self.tabifiedDockWidgets(dock))
        dock.setVisible(wanted)
        if not wanted:
            return
        bring_to_front(self, dock)
        if is_new and is_alone and below and rows[below].area == _LEFT:
            heights = [height * 52 // 100, height * 48 // 100]
            self.resizeDocks([self._docks[below], dock], heights, Qt.Orientation.Vertical)
        elif is_new and row.beside:
            least = max(height * row.height // 100, self._docks[row.beside].height())
            self.resizeDocks([dock], [least], Qt.Orientation.Vertical)

    def show_live_panes(self, names: Collection[str]) -> None:
        """Show these panes of what is live, the last one in front, and hide the others."""
        for name in self.live_panels:
            if name not in names:
                self.show_pane(name, False)
        for name in names:
            self.show_pane(name, True)

    # Content

    @property
    def traffic(self) -> Traffic:
        """The capture that is shown."""
        return self.selection.traffic

    def set_traffic(self, traffic: Traffic) -> None:
        """Show another capture from its beginning."""
        self._known = 0
        self._growing.stop()
        traffic.associations.keys = self.keys
        self.selection.set_traffic(traffic)
        for pane in self.panes.values():
            pane.set_traffic(traffic)

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
            self.traffic.take_rows(self._known)
            self.selection.take_rows()
            self._take_answered()

    def _take_answered(self) -> None:
        """Show what is new, as far as it has been asked for the filters in force."""
        for pane in self.panes.values():
            pane.take_rows(self.traffic.total)
        self.table.begin()
        self.rowsChanged.emit()

    def show_sessions(self, sessions: tuple[Peers, ...]) -> None:
        """Show the sessions as they are now."""
        for pane in self.panes.values():
            pane.show_sessions(sessions)

    def set_keys(self, keys: KeyTable) -> None:
        """Open with these keys from now on: lines, fields and octets follow, what is selected stays so."""
        self.keys = keys
        self.traffic.associations.keys = keys
        for pane in self.panes.values():
            pane.read_anew()
        self.selection.ask_anew()

    def show_items(self, *, stopped: bool) -> None:
        """Show another table of expert items; `stopped`: nobody reads the APDUs that were not read."""
        for pane in self.panes.values():
            pane.show_items(stopped=stopped)
        self.selection.ask_anew()

    def show_expert(self) -> None:
        """Show the pane of expert information, to be gone through by keys."""
        self.show_pane("expert", True)
        self.panes["expert"].tree.setFocus()

    def go_to_counterpart(self) -> None:
        """From a request to its answer, and from an answer to its request."""
        row = self.selection.row
        if row >= 0 and not self.selection.go_to(self.traffic.counterpart(row)):
            self.wishes.said.emit(f"WPDU {row + 1:,} has neither an answer nor a request in this capture.")

    def show_exchanges(self) -> None:
        """Show the exchanges, to be gone through by keys."""
        self.show_pane("exchanges", True)
        self.panes["exchanges"].setFocus()

    def show_response_times(self) -> None:
        """Show the response times, their percentiles to be gone through by keys."""
        self.show_pane("response-times", True)
        self.panes["response-times"].setFocus()

    def show_sequence(self) -> None:
        """Show the sequence diagram of the current WPDU's session, to be gone through by keys."""
        self.show_pane("sequence", True)
        self.panes["sequence"].setFocus()

    def show_objects(self) -> None:
        """Show the objects, to be looked for by words."""
        self.show_pane("objects", True)
        self.panes["objects"].begin()

    def show_procedures(self) -> None:
        """Show the procedures, to be gone through by keys."""
        self.show_pane("procedures", True)
        self.panes["procedures"].setFocus()

    def follow_session(self) -> None:
        """Follow the session of the current WPDU: what client and meter say in turn."""
        if self.selection.row >= 0:
            self.wishes.followAsked.emit(self.traffic.pair(self.selection.row))

    def show_overview(self) -> None:
        """Show the overview of the capture."""
        self.show_pane("overview", True)

    def show_counts(self) -> None:
        """Show the pane of counts, to name fields in it."""
        self.show_pane("counts", True)
        self.panes["counts"].by.setFocus()

    def show_completed(self) -> None:
        """Show anew what was shown of rows before the pass had come to them."""
        early = self.traffic.take_early()
        for pane in self.panes.values():
            pane.show_completed(early)
        self.selection.ask_anew()

    @property
    def current_stream(self) -> int:
        """The stream that is selected in the tree, or that of the current WPDU; -1 for none."""
        stream = self.sessions.current_stream
        if stream < 0 and self.selection.row >= 0:
            stream = self.traffic.stream(self.selection.row)
        return stream

    # What actions do

    def show_session(self) -> None:
        """Show the session of the current WPDU alone: its wPort pair on its stream."""
        row = self.selection.row
        if row >= 0:
            self.sessions.select_session(self.traffic.stream(row), self.traffic.pair(row))

    def select_all(self) -> None:
        """Select all rows, or all octets when the focus is there."""
        view = self.details.view
        (view.select_all if view.hasFocus() else self.table.selectAll)()

    def begin_filter(self) -> None:
        """Give the display filter the focus."""
        self.filter.begin()

    def begin_find(self) -> None:
        """Look for something: for octets where some are selected, and else for what was looked for last."""
        octets = self.details.view.selected_octets() if self.details.view.hasFocus() else b""
        if octets:
            self.finding.begin(octets.hex(" "), Sought.OCTETS)
        else:
            self.finding.begin()

    def find_next(self) -> None:
        """The next WPDU that fits what is looked for."""
        self.finding.go(1)

    def find_previous(self) -> None:
        """The WPDU before that fits what is looked for."""
        self.finding.go(-1)

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

    # Layout

    def pane_actions(self) -> list[QAction]:
        """Actions that show and hide the panes."""
        return [dock.toggleViewAction() for dock in self._docks.values()]

    def places(self) -> Iterator[KeptPlace]:
        """Yields the places of the panes, one of each pane with an arrangement."""
        for row in self._rows:
            if row.state is not None:
                pane = self.panes[row.name]
                yield KeptPlace(row.state, pane.arrangement, pane.restore)

    def lay_out(self) -> None:
        """The panes' usual sizes."""
        width = max(270, min(self.width() * 36 // 100 - 140, 500))
        left = [self._docks[row.name] for row in self._rows if row.area == _LEFT]
        self.resizeDocks(left, [width] * len(left), Qt.Orientation.Horizontal)
        self._lay_out_heights()

    def _lay_out_heights(self) -> None:
        height = max(400, self.height())
        shares = {row.name: row.height for row in self._rows if row.height and not row.on_demand}
        heights = [height * share // 100 for share in shares.values()]
        self.resizeDocks([self._docks[name] for name in shares], heights, Qt.Orientation.Vertical)

    def layout_state(self) -> bytes:
        """The panes' places, to be remembered."""
        return self.room.state()

    def restore_layout(self, state: bytes) -> None:
        """Take back remembered places, or the usual ones where there are none that fit."""
        self.room.forget()
        if not (state and self.restoreState(QByteArray(state))):
            self.lay_out()
        for row in self._rows:
            if row.on_demand:
                self._docks[row.name].hide()
        self.room.settle()

    def set_zoom(self, points: int) -> None:
        """Make the text of the panes larger by `points`."""
        for pane in self.panes.values():
            pane.set_zoom(points)
        self.room.settle()
