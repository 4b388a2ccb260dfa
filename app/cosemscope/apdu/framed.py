"""WPDU headers, HDLC frames, or nothing around an APDU: the octets themselves tell.

`decode_octets` is for octets of unknown origin (pasted, piped); `decode_wpdu` for those known to be a WPDU.
"""

import enum
import re
import struct
from typing import Any, Literal

from cosemscope.apdu.bare_data import also_data, begins_data, decode_data, is_data
from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Cursor, Session
from cosemscope.apdu.decoder import decode_apdu, read_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem
from cosemscope.apdu.hdlc.hdlc_events import bare_size, holds_frames
from cosemscope.apdu.hdlc.hdlc_frames import FLAG
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc, decode_llc, is_llc_61334
from cosemscope.apdu.mbus_frames import decode_mbus, is_mbus
from cosemscope.apdu.names.tags import APDU_TAGS, CLIENT_TAGS, SERVER_TAGS
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION
from cosemscope.transport.wports import Side, wport_name

CLAUSE = "IEC 62056-4-7, 5.3.2 and 6.3.2 (WPDU)"
HEX_TEXT = "hex text"
_Order = Literal["big", "little"]


class Layer(enum.Enum):
    """The kind of unit that octets begin with."""

    WPDU = "WPDU"
    HDLC = "HDLC"
    LLC = "IEC 61334-4-32"
    MBUS = "M-Bus"
    APDU = "APDU"
    DATA = "Data"
    DIGITS = "digits"


def recognise(octets: bytes) -> Layer:
    """The layer of octets: WPDU, HDLC frame, LLC data unit, M-Bus frames, an APDU, a value by itself.

    What is nothing else is an APDU.
    """
    if len(octets) >= HEADER_SIZE:
        version, _, _, length = struct.unpack_from(">4H", octets)
        rest = octets[HEADER_SIZE:]
        known = bool(rest) and rest[0] in APDU_TAGS
        # 00 01 begins no APDU; another version is believed where all else fits a WPDU and no APDU.
        if version == VERSION and (known or length == len(rest)):
            return Layer.WPDU
        fits = length == len(rest) or _is_swapped(octets)
        if octets[0] != FLAG and known and fits and _broken(octets):
            return Layer.WPDU
    if octets[:1] == bytes((FLAG,)) or bare_size(octets):  # no APDU begins so
        return Layer.HDLC
    if is_llc_61334(octets):
        return Layer.LLC
    if is_mbus(octets):
        return Layer.MBUS
    return _recognise_broken(octets) if _broken(octets) else Layer.APDU


def _recognise_broken(octets: bytes) -> Layer:
    """The layer of octets that are no sound APDU."""
    if FLAG in octets and holds_frames(octets):
        return Layer.HDLC
    if is_data(octets) or begins_data(octets):
        return Layer.DATA
    return Layer.DIGITS if digits_of(octets) else Layer.APDU


_DIGITS = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :\r\n-]{0,2}){10,}")


def digits_of(octets: bytes) -> bytes:
    """The octets whose hex digits, as text, these are; empty where they are none, or of nothing known."""
    if not _DIGITS.fullmatch(octets):
        return b""
    spelled = bytes.fromhex(re.sub(rb"[^0-9A-Fa-f]", b"", octets).decode())
    return b"" if recognise(spelled) is Layer.APDU and _broken(spelled) else spelled


def _is_swapped(octets: bytes) -> bool:
    """Whether a WPDU's header has its octets in the wrong order, and a length that fits only so."""
    return octets[:2] == b"\1\0" and int.from_bytes(octets[6:8], "little") == len(octets) - HEADER_SIZE


def _broken(octets: bytes) -> bool:
    return any(problem.severity == "error" for problem in decode_apdu(octets).problems)


