"""The latest of several tasks: a new one takes the place of the one before, whose result nobody hears of."""

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from cosemscope.gui.base.task import Task, Tell


class LatestTask:
    """Runs one piece of work for `parent` after another; `is_running` says whether one is going on."""

    def __init__(self, parent: QObject) -> None:
        self._parent = parent
        self._task: Task | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is work whose result is awaited."""
        return self._task is not None

    def start(self, work: Callable[[Tell], Any], take: Callable[[Any], None]) -> Task:
        """Begin in the background; `take` gets the result, None of what was stopped, but of none before."""
        self.cancel()
        task = self._task = Task(work, self._parent)

        def end(result: Any) -> None:
            if task is self._task:
                self._task = None
                take(result)
            task.deleteLater()

        task.ended.connect(end)
        task.start()
        return task

    def cancel(self) -> None:
        """What is going on is not wanted any more, and nobody hears of it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
