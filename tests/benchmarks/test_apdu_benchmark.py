"""The APDU benchmark runs, and the oracles' times stand beside ours on the same APDUs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import apdu_benchmark
from tests.helpers.environments import EnvironmentMissing, interpreter_with

_HERE = Path(__file__).resolve().parent
_SETS = ["short GET responses", "requests, responses, AARQ", "ciphered GET responses"]


def _run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(_HERE / "apdu_benchmark.py"), "--rounds", "1", "--apdus", "2000", *words],
        capture_output=True,
        text=True,
        timeout=200,
        check=True,
    )


def test_a_small_run_beside_the_oracles() -> None:
    """Each set has our figures and those of both oracles, by every way that they have for it."""
    interpreter_with("oracles", _HERE.parent / "oracles" / "requirements.txt")
    found: dict[str, Any] = json.loads(_run("--json").stdout)
    assert found["trees"][0]["trees"] > 0
    assert found["first_look"]["looks"] > 0
    beside = {one["name"]: one for one in found["beside"]}
    assert list(beside) == _SETS
    ways = [
        (sorted(one["ours"]), {key: sorted(of) for key, of in one["oracles"].items()})
        for one in beside.values()
    ]
    assert ways == [
        (["look", "tree"], {"pydlms": ["tree", "values"], "gurux": ["tree", "values"]}),
        (["look", "tree"], {"pydlms": ["tree", "values"], "gurux": ["tree"]}),
        (["open"], {"pydlms": ["open"], "gurux": ["open"]}),
    ]


def test_without_the_oracles_the_rest_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where their environment cannot be made a sentence says so, and ours are measured all the same."""

    def missing(name: str, requirements: Path) -> Path:
        raise EnvironmentMissing("ORACLES MISSING: the package registry cannot be reached")

    monkeypatch.setattr("tests.helpers.environments.environment", missing)
    beside = apdu_benchmark.measure_beside_oracles(1, 500)
    assert [one.name for one in beside] == _SETS
    assert all(one.ours and not one.oracles for one in beside)
    assert capsys.readouterr().err.startswith("the oracles are not measured: ORACLES MISSING")


def test_bars_are_told() -> None:
    """What is asked for stands beside what was measured, in words."""
    printed = _run().stdout
    assert "first look: " in printed
    assert "(bar 1,000,000, " in printed
    assert "trees of short GET responses: " in printed
    assert printed.count("opening ") == 4
