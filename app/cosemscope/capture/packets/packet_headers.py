"""The slow way through the headers of one packet: every layer that this program opens, one after the other.

Header fields are unpacked by dpkt; where each header begins and ends is followed here, since rows name octets
by address, which dpkt's own descent through the layers loses (it copies, and raises on what is cut off).
A packet that makes no sense gives the row of zeros, never an exception.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import dpkt

from cosemscope.capture.octets import SideStore
from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.fragments import MAX_DATAGRAM, Fragment, Reassembly
from cosemscope.capture.packets.link_types import LinkType
from cosemscope.capture.packets.packet_row import (
    AH,
    G_PDU,
    GRE,
    GTP_U_PORT,
    IP_IN_IP,
    IPV6_IN_IP,
    IPV6_MOVING,
    MAX_LAYERS,
    TCP,
    UDP,
    VXLAN_PORT,
    PacketRow,
)
from cosemscope.capture.records import RecordBatch

NOTHING = PacketRow(*[0] * len(PacketRow._fields))
_PPP_HEADER = b"\xff\x03"
# In the place of a packet's number: nothing of it is kept, since it will be read again.
_ONLY_LOOKED_AT = -1
_SNAP = b"\xaa\xaa\x03\x00\x00\x00"


class _Place(NamedTuple):
    """State of the reading of a packet: `octets` from index `at` to `end` are captured, `wire` ends it.

    `address` is the address of `octets[0]`; `time` (ns), `packet` (its row in the packet table) and `layers`
    (headers opened so far) go along.
    """

    octets: bytes
    address: int
    at: int
    end: int
    wire: int
    time: int
    packet: int
    layers: int = 0

    def move(self, count: int) -> "_Place":
        """The place `count` octets further on, one layer deeper."""
        return self._replace(at=self.at + count, layers=self.layers + 1)

    def has(self, count: int) -> bool:
        """True when `count` octets from here on are captured."""
        return self.at + count <= self.end

    def number(self, offset: int, size: int) -> int:
        """The big-endian number of `size` octets, `offset` octets from here; 0 beyond what is captured."""
        start = self.at + offset
        return (
            int.from_bytes(self.octets[start : min(start + size, self.end)], "big")
            if self.has(offset + size)
            else 0
        )


_Layer = Callable[[_Place], PacketRow | None]


def _header_only(packet: type) -> Any:
    """dpkt's class `packet`, stopped after its fixed header: no descent, no guess at what follows."""
    return type(packet.__name__, (packet,), {"unpack": dpkt.Packet.unpack})


_Ip = _header_only(dpkt.ip.IP)
_Ip6 = _header_only(dpkt.ip6.IP6)
_Ip6Fragment = _header_only(dpkt.ip6.IP6FragmentHeader)
_Tcp = _header_only(dpkt.tcp.TCP)
_Udp = _header_only(dpkt.udp.UDP)
_Gre = _header_only(dpkt.gre.GRE)


