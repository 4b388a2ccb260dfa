"""Encapsulations that may carry IP and are not opened, so that each gets a sentence.

What is told here is what a header says that cannot be anything else: on their ports other traffic goes, too.
"""

from collections.abc import Callable
from enum import IntEnum

from cosemscope.capture.packets.packet_place import PacketPlace


class Unopened(IntEnum):
    """Kinds of encapsulation in which no IP is looked for; 0 stands for none in columns."""

    CAPWAP = 1
    AYIYA = 2
    ARUBA_GRE = 3
    L2TP = 4
    TEREDO = 5
    MACSEC = 6
    TRILL = 7
    ESP = 8
    IPCOMP = 9
    L2TP_OVER_IP = 10

    @property
    def label(self) -> str:
        """The name for people."""
        return _LABELS[self]


_LABELS = {
    Unopened.CAPWAP: "CAPWAP data (RFC 5415)",
    Unopened.AYIYA: "AYIYA",
    Unopened.ARUBA_GRE: "GRE of Aruba access points",
    Unopened.L2TP: "L2TP (RFC 2661)",
    Unopened.TEREDO: "Teredo (RFC 4380)",
    Unopened.MACSEC: "MACsec (IEEE 802.1AE)",
    Unopened.TRILL: "TRILL (RFC 6325)",
    Unopened.ESP: "IPsec ESP (RFC 4303)",
    Unopened.IPCOMP: "IPComp (RFC 3173)",
    Unopened.L2TP_OVER_IP: "L2TPv3 (RFC 3931)",
}
#: By EtherType, and by the protocol types of GRE that are none.
UNOPENED_TYPES = {
    0x88E5: Unopened.MACSEC,
    0x22F3: Unopened.TRILL,
    **dict.fromkeys([*range(0x8200, 0x8380, 0x10), 0x9000], Unopened.ARUBA_GRE),
}
#: By IP protocol.
UNOPENED_PROTOCOLS = {50: Unopened.ESP, 108: Unopened.IPCOMP, 115: Unopened.L2TP_OVER_IP}


def _capwap(place: PacketPlace) -> bool:
    """Version 0, a header in clear of two words or more, and the binding of IEEE 802.11."""
    words = place.number(0, 4)
    return words >> 24 == 0 and words >> 19 & 0x1F >= 2 and words >> 9 & 0x1F == 1


def _ayiya(place: PacketPlace) -> bool:
    """Sizes of identity and signature, forwarding, and IPv4 or IPv6 inside."""
    sizes, forwards = place.number(0, 2) & 0xF0F0, place.number(2, 1) & 0x0F == 1
    return sizes == 0x4050 and forwards and place.number(3, 1) in (4, 41)


def _l2tp(place: PacketPlace) -> bool:
    """Version 2, data."""
    return place.number(0, 2) & 0x800F == 0x0002


def _teredo(place: PacketPlace) -> bool:
    """An IPv6 packet that is as long as the datagram."""
    return place.number(0, 1) >> 4 == 6 and place.number(4, 2) + 40 == place.wire - place.at


#: By UDP port.
UNOPENED_PORTS: dict[int, tuple[Unopened, Callable[[PacketPlace], bool]]] = {
    5247: (Unopened.CAPWAP, _capwap),
    5072: (Unopened.AYIYA, _ayiya),
    1701: (Unopened.L2TP, _l2tp),
    3544: (Unopened.TEREDO, _teredo),
}
