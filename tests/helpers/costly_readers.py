"""Readers of octets and texts that are no capture in a file, each on input that could cost more than linear.

`READERS` has for each a maker of its work: for a length it prepares, in a folder, what is read, and gives
the function that reads it.
"""

import gzip
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import zstandard

from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.pasted.pasted_trees import decode_pasted
from cosemscope.apdu.hdlc.hdlc_frames import HdlcDecoder
from cosemscope.apdu.pasted.pasted_text import read_pasted
from cosemscope.apdu.pasted.pieces import HexError
from cosemscope.capture.capturing.stream_cutter import StreamCutter
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.source import RecordSource
from cosemscope.transport.wpdu import WpduDecoder
from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.helpers.files import Pcapng, Record, pcap

Work = Callable[[], object]
Maker = Callable[[Path, int], Work]
_WPDU = bytes.fromhex("0001001000010003c80102")


def _by_octets(feed: Callable[[bytes], object], take: Callable[[], object], octets: bytes) -> Work:
    def work() -> None:
        for at in range(len(octets)):
            feed(octets[at : at + 1])
            take()

    return work


def _cut_pcap(_: Path, count: int) -> Work:
    cutter = StreamCutter()
    octets = pcap([Record(0, bytes(40))] * (count // 20))
    return _by_octets(cutter.add, lambda: list(cutter.chunks()), octets)


def _cut_pcapng(_: Path, count: int) -> Work:
    made, cutter = Pcapng("<"), StreamCutter()
    octets = made.section() + made.interface(1) + made.enhanced(1, bytes(2 * count))
    return _by_octets(cutter.add, lambda: list(cutter.chunks()), octets)


def _cut_bursts(_: Path, count: int) -> Work:
    made, cutter = Pcapng("<"), StreamCutter()
    cutter.add(made.section() + made.interface(1) + made.enhanced(1, b"") * count)
    return lambda: list(cutter.chunks())


def _wpdu_octets(_: Path, count: int) -> Work:
    decoder = WpduDecoder()
    return _by_octets(decoder.feed, decoder.events, bytes.fromhex("000100100001ffff") + bytes(count))


def _wpdu_burst(_: Path, count: int) -> Work:
    decoder = WpduDecoder()
    decoder.feed(_WPDU * count)
    return decoder.events


def _hdlc_octets(_: Path, count: int) -> Work:
    decoder = HdlcDecoder()
    return _by_octets(decoder.feed, decoder.events, frame(i_control(0), COMMAND + GET) * (count // 10))


def _hdlc_headers(_: Path, count: int) -> Work:
    """Headers of the longest frame, each within the frame that the one before promises."""
    longest = frame(i_control(0), COMMAND + bytes(2030))[:9]
    decoder = HdlcDecoder()
    return _by_octets(decoder.feed, decoder.events, longest * (count // 4))


def _read_all(source: RecordSource) -> None:
    with source:
        table = PacketTable(source.side)
        while (batch := source.read()) is not None:
            table.add(batch)


def _file(octets: Callable[[int], bytes]) -> Maker:
    def make(folder: Path, count: int) -> Work:
        path = folder / f"{count}.cap"
        path.write_bytes(octets(count))
        return lambda: _read_all(open_capture(path))

    return make


def _members(count: int) -> bytes:
    return gzip.compress(pcap([Record(0, bytes(40))])) + gzip.compress(b"", mtime=0) * count


def _frames(count: int) -> bytes:
    pack = zstandard.ZstdCompressor().compress
    return pack(pcap([Record(0, bytes(40))])) + pack(b"") * count


def _skippable(count: int) -> bytes:
    pack = zstandard.ZstdCompressor().compress
    return bytes.fromhex("502a4d1800000000") * count + pack(pcap([Record(0, bytes(40))]))


def _ring(folder: Path, count: int) -> Work:
    """A ring of many files, each with one packet."""
    made = Pcapng("<")
    octets = made.section() + made.interface(1) + made.enhanced(1, bytes(40))
    place = folder / str(count)
    place.mkdir()
    for number in range(count // 8):
        (place / f"x_{number + 1:05d}_20260101000000.pcapng").write_bytes(octets)
    return lambda: _read_all(CaptureSequence(place / "x_00001_20260101000000.pcapng"))


def _ring_file(block: Callable[[Pcapng, int], bytes]) -> Maker:
    """A ring of one file with many blocks that differ."""

    def make(folder: Path, count: int) -> Work:
        made = Pcapng("<")
        path = folder / f"y{count}_00001_20260101000000.pcapng"
        blocks = b"".join(block(made, number) for number in range(count))
        path.write_bytes(made.section() + made.interface(1) + blocks + made.enhanced(1, bytes(40)))
        return lambda: _read_all(CaptureSequence(path))

    return make


def _pasted(line: str) -> Maker:
    def read(text: str) -> None:
        with suppress(HexError):
            decode_pasted(read_pasted(text))

    return lambda _, count: lambda: read(line * (count // 4))


def _keys(_: Path, count: int) -> Work:
    table = '[[key]]\nsystem_title = "4D4D4D00{:08X}"\nencryption = "{:032X}"\n'
    return lambda: KeyTable.parse("".join(table.format(number, number) for number in range(count // 8)))


READERS: dict[str, Maker] = {
    "pipe-pcap-octets": _cut_pcap,
    "pipe-pcapng-octets": _cut_pcapng,
    "pipe-pcapng-burst": _cut_bursts,
    "wpdu-octets": _wpdu_octets,
    "wpdu-burst": _wpdu_burst,
    "hdlc-octets": _hdlc_octets,
    "hdlc-headers": _hdlc_headers,
    "gzip-members": _file(_members),
    "zstd-frames": _file(_frames),
    "zstd-skippable": _file(_skippable),
    "ring-files": _ring,
    "ring-sections": _ring_file(lambda made, number: made.section((4, b"%d" % number))),
    "ring-interfaces": _ring_file(lambda made, number: made.interface(1, 0, (2, b"%d" % number))),
    "pasted-octets": _pasted("c001c100080000010000ff0200 "),
    "pasted-wpdus": _pasted(_WPDU.hex() + "\n"),
    "pasted-dump": _pasted("0000  00 01 00 10 00 01 00 03 c8 01 02\n"),
    "pasted-logs": _pasted("2026-01-01 10:00:00.123 DEBUG TX: 7E A0 07 03 21 93 0F 01 7E\n"),
    "pasted-words": _pasted("00 01 and what stands here is no hex at all, but words\n"),
    "pasted-decimals": _pasted("192, 1, 193, 0, 8, 0, 0, 1, 0, 0, 255, 2, 0,\n"),
    "keys": _keys,
}
