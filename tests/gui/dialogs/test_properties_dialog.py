"""What a capture file is, what made it and what is in it, is told in one place of the window."""

from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication

from cosemscope.gui.dialogs.properties_dialog import PropertiesDialog
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.frame.window import Window
from cosemscope.resources import resource
from tests.helpers.files import Pcapng
from tests.helpers.packets import ethernet, ipv4, udp
from tests.helpers.shared import shared

FRAME = ethernet(ipv4(udp(bytes.fromhex("000100010010000d c001c100080000010000ff0200")), 17))
FIRST = 1_700_000_000_000_000


def dialog_of(window: Window) -> PropertiesDialog:
    """The dialog, opened as the menu does."""
    action = window.actions_by_name["properties"]
    assert action.isEnabled()
    action.trigger()
    return window.findChildren(PropertiesDialog)[-1]


def told(dialog: PropertiesDialog) -> dict[str, dict[str, str]]:
    """The rows by their headings, as they are copied."""
    dialog.copy.click()
    groups: dict[str, dict[str, str]] = {}
    for group in QGuiApplication.clipboard().text().split("\n\n"):
        title, *rows = group.splitlines()
        groups[title] = dict(row.strip().split(": ", 1) for row in rows if ": " in row)
    return groups


def test_without_a_capture_there_is_nothing_to_tell(open_in, window):
    """The action is greyed on the start page, before and after."""
    action = window.actions_by_name["properties"]
    assert not action.isEnabled()
    open_in(resource("samples/faults.pcapng"))
    assert action.isEnabled()
    window.close_capture()
    assert not action.isEnabled()


def test_a_damaged_pcapng_is_told_as_it_is(open_in, tmp_path):
    """Counts that agree with the status bar; problems with their places; mark-up in a comment stays text."""
    b = Pcapng()
    good = b.section((1, b"<b>bold</b>"), (4, b"a test")) + b.interface(1, 96, (2, b"eth0"))
    good += b.enhanced(FIRST, FRAME) + b.enhanced(FIRST + 90_000_000, FRAME, (1, b"late"), original=900)
    path = tmp_path / "cut.pcapng"
    path.write_bytes(good + b.enhanced(FIRST, FRAME)[:-5])
    dialog = dialog_of(open_in(path))
    groups = told(dialog)
    assert groups["File"]["Path"] == str(path)
    assert groups["File"]["Format"] == "pcapng, version 1.0"
    assert groups["File"]["Size"].endswith(f"{path.stat().st_size} octets")
    assert groups["Time"]["Duration"] == "1 min 30 s (90.000000 s)"
    assert groups["Counts"]["Packets"] == "3"
    assert groups["Counts"]["Comments on packets"] == "1"
    assert groups["Section"] == {"Application": "a test", "Comment": "<b>bold</b>"}
    assert groups["Interface"]["Name"] == "eth0"
    assert list(groups["Problems"]) == [f"At octet {len(good):,}"]
    assert "<b>bold</b>" in dialog.text.toPlainText()
    dialog.close()


def test_the_counts_are_those_of_the_status_bar(open_in):
    """Whole WPDUs, and truncated ones apart."""
    window = open_in(resource("samples/faults.pcapng"))
    counts = told(dialog_of(window))["Counts"]
    assert (counts["WPDUs"], counts["Truncated WPDUs"]) == ("97", "2")
    assert f"{counts['Packets']} packets" in window.status.counts.text()
    window.findChild(PropertiesDialog).close()


def test_a_pcap_has_an_interface_and_no_section(open_in):
    """The one of its header."""
    groups = told(dialog_of(open_in(shared("captures/DLMS_list.pcap"))))
    assert groups["File"]["Format"] == "pcap, version 2.4"
    assert groups["File"]["Compression"] == "none"
    assert groups["Interface"]["Packets in this capture"] == groups["Counts"]["Packets"] == "15"
    assert "Section" not in groups
    assert "State" not in groups["File"]


def test_a_growing_capture_is_told_as_far_as_it_has_come(window, qtbot, tmp_path):
    """And again by the button, until it is complete."""
    b = Pcapng()
    path = tmp_path / "growing.pcapng"
    path.write_bytes(b.section() + b.interface() + b.enhanced(FIRST, FRAME))
    window.open_spool(UnsavedSpool(path, "A test's"), follow=True)
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 1)
    dialog = dialog_of(window)
    groups = told(dialog)
    assert groups["File"]["Name"] == "A test's"
    assert groups["File"]["State"].startswith("still growing")
    assert groups["Counts"]["WPDUs"] == "1"
    with path.open("ab") as file:
        file.write(b.enhanced(FIRST + 1, FRAME))
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 2)
    dialog.refresh.click()
    assert told(dialog)["Counts"]["WPDUs"] == "2"
    window.document.stop_following()
    qtbot.waitUntil(lambda: not window.document.reading)
    dialog.refresh.click()
    assert "State" not in told(dialog)["File"]
    before = dialog.text.toPlainText()
    window.close_capture()
    dialog.refresh.click()
    assert dialog.text.toPlainText() == before


@pytest.mark.parametrize("removed", [False, True])
def test_a_ring_is_told_as_one_capture(window, qtbot, tmp_path: Path, removed: bool):
    """Its files, and the packets of all of them."""
    b = Pcapng()
    paths = [tmp_path / f"ring_0000{number}_20260131235959.pcapng" for number in (1, 2, 3)]
    for number, path in enumerate(paths):
        path.write_bytes(b.section() + b.interface() + b.enhanced(FIRST + number, FRAME))
    size = sum(path.stat().st_size for path in paths)
    window.open_spool(UnsavedSpool(paths[0], "A test's"), follow=True)
    qtbot.waitUntil(lambda: window.workspace.traffic.total == 3)
    if removed:
        paths[0].unlink()
    groups = told(dialog_of(window))
    assert groups["File"]["Files"].startswith("2 " if removed else "3 ")
    assert groups["File"]["Path"] == str(paths[-1])
    assert groups["File"]["Format"] == "pcapng, version 1.0"
    assert groups["File"]["Size"].startswith(f"{size} octets")
    assert ("removed" in groups["File"]["Size"]) is removed
    assert groups["Interface"]["Packets in this capture"] == groups["Counts"]["Packets"] == "3"
    window.findChild(PropertiesDialog).close()
    window.document.stop_following()
    qtbot.waitUntil(lambda: not window.document.reading)
