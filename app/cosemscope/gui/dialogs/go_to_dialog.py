"""Asks for the number of a WPDU or of a packet to go to, and says which there are when there is none such."""

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look import theme
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.wording import count

_WIDTH = 420
_KINDS = ("WPDU", "Packet")


class GoToDialog(QDialog):
    """The dialog; `row` is the WPDU row that what is typed names, -1 while it names none."""

    def __init__(self, parent: QWidget | None, traffic: Traffic, row: int) -> None:
        super().__init__(parent)
        self.setWindowTitle("Go to")
        self._traffic = traffic
        self.row = -1
        self.kind = QComboBox(self)
        self.kind.addItems(_KINDS)
        self.kind.setAccessibleName("Go to a")
        self.number = QLineEdit(self)
        self.number.setAccessibleName("Number")
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
        self.row, words = self._find()
        colour = theme.colours(self.palette()).muted if self.row >= 0 else theme.colours(self.palette()).error
        self.trouble.setStyleSheet(f"color: {colour}")
        self.trouble.setText(words)
        self.go.setEnabled(self.row >= 0)

    def _find(self) -> tuple[int, str]:
        """The row, and what is to be said of it or of what was typed."""
        traffic, of_packets = self._traffic, self.kind.currentIndex() == 1
        total = len(traffic.analysis.packets) if of_packets else traffic.total
        noun = _KINDS[of_packets]
        there = f"{noun}s are numbered from 1 to {total:,}."
        text = self.number.text().strip().replace(",", "")
        if not text.isdecimal():
            return -1, f"Type a number. {there}"
        number = int(text[:20])
        if not 1 <= number <= total:
            return -1, f"There is no {'packet' if of_packets else noun} {text[:20]}. {there}"
        if not of_packets:
            return number - 1, f"of {count(total, 'WPDU')}"
        row = traffic.row_at_packet(number - 1)
        if row < 0:
            return -1, f"Packet {number:,} is of a stream without WPDUs, or of none: it has no row to go to."
        return row, f"WPDU {row + 1:,}" + (
            "" if traffic.carries(row, number - 1) else ", the next of its stream"
        )


def ask_go_to(parent: QWidget, traffic: Traffic, row: int) -> int:
    """Ask where to go from `row`; the row, -1 for nowhere."""
    dialog = GoToDialog(parent, traffic, row)
    accepted = dialog.exec() == QDialog.DialogCode.Accepted
    dialog.deleteLater()
    return dialog.row if accepted else -1
