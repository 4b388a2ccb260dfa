"""The tree of fields of a WPDU row, by the framing of its stream."""

from cosemscope.analysis.framing import Framing
from cosemscope.apdu import ByteSource, Decoded, Problem, decode_apdu
from cosemscope.apdu.layers import CLAUSE, decode_wpdu
from cosemscope.apdu.summary import summarise
from cosemscope.apdu.tags import apdu_name
from cosemscope.transport.wpdu import HEADER_SIZE

from .formats import size
from .traffic import Traffic

#: WPDUs with more octets than this are told by their APDU's name alone until they are selected: a page of
#: the table must not decode a megabyte.
_SUMMARISED = 4096


def decode_framed(octets: bytes, framing: Framing) -> Decoded:
    """The tree of one WPDU, or of a bare APDU where the stream has no wrapper. Never raises."""
    if framing is Framing.SWAPPED:
        return _decode_swapped(octets)
    return decode_wpdu(octets) if framing is Framing.WRAPPER else decode_apdu(octets)


def _decode_swapped(octets: bytes) -> Decoded:
    """A header whose 16-bit fields have their octets exchanged: read it straight, show it as it is."""
    straight = bytearray(octets)
    whole = min(len(octets), HEADER_SIZE) & ~1
    straight[0:whole:2], straight[1:whole:2] = octets[1:whole:2], octets[0:whole:2]
    decoded = decode_wpdu(bytes(straight))
    odd = Problem(0, whole, "each field of the header has its octets exchanged", CLAUSE, "warning")
    sources = (ByteSource(decoded.sources[0].name, octets), *decoded.sources[1:])
    return decoded._replace(problems=(odd, *decoded.problems), sources=sources)


def decode_row(traffic: Traffic, row: int) -> Decoded:
    """The tree of a WPDU row."""
    return decode_framed(traffic.octets(row), Framing(traffic.wpdus["framing"].item(row)))


def info_line(traffic: Traffic, row: int) -> str:
    """What a WPDU row is about, in one line."""
    octets = traffic.wpdus["size"].item(row)
    if octets > _SUMMARISED:
        return f"{apdu_name(traffic.wpdus['apdu_tag'].item(row))}, {size(octets)}"
    return summarise(decode_row(traffic, row))
