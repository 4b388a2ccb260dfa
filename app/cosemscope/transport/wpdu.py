"""The WPDU of IEC 62056-4-7, clauses 5.3.2 and 6.3.2: an 8-octet header, then the APDU.

Four unsigned 16-bit fields, most significant octet first: version (1), source wPort, destination wPort,
length of the data. There is no checksum and no mark at the end: the length alone delimits. One decoder reads
streams (`WpduDecoder`), one function datagrams (`decode_datagram`), one function walks headers in bulk
(`scan_headers`). What is wrong on the wire comes back as a value (`BadVersion`, `Truncated`), never as an
exception. The standard's text on an unknown version was not seen: as the layout of such a header is unknown,
neither its wPorts nor its length are believed, and the decoder stays where it is until told to skip.
"""

import enum
import struct
from typing import Final, Literal, NamedTuple, TypeAlias

Octets: TypeAlias = bytes | bytearray | memoryview

HEADER_SIZE: Final = 8
VERSION: Final = 1
MAX_DATA: Final = 65535
"""Most octets of data in one WPDU; a WPDU has 8 to 65543 octets."""

_HEADER: Final = struct.Struct(">4H")
_SWAPPED: Final = struct.Struct("<4H")
_COMPACT_ABOVE: Final = 1 << 16  # spent octets kept in front of the buffer before it is moved


class WpduHeader(NamedTuple):
    """The header of a WPDU; every field is 0 to 65535, `length` counts the octets of data only."""

    version: int
    source_wport: int
    destination_wport: int
    length: int

    def encode(self) -> bytes:
        """The 8 octets of the header. ValueError if a field is not 0 to 65535."""
        if not all(0 <= field <= 0xFFFF for field in self):
            raise ValueError(f"every field of a WPDU header must be 0 to 65535: {self}")
        return _HEADER.pack(*self)


class Wpdu(NamedTuple):
    """One WPDU: the two wPorts and the APDU it carries."""

    source_wport: int
    destination_wport: int
    data: bytes
    version: int = VERSION

    @property
    def header(self) -> WpduHeader:
        """The header that goes before the data."""
        return WpduHeader(self.version, self.source_wport, self.destination_wport, len(self.data))

    def encode(self) -> bytes:
        """Header and data. ValueError if a wPort is not 0 to 65535 or the data is over 65535 octets."""
        try:
            return (
                _HEADER.pack(self.version, self.source_wport, self.destination_wport, len(self.data))
                + self.data
            )
        except struct.error as error:
            if len(self.data) > MAX_DATA:
                raise ValueError(f"a WPDU carries at most {MAX_DATA} octets, not {len(self.data)}") from error
            raise ValueError(f"version and wPorts must be 0 to 65535: {self.header}") from error


class WpduReceived(NamedTuple):
    """A whole WPDU; its octets are `start` to `stop` (exclusive) of the stream or datagram."""

    wpdu: Wpdu
    start: int
    stop: int


class BadVersion(NamedTuple):
    """Where a header should begin stands another version than 1: this is no WPDU, or framing was lost.

    `octets` are those at hand from `start` on, 2 to 8 of them.
    """

    octets: bytes
    start: int

    @property
    def version(self) -> int:
        """The first two octets as an unsigned number, most significant octet first."""
        return int.from_bytes(self.octets[:2], "big")


class Truncated(NamedTuple):
    """The octets ended inside a WPDU that began at `start`; `header` is None if not even that was whole."""

    octets: bytes
    start: int
    header: WpduHeader | None

    @property
    def missing(self) -> int:
        """Octets that are missing, as far as is known: of the WPDU, or of its header."""
        whole = HEADER_SIZE if self.header is None else HEADER_SIZE + self.header.length
        return whole - len(self.octets)


class Trailing(NamedTuple):
    """Octets of a datagram from `start` on that stand after the one WPDU it may hold."""

    octets: bytes
    start: int


