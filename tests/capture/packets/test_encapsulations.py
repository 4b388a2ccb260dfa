"""Tags and tunnels around IP: what is inside is found, as tshark finds it; what is not opened is told."""

import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.unopened import Unopened
from tests.helpers.captured import Row, assert_same, table_of
from tests.helpers.files import Record, pcap
from tests.helpers.packets import (
    A4,
    A6,
    B4,
    B6,
    ethernet,
    geneve,
    gre,
    ipv4,
    ipv6,
    mpls,
    nflog,
    nsh,
    pktap,
    ppi,
    radiotap,
    tcp,
    udp,
    vxlan,
    wireless,
)
from tests.helpers.tshark import tshark

START = 1_700_000_000_000_000_000
DATA = b"\0\1\0\1\0\x10\0\5hello"
FOUR, SIX = ipv4(tcp(DATA)), ipv6(udp(DATA), 17)
FOUND = [
    Row(6, f"{A4}:50000", f"{B4}:4059", DATA, len(DATA)),
    Row(17, f"[{A6}]:50000", f"[{B6}]:4059", DATA, len(DATA)),
]
KINDS = {4: 0x0800, 6: 0x86DD}


def word(kind: int) -> bytes:
    return struct.pack(">H", kind)


def snap(kind: int) -> bytes:
    return b"\xaa\xaa\3\0\0\0" + word(kind)


#: Name, link type, and what stands around IPv4 (kind 0x0800) and IPv6 (0x86DD).
AROUND: list[tuple[str, int, Any]] = [
    ("Geneve", 1, lambda kind, packet: ethernet(ipv4(geneve(packet, kind), 17))),
    ("Geneve with options", 1, lambda kind, packet: ethernet(ipv6(geneve(packet, kind, 3), 17), 0x86DD)),
    ("Geneve, Ethernet", 1, lambda kind, packet: ethernet(ipv4(geneve(ethernet(packet, kind), 0x6558), 17))),
    ("GRE in UDP", 1, lambda kind, packet: ethernet(ipv4(udp(gre(packet, kind), 55_555, 4754), 17))),
    (
        "GRE with key in UDP",
        101,
        lambda kind, packet: ipv4(udp(gre(packet, kind, flags=0x2000), 9, 4754), 17),
    ),
    ("E-TAG", 1, lambda kind, packet: ethernet(bytes(6) + word(kind) + packet, 0x893F)),
    ("E-TAG, VLAN", 1, lambda kind, packet: ethernet(bytes(6) + b"\x81\0\0\5" + word(kind) + packet, 0x893F)),
    ("VN-tag", 1, lambda kind, packet: ethernet(bytes(4) + word(kind) + packet, 0x8926)),
    ("NSH", 1, lambda kind, packet: ethernet(nsh(packet, 1 if kind == 0x0800 else 2), 0x894F)),
    ("NSH, Ethernet", 1, lambda kind, packet: ethernet(nsh(ethernet(packet, kind), 3), 0x894F)),
    ("GRE, NSH", 1, lambda kind, packet: ethernet(ipv4(gre(nsh(ethernet(packet, kind), 3), 0x894F), 47))),
    (
        "VXLAN GPE",
        1,
        lambda kind, packet: ethernet(
            ipv4(udp(struct.pack(">BHBI", 12, 0, 1 if kind == 0x0800 else 2, 0x2A00) + packet, 9, 4790), 17)
        ),
    ),
    ("ERSPAN", 1, lambda kind, packet: ethernet(ipv4(gre(ethernet(packet, kind), 0x88BE), 47))),
    (
        "ERSPAN, second version",
        1,
        lambda kind, packet: ethernet(
            ipv4(gre(b"\x10\0" + bytes(6) + ethernet(packet, kind), 0x88BE, flags=0x1000), 47)
        ),
    ),
    ("EtherIP", 1, lambda kind, packet: ethernet(ipv4(b"\x30\0" + ethernet(packet, kind), 97))),
    ("Backbone", 1, lambda kind, packet: ethernet(bytes(4) + ethernet(packet, kind), 0x88E7)),
    ("Cisco HDLC in PPP", 9, lambda kind, packet: b"\x0f\0" + word(kind) + packet),
    ("Cisco HDLC in PPP, multicast", 50, lambda kind, packet: b"\x8f\0" + word(kind) + packet),
    ("PKTAP", 258, lambda kind, packet: pktap("<", 1) + ethernet(packet, kind)),
    ("NFLOG", 239, lambda kind, packet: nflog("<", len(packet)) + packet),
    ("SLIP", 8, lambda kind, packet: b"\0\x45" + bytes(14) + packet),
    ("802.11", 105, lambda kind, packet: wireless() + snap(kind) + packet),
    ("802.11 with QoS", 105, lambda kind, packet: wireless(qos=True) + snap(kind) + packet),
    ("radiotap", 127, lambda kind, packet: radiotap() + wireless(both=True) + snap(kind) + packet),
    ("radiotap with flags", 127, lambda kind, packet: radiotap(more=True) + wireless() + snap(kind) + packet),
    (
        "radiotap, padded",
        127,
        lambda kind, packet: radiotap(padded=True) + wireless(qos=True) + bytes(2) + snap(kind) + packet,
    ),
    ("PPI, 802.11", 192, lambda kind, packet: ppi(105) + wireless() + snap(kind) + packet),
    ("PPI, Ethernet", 192, lambda kind, packet: ppi(1, 12) + ethernet(packet, kind)),
    ("Frame Relay", 107, lambda kind, packet: b"\x18\x41\3" + _relayed(kind) + packet),
    ("Broadcom", 281, lambda kind, packet: bytes(12) + b"\x20\0\0\1" + word(kind) + packet),
    ("Broadcom before", 282, lambda kind, packet: b"\x20\0\0\1" + ethernet(packet, kind)),
    ("DSA", 284, lambda kind, packet: bytes(12) + b"\xc0\0\0\0" + word(kind) + packet),
    ("EDSA", 285, lambda kind, packet: bytes(12) + b"\xda\xda\0\0\xc0\0\0\0" + word(kind) + packet),
]
#: Link types that tshark does not read; tcpdump does.
NOT_BY_TSHARK = {"SLIP", "Broadcom", "Broadcom before", "DSA", "EDSA"}


