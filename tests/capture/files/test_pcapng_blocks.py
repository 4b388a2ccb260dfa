"""Blocks without packets, in both byte orders: every option, those that are damaged, and those of nobody."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files.pcapng_blocks import (
    Blocks,
    comments_of,
    interface_of,
    names_of,
    section_of,
    statistics_of,
)
from cosemscope.capture.records import Interface, Section, Statistics
from tests.helpers.files import Pcapng

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
CODES = st.integers(1, 2**16 - 1)


@given(
    order=st.sampled_from("<>"),
    options=st.lists(st.tuples(CODES, st.binary(max_size=20)), max_size=6),
    data=st.data(),
)
def test_options_as_they_were_written(
    order: str, options: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    """One after another up to the end; whatever is cut off, what came before is read."""
    octets = Pcapng(order).options(*options)
    blocks = Blocks(order)
    assert list(blocks.entries(octets)) == options
    cut = data.draw(st.integers(0, len(octets)))
    found = list(blocks.entries(octets[:cut]))
    assert found == options[: len(found)]
    kept: dict[int, bytes] = {}
    for code, value in options:
        kept[code] = kept[code] + b"\n" + value if code == 1 and code in kept else kept.get(code, value)
    assert blocks.options(octets) == kept


@ORDERS
def test_numbers_in_the_order_of_the_section(order: str) -> None:
    """Of 32 bits at any place, and of any length, with a sign or without."""
    blocks = Blocks(order)
    octets = bytes(range(0xF0, 0xFA))
    assert blocks.number(octets, 3) == int.from_bytes(octets[3:7], "little" if order == "<" else "big")
    assert blocks.unsigned(b"\xfe\xff") == (0xFFFE if order == "<" else 0xFEFF)
    assert blocks.signed(b"\xfe\xff") == (-2 if order == "<" else -257)
    assert blocks.signed(b"") == blocks.unsigned(b"") == 0


@ORDERS
def test_a_section(order: str) -> None:
    """Hardware, system, program and comments, each by its code; padding of texts is not shown."""
    b = Pcapng(order)
    block = b.section((2, b"box"), (3, b"Linux\0\0"), (4, b"dumpcap"), (1, b"a"), (1, b"b"), (99, b"?"))
    assert section_of(Blocks(order), block) == Section("box", "Linux", "dumpcap", "a\nb")
    assert section_of(Blocks(order), b.section()) == Section()


@ORDERS
def test_an_interface(order: str) -> None:
    """Every option that is known, by its code."""
    b = Pcapng(order)
    block = b.interface(
        113,
        96,
        (2, b"eth0"),
        (3, "Zähler".encode()),
        (9, b"\x09"),
        (11, b"\0tcp port 4059"),
        (12, b"Linux 6"),
        (14, b.number(-3600, 8)),
        (15, b"NIC"),
        (1, b"note"),
    )
    assert interface_of(Blocks(order), block, 7) == Interface(
        link_type=113,
        snap_length=96,
        name="eth0",
        description="Zähler",
        resolution=10**9,
        offset=-3600,
        filter="tcp port 4059",
        operating_system="Linux 6",
        hardware="NIC",
        comment="note",
        section=7,
    )
    assert interface_of(Blocks(order), b.interface(1, 0), 0) == Interface(1)


@pytest.mark.parametrize(
    ("code", "ticks"),
    [
        (b"\x06", 10**6),
        (b"\x00", 1),
        (b"\x13", 10**19),
        (b"\x14", 10**19),
        (b"\x7f", 10**19),
        (b"\x80", 1),
        (b"\x8a", 1024),
        (b"\xbf", 2**63),
        (b"\xff", 2**63),
        (b"", 10**6),
    ],
)
def test_resolutions(code: bytes, ticks: int) -> None:
    """Powers of ten or of two; those beyond 64 bits are kept within them."""
    b = Pcapng()
    assert interface_of(Blocks("<"), b.interface(1, 0, (9, code)), 0).resolution == ticks


@pytest.mark.parametrize(
    ("shift", "kept"), [(9 * 10**9, 9 * 10**9), (9 * 10**9 + 1, 0), (-9 * 10**9, -9 * 10**9), (2**62, 0)]
)
def test_shifts_of_time(shift: int, kept: int) -> None:
    """One that would not fit in nanoseconds is nonsense."""
    b = Pcapng()
    assert interface_of(Blocks("<"), b.interface(1, 0, (14, b.number(shift, 8))), 0).offset == kept


@ORDERS
def test_names(order: str) -> None:
    """Addresses of both families with their first names; what is too short or empty is none."""
    b = Pcapng(order)
    six = ipaddress.ip_address("2001:db8::7").packed
    block = b.names(
        (1, b"\xc0\0\2\7meter-7\0alias\0"),
        (2, six + b"meter-six\0"),
        (1, b"\xc0\0\2\x08"),
        (1, b"\xc0\0\2\x09\0"),
        (3, b"\xc0\0\2\x0aother\0"),
        (1, b"\xc0\0\2\x0bZ\xff\0"),
    )
    assert names_of(Blocks(order), block) == {
        "192.0.2.7": "meter-7",
        "2001:db8::7": "meter-six",
        "192.0.2.11": "Z\N{REPLACEMENT CHARACTER}",
    }


@ORDERS
def test_statistics(order: str) -> None:
    """Five counts by their codes; those that are not told are -1."""
    b = Pcapng(order)
    counts = {code: code * 1000 for code in (4, 5, 6, 7, 8)}
    block = b.statistics(0, 1, *((code, b.number(count, 8)) for code, count in counts.items()))
    assert statistics_of(Blocks(order), block, 9) == Statistics(9, 4000, 5000, 6000, 7000, 8000)
    some = b.statistics(0, 1, (5, b.number(3, 8)), (8, b.number(2**63, 8)))
    assert statistics_of(Blocks(order), some, 0) == Statistics(0, -1, 3, -1, -1, 2**63)


@ORDERS
def test_comments_of_a_packet(order: str) -> None:
    """Each by itself; nothing for other options, and for such without a text."""
    b = Pcapng(order)
    assert comments_of(Blocks(order), b.options((1, b"one"), (2, b"x"), (1, b"two"))) == ("one", "two")
    assert comments_of(Blocks(order), b.options((2, b"x"))) == ()
    empty = struct.pack(order + "HH", 1, 0)
    assert comments_of(Blocks(order), empty * 3) == ()


@ORDERS
def test_options_that_no_mark_ends(order: str) -> None:
    """The last one may reach to the end of its block; an empty one counts, too."""
    b, blocks = Pcapng(order), Blocks(order)

    def unended(*options: tuple[int, bytes]) -> bytes:
        return b.options(*options)[:-4]

    assert list(blocks.entries(unended((2, b"four"), (3, b"")))) == [(2, b"four"), (3, b"")]
    head = bytes(16)
    assert section_of(blocks, b.block(0x0A0D0D0A, head + unended((4, b"four")))).application == "four"
    assert interface_of(blocks, b.block(1, bytes(8) + unended((2, b"four"))), 0).name == "four"
    assert names_of(blocks, b.block(4, unended((1, b"\1\2\3\4abc\0")))) == {"1.2.3.4": "abc"}
    counted = b.block(5, bytes(12) + unended((5, b.number(7, 8))))
    assert statistics_of(blocks, counted, 0).dropped == 7
