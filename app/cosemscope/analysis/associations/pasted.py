"""Octets that come without a capture: pasted or piped, of unknown framing, perhaps ciphered."""

from cosemscope.analysis.associations.association import Association, Look
from cosemscope.analysis.associations.steps import advance
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.framed import Layer, decode_octets, recognise
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from cosemscope.transport.wpdu import HEADER_SIZE, decode_header

_FRAMINGS = {
    Layer.WPDU: Framing.WRAPPER,
    Layer.HDLC: Framing.HDLC,
    Layer.LLC: Framing.IEC_61334_4_32,
    Layer.APDU: Framing.BARE,
}


def decode_pasted(octets: bytes, keys: KeyTable = NO_KEYS) -> tuple[Decoded, Look]:
    """The tree of these octets, opened with the keys, and what is known of their APDU. Never raises.

    Where the APDU does not say whose it is, the titles that the keys name are tried. Of several WPDUs the
    look is at the first.
    """
    framing = _FRAMINGS[recognise(octets)]
    apdu = apdu_octets(octets, framing)
    several = False
    if framing is Framing.WRAPPER:
        header = decode_header(octets)
        end = HEADER_SIZE + header.length if header is not None else len(octets)
        several = len(octets) > end and recognise(octets[end:]) is Layer.WPDU
        apdu = octets[HEADER_SIZE:end] if several else apdu
    look = advance(Association(keys), apdu, 0)
    return decode_octets(octets, keys.context() if several else look.context), look