def decode_octets(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets of unknown origin; never raises."""
    return _DECODERS[recognise(octets)](octets, context)


def _decode_apdu_or_data(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of an APDU; a note says where its octets could be a value by itself."""
    return also_data(decode_apdu(octets, context), octets)


def _decode_data(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of a value by itself; a note says as which APDU its octets could have been meant."""
    decoded = decode_data(octets, context)
    if octets[0] not in APDU_TAGS:
        return decoded
    broken = next(one for one in decode_apdu(octets).problems if one.severity == "error")
    words = f"no APDU: as {APDU_TAGS[octets[0]]} these octets break ({broken.message})"
    return decoded._replace(problems=(*decoded.problems, Problem(0, 1, words, severity="note")))


def _decode_digits(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets that are sent as the text of their digits: that text, below it what it spells."""
    spelled = decode_octets(digits_of(octets), context)
    what = spelled.sources[0].name
    words = f"these octets are hex digits, as text: what they spell ({what}) should have been sent instead"
    shifted = tuple(problem._replace(source=problem.source + 1) for problem in spelled.problems)
    root = Field(HEX_TEXT, octets, 0, len(octets), (_moved(spelled.root),), what)
    sources = (ByteSource("text", octets), *spelled.sources)
    return Decoded(root, (Problem(0, len(octets), words), *shifted), sources)


def _moved(field: Field) -> Field:
    """A field, and those in it, in the byte sources behind one that was put before them."""
    return field._replace(source=field.source + 1, children=tuple(map(_moved, field.children)))


def decode_wpdu(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of a WPDU, or of several in a row; the leaves of source 0 tile `octets`."""
    sources = [ByteSource("WPDU", octets)]
    session = Session(context or NO_CONTEXT, sources, read_apdu)
    cursor = Cursor(octets, session)
    stop = _wpdu_stop(octets, 0)
    if _is_swapped(octets):
        cursor.enclosed("WPDU", len(octets), _read_swapped_wpdu)
    elif stop >= len(octets) or octets[stop : stop + 2] != b"\0\1":
        cursor.enclosed("WPDU", len(octets), _read_wpdu)
    else:
        cursor.enclosed("WPDUs", len(octets), _read_wpdus)
    return Decoded(cursor.children[0], tuple(session.problems), tuple(sources))


def _wpdu_stop(octets: bytes, start: int) -> int:
    """Where the WPDU at `start` ends, as its header says, but not beyond the octets."""
    length = int.from_bytes(octets[start + 6 : start + 8], "big")
    return min(start + HEADER_SIZE + length, len(octets))


def _read_wpdus(c: Cursor) -> tuple[Any, str]:
    while c.position < c.end and c.data[c.position : c.position + 2] == b"\0\1":
        c.session.title = None
        c.enclosed("WPDU", _wpdu_stop(c.data, c.position), _read_wpdu)
    return None, f"{len(c.children)} WPDUs"


def _wport_texts(tag: int) -> tuple[str, str]:
    """The sides of source and destination, by the APDU's tag; "" where the tag does not tell."""
    if tag in CLIENT_TAGS:
        return Side.CLIENT.value, Side.SERVER.value
    return (Side.SERVER.value, Side.CLIENT.value) if tag in SERVER_TAGS else ("", "")


def _read_number(c: Cursor, name: str, order: _Order) -> int:
    start = c.position
    number = int.from_bytes(c.data[start : min(start + 2, c.end)], order)
    c.leaf(name, 2, number)
    return number


def _read_wport(c: Cursor, name: str, side: str, order: _Order) -> int:
    number = _read_number(c, name, order)
    if side:
        c.children[-1] = c.children[-1]._replace(text=wport_name(number, Side(side)))
    return number


def _read_swapped_wpdu(c: Cursor) -> tuple[Any, str]:
    stop = c.position + HEADER_SIZE
    c.warn(c.position, stop, "the header has its octets in the wrong order", CLAUSE, "swapped-header")
    return _read_header(c, "little")


def _read_wpdu(c: Cursor) -> tuple[Any, str]:
    return _read_header(c, "big")


def _read_header(c: Cursor, order: _Order) -> tuple[Any, str]:
    """Version, wPorts and length, in the octet order given; then the APDU."""
    start = c.position
    c.clause = CLAUSE
    version = _read_number(c, "version", order)
    if version != VERSION:
        c.problem(start, start + 2, f"expected version 1 at offset {start}, found 0x{version:04X}", CLAUSE)
    at = start + HEADER_SIZE
    sides = _wport_texts(c.data[at] if at < c.end else -1)
    source = _read_wport(c, "source-wport", sides[0], order)
    destination = _read_wport(c, "destination-wport", sides[1], order)
    length = _read_number(c, "length", order)
    text = f"wPort {source} to {destination}"
    left = c.end - c.position
    if length > left:
        c.problem(
            start + 6,
            start + 8,
            f"length at offset {start + 6} says {length} octets of data, {left} follow: the WPDU is cut",
            CLAUSE,
            item="truncated",
        )
    outer_end, c.end = c.end, min(c.end, c.position + length)
    if length == 0:
        c.warn(start + 6, start + 8, "the WPDU has no data", CLAUSE, "no-data")
    else:
        told = len(c.session.problems)
        read_apdu(c)
        text += f", {c.children[-1].name}"
        if length > left:  # what breaks off there says no more than that the WPDU is cut
            c.session.problems[told:] = [one for one in c.session.problems[told:] if one.item]
    c.end = outer_end
    return None, text


_DECODERS = {
    Layer.WPDU: decode_wpdu,
    Layer.HDLC: decode_hdlc,
    Layer.LLC: decode_llc,
    Layer.MBUS: decode_mbus,
    Layer.APDU: _decode_apdu_or_data,
    Layer.DATA: _decode_data,
    Layer.DIGITS: _decode_digits,
}
