"""The table keeps eight rows whatever panes are open, and panes share a place where there is little room."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget

from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.pane_room import LEAST_ROWS
from cosemscope.gui.frame.panes import PANES
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.resources import resource

DOCKED = [row.name for row in PANES if row.area is not None or row.below or row.beside]


def seen_rows(window: Window) -> int:
    """Rows of the table that are seen whole."""
    table = window.workspace.table
    return table.viewport().height() // table.rowHeight(0)


def dock(window: Window, name: str) -> QDockWidget:
    return window.workspace.findChild(QDockWidget, name)


def show(window: Window, qtbot, width: int, height: int) -> None:
    """Give the window a size, and let the layout come to rest."""
    window.resize(width, height)
    qtbot.waitUntil(lambda: (window.width(), window.height()) == (width, height), timeout=20_000)
    qtbot.wait(60)


@pytest.mark.parametrize("size", [(900, 600), (1000, 700), (1920, 1080)])
@pytest.mark.parametrize("names", [(), ("expert",), ("link",), tuple(DOCKED)])
def test_eight_rows_are_seen_with_any_panes(open_in, qtbot, size, names):
    window = open_in(resource(SAMPLE))
    for name in names:
        window.workspace.show_pane(name, True)
    show(window, qtbot, *size)
    qtbot.waitUntil(lambda: seen_rows(window) >= LEAST_ROWS)
    for name in names:
        window.workspace.show_pane(name, False)
        window.workspace.show_pane(name, True)
        qtbot.wait(30)
        qtbot.waitUntil(lambda: seen_rows(window) >= LEAST_ROWS)


def test_panes_share_a_place_in_a_low_window_and_part_again(open_in, qtbot):
    """As a person had arranged them, and so it is remembered."""
    window = open_in(resource(SAMPLE))
    workspace = window.workspace
    details, timing = dock(window, "details"), dock(window, "timing")
    assert not workspace.tabifiedDockWidgets(details)
    heights = details.height(), timing.height()
    show(window, qtbot, 1500, 600)
    qtbot.waitUntil(lambda: workspace.room.shared)
    assert timing in workspace.tabifiedDockWidgets(details)
    window.workspace.show_pane("expert", True)
    qtbot.waitUntil(lambda: not dock(window, "expert").visibleRegion().isEmpty())
    show(window, qtbot, 1500, 950)
    qtbot.waitUntil(lambda: not workspace.room.shared)
    assert timing not in workspace.tabifiedDockWidgets(details)
    qtbot.waitUntil(lambda: not dock(window, "expert").visibleRegion().isEmpty())  # in front still
    assert details.y() < timing.y() or details.y() < dock(window, "expert").y()
    qtbot.waitUntil(lambda: abs(details.height() - heights[0]) < 40)


def test_a_low_window_at_the_next_start(qtbot, look, settings: Settings):
    """It opens with tabs; the arrangement of a larger one comes back when there is room."""

    def start(height: int) -> Window:
        window = Window(settings)
        qtbot.addWidget(window)
        window.show()
        window.open_path(str(resource(SAMPLE)))
        qtbot.waitUntil(lambda: not window.document.reading)
        show(window, qtbot, 1000, height)
        return window

    for _ in range(2):
        window = start(600)
        assert window.workspace.room.shared
        assert seen_rows(window) >= LEAST_ROWS
        window.close()
    window = start(900)
    assert not window.workspace.room.shared
    assert not window.workspace.tabifiedDockWidgets(dock(window, "details"))
    window.close()


def test_a_pane_that_a_person_moved_away_is_left_there(open_in, qtbot):
    window = open_in(resource(SAMPLE))
    workspace, timing = window.workspace, dock(window, "timing")
    workspace.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, timing)
    show(window, qtbot, 1500, 600)
    assert workspace.dockWidgetArea(timing) == Qt.DockWidgetArea.RightDockWidgetArea


def test_large_text_leaves_the_window_its_size(open_in, qtbot):
    window = open_in(resource(SAMPLE))
    show(window, qtbot, 1000, 700)
    for _ in range(16):
        window.zoom_in()
    qtbot.wait(60)
    assert (window.width(), window.height()) == (1000, 700)
    assert window.workspace.table.height() >= window.workspace.height() // 2
