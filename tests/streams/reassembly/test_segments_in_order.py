"""Segments sorted and laid out for a whole batch, against a walk over them one by one."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.segments_in_order import WIDTH, compact, lay_out, sort_segments
from cosemscope.streams.recognition import HEAD
from tests.helpers.made_streams import Made, Sent, segments_of
from tests.helpers.wire import get_request, wpdu

ONE, TWO = get_request(1), get_request(2)


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(-40, 200), st.integers(1, 60), st.integers(1, 60)),
        max_size=30,
    ),
    st.lists(st.sampled_from([0, 0, 17, 90, int(WIDTH) // 2]), min_size=6, max_size=6),
)
def test_segments_stand_by_half_with_what_was_seen_before_each(
    parts: list[tuple[int, int, int, int]], highest: list[int]
) -> None:
    """Order of arrival within a half; `before` is the highest octet of this half only, from `highest` on."""
    half, start, length, captured = (
        (np.array(column, np.int64) for column in zip(*parts, strict=True))
        if (parts)
        else (np.zeros(0, np.int64),) * 4
    )
    found = sort_segments(
        np.arange(len(parts)) * 3, half, start, length, np.array(highest), 1000 + start, captured
    )
    expected = []
    for group, owner in enumerate(sorted({part[0] for part in parts})):
        before, first = highest[owner], True
        for place, (mine, begin, size, kept) in enumerate(parts):
            if mine == owner:
                row = (3 * place, owner, group, first, begin, begin + size, before, 1000 + begin, kept)
                expected.append(row)
                before, first = max(before, begin + size), False
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected


@pytest.mark.parametrize("spread", [1, 9, 40])
@pytest.mark.parametrize("count", [5, 2_047, 2_048, 4_000])
def test_sort_keys_keep_the_order_in_16_bits_where_these_do(spread: int, count: int) -> None:
    """Keys sort as their numbers do, however large; NumPy sorts those of 16 bits many times faster."""
    half = np.random.default_rng(count).permutation(count) * spread
    keys = compact(half)
    assert np.argsort(keys, kind="stable").tolist() == np.argsort(half, kind="stable").tolist()
    assert keys.dtype == (np.uint16 if half.max() < 1 << 16 or count >= 2_048 else np.int64)


def test_no_halves_have_no_keys() -> None:
    """A batch without octets."""
    assert len(compact(np.zeros(0, np.int64))) == 0


def laid(*sent: Sent, fast: list[bool] | None = None, highest: tuple[int, ...] = ()):
    """The layout of these packets of one batch."""
    made = Made(sent)
    segments = segments_of(made, highest)
    mask = np.ones(len(segments.half), np.bool_) if fast is None else np.array(fast)
    return lay_out(segments, mask, made.source)


@pytest.mark.parametrize(
    ("sent", "ready", "whole"),
    [
        (Sent(ONE), True, True),
        (Sent(ONE + TWO), True, False),
        (Sent(ONE[:-1]), True, False),
        (Sent(ONE + b"x"), True, False),
        (Sent(wpdu(b"")), True, True),
        (Sent(wpdu(b"\xc0")), True, True),
        (Sent(wpdu(bytes(60_000))), True, True),
        (Sent(ONE[:8]), False, False),  # the tag is not there
        (Sent(ONE[:7]), False, False),
        (Sent(wpdu(ONE, version=2)), False, False),
        (Sent(wpdu(ONE, version=0x101)), False, False),
        (Sent(ONE, seq=1), False, False),  # behind a gap
        (Sent(ONE, seq=-1), False, False),  # seen before, in part
        (Sent(ONE, cut=3), True, True),
        (Sent(ONE, cut=len(ONE) - 9), True, True),
        (Sent(ONE, cut=len(ONE) - 8), True, False),  # no octet of the APDU was captured
        (Sent(ONE, cut=len(ONE) - 7), False, False),
    ],
)
def test_what_a_segment_holds(sent: Sent, ready: bool, whole: bool) -> None:
    """A header of version 1 at the octet that is next, and its length to the last octet."""
    layout = laid(sent)
    assert (layout.ready.tolist(), layout.whole.tolist()) == ([ready], [whole])
    assert layout.cut.tolist() == [sent.cut > 0]
    if ready:
        assert layout.head["length"].tolist() == [int.from_bytes(sent.octets[6:8], "big")]
    assert layout.ordered.tolist() == ([0] if sent.seq == 0 and not sent.cut else [])


def test_only_the_fast_path_is_laid_out() -> None:
    """Segments of other halves are neither ready nor ordered; the others keep their places."""
    layout = laid(Sent(ONE), Sent(TWO, stream=1), Sent(TWO, stream=2, side=1), fast=[True, False, True])
    assert layout.ready.tolist() == [True, False, True]
    assert layout.ordered.tolist() == [0, 2]
    assert layout.place[layout.ordered].tolist() == [0, 1]
    assert layout.head["length"][[0, 2]].tolist() == [13, 13]


@given(cut=st.integers(1, 20), third=st.integers(1, 20))
def test_a_header_that_ends_in_the_next_segment_is_put_together(cut: int, third: int) -> None:
    """All ten octets, wherever the cut; from two segments, not from three."""
    bounds = sorted({0, cut, min(cut + third, len(ONE)), len(ONE)})
    parts = [ONE[start:stop] for start, stop in pairwise(bounds)]
    layout = laid(*(Sent(part, seq=at) for at, part in zip(bounds, parts, strict=False)))
    together = len(parts[0]) >= HEAD.itemsize or len(parts[0] + parts[1]) >= HEAD.itemsize
    assert layout.ready[0] == together
    if together:
        assert layout.head[:1].tobytes() == ONE[: HEAD.itemsize]
    assert not layout.whole.any()


@pytest.mark.parametrize(
    ("second", "ready"),
    [
        (Sent(ONE[5:], seq=5), True),
        (Sent(ONE[5:], seq=6), False),  # a gap between the two
        (Sent(ONE[5:], seq=5, side=1), False),  # of another half
        (Sent(ONE[5:], seq=0, stream=1), False),
        (Sent(ONE[5:], seq=5, cut=1), False),  # octets are missing at its end
        (Sent(ONE[5:9], seq=5), False),  # too few
        (Sent(ONE[5:10], seq=5), True),
    ],
)
def test_only_the_next_octets_complete_a_header(second: Sent, ready: bool) -> None:
    """Those of the same half that follow at once."""
    assert laid(Sent(ONE[:5]), second).ready[0] == ready


def test_an_octet_of_version_two_in_the_next_segment_is_no_header() -> None:
    """The version is judged when it is whole."""
    assert laid(Sent(b"\0"), Sent(b"\x01" + ONE[2:], seq=1)).ready[0]
    assert not laid(Sent(b"\0"), Sent(b"\x02" + ONE[2:], seq=1)).ready[0]
