"""Recognising by content what a stream carries, on whatever port.

A wrapper header has no magic beyond its version 00 01, which STUN, RPCAP and
others share. So a header is evidence only when three things agree: version 1,
a length after which the segment ends or the next header follows, and an APDU
tag that the standard knows, with a second octet that may follow that tag. One
such WPDU is enough (chance makes one in about 2**32 segments). As long as
there is none, a stream is waited for, but only `MAX_SEGMENTS` segments or
`MAX_OCTETS` octets. Both directions count: the first evidence in either decides.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.hdlc.hdlc_frames import check_is_right, header_size
from cosemscope.apdu.names.tags import APDU_TAGS, DED_SERVICES, GLO_SERVICES
from cosemscope.apdu.services.prime_messages import prime_name
from cosemscope.streams.foreign.lone_apdus import is_lone_apdu
from cosemscope.streams.foreign.octet_frames import is_p1, mbus_apdu_begins, mbus_end
from cosemscope.streams.tables.framing import Framing
from cosemscope.transport.wpdu import HEADER_SIZE, VERSION, WpduHeader, decode_header

#: A stream in which nothing was recognised after so many segments, or octets, of both directions is UNKNOWN.
#: Longer, if what began as a header only lacks its end; and segments as short as a heartbeat count an eighth.
MAX_SEGMENTS = 32
MAX_WAITED_SEGMENTS = 2048
HEARTBEAT, HEARTBEAT_WEIGHT = 32, 0.125
MAX_OCTETS = 1 << 17
#: Octets of the longest PRIME message, and those of a P1 telegram's first lines.
_PRIME_LONGEST, _P1_LONGEST = 44, 80
#: Beginnings that may wait at a time for their ends to come.
MAX_CANDIDATES = 64

#: The first ten octets of a WPDU as one NumPy record: the header, the APDU's tag and the octet after it.
HEAD = np.dtype(
    [
        ("version", ">u2"),
        ("source_wport", ">u2"),
        ("destination_wport", ">u2"),
        ("length", ">u2"),
        ("tag", "u1"),
        ("second", "u1"),
    ]
)

_PLAIN = np.dtype((np.void, HEAD.itemsize))

#: Octets that may follow a tag: choices, counts and lengths of IEC 62056-5-3; any, where a tag is not named.
_SECOND_OCTETS = {
    0x01: (0, 1),
    0x05: (1, 127),
    0x06: (1, 127),
    0x08: (0, 1),
    0x0C: (1, 127),
    0x0D: (1, 127),
    0x0E: (1, 32),
    0x16: (1, 127),
    0xC0: (1, 3),
    0xC1: (1, 5),
    0xC2: (0, 1),
    0xC3: (1, 6),
    0xC4: (1, 3),
    0xC5: (1, 6),
    0xC7: (1, 4),
    0xD8: (0, 8),
    0xDB: (0, 32),
    0xDC: (0, 32),
    0xDD: (0, 64),
    0xDF: (0, 64),
}
#: Tags after which the length of the rest of the APDU stands: ACSE (BER) and the ciphered services (A-XDR).
_SIZED_TAGS = (0x60, 0x61, 0x62, 0x63, 0x64, *GLO_SERVICES, *DED_SERVICES)


def _tables() -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    low, high, sized = np.ones(256, np.uint8), np.zeros(256, np.uint8), np.zeros(256, np.bool_)
    for tag in APDU_TAGS:
        low[tag], high[tag] = _SECOND_OCTETS.get(tag, (0, 255))
    sized[list(_SIZED_TAGS)] = True
    return low, high, sized


_LOW, _HIGH, _SIZED = _tables()
# For each form of a BER or A-XDR length octet: the least and the most octets that an APDU so begun has.
_FORM_LOW, _FORM_HIGH = np.full(256, 1 << 20, np.int64), np.zeros(256, np.int64)
_FORM_LOW[:128] = _FORM_HIGH[:128] = np.arange(128) + 2
for _form, _most in ((0x81, 0xFF), (0x82, 0xFFFF), (0x83, 0xFFFFFF)):
    _FORM_LOW[_form] = 3 + (_form & 3)
    _FORM_HIGH[_form] = _most + 2 + (_form & 3)


def take_heads(heads: npt.NDArray[Any], rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """`heads[rows]`, many times faster: NumPy copies records field by field, plain octets at once."""
    taken: npt.NDArray[Any] = heads.view(_PLAIN)[rows].view(HEAD)
    return taken


def join_heads(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Arrays of HEAD one after another; NumPy by itself would turn their fields to native octet order."""
    joined: npt.NDArray[Any] = np.concatenate([part.view(_PLAIN) for part in parts]).view(HEAD)
    return joined


