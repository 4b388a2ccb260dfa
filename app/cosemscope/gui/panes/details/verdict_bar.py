"""The line above the fields that says whether a protected APDU could be opened, with what, or why not."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from cosemscope.apdu.opening import Opening
from cosemscope.gui.document.protection import VERDICT_LOOKS
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel

_ICON_SIZE = 18


class VerdictBar(QWidget):
    """One coloured line; hidden where nothing is protected. `addKeyAsked` asks for the key that is wanted."""

    addKeyAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Opening | None = None
        self._line = QFrame(self)
        self._line.setAutoFillBackground(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._picture = PlainLabel(self._line)
        self.badge = PlainLabel(self._line)
        self.sentence = PlainLabel(self._line)
        self.sentence.setWordWrap(True)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.sentence.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.sentence.setAccessibleName("Protection of the APDU")
        self.add_key = QPushButton("Add key…", self._line)
        self.add_key.setIcon(icon("key"))
        self.add_key.clicked.connect(self.addKeyAsked)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._line)
        row = QHBoxLayout(self._line)
        row.setContentsMargins(8, 3, 6, 3)
        row.setSpacing(7)
        for widget, stretch in (
            (self._picture, 0),
            (self.badge, 0),
            (self.sentence, 1),
            (self.add_key, 0),
        ):
            row.addWidget(widget, stretch, Qt.AlignmentFlag.AlignVCenter)
        self.hide()

    def show_openings(self, openings: Sequence[Opening]) -> None:
        """Show the first that is not opened, or else the first; nothing for none."""
        closed = (one for one in openings if not one.verdict.opened)
        self._shown = next(closed, openings[0] if openings else None)
        if self._shown is not None:
            more = len(openings) - 1
            rest = f" ({more} more in this WPDU)" if more else ""
            self.badge.setText(VERDICT_LOOKS[self._shown.verdict].words)
            self.sentence.setText(self._shown.text + rest)
            self.sentence.setToolTip(plain_tip("\n\n".join(one.text for one in openings)))
            self.add_key.setVisible(self._shown.verdict.wants_key)
            self._paint_as_meant()
        self.setVisible(self._shown is not None)

    @property
    def shown(self) -> Opening | None:
        """The opening that is told of."""
        return self._shown

    def _paint_as_meant(self) -> None:
        scheme = theme.colours(self.palette())
        look = VERDICT_LOOKS[self._shown.verdict]
        ink = getattr(scheme, look.ink)
        palette = self.palette()
        palette.setColor(self._line.backgroundRole(), getattr(scheme, look.back))
        self._line.setPalette(palette)
        palette.setColor(self.badge.foregroundRole(), ink)
        self.badge.setPalette(palette)
        font = self.font()
        font.setBold(True)
        self.badge.setFont(font)
        self._picture.setPixmap(icon(look.icon, ink).pixmap(_ICON_SIZE, _ICON_SIZE))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the colour scheme."""
        if event.type() == QEvent.Type.PaletteChange and self._shown is not None:
            self._paint_as_meant()
        super().changeEvent(event)
