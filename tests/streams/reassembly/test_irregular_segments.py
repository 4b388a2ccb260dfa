"""Irregular segments are settled in their order: chains count, all others go to the reassembler."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.irregular_segments import settle_irregular
from cosemscope.streams.reassembly.segments_in_order import Segments


def segments(count: int) -> Segments:
    """So many segments of one half, ten octets each; segment n came in packet 100 + n."""
    number = np.arange(count)
    start = number * 10
    first = number == 0
    return Segments(
        number + 100, 0 * number, 0 * number, first, start, start + 10, start, start, 10 + 0 * start
    )


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[int], dict[int, int]]:
    """For each segment the last position of its chain, -1 (irregular, none) or -2; and where runs end."""
    count = draw(st.integers(1, 14))
    kinds = st.sampled_from([-2, -2, -1, 0, 1, 2, 5])
    last = [
        kind if kind < 0 else min(count - 1, place + kind)
        for place, kind in enumerate(draw(st.lists(kinds, min_size=count, max_size=count)))
    ]
    steps = draw(st.lists(st.integers(1, 4), min_size=count, max_size=count))
    return last, {place: min(count, place + step) for place, step in enumerate(steps)}


@given(batches())
def test_as_one_by_one(batch: tuple[list[int], dict[int, int]]) -> None:
    """Against a plain walk: what lies in a chain or was taken is settled, everything else has its turn."""
    last, runs = batch
    begins, taken, asked = set(), set(), []
    done = 0
    for place, end in enumerate(last):
        if place < done or end == -2:
            continue
        if end >= 0:
            begins.add(place)
            done = end + 1
        else:
            asked.append((place, 100 + place))
            done = runs[place]
            taken |= set(range(place, done))
    calls = []

    def run(position: int, packet: int) -> int:
        calls.append((position, packet))
        return runs[position]

    ends = np.array(last, np.int64)
    mask = np.zeros(len(last), np.bool_)
    found = settle_irregular(run, segments(len(last)), ends > -2, np.maximum(ends, -1), mask.copy(), mask)
    assert calls == asked
    assert set(np.flatnonzero(found)) == begins
    assert set(np.flatnonzero(mask)) == taken


def settle(
    last: list[int], overtook: list[int], runs: dict[int, int], special: list[int]
) -> tuple[list[int], list[int], list[tuple[int, int]], Segments]:
    """Chains, positions taken, calls of the reassembler, and the segments."""
    calls = []

    def run(position: int, packet: int) -> int:
        calls.append((position, packet))
        return runs[position]

    count = len(last)
    made, taken, mask, irregular = (segments(count), *(np.zeros(count, np.bool_) for _ in range(3)))
    mask[overtook], irregular[special] = True, True
    begins = settle_irregular(run, made, irregular, np.array(last), mask, taken)
    return np.flatnonzero(begins).tolist(), np.flatnonzero(taken).tolist(), calls, made


@pytest.mark.parametrize(
    ("last", "overtook", "special", "begins", "taken", "calls"),
    [
        # The late one of a pair is irregular: the reassembler begins with the packet that came first.
        ([-1, -1, -1], [1], [0], [], [0, 1], [(0, 101)]),
        # The early one is: its late one goes with it.
        ([-1, -1, -1], [1], [1], [], [0, 1], [(0, 101)]),
        # Of two pairs that follow each other only the second is irregular.
        ([-1, -1, -1, -1], [1, 3], [2], [], [2, 3], [(2, 103)]),
        # Its late one stands in a chain, which is given up from its beginning.
        ([1, -1, -1, -1], [2], [0, 2], [], [0, 1, 2], [(0, 100)]),
        # The chain ends before the pair: it counts.
        ([0, -1, -1, -1], [2], [0, 2], [0], [1, 2], [(1, 102)]),
    ],
)
def test_pairs_that_changed_places_go_together(
    last: list[int],
    overtook: list[int],
    special: list[int],
    begins: list[int],
    taken: list[int],
    calls: list[tuple[int, int]],
) -> None:
    """The reassembler sees packets as they came, so it gets both or none."""
    found = settle(last, overtook, {calls[0][0]: taken[-1] + 1}, special)
    assert found[:3] == (begins, taken, calls)


def test_a_pair_that_is_parted_is_turned_back() -> None:
    """The reassembler gave up the gap between the two: the early one is taken first, then the late one."""
    *found, made = settle([-1, -1, -1, -1], [2], {0: 2, 2: 3}, [0])
    assert found == [[], [0, 1, 2], [(0, 100), (2, 101)]]
    assert made.packet.tolist() == [100, 102, 101, 103]