def put_heads(heads: npt.NDArray[Any], rows: npt.NDArray[Any], values: npt.NDArray[Any]) -> None:
    """`heads[rows] = values`, likewise."""
    heads.view(_PLAIN)[rows] = values.view(_PLAIN)


def believable(heads: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """For an array of HEAD records: version 1, a known tag, and a second octet and length that go with it.

    What may as well be the header of Modbus/TCP is not believed (see `_modbus`).
    """
    tag, second = heads["tag"], heads["second"]
    length = heads["length"].astype(np.int64)
    fits: npt.NDArray[np.bool_] = (heads["version"] == VERSION) & (length >= 2)
    fits &= (heads["source_wport"] != 0) | (heads["destination_wport"] != length + _MODBUS_UNCOUNTED)
    fits &= (second >= _LOW[tag]) & (second <= _HIGH[tag])
    fits &= ~_SIZED[tag] | ((length >= _FORM_LOW[second]) & (length <= _FORM_HIGH[second]))
    return fits


def apdu_begins(octets: bytes | bytearray, at: int, length: int) -> bool:
    """True if the two octets at `at` can begin an APDU of `length` octets; False if they are not there."""
    if length < 2 or at + 2 > len(octets):
        return False
    tag, second = octets[at], octets[at + 1]
    if not _LOW[tag] <= second <= _HIGH[tag]:
        return False
    return not _SIZED[tag] or bool(_FORM_LOW[second] <= length <= _FORM_HIGH[second])


# Modbus/TCP begins with a transaction number, 0, the number of octets that follow, and a unit (MBAP). In its
# first transaction, where unit and function make the right length, that is a wrapper header: source wPort 0,
# destination wPort two more than the length of what would be the APDU.
_MODBUS_UNCOUNTED = 2


def _modbus(header: WpduHeader, size: int) -> bool:
    """True if a wrapper header, of a segment or datagram of `size` octets, may as well be Modbus/TCP's."""
    return header.source_wport == 0 and header.destination_wport == size - HEADER_SIZE + _MODBUS_UNCOUNTED


def apdu_is_sound(octets: bytes | bytearray) -> bool:
    """True if these octets are one APDU, readable to its last octet: far more than `apdu_begins` tells."""
    from cosemscope.apdu.decoder import decode_apdu  # most captures do without

    return apdu_begins(octets, 0, len(octets)) and not decode_apdu(bytes(octets)).problems


class Evidence(Enum):
    """Evidence of octets for one framing."""

    NO = 0
    WAIT = 1  # what is there fits, but more octets must tell
    YES = 2


class Prefix:
    """The first octets of one direction; `starts`: where its segments begin, and those before them end."""

    __slots__ = ("octets", "starts")

    def __init__(self) -> None:
        self.octets = bytearray()
        self.starts: list[int] = []

    def add(self, octets: bytes, length: int) -> int:
        """The next segment, of `length` octets on the wire; the offset at which it begins."""
        start = len(self.octets)
        self.octets += octets.ljust(length, b"\0")  # what was cut off tells nothing, but has its place
        self.starts.append(start)
        return start

    def ends(self, offset: int) -> bool:
        """Whether a segment ends at this offset."""
        return offset == len(self.octets) or (offset > 0 and offset in self.starts)

    @property
    def first_end(self) -> int:
        """Where the first segment ends."""
        return self.starts[1] if len(self.starts) > 1 else len(self.octets)


#: Octets of noise before a frame, and flags in it that are looked behind.
_FLAG, _NOISE, _MAX_FLAGS = b"\x7e", 256, 8


def _wrapper(prefix: Prefix, at: int, *, swapped: bool = False) -> Evidence:
    octets = prefix.octets
    version = b"\x01\x00" if swapped else b"\x00\x01"
    if not octets.startswith(version[: len(octets) - at], at):
        return Evidence.NO
    header = decode_header(octets, at, swapped=swapped)
    if header is None or len(octets) < at + HEADER_SIZE + 2:
        return Evidence.WAIT
    end = at + HEADER_SIZE + header.length
    is_prime = header.length <= _PRIME_LONGEST and bool(prime_name(octets[at + HEADER_SIZE : end]))
    likely = is_prime or apdu_begins(octets, at + HEADER_SIZE, header.length)
    if not likely or _modbus(header, end - at):
        return Evidence.NO
    if end > len(octets):
        return Evidence.WAIT
    if prefix.ends(end) or octets.startswith(version, end):
        return Evidence.YES
    return Evidence.WAIT if octets[end:] == version[:1] else Evidence.NO


def _mbus(prefix: Prefix, at: int) -> Evidence:
    octets = prefix.octets
    if octets[at] != 0x68:
        return Evidence.NO
    end = mbus_end(octets, at)
    if end < 0:
        return Evidence.WAIT
    return Evidence.YES if end and mbus_apdu_begins(octets[at:end]) else Evidence.NO


def _p1(prefix: Prefix, at: int) -> Evidence:
    return Evidence.YES if is_p1(prefix.octets[at : at + _P1_LONGEST]) else Evidence.NO


def _swapped_wrapper(prefix: Prefix, at: int) -> Evidence:
    return _wrapper(prefix, at, swapped=True)


def _hdlc(prefix: Prefix, at: int) -> Evidence:
    """A frame at the beginning of a segment, or a whole one behind noise in it."""
    octets = prefix.octets
    first = _hdlc_at(octets, at)
    flag, tried = octets.find(_FLAG, at + 1), 0
    while first is Evidence.NO and 0 <= flag < at + _NOISE and tried < _MAX_FLAGS:
        if _hdlc_at(octets, flag) is Evidence.YES:
            return Evidence.YES
        flag, tried = octets.find(_FLAG, flag + 1), tried + 1
    return first


def _hdlc_at(octets: bytearray, at: int) -> Evidence:
    if octets[at] != 0x7E:
        return Evidence.NO
    if at + 3 > len(octets):
        return Evidence.WAIT
    if octets[at + 1] >> 4 != 0xA:
        return Evidence.NO
    end = at + 1 + ((octets[at + 1] & 7) << 8 | octets[at + 2])
    if end >= len(octets):
        return Evidence.WAIT
    frame = octets[at + 1 : end]
    whole = octets[end] == 0x7E and (frame_check(frame) or header_check(frame))
    return Evidence.YES if whole else Evidence.NO


# The application contexts of DLMS/COSEM, as an AARQ or AARE names them: joint-iso-ccitt 16 756 5 8 1.
_CONTEXT = bytes.fromhex("60857405 0801")


def _bare(prefix: Prefix, at: int) -> Evidence:
    octets = prefix.octets
    end = len(octets)
    association = octets[at] in (0x60, 0x61) and _CONTEXT in octets[at : at + 32]
    if association and apdu_begins(octets, at, end - at):
        return Evidence.YES
    return Evidence.YES if is_lone_apdu(bytes(octets[at:end])) else Evidence.NO


def _llc_61334(prefix: Prefix, at: int) -> Evidence:
    octets = prefix.octets
    end = len(octets)
    if octets[at] != 0x90 or end - at < 5:
        return Evidence.NO
    # The header is one octet that is always the same, which RTP and random octets have too.
    return Evidence.YES if apdu_is_sound(octets[at + 3 :]) else Evidence.NO


_READ_OUT = re.compile(rb"/\?[^!\r\n]{0,32}!\r\n|/[A-Z][A-Z][A-Za-z][0-9A-I](\\.)?[^\r\n]{0,32}\r\n")


def _ascii(prefix: Prefix, at: int) -> Evidence:
    if _READ_OUT.match(prefix.octets, at):
        return Evidence.YES
    rest = prefix.octets[at:]
    return Evidence.WAIT if rest[:1] == b"/" and len(rest) < 40 and b"\n" not in rest else Evidence.NO


_HTTP = re.compile(rb"(GET|POST|PUT|HEAD|DELETE|OPTIONS|PATCH|CONNECT) [^\r\n]+ HTTP/1|HTTP/1\.[01] \d")
_TLS_RECORD = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]", re.DOTALL)


