"""The oracles as processes: asked about many APDUs at once."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.environments import interpreter_with

_HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def ask() -> Callable[[str, Sequence[bytes]], list[dict[str, Any]]]:
    """Asks an oracle ("pydlms" or "gurux") about APDUs; one answer each, see `oracle`."""
    python = interpreter_with("oracles", _HERE / "requirements.txt")

    def ask(oracle: str, apdus: Sequence[bytes]) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(python), str(_HERE / "oracle.py"), oracle],
            input="".join(f"{apdu.hex()}\n" for apdu in apdus),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=100,
            env={**os.environ, "PYTHONPATH": "", "PYTHONWARNINGS": "ignore", "PYTHONIOENCODING": "utf-8"},
        )
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(apdus)
        return answers

    return ask
