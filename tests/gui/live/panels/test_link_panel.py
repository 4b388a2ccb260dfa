"""Test links in the window: connect, send by keyboard, see rows come; what goes wrong, in words; ends."""

import json
import os
import signal
import subprocess
import sys

import pytest
from PySide6.QtCore import Qt

from cosemscope.analysis.engine import Analysis
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.job_options import words_of
from cosemscope.capture.spool.spool_folder import left_spools
from cosemscope.gui.base import settings as options
from cosemscope.gui.frame.window import Window
from cosemscope.gui.live.asked_jobs import command_line, remembered
from cosemscope.gui.live.connect_dialog import ConnectDialog, ListenDialog, ask_connect
from cosemscope.gui.live.panels.link_panel import LinkPanel
from cosemscope.gui.panes.wpdus.column_looks import USUAL_FIELDS
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import ListenJob
from cosemscope.live.commands.ready_made import READY_MADE, get_request, public_aarq
from tests.helpers.live_window import environment, is_running, listener
from tests.helpers.shared import shared

NUMBER = {name: number for number, name in enumerate(USUAL_FIELDS)}

#: Octets that a peer sends which are no WPDU.
CHATTER = "HTTP/1.1 400 Bad Request\\r\\n\\r\\n"

SAYS_AND_STAYS = """
import socket, sys
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
peer, _ = server.accept()
peer.sendall(sys.argv[1].encode())
peer.recv(1)
"""


def column(window: Window, name: str) -> list[str]:
    model = window.workspace.table.wpdus
    return [model.data(model.index(row, NUMBER[name])) for row in range(model.rowCount())]


def log(panel: LinkPanel) -> list[str]:
    return [panel.log.item(row).text() for row in range(panel.log.count())]


@pytest.fixture
def link(window: Window, qtbot):
    """Opens a link and waits until it is there, or has failed."""

    def open_link(address: str, **values: int) -> LinkPanel:
        window.live.begin(ConnectJob(address, **values))
        panel = window.live.panel
        qtbot.waitUntil(
            lambda: panel.status.text().startswith("Connected") or not window.live.running, timeout=15_000
        )
        return panel

    return open_link


def send(qtbot, panel: LinkPanel, text: str) -> None:
    qtbot.keyClicks(panel.line, text)
    qtbot.keyClick(panel.line, Qt.Key.Key_Return)


def test_what_is_sent_and_answered_is_shown_as_it_happens(window, qtbot, link):
    """Hex by keyboard and Enter: rows in the table, a pair in the tree, points in the graph, times."""
    with listener() as server:
        panel = link(server.address)
        send(qtbot, panel, public_aarq().hex())
        workspace = window.workspace
        qtbot.waitUntil(lambda: column(window, "apdu") == ["AARQ", "AARE"])
        panel.write(get_request(8, "0.0.1.0.0.255", 2))
        qtbot.keyClick(panel.line, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: column(window, "apdu")[2:] == ["get-request", "get-response"])
        qtbot.waitUntil(lambda: workspace.sessions.sessions.rowCount() == 2)
        qtbot.waitUntil(lambda: len(workspace.timing.lanes) == 4)
        assert window.document.following
        assert panel.isVisible()
        assert "live" in window.status.file.text()
        assert [line.partition(",")[0] for line in log(panel)[2:]] == [
            *("AARQ", "AARE", "get-request", "get-response")
        ]
        assert " ms" in log(panel)[3] or " µs" in log(panel)[3]
        assert "0x" not in panel.status.text()
        assert "Public Client" in panel.status.text()
        window.live.stop()
        qtbot.waitUntil(lambda: not window.live.running and not window.document.reading)
        assert len(column(window, "apdu")) == 4
        assert panel.end_button.text() == "Again"
        assert not panel.line.isEnabled()


def test_the_line_has_a_history_and_says_what_stands_in_it(window, qtbot, link):
    """Up and down; not hexadecimal is said in place and cannot be sent."""
    with listener() as server:
        panel = link(server.address)
        qtbot.keyClicks(panel.line, "c0 01 zz")
        assert "'z'" in panel.meaning.text()
        assert not panel.can_send
        panel.line.clear()
        for text in ("6203800100", "c001c100080000010000ff0200"):
            send(qtbot, panel, text)
        assert panel.line.text() == ""
        qtbot.keyClick(panel.line, Qt.Key.Key_Up)
        assert panel.line.text() == "c001c100080000010000ff0200"
        assert "get-request, 13 octets" in panel.meaning.text()
        qtbot.keyClick(panel.line, Qt.Key.Key_Up)
        assert panel.line.text() == "6203800100"
        qtbot.keyClick(panel.line, Qt.Key.Key_Down)
        qtbot.keyClick(panel.line, Qt.Key.Key_Down)
        assert panel.line.text() == ""


