"""Vectors of whole captures are kept between filters: the second filter over a column finds it made.

What is kept holds for a state of the capture: as soon as there is more traffic, other keys, another pass over
its rows, it goes. Memory is bounded; columns that are views of tables take none and are not kept.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import RowField
from cosemscope.analysis.fields.value_arrays import Array
from cosemscope.analysis.filter.masks.filter_vectors import Vector, counted, vector_of

#: Octets of all vectors that are kept of one capture.
_MOST_OCTETS = 384 << 20

State = tuple[object, ...]


def state_of(analysis: Analysis, associations: Associations | None) -> State:
    """What values depend on besides their rows, compared by identity: tables are replaced, and grow.

    Weakly: they know the analysis, which what is kept of it must not keep.
    """
    walked = (ref(associations), associations.keys, associations.passed) if associations is not None else ()
    lengths = (
        len(analysis.wpdus),
        len(analysis.packets),
        len(analysis.stream_items),
        len(analysis.exchanges),
    )
    tables = (ref(analysis.exchanges), ref(analysis.expert_items), analysis.expert_items.completed)
    return (
        *lengths,
        analysis.finished,
        analysis.patience,
        len(analysis.acse),
        len(analysis.hls),
        analysis.notes.version,
        *tables,
        *walked,
    )


class KeptColumns:
    """The vectors of one capture's fields, for all of its rows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._state: State = ()
        self._vectors: OrderedDict[str, Vector] = OrderedDict()
        self._counts: dict[str, tuple[int, tuple[Array, npt.NDArray[np.int64]]]] = {}

    def vector(
        self,
        state: State,
        field: RowField,
        analysis: Analysis,
        count: int,
        make: Callable[[], Vector] | None = None,
    ) -> Vector:
        """The vector of a field for the first `count` rows. Raises as the field's values do."""
        with self._lock:
            if not _same(state, self._state):
                self._vectors.clear()
                self._counts.clear()
                self._state = state
            kept = self._vectors.get(field.name)
            if kept is not None and kept.count == count:
                self._vectors.move_to_end(field.name)
                return kept
        vector = make() if make is not None else values_of(field, AskedRows(analysis, slice(0, count)))
        self._keep(state, field.name, vector)
        return vector

    def counts(
        self, state: State, field: RowField, analysis: Analysis, most: int
    ) -> tuple[Array, npt.NDArray[np.int64]]:
        """The `most` frequent values of a field and their numbers, int64[n], the greatest number first."""
        count = len(analysis.first_look)
        with self._lock:
            known = self._counts.get(field.name)
            if known is not None and _same(state, self._state) and known[0] == count:
                return known[1]
        vector = self.vector(state, field, analysis, count)
        values, numbers = counted(vector)
        if len(numbers) > most:
            chosen = np.argpartition(numbers, -most)[-most:]
            values, numbers = values[chosen], numbers[chosen]
        order = np.argsort(-numbers, kind="stable")
        found = values[order], numbers[order]
        with self._lock:
            if _same(state, self._state):
                self._counts[field.name] = count, found
        return found

    def _keep(self, state: State, name: str, vector: Vector) -> None:
        if not 0 < vector.octets <= _MOST_OCTETS // 2:
            return
        with self._lock:
            if not _same(state, self._state):
                return
            self._vectors[name] = vector
            while sum(one.octets for one in self._vectors.values()) > _MOST_OCTETS:
                self._vectors.popitem(last=False)


def _same(left: State, right: State) -> bool:
    return len(left) == len(right) and all(
        one is other or (isinstance(one, int) and one == other)
        for one, other in zip(left, right, strict=True)
    )


def values_of(field: RowField, asked: AskedRows) -> Vector:
    """The vector of a field for these rows."""
    return vector_of(field.type, field.values(asked), len(asked.numbers))


_KEPT: WeakKeyDictionary[Analysis, KeptColumns] = WeakKeyDictionary()


def kept_columns(analysis: Analysis) -> KeptColumns:
    """What is kept of an analysis."""
    return _KEPT.setdefault(analysis, KeptColumns())
