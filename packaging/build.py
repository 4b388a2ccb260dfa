"""Builds what is installed, into `dist/`: `python3 packaging/build.py TARGET...`.

A target is a row of `TARGETS`: what it is, and what makes it, or the targets that it stands for. Each takes
what the earlier ones made. What goes in and what it is called stands in `release/`.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from release import freezing, inspection, python_packages
from release.linux import deb, trial
from release.macos import image
from release.steps import BuildError, say
from release.windows import frozen as windows_frozen
from release.windows import nsis, signing
from release.windows import trial as windows_trial
from workspace import SetupError


class Target(NamedTuple):
    """Something to build: what it is, and what makes it, or the targets that it stands for."""

    meaning: str
    make: Callable[[], object] | tuple[str, ...]


def write_lists() -> None:
    """Write the committed list of each frozen folder that is there."""
    for system, folder in (
        (freezing.SYSTEM, freezing.FROZEN / "cosemscope"),
        ("windows", windows_frozen.FROZEN / "cosemscope"),
    ):
        if folder.is_dir():
            inspection.write_list(inspection.LISTS / f"{system}.txt", inspection.sizes(folder))


TARGETS: dict[str, Target] = {
    "wheel": Target("the wheel and the sdist", python_packages.build),
    "frozen": Target("the program for this system, in a folder", freezing.freeze),
    "inspect": Target("that folder against its committed list", freezing.inspect_frozen),
    "self-test": Target("the frozen program's own test", trial.self_test),
    "deb": Target("the package for Debian and Ubuntu", deb.pack),
    "deb-check": Target("that package under lintian and its like", trial.check),
    "deb-trial": Target("that package installed, started, photographed, removed", trial.install_and_remove),
    "linux": Target("all for Linux", ("frozen", "inspect", "self-test", "deb", "deb-check", "deb-trial")),
    "macos-sign": Target("the bundle signed, with what the environment has", image.sign),
    "dmg": Target("the disk image for macOS", image.pack),
    "dmg-trial": Target("that image mounted and its program tested", image.trial),
    "macos": Target("all for macOS", ("frozen", "macos-sign", "dmg", "dmg-trial")),
    "windows-frozen": Target("the program for Windows, frozen under Wine", windows_frozen.freeze),
    "windows-inspect": Target("that folder against its committed list", windows_frozen.inspect_frozen),
    "windows-setup": Target("the installer for Windows", nsis.compile_setup),
    "windows-portable": Target("the zip for Windows that needs no installing", nsis.pack_portable),
    "windows-trial": Target("that installer tried: installed, upgraded, removed", windows_trial.trial),
    "windows": Target(
        "all for Windows",
        ("windows-frozen", "windows-inspect", "windows-setup", "windows-portable", "windows-trial"),
    ),
    "write-lists": Target("the committed lists anew, from the folders that are there", write_lists),
}


def build(name: str) -> None:
    """Make one target, or those that it stands for; raises BuildError."""
    make = TARGETS[name].make
    if isinstance(make, tuple):
        for each in make:
            build(each)
        return
    began = time.monotonic()
    made = make()
    say(f"{name}: {made or 'done'} ({time.monotonic() - began:.0f} s)")


def main(words: Sequence[str]) -> int:
    """Make the targets that `words` name, in their order; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="build.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="targets:\n" + "\n".join(f"  {name:<18}{each.meaning}" for name, each in TARGETS.items()),
    )
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], metavar="TARGET")
    parser.add_argument("--sign", type=Path, metavar="PROGRAM", help="only sign this (what NSIS calls)")
    arguments = parser.parse_args(words)
    try:
        if arguments.sign:
            signing.sign([arguments.sign])
        for name in arguments.targets:
            build(name)
    except (BuildError, SetupError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
