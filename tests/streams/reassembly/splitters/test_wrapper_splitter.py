"""The splitter of WPDUs: each once, with its octets, its marks, and the packet that made it known."""

import struct
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.splitters.wrapper_splitter import WrapperSplitter
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import ADDRESS, Found, Listener, piece
from tests.helpers.wire import get_request, get_response, wpdu

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
SIZE = 21  # of each of these
AGAIN = int(Mark.RESYNCHRONISED)
CUT, SHARED = int(Mark.TRUNCATED), int(Mark.SHARED)


def split(
    octets: bytes, *cuts: int, trusted: bool = True, missing: tuple[int, int] = (-1, -1), close: bool = False
) -> tuple[WrapperSplitter, Listener]:
    """Everything, cut at these offsets; packet n has the nth piece, `missing` is one that is a gap."""
    listener = Listener(octets)
    splitter = WrapperSplitter(listener, 0, trusted=trusted)
    bounds = [0, *cuts, len(octets)]
    for packet, (start, stop) in enumerate(pairwise(bounds)):
        if (start, stop) == missing:
            splitter.gap(start, stop, packet + 1, packet + 1)
        else:
            splitter.chunk(piece(start, stop, packet), packet)
    if close:
        splitter.close(99)
    return splitter, listener


@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    cuts=st.sets(st.integers(1, 200), max_size=12),
    swapped=st.booleans(),
)
def test_every_wpdu_is_told_once_whatever_the_pieces(sizes: list[int], cuts: set[int], swapped: bool) -> None:
    """Bounds, tags, wPorts, packets and the mark for shared segments, by counting octets."""
    order = "<" if swapped else ">"
    wpdus = [
        struct.pack(order + "4H", 1, 16 + number, 1, size) + bytes([0xC0 + number] * size)
        for number, size in enumerate(sizes)
    ]
    octets = b"".join(wpdus)
    bounds = sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))})
    listener = Listener(octets)
    splitter = WrapperSplitter(listener, 0, trusted=True, swapped=swapped)
    for packet, (start, stop) in enumerate(pairwise(bounds)):
        splitter.chunk(piece(start, stop, packet), packet)
        assert splitter.clean == (stop in accumulate(map(len, wpdus)))
    ends = list(accumulate(map(len, wpdus)))
    assert len(listener.units) == len(wpdus)
    for number, (unit, trigger) in enumerate(listener.units):
        start, stop = ends[number] - len(wpdus[number]), ends[number]
        packets = [
            packet for packet, (first, last) in enumerate(pairwise(bounds)) if first < stop and last > start
        ]
        assert [one.packet for one in unit.pieces] == packets
        assert trigger == packets[-1]
        assert (unit.pieces[0].address, sum(one.captured for one in unit.pieces)) == (
            ADDRESS + start,
            unit.size,
        )
        assert unit.header == (1, 16 + number, 1, sizes[number])
        assert unit.apdu_tag == (0xC0 + number if sizes[number] else -1)
        assert unit.marks == (0 if start in bounds and stop in bounds else SHARED)
        assert unit.framing == (Framing.SWAPPED if swapped else Framing.WRAPPER)
    assert not listener.items


def test_octets_that_are_no_wpdu_are_skipped_up_to_the_next_header() -> None:
    """What follows is found again, and marked; the skipped octets are told once, when they end."""
    _, listener = split(ONE + bytes(33) + TWO, SIZE, SIZE + 33)
    assert listener.told() == [(ONE, 0xC0, 0, 0), (TWO, 0xC0, AGAIN, 2)]
    assert listener.items == [Found("skipped-octets", 2, SIZE, SIZE + 33, 33)]


def test_octets_skipped_inside_one_segment() -> None:
    """The header that is believed begins inside the segment: its WPDU shares it."""
    _, listener = split(b"\xff" * 7 + TWO + THREE, trusted=False)
    assert listener.told() == [(TWO, 0xC0, AGAIN | SHARED, 0), (THREE, 0xC0, SHARED, 0)]
    assert listener.items == [Found("skipped-octets", 0, 0, 7, 7)]


def test_an_untrusted_start_that_is_a_wpdu_skips_nothing() -> None:
    """Searching finds the header at once, and then nothing was lost."""
    splitter, listener = split(ONE + TWO, SIZE, trusted=False)
    assert listener.told() == [(ONE, 0xC0, 0, 0), (TWO, 0xC0, 0, 1)]
    assert not listener.items
    assert splitter.clean


