"""The messages in pasted octets: WPDUs, HDLC frames, bare APDUs and whole packets, each with who sent it.

Pieces of a log are joined where only together they are whole, and cut where several messages stand in one.
"""

import enum
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from cosemscope.apdu.framed import Layer, decode_octets, recognise
from cosemscope.apdu.hdlc.hdlc_events import bare_size, hdlc_events
from cosemscope.apdu.hdlc.hdlc_frames import FLAG, FrameReceived
from cosemscope.apdu.hdlc.hdlc_units import Sender, sender_of
from cosemscope.apdu.mbus_frames import mbus_apdu
from cosemscope.apdu.names.tags import CLIENT_TAGS, SERVER_TAGS
from cosemscope.apdu.pasted.pieces import Pasted, Piece, Way
from cosemscope.apdu.pasted.time_stamps import Stamp
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE, decode_header
from cosemscope.transport.wports import Side


class PacketLink(enum.Enum):
    """The link layer of a whole packet; the value is its LINKTYPE number."""

    ETHERNET = 1
    IP = 101


class PastedMessage(NamedTuple):
    """One message: its octets, how they are framed, who sent it, and when.

    `framing` is the link of a whole packet, or the layer of what no capture can hold (a value by itself).
    """

    octets: bytes
    framing: Framing | PacketLink | Layer
    sender: Side
    line: int
    stamp: Stamp | None = None

    @property
    def from_client(self) -> bool:
        """Whether the DLMS client sent it."""
        return self.sender is Side.CLIENT


class _Cut(NamedTuple):
    """A message before its sender is settled: `side` as far as its octets tell, `wports` source first."""

    octets: bytes
    framing: Framing | PacketLink | Layer
    side: Side | None
    piece: Piece
    wports: tuple[int, int] | None = None

    @property
    def way(self) -> Way | None:
        """The way of the piece that it is cut from."""
        return self.piece.way


#: The framing of octets that begin so.
FRAMINGS = {
    Layer.WPDU: Framing.WRAPPER,
    Layer.HDLC: Framing.HDLC,
    Layer.LLC: Framing.IEC_61334_4_32,
    Layer.MBUS: Framing.MBUS,
    Layer.APDU: Framing.BARE,
}
#: What is in no stream of a capture.
ALONE = frozenset({Layer.DATA, Layer.DIGITS})
#: How many pieces are tried together: those that are not whole then stay apart.
_JOINED = (1, 2, 3, 4, 6, 8, 12, 16)
_ETHERTYPES = (b"\x08\x00", b"\x86\xdd", b"\x81\x00")


def messages_of(pasted: Pasted) -> list[PastedMessage]:
    """The messages of a pasted text, in order; never empty."""
    cuts = [cut for piece in _joined(pasted.pieces) for cut in _cut(piece)]
    return list(_settled(cuts))


def _joined(pieces: tuple[Piece, ...]) -> Iterator[Piece]:
    """The pieces as messages or runs of messages: those of one way that are whole only together are joined.

    Pieces that no number of followers completes stay apart where the text says that another message begins.
    """
    at, run, same = 0, 0, 0
    while at < len(pieces):
        first = pieces[at]
        # Where the text says that another message begins, and where another way does: looked for once each.
        while run <= at or (run < len(pieces) and not pieces[run].begins):
            run += 1
        while same <= at or (same < len(pieces) and pieces[same].way is first.way):
            same += 1
        stops = [at + count for count in _JOINED if at + count <= same]
        joined = ((stop, b"".join(piece.octets for piece in pieces[at:stop])) for stop in (*stops, run))
        whole = next((one for one in joined if _is_whole(one[1])), None)
        stop, octets = whole or (run, b"".join(piece.octets for piece in pieces[at:run]))
        yield first._replace(octets=octets)
        at = stop


def _is_whole(octets: bytes) -> bool:
    """Whether octets are one or several messages of which none lacks its end."""
    if link_of(octets) is not None:
        return True
    layer = recognise(octets)
    if layer is Layer.WPDU:
        return _wpdu_ends(octets)[-1] == len(octets)
    if layer is Layer.HDLC:
        return len(octets) > 2 and (octets[-1] == FLAG or bare_size(octets) == len(octets))
    return not any(problem.severity == "error" for problem in decode_octets(octets).problems)


def link_of(octets: bytes) -> PacketLink | None:
    """The link layer of octets that are a whole packet with IP in it; None where they are none."""
    if _is_ip(octets):
        return PacketLink.IP
    if octets[12:14] not in _ETHERTYPES:
        return None
    start = 18 if octets[12:14] == _ETHERTYPES[2] else 14
    return PacketLink.ETHERNET if _is_ip(octets[start:]) else None


