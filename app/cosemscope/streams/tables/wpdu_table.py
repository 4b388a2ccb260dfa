"""The table of WPDUs: one row each, its octets named by where they lie in the capture.

A WPDU that lies in one segment is named by the address of its first octet.
One that came in several segments has extents instead: address, length and
packet of each piece, in stream order; `address` then is `-1 - extent`, the
number of its first extent. No octet is copied until somebody looks.
"""

from collections.abc import Callable, Iterator
from enum import IntFlag
from itertools import islice, pairwise, starmap
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import HEADER_SIZES, hdlc_apdu
from cosemscope.transport.wpdu import HEADER_SIZE


class Mark(IntFlag):
    """Remarks on a WPDU, one bit each."""

    TRUNCATED = 1  # not all of its octets are here: `size` is less than 8 + `length`
    RESYNCHRONISED = 2  # found by searching, after a hole or octets that are no WPDU
    SHARED = 4  # begins or ends inside a segment, or stands in one datagram with another WPDU
    TRAILING = 8  # octets that are no WPDU follow it in its datagram
    OUT_OF_ORDER = 16  # a segment of it was seen after one that was sent later
    DAMAGED = 32  # an HDLC frame of it has a wrong check sequence, length field or address


#: WPDU columns; a row is a WPDU, or what other framings have in its place: the HDLC frames of one APDU (with
#: their flags; the wPorts are the upper HDLC addresses), a data unit of IEC 61334-4-32 (its LSAPs), an APDU.
#: `first_packet`, `last_packet`: packet rows; `time`, `first_time`: ns since the epoch, when its last and its
#: first octet were seen; `direction` 0: from the stream's client; `framing`: Framing; `length`: of the APDU;
#: `apdu_tag`: -1 when there is no APDU; `address`: see the module; `size`: octets present, header included;
#: `marks`: Mark.
WPDU_FIELDS: dict[str, str] = {
    "first_packet": "u4",
    "last_packet": "u4",
    "segments": "u4",
    "time": "i8",
    "first_time": "i8",
    "stream": "u4",
    "direction": "u1",
    "framing": "u1",
    "version": "u2",
    "source_wport": "u2",
    "destination_wport": "u2",
    "length": "u4",
    "apdu_tag": "i2",
    "address": "i8",
    "size": "u4",
    "marks": "u2",
}

#: Most octets that are read at once for several rows.
_AT_ONCE = 8 << 20

EXTENT_FIELDS: dict[str, str] = {"address": "i8", "length": "u4", "packet": "u4"}


