"""What panels of live commands have in common: how it stands in words, a button to end it, what happened.

A panel knows the events and commands of its command, not processes. The traffic itself is in the table.
"""

from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cosemscope.capture.events import Event, Trouble
from cosemscope.gui.look import theme
from cosemscope.gui.look.cells import paint_hint
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.commands.live_events import ApduDiscarded, Connected, LinkClosed
from cosemscope.wording import sentence

#: Lines kept in the list.
LINES = 1000

_APDU_ROLE = int(Qt.ItemDataRole.UserRole)


class LiveLine(NamedTuple):
    """A line of the list: its icon, its words, the APDU that it is about."""

    picture: str
    text: str
    apdu: bytes = b""


def usual_line(event: Event) -> LiveLine | None:
    """Line about an event that several commands tell; None for one that is not shown."""
    match event:
        case Connected():
            return LiveLine("connect", f"connected: {event.local} to {event.remote}")
        case ApduDiscarded():
            wport = event.destination_wport
            words = f"{event.name} for wPort {wport}, which nobody has here: discarded"
            return LiveLine("warning", words, event.apdu)
        case LinkClosed():
            return LiveLine("close", event.message)
        case Trouble():
            return LiveLine("error", event.message)
    return None


class LiveLog(QListWidget):
    """The list of what happened; `hint` stands there while there is nothing.

    `apduWanted` gives the octets of an activated line. A line without any is copied to the clipboard.
    """

    apduWanted = Signal(object)

    def __init__(self, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hint = hint
        self.setUniformItemSizes(True)
        self.setIconSize(QSize(14, 14))
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.itemActivated.connect(self._activate)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The lines, or words where there are none."""
        super().paintEvent(event)
        if not self.model().rowCount():
            paint_hint(self.viewport(), self._hint)

    def add(self, line: LiveLine, tip: str = "") -> None:
        """Put a line at the end; the end stays in sight if it was. `tip` says what activating it does."""
        bar = self.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        colour = theme.colours(self.palette()).error if line.picture == "error" else ""
        item = QListWidgetItem(icon(line.picture, colour), line.text)
        apdu = line.apdu.hex()
        item.setData(_APDU_ROLE, apdu)
        item.setToolTip(plain_tip("\n".join(part for part in (line.text, apdu, apdu and tip) if part)))
        self.addItem(item)
        while self.count() > LINES:
            self.takeItem(0)
        if at_end:
            self.scrollToBottom()

    def _activate(self, item: QListWidgetItem) -> None:
        apdu = item.data(_APDU_ROLE)
        if apdu:
            self.apduWanted.emit(bytes.fromhex(apdu))
        else:
            QGuiApplication.clipboard().setText(item.text())


class LivePanel(QWidget):
    """Base of the panels. `commanded` gives a command for the process; `closeAsked` and `againAsked` are the
    button at the top."""

    commanded = Signal(object)
    closeAsked = Signal()
    againAsked = Signal()

    def __init__(self, name: str, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._job: Any = None
        self._open = False
        self.status = PlainLabel(self)
        self.status.setWordWrap(True)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._picture = PlainLabel(self)
        self.end_button = QPushButton(self)
        self.end_button.clicked.connect(lambda: (self.closeAsked if self._open else self.againAsked).emit())
        self.log = LiveLog(hint, self)
        self.log.setAccessibleName(f"What happened: {name}")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.status, 1)
        top.addWidget(self.end_button, 0, Qt.AlignmentFlag.AlignTop)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(8, 6, 8, 6)
        self.column.setSpacing(6)
        self.column.addLayout(top)
        self._show_end_button()

    # What every panel is told

    def begin(self, job: Any) -> None:
        """A job has been asked for."""
        self._job = job
        self._open = True
        self.log.clear()
        self._show_end_button()

    def take(self, event: Event) -> None:
        """Show what happened."""
        raise NotImplementedError

    def end(self, trouble: str) -> None:
        """The process has ended; `trouble` is what it said last, if anything went wrong."""
        self._open = False
        if trouble:
            self.log.add(LiveLine("error", trouble))
            self.say("error", "error", sentence(trouble))
        elif "…" in self.status.text() or self.severity == "":
            self.say("close", "", "Closed.")
        self._show_end_button()

    def take_focus(self) -> None:
        """The next that is typed is meant for this panel."""
        self.log.setFocus()

    # What is said

    @property
    def severity(self) -> str:
        """That of the words at the top: "", "note", "warning" or "error"."""
        return self._picture.property("severity") or ""

    def say(self, picture: str, severity: str, text: str) -> None:
        """Say at the top how it stands."""
        self._picture.setProperty("picture", picture)
        self._picture.setProperty("severity", severity)
        self.status.setText(text)
        self._paint_as_meant()

    def _end_words(self) -> tuple[str, str]:
        """What the button at the top does: while it is open, and afterwards."""
        return "End it", "Begin again, in the same way"

    def _show_end_button(self) -> None:
        self.end_button.setText("Close" if self._open else "Again")
        self.end_button.setVisible(self._job is not None)
        self.end_button.setToolTip(self._end_words()[not self._open])

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(self.palette())
        ink = {"error": scheme.error, "warning": scheme.warning, "note": scheme.note}.get(self.severity, "")
        self.status.setStyleSheet(f"color: {ink}" if ink else "")
        picture = self._picture.property("picture")
        if picture:
            self._picture.setPixmap(icon(picture, ink).pixmap(18, 18))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "column"):
            self._paint_as_meant()
        super().changeEvent(event)
