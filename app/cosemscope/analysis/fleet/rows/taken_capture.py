"""A capture that was taken in for a fleet's tables: its key, its analysis after all passes, what it tells.

    taken = take_in(analysis, key, keys)

The pass over all rows is that of the object view, which walks the associations and pairs what they open.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_column_items, find_items
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.value_arrays import Values
from cosemscope.analysis.fields.value_types import Term
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm, same_text
from cosemscope.analysis.fleet.rows.fleet_columns import FleetColumn
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.analysis.objects.object_table import ObjectView
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TakenCapture:
    """A capture by its key, read to its end, and all that it tells of objects."""

    key: str
    analysis: Analysis
    view: ObjectView

    @property
    def facts(self) -> CaptureFacts:
        """What is known of the whole capture."""
        return capture_facts(self.analysis)

    @property
    def first_time(self) -> int:
        """When its first packet was captured, ns since the epoch; 0 of an empty one."""
        return int(self.analysis.packets["time"][0]) if len(self.analysis.packets) else 0


def take_in(analysis: Analysis, key: str, keys: KeyTable = NO_KEYS, *, trees: bool = False) -> TakenCapture:
    """Read a capture to its end and make all passes; with `trees` also find expert items of trees.

    Raises CaptureError, and OSError when its octets cannot be read any more.
    """
    analysis.run()
    view = ObjectView(analysis, keys, shallow=True)
    view.complete()
    if trees:
        # No further processes: that of a capture is one of several already.
        find_items(Associations(analysis, keys), workers=0)
    else:
        find_column_items(analysis)
    return TakenCapture(key, analysis, view)


class FleetRows:
    """Rows of a table of a capture: `count` of them."""

    def __init__(self, taken: TakenCapture, count: int) -> None:
        self.taken = taken
        self.count = count


class FleetWpdus(AskedRows):
    """The same where a row is told by a WPDU: the fields of the registry are asked of these."""

    def __init__(self, taken: TakenCapture, rows: Numbers) -> None:
        super().__init__(taken.analysis, rows)
        self.taken = taken
        self.count = len(rows)


def _key(rows: FleetRows | FleetWpdus) -> Values:
    return same_text(rows.taken.key, rows.count)


#: The column with the key of the capture, of rows of any kind.
KEY = FleetColumn(
    "capture",
    ColumnForm.TEXT,
    Term(),
    "Key of the capture: the beginning of the SHA-256 of its file, or of those of its files",
    _key,
)