class WpduTable(Columns):
    """The WPDUs in the order in which they became complete, and the pieces of those in several segments."""

    def __init__(self) -> None:
        super().__init__(WPDU_FIELDS)
        self.extents = Columns(EXTENT_FIELDS)

    def packets_of(self, row: int) -> npt.NDArray[np.uint32]:
        """The packet rows that carried this WPDU, in the order of its octets, each once."""
        address = int(self["address"][row])
        if address >= 0:
            return self["first_packet"][row : row + 1].copy()
        start = -1 - address
        packets = self.extents["packet"][start : start + int(self["segments"][row])]
        # One segment may have brought octets on both sides of others.
        once: npt.NDArray[np.uint32] = packets[np.sort(np.unique(packets, return_index=True)[1])]
        return once

    def pieces(self, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The place in `rows`, int64[m], and the packet, int64[m], of every piece of these rows, in order."""
        place, (packet,) = self._pieces(rows, first_packet="packet")
        return place, packet

    def _pieces(
        self, rows: npt.NDArray[np.int64], **columns: str
    ) -> tuple[npt.NDArray[np.int64], list[npt.NDArray[np.int64]]]:
        """The place in `rows` of every piece of these rows, in order, and its columns, all int64[m].

        `columns` names them: for rows in one piece that of the table, and that of the extents.
        """
        address = self["address"][rows]
        count = np.where(address < 0, self["segments"][rows], 1).astype(np.int64)
        place = np.repeat(np.arange(len(rows)), count)
        found = [self[name][rows].astype(np.int64)[place] for name in columns]
        # Of a row with extents, piece n is extent -1 - address + n.
        spread = np.flatnonzero(address[place] < 0)
        within = spread - (np.cumsum(count) - count)[place[spread]]
        extent = -1 - address[place[spread]] + within
        for column, name in zip(found, columns.values(), strict=True):
            column[spread] = self.extents[name][extent]
        return place, found

    def octets(self, row: int, read: Callable[[int, int], bytes]) -> bytes:
        """The WPDU, header included, without what is missing; `read(address, length)` is the capture's."""
        address = int(self["address"][row])
        if address >= 0:
            return bytes(read(address, int(self["size"][row])))
        start = -1 - address
        stop = start + int(self["segments"][row])
        pieces = zip(
            self.extents["address"][start:stop].tolist(),
            self.extents["length"][start:stop].tolist(),
            strict=True,
        )
        return b"".join(read(piece, length) for piece, length in pieces)

    def octets_of(self, rows: npt.NDArray[np.int64], read: Callable[[int, int], bytes]) -> Iterator[bytes]:
        """The octets of each of these rows, as `octets` gives them, from one reading where they lie near."""
        return self._octets_behind(rows, np.zeros(len(rows), np.int64), read)

    def apdus_of(self, rows: npt.NDArray[np.int64], read: Callable[[int, int], bytes]) -> Iterator[bytes]:
        """The APDU of each of these rows, as `apdu_octets` gives it."""
        header = HEADER_SIZES[self["framing"][rows]]
        found = self._octets_behind(rows, np.maximum(header, 0), read)
        framed = (header < 0).tolist()
        if not any(framed):
            return found
        return (hdlc_apdu(octets) if frames else octets for octets, frames in zip(found, framed, strict=True))

    def _octets_behind(
        self, rows: npt.NDArray[np.int64], header: npt.NDArray[np.int64], read: Callable[[int, int], bytes]
    ) -> Iterator[bytes]:
        """The octets of each of these rows behind so many, `header`."""
        for part in self.parts(rows):
            yield from self._octets_at_once(rows[part], header[part], read)

    def parts(self, rows: npt.NDArray[np.int64]) -> Iterator[slice]:
        """Slices of these rows, each with about so many octets as are had at once."""
        part = np.cumsum(self["size"][rows], dtype=np.int64) // _AT_ONCE
        return starmap(slice, pairwise([0, *(np.flatnonzero(np.diff(part)) + 1).tolist(), len(rows)]))

    def _octets_at_once(
        self, rows: npt.NDArray[np.int64], header: npt.NDArray[np.int64], read: Callable[[int, int], bytes]
    ) -> list[bytes]:
        # Invariant: `window` holds the octets from address `first` on; other pieces are read by themselves.
        address, size = self["address"][rows], self["size"][rows].astype(np.int64)
        alone, spread = np.flatnonzero(address >= 0), np.flatnonzero(address < 0)
        first = int(address[alone].min(initial=1 << 62))
        near = alone[address[alone] < first + _AT_ONCE]
        last = int((address + size)[near].max(initial=first))
        window = read(first, last - first)

        def cut(address: npt.NDArray[np.int64], size: npt.NDArray[np.int64]) -> list[bytes]:
            start, stop = address - first, address - first + size
            found = [window[at:end] for at, end in zip(start.tolist(), stop.tolist(), strict=True)]
            for place in np.flatnonzero((start < 0) | (stop > len(window))).tolist():
                found[place] = read(address.item(place), size.item(place))
            return found

        octets = np.empty(len(rows), object)
        behind = np.minimum(header, size)
        found = cut((address + behind)[alone], (size - behind)[alone])
        octets[alone] = np.fromiter(found, object, len(alone))
        place, (address, size) = self._pieces(rows[spread], address="address", size="length")
        pieces = iter(cut(address, size))
        for row, count in zip(spread.tolist(), np.bincount(place).tolist(), strict=True):
            octets[row] = b"".join(islice(pieces, count))[header[row] :]
        whole: list[bytes] = octets.tolist()
        return whole


def wrapper_rows(
    head: npt.NDArray[Any],
    packet: npt.NDArray[Any],
    time: npt.NDArray[np.int64],
    stream: npt.NDArray[Any],
    direction: npt.NDArray[Any],
    address: npt.NDArray[np.int64],
) -> dict[str, npt.NDArray[Any]]:
    """The columns of whole WPDUs in the wrapper's framing, one in each packet; `head`: HEAD records."""
    count = len(packet)
    return {
        "first_packet": packet,
        "last_packet": packet,
        "segments": np.ones(count, np.uint32),
        "time": time,
        "first_time": time,
        "stream": stream,
        "direction": direction,
        "framing": np.full(count, Framing.WRAPPER, np.uint8),
        "version": head["version"],
        "source_wport": head["source_wport"],
        "destination_wport": head["destination_wport"],
        "length": head["length"],
        "apdu_tag": np.where(head["length"] > 0, head["tag"], np.int16(-1)),
        "address": address,
        "size": head["length"].astype(np.uint32) + np.uint32(HEADER_SIZE),
        "marks": np.zeros(count, np.uint16),
    }
