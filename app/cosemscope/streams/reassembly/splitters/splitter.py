"""Splitters: from the octets of one direction, in order, to the units of its framing.

One table, `SPLITTERS`, says which splitter a framing has. A splitter takes
chunks and gaps and tells a `Listener` what it finds: units (a WPDU each),
frames, octets it had to skip. It never invents a unit: after octets
that are no WPDU it goes on at the next header that recognition believes,
and marks the WPDU that begins there.
"""

from bisect import bisect_right
from collections.abc import Iterator
from operator import attrgetter
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
        self._pieces: list[Segment] = []
        self._first = 0  # those before it are forgotten: they go many at a time
        self.starts: set[int] = set()
        self.stops: set[int] = set()

    def __len__(self) -> int:
        return len(self._pieces) - self._first

    def add(self, segment: Segment) -> None:
        """The next piece; it may be shorter in the capture than on the wire."""
        self._pieces.append(segment)
        self.starts.add(segment.start)
        self.stops.add(segment.stop)

    def forget(self, before: int) -> None:
        """Octets before this offset are of no more use."""
        pieces, first = self._pieces, self._first
        while first < len(pieces) and pieces[first].stop <= before:
            self.starts.discard(pieces[first].start)
            self.stops.discard(pieces[first].stop)
            first += 1
        if 2 * first >= len(pieces):
            del pieces[:first]
            first = 0
        self._first = first

    def latest(self) -> Iterator[Segment]:
        """The pieces from the last to the first."""
        return (self._pieces[at] for at in range(len(self._pieces) - 1, self._first - 1, -1))

    def cut(self, start: int, stop: int) -> tuple[Segment, ...]:
        """The pieces that make up the octets from `start` to `stop`."""
        found = []
        for at in range(self._place(start), len(self._pieces)):
            piece = self._pieces[at]
            if piece.start >= stop:
                break
            part = piece.part(max(piece.start, start), min(piece.stop, stop))
            if part.captured:
                found.append(part)
        return tuple(found)

    def packet_at(self, offset: int, default: int) -> int:
        """The packet that carried this octet, or the one behind it."""
        place = self._place(offset)
        return self._pieces[place].packet if place < len(self._pieces) else default

    def _place(self, offset: int) -> int:
        """The index of the first piece that ends behind this octet."""
        return bisect_right(self._pieces, offset, self._first, key=_STOP)


_STOP = attrgetter("stop")