def test_ready_made_apdus_are_chosen_by_name(window, qtbot, link):
    """The menu puts one in the line; Enter sends it."""
    with listener() as server:
        panel = link(server.address)
        actions = panel.ready_made.menu().actions()
        assert [action.text() for action in actions] == [name for name, _ in READY_MADE]
        actions[0].trigger()
        assert bytes.fromhex(panel.line.text()) == public_aarq()
        qtbot.keyClick(panel.line, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: column(window, "apdu") == ["AARQ", "AARE"])


def test_over_udp(window, qtbot, link):
    """Datagrams are traffic, too."""
    with listener("--udp-only") as server:
        panel = link(server.address, udp=True)
        send(qtbot, panel, public_aarq().hex())
        qtbot.waitUntil(lambda: column(window, "apdu") == ["AARQ", "AARE"])
        assert "over UDP" in panel.status.text()


def test_refused_is_said_and_what_was_open_stays(window, qtbot, open_in, link, spools):
    """Nothing listens: a sentence, a button to try again, no spool left, the open capture still there."""
    open_in(shared("captures/DLMS_list.pcap"))
    with listener() as server:
        address = server.address
    panel = link(address)
    qtbot.waitUntil(lambda: not window.live.running)
    message = window.messages.messages[-1]
    assert message.text == f"Connection refused by {address}: nothing listens on that port."
    assert [text for text, _ in message.buttons] == ["Connect…"]
    assert "refused" in panel.status.text()
    assert window.document.path.name == "DLMS_list.pcap"
    assert window.windowTitle() == "DLMS_list.pcap – Cosemscope"
    assert len(column(window, "apdu")) == 8
    assert not list(spools.glob("connect-*"))


def test_a_name_that_nobody_knows(window, qtbot, link):
    """A sentence that names the host."""
    link("no-such-host.invalid:4059")
    qtbot.waitUntil(lambda: bool(window.messages.messages) and not window.live.running, timeout=15_000)
    assert "no-such-host.invalid" in window.messages.messages[-1].text
    assert window.document is None


def test_no_answer_is_said_after_the_time_out(window, qtbot, link):
    """A server that takes and is silent: the link stays open, the sentence has the seconds."""
    with listener(answers=()) as server:
        panel = link(server.address, timeout=1)
        send(qtbot, panel, "c001c100080000010000ff0200")
        qtbot.waitUntil(lambda: "No answer" in panel.status.text())
        assert f"no answer from {server.address} within 1 s" in log(panel)[-1]
        assert window.live.running
        send(qtbot, panel, "c001c100080000010000ff0200")
        qtbot.waitUntil(lambda: window.document.wpdus == 2)


def test_closed_by_the_peer(window, qtbot, link):
    """A server that ends: said in words, the document is complete, the line is shut."""
    with listener("--count", "1") as server:
        panel = link(server.address)
        send(qtbot, panel, public_aarq().hex())
        qtbot.waitUntil(lambda: not window.live.running)
        assert "closed the connection" in panel.status.text()
        qtbot.waitUntil(lambda: not window.document.reading)
        assert column(window, "apdu")[0] == "AARQ"
        assert not panel.can_send


def test_a_peer_that_speaks_something_else(window, qtbot, link):
    """Not a wrapper: said in words, and not a stuck link."""
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_AND_STAYS, CHATTER], stdout=subprocess.PIPE, text=True
    ) as peer:
        try:
            panel = link(f"127.0.0.1:{int(peer.stdout.readline())}")
            qtbot.waitUntil(lambda: not window.live.running)
            assert panel.status.text().startswith("Not a wrapper")
            assert "it looks like HTTP" in window.messages.messages[-1].text
        finally:
            peer.kill()


