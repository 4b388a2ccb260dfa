"""`python3 tests/mutants`: draw mutants of each room by a seed, run the tests near them, list the unnoticed.

    python3 tests/mutants --count 300 -j 2                  all rooms but the window's
    python3 tests/mutants --room apdu --count 60 --seed 7
    python3 tests/mutants --module streams/endings.py --every --own

Mutants that change nothing are judged one by one in `judged.toml` beside this file. Ends with 1 where fewer
than `--least` percent of the others are noticed.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

_CHECKOUT = Path(__file__).resolve().parents[2]
if __package__ in (None, ""):
    sys.path.insert(0, str(_CHECKOUT))
    from tests.helpers.equipment import equip

    equip("mutants")

from tests.mutants.judgement import Judgement  # noqa: E402
from tests.mutants.places import Mutant, draw, every_mutant, modules_of  # noqa: E402
from tests.mutants.trials import PACKAGE, Copy, Near, Outcome, TestsFail, copied, near  # noqa: E402

#: The rooms that are drawn from where none is named: all but the window, whose tests take minutes.
ROOMS = ("transport", "apdu", "capture", "streams", "analysis", "live", "cli")
#: Characters of the kind at the beginning of a line.
_KIND = 16
_JUDGED = Path(__file__).with_name("judged.toml")


@dataclass(frozen=True)
class Verdict:
    """A mutant, who noticed it, and why nobody can, where that was judged."""

    room: str
    mutant: Mutant
    outcome: Outcome
    reason: str | None

    @property
    def kind(self) -> str:
        """In which column of the table the mutant counts."""
        if self.outcome is Outcome.NOBODY and self.reason:
            return "changes nothing"
        return "unnoticed" if self.outcome is Outcome.NOBODY else self.outcome.value

    def line(self) -> str:
        """One line for people."""
        path = self.mutant.module.relative_to(_CHECKOUT / PACKAGE).as_posix()
        return f"{self.kind:{_KIND}} {path}:{self.mutant.line}  {self.mutant.was}  ->  {self.mutant.becomes}"


def drawn(given: argparse.Namespace) -> dict[str, list[Mutant]]:
    """Room, or module where modules are named -> the mutants drawn from it; all places are alike."""
    package = _CHECKOUT / PACKAGE
    parts = given.module or given.room or ROOMS
    part_of = {module: part for part in parts for module in modules_of(package, [part])}
    modules = list(part_of)
    if given.every:
        mutants = [mutant for module in modules for mutant in every_mutant(module)]
    else:
        mutants = draw(modules, given.count, str(given.seed))
    if given.on:
        lines = given.on.read_text(encoding="utf-8").splitlines()
        known = {line[_KIND:] for line in lines}
        mutants = [
            one for one in mutants if Verdict("", one, Outcome.NOBODY, None).line()[_KIND:] not in known
        ]
    if given.again:
        unnoticed = set(given.again.read_text(encoding="utf-8").splitlines())
        mutants = [one for one in mutants if Verdict("", one, Outcome.NOBODY, None).line() in unnoticed]
    found: dict[str, list[Mutant]] = {part: [] for part in parts}
    for mutant in mutants:
        found[part_of[mutant.module]].append(mutant)
    return found


def tried(mutants: dict[str, list[Mutant]], given: argparse.Namespace) -> Iterator[Verdict]:
    """Each mutant's verdict as soon as it is known; raises TestsFail where none passes without any mutant."""
    judgement = Judgement.read(_CHECKOUT / PACKAGE, _JUDGED)
    # A mutant that was judged is tried all the same: one that is noticed was judged wrongly.
    tests = {mutant.module: near(_CHECKOUT, mutant.module) for each in mutants.values() for mutant in each}
    with copied(_CHECKOUT) as first, ThreadPoolExecutor(given.jobs) as pool:
        _measure(first, tests.values(), given)
        for name in first.failing:
            print(f"fails without any change, and is left out: {name}", flush=True)
        free: SimpleQueue[Copy] = SimpleQueue()
        free.put(first)
        for number in range(1, given.jobs):
            free.put(first.twin(first.folder.parents[1] / str(number) / "checkout"))

        def verdict(room: str, mutant: Mutant) -> Verdict:
            copy = free.get()
            try:
                asked = tests[mutant.module]
                outcome = copy.outcome(mutant, asked, own_only=given.own)
            finally:
                free.put(copy)
            return Verdict(room, mutant, outcome, judgement.of(mutant))

        waiting = [pool.submit(verdict, room, mutant) for room, each in mutants.items() for mutant in each]
        try:
            for done in as_completed(waiting):
                yield done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _measure(made: Copy, tests: Iterable[Near], given: argparse.Namespace) -> None:
    """Run the tests once without a mutant, each room's once; or take in what an earlier run found."""
    if given.reach and given.reach.exists():
        for known in json.loads(given.reach.read_text(encoding="utf-8")):
            made.know(known)
        return
    # The room stands last, and the stages before it are in it.
    for paths in dict.fromkeys(asked.own if given.own else asked.others[-1:] or asked.own for asked in tests):
        if paths:
            made.measure(paths)
    if given.reach:
        given.reach.write_text(json.dumps(made.known), encoding="utf-8")