def _relayed(kind: int) -> bytes:
    return b"\xcc" if kind == 0x0800 else b"\x8e"


def captured(path: Path, link_type: int, *packets: bytes) -> Path:
    path.write_bytes(pcap([Record(START, packet) for packet in packets], link_type=link_type))
    return path


@pytest.mark.parametrize(("name", "link_type", "around"), AROUND, ids=[name for name, _, _ in AROUND])
def test_what_is_inside_is_found(tmp_path: Path, name: str, link_type: int, around: Any) -> None:
    """A segment over IPv4 and a datagram over IPv6, by both ways of reading, whole and cut anywhere."""
    whole = [around(0x0800, FOUR), around(0x86DD, SIX)]
    path = captured(tmp_path / "x", link_type, *whole, *(whole[0][:size] for size in range(len(whole[0]))))
    table, rows = table_of(path)
    assert rows[:2] == FOUND
    assert not table.unopened
    assert_same(table, table_of(path, one_by_one=True)[0])
    assert_same(table, table_of(path, max_records=3)[0])


@pytest.mark.parametrize(
    ("link_type", "around"),
    [one[1:] for one in AROUND if one[0] not in NOT_BY_TSHARK],
    ids=[name for name, _, _ in AROUND if name not in NOT_BY_TSHARK],
)
def test_tshark_finds_the_same(tmp_path: Path, link_type: int, around: Any) -> None:
    """Innermost ports and lengths."""
    path = captured(tmp_path / "x", link_type, around(0x0800, FOUR), around(0x86DD, SIX))
    fields = [word for name in ("tcp.port", "tcp.len", "udp.port", "udp.length") for word in ("-e", name)]
    lines = [line.split("\t") for line in tshark(path, "-T", "fields", *fields)]
    assert lines[0][:2] == ["50000,4059", str(len(DATA))]
    assert lines[1][2].split(",")[-2:] == ["50000", "4059"]
    assert lines[1][3].split(",")[-1] == str(len(DATA) + 8)


