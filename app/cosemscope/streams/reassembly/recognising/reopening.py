"""Octets that went by while their stream was not recognised, read again from the packets that carried them.

They are looked for among the last `WINDOW` packets, put in order, and those first seen stand, as ever.
"""

import numpy as np

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import SYN
from cosemscope.streams.endings import stray_reset
from cosemscope.streams.reassembly.reassembler import Reassembler, Segment, Waiting
from cosemscope.streams.reassembly.undecided import Kept

#: Packets of the capture among which those of a stream are looked for.
WINDOW = 1 << 16


class WentBy:
    """The packets of a capture and their streams, in which what went by is looked for."""

    def __init__(self, packets: Columns, packet_streams: Columns) -> None:
        self._packets = packets
        self._streams = packet_streams

    def half(self, half: int, packet: int, base: int, limit: int) -> Kept:
        """The octets of a half before offset `limit` that came up to `packet`; octet 0 is number `base`."""
        kept = Kept(half)
        if limit <= 0:
            return kept
        first = max(0, packet + 1 - WINDOW)
        rows = slice(first, packet + 1)
        mine = (self._streams["stream"][rows] == half >> 1) & (self._packets["direction"][rows] == half & 1)
        mine &= self._packets["payload_length"][rows] > 0
        number = Reassembler(0, base, -1, kept, Waiting())
        segments = [
            segment.part(segment.start, min(segment.stop, limit))
            for row in (np.flatnonzero(mine) + first).tolist()
            for segment in [self._segment(row, number, limit)]
            if 0 <= segment.start < limit
        ]
        if segments:
            ordered = Reassembler(min(one.start for one in segments), base, -1, kept, Waiting())
            for segment in segments:
                ordered.add(segment, -1, -1)
            ordered.give_up_all(packet)
        return kept

    def stray_reset(self, packet: int) -> bool:
        """True if a RST ends nothing: see `endings`."""
        return stray_reset(self._packets, packet)

    def _segment(self, row: int, number: Reassembler, near: int) -> Segment:
        packets = self._packets
        syn = (int(packets["flags"][row]) & SYN) > 0
        start = number.offset(int(packets["seq"][row]) + syn, near)
        length = int(packets["payload_length"][row])
        captured = min(int(packets["payload_captured"][row]), length)
        address, time = int(packets["payload"][row]), int(packets["time"][row])
        return Segment(start, start + length, address, captured, row, time, 0)
