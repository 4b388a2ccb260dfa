"""The octets of one byte source in hexadecimal and as characters, painted by itself.

A line is offset, sixteen octets (eight where there is little room) and their
characters. The octets of the field that is selected elsewhere are coloured, a
click on an octet says so with `octetSelected`, and a drag, the arrow keys or
Ctrl+A select octets to copy. Only visible lines are painted.
"""

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QColor,
    QContextMenuEvent,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QMenu, QWidget

from cosemscope.gui.look import theme
from cosemscope.gui.look.hex_text import character, hex_dump, hex_stream

_MARGIN = 6


class BytesView(QAbstractScrollArea):
    """Hex view of one run of octets. `octetSelected` gives the offset of an octet that a person chose.

    `menuAsked` gives the context menu, for others to add to it.
    """

    octetSelected = Signal(int)
    menuAsked = Signal(QMenu)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Octets")
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self._octets = b""
        self._field = (0, 0)
        self._anchor = self._caret = -1
        self._per_line = 16
        self._make_actions()
        self.set_zoom(0)

    def _make_actions(self) -> None:
        for text, keys, slot in (
            ("Copy as hex stream", QKeySequence(QKeySequence.StandardKey.Copy), self.copy_hex_stream),
            ("Copy as hex dump", QKeySequence("Ctrl+Alt+H"), self.copy_hex_dump),
            ("Copy as text", QKeySequence("Ctrl+Alt+T"), self.copy_text),
            ("Select all", QKeySequence(), self.select_all),  # its key may be the window's
        ):
            action = QAction(text, self)
            action.setShortcut(keys)
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
            action.triggered.connect(slot)
            self.addAction(action)

    # What is shown

    @property
    def octets(self) -> bytes:
        """The octets shown."""
        return self._octets

    @property
    def field_range(self) -> tuple[int, int]:
        """Start and stop of the coloured octets."""
        return self._field

    @property
    def selection(self) -> tuple[int, int]:
        """Start and stop of the octets selected for copying; equal when there are none."""
        if self._anchor < 0:
            return (0, 0)
        return (min(self._anchor, self._caret), max(self._anchor, self._caret) + 1)

    def selected_octets(self) -> bytes:
        """The octets selected for copying; b"" for none."""
        start, stop = self.selection
        return self.octets[start:stop]

    def set_octets(self, octets: bytes) -> None:
        """Show `octets` from their beginning, nothing selected or coloured."""
        self._octets = octets
        self._field = (0, 0)
        self._anchor = self._caret = -1
        self._lay_out()
        self.verticalScrollBar().setValue(0)
        self.viewport().update()

    def show_field(self, start: int, stop: int) -> None:
        """Colour octets `start` to `stop` and bring them into view."""
        self._field = (start, stop)
        if stop > start:
            self._reveal(stop - 1)
            self._reveal(start)
        self.viewport().update()

    def set_zoom(self, points: int) -> None:
        """Make the text `points` larger than the usual fixed-width font."""
        font = theme.zoomed(theme.fixed_font(), points)
        self.setFont(font)
        self.viewport().setFont(font)
        metrics = QFontMetrics(font)
        self._advance = max(1, metrics.horizontalAdvance("0"))
        self._line_height = metrics.height() + 2
        self._ascent = metrics.ascent() + 1
        self._lay_out()
        self.viewport().update()

    # Geometry

    @property
    def _offset_digits(self) -> int:
        return max(4, len(f"{max(0, len(self._octets) - 1):x}"))

    def _hex_left(self) -> int:
        return _MARGIN + (self._offset_digits + 2) * self._advance

    def width_of(self, per_line: int) -> int:
        """Pixels that the view needs for lines of so many octets, scroll bar included."""
        digits = self._hex_left() + (3 * per_line + 2) * self._advance
        frame = 2 * self.frameWidth() + self.verticalScrollBar().sizeHint().width()
        return digits + per_line * self._advance + _MARGIN + frame

    def _octet_left(self, column: int) -> int:
        gap = 1 if column >= 8 else 0  # a wider space in the middle
        return self._hex_left() + (3 * column + gap) * self._advance

    def _text_left(self) -> int:
        return self._octet_left(self._per_line) + self._advance

    @property
    def octets_per_line(self) -> int:
        """The number of octets on a line: 16, or 8 where 16 have no room."""
        return self._per_line

    def _lay_out(self) -> None:
        for per_line in (16, 8):
            self._per_line = per_line
            width = self._text_left() + per_line * self._advance + _MARGIN
            if width <= self.viewport().width():
                break
        lines = -(-len(self._octets) // self._per_line)
        visible = max(1, (self.viewport().height() - _MARGIN) // self._line_height)
        self.verticalScrollBar().setRange(0, max(0, lines - visible))
        self.verticalScrollBar().setPageStep(visible)
        self.horizontalScrollBar().setRange(0, max(0, width - self.viewport().width()))
        self.horizontalScrollBar().setPageStep(self.viewport().width())

    def octet_rect(self, offset: int) -> QRect:
        """Returns the place of an octet's two digits, in viewport coordinates."""
        return self._rect(offset, self._octet_left(offset % self._per_line), 2 * self._advance)

    def character_rect(self, offset: int) -> QRect:
        """Returns the place of an octet's character, in viewport coordinates."""
        left = self._text_left() + offset % self._per_line * self._advance
        return self._rect(offset, left, self._advance)

    def _rect(self, offset: int, left: int, width: int) -> QRect:
        top = _MARGIN + (offset // self._per_line - self.verticalScrollBar().value()) * self._line_height
        return QRect(left - self.horizontalScrollBar().value(), top, width, self._line_height)

    def octet_at(self, point: QPoint) -> int:
        """The octet whose digits or character lie at `point` of the viewport, -1 for none."""
        line = (point.y() - _MARGIN) // self._line_height + self.verticalScrollBar().value()
        x = point.x() + self.horizontalScrollBar().value()
        column = -1
        if x >= self._text_left():
            column = (x - self._text_left()) // self._advance
        else:
            for candidate in range(self._per_line):
                left = self._octet_left(candidate) - self._advance // 2
                if left <= x < left + 3 * self._advance:
                    column = candidate
        offset = line * self._per_line + column
        inside = 0 <= column < self._per_line and 0 <= offset < len(self._octets)
        return offset if inside else -1

    def _reveal(self, offset: int) -> None:
        line = offset // self._per_line
        bar = self.verticalScrollBar()
        if line < bar.value():
            bar.setValue(line - 1)  # with a line of what stands before
        elif line >= bar.value() + bar.pageStep():
            bar.setValue(line - bar.pageStep() + 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the octets of a line to the width; what was in view stays there."""
        super().resizeEvent(event)
        bar = self.verticalScrollBar()
        top = bar.value() * self._per_line
        below = top + bar.pageStep() * self._per_line
        start, stop = self._field
        self._lay_out()
        bar.setValue(top // self._per_line)
        if top <= start < min(below, stop):
            self._reveal(start)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the visible lines."""
        scheme = theme.colours(self.palette())
        painter = QPainter(self.viewport())
        try:
            painter.fillRect(event.rect(), QColor(scheme.base))
            self._paint_lines(painter, scheme)
        finally:
            painter.end()  # a fault's traceback may hold it, and Qt does not survive that

    def _paint_lines(self, painter: QPainter, scheme: theme.Colours) -> None:
        first = self.verticalScrollBar().value()
        shown = self.viewport().height() // self._line_height + 2
        painter.translate(-self.horizontalScrollBar().value(), 0)
        for line in range(first, first + shown):
            at = line * self._per_line
            if at >= len(self._octets):
                break
            self._paint_line(painter, scheme, at, _MARGIN + (line - first) * self._line_height)

    def _paint_line(self, painter: QPainter, scheme: theme.Colours, at: int, top: int) -> None:
        base = top + self._ascent
        painter.setPen(QColor(scheme.muted))
        painter.drawText(_MARGIN, base, f"{at:0{self._offset_digits}x}")
        part = self._octets[at : at + self._per_line]
        start, stop = self.selection
        field_start, field_stop = self._field
        for column, octet in enumerate(part):
            offset = at + column
            left, text_left = self._octet_left(column), self._text_left() + column * self._advance
            ink = scheme.text
            fill = ""
            if start <= offset < stop:
                fill, ink = scheme.selected_octets, scheme.selected_octets_text
            elif field_start <= offset < field_stop:
                fill = scheme.field_octets
            if fill:
                joined = column + 1 < len(part) and (
                    offset + 1 < stop if start <= offset < stop else offset + 1 < field_stop
                )
                width = (self._octet_left(column + 1) - left) if joined else 2 * self._advance
                painter.fillRect(left - 2, top, width + (0 if joined else 4), self._line_height, QColor(fill))
                painter.fillRect(text_left, top, self._advance, self._line_height, QColor(fill))
            elif octet == 0 or not 0x20 <= octet < 0x7F:
                painter.setPen(QColor(scheme.muted))
                painter.drawText(text_left, base, character(octet))
                painter.setPen(QColor(ink))
                painter.drawText(left, base, f"{octet:02x}")
                continue
            painter.setPen(QColor(ink))
            painter.drawText(left, base, f"{octet:02x}")
            painter.drawText(text_left, base, character(octet))

    # Hands

    def _choose(self, offset: int, extend: bool) -> None:
        if offset < 0:
            return
        self._caret = offset
        if not extend or self._anchor < 0:
            self._anchor = offset
        self._reveal(offset)
        self.viewport().update()
        if not extend:
            self.octetSelected.emit(offset)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose an octet; with Shift, extend the selection to it."""
        if event.button() == Qt.MouseButton.LeftButton:
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._choose(self.octet_at(event.position().toPoint()), extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag: extend the selection."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            offset = self.octet_at(event.position().toPoint())
            if offset >= 0 and offset != self._caret:
                self._choose(offset, extend=True)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The end of a drag."""
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys, Home, End and pages move the chosen octet; Shift extends."""
        if event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
            return
        page = self._per_line * max(1, self.verticalScrollBar().pageStep())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self._per_line,
            Qt.Key.Key_Down: self._per_line,
            Qt.Key.Key_PageUp: -page,
            Qt.Key.Key_PageDown: page,
            Qt.Key.Key_Home: -len(self._octets),
            Qt.Key.Key_End: len(self._octets),
        }
        step = steps.get(Qt.Key(event.key()))
        plain = not event.modifiers() & ~(
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier
        )
        if step is None or not plain or not self._octets:
            event.ignore()
            return
        offset = min(len(self._octets) - 1, max(0, max(self._caret, 0) + step))
        self._choose(offset, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer what can be copied."""
        menu = QMenu(self)
        menu.addActions(self.actions())
        self.menuAsked.emit(menu)
        menu.exec(event.globalPos())
        menu.deleteLater()

    # Copying

    def select_all(self) -> None:
        """Select every octet."""
        if self._octets:
            self._anchor, self._caret = 0, len(self._octets) - 1
            self.viewport().update()

    def _copied_range(self) -> tuple[int, int]:
        """Returns the range to copy: several selected octets, else the coloured field, else everything."""
        for start, stop in (self.selection, self._field):
            if stop - start > 1:
                return start, stop
        for start, stop in (self._field, self.selection):
            if stop > start:
                return start, stop
        return 0, len(self._octets)

    def copy_hex_stream(self) -> None:
        """Put the selected octets on the clipboard as hexadecimal."""
        start, stop = self._copied_range()
        QGuiApplication.clipboard().setText(hex_stream(self._octets[start:stop]))

    def copy_hex_dump(self) -> None:
        """Put the selected octets on the clipboard as a hex dump."""
        start, stop = self._copied_range()
        QGuiApplication.clipboard().setText(hex_dump(self._octets[start:stop], start))

    def copy_text(self) -> None:
        """Put the selected octets' printable characters on the clipboard."""
        start, stop = self._copied_range()
        text = "".join(chr(octet) for octet in self._octets[start:stop] if 0x20 <= octet < 0x7F)
        QGuiApplication.clipboard().setText(text)
