"""The slow way through one packet: every layer, and what is made of headers that lie or are cut off."""

import struct

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.octets import SIDE, SideStore
from cosemscope.capture.packets.link_types import OPENED_TYPES
from cosemscope.capture.packets.packet_headers import NOTHING, PacketReader
from cosemscope.capture.packets.packet_row import PacketRow
from tests.helpers import packets
from tests.helpers.batches import BASE, GAP, batch_of
from tests.helpers.packets import nflog, pktap, ppi, radiotap, wireless

TCP_DATA = packets.tcp(b"data", seq=7, ack=9, flags=0x112, window=77)
SEGMENT = packets.ipv4(TCP_DATA)
SIX = packets.ipv6(TCP_DATA)
FOUR_ENDS = ((0, 0x0A000001), (0, 0x0A000002))
SIX_ENDS = ((0xFE80 << 48, 1), (0x20010DB8 << 32, 2))


def read(packet: bytes, link: int = 1, original: int = 0, reader: PacketReader | None = None) -> PacketRow:
    batch = batch_of([packet], links=[link], originals=[original] if original else ())
    return (reader or PacketReader(SideStore())).read(batch, 0)


def segment_at(place: int, family: int = 4, vlan: int = 0) -> PacketRow:
    """The row of `TCP_DATA`, with its payload at this index of the packet."""
    source, destination = FOUR_ENDS if family == 4 else SIX_ENDS
    return PacketRow(
        *(6, family, *source, 50_000, *destination, 4059),
        *(7, 9, 0x112, 77),
        payload=BASE + GAP + place,
        payload_length=4,
        payload_captured=4,
        ip_id=0x1234 if family == 4 else 0,
        vlan=vlan,
    )


def ppp(kind: int) -> bytes:
    return struct.pack(">H", {4: 0x0021, 6: 0x0057}[kind])


def snap(kind: int) -> bytes:
    return b"\xaa\xaa\3\0\0\0" + struct.pack(">H", kind)


TAGS = (b"\x81\0", b"\x88\xa8", b"\x91\0", b"\x92\0")
#: The octets of a link header before an IPv4 packet, and before an IPv6 packet.
HEADERS = {
    0: [(struct.pack("<I", 2), struct.pack("<I", 10)), (struct.pack(">I", 2), struct.pack(">I", 28))],
    1: [
        (bytes(12) + b"\x08\0", bytes(12) + b"\x86\xdd"),
        (bytes(12) + b"\0\x40" + snap(0x0800), bytes(12) + b"\0\x40" + snap(0x86DD)),
        *((bytes(12) + tag + b"\0\5\x08\0", bytes(12) + tag + b"\0\5\x86\xdd") for tag in TAGS),
        (bytes(12) + b"\x88\x47\0\1\1\x40", bytes(12) + b"\x88\x48\0\1\1\x40"),
        (bytes(12) + b"\x88\x64" + bytes(6) + ppp(4), bytes(12) + b"\x88\x64" + bytes(6) + ppp(6)),
    ],
    8: [(bytes(16), bytes(16)), (b"\1", b"\1")],
    9: [
        (ppp(4), ppp(6)),
        (b"\xff\3" + ppp(4), b"\xff\3" + ppp(6)),
        (b"\x21", b"\x57"),
        (b"\x0f\0\x08\0", b"\x8f\0\x86\xdd"),
    ],
    12: [(b"", b"")],
    14: [(b"", b"")],
    50: [(b"\xff\3" + ppp(4), b"\xff\3" + ppp(6))],
    51: [(bytes(6) + ppp(4), bytes(6) + ppp(6))],
    101: [(b"", b"")],
    104: [(b"\x0f\0\x08\0", b"\x0f\0\x86\xdd")],
    105: [(wireless() + snap(0x0800), wireless(qos=True) + snap(0x86DD))],
    107: [
        (b"\x18\x41\3\xcc", b"\x18\x41\3\x8e"),
        (b"\x18\x41\3\0\x80\0\0\0\x08\0", b"\x18\x40\x01\3\x80\0\0\0\x86\xdd"),
    ],
    108: [(struct.pack(">I", 2), struct.pack(">I", 24))],
    113: [(bytes(14) + b"\x08\0", bytes(14) + b"\x86\xdd")],
    127: [
        (radiotap() + wireless() + snap(0x0800), radiotap(more=True) + wireless(both=True) + snap(0x86DD)),
        (
            radiotap(padded=True) + wireless(qos=True) + bytes(2) + snap(0x0800),
            radiotap(padded=True) + wireless(qos=True, order=True) + bytes(2) + snap(0x86DD),
        ),
    ],
    166: [(b"\1\3" + ppp(4), b"\1\3" + ppp(6))],
    192: [(ppi(1) + bytes(12) + b"\x08\0", ppi(105, 4) + wireless() + snap(0x86DD))],
    204: [(b"\1" + ppp(4), b"\1" + ppp(6))],
    228: [(b"", b"")],
    229: [(b"", b"")],
    239: [(nflog("<", len(SEGMENT)), nflog(">", len(SIX)))],
    258: [(pktap("<", 1) + bytes(12) + b"\x08\0", pktap(">", 12))],
    281: [(bytes(16) + b"\x08\0", bytes(16) + b"\x86\xdd")],
    282: [(bytes(16) + b"\x08\0", bytes(16) + b"\x86\xdd")],
    284: [(bytes(16) + b"\x08\0", bytes(16) + b"\x81\0\0\5\x86\xdd")],
    285: [(bytes(20) + b"\x08\0", bytes(20) + b"\x86\xdd")],
    276: [(b"\x08\0" + bytes(18), b"\x86\xdd" + bytes(18))],
}


