"""`python3 tests/fuzz`: octets that nobody thought of, to all that reads octets of others.

    python3 tests/fuzz --seconds 60                       a minute, shared among all targets
    python3 tests/fuzz --target tcp --seconds 3600        one for long; --keep FOLDER goes on where it stopped
    python3 tests/fuzz --blind --inputs 1000000 --seed 7  without a guide, the same inputs each time

Atheris guides by the code that an input reaches; where there is none for this system or this Python, inputs
are mutated blindly. Each input has a budget of work, in calls. Ends with 1 and the input in hex where one
raises, where two ways of reading differ, or where the work is too much.
"""

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
if __package__ in (None, ""):
    sys.path.insert(0, str(_CHECKOUT))
    from tests.helpers.equipment import equip

    equip("fuzz")

from tests.fuzz.target import Target  # noqa: E402

#: Fuzzes a target for so many seconds; what to tell of it, None where something was wrong.
_Way = Callable[[Target, float], str | None]


def _guided(given: argparse.Namespace, folder: Path) -> tuple[Mapping[str, Target], _Way]:
    from tests.fuzz.guided import fuzz_guided, instrumented

    def way(target: Target, seconds: float) -> str | None:
        seconds = 0 if seconds == float("inf") else max(round(seconds), 1)
        kept = (given.keep or folder) / target.name
        done = fuzz_guided(target, given.inputs or 0, int(seconds), given.seed, kept)
        print(done.failure, end="")
        return None if done.failure else f"{done.inputs} inputs, guided"

    return instrumented(), way


def _blind(given: argparse.Namespace, folder: Path) -> tuple[Mapping[str, Target], _Way]:
    from tests.fuzz.blind import fuzz
    from tests.fuzz.targets import TARGETS

    def way(target: Target, seconds: float) -> str:
        done = fuzz(target, given.inputs or sys.maxsize, seconds, given.seed)
        return f"{done.inputs} inputs, blind, of {done.most} calls at most"

    return TARGETS, way


def main() -> int:
    """Read the command line and fuzz; the exit status."""
    parser = argparse.ArgumentParser(description="Fuzz all that reads octets of others.")
    parser.add_argument("--target", action="append", help="only this; default: all")
    parser.add_argument("--seconds", type=float, help="for all targets together (default: 60)")
    parser.add_argument("--inputs", type=int, help="inputs of each target; alone: however long they take")
    parser.add_argument("--seed", type=int, default=4059, help="of the mutations (default: 4059)")
    parser.add_argument("--blind", action="store_true", help="without Atheris")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep what reaches new code here")
    given = parser.parse_args()
    if not given.blind and importlib.util.find_spec("atheris") is None:
        print("fuzz: there is no Atheris for this system and this Python: inputs are mutated blindly")
        given.blind = True
    if given.seconds is None:
        given.seconds = float("inf") if given.inputs else 60.0
    with tempfile.TemporaryDirectory(prefix="cosemscope-fuzz-") as folder:
        targets, way = (_blind if given.blind else _guided)(given, Path(folder))
        unknown = [name for name in given.target or () if name not in targets]
        if unknown:
            parser.error(f"no target {', '.join(unknown)}; there are {', '.join(targets)}")
        names = given.target or list(targets)
        for name in names:
            began = time.perf_counter()
            told = way(targets[name], given.seconds / len(names))
            if told is None:
                return 1
            print(f"fuzz: {name:14} {told}, {time.perf_counter() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
