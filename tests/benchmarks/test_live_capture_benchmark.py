"""The benchmark of live capture runs: a hundredth of its packets, each kind once."""

import subprocess
import sys
from pathlib import Path

from tests.helpers.capturing import needs_rights

_BENCHMARK = Path(__file__).resolve().with_name("live_capture_benchmark.py")


def test_a_small_run() -> None:
    """Bars of speed are not asked for here; that all kinds run, and print their figures, is."""
    needs_rights()
    done = subprocess.run(
        [sys.executable, str(_BENCHMARK), "--quick"], capture_output=True, text=True, timeout=100
    )
    assert done.stderr == ""
    kinds = [line.split()[0].rstrip(":") for line in done.stdout.splitlines()]
    assert kinds == ["burst", "latency", "ring"]
    assert "50,000 packets" in done.stdout
