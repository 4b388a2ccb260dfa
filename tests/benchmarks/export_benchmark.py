"""What counting and exporting cost: `python3 tests/benchmarks/export_benchmark.py [--packets N] [--json]`.

Loads a capture and makes the pass over it; then counts its WPDUs, as often repeated as it takes for five
million rows, by pairs of fields, for the first time and again; and writes all of its WPDUs and packets. Times
are those of the processor, beside their ratio to what loading took in the same process. Exit status 1: a
count by fields that were counted by before, or CSV of all rows, takes longer than it may.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

#: Pairs of fields: few values, several of a row, as many as connections, and (the worst) one a row.
PAIRS = (
    *(("obis", "result"), ("meter", "apdu"), ("wport", "service"), ("stream", "exchange.status")),
    *(("stream.outcome", "kind"), ("wpdu.length", "wport.dst"), ("wpdu.time", "apdu")),
)
ROWS = 5_000_000
#: Seconds that a count may take for 5 million rows, and CSV of all rows for a million packets.
MOST_COUNT, MOST_CSV = 0.15, 10.0
EXPORTS = (("csv", "wpdus"), ("jsonl", "wpdus"), ("csv", "packets"), ("pcapng", "wpdus"))


def measure(path: Path) -> dict[str, Any]:
    """Seconds of the processor to load, to pass over, to count by each pair, and to write each export."""
    import numpy as np

    from cosemscope.analysis.associations.looks import Associations
    from cosemscope.analysis.bulk import complete
    from cosemscope.analysis.counting.row_counts import RowCounts
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.export.exports import Order, export
    from cosemscope.analysis.export.tables.out_table import Subject
    from cosemscope.analysis.fields.registry import FIELDS
    from cosemscope.capture.files.reader import open_capture

    found: dict[str, Any] = {"counts": {}, "exports": {}}
    with open_capture(path) as reader:
        analysis = Analysis(reader)
        found["load"] = _seconds(analysis.run)
        associations = Associations(analysis)
        found["pass"] = _seconds(lambda: complete(associations))
        wpdus = len(analysis.wpdus)
        rows = np.tile(np.arange(wpdus), -(-ROWS // wpdus))[:ROWS]
        found |= {"wpdus": wpdus, "rows": len(rows)}
        for pair in PAIRS:
            counts, fields = RowCounts(analysis, rows), [FIELDS[name] for name in pair]
            first = _seconds(lambda counts=counts, fields=fields: counts.by(fields))
            again = min(_seconds(lambda counts=counts, fields=fields: counts.by(fields)) for _ in range(3))
            found["counts"][",".join(pair)] = (first, again)
        subject = Subject(analysis, associations)
        for form, what in EXPORTS:
            order, out = Order(form, what), path.with_suffix(f".out.{form}")
            taken = _seconds(lambda order=order, out=out: export(subject, order, out))
            found["exports"][f"{what} as {form}"] = taken
            out.unlink()
    return found


def _seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


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
        maker = get_context("spawn").Process(target=generate, args=(path, arguments.packets))
        maker.start()
        maker.join()
        found = measure(path)
    if arguments.json:
        print(json.dumps(found))
    else:
        _print(found)
    counts = max(again for pair, (_, again) in found["counts"].items() if "wpdu.time" not in pair)
    csv = found["exports"]["wpdus as csv"] * 1_000_000 / arguments.packets
    return int(counts > MOST_COUNT or csv > MOST_CSV)


def _print(found: dict[str, Any]) -> None:
    load = found["load"]
    print(f"{'load':<34} {load * 1000:9.0f} ms  {found['wpdus']:,} WPDUs")
    print(
        f"{'pass over all rows':<34} {found['pass'] * 1000:9.0f} ms  {found['pass'] / load:6.1%} of loading"
    )
    print(f"Counts of {found['rows']:,} rows, at most {MOST_COUNT * 1000:.0f} ms again:")
    for pair, (first, again) in found["counts"].items():
        told = f"{first * 1000:9.0f} ms  {again * 1000:6.0f} ms again  {again / load:6.1%} of loading"
        print(f"  {pair:<32} {told}")
    print(f"Exports of all rows, CSV at most {MOST_CSV:.0f} s for a million packets:")
    for name, taken in found["exports"].items():
        print(f"  {name:<32} {taken * 1000:9.0f} ms  {taken / load:6.1%} of loading")


if __name__ == "__main__":
    sys.exit(main())
