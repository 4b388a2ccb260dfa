"""M-Bus long frames (EN 13757-2) around APDUs: split, joined from segments, and as trees to the octet.

Meters with a wired M-Bus output push APDUs in frames `68 L L 68 C A CI ... sum 16`. A CI field of 00 to 1F
(EN 13757-3, DLMS transport) counts segments and marks the last one; two service access points follow.
"""

from typing import Any, NamedTuple

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Cursor, Session
from cosemscope.apdu.decoder import read_apdu
from cosemscope.apdu.fields import ByteSource, Decoded
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.services.parts import other_source
from cosemscope.wording import count

CLAUSE = "EN 13757-2, frame format FT1.2"
_START, _STOP = 0x68, 0x16
_MARKS = {_START: "long frame", _STOP: "end"}
#: Octets around what the length counts: start, length twice, start; sum and stop.
_HEAD, _TAIL = 4, 2
#: Control, address, CI, STSAP and DTSAP: what stands before an APDU.
_BEFORE_APDU = 5
_LAST, _NUMBER = 0x10, 0x0F
#: From this CI field on there is something else than DLMS inside.
_FOREIGN = 0x20
_CONTROLS = {0x53: "SND-UD", 0x73: "SND-UD, FCB", **dict.fromkeys((0x08, 0x18, 0x28, 0x38), "RSP-UD")}


class MbusFrame(NamedTuple):
    """A long frame at `start` to `stop`: the part of an APDU in it, its number, whether it is the last.

    `right`: its sum is right. `number` is -1 where the CI field is none of DLMS. `missing` octets at its end
    are not there: 0 for a whole frame.
    """

    start: int
    stop: int
    number: int
    last: bool
    part: bytes
    right: bool
    missing: int = 0


def mbus_frames(octets: bytes) -> list[MbusFrame]:
    """The long frames that stand one behind the other from the beginning of `octets`, as far as they go."""
    frames: list[MbusFrame] = []
    at = 0
    while (frame := _frame_at(octets, at)) is not None:
        frames.append(frame)
        at = frame.stop
    return frames


def _frame_at(octets: bytes, at: int) -> MbusFrame | None:
    head = octets[at : at + _HEAD]
    if len(head) < _HEAD or head[0] != _START or head[3] != _START or head[1] != head[2]:
        return None
    begin = at + _HEAD
    end = begin + head[1]
    body = octets[begin:end]
    if head[1] < _BEFORE_APDU or len(octets) < end + _TAIL or octets[end + 1] != _STOP:
        return None
    control_information = body[2]
    number = control_information & _NUMBER if control_information < _FOREIGN else -1
    last = bool(control_information & _LAST)
    return MbusFrame(at, end + _TAIL, number, last, body[_BEFORE_APDU:], sum(body) & 0xFF == octets[end])


def _frames_and_beginning(octets: bytes) -> list[MbusFrame]:
    """The long frames of octets, and the beginning of one that is cut behind them."""
    frames = mbus_frames(octets)
    at = frames[-1].stop if frames else 0
    head, body = octets[at : at + _HEAD], octets[at + _HEAD :]
    whole = _HEAD + head[1] + _TAIL if len(head) == _HEAD else 0
    if (
        bytes(head) != bytes((_START, *head[1:2] * 2, _START))
        or not _BEFORE_APDU <= len(body) < whole - _HEAD
    ):
        return frames
    if body[2] >= _FOREIGN or head[1] < _BEFORE_APDU:
        return frames
    part = body[_BEFORE_APDU : head[1]]
    number, last = body[2] & _NUMBER, bool(body[2] & _LAST)
    missing = at + whole - len(octets)
    return [*frames, MbusFrame(at, len(octets), number, last, part, right=False, missing=missing)]


def is_mbus(octets: bytes) -> bool:
    """Whether octets are long frames of M-Bus from their beginning to their end; the last may be cut."""
    frames = _frames_and_beginning(octets)
    return bool(frames) and frames[-1].stop == len(octets)


