"""The packets of each stream behind one another, so that what follows what is a matter of neighbours."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, SYN, TCP

Numbers = npt.NDArray[np.int64]
_WRAP = 1 << 32


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
        few = len(self._client_side) < (1 << 16) - 1
        key = (self._stream + 1).astype(np.uint16) if few else self._stream  # NumPy sorts 16 bits fastest
        return np.argsort(key, kind="stable").astype(np.uint32)

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

    def halves(self, packets: Numbers) -> Numbers:
        """Stream * 2 + side of the sender of each packet, int64[n]; side 0 is the stream's client."""
        stream = self._stream[packets].astype(np.int64)
        halves: Numbers = stream * 2 + (self._packets["direction"][packets] ^ self._client_side[stream])
        return halves
