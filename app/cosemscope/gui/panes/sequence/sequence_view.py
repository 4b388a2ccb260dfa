"""The sequence diagram's drawing: two lifelines, an arrow a WPDU; only what is on the screen is drawn.

Up and Down move the cursor, Space previews the APDU at it, Space at another one compares both, Enter opens or
folds a transfer in blocks, Escape ends preview and comparison.
"""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from cosemscope.gui.look import theme
from cosemscope.gui.look.apdu_kinds import Kind
from cosemscope.gui.look.cells import paint_hint
from cosemscope.gui.panes.sequence.sequence_layout import SequenceLayout
from cosemscope.wording import short_duration

#: Pixels of the heads of the lifelines, of a margin, and of an arrow's head.
_HEAD, _MARGIN, _TIP = 24, 12, 7
_STEPS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
    Qt.Key.Key_Home: -(1 << 40),
    Qt.Key.Key_End: 1 << 40,
}


class SequenceView(QAbstractScrollArea):
    """The drawing. `moved` gives the arrow at the cursor, `previewed` one that Space was pressed at,
    `opened` one to be opened or folded; `left` says that preview and comparison are to end.

    `words` gives what the WPDUs of these rows say.
    """

    moved = Signal(int)
    previewed = Signal(int)
    opened = Signal(int)
    left = Signal()

    def __init__(self, words: Callable[[list[int]], list[str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.layout_shown: SequenceLayout | None = None
        self.hint = ""
        self.cursor_arrow = -1
        self.marked: tuple[int, ...] = ()
        self.setAccessibleName("Sequence diagram")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def show_layout(self, layout: SequenceLayout | None, hint: str = "") -> None:
        """Show these arrows; `hint` where there is none."""
        self.layout_shown, self.hint = layout, hint
        self.cursor_arrow, self.marked = -1, ()
        self._fit()
        self.viewport().update()

    def _fit(self) -> None:
        height = self.layout_shown.height if self.layout_shown else 0
        bar, room = self.verticalScrollBar(), self.viewport().height() - _HEAD
        bar.setRange(0, max(0, height - room))
        bar.setPageStep(max(1, room))
        bar.setSingleStep(26)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another part has room."""
        super().resizeEvent(event)
        self._fit()

    def set_cursor(self, arrow: int) -> None:
        """Put the cursor at an arrow, -1 for none, and bring it into view."""
        self.cursor_arrow = arrow
        layout, bar = self.layout_shown, self.verticalScrollBar()
        if layout is not None and arrow >= 0:
            top, room = layout.top.item(arrow), self.viewport().height() - _HEAD
            if not bar.value() + 26 <= top <= bar.value() + room - 26:
                bar.setValue(top - room // 2)
        self.viewport().update()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Heads stay where they are: all is drawn anew."""
        self.viewport().update()

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """What is on the screen, or words where there is nothing."""
        layout = self.layout_shown
        if layout is None or not len(layout.row):
            paint_hint(self.viewport(), self.hint)
            return
        painter = QPainter(self.viewport())
        self.draw(painter, self.viewport().rect(), self.verticalScrollBar().value())

    def draw(self, painter: QPainter, rect: QRect, offset: int) -> None:
        """Draw into a rectangle what stands from `offset` pixels on; the heads above it."""
        layout = self.layout_shown
        assert layout is not None
        scheme, metrics = theme.colours(self.palette()), self.fontMetrics()
        painter.setFont(self.font())
        painter.fillRect(rect, QColor(scheme.base))
        left = rect.left() + metrics.horizontalAdvance("00.0 min") + 3 * _MARGIN
        right = rect.right() - 3 * _MARGIN
        painter.setPen(QPen(QColor(scheme.line), 1))
        for x in (left, right):
            painter.drawLine(x, _HEAD, x, rect.bottom())
        painter.setClipRect(rect.adjusted(0, _HEAD, 0, 0))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shown = layout.shown(offset, offset + rect.height())
        told = self._words([layout.row.item(arrow) for arrow in shown])
        for arrow, words in zip(shown, told, strict=True):
            self._draw_arrow(painter, arrow, words, (left, right), _HEAD - offset)
        painter.setClipping(False)
        painter.setPen(QColor(scheme.text))
        half = (right - left) // 2 + 2 * _MARGIN
        for text, x, side in (
            (layout.session.client, left - 2 * _MARGIN, Qt.AlignmentFlag.AlignLeft),
            (layout.session.server, right + 2 * _MARGIN - half, Qt.AlignmentFlag.AlignRight),
        ):
            room = QRect(x, 0, half, _HEAD)
            line = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, half - 8)
            painter.drawText(room, side | Qt.AlignmentFlag.AlignVCenter, line)

    def _colour(self, arrow: int) -> QColor:
        layout, scheme = self.layout_shown, theme.colours(self.palette())
        assert layout is not None
        place = layout.place.item(arrow)
        if layout.session.unanswered.item(place):
            return QColor(scheme.warning)
        return QColor(scheme.kinds[Kind(layout.session.kinds.item(place))])

    def _draw_arrow(
        self, painter: QPainter, arrow: int, words: str, lines: tuple[int, int], origin: int
    ) -> None:
        layout, metrics = self.layout_shown, self.fontMetrics()
        assert layout is not None
        scheme, place = theme.colours(self.palette()), layout.place.item(arrow)
        top, fall = origin + layout.top.item(arrow), layout.fall.item(arrow)
        left, right = lines
        line = QRect(0, top - metrics.height() - 1, right + 3 * _MARGIN, metrics.height() + fall + 4)
        if arrow in self.marked or arrow == self.cursor_arrow:
            ground = QColor(scheme.accent)
            ground.setAlpha(70 if arrow in self.marked else 35)
            painter.fillRect(line, ground)
        if arrow == self.cursor_arrow and self.hasFocus():
            painter.setPen(QPen(QColor(scheme.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(line)
        pause = layout.pause(arrow)
        if pause:
            painter.setPen(QColor(scheme.muted))
            above = QRect(left, line.top() - metrics.height() - 2, right - left, metrics.height())
            painter.drawText(above, Qt.AlignmentFlag.AlignCenter, f"⋯ {pause} ⋯")
        session = layout.session
        since = session.times.item(place) - session.times.item(0)
        painter.setPen(QColor(scheme.muted))
        room = QRect(4, line.top(), left - 4 - _MARGIN, line.height())
        painter.drawText(
            room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, short_duration(since)
        )
        from_client = session.by_client.item(place)
        start, end = (left, right) if from_client else (right, left)
        colour = self._colour(arrow)
        painter.setPen(QPen(colour, 1.4))
        tip = QPointF(end, top + fall)
        painter.drawLine(QPointF(start, top), tip)
        back = -_TIP if from_client else _TIP
        painter.setBrush(colour)
        head = [tip, tip + QPointF(back, -_TIP / 2), tip + QPointF(back, _TIP / 2)]
        painter.drawPolygon(QPolygonF(head))
        painter.setPen(
            QColor(scheme.error) if session.kinds.item(place) == Kind.ERROR else QColor(scheme.text)
        )
        text = QRectF(left + _MARGIN, line.top(), right - left - 2 * _MARGIN, metrics.height())
        if session.unanswered.item(place):
            words = f"{words} — no answer"
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, round(text.width()))
        painter.drawText(text, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, words)

    # Hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """The arrow there."""
        layout = self.layout_shown
        if layout is not None and event.button() == Qt.MouseButton.LeftButton:
            height = round(event.position().y()) - _HEAD + self.verticalScrollBar().value()
            self._move_to(layout.arrow_at(height))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open or fold a transfer."""
        if self.cursor_arrow >= 0:
            self.opened.emit(self.cursor_arrow)

    def _move_to(self, arrow: int) -> None:
        if arrow >= 0:
            self.set_cursor(arrow)
            self.moved.emit(arrow)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, preview, compare, open, end."""
        layout, key = self.layout_shown, Qt.Key(event.key())
        amount = len(layout.row) if layout is not None else 0
        if key in _STEPS and amount:
            self._move_to(min(max(0, self.cursor_arrow + _STEPS[key]), amount - 1))
        elif key == Qt.Key.Key_Space and self.cursor_arrow >= 0:
            self.previewed.emit(self.cursor_arrow)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.cursor_arrow >= 0:
            self.opened.emit(self.cursor_arrow)
        elif key == Qt.Key.Key_Escape and self.marked:
            self.left.emit()
        else:
            super().keyPressEvent(event)
