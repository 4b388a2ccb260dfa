"""How far a task in the background is, in the status bar, with a button that stops it."""

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QToolButton, QWidget

from cosemscope.gui.base.task import Task
from cosemscope.gui.look.icons import icon

#: Steps of the progress bar: octets of large files do not fit its integers.
STEPS = 1000


class TaskProgress(QWidget):
    """Shown from `follow` on until the task has ended."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = QProgressBar(self)
        self.bar.setRange(0, STEPS)
        self.bar.setMinimumWidth(60)
        self.bar.setMaximumWidth(220)
        self.bar.setMaximumHeight(18)
        self.stop = QToolButton(self)
        self.stop.setIcon(icon("close"))
        self.stop.setAutoRaise(True)
        self._task: Task | None = None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.bar)
        row.addWidget(self.stop)
        self.stop.clicked.connect(self.cancel)
        self.hide()

    def follow(self, words: str, task: Task) -> None:
        """Show this task; one that was shown before goes on unseen."""
        self._task = task
        self.bar.setFormat(f"{words} %p%")
        self.bar.setAccessibleName(words)
        self.bar.setValue(0)
        self.stop.setToolTip(f"{words}: stop it")
        self.stop.setAccessibleName(f"Stop: {words}")
        task.progressed.connect(lambda done, total: self._show(task, done, total))
        task.ended.connect(lambda _: self._end(task))
        self.show()

    def cancel(self) -> None:
        """Stop the task that is shown."""
        if self._task is not None:
            self._task.cancel()

    def _show(self, task: Task, done: int, total: int) -> None:
        if task is self._task and total:
            self.bar.setValue(STEPS * done // total)

    def _end(self, task: Task) -> None:
        if task is self._task:
            self._task = None
            self.hide()
