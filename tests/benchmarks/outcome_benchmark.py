"""What understanding costs: `python3 tests/benchmarks/outcome_benchmark.py [--packets N] [--json]`.

Loads a capture, then pairs its WPDUs, works out timing, associations, security and outcomes, and finds the
expert items that need no tree, all in columns; each as a share of what loading took in the same process. Exit
status 1: all together take longer than loading, or the process more memory than it may.
"""

import argparse
import json
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: Facts in the order in which they are worked out, each with what it needs being there already.
FACTS = (
    *("statuses", "round_trips", "own_times", "resent"),
    *("associations", "association_security", "outcomes"),
)
#: All stages behind loading.
STAGES = ("exchanges", *FACTS, "items")
#: Most time of all, as a multiple of that of loading, and most memory of the process in MiB.
MOST, MOST_MEMORY = 1.0, 350


def measure(path: Path) -> dict[str, float]:
    """Seconds to load, to pair and for each of the facts; and the most memory of the process in MiB."""
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.expert.run import find_column_items
    from cosemscope.analysis.outcomes.capture_facts import capture_facts
    from cosemscope.capture.files.reader import open_capture

    found: dict[str, float] = {}
    with open_capture(path) as reader:
        begun = time.perf_counter()
        analysis = Analysis(reader).run()
        found["load"] = time.perf_counter() - begun
        begun = time.perf_counter()
        analysis.pair()
        found["exchanges"] = time.perf_counter() - begun
        facts = capture_facts(analysis)
        for name in FACTS:
            begun = time.perf_counter()
            getattr(facts, name)
            found[name] = time.perf_counter() - begun
        begun = time.perf_counter()
        find_column_items(analysis)
        found["items"] = time.perf_counter() - begun
    found["memory"] = _memory()
    return found


def _memory() -> float:
    """Most MiB that this process has held so far; 0 where nobody counts."""
    try:
        import resource
    except ImportError:
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << (20 if sys.platform == "darwin" else 10)
    )


def main() -> int:
    """Make a capture, measure, print; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packets", type=int, default=1_000_000, help="of the capture (default: 1000000)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    equip()
    from tests.benchmarks.generate import generate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "capture.pcap"
        # In a process of its own, whose memory is not counted.
        maker = get_context("spawn").Process(target=generate, args=(path, arguments.packets))
        maker.start()
        maker.join()
        found = measure(path)
    together = sum(found[name] for name in STAGES)
    ratio = together / found["load"]
    if arguments.json:
        print(json.dumps({**found, "together": together, "ratio": ratio}))
    else:
        for name in ("load", *STAGES):
            print(f"{name:<22} {found[name] * 1000:9.1f} ms  {found[name] / found['load']:6.1%} of loading")
        print(f"{'together':<22} {together * 1000:9.1f} ms  {ratio:6.1%} of loading, at most {MOST:.0%}")
        print(f"{'memory':<22} {found['memory']:9.0f} MiB, at most {MOST_MEMORY} MiB for a million packets")
    return int(ratio > MOST or found["memory"] > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
