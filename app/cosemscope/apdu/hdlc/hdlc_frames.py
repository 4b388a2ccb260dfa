"""HDLC frames of IEC 62056-46 (frame format type 3), sans I/O: one decoder splits streams and datagrams.

A frame stands between two flags (7E), and one flag may close a frame and open the next. There is no stuffing:
a flag may occur inside, so the length field tells where a frame ends, and the closing flag and the two check
sequences tell whether to believe it. What is wrong comes back as a value: a `Fault` of a frame, `Skipped`
octets, a `Cut` frame. The same events come however the octets are cut into pieces.
"""

import enum
from binascii import crc_hqx
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from cosemscope.transport.wpdu import NEED_DATA, NeedData, Octets

FLAG: Final = 0x7E
_FLAG: Final = b"\x7e"
FORMAT_TYPE: Final = 0xA  # upper four bits of the first octet of a frame of type 3
MAX_LENGTH: Final = 0x7FF
"""Most octets between two flags, which is what the 11 bits of the length field can say."""
MIN_LENGTH: Final = 7

_MIRROR: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_MIRRORED_FLAG: Final = _FLAG  # it reads the same both ways
_RIGHT: Final = 0x1D0F  # what the register holds, mirrored, after octets and their right check sequence
#: Most octets of a header: format, two addresses of four octets, control.
_HEADER_ROOM: Final = 11
#: How far behind a frame whose length field is wrong the next one is looked for.
_SEARCH_ROOM: Final = 2 * (MAX_LENGTH + 2)
_ADDRESSES_KEPT: Final = 4096  # that are not decoded anew: the same few come again and again
_COMPACT_ABOVE: Final = 1 << 16  # spent octets kept in front of the buffer before it is moved


def check_sequence(octets: Octets) -> int:
    """The check sequence (HCS or FCS) of octets: CRC-16/X-25, as the number that goes out low octet first."""
    # The library's CRC has the same polynomial with the bits of every octet the other way round.
    mirrored = crc_hqx(bytes(octets).translate(_MIRROR), 0xFFFF)
    return (_MIRROR[mirrored & 0xFF] << 8 | _MIRROR[mirrored >> 8]) ^ 0xFFFF


def check_is_right(octets: Octets) -> bool:
    """Whether the last two octets are the right check sequence of those before."""
    return crc_hqx(bytes(octets).translate(_MIRROR), 0xFFFF) == _RIGHT


class HdlcAddress(NamedTuple):
    """An address of 1, 2 or 4 octets: `upper` is the logical device or client, `lower` the physical device.

    `lower` is None in an address of one octet. An address that breaks the rules keeps its `size` and has
    None for both.
    """

    upper: int | None
    lower: int | None
    size: int

    def __str__(self) -> str:
        if self.upper is None:
            return f"broken address of {self.size} octets"
        return str(self.upper) if self.lower is None else f"{self.upper}/{self.lower}"

    def encode(self) -> bytes:
        """The octets of the address. ValueError if a part does not fit the size."""
        parts = {1: (7, 0), 2: (7, 7), 4: (14, 14)}.get(self.size)
        if parts is None:
            raise ValueError(f"an HDLC address has 1, 2 or 4 octets, not {self.size}")
        upper, lower = self.upper or 0, self.lower or 0
        if not 0 <= upper < 1 << parts[0] or not 0 <= lower < 1 << parts[1]:
            raise ValueError(f"the HDLC address {self} does not fit {self.size} octets")
        number = upper << parts[1] | lower
        septets = [number >> 7 * (self.size - 1 - place) & 0x7F for place in range(self.size)]
        return bytes(septet << 1 | (place == self.size - 1) for place, septet in enumerate(septets))


@lru_cache(_ADDRESSES_KEPT)
def decode_address(octets: bytes) -> HdlcAddress:
    """The address that these octets are."""
    if len(octets) == 1:
        return HdlcAddress(octets[0] >> 1, None, 1)
    if len(octets) == 2:
        return HdlcAddress(octets[0] >> 1, octets[1] >> 1, 2)
    if len(octets) == 4:
        first, second, third, fourth = (octet >> 1 for octet in octets)
        return HdlcAddress(first << 7 | second, third << 7 | fourth, 4)
    return HdlcAddress(None, None, len(octets))


