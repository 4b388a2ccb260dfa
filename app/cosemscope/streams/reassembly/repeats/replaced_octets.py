"""Octets of a damaged segment, in rows of WPDUs, that give way to those of its sound copy."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from cosemscope.streams.tables.wpdu_table import WpduTable
from cosemscope.transport.wpdu import HEADER_SIZE, decode_header

# Rows, the last ones, among which those of a segment are looked for; replacements that wait for rows to come.
_LATEST, _MOST_WAITING = 1 << 16, 256


class Replacement(NamedTuple):
    """Packet `other`, captured at `time` (ns), has in sound what packet `packet` has at `address`.

    `length` octets are meant, `by` octets further on in the capture; `read(address, length)` gives octets.
    """

    stream: int
    packet: int
    address: int
    length: int
    other: int
    time: int
    by: int
    read: Callable[[int, int], bytes]

    def apply(self, wpdus: WpduTable, begun: int) -> list[int]:
        """Let the sound octets stand in the rows from `begun` on; those that have changed."""
        rows = slice(begun, len(wpdus))
        mine = (wpdus["stream"][rows] == self.stream) & (wpdus["first_packet"][rows] <= self.packet)
        mine &= wpdus["last_packet"][rows] >= self.packet
        found = (np.flatnonzero(mine) + begun).tolist()
        return [row for row in found if self._apply_to(wpdus, row)]

    def _apply_to(self, wpdus: WpduTable, row: int) -> bool:
        address = int(wpdus["address"][row])
        if address >= 0:
            if not self.address <= address < self.address + self.length:
                return False
            wpdus["address"][row] += self.by
            wpdus["first_packet"][row] = wpdus["last_packet"][row] = self.other
            wpdus["first_time"][row] = wpdus["time"][row] = self.time
        else:
            pieces = slice(-1 - address, -1 - address + int(wpdus["segments"][row]))
            packets, places = wpdus.extents["packet"][pieces], wpdus.extents["address"][pieces]
            mine = (packets == self.packet) & (places >= self.address)
            mine &= places < self.address + self.length
            if not mine.any():
                return False
            places[mine] += self.by
            packets[mine] = self.other
            wpdus["first_packet"][row], wpdus["last_packet"][row] = packets.min(), packets.max()
            wpdus["time"][row] = max(int(wpdus["time"][row]), self.time)
        self._read_header(wpdus, row)
        return True

    def _read_header(self, wpdus: WpduTable, row: int) -> None:
        """What a row says of its header and tag is that of the sound octets, if these have its length."""
        octets = wpdus.octets(row, self.read)
        header = decode_header(octets)
        if header is None or header.length != wpdus["length"][row] or len(octets) <= HEADER_SIZE:
            return
        wpdus["source_wport"][row], wpdus["destination_wport"][row] = header[1:3]
        wpdus["apdu_tag"][row] = octets[HEADER_SIZE]


class Replacements:
    """Those of a capture: a WPDU of which one is a part may have come before, and may come yet."""

    def __init__(self, wpdus: WpduTable) -> None:
        self._wpdus = wpdus
        self._new: list[Replacement] = []
        self._waiting: list[Replacement] = []
        self._rows = 0  # rows up to which those that wait were applied

    def add(self, replacement: Replacement) -> None:
        """One more, for `apply`."""
        self._new.append(replacement)

    def apply(self) -> list[int]:
        """Replace octets in the rows that have come; the rows that have changed."""
        latest = max(0, len(self._wpdus) - _LATEST)
        changed = [row for one in self._waiting for row in one.apply(self._wpdus, self._rows)]
        changed += [row for one in self._new for row in one.apply(self._wpdus, latest)]
        self._waiting = [*self._waiting, *self._new][-_MOST_WAITING:]
        self._new, self._rows = [], len(self._wpdus)
        return changed
