"""Of two copies that differ the one with the right checksum stands, in whichever order they came."""

from pathlib import Path

import pytest

from tests.helpers.shared import shared
from tests.helpers.stream_truth import analyse, rates, troubled
from tests.helpers.troubled_wire import NUMBERINGS
from tests.helpers.wire import rows


@pytest.mark.parametrize("number", [0, 11])
def test_the_sound_copy_stands(number: int, tmp_path: Path) -> None:
    """Over IPv4 and IPv6, in WPDUs of several segments; however the capture is cut into batches."""
    path = tmp_path / "damaged"
    truth = troubled(path, "damaged first", NUMBERINGS[number], (1, 2))
    plain = analyse(path)
    told = rates(plain, truth)
    assert (told.found, told.invented) == (told.wpdus, 0)
    assert plain.statistics()["conflicts"] == len(truth.roles["damaged"])
    for one_by_one, records in ((True, 65_536), (False, 1), (False, 50)):
        other = analyse(path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        for name in plain.first_look.names:
            assert other.first_look[name].tolist() == plain.first_look[name].tolist(), name


def test_a_captured_one() -> None:
    """The WPDU whose segment was damaged is that of the sound copy: nothing in it is told as wrong."""
    analysis = analyse(shared("cases/streams/bad-checksum-first.pcap"))
    assert analysis.statistics()["wpdus"] == 10
    damaged, sound = 11, 12
    packets = [analysis.packets_of(row).tolist() for row in range(len(analysis.wpdus))]
    assert any(sound in some for some in packets)
    assert not any(damaged in some for some in packets)


def test_without_a_right_checksum_the_first_stands(tmp_path: Path) -> None:
    """Where the sender's card makes the checksums, none is right in the capture: nothing is told by them."""
    truth = troubled(tmp_path / "x", "other octets", NUMBERINGS[0], [1])
    told = rates(analyse(tmp_path / "x"), truth)
    assert (told.found, told.invented) == (told.wpdus, 0)
