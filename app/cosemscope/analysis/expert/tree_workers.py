"""Problems of the trees of many rows, decoded in processes of their own: millions of trees take one minutes.

Only what needs no association beyond its request goes there: no keys, no joined
blocks. Rows that come again and again (requests mostly) are decoded once. A worker
that dies costs time, nothing else: its rows are decoded here.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.worker_pool import PendingWork, WorkerPool
from cosemscope.apdu.context import Context, Request
from cosemscope.apdu.fields import Problem
from cosemscope.streams.tables.framing import Framing

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


class TreeWorkers(WorkerPool):
    """Decodes tasks in the background, for a capture of `rows` rows; see `WorkerPool`."""

    def __init__(self, rows: int, workers: int | None = None, spare: int = 0) -> None:
        super().__init__(rows, workers, spare)
        self._clean: set[TreeTask] = set()
        self._octets = 0

    def is_clean(self, task: TreeTask) -> bool:
        """Whether an equal task is known to have no problem."""
        return task in self._clean

    def begin_trees(self, tasks: list[TreeTask]) -> "PendingTrees":
        """Decode these tasks, in the background if that is worth it."""
        return PendingTrees(tasks, self.begin(problems_of, tasks) if tasks else None)

    def end_trees(self, pending: "PendingTrees") -> list[Problems]:
        """The problems of each task; waits for them."""
        found = self.end(pending.work) if pending.work is not None else []
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
    """Tasks that are being decoded; without work where there are none."""

    tasks: list[TreeTask]
    work: PendingWork[list[Problems]] | None
