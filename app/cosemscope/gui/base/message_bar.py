"""Messages that do not stop anybody: a strip above the panes, one line a message, closed by its button."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel

#: More messages than this stand together as a count.
_SHOWN = 3


class MessageSeverity(Enum):
    """The weight of a message; the value is the name of an icon."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "info"


class BarMessage(NamedTuple):
    """One message: sentences for people, and buttons (text and what they do)."""

    severity: MessageSeverity
    text: str
    buttons: tuple[tuple[str, Callable[[], None]], ...] = ()


class _Line(QFrame):
    def __init__(self, message: BarMessage, bar: "MessageBar") -> None:
        super().__init__(bar)
        self._message = message
        self._picture = PlainLabel(self)
        self._text = PlainLabel(message.text, self)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        dismiss = QToolButton(self)
        dismiss.setIcon(icon("close"))
        dismiss.setAutoRaise(True)
        dismiss.setToolTip("Dismiss this message")
        dismiss.setAccessibleName("Dismiss")
        dismiss.clicked.connect(lambda: bar.dismiss(message))
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 4, 4)
        row.setSpacing(8)
        row.addWidget(self._picture)
        row.addWidget(self._text, 1)
        for text, act in message.buttons:
            button = QPushButton(text, self)
            button.clicked.connect(lambda checked=False, act=act: act())
            row.addWidget(button)
        row.addWidget(dismiss)
        self.setAutoFillBackground(True)
        self.paint_as_meant()

    def paint_as_meant(self) -> None:
        scheme = theme.colours(self.parentWidget().palette())
        back, ink = {
            MessageSeverity.ERROR: (scheme.message_error, scheme.error),
            MessageSeverity.WARNING: (scheme.message_warning, scheme.warning),
            MessageSeverity.NOTE: (scheme.message_note, scheme.note),
        }[self._message.severity]
        palette = self.palette()
        palette.setColor(self.backgroundRole(), back)
        self.setPalette(palette)
        self._picture.setPixmap(icon(self._message.severity.value, ink).pixmap(18, 18))


class MessageBar(QWidget):
    """The strip; hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._messages: list[BarMessage] = []
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self.hide()

    @property
    def messages(self) -> tuple[BarMessage, ...]:
        """The messages shown, the oldest first."""
        return tuple(self._messages)

    def say(
        self, severity: MessageSeverity, text: str, buttons: Iterable[tuple[str, Callable[[], None]]] = ()
    ) -> None:
        """Add a message, unless it is already there."""
        message = BarMessage(severity, text, tuple(buttons))
        if not any(known[:2] == message[:2] for known in self._messages):
            self._messages.append(message)
            self._rebuild()

    def dismiss(self, message: BarMessage) -> None:
        """Take one message away."""
        if message in self._messages:
            self._messages.remove(message)
            self._rebuild()

    def clear(self) -> None:
        """Take all messages away."""
        self._messages.clear()
        self._rebuild()

    def _rebuild(self) -> None:
        while self._column.count():
            widget = self._column.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for message in self._messages[:_SHOWN]:
            self._column.addWidget(_Line(message, self))
        more = len(self._messages) - _SHOWN
        if more > 0:
            rest = PlainLabel(f"{more} more", self)
            rest.setToolTip(
                plain_tip("\n".join(message.text for message in self._messages[_SHOWN : _SHOWN + 20]))
            )
            rest.setContentsMargins(36, 2, 4, 2)
            self._column.addWidget(rest)
        self.setVisible(bool(self._messages))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange:
            for line in self.findChildren(_Line):
                line.paint_as_meant()
        super().changeEvent(event)
