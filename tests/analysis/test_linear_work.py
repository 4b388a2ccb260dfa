"""Hostile captures cost no more than others of their size: work grows with what is read, never faster.

Work is the number of calls of functions, Python's and C's, which nothing else on the machine changes. Where
one call may do much, as when octets are joined, it is CPU time at four times the size against that at one,
measured in turn and with a wide margin: what grows with the square takes sixteen times as long.
"""

import cProfile
import importlib.util
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from tests.helpers.costly_captures import COSTLY
from tests.helpers.shared import shared, shared_path

#: Most growth of work when a capture becomes twice as long; calls that do not depend on its length.
MOST_A_STEP, APART = 2.4, 3_000
#: Most growth of CPU time when it becomes four times as long, and what is not counted of it.
MOST_IN_TWO, TIME_APART = 9.0, 0.02
#: Octets of the shortest capture of a case.
SHORTEST = 8_000
#: Cases in which a few calls do the work, and sizes at which they take some hundredths of a second.
IN_FEW_CALLS = {
    "ng_comments_empty": 100_000,
    "ng_shb_comments": 100_000,
    "ng_names": 30_000,
    "hdlc_flags": 500_000,
    "wrapper_search_magic": 100_000,
    "udp_deep": 400_000,
    "udp_many_in_one": 70_000,
    "tcp_empty_wpdus": 80_000,
    "syn_same": 20_000,
}
#: Cases whose work reaches its bound only at this size: from there on it grows with the capture.
BOUNDED = {"overlap_sliding": 4_000}


def _generator() -> ModuleType:
    path = shared("cases/hostile/generate.py")
    spec = importlib.util.spec_from_file_location("hostile_captures", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_THERE = shared_path("cases/hostile/generate.py").exists()
CASES = sorted(_generator().cases) if _THERE else ["none"]


@pytest.fixture(scope="module")
def generate() -> Callable[[str, int], bytes]:
    """A capture of a case, of a length that is in proportion to a number."""
    cases = _generator().cases
    return lambda name, count: cases[name](count)


def _read(path: Path) -> None:
    """Everything that `list` does for every row of a capture."""
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        insights, rows = Insights(analysis), np.arange(len(analysis.wpdus))
        insights.infos(rows, insights.looks(rows))
        analysis.pair()


def _calls(path: Path) -> int:
    profile = cProfile.Profile()
    profile.runcall(_read, path)
    return sum(entry.callcount for entry in profile.getstats())


def _seconds(path: Path) -> float:
    """CPU time, the lesser of two: what else the machine does can only add to it."""
    taken = []
    for _ in range(2):
        begun = time.process_time()
        _read(path)
        taken.append(time.process_time() - begun)
    return min(taken)


def _captures(tmp_path: Path, octets: list[bytes]) -> list[Path]:
    paths = [tmp_path / str(number) for number in range(len(octets))]
    for path, content in zip(paths, octets, strict=True):
        path.write_bytes(content)
    return paths


@pytest.mark.parametrize("name", CASES)
def test_calls_grow_with_the_capture(
    generate: Callable[[str, int], bytes], name: str, tmp_path: Path
) -> None:
    """At n, 2n and 4n: at most 2.4-fold a step."""
    count = BOUNDED.get(name, 125)
    while len(generate(name, count)) < SHORTEST or len(generate(name, 2 * count)) < 1.5 * SHORTEST:
        count *= 2
    paths = _captures(tmp_path, [generate(name, count * times) for times in (1, 2, 4)])
    calls = [_calls(path) for path in paths]
    for less, more in pairwise(calls):
        assert more <= MOST_A_STEP * less + APART, f"{name}: {calls} calls"


@pytest.mark.parametrize("name", COSTLY)
def test_calls_grow_with_captures_of_our_own(name: str, tmp_path: Path) -> None:
    """The same for each splitter, joiner and reader."""
    calls = []
    for count in (400, 800, 1600):
        COSTLY[name](tmp_path / "x", count)
        calls.append(_calls(tmp_path / "x"))
    for less, more in pairwise(calls):
        assert more <= MOST_A_STEP * less + APART, f"{name}: {calls} calls"


@pytest.mark.parametrize("name", IN_FEW_CALLS)
def test_time_in_few_calls_grows_with_the_capture(
    generate: Callable[[str, int], bytes], name: str, tmp_path: Path
) -> None:
    """At n and 4n: far less than sixteen times as much."""
    count = IN_FEW_CALLS[name]
    paths = _captures(tmp_path, [generate(name, count), generate(name, 4 * count)])
    less, more = map(_seconds, paths)
    assert more <= MOST_IN_TWO * (less + TIME_APART), f"{name}: {less:.3f} s, then {more:.3f} s"
