"""Freezes the Windows program under Wine, with the same recipe as everywhere."""

from pathlib import Path

from release import freezing, inspection
from release.facts import FACTS
from release.freezing import SPEC
from release.steps import say
from release.windows.runtime import PLACE, RUNTIME, make_runtime
from release.windows.wine import make_prefix, settle, windows_path, wine

FROZEN = PLACE / "frozen"


def freeze() -> Path:
    """Make the runtime, the Wine prefix and the frozen folder; return the folder."""
    make_runtime()
    make_prefix()
    freezing.prepare(RUNTIME / "Lib" / "site-packages")
    say("Freezing under Wine ...")
    places = freezing.fresh(PLACE / "pyinstaller"), freezing.fresh(FROZEN), SPEC
    wine([RUNTIME / "python.exe", *freezing.pyinstaller_words(*map(windows_path, places))])
    settle()
    return FROZEN / FACTS.command


def inspect_frozen() -> None:
    """Hold the frozen folder against its list and the bars; raises BuildError."""
    inspection.inspect(FROZEN / FACTS.command, "windows", freezing.frozen_python())
