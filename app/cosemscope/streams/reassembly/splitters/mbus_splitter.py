"""The splitter of wired M-Bus frames (EN 13757-2) that carry APDUs, as some meters push them.

The user data of a long frame begin with a control information field: its low half counts the segments of an
APDU, and the bit above marks the last one. Then come source and destination SAP, which serve as wPorts here.
"""

from cosemscope.streams.foreign.octet_frames import MBUS_USER_DATA, mbus_end
from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Trail, Unit, UnitListener
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import SKIPPED
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import WpduHeader

# Octets of user data before the APDU, and those of a frame behind it.
_HEAD, _TAIL = 3, 2
_LAST, _NUMBER, _TRANSPORT_MOST = 0x10, 0x0F, 0x1F
_BEGINNINGS = (0x10, 0x68, 0xE5)
#: Segments of one APDU: their numbers have 4 bits, and may go round once.
MAX_PARTS = 32


class MBusSplitter:
    """APDUs in the long frames of one direction; other frames are passed over, what is none is skipped."""

    #: Always: a frame may have begun.
    clean = False

    def __init__(self, listener: UnitListener, start: int) -> None:
        self._listener = listener
        self._octets = bytearray()
        self._start = start  # stream offset of the first octet kept
        self._trail = Trail()
        self._parts: list[tuple[int, int, int, tuple[Segment, ...]]] = []  # number, SAPs, pieces
        self._tag = -1

    def chunk(self, segment: Segment, trigger: int) -> None:
        """The next octets."""
        self._trail.add(segment)
        octets = self._listener.read(segment.address, segment.captured)
        self._octets += octets.ljust(segment.stop - segment.start, b"\0")
        self._take(trigger)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Octets are missing: what was begun ends here."""
        self.close(packet)
        self._forget(stop)

    def end_datagram(self, packet: int) -> None:
        """No frame goes on in the next octets, but an APDU may."""
        self._skip(len(self._octets), packet)

    def close(self, packet: int) -> None:
        """Nothing more comes."""
        self.end_datagram(packet)
        self._emit(packet, Mark.TRUNCATED)

    def _take(self, trigger: int) -> None:
        at = lost = 0
        while at < len(self._octets):
            stop = mbus_end(self._octets, at) if self._octets[at] in _BEGINNINGS else 0
            if stop < 0:
                break
            if not stop:
                at += 1
                continue
            self._found(lost, at, trigger)
            self._frame(at, stop, trigger)
            at = lost = stop
        # What may be the beginning of a frame waits; before it there is none.
        self._found(lost, at, trigger)
        self._forget(self._start + at)

    def _frame(self, at: int, stop: int, trigger: int) -> None:
        body = at + MBUS_USER_DATA + _HEAD
        if stop - at < MBUS_USER_DATA + _HEAD + _TAIL or self._octets[body - _HEAD] > _TRANSPORT_MOST:
            return
        control, source, destination = self._octets[body - _HEAD : body]
        number = control & _NUMBER
        if self._parts and number != (self._parts[-1][0] + 1) & _NUMBER:
            self._emit(trigger, Mark.TRUNCATED)
        if not self._parts:
            self._tag = self._octets[body] if not number and body < stop - _TAIL else -1
        pieces = self._trail.cut(self._start + body, self._start + stop - _TAIL)
        self._parts.append((number, source, destination, pieces))
        if control & _LAST or len(self._parts) >= MAX_PARTS:
            whole = control & _LAST and not self._parts[0][0]
            self._emit(trigger, Mark(0) if whole else Mark.TRUNCATED)

    def _emit(self, trigger: int, marks: Mark) -> None:
        """One APDU of the parts that came, if any did."""
        pieces = tuple(piece for part in self._parts for piece in part[3])
        if pieces:
            _, source, destination, _ = self._parts[0]
            size = sum(piece.captured for piece in pieces)
            header = WpduHeader(0, source, destination, size)
            unit = Unit(header, self._tag, size, int(marks), pieces, Framing.MBUS)
            self._listener.unit(unit, trigger)
        self._parts.clear()

    def _found(self, start: int, stop: int, trigger: int) -> None:
        """Octets that are no frame."""
        if stop > start:
            packet = self._trail.packet_at(self._start + stop - 1, trigger)
            self._listener.found(SKIPPED, packet, self._start + start, stop - start)

    def _skip(self, count: int, packet: int) -> None:
        self._found(0, count, packet)
        self._forget(self._start + count)

    def _forget(self, before: int) -> None:
        del self._octets[: max(0, before - self._start)]
        self._start = before
        self._trail.forget(before)
