"""The latest of several tasks: a new one takes the place of the one before, whose result nobody hears of."""

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from cosemscope.gui.base.task import Task, Tell

#: How often what work took is to pass before it is done again of more.
_PATIENCE = 5


class LatestTask:
    """Runs one piece of work for `parent` after another; `taken`: seconds that the last one took."""

    def __init__(self, parent: QObject) -> None:
        self._parent = parent
        self._task: Task | None = None
        self.taken = 0.0

    @property
    def is_running(self) -> bool:
        """Whether there is work whose result is awaited."""
        return self._task is not None

    def start(self, work: Callable[[Tell], Any], take: Callable[[Any], None]) -> Task:
        """Begin in the background; `take` gets the result, None of what was stopped, but of none before."""
        self.cancel()
        task = self._task = Task(work, self._parent)

        began = time.monotonic()

        def end(result: Any) -> None:
            if task is self._task:
                self._task, self.taken = None, time.monotonic() - began
                take(result)
            task.deleteLater()

        task.ended.connect(end)
        task.start()
        return task

    def rest(self, least: int) -> int:
        """Milliseconds to rest before the same is done again of a capture that grows, `least` at least."""
        return max(least, round(_PATIENCE * 1000 * self.taken))

    def cancel(self) -> None:
        """What is going on is not wanted any more, and nobody hears of it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
