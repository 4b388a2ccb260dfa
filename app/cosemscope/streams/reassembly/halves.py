"""Halves, each one direction of one stream: what is kept of all of them, and how a slow one reports.

A half has the number 2 x stream + side of the flow.
"""

from typing import TYPE_CHECKING

from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.tables.findings import FindingKind

if TYPE_CHECKING:
    from cosemscope.streams.reassembly.packet_walk import PacketWalk

#: HALF columns: `base`, the sequence number of octet 0, once `known`; `trusted`: by a SYN; `highest`, the
#: octet behind the highest seen; `ack` and `window`, the last of the other side (-1 none), `asked`: its last
#: acknowledgement that came with octets, while `base` is not known; `fin`: the packet with its FIN (-1 none);
#: `slow`: a Reassembler has it.
HALF_FIELDS = {
    "base": "u4",
    "known": "?",
    "trusted": "?",
    "highest": "i8",
    "ack": "i8",
    "window": "i4",
    "asked": "i8",
    "fin": "i8",
    "slow": "?",
}


class Half:
    """What a slow half reports: its units become rows, its findings findings. Made for one half."""

    def __init__(self, owner: "PacketWalk", half: int) -> None:
        self._owner = owner
        self.half = half

    def unit(self, unit: Unit, trigger: int) -> None:
        """A WPDU became known."""
        self._owner.add_unit(self.half, unit, trigger)

    def found(self, kind: FindingKind, packet: int, offset: int, count: int) -> None:
        """Something is wrong in this half."""
        self._owner.output.find(kind, self.half >> 1, self.half & 1, packet, offset, count)

    def frames(self, count: int) -> None:
        """So many HDLC frames more."""
        self._owner.streams["frames"][self.half >> 1] += count

    def read(self, address: int, length: int) -> bytes:
        """Octets of the capture."""
        return self._owner.source.octets(address, length)
