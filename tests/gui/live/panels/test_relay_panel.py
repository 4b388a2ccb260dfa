"""The relay in the window: a client goes through it; what a filter leaves waits, and is dealt with."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from PySide6.QtCore import Qt

from cosemscope.gui.base import settings as options
from cosemscope.gui.frame.window import SAMPLE, Window
from cosemscope.gui.live.panels.held_wpdus import HeldWpdus
from cosemscope.gui.live.panels.relay_panel import RelayPanel
from cosemscope.gui.live.relay_dialog import RelayDialog, ask_relay
from cosemscope.live.commands.ready_made import get_request, public_aarq
from cosemscope.live.relay.relay_events import (
    DelayHeld,
    DoubleHeld,
    DropHeld,
    LetGo,
    ReplaceHeld,
    WpduHeld,
)
from cosemscope.live.relay.relay_job import RelayJob
from cosemscope.resources import resource
from tests.helpers.live_window import environment, listener

CLOCK = get_request(8, "0.0.1.0.0.255", 2)


class Client:
    """A test link in a process of its own, told what to send; `names` are those of the APDUs that it got."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.words: list[str] = []
        self.names: list[str] = []

    def send(self, apdu: bytes) -> None:
        self.process.stdin.write(json.dumps({"send": apdu.hex()}) + "\n")
        self.process.stdin.flush()

    def listen(self) -> None:
        """Take down what it tells, to its end: the window goes on meanwhile."""
        for line in self.process.stdout:
            event = json.loads(line)
            self.words.append(event["event"])
            if event["event"] == "received":
                self.names.append(event["name"])


@contextmanager
def client(address: str) -> Iterator[Client]:
    words = [sys.executable, "-m", "cosemscope", "connect", "--control", address]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env=environment())
    made = Client(process)
    reader = threading.Thread(target=made.listen)
    reader.start()
    try:
        yield made
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdin.close()
        process.stdout.close()


def wait_for(qtbot, link: Client, *names: str) -> None:
    """Wait until these came, and forget them."""
    qtbot.waitUntil(lambda: len(link.names) >= len(names), timeout=10_000)
    assert link.names == list(names)
    link.names.clear()


def lines(panel: RelayPanel) -> list[str]:
    return [panel.log.item(row).text() for row in range(panel.log.count())]


@pytest.fixture
def relay(window: Window, qtbot):
    """Starts a relay to a target at a port that is free; returns its panel and its address."""

    def start(target: str, **values: object) -> tuple[RelayPanel, str]:
        window.live.begin(RelayJob("127.0.0.1:0", target, udp=False, **values))
        panel = window.live.panel
        assert isinstance(panel, RelayPanel)
        qtbot.waitUntil(lambda: panel.status.text().startswith("Relaying"), timeout=15_000)
        return panel, panel.status.text().split()[1]

    return start


@pytest.fixture
def through(relay, qtbot):
    """A client that goes through a relay to a listener which answers, with a breakpoint set by keyboard."""
    with listener() as server:
        panel, address = relay(server.address)
        qtbot.keyClicks(panel.line, "apdu == get-request")
        qtbot.keyClick(panel.line, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: panel.said.text() == "Holds apdu == get-request", timeout=10_000)
        with client(address) as link:
            link.send(public_aarq())
            wait_for(qtbot, link, "AARE")
            yield panel, link


def hold(qtbot, panel: RelayPanel, link: Client, number: int = 1) -> None:
    """Send GETs until so many wait."""
    for _ in range(number):
        link.send(CLOCK)
    qtbot.waitUntil(lambda: len(panel.held) == number, timeout=10_000)


def test_what_goes_through_is_shown_as_it_happens(window, relay, qtbot):
    """Rows in the table, who joined and parted in the list, how many there are at the top."""
    with listener() as server:
        panel, address = relay(server.address)
        with client(address) as link:
            link.send(public_aarq())
            wait_for(qtbot, link, "AARE")
            qtbot.waitUntil(lambda: window.document is not None and window.document.wpdus == 2)
            qtbot.waitUntil(lambda: panel.status.text().endswith("1 client"))
        qtbot.waitUntil(lambda: panel.status.text().endswith("0 clients"), timeout=10_000)
        assert [line.partition(":")[0] for line in lines(panel)[1:]] == ["joined", "parted"]
        window.live.stop()
        qtbot.waitUntil(lambda: not window.live.running)
        assert not panel.line.isEnabled()
        assert panel.status.text() == "Closed."


