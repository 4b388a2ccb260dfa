"""The panel of a relay: its routes, its clients, its breakpoint as a display filter, and what waits there."""

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QTabWidget, QWidget

from cosemscope.capture.events import Event, Trouble
from cosemscope.gui.live.asked_jobs import title_of_job
from cosemscope.gui.live.panels.held_wpdus import HeldWpdus
from cosemscope.gui.live.panels.live_panel import LiveLine, LivePanel, usual_line
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.relay.relay_events import (
    BreakpointSet,
    HeldGone,
    Relaying,
    RelayJoined,
    RelayParted,
    SetBreakpoint,
    WpduHeld,
)
from cosemscope.live.relay.relay_job import RelayJob
from cosemscope.wording import count, sentence


def _line_of(event: Event) -> LiveLine | None:
    """Line of the list about an event; None for one that it does not show."""
    match event:
        case Relaying():
            return LiveLine("relay", f"{event.address} to {event.target} over {event.transport.upper()}")
        case RelayJoined():
            over = event.transport.upper()
            return LiveLine("connect", f"joined: {event.client} to {event.target} over {over}")
        case RelayParted():
            unit = "octet" if event.transport == "tcp" else "datagram"
            counts = f"{count(event.sent, unit)} sent, {event.received:,} received"
            return LiveLine("close", f"parted: {event.client}: {event.message} ({counts})")
        case BreakpointSet():
            return LiveLine("filter", f"holds {event.hold}" if event.hold else "holds nothing any more")
        case WpduHeld():
            return LiveLine("stop", f"held {event.number}: {event.name} of {event.client}", event.octets)
    return usual_line(event)


class RelayPanel(LivePanel):
    """The panel. Its commands are `SetBreakpoint` and those about what is held."""

    def __init__(self, line: Any, parent: QWidget | None = None) -> None:
        """`line` takes the breakpoint: a line for display filters with `judged`, `asked` and `error`."""
        super().__init__(
            "Relay", "Start a relay: who connects through it, and what it holds, is listed here.", parent
        )
        self._job: RelayJob | None = None
        self._routes: dict[tuple[str, str], list[str]] = {}
        self._clients: set[tuple[str, str]] = set()
        self._breakpoint = ""
        self.line = line
        self.line.setAccessibleName("Breakpoint, as a display filter")
        self.line.setPlaceholderText("Hold what this filter leaves: apdu == get-response")
        self.hold_button = QPushButton(icon("stop"), "Hold", self)
        self.hold_button.setToolTip("From now on, hold what the filter leaves (Enter)")
        self.none_button = QPushButton("Hold nothing", self)
        self.none_button.setToolTip("End the breakpoint: what waits goes on")
        self.said = PlainLabel(self)
        self.said.setWordWrap(True)
        self.said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.held = HeldWpdus(self)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Pages of the relay")
        self.tabs.addTab(self.log, "What happened")
        self.tabs.addTab(self.held, "Held")
        self.tabs.setMinimumHeight(self.fontMetrics().lineSpacing() * 5)  # the table keeps its rows
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.line, 1)
        row.addWidget(self.hold_button)
        row.addWidget(self.none_button)
        self.column.addLayout(row)
        self.column.addWidget(self.said)
        self.column.addWidget(self.tabs, 1)
        self.line.asked.connect(self.hold)
        self.line.judged.connect(lambda error: self._show_line())
        self.line.textChanged.connect(lambda text: self._show_line())
        self.hold_button.clicked.connect(self.hold)
        self.none_button.clicked.connect(lambda: self.commanded.emit(SetBreakpoint(hold=None)))
        self.held.commanded.connect(self.commanded)
        self._show_line()

    def begin(self, job: RelayJob) -> None:
        """A relay has been asked for."""
        super().begin(job)
        self._routes.clear()
        self._clients.clear()
        self._breakpoint = ""
        self.held.begin(job.hold_seconds)
        if job.hold:
            self.line.setText(job.hold)
        self.say("relay", "", f"Starting: {title_of_job(job)} …")
        self._show_held()
        self._show_line()

    def take(self, event: Event) -> None:
        """Show what happened."""
        line = _line_of(event)
        match event:
            case Relaying():
                over = self._routes.setdefault((event.address, event.target), [])
                over.append(event.transport.upper())
                self._show_routes()
            case RelayJoined():
                self._clients.add((event.client, event.transport))
                self._show_routes()
            case RelayParted():
                self._clients.discard((event.client, event.transport))
                self._show_routes()
            case BreakpointSet():
                self._breakpoint = event.hold or ""
                self._show_line()
            case WpduHeld():
                self._take_held(event)
            case HeldGone():
                name = self.held.gone(event.number)
                line = LiveLine("forward", f"gone {event.number}: {name}, {event.how}")
                self._show_held()
            case Trouble() if not self._routes:
                self.say("error", "error", sentence(event.message))
        if line is not None:
            self.log.add(line)

    def end(self, trouble: str) -> None:
        """The process has ended; `trouble` is what it said last, if anything went wrong."""
        super().end(trouble)
        self._breakpoint = ""
        self.held.clear()
        self._show_held()
        self._show_line()

    def take_focus(self) -> None:
        """The next that is typed is a breakpoint."""
        self.line.setFocus()

    def hold(self) -> None:
        """Set the breakpoint that is typed; nothing typed ends it."""
        text = self.line.text().strip()
        if self._open and self.line.error is None:
            self.commanded.emit(SetBreakpoint(hold=text or None))

    def _take_held(self, event: WpduHeld) -> None:
        self.held.take(event)
        if len(self.held) == 1:  # somebody has a minute for it
            self.tabs.setCurrentWidget(self.held)
        self._show_held()

    def _show_routes(self) -> None:
        routes = [
            f"Relaying {address} to {target} over {' and '.join(over)}"
            for (address, target), over in self._routes.items()
        ]
        self.say("relay", "", "\n".join(routes) + f": {count(len(self._clients), 'client')}")

    def _show_held(self) -> None:
        self.tabs.setTabText(1, f"Held ({len(self.held):,})" if len(self.held) else "Held")

    def _show_line(self) -> None:
        """Say what is held now, or what is wrong with the filter that is typed."""
        scheme = theme.colours(self.palette())
        error, typed = self.line.error, self.line.text().strip()
        colour = scheme.error if error is not None else scheme.warning if self._breakpoint else scheme.muted
        words = f"Holds {self._breakpoint}" if self._breakpoint else "Holds nothing."
        self.said.setStyleSheet(f"color: {colour}")
        self.said.setText(sentence(str(error)) if error is not None else words if self._open else "")
        # The line itself says what is held, as long as nobody types anything else: room for the list.
        in_force = bool(self._breakpoint) and typed == self._breakpoint
        self.hold_button.setText("Holding" if in_force else "Hold")
        self.said.setVisible(self._open and not in_force and (error is not None or bool(self._breakpoint)))
        self.line.setEnabled(self._open)
        self.hold_button.setEnabled(
            self._open and error is None and bool(typed) and typed != self._breakpoint
        )
        self.none_button.setEnabled(self._open and bool(self._breakpoint))

    def _end_words(self) -> tuple[str, str]:
        return "End the relay, and the connections through it", "Start the relay again"
