"""Packets in columns: one row a packet, with its flow, and one row a flow.

A batch of records comes in, its rows and flow numbers come out; nothing is kept per packet but the row. Rows
are read by `batch_headers` for the whole batch, and one by one by `packet_headers` where that is not enough.
"""

from collections import deque
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.octets import SideStore
from cosemscope.capture.packets.batch_headers import dissect
from cosemscope.capture.packets.flows import Endpoint, Endpoints, FlowTable
from cosemscope.capture.packets.packet_row import ROW, TCP
from cosemscope.capture.packets.vlan_lanes import VlanLanes
from cosemscope.capture.records import RecordBatch

if TYPE_CHECKING:
    from cosemscope.capture.packets.packet_headers import PacketReader
    from cosemscope.capture.packets.packet_row import PacketRow

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
    "tsval": "u4",
    "vlan": "u2",
}
_FROM_RECORDS = ("time", "offset", "captured", "original", "interface")
_FROM_HEADERS = tuple(name for name in PACKET_FIELDS if name in (ROW.names or ()))


class LatePayload(NamedTuple):
    """Octets that came of a datagram that lacks fragments, payload of the UDP packet `packet`.

    They became known at packet `trigger`; `length` were sent, the first `captured` lie at `payload`.
    """

    trigger: int
    packet: int
    payload: int
    length: int
    captured: int


class PacketTable:
    """All packets of a capture. `packets` and `flows` are its tables.

    PACKET columns: `time` (ns since the epoch), `offset` (address of the captured octets), `captured` and
    `original` (octets in the file and on the wire), `interface`, `protocol` (6 TCP, 17 UDP, 0 neither),
    `flow` (-1 none), `direction` (0 from the flow's endpoint A, the sender of its first packet), `seq`,
    `ack`, `flags`, `window`, `payload` (address of the payload), `payload_length` (octets on the wire, by
    IP), `payload_captured`, `ip_id`, `tsval` (time stamp of TCP) and `vlan` (0 none). FLOW columns:
    `protocol`, `family` (4 or 6), address halves and port of `a` and `b`, `vlan` of the first packet.

    Octets that are put together from fragments go into `side`, which is the reader's. `one_by_one` sends
    every packet the slow way, which gives the same rows. `look` is asked at each packet that goes so.
    """

    def __init__(self, side: SideStore | None = None, *, one_by_one: bool = False) -> None:
        self.packets = Columns(PACKET_FIELDS, 1 << 16)
        self.look: Look = no_look
        self._flows = FlowTable()
        self._lanes = VlanLanes(self._flows, self.packets)
        self._side = SideStore() if side is None else side
        self._one_by_one = one_by_one
        #: Of each kind of encapsulation that is not opened (`Unopened`): how many packets, and the first one.
        self.unopened: dict[int, tuple[int, int]] = {}
        # In the order of their triggers; rows of later batches may have been read ahead.
        self._late: deque[LatePayload] = deque()

    @cached_property
    def _reader(self) -> "PacketReader":
        from cosemscope.capture.packets.packet_headers import (
            PacketReader,  # with it comes dpkt, which most captures do without
        )

        return PacketReader(self._side)

    @property
    def incomplete_datagrams(self) -> int:
        """Number of IP datagrams that lack fragments, so far."""
        return self._reader.reassembly.incomplete if "_reader" in self.__dict__ else 0

    @property
    def fragments(self) -> dict[int, tuple[int, ...]]:
        """The packets with the fragments of each datagram, by the packet row that stands for it."""
        return self._reader.reassembly.parts if "_reader" in self.__dict__ else {}

    def take_late(self, stop: int) -> Iterator[LatePayload]:
        """What became known before packet `stop` of datagrams that lack fragments, each once.

        Their first fragments are rows with a flow and without octets.
        """
        while self._late and self._late[0].trigger < stop:
            yield self._late.popleft()

    def finish(self) -> None:
        """Nothing more comes: datagrams that still lack fragments are given up."""
        if "_reader" in self.__dict__:
            self._reader.reassembly.finish(len(self.packets))
            self._keep_lost()

    def _keep_lost(self) -> None:
        lost = self._reader.reassembly.lost
        for trigger, (packet, row), octets in lost:
            if row.protocol == TCP:
                continue  # its octets are in the stream already
            captured = min(len(octets) - row.payload, row.payload_length)
            if captured > 0:
                payload = self._side.add(octets[row.payload : row.payload + captured])
                self._late.append(LatePayload(trigger, packet, payload, row.payload_length, captured))
        lost.clear()

    def _note_unopened(self, kinds: npt.NDArray[np.uint8]) -> None:
        """Count the encapsulations that are not opened in the next packets; `kinds`: uint8[n], `Unopened`."""
        for kind in np.unique(kinds[kinds > 0]).tolist():
            count, first = self.unopened.get(kind, (0, len(self.packets) + int((kinds == kind).argmax())))
            self.unopened[kind] = count + int((kinds == kind).sum()), first

    @property
    def flows(self) -> Columns:
        """The table of flows, in the order of their first packets."""
        return self._flows.flows

    def endpoints(self, flow: int) -> tuple[Endpoint, Endpoint]:
        """Endpoints A and B of a flow."""
        return self._flows.endpoints(flow)

    def all_endpoints(self, look: Look = no_look) -> list[tuple[Endpoint, Endpoint]]:
        """`endpoints` of every flow, at once; `look` is asked at each, and may raise Cancelled."""
        return self._flows.all_endpoints(look)

    def add(self, batch: RecordBatch) -> slice:
        """Read the headers of a batch of records; the rows that it became."""
        columns, slow = dissect(batch)
        if self._one_by_one:
            slow = np.arange(len(batch))
        if len(slow) or "_reader" in self.__dict__:
            read = np.array(self._read_slow(batch, slow), ROW)
            for name, values in columns.items():
                values[slow] = read[name]
        self._note_unopened(columns["unopened"])
        flow = np.full(len(batch), -1, np.int32)
        direction = np.zeros(len(batch), np.uint8)
        ends = Endpoints(**{name: columns[name] for name in Endpoints._fields})
        known = columns["protocol"] > 0
        if known.all():
            flow, direction = self._flows.number(ends)
        else:
            rows = np.flatnonzero(known)
            flow[rows], direction[rows] = self._flows.number(ends.take(rows))
        self._lanes.part(columns, flow, direction)
        return self.packets.extend(
            len(batch),
            flow=flow,
            direction=direction,
            **{name: getattr(batch, name) for name in _FROM_RECORDS},
            **{name: columns[name] for name in _FROM_HEADERS},
        )

    def _read_slow(self, batch: RecordBatch, slow: npt.NDArray[np.intp]) -> list["PacketRow"]:
        """The rows of these packets, one by one; what waits for fragments is given up in its turn."""
        reader, first = self._reader, len(self.packets)
        latest = np.maximum.accumulate(batch.time)
        rows = []
        # Octets come into the side store in one order, however many packets are looked at together.
        for index in slow.tolist():
            self.look()
            self._expire(batch.time[: index + 1], latest[: index + 1], first)
            rows.append(reader.read(batch, index, first + index))
            self._keep_lost()
        self._expire(batch.time, latest, first)
        return rows

    def _expire(self, times: Array, latest: Array, first: int) -> None:
        """Give up datagrams by the times of packets, int64[n], from row `first` on, and the latest so far."""
        self._reader.reassembly.expire(times, latest, first)
        self._keep_lost()