def test_the_same_link_again(window, qtbot, link, unsaved_answer):
    """After the end, the button opens the same link once more; what was unsaved is asked about."""
    with listener() as server:
        panel = link(server.address)
        send(qtbot, panel, public_aarq().hex())
        qtbot.waitUntil(lambda: window.document.wpdus == 2)
        window.live.stop()
        qtbot.waitUntil(lambda: not window.live.running)
        unsaved_answer.append("cancel")
        qtbot.mouseClick(panel.end_button, Qt.MouseButton.LeftButton)
        assert not window.live.running
        unsaved_answer.append("discard")
        qtbot.mouseClick(panel.end_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: panel.status.text().startswith("Connected"))
        qtbot.waitUntil(lambda: window.document.wpdus == 0)


def test_closing_the_window_ends_the_process(window, qtbot, link, spools):
    """No process is left, and a spool that was given up is gone."""
    with listener() as server:
        panel = link(server.address)
        number = window.live.process.number
        send(qtbot, panel, public_aarq().hex())
        qtbot.waitUntil(lambda: window.document.wpdus == 2)
        window.close()
        qtbot.waitUntil(lambda: not window.isVisible(), timeout=10_000)
        assert not is_running(number)
        assert not list(spools.glob("connect-*"))


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QTimer
from cosemscope.gui.application import make_application
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.gui.base.settings import Settings
from cosemscope.gui.frame.window import Window

settings = Settings(Path(sys.argv[1]))
application = make_application([], settings)
window = Window(settings)
window.show()
window.live.begin(ConnectJob(sys.argv[2]))

def look():
    panel = window.live.panel
    if panel.status.text().startswith("Connected") and not panel.line.text():
        panel.line.setText("c001c100080000010000ff0200")
        panel.send()
        panel.line.setText("c001")
    if window.document is not None and window.document.wpdus == 2:
        print(window.live.process.number, flush=True)
        timer.stop()