def report(verdicts: Sequence[Verdict]) -> float:
    """Print the table and the unnoticed mutants; the percentage noticed of those that change something."""
    kinds = (Outcome.OWN.value, Outcome.ROOM.value, "changes nothing", "unnoticed")
    rooms = dict.fromkeys(verdict.room for verdict in verdicts)
    width = max(map(len, [*rooms, "all"]), default=0)
    print(f"\n{'':{width}}  mutants  {'  '.join(kinds)}  noticed")
    share = 100.0
    for name in [*rooms, "all"]:
        counts = Counter(verdict.kind for verdict in verdicts if name in ("all", verdict.room))
        effective = counts.total() - counts["changes nothing"]
        share = 100 * (effective - counts["unnoticed"]) / effective if effective else 100.0
        cells = "  ".join(f"{counts[kind]:{len(kind)}}" for kind in kinds)
        print(f"{name:{width}}  {counts.total():7}  {cells}  {share:5.1f} %")
    for verdict in verdicts:
        if verdict.kind == "unnoticed":
            print(f"\n{verdict.line()}")
    return share


def main() -> int:
    """Read the command line, draw and try; the exit status."""
    parser = argparse.ArgumentParser(description="Do the tests notice a change?")
    parser.add_argument("--count", type=int, default=300, help="how many mutants are drawn (default: 300)")
    parser.add_argument("--seed", type=int, default=4059, help="of the draw (default: 4059)")
    parser.add_argument("--room", action="append", help="draw from this folder of the package")
    parser.add_argument("--module", action="append", help="draw from this module, a path in the package")
    parser.add_argument("--every", action="store_true", help="take all mutants instead of drawing")
    parser.add_argument("--own", action="store_true", help="run the tests of the module's name alone")
    parser.add_argument(
        "--again", type=Path, metavar="OUTPUT", help="try those unnoticed in an earlier output"
    )
    parser.add_argument(
        "--on", type=Path, metavar="OUTPUT", help="leave out those that an earlier output has"
    )
    parser.add_argument(
        "--reach", type=Path, metavar="FILE", help="what tests call, found first if it is not there"
    )
    parser.add_argument("--least", type=float, default=95.0, help="percentage to notice (default: 95)")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="how many mutants are tried at once")
    given = parser.parse_args()
    verdicts = []
    try:
        for verdict in tried(drawn(given), given):
            verdicts.append(verdict)
            print(verdict.line(), flush=True)
    except TestsFail as failure:
        print(f"No test passes without any change:\n{failure}", file=sys.stderr)
        return 2
    share = report(verdicts)
    for key in Judgement.read(_CHECKOUT / PACKAGE, _JUDGED).stale():
        print(f"judged.toml: no such line any more: {' | '.join(key)}")
    return int(share < given.least)


if __name__ == "__main__":
    sys.exit(main())
