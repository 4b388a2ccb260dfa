"""The meter in the window: started from its dialog, faults ordered while it runs, pushes, in lines."""

import pytest

from cosemscope.gui.base import settings as options
from cosemscope.gui.frame.window import Window
from cosemscope.gui.live.asked_jobs import remembered
from cosemscope.gui.live.meter_dialog import MeterDialog, ask_meter
from cosemscope.gui.live.panels.meter_panel import MeterPanel
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.meter.fault_orders import FaultKind, FaultOrder
from cosemscope.live.meter.meter_events import OrderFaults
from cosemscope.live.meter.meter_job import MeterJob
from tests.helpers.live_window import listener


def lines(panel: MeterPanel) -> list[str]:
    return [panel.log.item(row).text() for row in range(panel.log.count())]


@pytest.fixture
def meter(window: Window, qtbot):
    """Starts a meter on loopback, at a port that is free."""

    def start(**values: object) -> MeterPanel:
        window.live.begin(MeterJob("127.0.0.1:0", **values))
        panel = window.live.panel
        assert isinstance(panel, MeterPanel)
        qtbot.waitUntil(lambda: panel.status.text().startswith("Meter listening"), timeout=15_000)
        return panel

    return start


def test_a_meter_says_where_it_is_and_whom_it_answers(window, meter, qtbot):
    """Its address, its devices, its clients, its keys; the capture waits for traffic."""
    panel = meter()
    told = "\n".join(lines(panel))
    assert "127.0.0.1:" in panel.status.text()
    for words in ("wPorts 1, 2", "wPort 16 public", "wPort 17 reads", "HLS-GMAC", "published test keys"):
        assert words in told
    qtbot.waitUntil(lambda: window.document is not None and window.document.analysis is not None)
    assert window.document.following
    assert "waiting for a client" in window.workspace.table._hint
    window.live.stop()
    qtbot.waitUntil(lambda: not window.live.running)
    assert panel.status.text() == "Closed."
    assert not panel.faults.isEnabled()


def test_faults_go_to_the_meter_as_they_are_switched(meter, qtbot):
    """On, another amount, off: each is what the meter says it does wrong."""
    panel = meter(faults=(FaultOrder(FaultKind.LOSS, 0.1),))
    loss, delay = panel.faults.switches[FaultKind.LOSS], panel.faults.switches[FaultKind.DELAY]
    assert (loss.box.isChecked(), loss.amount.value()) == (True, 10)
    delay.box.click()
    qtbot.waitUntil(lambda: panel.in_force.text() == "delay=300ms, loss=10%")
    loss.amount.setValue(50)
    qtbot.waitUntil(lambda: panel.in_force.text() == "delay=300ms, loss=50%")
    assert panel.tabs.tabText(1) == "Faults (2)"
    loss.box.click()
    delay.box.click()
    qtbot.waitUntil(lambda: lines(panel)[-1] == "does wrong: nothing any more")
    assert panel.tabs.tabText(1) == "Faults"


def test_what_the_meter_says_is_shown_without_ordering_it_again(meter, qtbot):
    """Switches that follow an event give no command."""
    panel = meter()
    given = []
    panel.commanded.connect(given.append)
    panel._show_faults((FaultOrder(FaultKind.DELAY, 0.7), FaultOrder(FaultKind.WRONG_TAG, 0.25)))
    assert given == []
    assert panel.faults.orders == (FaultOrder(FaultKind.DELAY, 0.7), FaultOrder(FaultKind.WRONG_TAG, 0.25))
    panel.faults.switches[FaultKind.ONE_CONNECTION].box.click()
    assert given == [OrderFaults(faults=("delay=700ms", "wrong-tag=25%", "one-connection"))]


def test_pushes_are_told(meter, qtbot):
    """The button has the meter push to a listener in a process of its own."""
    with listener() as server:
        panel = meter(push_to=server.address)
        panel.push_button.click()
        qtbot.waitUntil(
            lambda: any(line.startswith("pushed ") and server.address in line for line in lines(panel)),
            timeout=10_000,
        )


def test_a_port_that_is_taken_is_said(window, qtbot):
    """In the panel and above the table, with a button to ask again."""
    with listener() as server:
        window.live.begin(MeterJob(server.address))
        qtbot.waitUntil(lambda: not window.live.running, timeout=15_000)
        assert window.live.panel.severity == "error"
        assert server.address.rpartition(":")[2] in window.live.panel.status.text()
        assert window.messages.messages


def test_the_dialog_gives_the_job_that_is_chosen(qtbot, look):
    """What it began with comes out again; what cannot be is said, and cannot be started."""
    job = MeterJob(
        "127.0.0.1:4060",
        udp=False,
        mechanism=7,
        suite=2,
        ciphered=False,
        fleet=3,
        push_to="127.0.0.1:4061",
        push_every=30,
        push_udp=True,
        push_ciphered=True,
    )
    dialog = MeterDialog(None, job)
    qtbot.addWidget(dialog)
    assert dialog.job == job
    assert dialog.go.isEnabled()
    dialog.suite.setCurrentIndex(0)
    assert "suite 1 or 2" in dialog.trouble.text()
    assert not dialog.go.isEnabled()
    dialog.suite.setCurrentIndex(1)
    dialog.push_to.setText("nowhere:99999")
    assert not dialog.go.isEnabled()
    dialog.push_to.clear()
    assert dialog.go.isEnabled()
    assert dialog.job.push_every == 0
    dialog.tcp.setChecked(False)
    assert not dialog.go.isEnabled()


def test_what_was_chosen_is_offered_the_next_time(window, monkeypatch):
    """Cancelled, nothing is remembered."""
    monkeypatch.setattr(MeterDialog, "exec", lambda self: self.suite.setCurrentIndex(1) or 0)
    assert ask_meter(window, window.settings) is None
    assert window.settings.get(options.METER) == ()
    monkeypatch.setattr(MeterDialog, "exec", lambda self: self.suite.setCurrentIndex(1) or 1)
    assert ask_meter(window, window.settings) == MeterJob(suite=1)
    assert remembered(window.settings.get(options.METER), MeterJob()) == MeterJob(suite=1)
    assert isinstance(remembered((), ConnectJob("")), ConnectJob)
