"""Packet rows: every link type, IP version, transport and tunnel, and what is made of packets cut short."""

import struct
from pathlib import Path

import pytest

from cosemscope.capture.octets import SIDE
from cosemscope.capture.packets.link_types import link_type_name
from tests.helpers.captured import Row, columns_of, read_file, table_of
from tests.helpers.files import Record, pcap
from tests.helpers.packets import (
    A4,
    A6,
    B4,
    B6,
    authentication,
    ethernet,
    extension,
    gre,
    gtp,
    ipv4,
    ipv6,
    mpls,
    tcp,
    udp,
    vxlan,
)
from tests.helpers.shared import shared
from tests.helpers.tshark import tshark

START = 1_700_000_000_000_000_000
DATA = b"\0\1\0\1\0\x10\0\5hello"
SEGMENT = ipv4(tcp(DATA))
SIX = ipv6(tcp(DATA))
OVER_4 = Row(6, f"{A4}:50000", f"{B4}:4059", DATA, len(DATA))
OVER_6 = Row(6, f"[{A6}]:50000", f"[{B6}]:4059", DATA, len(DATA))
DATAGRAM = Row(17, f"{A4}:50000", f"{B4}:4059", DATA, len(DATA))
NOTHING = Row(0, "", "", b"", 0)


def rows(path: Path, *packets: bytes | Record, link_type: int = 1) -> list[Row]:
    """The rows of packets, which both ways of reading must agree on."""
    records = [packet if isinstance(packet, Record) else Record(START, packet) for packet in packets]
    path.write_bytes(pcap(records, link_type=link_type))
    table, found = table_of(path)
    other, same = table_of(path, one_by_one=True)
    assert found == same
    assert columns_of(table) == columns_of(other)
    return found


def linux_cooked(kind: int, packet: bytes) -> bytes:
    return struct.pack(">HHH8sH", 0, 1, 6, b"\2\0\0\0\0\1", kind) + packet


def linux_cooked_2(kind: int, packet: bytes) -> bytes:
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, b"\2\0\0\0\0\1") + packet


@pytest.mark.parametrize(
    ("link_type", "wrap"),
    [
        (1, lambda kind, packet: ethernet(packet, kind)),
        (1, lambda kind, packet: ethernet(packet, kind, (0x8100,))),
        (1, lambda kind, packet: ethernet(packet, kind, (0x88A8, 0x8100))),
        (1, lambda kind, packet: ethernet(packet, kind, (0x9100, 0x8100))),
        (1, lambda kind, packet: ethernet(packet, kind, (0x88A8, 0x8100, 0x8100, 0x8100))),
        (1, lambda kind, packet: ethernet(packet, kind) + bytes(6)),
        (1, lambda kind, packet: ethernet(b"\xaa\xaa\3\0\0\0" + struct.pack(">H", kind) + packet, 60)),
        (1, lambda kind, packet: ethernet(b"\x11\0\0\1\0\x40" + _ppp(kind) + packet, 0x8864)),
        (0, lambda kind, packet: struct.pack("<I", 2 if kind == 0x0800 else 30) + packet),
        (0, lambda kind, packet: struct.pack(">I", 2 if kind == 0x0800 else 28) + packet),
        (0, lambda kind, packet: struct.pack("<I", 2 if kind == 0x0800 else 24) + packet),
        (108, lambda kind, packet: struct.pack(">I", 2 if kind == 0x0800 else 10) + packet),
        (108, lambda kind, packet: struct.pack(">I", 2 if kind == 0x0800 else 23) + packet),
        *[(number, lambda kind, packet: packet) for number in (12, 14, 101, 228, 229)],
        (113, linux_cooked),
        (113, lambda kind, packet: linux_cooked(0x8100, struct.pack(">HH", 5, kind) + packet)),
        (276, linux_cooked_2),
        (9, lambda kind, packet: _ppp(kind) + packet),
        (9, lambda kind, packet: b"\xff\3" + _ppp(kind) + packet),
        (9, lambda kind, packet: _ppp(kind)[1:] + packet),
        (50, lambda kind, packet: b"\xff\3" + _ppp(kind) + packet),
        (50, lambda kind, packet: _ppp(kind) + packet),
        (104, lambda kind, packet: b"\x0f\0" + struct.pack(">H", kind) + packet),
        (1, lambda kind, packet: ethernet(_snap(kind) + packet, 60, (0x8100,))),
        (113, lambda kind, packet: linux_cooked(4, _snap(kind) + packet)),
        (276, lambda kind, packet: linux_cooked_2(4, _snap(kind) + packet)),
        (51, lambda kind, packet: b"\x11\0\0\1\0\x40" + _ppp(kind) + packet),
        (166, lambda kind, packet: b"\1\3" + _ppp(kind) + packet),
        (204, lambda kind, packet: b"\0\xff\3" + _ppp(kind) + packet),
        (204, lambda kind, packet: b"\1" + _ppp(kind) + packet),
    ],
)
def test_link_types(tmp_path: Path, link_type: int, wrap) -> None:
    """IPv4 and IPv6 are found behind every link header."""
    packets = wrap(0x0800, SEGMENT), wrap(0x86DD, SIX), wrap(0x0800, ipv4(udp(DATA), 17))
    assert rows(tmp_path / "x", *packets, link_type=link_type) == [OVER_4, OVER_6, DATAGRAM]


