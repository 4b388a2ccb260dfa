"""Splitters: from the octets of one direction, in order, to the units of its framing.

One table, `SPLITTERS`, says which splitter a framing has. A splitter takes
chunks and gaps and tells a `Listener` what it finds: units (a WPDU each),
frames, octets it had to skip. It never invents a unit: after octets
that are no WPDU it goes on at the next header that recognition believes,
and marks the WPDU that begins there.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice, pairwise
from typing import NamedTuple, Protocol

from cosemscope.analysis.findings import FindingKind
from cosemscope.analysis.framing import Framing
from cosemscope.analysis.reassembly import Segment
from cosemscope.analysis.recognition import apdu_begins
from cosemscope.analysis.wpdus import Mark
from cosemscope.apdu.hdlc_frames import Cut, Fault, FrameReceived, HdlcDecoder, HdlcEvent
from cosemscope.apdu.hdlc_units import HdlcUnit, SegmentJoiner
from cosemscope.transport.wpdu import (
    HEADER_SIZE,
    VERSION,
    BadVersion,
    WpduDecoder,
    WpduHeader,
    decode_header,
)


class Unit(NamedTuple):
    """Octets that carry one APDU: a WPDU, or what another framing has in its place."""

    header: WpduHeader
    apdu_tag: int
    size: int
    marks: int
    pieces: tuple[Segment, ...]
    framing: Framing


class Listener(Protocol):
    """Who is told what a splitter finds."""

    def unit(self, unit: Unit, trigger: int) -> None:
        """A unit became known at packet `trigger`."""

    def found(self, kind: FindingKind, packet: int, offset: int, count: int) -> None:
        """Something is wrong at an offset of this direction."""

    def frames(self, count: int) -> None:
        """So many more frames with a right check sequence."""

    def read(self, address: int, length: int) -> bytes:
        """Octets of the capture."""


class Splitter(Protocol):
    """A Sink of one direction's octets that makes units of them; see `reassembly.Sink`."""

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing."""

    def close(self, packet: int) -> None:
        """Nothing more comes."""

    @property
    def clean(self) -> bool:
        """Whether the next octet begins a unit."""


# Segments among which a WPDU that stands alone is looked for while a doubtful one has yet to show its end.
_SEGMENTS_LOOKED_AT = 64


class Trail:
    """Where the octets of a direction that are still of use lie in the capture, piece by piece."""

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


class WrapperSplitter:
    """WPDUs of IEC 62056-4-7, by the transport core's own decoder; a header is searched when it is lost.

    `trusted`: the first octet at `start` begins a WPDU, whatever it looks like; else it is searched for too.
    """

    def __init__(self, listener: Listener, start: int, *, trusted: bool, swapped: bool = False) -> None:
        self._listener = listener
        self._swapped = swapped
        self._magic = b"\x01\x00" if swapped else b"\x00\x01"
        self._decoder = WpduDecoder(base=start, swapped=swapped)
        self._trail = Trail()
        self._missing: list[tuple[int, int]] = []  # holes in the WPDU that is being received
        self._search = None if trusted else bytearray()
        self._search_at = start  # stream offset of the first octet in `_search`
        self._lost_from = start
        self._marks = Mark(0)  # of the next unit

    @property
    def clean(self) -> bool:
        """Whether the next octet begins a WPDU."""
        return self._search is None and not self._decoder.buffered

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""
        self._trail.add(segment)
        octets = self._listener.read(segment.address, segment.captured)
        if self._search is None:
            self._decoder.feed(octets)
        else:
            self._search += octets
        self._advance(trigger, ended=False)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing: inside a WPDU its length tells where to go on."""
        if self._search is not None:
            self._give_up_search(trigger, start)
            self._begin_search(stop, stop)
            return
        header = self._decoder.header
        end = self._decoder.position + HEADER_SIZE + (header.length if header else 0)
        if header and header.version == VERSION and end >= stop:
            self._missing.append((start, stop))
            self._decoder.feed(bytes(stop - start))
            self._advance(trigger, ended=False)
            return
        self._break_off(packet, trigger)
        self._begin_search(stop, stop)
        self._marks |= Mark.RESYNCHRONISED

    def close(self, packet: int) -> None:
        """Nothing more comes: what was begun is truncated."""
        self._advance(packet, ended=True)
        if self._search is not None:
            self._give_up_search(packet, self._search_at + len(self._search))
            self._begin_search(self._lost_from, self._lost_from)
            return
        self._break_off(packet, packet)

    def _break_off(self, packet: int, trigger: int) -> None:
        rest = self._decoder.close()
        if rest is None:
            return
        stop = rest.start + len(rest.octets)
        packet = self._trail.packet_at(stop - 1, packet)
        self._listener.found(FindingKind.TRUNCATED, packet, rest.start, rest.missing)
        if rest.header is not None and rest.header.version == VERSION:
            self._emit(rest.header, rest.start, stop, rest.octets, trigger, Mark.TRUNCATED)
        self._missing.clear()
        self._trail.forget(stop)

    def _advance(self, trigger: int, *, ended: bool) -> None:
        """Read WPDUs and search headers in turn, as far as the octets at hand go."""
        while self._look(trigger, ended=ended) if self._search is not None else not self._drain(trigger):
            pass

    def _drain(self, trigger: int) -> bool:
        """Read WPDUs; False when what follows is none, so that it is searched from there."""
        for event in self._decoder.events():
            if isinstance(event, BadVersion):
                rest = self._decoder.skip(self._decoder.buffered)
                self._begin_search(event.start, event.start)
                self._marks |= Mark.RESYNCHRONISED
                self._search = bytearray(rest)
                return False
            wpdu = event.wpdu
            octets = bytes(HEADER_SIZE) + wpdu.data[:1]
            self._emit(wpdu.header, event.start, event.stop, octets, trigger, Mark(0))
            self._trail.forget(event.stop)
        return True

    def _emit(
        self, header: WpduHeader, start: int, stop: int, octets: bytes, trigger: int, marks: Mark
    ) -> None:
        marks |= self._marks
        self._marks = Mark(0)
        first = start + HEADER_SIZE
        tag = octets[HEADER_SIZE] if header.length and len(octets) > HEADER_SIZE else -1
        if self._missing:
            marks |= Mark.TRUNCATED
            if any(begin <= first < end for begin, end in self._missing):
                tag = -1  # what stands there is filling
            self._missing.clear()
        pieces = self._trail.cut(start, stop)
        if start not in self._trail.starts or (stop not in self._trail.stops and not marks & Mark.TRUNCATED):
            marks |= Mark.SHARED
        if any(one.packet > other.packet for one, other in pairwise(pieces)):
            marks |= Mark.OUT_OF_ORDER
        size = sum(piece.captured for piece in pieces)
        framing = Framing.SWAPPED if self._swapped else Framing.WRAPPER
        self._listener.unit(Unit(header, tag, size, int(marks), pieces, framing), trigger)

    def _begin_search(self, start: int, lost_from: int) -> None:
        self._search = bytearray()
        self._search_at = start
        self._lost_from = lost_from
        self._missing.clear()
        self._trail.forget(start)

    def _give_up_search(self, packet: int, stop: int) -> None:
        """No header was found up to `stop`."""
        if stop > self._lost_from:
            self._listener.found(FindingKind.SKIPPED, packet, self._lost_from, stop - self._lost_from)
            self._marks |= Mark.RESYNCHRONISED
        self._lost_from = stop

    def _look(self, trigger: int, *, ended: bool) -> bool:
        """Search for a header to believe; True when one was found, else what may be one is kept."""
        window = self._search
        assert window is not None
        at = -1
        believed: bool | None = False
        while believed is False and (at := window.find(self._magic, at + 1)) >= 0:
            believed = self._believe(window, at, ended=ended)
        if believed is None:
            # What is whole and stands alone in its segments goes before what has yet to show its end.
            alone = self._alone_behind(window, at)
            at, believed = (alone, True) if alone >= 0 else (at, ended or None)
        if believed:
            self._resume(window, at, trigger)
            return True
        if at < 0:
            at = len(window) - (1 if window[-1:] == self._magic[:1] and not ended else 0)
        # The finding of what is passed over here comes when the search ends.
        del window[:at]
        self._search_at += at
        self._trail.forget(self._search_at)
        return False

    def _believe(self, window: bytearray, at: int, *, ended: bool) -> bool | None:
        """Whether a header stands at this index; None while more octets must tell, or would have had to."""
        header = decode_header(window, at, swapped=self._swapped)
        if header is None:
            return False if ended else None
        end = at + HEADER_SIZE + header.length
        begins_segment = self._search_at + at in self._trail.starts
        likely = apdu_begins(window, at + HEADER_SIZE, header.length)
        if self._search_at + end in self._trail.stops:
            return likely or begins_segment
        if end <= len(window):
            follows = self._magic.startswith(bytes(window[end : end + 2]))
            return likely and follows
        if ended:
            return None if likely and begins_segment else False
        few = len(window) < at + HEADER_SIZE + 2
        return None if few or likely else False

    def _alone_behind(self, window: bytearray, at: int) -> int:
        """First index behind `at` where a WPDU begins with a segment and ends with the last one, or -1."""
        found = -1
        for piece in islice(reversed(self._trail.pieces), _SEGMENTS_LOOKED_AT):
            index = piece.start - self._search_at
            if index <= at:
                break
            header = decode_header(window, index, swapped=self._swapped)
            if header is None or not window.startswith(self._magic, index):
                continue
            whole = index + HEADER_SIZE + header.length == len(window)
            if whole and apdu_begins(window, index + HEADER_SIZE, header.length):
                found = index
        return found

    def _resume(self, window: bytearray, at: int, trigger: int) -> None:
        start = self._search_at + at
        self._give_up_search(trigger, start)
        self._search = None
        self._trail.forget(start)
        self._decoder = WpduDecoder(base=start, swapped=self._swapped)
        self._decoder.feed(window[at:])


