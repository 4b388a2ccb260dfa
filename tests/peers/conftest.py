"""The peers as processes, in an environment apart from the project's own; see `helpers.environments`."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.environments import interpreter_with

_HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def peer_python() -> Path:
    """The interpreter of the environment that has `gurux-dlms` and `dlms-cosem`."""
    return interpreter_with("peers", _HERE / "requirements.txt")


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
