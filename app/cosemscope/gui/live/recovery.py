"""Spools that a Cosemscope has left that died, offered on the start page to be opened or removed.

They are looked for in a thread, since every one is opened to see whether there is anything in it.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QVBoxLayout, QWidget

from cosemscope.capture.spool.spool_folder import Spool, left_spools, remove_spool
from cosemscope.gui.base.background import in_background
from cosemscope.gui.look import theme
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import calendar, count, size

#: Spools listed at most: the youngest ones.
LISTED = 5

_MADE_BY = {
    "capture": "Capture",
    "connect": "Test link",
    "listen": "Listener",
    "relay": "Relay",
    "meter": "Meter",
}


def find_spools() -> list[Spool]:
    """The spools to offer; none when the folder cannot be read."""
    try:
        return left_spools()
    except OSError:
        return []


def describe(spool: Spool) -> str:
    """A spool for people: what made it, when it was written last, its size."""
    minute, _, _ = calendar(int(spool.modified)).rpartition(":")
    kind = _MADE_BY.get(spool.command, "Capture")
    return f"{kind} of {minute}, {size(spool.size)}"


class LeftSpools(QWidget):
    """The list on the start page; hidden while there is nothing to offer. `openAsked` gives a spool,
    `failed` says why one could not be removed."""

    openAsked = Signal(object)
    failed = Signal(str)
    _found = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = PlainLabel("Not saved when Cosemscope ended", self)
        self.remove_all_button = QPushButton("Remove all…", self)
        self.remove_all_button.setFlat(True)
        self.remove_all_button.clicked.connect(self.ask_remove_all)
        titles = QHBoxLayout()
        titles.addWidget(self._title, 1)
        titles.addWidget(self.remove_all_button)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self._more = PlainLabel(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(titles)
        column.addLayout(self._rows)
        column.addWidget(self._more)
        self._spools: list[Spool] = []
        self._found.connect(self.show_spools)
        self.hide()

    @property
    def spools(self) -> tuple[Spool, ...]:
        """The spools that are offered, the youngest first."""
        return tuple(self._spools)

    def look(self) -> None:
        """Look for them anew."""
        in_background(find_spools, self._found)

    def show_spools(self, spools: Sequence[Spool]) -> None:
        """Offer these."""
        self._spools = list(spools)
        while self._rows.count():
            row = self._rows.takeAt(0).widget()
            row.hide()
            row.deleteLater()
        for spool in self._spools[:LISTED]:
            self._rows.addWidget(self._row(spool))
        more = len(self._spools) - LISTED
        self._more.setText(f"and {more} more" if more > 0 else "")
        self._more.setVisible(more > 0)
        self.remove_all_button.setVisible(len(self._spools) > 1)
        self.paint_as_meant()
        self.setVisible(bool(self._spools))

    def _row(self, spool: Spool) -> QWidget:
        row = QWidget(self)
        picture = PlainLabel(row)
        picture.setPixmap(icon("recent", theme.colours(self.palette()).muted).pixmap(18, 18))
        text = PlainLabel(describe(spool), row)
        text.setToolTip(plain_tip("\n".join(map(str, spool.files[:20]))))
        take, remove = QPushButton("Open", row), QPushButton("Remove", row)
        take.setAccessibleName(f"Open: {describe(spool)}")
        remove.setAccessibleName(f"Remove: {describe(spool)}")
        remove.setToolTip("Remove it from the disk, for good")
        take.clicked.connect(lambda: self.openAsked.emit(spool))
        remove.clicked.connect(lambda: self.remove(spool))
        line = QHBoxLayout(row)
        line.setContentsMargins(8, 2, 0, 2)
        line.setSpacing(10)
        line.addWidget(picture)
        line.addWidget(text, 1)
        for button in (take, remove):
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            line.addWidget(button)
        return row

    def remove(self, spool: Spool) -> None:
        """Remove a spool from the disk."""
        try:
            remove_spool(spool)
        except OSError as error:
            self.failed.emit(f"{spool.path.name} is not removed: {error}")
            self.look()
        else:
            self.show_spools([one for one in self._spools if one is not spool])

    def ask_remove_all(self) -> None:
        """Remove all of them from the disk, if that is really meant."""
        question = f"Remove {count(len(self._spools), 'unsaved capture')} from the disk, for good?"
        if QMessageBox.question(self, "Remove all", question) == QMessageBox.StandardButton.Yes:
            for spool in self.spools:
                self.remove(spool)

    def paint_as_meant(self) -> None:
        """Take the colours of the present scheme."""
        muted = f"color: {theme.colours(self.palette()).muted}"
        for label in (self._title, self._more):
            label.setStyleSheet(muted)
