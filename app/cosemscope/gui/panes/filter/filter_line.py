"""The line that a display filter is typed in: its colour says whether it is one; what would fit is offered.

The filter is compiled at each key; what could stand at the cursor is looked for in the background, since
values come from the capture.
"""

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QInputMethodEvent,
    QKeyEvent,
    QPalette,
    QTextCharFormat,
)
from PySide6.QtWidgets import QLineEdit, QTreeWidget, QTreeWidgetItem, QWidget

from cosemscope.analysis.filter.display_filter import FilterError, compile_filter
from cosemscope.analysis.filter.filter_completion import Completion, completions
from cosemscope.gui.base.background import in_background
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip

#: Milliseconds without a key after which completions are looked for.
_PAUSE = 60
#: Rows of the list of completions that are seen at once, and its most pixels across.
_SEEN, _WIDEST = 12, 760
_OFFER = Qt.ItemDataRole.UserRole
_PRESS = QEvent.Type.KeyPress


class CompletionList(QTreeWidget):
    """The list below the line: what could stand there, how often it comes, what it means; without focus.

    `chosen` gives the `Completion` that was clicked.
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.ToolTip)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setColumnCount(3)
        self.setHeaderHidden(True)
        self.setRootIsDecorated(False)
        self.setAllColumnsShowFocus(True)
        self.setUniformRowHeights(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Completions")
        self.itemClicked.connect(lambda item: self.chosen.emit(item.data(0, _OFFER)))

    def show_offers(self, offers: list[Completion], below: QRect) -> None:
        """Show these under the rectangle `below`, in global pixels; nothing where there are none."""
        self.clear()
        if not offers:
            self.hide()
            return
        for offer in offers:
            count = f"{offer.count:,}" if offer.count is not None else ""
            item = QTreeWidgetItem(self, [offer.text, count, offer.meaning])
            item.setData(0, _OFFER, offer)
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            item.setForeground(2, self.palette().placeholderText())
            item.setToolTip(2, plain_tip(offer.meaning))
        for column in (0, 1, 2):
            self.resizeColumnToContents(column)
        rows = min(_SEEN, len(offers))
        height = self.sizeHintForRow(0) * rows + 2 * self.frameWidth()
        bar = self.verticalScrollBar().sizeHint().width() if len(offers) > rows else 0
        screen = (QGuiApplication.screenAt(below.center()) or QGuiApplication.primaryScreen()).geometry()
        wanted = sum(self.columnWidth(column) for column in (0, 1, 2)) + bar + 2 * self.frameWidth()
        width = min(max(200, wanted), _WIDEST, screen.width())
        left = max(screen.left(), min(below.left(), screen.right() - width))
        self.setGeometry(left, below.bottom() + 1, width, height)
        self.setCurrentItem(None)
        self.show()

    def step(self, by: int) -> None:
        """Make the next entry current, or the one before, round and round."""
        current = self.currentItem()
        before = self.indexOfTopLevelItem(current) if current is not None else (-1 if by > 0 else 0)
        self.setCurrentItem(self.topLevelItem((before + by) % self.topLevelItemCount()))

    @property
    def current(self) -> Completion | None:
        """The entry that is current, None for none."""
        item = self.currentItem()
        return item.data(0, _OFFER) if item is not None else None

    @property
    def offers(self) -> list[Completion]:
        """What is offered."""
        return [self.topLevelItem(row).data(0, _OFFER) for row in range(self.topLevelItemCount())]


class FilterLine(QLineEdit):
    """The line. `judged` gives the FilterError of what is typed, None where it is a filter or empty.

    `asked` is the Enter key on a filter, `left` Escape.
    """

    judged = Signal(object)
    asked = Signal()
    left = Signal()
    _found = Signal(object)

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self.error: FilterError | None = None
        self.setPlaceholderText("Display filter, such as  obis == 1.0.1.8.0.255 && response_time > 500ms")
        self.setAccessibleName("Display filter")
        self.setClearButtonEnabled(True)
        self.list = CompletionList(self)
        self.list.chosen.connect(self._take)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self._look_for_completions)
        self._found.connect(self._show_completions)
        self.textChanged.connect(self._judge)
        self.textEdited.connect(lambda: self._pause.start())
        self.cursorPositionChanged.connect(self._leave_list)
        self._judge(self.text())

    # What is typed

    def _judge(self, text: str) -> None:
        """Compile what is typed; say by colour, and at its place, what is wrong."""
        self.error = None
        if text.strip():
            try:
                compile_filter(text)
            except FilterError as error:
                self.error = error
        self._underline()
        self._paint_as_meant()
        self.judged.emit(self.error)

    def _underline(self) -> None:
        """Draw a wave below what is wrong: Qt formats parts of a line only for input methods."""
        parts = []
        if self.error is not None:
            wave = QTextCharFormat()
            wave.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            wave.setUnderlineColor(theme.colours(self.palette()).error)
            start = min(self.error.start, max(0, len(self.text()) - 1))
            length = max(1, min(self.error.stop, len(self.text())) - start)
            kind = QInputMethodEvent.AttributeType.TextFormat
            parts.append(QInputMethodEvent.Attribute(kind, start - self.cursorPosition(), length, wave))
        event = QInputMethodEvent("", parts)
        QLineEdit.inputMethodEvent(self, event)

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(QGuiApplication.palette())
        text = self.text().strip()
        tint = scheme.base if not text else scheme.message_error if self.error else scheme.message_secure
        palette = QPalette(QGuiApplication.palette())
        palette.setColor(QPalette.ColorRole.Base, tint)
        self.setPalette(palette)

    def changeEvent(self, event: Any) -> None:
        """Follow the colour scheme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.ApplicationPaletteChange:
            self._paint_as_meant()

    # What could be typed

    def _look_for_completions(self) -> None:
        text, cursor, traffic = self.text(), self.cursorPosition(), self._selection.traffic
        analysis = traffic.analysis if traffic.total else None
        in_background(lambda: (text, cursor, completions(analysis, text, cursor)), self._found)

    def _show_completions(self, found: tuple[str, int, list[Completion]]) -> None:
        text, cursor, offers = found
        if (text, cursor) != (self.text(), self.cursorPosition()) or not self.hasFocus():
            return
        # What is there already need not be offered.
        offers = [offer for offer in offers if text[offer.start : offer.stop] != offer.text]
        start = offers[0].start if offers else cursor
        ahead = self.fontMetrics().horizontalAdvance(text[start:cursor])
        left = max(0, self.cursorRect().center().x() - ahead)
        self.list.show_offers(offers, QRect(self.mapToGlobal(QPoint(left, 0)), self.size()))

    def _take(self, offer: Completion) -> None:
        """Put an entry in the place of what is at the cursor."""
        text = self.text()
        self.list.hide()
        self.setText(text[: offer.start] + offer.text + text[offer.stop :])
        self.setCursorPosition(offer.start + len(offer.text))
        self.setFocus()

    def _leave_list(self, old: int, new: int) -> None:
        """The cursor went elsewhere without a key of text: what is offered is not about that place."""
        if not self._pause.isActive():
            self.list.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up, Down, Tab and Enter go through the list while it is there; Enter applies, Escape leaves."""
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
        if self.list.isVisible():
            if key in steps:
                self.list.step(steps[key])
                return
            if key == Qt.Key.Key_Escape:
                self.list.hide()
                return
            offer = self.list.current
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and offer is not None:
                self._take(offer)
                return
        elif key == Qt.Key.Key_Down:
            self._look_for_completions()
            return
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._pause.stop()
            self.list.hide()
            self.asked.emit()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Tab takes the entry that is current, or the first one, before it goes to the next widget."""
        pressed = event.key() if isinstance(event, QKeyEvent) and event.type() == _PRESS else 0
        if pressed == Qt.Key.Key_Tab and self.list.isVisible():
            self._take(self.list.current or self.list.offers[0])
            return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What is offered goes with the focus."""
        self._pause.stop()
        self.list.hide()
        super().focusOutEvent(event)
