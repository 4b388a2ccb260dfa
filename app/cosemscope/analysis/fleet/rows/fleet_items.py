"""The fleet's table of expert items: what is wrong or remarkable in a capture, a row each."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.value_arrays import Array, Coded, Values, object_array
from cosemscope.analysis.fields.value_types import Instant, Integer, Term, Text
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm, words_of
from cosemscope.analysis.fleet.rows.fleet_columns import FleetColumn, FleetTable, meant_as
from cosemscope.analysis.fleet.rows.fleet_sessions import SessionRows
from cosemscope.analysis.fleet.rows.taken_capture import KEY, FleetRows, TakenCapture
from cosemscope.streams.tables.expert_items import NUMBERED, ItemKind, Severity, severities

Numbers = npt.NDArray[np.int64]


class ItemRows(FleetRows):
    """The expert items of a capture, by their packets."""

    def __init__(self, taken: TakenCapture) -> None:
        items = taken.analysis.expert_items
        super().__init__(taken, len(items))
        self._order = np.argsort(items["packet"][: self.count], kind="stable")

    def column(self, name: str) -> Array:
        """A column of the table of items."""
        return self.taken.analysis.expert_items[name][self._order]

    @cached_property
    def packets(self) -> Numbers:
        """The packet of each, -1 none: its own, or that which brought its WPDU."""
        wpdu, packet = self.column("wpdu"), self.column("packet").astype(np.int64)
        brought = np.append(self.taken.analysis.wpdus["first_packet"].astype(np.int64), -1)
        return np.where(packet >= 0, packet, brought[wpdu])

    def of_packets(self, name: str, none: int) -> Numbers:
        """A column of the packet table, `none` for items without a packet."""
        values = self.taken.analysis.packets[name]
        return np.append(values.astype(np.int64), none)[self.packets]

    @cached_property
    def messages(self) -> Coded:
        """What each says: a sentence for those of one kind, amount and words."""
        told = np.stack([self.column(name).astype(np.int64) for name in ("kind", "amount", "words")], 1)
        distinct, codes = np.unique(told, axis=0, return_inverse=True)
        say = self.taken.analysis.expert_items.sentence
        return Coded(codes.reshape(-1), object_array([say(*one) for one in distinct.tolist()]))

    @cached_property
    def meters(self) -> Coded:
        """The meter of each one's stream, None where none is known."""
        sessions = SessionRows(self.taken)
        codes, meters = sessions.meters
        stream = self.column("stream")
        return Coded(np.append(codes, len(meters))[stream], object_array([*meters.tolist(), None]))


def _of_kind(tell: Callable[[ItemKind], str]) -> Callable[[ItemRows], Values]:
    return lambda rows: words_of(map(tell, NUMBERED), rows.column("kind"))


def _severities(rows: ItemRows) -> Values:
    return words_of((one.word for one in Severity), severities()[rows.column("kind")])


def _times(rows: ItemRows) -> Numbers:
    return rows.of_packets("time", rows.taken.first_time)


_NONE = Integer(none=-1)

ITEMS: FleetTable[ItemRows] = FleetTable(
    "expert_items",
    "an item of what is wrong or remarkable",
    (
        KEY,
        FleetColumn(
            "stream", ColumnForm.CODE, _NONE, meant_as("stream"), lambda rows: rows.column("stream"), "stream"
        ),
        FleetColumn(
            "number",
            ColumnForm.COUNT,
            Integer(),
            "Number of the item in this capture, from 1",
            lambda rows: np.arange(1, rows.count + 1),
        ),
        FleetColumn(
            "time",
            ColumnForm.INSTANT,
            Instant(),
            "When its packet was captured, or else the first one",
            _times,
        ),
        FleetColumn("meter", ColumnForm.TEXT, Text(), meant_as("meter"), lambda rows: rows.meters, "meter"),
        FleetColumn(
            "severity", ColumnForm.TEXT, Term(), meant_as("expert.severity"), _severities, "expert.severity"
        ),
        FleetColumn(
            "group",
            ColumnForm.TEXT,
            Term(),
            meant_as("expert.group"),
            _of_kind(lambda kind: kind.group.value),
            "expert.group",
        ),
        FleetColumn(
            "item",
            ColumnForm.TEXT,
            Term(),
            meant_as("expert.item"),
            _of_kind(lambda kind: kind.word),
            "expert.item",
        ),
        FleetColumn(
            "message",
            ColumnForm.TEXT,
            Text(),
            meant_as("expert.message"),
            lambda rows: rows.messages,
            "expert.message",
        ),
        FleetColumn(
            "amount",
            ColumnForm.NUMBER,
            Integer(),
            "What its sentence counts, mostly octets",
            lambda rows: rows.column("amount"),
        ),
        FleetColumn(
            "wpdu",
            ColumnForm.COUNT,
            Integer(none=0),
            meant_as("wpdu.number"),
            lambda rows: rows.column("wpdu") + 1,
            "wpdu.number",
        ),
        FleetColumn(
            "packet",
            ColumnForm.COUNT,
            Integer(none=0),
            meant_as("frame.number"),
            lambda rows: rows.packets + 1,
            "frame.number",
        ),
        FleetColumn(
            "file_offset",
            ColumnForm.NUMBER,
            _NONE,
            "Where its packet lies in the capture file",
            lambda rows: rows.of_packets("offset", -1),
        ),
    ),
    _times,
)
