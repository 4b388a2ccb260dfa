"""The examples in `resources/examples` run as they stand, each against its counterpart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]
_EXAMPLES = _ROOT / "resources" / "examples"


def start(name: str, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(_EXAMPLES / name), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_ROOT / "app"), "PYTHONUNBUFFERED": "1"},
    )


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_client_and_server_understand_each_other(transport: str) -> None:
    """The examples run as they stand, in processes of their own."""
    server = start(f"{transport}_server.py", "0")
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip().rpartition(":")[2]
        client = start(f"{transport}_client.py", "127.0.0.1", port)
        out, errors = client.communicate(timeout=30)
        assert (client.returncode, errors) == (0, "")
        assert out.split() == ["d80102", "d80102"]
        assert "wPort 16 to 1: 60" in server.stdout.readline()
    finally:
        server.kill()
        server.communicate()


def test_a_client_without_a_server_says_so() -> None:
    """The first thing that goes wrong for a reader is a sentence, no traceback."""
    client = start("tcp_client.py", "127.0.0.1", "1")
    _, errors = client.communicate(timeout=30)
    assert client.returncode == 1
    assert "connection refused by 127.0.0.1:1" in errors
    assert "Traceback" not in errors
