"""The benchmark of outcomes runs, and prints each stage as a share of loading."""

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.outcome_benchmark import STAGES

_BENCHMARK = Path(__file__).resolve().with_name("outcome_benchmark.py")


def test_a_small_run(tmp_path: Path) -> None:
    """Every stage has its figure, from any folder; how fast is not asked here."""
    words = ["--packets", "5000", "--json"]
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), *words], capture_output=True, text=True, cwd=tmp_path
    )
    found = json.loads(done.stdout)
    assert set(found) == {"load", *STAGES, "memory", "together", "ratio"}
    assert all(value >= 0 for value in found.values())
    assert done.returncode == (found["ratio"] > 1 or found["memory"] > 350)
