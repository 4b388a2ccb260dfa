"""The overview in the window: what the command says, with links by mouse and keyboard to what it counts."""

import re
import shutil
import struct
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from PySide6.QtCore import Qt, QUrl
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


def test_each_figure_leads_to_what_it_counts(shown, qtbot):
    """By the display filter that the bar shows then: errors, refused connections, the slow ones."""
    window = shown(SAMPLE)
    html = window.workspace.panes["overview"].toHtml()
    filters = [unquote(one) for one in re.findall(r"href=.filter:([^\"']+)", html)]
    expected = {
        "protocol == udp": 6,
        "stream.outcome == refused": 4,
        "exchange.status == error": 8,
        "meter == 198.51.100.21 && exchange.status == error": 4,
        "exchange == 24": 2,
    }
    assert set(expected) <= set(filters)
    table = window.workspace.table
    pane = window.workspace.panes["overview"]
    for text, rows in expected.items():
        pane.anchorClicked.emit(QUrl(f"filter:{quote(text)}"))
        qtbot.waitUntil(lambda rows=rows: table.wpdus.rowCount() == rows)
        assert window.workspace.filter.line.text() == text
    for text in filters:
        window.selection.show_all()
        pane.anchorClicked.emit(QUrl(f"filter:{quote(text)}"))
        qtbot.waitUntil(lambda: 0 < table.wpdus.rowCount() < 143)


def test_links_are_followed_by_keyboard(shown, qtbot):
    """The first one shows the TCP connections; that of the slowest answer goes to its WPDU."""
    window = shown(SAMPLE)
    pane = window.workspace.panes["overview"]
    pane.setFocus()
    qtbot.keyClick(pane, Qt.Key.Key_Tab)
    qtbot.keyClick(pane, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.workspace.filter.line.text() == "protocol == tcp")
    assert "wpdu:80" in pane.toHtml()
    pane.anchorClicked.emit(QUrl("wpdu:80"))
    assert window.selection.row == 79


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
