"""Hostile input costs no more than other input of its size: work grows with what is read, never faster.

Work is the number of lines of Python that are run, which nothing else on the machine changes. What one call
of a library does is not seen by that: `benchmarks/hostile_costs.py` measures CPU time.
"""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from tests.helpers.costly_captures import COSTLY
from tests.helpers.costly_readers import READERS
from tests.helpers.hostile_captures import GIVEN
from tests.helpers.traced_lines import Lines

#: Most growth of work when input becomes twice as long; lines that do not depend on its length.
MOST_A_STEP, APART = 2.4, 9_000
#: Octets of the shortest capture of a case.
SHORTEST = 6_000
#: Cases whose work reaches its bound only at this size: from there on it grows with the capture.
BOUNDED = {"overlap_sliding": 4_000}
#: Lengths of our own captures, and of what other readers read.
OWN, READ = (300, 600, 1200), (200, 400, 800)


def _read(path: Path) -> None:
    """Everything that `list` does for every row of a capture."""
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        insights, rows = Insights(analysis), np.arange(len(analysis.wpdus))
        insights.infos(rows, insights.looks(rows))
        analysis.pair()


def _lines(work: Callable[[], object]) -> int:
    with Lines() as lines:
        work()
        return lines.count()


def _grows_with(lines: list[int]) -> bool:
    return all(more <= MOST_A_STEP * less + APART for less, more in pairwise(lines))


@pytest.mark.parametrize("name", GIVEN or ["none"])
def test_work_grows_with_the_capture(name: str, tmp_path: Path) -> None:
    """At n, 2n and 4n: at most 2.4-fold a step."""
    if not GIVEN:
        pytest.skip("SHARED MATERIAL MISSING: the hostile captures")
    path, count = tmp_path / "capture", BOUNDED.get(name, 125)
    write = GIVEN[name]
    while True:
        sizes = []
        for times in (1, 2):
            write(path, times * count)
            sizes.append(path.stat().st_size)
        if sizes[0] >= SHORTEST and sizes[1] >= 1.5 * SHORTEST:
            break
        count *= 2
    lines = []
    for times in (1, 2, 4):
        write(path, times * count)
        lines.append(_lines(lambda: _read(path)))
    assert _grows_with(lines), lines


@pytest.mark.parametrize("name", COSTLY)
def test_work_grows_with_captures_of_our_own(name: str, tmp_path: Path) -> None:
    """The same for each splitter, joiner and reader of captures."""
    path, lines = tmp_path / "capture", []
    for count in OWN:
        COSTLY[name](path, count)
        lines.append(_lines(lambda: _read(path)))
    assert _grows_with(lines), lines


@pytest.mark.parametrize("name", READERS)
def test_work_grows_with_what_other_readers_read(name: str, tmp_path: Path) -> None:
    """The same for pipes, rings, compressed files, sockets, pasted texts and key files."""
    lines = [_lines(READERS[name](tmp_path, count)) for count in READ]
    assert _grows_with(lines), lines
