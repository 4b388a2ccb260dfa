"""The security benchmark runs, opens everything, and prints its figures beside bare AES-GCM's."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("security_benchmark.py")


def test_a_small_run() -> None:
    """It runs through, opens everything and prints every size; how fast is not asked here."""
    words = ["--count", "200", "--repeat", "2", "--json"]
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), *words], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == ""
    *sizes, walk = map(json.loads, done.stdout.splitlines())
    assert [result["size"] for result in sizes] == [13, 37, 200, 1023]
    assert all(result["opened"] > 0 and result["ratio"] > 0 for result in sizes)
    assert walk["walk"] > 0
