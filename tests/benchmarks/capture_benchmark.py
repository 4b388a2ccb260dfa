"""How fast Cosemscope opens large captures: `python3 tests/benchmarks/capture_benchmark.py`.

For each size it generates a capture (kept in the system's temporary folder),
runs the engine from file to complete session tree in fresh processes of its
own, compares what it found with the truth, and prints packets and WPDUs a
second and the most memory that was resident, and how soon the window has painted the first rows. Where tshark
and tcptrace are installed, `tshark -q -z conv,tcp` and `tcptrace -n` run in turns with it: the one knows what
streams carry, the other takes TCP apart and no more. Needs only Python to start: what else is missing is set
up as for `python3 app`. Exit status 1: a count is wrong.
"""

import argparse
import gc
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import CHECKOUT, equip

GENERATOR = (
    "tests/benchmarks/generate.py",
    "tests/benchmarks/plan.py",
    "tests/helpers/traffic_apdus.py",
)
SIZES = (100_000, 1_000_000, 5_000_000)
#: What the engine's statistics must say, by the names of the truth.
COMPARED = (
    "packets",
    "wpdus",
    "apdu_tags",
    "retransmissions",
    "out_of_order",
    "missing_bytes",
    "skipped_bytes",
)
#: Programs that are measured beside it, by whole processes, and their words before the capture's path.
YARDSTICKS = {"tshark": ("-q", "-z", "conv,tcp", "-r"), "tcptrace": ("-n",)}
#: The largest share of tshark's time at a million packets, and the most resident octets.
BAR_SHARE, BAR_RESIDENT = 0.1, 300 * 10**6
#: Seconds until the first rows are painted, at any size.
BAR_FIRST_ROWS = 0.3
FIRST_ROWS = Path(__file__).with_name("first_rows.py")


@dataclass(frozen=True)
class Run:
    """One run of the engine: seconds and octets, and what it counted."""

    wall: float  # whole process, interpreter start and imports included
    engine: float  # from opening the file to the complete session tree
    resident: int  # the most octets resident at once, mapped file included
    connections: int
    statistics: dict[str, Any]


@dataclass(frozen=True)
class Result:
    """All about one size; times are medians in seconds."""

    packets: int
    wpdus: int
    wall: float
    engine: float
    resident: int
    first_rows: float  # painted in the window, after it was told to open the file
    yardsticks: dict[str, float]  # those that were measured, by name
    wrong: tuple[str, ...]

    def text(self) -> str:
        """A line for people."""
        words = [
            f"{self.packets:>9,} packets",
            f"engine {self.engine:6.2f} s (process {self.wall:6.2f} s)",
            f"{self.packets / self.engine / 1e6:5.2f} M packets/s",
            f"{self.wpdus / self.engine / 1e6:5.2f} M WPDUs/s",
            f"{self.resident / 1e6:5.0f} MB resident",
            f"first rows {self.first_rows:5.2f} s",
        ]
        for name in YARDSTICKS:
            theirs = self.yardsticks.get(name)
            if theirs is None:
                words.append(f"{name} not measured")
            else:
                share, whole = self.engine / theirs, self.wall / theirs
                words.append(f"{name} {theirs:6.2f} s, ours {share:.1%} of it (process {whole:.1%})")
        words.append("counts right" if not self.wrong else "WRONG: " + "; ".join(self.wrong))
        return "  ".join(words)


def measure(path: Path) -> None:
    """Run the engine over `path` in this process and print a JSON object; imports come before the clock."""
    from cosemscope.__main__ import GARBAGE, SWITCH_INTERVAL
    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.files.reader import open_capture

    sys.setswitchinterval(SWITCH_INTERVAL)  # as the commands do, and what they do before they open a capture
    gc.set_threshold(*GARBAGE)
    gc.freeze()

    began = time.perf_counter()
    with open_capture(path) as reader:
        analysis = Analysis(reader)
        while analysis.step():
            pass
        analysis.finish()
        peers = analysis.sessions()
        engine = time.perf_counter() - began
        found = {
            "engine": engine,
            "resident": _peak_resident(),
            "connections": sum(len(peer.streams) for peer in peers),
            "statistics": analysis.statistics(),
        }
    print(json.dumps(found))


def _peak_resident() -> int:
    """The most octets that this process had resident at once, mapped files included."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _environment() -> dict[str, str]:
    """This one's, with the checkout on the path, and with compiled modules kept as Python does by itself."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": os.pathsep.join((str(CHECKOUT), str(CHECKOUT / "app")))}


def _run(path: Path) -> Run:
    began = time.perf_counter()
    words = [sys.executable, __file__, "--measure", str(path)]
    done = subprocess.run(words, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    wall = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"The engine failed on {path} (exit status {done.returncode}); what it said stands above.")
    return Run(wall=wall, **json.loads(done.stdout))


