"""The tree of fields of one row, and its APDU, by its framing: WPDU, HDLC frames, bare APDU and the others.

One table, `_READERS`, says for each framing how its octets are read.
"""

from collections.abc import Callable
from typing import NamedTuple

from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Problem
from cosemscope.apdu.framed import CLAUSE, decode_wpdu
from cosemscope.apdu.hdlc.hdlc_frames import FrameReceived, HdlcDecoder
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc, decode_llc
from cosemscope.apdu.hdlc.hdlc_units import SegmentJoiner
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE

#: Octets of IEC 61334-4-32 before the APDU: control and two LSAPs.
_LLC_SIZE = 3


class _Reader(NamedTuple):
    """`start`: octets before the APDU; `apdu`: takes it out of the octets where it does not follow those."""

    decode: Callable[[bytes, Context | None], Decoded]
    start: int = 0
    apdu: Callable[[bytes], bytes] | None = None


def apdu_start(framing: Framing) -> int:
    """Where remarks on the APDU stand in the octets of a row of this framing."""
    return _READERS.get(framing, _BARE).start


def apdu_octets(octets: bytes, framing: int) -> bytes:
    """The APDU in the octets of a row; empty where there is none."""
    reader = _BY_NUMBER.get(framing, _BARE)
    return reader.apdu(octets) if reader.apdu is not None else octets[reader.start :]


def decode_framed(octets: bytes, framing: Framing, context: Context | None = None) -> Decoded:
    """The tree of one row. Never raises."""
    return _READERS.get(framing, _BARE).decode(octets, context)


def _decode_swapped(octets: bytes, context: Context | None) -> Decoded:
    """A header whose 16-bit fields have their octets exchanged: read it straight, show it as it is."""
    straight = bytearray(octets)
    whole = min(len(octets), HEADER_SIZE) & ~1
    straight[0:whole:2], straight[1:whole:2] = octets[1:whole:2], octets[0:whole:2]
    decoded = decode_wpdu(bytes(straight), context)
    odd = Problem(0, whole, "each field of the header has its octets exchanged", CLAUSE, "warning")
    sources = (ByteSource(decoded.sources[0].name, octets), *decoded.sources[1:])
    return decoded._replace(problems=(odd, *decoded.problems), sources=sources)


def _hdlc_apdu(octets: bytes) -> bytes:
    """The APDU that HDLC frames carry, its segments joined."""
    decoder, joiner = HdlcDecoder(), SegmentJoiner()
    decoder.feed(octets)
    units = [
        unit for event in decoder.close() if isinstance(event, FrameReceived) for unit in joiner.add(event)
    ]
    return next((unit.apdu for unit in units if unit.carries_apdu), b"")


_BARE = _Reader(decode_apdu)
_READERS = {
    Framing.WRAPPER: _Reader(decode_wpdu, HEADER_SIZE),
    Framing.SWAPPED: _Reader(_decode_swapped, HEADER_SIZE),
    Framing.HDLC: _Reader(decode_hdlc, 0, _hdlc_apdu),
    Framing.IEC_61334_4_32: _Reader(decode_llc, _LLC_SIZE),
    Framing.BARE: _BARE,
}
#: The same by plain numbers, which are found faster.
_BY_NUMBER = {int(framing): reader for framing, reader in _READERS.items()}
