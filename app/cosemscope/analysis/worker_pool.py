"""Processes of our own that work on parts of a capture, where it is large enough that they pay.

A process that dies, or cannot be had, costs time and nothing else: its part is worked on here.
"""

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, parent_process
from threading import Thread
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar

from cosemscope.capture.cancelling import Look, no_look

#: How far workers stand back behind other processes.
_NICENESS = 5
#: Pieces of work below which processes take longer to start than they save.
_WORTH_IT = 20_000

#: Seconds that somebody waits before he looks whether the work is still wanted.
_PATIENCE = 0.05

Result = TypeVar("Result")


def _stand_back() -> None:
    """Ctrl+C is for the process that waits, which ends its workers; a window goes before them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_leave_with_it, name="waits for the end of who wants the work", daemon=True).start()
    if sys.platform != "win32":
        os.nice(_NICENESS)


def _leave_with_it() -> None:
    """End with the process that wants the work, also where that was killed and could end nobody."""
    wanting = parent_process()
    if wanting is not None:
        wanting.join()
        os._exit(1)


class PendingWork(NamedTuple, Generic[Result]):
    """Work that is being done, or (without a future) will be when it is asked for."""

    function: Callable[..., Result]
    given: tuple[Any, ...]
    future: "Future[Result] | None"


class WorkerPool:
    """Does work in the background, of `pieces` pieces in all; a context manager with its processes.

    There are `workers`, or as many as there are processors, but for `spare` of these.
    """

    def __init__(self, pieces: int, workers: int | None = None, spare: int = 0) -> None:
        count = max(1, (os.cpu_count() or 1) - spare) if workers is None else workers
        self._pool: ProcessPoolExecutor | None = None
        if count and (workers or pieces >= _WORTH_IT):
            with suppress(OSError, ImportError, NotImplementedError):  # where there can be no processes
                self._pool = ProcessPoolExecutor(count, get_context("spawn"), _stand_back)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            # Nobody waits for work that is not wanted any more: its processes end by themselves.
            self._pool.shutdown(wait=kind is None, cancel_futures=True)

    def begin(self, function: Callable[..., Result], *given: Any) -> PendingWork[Result]:
        """Call a function of a module with values that other processes can be given, if there are any."""
        future: Future[Result] | None = None
        if self._pool is not None:
            try:
                future = self._pool.submit(function, *given)
            except (BrokenExecutor, OSError):
                self._pool = None
        return PendingWork(function, given, future)

    def end(self, pending: PendingWork[Result], look: Look = no_look) -> Result:
        """What the function returned; waits for it, and looks again and again whether to go on waiting."""
        while pending.future is not None:
            look()
            try:
                return pending.future.result(_PATIENCE)
            except TimeoutError:
                continue
            except (BrokenExecutor, OSError):
                self._pool = None
                break
        return pending.function(*pending.given)
