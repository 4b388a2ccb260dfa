"""Places in a packet, from header to header: what is read there, and how deep it lies.

Reading never fails: beyond what is captured every number is 0.
"""

from collections.abc import Callable
from typing import NamedTuple


class PacketPlace(NamedTuple):
    """State of the reading of a packet: `octets` from index `at` to `end` are captured, `wire` ends it.

    `address` is the address of `octets[0]`; `time` (ns), `packet` (its row in the packet table), `layers`
    (headers opened so far) and `vlan` (the identifier in the last tag, 0 none) go along.
    """

    octets: bytes
    address: int
    at: int
    end: int
    wire: int
    time: int
    packet: int
    layers: int = 0
    vlan: int = 0

    def move(self, count: int) -> "PacketPlace":
        """The place `count` octets further on, one layer deeper."""
        return self._replace(at=self.at + count, layers=self.layers + 1)

    def has(self, count: int) -> bool:
        """True when `count` octets from here on are captured."""
        return self.at + count <= self.end

    def number(self, offset: int, size: int, order: str = "big") -> int:
        """The number of `size` octets, `offset` octets from here; 0 beyond what is captured."""
        start = self.at + offset
        if not self.has(offset + size):
            return 0
        octets = self.octets[start : start + size]
        return int.from_bytes(octets, "little" if order == "little" else "big")


#: What follows a header: its kind (an EtherType, or LINK and a link type, or NOT_KNOWN), and where it begins.
Following = tuple[int, PacketPlace]
Header = Callable[[PacketPlace], Following]
#: Added to a link type that stands where an EtherType may.
LINK = 1 << 16
NOT_KNOWN = 0