def test_every_link_that_is_opened_has_its_header_here() -> None:
    """A link type that is added is added to this table, too."""
    assert set(HEADERS) == set(OPENED_TYPES)


@pytest.mark.parametrize(
    ("link", "four", "six"), [(link, *pair) for link in HEADERS for pair in HEADERS[link]]
)
def test_links(link: int, four: bytes, six: bytes) -> None:
    """Behind the header stands IPv4 or IPv6, and the payload at its place."""
    tags = [5 * any(tag + b"\0\5" in octets for tag in TAGS) for octets in (four, six)]
    assert read(four + SEGMENT, link) == segment_at(len(four) + 40, vlan=tags[0])
    assert read(six + SIX, link) == segment_at(len(six) + 60, 6, vlan=tags[1])


@pytest.mark.parametrize("link", [147, 105, 6])
def test_links_that_are_not_opened(link: int) -> None:
    """A row of zeros."""
    assert read(packets.ethernet(SEGMENT), link) == NOTHING


FRAME = packets.ethernet(SEGMENT)
SIX_EXTENDED = packets.extension(packets.extension(packets.authentication(TCP_DATA, 6), 51, units=2), 60)


@pytest.mark.parametrize(
    ("packet", "family"),
    [
        (packets.ipv6(SIX_EXTENDED, 0), 6),
        (packets.ipv6(packets.extension(TCP_DATA, 6), 135), 6),
        (packets.ipv6(packets.ipv6_fragment(TCP_DATA, 6, 0, False), 44), 6),
        (packets.ipv4(packets.authentication(TCP_DATA, 6), 51), 4),
        (packets.ipv4(TCP_DATA, options=b"\1" * 40), 4),
        (packets.ipv4(SEGMENT, 4), 4),
        (packets.ipv6(SEGMENT, 4), 4),
        (packets.ipv4(SIX, 41), 6),
        *((packets.ipv4(packets.gre(SEGMENT, flags=flags), 47), 4) for flags in (0, 0x8000, 0x3000, 0xB000)),
        (packets.ipv4(packets.gre(b"\xff\3" + ppp(4) + SEGMENT, 0x880B, flags=0x3081), 47), 4),
        (packets.ipv4(packets.gre(FRAME, 0x6558), 47), 4),
        (packets.ipv4(packets.vxlan(FRAME), 17), 4),
        (packets.ipv4(packets.gtp(SEGMENT), 17), 4),
        (packets.ipv4(packets.gtp(SIX, extensions=(1, 2)), 17), 6),
    ],
)
def test_extension_headers_and_tunnels(packet: bytes, family: int) -> None:
    """The innermost packet is the one that counts; its payload are the last four octets."""
    assert read(packet, 101) == segment_at(len(packet) - 4, family)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        SEGMENT[:39],
        packets.ipv4(TCP_DATA, total=19),
        b"\x44" + SEGMENT[1:],
        packets.ipv4(packets.tcp(b"")[:12] + b"\x40" + packets.tcp(b"")[13:]),
        packets.ipv4(b"\0" * 7, 17),
        packets.ipv4(TCP_DATA, 1),
        packets.ipv6(packets.extension(TCP_DATA, 6, units=9)[:60], 0),
        packets.ipv4(packets.gre(SEGMENT, flags=0x4000), 47),
        packets.ipv4(packets.gre(SEGMENT, 0x0806), 47),
        packets.ipv4(TCP_DATA, fragment=packets.MORE_FRAGMENTS | 1),
        packets.ipv4(TCP_DATA[:-1], fragment=packets.MORE_FRAGMENTS),
    ],
)
def test_packets_that_carry_nothing(packet: bytes) -> None:
    """Cut off, untrue, of another kind, or a part only: never an exception."""
    assert read(packet, 101) == NOTHING