def address_end(octets: Octets, start: int, stop: int) -> int | None:
    """Where the address at `start` ends: behind its first odd octet, at most four on; None if not there."""
    for at in range(start, min(start + 4, stop)):
        if octets[at] & 1:
            return at + 1
    return None if stop - start < 4 else start + 4


class FrameFault(enum.IntFlag):
    """The faults that a frame may have."""

    FRAME_CHECK = 1  # the FCS is wrong
    HEADER_CHECK = 2  # the HCS is wrong
    LENGTH = 4  # the length field says other than stands between the flags
    ADDRESS = 8  # an address that does not end after 1, 2 or 4 octets
    SHORT = 16  # too short to hold addresses, control field and check sequence
    FLAG = 32  # no flag closes it


class HdlcFrame(NamedTuple):
    """One frame: its `octets` without flags, and what its header says.

    `length` is what the length field says, `information` the octets of the information field.
    """

    octets: bytes
    length: int
    segmented: bool
    destination: HdlcAddress
    source: HdlcAddress
    control: int
    information: bytes
    faults: FrameFault


_NO_FAULT: Final = FrameFault(0)
_NO_ADDRESS: Final = HdlcAddress(None, None, 0)


def header_size(octets: Octets, start: int, stop: int) -> int | None:
    """Octets from the format field at `start` to the control field, included; None if some are missing."""
    middle = address_end(octets, start + 2, stop)
    end = None if middle is None else address_end(octets, middle, stop)
    return None if end is None or end >= stop else end + 1 - start


def parse_frame(octets: bytes, *, checked: bool = False) -> HdlcFrame:
    """The frame that `octets`, everything between two flags, are. Never raises.

    `checked`: the frame check sequence is known to be right.
    """
    length = (octets[0] & 7) << 8 | octets[1] if len(octets) >= 2 else 0
    segmented = bool(octets[:1] and octets[0] & 8)
    faults = _NO_FAULT if length == len(octets) else FrameFault.LENGTH
    size = header_size(octets, 0, len(octets) - 2)
    if size is None:
        faults |= FrameFault.SHORT
        return HdlcFrame(octets, length, segmented, _NO_ADDRESS, _NO_ADDRESS, -1, b"", faults)
    middle = 3 if octets[2] & 1 else address_end(octets, 2, len(octets)) or 2
    destination, source = decode_address(octets[2:middle]), decode_address(octets[middle : size - 1])
    if destination.upper is None or source.upper is None or not octets[middle - 1] & octets[size - 2] & 1:
        faults |= FrameFault.ADDRESS
    if not checked and not check_is_right(octets):
        faults |= FrameFault.FRAME_CHECK
    # Without an information field, the frame check sequence follows the control field and is the only one.
    information = b""
    if len(octets) > size + 2:
        information = octets[size + 2 : -2]
        if not check_is_right(octets[: size + 2]) or len(octets) < size + 4:
            faults |= FrameFault.HEADER_CHECK
    return HdlcFrame(octets, length, segmented, destination, source, octets[size - 1], information, faults)


class FrameReceived(NamedTuple):
    """A frame with its flags; these octets are `start` to `stop` (exclusive) of the stream or datagram.

    Where one flag closes a frame and opens the next, both count it as theirs.
    """

    frame: HdlcFrame
    start: int
    stop: int


class Skipped(NamedTuple):
    """Octets `start` to `stop` (exclusive) that belong to no frame; flags between frames are not told."""

    start: int
    stop: int


class Cut(NamedTuple):
    """The octets ended inside a frame that began, with its flag, at `start`; `missing` octets or more."""

    octets: bytes
    start: int
    missing: int


HdlcEvent: TypeAlias = FrameReceived | Skipped | Cut


