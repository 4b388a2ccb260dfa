"""WPDU headers, HDLC frames, or nothing around an APDU: the octets themselves tell.

`decode_octets` is for octets of unknown origin (pasted, piped); `decode_wpdu` for those known to be a WPDU.
"""

import enum
import struct
from typing import Any, Literal

from cosemscope.apdu.context import NO_CONTEXT, Context
from cosemscope.apdu.cursor import Cursor, Session
from cosemscope.apdu.decoder import decode_apdu, read_apdu
from cosemscope.apdu.fields import ByteSource, Decoded
from cosemscope.apdu.hdlc.hdlc_events import bare_size, holds_frames
from cosemscope.apdu.hdlc.hdlc_frames import FLAG
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc, decode_llc, is_llc_61334
from cosemscope.apdu.names.tags import APDU_TAGS, CLIENT_TAGS, SERVER_TAGS
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION
from cosemscope.transport.wports import Side, wport_name

CLAUSE = "IEC 62056-4-7, 5.3.2 and 6.3.2 (WPDU)"
_Order = Literal["big", "little"]


class Layer(enum.Enum):
    """The kind of unit that octets begin with."""

    WPDU = "WPDU"
    HDLC = "HDLC"
    LLC = "IEC 61334-4-32"
    APDU = "APDU"


def recognise(octets: bytes) -> Layer:
    """The layer of octets: a WPDU, an HDLC frame, an LLC data unit, or (everything else) an APDU."""
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
    if FLAG in octets and _broken(octets) and holds_frames(octets):
        return Layer.HDLC
    return Layer.APDU


def _is_swapped(octets: bytes) -> bool:
    """Whether a WPDU's header has its octets in the wrong order, and a length that fits only so."""
    return octets[:2] == b"\1\0" and int.from_bytes(octets[6:8], "little") == len(octets) - HEADER_SIZE


def _broken(octets: bytes) -> bool:
    return any(problem.severity == "error" for problem in decode_apdu(octets).problems)


def decode_octets(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets of unknown origin; never raises."""
    return _DECODERS[recognise(octets)](octets, context)


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
        read_apdu(c)
        text += f", {c.children[-1].name}"
    c.end = outer_end
    return None, text


_DECODERS = {
    Layer.WPDU: decode_wpdu,
    Layer.HDLC: decode_hdlc,
    Layer.LLC: decode_llc,
    Layer.APDU: decode_apdu,
}