def _is_ip(octets: bytes) -> bool:
    """Whether octets are an IP packet of TCP or UDP; behind a short one its link may have put a trailer."""
    if len(octets) < 28:
        return False
    if octets[0] >> 4 == 4 and octets[0] & 0x0F >= 5:
        length: int = struct.unpack_from(">H", octets, 2)[0]
        return octets[9] in (6, 17) and 28 <= length <= len(octets) <= max(length, 60)
    if octets[0] >> 4 == 6 and len(octets) >= 48:
        return octets[6] in (6, 17) and struct.unpack_from(">H", octets, 4)[0] + 40 == len(octets)
    return False


def _wpdu_ends(octets: bytes) -> list[int]:
    """Where each WPDU of a chain ends, as its header says; the last end may lie beyond the octets."""
    ends: list[int] = []
    at = 0
    while at < len(octets):
        header = decode_header(octets[at:])
        if header is None or (ends and header.version != 1):
            break
        at += HEADER_SIZE + header.length
        ends.append(at)
    return ends or [-1]


def _cut(piece: Piece) -> Iterator[_Cut]:
    """The messages of a piece."""
    octets = piece.octets
    link = link_of(octets)
    if link is not None:
        yield _Cut(octets, link, None, piece)
        return
    layer = recognise(octets)
    framing = FRAMINGS.get(layer, Framing.BARE)
    if layer in ALONE:
        yield _Cut(octets, layer, None, piece)
    elif framing is Framing.WRAPPER:
        yield from _cut_wpdus(piece)
    elif framing is Framing.HDLC:
        yield from _cut_frames(piece)
    elif framing is Framing.MBUS:
        apdu = mbus_apdu(octets)
        yield _Cut(octets, framing, _side(apdu[0]) if apdu else None, piece)
    else:
        tag = octets[3] if framing is Framing.IEC_61334_4_32 and len(octets) > 3 else octets[0]
        yield _Cut(octets, framing, _side(tag), piece)


def _cut_wpdus(piece: Piece) -> Iterator[_Cut]:
    start, octets = 0, piece.octets
    ends = _wpdu_ends(octets)
    for end in [*ends[:-1], len(octets)]:
        part = octets[start:end]
        header = decode_header(part)
        wports = (header.source_wport, header.destination_wport) if header is not None else None
        tag = part[HEADER_SIZE] if len(part) > HEADER_SIZE else -1
        yield _Cut(part, Framing.WRAPPER, _side(tag), piece, wports)
        start = end


def _cut_frames(piece: Piece) -> Iterator[_Cut]:
    """HDLC frames; what belongs to none goes with the frame behind it, and what is left with the last."""
    frames = [event for event in hdlc_events(piece.octets) if isinstance(event, FrameReceived)]
    if not frames:
        yield _Cut(piece.octets, Framing.HDLC, None, piece)
        return
    start = 0
    for frame, following in pairwise([*frames, None]):
        assert frame is not None
        stop = frame.stop if following is not None else len(piece.octets)
        sender = sender_of(frame)
        side = None if sender is Sender.UNKNOWN else Side(sender.value)
        yield _Cut(piece.octets[start:stop], Framing.HDLC, side, piece)
        # A flag may close one frame and open the next.
        start = min(stop, following.start) if following is not None else stop


def _side(tag: int) -> Side | None:
    if tag in CLIENT_TAGS:
        return Side.CLIENT
    return Side.SERVER if tag in SERVER_TAGS else None


def _settled(cuts: list[_Cut]) -> Iterator[PastedMessage]:
    """Messages with their senders: by their octets, else the way, else the wPorts, else a meter's push."""
    known = next((cut for cut in cuts if cut.side is not None and cut.way is not None), None)
    clients_way = Way.SENT
    if known is not None:
        turned = Way.RECEIVED if known.way is Way.SENT else Way.SENT
        clients_way = known.way if known.side is Side.CLIENT and known.way is not None else turned
    sides = {cut.wports: cut.side for cut in reversed(cuts) if cut.wports and cut.side}
    for cut in cuts:
        side = cut.side
        if side is None and cut.way is not None:
            side = Side.CLIENT if cut.way is clients_way else Side.SERVER
        if side is None and cut.wports is not None:
            other = sides.get(cut.wports[::-1])
            side = sides.get(cut.wports) or (other.other if other is not None else None)
        piece = cut.piece
        yield PastedMessage(cut.octets, cut.framing, side or Side.SERVER, piece.line, piece.stamp)
