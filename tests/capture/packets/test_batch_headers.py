"""The fast way through a batch: every column of packets that dpkt has made, and the packets it leaves."""

import struct
from typing import Any, NamedTuple

import dpkt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.packets.batch_headers import dissect
from cosemscope.capture.packets.packet_row import ROW
from tests.helpers import packets
from tests.helpers.batches import BASE, GAP, batch_of

NUMBER = st.integers(0, 2**16 - 1)
LONG = st.integers(0, 2**32 - 1)
#: No port of a tunnel: what is in those is opened.
PORT = NUMBER.filter(lambda port: port not in (2152, 4789))


class Made(NamedTuple):
    """A packet of dpkt's with the row that its fields make; `payload` is where it begins in the packet."""

    octets: bytes
    row: dict[str, int]
    payload: int


def halves(address: bytes) -> tuple[int, int]:
    whole = int.from_bytes(address, "big")
    return whole >> 64, whole & (2**64 - 1)


_STAMP = b"\x08\x0a\0\1\2\3\0\0\0\7"
OPTIONS = st.one_of(
    st.integers(0, 10).map(lambda words: (b"\1" * 4 * words, 0)),
    st.sampled_from(
        [
            (b"\1\1" + _STAMP, 0x10203),
            (_STAMP + b"\0\0", 0x10203),
            (b"\2\4\5\xb4\4\2" + _STAMP + b"\1\3\3\7", 0x10203),
            (b"\0\1" + _STAMP, 0),  # behind the end of the list
            (b"\5\1" + _STAMP, 0),  # behind a length that cannot be
            (b"\x08\x09" + _STAMP[2:] + b"\1\1", 0),  # of another size
            (b"\1" * 32 + _STAMP[:8], 0),  # cut off by the header's end
        ]
    ),
)


@st.composite
def made(draw: st.DrawFn) -> Made:
    """IPv4 or IPv6, TCP or UDP, with options, tags and a trailer, in an Ethernet frame."""
    data = draw(st.binary(max_size=40))
    sport, dport, seq, ack = draw(PORT), draw(PORT), draw(LONG), draw(LONG)
    row = dict.fromkeys(ROW.names or (), 0)
    row |= {"source_port": sport, "destination_port": dport, "payload_length": len(data)}
    if draw(st.booleans()):
        options, tsval = draw(OPTIONS)
        flags, window = draw(st.integers(0, 255)), draw(NUMBER)
        body: Any = dpkt.tcp.TCP(
            sport=sport, dport=dport, seq=seq, ack=ack, flags=flags, win=window, opts=options, data=data
        )
        body.off = 5 + len(options) // 4
        row |= {"protocol": 6, "seq": seq, "ack": ack, "flags": flags, "window": window}
        row |= {"tsval": tsval}
    else:
        body = dpkt.udp.UDP(sport=sport, dport=dport, data=data)
        body.ulen = len(body)
        row |= {"protocol": 17}
    if draw(st.booleans()):
        source, destination, number = draw(st.binary(min_size=4, max_size=4)), b"\xc0\0\2\7", draw(NUMBER)
        ip: Any = dpkt.ip.IP(src=source, dst=destination, p=row["protocol"], id=number, data=body)
        ip.opts = draw(st.integers(0, 10).map(lambda words: b"\1" * 4 * words))
        ip.hl, ip.len = 5 + len(ip.opts) // 4, len(ip)
        kind = dpkt.ethernet.ETH_TYPE_IP
        row |= {"family": 4, "ip_id": number, "source_low": int.from_bytes(source, "big")}
        row |= {"destination_low": int.from_bytes(destination, "big")}
    else:
        source, destination = draw(st.binary(min_size=16, max_size=16)), bytes(range(16))
        ip = dpkt.ip6.IP6(src=source, dst=destination, nxt=row["protocol"], data=body)
        ip.plen = len(body)
        kind = dpkt.ethernet.ETH_TYPE_IP6
        row |= dict(zip(("source_high", "source_low"), halves(source), strict=True), family=6)
        row |= dict(zip(("destination_high", "destination_low"), halves(destination), strict=True))
    tags = draw(st.lists(st.sampled_from([0x8100, 0x88A8]), max_size=2))
    frame = packets.ethernet(bytes(ip), kind, tuple(tags))
    row |= {"vlan": 5 if tags else 0}
    payload = len(frame) - len(data)
    return Made(frame + bytes(draw(st.integers(0, 8))), row, payload)


