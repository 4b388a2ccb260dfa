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
    assert "Traceback" not in done.stderr
    lines = done.stdout.splitlines()
    shown = ("2,000 packets at", "is in the spool", "row in the window", "scrolling takes", "50,000 packets")
    assert len(lines) == len(shown)
    assert all(words in line for words, line in zip(shown, lines, strict=True))
    assert all(line.startswith(("met ", "MISSED ", "   ")) for line in lines)