def _snap(kind: int) -> bytes:
    return b"\xaa\xaa\3\0\0\0" + struct.pack(">H", kind)


def _ppp(kind: int) -> bytes:
    return b"\0\x21" if kind == 0x0800 else b"\0\x57"


@pytest.mark.parametrize(
    ("link_type", "name"), [(147, "USER0"), (162, "USER15"), (1, "Ethernet"), (4711, "link type 4711")]
)
def test_other_link_types_are_rows_and_named(tmp_path: Path, link_type: int, name: str) -> None:
    """Packets of links that carry no IP are counted all the same."""
    assert rows(tmp_path / "x", b"\x7e\xa0\x0a\0\2\0\x23", link_type=147) == [NOTHING]
    assert link_type_name(link_type) == name


AH = authentication(tcp(DATA), 6)
CHAIN = extension(extension(extension(AH, 51, units=2), 60), 43)


@pytest.mark.parametrize(
    ("packet", "row"),
    [
        (ethernet(ipv4(tcp(DATA), options=b"\x94\4\0\0")), OVER_4),
        (ethernet(ipv4(tcp(DATA, options=b"\1\1\x08\x0a" + bytes(8)))), OVER_4),
        (ethernet(ipv4(AH, 51)), OVER_4),
        (ethernet(ipv6(CHAIN, 0), 0x86DD), OVER_6),
        (ethernet(ipv6(extension(udp(DATA), 17), 60), 0x86DD), Row(17, *OVER_6[1:])),
        (ethernet(ipv4(tcp(DATA), total=0)), OVER_4),
        (ethernet(ipv6(tcp(DATA), length=0), 0x86DD), OVER_6),
        (ethernet(ipv4(udp(DATA + b"more", length=8 + len(DATA)), 17)), DATAGRAM),
        (ethernet(ipv4(udp(DATA, length=0), 17)), DATAGRAM),
        (ethernet(ipv4(udp(DATA, length=900), 17)), DATAGRAM),
        (ethernet(ipv4(b"\x08\0\0\0", 1)), NOTHING),
        (ethernet(bytes(28), 0x0806), NOTHING),
        (ethernet(ipv4(gre(SEGMENT), 47)), OVER_4),
        (ethernet(ipv4(gre(SIX, 0x86DD, flags=0xB000), 47)), OVER_6),
        (ethernet(ipv4(gre(ethernet(SEGMENT), 0x6558, flags=0x2000), 47)), OVER_4),
        (ethernet(ipv4(gre(b"\xff\3\0\x21" + SEGMENT, 0x880B, flags=0x3081), 47)), OVER_4),
        (ethernet(ipv4(gre(SEGMENT, flags=0x4000), 47)), NOTHING),
        (ethernet(ipv4(SEGMENT, 4)), OVER_4),
        (ethernet(ipv4(SIX, 41)), OVER_6),
        (ethernet(ipv6(SEGMENT, 4), 0x86DD), OVER_4),
        (ethernet(ipv4(vxlan(ethernet(SEGMENT)), 17)), OVER_4),
        (ethernet(ipv4(gtp(SEGMENT), 17)), OVER_4),
        (ethernet(ipv4(gtp(SIX, extensions=(1, 2)), 17)), OVER_6),
        (ethernet(ipv4(gtp(ipv4(gre(ethernet(SIX, 0x86DD, (0x8100,)), 0x6558), 47)), 17)), OVER_6),
    ],
)
def test_headers_and_tunnels(tmp_path: Path, packet: bytes, row: Row) -> None:
    """What stands between link and payload; the innermost TCP or UDP counts."""
    assert rows(tmp_path / "x", packet) == [row]


