"""Builders of packets, layer by layer; each takes the payload and returns it with a header before it."""

import ipaddress
import struct

A4, B4 = "10.0.0.1", "10.0.0.2"
A6, B6 = "fe80::1", "2001:db8::2"
MORE_FRAGMENTS = 0x2000


def ethernet(payload: bytes, kind: int = 0x0800, tags: tuple[int, ...] = ()) -> bytes:
    """An Ethernet II frame; `tags` are the EtherTypes of VLAN tags, outermost first."""
    vlan = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + vlan + struct.pack(">H", kind) + payload


def mpls(payload: bytes, labels: int = 1) -> bytes:
    """A stack of MPLS labels, the last of which says that it is the bottom one."""
    stack = [number << 12 | (number == labels) << 8 | 64 for number in range(1, labels + 1)]
    return struct.pack(f">{labels}I", *stack) + payload


def ipv4(
    payload: bytes,
    protocol: int = 6,
    *,
    source: str = A4,
    destination: str = B4,
    options: bytes = b"",
    fragment: int = 0,
    number: int = 0x1234,
    total: int | None = None,
) -> bytes:
    """An IPv4 packet; `fragment` is the word of flags and offset, `options` are whole words."""
    size = 20 + len(options)
    head = struct.pack(
        ">BBHHHBBH4s4s",
        0x40 | size // 4,
        0,
        size + len(payload) if total is None else total,
        number,
        fragment,
        64,
        protocol,
        0,
        ipaddress.ip_address(source).packed,
        ipaddress.ip_address(destination).packed,
    )
    return head + options + payload


def ipv6(
    payload: bytes, protocol: int = 6, *, source: str = A6, destination: str = B6, length: int | None = None
) -> bytes:
    """An IPv6 packet."""
    head = struct.pack(
        ">IHBB16s16s",
        0x6000_0000,
        len(payload) if length is None else length,
        protocol,
        64,
        ipaddress.ip_address(source).packed,
        ipaddress.ip_address(destination).packed,
    )
    return head + payload


def extension(payload: bytes, following: int, *, units: int = 0) -> bytes:
    """An IPv6 extension header of 8 * (units + 1) octets (hop-by-hop, routing, destination)."""
    return bytes((following, units, 1, 4)) + bytes(4 + 8 * units) + payload


def authentication(payload: bytes, following: int) -> bytes:
    """An authentication header (RFC 4302) of 24 octets."""
    return bytes((following, 4)) + bytes(22) + payload


def ipv6_fragment(payload: bytes, following: int, offset: int, more: bool, number: int = 77) -> bytes:
    """An IPv6 fragment header; `offset` in octets."""
    return struct.pack(">BBHI", following, 0, offset | more, number) + payload


def tcp(
    payload: bytes,
    source: int = 50_000,
    destination: int = 4059,
    *,
    seq: int = 1,
    ack: int = 2,
    flags: int = 0x18,
    window: int = 8192,
    options: bytes = b"",
) -> bytes:
    """A TCP segment; `options` are whole words."""
    control = (20 + len(options)) // 4 << 12 | flags
    return struct.pack(">HHIIHHHH", source, destination, seq, ack, control, window, 0, 0) + options + payload


def udp(payload: bytes, source: int = 50_000, destination: int = 4059, length: int | None = None) -> bytes:
    """A UDP datagram."""
    size = len(payload) + 8 if length is None else length
    return struct.pack(">HHHH", source, destination, size, 0) + payload


def gre(payload: bytes, kind: int = 0x0800, *, flags: int = 0) -> bytes:
    """GRE with the optional fields that `flags` names (checksum 0x8000, key 0x2000, sequence 0x1000)."""
    fields = 4 * sum(1 for bit in (0x8000, 0x2000, 0x1000, 0x0080) if flags & bit)
    return struct.pack(">HH", flags, kind) + bytes(fields) + payload


def vxlan(frame: bytes) -> bytes:
    """VXLAN and the UDP header before it."""
    return udp(b"\x08\0\0\0\0\0\x2a\0" + frame, 55_555, 4789)


def gtp(packet: bytes, *, extensions: tuple[int, ...] = ()) -> bytes:
    """GTP-U and the UDP header before it; `extensions` are lengths of extension headers in words."""
    flags = 0x34 if extensions else 0x30
    body = b""
    if extensions:
        body = b"\0\0\0" + b"\x85"
        for index, words in enumerate(extensions):
            last = index == len(extensions) - 1
            body += bytes((words,)) + bytes(words * 4 - 2) + (b"\0" if last else b"\x85")
    body += packet
    return udp(struct.pack(">BBHI", flags, 255, len(body), 0x1001) + body, 2152, 2152)


def wireless(*, qos: bool = False, both: bool = False, order: bool = False) -> bytes:
    """The header of a data frame of IEEE 802.11, in which `both` ends are distribution systems."""
    control = bytes((0x88 if qos else 0x08, (0x03 if both else 0x01) | 0x80 * order))
    addresses = b"\2\0\0\0\0\1" * 3
    return control + bytes(2) + addresses + bytes(2) + addresses[: 6 * both] + bytes(2 * qos + 4 * order)


def radiotap(*, more: bool = False, padded: bool = False) -> bytes:
    """A radiotap header; `more`: with a time stamp and flags, which tell whether the frame is `padded`."""
    fields = [3 | 1 << 31, 0] if more else [2] if padded else [0]
    body = (bytes(8) if more else b"") + bytes((0x20 * padded,)) * (more or padded)
    return struct.pack(f"<BBH{len(fields)}I", 0, 0, 4 + 4 * len(fields) + len(body), *fields) + body


def ppi(link_type: int, extra: int = 0) -> bytes:
    """A PPI header with so many octets of fields."""
    return struct.pack("<BBHI", 0, 0, 8 + extra, link_type) + bytes(extra)


def nflog(order: str, size: int) -> bytes:
    """The header of a packet of `size` octets in a netfilter log: a hook, a prefix, then the packet."""
    values = struct.pack(order + "HHI", 8, 1, 0) + struct.pack(order + "HH2x", 6, 10) + bytes(2)
    return struct.pack(">BBH", 2, 0, 5) + values + struct.pack(order + "HH", size + 4, 9)


def pktap(order: str, link_type: int) -> bytes:
    """The header of macOS, for a packet of this link type."""
    return struct.pack(order + "III", 108, 1, link_type) + b"en0".ljust(24, b"\0") + bytes(72)


def geneve(body: bytes, kind: int, options: int = 0) -> bytes:
    """Geneve with so many words of options, and the UDP header before it."""
    return udp(struct.pack(">BBHI", options, 0, kind, 0x2A00) + bytes(4 * options) + body, 55_555, 6081)


def nsh(body: bytes, following: int) -> bytes:
    """A Network Service Header with four context words."""
    return struct.pack(">HBBI", 0x0FC6, 1, following, 0x2AFF) + bytes(16) + body
