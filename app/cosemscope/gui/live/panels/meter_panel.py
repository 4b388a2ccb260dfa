"""The panel of the built-in meter: where it is, who may ask it, what it does wrong, and what happened."""

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QTabWidget, QWidget

from cosemscope.capture.events import Event, Trouble
from cosemscope.gui.live.asked_jobs import title_of_job
from cosemscope.gui.live.panels.fault_switches import FaultSwitches
from cosemscope.gui.live.panels.live_panel import LiveLine, LivePanel, usual_line
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.meter.fault_orders import FaultOrder, parse_fault
from cosemscope.live.meter.meter_events import (
    FaultsOrdered,
    MeterListening,
    MeterPushed,
    OrderFaults,
    PushNow,
)
from cosemscope.live.meter.meter_job import MeterJob
from cosemscope.wording import count, sentence


def _line_of(event: Event) -> LiveLine | None:
    """Line of the list about an event; None for one that it does not show."""
    match event:
        case FaultsOrdered():
            return LiveLine("warning", f"does wrong: {', '.join(event.faults) or 'nothing any more'}")
        case MeterPushed():
            over = event.transport.upper()
            return LiveLine("forward", f"pushed {count(event.octets, 'octet')} to {event.remote} over {over}")
    return usual_line(event)


class MeterPanel(LivePanel):
    """The panel. Its commands are `OrderFaults` and `PushNow`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Meter", "Start a meter: who connects, and what it pushes, is listed here.", parent)
        self._job: MeterJob | None = None
        self.faults = FaultSwitches(self)
        self.faults.ordered.connect(self._order)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Pages of the meter")
        self.tabs.addTab(self.log, "What happened")
        self.tabs.addTab(self.faults, "Faults")
        self.in_force = PlainLabel(self)
        self.in_force.setWordWrap(True)
        self.push_button = QPushButton(icon("send"), "Push now", self)
        self.push_button.setToolTip("Have every push setup that names somebody push at once")
        self.push_button.clicked.connect(lambda: self.commanded.emit(PushNow(push=True)))
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self.in_force, 1)
        below.addWidget(self.push_button)
        self.column.addWidget(self.tabs, 1)
        self.column.addLayout(below)
        self._enable()

    def begin(self, job: MeterJob) -> None:
        """A meter has been asked for."""
        super().begin(job)
        self._show_faults(job.faults)
        self.say("meter", "", f"Starting: {title_of_job(job)} …")
        self._enable()

    def take(self, event: Event) -> None:
        """Show what happened."""
        match event:
            case MeterListening():
                self._take_listening(event)
            case FaultsOrdered():
                self._show_faults(tuple(map(parse_fault, event.faults)))
            case Trouble() if not self.status.text().startswith("Meter"):
                self.say("error", "error", sentence(event.message))
        line = _line_of(event)
        if line is not None:
            self.log.add(line)

    def end(self, trouble: str) -> None:
        """The process has ended; `trouble` is what it said last, if anything went wrong."""
        super().end(trouble)
        self._enable()

    def _take_listening(self, event: MeterListening) -> None:
        over = " and ".join(word.upper() for word in event.transports)
        where, number = event.addresses[0], len(event.addresses)
        if number > 1:
            where = f"{where} to {event.addresses[-1]}"
        self.say(
            "meter", "", f"{'Meter' if number == 1 else f'Meters ({number:,})'} listening: {where}, {over}"
        )
        devices = ", ".join(map(str, event.devices))
        self.log.add(LiveLine("wport", f"logical devices at wPorts {devices}"))
        for client in event.clients:
            self.log.add(LiveLine("peers", client))
        if event.keys:
            self.log.add(LiveLine("key", f"keys: {event.keys}"))

    def _order(self, orders: tuple[FaultOrder, ...]) -> None:
        self.commanded.emit(OrderFaults(faults=tuple(map(str, orders))))

    def _show_faults(self, orders: tuple[FaultOrder, ...]) -> None:
        """Show what is in force: on the tab, on the switches, in words below."""
        self.faults.show_orders(orders)
        self.tabs.setTabText(1, f"Faults ({len(orders)})" if orders else "Faults")
        self.in_force.setStyleSheet(f"color: {theme.colours(self.palette()).warning}")
        self.in_force.setText(", ".join(map(str, orders)))

    def _enable(self) -> None:
        self.faults.setEnabled(self._open)
        self.push_button.setEnabled(self._open)

    def _end_words(self) -> tuple[str, str]:
        return "End the meter", "Start the meter again"
