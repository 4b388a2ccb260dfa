"""The benchmark of the client runs and prints the pace of each way; how fast is not asked here."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("client_benchmark.py")


def test_a_small_run() -> None:
    """It runs through."""
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), "--rounds", "1", "--json"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert set(result) == {"link", "clear", "clear list", "ciphered", "ciphered list"}
    assert all(pace["rate"] > 0 for pace in result.values())