def _tls(prefix: Prefix, at: int) -> Evidence:
    if at or not _TLS_RECORD.match(prefix.octets):
        return Evidence.NO
    octets = prefix.octets
    end = 5 + int.from_bytes(octets[3:5], "big")
    handshake = octets[0] == 0x16 and len(octets) > 5 and octets[5] in (1, 2)
    follows = prefix.ends(end) or _TLS_RECORD.match(octets, end)
    return Evidence.YES if handshake or (len(octets) > 5 and follows) else Evidence.NO


def _stun(prefix: Prefix, at: int) -> Evidence:
    """RFC 8489, section 5: two zero bits, magic cookie, a length that counts what follows 20 octets."""
    octets = prefix.octets
    cookie = octets[at + 4 : at + 8] == b"\x21\x12\xa4\x42"
    length = int.from_bytes(octets[at + 2 : at + 4], "big")
    whole = cookie and octets[at] < 0x40 and not length % 4
    return Evidence.YES if whole and prefix.ends(at + 20 + length) else Evidence.NO


def _rpcap(prefix: Prefix, at: int) -> Evidence:
    """An RPCAP header: version 0, message type, value, and the length of the rest in 32 bits."""
    octets = prefix.octets
    if at or len(octets) < 8 or octets[0] or (octets[1] & 0x7F) not in range(2, 20):
        return Evidence.NO
    end = 8 + int.from_bytes(octets[4:8], "big")
    return Evidence.YES if octets[2:4] == b"\0\0" and prefix.ends(end) else Evidence.NO


