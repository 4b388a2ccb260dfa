"""The Windows that an installer is tried on, this one or Wine's: its programs, folders and registry."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from release.facts import FACTS
from release.steps import run
from release.windows import wine as under_wine

#: What reg.exe says of a key without a default value.
_NOT_SET = "(value not set)"
NATIVE = sys.platform == "win32"


def run_program(words: Sequence[str | Path], *, statuses: Sequence[int] = (0,), seconds: float = 600) -> str:
    """Run a Windows program to its end; return what it printed."""
    runner = run if NATIVE else under_wine.wine
    return runner(words, statuses=statuses, seconds=seconds)


def wait_for_all() -> None:
    """Wait until all that programs started has ended, and what they changed is written; on Windows it is."""
    if not NATIVE:
        under_wine.settle()


def spelled(path: Path) -> str:
    """The path as programs there spell it."""
    return str(path) if NATIVE else under_wine.windows_path(path)


def folder(variable: str) -> Path:
    """The folder that an environment variable of the user (APPDATA, LOCALAPPDATA) or machine names there."""
    if NATIVE:
        return Path(os.environ[variable])
    drive = under_wine.PREFIX / "drive_c"
    profile = next(path for path in (drive / "users").iterdir() if path.name != "Public")
    return {
        "APPDATA": profile / "AppData" / "Roaming",
        "LOCALAPPDATA": profile / "AppData" / "Local",
        "PROGRAMFILES": drive / "Program Files",
        "PROGRAMDATA": drive / "ProgramData",
    }[variable]


def read_registry(key: str, value: str = "") -> str | None:
    """A value in the registry as text, the default one for an empty name; None where it is not there."""
    said = run_program(["reg", "query", key, *(["/v", value] if value else ["/ve"])], statuses=(0, 1))
    found = re.search(r"^\s+.+?\s+REG_\w+\s*(.*?)\s*$", said, re.MULTILINE)
    return found[1] if found and found[1] != _NOT_SET else None


def set_registry(key: str, value: str, kind: str, text: str) -> None:
    """Set a value in the registry."""
    run_program(["reg", "add", key, "/v", value, "/t", kind, "/d", text, "/f"])


def mentions(roots: Sequence[str]) -> list[str]:
    """Lines of the registry below `roots` that name the program."""
    said = "".join(run_program(["reg", "query", root, "/s"], statuses=(0, 1)) for root in roots)
    return [line.strip() for line in said.splitlines() if FACTS.name.lower() in line.lower()]
