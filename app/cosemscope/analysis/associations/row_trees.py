"""The tree of fields of one row by its framing: WPDU, HDLC frames, bare APDU and the others.

One table, `_READERS`, says for each framing how its octets are read.
"""

from collections.abc import Callable

from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import ByteSource, Decoded, Field, Problem
from cosemscope.apdu.framed import CLAUSE, decode_wpdu
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc, decode_llc
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE

#: What is said of a row whose octets a ring has removed, and its tree.
GONE = "The ring has removed its octets"
GONE_TREE = Decoded(
    Field("WPDU", None, 0, 0, text=GONE),
    (Problem(0, 0, GONE, severity="note", item="octets-removed"),),
    (ByteSource("WPDU", b""),),
)


def decode_framed(octets: bytes, framing: Framing, context: Context | None = None) -> Decoded:
    """The tree of one row. Never raises."""
    return _READERS.get(framing, decode_apdu)(octets, context)


def _decode_swapped(octets: bytes, context: Context | None) -> Decoded:
    """A header whose 16-bit fields have their octets exchanged: read it straight, show it as it is."""
    straight = bytearray(octets)
    whole = min(len(octets), HEADER_SIZE) & ~1
    straight[0:whole:2], straight[1:whole:2] = octets[1:whole:2], octets[0:whole:2]
    decoded = decode_wpdu(bytes(straight), context)
    sentence = "each field of the header has its octets exchanged"
    odd = Problem(0, whole, sentence, CLAUSE, "warning", item="swapped-header")
    sources = (ByteSource(decoded.sources[0].name, octets), *decoded.sources[1:])
    return decoded._replace(problems=(odd, *decoded.problems), sources=sources)


_READERS: dict[Framing, Callable[[bytes, Context | None], Decoded]] = {
    Framing.WRAPPER: decode_wpdu,
    Framing.SWAPPED: _decode_swapped,
    Framing.HDLC: decode_hdlc,
    Framing.IEC_61334_4_32: decode_llc,
    Framing.BARE: decode_apdu,
}
