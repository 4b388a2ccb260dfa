"""The benchmark itself: it measures, and it notices wrong counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks import capture_benchmark
from tests.benchmarks.capture_benchmark import Result, Run, benchmark

SMALL = 5_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmark")


def test_a_small_run_finds_all_and_prints_figures(folder: Path) -> None:
    """The command of the README works from any folder, and the engine's counts equal the truth."""
    words = ["--packets", str(SMALL), "--repeat", "1", "--alone", "--json", "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, capture_benchmark.__file__, *words], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["packets"], found["wrong"], found["yardsticks"]) == (SMALL, [], {})
    assert 0 < found["engine"] < found["wall"]
    assert 20e6 < found["resident"] < 1e9
    assert 0 < found["first_rows"] < 60


def test_wrong_counts_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fast engine that loses something must not pass: each count that differs from the truth is told."""
    _, truth = capture_benchmark._capture(SMALL, folder)
    counts = {name: truth[name] for name in capture_benchmark.COMPARED} | {"truncated_wpdus": 0}
    right = Run(1.0, 0.5, 10**8, truth["connections"], counts)
    wrong = Run(1.0, 0.5, 10**8, 3, counts | {"wpdus": 1, "missing_bytes": 7})
    runs = iter((right, right, wrong))
    monkeypatch.setattr(capture_benchmark, "_run", lambda path: next(runs))
    monkeypatch.setattr(capture_benchmark, "_first_rows", lambda path: 0.1)
    assert benchmark(SMALL, folder, 2).wrong == ()
    result = benchmark(SMALL, folder, 1)
    assert result.wrong == (
        f"wpdus 1 instead of {truth['wpdus']}",
        "missing_bytes 7 instead of 0",
        f"3 connections in the tree instead of {truth['connections']}",
    )
    assert "WRONG: wpdus 1" in result.text()


def test_a_capture_of_an_older_generator_is_made_anew(folder: Path) -> None:
    """Kept captures are keyed by the generator's source: a changed generator never meets old figures."""
    old = folder / f"cosemscope-{SMALL + 1000}-000000000000.pcap"
    old.write_bytes(b"old")
    path, truth = capture_benchmark._capture(SMALL + 1000, folder)
    assert not old.exists()
    assert path.stat().st_size == truth["octets"]
    before = path.stat().st_mtime_ns
    assert capture_benchmark._capture(SMALL + 1000, folder)[0].stat().st_mtime_ns == before


def test_the_bars_are_judged() -> None:
    """First rows at any size; a tenth of tshark's time and 300 MB at a million packets; growth to five."""
    million = Result(1_000_000, 5, 1.0, 0.9, 250_000_000, 0.1, {"tshark": 8.0, "tcptrace": 0.4}, ())
    assert "tcptrace   0.40 s, ours 225.0% of it (process 250.0%)" in million.text()
    five = Result(5_000_000, 5, 6.0, 5.4, 900_000_000, 0.4, {}, ())
    assert "tshark not measured  tcptrace not measured" in five.text()
    assert capture_benchmark._bars([million, five]) == [
        "NOT met: first rows painted within 0.40 s at any size (bar 0.3 s)",
        "NOT met: 11.2% of tshark's time (bar 10%)",
        "met: 250 MB resident (bar 300)",
        "a packet costs 1.20 times as much at 5 million as at 1 million",
    ]
