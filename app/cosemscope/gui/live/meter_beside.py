"""The built-in meter beside a test link that reads it: a process of its own, and what the link sends.

The window shows what the link records. The meter records the same octets, so its own spool goes with it.
"""

from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from cosemscope.capture.events import Event, Trouble
from cosemscope.gui.document.unsaved_spool import UnsavedSpool
from cosemscope.gui.live.asked_jobs import KINDS, command_line
from cosemscope.gui.live.live_process import LiveProcess
from cosemscope.gui.live.panels.live_panel import LivePanel
from cosemscope.live.commands.live_events import ApduReceived, Connected, SendApdu
from cosemscope.live.commands.ready_made import get_request, public_aarq
from cosemscope.live.links.addresses import LOOPBACK, LinkAddress
from cosemscope.live.meter.meter_events import MeterListening
from cosemscope.live.meter.meter_job import MeterJob
from cosemscope.wording import sentence

#: What the public client may read, once each, and then the clock again and again.
_CLOCK = get_request(8, "0.0.1.0.0.255", 2)
READINGS = (
    public_aarq(),
    get_request(1, "0.0.42.0.0.255", 2),
    get_request(17, "0.0.41.0.0.255", 2),
    get_request(15, "0.0.40.0.0.255", 2),
    _CLOCK,
)
_EVERY = 1000


class MeterBeside(QObject):
    """A meter on loopback at a free port, told in `panel`.

    `ready` gives its address; `ended` a sentence about what went wrong, empty when nothing did.
    """

    ready = Signal(str)
    ended = Signal(str)

    def __init__(self, panel: LivePanel, parent: QObject) -> None:
        super().__init__(parent)
        self._job = MeterJob(str(LinkAddress(LOOPBACK, 0)))
        self._panel = panel
        self._file: Path | None = None
        self._trouble = ""
        self.process = LiveProcess(command_line(self._job), KINDS[MeterJob].vocabulary, self)
        self.process.told.connect(self._take)
        self.process.ended.connect(self._end)

    def start(self) -> None:
        """Start it."""
        self._panel.begin(self._job)
        self.process.start()

    def _take(self, events: list[Event]) -> None:
        for event in events:
            self._panel.take(event)
            match event:
                case MeterListening():
                    self._file = event.file
                    self.ready.emit(event.addresses[0])
                case Trouble() if self._file is None:
                    self._trouble = sentence(event.message)

    def _end(self, trouble: str) -> None:
        if self._file is not None:
            UnsavedSpool(self._file, wanted=False).let_go()
        self._panel.end(trouble)
        self.ended.emit(self._trouble or trouble)


class Readings(QObject):
    """What a link sends by itself: each of `READINGS` when the one before is answered, then the clock.

    `commanded` gives the commands. Whoever sends something between is not in the way: any answer will do.
    """

    commanded = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._left = list(READINGS)
        self._again = QTimer(self)
        self._again.setInterval(_EVERY)
        self._again.timeout.connect(lambda: self.commanded.emit(SendApdu(send=_CLOCK)))

    def take(self, event: Event) -> None:
        """Go on behind what happened."""
        if not isinstance(event, Connected | ApduReceived):
            return
        if self._left:
            self.commanded.emit(SendApdu(send=self._left.pop(0)))
        elif not self._again.isActive():
            self._again.start()
