"""The fast way and the slow one on mutants of captures: `python3 tests/two_ways.py [--mutants N] [--seed S]`.

Every capture of the samples and of the shared material is changed again and again, and each mutant is read by
the fast path, packet by packet, and three records at a time. Mutants that are read in different ways are kept
in a folder, made as small as dropping packets makes them. Exit status 1: there are some.
"""

import argparse
import sys
import tempfile
from itertools import islice
from pathlib import Path
from random import Random

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.helpers.equipment import equip


def main() -> int:
    """Read all mutants in both ways and print what differs."""
    equip()
    from tests.helpers.capture_mutants import captures, difference, mutants, packets_of, written

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=3000, metavar="N", help="in all (3000)")
    parser.add_argument("--seed", type=int, default=4059, metavar="S", help="other mutants (4059)")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="where those that differ are kept")
    parser.add_argument("files", nargs="*", type=Path, help="captures to change, else all known ones")
    arguments = parser.parse_args()
    sources = {path: packets_of(path) for path in arguments.files or captures()}
    sources = {path: found for path, found in sources.items() if len(found[1]) > 1}
    kept = arguments.kept or Path(tempfile.mkdtemp(prefix="two-ways-"))
    kept.mkdir(exist_ok=True)
    tried = differ = 0
    for path, (link_type, packets) in sources.items():
        random, wrong = Random(f"{arguments.seed} {path.name}"), 0
        share = max(1, arguments.mutants // len(sources))
        for number, mutant in enumerate(islice(mutants(packets, random), share)):
            place = written(kept / f"{path.stem}-{number}.pcap", link_type, mutant)
            tried += 1
            if not difference(place):
                place.unlink()
                continue
            wrong += 1
            smaller(place, link_type, mutant)
            if wrong == 1:
                print(f"{place}:\n  {difference(place)}", flush=True)
        differ += wrong
        print(f"{path.name}: {share} mutants, {wrong} differ", flush=True)
    print(f"{tried:,} mutants of {len(sources)} captures, {differ} differ" + (f": {kept}" if differ else ""))
    if not differ:
        kept.rmdir()
    return int(bool(differ))


def smaller(place: Path, link_type: int, packets: list[object]) -> None:
    """Drop packets as long as the two ways still differ."""
    from tests.helpers.capture_mutants import difference, written

    step = max(1, len(packets) // 2)
    while step:
        at = 0
        while at < len(packets):
            fewer = packets[:at] + packets[at + step :]
            if fewer and difference(written(place, link_type, fewer)):
                packets = fewer
            else:
                at += step
        step //= 2
    written(place, link_type, packets)


if __name__ == "__main__":
    sys.exit(main())
