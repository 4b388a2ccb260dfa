"""Guessed chains of records are the chains that a walk finds, whatever the octets look like."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files import record_chain
from cosemscope.capture.files.record_chain import Chain, Places
from tests.helpers.captured import read_file
from tests.helpers.files import Record, pcap

SECONDS = st.sampled_from([0x65010000, 0x6501FFFF, 0x65020000, 0x00000001, 0xFFFFFFFF])


@given(
    records=st.lists(
        st.tuples(SECONDS, st.integers(0, 40), st.sampled_from([b"\x01\x65", b"\x65\x01", b"\0", b"\xff"])),
        max_size=60,
    ),
    order=st.sampled_from("<>"),
    limit=st.integers(1, 70),
)
def test_records_whose_octets_look_like_heads(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[tuple[int, int, bytes]],
    order: str,
    limit: int,
) -> None:
    """None is lost and none invented in a whole file, however many are asked for at once."""
    made = [Record(seconds * 10**9, (fill * length)[:length]) for seconds, length, fill in records if seconds]
    path: Path = tmp_path_factory.getbasetemp() / "chain.pcap"
    found, _ = read_file(path, pcap(made, order=order), limit)
    assert [(one.time, one.octets) for one in found] == [(one.time, one.octets) for one in made]


class Steps:
    """Records that are lengths of one octet each; a guess is any place with a value of `pattern`."""

    def __init__(self, octets: bytes, pattern: set[int]) -> None:
        self.octets = octets
        self.pattern = pattern
        self.walked = 0

    def guess(self, start: int, stop: int) -> Places:
        places = [at for at in range(start, min(stop, len(self.octets))) if self.octets[at] in self.pattern]
        return np.array(places, np.int64)

    def follow(self, places: Places) -> Places:
        return np.array([at + max(self.octets[at], 1) for at in places.tolist()], np.int64)

    def walk(self, at: int, limit: int) -> tuple[Places, int]:
        found = []
        while at < len(self.octets) and len(found) < limit:
            found.append(at)
            at += max(self.octets[at], 1)
        self.walked += len(found)
        return np.array(found, np.int64), at


@given(
    octets=st.binary(max_size=400).map(lambda some: bytes(octet % 40 for octet in some)),
    pattern=st.sets(st.integers(0, 39), max_size=8),
    limit=st.integers(1, 60),
    stop=st.integers(0, 400),
)
def test_a_chain_is_the_one_that_a_walk_finds(
    octets: bytes, pattern: set[int], limit: int, stop: int
) -> None:
    """Whatever is guessed, good or bad: the same places up to the limit and the stop, and the same end."""
    patch = pytest.MonkeyPatch()
    patch.setattr(record_chain, "RAREST", 0)
    patch.setattr(record_chain, "FIRST_REACH", 16)
    patch.setattr(record_chain, "STRIDE", 3)
    try:
        steps = Steps(octets, pattern)
        stop = min(stop, len(octets))
        found, end = Chain().places(0, stop, limit, steps.guess, steps.follow, steps.walk)
    finally:
        patch.undo()
    wanted, at = [], 0
    while at < stop and len(wanted) < limit:
        wanted.append(at)
        at += max(octets[at], 1)
    assert found.tolist()[: len(wanted)] == wanted
    assert len(found) <= limit
    assert all(place >= stop for place in found.tolist()[len(wanted) :])
    assert end == (at if len(found) == len(wanted) else end)


def test_guesses_that_hold_spare_the_walk() -> None:
    """In a long file of one pattern nearly nothing is walked, which is what makes it fast."""
    octets = bytes((7, 0, 0, 0, 0, 0, 0)) * 100_000
    patch = pytest.MonkeyPatch()
    patch.setattr(record_chain, "RAREST", 2)
    steps = Steps(octets, {7})
    try:
        found, end = Chain().places(0, len(octets), 10**6, steps.guess, steps.follow, steps.walk)
    finally:
        patch.undo()
    assert (len(found), end, steps.walked) == (100_000, len(octets), 0)
    assert struct.calcsize("q") * len(found) == found.nbytes
