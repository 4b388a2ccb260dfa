"""The ends of TCP connections: whose FIN or RST came first, and which of them broke off what a side says.

A side may close its direction and still listen, so the first end is not always the one behind the last
WPDU. Copies of a FIN, and what overtook octets or another FIN, change nothing: numbers decide, not places.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN
from cosemscope.streams.endings import FAR, sequence_distance

Numbers = NDArray[np.int64]
AnyNumbers = NDArray[np.integer[Any]]
_NEVER = np.iinfo(np.int64).max
#: Apart from each other, so far, are the counts of two halves: more than sequence numbers can tell.
_SPAN = 1 << 36


class ConnectionEnds:
    """The first FIN and the first RST of both sides of all streams, without those that ended nothing.

    What its sender went on behind, with new octets, was none of its connection; nor is a number that is far
    from all that its sender sent. Sides are directions by the stream's client, as of WPDUs.
    """

    def __init__(self, packets: Columns, packet_streams: Columns, streams: Columns) -> None:
        """`packets`, `packet_streams`, `streams`: the tables of an analysis."""
        stream = packet_streams["stream"]
        count = len(stream)
        flags = packets["flags"][:count]
        rows = np.flatnonzero((flags & (FIN | RST)) > 0)
        rows = rows[stream[rows] >= 0]
        half = _halves(rows, packets, packet_streams, streams)
        number = _numbers_behind(rows, packets)
        good = _effective(rows, half, number, packets, packet_streams, streams)
        rows, half, number = rows[good], half[good], number[good]
        #: Packets int64[streams, 4]: FIN of side 0, of side 1, RST of side 0, of side 1; `_NEVER` for none.
        self._packet = np.full((len(streams), 4), _NEVER, np.int64)
        column = half % 2 + 2 * ((flags[rows] & RST) > 0)
        np.minimum.at(self._packet, (half // 2, column), rows)
        #: The order in which they were sent, as of twice their packets.
        self._place = np.where(self._packet == _NEVER, _NEVER, self._packet * 2)
        self._in_order(packets)
        self._time = packets["time"]

    def __len__(self) -> int:
        """The number of streams that there were."""
        return len(self._packet)

    def times(self, packet: Numbers, otherwise: int) -> Numbers:
        """The times of these packets, ns since the epoch; `otherwise` where there is none (-1)."""
        if not len(self._time):
            return np.full(len(packet), otherwise, np.int64)
        return np.where(packet >= 0, self._time[np.maximum(packet, 0)], otherwise).astype(np.int64)

    def first(self, stream: AnyNumbers) -> tuple[Numbers, Numbers]:
        """The end that came first in each of these streams: packet (-1 none) and direction (-1 none)."""
        return self._earliest(stream, np.zeros((len(stream), 4), np.bool_))

    def breaking(
        self,
        stream: AnyNumbers,
        side: AnyNumbers,
        packet: AnyNumbers | int = _NEVER,
    ) -> tuple[Numbers, Numbers]:
        """What came first of the ends behind which a side sends no more: packet (-1 none) and direction.

        A FIN of the other side, which still listens, counts where it came behind `packet`.
        """
        listening = np.zeros((len(stream), 4), np.bool_)
        other = 1 - np.asarray(side, np.int64)
        at = np.arange(len(stream))
        listening[at, other] = self._packet[stream, other] <= np.broadcast_to(packet, stream.shape)
        return self._earliest(stream, listening)

    def _earliest(self, stream: AnyNumbers, without: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
        if not len(stream):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        place = np.where(without, _NEVER, self._place[stream])
        column = place.argmin(1)
        there = place.min(1) != _NEVER
        return np.where(there, self._packet[stream, column], -1), np.where(there, column % 2, -1)

    def _in_order(self, packets: Columns) -> None:
        """A FIN that acknowledges the other one was sent behind it, wherever they were captured."""
        both = np.flatnonzero((self._packet[:, :2] != _NEVER).all(1))
        early = self._packet[both, :2].argmin(1)
        first, second = self._packet[both, early], self._packet[both, 1 - early]
        answers = (packets["flags"][first] & ACK) > 0
        answers &= packets["ack"][first].astype(np.int64) == _numbers_behind(second, packets)
        self._place[both[answers], 1 - early[answers]] = first[answers] * 2 - 1


def _halves(rows: Numbers, packets: Columns, packet_streams: Columns, streams: Columns) -> Numbers:
    """Stream * 2 + side of the sender of packets, int64[n]."""
    stream = packet_streams["stream"][rows].astype(np.int64)
    halves: Numbers = stream * 2 + (packets["direction"][rows] ^ streams["client_side"][stream])
    return halves


def _numbers_behind(rows: Numbers, packets: Columns) -> Numbers:
    """The sequence numbers behind packets, int64[n]; a SYN and a FIN have one each."""
    flags = packets["flags"][rows]
    size = packets["payload_length"][rows].astype(np.int64) + ((flags & SYN) > 0) + ((flags & FIN) > 0)
    return (packets["seq"][rows].astype(np.int64) + size) & 0xFFFFFFFF


def _effective(
    rows: Numbers,
    half: Numbers,
    number: Numbers,
    packets: Columns,
    packet_streams: Columns,
    streams: Columns,
) -> NDArray[np.bool_]:
    """Which ends, at packets `rows`, are near the octets before them, and behind all octets of their side."""
    stream = packet_streams["stream"]
    count = len(stream)
    concerned = np.zeros(len(streams) * 2 + 1, np.bool_)
    concerned[half] = True
    carrying = np.flatnonzero((packets["payload_length"][:count] > 0) & (stream >= 0))
    mine = _halves(carrying, packets, packet_streams, streams)
    carrying, mine = carrying[concerned[mine]], mine[concerned[mine]]
    last = np.full(len(streams) * 2, -1, np.int64)
    last[mine] = carrying  # of several the last one stays
    good = np.ones(len(rows), np.bool_)
    known = np.flatnonzero((last[half] >= 0) & (last[half] <= rows))
    distance = sequence_distance(number[known], _numbers_behind(last[half[known]], packets))
    good[known] = np.abs(distance) <= FAR
    late = np.flatnonzero(last[half] > rows)
    if len(late):
        concerned[:] = False
        concerned[half[late]] = True
        chosen = concerned[mine]
        good[late] = _are_last(rows[late], half[late], carrying[chosen], mine[chosen], packets)
    return good


def _are_last(
    ends: Numbers, half: Numbers, carrying: Numbers, of: Numbers, packets: Columns
) -> NDArray[np.bool_]:
    """Which `ends` of halves, amid their octets, have none of these behind their number."""
    # A packet that both ends and carries stands first as what carries, then as an end.
    row, side = np.concatenate([carrying, ends]), np.concatenate([of, half])
    is_end = np.arange(len(row)) >= len(carrying)
    order = np.lexsort((is_end, row, side))
    row, side, is_end = row[order], side[order], is_end[order]
    number = _numbers_behind(row, packets)
    # Invariant: `reach` counts octets of each half without wrapping, each half in a span of its own.
    fresh = np.diff(side, prepend=-1) != 0
    ranked = np.cumsum(fresh) - 1
    octets = np.where(is_end, 0, number)
    carried = np.flatnonzero(~is_end)
    base = np.zeros(int(ranked[-1]) + 1, np.int64)
    begins = carried[np.diff(ranked[carried], prepend=-1) != 0]
    base[ranked[begins]] = octets[begins]
    reach = sequence_distance(number, base[ranked])
    span = ranked * _SPAN
    before = np.maximum.accumulate(np.where(is_end, -(1 << 33), reach) + span) - span
    behind = np.where(is_end, -(1 << 33), reach) - span
    later = np.maximum.accumulate(behind[::-1])[::-1] + span
    near = (before <= -(1 << 32)) | (np.abs(reach - before) <= FAR)
    result = np.zeros(len(row), np.bool_)
    result[order] = near & (later < reach + 1)
    return result[len(carrying) :]
