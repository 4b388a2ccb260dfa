"""Headers of tunnels over IP and UDP: where each ends, and what follows it.

On the ports of tunnels other traffic may go, DLMS too: what is no such header is left to UDP.
"""

from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.link_headers import raw
from cosemscope.capture.packets.packet_place import NOT_KNOWN, Following, Header, PacketPlace
from cosemscope.capture.packets.packet_row import (
    ETHER_IP,
    G_PDU,
    GENEVE_PORT,
    GRE,
    GRE_PORT,
    GTP_U_PORT,
    IP_IN_IP,
    IPV6_IN_IP,
    MAX_LAYERS,
    VXLAN_GPE_PORT,
    VXLAN_PORT,
)

# Flags of a GRE header: checksum, routing, key, sequence number (RFC 2784, 2890), acknowledgement (RFC 2637).
_CHECKSUM, _ROUTING, _KEY, _SEQUENCE, _ACKNOWLEDGED = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080


def gre(place: PacketPlace) -> Following:
    """GRE (RFC 2784, 2890) and its enhanced form for PPP (RFC 2637); source routing is not followed."""
    if not place.has(4):
        return NOT_KNOWN, place
    flags, kind = place.number(0, 2), place.number(2, 2)
    if flags & _ROUTING:
        return NOT_KNOWN, place
    fields = (_CHECKSUM, _KEY, _SEQUENCE, _ACKNOWLEDGED if flags & 7 == 1 else 0)
    place = place.move(4 + 4 * sum(1 for bit in fields if flags & bit))
    if kind == link_types.ERSPAN:  # its first version has no header, and no sequence number tells so
        return link_types.TRANSPARENT_ETHERNET, place.move(8 if flags & _SEQUENCE else 0)
    if kind == link_types.ERSPAN_3:
        return link_types.TRANSPARENT_ETHERNET, place.move(20 if place.number(11, 1) & 1 else 12)
    return kind, place


def vxlan(place: PacketPlace) -> Following:
    """VXLAN (RFC 7348): a flag says that the network identifier is there, then an Ethernet frame."""
    known = place.has(8) and place.number(0, 1) & 0x08
    return link_types.TRANSPARENT_ETHERNET if known else NOT_KNOWN, place.move(8)


def _vxlan_gpe(place: PacketPlace) -> Following:
    """VXLAN with a field for what follows."""
    known = place.has(8) and place.number(0, 1) & 0x0C == 0x0C
    return link_types.NEXT_PROTOCOLS.get(place.number(3, 1), NOT_KNOWN) if known else NOT_KNOWN, place.move(8)


def _geneve(place: PacketPlace) -> Following:
    """Geneve (RFC 8926), version 0: options in words of 4 octets, an EtherType, a network identifier."""
    first, reserved = place.number(0, 1), place.number(1, 1) & 0x3F | place.number(7, 1)
    known = place.has(8) and first >> 6 == 0 and not reserved
    return place.number(2, 2) if known else NOT_KNOWN, place.move(8 + 4 * (first & 0x3F))


def _gtp(place: PacketPlace) -> Following:
    """GTP-U version 1 (3GPP TS 29.281): an IP packet behind the header and its extensions."""
    flags = place.number(0, 1)
    if flags >> 4 != 3 or place.number(1, 1) != G_PDU or not place.has(8):
        return NOT_KNOWN, place
    more = place.number(11, 1) if flags & 0x04 else 0
    place = place.move(12 if flags & 0x07 else 8)
    while more:
        size = place.number(0, 1) * 4
        if not size or not place.has(size) or place.layers > MAX_LAYERS:
            return NOT_KNOWN, place
        more, place = place.number(size - 1, 1), place.move(size)
    return raw(place)


#: Tunnels by IP protocol.
IP_TUNNELS: dict[int, Header] = {
    IP_IN_IP: lambda place: (link_types.IPV4, place),
    IPV6_IN_IP: lambda place: (link_types.IPV6, place),
    GRE: gre,
    ETHER_IP: lambda place: (link_types.TRANSPARENT_ETHERNET, place.move(2)),
}
#: Tunnels by UDP port, in the order in which they are tried.
UDP_TUNNELS: dict[int, Header] = {
    GTP_U_PORT: _gtp,
    VXLAN_PORT: vxlan,
    VXLAN_GPE_PORT: _vxlan_gpe,
    GENEVE_PORT: _geneve,
    GRE_PORT: gre,
}