class PacketReader:
    """Reads packets one by one. Remembers fragments, which it puts together in `side`."""

    def __init__(self, side: SideStore) -> None:
        self._side = side
        self.reassembly = Reassembly()
        self._links: dict[int, _Layer] = {
            LinkType.NULL: self._loopback,
            LinkType.LOOP: self._loopback,
            LinkType.ETHERNET: self._ethernet,
            LinkType.PPP: self._ppp,
            LinkType.PPP_HDLC: self._ppp,
            LinkType.PPPOE: lambda place: self._ppp(place.move(6)),
            # One octet of direction: before the header, or (pppd) in place of its first octet.
            LinkType.PPP_DIRECTION: lambda place: self._ppp(place.move(1)),
            LinkType.PPP_PPPD: lambda place: self._ppp(place.move(2)),
            LinkType.CISCO_HDLC: lambda place: self._network(place.number(2, 2), place.move(4)),
            LinkType.LINUX_SLL: lambda place: self._frame(place.number(14, 2), place.move(16)),
            LinkType.LINUX_SLL2: lambda place: self._frame(place.number(0, 2), place.move(20)),
            **dict.fromkeys(link_types.RAW_TYPES, self._raw),
        }
        self._networks: dict[int, _Layer] = {
            link_types.IPV4: self._ipv4,
            link_types.IPV6: self._ipv6,
            link_types.TRANSPARENT_ETHERNET: self._ethernet,
            link_types.PPPOE_SESSION: lambda place: self._ppp(place.move(6)),
            link_types.PPP_IN_GRE: self._ppp,
            **dict.fromkeys(link_types.MPLS_LABELS, self._mpls),
            **dict.fromkeys(
                link_types.VLAN_TAGS, lambda place: self._frame(place.number(2, 2), place.move(4))
            ),
        }

    def read(self, batch: RecordBatch, index: int, packet: int = 0) -> PacketRow:
        """The row of one packet of a batch; all zeros when it carries no TCP or UDP that can be read.

        `packet` is its number in the packet table, by which datagrams that are given up name it.
        """
        start = int(batch.offset[index]) - batch.base
        captured = int(batch.captured[index])
        octets = batch.buffer[start : start + captured].tobytes()
        wire = max(captured, int(batch.original[index]))
        place = _Place(octets, start + batch.base, 0, captured, wire, int(batch.time[index]), packet)
        layer = self._links.get(batch.interfaces[int(batch.interface[index])].link_type)
        return (layer and layer(place)) or NOTHING

    def _network(self, kind: int, place: _Place) -> PacketRow | None:
        """The row of the network layer that an EtherType names."""
        layer = self._networks.get(kind)
        if layer is None or place.at > place.end or place.layers > MAX_LAYERS:
            return None
        return layer(place)

    def _frame(self, kind: int, place: _Place) -> PacketRow | None:
        """The row of the layer that a type field of a link header names.

        Where it is a length, a SNAP header does (RFC 1042).
        """
        if kind < link_types.FIRST_ETHERTYPE and place.octets[place.at : place.at + 6] == _SNAP:
            kind, place = place.number(6, 2), place.move(8)
        return self._network(kind, place)

    def _ethernet(self, place: _Place) -> PacketRow | None:
        return self._frame(place.number(12, 2), place.move(14))

    def _loopback(self, place: _Place) -> PacketRow | None:
        family = place.octets[place.at : place.at + 4]
        little, big = int.from_bytes(family, "little"), int.from_bytes(family, "big")
        kind = link_types.FAMILIES.get(little) or link_types.FAMILIES.get(big)
        return self._network(kind, place.move(4)) if kind else None

    def _raw(self, place: _Place) -> PacketRow | None:
        kind = {4: link_types.IPV4, 6: link_types.IPV6}.get(place.number(0, 1) >> 4, 0)
        return self._network(kind, place.move(0))

    def _ppp(self, place: _Place) -> PacketRow | None:
        """PPP with or without address and control, its protocol in one octet or two (RFC 1661, 1662)."""
        if place.octets[place.at : place.at + 2] == _PPP_HEADER:
            place = place.move(2)
        size = 1 if place.number(0, 1) & 1 else 2
        return self._network(link_types.PPP_PROTOCOLS.get(place.number(0, size), 0), place.move(size))

    def _mpls(self, place: _Place) -> PacketRow | None:
        """MPLS labels (RFC 3032) down to the one marked as the last, then IPv4 or IPv6 by its version."""
        last = 0
        while not last:
            if not place.has(4) or place.layers > MAX_LAYERS:
                return None
            last, place = place.number(2, 1) & 1, place.move(4)
        return self._raw(place)

    def _ipv4(self, place: _Place) -> PacketRow | None:
        if not place.has(20):
            return None
        ip = _Ip(place.octets[place.at : place.at + 20])
        header = ip.hl * 4
        if ip.v != 4 or header < 20 or 0 < ip.len < header or not place.has(header):
            return None
        wire = place.at + ip.len if ip.len else place.wire
        body = place.move(header)._replace(end=min(place.end, wire), wire=wire)
        ends = _Addresses(4, 0, _word(ip.src), 0, _word(ip.dst), ip.id)
        if ip.mf or ip.offset:
            key = (4, ip.src, ip.dst, ip.id, ip.p)
            return self._fragment(body, Fragment(key, ip.offset * 8, not ip.mf, ip.p, place.packet), ends)
        return self._transport(ip.p, body, ends)

    def _ipv6(self, place: _Place) -> PacketRow | None:
        if not place.has(40):
            return None
        ip = _Ip6(place.octets[place.at : place.at + 40])
        if ip.v != 6:
            return None
        wire = place.at + 40 + ip.plen if ip.plen else place.wire
        body = place.move(40)._replace(end=min(place.end, wire), wire=wire)
        halves = (_word(ip.src[:8]), _word(ip.src[8:]), _word(ip.dst[:8]), _word(ip.dst[8:]))
        return self._behind_ip(ip.nxt, body, _Addresses(6, *halves, 0))

    def _behind_ip(self, kind: int, place: _Place, ends: "_Addresses") -> PacketRow | None:
        """The row of the transport of this kind, which with IPv6 stands behind extension headers."""
        while ends.family == 6 and kind in _EXTENSIONS:
            if not place.has(8) or place.layers > MAX_LAYERS:
                return None
            if kind == dpkt.ip.IP_PROTO_FRAGMENT:
                head = _Ip6Fragment(place.octets[place.at : place.at + 8])
                place, kind = place.move(8), head.nxt
                if head.frag_off or head.m_flag:
                    key = (6, *ends[1:5], head.id)
                    fragment = Fragment(key, head.frag_off * 8, not head.m_flag, kind, place.packet)
                    return self._fragment(place, fragment, ends)
            else:
                kind, place = place.number(0, 1), _behind(kind, place)
        return self._transport(kind, place, ends) if place.at <= place.end else None

    def _fragment(self, place: _Place, fragment: Fragment, ends: "_Addresses") -> PacketRow | None:
        """The row of the datagram that this fragment completes, in the side store; else of a first fragment.

        The latter has its flow, but octets only if the snap length cut it, so that it completes nothing.
        """
        cut = place.end < place.wire
        if place.packet == _ONLY_LOOKED_AT:
            return None
        if not cut:
            data = self.reassembly.add(fragment, place.octets[place.at : place.end], place.time)
            if data is not None:
                size, address = len(data), self._side.add(data)
                whole = place._replace(octets=data, address=address, at=0, end=size, wire=size)
                return self._behind_ip(self.reassembly.protocol, whole, ends)
        row = None if fragment.offset else self._first_fragment(place, fragment.protocol, ends)
        if row is None or cut:
            return row
        self.reassembly.begins(fragment, row._replace(payload=row.payload - place.address - place.at))
        return row._replace(payload=0, payload_length=0, payload_captured=0)

    def _first_fragment(self, place: _Place, protocol: int, ends: "_Addresses") -> PacketRow | None:
        """The row of a datagram of UDP of which only the beginning is here; None for any other protocol.

        UDP says how long the datagram is: IP does not before the last fragment has come.
        """
        part = place._replace(wire=place.at + MAX_DATAGRAM, packet=_ONLY_LOOKED_AT)
        row = self._behind_ip(protocol, part, ends)
        if row is None or row.protocol != UDP:
            return None
        untold = row.payload + row.payload_length == part.address + part.wire
        return row._replace(payload_length=row.payload_captured) if untold else row

    def _transport(self, protocol: int, place: _Place, ends: "_Addresses") -> PacketRow | None:
        if protocol == TCP:
            return _tcp(place, ends)
        if protocol == UDP:
            return self._udp(place, ends)
        if place.layers > MAX_LAYERS:
            return None
        if protocol == GRE:
            return self._gre(place)
        if protocol == AH and place.has(8):
            body = _behind(AH, place)
            return self._transport(place.number(0, 1), body, ends) if body.at <= body.end else None
        inner = {IP_IN_IP: link_types.IPV4, IPV6_IN_IP: link_types.IPV6}.get(protocol, 0)
        return self._network(inner, place)

    def _gre(self, place: _Place) -> PacketRow | None:
        """GRE (RFC 2784, 2890) and its enhanced form for PPP (RFC 2637); source routing is not followed."""
        if not place.has(4):
            return None
        gre = _Gre(place.octets[place.at : place.at + 4])
        if gre.flags & dpkt.gre.GRE_RP:
            return None
        fields = (dpkt.gre.GRE_CP, dpkt.gre.GRE_KP, dpkt.gre.GRE_SP, dpkt.gre.GRE_AP if gre.v == 1 else 0)
        return self._network(gre.p, place.move(4 + 4 * sum(1 for bit in fields if gre.flags & bit)))

    def _udp(self, place: _Place, ends: "_Addresses") -> PacketRow | None:
        if not place.has(8):
            return None
        udp = _Udp(place.octets[place.at : place.at + 8])
        wire = place.at + udp.ulen if 8 <= udp.ulen <= place.wire - place.at else place.wire
        body = place.move(8)._replace(end=min(place.end, wire), wire=wire)
        ports = (udp.sport, udp.dport)
        inner = None
        if place.layers <= MAX_LAYERS:
            if GTP_U_PORT in ports:
                inner = self._gtp(body)
            elif VXLAN_PORT in ports:
                inner = self._vxlan(body)
        return inner or _row(UDP, body, ends, ports)

    def _vxlan(self, place: _Place) -> PacketRow | None:
        """VXLAN (RFC 7348): a flag says that the network identifier is there, then an Ethernet frame."""
        return self._ethernet(place.move(8)) if place.has(8) and place.number(0, 1) & 0x08 else None

    def _gtp(self, place: _Place) -> PacketRow | None:
        """GTP-U version 1 (3GPP TS 29.281): an IP packet behind the header and its extensions."""
        flags = place.number(0, 1)
        if flags >> 4 != 3 or place.number(1, 1) != G_PDU or not place.has(8):
            return None
        more = place.number(11, 1) if flags & 0x04 else 0
        place = place.move(12 if flags & 0x07 else 8)
        while more:
            size = place.number(0, 1) * 4
            if not size or not place.has(size) or place.layers > MAX_LAYERS:
                return None
            more, place = place.number(size - 1, 1), place.move(size)
        return self._raw(place) if place.has(1) else None


