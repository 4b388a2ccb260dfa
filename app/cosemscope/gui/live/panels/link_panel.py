"""The panel of a test link: how it stands in words, what went over it, and a line to send an APDU.

Its list has response times, and what went wrong.
"""

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.pasted.pasted_text import parse_octets
from cosemscope.apdu.pasted.pieces import HexError
from cosemscope.capture.events import NOT_OBEYED, Event, Trouble
from cosemscope.gui.live.asked_jobs import LinkJob, title_of_job
from cosemscope.gui.live.panels.live_panel import LiveLine, LivePanel, usual_line
from cosemscope.gui.look import theme
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.commands.link_job import ConnectJob
from cosemscope.live.commands.listen_job import ListenJob
from cosemscope.live.commands.live_events import (
    AnswerWith,
    ApduReceived,
    ApduSent,
    Connected,
    Connecting,
    LinkClosed,
    Listening,
    SendApdu,
)
from cosemscope.live.commands.ready_made import READY_MADE
from cosemscope.transport.wports import Side, wport_name
from cosemscope.wording import count, sentence, short_duration

#: APDUs kept in the history of the line.
HISTORY = 100
_TAKE_BACK = "Double click: put it in the line"


def _line_of(event: Event) -> LiveLine | None:
    """Line of the list about an event; None for one that it does not show."""
    match event:
        case Connecting():
            return LiveLine("connect", f"connecting to {event.to}")
        case Listening():
            return LiveLine("listen", f"listening on {event.address} {event.transport.upper()}")
        case ApduSent():
            return LiveLine("forward", f"{event.name}, {count(len(event.apdu), 'octet')}", event.apdu)
        case ApduReceived():
            taken = event.response_ms
            time = f" · {short_duration(round(taken * 1e6))}" if taken is not None else ""
            remark = f" · {event.remark}" if event.remark else ""
            words = f"{event.name}, {count(len(event.apdu), 'octet')}{time}{remark}"
            return LiveLine("back", words, event.apdu)
    return usual_line(event)


class SendLine(QLineEdit):
    """A line with a history, on the up and down keys."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history: list[str] = []
        self._at = 0

    def remember(self, text: str) -> None:
        """Put `text` at the end of the history."""
        if not self._history or self._history[-1] != text:
            self._history.append(text)
            del self._history[:-HISTORY]
        self._at = len(self._history)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down go through the history; everything else as lines do."""
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        self._at = min(len(self._history), max(0, self._at + by))
        self.setText(self._history[self._at] if self._at < len(self._history) else "")


