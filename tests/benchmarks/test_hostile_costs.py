"""The table of costs: it measures every case in a process of its own, and tells what is over the budget."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import hostile_costs


def test_a_line_a_case_and_a_verdict(tmp_path: Path) -> None:
    """From any folder; lists, trees, growth and memory are figures."""
    words = ["--octets", "40000", "hdlc-segments", "blocks"]
    done = subprocess.run(
        [sys.executable, hostile_costs.__file__, *words], capture_output=True, text=True, cwd=tmp_path
    )
    head, first, second, last = done.stdout.splitlines()
    assert head.split()[:2] == ["case", "octets"]
    assert [line.split()[0] for line in (first, second)] == ["hdlc-segments", "blocks"]
    assert all(float(word.rstrip("x").replace(",", "")) >= 0 for word in first.split()[1:6])
    assert last.startswith("over: ")
    assert done.returncode == ("none" not in last)


def test_what_is_over_the_budget_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A case that costs more than it may fails the command."""
    costs = iter([{"list": 0.001, "trees": 0.0, "memory": 0.0}, {"list": 9.0, "trees": 0.0, "memory": 0.0}])
    monkeypatch.setattr(hostile_costs, "_measured", lambda path: next(costs))
    monkeypatch.setattr(hostile_costs, "equip", lambda: None)
    monkeypatch.setattr(sys, "argv", ["hostile_costs.py", "--octets", "4000", "blocks"])
    assert hostile_costs.main() == 1
    assert "over the budget, grows too fast" in capsys.readouterr().out
