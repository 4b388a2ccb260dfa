"""Headers of links and of what stands between links and IP: where each ends, and what follows it.

A header is a function from the place where it begins to the kind of what follows and its place. Two tables
name them: `LINKS` by link type, `NETWORKS` by EtherType. None of them looks at an address.
"""

from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.link_types import LinkType
from cosemscope.capture.packets.packet_place import LINK, NOT_KNOWN, Following, Header, PacketPlace
from cosemscope.capture.packets.packet_row import MAX_LAYERS, VLAN_ID

_PPP_HEADER = b"\xff\x03"
# First octets of Cisco HDLC, unicast and multicast, which goes over links of PPP too (RFC 1547, 4.3.1).
_CISCO_ADDRESSES = (0x0F, 0x8F)
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"
# Frame Relay (RFC 2427): unnumbered information, padding, and network layer protocol numbers.
_UNNUMBERED, _NLPIDS, _NLPID_SNAP = 0x03, {0xCC: link_types.IPV4, 0x8E: link_types.IPV6}, 0x80
_NFLOG_PAYLOAD = 9
#: Values before it at most; there are some twenty types.
_NFLOG_MOST = 64
# IEEE 802.11, the second octet of frame control: to and from the distribution system, protected, order.
_BOTH_SYSTEMS, _PROTECTED, _ORDER = 0x03, 0x40, 0x80
_AGGREGATED = 0x80
_DATA_PADDED = 0x20


def frame(kind: int, place: PacketPlace) -> Following:
    """The layer that a type field of a link header names; where it is a length, SNAP does (RFC 1042)."""
    if kind < link_types.FIRST_ETHERTYPE and place.octets[place.at : place.at + 6] == _SNAP:
        return place.number(6, 2), place.move(8)
    return kind, place


def ethernet(place: PacketPlace) -> Following:
    """Ethernet II and IEEE 802.3."""
    return frame(place.number(12, 2), place.move(14))


def raw(place: PacketPlace) -> Following:
    """No header: IPv4 or IPv6 by the version."""
    return {4: link_types.IPV4, 6: link_types.IPV6}.get(place.number(0, 1) >> 4, NOT_KNOWN), place.move(0)


def ppp(place: PacketPlace) -> Following:
    """PPP with or without address and control, its protocol in one octet or two (RFC 1661, 1662)."""
    if place.number(0, 1) in _CISCO_ADDRESSES:
        return cisco_hdlc(place)
    if place.octets[place.at : place.at + 2] == _PPP_HEADER:
        place = place.move(2)
    size = 1 if place.number(0, 1) & 1 else 2
    return link_types.PPP_PROTOCOLS.get(place.number(0, size), NOT_KNOWN), place.move(size)


def cisco_hdlc(place: PacketPlace) -> Following:
    """Address, control and an EtherType."""
    return place.number(2, 2), place.move(4)


def mpls(place: PacketPlace) -> Following:
    """MPLS labels (RFC 3032) down to the one marked as the last, then IPv4 or IPv6 by its version."""
    last = 0
    while not last:
        if not place.has(4) or place.layers > MAX_LAYERS:
            return NOT_KNOWN, place
        last, place = place.number(2, 1) & 1, place.move(4)
    return raw(place)


def nsh(place: PacketPlace) -> Following:
    """A Network Service Header (RFC 8300), whose length counts words of 4 octets."""
    first = place.number(0, 2)
    kind = link_types.NEXT_PROTOCOLS.get(place.number(3, 1), NOT_KNOWN)
    return kind if first >> 14 == 0 and first & 0x3F > 1 else NOT_KNOWN, place.move((first & 0x3F) * 4)


def _vlan(place: PacketPlace) -> Following:
    """A tag of IEEE 802.1Q: an identifier, and the type of what follows."""
    return frame(place.number(2, 2), place.move(4)._replace(vlan=place.number(0, 2) & VLAN_ID))


def _loopback(place: PacketPlace) -> Following:
    little, big = (place.number(0, 4, order) for order in ("little", "big"))
    kind = link_types.FAMILIES.get(little) or link_types.FAMILIES.get(big)
    return kind or NOT_KNOWN, place.move(4)


def _slip(place: PacketPlace) -> Following:
    """A direction and the compressed form of the header that follows, or in some files a direction alone."""
    kind, inner = raw(place.move(16))
    return (kind, inner) if kind else raw(place.move(1))


def _frame_relay(place: PacketPlace) -> Following:
    """An address of 2 to 4 octets, whose last one is odd, and a header by RFC 2427."""
    size = next((count for count in (2, 3, 4) if place.number(count - 1, 1) & 1), 0)
    if not size or place.number(size, 1) != _UNNUMBERED:
        return NOT_KNOWN, place
    place = place.move(size + 1)
    if place.number(0, 2) == _NLPID_SNAP:  # padded, so that what follows is aligned
        place = place.move(1)
    if place.number(0, 1) == _NLPID_SNAP and place.number(1, 3) == 0:
        return place.number(4, 2), place.move(6)
    return _NLPIDS.get(place.number(0, 1), NOT_KNOWN), place.move(1)


