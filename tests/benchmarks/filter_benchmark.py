"""What filters cost: `python3 tests/benchmarks/filter_benchmark.py [--packets N] [--json]`.

Loads a capture, applies filters over columns (for the first time, and again, as when somebody refines one),
completes values, and asks half of the rows for their trees. CPU time, the least of some runs, and its share
of what loading took; of work that other processes share in the time that it takes at least where nothing
else runs. Exit status 1: a bar is missed, which are those of 5 million WPDUs where the capture has a million
or more, else those of 567 thousand.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: Filters over columns of every kind.
FILTERS = (
    "wport == 16",
    "apdu == get-request && wpdu.length > 8",
    "ip.addr == 10.1.0.0/16",
    "obis == 1.0.*.8.0.255",
    "class == register && attribute == 2",
    "result != success",
    "response_time > 500ms",
    "exchange.status == unanswered",
    "frame.time > 2025-10-09T09:10:00Z",
    "expert.severity >= warning",
    "tcp.port in {4059, 4061..4070}",
    'wport.src.name contains "Client"',
)
COMPLETED = ("apdu == ", "obis == 1.", "ip.addr == 1", "wport == ", "frame.number == ", "wp")
#: Filters that decode half of the rows, or look at the value of each.
TREES = ("get-response.data > 5", "value > 230", 'info contains "kWh"')
#: Seconds of a filter over columns that is applied again, of a completion, and of one that decodes.
BARS = {True: (0.150, 0.030, None), False: (0.020, 0.030, 5.0)}
RUNS = 3


def _shared(work: Callable[[], object]) -> float:
    """The time of work that is shared with other processes, on as many processors as there are."""
    own, others = time.process_time(), os.times()
    work()
    taken, after = time.process_time() - own, os.times()
    theirs = after.children_user + after.children_system - others.children_user - others.children_system
    return max(taken, (taken + theirs) / (os.cpu_count() or 1))


def _least(work: Callable[[], object]) -> float:
    """The least CPU time of some runs."""
    taken = []
    for _ in range(RUNS):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return min(taken)


def measure(path: Path) -> dict[str, dict[str, float]]:
    """Seconds by what was done: loading, filters for the first time and again, completions, trees."""
    from cosemscope.analysis.associations.looks import Associations
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.filter.display_filter import compile_filter
    from cosemscope.analysis.filter.filter_completion import completions
    from cosemscope.capture.files.reader import open_capture

    found: dict[str, dict[str, float]] = {"load": {}, "first": {}, "again": {}, "completion": {}, "trees": {}}
    with open_capture(path) as reader:
        begun = time.process_time()
        analysis = Analysis(reader).run()
        found["load"] = {"seconds": time.process_time() - begun, "wpdus": float(len(analysis.wpdus))}
        associations = Associations(analysis)
        compile_filter("exchange").rows(analysis, associations=associations)  # pairs the WPDUs
        for text in FILTERS:
            wanted = compile_filter(text)
            begun = time.process_time()
            wanted.rows(analysis, associations=associations)
            found["first"][text] = time.process_time() - begun
            again = partial(wanted.rows, analysis, associations=associations)
            found["again"][text] = _least(again)
        for text in COMPLETED:
            completions(analysis, text, len(text))
            found["completion"][text] = _least(partial(completions, analysis, text, len(text)))
        for text in TREES:
            wanted = compile_filter(text)
            if not associations.passed:
                wanted.prepare(associations)
            found["trees"][text] = _shared(partial(wanted.rows, analysis, associations=associations))
    return found


def main() -> int:
    """Make a capture, measure, print; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packets", type=int, default=1_000_000, help="of the capture (default: 1000000)")
    parser.add_argument("--file", type=Path, help="a capture that is there, in the place of one that is made")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    equip()
    from tests.benchmarks.generate import generate

    with tempfile.TemporaryDirectory() as folder:
        path = arguments.file or Path(folder) / "capture.pcap"
        if arguments.file is None:
            # In a process of its own, whose memory is not counted.
            maker = get_context("spawn").Process(target=generate, args=(path, arguments.packets))
            maker.start()
            maker.join()
        found = measure(path)
    load = found["load"]
    column, completion, trees = BARS[load["wpdus"] >= 1e6]
    bars = {"again": column, "completion": completion, "trees": trees}
    missed = False
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"loading {load['wpdus']:,.0f} WPDUs: {load['seconds'] * 1000:.0f} ms CPU")
    for kind in ("first", "again", "completion", "trees"):
        bar = bars.get(kind)
        for text, seconds in found[kind].items():
            over = bar is not None and seconds > bar
            missed |= over
            if not arguments.json:
                told = f", at most {bar * 1000:.0f} ms{'  MISSED' * over}" if bar is not None else ""
                share = f"{seconds / load['seconds']:7.1%} of loading"
                print(f"{kind:<10} {text:<42} {seconds * 1000:8.1f} ms {share}{told}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
