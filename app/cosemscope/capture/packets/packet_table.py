"""Packets in columns: one row a packet, with its flow, and one row a flow.

A batch of records comes in, its rows and flow numbers come out; nothing is kept per packet but the row. Rows
are read by `batch_headers` for the whole batch, and one by one by `packet_headers` where that is not enough.
"""

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cosemscope.capture.columns import Columns
from cosemscope.capture.octets import SideStore
from cosemscope.capture.packets.batch_headers import dissect
from cosemscope.capture.packets.flows import Endpoint, Endpoints, FlowTable
from cosemscope.capture.packets.packet_row import ROW
from cosemscope.capture.records import RecordBatch

if TYPE_CHECKING:
    from cosemscope.capture.packets.packet_headers import PacketReader

PACKET_FIELDS = {
    "time": "i8",
    "offset": "i8",
    "captured": "u4",
    "original": "u4",
    "interface": "u2",
    "protocol": "u1",
    "flow": "i4",
    "direction": "u1",
    "seq": "u4",
    "ack": "u4",
    "flags": "u2",
    "window": "u2",
    "payload": "i8",
    "payload_length": "u4",
    "payload_captured": "u4",
    "ip_id": "u2",
}
_FROM_RECORDS = ("time", "offset", "captured", "original", "interface")
_FROM_HEADERS = tuple(name for name in PACKET_FIELDS if name in (ROW.names or ()))


class PacketTable:
    """All packets of a capture. `packets` and `flows` are its tables.

    PACKET columns: `time` (ns since the epoch), `offset` (address of the captured octets), `captured` and
    `original` (octets in the file and on the wire), `interface`, `protocol` (6 TCP, 17 UDP, 0 neither),
    `flow` (-1 none), `direction` (0 from the flow's endpoint A, the sender of its first packet), `seq`,
    `ack`, `flags`, `window`, `payload` (address of the payload), `payload_length` (octets on the wire, by
    IP), `payload_captured`, `ip_id`. FLOW columns: `protocol`, `family` (4 or 6), address halves and port of
    `a` and `b`.

    Octets that are put together from fragments go into `side`, which is the reader's. `one_by_one` sends
    every packet the slow way, which gives the same rows.
    """

    def __init__(self, side: SideStore | None = None, *, one_by_one: bool = False) -> None:
        self.packets = Columns(PACKET_FIELDS, 1 << 16)
        self._flows = FlowTable()
        self._side = SideStore() if side is None else side
        self._one_by_one = one_by_one

    @cached_property
    def _reader(self) -> "PacketReader":
        from cosemscope.capture.packets.packet_headers import (
            PacketReader,  # with it comes dpkt, which most captures do without
        )

        return PacketReader(self._side)

    @property
    def incomplete_datagrams(self) -> int:
        """Number of IP datagrams that lack fragments, so far."""
        reader: PacketReader | None = self.__dict__.get("_reader")  # made once a packet needs it
        return reader.reassembly.incomplete if reader is not None else 0

    @property
    def flows(self) -> Columns:
        """The table of flows, in the order of their first packets."""
        return self._flows.flows

    def endpoints(self, flow: int) -> tuple[Endpoint, Endpoint]:
        """Endpoints A and B of a flow."""
        return self._flows.endpoints(flow)

    def all_endpoints(self) -> list[tuple[Endpoint, Endpoint]]:
        """`endpoints` of every flow, at once."""
        return self._flows.all_endpoints()

    def add(self, batch: RecordBatch) -> slice:
        """Read the headers of a batch of records; the rows that it became."""
        columns, slow = dissect(batch)
        if self._one_by_one:
            slow = np.arange(len(batch))
        if len(slow):
            read = np.array([self._reader.read(batch, int(index)) for index in slow], ROW)
            for name, values in columns.items():
                values[slow] = read[name]
        flow = np.full(len(batch), -1, np.int32)
        direction = np.zeros(len(batch), np.uint8)
        ends = Endpoints(**{name: columns[name] for name in Endpoints._fields})
        known = columns["protocol"] > 0
        if known.all():
            flow, direction = self._flows.number(ends)
        else:
            rows = np.flatnonzero(known)
            flow[rows], direction[rows] = self._flows.number(ends.take(rows))
        return self.packets.extend(
            len(batch),
            flow=flow,
            direction=direction,
            **{name: getattr(batch, name) for name in _FROM_RECORDS},
            **{name: columns[name] for name in _FROM_HEADERS},
        )
