"""The project's own icons: single-colour drawings, tinted from the palette when they are painted.

An icon made here follows a change of colour scheme by itself, since its colour
is chosen at painting time and not when the icon is made. On a selected row every
icon has the colour of the text there.
"""

from functools import lru_cache

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

from cosemscope.resources import resource


@lru_cache(maxsize=512)
def _tinted(name: str, width: int, height: int, colour: str) -> QPixmap:
    pixmap = QPixmap(width, height)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    QSvgRenderer(str(resource(f"icons/{name}.svg"))).render(painter, QRectF(0, 0, width, height))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(pixmap.rect(), QColor(colour))
    painter.end()
    return pixmap


class _TintedEngine(QIconEngine):
    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name = name
        self._colour = colour

    def _ink(self, mode: QIcon.Mode) -> str:
        group = QPalette.ColorGroup.Normal
        if mode == QIcon.Mode.Disabled:
            group = QPalette.ColorGroup.Disabled
        elif self._colour and mode != QIcon.Mode.Selected:
            return self._colour
        role = QPalette.ColorRole.WindowText
        if mode == QIcon.Mode.Selected:
            role = QPalette.ColorRole.HighlightedText
        return QGuiApplication.palette().color(group, role).name()

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return _tinted(self._name, size.width(), size.height(), self._ink(mode))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        ratio = painter.device().devicePixelRatio()
        size = QSize(round(rect.width() * ratio), round(rect.height() * ratio))
        painter.drawPixmap(rect, self.pixmap(size, mode, state), QRect(QPoint(0, 0), size))

    def clone(self) -> QIconEngine:
        return _TintedEngine(self._name, self._colour)


@lru_cache(maxsize=512)
def icon(name: str, colour: str = "") -> QIcon:
    """The icon `name` of `resources/icons`, in the palette's text colour or in `colour`.

    Raises FileNotFoundError when there is no such icon.
    """
    resource(f"icons/{name}.svg")
    return QIcon(_TintedEngine(name, colour))


def application_icon() -> QIcon:
    """The application's own, coloured icon."""
    return QIcon(str(resource("icons/cosemscope.svg")))
