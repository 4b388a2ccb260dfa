"""Connections that ended, and those that go on with the same ports although their SYN is not in the capture.

A FIN ends the octets of its side, a RST those of both. Octets that come later and far from the sequence
number of the end are another connection's; retransmissions and what was on its way are near it. A RST that
its receiver cannot accept, late or forged, ends nothing.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN, TCP

#: Octets from the end of a connection beyond which a segment is none of it.
FAR = 1 << 17
_UNKNOWN = -1
# Packets of the capture, and of a flow among them, in which its last ones are looked for.
_NEAR, _LAST = 1 << 12, 64

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]


class Endings:
    """Keeps for each flow where its connection ended, batch by batch."""

    def __init__(self) -> None:
        # Sequence numbers of sides 0 and 1 of the flow at the end; -1: not ended, or not known.
        self._numbers = Columns({"side0": "i8", "side1": "i8"})

    def follow(self, view: dict[str, Any], flows: int, packets: Columns, base: int) -> list[int]:
        """Indexes of packets with which other connections go on, ascending; `flows`: how many there are.

        `packets` is the packet table, in which `view` begins at row `base`.
        """
        missing = flows - len(self._numbers)
        if missing > 0:
            self._numbers.extend(missing, side0=_UNKNOWN, side1=_UNKNOWN)
        flow, flags = view["flow"], view["flags"]
        tcp = (view["protocol"] == TCP) & (flow >= 0)
        turns = np.flatnonzero(tcp & _turning(flags))
        known = (self._numbers["side0"] >= 0) | (self._numbers["side1"] >= 0)
        if not len(turns) and not known.any():
            return []
        late = self._late(view, tcp, turns, known)
        mixed = np.zeros(flows, np.bool_)
        mixed[flow[late]] = True
        plain = turns[~mixed[flow[turns]]]
        for side in (0, 1):
            self._note(view, plain, side)
        if not len(late):
            return []
        relevant = _turning(flags)
        relevant[late] = True
        return self._one_by_one(view, np.flatnonzero(tcp & relevant & mixed[flow]).tolist(), packets, base)

    def _late(self, view: dict[str, Any], tcp: Mask, turns: Rows, known: Mask) -> Rows:
        """Positions, intp[k], of packets with octets behind an end: only their flows go packet by packet."""
        flow = view["flow"]
        ends = turns[(view["flags"][turns] & (FIN | RST)) > 0]
        behind = np.where(known, -1, len(flow))
        np.minimum.at(behind, flow[ends], ends)
        late = np.flatnonzero(tcp & (view["payload_length"] > 0))
        late = late[late > behind[flow[late]]]
        turned = np.zeros(len(known), np.bool_)
        turned[flow[turns]] = True
        mine, number = flow[late], view["seq"][late].astype(np.int64)
        end = np.where(
            view["direction"][late] > 0, self._numbers["side1"][mine], self._numbers["side0"][mine]
        )
        return np.asarray(late[turned[mine] | _far(number, end)])

    def _note(self, view: dict[str, Any], turns: Rows, side: int) -> None:
        """Keep what the last of these packets of each flow say of one side; a SYN says that all is open."""
        numbers = self._numbers["side1" if side else "side0"]
        flags, own = view["flags"][turns], view["direction"][turns] == side
        number = np.where(own, view["seq"][turns].astype(np.int64), view["ack"][turns].astype(np.int64))
        opens = (flags & SYN) > 0
        told = opens | own & ((flags & (FIN | RST)) > 0) | (flags & (RST | ACK) == RST | ACK)
        numbers[view["flow"][turns[told]]] = np.where(opens, _UNKNOWN, number)[told]

    def _one_by_one(self, view: dict[str, Any], indexes: list[int], packets: Columns, base: int) -> list[int]:
        found = []
        names = "side0", "side1"
        for index in indexes:
            flow, side = int(view["flow"][index]), int(view["direction"][index])
            carries = view["payload_length"][index] and not view["flags"][index] & SYN
            if carries and _far(int(view["seq"][index]), int(self._numbers[names[side]][flow])):
                if not _goes_on(packets, base + index):
                    found.append(index)
                for name in names:
                    self._numbers[name][flow] = _UNKNOWN
            if _turning(view["flags"][index]):
                for one in (0, 1):
                    self._note(view, np.array([index]), one)
        return found


def stray_reset(packets: Columns, row: int) -> bool:
    """True if a RST lies outside the window of its receiver, which ignores it (RFC 9293, 3.10.7.4).

    The window begins at the last acknowledgement before it; where none was captured, nothing is known.
    """
    mine = _before(packets, row)
    flags, own = packets["flags"][mine], packets["direction"][mine] == packets["direction"][row]
    opened = np.flatnonzero((flags & SYN) > 0)
    since = np.arange(len(mine)) >= (opened[-1] if len(opened) else 0)
    told = mine[since & ~own & ((flags & ACK) > 0)]
    if not len(told):
        return False
    number = int(packets["seq"][row])
    sent = _ends(packets, mine[since & own & ((flags & RST) == 0)][-1:]).tolist()
    accepted = int(packets["ack"][told[-1]])
    highest = sent[0] if sent else accepted
    return bool(sequence_distance(number, accepted) < 0 or sequence_distance(number, highest) > FAR)


def _goes_on(packets: Columns, row: int) -> bool:
    """True if a packet is near the last one of its side but for RSTs: no RST had ended its connection."""
    mine = _before(packets, row)
    own = (packets["direction"][mine] == packets["direction"][row]) & ((packets["flags"][mine] & RST) == 0)
    last = mine[own][-1:]
    if not len(last) or (packets["flags"][last] & FIN).any():
        return False
    return bool(abs(sequence_distance(int(packets["seq"][row]), int(_ends(packets, last)[0]))) <= FAR)


def _before(packets: Columns, row: int) -> Rows:
    """Rows of the last packets of its flow before a packet, ascending."""
    rows = slice(max(0, row - _NEAR), row)
    return np.flatnonzero(packets["flow"][rows] == packets["flow"][row])[-_LAST:] + rows.start


def _ends(packets: Columns, rows: Rows) -> Rows:
    """Sequence numbers behind packets, int64[k]."""
    opens = (packets["flags"][rows] & SYN) > 0
    return np.asarray(packets["seq"][rows].astype(np.int64) + packets["payload_length"][rows] + opens)


def sequence_distance(number: Any, end: Any) -> Any:
    """How far sequence numbers lie behind others, int64[k] or one: less than 2^31 either way."""
    return ((number - end + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _far(number: Any, end: Any) -> Any:
    """Mask, bool[k], of sequence numbers far from those of known ends."""
    return (end != _UNKNOWN) & (abs(sequence_distance(number, end)) > FAR)


def _turning(flags: Any) -> Any:
    """Mask, bool[k], of packets that open (SYN) or end (FIN, RST) their connections."""
    return (flags & (SYN | FIN | RST)) > 0
