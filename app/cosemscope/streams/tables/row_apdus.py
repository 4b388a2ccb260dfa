"""The APDU is found in the octets of a row by the row's framing."""

import numpy as np

from cosemscope.apdu.hdlc.hdlc_events import hdlc_events
from cosemscope.apdu.hdlc.hdlc_frames import FrameReceived
from cosemscope.apdu.hdlc.hdlc_units import SegmentJoiner
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE

#: Octets of IEC 61334-4-32 before the APDU: control and two LSAPs.
_LLC_SIZE = 3

#: Octets before the APDU, int64[framing]; -1 where frames stand around and in it.
HEADER_SIZES = np.zeros(256, np.int64)
HEADER_SIZES[[Framing.WRAPPER, Framing.SWAPPED]] = HEADER_SIZE
HEADER_SIZES[Framing.IEC_61334_4_32] = _LLC_SIZE
HEADER_SIZES[Framing.HDLC] = -1
#: The same as plain numbers, which are found faster.
_HEADER_SIZES: list[int] = HEADER_SIZES.tolist()


def apdu_start(framing: int) -> int:
    """The place of remarks on the APDU in the octets of a row of this framing."""
    return max(_HEADER_SIZES[framing], 0)


def apdu_octets(octets: bytes, framing: int) -> bytes:
    """The APDU in the octets of a row; empty where there is none."""
    start = _HEADER_SIZES[framing]
    return octets[start:] if start >= 0 else hdlc_apdu(octets)


def hdlc_apdu(octets: bytes) -> bytes:
    """The APDU that HDLC frames carry, its segments joined."""
    joiner = SegmentJoiner()
    frames = [event for event in hdlc_events(octets) if isinstance(event, FrameReceived)]
    units = [unit for frame in frames for unit in joiner.add(frame)]
    return next((unit.apdu for unit in [*units, *joiner.close()] if unit.carries_apdu), b"")