@pytest.mark.parametrize("depth", [1, 10, 31, 32, 40, 300])
def test_tunnels_in_tunnels_end(depth: int) -> None:
    """32 layers are opened, and a packet of thousands costs no more."""
    packet = SEGMENT
    for _ in range(depth):
        packet = packets.ipv4(packet, 4)
    assert (read(packet, 101) == NOTHING) == (depth > 31)


def test_fragments_become_one_payload_in_the_side_store() -> None:
    """In any order; of TCP the first one is a segment by itself, and the rest comes with the last one."""
    side = SideStore()
    reader = PacketReader(side)
    whole = packets.tcp(bytes(range(100)))
    pieces = [(start // 8, whole[start : start + 40], start + 40 < len(whole)) for start in (80, 0, 40)]
    found = [
        read(packets.ipv4(piece, fragment=at | more * packets.MORE_FRAGMENTS), 101, reader=reader)
        for at, piece, more in pieces
    ]
    assert found[0] == NOTHING
    assert [(row.protocol, row.seq, row.payload_length, row.payload_captured) for row in found[1:]] == [
        (6, 1, 20, 20),
        (6, 21, 80, 80),
    ]
    assert found[2].payload == SIDE + 40
    assert side.octets(found[2].payload, 80) == bytes(range(20, 100))
    side.close()


@given(
    ports=st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
    numbers=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    data=st.binary(max_size=40),
    cut=st.integers(0, 10),
)
@settings(max_examples=80)
def test_a_segment_that_dpkt_made(
    ports: tuple[int, int], numbers: tuple[int, int], data: bytes, cut: int
) -> None:
    """Ports and numbers are those that were given to it; what is cut off is missing from the payload only."""
    tcp = dpkt.tcp.TCP(sport=ports[0], dport=ports[1], seq=numbers[0], ack=numbers[1], data=data)
    ip = dpkt.ip.IP(src=b"\1\2\3\4", dst=b"\5\6\7\x08", p=6, data=tcp)
    ip.len = len(ip)
    packet = bytes(ip)
    kept = packet[: max(40, len(packet) - cut)]
    row = read(kept, 101, original=len(packet))
    assert (row.source_port, row.destination_port, row.seq, row.ack) == (*ports, *numbers)
    assert (row.source_low, row.destination_low) == (0x01020304, 0x05060708)
    assert (row.payload_length, row.payload_captured) == (len(data), len(kept) - 40)


@given(
    source=st.binary(min_size=16, max_size=16),
    destination=st.binary(min_size=16, max_size=16),
    ports=st.tuples(st.integers(0, 65535), st.integers(0, 65535)).filter(
        lambda ports: not {2152, 4789} & set(ports)
    ),
    data=st.binary(max_size=40),
)
@settings(max_examples=60)
def test_a_datagram_over_ipv6_that_dpkt_made(
    source: bytes, destination: bytes, ports: tuple[int, int], data: bytes
) -> None:
    """Every octet of both addresses counts; what UDP does not have is 0."""
    udp = dpkt.udp.UDP(sport=ports[0], dport=ports[1], data=data)
    udp.ulen = len(udp)
    ip = dpkt.ip6.IP6(src=source, dst=destination, nxt=17, data=udp)
    ip.plen = len(udp)
    halves = struct.unpack(">2Q", source), struct.unpack(">2Q", destination)
    assert read(bytes(ip), 101) == PacketRow(
        *(17, 6, *halves[0], ports[0], *halves[1], ports[1]),
        *(0, 0, 0, 0),
        payload=BASE + GAP + 48,
        payload_length=len(data),
        payload_captured=len(data),
        ip_id=0,
    )


def test_nothing_is_all_zeros() -> None:
    """A packet that makes no sense is told from a real one by its protocol alone."""
    assert set(NOTHING) == {0}
