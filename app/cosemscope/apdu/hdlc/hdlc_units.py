"""Control fields and LLC octets of HDLC frames, and the APDUs that frames carry in several segments.

`SegmentJoiner` takes frame after frame and gives units: the frames of one APDU together, every other frame
alone. It believes only frames without a fault, as a meter does, and what it cannot join it gives incomplete.
"""

import enum
from collections.abc import Sequence
from typing import Final, NamedTuple

from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.hdlc.hdlc_frames import FrameFault, FrameReceived, HdlcAddress
from cosemscope.apdu.names.tags import APDU_TAGS

COMMAND_LLC: Final = b"\xe6\xe6\x00"
RESPONSE_LLC: Final = b"\xe6\xe7\x00"
LLC_SIZE: Final = 3
MAX_INFORMATION: Final = 1 << 20
"""Most octets of one joined APDU; a longer one is given incomplete."""
MAX_SEGMENTS: Final = 1 << 14
"""Most frames of one joined APDU, likewise: they may be empty."""
MAX_PENDING: Final = 64
"""Most pairs of addresses between which an APDU may be on its way; beyond, the oldest is given incomplete."""


class FrameKind(enum.Enum):
    """The type of a frame, by its control field: the value is its name in the standard."""

    I = "I"  # noqa: E741 -- its name
    RR = "RR"
    RNR = "RNR"
    REJ = "REJ"
    SREJ = "SREJ"
    SNRM = "SNRM"
    DISC = "DISC"
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    UI = "UI"
    UNKNOWN = "unknown"


class Control(NamedTuple):
    """A control field: P/F bit, and N(S) and N(R) where the kind of frame has them (else None)."""

    kind: FrameKind
    poll_final: bool
    send: int | None
    receive: int | None

    def __str__(self) -> str:
        numbers = [f"N(S) {self.send}"] if self.send is not None else []
        numbers += [f"N(R) {self.receive}"] if self.receive is not None else []
        numbers += [_POLL_FINAL.get(self.kind, "P/F")] if self.poll_final else []
        return ", ".join([self.kind.value, *numbers])


_SUPERVISORY = (FrameKind.RR, FrameKind.RNR, FrameKind.REJ, FrameKind.SREJ)
_UNNUMBERED = {
    0x83: FrameKind.SNRM,
    0x43: FrameKind.DISC,
    0x63: FrameKind.UA,
    0x0F: FrameKind.DM,
    0x87: FrameKind.FRMR,
    0x03: FrameKind.UI,
}
_COMMANDS = frozenset({FrameKind.SNRM, FrameKind.DISC})
_RESPONSES = frozenset({FrameKind.UA, FrameKind.DM, FrameKind.FRMR})
_POLL_FINAL = dict.fromkeys(_COMMANDS, "P") | dict.fromkeys(_RESPONSES, "F")
#: Frames that carry APDUs.
CARRIERS: Final = frozenset({FrameKind.I, FrameKind.UI})


def _control(octet: int) -> Control:
    poll_final, receive = bool(octet & 0x10), octet >> 5
    if not octet & 1:
        return Control(FrameKind.I, poll_final, octet >> 1 & 7, receive)
    if not octet & 2:
        return Control(_SUPERVISORY[octet >> 2 & 3], poll_final, None, receive)
    return Control(_UNNUMBERED.get(octet & 0xEF, FrameKind.UNKNOWN), poll_final, None, None)


CONTROLS: Final = tuple(_control(octet) for octet in range(256))
"""Every control field by its octet (IEC 62056-46, modulo 8)."""
_NO_CONTROL: Final = Control(FrameKind.UNKNOWN, False, None, None)


_CARRYING: Final = frozenset(octet for octet, control in enumerate(CONTROLS) if control.kind in CARRIERS)
_BREAKING: Final = frozenset(
    octet for octet, control in enumerate(CONTROLS) if control.kind in _COMMANDS | _RESPONSES
)
#: Faults for which a frame is not believed.
_DISBELIEVED: Final = ~FrameFault.FLAG


