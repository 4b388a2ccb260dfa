"""Splitters: from the octets of one direction, in order, to the units of its framing.

One table, `SPLITTERS`, says which splitter a framing has. A splitter takes
chunks and gaps and tells a `Listener` what it finds: units (a WPDU each),
frames, octets it had to skip. It never invents a unit: after octets
that are no WPDU it goes on at the next header that recognition believes,
and marks the WPDU that begins there.
"""

from collections import deque
from typing import NamedTuple, Protocol

from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.tables.expert_items import ItemKind
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import WpduHeader


class Unit(NamedTuple):
    """Octets that carry one APDU: a WPDU, or what another framing has in its place."""

    header: WpduHeader
    apdu_tag: int
    size: int
    marks: int
    pieces: tuple[Segment, ...]
    framing: Framing


class UnitListener(Protocol):
    """The receiver of a splitter's units and faults, and its source of octets."""

    def unit(self, unit: Unit, trigger: int) -> None:
        """A unit became known at packet `trigger`."""

    def found(self, kind: ItemKind, packet: int, start: int, amount: int, stop: int | None = None) -> None:
        """Something is wrong from `start` to `stop` (if not given: `amount` octets) of this direction."""

    def frames(self, count: int) -> None:
        """So many more frames with a right check sequence."""

    def read(self, address: int, length: int) -> bytes:
        """Octets of the capture."""


class Splitter(Protocol):
    """A Sink of one direction's octets that makes units of them; see `reassembler.Sink`."""

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing."""

    def close(self, packet: int) -> None:
        """Nothing more comes."""

    @property
    def clean(self) -> bool:
        """True if the next octet begins a unit."""


class Trail:
    """The pieces of a direction whose octets are still of use, in order."""

    def __init__(self) -> None:
        self.pieces: deque[Segment] = deque()
        self.starts: set[int] = set()
        self.stops: set[int] = set()

    def add(self, segment: Segment) -> None:
        """The next piece; it may be shorter in the capture than on the wire."""
        self.pieces.append(segment)
        self.starts.add(segment.start)
        self.stops.add(segment.stop)

    def forget(self, before: int) -> None:
        """Octets before this offset are of no more use."""
        while self.pieces and self.pieces[0].stop <= before:
            piece = self.pieces.popleft()
            self.starts.discard(piece.start)
            self.stops.discard(piece.stop)

    def cut(self, start: int, stop: int) -> tuple[Segment, ...]:
        """The pieces that make up the octets from `start` to `stop`."""
        found = []
        for piece in self.pieces:
            if piece.start >= stop:
                break
            if piece.stop > start:
                part = piece.part(max(piece.start, start), min(piece.stop, stop))
                if part.captured:
                    found.append(part)
        return tuple(found)

    def packet_at(self, offset: int, default: int) -> int:
        """The packet that carried this octet, or the one behind it."""
        return next((piece.packet for piece in self.pieces if piece.stop > offset), default)
