"""The events of pasted or recorded HDLC octets: frames with and without their first flag, and what is none.

`hdlc_events` is `HdlcDecoder` for octets that are all there; a frame may begin without a flag where its check
sequence is right. `skipped_words` say truthfully what octets are that belong to no frame.
"""

from cosemscope.apdu.hdlc.hdlc_frames import (
    FLAG,
    FORMAT_TYPE,
    MIN_LENGTH,
    FrameFault,
    FrameReceived,
    HdlcDecoder,
    HdlcEvent,
    parse_frame,
)
from cosemscope.apdu.names.texts import hex_text
from cosemscope.wording import count

#: Where a frame starts that stands without flags: the octet before its first one is its flag.
NO_FLAG = -1
_SHORT_MBUS = 5


def bare_size(octets: bytes) -> int:
    """Octets of the frame that stands without its first flag at the beginning; 0 where there is none."""
    if len(octets) < MIN_LENGTH or octets[0] >> 4 != FORMAT_TYPE:
        return 0
    size = (octets[0] & 7) << 8 | octets[1]
    whole = MIN_LENGTH <= size <= len(octets) and not parse_frame(octets[:size]).faults
    return size if whole and (size == len(octets) or octets[size] == FLAG) else 0


def hdlc_events(octets: bytes) -> list[HdlcEvent]:
    """The frames in these octets and what stands between them, in order."""
    size = bare_size(octets)
    events: list[HdlcEvent] = []
    if size:
        frame = parse_frame(octets[:size])
        frame = frame._replace(faults=FrameFault.FLAG)
        # The flag behind it may open the next frame, too.
        events.append(FrameReceived(frame, NO_FLAG, min(size + 1, len(octets))))
    decoder = HdlcDecoder(base=size)
    decoder.feed(octets[size:])
    return events + decoder.close()


def holds_frames(octets: bytes) -> bool:
    """Whether a frame stands anywhere in these octets: its check sequence, or its header's, says so."""
    doubtful = FrameFault.FRAME_CHECK | FrameFault.HEADER_CHECK
    frames = (event.frame for event in hdlc_events(octets) if isinstance(event, FrameReceived))
    return any(
        not frame.faults & FrameFault.FRAME_CHECK or (frame.information and not frame.faults & doubtful)
        for frame in frames
    )


def skipped_words(octets: bytes, start: int) -> str:
    """The sentence on octets from offset `start` on that belong to no frame: what they begin with."""
    if octets[0] != FLAG:
        words = f"expected a flag (7E) at offset {start}, found {hex_text(octets[:4])}"
        if _is_short_mbus(octets):
            words += ", a short frame of M-Bus"
    elif len(octets) < 2 or octets[1] >> 4 != FORMAT_TYPE:
        found = f", found {octets[1]:02X}: noise, or another parity or speed" if len(octets) > 1 else ""
        words = f"expected a frame format (A0 to AF) behind the flag at offset {start}{found}"
    else:
        size = (octets[1] & 7) << 8 | octets[2] if len(octets) > 2 else 0
        words = (
            f"the flag at offset {start} and a length of {count(size, 'octet')} begin no frame: neither is a "
            "check sequence right nor does a flag stand where the frame should end"
        )
    belong = "belongs" if len(octets) == 1 else "belong"
    return f"{words}; {count(len(octets), 'octet')} {belong} to no frame"


def _is_short_mbus(octets: bytes) -> bool:
    """Whether octets are a short frame of M-Bus (EN 13757-2): 10, control, address, their sum, 16."""
    sums = len(octets) == _SHORT_MBUS and (octets[1] + octets[2]) & 0xFF == octets[3]
    return sums and octets[0] == 0x10 and octets[4] == 0x16