class _Addresses(NamedTuple):
    """Addresses of the ends, by the IP header: the address halves as in `PacketRow`."""

    family: int
    source_high: int
    source_low: int
    destination_high: int
    destination_low: int
    ip_id: int


# Extension headers of IPv6: octets in a unit of their length field, and octets that this does not count.
_EXTENSIONS = {
    dpkt.ip.IP_PROTO_HOPOPTS: (8, 8),
    dpkt.ip.IP_PROTO_ROUTING: (8, 8),
    dpkt.ip.IP_PROTO_FRAGMENT: (0, 8),
    AH: (4, 8),
    dpkt.ip.IP_PROTO_DSTOPTS: (8, 8),
    **dict.fromkeys(IPV6_MOVING, (8, 8)),
}


def _behind(header: int, place: _Place) -> _Place:
    """The place behind an extension or authentication header, whose second octet has its length."""
    unit, least = _EXTENSIONS[header]
    return place.move(place.number(1, 1) * unit + least)


def _word(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _tcp(place: _Place, ends: _Addresses) -> PacketRow | None:
    if not place.has(20):
        return None
    tcp = _Tcp(place.octets[place.at : place.at + 20])
    header = tcp.off * 4
    if header < 20 or place.at + header > place.wire:
        return None
    control = (tcp.seq, tcp.ack, place.number(12, 2) & 0x0FFF, tcp.win)
    return _row(TCP, place.move(header), ends, (tcp.sport, tcp.dport), control)


def _row(
    protocol: int,
    place: _Place,
    ends: _Addresses,
    ports: tuple[int, int],
    control: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> PacketRow:
    """The row of a packet whose payload begins at `place`."""
    return PacketRow(
        protocol,
        ends.family,
        ends.source_high,
        ends.source_low,
        ports[0],
        ends.destination_high,
        ends.destination_low,
        ports[1],
        *control,
        payload=place.address + place.at,
        payload_length=max(place.wire - place.at, 0),
        payload_captured=max(min(place.end, place.wire) - place.at, 0),
        ip_id=ends.ip_id,
    )
