"""Streams in trouble, of known truth, however their packets are numbered: nothing lost, nothing invented."""

from pathlib import Path

import pytest

from tests.helpers.stream_troubles import TROUBLES
from tests.helpers.stream_truth import analyse, rates, troubled
from tests.helpers.troubled_wire import NUMBERINGS
from tests.helpers.wire import found_items, rows

#: Troubles of which not everything is told right yet.
OPEN = {}
SETTLED = [trouble for trouble in TROUBLES if trouble not in OPEN]


@pytest.mark.parametrize("trouble", SETTLED)
def test_no_trouble_costs_or_makes_a_wpdu(trouble: str, tmp_path: Path) -> None:
    """Whose octets are in the capture is found, and nothing else, in twelve ways to number packets."""
    path = tmp_path / "troubled.pcap"
    for numbering in NUMBERINGS:
        truth = troubled(path, trouble, numbering, (1, 2))
        told = rates(analyse(path), truth)
        assert (told.found, told.invented) == (told.wpdus, 0), numbering.name


@pytest.mark.parametrize("trouble", SETTLED)
@pytest.mark.parametrize("number", [1, 5])
def test_both_ways_and_all_batches_tell_the_same(trouble: str, number: int, tmp_path: Path) -> None:
    """The fast path, the packet walk, and small batches: the same rows, items and streams."""
    path = tmp_path / "troubled.pcap"
    troubled(path, trouble, NUMBERINGS[number], (1, 2))
    plain = analyse(path)
    for one_by_one, records in ((True, 65_536), (False, 7)):
        other = analyse(path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        assert found_items(other) == found_items(plain)
        for name in other.streams.names:
            assert other.streams[name].tolist() == plain.streams[name].tolist(), name