def rows_of(octets: list[bytes], **values: Any) -> tuple[list[dict[str, int]], list[int]]:
    """The rows of packets, and the numbers of those that are left to the slow way."""
    columns, slow = dissect(batch_of(octets, **values))
    assert {name: column.dtype for name, column in columns.items()} == {
        name: ROW[name] for name in ROW.names or ()
    }
    return [
        {name: int(column[number]) for name, column in columns.items()} for number in range(len(octets))
    ], slow.tolist()


@given(st.lists(made(), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_every_field_of_packets_that_dpkt_made(some: list[Made]) -> None:
    """Of one kind or of many in a batch; a trailer of Ethernet is no payload; payload is an address."""
    found, slow = rows_of([one.octets for one in some])
    assert slow == []
    place = BASE + GAP
    for one, row in zip(some, found, strict=True):
        wanted = one.row | {"payload": place + one.payload, "payload_captured": one.row["payload_length"]}
        assert row == wanted
        place += len(one.octets) + 16


SEGMENT = packets.ipv4(packets.tcp(b"data"))
SIX = packets.ipv6(packets.tcp(b"data"))
DATAGRAM = packets.ipv4(packets.udp(b"data"), 17)


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (0, struct.pack("<I", 2) + SEGMENT),
        (0, struct.pack(">I", 30) + SIX),
        (108, struct.pack(">I", 24) + SIX),
        *((link, SEGMENT) for link in (12, 14, 101, 228)),
        *((link, SIX) for link in (12, 14, 101, 229)),
        (113, bytes(14) + b"\x08\0" + SEGMENT),
        (276, b"\x86\xdd" + bytes(18) + SIX),
        (1, packets.ethernet(packets.mpls(SEGMENT, 3), 0x8847)),
        (1, packets.ethernet(packets.ipv4(packets.gre(SIX, 0x86DD, flags=0xB000), 47))),
        (1, packets.ethernet(packets.ipv4(SIX, 41))),
        (1, packets.ethernet(packets.ipv6(SEGMENT, 4), 0x86DD)),
        (1, packets.ethernet(packets.ipv4(packets.vxlan(packets.ethernet(SEGMENT)), 17))),
        (1, packets.ethernet(packets.ipv4(packets.gtp(SEGMENT), 17))),
    ],
)
def test_links_and_tunnels_that_are_read_here(link: int, packet: bytes) -> None:
    """The ports, the flags and the four octets are found, and the slow way is not asked."""
    (row,), slow = rows_of([packet], links=[link])
    assert slow == []
    assert (row["protocol"], row["source_port"], row["destination_port"]) == (6, 50_000, 4059)
    assert (row["flags"], row["window"], row["seq"], row["ack"]) == (0x18, 8192, 1, 2)
    assert (row["payload"], row["payload_length"]) == (BASE + GAP + len(packet) - 4, 4)


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (1, packets.ethernet(packets.ipv4(packets.tcp(b"data"), fragment=packets.MORE_FRAGMENTS))),
        (1, packets.ethernet(packets.ipv4(packets.tcp(b"data"), fragment=1))),
        (1, packets.ethernet(packets.ipv4(packets.authentication(packets.tcp(b""), 6), 51))),
        (1, packets.ethernet(packets.ipv6(packets.extension(packets.tcp(b""), 6), 0), 0x86DD)),
        (1, packets.ethernet(packets.ipv6(packets.ipv6_fragment(packets.tcp(b""), 6, 0, False), 44), 0x86DD)),
        (1, packets.ethernet(SEGMENT, 0x0800, (0x8100, 0x8100, 0x8100))),
        (1, packets.ethernet(packets.mpls(SEGMENT, 4), 0x8847)),
        (1, packets.ethernet(b"\xaa\xaa\3\0\0\0\x08\0" + SEGMENT, 60)),
        (1, packets.ethernet(b"\x11\0\0\1\0\x40\0\x21" + SEGMENT, 0x8864)),
        (1, bytes(13)),
        (9, b"\0\x21" + SEGMENT),
        (104, b"\x0f\0\x08\0" + SEGMENT),
        (1, packets.ethernet(packets.ipv4(packets.gtp(SEGMENT, extensions=(1,)), 17))),
    ],
)
def test_packets_that_are_left_to_the_slow_way(link: int, packet: bytes) -> None:
    """They are marked, and their rows are empty until then."""
    (row, other), slow = rows_of([packet, b""], links=[link, link])
    assert 0 in slow
    assert row == other == dict.fromkeys(row, 0)


