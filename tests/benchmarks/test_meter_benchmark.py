"""The benchmark of the built-in meter runs, reads every meter of a small fleet, and prints its figures."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("meter_benchmark.py")


def test_a_small_run() -> None:
    """It runs through and loses nothing; how fast is not asked here."""
    words = ["--count", "50", "--fleet", "12", "--json"]
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), *words], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert (result["fleet"], result["read"]) == (12, 12)
    assert 0 < result["ciphered"] < result["echo"]
