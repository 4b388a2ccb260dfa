"""The benchmark of the relay runs, loses nothing, and prints each figure beside the direct one."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("relay_benchmark.py")


def test_a_small_run() -> None:
    """It runs through and loses nothing; how fast is not asked here."""
    words = ["--connections", "50", "--blocks", "5", "--trips", "200", "--json"]
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), *words], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert (result["connections"], result["lost"]) == (50, 0)
    assert result["octets"] > 50 * 5
    assert 0 < result["direct"] < result["relayed"]
