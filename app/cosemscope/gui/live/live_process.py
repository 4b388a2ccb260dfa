"""A live command in a process of its own: commands go in and events come out as lines of JSON.

Whatever is live (`connect`, `listen`, `capture`) runs so, with `--control`. Its output is always read, since
a full pipe would hold up the traffic. It ends when its input does, so it never outlives the window; one that
does not listen is ended by force.
"""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

import cosemscope
from cosemscope.capture.events import Command, Event, MessageError, Vocabulary, line_of
from cosemscope.program import is_frozen, program_words

_LOG = logging.getLogger(__name__)

#: Milliseconds that a process has to end by itself, and then after it was asked by the system.
GRACE, SECOND_GRACE = 4_000, 1_500

#: Octets kept of what it says on its error output, and of a line that does not end.
_KEPT_ERRORS = 8_192
_LONGEST_LINE = 1 << 22


def process_environment() -> QProcessEnvironment:
    """The window's environment, in which Python finds this very package."""
    environment = QProcessEnvironment.systemEnvironment()
    if not is_frozen():
        home = str(Path(cosemscope.__file__).resolve().parents[1])
        rest = environment.value("PYTHONPATH")
        separator = ";" if sys.platform == "win32" else ":"
        environment.insert("PYTHONPATH", home + (separator + rest if rest else ""))
    environment.insert("PYTHONUTF8", "1")
    environment.insert("PYTHONSAFEPATH", "1")  # nothing is imported from the folder that the window is in
    return environment


class LiveProcess(QObject):
    """One process. `told(events)` brings its events, oldest first; `ended(sentence)` comes once, at the end.

    The sentence is empty when the process ended in order; else it is the last thing that it said.
    """

    told = Signal(object)
    ended = Signal(str)

    def __init__(
        self, words: Sequence[str], vocabulary: Vocabulary[Event], parent: QObject | None = None
    ) -> None:
        """`words` are those of the command line behind the program, `vocabulary` the events of its output."""
        super().__init__(parent)
        self._vocabulary = vocabulary
        self._rest = b""
        self._errors = b""
        self._over = False
        self._closing = False
        self._program, *self._words = [*program_words(), *words]
        self._process = QProcess(self)
        self._process.setProcessEnvironment(process_environment())
        self._process.readyReadStandardOutput.connect(self._read)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        self._force = QTimer(self)
        self._force.setSingleShot(True)
        self._force.timeout.connect(self._end_by_force)

    def start(self) -> None:
        """Start it."""
        self._process.start(self._program, self._words)

    @property
    def running(self) -> bool:
        """True when it has not ended yet."""
        return not self._over

    @property
    def number(self) -> int:
        """The operating system's number of it, 0 when it does not run."""
        return self._process.processId()

    def send(self, command: Command) -> None:
        """Give it a command."""
        if self.running:
            self._process.write(line_of(command).encode() + b"\n")

    def close(self) -> None:
        """Ask it to end; `ended` follows, at the latest when the time for that is over."""
        if self.running and not self._closing:
            self._closing = True
            self._process.closeWriteChannel()  # the end of commands ends every live command
            self._force.start(GRACE)

    def kill(self) -> None:
        """End it at once and wait for that: for the end of the program only."""
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished(SECOND_GRACE)
        self._over = True

    def _end_by_force(self) -> None:
        if self._process.property("asked"):
            self._process.kill()
        else:
            self._process.setProperty("asked", True)
            self._process.terminate()
            self._force.start(SECOND_GRACE)

    def _read(self) -> None:
        *lines, self._rest = (self._rest + bytes(self._process.readAllStandardOutput().data())).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        events = [event for line in lines if line.strip() and (event := self._event_of(line)) is not None]
        if events:
            self.told.emit(events)

    def _event_of(self, line: bytes) -> Event | None:
        try:
            return self._vocabulary.decode(line)
        except MessageError as error:
            _LOG.warning("%s", error)
            return None

    def _read_errors(self) -> None:
        self._errors = (self._errors + bytes(self._process.readAllStandardError().data()))[-_KEPT_ERRORS:]

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read()
        self._read_errors()
        said = self._errors.decode(errors="replace").strip()
        crashed = how == QProcess.ExitStatus.CrashExit
        sentence = ""
        if said and status not in (0, 130):
            sentence = said.splitlines()[-1]
            if "Traceback (most recent call last)" in said:
                sentence = f"This is a fault of Cosemscope, please report it: {sentence}"
        elif crashed and not self._closing:
            sentence = "The process with the live traffic was ended from outside."
        if said:
            _LOG.warning("%s: %s", " ".join(self._words), said)
        self._end(sentence)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._end(f"{self._program} could not be started: {self._process.errorString()}.")

    def _end(self, sentence: str) -> None:
        if not self._over:
            self._over = True
            self._force.stop()
            self.ended.emit(sentence)
