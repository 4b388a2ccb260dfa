"""Go to by number: WPDUs and packets, and what is said where there is none such."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog

from cosemscope.gui.dialogs.go_to_dialog import GoToDialog
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.resources import resource
from tests.helpers.shared import shared


@pytest.fixture
def sample(open_in) -> Window:
    return open_in(resource(SAMPLE))


@pytest.fixture
def dialog(sample: Window, qtbot) -> GoToDialog:
    dialog = GoToDialog(sample, sample.workspace.traffic, sample.selection.row)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_go_to_asks_for_a_number(open_in, monkeypatch):
    """Numbers count from 1."""
    window = open_in(shared("captures/Output.pcap"))

    def answer(dialog: GoToDialog) -> QDialog.DialogCode:
        dialog.number.setText("42")
        dialog.check()
        return QDialog.DialogCode.Accepted

    monkeypatch.setattr(GoToDialog, "exec", answer)
    window.ask_go_to()
    assert window.workspace.table.current_row == 41
    monkeypatch.setattr(GoToDialog, "exec", lambda _: QDialog.DialogCode.Rejected)
    window.ask_go_to()
    assert window.workspace.table.current_row == 41


@pytest.mark.parametrize("typed", ["99999", "0", "143", "", "x", "9" * 400, "-1"])
def test_a_number_that_is_not_there_is_said_and_not_cut(qtbot, dialog, typed):
    qtbot.keyClicks(dialog.number, typed)
    if not typed:
        qtbot.keyClick(dialog.number, Qt.Key.Key_Backspace)
    assert dialog.number.text() == typed
    assert not dialog.go.isEnabled()
    assert "from 1 to 142" in dialog.trouble.text()
    qtbot.keyClick(dialog.number, Qt.Key.Key_Return)
    assert dialog.isVisible()


def test_a_packet_leads_to_the_wpdu_that_it_carries(qtbot, dialog, sample):
    """Numbers as comments and tips name them; of a packet without octets the next WPDU of its stream."""
    wpdus, traffic = sample.workspace.traffic.wpdus, sample.workspace.traffic
    dialog.kind.setCurrentIndex(1)
    for row in (0, 57, 141):
        dialog.number.selectAll()
        qtbot.keyClicks(dialog.number, str(wpdus["last_packet"].item(row) + 1))
        assert dialog.row == row
        assert dialog.trouble.text() == f"WPDU {row + 1}"
    dialog.number.selectAll()
    qtbot.keyClicks(dialog.number, "1")  # a handshake
    assert dialog.row >= 0
    assert "the next of its stream" in dialog.trouble.text()
    assert not traffic.carries(dialog.row, 0)
    dialog.number.selectAll()
    qtbot.keyClicks(dialog.number, "287")
    assert "There is no packet 287" in dialog.trouble.text()


def test_a_packet_of_other_traffic_has_no_row(qtbot, dialog, sample):
    traffic = sample.workspace.traffic
    other = next(packet for packet in range(286) if traffic.row_at_packet(packet) < 0)
    dialog.kind.setCurrentIndex(1)
    dialog.number.selectAll()
    qtbot.keyClicks(dialog.number, str(other + 1))
    assert not dialog.go.isEnabled()
    assert "no row" in dialog.trouble.text()


def kind(dialog: GoToDialog, name: str) -> None:
    dialog.kind.setCurrentIndex(dialog.kind.findText(name))


def test_an_exchange_leads_to_its_request(qtbot, dialog, sample):
    """Numbers as the column of exchanges has them; one too many says which there are."""
    kind(dialog, "Exchange")
    traffic = sample.workspace.traffic
    for row in (0, 2, 30):
        dialog.number.setText(traffic.said(row, "exchange")[0])
        dialog.check()
        assert traffic.said(dialog.row, "exchange") == traffic.said(row, "exchange")
        assert dialog.row <= row
    dialog.number.setText("9999")
    dialog.check()
    assert dialog.row == -1
    assert "Exchanges are numbered from 1 to " in dialog.trouble.text()


@pytest.mark.parametrize(
    ("typed", "row"),
    [("0s", 0), ("50ms", 2), ("0.05", 2), ("2s", 47), ("", -1), ("soon", -1), ("3h", -1), ("2020-01-01", -1)],
)
def test_a_time_leads_to_the_first_wpdu_from_then_on(dialog, sample, typed, row):
    """Since the first WPDU, or by the calendar; what is not in the capture is said."""
    kind(dialog, "Time")
    dialog.number.setText(typed)
    dialog.check()
    assert dialog.row == row
    assert dialog.go.isEnabled() == (row >= 0)
    assert dialog.trouble.text()


def test_the_time_that_is_shown_leads_back(dialog, sample):
    """As a column of instants shows it."""
    kind(dialog, "Time")
    for row in (0, 17, 141):
        dialog.number.setText(sample.workspace.traffic.said(row, "wpdu.time")[0])
        dialog.check()
        assert dialog.row == row
