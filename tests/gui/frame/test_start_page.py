"""The start page: each way to begin is one click, and recent files are there or grey."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from cosemscope.gui.frame.start_page import StartPage


@pytest.fixture
def page(qtbot, look) -> StartPage:
    page = StartPage()
    qtbot.addWidget(page)
    page.resize(900, 700)
    with qtbot.waitExposed(page):
        page.show()
    return page


WAYS = ("open", "capture", "connect", "listen", "paste", "sample", "readMeter", "meter", "relay")


@pytest.mark.parametrize("way", WAYS)
def test_each_button_asks_for_its_own(page, qtbot, way):
    """And for nothing else; by mouse and by keyboard."""
    told = []
    for name in WAYS:
        getattr(page, f"{name}Asked").connect(lambda name=name: told.append(name))
    qtbot.mouseClick(page.ways[way], Qt.MouseButton.LeftButton)
    qtbot.keyClick(page.ways[way], Qt.Key.Key_Space)
    assert told == [way, way]


@pytest.mark.parametrize("width", [700, 900, 1900])
def test_every_word_of_the_buttons_is_seen(page, qtbot, width):
    """Descriptions wrap in narrow windows; no label is cut."""
    page.resize(width, 700)
    qtbot.wait(20)
    assert set(page.ways) == set(WAYS)
    for button in page.ways.values():
        assert button.accessibleName()
        assert button.accessibleDescription()
        for label in button.findChildren(QLabel):
            assert label.height() >= label.heightForWidth(label.width())
            assert button.rect().contains(label.geometry())


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
