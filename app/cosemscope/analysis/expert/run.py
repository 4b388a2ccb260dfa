"""The pass that completes the table of expert items: checks on columns, then the trees of all rows in order.

    if find_items(analysis, keys, progress=show, cancelled=asked):
        ...                 # analysis.expert_items is complete

What streams know is in the table already, while the capture is loaded. Rows are
taken a batch at a time. What a check found without a tree and the tree says too is
one item: it gets the words and the span of the tree.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import CAPTURE_CHECKS, WPDU_CHECKS, Rows, complete, run_checks
from cosemscope.analysis.expert.file_items import add_file_problems
from cosemscope.analysis.expert.row_items import of_packets
from cosemscope.analysis.expert.tree_items import kind_of
from cosemscope.analysis.expert.tree_workers import PendingTrees, TreeTask, TreeWorkers
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.fields import Problem
from cosemscope.apdu.names import tags as t
from cosemscope.streams.tables.expert_items import EXPERT_FIELDS, Source, Words

_BATCH = 2048
#: Batches whose trees are being decoded while the next ones are walked.
_PENDING = 8
#: APDUs whose trees depend on their own octets and their requests alone.
_PLAIN = frozenset((*t.GLO_SERVICES.values(), t.DATA_NOTIFICATION, t.ACCESS_REQUEST, t.ACCESS_RESPONSE))
_Columns = dict[str, npt.NDArray[np.int64]]
#: Columns of an item out of a tree.
_FROM_TREE = ("wpdu", "kind", "source", "start", "stop", "words")


def find_items(
    analysis: Analysis,
    keys: KeyTable = NO_KEYS,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    workers: int | None = None,
) -> bool:
    """Complete the items of a capture that has been read to its end; whether it was not cancelled.

    `progress(done, total)` is told WPDU rows, `cancelled()` is asked before each batch. `workers` is the
    number of processes that decode trees, else as many as there are processors where it is worth it. Raises
    CaptureError and OSError when the capture's octets cannot be read any more.
    """
    total = len(analysis.wpdus)
    pending: deque[_Batch] = deque()
    with TreeWorkers(total, workers) as trees:
        expert = _ExpertPass(analysis, keys, trees)
        for start in range(0, total, _BATCH):
            if cancelled():
                return False
            pending.append(expert.begin(start, min(start + _BATCH, total)))
            if len(pending) > _PENDING:
                progress(expert.end(pending.popleft()), total)
        while pending:
            if cancelled():
                return False
            progress(expert.end(pending.popleft()), total)
        expert.finish()
    return True


class _Batch(NamedTuple):
    """Rows whose trees are being decoded: `rows` those of the tasks, `known` the problems of all others."""

    start: int
    stop: int
    rows: list[int]
    trees: PendingTrees
    known: list[tuple[int, Problem]]


class _ExpertPass:
    """Takes the WPDU rows of an analysis in order and adds their items."""

    def __init__(self, analysis: Analysis, keys: KeyTable, trees: TreeWorkers) -> None:
        self._analysis = analysis
        self._items = analysis.expert_items
        self._associations = Associations(analysis, keys)
        self._trees = trees

    def begin(self, start: int, stop: int) -> _Batch:
        """Walk the rows from `start` to `stop`, which follow those before, and let their trees be decoded."""
        analysis, rows = self._analysis, slice(start, stop)
        framings, tags = (analysis.wpdus[name][rows].tolist() for name in ("framing", "apdu_tag"))
        known: list[tuple[int, Problem]] = []
        remote: list[tuple[int, TreeTask]] = []
        for (row, look), framing, tag in zip(self._associations.walk(stop), framings, tags, strict=True):
            octets = analysis.octets(row)
            if octets and tag in _PLAIN and look.context.joined is None and not look.notes:
                task = TreeTask(octets, framing, look.context.request)
                if not self._trees.is_clean(task):
                    remote.append((row, task))
            else:
                problems = self._associations.decode(row, look, octets).problems
                known += [(row, problem) for problem in problems]
        return _Batch(
            start, stop, [row for row, _ in remote], self._trees.begin([task for _, task in remote]), known
        )

    def end(self, batch: _Batch) -> int:
        """Add the items of a batch, of those begun the first; the number of rows that are done."""
        found = batch.known
        for row, problems in zip(batch.rows, self._trees.end(batch.trees), strict=True):
            found += [(row, problem) for problem in problems]
        checks = run_checks(WPDU_CHECKS, self._analysis, np.arange(batch.start, batch.stop))
        checked = _joined([columns for _, columns in checks])
        items = _joined([checked, _told_by_tree(checked, self._columns(found))])
        order = np.argsort(items["wpdu"], kind="stable")
        self._items.add(len(order), **{name: column[order] for name, column in items.items()})
        return batch.stop

    def finish(self) -> None:
        """Add the items of the capture as a whole: its end has been read, and all rows were taken."""
        everything = np.arange(len(self._analysis.wpdus))
        for _, found in run_checks(CAPTURE_CHECKS, self._analysis, everything):
            self._items.add(len(found["kind"]), **found)
        add_file_problems(self._analysis)
        _link_to_wpdus(self._analysis, everything)
        self._items.completed = len(everything)

    def _columns(self, found: list[tuple[int, Problem]]) -> _Columns:
        """The columns of items that are these problems of trees."""
        values = [
            (
                row,
                kind_of(problem).number,
                Source.WPDU + problem.source,
                problem.start,
                problem.stop,
                self._items.number(Words(problem.message, problem.clause)),
            )
            for row, problem in found
        ]
        columns = np.array(values, np.int64).reshape(-1, len(_FROM_TREE)).T
        return complete(self._analysis, dict(zip(_FROM_TREE, columns, strict=True)), len(values))


def _joined(parts: list[_Columns]) -> _Columns:
    return {
        name: np.concatenate([np.zeros(0, np.int64), *(part[name] for part in parts)])
        for name in EXPERT_FIELDS
    }


def _told_by_tree(checked: _Columns, told: _Columns) -> _Columns:
    """What trees tell besides `checked`, of which items of the same row and kind get words and span."""
    key, its_key = (part["wpdu"] << 16 | part["kind"] for part in (checked, told))
    _, mine, its = np.intersect1d(key, its_key, return_indices=True)
    for name in ("source", "start", "stop", "words"):
        checked[name][mine] = told[name][its]
    return {name: np.delete(column, its) for name, column in told.items()}


def _link_to_wpdus(analysis: Analysis, rows: Rows) -> None:
    """Put WPDU rows into items of streams and datagrams: the last row with octets of the item's packet."""
    items = analysis.expert_items
    mine = np.flatnonzero((items["wpdu"] < 0) & of_packets(items))
    place, packet = analysis.wpdus.pieces(rows)
    order = np.argsort(packet, kind="stable")
    packet, wanted = packet[order], items["packet"][mine]
    at = np.searchsorted(packet, wanted, "right")
    known = at > np.searchsorted(packet, wanted)
    items["wpdu"][mine[known]] = rows[place[order[at[known] - 1]]]
