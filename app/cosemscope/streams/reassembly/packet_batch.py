"""The packets of one batch as a value: their columns, the stream of each, and their order by stream.

The fast path and the packet walk of TCP and the UDP flows are all handed the same one.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import SYN
from cosemscope.streams.reassembly.segments_in_order import compact


@dataclass(frozen=True, eq=False)
class PacketBatch:
    """Columns of n packets in the order of the capture; a packet is named by its position in them.

    `base`: row of the first one in the packet table; `stream`: int32[n], -1 none; all others: [n], as in the
    packet table (see `PacketTable`).
    """

    base: int
    stream: Array
    protocol: Array
    time: Array
    direction: Array
    seq: Array
    ack: Array
    flags: Array
    window: Array
    payload: Array
    payload_length: Array
    payload_captured: Array
    ip_id: Array
    tsval: Array

    @classmethod
    def of(cls, packets: Columns, rows: slice, stream: Array) -> "PacketBatch":
        """The batch of these rows of the packet table, as views; `stream`: int32[n]."""
        names = [name for name in cls.__dataclass_fields__ if name not in ("base", "stream")]
        return cls(rows.start, stream, *(packets[name][rows] for name in names))

    @property
    def rows(self) -> slice:
        """The rows of the packet table."""
        return slice(self.base, self.base + len(self.stream))

    @cached_property
    def order(self) -> Array:
        """Positions of the packets that belong to streams, int64[m], by stream, then as they came."""
        mine = np.flatnonzero(self.stream >= 0)
        return np.asarray(mine[np.argsort(compact(self.stream[mine]), kind="stable")])

    @cached_property
    def _places(self) -> dict[int, tuple[int, int]]:
        """First and last index + 1, in `order`, of each stream's packets."""
        owner = self.stream[self.order]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        bounds = [*starts.tolist(), len(owner)]
        return dict(zip(owner[starts].tolist(), pairwise(bounds), strict=True))

    def of_stream(self, stream: int) -> Array:
        """Positions of the packets of one stream, int64[k], ascending."""
        start, stop = self._places.get(stream, (0, 0))
        return np.asarray(self.order[start:stop])

    def first_octets(self, position: Array) -> Array:
        """Sequence numbers of the first octets of these packets, uint32: a SYN counts one before them."""
        syn = (self.flags[position] & SYN) > 0
        return np.asarray(self.seq[position] + syn.astype(np.uint32))