@pytest.mark.parametrize(
    ("link_type", "around"),
    [one[1:] for one in AROUND if one[0] in NOT_BY_TSHARK],
    ids=sorted(NOT_BY_TSHARK, key=[name for name, _, _ in AROUND].index),
)
def test_tcpdump_finds_the_same(tmp_path: Path, link_type: int, around: Any) -> None:
    """Where tshark knows no such link."""
    command = shutil.which("tcpdump")
    if command is None:
        pytest.skip("tcpdump is not installed")
    path = captured(tmp_path / "x", link_type, around(0x0800, FOUR), around(0x86DD, SIX))
    ran = subprocess.run([command, "-nr", str(path)], capture_output=True, text=True, timeout=60, check=True)
    four, six = ran.stdout.splitlines()
    assert f"{A4}.50000 > {B4}.4059" in four
    assert f"length {len(DATA)}" in four
    assert f"{A6}.50000 > {B6}.4059" in six


#: A WPDU, and octets that begin like headers of tunnels and are none.
LIKE_HEADERS = [DATA, DATA[:8], b"\x01\0" + DATA[2:], bytes(40), b"\xff" * 40, b"\x08\0\0\0\0\0\0\0", b""]


@pytest.mark.parametrize("port", [2152, 4754, 4789, 4790, 6081, 5247, 5072, 1701, 3544])
def test_dlms_on_the_port_of_a_tunnel(tmp_path: Path, port: int) -> None:
    """What is no header of a tunnel is a datagram, and nobody speaks of tunnels."""
    packets = [ipv4(udp(octets, 50_000, port), 17) for octets in LIKE_HEADERS]
    path = captured(tmp_path / "x", 101, *packets, *(ipv4(udp(DATA, port, 7), 17),))
    table, rows = table_of(path)
    assert [row.payload for row in rows] == [*LIKE_HEADERS, DATA]
    assert not table.unopened
    assert_same(table, table_of(path, one_by_one=True)[0])


#: Around a packet: what is not opened, and whether the datagram around it stays a row of its own.
UNOPENED: list[tuple[Unopened, bool, Any]] = [
    (Unopened.CAPWAP, True, lambda packet: ipv4(udp(b"\0\x10\x03\0" + bytes(4) + packet, 9, 5247), 17)),
    (
        Unopened.AYIYA,
        True,
        lambda packet: ipv6(udp(b"\x44\x52\x11\x29" + bytes(40) + packet, 9, 5072), 17),
    ),
    (Unopened.ARUBA_GRE, False, lambda packet: ipv4(gre(packet, 0x8200), 47)),
    (Unopened.ARUBA_GRE, True, lambda packet: ipv4(udp(gre(packet, 0x9000), 9, 4754), 17)),
    (Unopened.L2TP, True, lambda packet: ipv4(udp(b"\0\2\0\1\0\1" + packet, 1701, 1701), 17)),
    (Unopened.TEREDO, True, lambda packet: ipv4(udp(SIX, 9, 3544), 17)),
    (Unopened.ESP, False, lambda packet: ipv4(bytes(8) + packet, 50)),
    (Unopened.ESP, False, lambda packet: ipv4(ipv6(bytes(8) + packet, 50), 41)),
    (Unopened.IPCOMP, False, lambda packet: ipv6(bytes(4) + packet, 108)),
    (Unopened.L2TP_OVER_IP, False, lambda packet: ipv4(bytes(4) + packet, 115)),
    (Unopened.MACSEC, True, lambda packet: ipv4(vxlan(ethernet(packet, 0x88E5)), 17)),
    (Unopened.TRILL, True, lambda packet: ipv4(geneve(ethernet(packet, 0x22F3), 0x6558), 17)),
]