class HdlcDecoder:
    """Splits octets into HDLC frames, however they come in pieces.

    Feed octets, then take events until `NEED_DATA`. Offsets count from the first octet, which is `base`. At
    most about 4100 octets are kept once `next_event` says `NEED_DATA`.
    """

    def __init__(self, *, base: int = 0) -> None:
        self._buffer = bytearray()
        self._at = (
            0  # index in the buffer of the next octet that is not decided, or of a frame's closing flag
        )
        self._base = base
        self._closing = False  # the octet at `_at` is the flag that closed the last frame
        self._lost = -1  # stream offset from which octets were passed over that are not told yet
        self._probe = _NO_PROBE
        self._held: FrameReceived | Cut | None = None  # to be told after what was passed over before it

    @property
    def position(self) -> int:
        """Stream offset of the next octet that belongs to no event yet."""
        return self._base + self._at + self._closing if self._lost < 0 else self._lost

    def feed(self, octets: Octets) -> None:
        """Add octets to the end of the stream."""
        at = self._at
        if at and (at == len(self._buffer) or (at > _COMPACT_ABOVE and at * 2 > len(self._buffer))):
            del self._buffer[:at]
            self._base += at
            self._at = 0
        self._buffer += octets

    def next_event(self) -> HdlcEvent | NeedData:
        """The next frame, or what was skipped before it; NEED_DATA if more octets must come to tell."""
        return self._next(ended=False) or NEED_DATA

    def events(self) -> list[HdlcEvent]:
        """All events that the octets at hand hold."""
        return list(iter(lambda: self._next(ended=False), None))

    def close(self) -> list[HdlcEvent]:
        """No octet follows: the remaining events, the last perhaps `Cut`."""
        found: list[HdlcEvent] = list(iter(lambda: self._next(ended=True), None))
        end = self._base + len(self._buffer)
        if self._lost >= 0:
            found.append(Skipped(self._lost, end))
        self._restart(end)
        return found

    def resume_at(self, offset: int) -> list[HdlcEvent]:
        """Octets are missing: what `close` gives for those before; the next octets fed have this offset."""
        found = self.close()
        self._restart(offset)
        return found

    def _restart(self, offset: int) -> None:
        self._buffer.clear()
        self._at, self._base = 0, offset
        self._closing, self._lost = False, -1
        self._probe = _NO_PROBE

    def _next(self, *, ended: bool) -> HdlcEvent | None:
        if self._held is not None:
            held, self._held = self._held, None
            return held
        while self._find_flag():
            start = self._at + 1
            verdict = self._judge(start, len(self._buffer), ended=ended)
            if isinstance(verdict, _Frame):
                return self._frame(start, verdict)
            if isinstance(verdict, _Wait):
                return self._cut(start) if ended else None
            self._lose(self._at + self._closing)
            self._at = verdict.end
        return None

    def _find_flag(self) -> bool:
        """Go to the last flag of the next run of flags; False if no octet follows it."""
        buffer, at = self._buffer, self._at
        end = len(buffer)
        if at < end and buffer[at] != FLAG:
            self._lose(at)
            at = buffer.find(_FLAG, at)
            if at < 0:
                self._at = end
                return False
        while at + 1 < end and buffer[at + 1] == FLAG:
            at += 1
            self._closing = False
        self._at = at
        return at + 1 < end

    def _lose(self, at: int) -> None:
        """Octets from index `at` on belong to no frame, which is told with the next event."""
        if self._lost < 0:
            self._lost = self._base + at
        self._closing = False

    def _told(self, event: FrameReceived | Cut) -> HdlcEvent:
        """The event, or what was skipped before it."""
        if self._lost < 0:
            return event
        skipped, self._lost = Skipped(self._lost, event.start), -1
        self._held = event
        return skipped

    def _frame(self, start: int, verdict: "_Frame") -> HdlcEvent:
        buffer, end = self._buffer, verdict.end
        frame = parse_frame(bytes(buffer[start:end]), checked=verdict.checked)
        closed = end < len(buffer) and buffer[end] == FLAG
        if not closed:
            frame = frame._replace(faults=frame.faults | FrameFault.FLAG)
        self._at, self._closing = end, closed
        received = FrameReceived(frame, self._base + start - 1, self._base + end + closed)
        return received if self._lost < 0 else self._told(received)

    def _cut(self, start: int) -> HdlcEvent:
        octets = bytes(self._buffer[start - 1 :])
        length = (octets[1] & 7) << 8 | octets[2] if len(octets) > 2 else MIN_LENGTH
        self._at, self._closing = len(self._buffer), False
        return self._told(Cut(octets, self._base + start - 1, length + 2 - len(octets)))

    def _judge(self, start: int, available: int, *, ended: bool) -> "_Frame | _NoFrame | _Wait":
        """The verdict on the octets from index `start` on, behind a flag."""
        buffer = self._buffer
        if buffer[start] >> 4 != FORMAT_TYPE:
            return _NoFrame(start)
        if available - start < 2:
            return _WAIT
        length = (buffer[start] & 7) << 8 | buffer[start + 1]
        if length < MIN_LENGTH:
            return _NoFrame(start)
        end = start + length
        if end >= available and not ended:
            return _WAIT
        if end <= available and check_is_right(buffer[start:end]):
            return _Frame(end, True)
        header = _header_is_right(buffer, start, available)
        if end < available and buffer[end] == FLAG:
            return self._judge_wrong_check(start, end, header=header)
        if header:
            return self._judge_wrong_length(start, end, available, ended=ended)
        return _WAIT if header is None and end >= available else _NoFrame(start)

    def _judge_wrong_check(self, start: int, end: int, *, header: bool | None) -> "_Frame | _NoFrame | _Wait":
        """Flags stand where they should, the check sequence is wrong: a damaged frame, or none at all."""
        if header:
            # Two flags at the end: the frame lost octets, and its length field reaches into the next flag.
            return _Frame(self._find_end(start, end) or self._before_flags(start, end))
        inner = self._find_start(start + 2, end)
        return _Frame(end) if inner is None else _NoFrame(inner)

    def _judge_wrong_length(
        self, start: int, end: int, available: int, *, ended: bool
    ) -> "_Frame | _NoFrame | _Wait":
        """The header is right and no flag stands where it says: the frame ends elsewhere, or was cut."""
        limit = start + _SEARCH_ROOM
        found = self._find_end(start, min(available, limit))
        if found is not None:
            return _Frame(found)
        if available >= limit:
            return _NoFrame(start)
        if ended and self._buffer[available - 1] == FLAG:
            return _Frame(self._before_flags(start, available))
        return _NoFrame(start) if ended and end < available else _WAIT

    def _find_end(self, start: int, stop: int) -> int | None:
        """Where a frame ends, all before `stop`, whose length field does not tell.

        At the first flag behind a right check sequence, or before a right header. What was looked through is
        remembered, so that a frame that comes octet by octet costs no more than one that comes at once.
        """
        buffer, base = self._buffer, self._base
        at, register = start, 0xFFFF
        if self._probe.start == base + start:
            at, register = self._probe.at - base, self._probe.register
        while (flag := buffer.find(_FLAG, at, stop)) >= 0:
            register = crc_hqx(buffer[at:flag].translate(_MIRROR), register)
            at = flag
            # Behind the header stands a check sequence of its own, and 7E may begin the information field.
            if register == _RIGHT and flag != start + (header_size(buffer, start, flag) or 0) + 2:
                return flag
            begins = self._begins(flag, stop)
            if begins:
                return self._before_flags(start, flag)
            if begins is None:
                break
            register = crc_hqx(_MIRRORED_FLAG, register)
            at = flag + 1
        self._probe = _Probe(base + start, base + at, register)
        return None

    def _before_flags(self, start: int, end: int) -> int:
        """Where the octets from `start` end when the flags before `end` are taken off."""
        return start + len(self._buffer[start:end].rstrip(_FLAG))

    def _find_start(self, first: int, stop: int) -> int | None:
        """The first flag from `first` on that stands before a right header, which ends before `stop`."""
        at = self._buffer.find(_FLAG, first, stop)
        while at >= 0 and not self._begins(at, stop):
            at = self._buffer.find(_FLAG, at + 1, stop)
        return at if at >= 0 else None

    def _begins(self, flag: int, stop: int) -> bool | None:
        """Whether a right header follows the flag at this index; None if not enough follows before `stop`."""
        if flag + 1 >= stop:
            return None
        if self._buffer[flag + 1] >> 4 != FORMAT_TYPE:
            return False
        return _header_is_right(self._buffer, flag + 1, stop)


class _Probe(NamedTuple):
    """How far (`at`) the end of the frame at `start` was looked for; `register` is the CRC so far."""

    start: int
    at: int
    register: int


_NO_PROBE: Final = _Probe(-1, -1, 0)


class _Frame(NamedTuple):
    """A frame ends at this index of the buffer, where its closing flag stands.

    `checked`: its frame check sequence is right.
    """

    end: int
    checked: bool = False


class _NoFrame(NamedTuple):
    """No frame begins before this index of the buffer."""

    end: int


class _Wait(enum.Enum):
    """More octets must come to tell what this is; if none come, a frame was cut."""

    WAIT = "wait"


_WAIT: Final = _Wait.WAIT


def _header_is_right(octets: Octets, start: int, stop: int) -> bool | None:
    """Whether the header at `start` has its right check sequence; None if it is not all there."""
    size = header_size(octets, start, min(stop - 2, start + _HEADER_ROOM))
    return None if size is None else check_is_right(octets[start : start + size + 2])