@pytest.mark.parametrize(
    "packet",
    [
        packets.ethernet(b"", 0x0806),
        packets.ethernet(SEGMENT[:19]),
        packets.ethernet(packets.ipv4(b"", 6)),
        packets.ethernet(packets.ipv4(packets.tcp(b"")[:19], 6)),
        packets.ethernet(b"\x55" + SEGMENT[1:]),
        packets.ethernet(b"\x44" + SEGMENT[1:]),
        packets.ethernet(packets.ipv4(packets.tcp(b""), total=19)),
        packets.ethernet(packets.ipv4(packets.tcp(b"")[:12] + b"\x40" + packets.tcp(b"")[13:])),
        packets.ethernet(packets.ipv4(b"\0" * 7, 17)),
        packets.ethernet(packets.ipv4(b"\0" * 20, 1)),
    ],
)
def test_packets_that_carry_nothing(packet: bytes) -> None:
    """Cut off, of another kind or untrue: a row of zeros, alone and among good ones."""
    (row,), slow = rows_of([packet])
    assert (row, slow) == (dict.fromkeys(row, 0), [])
    (first, row, last), slow = rows_of([packets.ethernet(SEGMENT), packet, packets.ethernet(DATAGRAM)])
    assert (row, slow) == (dict.fromkeys(row, 0), [])
    assert (first["protocol"], last["protocol"]) == (6, 17)


def test_lengths_of_packets_that_were_cut() -> None:
    """What the wire had by IP, or by the packet where IP tells nothing, and what is there of it."""
    whole = packets.ethernet(SEGMENT)
    unsized = packets.ethernet(packets.ipv4(packets.tcp(b"data"), total=0))
    found, _ = rows_of([whole[:-3], unsized[:-3], unsized], originals=[60, 70, 58])
    lengths = [(row["payload_length"], row["payload_captured"]) for row in found]
    assert lengths == [(4, 1), (70 - 54, 1), (4, 4)]


@pytest.mark.parametrize(("told", "length"), [(12, 4), (10, 2), (8, 0), (7, 4), (13, 4), (0, 4)])
def test_the_length_of_a_datagram(told: int, length: int) -> None:
    """UDP's own length counts where it can be true."""
    (row,), _ = rows_of([packets.ethernet(packets.ipv4(packets.udp(b"data", length=told), 17))])
    assert (row["payload_length"], row["payload_captured"]) == (length, length)


def test_an_empty_batch() -> None:
    """No packet, no row, every column."""
    columns, slow = dissect(batch_of([]))
    assert {len(values) for values in columns.values()} == {0}
    assert (len(slow), np.dtype(slow.dtype).kind) == (0, "i")
