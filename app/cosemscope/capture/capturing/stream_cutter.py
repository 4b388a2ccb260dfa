"""A pcap or pcapng stream cut into whole blocks as it comes, for pipes: `ssh host tcpdump -U -w - ...`.

pcapng goes through as it is, with all its options, comments, names and time resolutions. pcap becomes pcapng
with nanosecond times. Sans I/O: `add` takes octets of any number, `chunks` gives what is whole.
"""

import platform
import struct
from collections.abc import Iterator

from cosemscope import __version__
from cosemscope.capture.files import pcap, pcapng
from cosemscope.capture.spool.chunks import Chunk
from cosemscope.capture.spool.spool_writer import SpoolInterface, interface_block, packet_block, section_block

# The same in both byte orders.
_SECTION_HEADER = 0x0A0D0D0A
_BYTE_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
_INTERFACE_DESCRIPTION, _INTERFACE_STATISTICS = 1, 5
_HEADS = frozenset((_SECTION_HEADER, _INTERFACE_DESCRIPTION))
_PACKETS = frozenset((2, 3, 6))
#: A longer block or packet is not believed: it bounds what is waited for.
_MAX_BLOCK = 1 << 26


class StreamError(Exception):
    """The stream is no capture, or damaged; its text is a sentence for people."""


class StreamCutter:
    """Cuts one stream. `position` counts the octets that were handed on; `dropped` is what the stream says.

    `name` is what the interface is called when the stream, being pcap, does not say.
    """

    def __init__(self, name: str = "pipe") -> None:
        self.position = 0
        self._name = name
        self._pending = bytearray()
        self._head = b""
        self._order = "<"
        self._variant: pcap.Variant | None = None
        self._limit = pcap.USUAL_SNAP_LENGTH
        self._is_pcapng = False
        self._drops: dict[int, int] = {}
        self._need = 0  # octets of the block that is waited for

    @property
    def waiting(self) -> int:
        """Octets that are no whole block yet."""
        return len(self._pending)

    @property
    def begun(self) -> bool:
        """Whether the stream has turned out to be a capture."""
        return self._is_pcapng or self._variant is not None

    @property
    def dropped(self) -> int | None:
        """Packets that the far end lost, by its statistics blocks; None when there were none so far."""
        return sum(self._drops.values()) if self._drops else None

    def add(self, octets: bytes) -> None:
        """Take the next octets."""
        self._pending += octets

    def chunks(self) -> Iterator[Chunk]:
        """What is whole now. Raises StreamError where it cannot be followed, after what was before."""
        if len(self._pending) < self._need or not (self.begun or self._begin()):
            return
        self._need = 0
        if self._variant is not None:
            if not self._head:
                yield self._pcap_head()
            yield from self._records(self._variant)
        else:
            yield from self._blocks()

    def _begin(self) -> bool:
        """Look at the first octets; False when more are needed."""
        magic = bytes(self._pending[:4])
        if len(magic) < 4:
            return False
        if magic == pcapng.MAGIC:
            self._is_pcapng = True
            return True
        if magic not in pcap.MAGICS:
            raise StreamError(f"What comes is neither pcap nor pcapng: it begins with {magic.hex(' ')}.")
        if len(self._pending) < pcap.FILE_HEADER:
            return False
        self._variant = pcap.MAGICS[magic]
        return True

    def _done(self, count: int) -> None:
        del self._pending[:count]
        self.position += count

    # pcap

    def _pcap_head(self) -> Chunk:
        assert self._variant is not None
        snap, link = struct.unpack_from(self._variant.order + "II", self._pending, 16)
        self._done(pcap.FILE_HEADER)
        if pcap.USUAL_SNAP_LENGTH < snap <= pcap.MAX_SNAP_LENGTH:
            self._limit = snap
        interface = SpoolInterface(self._name, link & 0xFFFF, snap if snap <= pcap.MAX_SNAP_LENGTH else 0)
        program = f"Cosemscope {__version__} from a pcap stream"
        self._head = section_block(program, platform.platform()) + interface_block(interface)
        return Chunk(self._head, head=self._head)

    def _records(self, variant: pcap.Variant) -> Iterator[Chunk]:
        header = struct.Struct(variant.order + "IIII")
        pending = memoryview(bytes(self._pending))
        blocks = []
        ends = []
        at = end = 0
        wrong = ""
        while at + variant.header <= len(pending):
            seconds, fraction, captured, original = header.unpack_from(pending, at)
            if captured > self._limit or fraction * variant.tick >= 2_000_000_000:
                wrong = f"a packet of {captured} octets at {fraction} parts of a second"
                break
            start = at + variant.header
            if start + captured > len(pending):
                self._need = variant.header + captured
                break
            time_ns = seconds * 1_000_000_000 + fraction * variant.tick
            block = packet_block(time_ns, bytes(pending[start : start + captured]), original=original)
            blocks.append(block)
            end += len(block)
            ends.append(end)
            at = start + captured
        self._done(at)
        if ends:
            yield Chunk(b"".join(blocks), ends)
        if wrong:
            raise StreamError(f"The stream is damaged at octet {self.position}: it claims {wrong}.")

    # pcapng

    def _blocks(self) -> Iterator[Chunk]:
        pending = bytes(self._pending)
        size = len(pending)
        head = struct.Struct(self._order + "II").unpack_from
        ends: list[int] = []
        start = at = 0
        wrong = ""
        while at + 12 <= size:
            kind, length = head(pending, at)
            if kind == _SECTION_HEADER:
                order = _BYTE_ORDERS.get(pending[at + 8 : at + 12])
                if order is None:
                    wrong = "a section without a byte order"
                    break
                head = struct.Struct(order + "II").unpack_from
                self._order = order
                kind, length = head(pending, at)
            if length < 12 or length % 4 or length > _MAX_BLOCK:
                wrong = f"a block of {length} octets"
                break
            if at + length > size:
                self._need = length
                break
            if kind in _HEADS:
                if at > start:
                    self._done(at - start)
                    yield Chunk(pending[start:at], ends)
                    ends = []
                start = at + length
                yield self._pcapng_head(pending[at:start], kind == _SECTION_HEADER)
            elif kind in _PACKETS:
                ends.append(at + length - start)
            elif kind == _INTERFACE_STATISTICS:
                self._note_drops(pending[at : at + length])
            at += length
        self._done(at - start)
        if at > start:
            yield Chunk(pending[start:at], ends)
        if wrong:
            raise StreamError(f"The stream is damaged at octet {self.position}: it claims {wrong}.")

    def _pcapng_head(self, block: bytes, is_section: bool) -> Chunk:
        self._head = block if is_section else self._head + block
        self._done(len(block))
        return Chunk(block, head=self._head)

    def _note_drops(self, block: bytes) -> None:
        from cosemscope.capture.files.pcapng_blocks import Blocks, statistics_of

        blocks = Blocks(self._order)
        counts = statistics_of(blocks, block, 0)
        drops = [count for count in (counts.dropped, counts.dropped_by_system) if count >= 0]
        if drops:
            # Programs that know of one kind of drop only write it down as both.
            self._drops[blocks.number(block, 8)] = max(drops)
