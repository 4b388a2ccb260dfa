"""What every recipe does: run a program and tell its last words where it fails; fetch Debian's tools."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.facts import CHECKOUT, build_epoch
from workspace import Place

#: Command -> Debian package that has it.
DEBIAN_TOOLS = {
    "Xvfb": "xvfb",
    "appstreamcli": "appstream",
    "desktop-file-validate": "desktop-file-utils",
    "diffoscope": "diffoscope-minimal",
    "flatpak-builder": "flatpak-builder",
    "import": "imagemagick",
    "lintian": "lintian",
    "makensis": "nsis",
    "osslsigncode": "osslsigncode",
    "wine": "wine",
    "x86_64-w64-mingw32-gcc": "gcc-mingw-w64-x86-64",
    "/usr/lib/wine/wine64": "wine64",
    "/usr/bin/python3": "python3",
    "/usr/lib/python3.11/os.py": "libpython3.11-stdlib",
    "/usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0": "libpython3.11",
    "xdotool": "xdotool",
}


class BuildError(Exception):
    """A build cannot go on; the text is a sentence for people: what happened and what to do."""


def say(text: str) -> None:
    """Tell how the build goes."""
    print(text, flush=True)


def build_environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """The environment of every step: one time, one order of sets, one language, so that builds repeat."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COSEMSCOPE"))
    }
    fixed = {
        "SOURCE_DATE_EPOCH": str(build_epoch()),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "UV_SYSTEM_CERTS": "true",  # uv trusts what the machine trusts, as pip does
    }
    return {**kept, **fixed, **extra}


def run(
    words: Sequence[str | Path],
    *,
    environment: Mapping[str, str] = {},
    folder: Path = CHECKOUT,
    seconds: float = 1_200,
    statuses: Sequence[int] = (0,),
) -> str:
    """Run a program to its end; return what it printed. Raises BuildError for a status not in `statuses`."""
    command = [str(word) for word in words]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=build_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError as error:
        raise BuildError(f"{command[0]} is missing: {remedy([command[0]])}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{' '.join(command)} did not end within {seconds:.0f} s") from error
    if done.returncode not in statuses:
        last = "\n".join(done.stdout.splitlines()[-25:])
        raise BuildError(f"{' '.join(command)} ended with status {done.returncode}:\n{last}")
    return done.stdout


def run_module(place: Place, module: str, *words: str | Path, environment: Mapping[str, str] = {}) -> str:
    """Run the module `module` of this folder with the Python of `place`; return what it printed."""
    return run(
        [place.python, "-m", module, *words],
        environment={"PYTHONPATH": str(CHECKOUT / "packaging"), **environment},
    )


def need(*tools: str) -> None:
    """See that the commands or files `tools` are there; as root on Debian, install their packages.

    Raises BuildError, with the line to run, where that cannot be done.
    """
    missing = _missing(tools)
    if not missing:
        return
    packages = sorted({DEBIAN_TOOLS[tool] for tool in missing})
    if shutil.which("apt-get") and os.geteuid() == 0:
        say(f"Installing tools: {' '.join(packages)}")
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        run(["apt-get", "update", "-qq"], environment=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        run([*install, *packages], environment=quiet)
        missing = _missing(tools)
    if missing:
        raise BuildError(f"{', '.join(missing)} missing: {remedy(missing)}")


def _missing(tools: Sequence[str]) -> list[str]:
    return [tool for tool in tools if not (shutil.which(tool) or (tool[0] == "/" and Path(tool).exists()))]


def remedy(tools: Sequence[str]) -> str:
    """How to get the commands `tools` on Debian; elsewhere their names must do."""
    packages = sorted({DEBIAN_TOOLS.get(tool, tool) for tool in tools})
    return f"install {' '.join(packages)} (on Debian: sudo apt-get install {' '.join(packages)})."


def only_on(system: str, what: str) -> None:
    """Raise BuildError unless this is the `system` (sys.platform) that `what` is made on."""
    if not sys.platform.startswith(system):
        raise BuildError(f"{what} is made on {system}, this is {sys.platform}.")
