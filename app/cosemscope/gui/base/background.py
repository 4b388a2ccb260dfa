"""Work that touches the disk, in a thread of Qt's pool; what comes of it is told by a signal."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QRunnable, QThreadPool, SignalInstance

#: Milliseconds to wait at the end of the program.
_PATIENCE = 20_000


class _Work(QRunnable):
    def __init__(self, work: Callable[[], Any], tell: SignalInstance) -> None:
        super().__init__()
        self._work = work
        self._tell = tell

    def run(self) -> None:
        result = self._work()
        with suppress(RuntimeError):  # who asked is gone
            self._tell.emit(result)


def in_background(work: Callable[[], Any], tell: SignalInstance) -> None:
    """Do `work`, which may not raise, and then emit `tell` with its result."""
    QThreadPool.globalInstance().start(_Work(work, tell))


def wait_for_background() -> bool:
    """Wait for all of it: for the end of the program only."""
    return QThreadPool.globalInstance().waitForDone(_PATIENCE)