def test_the_panel_is_in_front_until_something_else_is_opened(window, relay, qtbot):
    """With the line of its breakpoint ready to be typed in; a file has the table in front again."""
    with listener() as server:
        panel, _ = relay(server.address)
        qtbot.waitUntil(lambda: window.document is not None and window.document.analysis is not None)
        qtbot.waitUntil(lambda: not panel.visibleRegion().isEmpty() and panel.line.hasFocus())
    window.open_path(str(resource(SAMPLE)))
    qtbot.waitUntil(lambda: window.workspace.table.hasFocus(), timeout=15_000)
    assert not panel.isVisible()


def test_what_is_held_comes_to_the_front_and_is_let_go(through, qtbot):
    """With a countdown; the answer comes when it is let go."""
    panel, link = through
    hold(qtbot, panel, link)
    row = panel.held.rows.topLevelItem(0)
    assert panel.hold_button.text() == "Holding"
    assert not panel.said.isVisible()
    assert panel.tabs.currentWidget() is panel.held
    assert [row.text(column) for column in (0, 1, 2, 3)] == ["1", "→", "get-request", "21"]
    assert 50 <= int(row.text(4).removesuffix(" s")) <= 60
    assert panel.held.apdu.toPlainText() == CLOCK.hex(" ")
    panel.held.go_button.click()
    wait_for(qtbot, link, "get-response")
    qtbot.waitUntil(lambda: len(panel.held) == 0)
    assert lines(panel)[-1] == "gone 1: get-request, go"
    assert not panel.held.go_button.isEnabled()


def test_another_apdu_goes_on_in_its_place(through, qtbot):
    """The box is edited; until it is another APDU there is nothing to send."""
    panel, link = through
    hold(qtbot, panel, link)
    assert not panel.held.edit_button.isEnabled()
    panel.held.apdu.setPlainText("62 03 80 01 0")
    assert not panel.held.edit_button.isEnabled()
    panel.held.apdu.setPlainText("62 03 80 01 00")
    assert panel.held.meaning.text() == "RLRQ, 5 octets · edited"
    panel.held.edit_button.click()
    wait_for(qtbot, link, "RLRE")


def test_dropped_doubled_and_delayed(through, qtbot):
    """The relay says of each what became of it; what is dropped is never answered."""
    panel, link = through
    for button, how in (
        (panel.held.drop_button, "drop"),
        (panel.held.double_button, "double"),
        (panel.held.delay_button, "delay=500ms"),
    ):
        hold(qtbot, panel, link)
        button.click()
        qtbot.waitUntil(lambda how=how: lines(panel)[-1].endswith(f"get-request, {how}"), timeout=10_000)
    wait_for(qtbot, link, *["get-response"] * 3)  # two of the doubled one, and the late one


def test_hold_nothing_lets_all_go(through, qtbot):
    """The breakpoint ends with what waits at it."""
    panel, link = through
    hold(qtbot, panel, link)
    assert panel.tabs.tabText(1) == "Held (1)"
    panel.line.setText("apdu == aarq")
    assert (panel.hold_button.text(), panel.said.isVisible()) == ("Hold", True)
    panel.none_button.click()
    wait_for(qtbot, link, "get-response")
    qtbot.waitUntil(lambda: not panel.none_button.isEnabled())
    assert panel.tabs.tabText(1) == "Held"


def test_what_nobody_deals_with_goes_on_by_itself(relay, qtbot):
    """After the time that the relay was given; the row goes with it."""
    with listener() as server:
        panel, address = relay(server.address, hold="apdu == aarq", hold_seconds=1.0)
        assert panel.line.text() == "apdu == aarq"
        with client(address) as link:
            link.send(public_aarq())
            qtbot.waitUntil(lambda: len(panel.held) == 1, timeout=10_000)
            wait_for(qtbot, link, "AARE")
            qtbot.waitUntil(lambda: lines(panel)[-1] == "gone 1: AARQ, let go after 1 s", timeout=10_000)
            assert panel.held.rows.topLevelItemCount() == 0


