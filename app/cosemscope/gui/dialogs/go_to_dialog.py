"""Asks for a WPDU, packet, exchange or time to go to, and says which there are when there is none such.

A kind of place is a row of `PLACES`: its name, and what finds the row, or words on why there is none.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from cosemscope.analysis.filter.language.filter_literals import read_duration, read_instant
from cosemscope.analysis.filter.language.filter_nodes import Literal, Spelling
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import clock, count

_WIDTH = 420
_DIGITS = 20


class Found(NamedTuple):
    """The row that what was typed names, -1 for none, and what is to be said of it."""

    row: int
    words: str


def _numbered(text: str, total: int, noun: str) -> int | str:
    """The number that was typed, from 0; or why it is none."""
    there = f"{noun}s are numbered from 1 to {total:,}."
    text = text.strip().replace(",", "")
    if not text.isdecimal():
        return f"Type a number. {there}"
    number = int(text[:_DIGITS])
    if not 1 <= number <= total:
        return f"There is no {noun if noun == 'WPDU' else noun.lower()} {text[:_DIGITS]}. {there}"
    return number - 1


def _wpdu(traffic: Traffic, text: str) -> Found:
    number = _numbered(text, traffic.total, "WPDU")
    return (
        Found(-1, number) if isinstance(number, str) else Found(number, f"of {count(traffic.total, 'WPDU')}")
    )


def _packet(traffic: Traffic, text: str) -> Found:
    number = _numbered(text, len(traffic.analysis.packets), "Packet")
    if isinstance(number, str):
        return Found(-1, number)
    row = traffic.row_at_packet(number)
    if row < 0:
        words = f"Packet {number + 1:,} is of a stream without WPDUs, or of none: it has no row to go to."
        return Found(-1, words)
    return Found(
        row, f"WPDU {row + 1:,}" + ("" if traffic.carries(row, number) else ", the next of its stream")
    )


def _exchange(traffic: Traffic, text: str) -> Found:
    """The first WPDU of an exchange."""
    of = capture_facts(traffic.analysis).of[: traffic.total]
    number = _numbered(text, int(of.max()) + 1 if len(of) else 0, "Exchange")
    if isinstance(number, str):
        return Found(-1, number)
    rows = np.flatnonzero(of == number)
    row = rows.item(0) if len(rows) else -1
    return Found(row, f"WPDU {row + 1:,}, the first of {len(rows):,}" if row >= 0 else "It has no WPDU here.")


def _time(traffic: Traffic, text: str) -> Found:
    """The first WPDU that is complete at a time, or at so many seconds since the first WPDU."""
    first = traffic.first_time
    hint = "Type a time, such as 2026-11-02 08:00:00, or the time since the first WPDU, such as 1.5s or 2min."
    literal = Literal(0, 0, Spelling.STRING, text)
    try:
        moment = first + int(read_duration(literal))
    except ValueError:
        try:
            moment = int(read_instant(literal))
        except ValueError:
            return Found(-1, hint)
    times = traffic.wpdus["time"][: traffic.total]
    later = np.flatnonzero(times >= moment)
    if not len(later) or moment < first - _SECOND:
        last = times.max().item() if len(times) else first
        return Found(-1, f"There is no WPDU at that time: they are from {clock(first)} to {clock(last)}.")
    row = later.item(times[later].argmin())
    return Found(row, f"WPDU {row + 1:,}, {clock(times.item(row))}")


_SECOND = 1_000_000_000
#: What one can go to.
PLACES: dict[str, Callable[[Traffic, str], Found]] = {
    "WPDU": _wpdu,
    "Packet": _packet,
    "Exchange": _exchange,
    "Time": _time,
}


class GoToDialog(QDialog):
    """The dialog; `row` is the WPDU row that what is typed names, -1 while it names none."""

    def __init__(self, parent: QWidget | None, traffic: Traffic, row: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self._traffic = traffic
        self.row = -1
        self.kind = QComboBox(self)
        self.kind.addItems(list(PLACES))
        self.kind.setAccessibleName("Go to a")
        self.number = QLineEdit(self)
        self.number.setAccessibleName("Number or time")
        self.number.setText(str(max(0, row) + 1))
        self.number.selectAll()
        self.trouble = PlainLabel(self)
        self.trouble.setWordWrap(True)
        self.trouble.setMinimumHeight(2 * self.fontMetrics().lineSpacing())
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel, self)
        self.go = buttons.addButton("&Go", QDialogButtonBox.ButtonRole.AcceptRole)
        self.go.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.kind)
        line.addWidget(self.number, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(18, 16, 18, 14)
        column.setSpacing(10)
        column.addLayout(line)
        column.addWidget(self.trouble)
        column.addWidget(buttons)
        self.setMinimumWidth(_WIDTH)
        self.number.textEdited.connect(self.check)
        self.kind.currentIndexChanged.connect(self.check)
        self.number.setFocus()
        self.check()

    def check(self) -> None:
        """Find the row, or say why there is none."""
        self.row, words = PLACES[self.kind.currentText()](self._traffic, self.number.text())
        colour = theme.colours(self.palette()).muted if self.row >= 0 else theme.colours(self.palette()).error
        self.trouble.setStyleSheet(f"color: {colour}")
        self.trouble.setText(words)
        self.go.setEnabled(self.row >= 0)


def ask_go_to(parent: QWidget, traffic: Traffic, row: int) -> int:
    """Ask where to go from `row`; the row, -1 for nowhere."""
    dialog = GoToDialog(parent, traffic, row)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return dialog.row if accepted else -1
