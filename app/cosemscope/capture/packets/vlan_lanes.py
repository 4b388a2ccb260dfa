"""Connections with the same ends in several VLANs, told apart where the addresses are equal.

A flow is known by its ends, and the VLAN is no part of them: the copy of a packet may carry a tag, and the
two directions different ones. So a VLAN on a flow makes a flow of its own, a lane, only if the first packet
that carries it is none of the connection so far: its numbers are far from those of the packets before.
"""

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.flows import FlowTable
from cosemscope.capture.packets.packet_row import ACK, SYN, TCP

#: Octets from the numbers of a connection within which a packet may belong to it.
NEAR = 1 << 20
# Packets of the capture among which the last ones of a flow are looked for.
_LOOKED_AT = 1 << 12
_NAMES = ("seq", "ack", "flags")


class VlanLanes:
    """Gives TCP packets of other VLANs on known flows to lanes."""

    def __init__(self, flows: FlowTable, packets: Columns) -> None:
        self._flows = flows
        self._packets = packets
        self._lanes: dict[tuple[int, int], int] = {}
        self._any = False  # a tag was seen
        self._numbered = 0  # flows whose VLAN is known

    def part(self, columns: dict[str, Array], flow: Array, direction: Array) -> None:
        """Put the lanes into `flow`, int32[n], of a batch; `columns`: its rows, not in the table yet."""
        vlan, kept = columns["vlan"], self._flows.flows["vlan"]
        if not self._any and not vlan.any():
            self._numbered = len(kept)
            return
        self._any = True
        new = np.flatnonzero(flow >= self._numbered)[
            ::-1
        ]  # of several values for a flow NumPy keeps the last
        kept[flow[new]] = vlan[new]
        tcp = (columns["protocol"] == TCP) & (flow >= 0)
        other = np.flatnonzero(tcp & (vlan != kept[flow]))
        self._numbered = len(kept)
        if not len(other):
            return
        keys = flow[other].astype(np.int64) << 16 | vlan[other]
        unique, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        lanes = np.empty(len(unique), np.int32)
        for place in np.argsort(first).tolist():
            key = int(unique[place]) >> 16, int(unique[place]) & 0xFFFF
            if key not in self._lanes:
                apart = self._apart(columns, flow, direction, int(other[first[place]]))
                self._lanes[key] = self._flows.add_lane(*key) if apart else key[0]
            lanes[place] = self._lanes[key]
        flow[other] = lanes[inverse]
        self._numbered = len(self._flows.flows)

    def _apart(self, columns: dict[str, Array], flow: Array, direction: Array, index: int) -> bool:
        """True if a packet of a batch is none of the connection that its flow has carried so far."""
        mine, side = int(flow[index]), int(direction[index])
        near = np.flatnonzero(flow[max(0, index - _LOOKED_AT) : index] == mine) + max(0, index - _LOOKED_AT)
        rows = slice(max(0, len(self._packets) - _LOOKED_AT), len(self._packets))
        past = np.flatnonzero(self._packets["flow"][rows] == mine) + rows.start
        sides = np.append(self._packets["direction"][past], direction[near])
        before = {
            name: np.append(self._packets[name][past], columns[name][near]).astype(np.int64)
            for name in _NAMES
        }
        one = {name: int(columns[name][index]) for name in _NAMES}
        own, others = np.flatnonzero(sides == side)[-1:], np.flatnonzero(sides != side)[-1:]
        if len(own) and one["flags"] & SYN and before["flags"][own[0]] & SYN:
            return bool(one["seq"] != before["seq"][own[0]])
        distances = [_distance(one["seq"], before["seq"][own])]
        if one["flags"] & ACK:
            distances.append(_distance(one["ack"], before["seq"][others]))
        distances.append(_distance(one["seq"], before["ack"][others[before["flags"][others] & ACK > 0]]))
        known = np.concatenate(distances)
        return bool(len(known)) and not bool((known <= NEAR).any())


def _distance(number: int, others: Array) -> Array:
    """Octets between a sequence number and others, either way."""
    return np.asarray(np.abs(((number - others + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)))