timer = QTimer()
timer.timeout.connect(look)
timer.start(20)
application.exec()
"""


def test_a_killed_window_loses_nothing(qtbot, settings, spools, tmp_path):
    """The link's process ends by itself, and what it has kept is found at the next start."""
    with listener() as server:
        killed = subprocess.Popen(
            [sys.executable, "-c", WINDOW, str(tmp_path / "other.ini"), server.address],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        number = int(killed.stdout.readline())
        killed.kill()
        killed.communicate()
        qtbot.waitUntil(lambda: not is_running(number), timeout=10_000)
    left = left_spools(spools)
    assert [spool.command for spool in left] == ["connect"]
    with open_capture(left[0].path) as reader:
        assert len(Analysis(reader).run().wpdus) == 2
        assert not reader.problems


def test_a_link_that_dies_keeps_what_came(window, qtbot, link):
    """The process is killed: said in words, rows stay, and can be saved."""
    with listener() as server:
        panel = link(server.address)
        send(qtbot, panel, public_aarq().hex())
        qtbot.waitUntil(lambda: window.document.wpdus == 2)
        os.kill(window.live.process.number, signal.SIGKILL)
        qtbot.waitUntil(lambda: not window.live.running)
        assert "ended from outside" in window.messages.messages[-1].text
        qtbot.waitUntil(lambda: not window.document.reading)
        assert window.document.wpdus == 2
        assert window.actions_by_name["save"].isEnabled()


def test_listening_shows_who_comes_and_answers(window, qtbot):
    """The other end: a client's APDUs come in, an answer is chosen in the line, the client gets it."""
    window.live.begin(ListenJob("127.0.0.1:0"))
    panel = window.live.panel
    qtbot.waitUntil(panel.isVisible)
    address = log(panel)[0].split()[2]
    panel.line.setText("d80102")
    assert not panel.can_send  # nobody is there
    qtbot.mouseClick(panel.answer_button, Qt.MouseButton.LeftButton)
    assert panel.answer_button.text() == "Answers exception-response"
    client = subprocess.Popen(
        [sys.executable, "-m", "cosemscope", "connect", address, "--json", "--send", "c001c1"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    qtbot.waitUntil(lambda: column(window, "apdu") == ["get-request", "exception-response"], timeout=10_000)
    events = [json.loads(line) for line in client.communicate(timeout=10)[0].splitlines()]
    assert [event["apdu"] for event in events if event["event"] == "received"] == ["d80102"]
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running)
    assert panel.status.text() == "Closed."


def test_an_address_in_use_is_said(window, qtbot):
    """Two listeners in one place."""
    with listener() as server:
        window.live.begin(ListenJob(server.address))
        qtbot.waitUntil(lambda: bool(window.messages.messages) and not window.live.running)
        assert "in use by another program" in window.messages.messages[-1].text


def test_the_dialog_names_wports_and_checks_the_address(qtbot, look):
    """Table 1 beside the numbers; an address that is none is said as it is typed."""
    dialog = ConnectDialog(None, ("192.0.2.7",), ConnectJob(""))
    qtbot.addWidget(dialog)
    assert not dialog.go.isEnabled()
    assert "Public Client" in dialog.client.meaning.text()
    assert "Management Logical Device" in dialog.server.meaning.text()
    dialog.server.number.setValue(0x7F)
    assert "All-station" in dialog.server.meaning.text()
    qtbot.keyClicks(dialog.address, "meter:70000")
    assert "is no port" in dialog.trouble.text()
    assert not dialog.go.isEnabled()
    dialog.address.setCurrentText("[::1]:4060")
    dialog.udp.setChecked(True)
    assert dialog.go.isEnabled()
    assert dialog.job == ConnectJob("[::1]:4060", udp=True, server=0x7F)
    assert command_line(dialog.job)[-1] == "[::1]:4060"
    assert "--udp" in command_line(dialog.job)


def test_an_address_used_before_is_offered_and_not_put_in(qtbot, look):
    """What is typed is what is connected to."""
    dialog = ConnectDialog(None, ("127.0.0.1:9", "192.0.2.7"), ConnectJob(""))
    qtbot.addWidget(dialog)
    dialog.show()
    line = dialog.address.lineEdit()
    line.clear()
    qtbot.keyClicks(line, "127.0.0.1")
    assert line.text() == "127.0.0.1"
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert dialog.job.address == "127.0.0.1"


def test_a_long_sentence_about_an_address_is_seen_whole(qtbot, look):
    dialog = ConnectDialog(None, (), ConnectJob(""))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.address.lineEdit().setText("00 01 00 10 00 01 00 0d " * 8 + ":")
    trouble = dialog.trouble
    assert trouble.text()
    qtbot.waitUntil(lambda: trouble.height() >= trouble.heightForWidth(trouble.width()))


def test_typing_an_apdu_moves_no_pane_and_needs_no_click(window, qtbot, link):
    """Behind Connect the keys go to the line; what is said of it is as wide as there is room."""
    with listener() as server:
        panel = link(server.address)
        qtbot.waitUntil(lambda: window.document is not None and window.document.analysis is not None)
        qtbot.waitUntil(lambda: window.focusWidget() is panel.line)
        qtbot.wait(50)
        widths = panel.width(), window.workspace.table.width()
        qtbot.keyClicks(panel.line, "c001zz and what is no hexadecimal at all, for a very long while")
        assert panel.meaning.text()
        qtbot.wait(50)
        assert (panel.width(), window.workspace.table.width()) == widths


def test_the_listen_dialog_wants_a_transport(qtbot, look):
    """Neither TCP nor UDP is nothing."""
    dialog = ListenDialog(None, ListenJob("127.0.0.1:4059"))
    qtbot.addWidget(dialog)
    assert dialog.go.isEnabled()
    dialog.udp.setChecked(False)
    assert command_line(dialog.job) == ["listen", "--control", "--tcp-only"]
    dialog.tcp.setChecked(False)
    assert not dialog.go.isEnabled()


def test_what_was_typed_is_offered_again(qtbot, look, settings, monkeypatch):
    """The last link and the addresses used come back."""
    monkeypatch.setattr(ConnectDialog, "exec", lambda self: ConnectDialog.DialogCode.Accepted)
    asked = ConnectJob("meter-1", client=17, server=2, udp=True, timeout=5, connect_timeout=5)
    settings.set(options.LINK, tuple(words_of(asked)))
    assert ask_connect(None, settings) == asked
    assert settings.get(options.ADDRESSES) == ("meter-1",)
    settings.set(options.LINK, ("--client=x", "--", "meter-1"))  # not what it should be
    assert remembered(settings.get(options.LINK), ConnectJob("")) == ConnectJob("")


def test_ready_made_apdus_are_whole():
    """Each decodes without a problem."""
    for name, apdu in READY_MADE:
        assert not decode_apdu(apdu).problems, name