def test_a_gap_inside_a_wpdu_costs_that_one_only() -> None:
    """Its length tells where the next begins; the gap's octets are no pieces of it."""
    long = get_request(9, 100)
    _, listener = split(long + TWO, 40, 90, len(long), missing=(40, 90))
    assert listener.told() == [(long[:40] + long[90:], 0xC0, CUT, 2), (TWO, 0xC0, 0, 3)]
    assert listener.units[0][0].size == len(long) - 50
    assert not listener.items


@pytest.mark.parametrize(("start", "tag"), [(8, -1), (9, 0xC0)])
def test_a_tag_that_stood_in_the_gap_is_not_known(start: int, tag: int) -> None:
    """Filling is not taken for the APDU's first octet."""
    _, listener = split(ONE, start, 15, missing=(start, 15))
    assert listener.told() == [(ONE[:start] + ONE[15:], tag, CUT, 2)]


def test_a_gap_that_ends_with_the_wpdu_leaves_the_next_whole() -> None:
    """Exactly to its last octet: nothing is searched."""
    _, listener = split(ONE + TWO, 12, SIZE, missing=(12, SIZE))
    assert listener.told() == [(ONE[:12], 0xC0, CUT, 2), (TWO, 0xC0, 0, 2)]


@pytest.mark.parametrize(("first", "rest"), [(12, 3), (SIZE, 0)])
def test_a_gap_beyond_a_wpdu_makes_a_search(first: int, rest: int) -> None:
    """Begun WPDUs are cut; the next header that is believed goes on, marked; octets before it are skipped."""
    octets = ONE + bytes(20) + THREE
    gap = (first, 41 - rest)
    _, listener = split(octets, *gap, 41, missing=gap) if rest else split(octets, *gap, missing=gap)
    begun = [(ONE[:first], 0xC0, CUT, 2)] if first < SIZE else [(ONE, 0xC0, 0, 0)]
    assert listener.told() == [*begun, (THREE, 0xC0, AGAIN, 3 if rest else 2)]
    skipped = [Found("skipped-octets", 3, 41 - rest, 41, rest)]
    assert listener.items == (skipped if rest else [])


def test_a_second_gap_while_searching_tells_what_was_skipped_before_it() -> None:
    """Each run of skipped octets is told by itself."""
    octets = b"\xff" * 10 + bytes(5) + TWO
    splitter, listener = split(octets, 10, 15, trusted=False, missing=(10, 15))
    assert listener.items == [Found("skipped-octets", 2, 0, 10, 10)]
    assert listener.told() == [(TWO, 0xC0, AGAIN, 2)]
    assert splitter.clean


@pytest.mark.parametrize(
    ("octets", "told", "items"),
    [
        (ONE[:12], [(ONE[:12], 0xC0, CUT, 99)], []),
        (ONE[:8], [(ONE[:8], -1, CUT, 99)], []),
        (ONE[:5], [], [Found("cut-header", 0, 0, 5, 3)]),
        (ONE, [(ONE, 0xC0, 0, 0)], []),
        (ONE + b"\xff\xff", [(ONE, 0xC0, SHARED, 0)], [Found("skipped-octets", 0, SIZE, SIZE + 2, 2)]),
        (ONE + b"\xff", [(ONE, 0xC0, SHARED, 0)], [Found("skipped-octets", 0, SIZE, SIZE + 1, 1)]),
        (ONE + b"\x00", [(ONE, 0xC0, SHARED, 0)], [Found("cut-header", 0, SIZE, SIZE + 1, 7)]),
    ],
)
def test_what_an_end_leaves(octets: bytes, told: list, items: list[Found]) -> None:
    """Begun WPDUs are rows, begun headers and skipped octets items."""
    splitter, listener = split(octets, close=True)
    assert listener.told() == told
    assert listener.items == items
    assert splitter.clean == (not octets.endswith(b"\xff\xff"))


def test_a_search_waits_for_the_rest_of_a_header() -> None:
    """Octets that may be the beginning of a header are kept until more of them came."""
    splitter, listener = split(b"\xff" * 6 + ONE, 7, 13, trusted=False)
    assert listener.told() == [(ONE, 0xC0, AGAIN | SHARED, 2)]
    assert listener.items == [Found("skipped-octets", 2, 0, 6, 6)]
    assert splitter.clean


ENDLESS = bytes.fromhex("00010001 0010c401 c401")  # reads as a header of 50,177 octets


