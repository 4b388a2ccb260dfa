"""The tree of HDLC frames (IEC 62056-46): header, LLC, and the APDU inside, to the octet.

`decode_hdlc` takes one frame or many, with whatever stands between them. An APDU in several segments is
joined and decoded under the information field of its last one. `decode_llc` takes the data units of
IEC 61334-4-32, which have no flags. Splitting is in `hdlc_frames`, joining in `hdlc_units`, link parameters
in `link_setup`.
"""

from collections.abc import Callable
from typing import Any

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Cursor, Session
from cosemscope.apdu.decoder import read_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Field
from cosemscope.apdu.hdlc.hdlc_events import NO_FLAG, hdlc_events, skipped_words
from cosemscope.apdu.hdlc.hdlc_frames import (
    Cut,
    FrameFault,
    FrameReceived,
    HdlcAddress,
    HdlcEvent,
    check_is_right,
    check_sequence,
    header_size,
    parse_frame,
)
from cosemscope.apdu.hdlc.hdlc_units import (
    CARRIERS,
    COMMAND_LLC,
    LLC_SIZE,
    FrameKind,
    HdlcUnit,
    SegmentJoiner,
    Sender,
    control_of,
    has_llc,
    sender_of,
)
from cosemscope.apdu.hdlc.link_setup import CONTROL_TEXTS, InformationReader, information_reader
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.names.texts import hex_text
from cosemscope.apdu.services.parts import other_source
from cosemscope.transport.wports import Side, wport_name

FRAME_CLAUSE = "IEC 62056-46, frame format type 3"
LLC_CLAUSE = "IEC 62056-46, LLC sublayer"
IEC_61334_4_32 = 0x90
"""First octet of a data unit of the LLC sublayer of IEC 61334-4-32."""


