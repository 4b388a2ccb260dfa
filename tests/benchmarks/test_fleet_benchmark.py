"""The benchmark of a fleet's tables measures what it says."""

from pathlib import Path

import pytest

from cosemscope.analysis.fleet.ready_questions import ready_questions
from tests.benchmarks import fleet_benchmark
from tests.benchmarks.generate import generate


def test_all_is_measured(tmp_path: Path) -> None:
    """Rows are there as often as there are days, and every question is asked."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    path = tmp_path / "capture.pcap"
    generate(path, 2000)
    found = fleet_benchmark.measure(path, tmp_path / "fleet", 3)
    assert found["exchanges"] == 3 * found["rows"]["exchanges"] > 1000
    assert list(found["questions"]) == list(ready_questions())
    assert found["tables"] > found["load"] > 0
    assert found["octets"]["exchanges"] > 0
