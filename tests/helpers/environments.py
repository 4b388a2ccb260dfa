"""Environments of other people's software that tests run as processes: made on first use, then kept.

They stand in `.venv/NAME` of the checkout; a changed requirements file makes one anew.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.helpers.scripts import script

_CHECKOUT = Path(__file__).resolve().parents[2]
_OFFLINE = ("NewConnectionError", "ConnectTimeout", "Failed to establish", "name resolution", "unreachable")


class EnvironmentMissing(Exception):  # noqa: N818 -- no error where the machine is offline
    """An environment cannot be made because the package registry cannot be reached; the message says why."""


def interpreter_with(name: str, requirements: Path) -> Path:
    """The interpreter of the environment `name`, which has these requirements.

    Skips the test, loudly, when the package registry cannot be reached; fails it when anything else is wrong.
    """
    import pytest

    try:
        return environment(name, requirements)
    except EnvironmentMissing as reason:
        pytest.skip(str(reason))


def environment(name: str, requirements: Path) -> Path:
    """The same for who is no test: raises EnvironmentMissing, or RuntimeError when anything else is wrong."""
    folder = _CHECKOUT / ".venv" / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.sha256"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    command = [*_pip_for(python, folder), "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, timeout=300)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        if any(word in done.stderr for word in _OFFLINE):
            raise EnvironmentMissing(
                f"{name.upper()} MISSING: the package registry cannot be reached ({reason[0]})"
            )
        raise RuntimeError(f"the environment of the {name} cannot be made: {done.stderr}")
    stamp.write_text(wanted)
    return python


def pip_beside(python: Path) -> list[str]:
    """The pip to download with, beside an environment: that of the Python below, or its own."""
    outer = _outer()
    return [outer or str(python), "-m", "pip"]


def _pip_for(python: Path, folder: Path) -> list[str]:
    """Make the environment; the pip that installs into it: that of the Python below, where it has one.

    A bare Debian has that, and cannot make an environment with a pip of its own.
    """
    outer = _outer()
    venv.EnvBuilder(with_pip=outer is None).create(folder)
    return [str(python), "-m", "pip"] if outer is None else [outer, "-m", "pip", "--python", str(python)]


def _outer() -> str | None:
    """A Python below whose pip installs into other environments, if any."""
    has_pip = script("installer").has_pip
    return next((each for each in (sys._base_executable, sys.executable) if has_pip(each)), None)