def test_what_stands_alone_goes_before_what_never_ends() -> None:
    """Octets that read as the header of a long WPDU do not swallow the WPDUs behind them."""
    octets = b"\xff" + ENDLESS + TWO + THREE
    _, listener = split(octets, 11, 11 + SIZE, trusted=False)
    assert listener.told() == [(TWO, 0xC0, AGAIN, 1), (THREE, 0xC0, 0, 2)]
    assert listener.items == [Found("skipped-octets", 1, 0, 11, 11)]


def test_what_only_begins_behind_a_doubtful_header_does_not_stand_alone() -> None:
    """A few octets of a header, or a WPDU without its end: both may be the long one's."""
    octets = b"\xff" + ENDLESS + TWO[:6] + TWO[:-1]
    splitter, listener = split(octets, 11, 17, trusted=False)
    assert not listener.units
    splitter.close(9)
    assert listener.told() == [(TWO[:-1], 0xC0, AGAIN | CUT, 9)]
    assert listener.items == [Found("skipped-octets", 9, 0, 17, 17)]


def test_a_search_goes_on_within_the_same_segment() -> None:
    """The next header is found with the packet that has it, though the bad one stands before it."""
    _, listener = split(ONE + bytes(33) + TWO)
    assert listener.told() == [(ONE, 0xC0, SHARED, 0), (TWO, 0xC0, AGAIN | SHARED, 0)]


ODD = wpdu(b"\x54\x54")  # a header that is believed only where the bounds of segments agree


@pytest.mark.parametrize(
    ("octets", "cuts", "told"),
    [
        (b"\xff" * 5 + ODD, (5,), [ODD]),  # exactly one segment
        (b"\xff" * 5 + ODD, (5, 8), [ODD]),  # or several
        (b"\xff" * 5 + ODD, (), []),  # begins inside one
        (b"\xff" * 5 + ODD + b"\xff", (5,), []),  # ends inside one
        (b"\xff" * 5 + TWO + b"\xff", (5,), []),  # a believable one, but no header follows
        (b"\xff" * 5 + TWO + b"\x00", (5,), [TWO]),  # here one may
        (b"\xff" * 5 + TWO, (), [TWO]),
        (b"\xff" * 5 + TWO, (10,), [TWO]),  # cut in its header
        (b"\xff" * 5 + TWO, (13,), [TWO]),  # before its tag
        (b"\xff" * 5 + TWO, (14,), [TWO]),  # behind it
    ],
)
def test_which_header_is_believed_in_a_search(
    octets: bytes, cuts: tuple[int, ...], told: list[bytes]
) -> None:
    """By its APDU's beginning and what follows it, or by the bounds of segments on both sides."""
    _, listener = split(octets, *cuts, trusted=False)
    assert [one[0] for one in listener.told()] == told


@pytest.mark.parametrize(
    ("octets", "cuts", "told", "skipped"),
    [
        (b"\xff" * 4 + b"\0\1\0", (), [], 7),  # the beginning of a header is no evidence
        (b"\xff" * 4 + TWO[:-1], (), [], 24),  # nor is a WPDU that began inside a segment
        (b"\xff" * 4 + TWO[:-1], (4,), [(TWO[:-1], 0xC0, AGAIN | CUT, 99)], 4),
        (TWO[:-1], (), [(TWO[:-1], 0xC0, CUT, 99)], 0),
        (b"\xff" * 4 + b"\0", (), [], 5),
    ],
)
def test_what_an_end_leaves_of_a_search(
    octets: bytes, cuts: tuple[int, ...], told: list, skipped: int
) -> None:
    """A believable WPDU that begins with a segment has begun; everything else was skipped."""
    splitter, listener = split(octets, *cuts, trusted=False, close=True)
    assert listener.told() == told
    packet = 99 if told else 0  # the last that had octets: the end may be that of the capture
    assert listener.items == ([Found("skipped-octets", packet, 0, skipped, skipped)] if skipped else [])
    splitter.close(100)
    assert len(listener.items) == bool(skipped)


def test_pieces_out_of_order_are_marked() -> None:
    """A piece of a WPDU was seen after one that stands behind it."""
    listener = Listener(ONE + TWO)
    splitter = WrapperSplitter(listener, 0, trusted=True)
    splitter.chunk(piece(0, 10, 5), 5)
    splitter.chunk(piece(10, SIZE, 4), 5)
    splitter.chunk(piece(SIZE, 2 * SIZE, 6), 6)
    assert listener.told() == [(ONE, 0xC0, int(Mark.OUT_OF_ORDER), 5), (TWO, 0xC0, 0, 6)]


