"""What hostile captures cost: `python3 tests/benchmarks/hostile_costs.py [--octets N] [CASE ...]`.

A line a case: CPU seconds a megabyte to list all rows, and to decode all their trees; how much more a capture
of four times the size takes; how much memory it takes for its size. Each case is read in a process of its
own. Exit status 1: one is over the budget, or grows faster than its capture.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: CPU seconds a megabyte, at most, to list a capture; and to decode all trees besides.
BUDGET = 2.0
#: Most growth of CPU time, and seconds that are not counted of it, when a capture becomes four times as long.
MOST_IN_TWO, APART = 5.8, 0.15
_LARGER = 4


def measure(path: Path) -> dict[str, float]:
    """CPU seconds to list and to decode trees, and octets of memory that were needed for it."""
    import numpy as np

    from cosemscope.__main__ import GARBAGE
    from cosemscope.analysis.associations.insights import Insights
    from cosemscope.analysis.associations.looks import Associations
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.expert.run import find_items
    from cosemscope.capture.files.reader import open_capture

    gc.set_threshold(*GARBAGE)  # as the commands do
    gc.freeze()
    before, begun = _memory(), time.process_time()
    with open_capture(path) as reader:
        analysis = Analysis(reader).run()
        insights, rows = Insights(analysis), np.arange(len(analysis.wpdus))
        for start in range(0, len(rows), 4096):
            part = rows[start : start + 4096]
            insights.infos(part, insights.looks(part))
        analysis.pair()
        analysis.sessions()
        analysis.statistics()
        listed, memory = time.process_time(), _memory()
        find_items(Associations(analysis), workers=0)
    decoded = time.process_time()
    return {"list": listed - begun, "trees": decoded - listed, "memory": memory - before}


def _memory() -> int:
    """Most octets that this process has held so far; 0 where nobody counts."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _measured(path: Path) -> dict[str, float]:
    words = [sys.executable, "-P", str(Path(__file__).resolve()), "--measure", str(path)]
    found: dict[str, float] = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return found


def main() -> int:
    """Print the table."""
    equip()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--octets", type=int, default=1_000_000, help="length of the larger capture")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="all, unless some are named")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return 0
    from tests.helpers.hostile_captures import HOSTILE, write

    over = []
    print(f"{'case':<30} {'octets':>9} {'list s/MB':>9} {'trees s/MB':>10} {'growth':>7} {'memory':>7}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hostile"
        for name in arguments.cases or HOSTILE:
            figures = []
            for octets in (arguments.octets // _LARGER, arguments.octets):
                size = write(name, path, octets)
                figures.append((size, _measured(path)))
            (small, less), (size, more) = figures
            growth = (more["list"] + more["trees"]) / (less["list"] + less["trees"] + APART)
            lists, trees, memory = (more[each] / size for each in ("list", "trees", "memory"))
            marks = ["over the budget"] if max(lists, trees) * 1e6 > BUDGET else []
            marks += ["grows too fast"] if growth > MOST_IN_TWO * size / small / _LARGER else []
            over += [name] if marks else []
            line = f"{name:<30} {size:>9,} {lists * 1e6:>9.2f} {trees * 1e6:>10.2f} {growth:>6.1f}x"
            print(f"{line} {memory:>6.1f}x  {', '.join(marks)}".rstrip(), flush=True)
    print(f"over: {', '.join(over) or 'none'}")
    return int(bool(over))


if __name__ == "__main__":
    sys.exit(main())