class BareSplitter:
    """APDUs without a header, one a segment."""

    clean = False

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def chunk(self, segment: Segment, trigger: int) -> None:
        """One APDU."""
        tag = self._listener.read(segment.address, 1)[0]
        length = segment.stop - segment.start
        marks = Mark.TRUNCATED if segment.captured < length else Mark(0)
        header = WpduHeader(0, 0, 0, length)
        self._listener.unit(
            Unit(header, tag, segment.captured, int(marks), (segment,), Framing.BARE), trigger
        )

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """APDUs are missing."""

    def close(self, packet: int) -> None:
        """Nothing is pending."""


class HdlcSplitter:
    """HDLC frames (IEC 62056-46); those that carry an APDU make a unit, its segments together.

    The header of such a unit has the upper HDLC addresses for wPorts and the length of the APDU. What is no
    frame is skipped; a frame with a wrong check sequence is a unit still, marked, as there is much to see.
    """

    #: Always: flags are shared between frames, so the splitter keeps what it has.
    clean = False

    def __init__(self, listener: Listener, start: int) -> None:
        self._listener = listener
        self._decoder = HdlcDecoder(base=start)
        self._joiner = SegmentJoiner()
        self._trail = Trail()
        self._marks = Mark(0)  # of the next unit

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""
        self._trail.add(segment)
        self._decoder.feed(self._listener.read(segment.address, segment.captured))
        self._take(self._decoder.events(), trigger)

    def end_datagram(self, packet: int) -> None:
        """No frame goes on in the next octets, but an APDU may."""
        self._take(self._decoder.close(), packet)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets are missing: the frame they stood in is cut, and so is an APDU whose segments they had."""
        self.close(packet)
        self._decoder = HdlcDecoder(base=stop)
        self._marks |= Mark.RESYNCHRONISED

    def close(self, packet: int) -> None:
        """Nothing more comes: what is begun is cut."""
        self.end_datagram(packet)
        self._emit(self._joiner.close(), packet)

    def _take(self, events: list[HdlcEvent], trigger: int) -> None:
        right = 0
        for event in events:
            if isinstance(event, FrameReceived):
                right += not event.frame.faults & (Fault.FRAME_CHECK | Fault.LENGTH)
                self._emit(self._joiner.add(event), trigger)
                continue
            if isinstance(event, Cut):
                stop, kind, count = event.start + len(event.octets), FindingKind.TRUNCATED, event.missing
            else:
                stop, kind, count = event.stop, FindingKind.SKIPPED, event.stop - event.start
            packet = self._trail.packet_at(stop - 1, trigger)
            self._listener.found(kind, packet, event.start, count)
        if right:
            self._listener.frames(right)
        # A flag that closed the last frame may open the next one.
        waiting = self._decoder.position - 1
        self._trail.forget(min(waiting, self._joiner.first_pending(waiting)))

    def _emit(self, units: list[HdlcUnit], trigger: int) -> None:
        for unit in units:
            if not unit.carries_apdu:
                continue
            pieces = tuple(piece for start, stop in unit.spans for piece in self._trail.cut(start, stop))
            marks, self._marks = self._marks, Mark(0)
            if not unit.complete:
                marks |= Mark.TRUNCATED
            if any(received.frame.faults & _DAMAGE for received in unit.frames):
                marks |= Mark.DAMAGED
            if any(one.packet > other.packet for one, other in pairwise(pieces)):
                marks |= Mark.OUT_OF_ORDER
            header = WpduHeader(0, unit.source.upper or 0, unit.destination.upper or 0, len(unit.apdu))
            size = sum(piece.captured for piece in pieces)
            self._listener.unit(Unit(header, unit.apdu_tag, size, int(marks), pieces, Framing.HDLC), trigger)


_DAMAGE = Fault.FRAME_CHECK | Fault.HEADER_CHECK | Fault.LENGTH | Fault.ADDRESS | Fault.SHORT


class LlcSplitter:
    """Data units of IEC 61334-4-32, one a segment or datagram: control, two LSAPs, an APDU."""

    clean = False
    _HEADER = 3

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def chunk(self, segment: Segment, trigger: int) -> None:
        """One data unit."""
        octets = self._listener.read(segment.address, min(segment.captured, self._HEADER + 1))
        if len(octets) <= self._HEADER:
            return
        length = segment.stop - segment.start
        marks = Mark.TRUNCATED if segment.captured < length else Mark(0)
        header = WpduHeader(0, octets[2], octets[1], length - self._HEADER)
        self._listener.unit(
            Unit(header, octets[3], segment.captured, int(marks), (segment,), Framing.IEC_61334_4_32), trigger
        )

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Data units are missing."""

    def close(self, packet: int) -> None:
        """Nothing is pending."""


