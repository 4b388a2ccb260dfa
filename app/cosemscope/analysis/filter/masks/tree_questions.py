"""Questions to trees: a condition on decoded fields is answered for many rows, in processes of their own.

Equal rows are decoded once, rows in which an APDU that is asked for cannot stand are not decoded at all, and
what was answered is kept until the capture, its keys or its scalers change.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.association import AnyLook, Look, QuietLook
from cosemscope.analysis.associations.quiet_rows import is_quiet
from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.filter.language.tree_names import tree_name
from cosemscope.analysis.filter.masks.asked_capture import Asked, is_walked, looker_of, parts_of
from cosemscope.analysis.filter.masks.filter_vectors import Vector
from cosemscope.analysis.filter.masks.kept_answers import NO, UNKNOWN, YES, kept_answers
from cosemscope.analysis.filter.masks.operands import Condition, TreeNeeds
from cosemscope.analysis.filter.masks.value_tests import Mask
from cosemscope.analysis.worker_pool import PendingWork, WorkerPool
from cosemscope.apdu.context import Context, Request
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names import tags as t
from cosemscope.capture.cancelling import Look as Asking
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE

#: Tasks that a worker is given at once.
_TASKS = 512
#: Batches of tasks that are being decoded while the next ones are looked for.
_PENDING = 8
#: Tasks whose answers are remembered, and octets of the longest.
_REMEMBERED, _LONGEST = 1 << 17, 4096
#: Fields around an APDU, and the one field of a quiet APDU that is of this WPDU alone, as trees name them.
_HEADER = frozenset(("wpdu", "version", "source-wport", "destination-wport", "length"))
#: The look at such an APDU, for whoever tells tasks apart.
_NOTHING = QuietLook(None)
#: First octets of APDUs whose trees depend on nothing else while nothing in them is ciphered.
_ACSE = frozenset(bytes((tag,)) for tag in (t.AARQ, t.AARE, t.RLRQ, t.RLRE, t.ABRT))
#: First octets of APDUs with no other APDU inside, whatever they say.
_BARE = (t.DATA_NOTIFICATION, t.EVENT_NOTIFICATION, t.ABRT)
_INVOKE_ID = "invoke-id-and-priority"
#: Where the invoke-id stands in a WPDU with a quiet APDU.
_INVOKE_AT = HEADER_SIZE + 2


class TreeSource:
    """Trees as the source of a filter's values."""

    def __init__(self, trees: Sequence[Decoded]) -> None:
        self.trees = list(trees)
        self.count = len(self.trees)

    def field(self, field: RowField) -> Vector:
        """No tree has fields of the registry: filters ask for these apart."""
        raise AssertionError(field.name)

    def narrowed(self, places: npt.NDArray[np.int64]) -> "TreeSource":
        """The trees at these places alone."""
        return TreeSource([self.trees[place] for place in places.tolist()])

    def of_trees(self, condition: Condition) -> Mask:
        """The trees are at hand."""
        return condition.mask(self)


class RowTask(NamedTuple):
    """All that the tree of a row in clear depends on."""

    octets: bytes
    framing: int
    request: Request | None
    scaler_unit: tuple[int, int] | None

    def decode(self) -> Decoded:
        """The tree."""
        context = Context(self.request, scaler_unit=lambda reference: self.scaler_unit)
        return decode_framed(self.octets, Framing(self.framing), context)


def answer_tasks(condition: Condition, tasks: Sequence[RowTask]) -> bytes:
    """Which trees a condition leaves: an octet each, 0 or 1. Never raises."""
    return condition.mask(TreeSource([task.decode() for task in tasks])).tobytes()


def answer(asked: Asked, rows: npt.NDArray[np.int64], condition: Condition) -> Mask:
    """Which rows have trees that a condition leaves, bool[rows].

    Raises Cancelled by way of `asked.look`, and CaptureError and OSError where octets cannot be read.
    """
    kept = kept_answers(asked.analysis, asked.associations, condition)
    found = kept[rows]
    unknown = np.flatnonzero(found == UNKNOWN)
    needs = condition.needs()
    possible = unknown[_may_have(asked, rows[unknown], needs)]
    found[unknown] = NO
    found[possible] = UNKNOWN
    order = possible[np.argsort(rows[possible], kind="stable")]
    try:
        for places, answers in _answers(asked, rows[order], condition, needs):
            found[order[places]] = answers
    finally:
        # What was answered before somebody cancelled is kept too.
        known = found != UNKNOWN
        kept[rows[known]] = found[known]
    left: Mask = found == YES
    return left


def _may_have(asked: Asked, rows: npt.NDArray[np.int64], needs: TreeNeeds) -> Mask:
    """In which rows an APDU that is asked for may stand: quiet ones are what their first octet says."""
    if needs.heads is None:
        return np.ones(len(rows), np.bool_)
    tags = [tag for tag, name in t.APDU_TAGS.items() if tree_name(name) in needs.heads]
    tag = asked.analysis.wpdus["apdu_tag"][rows]
    bare: Mask = is_quiet(asked.analysis, rows) | np.isin(tag, _BARE)
    return np.isin(tag, tags) | ~bare