@pytest.mark.parametrize(
    "payload", [b"", b"\0" * 7, b"\x08" + bytes(30), b"\x30\xff\0\2\0\0\0\1AB", b"\x34\xff" + bytes(20)]
)
@pytest.mark.parametrize("port", [2152, 4789])
def test_what_is_no_tunnel_stays_a_datagram(tmp_path: Path, payload: bytes, port: int) -> None:
    """Nothing is lost when a tunnel's port carries something else."""
    (row,) = rows(tmp_path / "x", ethernet(ipv4(udp(payload, 7, port), 17)))
    assert row == Row(17, f"{A4}:7", f"{B4}:{port}", payload, len(payload))


@pytest.mark.parametrize("labels", [1, 2, 5])
@pytest.mark.parametrize(
    ("link_type", "wrap"),
    [
        (1, lambda packet: ethernet(packet, 0x8847)),
        (1, lambda packet: ethernet(packet, 0x8848, (0x8100,))),
        (1, lambda packet: ethernet(packet, 0x8847, (0x88A8, 0x8100, 0x8100))),
        (1, lambda packet: ethernet(packet, 0x8847) + bytes(6)),
        (1, lambda packet: ethernet(ipv4(gre(packet, 0x8847), 47))),
        (1, lambda packet: ethernet(ipv4(vxlan(ethernet(packet, 0x8847)), 17))),
        (9, lambda packet: b"\2\x81" + packet),
        (50, lambda packet: b"\xff\3\2\x83" + packet),
        (104, lambda packet: b"\x0f\0\x88\x47" + packet),
        (113, lambda packet: linux_cooked(0x8847, packet)),
        (276, lambda packet: linux_cooked_2(0x8848, packet)),
    ],
)
def test_mpls_labels(tmp_path: Path, link_type: int, wrap, labels: int) -> None:
    """IPv4 and IPv6 are found below a stack of labels, by their version (RFC 3032, RFC 4023)."""
    packets = [wrap(mpls(packet, labels)) for packet in (SEGMENT, SIX, ipv4(udp(DATA), 17))]
    assert rows(tmp_path / "x", *packets, link_type=link_type) == [OVER_4, OVER_6, DATAGRAM]


def test_as_much_as_is_opened_at_once(tmp_path: Path) -> None:
    """Tags, labels and tunnels in each other, to the depth where packets are read one by one, and deeper."""
    tags = (0x88A8, 0x8100)
    packets = []
    for tunnels in range(5):
        packet = SEGMENT
        for _ in range(tunnels):
            packet = ipv4(vxlan(ethernet(packet, 0x0800, tags)), 17)
        packets += [ethernet(mpls(packet, labels), 0x8847, tags) for labels in range(1, 5)]
    assert rows(tmp_path / "x", *packets) == [OVER_4] * 20