def control_of(received: FrameReceived) -> Control:
    """The control field of a frame; of unknown kind where the frame is too short to have one."""
    octet = received.frame.control
    return CONTROLS[octet] if octet >= 0 else _NO_CONTROL


class Sender(enum.Enum):
    """The side that sent a frame, as far as the frame itself tells."""

    CLIENT = "client"
    SERVER = "server"
    UNKNOWN = ""


def sender_of(received: FrameReceived) -> Sender:
    """By the kind of frame, the LLC octets, or an address of more than one octet, which is a server's."""
    frame, kind = received.frame, control_of(received).kind
    llc = frame.information[:LLC_SIZE]
    if kind in _COMMANDS or (kind in CARRIERS and llc == COMMAND_LLC) or frame.destination.size > 1:
        return Sender.CLIENT
    if kind in _RESPONSES or (kind in CARRIERS and llc == RESPONSE_LLC) or frame.source.size > 1:
        return Sender.SERVER
    return Sender.UNKNOWN


class HdlcUnit(NamedTuple):
    """The frames of one APDU, or one frame that carries none.

    `information` are the joined information fields, in which an APDU begins at `begin`, behind LLC octets or
    without any; -1 where there is none. `complete`: the first segment, the last and all between are there;
    true of frames that carry no APDU. `repeated`: a segment that had come already.
    """

    frames: tuple[FrameReceived, ...]
    information: bytes
    complete: bool = True
    repeated: bool = False
    begin: int = -1

    @property
    def control(self) -> Control:
        """The control field of the first frame."""
        return control_of(self.frames[0])

    @property
    def source(self) -> HdlcAddress:
        """The sender's address."""
        return self.frames[0].frame.source

    @property
    def destination(self) -> HdlcAddress:
        """The receiver's address."""
        return self.frames[0].frame.destination

    @property
    def sender(self) -> Sender:
        """The side that sent the unit, as far as its first frame tells."""
        return sender_of(self.frames[0])

    @property
    def carries_apdu(self) -> bool:
        """Whether these are information frames with an APDU."""
        return self.begin >= 0

    @property
    def apdu(self) -> bytes:
        """The APDU without LLC octets; empty where there is none."""
        return self.information[self.begin :] if self.carries_apdu else b""

    @property
    def apdu_tag(self) -> int:
        """The first octet of the APDU; -1 where there is none."""
        return self.information[self.begin] if 0 <= self.begin < len(self.information) else -1

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where its octets stand in the stream, flags included, in order and without overlap."""
        spans: list[tuple[int, int]] = []
        for received in self.frames:
            if spans and received.start <= spans[-1][1]:
                spans[-1] = (spans[-1][0], received.stop)
            else:
                spans.append((received.start, received.stop))
        return tuple(spans)


def has_llc(information: bytes) -> bool:
    """Whether an information field begins with the LLC octets of DLMS (a later segment has none)."""
    return information[:LLC_SIZE] in (COMMAND_LLC, RESPONSE_LLC)


def _apdu_begins(received: FrameReceived, information: bytes) -> int:
    """Where in its information field the APDU of a frame begins; -1 where there is none.

    Some servers leave the LLC octets out, of all frames or of all but the first block of a transfer. Such an
    APDU is believed where it is sound to its last octet: it could be the rest of one in segments.
    """
    if control_of(received).kind not in CARRIERS or not information:
        return -1
    if has_llc(information):
        return LLC_SIZE
    doubtful = received.frame.segmented or received.frame.faults & ~FrameFault.FLAG
    return -1 if doubtful or information[0] not in APDU_TAGS or not _is_sound(information) else 0


#: Long arrays are passed over, which tells a fault all the same.
_BRIEF = Context(brief=True)


def _is_sound(apdu: bytes) -> bool:
    return not any(problem.severity == "error" for problem in decode_apdu(apdu, _BRIEF).problems)


_Pair = tuple[HdlcAddress, HdlcAddress]


class _Begun:
    """An APDU on its way: its frames so far, and the octets of their information fields."""

    def __init__(self) -> None:
        self.frames: list[FrameReceived] = []
        self.size = 0

    def add(self, received: FrameReceived) -> bool:
        """Take the next segment; False when that is one too many."""
        self.frames.append(received)
        self.size += len(received.frame.information)
        return self.size <= MAX_INFORMATION and len(self.frames) <= MAX_SEGMENTS


class SegmentJoiner:
    """Joins the segments of APDUs, pair of addresses by pair; for the frames of one direction, in order."""

    def __init__(self) -> None:
        self._pending: dict[_Pair, _Begun] = {}

    def add(self, received: FrameReceived) -> list[HdlcUnit]:
        """The units that are whole, or given up, now that a frame came, in order; often none."""
        frame = received.frame
        if frame.faults and frame.faults & _DISBELIEVED:
            return [_alone(received)]
        pair = (frame.destination, frame.source)
        if frame.control not in _CARRYING:
            return [*(self._give_up(pair) if frame.control in _BREAKING else ()), _alone(received)]
        units: list[HdlcUnit] = []
        begun = self._pending.get(pair)
        if begun is not None and not _follows(begun.frames[-1], received):
            if _repeats(begun.frames[-1], received):
                return [_alone(received)._replace(repeated=True, complete=False)]
            units += self._give_up(pair)
            begun = None
        begun = begun or _Begun()
        room = begun.add(received)
        self._pending.pop(pair, None)
        if not frame.segmented:
            return [*units, _whole(begun.frames)]
        if not room:
            return [*units, _unit(begun.frames, complete=False)]
        while len(self._pending) >= MAX_PENDING:
            units += self.give_up_oldest()
        self._pending[pair] = begun
        return units

    def close(self) -> list[HdlcUnit]:
        """No frame follows, or some are missing: what had been begun, incomplete."""
        return [unit for pair in list(self._pending) for unit in self._give_up(pair)]

    def give_up_oldest(self) -> list[HdlcUnit]:
        """The APDU of which no segment came for the longest time, incomplete; empty where none waits."""
        return self._give_up(next(iter(self._pending))) if self._pending else []

    def first_pending(self, default: int) -> int:
        """Where in the stream the first frame stands that waits for others; `default` when none waits."""
        return min((begun.frames[0].start for begun in self._pending.values()), default=default)

    def _give_up(self, pair: _Pair) -> list[HdlcUnit]:
        begun = self._pending.pop(pair, None)
        return [_unit(begun.frames, complete=False)] if begun else []


def _alone(received: FrameReceived) -> HdlcUnit:
    """The unit of one frame, which is not joined to others."""
    information = received.frame.information
    return HdlcUnit((received,), information, begin=_apdu_begins(received, information))


def _whole(frames: Sequence[FrameReceived]) -> HdlcUnit:
    """The unit that ends with the last of these frames; whole from LLC octets or an APDU on."""
    if has_llc(frames[0].frame.information):
        return _unit(frames, complete=True)
    alone = _alone(frames[0]) if len(frames) == 1 else None
    return alone if alone is not None and alone.begin == 0 else _unit(frames, complete=False)


def _unit(frames: Sequence[FrameReceived], *, complete: bool) -> HdlcUnit:
    information = b"".join(one.frame.information for one in frames)
    return HdlcUnit(tuple(frames), information, complete, begin=LLC_SIZE if has_llc(information) else -1)


def _follows(last: FrameReceived, received: FrameReceived) -> bool:
    """Whether a segment is the next after `last`: I frames count, UI frames do not."""
    before, now = control_of(last), control_of(received)
    if has_llc(received.frame.information) and before.kind is FrameKind.UI:
        return False
    return now.kind is before.kind and (before.send is None or now.send == (before.send + 1) & 7)


def _repeats(last: FrameReceived, received: FrameReceived) -> bool:
    same_number = control_of(last).send == control_of(received).send
    return same_number and last.frame.information == received.frame.information
