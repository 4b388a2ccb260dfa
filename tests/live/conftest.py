"""What a client keeps between runs is kept in a folder of the test."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder."""
    folder = tmp_path / "state"
    monkeypatch.setenv("COSEMSCOPE_STATE", str(folder))
    return folder
