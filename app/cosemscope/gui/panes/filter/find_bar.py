"""The find bar goes to the next or previous WPDU that a display filter, text, octets or an expression fits.

Whatever is looked for is a display filter in the end: text is looked for in all fields of the decoded tree.
"""

from enum import Enum

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QToolButton, QWidget

from cosemscope.analysis.filter.display_filter import DisplayFilter, FilterError, compile_filter
from cosemscope.analysis.filter.offered_filters import in_quotes
from cosemscope.gui.document.selection import Selection
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.formats import plain_tip
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.panes.filter.searching import Hit, Search
from cosemscope.gui.panes.pane import Pane, Wishes


class Sought(Enum):
    """What may be looked for: its title, and what a person may type."""

    TEXT = ("Text", "in names and values of all fields, such as object-undefined")
    FILTER = ("Display filter", "such as  result && result != success")
    OCTETS = ("Octets", "in hex, as they were sent, such as 09 0C 07 EA")
    PATTERN = ("Regular expression", "in names and values of all fields, such as 1\\.0\\.[12]\\.8")

    def __init__(self, title: str, hint: str) -> None:
        self.title, self.hint = title, hint

    def display_filter(self, typed: str) -> DisplayFilter:
        """The display filter that finds what was typed. Raises FilterError."""
        if self is Sought.FILTER:
            return compile_filter(typed)
        if self is Sought.OCTETS:
            digits = "".join(typed.replace("0x", " ").replace(":", " ").replace("-", " ").split())
            if len(digits) % 2 or not digits or set(digits) - set("0123456789abcdefABCDEF"):
                raise FilterError("octets are pairs of hex digits, such as 09 0C 07 EA", 0, len(typed))
            pairs = (digits[at : at + 2] for at in range(0, len(digits), 2))
            return compile_filter(f"wpdu.octets contains 0x{''.join(pairs)}")
        relation = "contains" if self is Sought.TEXT else "matches"
        return compile_filter(f"text {relation} {in_quotes(typed)}")


class FindBar(QWidget, Pane):
    """The pane, hidden until somebody looks for something."""

    def __init__(self, selection: Selection, wishes: Wishes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._selection = selection
        self._wishes = wishes
        self._by = 1
        self._rows_before = 0  # of those that are searched, how many stand on this side of the end
        self.search = Search(self)
        self.kind = QComboBox(self)
        self.kind.setAccessibleName("What to find")
        self.kind.view().setAccessibleName("What to find")
        for one in Sought:
            self.kind.addItem(one.title, one)
        self.line = QLineEdit(self)
        self.line.setClearButtonEnabled(True)
        self.line.setAccessibleName("Find")
        self.note = PlainLabel(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 3, 4, 3)
        row.setSpacing(4)
        row.addWidget(PlainLabel("Find", self))
        row.addWidget(self.kind)
        row.addWidget(self.line, 1)
        for name, tip, by in (("up", "Previous (Ctrl+B)", -1), ("down", "Next (Ctrl+N)", 1)):
            row.addWidget(self._button(name, tip, lambda by=by: self.go(by)))
        row.addWidget(self.note)
        row.addWidget(self._button("close", "Close (Esc)", self.leave))
        self.kind.currentIndexChanged.connect(self._show_hint)
        self.line.returnPressed.connect(lambda: self.go(self._by))
        self.line.textEdited.connect(lambda: self._say(""))
        self.search.ended.connect(self._take)
        self._show_hint()
        self.hide()

    def _button(self, name: str, tip: str, slot: object) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(name))
        button.setAutoRaise(True)
        button.setToolTip(tip)
        button.setAccessibleName(tip.split(" (")[0])
        button.clicked.connect(slot)
        return button

    def _show_hint(self) -> None:
        self.line.setPlaceholderText(self.sought.hint)

    @property
    def sought(self) -> Sought:
        """What is looked for."""
        kind: Sought = self.kind.currentData()
        return kind

    def set_traffic(self, traffic: Traffic) -> None:
        """Another capture: nothing is looked for in it yet."""
        self.search.cancel()
        self._say("")

    def begin(self, text: str = "", sought: Sought | None = None) -> None:
        """Let a person type what to find; `text` is what was selected, if anything."""
        if sought is not None:
            self.kind.setCurrentIndex(self.kind.findData(sought))
        if text:
            self.line.setText(text)
        self.show()
        self.line.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.line.selectAll()

    def leave(self) -> None:
        """Close the bar; what is selected stays."""
        self.search.cancel()
        self.hide()
        self._wishes.tableAsked.emit()

    def go(self, by: int) -> None:
        """Go to the next (1) or previous (-1) WPDU that fits, behind the end from the other one on."""
        self._by = by
        if not self.line.text().strip():
            self.begin()
            return
        try:
            display = self.sought.display_filter(self.line.text())
        except FilterError as error:
            self._say(str(error), is_wrong=True)
            self.show()
            return
        selection = self._selection
        total = selection.filters.answered(selection.traffic.total)
        shown = np.flatnonzero(selection.filters.matching(0, total))
        if by > 0:
            at = int(np.searchsorted(shown, selection.row, "right"))
            rows = np.concatenate((shown[at:], shown[:at]))
            self._rows_before = len(shown) - at
        else:
            at = int(np.searchsorted(shown, selection.row, "left"))
            rows = np.concatenate((shown[:at][::-1], shown[at:][::-1]))
            self._rows_before = at
        self._say("looking …")
        self.search.find(display, selection.traffic, rows)

    def _take(self, hit: Hit) -> None:
        if hit.failure or hit.row < 0:
            self._say(hit.failure or "not found", is_wrong=True)
            self.show()
            return
        wrapped = hit.place >= self._rows_before
        far = "from the beginning" if self._by > 0 else "from the end"
        self._say(f"went on {far}" if wrapped else "")
        self._selection.go_to(hit.row)

    def _say(self, text: str, *, is_wrong: bool = False) -> None:
        self.note.setText(text)
        self.note.setToolTip(plain_tip(text))
        font = self.note.font()
        font.setBold(is_wrong)
        self.note.setFont(font)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape closes the bar."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        else:
            super().keyPressEvent(event)