def test_labels_cut_by_the_snap_length(tmp_path: Path) -> None:
    """Without the whole headers there is no row."""
    frame = ethernet(mpls(SEGMENT, 3), 0x8847)
    packets = [Record(START, frame[:size], len(frame)) for size in range(14 + 12 + 40)]
    assert rows(tmp_path / "x", *packets) == [NOTHING] * len(packets)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        mpls(b""),
        mpls(SEGMENT)[:3],
        mpls(b"\0\0\0\0" + ethernet(SEGMENT)),
        b"\0\0\x10\x40" * 1000,
        mpls(SEGMENT, 1000),
    ],
)
def test_mpls_without_ip_is_no_packet_of_a_flow(tmp_path: Path, packet: bytes) -> None:
    """Cut off, something else than IP, without a bottom, or deeper than anybody goes."""
    assert rows(tmp_path / "x", ethernet(packet, 0x8847)) == [NOTHING]


def test_a_thousand_tunnels_in_each_other_end(tmp_path: Path) -> None:
    """Nesting is bounded."""
    packet = SEGMENT
    for _ in range(1000):
        packet = ipv4(packet, 4)
    assert rows(tmp_path / "x", ethernet(packet)) == [NOTHING]


def test_packets_cut_by_the_snap_length(tmp_path: Path) -> None:
    """Lengths on the wire are IP's, what is captured is told apart; without whole headers there is no row."""
    frame = ethernet(ipv4(tcp(DATA, options=bytes(4))))
    for size in range(len(frame)):
        (row,) = rows(tmp_path / "x", Record(START, frame[:size], len(frame)))
        captured = DATA[: max(size - 58, 0)]
        assert row == (OVER_4._replace(payload=captured) if size >= 54 else NOTHING)


def test_a_segment_longer_than_ip_can_say(tmp_path: Path) -> None:
    """With segmentation offload the total length is 0, and the length on the wire counts."""
    frame = ethernet(ipv4(tcp(bytes(70_000)), total=0))
    (row,) = rows(tmp_path / "x", Record(START, frame[:200], len(frame)))
    assert (len(row.payload), row.length) == (200 - 54, 70_000)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        ethernet(b""),
        ethernet(b"\x45"),
        ethernet(b"\x65" + SEGMENT[1:]),
        ethernet(b"\x44" + SEGMENT[1:]),
        ethernet(ipv4(tcp(DATA), total=19)),
        ethernet(SEGMENT[:32] + b"\x40" + SEGMENT[33:]),
        ethernet(SEGMENT[:32] + b"\xf0" + SEGMENT[33:]),
        ethernet(SEGMENT, 0x86DD),
        ethernet(SIX),
        ethernet(b"", 0x8100),
        ethernet(ipv6(b"", 0), 0x86DD),
        ethernet(ipv6(b"\0" * 8, 0), 0x86DD),
    ],
)
def test_packets_that_make_no_sense(tmp_path: Path, packet: bytes) -> None:
    """They are rows without a flow."""
    assert rows(tmp_path / "x", packet) == [NOTHING]


def test_columns(tmp_path: Path) -> None:
    """Every column of packets and flows, with the values that were sent."""
    there = tcp(b"abc", seq=0xFFFF_FFFE, ack=7, flags=0x112, window=99)
    back = ipv4(tcp(b"", 4059, 50_000, seq=7, ack=1), source=B4, destination=A4, number=0xBEEF)
    records = [
        Record(START, b"x"),
        Record(START + 1000, ethernet(back), 90),
        Record(START + 2000, ethernet(ipv4(there))),
    ]
    (tmp_path / "x").write_bytes(pcap(records))
    table, _ = table_of(tmp_path / "x")
    assert columns_of(table) == {
        "time": [START, START + 1000, START + 2000],
        "offset": [40, 57, 127],
        "captured": [1, 54, 57],
        "original": [1, 90, 57],
        "interface": [0, 0, 0],
        "protocol": [0, 6, 6],
        "flow": [-1, 0, 0],
        "direction": [0, 0, 1],
        "seq": [0, 7, 0xFFFF_FFFE],
        "ack": [0, 1, 7],
        "flags": [0, 0x18, 0x112],
        "window": [0, 8192, 99],
        "payload": [0, 111, 181],
        "payload_length": [0, 0, 3],
        "payload_captured": [0, 0, 3],
        "ip_id": [0, 0xBEEF, 0x1234],
        "tsval": [0, 0, 0],
        "vlan": [0, 0, 0],
    }
    flow = {name: table.flows[name].tolist() for name in table.flows.names}
    a, b = 0x0A00_0002, 0x0A00_0001
    assert flow == {
        "protocol": [6],
        "family": [4],
        "a_high": [0],
        "a_low": [a],
        "a_port": [4059],
        "b_high": [0],
        "b_low": [b],
        "b_port": [50_000],
        "vlan": [0],
    }
    assert [str(end) for end in table.endpoints(0)] == [f"{B4}:4059", f"{A4}:50000"]


