"""The benchmark of filters measures what it says, on a small capture."""

from pathlib import Path

from tests.benchmarks.filter_benchmark import COMPLETED, FILTERS, TREES, measure
from tests.benchmarks.generate import generate


def test_every_filter_is_measured(tmp_path: Path) -> None:
    """How long it took is no matter here."""
    path = tmp_path / "small.pcap"
    generate(path, 4_000)
    found = measure(path)
    assert found["load"]["wpdus"] > 1_000
    assert tuple(found["first"]) == tuple(found["again"]) == FILTERS
    assert tuple(found["completion"]) == COMPLETED
    assert tuple(found["trees"]) == TREES
