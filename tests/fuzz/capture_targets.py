"""Captures: files, packet headers and TCP, each read in two ways that must agree.

Files in one batch and record by record; headers and TCP streams a batch at a time and one by one.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import CaptureReader, open_source
from cosemscope.capture.octets import OctetFile
from cosemscope.capture.packets.link_types import LinkType
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.records import CaptureError, RecordBatch
from tests.fuzz.target import Target
from tests.helpers.busy_wires import wild_wire
from tests.helpers.captured import assert_same, records_of
from tests.helpers.files import MODIFIED, NANO, Pcapng, Record, pcap
from tests.helpers.packets import ethernet, gre, gtp, ipv4, ipv6, ipv6_fragment, mpls, tcp, udp, vxlan
from tests.helpers.wire import Tcp, Wire, found_items, get_request, get_response, rows

_NAME = Path("input")
#: Ways besides the fast one: one by one or not, and how many records at once.
_OTHER_WAYS = ((True, 65_536), (False, 3), (True, 1))
_WILD = 2048
_HEAD = struct.Struct(">BBHH")
"""Before the octets of a segment: what it is, how many octets it has, its place, octets acknowledged."""


def _opened(octets: bytes) -> CaptureReader | None:
    """A reader of octets as a file; None where they are no capture."""
    file = OctetFile.temporary()
    file.append(octets)
    try:
        return open_source(_NAME, file)
    except CaptureError:
        return None


def take_file(octets: bytes) -> None:
    """A capture file: in one batch and record by record it has the same records, all inside of it."""
    told = []
    for most in (65_536, 1):
        reader = _opened(octets)
        if reader is None:
            return
        with reader:
            told.append((records_of(reader, most), sorted(reader.problems)))
    assert told[0] == told[1]


def _files() -> list[bytes]:
    """Captures of every kind, small."""
    packets = [ethernet(ipv4(tcp(get_request(number)))) for number in range(3)]
    records = [Record(1_700_000_000_000_000_000 + n * 10**6, octets) for n, octets in enumerate(packets)]
    cut = [record._replace(octets=record.octets[:40], original=80) for record in records]
    return [
        pcap(records),
        pcap(cut, order=">", magic=NANO),
        pcap(records, magic=MODIFIED, link_type=101),
        pcap(records, snap=60)[:-9],
    ]


def _blocks() -> list[bytes]:
    """pcapng of both byte orders with every kind of block."""
    found = []
    for order in "<>":
        made = Pcapng(order)
        packet = ethernet(ipv4(udp(get_request(1))))
        found.append(
            made.section((2, b"box"), (3, b"os"), (4, b"app"), (1, b"made"))
            + made.interface(1, 0, (2, b"eth0"), (9, b"\x06"), (11, b"\0port 4059"), (14, made.number(5, 8)))
            + made.interface(101, 96, (9, b"\x89"))
            + made.enhanced(7, packet)
            + made.simple(packet)
            + made.obsolete(9, packet, drops=2)
            + made.names((1, b"\x0a\0\0\1meter\0"), (2, bytes(16) + b"host\0"))
            + made.statistics(0, 9, (4, made.number(7, 8)), (5, made.number(1, 8)))
            + made.block(0xBAD, b"whatever")
            + made.enhanced(11, packet, interface=0)
            + made.section()
            + made.interface(1)
            + made.enhanced(12, packet)
        )
    return found


class _Packets:
    """Packets that lie one behind the other in an input: a link type, then each behind its length."""

    def __init__(self, octets: bytes) -> None:
        links = sorted(LinkType)
        self.link = int(links[(octets[:1] or b"\0")[0] % len(links)])
        self.packets = list(self._cut(octets[1:]))

    @staticmethod
    def _cut(octets: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(octets):
            stop = at + 1 + octets[at]
            yield octets[at + 1 : stop]
            at = stop

    def capture(self) -> bytes:
        """A pcap file that has them."""
        return pcap([Record(n * 10**6, octets) for n, octets in enumerate(self.packets)], link_type=self.link)


def take_headers(octets: bytes) -> None:
    """Headers of packets of any link layer: read all at once and one by one they say the same."""
    capture = _Packets(octets).capture()
    tables = [_table(capture, one_by_one=way) for way in (False, True)]
    assert_same(*tables)


def _table(capture: bytes, *, one_by_one: bool) -> PacketTable:
    reader = _opened(capture)
    assert reader is not None
    with reader:
        table = PacketTable(reader.side, one_by_one=one_by_one)
        for batch in _batches(reader):
            table.add(batch)
        return table


def _batches(reader: CaptureReader) -> Iterator[RecordBatch]:
    while (batch := reader.read()) is not None:
        yield batch


def _headers() -> list[bytes]:
    """Packets of each link layer that is opened, tunnels and fragments among them."""
    inner = ipv4(tcp(b"abc"), 6)
    whole = [
        inner,
        ipv4(udp(b"abcd"), 17),
        ipv6(tcp(b"a"), 6),
        ipv4(gre(inner), 47),
        ipv4(udp(vxlan(ethernet(inner)), destination=4789), 17),
        ipv4(udp(gtp(inner), destination=2152), 17),
        ipv4(udp(b"abcd" * 4, length=24)[:16], 17, fragment=0x2000),
        ipv4(b"abcd" * 2, 17, fragment=2),
        ipv6(ipv6_fragment(udp(b"abcd" * 2), 17, 0, True), 44),
    ]
    links = sorted(LinkType)
    found = []
    for place, link in enumerate(links):
        packets = whole
        if link == LinkType.ETHERNET:
            packets = [ethernet(each) for each in whole]
            packets += [ethernet(inner, tags=(5, 6)), ethernet(mpls(inner), 0x8847)]
        found.append(bytes([place]) + b"".join(bytes([len(each)]) + each for each in packets))
    return found


def take_tcp(octets: bytes) -> None:
    """A TCP connection, segment by segment as the input says: both ways of reading it agree."""
    wire = Wire(snap=40 + (octets[:1] or b"\xff")[0])
    connection = Tcp(wire, isn=(2**32 - 40, 7))
    at, place = 1, [0, 0]
    while at + _HEAD.size <= len(octets):
        kind, length, offset, ack = _HEAD.unpack_from(octets, at)
        at += _HEAD.size
        content = octets[at : at + length]
        at += length
        side, flags = kind & 1, (16, 16, 16, 24, 17, 2, 4, 18)[kind >> 1 & 7]
        # Most segments go on where the one before ended; the others stand where the input says.
        start = place[side] if kind & 0x10 else offset - 64 if kind & 0x20 else offset << 17
        wait = ack << 14 if kind & 0x80 else None
        connection.packet(
            side, start, content, flags=flags, ack=ack if kind & 0x40 else None, wait=wait, window=ack
        )
        place[side] = start + len(content)
    # Each input reads it in two of the ways, the second as its length says.
    _agree(_captured(wire), _OTHER_WAYS[len(octets) % len(_OTHER_WAYS)])


def _captured(wire: Wire) -> bytes:
    records = [Record(time, octets[: wire.snap], len(octets)) for time, octets in wire.packets]
    return pcap(records, magic=NANO, link_type=101)


def _agree(capture: bytes, other: tuple[bool, int]) -> None:
    """Rows, items and streams of a capture are the same in the fast way and in this one."""
    told = []
    for one_by_one, most in ((False, 65_536), other):
        reader = _opened(capture)
        assert reader is not None
        with reader:
            analysis = Analysis(reader, one_by_one=one_by_one)
            while analysis.step(most):
                pass
            analysis.finish()
            streams = {name: analysis.streams[name].tolist() for name in analysis.streams.names}
            told.append((rows(analysis), found_items(analysis), streams))
    assert told[0] == told[1], f"one_by_one={other[0]}, {other[1]} records at once: it reads otherwise"


def _conversations() -> list[bytes]:
    """Connections with what happens to segments: split, swapped, sent again, lost, begun in the middle."""

    def segment(side: int, octets: bytes, kind: int = 0x10, offset: int = 64, ack: int = 0) -> bytes:
        return _HEAD.pack(side | kind, len(octets), offset, ack) + octets

    one, two, three = (get_request(number) for number in range(3))
    answer, long = get_response(1), get_response(2, 120)
    syn = [segment(0, b"", 0x20 | 5 << 1, 63), segment(1, b"", 0x20 | 7 << 1, 63)]
    plain = [
        segment(0, one),
        segment(1, answer),
        segment(0, two),
        segment(1, long[:50]),
        segment(1, long[50:]),
    ]
    swapped = [segment(0, two, 0x20, 64 + len(one)), segment(0, one, 0x20, 64), segment(0, one, 0x20, 64)]
    lost = [segment(0, one), segment(0, three, 0x20, 64 + 42), segment(1, b"", 0x50, ack=63), segment(0, one)]
    ended = [segment(0, one[:9]), segment(0, b"", 0x10 | 4 << 1), segment(1, b"", 0x10 | 6 << 1)]
    odd = [segment(0, b"/?!\r\n"), segment(0, bytes.fromhex("7ea0070303938c117e")), segment(0, one + two)]
    found = [
        [*syn, *plain],
        plain,
        swapped,
        [*syn, *swapped],
        lost,
        [*syn, *lost],
        ended,
        odd,
        [*odd, *plain],
    ]
    return [b"\xff" + b"".join(each) for each in found] + [b"\x1c" + b"".join(plain)]


def take_capture(octets: bytes) -> None:
    """A capture with anything in it, from file to rows: read in two ways it has the same rows."""
    reader = _opened(octets)
    if reader is not None:
        reader.close()
        _agree(octets, _OTHER_WAYS[len(octets) % len(_OTHER_WAYS)])


def _wild() -> list[bytes]:
    """Captures of a few packets in which anything happens."""
    captures = [_captured(wild_wire(seed)) for seed in range(200)]
    return [octets for octets in captures if len(octets) < _WILD]


PCAP = Target("pcap", take_file, _files, 3_000, 60)
PCAPNG = Target("pcapng", take_file, _blocks, 6_000, 60)
HEADERS = Target("packet-headers", take_headers, _headers, 6_000, 200)
TCP = Target("tcp", take_tcp, _conversations, 30_000, 300, longest=1024)
CAPTURE = Target("capture", take_capture, _wild, 40_000, 250, longest=2 * _WILD)