REAL = ["DLMS_list.pcap", "XmlDemo.pcap", "Output.pcap", "Output-Ciphered-HLS.pcap", "original_data.pcapng"]
REAL += ["data7.pcapng", "udp-hdlc.pcap"]


@pytest.mark.parametrize("name", REAL)
def test_real_captures_agree_with_tshark(name: str) -> None:
    """Ports, sequence and acknowledgement numbers, flags, windows, payload lengths and stream numbers."""
    path = shared("captures") / name
    names = (
        "tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags tcp.window_size_value tcp.len tcp.stream"
    )
    names += " udp.srcport udp.dstport udp.length udp.stream"
    fields = [word for field in names.split() for word in ("-e", field)]
    table, found = table_of(path)
    lines = tshark(path, "-T", "fields", *fields)
    assert len(lines) == len(found)
    streams: dict[int, tuple[int, str]] = {}
    for index, (line, row) in enumerate(zip(lines, found, strict=True)):
        values = [int(value, 0) if value else -1 for value in line.split("\t")]
        ports = [int(end.rpartition(":")[2] or -1) for end in (row.source, row.destination)]
        packet = {key: int(table.packets[key][index]) for key in table.packets.names}
        if packet["protocol"] == 6:
            mine = [packet[key] for key in ("seq", "ack", "flags", "window", "payload_length")]
            assert values[:7] == ports + mine
            assert streams.setdefault(packet["flow"], (values[7], "tcp")) == (values[7], "tcp")
        elif packet["protocol"] == 17:
            assert values[8:11] == [*ports, packet["payload_length"] + 8]
            assert streams.setdefault(packet["flow"], (values[11], "udp")) == (values[11], "udp")
        else:
            assert values[0] == values[8] == -1
    assert len(set(streams.values())) == len(streams)


@pytest.mark.parametrize("name", REAL)
def test_both_ways_agree_on_real_captures(name: str) -> None:
    """The fast way and the slow way give the same rows, whatever the batches."""
    path = shared("captures") / name
    table, found = table_of(path)
    for one_by_one, limit in ((True, 65_536), (False, 7), (True, 1)):
        other, same = table_of(path, one_by_one=one_by_one, max_records=limit)
        assert found == same
        assert columns_of(table) == columns_of(other)


def test_payload_of_reassembled_packets_lies_in_the_side_store(tmp_path: Path) -> None:
    """And the payload of all others in the file."""
    whole = tcp(b"0123456789abcdef" * 2)
    packets = [ipv4(whole[:32], fragment=0x2000), ipv4(whole[32:], fragment=4), SEGMENT]
    (tmp_path / "x").write_bytes(pcap([Record(START, ethernet(packet)) for packet in packets]))
    table, found = table_of(tmp_path / "x")
    assert [row.payload for row in found] == [b"0123456789ab", b"cdef0123456789abcdef", DATA]
    assert (table.packets["payload"] >= SIDE).tolist() == [False, True, False]


def test_an_empty_capture_has_no_packets(tmp_path: Path) -> None:
    """No record, no row."""
    found, reader = read_file(tmp_path / "x", pcap([]))
    assert found == []
    assert reader.finished
    assert rows(tmp_path / "x") == []
