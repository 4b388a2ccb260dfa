"""The blocks of pcapng that carry no packets: sections, interfaces, names, statistics, and options anywhere.

All functions take a whole block (or the octets of its options) that may be damaged inside: what does not fit
is left out. Texts are UTF-8; octets that are not are shown as replacement characters.
"""

import ipaddress
import struct
from collections.abc import Iterator

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.pcapng_layout import BlockOption, NameRecord
from cosemscope.capture.records import Interface, Section, Statistics

MAX_INTERFACES = 65_535
# if_tsoffset beyond this many seconds is nonsense, and would not fit nanoseconds in 64 bits.
_MAX_SHIFT = 9_000_000_000
_MAX_DECIMALS = 19
#: Octets of entries between two looks whether they are wanted.
_LOOK_EVERY = 1 << 12
_MAX_BITS = 63
#: The counts of `Statistics`, in its order.
_COUNTS = (
    BlockOption.STATISTICS_RECEIVED,
    BlockOption.STATISTICS_DROPPED,
    BlockOption.STATISTICS_FILTERED,
    BlockOption.STATISTICS_DROPPED_BY_SYSTEM,
    BlockOption.STATISTICS_DELIVERED,
)


class Blocks:
    """Numbers and options in the byte order of a section: `order` as for `struct`."""

    def __init__(self, order: str, look: Look = no_look) -> None:
        self.order = order
        self._look = look
        self._number = struct.Struct(order + "I").unpack_from
        self._pair = struct.Struct(order + "HH").unpack_from

    def number(self, block: bytes | memoryview, at: int) -> int:
        """The 32-bit number at `at`."""
        return int(self._number(block, at)[0])

    def signed(self, octets: bytes) -> int:
        """The octets as one signed number."""
        return int.from_bytes(octets, "little" if self.order == "<" else "big", signed=True)

    def unsigned(self, octets: bytes) -> int:
        """The octets as one number."""
        return int.from_bytes(octets, "little" if self.order == "<" else "big")

    def entries(self, octets: bytes) -> Iterator[tuple[int, bytes]]:
        """Codes and values, padded to four octets each, up to one that is 0 or does not fit."""
        at, looks_at = 0, _LOOK_EVERY
        while at + 4 <= len(octets):
            if at >= looks_at:
                self._look()
                looks_at = at + _LOOK_EVERY
            code, length = self._pair(octets, at)
            at += 4
            if not code or at + length > len(octets):
                return
            yield code, octets[at : at + length]
            at += (length + 3) & ~3

    def options(self, octets: bytes) -> dict[int, bytes]:
        """Options by their codes: the first of each, comments all together."""
        found: dict[int, bytes] = {}
        comments: list[bytes] = []
        for code, value in self.entries(octets):
            if code == BlockOption.COMMENT:
                comments.append(value)
            else:
                found.setdefault(code, value)
        return {**found, BlockOption.COMMENT: b"\n".join(comments)} if comments else found


def _text(options: dict[int, bytes], code: int) -> str:
    return _decoded(options.get(code, b""))


def _decoded(octets: bytes) -> str:
    return octets.rstrip(b"\0").decode("utf-8", "replace")


def comments_of(blocks: Blocks, options: bytes) -> tuple[str, ...]:
    """The comments among options, each by itself: one may have several lines."""
    found = (value for code, value in blocks.entries(options) if code == BlockOption.COMMENT)
    return tuple(text for text in map(_decoded, found) if text)


def section_of(blocks: Blocks, block: bytes) -> Section:
    """The section that a section header block describes."""
    options = blocks.options(block[24:-4])
    return Section(
        _text(options, BlockOption.SECTION_HARDWARE),
        _text(options, BlockOption.SECTION_SYSTEM),
        _text(options, BlockOption.SECTION_APPLICATION),
        _text(options, BlockOption.COMMENT),
    )


def interface_of(blocks: Blocks, block: bytes, section: int) -> Interface:
    """The interface that an interface description block describes."""
    options = blocks.options(block[16:-4])
    resolution = options.get(BlockOption.INTERFACE_RESOLUTION, b"\x06")[:1] or b"\x06"
    shift = blocks.signed(options.get(BlockOption.INTERFACE_OFFSET, b""))
    return Interface(
        link_type=blocks.unsigned(block[8:10]),
        snap_length=blocks.number(block, 12),
        name=_text(options, BlockOption.INTERFACE_NAME),
        description=_text(options, BlockOption.INTERFACE_DESCRIPTION),
        resolution=_resolution(resolution[0]),
        offset=shift if abs(shift) <= _MAX_SHIFT else 0,
        # The first octet says how the filter is written; 0 is libpcap's text.
        filter=options.get(BlockOption.INTERFACE_FILTER, b"\0")[1:].decode("utf-8", "replace"),
        operating_system=_text(options, BlockOption.INTERFACE_SYSTEM),
        hardware=_text(options, BlockOption.INTERFACE_HARDWARE),
        comment=_text(options, BlockOption.COMMENT),
        section=section,
    )


def _resolution(code: int) -> int:
    """Ticks in a second: a power of two if the upper bit is set, else of ten. Stamps have 64 bits."""
    if code & 0x80:
        return 1 << min(code & 0x7F, _MAX_BITS)
    return int(10 ** min(code, _MAX_DECIMALS))


def names_of(blocks: Blocks, block: bytes) -> dict[str, str]:
    """The addresses that a name resolution block names, each with its first name."""
    names: dict[str, str] = {}
    for kind, value in blocks.entries(block[8:-4]):
        size = {NameRecord.IPV4: 4, NameRecord.IPV6: 16}.get(kind, 0)
        name = value[size:].split(b"\0")[0].decode("utf-8", "replace")
        if size and len(value) > size and name:
            names[str(ipaddress.ip_address(value[:size]))] = name
    return names


def statistics_of(blocks: Blocks, block: bytes, time: int) -> Statistics:
    """Counts of an interface statistics block; `time` is its time stamp in nanoseconds."""
    options = blocks.options(block[20:-4])
    counts = (blocks.unsigned(options[code]) if code in options else -1 for code in _COUNTS)
    return Statistics(time, *counts)
