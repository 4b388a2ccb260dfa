"""The tree of fields of one WPDU, by the framing of its stream: with or without a header, header swapped."""

from cosemscope.analysis.framing import Framing
from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Problem
from cosemscope.apdu.layers import CLAUSE, decode_wpdu
from cosemscope.transport.wpdu import HEADER_SIZE

_WRAPPED = (Framing.WRAPPER, Framing.SWAPPED)


def apdu_start(framing: Framing) -> int:
    """Where the APDU begins in the octets of a row of this framing."""
    return HEADER_SIZE if framing in _WRAPPED else 0


def decode_framed(octets: bytes, framing: Framing, context: Context | None = None) -> Decoded:
    """The tree of one WPDU, or of a bare APDU where the stream has no wrapper. Never raises."""
    if framing is Framing.SWAPPED:
        return _decode_swapped(octets, context)
    return decode_wpdu(octets, context) if framing is Framing.WRAPPER else decode_apdu(octets, context)


def _decode_swapped(octets: bytes, context: Context | None) -> Decoded:
    """A header whose 16-bit fields have their octets exchanged: read it straight, show it as it is."""
    straight = bytearray(octets)
    whole = min(len(octets), HEADER_SIZE) & ~1
    straight[0:whole:2], straight[1:whole:2] = octets[1:whole:2], octets[0:whole:2]
    decoded = decode_wpdu(bytes(straight), context)
    odd = Problem(0, whole, "each field of the header has its octets exchanged", CLAUSE, "warning")
    sources = (ByteSource(decoded.sources[0].name, octets), *decoded.sources[1:])
    return decoded._replace(problems=(odd, *decoded.problems), sources=sources)
