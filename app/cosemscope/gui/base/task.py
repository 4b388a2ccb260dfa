"""A task in the background that takes its time: it tells how far it is and its result, and may be cancelled.

task = Task(work)        # work(tell) -> result, `tell(done, total)` raises Cancelled when nobody wants it
task.ended.connect(...)  # the result, or None where it was cancelled
task.start()
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from cosemscope.capture.cancelling import Cancelled
from cosemscope.gui.base.background import in_background

_LOG = logging.getLogger(__name__)

#: Seconds between two words on how far it is.
_TOLD_EVERY = 0.1

#: Says how far work is, of how much. Raises Cancelled.
Tell = Callable[[int, int], None]


class Task(QObject):
    """One piece of work. `progressed` gives how much is done, of how much; `ended` the result, or None."""

    progressed = Signal(object, object)
    ended = Signal(object)
    _done = Signal(object)

    def __init__(self, work: Callable[[Tell], Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work = work
        self._unwanted = threading.Event()
        self._next = 0.0
        self._done.connect(self.ended)

    def start(self) -> None:
        """Begin in the background."""
        in_background(self._run, self._done)

    def cancel(self) -> None:
        """End it soon; its result is None then. May be called from any thread."""
        self._unwanted.set()

    def _run(self) -> Any:
        try:
            return self._work(self._tell)
        except Cancelled:
            return None
        except Exception:  # a fault of ours, or what it works on is gone: nobody waits for ever
            _LOG.exception("in a task")
            return None

    def _tell(self, done: int, total: int) -> None:
        if self._unwanted.is_set():
            raise Cancelled
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _TOLD_EVERY
            try:
                self.progressed.emit(done, total)
            except RuntimeError:  # who asked is gone
                raise Cancelled from None