def _first_rows(path: Path) -> float:
    words = [sys.executable, str(FIRST_ROWS), str(path)]
    done = subprocess.run(words, env=_environment(), stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def _yardstick(name: str, path: Path) -> float:
    began = time.perf_counter()
    words = [name, *YARDSTICKS[name], str(path)]
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _capture(packets: int, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The capture of that size and its truth; those that an older generator left are made anew."""
    digest = hashlib.sha256(b"".join((CHECKOUT / name).read_bytes() for name in GENERATOR)).hexdigest()[:12]
    path = folder / f"cosemscope-{packets}-{digest}.pcap"
    truth = path.with_name(path.name + ".json")
    if not truth.exists():  # it is written last
        for old in folder.glob(f"cosemscope-{packets}-*.pcap*"):
            old.unlink()
        print(f"generating {path}", file=sys.stderr)
        words = [sys.executable, str(CHECKOUT / GENERATOR[0]), str(packets), str(path)]
        subprocess.run(words, env=_environment(), stdout=subprocess.DEVNULL, check=True)
    return path, json.loads(truth.read_text())


def _wrong(run: Run, truth: dict[str, Any]) -> tuple[str, ...]:
    wanted = {**{name: truth[name] for name in COMPARED}, "truncated_wpdus": 0}
    wrong = [
        f"{name} {run.statistics.get(name)} instead of {value}"
        for name, value in wanted.items()
        if run.statistics.get(name) != value
    ]
    if run.connections != truth["connections"]:
        wrong.append(f"{run.connections} connections in the tree instead of {truth['connections']}")
    return tuple(wrong)


def benchmark(packets: int, folder: Path, repeats: int, yardsticks: Collection[str] = ()) -> Result:
    """Measure one size: ours and the yardsticks in turns, `repeats` times, medians."""
    path, truth = _capture(packets, folder)
    with path.open("rb") as file:  # both start with the file in the system's cache
        while file.read(1 << 24):
            pass
    runs, firsts = [], []
    theirs: dict[str, list[float]] = {name: [] for name in yardsticks}
    for _ in range(repeats):
        runs.append(_run(path))
        firsts.append(_first_rows(path))
        for name in yardsticks:
            theirs[name].append(_yardstick(name, path))
    return Result(
        packets=packets,
        wpdus=truth["wpdus"],
        wall=statistics.median(run.wall for run in runs),
        engine=statistics.median(run.engine for run in runs),
        resident=max(run.resident for run in runs),
        first_rows=statistics.median(firsts),
        yardsticks={name: statistics.median(times) for name, times in theirs.items()},
        wrong=tuple(dict.fromkeys(text for run in runs for text in _wrong(run, truth))),
    )


def _bars(results: list[Result]) -> list[str]:
    """How the bars are met: a share of tshark's time and memory at a million packets, linear cost above."""
    lines = []
    by_size = {result.packets: result for result in results}
    million, most = by_size.get(1_000_000), by_size.get(5_000_000)
    slowest = max(result.first_rows for result in results)
    verdict = _verdict(slowest <= BAR_FIRST_ROWS)
    lines.append(f"{verdict}: first rows painted within {slowest:.2f} s at any size (bar {BAR_FIRST_ROWS} s)")
    if million:
        if "tshark" in million.yardsticks:
            share = million.engine / million.yardsticks["tshark"]
            verdict = _verdict(share <= BAR_SHARE)
            lines.append(f"{verdict}: {share:.1%} of tshark's time (bar {BAR_SHARE:.0%})")
        verdict = _verdict(million.resident <= BAR_RESIDENT)
        lines.append(f"{verdict}: {million.resident / 1e6:.0f} MB resident (bar {BAR_RESIDENT / 1e6:.0f})")
    if million and most:
        growth = most.engine / most.packets / (million.engine / million.packets)
        lines.append(f"a packet costs {growth:.2f} times as much at 5 million as at 1 million")
    return lines


def _verdict(met: bool) -> str:
    return "met" if met else "NOT met"


def main() -> int:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packets", type=int, nargs="+", default=list(SIZES), help="sizes to measure")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument("--alone", action="store_true", help="measure no other program beside it")
    parser.add_argument("--folder", type=Path, help="where the captures are kept")
    parser.add_argument("--json", action="store_true", help="print a JSON object a size")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    equip()
    if arguments.measure:
        measure(arguments.measure)
        return 0
    folder = arguments.folder or Path(tempfile.gettempdir()) / "cosemscope-benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    yardsticks = [name for name in YARDSTICKS if not arguments.alone and shutil.which(name) is not None]
    results = []
    for packets in arguments.packets:
        result = benchmark(packets, folder, arguments.repeat, yardsticks)
        results.append(result)
        print(json.dumps(asdict(result)) if arguments.json else result.text(), flush=True)
    if not arguments.json:
        print("\n".join(_bars(results)))
    return 1 if any(result.wrong for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