def _pktap(place: PacketPlace) -> Following:
    """A header of macOS, in the octet order of the machine: its length, and the link type of what follows."""
    order = "little" if place.number(0, 4, "little") < 1 << 16 else "big"
    length, packet, link = (place.number(at, 4, order) for at in (0, 4, 8))
    return (LINK + link if packet == 1 and length > 12 else NOT_KNOWN), place.move(length)


def _nflog(place: PacketPlace) -> Following:
    """A header of Linux, then lengths, types and values in the machine's octet order: one is the packet."""
    at = 4
    order = "little" if place.number(at, 2, "little") < 1 << 10 else "big"
    for _ in range(_NFLOG_MOST):
        if place.number(1, 1) or not place.has(at + 4):
            break
        length, kind = place.number(at, 2, order), place.number(at + 2, 2, order) & 0x7FFF
        if kind == _NFLOG_PAYLOAD:
            return raw(place.move(at + 4))
        if length < 4:
            break
        at += length + 3 & ~3
    return NOT_KNOWN, place


def _ppi(place: PacketPlace) -> Following:
    """A length and the link type of what follows, little-endian."""
    length = place.number(2, 2, "little")
    known = not place.number(0, 1) and length >= 8
    return LINK + place.number(4, 4, "little") if known else NOT_KNOWN, place.move(length)


def _radiotap(place: PacketPlace) -> Following:
    """A length, and flags that tell whether the body is aligned to 4 octets."""
    length, fields, at = place.number(2, 2, "little"), place.number(4, 4, "little"), 8
    while place.number(at - 1, 1) & 0x80 and at < length:
        at += 4
    if fields & 1:
        at = (at + 7 & ~7) + 8
    padded = fields & 2 and place.number(at, 1) & _DATA_PADDED
    return _wireless(place.move(length), aligned=bool(padded)) if length >= 8 else (NOT_KNOWN, place)


def _wireless(place: PacketPlace, *, aligned: bool = False) -> Following:
    """A data frame of IEEE 802.11 that is not encrypted, with LLC and SNAP."""
    first, second = place.number(0, 1), place.number(1, 1)
    # Version 0, data, with a body.
    if first & 0x4F != 0x08 or second & _PROTECTED:
        return NOT_KNOWN, place
    size = 30 if second & _BOTH_SYSTEMS == _BOTH_SYSTEMS else 24
    if first & 0x80:  # with quality of service
        if place.number(size, 1) & _AGGREGATED:
            return NOT_KNOWN, place
        size += 6 if second & _ORDER else 2
    return frame(0, place.move(size + 3 & ~3 if aligned else size))


#: The headers of links, by link type.
LINKS: dict[int, Header] = {
    LinkType.NULL: _loopback,
    LinkType.LOOP: _loopback,
    LinkType.ETHERNET: ethernet,
    LinkType.SLIP: _slip,
    LinkType.PPP: ppp,
    LinkType.PPP_HDLC: ppp,
    LinkType.PPPOE: lambda place: ppp(place.move(6)),
    # One octet of direction: before the header, or (pppd) in place of its first octet.
    LinkType.PPP_DIRECTION: lambda place: ppp(place.move(1)),
    LinkType.PPP_PPPD: lambda place: ppp(place.move(2)),
    LinkType.CISCO_HDLC: cisco_hdlc,
    LinkType.IEEE_802_11: _wireless,
    LinkType.RADIOTAP: _radiotap,
    LinkType.PPI: _ppi,
    LinkType.FRAME_RELAY: _frame_relay,
    LinkType.LINUX_SLL: lambda place: frame(place.number(14, 2), place.move(16)),
    LinkType.LINUX_SLL2: lambda place: frame(place.number(0, 2), place.move(20)),
    LinkType.NFLOG: _nflog,
    LinkType.PKTAP: _pktap,
    # Ethernet with a tag of the switch behind the addresses or before them.
    LinkType.BROADCOM: lambda place: frame(place.number(16, 2), place.move(18)),
    LinkType.BROADCOM_BEFORE: lambda place: ethernet(place.move(4)),
    LinkType.DSA: lambda place: frame(place.number(16, 2), place.move(18)),
    LinkType.EDSA: lambda place: frame(place.number(20, 2), place.move(22)),
    **dict.fromkeys(link_types.RAW_TYPES, raw),
}

#: The headers between links and IP, by EtherType.
NETWORKS: dict[int, Header] = {
    link_types.TRANSPARENT_ETHERNET: ethernet,
    link_types.PPPOE_SESSION: lambda place: ppp(place.move(6)),
    link_types.PPP_IN_GRE: ppp,
    link_types.NSH: nsh,
    link_types.PROVIDER_BACKBONE: lambda place: ethernet(place.move(4)),
    # The type of what follows is the last field of a tag.
    link_types.E_TAG: lambda place: frame(place.number(6, 2), place.move(8)),
    link_types.VN_TAG: lambda place: frame(place.number(4, 2), place.move(6)),
    **dict.fromkeys(link_types.MPLS_LABELS, mpls),
    **dict.fromkeys(link_types.VLAN_TAGS, _vlan),
}
