"""Small dialogs of the window: decode as, shortcuts, about, and the one for faults."""

from PySide6.QtWidgets import QApplication

from cosemscope.gui.application import Faults
from cosemscope.gui.dialogs.small_dialogs import DecodeAsDialog, targets_of, with_rule
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.tables.framing import Framing
from tests.helpers.shared import shared


def test_decode_as_reads_the_file_again(open_in, qtbot, monkeypatch):
    """What a person says about a port overrides recognition, and can be taken back."""
    window = open_in(shared("captures/DLMS_list.pcap"))

    def answer(framing):
        monkeypatch.setattr(
            "cosemscope.gui.frame.window.ask_decode_as",
            lambda parent, traffic, rules, stream: with_rule(rules, targets_of(traffic, stream)[0], framing),
        )

    answer(Framing.UNKNOWN)
    window.ask_decode_as(0)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.workspace.table.wpdus.rowCount() == 0
    assert window.document.decode_as.ports == {(6, 4059): Framing.UNKNOWN}
    answer(None)
    window.ask_decode_as(0)
    qtbot.waitUntil(lambda: not window.document.reading)
    assert window.workspace.table.wpdus.rowCount() == 8
    assert not window.document.decode_as


def test_the_decode_as_dialog_shows_what_is_in_force(open_in, qtbot):
    """Ports of the stream, the server's first; choosing a target shows its rule."""
    window = open_in(shared("captures/DLMS_list.pcap"))
    rules = DecodeAs(ports={(6, 4059): Framing.HDLC})
    dialog = DecodeAsDialog(window, window.workspace.traffic, rules, 0)
    qtbot.addWidget(dialog)
    assert dialog.target.itemText(0) == "TCP port 4059, all streams"
    assert dialog.framing.currentText() == "HDLC"
    dialog.target.setCurrentIndex(1)
    assert dialog.framing.currentText() == "recognise by content"
    dialog.framing.setCurrentText("bare APDUs")
    assert dialog.result_rules == DecodeAs(ports={(6, 4059): Framing.HDLC, (6, 46092): Framing.BARE})


def test_an_exception_nobody_caught_becomes_a_dialog(window, qtbot):
    """And only one, however many come."""
    faults = Faults()
    faults.window = window
    for _ in range(3):
        faults.hook(ValueError, ValueError("a test's"), None)
    dialogs = [
        widget
        for widget in QApplication.topLevelWidgets()
        if widget.isVisible() and "went wrong" in widget.windowTitle()
    ]
    assert len(dialogs) == 1
    dialogs[0].close()


def test_small_dialogs_open(window):
    """Shortcuts and about; both close without a trace."""
    window.show_shortcuts()
    window.show_about()
    titles = {widget.windowTitle() for widget in QApplication.topLevelWidgets() if widget.isVisible()}
    assert {"Keyboard shortcuts", "About Cosemscope"} <= titles
    for widget in QApplication.topLevelWidgets():
        if widget is not window and widget.isVisible():
            widget.close()
