"""Rows of a capture as the source of a filter's values: whole columns, looks in batches, trees on demand."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.filter.masks.asked_capture import Asked, looker_of, parts_of
from cosemscope.analysis.filter.masks.filter_vectors import Vector, joined_vectors
from cosemscope.analysis.filter.masks.kept_columns import kept_columns, state_of, values_of
from cosemscope.analysis.filter.masks.operands import Condition
from cosemscope.analysis.filter.masks.tree_questions import answer
from cosemscope.analysis.filter.masks.value_tests import Mask
from cosemscope.apdu.fields import Decoded

Numbers = npt.NDArray[np.int64]

#: Rows of which is made at once what their associations say.
_AT_ONCE = 1 << 17
#: Columns of a whole capture are made for so large a share of its rows, one in so many.
_SHARE = 8


def needs_looks(field: RowField) -> bool:
    """Whether somebody must look at each row for a field's values."""
    return field.cost is Cost.TREE and not field.name.startswith(("association.", "wpdu."))


class RowSource:
    """Rows of a capture: `rows` None for all `count`, else their numbers."""

    def __init__(self, asked: Asked, count: int, rows: Numbers | None = None) -> None:
        self._asked = asked
        self._all = count
        self._rows = rows
        self.count = count if rows is None else len(rows)

    def narrowed(self, places: Numbers) -> "RowSource":
        """The rows at these places alone."""
        return RowSource(self._asked, self._all, places if self._rows is None else self._rows[places])

    @property
    def rows(self) -> Numbers:
        """The numbers of the rows."""
        return np.arange(self._all) if self._rows is None else self._rows

    @property
    def trees(self) -> list[Decoded]:
        """None are at hand: conditions on trees come by `of_trees`."""
        raise AssertionError("rows were asked for their trees")

    def field(self, field: RowField) -> Vector:
        """The values of a field. Raises Cancelled, and CaptureError and OSError where octets are read."""
        asked = self._asked
        asked.look()
        if field.cost is Cost.TREE:
            return joined_vectors(field.type, list(self._in_batches(field)))
        if self._rows is not None and len(self._rows) < self._all // _SHARE:
            return values_of(field, AskedRows(asked.analysis, self._rows))
        state = state_of(asked.analysis, asked.associations)
        vector = kept_columns(asked.analysis).vector(state, field, asked.analysis, self._all)
        return vector if self._rows is None else vector.take(self._rows)

    def _in_batches(self, field: RowField) -> Iterator[Vector]:
        asked, rows = self._asked, self.rows
        looker = looker_of(asked, rows) if needs_looks(field) else None
        places: Iterable[slice] = parts_of(asked, rows)
        if field.name.startswith("association."):
            places = (slice(start, start + _AT_ONCE) for start in range(0, len(rows), _AT_ONCE))
        for place in chain(places, () if len(rows) else (slice(0),)):
            asked.look()
            part = rows[place]
            yield values_of(field, AskedRows(asked.analysis, part, looker))
            asked.progress(place.start + len(part) if len(part) else 0, len(rows))

    def of_trees(self, condition: Condition) -> Mask:
        """The mask of a condition on trees. Raises as `field` does."""
        return answer(self._asked, self.rows, condition)