class NeedData(enum.Enum):
    """What `next_event` returns when the octets at hand hold no further whole WPDU."""

    NEED_DATA = "need data"


NEED_DATA: Final = NeedData.NEED_DATA
WpduEvent: TypeAlias = WpduReceived | BadVersion


def decode_header(octets: Octets, offset: int = 0, *, swapped: bool = False) -> WpduHeader | None:
    """The header at `offset`, of whatever version; None if fewer than 8 octets are there.

    `swapped` reads the byte-swapped header that some implementations send.
    """
    if len(octets) - offset < HEADER_SIZE:
        return None
    return WpduHeader._make((_SWAPPED if swapped else _HEADER).unpack_from(octets, offset))


class HeaderScan(NamedTuple):
    """What `scan_headers` found: one row a whole WPDU, `stop` where it ended.

    A row is (start, source wPort, destination wPort, length). `bad_version` tells whether the scan stopped
    at a header of another version (else at the end, or at a WPDU that is not whole).
    """

    rows: list[tuple[int, int, int, int]]
    stop: int
    bad_version: bool


def scan_headers(octets: Octets, start: int = 0, *, swapped: bool = False) -> HeaderScan:
    """Walk WPDU after WPDU from `start` as long as they are whole and of version 1, without copying data."""
    unpack = (_SWAPPED if swapped else _HEADER).unpack_from
    rows: list[tuple[int, int, int, int]] = []
    append = rows.append
    end = len(octets)
    last_header = end - HEADER_SIZE
    bad = False
    while start <= last_header:
        version, source, destination, length = unpack(octets, start)
        if version != 1:
            bad = True
            break
        after = start + 8 + length
        if after > end:
            break
        append((start, source, destination, length))
        start = after
    return HeaderScan(rows, start, bad)


