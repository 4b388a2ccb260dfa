"""How fast the keys of a fleet are read: `python3 tests/benchmarks/fleet_keys_benchmark.py [--holders N]`.

Writes a CSV file of that many key holders (a million), reads it in a process of its own, and in turns has
Python's csv module alone read the same file. Prints processor time, its ratio to csv's, the most memory of
the process, that before it read, and the time to find a holder. Needs only Python to start.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import equip

_READ = """
import resource, sys, time
from cosemscope.analysis.keys.key_table import KeyTable
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
table = KeyTable.load(sys.argv[1])
read = time.process_time() - begun
titles = [(number * 7919 % len(table)).to_bytes(8, "big") for number in range(1000)]
begun = time.process_time()
found = sum(len(table.select((title, title)).sets) for title in titles)
seconds = (time.process_time() - begun) / len(titles)
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(table), read, most / 1024, before / 1024, found, seconds)
"""
_CSV = """
import csv, sys, time
begun = time.process_time()
count = sum(1 for _ in csv.reader(open(sys.argv[1], newline="")))
print(count, time.process_time() - begun)
"""


def main() -> int:
    """Run the benchmark; returns the exit status: 1 when a holder was not found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--holders", type=int, default=1_000_000, help="key holders in the file")
    parser.add_argument("--turns", type=int, default=3, help="how often each way reads it")
    arguments = parser.parse_args()
    equip()
    wrong = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fleet.csv"
        _write(path, arguments.holders)
        for _ in range(arguments.turns):
            plain = float(_run(_CSV, path)[1])
            count, read, most, before, found, one = map(float, _run(_READ, path))
            wrong |= (count, found) != (arguments.holders, min(1000, arguments.holders))
            print(
                f"{count:,.0f} holders: {read:.2f} s, {read / plain:.1f} times csv's {plain:.2f} s; "
                f"{most:.0f} MB at most, {before:.0f} without; a holder found in {one * 1e6:.0f} us"
            )
    return int(wrong)


def _write(path: Path, holders: int) -> None:
    draw = random.Random(1)
    numbers = list(range(holders))
    draw.shuffle(numbers)
    with path.open("w") as file:
        file.write("title,encryption,authentication\n")
        for number in numbers:
            file.write(f"{number:016x},{draw.randbytes(16).hex()},{draw.randbytes(16).hex()}\n")


def _run(code: str, path: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


if __name__ == "__main__":
    sys.exit(main())
