"""Every capture is read in the same way by the fast path, packet by packet, and a few records at a time.

`python3 tests/two_ways.py` reads thousands so; these are a few of each, and two that once differed.
"""

from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.helpers.capture_mutants import captures, difference, mutants, packets_of, written
from tests.helpers.shared import shared

#: Mutants of each capture.
FEW = 3


@pytest.mark.parametrize("path", captures(), ids=lambda path: path.name)
def test_mutants_are_read_in_the_same_way(path: Path, tmp_path: Path) -> None:
    """Packets lost, sent again, moved, cut, changed: rows, items and streams are the same."""
    link_type, packets = packets_of(path)
    if len(packets) < 2:
        pytest.skip("no packets to change")
    for mutant in islice(mutants(packets, Random(path.name)), FEW):
        assert difference(written(tmp_path / "mutant.pcap", link_type, mutant)) == ""


@pytest.mark.parametrize("name", ["two-ways-697d8ebe.cap", "two-ways-dc327cfb.cap"])
def test_captures_that_once_differed(name: str) -> None:
    """Marks of one row were others: out of order against resynchronised."""
    assert difference(shared(f"cases/hostile/{name}")) == ""
