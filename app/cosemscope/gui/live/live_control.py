"""The live side of the window: a link, meter, relay or capture in a process of its own, and its spool.

One at a time, but for the built-in meter that stands beside a link which reads it. The process is told what
to do and tells what happens; its traffic comes into the panes by way of its spool, which the document
follows. Whatever would lose an unsaved capture goes through `leave`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from cosemscope.capture.capturing.capture_events import (
    CaptureBegun,
    CaptureCounts,
    CaptureKept,
    CaptureStopped,
)
from cosemscope.capture.capturing.capture_job import CaptureJob
from cosemscope.capture.events import NOT_OBEYED, Command, Event, Trouble
from cosemscope.capture.spool.spool_folder import Spool
from cosemscope.gui.base import settings as options
from cosemscope.gui.base.message_bar import MessageSeverity
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.live.asked_jobs import (
    KINDS,
    LINK_COMMANDS,
    Job,
    command_in,
    command_line,
    remembered,
    title_of_job,
)
from cosemscope.gui.live.capture_dialog import ask_capture
from cosemscope.gui.live.connect_dialog import ask_connect, ask_listen, remember
from cosemscope.gui.live.live_host import LiveHost
from cosemscope.gui.live.live_process import LiveProcess
from cosemscope.gui.live.meter_beside import MeterBeside, Readings
from cosemscope.gui.live.meter_dialog import ask_meter
from cosemscope.gui.live.panels.live_panel import LivePanel
from cosemscope.gui.live.recovery import describe
from cosemscope.gui.live.relay_dialog import ask_relay
from cosemscope.gui.live.saver import Saver, Then
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import ListenJob
from cosemscope.live.commands.live_events import Connected, Connecting, Listening
from cosemscope.live.meter.meter_events import MeterListening
from cosemscope.live.meter.meter_job import MeterJob
from cosemscope.live.relay.relay_events import Relaying
from cosemscope.live.relay.relay_job import RelayJob
from cosemscope.wording import sentence

#: Why a capture ended by itself.
_STOPPED = {
    "packets": "The capture has ended: it has as many packets as were asked for.",
    "size": "The capture has ended: it has the size that was asked for.",
    "seconds": "The capture has ended: its time is over.",
}


class Live(QObject):
    """The live side of a window. `changed` says that something began or ended, or that drops were counted."""

    changed = Signal()

    def __init__(self, host: LiveHost, panels: Mapping[str, LivePanel]) -> None:
        """`panels` by the names of their panes."""
        super().__init__(host.widget)
        self.job: Job | None = None
        self.process: LiveProcess | None = None
        self.dropped: int | None = None
        self._host = host
        self._panels = panels
        self._beside: MeterBeside | None = None
        self._readings: Readings | None = None
        self._file: Path | None = None
        self._shown = False  # the document is that of the process
        self._told_trouble = False
        self._then: Then | None = None
        self.saver = Saver(host, self)
        self.saver.saved.connect(self.changed)
        for name, panel in panels.items():
            panel.commanded.connect(lambda command, name=name: self._command(name, command))
            panel.closeAsked.connect(self.stop)
            panel.againAsked.connect(self.again)

    # State

    @property
    def running(self) -> bool:
        """True when there is a process."""
        return self.process is not None or self._beside is not None

    @property
    def capturing(self) -> bool:
        """True when that process captures from network cards."""
        return self.process is not None and isinstance(self.job, CaptureJob)

    @property
    def panel(self) -> LivePanel | None:
        """The panel of what is live or was last; None for a capture."""
        return self._panels.get(self.pane)

    @property
    def pane(self) -> str:
        """The name of its pane; "" for none."""
        return KINDS[type(self.job)].pane if self.job is not None else ""

    # What actions do

    def ask_connect(self) -> None:
        """Ask for a test link, and open it."""
        self._begin_if(ask_connect(self._host.widget, self._host.settings))

    def ask_listen(self) -> None:
        """Ask where to listen, and do it."""
        self._begin_if(ask_listen(self._host.widget, self._host.settings))

    def ask_meter(self) -> None:
        """Ask for a built-in meter, and start it."""
        self._begin_if(ask_meter(self._host.widget, self._host.settings))

    def ask_relay(self) -> None:
        """Ask for a relay, and start it."""
        self._begin_if(ask_relay(self._host.widget, self._host.settings))

    def read_meter(self) -> None:
        """Start the built-in meter, and a test link that reads it as soon as it listens."""
        self.leave(self._start_beside)

    def ask_capture(self) -> None:
        """Ask what to capture, and do it."""
        self._begin_if(ask_capture(self._host.widget, self._host.settings))

    def capture(self) -> None:
        """Capture with the options used last; ask for them when there are none."""
        job = remembered(self._host.settings.get(options.CAPTURE), CaptureJob())
        if job.interfaces:
            self.begin(job)
        else:
            self.ask_capture()

    def stop(self) -> None:
        """End what is live; what came so far stays."""
        process = self.process or (self._beside.process if self._beside is not None else None)
        if process is not None:
            process.close()

    def again(self) -> None:
        """The same once more: restart a capture, open a link again."""
        if self._readings is not None:
            self.read_meter()
        elif self.job is not None:
            self.begin(self.job)

    def _begin_if(self, job: Job | None) -> None:
        if job is not None:
            self.begin(job)

    def begin(self, job: Job) -> None:
        """Start a link, a listener or a capture, when nothing unsaved is lost by that."""
        self.leave(lambda: self._start(job))

    def open_left(self, left: Spool) -> None:
        """Open a spool that was left by a process that died."""
        is_link = left.command in LINK_COMMANDS
        self.leave(lambda: self._host.open_spool(UnsavedSpool(left.path, describe(left), is_link=is_link)))

    # The process

    def _start_beside(self) -> None:
        self.job = None
        self._readings = Readings(self)
        self._readings.commanded.connect(lambda command: self._command("link", command))
        self._beside = MeterBeside(self._panels["meter"], self)
        self._beside.ready.connect(lambda address: self._run(ConnectJob(address)))
        self._beside.ended.connect(self._end_beside)
        self._host.show_panels(("meter",))
        self._host.messages.clear()
        self._host.say_state("Starting the built-in meter …")
        self._beside.start()
        self.changed.emit()

    def _start(self, job: Job) -> None:
        self._readings = None
        self._host.messages.clear()
        self._run(job)

    def _run(self, job: Job) -> None:
        self.job = job
        self._file = None
        self._shown = self._told_trouble = False
        self.dropped = None
        kind = KINDS[type(job)]
        self.process = LiveProcess(command_line(job), kind.vocabulary, self)
        self.process.told.connect(self._take)
        self.process.ended.connect(self._end)
        if self.panel is not None:
            self.panel.begin(job)
        beside = ("meter",) if self._beside is not None else ()
        self._host.show_panels((*beside, *((kind.pane,) if kind.pane else ())))
        self._host.say_state(f"Starting: {title_of_job(job)} …")
        self.process.start()
        self.changed.emit()

    def _command(self, pane: str, command: Command) -> None:
        if self._beside is not None and pane == "meter":
            self._beside.process.send(command)
        elif self.process is not None:
            self.process.send(command)

    def _take(self, events: list[Event]) -> None:
        for event in events:
            if self.panel is not None:
                self.panel.take(event)
            self._take_one(event)
            if self._readings is not None:
                self._readings.take(event)

    def _take_one(self, event: Event) -> None:
        match event:
            case Connecting():
                self._file = event.file
                self._host.say_state(f"Connecting to {event.to} …")
            case Connected():
                if isinstance(self.job, ConnectJob) and self._beside is None:
                    remember(self._host.settings, self.job)
                self._show()
            case Listening() | MeterListening() | Relaying() | CaptureBegun():
                self._file = event.file
                self._show()
            case CaptureCounts():
                self.dropped = event.dropped
                self.changed.emit()
            case CaptureKept():
                self.dropped = event.dropped
            case CaptureStopped() if event.reason not in ("asked", "error"):
                self._host.messages.say(
                    MessageSeverity.NOTE, _STOPPED.get(event.reason, "The capture has ended.")
                )
            case Trouble() if event.fault != NOT_OBEYED:  # the panel says that, beside the line
                self._told_trouble = True
                text = sentence(event.message)
                self._host.messages.say(MessageSeverity.ERROR, text, self._remedies(text))

    def _remedies(self, trouble: str) -> list[tuple[str, Callable[[], None]]]:
        """Buttons for what a person can do about a failure."""
        command = command_in(trouble)
        if command:
            return [("Copy the command", lambda: QGuiApplication.clipboard().setText(command))]
        if self._shown:
            return []
        if self.job is None or self._beside is not None:
            return []
        asking = {
            CaptureJob: ("Capture options…", self.ask_capture),
            ConnectJob: ("Connect…", self.ask_connect),
            ListenJob: ("Listen…", self.ask_listen),
            MeterJob: ("Meter…", self.ask_meter),
            RelayJob: ("Relay…", self.ask_relay),
        }
        return [asking[type(self.job)]]

    def _show(self) -> None:
        """Follow the process's spool in the panes."""
        if not self._shown and self._file is not None and self.job is not None:
            self._shown = True
            is_link = not isinstance(self.job, CaptureJob)
            spool = UnsavedSpool(self._file, title_of_job(self.job), is_link=is_link)
            self._host.open_spool(spool, follow=True)

    def _end(self, trouble: str) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.deleteLater()
        if trouble and not self._told_trouble:
            self._host.messages.say(MessageSeverity.ERROR, sentence(trouble))
        if self.panel is not None:
            self.panel.end("" if self._told_trouble else trouble)
        document = self._host.document()
        if self._shown:
            if document is not None:
                document.stop_following()
        else:
            self._forget_attempt()
        self._end_all()

    def _end_beside(self, trouble: str) -> None:
        """The meter has ended: its link does so by itself, as its peer is gone."""
        beside, self._beside = self._beside, None
        if beside is not None:
            beside.deleteLater()
        if trouble:
            self._host.messages.say(MessageSeverity.ERROR, trouble)
        if self.job is None:  # there was no link yet
            self._host.show_file("")
        self._end_all()

    def _end_all(self) -> None:
        """One process has ended: what stands beside it ends too, and then comes what was to follow."""
        self.changed.emit()
        if self.running:
            self.stop()
            return
        then, self._then = self._then, None
        if then is not None:
            then()

    def _forget_attempt(self) -> None:
        """Nothing came of it: what was shown before stays, and the spool of the attempt goes."""
        if self._file is not None:
            UnsavedSpool(self._file, wanted=False).let_go()
        self._host.show_file("")

    def leave(self, then: Then) -> None:
        """Do `then` when nothing is live and nothing unsaved is lost any more, or not at all.

        At once where there is nothing to ask or to wait for.
        """
        step = self.saver.before_leaving(then, is_live=self.running)
        if step is None:
            return
        if not self.running:
            step()
        else:
            self._then = step
            self.stop()