@pytest.mark.parametrize(("kind", "datagram", "around"), UNOPENED)
def test_what_is_not_opened_is_told(tmp_path: Path, kind: Unopened, datagram: bool, around: Any) -> None:
    """By both ways, with the first packet and how many there are; the datagram around it is there."""
    path = captured(tmp_path / "x", 101, FOUR, around(FOUR), SIX, around(FOUR))
    for values in ({}, {"one_by_one": True}, {"max_records": 1}):
        table, rows = table_of(path, **values)
        assert table.unopened == {kind: (2, 1)}
        assert [row.protocol for row in rows] == [6, 17 * datagram, 17, 17 * datagram]


@pytest.mark.parametrize(("kind", "tag"), [(Unopened.MACSEC, 0x88E5), (Unopened.TRILL, 0x22F3)])
def test_tags_that_are_not_opened(tmp_path: Path, kind: Unopened, tag: int) -> None:
    """On the link itself, behind VLAN tags and SNAP too."""
    frames = [
        ethernet(FOUR, tag),
        ethernet(FOUR, tag, (0x8100,)),
        ethernet(snap(tag) + FOUR, 60),
        ethernet(FOUR),
    ]
    path = captured(tmp_path / "x", 1, *frames, ethernet(FOUR, 0x0806), ethernet(mpls(FOUR), 0x8847))
    assert table_of(path)[0].unopened == table_of(path, one_by_one=True)[0].unopened == {kind: (3, 0)}


def test_the_sentence_names_it(tmp_path: Path) -> None:
    """Each kind is an item of its own, with the first packet."""
    packets = [ipv4(gre(FOUR, 0x8200), 47), ipv4(bytes(8), 50), ipv4(bytes(8), 50), FOUR]
    analysis = Analysis(open_capture(captured(tmp_path / "x", 101, *packets))).run()
    assert find_items(Associations(analysis, NO_KEYS))
    items = analysis.expert_items
    told = [(int(items["packet"][row]), items.message(row)) for row in range(len(items))]
    assert told == [
        (0, "no IP is looked for in GRE of Aruba access points: 1 packet"),
        (1, "no IP is looked for in IPsec ESP (RFC 4303): 2 packets"),
    ]


@pytest.mark.parametrize("link_type", [258, 192])
def test_link_headers_in_each_other_end(tmp_path: Path, link_type: int) -> None:
    """A thousand of them cost no more than a few, and nothing is raised."""
    header = pktap("<", 258) if link_type == 258 else ppi(192)
    assert table_of(captured(tmp_path / "x", link_type, header * 1000 + FOUR))[1] == [Row(0, "", "", b"", 0)]


@pytest.mark.parametrize(
    ("first", "opened"),
    [
        (0x0FC6, True),
        (0x2FC6, True),  # of operation and maintenance
        (0x1FC6, True),
        (0x4FC6, False),  # versions that are not known
        (0x8FC6, False),
        (0x0FC1, False),  # too short for its own head
        (0x0FC0, False),
    ],
)
def test_which_service_headers_are_opened(tmp_path: Path, first: int, opened: bool) -> None:
    """By version and length; other bits mean nothing for what follows."""
    inner = ipv4(tcp(b"abc"))
    header = first.to_bytes(2, "big") + nsh(inner, 1)[2:]
    _, rows = table_of(captured(tmp_path / "x", 1, ethernet(header, 0x894F)))
    assert [row.payload for row in rows] == [b"abc" if opened else b""]
