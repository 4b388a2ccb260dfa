"""The way out of damage, by a format of the test's own: what is found again, told, and given up."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files import record_walk
from cosemscope.capture.files.record_walk import RecordWalk, WalkStep
from cosemscope.capture.records import CaptureProblem, Interface, OctetWindow
from tests.helpers.batches import batch_of

MARK = 0x5A


class Marks(RecordWalk):
    """Records of two octets: a mark, and a number below 128. Anything else is damage."""

    def _take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
        if window.size - at < 2:
            return WalkStep(window.size, 0 if at < window.size else 2) if final else WalkStep(at, 2)
        if not self._good(window, at):
            self._lose(window.base + at)
            return WalkStep(at)
        count = 1 + (limit > 1 and window.size - at >= 4 and self._good(window, at + 2))
        batch = batch_of([bytes(2)] * count)
        offset = np.arange(count, dtype=np.int64) * 2 + window.base + at
        return WalkStep(at + 2 * count, 0, replace(batch, offset=offset, time=offset))

    def _good(self, window: OctetWindow, at: int) -> bool:
        return window.view[at] == MARK and window.view[at + 1] < 128

    @property
    def _room(self) -> int:
        return 2

    def _find(self, window: OctetWindow, start: int, stop: int, final: bool) -> int | None:
        last = min(stop, window.size - 1)
        return next((at for at in range(start, last) if self._good(window, at)), None)


def walked(octets: bytes, sizes: Iterator[int] | None = None) -> tuple[list[int], list[CaptureProblem]]:
    """The numbers of the records, and what was told, in windows of these sizes."""
    problems: list[CaptureProblem] = []
    walk = Marks(problems, [Interface(1)])
    base, at, found, need = 0, 0, [], 0
    for _ in range(10_000):
        size = min(len(octets) - base, max(next(sizes, len(octets)) if sizes else len(octets), at + need, at))
        window = OctetWindow(base, size)
        window.view[:size] = octets[base : base + size]
        window.fill(size)
        final = base + size == len(octets)
        step = walk.take(window, at, 5, final)
        if step.batch is not None:
            found += [int(octets[address + 1]) for address in step.batch.offset.tolist()]
        if step.over or (final and step.need) or (final and base + step.at == len(octets)):
            return found, problems
        base, at, need = base + step.at, 0, step.need
    raise AssertionError("the walk goes on for ever")


def record(number: int) -> bytes:
    return bytes((MARK, number))


NOISE = st.binary(min_size=1, max_size=9).map(lambda octets: octets.replace(bytes((MARK,)), b"\xff"))


@given(
    pieces=st.lists(st.one_of(st.integers(0, 127), NOISE), max_size=12),
    sizes=st.lists(st.integers(1, 12), max_size=40),
)
def test_every_record_around_damage_is_found(pieces: list[int | bytes], sizes: list[int]) -> None:
    """Each stretch of damage is told once, with its address and its length, whatever the windows are."""
    octets, wanted, stretches = b"", [], []
    for piece in pieces:
        if isinstance(piece, int):
            wanted.append(piece)
            octets += record(piece)
        else:
            if stretches and stretches[-1][1] == len(octets):
                stretches[-1][1] += len(piece)
            else:
                stretches.append([len(octets), len(octets) + len(piece)])
            octets += piece
    if stretches and stretches[-1][1] - stretches[-1][0] == 1 and stretches[-1][1] == len(octets):
        stretches.pop()  # this format has no word for one octet at the end
    found, problems = walked(octets, iter(sizes))
    assert found == wanted
    assert [(problem.offset, problem.message) for problem in problems] == [
        (start, f"no packet can be read here; {stop - start} octets were skipped")
        for start, stop in stretches
    ]


@pytest.mark.parametrize("size", [4_095, 4_096, 4_097, 20_000])
def test_damage_longer_than_a_search(size: int) -> None:
    """It is searched in steps, and told once."""
    octets = record(1) + b"\xff" * size + record(2)
    found, problems = walked(octets)
    assert (found, len(problems)) == ([1, 2], 1)
    assert problems[0].message.endswith(f"; {size} octets were skipped")
    assert problems[0].item == "damaged-file"


def test_a_file_of_nothing_but_damage_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many places the rest is not read; so many are listed, then no more."""
    monkeypatch.setattr(record_walk, "MAX_DAMAGES", 20)
    monkeypatch.setattr(record_walk, "MAX_PROBLEMS", 5)
    octets = (record(1) + b"\xff") * 100
    found, problems = walked(octets)
    assert found == [1] * 21
    assert [problem.message for problem in problems[5:]] == [
        "from here on, further problems are not listed",
        "damaged in over 20 places: the rest is not read",
    ]


def test_links_that_nobody_opens_are_told_once() -> None:
    """At the first packet of each, by name."""
    problems: list[CaptureProblem] = []

    class Linked(Marks):
        def _take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
            step = super()._take(window, at, limit, final)
            if step.batch is not None:
                step.batch.interface[:] = [window.view[a - window.base + 1] for a in step.batch.offset]
            return step

    walk = Linked(problems, [Interface(1), Interface(147), Interface(119)])
    octets = b"".join(map(record, (0, 1, 0, 2, 1, 2)))
    window = OctetWindow(100, len(octets))
    window.view[: len(octets)] = octets
    window.fill(len(octets))
    step = walk.take(window, 0, 10, True)
    assert step.batch is not None
    assert step.batch.interface.tolist() == [0, 1, 0, 2, 1, 2]
    assert step.batch.time.tolist() == step.batch.offset.tolist()
    assert step.batch.offset.tolist() == list(range(100, 112, 2))
    assert [(problem.offset, problem.item) for problem in problems] == [
        (102, "link-not-opened"),
        (106, "link-not-opened"),
    ]
    assert ["USER0" in problem.message for problem in problems] == [True, False]
    assert np.dtype(step.batch.time.dtype) == np.int64


def test_records_between_small_damages_are_one_batch() -> None:
    """Each batch has a price of its own; but nothing waits for the end of a long damage."""
    good, bad = bytes((MARK, 1)), b"\xff" * 7
    for octets, wanted in (
        ((good + bad) * 40, 40),
        (good + b"\xff" * 3 * record_walk.FIRST_SEARCH + good, 1),
    ):
        window = OctetWindow(0, len(octets))
        window.view[: len(octets)] = octets
        window.fill(len(octets))
        batch = Marks([], [Interface(1)]).take(window, 0, 1000, True).batch
        assert batch is not None
        assert len(batch) == wanted
