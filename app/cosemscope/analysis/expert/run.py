"""The pass that makes the table of expert items: checks on columns, then the trees of all rows in order.

    find_column_items(analysis)
        ...                 # analysis.expert_items has what needs no tree
    if find_items(Associations(analysis, keys), progress=show, cancelled=asked):
        ...                 # analysis.expert_items is complete

The table begins with what streams have found; whoever holds the table of an earlier pass keeps that as it is.
Rows are taken a batch at a time. What a check found without a tree and the tree says too is one item: it gets
the words and the span of the tree.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.catalogue import (  # noqa: F401 -- register their checks
    association_checks,
    clock_checks,
    connection_checks,
    content_checks,
    primitive_checks,
    security_checks,
    service_checks,
    wpdu_checks,
    wport_checks,
)
from cosemscope.analysis.expert.catalogue.heartbeats import settle_heartbeats
from cosemscope.analysis.expert.checks import (
    CAPTURE_CHECKS,
    WPDU_CHECKS,
    Rows,
    complete,
    run_checks,
    run_look_checks,
)
from cosemscope.analysis.expert.file_items import add_file_problems
from cosemscope.analysis.expert.not_captured import take_back
from cosemscope.analysis.expert.tree_items import kind_of
from cosemscope.analysis.expert.tree_workers import PendingTrees, Problems, TreeTask, TreeWorkers
from cosemscope.apdu.fields import Problem
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import stable_order
from cosemscope.streams.tables.expert_items import EXPERT_FIELDS, ExpertItems, Source, Words

#: Rows of a batch, and about so many octets of them: at the worst a quarter of a second.
_BATCH, _BATCH_OCTETS = 2048, 1 << 17
#: Batches whose trees are being decoded while the next ones are walked.
_PENDING = 8
#: APDUs whose trees depend on their own octets and their requests alone.
_PLAIN = frozenset((*t.GLO_SERVICES.values(), t.DATA_NOTIFICATION, t.ACCESS_REQUEST, t.ACCESS_RESPONSE))
_Columns = dict[str, npt.NDArray[np.int64]]
#: Columns of an item out of a tree.
_FROM_TREE = ("wpdu", "kind", "source", "start", "stop", "words")


def find_items(
    associations: Associations,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    workers: int | None = None,
    spare: int = 0,
) -> bool:
    """Find all items of a capture that has been read to its end; whether it was not cancelled.

    `associations` have not been walked yet, and are in the end. `progress(done, total)` is told WPDU rows,
    `cancelled()` is asked before each batch: then the trees of later rows have not been read, and all else is
    there. `workers` is the number of processes that decode trees, else as many as there are processors, but
    for `spare` of them, where it is worth it. Raises CaptureError and OSError when the capture's octets
    cannot be read any more.
    """
    analysis = associations.analysis
    total = len(analysis.wpdus)
    done = 0
    pending: deque[_Batch] = deque()
    batches = _batches(analysis, total)
    with TreeWorkers(total, workers, spare) as trees:
        expert = _ExpertPass(analysis)
        while done < total and not cancelled():
            associations.give_way()
            rows = next(batches, None)
            if rows is not None:
                pending.append(_begin(associations, trees, *rows))
            if rows is None or len(pending) > _PENDING:
                batch = pending.popleft()
                done = expert.take(batch, trees.end_trees(batch.trees))
                progress(done, total)
    if (analysis.first_look["inner"] >= 0).any():
        analysis.pair_anew()  # exchanges of what was opened have objects and results now
    expert.finish(done, associations if done == total else None)
    return done == total


def find_column_items(analysis: Analysis) -> None:
    """Find the items of streams, columns and file, those of no tree. For the thread that steps.

    Raises Cancelled where that is not wanted any more; the items are then as before.
    """
    _ExpertPass(analysis).finish(0)


def _batches(analysis: Analysis, total: int) -> Iterator[tuple[int, int]]:
    """Yield the first row of each batch of the `total` rows, and that behind its last."""
    start = 0
    while start < total:
        sizes = analysis.wpdus["size"][start : min(start + _BATCH, total)]
        count = int(np.searchsorted(np.cumsum(sizes, dtype=np.int64), _BATCH_OCTETS))
        stop = start + min(count + 1, len(sizes))
        yield start, stop
        start = stop


class _Batch(NamedTuple):
    """Rows whose trees are being decoded: `rows` those of the tasks, `known` the problems of all others."""

    start: int
    stop: int
    rows: list[int]
    trees: PendingTrees
    known: list[tuple[int, Problem]]


def _begin(associations: Associations, trees: TreeWorkers, start: int, stop: int) -> _Batch:
    """Walk the rows from `start` to `stop`, which follow those before, and let their trees be decoded."""
    analysis, rows = associations.analysis, slice(start, stop)
    framings, tags = (analysis.wpdus[name][rows].tolist() for name in ("framing", "apdu_tag"))
    looks, octets = associations.walk_lightly(stop), analysis.octets_of(np.arange(start, stop))
    known: list[tuple[int, Problem]] = []
    remote: list[tuple[int, TreeTask]] = []
    for row, look, own, framing, tag in zip(range(start, stop), looks, octets, framings, tags, strict=True):
        is_simple = not isinstance(look, Look) or (look.context.joined is None and not look.notes)
        if own and tag in _PLAIN and is_simple:
            task = TreeTask(own, framing, look.request)
            if not trees.is_clean(task):
                remote.append((row, task))
        else:
            whole = look if isinstance(look, Look) else None
            known += [(row, problem) for problem in associations.decode(row, whole, own).problems]
    pending = trees.begin_trees([task for _, task in remote])
    return _Batch(start, stop, [row for row, _ in remote], pending, known)


class GrowingItems:
    """Finds the items of trees while a capture grows, a few rows at a time, each row once.

    `go_on` reads the next trees; `report` makes the table of all items as of now. `associations` have not
    been walked yet. For the thread that steps the analysis.
    """

    def __init__(self, associations: Associations) -> None:
        self._associations = associations
        self._trees = TreeWorkers(0, workers=0)
        self._told = ExpertItems()

    @property
    def done(self) -> int:
        """The number of WPDU rows whose trees have been read."""
        return self._associations.passed

    def go_on(self, stop: int, count: int) -> bool:
        """Read the next `count` trees, of rows before `stop`; whether there were any.

        Raises CaptureError and OSError when the capture's octets cannot be read any more.
        """
        start = self.done
        stop = min(start + count, stop)
        if stop <= start:
            return False
        batch = _begin(self._associations, self._trees, start, stop)
        found = _problems(batch, self._trees.end_trees(batch.trees))
        columns = _columns_of(self._associations.analysis, self._told, found)
        self._told.add(len(found), **columns)
        return True

    def report(self) -> None:
        """Put all items into the analysis, of trees those that have been read. Raises Cancelled."""
        analysis = self._associations.analysis
        expert = _ExpertPass(analysis)
        expert.take_told(self.done, self._told)
        expert.finish(self.done)


class _ExpertPass:
    """Collects the items of an analysis, WPDU row after row, into a table of its own."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._items = analysis.stream_items.copy()

    def take(self, batch: _Batch, of_trees: list[Problems]) -> int:
        """Add the items of a batch, of which these are the problems of trees; the number of rows done."""
        found = _problems(batch, of_trees)
        self._add(batch.start, batch.stop, _columns_of(self._analysis, self._items, found))
        return batch.stop

    def take_told(self, done: int, told: ExpertItems) -> None:
        """Add the items of the first `done` rows, of whose trees these are the items."""
        columns = {name: told[name].astype(np.int64) for name in EXPERT_FIELDS}
        columns["words"] = self._items.renumbered(told)[told["words"]]
        self._add(0, done, columns)

    def finish(self, done: int, associations: Associations | None = None) -> None:
        """Add what columns tell of the rows behind the first `done`, and the items of the whole capture.

        `associations`: where all rows were walked, for checks that look at some of them.
        """
        analysis, items = self._analysis, self._items
        total = len(analysis.first_look)
        self._add(done, total, _columns_of(analysis, items, []))
        everything = np.arange(total)
        for _, found in run_checks(CAPTURE_CHECKS, analysis, everything, items):
            items.add(len(found["kind"]), **found)
        for _, found in run_look_checks(associations, items) if associations is not None else ():
            items.add(len(found["kind"]), **found)
        settle_heartbeats(analysis, items)
        take_back(analysis, items)
        add_file_problems(analysis, items)
        _link_to_wpdus(analysis, items, everything)
        items.switch_off()
        items.completed = done
        analysis.expert_items = items

    def _add(self, start: int, stop: int, of_trees: _Columns) -> None:
        """Add the items of columns of these rows, and these of their trees."""
        checks = run_checks(WPDU_CHECKS, self._analysis, np.arange(start, stop), self._items)
        checked = _joined([columns for _, columns in checks])
        items = _joined([checked, _told_by_tree(checked, of_trees)])
        order = np.argsort(items["wpdu"], kind="stable")
        self._items.add(len(order), **{name: column[order] for name, column in items.items()})


