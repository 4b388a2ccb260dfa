"""Happenings of one captured stream, in order: what the transport layers at its two ends were told.

A happening is a handshake's segment, a WPDU that an end began to send or that has
arrived whole, octets that are no WPDU, a FIN or a RST. Only the first of what TCP sends
again counts. Nothing is replayed here; `replay` feeds happenings to the core.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.columns import stable_order
from cosemscope.capture.packets.packet_row import FIN, RST, SYN, TCP
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT_HEADER, SKIPPED
from cosemscope.streams.tables.wpdu_table import Mark

_Rows = npt.NDArray[np.int64]
#: Framings with the header of IEC 62056-4-7, the second one wrong.
REPLAYED: Final = (Framing.WRAPPER, Framing.SWAPPED)


class Doing(IntEnum):
    """What happened; of one packet the smaller comes first."""

    CONNECT = 0  # the first SYN of an end that opens the connection
    OPENED = 1  # an end learns that the connection is there; `packet` -1: it was there before the capture
    NO_WPDU = 2  # octets have arrived that are no WPDU; known with the WPDU behind them
    REQUEST = 3  # the first octet of a WPDU was sent
    ARRIVAL = 4  # its last octet has arrived, or of a WPDU that was cut off the last one that came
    FIN = 5
    RST = 6


class Happening(NamedTuple):
    """One happening at an end of a stream: `side` 0 is the initiator's, that of who acts or is told.

    `packet` is a packet row, `time` ns since the epoch, `row` the WPDU row or -1. `whole`: all octets of the
    WPDU arrived, also where the capture lacks some.
    """

    packet: int
    doing: Doing
    time: int
    side: int
    row: int = -1
    whole: bool = True


class Grouped:
    """Rows of a table by the number in one of its columns; a stable order is made once for all."""

    def __init__(self, numbers: npt.NDArray[Any]) -> None:
        self._order = stable_order(numbers)
        self._numbers = numbers[self._order]

    def rows(self, number: int) -> _Rows:
        """The rows with this number, int64[n], ascending."""
        start, stop = np.searchsorted(self._numbers, (number, number + 1))
        return self._order[start:stop]


class Happenings:
    """Finds the happenings of each stream of a capture that has been read to its end."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._packets = Grouped(analysis.packet_streams["stream"])
        self._wpdus = Grouped(analysis.wpdus["stream"])
        items = analysis.expert_items
        strange = np.isin(items["kind"], (SKIPPED.number, CUT_HEADER.number))
        self._strange = np.flatnonzero(strange)
        self._of_strange = Grouped(items["stream"][self._strange])

    def of(self, stream: int) -> list[Happening]:
        """The happenings of a TCP connection or UDP flow, in the order of the capture."""
        carried = self._analysis.streams["framing"].item(stream) in REPLAYED
        rows = self._wpdus.rows(stream) if carried else np.zeros(0, np.int64)
        if self._analysis.streams["protocol"][stream] != TCP:
            return sorted([*self._sent(rows, [0, 0]), *self._datagrams(rows)])
        lifecycle, opened = self._lifecycle(stream, rows)
        lacks_nothing = self._lacks_nothing(stream)
        arrived = self._arrived(rows, opened, lacks_nothing)
        strange = self._no_wpdus(stream, rows) if carried and lacks_nothing else []
        return sorted([*lifecycle, *self._sent(rows, opened), *arrived, *strange])

    def senders(self, stream: int) -> tuple[set[int], set[int]]:
        """The wPorts from which each side of a stream sends, also what the capture has not whole."""
        rows = self._wpdus.rows(stream)
        side, wports = (self._analysis.wpdus[name][rows] for name in ("direction", "source_wport"))
        return set(wports[side == 0].tolist()), set(wports[side == 1].tolist())

    def _lifecycle(self, stream: int, rows: _Rows) -> tuple[list[Happening], list[int]]:
        """The handshake and the endings of a TCP connection, and the packet with which each end is open."""
        packets, times = self._packets.rows(stream), self._analysis.packets["time"]
        flags = self._analysis.packets["flags"][packets]
        sides = self._analysis.packets["direction"][packets] ^ self._analysis.streams["client_side"][stream]

        def first(mask: npt.NDArray[np.bool_]) -> int:
            found = np.flatnonzero(mask)
            return int(packets[found[0]]) if len(found) else -1

        plain = (flags & (SYN | RST)) == 0
        syns = [first(((flags & SYN) > 0) & (sides == side)) for side in (0, 1)]
        told, opened = [], [-1, -1]
        if syns[0] < 0:
            start = int(times[packets[0]])
            told += [Happening(-1, Doing.OPENED, start, side) for side in (0, 1)]
        else:
            told.append(Happening(syns[0], Doing.CONNECT, int(times[syns[0]]), 0))
            there = syns[1] if syns[1] >= 0 else first(plain)
            # The responder knows of it when a first segment behind the SYN-ACK has come, or goes itself.
            opened = [there, first(plain & (packets > there))]
            opened[1] = opened[1] if opened[1] >= 0 else first(plain)
            told += [
                Happening(packet, Doing.OPENED, int(times[packet]), side)
                for side, packet in enumerate(opened)
                if packet >= 0
            ]
        last, direction = (self._analysis.wpdus[name][rows] for name in ("last_packet", "direction"))
        for side in (0, 1):
            fin = first(((flags & FIN) > 0) & (sides == side))
            if fin >= 0:  # a FIN that overtook octets takes effect behind them
                behind = max(fin, int(last[direction == side].max(initial=0)))
                told.append(Happening(behind, Doing.FIN, int(times[fin]), side))
        reset = first((flags & RST) > 0)
        if reset >= 0:
            side = int(sides[np.searchsorted(packets, reset)])
            told.append(Happening(reset, Doing.RST, int(times[reset]), side))
        return told, opened

    def _sent(self, rows: _Rows, opened: list[int]) -> Iterator[Happening]:
        wpdus = self._analysis.wpdus
        packet = np.minimum(wpdus["first_packet"][rows], wpdus["last_packet"][rows])
        columns = (packet, wpdus["first_time"][rows], wpdus["direction"][rows], rows)
        for packet, time, side, row in zip(*(column.tolist() for column in columns), strict=True):
            yield Happening(max(packet, opened[side]), Doing.REQUEST, time, side, row)

    def _datagrams(self, rows: _Rows) -> Iterator[Happening]:
        """Each datagram as it arrives, with the first of its WPDUs."""
        wpdus = self._analysis.wpdus
        _, first = np.unique(wpdus["last_packet"][rows], return_index=True)
        return self._arrived(rows[first], [0, 0], False)

    def _arrived(self, rows: _Rows, opened: list[int], lacks_nothing: bool) -> Iterator[Happening]:
        """WPDUs as they arrive; where the stream lacks nothing, the last of a side may have been cut off."""
        wpdus = self._analysis.wpdus
        direction = wpdus["direction"][rows].astype(np.int64)
        whole = np.ones(len(rows), np.bool_)
        if lacks_nothing:
            cut = (wpdus["marks"][rows] & Mark.TRUNCATED) > 0
            for side in (0, 1):
                last = np.flatnonzero(direction == side)[-1:]
                whole[last] = ~cut[last]
        columns = (wpdus["last_packet"][rows], wpdus["time"][rows], 1 - direction, rows, whole)
        for packet, time, end, row, complete in zip(*(column.tolist() for column in columns), strict=True):
            yield Happening(max(packet, opened[end]), Doing.ARRIVAL, time, end, row, complete)

    def _lacks_nothing(self, stream: int) -> bool:
        """Whether every octet of the stream that arrived is in the capture."""
        table, packets = self._analysis.packets, self._packets.rows(stream)
        cut = table["payload_captured"][packets] < table["payload_length"][packets]
        return not self._analysis.streams["missing_octets"][stream] and not cut.any()

    def _no_wpdus(self, stream: int, rows: _Rows) -> list[Happening]:
        """Octets between WPDUs; where a capture begins they may be the rest of one, and are left out."""
        items, wpdus = self._analysis.expert_items, self._analysis.wpdus
        told = []
        for item in self._strange[self._of_strange.rows(stream)].tolist():
            side, packet = int(items["direction"][item]), int(items["packet"][item])
            first = rows[wpdus["direction"][rows] == side][:1]
            begun = len(first) > 0 and wpdus["first_packet"][first[0]] <= packet
            if self._analysis.streams["start_seen"][stream] or begun:
                time = int(self._analysis.packets["time"][packet])
                told.append(Happening(packet, Doing.NO_WPDU, time, 1 - side))
        return told
