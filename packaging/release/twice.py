"""Builds again in another folder and holds the outcome against the first: not one octet may differ."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from release.facts import BUILD, CHECKOUT, build_epoch
from release.steps import BuildError, need, run, say

#: Another name, another length, another depth than the checkout's.
PLACE = BUILD / "again" / "in-quite-another-folder"


def copy_checkout() -> Path:
    """Copy what git knows of the checkout, as it stands now, to the other folder; return it."""
    asked = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True)
    for name in filter(None, asked.stdout.decode().split("\0")):
        if (CHECKOUT / name).is_file():
            target = PLACE / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target)
    return PLACE


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of each file in a folder, by its path there."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return {os.path.relpath(each, path): hashlib.sha256(each.read_bytes()).hexdigest() for each in files}


def build_again(targets: Sequence[str], outcomes: Sequence[Path]) -> None:
    """Build `targets` in the other folder; raises BuildError where one of `outcomes` differs there."""
    shutil.rmtree(PLACE, ignore_errors=True)
    place = copy_checkout()
    epoch = {"SOURCE_DATE_EPOCH": str(build_epoch())}
    run(
        [sys.executable, place / "packaging" / "build.py", *targets],
        folder=place,
        environment=epoch,
        seconds=3_000,
    )
    for first in outcomes:
        second = place / first.relative_to(CHECKOUT)
        here, there = digests(first), digests(second)
        if not here or here != there:
            differ = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
            raise BuildError(f"{first} differs in {differ[:10]}:\n{explain(first, second, differ[:1])}")
        say(f"twice the same: {first.relative_to(CHECKOUT)} ({len(here)} files)")
    shutil.rmtree(PLACE, ignore_errors=True)


def explain(first: Path, second: Path, names: Sequence[str]) -> str:
    """What diffoscope says of the first file that differs."""
    need("diffoscope")
    pair = [path / name if path.is_dir() else path for path in (first, second) for name in names]
    if len(pair) != 2 or not all(path.exists() for path in pair):
        return "it is in one of them only"
    return run(["diffoscope", "--max-report-size", "4000", *pair], statuses=(0, 1, 2))[:4000]
