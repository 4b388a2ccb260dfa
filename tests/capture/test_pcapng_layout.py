"""The walk over heads of blocks: sections of both byte orders, what is not all there, and where it ends."""

import struct

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.pcapng_layout import (
    BYTE_ORDER_MAGIC,
    MAGIC,
    MAX_BLOCK,
    ORDERS,
    PACKETS,
    BlockError,
    BlockKind,
    BlockOption,
    block_heads,
)
from tests.helpers.files import Pcapng

Heads = list[tuple[int, int, int, str]]


def walked(octets: bytes, order: str = "<") -> tuple[Heads, str]:
    """The heads, and what stopped the walk."""
    found: Heads = []
    try:
        for head in block_heads(octets, order):
            found.append(head)
    except BlockError as error:
        return found, str(error)
    return found, ""


@given(st.lists(st.tuples(st.sampled_from("<>"), st.lists(st.binary(max_size=40), max_size=4)), max_size=4))
def test_blocks_of_sections_in_both_byte_orders(sections: list[tuple[str, list[bytes]]]) -> None:
    """Places, kinds and lengths are those with which they were written, whatever the order before was."""
    octets, wanted = b"", []
    for order, packets in sections:
        b = Pcapng(order)
        blocks = [(BlockKind.SECTION, b.section()), (BlockKind.INTERFACE, b.interface())]
        blocks += [(BlockKind.PACKET, b.enhanced(1, packet)) for packet in packets]
        for kind, block in blocks:
            wanted.append((len(octets), kind, len(block), order))
            octets += block
    for first in "<>":
        assert walked(octets, first) == (wanted, "")
    assert walked(bytes(octets))[0] == walked(bytearray(octets))[0] == walked(memoryview(octets))[0]  # type: ignore[arg-type]


@given(st.data())
def test_a_walk_that_begins_within_a_section(data: st.DataObject) -> None:
    """It takes the order that it is given; the last block need not be all there, if its head is."""
    order = data.draw(st.sampled_from("<>"))
    b = Pcapng(order)
    octets = b.enhanced(1, b"one") + b.simple(b"second") + b.obsolete(1, b"third")
    first, second = len(b.enhanced(1, b"one")), len(b.simple(b"second"))
    places = [0, first, first + second]
    cut = data.draw(st.integers(0, len(octets)))
    found, wrong = walked(octets[:cut], order)
    assert wrong == ""
    assert [head[0] for head in found] == [place for place in places if place + 12 <= cut]
    assert {head[1] for head in found} <= PACKETS


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (struct.pack("<III", 6, 8, 8), "a block of 8 octets"),
        (struct.pack("<III", 6, 14, 14) + bytes(8), "a block of 14 octets"),
        (struct.pack("<III", 6, MAX_BLOCK + 4, 0), f"a block of {MAX_BLOCK + 4} octets"),
        (struct.pack("<III", 0x0A0D0D0A, 28, 0x12345678), "a section without a byte order"),
    ],
)
def test_what_is_no_block(octets: bytes, words: str) -> None:
    """It is said what it claims; what came before it was given."""
    whole = Pcapng().enhanced(1, b"good")
    assert walked(whole + octets) == ([(0, BlockKind.PACKET, len(whole), "<")], words)


def test_the_longest_and_the_shortest_block() -> None:
    """Both bounds are believed."""
    for length in (12, MAX_BLOCK):
        assert walked(struct.pack("<III", 99, length, 0))[0] == [(0, 99, length, "<")]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (BlockKind.SECTION, dpkt.pcapng.PCAPNG_BT_SHB),
        (BlockKind.INTERFACE, dpkt.pcapng.PCAPNG_BT_IDB),
        (BlockKind.OLD_PACKET, dpkt.pcapng.PCAPNG_BT_PB),
        (BlockKind.SIMPLE_PACKET, dpkt.pcapng.PCAPNG_BT_SPB),
        (BlockKind.PACKET, dpkt.pcapng.PCAPNG_BT_EPB),
        (BlockKind.NAMES, 4),
        (BlockKind.STATISTICS, 5),
        (BYTE_ORDER_MAGIC, dpkt.pcapng.BYTE_ORDER_MAGIC),
        (BlockOption.COMMENT, dpkt.pcapng.PCAPNG_OPT_COMMENT),
        (BlockOption.SECTION_HARDWARE, dpkt.pcapng.PCAPNG_OPT_SHB_HARDWARE),
        (BlockOption.SECTION_SYSTEM, dpkt.pcapng.PCAPNG_OPT_SHB_OS),
        (BlockOption.SECTION_APPLICATION, dpkt.pcapng.PCAPNG_OPT_SHB_USERAPPL),
        (BlockOption.INTERFACE_NAME, dpkt.pcapng.PCAPNG_OPT_IF_NAME),
        (BlockOption.INTERFACE_DESCRIPTION, dpkt.pcapng.PCAPNG_OPT_IF_DESCRIPTION),
        (BlockOption.INTERFACE_RESOLUTION, dpkt.pcapng.PCAPNG_OPT_IF_TSRESOL),
        (BlockOption.INTERFACE_FILTER, dpkt.pcapng.PCAPNG_OPT_IF_FILTER),
        (BlockOption.INTERFACE_SYSTEM, dpkt.pcapng.PCAPNG_OPT_IF_OS),
        (BlockOption.INTERFACE_OFFSET, dpkt.pcapng.PCAPNG_OPT_IF_TSOFFSET),
    ],
)
def test_numbers_are_those_of_others(mine: int, theirs: int) -> None:
    """A number that is wrong here would be wrong in what is written and in what is read."""
    assert mine == theirs


def test_what_is_a_packet() -> None:
    """Three kinds of blocks have one; the longest block that is believed has 64 MiB."""
    assert set(PACKETS) == {2, 3, 6}
    assert MAX_BLOCK == 64 * 1024 * 1024
    assert MAGIC == b"\n\r\r\n"
    assert ORDERS == {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}
