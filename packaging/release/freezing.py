"""Freezes the program with PyInstaller into a folder that needs no Python, and measures what came out."""

import os
import shutil
import sys
from pathlib import Path

import installer
from release import icons, inspection, licences
from release.facts import BUILD, CHECKOUT, FACTS
from release.steps import need, run, say
from workspace import Place, alone, missing_sets, read_mark

#: This system as the file lists call it.
SYSTEM = {"win32": "windows", "darwin": "macos"}.get(sys.platform, "linux")
SPEC = CHECKOUT / "packaging" / "release" / "cosemscope.spec"
FROZEN = BUILD / "frozen"


def environment(name: str, sets: list[str], base: str | None = None) -> Place:
    """The virtual environment `build/<name>` with the pinned `sets`, made where it is missing."""
    place = Place(str(CHECKOUT), os.path.join("build", name), base)
    Path(place.venv).parent.mkdir(parents=True, exist_ok=True)
    with alone(place):
        mark = read_mark(place)
        missing = missing_sets(place, mark, sets)
        if missing:
            installer.set_up(place, mark, missing)
    return place


def release_tools() -> Place:
    """The environment of what makes and checks a release."""
    return environment("release-tools", ["app", "release"])


def system_python() -> str | None:
    """The Python to freeze: on Linux the distribution's, since others carry the folder they were built in."""
    if not sys.platform.startswith("linux"):
        return None
    need("/usr/bin/python3")
    version = run(["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    if version == "3.11":
        need("/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0")
    return os.path.realpath("/usr/bin/python3")


def frozen_python() -> Place:
    """The environment that is frozen."""
    return environment("frozen-python", ["app", "freeze"], system_python())


def freeze() -> Path:
    """Freeze for the system that this runs on; return the folder."""
    place = frozen_python()
    prepare(Path(run([place.python, "-c", _WHERE]).strip()))
    say("Freezing ...")
    work = fresh(BUILD / "pyinstaller")
    run([place.python, *pyinstaller_words(str(work), str(fresh(FROZEN)), str(SPEC))])
    return FROZEN / FACTS.command


_WHERE = "import sysconfig; print(sysconfig.get_path('purelib'))"


def prepare(site_packages: Path) -> None:
    """Make the icons, and gather the licences of the distributions in `site_packages`, for the recipe."""
    icons.make_icons(release_tools())
    licences.collect(site_packages, BUILD / "licences")


def fresh(folder: Path) -> Path:
    """The folder, emptied."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def pyinstaller_words(work: str, target: str, spec: str) -> list[str]:
    """What Python is told so that PyInstaller follows `spec`."""
    options = ["--noconfirm", "--clean", "--log-level=WARN", "--workpath", work, "--distpath", target]
    return ["-m", "PyInstaller", *options, spec]


def inspect_frozen() -> None:
    """Hold the frozen folder against its list and the bars; raises BuildError."""
    inspection.inspect(FROZEN / FACTS.command, SYSTEM, frozen_python())
