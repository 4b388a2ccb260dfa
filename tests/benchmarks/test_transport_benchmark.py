"""The transport benchmark runs, loses nothing, and prints each figure beside its bare twin."""

import json
import subprocess
import sys
from pathlib import Path

_BENCHMARK = Path(__file__).resolve().with_name("transport_benchmark.py")


def test_a_small_run() -> None:
    """It runs through, loses nothing and prints every figure; how fast is not asked here."""
    words = ["--connections", "20", "--trips", "200", "--wpdus", "2000", "--json"]
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), *words], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == ""
    result = json.loads(done.stdout)
    assert result["lost"] == 0
    names = [figure["name"] for figure in result["figures"]]
    assert "decode headers of a buffer" in names
    assert "round trips, 20 connections" in names
    rates = [figure for figure in result["figures"] if figure["unit"] == "/s"]
    assert all(figure["ours"] > 0 and figure["bare"] > 0 for figure in rates)
