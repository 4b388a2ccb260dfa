"""A pane is one file and one row: what the window gives to a pane that it has never heard of."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QDockWidget, QLabel, QWidget

from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.gui.base.settings import Option, Settings
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.frame.panes import PANES, PaneRow
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.panes.pane import Pane, Wishes
from cosemscope.resources import resource

STATE = Option("test/pane", b"", "What a test's pane has arranged")


class Tally(QLabel, Pane):
    """A pane of the test's own: it tells what it is told."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wishes = wishes
        self.traffic: Traffic | None = None
        self.row = -1
        self.rows = self.points = self.peers = self.readings = 0
        self.kept = b""
        self.filters: list[frozenset[str]] = []
        selection.rowChanged.connect(self.show_row)
        selection.filtersChanged.connect(self.filters.append)

    def show_row(self, row: int) -> None:
        self.row = row

    def set_traffic(self, traffic: Traffic) -> None:
        self.traffic, self.rows = traffic, 0

    def take_rows(self, total: int) -> None:
        self.rows = total

    def show_sessions(self, sessions) -> None:
        self.peers = len(sessions)

    def read_anew(self) -> None:
        self.readings += 1

    def set_zoom(self, points: int) -> None:
        self.points = points

    def arrangement(self) -> bytes:
        return b"as a person left it"

    def restore(self, state: bytes) -> None:
        self.kept = state


ROWS = (*PANES, PaneRow("tally", "Tally", Tally, below="details", height=10, state=STATE))


@pytest.fixture
def make(qtbot, look, settings: Settings):
    def make() -> tuple[Window, Tally]:
        window = Window(settings, ROWS)
        qtbot.addWidget(window)
        window.show()
        window.open_path(str(resource(SAMPLE)))
        qtbot.waitUntil(lambda: not window.document.reading)
        return window, window.workspace.panes["tally"]

    return make


def test_a_pane_of_one_row_lives_with_the_others(make):
    """Docked, with traffic, sessions, selection, filters, keys and zoom, and its wishes heard."""
    window, pane = make()
    dock = pane.parent()
    assert isinstance(dock, QDockWidget)
    assert window.workspace.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea
    assert dock.toggleViewAction() in window.workspace.pane_actions()
    assert dock.y() > window.workspace.details.parent().y()
    assert pane.traffic is window.workspace.traffic
    assert pane.rows == window.document.wpdus > 100
    assert pane.peers == len(window.document.analysis.sessions())
    window.selection.go_to(41)
    assert pane.row == 41
    pane.wishes.sessionAsked.emit()
    assert pane.filters == [frozenset({"session"})]
    window.zoom_in()
    assert pane.points == 1
    window.workspace.set_keys(NO_KEYS)
    assert pane.readings == 1
    window.close_capture()
    assert (pane.row, pane.rows) == (-1, 0)


def test_the_arrangement_of_a_pane_comes_back(make):
    """What it said at the end it gets at the next start; the first time there is nothing."""
    window, pane = make()
    assert pane.kept == b""
    window.close()
    window, pane = make()
    assert pane.kept == b"as a person left it"
    window.close()


def test_the_panes_of_the_table_zoom_and_remember(qtbot, look, settings: Settings):
    """Fields, octets, sessions and rows get larger text, and each arrangement comes back by its option."""
    first = Window(settings)
    qtbot.addWidget(first)
    first.show()
    workspace = first.workspace
    texts = (workspace.table, workspace.sessions, workspace.details.fields, workspace.details.view)
    before = [text.font().pointSizeF() for text in texts]
    first.zoom_in()
    assert [text.font().pointSizeF() for text in texts] == [size + 1 for size in before]
    workspace.filter.show_filter("wport == 16")
    workspace.panes["counts"].by.setText("obis")
    workspace.table.setColumnWidth(2, 222)
    workspace.sessions.header().resizeSection(1, 123)
    handle = workspace.details.splitter.handle(1)
    middle = handle.rect().center()
    qtbot.mousePress(handle, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(handle, middle - QPoint(80, 0))
    qtbot.mouseRelease(handle, Qt.MouseButton.LeftButton, pos=middle - QPoint(80, 0))
    kept = {row.name: workspace.panes[row.name].arrangement() for row in PANES if row.state}
    first.close()
    second = Window(settings)
    qtbot.addWidget(second)
    second.show()
    assert {name: second.workspace.panes[name].arrangement() for name in kept} == kept
    assert all(kept.values())
    second.close()


def test_a_pane_on_demand_is_hidden_until_it_is_asked_for(window):
    """The panel of a link, under the sessions; hidden again at the next start, whatever is remembered."""
    workspace = window.workspace
    assert workspace.live_panels["link"].parentWidget().isHidden()
    window.pages.setCurrentWidget(workspace)
    workspace.show_pane("link", True)
    dock = workspace.live_panels["link"].parentWidget()
    assert not dock.isHidden()
    assert workspace.dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    workspace.restore_layout(workspace.layout_state())
    assert dock.isHidden()
    workspace.show_pane("link", True)
    workspace.show_pane("link", False)
    assert dock.isHidden()


@pytest.mark.parametrize("name", [row.name for row in PANES if row.beside])
def test_a_pane_that_is_asked_for_is_in_front(qtbot, look, settings: Settings, name):
    """At the first start and at the next one, when the arrangement has been taken back."""
    for _ in range(2):
        window = Window(settings)
        qtbot.addWidget(window)
        window.show()
        window.open_path(str(resource(SAMPLE)))
        qtbot.waitUntil(lambda window=window: not window.document.reading)
        window.workspace.show_pane(name, True)
        dock = window.workspace.findChild(QDockWidget, name)
        qtbot.waitUntil(lambda dock=dock: not dock.visibleRegion().isEmpty())
        window.close()