class NoSplitter:
    """Streams that are no DLMS, or whose framing has no units: octets are put in order, and that is all."""

    clean = True

    def chunk(self, segment: Segment, trigger: int) -> None:
        """Nothing to do."""

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Nothing to do."""

    def close(self, packet: int) -> None:
        """Nothing to do."""


#: The splitter of each framing: of the listener, the first octet's offset, and whether that begins a unit.
SPLITTERS: dict[Framing, Callable[[Listener, int, bool], Splitter]] = {
    Framing.WRAPPER: lambda listener, start, trusted: WrapperSplitter(listener, start, trusted=trusted),
    Framing.SWAPPED: lambda listener, start, trusted: WrapperSplitter(
        listener, start, trusted=trusted, swapped=True
    ),
    Framing.HDLC: lambda listener, start, trusted: HdlcSplitter(listener, start),
    Framing.IEC_61334_4_32: lambda listener, start, trusted: LlcSplitter(listener),
    Framing.BARE: lambda listener, start, trusted: BareSplitter(listener),
}


def splitter_for(framing: Framing, listener: Listener, start: int, *, trusted: bool) -> Splitter:
    """A splitter for one direction of a stream of this framing, from offset `start` on."""
    make = SPLITTERS.get(framing)
    return make(listener, start, trusted) if make else NoSplitter()