def test_a_response_is_told_like_a_request() -> None:
    """Headers' fields are handed on as they are."""
    _, listener = split(get_response(5))
    assert listener.units[0][0].header == (1, 1, 16, 20)


LONG = get_response(9, 300)
#: A WPDU of which only these octets were sent.
SHORT = LONG[:100]


def told_of(octets: bytes, *cuts: int, close: bool = False) -> list[tuple[bytes, int]]:
    """The octets and marks of each WPDU."""
    _, listener = split(octets, *cuts, close=close)
    return [(found, marks) for found, _, marks, _ in listener.told()]


@pytest.mark.parametrize(
    "behind",
    [
        (TWO,),
        (TWO, THREE),
        (TWO + THREE,),  # two in one segment
        (get_response(2, 50)[:30], get_response(2, 50)[30:]),  # one in two segments
        (get_response(2, 400)[:150], get_response(2, 400)[150:]),  # beyond the end of the first
        (get_response(2, 40)[:30], get_response(2, 40)[30:], TWO),
    ],
)
def test_a_wpdu_that_was_cut_short_ends_where_a_believable_one_begins(behind: tuple[bytes, ...]) -> None:
    """Nothing is swallowed: the broken one is a row by itself, and those behind it are whole."""
    parts = (ONE, SHORT, *behind)
    cuts = list(accumulate(map(len, parts)))[:-1]
    found = told_of(b"".join(parts), *cuts)
    assert found[0] == (ONE, 0)
    assert found[1] == (SHORT, CUT)
    assert b"".join(octets for octets, _ in found[2:]) == b"".join(behind)
    assert not any(marks & CUT for _, marks in found[2:])


def test_octets_of_a_header_before_a_whole_wpdu_are_no_header() -> None:
    """Heartbeats like the beginning of a header do not eat what follows."""
    octets = b"\0\1" + ONE + b"\0\1" + TWO
    _, listener = split(octets, 2, 2 + SIZE, 4 + SIZE)
    assert [found for found, _, _, _ in listener.told()] == [ONE, TWO]
    assert [(item.kind, item.start, item.stop) for item in listener.items] == [
        ("cut-header", 0, 2),
        ("cut-header", 23, 25),
    ]


@pytest.mark.parametrize(
    ("inside", "cuts"),
    [
        (TWO, (108, 128)),  # does not end with a segment
        (TWO, (107, 129)),  # does not begin with one
        (b"\0\1\0\1\0\1\0\5\xff\0\0\0\0", (108, 121)),  # of an unknown tag
        (TWO, (308 - SIZE, 308)),  # ends where the other one ends
    ],
)
def test_what_looks_like_a_wpdu_within_another_is_left_there(inside: bytes, cuts: tuple[int, int]) -> None:
    """All octets that the length counts came, and then the next header."""
    at = 308 - SIZE if cuts[1] == 308 else 108
    whole = LONG[:at] + inside + LONG[at + len(inside) :]
    assert told_of(whole + TWO, *sorted({*cuts, 308})) == [(whole, 0), (TWO, 0)]


def test_a_rival_that_does_not_end_gives_way() -> None:
    """The segment that it began lies within the other WPDU after all, which is told when that is known."""
    rival = get_response(3, 250)
    whole = LONG[:100] + rival[:158] + LONG[258:]
    assert told_of(whole[:308] + b"??", 100, 258, close=True) == [(whole, SHARED)]


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (wpdu(TWO[8:], version=2), [("wrong-version", 2)]),
        (wpdu(TWO[8:], version=0x0100), [("wrong-version", 256)]),
        (wpdu(TWO[8:], version=2) + b"?", []),  # the length leads nowhere
        (wpdu(b"\xf0" * 9, version=2), []),  # nothing that an APDU begins with
        (b"\0\2\0", []),
    ],
)
def test_a_wrong_version_is_told_where_the_rest_is_right(octets: bytes, told: list[tuple[str, int]]) -> None:
    """Octets that are no WPDU are skipped and told in any case."""
    _, listener = split(ONE + octets + THREE, SIZE, SIZE + len(octets))
    assert [found for found, _, _, _ in listener.told()] == [ONE, THREE]
    assert [(item.kind, item.amount) for item in listener.items] == [*told, ("skipped-octets", len(octets))]
