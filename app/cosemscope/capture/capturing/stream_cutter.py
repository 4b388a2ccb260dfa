"""A pcap or pcapng stream cut into whole blocks as it comes, for pipes: `ssh host tcpdump -U -w - ...`.

pcapng goes through as it is, with all its options, comments, names and time resolutions. pcap becomes pcapng
with nanosecond times. Sans I/O: `add` takes octets of any number, `chunks` gives what is whole.
"""

import platform
import struct
from collections.abc import Iterator

from cosemscope import __version__
from cosemscope.capture.files import pcap
from cosemscope.capture.files.pcapng_blocks import Blocks, statistics_of
from cosemscope.capture.pcapng_layout import MAGIC, PACKETS, BlockError, BlockKind, block_heads
from cosemscope.capture.spool.chunks import Chunk
from cosemscope.capture.spool.spool_writer import SpoolInterface, interface_block, packet_block, section_block

_HEADS = frozenset((BlockKind.SECTION, BlockKind.INTERFACE))


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
        self._pcap: pcap.PcapHead | None = None
        self._is_pcapng = False
        self._drops: dict[int, int] = {}
        self._need = 0  # octets of the block that is waited for

    @property
    def waiting(self) -> int:
        """Octets that are no whole block yet."""
        return len(self._pending)

    @property
    def begun(self) -> bool:
        """True when the stream has turned out to be a capture."""
        return self._is_pcapng or self._pcap is not None

    @property
    def dropped(self) -> int | None:
        """Packets that the far end lost, by its statistics blocks; None when there were none so far."""
        return sum(self._drops.values()) if self._drops else None

    def add(self, octets: bytes) -> None:
        """Take the next octets."""
        self._pending += octets

    def chunks(self) -> Iterator[Chunk]:
        """Yields the blocks and packets that are whole now.

        Raises StreamError where it cannot be followed, after what was before.
        """
        if len(self._pending) < self._need or not (self.begun or self._begin()):
            return
        self._need = 0
        if self._pcap is not None:
            if not self._head:
                yield self._pcap_head(self._pcap)
            yield from self._records(self._pcap)
        else:
            yield from self._blocks()

    def _begin(self) -> bool:
        """Look at the first octets; False when more are needed."""
        magic = bytes(self._pending[:4])
        if len(magic) < 4:
            return False
        if magic == MAGIC:
            self._is_pcapng = True
            return True
        if magic not in pcap.MAGICS:
            raise StreamError(f"What comes is neither pcap nor pcapng: it begins with {magic.hex(' ')}.")
        self._pcap = pcap.read_head(self._pending)
        return self._pcap is not None

    def _done(self, count: int) -> None:
        del self._pending[:count]
        self.position += count

    # pcap

    def _pcap_head(self, head: pcap.PcapHead) -> Chunk:
        self._done(pcap.FILE_HEADER)
        snap = head.snap_length if head.snap_length <= pcap.MAX_SNAP_LENGTH else 0
        interface = SpoolInterface(self._name, head.link_type & 0xFFFF, snap)
        program = f"Cosemscope {__version__} from a pcap stream"
        self._head = section_block(program, platform.platform()) + interface_block(interface)
        return Chunk(self._head, head=self._head)

    def _records(self, head: pcap.PcapHead) -> Iterator[Chunk]:
        variant = head.variant
        header = struct.Struct(variant.order + "IIII")
        pending = memoryview(bytes(self._pending))
        blocks = []
        ends = []
        at = end = 0
        wrong = ""
        while at + variant.header <= len(pending):
            seconds, fraction, captured, original = header.unpack_from(pending, at)
            if captured > head.limit or fraction * variant.tick >= 2_000_000_000:
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
        ends: list[int] = []
        start = stop = 0
        wrong = ""
        try:
            for at, kind, length, order in block_heads(pending, self._order):
                self._order = order
                if at + length > size:
                    self._need = length
                    break
                stop = at + length
                if kind in PACKETS:
                    ends.append(stop - start)
                elif kind in _HEADS:
                    if at > start:
                        self._done(at - start)
                        yield Chunk(pending[start:at], ends)
                        ends = []
                    start = stop
                    yield self._pcapng_head(pending[at:stop], kind == BlockKind.SECTION)
                elif kind == BlockKind.STATISTICS:
                    self._note_drops(pending[at:stop])
        except BlockError as error:
            wrong = str(error)
        self._done(stop - start)
        if stop > start:
            yield Chunk(pending[start:stop], ends)
        if wrong:
            raise StreamError(f"The stream is damaged at octet {self.position}: it claims {wrong}.")

    def _pcapng_head(self, block: bytes, is_section: bool) -> Chunk:
        self._head = block if is_section else self._head + block
        self._done(len(block))
        return Chunk(block, head=self._head)

    def _note_drops(self, block: bytes) -> None:
        blocks = Blocks(self._order)
        counts = statistics_of(blocks, block, 0)
        drops = [count for count in (counts.dropped, counts.dropped_by_system) if count >= 0]
        if drops:
            # Programs that know of one kind of drop only write it down as both.
            self._drops[blocks.number(block, 8)] = max(drops)
