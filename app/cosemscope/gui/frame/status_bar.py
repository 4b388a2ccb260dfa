"""The status bar: the file, how far it is read with a button to stop, and the counts."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QStatusBar, QToolButton, QWidget

from cosemscope.analysis.sessions.counts import TableCounts
from cosemscope.gui.frame.task_progress import STEPS, TaskProgress
from cosemscope.gui.look.icons import icon
from cosemscope.gui.look.plain_label import PlainLabel
from cosemscope.gui.look.severity_buttons import SeverityButtons
from cosemscope.streams.tables.expert_items import Severity
from cosemscope.wording import count, size

_STOP_READING = "Stop reading; what has been read stays"
#: Pixels that file name and progress keep in a narrow window.
_LEAST = 60


class StatusBar(QStatusBar):
    """`cancelAsked` is the stop button beside the progress bar, `problemsAsked` a click on the problems.

    `itemsAsked` is a click on the counts of expert items by severity.
    """

    cancelAsked = Signal()
    problemsAsked = Signal()
    itemsAsked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.file = PlainLabel(self)
        self.file.setMinimumWidth(_LEAST)  # the window may be narrower than what is to be said
        self.counts = PlainLabel(self)
        self.problems = QToolButton(self)
        self.problems.setAutoRaise(True)
        self.problems.setToolButtonStyle(QToolButton().toolButtonStyle().ToolButtonTextBesideIcon)
        self.problems.setIcon(icon("warning"))
        self.problems.clicked.connect(self.problemsAsked)
        self.progress = QProgressBar(self)
        self.progress.setRange(0, STEPS)
        self.progress.setMinimumWidth(_LEAST)
        self.progress.setMaximumWidth(220)
        self.progress.setMaximumHeight(18)
        self.cancel = QToolButton(self)
        self.cancel.setIcon(icon("close"))
        self.cancel.setText("Cancel")
        self.cancel.setToolButtonStyle(QToolButton().toolButtonStyle().ToolButtonTextBesideIcon)
        self.cancel.setAutoRaise(True)
        self.cancel.clicked.connect(self.cancelAsked)
        self.setContentsMargins(7, 0, 4, 0)
        self.task = TaskProgress(self)
        for widget in (self.task, self.progress, self.cancel, self.file):
            self.addWidget(widget)
        self.items = SeverityButtons(self, tip=" in the expert information")
        self.items.asked.connect(self.itemsAsked)
        self.addPermanentWidget(self.problems)
        self.addPermanentWidget(self.items)
        self.addPermanentWidget(self.counts)
        self.clear_all()

    def clear_all(self) -> None:
        """Nothing is open."""
        self.file.setText("No capture")
        self.file.setToolTip("")
        self.counts.setText("")
        self.problems.hide()
        self.show_items({})
        self.show_progress(None)

    def show_file(self, name: str, octets: int, note: str = "") -> None:
        """Name the file, its size and, if it is not whole, what is the matter."""
        self.file.setText(f"{name} ({size(octets)})" + (f" · {note}" if note else ""))

    def show_progress(self, share: float | None, work: str = "", stop: str = _STOP_READING) -> None:
        """Show how much is read, or done of another `work`, from 0 to 1; None: all.

        `stop` is the tip of the button that stops it; "" where it goes on by itself.
        """
        self.progress.setVisible(share is not None)
        self.cancel.setVisible(share is not None and bool(stop))
        self.cancel.setToolTip(stop)
        self.progress.setFormat(f"{work} %p%".strip())
        if share is not None:
            self.progress.setValue(round(share * STEPS))

    def show_counts(
        self,
        packets: int,
        rows: TableCounts,
        displayed: int,
        selected: int,
        dropped: int | None = None,
        noted: str = "",
    ) -> None:
        """Packets, what the rows are, how many are shown and selected; packets that a capture lost, if known.

        `noted` is what somebody has noted on them.

        Truncated WPDUs, and APDUs without one, are told apart, as commands count them.
        """
        parts = [count(rows.wpdus, "WPDU")] if rows.wpdus or not rows.others else []
        parts += [f"{rows.truncated:,} truncated"] if rows.truncated else []
        parts += [count(rows.others, "other APDU")] if rows.others else []
        parts = [count(packets, "packet"), ", ".join(parts)]
        if dropped is not None:
            parts.append(f"{dropped:,} dropped")
        if displayed != sum(rows):
            parts.append(f"{displayed:,} displayed")
        if selected > 1:
            parts.append(f"{selected:,} selected")
        if noted:
            parts.append(noted)
        self.counts.setText("  ·  ".join(parts) + " ")

    def show_items(self, counts: Mapping[Severity, int]) -> None:
        """Show how many expert items of each severity there are."""
        self.items.show_counts(counts)

    def show_problems(self, number: int) -> None:
        """Show the number of places of the file that could not be read."""
        self.problems.setVisible(number > 0)
        self.problems.setText(count(number, "problem"))
        self.problems.setToolTip("What could not be read in this file")
