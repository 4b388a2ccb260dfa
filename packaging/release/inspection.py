"""Inspects a frozen folder: its files against the committed list, its size, and what must not be inside.

The lists stand in `release/lists`, a line a file: size in octets and path. `build.py write-lists` writes
them anew after a wanted change; `git diff` then shows the change.
"""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from release.contents import wanted_file, wanted_module
from release.facts import CHECKOUT, FACTS
from release.steps import BuildError, run_module, say
from workspace import Place

LISTS = Path(__file__).with_name("lists")
MEGABYTE = 1_000_000
#: The bars: octets installed, octets downloaded.
MOST_INSTALLED, MOST_DOWNLOADED = 250 * MEGABYTE, 90 * MEGABYTE
#: How far a file's size may be from the list's: this part of it and some octets more.
_PART, _OCTETS = 0.10, 16_384
_KEY_FILE = re.compile(r"\.(pem|p12|pfx|key|jks|keystore)$|(^|/)id_(rsa|ed25519)$", re.IGNORECASE)
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[A-Za-z0-9+/=\s]{64}")


def sizes(folder: Path) -> dict[str, int]:
    """Octets of each file below `folder`, by its path there; links count nothing."""
    return {
        path.relative_to(folder).as_posix(): 0 if path.is_symlink() else path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def read_list(path: Path) -> dict[str, int]:
    """The committed list: octets by path; empty where there is none."""
    if not path.exists():
        return {}
    lines = (line.split(" ", 1) for line in path.read_text(encoding="utf-8").splitlines())
    return {name: int(size) for size, name in lines}


def write_list(path: Path, found: dict[str, int]) -> None:
    """Write the list of `found`."""
    text = "".join(f"{size} {name}\n" for name, size in sorted(found.items()))
    path.write_text(text, encoding="utf-8", newline="\n")


def compare(found: dict[str, int], listed: dict[str, int]) -> list[str]:
    """Faults, a sentence each: files too many, too few, or of another size than the list says."""
    faults = [f"{name} is not in the list" for name in sorted(found.keys() - listed.keys())]
    faults += [f"{name} is in the list and not there" for name in sorted(listed.keys() - found.keys())]
    for name in sorted(found.keys() & listed.keys()):
        if abs(found[name] - listed[name]) > listed[name] * _PART + _OCTETS:
            faults.append(f"{name} has {found[name]:,} octets, the list says {listed[name]:,}")
    return faults


def machine_paths() -> list[str]:
    """Paths of the building machine that nothing which is released may tell."""
    paths = {str(CHECKOUT), os.path.realpath(CHECKOUT), str(Path.home() / ".pyenv")}
    if sys.base_prefix not in ("/usr", "/usr/local"):
        paths.add(sys.base_prefix)
    return sorted(paths)


def forbidden(folder: Path) -> Iterator[str]:
    """Faults in the files themselves: tests, keys, paths of this machine."""
    needles = {path.encode(spelling): path for path in machine_paths() for spelling in ("utf-8", "utf-16-le")}
    needles |= {needle.replace(b"/", b"\\"): path for needle, path in needles.items()}
    for name in sizes(folder):
        if not wanted_file(name):
            yield f"{name} is a test, or of no use"
        if _KEY_FILE.search(name):
            yield f"{name} looks like a key"
        octets = (folder / name).read_bytes()
        if _PRIVATE_KEY.search(octets):
            yield f"{name} holds a private key"
        yield from (f"{name} tells {path}" for needle, path in needles.items() if needle in octets)


def inspect(folder: Path, system: str, place: Place) -> None:
    """Print the size of the frozen `folder`; raise BuildError with every fault.

    `place` is the environment that it was frozen with: only that Python reads the modules in the program.
    """
    found = sizes(folder)
    listing = LISTS / f"{system}.txt"
    total = sum(found.values())
    bar = f"at most {MOST_INSTALLED // MEGABYTE}"
    say(f"{system}: {len(found)} files, {total / MEGABYTE:.1f} MB installed ({bar})")
    faults = compare(found, read_list(listing)) + list(forbidden(folder))
    if total > MOST_INSTALLED:
        faults.append(f"{total:,} octets are more than {MOST_INSTALLED:,}")
    program = folder / (f"{FACTS.command}.exe" if system == "windows" else FACTS.command)
    faults += run_module(place, "release.inspection", program).splitlines()
    if faults:
        raise BuildError(f"{len(faults)} faults in {folder}:\n" + "\n".join(faults[:40]))


def check_download(path: Path) -> None:
    """Print the size of what is downloaded; raises BuildError where it is over the bar."""
    size = path.stat().st_size
    say(f"{path.name}: {size / MEGABYTE:.1f} MB to download (at most {MOST_DOWNLOADED // MEGABYTE})")
    if size > MOST_DOWNLOADED:
        raise BuildError(f"{path.name} has {size:,} octets, more than {MOST_DOWNLOADED:,}")


def frozen_modules(program: Path) -> Iterator[str]:
    """Faults in the modules inside a frozen program: tests, and code that tells a path of this machine."""
    from PyInstaller.archive.readers import CArchiveReader

    archive = CArchiveReader(str(program)).open_embedded_archive("PYZ.pyz")
    for name in archive.toc:
        if not wanted_module(name):
            yield f"module {name} is a test"
        code = archive.extract(name)
        file = getattr(code, "co_filename", "")
        if os.path.isabs(file) or re.match(r"[A-Za-z]:", file):
            yield f"module {name} tells {file}"
    if "cosemscope.__main__" not in archive.toc:
        yield "the program is not inside"


if __name__ == "__main__":
    for fault in frozen_modules(Path(sys.argv[1])):
        print(fault)