_Answers = tuple[slice, npt.NDArray[np.int8]]


class _Batch(NamedTuple):
    """Rows at `places` that are being answered; the answer of row `clear[i]` is that of task `tasks[i]`."""

    places: slice
    answers: npt.NDArray[np.int8]
    clear: list[int]
    tasks: list[int]
    pending: list[tuple[int, PendingWork[bytes]]]


def _answers(
    asked: Asked, rows: npt.NDArray[np.int64], condition: Condition, needs: TreeNeeds
) -> Iterator[_Answers]:
    """The answers for ascending rows, a batch after the other."""
    pieces = len(rows) if is_walked(asked, rows) else 0
    with WorkerPool(pieces) as workers:
        known = _Tasks()
        looker = looker_of(asked, rows)
        waiting: deque[_Batch] = deque()
        for places in chain(parts_of(asked, rows), (None,)):
            asked.look()
            if places is not None:
                looks = looker.looks(rows[places])
                waiting.append(_begun(asked, rows, places, looks, condition, needs, workers, known))
            while waiting and (places is None or len(waiting) > _PENDING):
                asked.look()
                batch = waiting.popleft()
                yield _ended(batch, workers, known, asked.look)
                asked.progress(batch.places.stop, len(rows))


class _Tasks:
    """Tasks by their numbers: an equal one has the number of the first, and its answer once it is there."""

    def __init__(self) -> None:
        self.answers = bytearray()
        self._numbers: dict[tuple[bytes, int, int], tuple[int, AnyLook]] = {}

    def number(self, octets: bytes, framing: int, look: AnyLook) -> tuple[int, bool]:
        """The number of a task, and whether it is a new one."""
        # Equal looks are one object mostly, which is kept here so that no other one is taken for it.
        key = octets, framing, id(look)
        known = self._numbers.get(key)
        if known is not None:
            return known[0], False
        number = len(self.answers)
        self.answers.append(NO)
        if len(octets) <= _LONGEST:
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            self._numbers[key] = number, look
        return number, True


def _begun(
    asked: Asked,
    rows: npt.NDArray[np.int64],
    places: slice,
    looks: Sequence[AnyLook],
    condition: Condition,
    needs: TreeNeeds,
    workers: WorkerPool,
    known: _Tasks,
) -> _Batch:
    """Give workers the tasks of rows in clear that are new, and answer the others here."""
    part = rows[places]
    framings = asked.analysis.wpdus["framing"][part].tolist()
    batch = _Batch(places, np.full(len(part), NO, np.int8), [], [], [])
    new: list[RowTask] = []
    loud: list[tuple[int, Decoded]] = []
    first = len(known.answers)
    octets_of = asked.analysis.octets_of(part)
    for place, (look, framing, octets) in enumerate(zip(looks, framings, octets_of, strict=True)):
        if not octets:  # a ring has removed them
            whole = look if isinstance(look, Look) else None
            loud.append((place, asked.associations.decode(part.item(place), whole, octets)))
            continue
        if isinstance(look, QuietLook):
            alike, keyed = _alike(octets, framing, needs), look
            request, scaler_unit = look.request, look.scaler_unit
        elif look.plain[:1] in _ACSE and not look.openings:
            alike, keyed, request, scaler_unit = octets, _NOTHING, None, None
        else:
            loud.append((place, asked.associations.decode(part.item(place), look, octets)))
            continue
        number, is_new = known.number(alike, framing, keyed)
        batch.clear.append(place)
        batch.tasks.append(number)
        if is_new:
            new.append(RowTask(alike, framing, request, scaler_unit))
    if loud:
        batch.answers[[place for place, _ in loud]] = condition.mask(TreeSource([one for _, one in loud]))
    for start in range(0, len(new), _TASKS):
        work = workers.begin(answer_tasks, condition, new[start : start + _TASKS])
        batch.pending.append((first + start, work))
    return batch


def _alike(octets: bytes, framing: int, needs: TreeNeeds) -> bytes:
    """The octets of a quiet row without what the condition does not ask for: wPorts, and the invoke-id."""
    if framing != Framing.WRAPPER or needs.texts or len(octets) <= _INVOKE_AT:
        return octets
    if not needs.names.isdisjoint(_HEADER):
        head = octets[:_INVOKE_AT]
    else:
        head = b"\0\1\0\0\0\0" + octets[6:_INVOKE_AT]
    own = octets[_INVOKE_AT : _INVOKE_AT + 1] if _INVOKE_ID in needs.names else b"\0"
    return head + own + octets[_INVOKE_AT + 1 :]


def _ended(batch: _Batch, workers: WorkerPool, known: _Tasks, look: Asking) -> _Answers:
    """The answers of a batch; waits for them."""
    for first, pending in batch.pending:
        answers: bytes = workers.end(pending, look)
        known.answers[first : first + len(answers)] = answers
    batch.answers[batch.clear] = [known.answers[number] for number in batch.tasks]
    return batch.places, batch.answers
