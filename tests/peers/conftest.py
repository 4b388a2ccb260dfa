"""The environment in which the peers run: made on first use, apart from the project's own, then kept.

It stands in `.venv/peers` of the checkout; a changed requirements file makes it anew.
"""

import hashlib
import os
import shutil
import subprocess
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent
_ENVIRONMENT = _HERE.parents[1] / ".venv" / "peers"
_REQUIREMENTS = _HERE / "requirements.txt"
_OFFLINE = ("NewConnectionError", "ConnectTimeout", "Failed to establish", "name resolution", "unreachable")


def _build() -> Path:
    """Make the environment if it is not the one that the requirements file asks for; its interpreter."""
    python = _ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = _ENVIRONMENT / "requirements.sha256"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(_ENVIRONMENT, ignore_errors=True)
    venv.EnvBuilder(with_pip=True).create(_ENVIRONMENT)
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*command, "-r", str(_REQUIREMENTS)], capture_output=True, text=True, timeout=300)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        if any(word in done.stderr for word in _OFFLINE):
            pytest.skip(f"PEERS MISSING: the package registry cannot be reached ({reason[0]})")
        pytest.fail(f"the peers' environment cannot be made: {done.stderr}")
    stamp.write_text(wanted)
    return python


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """The interpreter of the environment that has `gurux-dlms` and `dlms-cosem`."""
    return _build()


@pytest.fixture
def start_peer(peer_python: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a script of this folder in the peers' environment; what still runs at the end is ended."""
    processes: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [str(peer_python), str(_HERE / script), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore"},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()