def mbus_apdu(octets: bytes) -> bytes:
    """The APDU that the frames carry, its segments joined; empty where there is none."""
    frames = [frame for frame in mbus_frames(octets) if frame.number >= 0]
    numbers = [frame.number for frame in frames]
    if not frames or numbers != list(range(len(frames))) or not frames[-1].last:
        return b""
    return b"".join(frame.part for frame in frames)


def decode_mbus(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of M-Bus frames, of the APDU in them below the last one; never raises."""
    sources = [ByteSource("M-Bus", octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    cursor.clause = CLAUSE
    frames = _frames_and_beginning(octets)
    if len(frames) == 1 and frames[0].stop == len(octets):
        _read_frame(cursor, frames[0], frames)
    else:
        cursor.enclosed("M-Bus frames", len(octets), lambda c: _read_frames(c, frames))
    return Decoded(cursor.children[0], tuple(session.problems), tuple(sources))


def _read_frames(c: Cursor, frames: list[MbusFrame]) -> tuple[Any, str]:
    for frame in frames:
        _read_frame(c, frame, frames)
    if c.position < c.end:
        words = f"expected an M-Bus long frame (68 L L 68) at offset {c.position}"
        c.problem(c.position, c.end, words, CLAUSE, item="no-frame")
        c.leaf("undecoded", c.end - c.position)
    return None, count(len(frames), "frame")


def _read_frame(c: Cursor, frame: MbusFrame, frames: list[MbusFrame]) -> None:
    c.enclosed("M-Bus frame", frame.stop, lambda inner: _frame_fields(inner, frame, frames))


def _frame_fields(c: Cursor, frame: MbusFrame, frames: list[MbusFrame]) -> tuple[Any, str]:
    c.u8("start", _MARKS)
    c.u8("length")
    c.u8("length again")
    c.u8("start again", _MARKS)
    begin = c.position
    c.u8("control", _CONTROLS)
    address = c.u8("address", {0xFF: "all, without an answer"})
    c.u8("control information")
    words = f"address {address}"
    if frame.number < 0:
        c.leaf("data of M-Bus", len(frame.part) + 2)
    else:
        text = f"segment {frame.number + 1}{', the last' if frame.last else ''}"
        c.children[-1] = c.children[-1]._replace(text=text)
        c.u8("source SAP")
        c.u8("destination SAP")
        words += f", {text}"
        words += _read_part(c, frame, frames)
    if frame.missing:
        whole = frame.stop - frame.start + frame.missing
        sentence = f"the M-Bus frame is cut: {count(frame.missing, 'octet')} of {whole} missing"
        c.problem(frame.start, frame.stop, sentence, CLAUSE, item="truncated")
        if c.position < frame.stop:  # the sum, where no more than the stop is missing
            c.leaf("sum", frame.stop - c.position)
        return None, words
    wanted = sum(c.data[begin : c.position]) & 0xFF
    total = c.u8("sum", {wanted: "right"})
    if not frame.right:
        words = f"sum at offset {c.position - 1}: expected 0x{wanted:02X}, found 0x{total:02X}"
        c.problem(c.position - 1, c.position, words, CLAUSE, item="damaged-frame")
    c.u8("stop", _MARKS)
    return None, words


def _read_part(c: Cursor, frame: MbusFrame, frames: list[MbusFrame]) -> str:
    """The part of an APDU in a frame: decoded in place where it is all, joined below the last one."""
    stop = c.position + len(frame.part)
    joined = mbus_apdu(c.data) if frame is frames[-1] and not frame.missing else b""
    if joined and len(frames) > 1:
        fields = other_source(c, "joined segments", joined, read_apdu)
        c.leaf("segment", len(frame.part), text=count(len(joined), "octet") + " joined")
        c.children[-1] = c.children[-1]._replace(children=fields)
        return f", {fields[-1].name}"
    if frame.number == 0 and (frame.last or frame is frames[-1]) and frame.part:
        outer, c.end = c.end, stop
        read_apdu(c)
        c.end = outer
        return f", {c.children[-1].name}"
    name = APDU_TAGS.get(frame.part[0], "") if frame.part and not frame.number else ""
    c.leaf("segment", len(frame.part), text=f"begins {name}" if name else "")
    return ""
