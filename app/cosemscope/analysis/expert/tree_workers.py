"""Problems of the trees of many rows, decoded in processes of their own: millions of trees take one minutes.

Only what needs no association beyond its request goes there: no keys, no joined
blocks. Rows that come again and again (requests mostly) are decoded once. A worker
that dies costs time, nothing else: its rows are decoded here.
"""

import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from types import TracebackType
from typing import NamedTuple, Self

from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.apdu.context import Context, Request
from cosemscope.apdu.fields import Problem
from cosemscope.streams.tables.framing import Framing

#: How far workers stand back behind other processes.
_NICENESS = 5
#: Rows in one capture below which processes take longer to start than they save.
_WORTH_IT = 20_000
#: Trees without a problem that are remembered; their octets, all together and of one.
_REMEMBERED = 1 << 14
_MOST_OCTETS = 8 << 20
_LONGEST = 2048

Problems = tuple[Problem, ...]


class TreeTask(NamedTuple):
    """What the tree of a row without protection depends on."""

    octets: bytes
    framing: int
    request: Request | None


def problems_of(tasks: Sequence[TreeTask]) -> list[Problems]:
    """The problems of the tree of each task. Never raises."""
    return [
        decode_framed(task.octets, Framing(task.framing), Context(task.request)).problems for task in tasks
    ]


def _stand_back() -> None:
    """Ctrl+C is for the process that waits, which ends its workers; a window goes before them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        os.nice(_NICENESS)


class TreeWorkers:
    """Decodes tasks in the background, for a capture of `rows` rows; a context manager with its processes.

    There are `workers`, or as many as there are processors, but for `spare` of these.
    """

    def __init__(self, rows: int, workers: int | None = None, spare: int = 0) -> None:
        count = max(1, (os.cpu_count() or 1) - spare) if workers is None else workers
        self._pool: ProcessPoolExecutor | None = None
        if count and (workers or rows >= _WORTH_IT):
            with suppress(OSError, ImportError, NotImplementedError):  # where there can be no processes
                self._pool = ProcessPoolExecutor(count, get_context("spawn"), _stand_back)
        self._clean: set[TreeTask] = set()
        self._octets = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def is_clean(self, task: TreeTask) -> bool:
        """Whether an equal task is known to have no problem."""
        return task in self._clean

    def begin(self, tasks: list[TreeTask]) -> "PendingTrees":
        """Decode these tasks, in the background if that is worth it."""
        future: Future[list[Problems]] | None = None
        if self._pool is not None and tasks:
            try:
                future = self._pool.submit(problems_of, tasks)
            except (BrokenExecutor, OSError):
                self._pool = None
        return PendingTrees(tasks, future)

    def end(self, pending: "PendingTrees") -> list[Problems]:
        """The problems of each task; waits for them."""
        found: list[Problems] | None = None
        if pending.future is not None:
            try:
                found = pending.future.result()
            except (BrokenExecutor, OSError):
                self._pool = None
        found = problems_of(pending.tasks) if found is None else found
        self._remember(pending.tasks, found)
        return found

    def _remember(self, tasks: list[TreeTask], found: list[Problems]) -> None:
        if len(self._clean) > _REMEMBERED or self._octets > _MOST_OCTETS:
            self._clean.clear()
            self._octets = 0
        for task, problems in zip(tasks, found, strict=True):
            if not problems and len(task.octets) <= _LONGEST:
                self._clean.add(task)
                self._octets += len(task.octets)


class PendingTrees(NamedTuple):
    """Tasks that are being decoded, or (without a future) will be when they are asked for."""

    tasks: list[TreeTask]
    future: Future[list[Problems]] | None