class WpduDecoder:
    """Splits a stream of octets into WPDUs, however the octets come in pieces.

    Feed octets, then take events until `NEED_DATA`. After a `BadVersion` the same event comes again until
    `skip` or `resume_at` moves on. Offsets count from the first octet of the stream, which is `base`.
    """

    def __init__(self, *, base: int = 0, swapped: bool = False) -> None:
        self._buffer = bytearray()
        self._at = 0  # index in the buffer of the next unread octet
        self._base = base  # stream offset of the buffer's first octet
        self._format = _SWAPPED if swapped else _HEADER

    @property
    def position(self) -> int:
        """Stream offset of the next unread octet: where the next WPDU begins."""
        return self._base + self._at

    @property
    def buffered(self) -> int:
        """Octets that were fed and not yet read; at most 65542 once `next_event` says `NEED_DATA`."""
        return len(self._buffer) - self._at

    @property
    def header(self) -> WpduHeader | None:
        """The header at `position`, of whatever version, as soon as its 8 octets are there."""
        if self.buffered < HEADER_SIZE:
            return None
        return WpduHeader._make(self._format.unpack_from(self._buffer, self._at))

    @property
    def missing(self) -> int:
        """Octets still wanted for the header, or once that is there for the whole WPDU (0: it is whole)."""
        header = self.header
        whole = HEADER_SIZE if header is None else HEADER_SIZE + header.length
        return max(0, whole - self.buffered)

    def peek(self, offset: int, count: int) -> bytes:
        """Up to `count` of the unread octets, from `offset` on; nothing moves."""
        start = self._at + offset
        return bytes(self._buffer[start : start + count])

    def feed(self, octets: Octets) -> None:
        """Add octets to the end of the stream."""
        at = self._at
        if at and (at == len(self._buffer) or (at > _COMPACT_ABOVE and at * 2 > len(self._buffer))):
            del self._buffer[:at]
            self._base += at
            self._at = 0
        self._buffer += octets

    def next_event(self) -> WpduEvent | NeedData:
        """The next whole WPDU, or what stands in its way."""
        events = self.events(1)
        return events[0] if events else NEED_DATA

    def events(self, limit: int = -1) -> list[WpduEvent]:
        """All events that the octets at hand hold (at most `limit`); empty if more octets are needed.

        A `BadVersion` is the last of the list.
        """
        found: list[WpduEvent] = []
        buffer, base, at = self._buffer, self._base, self._at
        unpack = self._format.unpack_from
        end = len(buffer)
        while end - at >= 8 and limit:
            version, source, destination, length = unpack(buffer, at)
            if version != 1:
                break
            after = at + 8 + length
            if after > end:
                break
            wpdu = Wpdu(source, destination, bytes(buffer[at + 8 : after]))
            found.append(WpduReceived(wpdu, base + at, base + after))
            at = after
            limit -= 1
        self._at = at
        if limit and end - at >= 2 and self._version_at(at) != VERSION:
            found.append(BadVersion(bytes(buffer[at : at + HEADER_SIZE]), base + at))
        return found

    def _version_at(self, at: int) -> int:
        order: Literal["big", "little"] = "big" if self._format is _HEADER else "little"
        return int.from_bytes(self._buffer[at : at + 2], order)

    def skip(self, count: int) -> bytes:
        """Pass over the next `count` octets, or those of them that were fed; returns them."""
        skipped = bytes(self._buffer[self._at : self._at + max(0, count)])
        self._at += len(skipped)
        return skipped

    def resume_at(self, offset: int) -> Truncated | None:
        """Go on at stream offset `offset`, which the next octets fed will have if it lies past those at hand.

        For octets that were lost or are not wanted. Returns what was begun at the old position and is given
        up, if anything. ValueError if `offset` lies before `position`.
        """
        if offset < self.position:
            raise ValueError(f"offset {offset} lies before the position {self.position}")
        given_up = self._rest() if offset > self.position else None
        if offset <= self._base + len(self._buffer):
            self._at = offset - self._base
        else:
            self._buffer.clear()
            self._at, self._base = 0, offset
        return given_up

    def close(self) -> Truncated | None:
        """The stream has ended; returns the WPDU that it broke off, if any, and drops its octets."""
        rest = self._rest()
        self._base += len(self._buffer)
        self._buffer.clear()
        self._at = 0
        return rest

    def _rest(self) -> Truncated | None:
        if not self.buffered:
            return None
        return Truncated(bytes(self._buffer[self._at :]), self.position, self.header)


class DatagramResult(NamedTuple):
    """What one datagram held. The standard wants exactly one whole WPDU and nothing else (5.3.3).

    `problem` says why the datagram does not begin with a whole WPDU. `trailing` are the octets after the last
    whole WPDU. More than one WPDU is against the rule, yet each is decoded.
    """

    wpdus: tuple[WpduReceived, ...]
    problem: BadVersion | Truncated | None
    trailing: bytes

    @property
    def conforms(self) -> bool:
        """Exactly one whole WPDU and nothing else."""
        return len(self.wpdus) == 1 and not self.trailing


def decode_datagram(octets: Octets, *, swapped: bool = False) -> DatagramResult:
    """Take a datagram apart; offsets count from its first octet. Never raises."""
    scan = scan_headers(octets, swapped=swapped)
    wpdus = tuple(
        WpduReceived(
            Wpdu(source, destination, bytes(octets[start + 8 : start + 8 + length])),
            start,
            start + 8 + length,
        )
        for start, source, destination, length in scan.rows
    )
    rest = bytes(octets[scan.stop :])
    if wpdus:
        return DatagramResult(wpdus, None, rest)
    version = rest[1::-1] if swapped else rest[:2]
    if len(rest) >= 2 and version != b"\x00\x01":
        return DatagramResult((), BadVersion(rest[:HEADER_SIZE], 0), b"")
    return DatagramResult((), Truncated(rest, 0, decode_header(rest, swapped=swapped)), b"")
