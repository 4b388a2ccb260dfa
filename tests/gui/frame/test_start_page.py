"""The start page: each way to begin is one click, and recent files are there or grey."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from cosemscope.gui.frame.start_page import StartPage


@pytest.fixture
def page(qtbot, look) -> StartPage:
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    with qtbot.waitExposed(page):
        page.show()
    return page


@pytest.mark.parametrize(
    ("button", "signal"),
    [
        ("open_button", "openAsked"),
        ("sample_button", "sampleAsked"),
        ("capture_button", "captureAsked"),
        ("connect_button", "connectAsked"),
    ],
)
def test_each_button_asks_for_its_own(page, qtbot, button, signal):
    """And for nothing else."""
    told = []
    for name in ("openAsked", "sampleAsked", "captureAsked", "connectAsked"):
        getattr(page, name).connect(lambda name=name: told.append(name))
    qtbot.mouseClick(getattr(page, button), Qt.MouseButton.LeftButton)
    assert told == [signal]


def test_recent_files_are_buttons_with_name_and_path(page, qtbot, tmp_path: Path):
    """The newest first; one that is gone says so and cannot be clicked; the list may become empty."""
    there, gone = tmp_path / "there.pcap", tmp_path / "gone.pcap"
    there.touch()
    page.show_recent((str(there), str(gone)))
    first, second = page.recent_buttons
    assert (first.isEnabled(), first.toolTip()) == (True, str(there))
    assert (second.isEnabled(), second.toolTip()) == (False, f"{gone} is not there any more")
    with qtbot.waitSignal(page.recentAsked) as asked:
        qtbot.mouseClick(first, Qt.MouseButton.LeftButton)
    assert asked.args == [str(there)]
    page.show_recent(())
    assert page.recent_buttons == ()
