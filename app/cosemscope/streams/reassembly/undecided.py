"""Octets of a TCP stream before it is recognised are kept, shown to the recogniser, and replayed.

An `Undecided` stream has a `Prelude` for each direction in the place of a splitter; both ask one recogniser.
Where nothing was recognised, nothing is kept: what came is kept anew, `Kept`, from the packets (`reopening`).
"""

from cosemscope.streams.foreign.foreign_table import MAX_LOOKED_AT, MAX_OCTETS_LOOKED_AT, Firsts
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Splitter
from cosemscope.streams.recognition import Recogniser
from cosemscope.streams.tables.framing import Framing

#: Segments of a stream that may be judged anew because octets before the first seen came, all together.
MAX_JUDGED_ANEW = 64


class Kept:
    """The sink of a half that keeps its chunks, in order, for a splitter that comes later."""

    __slots__ = ("closed", "complete", "half", "kept")

    clean = False

    def __init__(self, half: int) -> None:
        self.half = half
        self.kept: list[tuple[Segment, int] | tuple[int, int, int, int]] = []
        self.closed = -1
        self.complete = True  # no octets are missing between the first and the last

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""
        self.kept.append((segment, trigger))

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing."""
        self.kept.append((start, stop, packet, trigger))
        self.complete = False

    @property
    def segments(self) -> list[Segment]:
        """The segments that came."""
        return [kept[0] for kept in self.kept if len(kept) == 2]

    def close(self, packet: int) -> None:
        """Nothing more comes in this half."""
        self.closed = packet

    def replay(self, splitter: Splitter, trigger: int) -> None:
        """Give everything to the splitter of the framing that was recognised at packet `trigger`."""
        for kept in self.kept:
            if len(kept) == 2:
                splitter.chunk(kept[0], trigger)
            else:
                splitter.gap(*kept[:3], trigger)
        if self.closed >= 0:
            splitter.close(trigger)


class Prelude(Kept):
    """The sink of a half whose stream is not recognised yet: keeps its chunks, and asks the recogniser."""

    __slots__ = ("_recogniser", "_source", "decision")

    def __init__(self, source: PayloadSource, half: int, recogniser: Recogniser) -> None:
        super().__init__(half)
        self._source = source
        self._recogniser = recogniser
        self.decision = Framing.UNDECIDED

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets: kept, and shown to the recogniser."""
        super().chunk(segment, trigger)
        if self.decision is Framing.UNDECIDED:
            octets = self._source.octets(segment.address, segment.captured)
            length = segment.stop - segment.start
            self.decision = self._recogniser.add(self.half & 1, octets, length)


class Undecided:
    """A stream that waits for recognition: one recogniser for both of its halves."""

    __slots__ = ("_judged_anew", "_source", "preludes", "recogniser")

    def __init__(self, source: PayloadSource, stream: int) -> None:
        self._source = source
        self._judged_anew = 0
        self.recogniser = Recogniser()
        one, other = (Prelude(source, 2 * stream + side, self.recogniser) for side in (0, 1))
        self.preludes = one, other

    def may_renew(self, side: int, ahead: int) -> bool:
        """True if nothing of this side is missing and, with `ahead` more, few segments are judged anew."""
        again = self._judged_anew + ahead + sum(len(prelude.kept) for prelude in self.preludes)
        return self.preludes[side].complete and again <= MAX_JUDGED_ANEW

    def renew(self, side: int, ahead: int) -> "Undecided":
        """A copy without the octets of this side, of which earlier ones came; the rest is judged anew."""
        stream = self.preludes[0].half >> 1
        renewed = Undecided(self._source, stream)
        renewed._judged_anew = self._judged_anew + ahead + sum(len(one.kept) for one in self.preludes)
        for kept in self.preludes[1 - side].kept:
            if len(kept) == 2:
                renewed.preludes[1 - side].chunk(*kept)
            else:
                renewed.preludes[1 - side].gap(*kept)
        renewed.preludes[1 - side].closed = self.preludes[1 - side].closed
        return renewed

    @property
    def firsts(self) -> Firsts:
        """The first segments of both directions that were captured whole, for a look at foreign framings."""
        one, other = (self._first(prelude.segments[:MAX_LOOKED_AT]) for prelude in self.preludes)
        return one, other

    def _first(self, segments: list[Segment]) -> list[bytes]:
        read = self._source.octets
        whole = [part for part in segments if part.captured == part.stop - part.start]
        return [read(part.address, min(part.captured, MAX_OCTETS_LOOKED_AT)) for part in whole]

    @property
    def begun(self) -> bool:
        """True if any octets came."""
        return any(prelude.kept for prelude in self.preludes)

    @property
    def ended(self) -> bool:
        """True if octets came, and no more will come in either direction."""
        return self.begun and all(prelude.closed >= 0 for prelude in self.preludes)

    @property
    def decision(self) -> Framing:
        """The framing that either half decided; UNDECIDED if neither did."""
        one, other = self.preludes
        return one.decision if one.decision is not Framing.UNDECIDED else other.decision
