"""The tree of fields of one row of the WPDU table, and the APDU in it, by the framing of its stream."""

from collections.abc import Callable
from typing import NamedTuple

from cosemscope.analysis.framing import Framing
from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.hdlc import decode_hdlc, decode_llc
from cosemscope.apdu.hdlc_frames import FrameReceived, HdlcDecoder
from cosemscope.apdu.hdlc_units import SegmentJoiner
from cosemscope.apdu.layers import decode_wpdu
from cosemscope.transport.wpdu import HEADER_SIZE

_LLC_SIZE = 3


class _Reading(NamedTuple):
    """How a framing's octets become a tree, and how the APDU is taken out of them."""

    decode: Callable[[bytes, Context | None], Decoded]
    apdu: Callable[[bytes], bytes]


def decode_framed(octets: bytes, framing: Framing, context: Context | None = None) -> Decoded:
    """The tree of a row's octets. Never raises."""
    return _READINGS.get(framing, _BARE).decode(octets, context)


def apdu_in(octets: bytes, framing: Framing) -> bytes:
    """The APDU in a row's octets; empty where there is none. Never raises."""
    return _READINGS.get(framing, _BARE).apdu(octets)


def _behind_header(octets: bytes) -> bytes:
    return octets[HEADER_SIZE:]


def _behind_llc(octets: bytes) -> bytes:
    return octets[_LLC_SIZE:]


def _in_frames(octets: bytes) -> bytes:
    """The APDU that one or several HDLC frames carry: the first whole one."""
    decoder, joiner = HdlcDecoder(), SegmentJoiner()
    decoder.feed(octets)
    for event in decoder.close():
        if isinstance(event, FrameReceived):
            for unit in joiner.add(event):
                if unit.complete and unit.apdu:
                    return unit.apdu
    return b""


_WRAPPED = _Reading(decode_wpdu, _behind_header)
_BARE = _Reading(decode_apdu, bytes)
_READINGS = {
    Framing.WRAPPER: _WRAPPED,
    Framing.SWAPPED: _WRAPPED,
    Framing.HDLC: _Reading(decode_hdlc, _in_frames),
    Framing.IEC_61334_4_32: _Reading(decode_llc, _behind_llc),
}
