"""The WPDUs that wait at a breakpoint: a row each with its way and the time it has left, and what may become
of those that are selected."""

import time
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.pasted.pasted_text import parse_octets
from cosemscope.apdu.pasted.pieces import HexError
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.live.relay.held_edits import MOST_SECONDS
from cosemscope.live.relay.relay_events import (
    DelayHeld,
    DoubleHeld,
    DropHeld,
    HeldCommand,
    LetGo,
    ReplaceHeld,
    WpduHeld,
)
from cosemscope.transport.wpdu import HEADER_SIZE
from cosemscope.wording import count, sentence

_TICK = 250
_NUMBER = Qt.ItemDataRole.UserRole
_COLUMNS = ("No.", "Way", "APDU", "Octets", "Left", "Client")
_LEFT = _COLUMNS.index("Left")


class _Held(NamedTuple):
    """One that waits: its event, its row, and until when on the monotonic clock, in seconds."""

    event: WpduHeld
    row: QTreeWidgetItem
    until: float


class HeldWpdus(QWidget):
    """The list with its buttons. `commanded` gives a command for the relay.

    A row stays until the relay says that its WPDU is gone: the relay alone lets it go.
    """

    commanded = Signal(object)

    def __init__(self, parent: QWidget | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """`now` tells the seconds of a clock that never goes back."""
        super().__init__(parent)
        self._now = now
        self._seconds = MOST_SECONDS
        self._held: dict[int, _Held] = {}
        self.rows = QTreeWidget(self)
        self.rows.setAccessibleName("Held WPDUs")
        self.rows.setHeaderLabels(list(_COLUMNS))
        self.rows.setRootIsDecorated(False)
        self.rows.setUniformRowHeights(True)
        self.rows.setAllColumnsShowFocus(True)
        self.rows.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.apdu = QPlainTextEdit(self)
        self.apdu.setAccessibleName("APDU of the held WPDU, in hexadecimal")
        self.apdu.setPlaceholderText("Select a held WPDU: its APDU stands here, to be edited")
        self.apdu.setFont(theme.fixed_font())
        self.apdu.setTabChangesFocus(True)
        self.meaning = PlainLabel(self)
        self.meaning.setWordWrap(True)
        self.meaning.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.go_button = self._button("forward", "Let go", "It goes on as it came", lambda n: LetGo(let_go=n))
        self.drop_button = self._button("close", "Drop", "It does not go on", lambda n: DropHeld(drop=n))
        self.double_button = self._button(
            "copy", "Double", "It goes on twice", lambda n: DoubleHeld(double=n)
        )
        self.delay_button = self._button(
            "recent", "Delay", "It goes on so much later", lambda n: DelayHeld(delay=n, ms=self.delay.value())
        )
        self.delay = QSpinBox(self)
        self.delay.setAccessibleName("Delay")
        self.delay.setRange(1, round(MOST_SECONDS * 1000))
        self.delay.setSingleStep(100)
        self.delay.setSuffix(" ms")
        self.delay.setValue(500)
        self.edit_button = QPushButton(icon("octets"), "Send edited", self)
        self.edit_button.setToolTip("The APDU in the box goes on, with the wPorts of the one that waits")
        self.edit_button.clicked.connect(self._send_edited)
        self._ticking = QTimer(self)
        self._ticking.setInterval(_TICK)
        self._ticking.timeout.connect(self._count_down)
        self.rows.itemSelectionChanged.connect(self._show_selected)
        self.apdu.textChanged.connect(self._judge)
        for box in (self.rows, self.apdu):
            box.setMinimumHeight(self.fontMetrics().lineSpacing() * 3)
        self._arrange()
        self._judge()

    def _button(
        self, picture: str, text: str, tip: str, command: Callable[[int], HeldCommand]
    ) -> QPushButton:
        button = QPushButton(icon(picture), text, self)
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._command(command))
        return button

    def _arrange(self) -> None:
        left, right = QVBoxLayout(), QVBoxLayout()
        ways, edited, parts = QHBoxLayout(), QHBoxLayout(), QHBoxLayout(self)
        for box in (left, right, ways, edited, parts):
            box.setSpacing(6)
        for widget in (self.go_button, self.drop_button, self.double_button, self.delay_button, self.delay):
            ways.addWidget(widget)
        ways.addStretch(1)
        left.addWidget(self.rows, 1)
        left.addLayout(ways)
        edited.addWidget(self.meaning, 1)
        edited.addWidget(self.edit_button)
        right.addWidget(self.apdu, 1)
        right.addLayout(edited)
        parts.setContentsMargins(0, 4, 0, 0)
        parts.addLayout(left, 3)
        parts.addLayout(right, 2)

    # What waits

    def __len__(self) -> int:
        return len(self._held)

    def begin(self, seconds: float) -> None:
        """Another relay, which holds a WPDU for so many seconds at most."""
        self._seconds = min(seconds, MOST_SECONDS)
        self.clear()

    def clear(self) -> None:
        """Nothing waits any more."""
        self._held.clear()
        self.rows.clear()
        self._ticking.stop()
        self._show_selected()

    def take(self, event: WpduHeld) -> None:
        """One more waits; the first one is selected, so that keys do something about it."""
        to_target = event.direction == "to-target"
        way = "→" if to_target else "←"
        words = [str(event.number), way, event.name, f"{len(event.octets):,}", "", event.client]
        row = QTreeWidgetItem(self.rows, words)
        row.setData(0, _NUMBER, event.number)
        for column in (0, 3, _LEFT):
            row.setTextAlignment(column, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        ends = (event.client, event.target) if to_target else (event.target, event.client)
        tip = plain_tip(f"from {ends[0]} to {ends[1]} over {event.transport.upper()}")
        for column in range(len(_COLUMNS)):
            row.setToolTip(column, tip)
        self._held[event.number] = _Held(event, row, self._now() + self._seconds)
        self._count_down()
        if len(self._held) == 1:
            self.rows.setCurrentItem(row)
            for column in range(len(_COLUMNS)):
                self.rows.resizeColumnToContents(column)
        self._ticking.start()

    def gone(self, number: int) -> str:
        """One waits no more; returns its APDU's name, "" for one that is not known."""
        held = self._held.pop(number, None)
        if held is None:
            return ""
        self.rows.takeTopLevelItem(self.rows.indexOfTopLevelItem(held.row))
        if not self._held:
            self._ticking.stop()
        elif not self.rows.selectedItems():
            self.rows.setCurrentItem(self.rows.topLevelItem(0))
        self._show_selected()
        return held.event.name

    def _count_down(self) -> None:
        now = self._now()
        for held in self._held.values():
            held.row.setText(_LEFT, f"{max(0, held.until - now):.0f} s")

    # What becomes of it

    @property
    def selected(self) -> list[WpduHeld]:
        """Those that are selected, in the order in which they came."""
        numbers = sorted(row.data(0, _NUMBER) for row in self.rows.selectedItems())
        return [self._held[number].event for number in numbers if number in self._held]

    def _command(self, command: Callable[[int], HeldCommand]) -> None:
        for event in self.selected:
            self.commanded.emit(command(event.number))

    def _send_edited(self) -> None:
        octets = self._octets()
        if octets and len(self.selected) == 1:
            self.commanded.emit(ReplaceHeld(replace=self.selected[0].number, apdu=octets))

    def _octets(self) -> bytes:
        try:
            return parse_octets(self.apdu.toPlainText())
        except HexError:
            return b""

    def _show_selected(self) -> None:
        """The APDU of the one that is selected; a box that somebody edits keeps its text while that waits."""
        selected = self.selected
        one = selected[0] if len(selected) == 1 else None
        number = one.number if one is not None else 0
        if self.apdu.property("number") != number:
            self.apdu.setProperty("number", number)
            self.apdu.setPlainText(one.octets[HEADER_SIZE:].hex(" ") if one is not None else "")
        self._judge()

    def _judge(self) -> None:
        """Say what stands in the box, and what can be done."""
        selected, text = self.selected, self.apdu.toPlainText().strip()
        scheme = theme.colours(self.palette())
        colour, words, fits = scheme.muted, "", False
        if text and len(selected) == 1:
            try:
                octets = parse_octets(text)
                fits = octets != selected[0].octets[HEADER_SIZE:]
                words = f"{apdu_name(octets[0])}, {count(len(octets), 'octet')}"
                words += " · edited" if fits else ""
            except HexError as error:
                colour, words = scheme.error, sentence(str(error))
        elif len(selected) > 1:
            words = f"{count(len(selected), 'WPDU')} selected"
        self.meaning.setStyleSheet(f"color: {colour}")
        self.meaning.setText(words)
        for button in (self.go_button, self.drop_button, self.double_button, self.delay_button):
            button.setEnabled(bool(selected))
        self.delay.setEnabled(bool(selected))
        self.apdu.setEnabled(len(selected) == 1)
        self.edit_button.setEnabled(fits)