def _http(prefix: Prefix, at: int) -> Evidence:
    return Evidence.YES if not at and _HTTP.match(prefix.octets) else Evidence.NO


def _ssh(prefix: Prefix, at: int) -> Evidence:
    return Evidence.YES if not at and prefix.octets.startswith(b"SSH-") else Evidence.NO


Matcher = Callable[[Prefix, int], Evidence]
#: Every framing that is recognised, in the order in which they are tried on a segment.
MATCHERS: tuple[tuple[Framing, Matcher], ...] = (
    (Framing.STUN, _stun),
    (Framing.TLS, _tls),
    (Framing.HTTP, _http),
    (Framing.SSH, _ssh),
    (Framing.WRAPPER, _wrapper),
    (Framing.SWAPPED, _swapped_wrapper),
    (Framing.HDLC, _hdlc),
    (Framing.MBUS, _mbus),
    (Framing.BARE, _bare),
    (Framing.IEC_61334_4_32, _llc_61334),
    (Framing.P1, _p1),
    (Framing.IEC_62056_21, _ascii),
    (Framing.RPCAP, _rpcap),
)

_ANSWERS = {0xC0: 0xC4, 0xC1: 0xC5, 0xC3: 0xC7, 0xD9: 0xDA}


def _bare_exchange(one: Prefix, other: Prefix) -> bool:
    """True if `one` begins with a request and `other` with its answer: same service, same invoke-id."""
    if len(one.octets) < 3 or len(other.octets) < 3 or not apdu_begins(one.octets, 0, one.first_end):
        return False
    return other.octets[0] == _ANSWERS.get(one.octets[0]) and one.octets[2] == other.octets[2]


