"""Made traffic: the truth kept beside it is what a simple reader finds in the file."""

from collections import Counter
from pathlib import Path

import pytest

from tests.helpers.plain_reader import PlainReading, PlainWpdu
from tests.helpers.traffic import Traffic
from tests.helpers.traffic_random import random_traffic
from tests.helpers.traffic_samples import CAPTURES

PORTS = frozenset((4059, 4063, 61000))


def assert_truth(traffic: Traffic, path: Path) -> None:
    traffic.write(path)
    found = PlainReading(path, PORTS)
    assert Counter(found.wpdus) == Counter(PlainWpdu(*one[1:]) for one in traffic.truth.wpdus)
    assert found.retransmissions == traffic.truth.retransmissions
    assert found.out_of_order == traffic.truth.out_of_order
    assert found.missing_octets == traffic.truth.missing_octets


@pytest.mark.parametrize("seed", range(12))
def test_random_traffic_is_what_its_truth_says(tmp_path: Path, seed: int) -> None:
    """Tests compare the engine with this truth, so it must come from the octets, not from a wish."""
    traffic = random_traffic(seed, connections=5)
    assert_truth(traffic, tmp_path / "random.pcapng")


@pytest.mark.parametrize("name", ["first-look.pcapng", "push.pcapng"])
def test_the_samples_truth(tmp_path: Path, name: str) -> None:
    """The same for the samples; the one with holes is beyond a reader that does not resynchronise."""
    assert_truth(CAPTURES[name](), tmp_path / name)


def test_random_traffic_has_the_faults_that_it_is_for() -> None:
    """Over some seeds every kind of fault must occur; the same seed gives the same packets."""
    many = [random_traffic(seed, connections=5, holes=True) for seed in range(8)]
    assert all(
        sum(getattr(one.truth, name) for one in many) > 5 for name in ("retransmissions", "out_of_order")
    )
    assert sum(one.truth.missing_octets for one in many) > 5
    assert many[3].packets() == random_traffic(3, connections=5, holes=True).packets()
    assert many[3].packets() != many[4].packets()
