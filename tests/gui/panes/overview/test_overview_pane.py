"""The overview in the window: what the command says, with links by mouse and keyboard to what it counts."""

import shutil
import struct
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget

from cosemscope import cli
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.resources import resource


@pytest.fixture
def shown(open_in, qtbot):
    """The window on a sample with its overview, worked out."""

    def show(name: str) -> Window:
        window = open_in(resource(name))
        window.workspace.show_overview()
        qtbot.waitUntil(lambda: "Response times" in window.workspace.panes["overview"].toPlainText())
        return window

    return show


@pytest.mark.parametrize("name", [SAMPLE, "samples/faults.pcapng"])
def test_it_says_what_the_command_says(shown, capsys, name):
    window = shown(name)
    said = "".join(window.workspace.panes["overview"].toPlainText().split())
    cli.main(["overview", str(resource(name))])
    told = [line.partition(":")[2] for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 10
    for line in told:
        assert "".join(line.split()) in said


def links(window: Window, qtbot) -> list[tuple[int, bool]]:
    """Where each link leads, by keyboard: the current row, and whether rows are left out."""
    pane, selection = window.workspace.panes["overview"], window.selection
    pane.setFocus()
    found = []
    for _ in range(pane.toHtml().count("<a href")):
        selection.show_all()
        selection.go_to(1)
        qtbot.keyClick(pane, Qt.Key.Key_Tab)
        qtbot.keyClick(pane, Qt.Key.Key_Return)
        found.append((selection.row, bool(selection.filters)))
    return found


def test_each_figure_leads_to_an_example(shown, qtbot):
    window = shown(SAMPLE)
    told = window.document.analysis
    found = links(window, qtbot)
    assert len(found) >= 9
    assert (79, False) in found  # the slowest answer's request
    assert any(filtered for _, filtered in found)  # a stream alone
    errors = {row for row, filtered in found if not filtered}
    assert errors <= set(range(len(told.wpdus)))


def test_a_small_capture_goes_straight_to_the_table_and_a_large_one_does_not(open_in, qtbot, tmp_path: Path):
    """Reading it again does not bring the overview back once it was closed."""
    window = open_in(resource(SAMPLE))
    dock = window.workspace.findChild(QDockWidget, "overview")
    assert dock.isHidden()
    large = tmp_path / "large.pcapng"
    shutil.copy(resource(SAMPLE), large)
    with large.open("ab") as file:
        size = 12 + (1 << 20)
        file.write(struct.pack("<II", 0x0BAD, size) + bytes(1 << 20) + struct.pack("<I", size))
    open_in(large)
    assert not dock.isHidden()
    window.workspace.show_pane("overview", False)
    window.reload()
    qtbot.waitUntil(lambda: not window.document.reading)
    assert dock.isHidden()