def datagram_framing(octets: bytes, *, registered: bool) -> Framing:
    """The framing that a datagram tells by itself, if it begins with a whole WPDU and goes on otherwise.

    That is against the standard, so the APDU must be sound, or a port the `registered` one of DLMS/COSEM and
    the APDU's beginning believable. UNDECIDED when it tells nothing.
    """
    for framing, swapped in ((Framing.WRAPPER, False), (Framing.SWAPPED, True)):
        header = decode_header(octets, swapped=swapped)
        if header is None or header.version != VERSION or _modbus(header, len(octets)):
            continue
        end = HEADER_SIZE + header.length
        if end > len(octets) or not apdu_begins(octets, HEADER_SIZE, header.length):
            continue
        if registered or apdu_is_sound(octets[HEADER_SIZE:end]):
            return framing
    return Framing.UNDECIDED


class Recogniser:
    """Decides what a stream carries, segment by segment of both directions, as they come in order."""

    __slots__ = ("_prefixes", "_segments", "_waiting")

    def __init__(self) -> None:
        self._prefixes = (Prefix(), Prefix())
        self._waiting: list[tuple[Prefix, int, Framing, Matcher]] = []
        self._segments = 0.0

    @property
    def octets(self) -> int:
        """Octets that are kept."""
        return len(self._prefixes[0].octets) + len(self._prefixes[1].octets)

    @property
    def begins_wpdu(self) -> bool:
        """Whether a direction begins with a believable WPDU, as far as it came: no more will come of it."""
        return any(
            at == 0 and framing is Framing.WRAPPER and len(prefix.octets) >= HEADER_SIZE + 2
            for prefix, at, framing, _ in self._waiting
        )

    def add(self, side: int, octets: bytes, length: int = 0) -> Framing:
        """The next segment of side 0 or 1, of `length` octets if some of them were cut off.

        UNDECIDED while more must be seen.
        """
        if not octets:  # all were cut off: nothing can be told, and it is not waited for ever
            self._segments += 1
            return Framing.UNKNOWN if self._segments >= MAX_SEGMENTS else Framing.UNDECIDED
        prefix = self._prefixes[side]
        at = prefix.add(octets, length)
        self._segments += 1 if length > HEARTBEAT or len(octets) > HEARTBEAT else HEARTBEAT_WEIGHT
        waited, self._waiting = self._waiting, []
        for candidate in waited:
            where, start, framing, matcher = candidate
            evidence = matcher(where, start)
            if evidence is Evidence.YES:
                return framing
            if evidence is Evidence.WAIT:
                self._waiting.append(candidate)
        for framing, matcher in MATCHERS:
            evidence = matcher(prefix, at)
            if evidence is Evidence.YES:
                return framing
            if evidence is Evidence.WAIT and len(self._waiting) < MAX_CANDIDATES:
                self._waiting.append((prefix, at, framing, matcher))
        one, other = self._prefixes
        if _bare_exchange(one, other) or _bare_exchange(other, one):
            return Framing.BARE
        most = MAX_WAITED_SEGMENTS if self._waiting else MAX_SEGMENTS
        enough = self._segments >= most or self.octets >= MAX_OCTETS
        return Framing.UNKNOWN if enough else Framing.UNDECIDED


def _fcs_table() -> tuple[int, ...]:
    """CRC-16/X-25, the frame check sequence of HDLC (ISO/IEC 13239), octet by octet."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_FCS = _fcs_table()


def frame_check(frame: bytes | bytearray) -> bool:
    """True if the last two octets of an HDLC frame (without its flags) are its right check sequence."""
    fcs = 0xFFFF
    for octet in frame:
        fcs = fcs >> 8 ^ _FCS[(fcs ^ octet) & 0xFF]
    return len(frame) >= 7 and fcs == 0xF0B8


def header_check(frame: bytes | bytearray) -> bool:
    """True if the header of an HDLC frame (without its flags) has its right check sequence, and more follows.

    Where the frame's own is wrong, the frame is damaged: of streams behind bad converters all are.
    """
    size = header_size(frame, 0, len(frame) - 2)
    return size is not None and len(frame) > size + 4 and check_is_right(frame[: size + 2])