class LinkPanel(LivePanel):
    """The panel. Its commands are `SendApdu` and `AnswerWith`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(
            "Link",
            "Connect or listen: what goes over the link, and how long it took, is listed here.",
            parent,
        )
        self._job: LinkJob | None = None
        self._peers: set[str] = set()
        self.line = SendLine(self)
        self.line.setFont(theme.fixed_font())
        self.line.setAccessibleName("APDU to send, in hexadecimal")
        self.line.setPlaceholderText("APDU in hexadecimal; Enter sends it")
        self.meaning = PlainLabel(self)
        self.meaning.setWordWrap(True)
        # What is typed changes these words: they may not make the panel wider, and so its whole place.
        self.meaning.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.send_button = QPushButton(icon("send"), "Send", self)
        self.ready_made = QToolButton(self)
        self.answer_button = QPushButton("Answer with it", self)
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._arrange()
        self._connect()
        self._show_line()

    def _arrange(self) -> None:
        self.ready_made.setText("APDU")
        self.ready_made.setToolTip("Choose a ready-made APDU; all of them only read")
        self.ready_made.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.ready_made)
        for name, apdu in READY_MADE:
            menu.addAction(name).triggered.connect(lambda checked=False, apdu=apdu: self.write(apdu))
        self.ready_made.setMenu(menu)
        self.answer_button.setCheckable(True)
        self.answer_button.setToolTip("Answer every APDU that comes with this one")
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.ready_made)
        line.addWidget(self.line, 1)
        below = QHBoxLayout()
        below.setSpacing(6)
        below.addWidget(self.meaning, 1)
        below.addWidget(self.answer_button)
        below.addWidget(self.send_button)
        self.column.addWidget(self.log, 1)
        self.column.addLayout(line)
        self.column.addLayout(below)

    def _connect(self) -> None:
        self.line.returnPressed.connect(self.send)
        self.line.textChanged.connect(self._show_line)
        self.send_button.clicked.connect(self.send)
        self.answer_button.toggled.connect(self._answer)
        self.log.apduWanted.connect(self.write)
        self._waiting.timeout.connect(self._miss_answer)

    # The link's life

    def begin(self, job: LinkJob) -> None:
        """A link has been asked for."""
        super().begin(job)
        self._peers.clear()
        listening = isinstance(job, ListenJob)
        self.answer_button.setVisible(listening)
        self.answer_button.setChecked(False)
        self.say("listen" if listening else "connect", "", f"Starting: {title_of_job(job)} …")
        self._show_line()

    def take(self, event: Event) -> None:
        """Show what happened."""
        line = _line_of(event)
        if line is None:
            return
        remote = getattr(event, "remote", None)
        if isinstance(self._job, ListenJob) and remote and not isinstance(event, Connected):
            line = line._replace(text=f"{remote}  {line.text}")
        self.log.add(line, _TAKE_BACK)
        match event:
            case Connecting():
                self.say("connect", "", f"Connecting to {event.to} over {event.transport.upper()} …")
            case Listening():
                self._take_listening()
            case Connected():
                self._take_connected(event)
            case ApduSent() if isinstance(self._job, ConnectJob):
                self._waiting.start(round(self._job.timeout * 1000))
            case ApduReceived():
                self._waiting.stop()
                self._peers.add(event.remote)
                self._show_line()
            case LinkClosed():
                self._take_closed(event)
            case Trouble() if event.fault != NOT_OBEYED and isinstance(self._job, ConnectJob):
                self._waiting.stop()
                self.say("error", "error", sentence(event.message))

    def end(self, trouble: str) -> None:
        """The process has ended; `trouble` is what it said last, if anything went wrong."""
        super().end(trouble)
        self._waiting.stop()
        self._peers.clear()
        self._show_line()

    def _take_listening(self) -> None:
        assert isinstance(self._job, ListenJob)
        name = wport_name(self._job.wports[0], Side.SERVER)
        self.say(
            "listen", "", f"Listening: {title_of_job(self._job)}\nserver wPort {self._job.wports[0]} ({name})"
        )

    def _take_connected(self, event: Connected) -> None:
        self._peers.add(event.remote)
        if isinstance(self._job, ConnectJob):
            job = self._job
            near, far = wport_name(job.client, Side.CLIENT), wport_name(job.server, Side.SERVER)
            self.say(
                "connect",
                "",
                f"Connected to {event.remote} over {event.transport.upper()}\n"
                f"wPort {job.client} ({near}) ↔ {job.server} ({far})",
            )
        self._show_line()

    def _take_closed(self, event: LinkClosed) -> None:
        self._waiting.stop()
        self._peers.discard(event.remote)
        if isinstance(self._job, ConnectJob) and self.severity != "error":
            self.say("close", "note", sentence(event.message))
        self._show_line()

    def _miss_answer(self) -> None:
        assert isinstance(self._job, ConnectJob)
        text = f"no answer from {title_of_job(self._job).partition(' ')[0]} within {self._job.timeout:g} s"
        self.log.add(LiveLine("warning", text))
        self.say("warning", "warning", f"{sentence(text)} The link is still open.")

    # The line

    def take_focus(self) -> None:
        """The next that is typed is an APDU."""
        self.line.setFocus()

    def write(self, apdu: bytes) -> None:
        """Put an APDU in the line, ready to be sent."""
        self.line.setText(apdu.hex(" "))
        self.line.setFocus()

    def send(self) -> None:
        """Send what stands in the line."""
        if self.can_send:
            self.line.remember(self.line.text())
            self.commanded.emit(SendApdu(send=self._octets()))
            self.line.clear()

    @property
    def can_send(self) -> bool:
        """True when there is an APDU in the line, and somebody to send it to."""
        return bool(self._octets()) and self._open and bool(self._peers)

    def _answer(self, wanted: bool) -> None:
        octets = self._octets()
        if wanted and octets:
            self.commanded.emit(AnswerWith(answer=octets))
            self.answer_button.setText(f"Answers {apdu_name(octets[0])}")
        else:
            self.commanded.emit(AnswerWith(answer=None))
            self.answer_button.setText("Answer with it")
        self._show_line()

    def _octets(self) -> bytes:
        try:
            return parse_octets(self.line.text())
        except HexError:
            return b""

    def _show_line(self, *_: Any) -> None:
        """Say what stands in the line and whether it can be sent."""
        text = self.line.text()
        scheme = theme.colours(self.palette())
        colour, words = scheme.muted, self._hint()
        if text.strip():
            try:
                octets = parse_octets(text)
                words = f"{apdu_name(octets[0])}, {count(len(octets), 'octet')}" + (
                    f" · {words}" if words else ""
                )
            except HexError as error:
                colour, words = scheme.error, sentence(str(error).removeprefix("line 1: "))
        self.meaning.setStyleSheet(f"color: {colour}")
        self.meaning.setText(words)
        self.line.setEnabled(self._open)
        self.ready_made.setEnabled(self._open)
        self.send_button.setEnabled(self.can_send)
        self.answer_button.setEnabled(self._open and (self.answer_button.isChecked() or bool(self._octets())))
        self._show_end_button()

    def _end_words(self) -> tuple[str, str]:
        if isinstance(self._job, ListenJob):
            return "Stop listening", "Listen again"
        return "Close the link", "Connect again, to the same address"

    def _hint(self) -> str:
        if not self._open:
            return "the link is closed" if self._job is not None else ""
        if self._peers:
            return ""
        return "nobody has connected yet" if isinstance(self._job, ListenJob) else "not connected yet"

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_waiting"):
            self._show_line()
        super().changeEvent(event)
