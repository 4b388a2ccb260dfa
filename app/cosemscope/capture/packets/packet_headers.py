"""The slow way through the headers of one packet: every layer that this program opens, one after the other.

Header fields are unpacked by dpkt; where each header begins and ends is followed here, since rows name octets
by address, which dpkt's own descent through the layers loses (it copies, and raises on what is cut off).
A packet that makes no sense gives the row of zeros, never an exception.
"""

from typing import Any, NamedTuple

import dpkt

from cosemscope.capture.octets import SideStore
from cosemscope.capture.packets import link_types
from cosemscope.capture.packets.fragments import MAX_DATAGRAM, FirstFragment, Fragment, Reassembly
from cosemscope.capture.packets.link_headers import LINKS, NETWORKS
from cosemscope.capture.packets.packet_place import LINK, NOT_KNOWN, PacketPlace
from cosemscope.capture.packets.packet_row import (
    AH,
    FIN,
    IPV6_MOVING,
    MAX_LAYERS,
    PSH,
    RST,
    SYN,
    TCP,
    UDP,
    PacketRow,
)
from cosemscope.capture.packets.tcp_options import timestamp
from cosemscope.capture.packets.tunnel_headers import IP_TUNNELS, UDP_TUNNELS
from cosemscope.capture.packets.unopened import UNOPENED_PORTS, UNOPENED_PROTOCOLS, UNOPENED_TYPES
from cosemscope.capture.records import RecordBatch

NOTHING = PacketRow(*[0] * len(PacketRow._fields))
# In the place of a packet's number: nothing of it is kept, since it will be read again.
_ONLY_LOOKED_AT = -1
# Flags of TCP that hold behind the last octet of a segment.
_LAST_FLAGS = FIN | RST | PSH


def _header_only(packet: type) -> Any:
    """dpkt's class `packet`, stopped after its fixed header: no descent, no guess at what follows."""
    return type(packet.__name__, (packet,), {"unpack": dpkt.Packet.unpack})


_Ip = _header_only(dpkt.ip.IP)
_Ip6 = _header_only(dpkt.ip6.IP6)
_Ip6Fragment = _header_only(dpkt.ip6.IP6FragmentHeader)
_Tcp = _header_only(dpkt.tcp.TCP)
_Udp = _header_only(dpkt.udp.UDP)