def _problems(batch: _Batch, of_trees: list[Problems]) -> list[tuple[int, Problem]]:
    """The problems of a batch's rows, `of_trees` those of its tasks, each with its row."""
    found = batch.known
    for row, problems in zip(batch.rows, of_trees, strict=True):
        found += [(row, problem) for problem in problems]
    return found


def _columns_of(analysis: Analysis, items: ExpertItems, found: list[tuple[int, Problem]]) -> _Columns:
    """The columns of items that are these problems of trees; `items` numbers their words."""
    values = [
        (
            row,
            kind_of(problem).number,
            Source.WPDU + problem.source,
            problem.start,
            problem.stop,
            items.number(Words(problem.message, problem.clause)),
        )
        for row, problem in found
    ]
    columns = np.array(values, np.int64).reshape(-1, len(_FROM_TREE)).T
    return complete(analysis, dict(zip(_FROM_TREE, columns, strict=True)), len(values))


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


def _link_to_wpdus(analysis: Analysis, items: ExpertItems, rows: Rows) -> None:
    """Put WPDU rows into items of streams and datagrams: the last row with octets of the item's packet."""
    of_packets = np.isin(items["source"], (Source.STREAM, Source.DATAGRAM))
    mine = np.flatnonzero((items["wpdu"] < 0) & of_packets)
    place, packet = analysis.wpdus.pieces(rows)
    order = stable_order(packet)
    packet, wanted = packet[order], items["packet"][mine]
    at = np.searchsorted(packet, wanted, "right")
    known = at > np.searchsorted(packet, wanted)
    items["wpdu"][mine[known]] = rows[place[order[at[known] - 1]]]
