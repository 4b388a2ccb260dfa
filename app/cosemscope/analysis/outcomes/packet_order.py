"""The packets of each stream behind one another, so that what follows what is a matter of neighbours."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Array, Columns, stable_order
from cosemscope.capture.packets.packet_row import ACK, FIN, SYN, TCP
from cosemscope.streams.endings import sequence_distance

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
#: Nanoseconds after which no stack sends an opening again yet: its time-out is a second (RFC 6298, 2.1).
_SOONEST = 100_000_000
_WRAP = 1 << 32
#: Apart from each other, so far, are the counts of two halves: more than sequence numbers can tell.
_SPAN = 1 << 36


class PacketOrder:
    """The packets of an analysis by stream; `packets`, `packet_streams` and `streams` are its tables."""

    def __init__(self, packets: Columns, packet_streams: Columns, streams: Columns) -> None:
        self._count = len(packet_streams)
        self._packets = packets
        self._stream = packet_streams["stream"][: self._count]
        self._client_side = streams["client_side"]
        self._tcp = streams["protocol"] == TCP

    def column(self, name: str) -> Array:
        """A column of the packet table, as far as packets have streams."""
        return self._packets[name][: self._count]

    @cached_property
    def rows(self) -> Array:
        """The packet rows of each stream together, in their own order; those of no stream come first."""
        return stable_order(self._stream).astype(np.uint32)

    @cached_property
    def _places(self) -> Array:
        """Where each packet row stands in `rows`."""
        places = np.empty(len(self.rows), np.uint32)
        places[self.rows] = np.arange(len(self.rows), dtype=np.uint32)
        return places

    def following(self, packets: Numbers) -> Numbers:
        """The next packet of the same stream behind each of these, int64[n]; -1 where there is none."""
        if not len(self.rows):
            return np.full(len(packets), -1, np.int64)
        place = np.minimum(self._places[packets].astype(np.int64) + 1, len(self.rows) - 1)
        following = self.rows[place].astype(np.int64)
        there = (following != packets) & (self._stream[following] == self._stream[packets])
        return np.where(there, following, -1)

    def acknowledging(self, packets: Numbers) -> Numbers:
        """The packets that follow these and acknowledge all of them at once, int64[n]; -1 for others."""
        following = self.following(packets)
        asked = np.flatnonzero((following >= 0) & self._tcp[self._stream[packets]])
        sent, back = packets[asked], following[asked]
        flags = self._packets["flags"]
        size = self._packets["payload_length"][sent].astype(np.int64)
        size += ((flags[sent] & (SYN | FIN)) > 0).astype(np.int64)
        end = (self._packets["seq"][sent].astype(np.int64) + size) % _WRAP
        good = (self._packets["direction"][sent] != self._packets["direction"][back]) & (size > 0)
        good &= ((flags[back] & ACK) > 0) & (self._packets["ack"][back] == end)
        found = np.full(len(packets), -1, np.int64)
        found[asked[good]] = back[good]
        return found

    def sent_again(self, flag: int) -> tuple[Mask, Mask]:
        """Of which streams the packets with a flag were sent again: those without and with an ACK.

        A copy that came sooner than any time-out was captured twice, bool[streams] each.
        """
        flags = self.column("flags")
        rows = np.flatnonzero((flags & flag) > 0)
        rows = rows[self._stream[rows] >= 0]
        again = np.zeros((2, len(self._client_side)), np.bool_)
        kind = ((flags[rows] & ACK) > 0).astype(np.int64)
        first = np.full(again.shape, np.iinfo(np.int64).max, np.int64)
        np.minimum.at(first, (kind, self._stream[rows]), self.column("time")[rows])
        late = self.column("time")[rows] - first[kind, self._stream[rows]] > _SOONEST
        again[kind[late], self._stream[rows[late]]] = True
        return again[0], again[1]

    def first_acknowledgements(self, packets: Numbers) -> Numbers:
        """The first packet of the other side that acknowledges all octets of each of these, int64[n]; -1."""
        found = np.full(len(packets), -1, np.int64)
        if not len(packets):
            return found
        others = self.halves(packets) ^ 1
        told = np.flatnonzero((self.column("flags") & ACK) > 0)
        told = told[self._tcp[self._stream[told]] & (self._stream[told] >= 0)]
        concerned = np.zeros(2 * len(self._client_side), np.bool_)
        concerned[others] = True
        of = self.halves(told)
        told, of = told[concerned[of]], of[concerned[of]]
        by_half = stable_order(of)
        told, of = told[by_half], of[by_half]
        # Invariant: `key` rises through the acknowledgements of a half, each half in a span of its own.
        ack = self._packets["ack"][told].astype(np.int64)
        heads = np.flatnonzero(np.diff(of, prepend=-1) != 0)
        rank = np.cumsum(np.diff(of, prepend=-1) != 0) - 1
        key = np.maximum.accumulate(rank * _SPAN + sequence_distance(ack, ack[heads][rank]))
        mine = np.searchsorted(of[heads], others)
        known = np.flatnonzero(mine < len(heads))
        known = known[of[heads][mine[known]] == others[known]]
        size = self._packets["payload_length"][packets[known]].astype(np.int64)
        end = self._packets["seq"][packets[known]].astype(np.int64) + size
        wanted = mine[known] * _SPAN + sequence_distance(end, ack[heads][mine[known]])
        at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
        there = (key[at] >= wanted) & (rank[at] == mine[known])
        found[known[there]] = told[at[there]]
        return found

    def halves(self, packets: Numbers) -> Numbers:
        """Stream * 2 + side of the sender of each packet, int64[n]; side 0 is the stream's client."""
        stream = self._stream[packets].astype(np.int64)
        halves: Numbers = stream * 2 + (self._packets["direction"][packets] ^ self._client_side[stream])
        return halves
