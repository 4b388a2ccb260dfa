"""The application benchmark runs through and prints its figures; how fast is not asked here."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("application_benchmark.py")


def test_a_small_run() -> None:
    """Every APDU and both exchanges are measured."""
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), "--count", "50", "--json"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stderr == ""
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one.get("apdu") or one["exchange"] for one in results] == [
        "GET request",
        "GET response",
        "50 rows",
        "clear",
        "ciphered",
    ]
    assert all(one["ratio"] > 0 for one in results)