def test_a_filter_that_a_breakpoint_cannot_ask_is_said(window, relay, qtbot):
    """One that is none is said while it is typed; one that needs a whole capture by the relay."""
    with listener() as server:
        panel, _ = relay(server.address)
        panel.line.setText("apdu ==")
        assert not panel.hold_button.isEnabled()
        assert panel.said.text() not in ("", "Holds nothing.")
        panel.line.setText("response_time > 1s")
        panel.hold_button.click()
        qtbot.waitUntil(lambda: any("whole capture" in line for line in lines(panel)), timeout=10_000)
        assert not panel.none_button.isEnabled()
        assert window.live.running


def event(number: int, **values: object) -> WpduHeld:
    octets = bytes.fromhex("000100100001000d") + CLOCK
    usual = {
        "direction": "to-client",
        "name": "get-request",
        "client": "127.0.0.1:5",
        "target": "192.0.2.7:4059",
        "transport": "tcp",
    }
    return WpduHeld(number=number, octets=octets, **{**usual, **values})


def test_the_countdown_and_the_commands(qtbot, look):
    """By a clock of the test's own; commands are about all that are selected, an edit about one."""
    clock = [100.0]
    held = HeldWpdus(now=lambda: clock[0])
    qtbot.addWidget(held)
    held.begin(60)
    given = []
    held.commanded.connect(given.append)
    held.take(event(1))
    clock[0] += 25
    held.take(event(2))
    held._count_down()
    assert [held.rows.topLevelItem(row).text(4) for row in (0, 1)] == ["35 s", "60 s"]
    clock[0] += 100
    held._count_down()
    assert held.rows.topLevelItem(0).text(4) == "0 s"
    assert len(held) == 2  # the relay has not said that they are gone
    held.apdu.setPlainText("6203800100")
    held.edit_button.click()
    held.rows.selectAll()
    held.delay.setValue(1500)
    for button in (held.go_button, held.drop_button, held.double_button, held.delay_button):
        button.click()
    assert not held.edit_button.isEnabled()
    assert given == [
        ReplaceHeld(replace=1, apdu=bytes.fromhex("6203800100")),
        *(LetGo(let_go=1), LetGo(let_go=2)),
        *(DropHeld(drop=1), DropHeld(drop=2)),
        *(DoubleHeld(double=1), DoubleHeld(double=2)),
        *(DelayHeld(delay=1, ms=1500), DelayHeld(delay=2, ms=1500)),
    ]


def test_an_edit_stays_while_others_come_and_go(qtbot, look):
    """What somebody types is not overwritten by a third WPDU."""
    held = HeldWpdus()
    qtbot.addWidget(held)
    held.begin(60)
    held.take(event(1))
    held.apdu.setPlainText("62")
    held.take(event(2))
    held.gone(2)
    assert held.apdu.toPlainText() == "62"
    assert held.gone(1) == "get-request"
    assert held.apdu.toPlainText() == ""
    assert held.gone(7) == ""


def test_the_dialog_gives_the_job_that_is_typed(qtbot, look):
    """What it began with comes out again; a route to itself or to nowhere is said."""
    job = RelayJob("127.0.0.1:4060", "192.0.2.7:4059", udp=False)
    dialog = RelayDialog(None, ("192.0.2.8:4059",), job)
    qtbot.addWidget(dialog)
    assert dialog.job == job
    assert dialog.go.isEnabled()
    dialog.address.setCurrentText("127.0.0.1:4060")
    assert "itself" in dialog.trouble.text()
    assert not dialog.go.isEnabled()
    dialog.address.setCurrentText("192.0.2.7:4059")
    dialog.listen.setCurrentText("127.0.0.1:99999")
    assert not dialog.go.isEnabled()
    dialog.listen.setCurrentText("")
    assert not dialog.go.isEnabled()
    dialog.listen.setCurrentText("4060")
    assert dialog.go.isEnabled()
    dialog.tcp.setChecked(False)
    assert not dialog.go.isEnabled()


def test_what_was_typed_is_offered_the_next_time(window, monkeypatch):
    """Cancelled, nothing is remembered."""
    monkeypatch.setattr(RelayDialog, "exec", lambda self: self.address.setCurrentText("192.0.2.7") or 0)
    assert ask_relay(window, window.settings) is None
    assert window.settings.get(options.RELAY) == ()
    monkeypatch.setattr(RelayDialog, "exec", lambda self: self.address.setCurrentText("192.0.2.7") or 1)
    job = ask_relay(window, window.settings)
    assert job is not None
    assert job.target == "192.0.2.7"
    assert RelayDialog(None, (), job).job == job
    assert window.settings.get(options.RELAY)
