"""Fuzzing guided by coverage, with Atheris: inputs that reach new code are kept and changed again.

Atheris ends its process when it ends, so that each target has a process of its own; and it sees only modules
that were imported while it looked on, which takes seconds: they are imported once, and the process is forked.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import atheris

from tests.fuzz.target import Target

#: How many times as many calls an input makes while Atheris looks on, which calls it at every branch.
_CALLS = 4
_DONE = re.compile(r"number_of_executed_units:\s*(\d+)")


class Outcome(NamedTuple):
    """How many inputs a target took; what was said, where one of them was wrong."""

    inputs: int
    failure: str


def instrumented() -> Mapping[str, Target]:
    """The targets, imported so that Atheris sees what they reach."""
    with redirect_stderr(StringIO()), atheris.instrument_imports(include=["cosemscope"]):
        from tests.fuzz.targets import TARGETS
    return TARGETS


def fuzz_guided(target: Target, inputs: int, seconds: int, seed: int, folder: Path) -> Outcome:
    """Fuzz for `seconds` or `inputs` inputs (0: no bound); `folder` has and keeps what reached new code."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if child == 0:
            for descriptor in (1, 2):
                os.dup2(output.fileno(), descriptor)
            _fuzz(target, inputs, seconds, seed, folder)
            os._exit(1)  # it does not come back from there
        _, status = os.waitpid(child, 0)
        output.seek(0)
        said = output.read().decode(errors="replace")
    done = _DONE.search(said)
    if os.waitstatus_to_exitcode(status) or done is None:
        return Outcome(0, said)
    return Outcome(int(done[1]), "")


def _fuzz(target: Target, inputs: int, seconds: int, seed: int, folder: Path) -> None:
    budget = {"calls": _CALLS * target.calls, "calls_an_octet": _CALLS * target.calls_an_octet}
    target = replace(target, **budget)
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(target.begin()):
        (folder / f"seed-{number}").write_bytes(octets[: target.longest])

    def take(octets: bytes) -> None:
        try:
            target.run(octets)
        except Exception:
            print(f"fuzz {target.name}: input in hex: {octets.hex()}", flush=True)
            raise

    settings = {
        "max_total_time": seconds,
        "runs": inputs or -1,
        "seed": seed,
        "max_len": target.longest,
        "artifact_prefix": f"{folder}{os.sep}",
        "timeout": 30,
        "rss_limit_mb": 2048,
        "verbosity": 0,
        "print_final_stats": 1,
    }
    atheris.Setup(["fuzz", *(f"-{name}={value}" for name, value in settings.items()), str(folder)], take)
    atheris.Fuzz()
