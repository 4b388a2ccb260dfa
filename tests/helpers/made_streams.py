"""Parts of streams made by hand, for tests of one module: octets, pieces, batches, and who listens.

Nothing here reads a file or headers: a test says itself which octets lie where, and what it expects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from cosemscope.capture.columns import Columns
from cosemscope.capture.packets.packet_table import PACKET_FIELDS
from cosemscope.capture.records import PADDING, RecordBatch
from cosemscope.streams.decode_as import DecodeAs
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.segments_in_order import Segments, sort_segments
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.expert_items import ExpertItems, ItemKind
from cosemscope.streams.tables.wpdu_table import WpduTable

#: Where octet 0 of a direction lies, in tests of one direction.
ADDRESS = 5_000
#: Where the octets of made packets lie.
BASE = 70_000


class Found(NamedTuple):
    """An item that a splitter told: kind, packet, octets."""

    kind: str
    packet: int
    start: int
    stop: int
    amount: int


class Listener:
    """Keeps what a splitter tells; its octets are those of one direction, from `ADDRESS` on."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.units: list[tuple[Unit, int]] = []
        self.items: list[Found] = []
        self.good_frames = 0

    def unit(self, unit: Unit, trigger: int) -> None:
        self.units.append((unit, trigger))

    def found(self, kind: ItemKind, packet: int, start: int, amount: int, stop: int | None = None) -> None:
        self.items.append(Found(kind.word, packet, start, start + amount if stop is None else stop, amount))

    def frames(self, count: int) -> None:
        self.good_frames += count

    def read(self, address: int, length: int) -> bytes:
        return self.octets[address - ADDRESS : address - ADDRESS + length]

    def told(self) -> list[tuple[bytes, int, int, int]]:
        """Octets, tag, marks and trigger of each unit."""
        return [
            (b"".join(self.read(piece.address, piece.captured) for piece in unit.pieces), *rest)
            for unit, trigger in self.units
            for rest in [(unit.apdu_tag, unit.marks, trigger)]
        ]


def piece(start: int, stop: int, packet: int, *, captured: int | None = None, time: int = 0) -> Segment:
    """Octets `start` to `stop` of a direction, by this packet."""
    length = stop - start if captured is None else captured
    return Segment(start, stop, ADDRESS + start, length, packet, time or packet * 1000, packet)


@dataclass
class Sent:
    """One packet of a made batch."""

    octets: bytes = b""
    stream: int = 0
    side: int = 0
    seq: int = 0
    ack: int = 0
    flags: int = 0x10
    time: int = 0
    window: int = 8192
    ip_id: int = 0
    tsval: int = 0
    protocol: int = 6
    cut: int = 0
    """Octets at its end that were not captured."""
    address: int = field(default=-1, init=False)


class Made:
    """Packets as tables and as a batch, with their octets at hand, and the tables that rows go to.

    `streams` has as many rows as the packets name, side 0 the client's.
    """

    def __init__(self, sent: Sequence[Sent], *, row: int = 0, client_sides: Sequence[int] = ()) -> None:
        octets = bytearray()
        for one in sent:
            one.address = BASE + len(octets)
            octets += one.octets[: len(one.octets) - one.cut]
        self.source = source_of(bytes(octets), BASE)
        self.packets = Columns(PACKET_FIELDS)
        self.packets.extend(row)
        self.packets.extend(
            len(sent),
            time=[one.time for one in sent],
            protocol=[one.protocol for one in sent],
            flow=[one.stream for one in sent],
            direction=[one.side for one in sent],
            seq=[one.seq & 0xFFFFFFFF for one in sent],
            ack=[one.ack & 0xFFFFFFFF for one in sent],
            flags=[one.flags for one in sent],
            window=[one.window for one in sent],
            payload=[one.address for one in sent],
            payload_length=[len(one.octets) for one in sent],
            payload_captured=[len(one.octets) - one.cut for one in sent],
            ip_id=[one.ip_id for one in sent],
            tsval=[one.tsval for one in sent],
        )
        stream = np.array([one.stream for one in sent], np.int32)
        self.packet_streams = Columns({"stream": "i4"})
        self.packet_streams.extend(row, stream=-1)
        self.packet_streams.extend(len(sent), stream=stream)
        self.batch = PacketBatch.of(self.packets, slice(row, row + len(sent)), stream)
        count = int(stream.max(initial=-1)) + 1
        self.streams = StreamTable(self.packets, flows(count), DecodeAs())
        self.streams.extend(count, flow=np.arange(count), protocol=6, rtt=-1)
        for one in sent:
            if one.stream >= 0:
                self.streams["protocol"][one.stream] = one.protocol
        for stream_row, side in enumerate(client_sides):
            self.streams["client_side"][stream_row] = side
        self.wpdus = WpduTable()
        self.items = ExpertItems()
        self.output = Output(self.streams, self.wpdus, self.items)

    def flush(self) -> None:
        """Put what was found into the tables."""
        self.output.flush(self.batch.rows)

    def told(self, *names: str) -> list[tuple[int, ...]]:
        """These columns of the WPDU rows, row by row."""
        return list(zip(*(self.wpdus[name].tolist() for name in names), strict=True))

    def contents(self) -> list[bytes]:
        """The octets of all WPDUs, in the order of the table."""
        return [self.wpdus.octets(row, self.source.octets) for row in range(len(self.wpdus))]

    def found(self) -> list[tuple[str, int, int, int, int, int]]:
        """The items: kind, stream, direction, packet, first octet, amount."""
        names = ("stream", "direction", "packet", "start", "amount")
        columns = zip(*(self.items[name].tolist() for name in names), strict=True)
        return [(self.items.kind(row).word, *values) for row, values in enumerate(columns)]


def flows(count: int, ports: tuple[int, int] = (50_000, 4059)) -> Columns:
    """A flow table with so many flows between these ports."""
    table = Columns({"a_port": "u2", "b_port": "u2"})
    table.extend(count, a_port=ports[0], b_port=ports[1])
    return table


def source_of(octets: bytes, base: int) -> PayloadSource:
    """Octets at hand from address `base` on; there are no others."""

    def read(address: int, length: int) -> bytes:
        raise AssertionError(f"octets at {address} are not at hand")

    none = np.zeros(0, np.int64)
    buffer = np.frombuffer(octets + bytes(PADDING), np.uint8)
    source = PayloadSource(read)
    unsigned = none.astype(np.uint32)
    source.use(RecordBatch(none, none, unsigned, unsigned, none.astype(np.uint16), (), buffer, base))
    return source


def segments_of(made: Made, highest: Sequence[int] = ()) -> Segments:
    """The segments of a made batch; the sequence number of a packet is the offset of its first octet.

    `highest`: by half, the octet behind the highest seen before the batch.
    """
    batch = made.batch
    index = np.flatnonzero(batch.payload_length > 0)
    top = np.zeros(2 * len(made.streams), np.int64)
    top[: len(highest)] = highest
    return sort_segments(
        index,
        2 * batch.stream[index].astype(np.int64) + batch.direction[index],
        batch.seq[index].astype(np.int32).astype(np.int64),
        batch.payload_length[index].astype(np.int64),
        top,
        batch.payload[index],
        batch.payload_captured[index].astype(np.int64),
    )
