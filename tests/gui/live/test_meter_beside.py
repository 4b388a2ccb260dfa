"""The built-in meter, started and read by one button: its traffic is there at once, and both end together."""

import os
import signal

import pytest
from PySide6.QtCore import Qt

from cosemscope.capture.spool.spool_folder import left_spools
from cosemscope.gui.frame.window import Window
from cosemscope.gui.live.meter_beside import READINGS
from tests.helpers.live_window import is_running


def numbers(window: Window) -> list[int]:
    """The processes of the link and of the meter."""
    return [window.live.process.number, window.live._beside.process.number]


@pytest.fixture
def reading(window: Window, qtbot) -> Window:
    """A window whose button was clicked, when the meter has answered all that is asked at the beginning."""
    qtbot.mouseClick(window.start_page.ways["readMeter"], Qt.MouseButton.LeftButton)
    wanted = 2 * len(READINGS)
    qtbot.waitUntil(lambda: window.document is not None and window.document.wpdus >= wanted, timeout=20_000)
    return window


def test_one_button_starts_the_meter_and_shows_how_it_is_read(reading, qtbot):
    """AARQ, name, SAPs, objects and clock are answered; the clock is read on; both panels are there."""
    window = reading
    table = window.workspace.table.wpdus
    qtbot.waitUntil(lambda: table.rowCount() >= 2 * len(READINGS) + 2, timeout=10_000)
    log = window.workspace.live_panels["link"].log
    words = [log.item(row).text().partition(",")[0] for row in range(log.count())]
    assert words[2:4] == ["AARQ", "AARE"]
    assert words[4:12] == ["get-request", "get-response"] * 4
    assert "Connected" in window.workspace.live_panels["link"].status.text()
    assert "listening" in window.workspace.live_panels["meter"].status.text()
    assert window.document.following


def test_stop_ends_both_and_leaves_one_capture(reading, qtbot, spools):
    """No process stays, and no spool of the meter: its octets are in that of the link."""
    window = reading
    processes = numbers(window)
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running and not window.document.reading, timeout=15_000)
    assert not any(map(is_running, processes))
    assert [path.name.partition("-")[0] for path in spools.glob("*.pcapng")] == ["connect"]
    assert left_spools() == []
    for name in ("link", "meter"):
        assert window.workspace.live_panels[name].end_button.text() == "Again"
    assert not window.messages.messages


def test_again_starts_both_anew(reading, qtbot):
    """At another port, with the readings from their beginning."""
    window = reading
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running, timeout=15_000)
    before = window.document
    window.workspace.live_panels["link"].end_button.click()
    qtbot.waitUntil(
        lambda: window.document is not before and window.document.wpdus >= 2 * len(READINGS), timeout=20_000
    )


def test_a_meter_that_dies_ends_its_link_and_is_told(reading, qtbot):
    """The capture stays, complete up to there."""
    window = reading
    link, meter = numbers(window)
    os.kill(meter, signal.SIGKILL)
    qtbot.waitUntil(lambda: not window.live.running, timeout=15_000)
    assert not is_running(link)
    assert any("ended from outside" in message.text for message in window.messages.messages)
    assert window.document.wpdus >= 2 * len(READINGS)
    assert not window.document.following


def test_faults_are_switched_while_it_is_read(reading, qtbot):
    """The switch goes to the meter and not to the link; what it does wrong is told by both sides."""
    window = reading
    panel = window.workspace.live_panels["meter"]
    log = window.workspace.live_panels["link"].log
    panel.faults.switches["wrong-length"].box.click()
    qtbot.waitUntil(lambda: panel.in_force.text() == "wrong-length", timeout=5_000)
    bad = lambda: [log.item(row).text() for row in range(log.count()) if "length" in log.item(row).text()]  # noqa: E731
    qtbot.waitUntil(lambda: bool(bad()) or not window.live.running, timeout=15_000)