class PacketReader:
    """Reads packets one by one. Remembers fragments, which it puts together in `side`."""

    def __init__(self, side: SideStore) -> None:
        self._side = side
        self.reassembly = Reassembly()

    def read(self, batch: RecordBatch, index: int, packet: int = 0) -> PacketRow:
        """The row of one packet of a batch; all zeros when it carries no TCP or UDP that can be read.

        `packet` is its number in the packet table, by which datagrams that are given up name it.
        """
        start = int(batch.offset[index]) - batch.base
        captured = int(batch.captured[index])
        octets = batch.buffer[start : start + captured].tobytes()
        wire = max(captured, int(batch.original[index]))
        place = PacketPlace(octets, start + batch.base, 0, captured, wire, int(batch.time[index]), packet)
        return self._network(LINK + batch.interfaces[int(batch.interface[index])].link_type, place) or NOTHING

    def _network(self, kind: int, place: PacketPlace) -> PacketRow | None:
        """The row of the packet behind all headers from here on; `kind` is an EtherType or a link type."""
        while place.at <= place.end and place.layers <= MAX_LAYERS:
            if kind == link_types.IPV4:
                return self._ipv4(place)
            if kind == link_types.IPV6:
                return self._ipv6(place)
            header = LINKS.get(kind - LINK) if kind >= LINK else NETWORKS.get(kind)
            if header is None:
                return NOTHING._replace(unopened=UNOPENED_TYPES.get(kind, 0))
            kind, place = header(place)
        return None

    def _ipv4(self, place: PacketPlace) -> PacketRow | None:
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

    def _ipv6(self, place: PacketPlace) -> PacketRow | None:
        if not place.has(40):
            return None
        ip = _Ip6(place.octets[place.at : place.at + 40])
        if ip.v != 6:
            return None
        wire = place.at + 40 + ip.plen if ip.plen else place.wire
        body = place.move(40)._replace(end=min(place.end, wire), wire=wire)
        halves = (_word(ip.src[:8]), _word(ip.src[8:]), _word(ip.dst[:8]), _word(ip.dst[8:]))
        return self._behind_ip(ip.nxt, body, _Addresses(6, *halves, 0))

    def _behind_ip(self, kind: int, place: PacketPlace, ends: "_Addresses") -> PacketRow | None:
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

    def _fragment(self, place: PacketPlace, fragment: Fragment, ends: "_Addresses") -> PacketRow | None:
        """The row of the datagram that this fragment completes, in the side store; else of a first fragment.

        A segment of TCP is as good as two: what the first fragment brings goes before the rest. One of UDP
        has its flow, but octets only if the snap length cut it, so that it completes nothing.
        """
        cut = place.end < place.wire
        if place.packet == _ONLY_LOOKED_AT:
            return None
        if not cut:
            data = self.reassembly.add(fragment, place.octets[place.at : place.end], place.time)
            if data is not None:
                size, address = len(data), self._side.add(data)
                whole = place._replace(octets=data, address=address, at=0, end=size, wire=size)
                return _rest(self._behind_ip(self.reassembly.protocol, whole, ends), self.reassembly.first)
        row = None if fragment.offset else self._first_fragment(place, fragment.protocol, ends)
        if row is None or cut:
            return row
        if not self.reassembly.begins(fragment, row._replace(payload=row.payload - place.address - place.at)):
            return None
        return row if row.protocol == TCP else row._replace(payload=0, payload_length=0, payload_captured=0)

    def _first_fragment(self, place: PacketPlace, protocol: int, ends: "_Addresses") -> PacketRow | None:
        """The row of a datagram of UDP or TCP of which only the beginning is here; None for other protocols.

        UDP says how long the datagram is: IP does not before the last fragment has come. Of TCP what is here
        is a segment, without the flags that come with the last octet.
        """
        part = place._replace(wire=place.at + MAX_DATAGRAM, packet=_ONLY_LOOKED_AT)
        row = self._behind_ip(protocol, part, ends)
        if row is None or row.protocol not in (TCP, UDP):
            return None
        if row.protocol == TCP:
            return row._replace(payload_length=row.payload_captured, flags=row.flags & ~_LAST_FLAGS)
        untold = row.payload + row.payload_length == part.address + part.wire
        return row._replace(payload_length=row.payload_captured) if untold else row

    def _transport(self, protocol: int, place: PacketPlace, ends: "_Addresses") -> PacketRow | None:
        if protocol == TCP:
            return _tcp(place, ends)
        if protocol == UDP:
            return self._udp(place, ends)
        if place.layers > MAX_LAYERS:
            return None
        if protocol == AH and place.has(8):
            body = _behind(AH, place)
            return self._transport(place.number(0, 1), body, ends) if body.at <= body.end else None
        tunnel = IP_TUNNELS.get(protocol)
        if tunnel is None:
            return NOTHING._replace(unopened=UNOPENED_PROTOCOLS.get(protocol, 0))
        return self._network(*tunnel(place))

    def _udp(self, place: PacketPlace, ends: "_Addresses") -> PacketRow | None:
        if not place.has(8):
            return None
        udp = _Udp(place.octets[place.at : place.at + 8])
        wire = place.at + udp.ulen if 8 <= udp.ulen <= place.wire - place.at else place.wire
        body = place.move(8)._replace(end=min(place.end, wire), wire=wire)
        ports = (udp.sport, udp.dport)
        row = _row(UDP, body, ends, ports)
        unopened = _unopened(ports, body)
        for port in UDP_TUNNELS if place.layers <= MAX_LAYERS else ():
            kind, inner = UDP_TUNNELS[port](body) if port in ports else (NOT_KNOWN, body)
            found = self._network(kind, inner) if kind else None
            if found is not None and found.protocol:
                return found
            unopened = unopened or (found.unopened if found is not None else 0)
        return row._replace(unopened=unopened) if unopened else row


def _rest(row: PacketRow | None, first: FirstFragment | None) -> PacketRow | None:
    """The row of a whole datagram, of TCP without the octets that the row of its first fragment brought."""
    if row is None or first is None or row.protocol != TCP or first.row.protocol != TCP:
        return row
    told = min(first.row.payload_length, row.payload_length)
    return row._replace(
        seq=(row.seq + told + (row.flags & SYN > 0)) & 0xFFFFFFFF,
        flags=row.flags & ~SYN,
        payload=row.payload + told,
        payload_length=row.payload_length - told,
        payload_captured=max(row.payload_captured - told, 0),
    )


def _unopened(ports: tuple[int, int], place: PacketPlace) -> int:
    """The kind of encapsulation that is not opened in a datagram between these ports, or 0."""
    for port in ports:
        kind, is_one = UNOPENED_PORTS.get(port, (0, None))
        if is_one is not None and is_one(place):
            return kind
    return 0


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


def _behind(header: int, place: PacketPlace) -> PacketPlace:
    """The place behind an extension or authentication header, whose second octet has its length."""
    unit, least = _EXTENSIONS[header]
    return place.move(place.number(1, 1) * unit + least)


def _word(octets: bytes) -> int:
    return int.from_bytes(octets, "big")


def _tcp(place: PacketPlace, ends: _Addresses) -> PacketRow | None:
    if not place.has(20):
        return None
    tcp = _Tcp(place.octets[place.at : place.at + 20])
    header = tcp.off * 4
    if header < 20 or place.at + header > place.wire:
        return None
    control = (tcp.seq, tcp.ack, place.number(12, 2) & 0x0FFF, tcp.win)
    row = _row(TCP, place.move(header), ends, (tcp.sport, tcp.dport), control)
    return row._replace(tsval=timestamp(place.octets[place.at + 20 : min(place.at + header, place.end)]))


def _row(
    protocol: int,
    place: PacketPlace,
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
        vlan=place.vlan,
    )
