"""The splitter of HDLC frames (IEC 62056-46): APDUs joined from their segments."""

from itertools import pairwise

from cosemscope.apdu.hdlc.hdlc_frames import Cut, FrameFault, FrameReceived, HdlcDecoder, HdlcEvent
from cosemscope.apdu.hdlc.hdlc_units import CARRIERS, HdlcUnit, SegmentJoiner
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Trail, Unit, UnitListener
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT_FRAME, DAMAGED_FRAME, NO_FRAME, NO_LLC
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import WpduHeader

#: Octets and pieces of a direction that may go by while an APDU waits for its next segment.
MAX_BEHIND = 8 << 20
MAX_PIECES_BEHIND = 1 << 16


class HdlcSplitter:
    """HDLC frames (IEC 62056-46); those that carry an APDU make a unit, its segments together.

    The header of such a unit has the upper HDLC addresses for wPorts and the length of the APDU. What is no
    frame is skipped; a frame with a wrong check sequence is a unit still, marked, as there is much to see.
    """

    #: Always: flags are shared between frames, so the splitter keeps what it has.
    clean = False

    def __init__(self, listener: UnitListener, start: int) -> None:
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
        self.close(trigger)
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
                faults = event.frame.faults
                right += not (faults and faults & _DOUBTFUL)
                units = self._joiner.add(event)
                if units:
                    self._emit(units, trigger)
                continue
            if isinstance(event, Cut):
                stop, kind, count = event.start + len(event.octets), CUT_FRAME, event.missing
            else:
                stop, kind, count = event.stop, NO_FRAME, event.stop - event.start
            packet = self._trail.packet_at(stop - 1, trigger)
            self._listener.found(kind, packet, event.start, count, stop)
        if right:
            self._listener.frames(right)
        # A flag that closed the last frame may open the next one.
        waiting = self._decoder.position - 1
        first = min(waiting, self._joiner.first_pending(waiting))
        self._trail.forget(first)
        while first < waiting and (waiting - first > MAX_BEHIND or len(self._trail) > MAX_PIECES_BEHIND):
            self._emit(self._joiner.give_up_oldest(), trigger)
            first = min(waiting, self._joiner.first_pending(waiting))
            self._trail.forget(first)

    def _emit(self, units: list[HdlcUnit], trigger: int) -> None:
        for unit in units:
            if not unit.carries_apdu:
                self._tell_of(unit, trigger)
                continue
            pieces = tuple(piece for start, stop in unit.spans for piece in self._trail.cut(start, stop))
            marks, self._marks = self._marks, Mark(0)
            if not unit.complete:
                marks |= Mark.TRUNCATED
            if _damaged(unit):
                marks |= Mark.DAMAGED
            if any(one.packet > other.packet for one, other in pairwise(pieces)):
                marks |= Mark.OUT_OF_ORDER
            header = WpduHeader(0, unit.source.upper or 0, unit.destination.upper or 0, len(unit.apdu))
            size = sum(piece.captured for piece in pieces)
            self._listener.unit(Unit(header, unit.apdu_tag, size, int(marks), pieces, Framing.HDLC), trigger)

    def _tell_of(self, unit: HdlcUnit, trigger: int) -> None:
        """What is wrong with frames that make no row, as they carry no APDU."""
        start, stop = unit.spans[0][0], unit.spans[-1][1]
        packet = self._trail.packet_at(stop - 1, trigger)
        if _damaged(unit):
            self._listener.found(DAMAGED_FRAME, packet, start, stop - start)
        elif unit.control.kind in CARRIERS and unit.information:
            self._listener.found(NO_LLC, packet, start, len(unit.information), stop)


_DOUBTFUL = FrameFault.FRAME_CHECK | FrameFault.LENGTH
_DAMAGE = (
    FrameFault.FRAME_CHECK
    | FrameFault.HEADER_CHECK
    | FrameFault.LENGTH
    | FrameFault.ADDRESS
    | FrameFault.SHORT
)


def _damaged(unit: HdlcUnit) -> bool:
    faults = (received.frame.faults for received in unit.frames)
    return any(fault and fault & _DAMAGE for fault in faults)
