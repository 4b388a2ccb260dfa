"""The fast way through a batch and the slow way through each packet give the same rows, always."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.captured import assert_same, table_of
from tests.helpers.files import Pcapng
from tests.helpers.packets import (
    ethernet,
    extension,
    geneve,
    gre,
    gtp,
    ipv4,
    ipv6,
    ipv6_fragment,
    mpls,
    tcp,
    udp,
    vxlan,
)

LINKS = [
    0,
    1,
    8,
    9,
    12,
    14,
    50,
    51,
    101,
    104,
    105,
    107,
    108,
    113,
    127,
    147,
    166,
    192,
    204,
    228,
    229,
    239,
    258,
]
LINKS += [276, 281, 282, 284, 285]
_PORT = st.sampled_from([0, 4059, 2152, 4789, 4754, 4790, 6081, 5247, 5072, 1701, 3544, 65_535])
_DATA = st.binary(max_size=30)
_WORDS = st.integers(0, 10).map(lambda words: bytes(words * 4))
_ADDRESS_4 = st.sampled_from(["10.0.0.1", "10.0.0.2", "255.255.255.255"])
_ADDRESS_6 = st.sampled_from(["::1", "fe80::1", "ff02::1"])
_NUMBER = st.integers(0, 2**16 - 1)
_LONG = st.integers(0, 2**32 - 1)

_SEGMENT = st.builds(
    tcp, _DATA, _PORT, _PORT, seq=_LONG, ack=_LONG, flags=st.integers(0, 4095), window=_NUMBER, options=_WORDS
).map(lambda octets: (6, octets))
_DATAGRAM = st.builds(udp, _DATA, _PORT, _PORT, st.none() | st.integers(0, 60)).map(
    lambda octets: (17, octets)
)
_OTHER = st.tuples(st.integers(0, 255), _DATA)
_BODY = st.one_of(_SEGMENT, _DATAGRAM, _OTHER)


def _packets(body):
    """EtherType and packet: IPv4 and IPv6 with options, extension headers, fragments, lies about lengths."""
    fragment = st.sampled_from([0, 0, 0x4000, 0x2000, 0x2001, 1, 0x8000])
    four = st.builds(
        lambda inner, source, destination, options, word, total: ipv4(
            inner[1],
            inner[0],
            source=source,
            destination=destination,
            options=options,
            fragment=word,
            total=total,
        ),
        body,
        _ADDRESS_4,
        _ADDRESS_4,
        _WORDS,
        fragment,
        st.sampled_from([None, None, None, 0, 10, 30, 60, 65_535]),
    )
    wrapped = st.one_of(
        body,
        st.builds(
            lambda inner, units: (60, extension(inner[1], inner[0], units=units)), body, st.integers(0, 3)
        ),
        st.builds(
            lambda inner, offset, more: (44, ipv6_fragment(inner[1], inner[0], offset * 8, more)),
            body,
            st.integers(0, 3),
            st.booleans(),
        ),
    )
    six = st.builds(
        lambda inner, source, destination, length: ipv6(
            inner[1], inner[0], source=source, destination=destination, length=length
        ),
        wrapped,
        _ADDRESS_6,
        _ADDRESS_6,
        st.sampled_from([None, None, None, 0, 8, 40, 65_535]),
    )
    return st.one_of(four.map(lambda p: (0x0800, p)), six.map(lambda p: (0x86DD, p)))


def _tunnels(packets):
    """Bodies that hold whole packets."""
    return st.one_of(
        packets.map(lambda p: (4 if p[0] == 0x0800 else 41, p[1])),
        st.builds(
            lambda p, flags: (47, gre(p[1], p[0], flags=flags)), packets, st.sampled_from([0, 0xB000, 0x4000])
        ),
        packets.map(lambda p: (17, vxlan(ethernet(p[1], p[0])))),
        packets.map(lambda p: (17, gtp(p[1]))),
        packets.map(lambda p: (17, geneve(p[1], p[0]))),
        packets.map(lambda p: (17, udp(gre(p[1], p[0]), 9, 4754))),
        packets.map(lambda p: (97, b"\x30\0" + ethernet(p[1], p[0]))),
        packets.map(lambda p: (47, gre(ethernet(p[1], p[0]), 0x88BE))),
        packets.map(lambda p: (17, vxlan(ethernet(p[1], 0x88E5)))),
        packets.map(lambda p: (50, p[1])),
    )


PACKET = _packets(_BODY) | _packets(_tunnels(_packets(_BODY)))


_PPP_KINDS = {0x0800: b"\0\x21", 0x86DD: b"\0\x57", 0x8847: b"\2\x81", 0x8848: b"\2\x83"}


def _frame(link_type: int, kind: int, packet: bytes, tags: list[int]) -> bytes:
    """A packet on a link of some type, on some with MPLS labels (kinds 0x8847 and 0x8848)."""
    if link_type == 1:
        return ethernet(packet, kind, tuple(tags))
    if link_type == 113:
        return bytes(14) + struct.pack(">H", kind) + packet
    if link_type == 276:
        return struct.pack(">H", kind) + bytes(18) + packet
    if link_type in (0, 108):
        family = 2 if kind == 0x0800 else (10, 24, 28, 30)[len(packet) % 4]
        return struct.pack("<>"[len(tags) % 2] + "I", family) + packet
    if link_type in (9, 50):
        return b"\xff\3"[: 2 * (len(tags) % 2)] + _PPP_KINDS[kind] + packet
    return packet


@st.composite
def captured(draw):
    """Interface number, octets, length on the wire: whole, cut, with a trailer, or with an octet changed."""
    interface = draw(st.sampled_from([*range(len(LINKS)), *([LINKS.index(1)] * 8)]))
    kind, packet = draw(PACKET)
    if LINKS[interface] not in (0, 108) and draw(st.integers(0, 3)) == 0:
        kind, packet = draw(st.sampled_from([0x8847, 0x8848])), mpls(packet, draw(st.integers(0, 4)))
    kinds = [0x8100, 0x88A8, 0x9100, 0x893F, 0x8926, 0x894F, 0x88E5, 0x88E7]
    tags = draw(st.lists(st.sampled_from(kinds), max_size=3))
    frame = bytearray(_frame(LINKS[interface], kind, packet, tags) + draw(st.sampled_from([b"", bytes(6)])))
    if frame and draw(st.integers(0, 3)) == 0:
        frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    size = draw(st.integers(0, len(frame))) if draw(st.integers(0, 3)) == 0 else len(frame)
    original = draw(st.sampled_from([len(frame), len(frame), size, 0, 70_000]))
    return interface, bytes(frame[:size]), original


def capture_of(packets: list[tuple[int, bytes, int]]) -> bytes:
    b = Pcapng()
    blocks = [b.section(), *(b.interface(link_type) for link_type in LINKS)]
    for number, (interface, octets, original) in enumerate(packets):
        blocks.append(b.enhanced(number, octets, interface=interface, original=original))
    return b"".join(blocks)


@settings(max_examples=100)
@given(st.lists(captured(), max_size=12))
def test_the_same_rows(tmp_path_factory: pytest.TempPathFactory, packets) -> None:
    """All columns of packets and flows are equal, with many packets a batch and with few."""
    path = tmp_path_factory.mktemp("both") / "x"
    path.write_bytes(capture_of(packets))
    fast, found = table_of(path)
    slow, same = table_of(path, one_by_one=True)
    few, again = table_of(path, max_records=2)
    assert found == same == again
    assert_same(fast, slow)
    assert_same(fast, few)


@given(st.sampled_from(LINKS), st.lists(st.binary(max_size=120), max_size=20))
def test_random_octets(
    tmp_path_factory: pytest.TempPathFactory, link_type: int, packets: list[bytes]
) -> None:
    """Neither way raises on anything, and they agree."""
    path: Path = tmp_path_factory.mktemp("both") / "x"
    path.write_bytes(capture_of([(LINKS.index(link_type), octets, len(octets)) for octets in packets]))
    assert_same(table_of(path)[0], table_of(path, one_by_one=True)[0])


@pytest.mark.parametrize("kind", [0, 43, 60, 135, 139, 140])
def test_extension_headers_are_passed(tmp_path: Path, kind: int) -> None:
    """The datagram behind an extension header of IPv6 is found, by both ways."""
    inner = extension(udp(b"meter"), 17, units=1)
    path = tmp_path / "x"
    path.write_bytes(
        capture_of([(LINKS.index(1), frame, len(frame)) for frame in [ethernet(ipv6(inner, kind), 0x86DD)]])
    )
    fast, _ = table_of(path)
    slow, _ = table_of(path, one_by_one=True)
    assert_same(fast, slow)
    assert fast.packets["protocol"].tolist() == [17]
    assert fast.packets["payload_length"].tolist() == [5]