def decode_hdlc(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of one HDLC frame, or of several and what stands between; never raises.

    The leaves of source 0 tile `octets`; an APDU joined from segments is a source of its own. The first frame
    may stand without its flag, where it is right to its last octet.
    """
    events = hdlc_events(octets)
    sources = [ByteSource("HDLC", octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    cursor.clause = FRAME_CLAUSE
    endings = _endings(events)
    first = events[0] if events else None
    if isinstance(first, FrameReceived) and len(events) == 1 and _fills(first, octets):
        _read_frame(cursor, first, endings.get(first.start), len(octets))
    else:
        cursor.enclosed("HDLC frames", len(octets), lambda c: _read_events(c, events, endings))
    return Decoded(cursor.children[0], tuple(session.problems), tuple(sources))


def _fills(received: FrameReceived, octets: bytes) -> bool:
    """Whether nothing but this frame is in `octets`."""
    return received.start <= 0 and received.stop == len(octets)


def _endings(events: list[HdlcEvent]) -> dict[int, HdlcUnit]:
    """Start of the last frame of each unit -> the unit."""
    joiner = SegmentJoiner()
    units = [unit for event in events if isinstance(event, FrameReceived) for unit in joiner.add(event)]
    return {unit.frames[-1].start: unit for unit in [*units, *joiner.close()]}


def _read_events(c: Cursor, events: list[HdlcEvent], endings: dict[int, HdlcUnit]) -> tuple[Any, str]:
    """Events one after the other; in a brief tree a segment that ends nothing is one leaf."""
    brief, count = c.session.context.brief, 0
    for event in events:
        if event.start > c.position:
            c.leaf("flags", event.start - c.position, text="between frames")
        if isinstance(event, FrameReceived):
            count += 1
            unit = endings.get(event.start)
            if unit is None and brief:
                c.leaf("HDLC frame", event.stop - c.position)
            else:
                _read_frame(c, event, unit, event.stop)
        elif isinstance(event, Cut):
            _read_cut(c, event)
        else:
            _read_skipped(c, event.stop)
    if c.position < c.end:
        c.leaf("flags", c.end - c.position, text="between frames")
    return None, f"{count} frame{'s'[: count != 1]}"


def _read_skipped(c: Cursor, stop: int) -> None:
    start = c.position
    c.problem(start, stop, skipped_words(c.data[start:stop], start), FRAME_CLAUSE, item="no-frame")
    c.leaf("undecoded", stop - start)


def _read_cut(c: Cursor, cut: Cut) -> None:
    """A frame whose end is not here: its header and its information, as far as they are."""
    stop = cut.start + len(cut.octets)

    def read(inner: Cursor) -> tuple[Any, str]:
        if inner.position == cut.start:
            inner.leaf("flag", 1)
        start = inner.position
        size = header_size(inner.data, start, stop - 2)
        text = "cut"
        if size is not None and check_is_right(inner.data[start : start + size + 2]):
            # The header is whole; parsed as if the check sequence followed where the octets end.
            frame = parse_frame(inner.data[start:stop] + bytes(2))
            received = FrameReceived(frame, cut.start, stop)
            _read_header(inner, received, start + size)
            _read_check(inner, "header check sequence", start)
            text = _frame_text(received, f"{control_of(received)}, cut", None)
            end = min(stop, start + frame.length - 2)
            if inner.position < end and control_of(received).kind in CARRIERS:
                inner.enclosed("information", end, _read_beginning)
        if inner.position < stop:
            inner.leaf("undecoded", stop - inner.position)
        return None, text

    c.problem(
        cut.start,
        stop,
        f"the octets end inside the HDLC frame that begins at offset {cut.start}: "
        f"{cut.missing} octet{'s'[: cut.missing != 1]} or more are missing",
        FRAME_CLAUSE,
        item="cut-frame",
    )
    c.enclosed("HDLC frame", stop, read)


# One frame.


def _read_frame(c: Cursor, received: FrameReceived, unit: HdlcUnit | None, stop: int) -> None:
    """A frame up to `stop`, and the unit that ends with the frame. The first flag may be read already."""
    c.enclosed("HDLC frame", stop, lambda inner: _frame_fields(inner, received, unit))


def _frame_fields(c: Cursor, received: FrameReceived, unit: HdlcUnit | None) -> tuple[Any, str]:
    frame = received.frame
    if c.position == received.start:
        c.leaf("flag", 1)
    start = c.position
    end = start + len(frame.octets)
    size = header_size(c.data, start, end - 2)
    _note_length(c, received, start)
    told = len(c.session.problems)
    if size is None:
        sentence = f"expected addresses, control field and FCS in {end - start} octets"
        c.problem(start, end, sentence, item="damaged-frame")
        c.leaf("undecoded", end - start)
    else:
        _read_header(c, received, start + size)
        body = end - 2 - c.position
        if body >= 2:
            _read_check(c, "header check sequence", start)
            _read_information(c, received, unit, end - 2)
        elif body:
            sentence = f"expected HCS and FCS at offset {c.position}, found {body + 2} octets"
            c.problem(c.position, end, sentence, item="damaged-frame")
            c.leaf("undecoded", body)
        _read_check(c, "frame check sequence", start)
        _cause_first(c, told)
    if received.start == NO_FLAG:
        alone = received.stop == end
        c.warn(start, end, f"the frame stands without its {'flags' if alone else 'first flag'} (7E)")
        if not alone:
            c.leaf("flag", 1)
    elif frame.faults & FrameFault.FLAG:
        c.problem(end, end, f"expected a flag (7E) at offset {end}", item="ill-formed-frame")
    else:
        c.leaf("flag", 1)
    control = control_of(received)
    return None, _frame_text(received, str(control), unit if control.kind in CARRIERS else None)


def _cause_first(c: Cursor, told: int) -> None:
    """Put the faults of a frame, told since `told`, before those of its APDU, which may come of them."""
    problems = c.session.problems
    own = [one for one in problems[told:] if one.item == "damaged-frame"]
    problems[told:] = own + [one for one in problems[told:] if one.item != "damaged-frame"]


def _frame_text(received: FrameReceived, words: str, unit: HdlcUnit | None) -> str:
    text = f"{received.frame.source} to {received.frame.destination}, {words}"
    if received.frame.segmented or (unit is not None and len(unit.frames) > 1):
        text += ", segment" if received.frame.segmented else ", last segment"
    if unit is not None and unit.complete and unit.apdu_tag in APDU_TAGS:
        text += f", {APDU_TAGS[unit.apdu_tag]}"
    return text


def _note_length(c: Cursor, received: FrameReceived, start: int) -> None:
    frame = received.frame
    if frame.faults & FrameFault.LENGTH:
        c.problem(
            start,
            start + 2,
            f"the length field at offset {start} says {frame.length} octets, "
            f"{len(frame.octets)} stand between the flags",
            item="damaged-frame",
        )


def _read_header(c: Cursor, received: FrameReceived, stop: int) -> None:
    """Format, addresses and control field; `stop` is behind the control field."""
    frame = received.frame
    segmented = ", segmented" if frame.segmented else ""
    c.uint("frame format", 2, f"type 3{segmented}, length {frame.length}")
    server = {Sender.CLIENT: "destination", Sender.SERVER: "source"}.get(sender_of(received), "")
    for name, address in (("destination", frame.destination), ("source", frame.source)):
        side = None if not server else Side.SERVER if name == server else Side.CLIENT
        octets = c.leaf(
            f"{name} address", address.size, _address_value(address), _address_text(address, side)
        )
        if address.upper is None or not octets[-1] & 1:
            at = c.position - address.size
            c.problem(
                at,
                c.position,
                f"expected a {name} address of 1, 2 or 4 octets, the last one odd, at offset {at}, "
                f"found {octets.hex()}",
                item="damaged-frame",
            )
    c.u8("control", CONTROL_TEXTS)
    if control_of(received).kind is FrameKind.UNKNOWN:
        sentence = f"expected a control field at offset {stop - 1}, found 0x{frame.control:02X}"
        c.problem(stop - 1, stop, sentence, item="ill-formed-frame")


def _address_value(address: HdlcAddress) -> Any:
    return address.upper if address.lower is None else (address.upper, address.lower)


#: Addresses of physical devices with a meaning of their own: (low in one octet, low in two octets) -> name.
_PHYSICAL_DEVICES = {
    (0x00, 0x0000): "No-station",
    (0x7E, 0x3FFE): "CALLING physical device",
    (0x7F, 0x3FFF): "All-station (Broadcast)",
}
_PHYSICAL_BY_SIZE = {
    size: {numbers[place]: name for numbers, name in _PHYSICAL_DEVICES.items()}
    for place, size in enumerate((2, 4))
}
_WIDE_BROADCAST = 0x3FFF


def _address_text(address: HdlcAddress, side: Side | None) -> str:
    """The name of an address on its side; the numbers alone where the side is not known."""
    if address.upper is None or side is None:
        return str(address)
    wide = address.size == 4 and address.upper == _WIDE_BROADCAST
    text = f"{side.value} {address.upper}: "
    text += "All-station (Broadcast)" if wide else wport_name(address.upper, side)
    if address.lower is not None:
        text += f", physical device {address.lower}"
        name = _PHYSICAL_BY_SIZE[address.size].get(address.lower)
        text += f" ({name})" if name else ""
    return text


def _read_check(c: Cursor, name: str, start: int) -> None:
    """A check sequence over the octets from `start`, low octet first."""
    at = c.position
    wanted = check_sequence(c.data[start:at])
    octets = c.data[at : at + 2]
    value = int.from_bytes(octets, "little")
    right = value == wanted
    c.leaf(name, 2, value, "right" if right else f"wrong, expected 0x{wanted:04X}")
    if not right:
        sentence = f"{name} at offset {at}: expected 0x{wanted:04X}, found 0x{value:04X}"
        c.problem(at, at + 2, sentence, item="damaged-frame")


# The information field.


def _read_information(c: Cursor, received: FrameReceived, unit: HdlcUnit | None, stop: int) -> None:
    control = control_of(received)
    read: InformationReader
    if control.kind in CARRIERS:
        if unit is not None and len(unit.frames) > 1:
            _read_last_segment(c, received, unit, stop)
            return
        damage = received.frame.faults & (FrameFault.FRAME_CHECK | FrameFault.HEADER_CHECK)
        if received.frame.segmented:
            # With its unit, no other segment follows: what is there is all there is.
            read = _read_segment if unit is None else _read_beginning
        elif damage:
            read = _read_damaged
        elif received.frame.faults & FrameFault.LENGTH:
            read = _glued(received)
        else:
            read = _read_whole
    else:
        read = information_reader(control.kind)
    c.enclosed("information", stop, read)


def _read_last_segment(c: Cursor, received: FrameReceived, unit: HdlcUnit, stop: int) -> None:
    """The last of several segments, or the last that is there: the APDU is decoded below it."""
    start = c.position
    octets = c.data[start:stop]
    count = len(unit.frames)
    if not unit.complete:
        sentence = f"an APDU in segments is not complete: {count} in order are here"
        c.warn(start, stop, sentence, FRAME_CLAUSE, "incomplete-apdu")
    fields = other_source(c, "joined segments", unit.information, _read_joined) if unit.complete else ()
    c.position = stop
    text = f"{count} segments, {len(unit.information)} octets"
    c.children.append(Field("information", octets, start, stop, fields, text, c.source))


def _read_joined(c: Cursor) -> None:
    c.enclosed("information", c.end, _read_whole)


def _read_whole(c: Cursor) -> tuple[Any, str]:
    """LLC octets and an APDU."""
    if has_llc(c.data[c.position : c.position + LLC_SIZE]):
        _read_llc(c)
        return _apdu_text(c, _read_inner)
    start, stop = c.position, c.end
    if start < stop and c.attempt(_read_inner, stop, tolerant=True):
        words = "the APDU stands without LLC octets (E6 E6 00 or E6 E7 00)"
        c.warn(start, start + 1, words, LLC_CLAUSE, "no-llc")
        return None, _words_of(c.children[-1])
    found = hex_text(c.data[start : min(start + LLC_SIZE, stop)])
    words = f"expected LLC octets (E6 E6 00 or E6 E7 00) at offset {start}, found {found}"
    words += ": perhaps the rest of an APDU whose first segment is not here"
    c.warn(start, stop, words, LLC_CLAUSE, "no-llc")
    c.leaf("segment", stop - start)
    return None, "no LLC octets"


def _read_segment(c: Cursor) -> tuple[Any, str]:
    """One segment whose APDU is decoded below the last one."""
    if not has_llc(c.data[c.position : c.position + LLC_SIZE]):
        c.leaf("segment", c.end - c.position)
        return None, f"{len(c.children[-1].value)} octets"
    _read_llc(c)
    name = APDU_TAGS.get(c.data[c.position], "") if c.position < c.end else ""
    c.leaf("segment", c.end - c.position, text=f"begins {name}" if name else "")
    return None, c.children[-1].text


def _read_damaged(c: Cursor) -> tuple[Any, str]:
    """Octets that a wrong check sequence makes doubtful: what they say is shown all the same."""
    if not has_llc(c.data[c.position : c.position + LLC_SIZE]):
        return _read_segment(c)
    _read_llc(c)
    return _apdu_text(c, _read_inner) if c.position < c.end else (None, "")


def _read_beginning(c: Cursor) -> tuple[Any, str]:
    """The beginning of an APDU whose rest is not here, read as far as it goes."""
    start, problems = c.position, c.session.problems
    told = len(problems)
    result = _read_damaged(c)
    broken = [one for one in problems[told:] if one.severity == "error"]
    if broken:
        problems[told:] = [one for one in problems[told:] if one.severity != "error"]
        words = "the APDU is read as far as it is here: its rest is missing"
        c.warn(start, c.end, words, FRAME_CLAUSE, "incomplete-apdu")
    return result


def _glued(received: FrameReceived) -> Callable[[Cursor], tuple[Any, str]]:
    """Reads an information field that is longer or shorter than the length field says."""
    surplus = len(received.frame.octets) - received.frame.length

    def read(c: Cursor) -> tuple[Any, str]:
        start = c.position
        if (
            surplus <= 0
            or not has_llc(c.data[start : start + LLC_SIZE])
            or c.end - start < LLC_SIZE + surplus
        ):
            return _read_whole(c)
        _read_llc(c)
        start = c.position
        # The length field is of one of two bodies: mostly the last, written behind what was left of another.
        for before in (surplus, 0):
            if _whole_apdu(c.data[start + before : c.end - surplus + before]):
                return _read_glued(c, before, surplus)
        return _apdu_text(c, _read_inner)

    return read


def _whole_apdu(octets: bytes) -> bool:
    cursor = Cursor(octets, Session(NO_CONTEXT, [ByteSource("APDU", octets)], read_apdu))
    return bool(octets) and cursor.attempt(_read_inner, len(octets))


def _read_glued(c: Cursor, before: int, surplus: int) -> tuple[Any, str]:
    at = c.position if before else c.end - surplus
    c.problem(
        at,
        at + surplus,
        f"{surplus} octets at offset {at} are more than the length field says: two bodies are glued together",
        item="glued-apdus",
    )
    if before:
        c.leaf("glued octets", before, text="before the APDU that the length field is of")
    stop = c.end - surplus + before
    outer, c.end = c.end, stop
    result = _apdu_text(c, _read_inner)
    c.end = outer
    if not before:
        c.leaf("glued octets", surplus, text="after the APDU that the length field is of")
    return result


def _read_llc(c: Cursor) -> None:
    command = c.data[c.position : c.position + LLC_SIZE] == COMMAND_LLC
    c.open("LLC")
    c.leaf("destination LSAP", 1, 0xE6)
    c.leaf("source LSAP", 1, 0xE6 if command else 0xE7, "command" if command else "response")
    c.leaf("quality", 1, 0)
    c.close(None, "command" if command else "response")


def _read_inner(c: Cursor) -> None:
    read_apdu(c)


def _apdu_text(c: Cursor, read: Callable[[Cursor], None]) -> tuple[Any, str]:
    """Read an APDU; its name and text are those of the field around it."""
    read(c)
    return None, _words_of(c.children[-1])


def _words_of(apdu: Field) -> str:
    return f"{apdu.name}: {apdu.text}" if apdu.text else apdu.name


# IEC 61334-4-32.


def is_llc_61334(octets: bytes) -> bool:
    """Whether octets look like a data unit of IEC 61334-4-32 with an APDU in it."""
    return len(octets) > 3 and octets[0] == IEC_61334_4_32 and octets[3] in APDU_TAGS


def decode_llc(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of a data unit of IEC 61334-4-32: control, two addresses, an APDU; never raises."""
    sources = [ByteSource("IEC 61334-4-32", octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    cursor.clause = "IEC 61334-4-32, LLC data unit"
    cursor.enclosed("IEC 61334-4-32 LLC", len(octets), _read_llc_61334)
    return Decoded(cursor.children[0], tuple(session.problems), tuple(sources))


def _read_llc_61334(c: Cursor) -> tuple[Any, str]:
    start = c.position
    control = c.u8("control", {IEC_61334_4_32: "data"})
    if control != IEC_61334_4_32:
        sentence = f"expected control 0x90 at offset {start}, found 0x{control:02X}"
        c.problem(start, start + 1, sentence, item="ill-formed-frame")
    c.u8("destination LSAP")
    c.u8("source LSAP")
    return _apdu_text(c, _read_inner)
