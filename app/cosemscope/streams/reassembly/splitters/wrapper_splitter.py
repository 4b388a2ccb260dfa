"""The splitter of WPDUs (IEC 62056-4-7): headers by the transport core, a search for the next when lost."""

from itertools import islice, pairwise

from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Trail, Unit, UnitListener
from cosemscope.streams.recognition import apdu_begins
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT_HEADER, SKIPPED, WRONG_VERSION
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION, BadVersion, WpduDecoder, WpduHeader, decode_header

# Headers within a WPDU that has not ended, each of which may show that its sender had cut that short.
_MOST_RIVALS = 16
# Octets of a header and the two behind it, by which it is believed.
_HEAD_SIZE = HEADER_SIZE + 2
# Segments among which a WPDU that stands alone is looked for while a doubtful one has yet to show its end.
_SEGMENTS_LOOKED_AT = 64


class WrapperSplitter:
    """WPDUs of IEC 62056-4-7, by the transport core's own decoder; a header is searched when it is lost.

    `trusted`: the first octet at `start` begins a WPDU, whatever it looks like; else it is searched for too.
    A WPDU that its sender cut short, or whose length is too long, ends where a whole believable one begins
    with a segment and ends with one.
    """

    def __init__(self, listener: UnitListener, start: int, *, trusted: bool, swapped: bool = False) -> None:
        self._listener = listener
        self._swapped = swapped
        self._magic = b"\x01\x00" if swapped else b"\x00\x01"
        self._decoder = WpduDecoder(base=start, swapped=swapped)
        self._trail = Trail()
        self._missing: list[tuple[int, int]] = []  # holes in the WPDU that is being received
        self._search = None if trusted else bytearray()
        self._search_at = start  # stream offset of the first octet in `_search`
        self._lost_from = start
        self._arrived = -1  # the packet of the octets that came last
        self._marks = Mark(0)  # of the next unit
        self._rivals: list[tuple[int, int]] = []  # spans of believable WPDUs within the one that has begun

    @property
    def clean(self) -> bool:
        """True if the next octet begins a WPDU."""
        return self._search is None and not self._decoder.buffered

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""
        self._trail.add(segment)
        self._arrived = segment.packet
        octets = self._listener.read(segment.address, segment.captured)
        if self._search is None:
            self._look_for_rival(segment, octets)
            self._decoder.feed(octets)
            if self._rivals and self._waits_for_rival(segment.stop, trigger):
                return
        else:
            self._search += octets
        self._advance(trigger, ended=False)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets that are missing: inside a WPDU its length tells where to go on."""
        if self._rivals:
            self._rivals.clear()
            self._advance(trigger, ended=False)
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
        self._rivals.clear()
        self._advance(packet, ended=True)
        if self._search is not None:
            # The packet with which all ends may be behind the last one of the capture.
            self._give_up_search(self._arrived, self._search_at + len(self._search))
            self._begin_search(self._lost_from, self._lost_from)
            return
        self._break_off(packet, packet)

    def _look_for_rival(self, segment: Segment, octets: bytes) -> None:
        """Note a believable WPDU that begins with this segment, while another one has not ended."""
        rivals = self._rivals
        if not self._decoder.buffered or len(octets) < _HEAD_SIZE or not octets.startswith(self._magic):
            return
        header = decode_header(octets, swapped=self._swapped)
        if header is None or not apdu_begins(octets, HEADER_SIZE, header.length):
            return
        # Others may follow it in this segment: they end together.
        end = HEADER_SIZE + header.length
        while end < len(octets):
            header = decode_header(octets, end, swapped=self._swapped)
            if header is None or header.version != VERSION:
                return
            end += HEADER_SIZE + header.length
        if len(rivals) < _MOST_RIVALS:
            rivals.append((segment.start, segment.start + end))

    def _waits_for_rival(self, stop: int, trigger: int) -> bool:
        """Tell who is right, at a segment that ends at `stop`: the WPDU that has begun, or one within it.

        True while more must tell.
        """
        decoder, trail = self._decoder, self._trail
        header = decoder.header
        whole = header is not None and header.version == VERSION and not decoder.missing
        if whole and header is not None:
            end = decoder.position + HEADER_SIZE + header.length
            follows = decoder.peek(HEADER_SIZE + header.length, len(self._magic))
            if end in trail.stops or self._magic.startswith(follows):
                return False
        right = next((start for start, ends in self._rivals if ends == stop), -1)
        if right > decoder.position:
            self._give_way(right, trigger)
            return False
        self._rivals = [rival for rival in self._rivals if rival[1] > stop]
        return bool(self._rivals)

    def _give_way(self, start: int, trigger: int) -> None:
        """The WPDU that has begun was cut short where another one begins."""
        base, rest = self._decoder.position, self._decoder.skip(self._decoder.buffered)
        self._decoder = WpduDecoder(base=base, swapped=self._swapped)
        self._decoder.feed(rest[: start - base])
        self._break_off(trigger, trigger)
        self._decoder = WpduDecoder(base=start, swapped=self._swapped)
        self._decoder.feed(rest[start - base :])

    def _break_off(self, packet: int, trigger: int) -> None:
        rest = self._decoder.close()
        if rest is None:
            return
        stop = rest.start + len(rest.octets)
        packet = self._trail.packet_at(stop - 1, packet)
        if rest.header is not None and rest.header.version == VERSION:
            self._emit(rest.header, rest.start, stop, rest.octets, trigger, Mark.TRUNCATED)
        elif not rest.octets.startswith(self._magic[: len(rest.octets)]):
            self._listener.found(SKIPPED, packet, rest.start, len(rest.octets), stop)
        else:
            self._listener.found(CUT_HEADER, packet, rest.start, rest.missing, stop)
        self._missing.clear()
        self._rivals.clear()
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
                self._tell_version(rest, event.start, trigger)
                self._begin_search(event.start, event.start)
                self._marks |= Mark.RESYNCHRONISED
                self._search = bytearray(rest)
                return False
            wpdu = event.wpdu
            octets = bytes(HEADER_SIZE) + wpdu.data[:1]
            self._emit(wpdu.header, event.start, event.stop, octets, trigger, Mark(0))
            self._rivals.clear()
            self._trail.forget(event.stop)
        return True

    def _tell_version(self, octets: bytes, start: int, trigger: int) -> None:
        """Tell of a header of another version, if its length leads to a segment's end or the next header."""
        header = decode_header(octets, swapped=self._swapped)
        if header is None or not apdu_begins(octets, HEADER_SIZE, header.length):
            return
        end = HEADER_SIZE + header.length
        if start + end in self._trail.stops or octets.startswith(self._magic, end):
            packet = self._trail.packet_at(start, trigger)
            self._listener.found(WRONG_VERSION, packet, start, header.version, start + HEADER_SIZE)

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
        self._rivals.clear()
        self._trail.forget(start)

    def _give_up_search(self, packet: int, stop: int) -> None:
        """No header was found up to `stop`."""
        if stop > self._lost_from:
            self._listener.found(SKIPPED, packet, self._lost_from, stop - self._lost_from)
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
        # The item of what is passed over here comes when the search ends.
        del window[:at]
        self._search_at += at
        self._trail.forget(self._search_at)
        return False

    def _believe(self, window: bytearray, at: int, *, ended: bool) -> bool | None:
        """True if a header stands at this index; None while more octets must tell, or would have had to."""
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
        for piece in islice(self._trail.latest(), _SEGMENTS_LOOKED_AT):
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
