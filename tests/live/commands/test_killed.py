"""kill -9 in mid-traffic: what a live process had received, and told, stands in its recording."""

import json
import os
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.transport.wpdu import HEADER_SIZE, Wpdu

pytestmark = pytest.mark.timeout(90)
_APP = Path(__file__).resolve().parents[3] / "app"
_ENOUGH = 300


def started(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cosemscope", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(_APP)},
    )


def marked(number: int) -> bytes:
    """A GET-response that is told from all others by its value."""
    return bytes.fromhex("c401c10006") + number.to_bytes(4, "big")


def read_wpdu(stream: socket.socket) -> bytes:
    """The APDU of the next WPDU; empty at the end."""
    head = b""
    while len(head) < HEADER_SIZE:
        part = stream.recv(HEADER_SIZE - len(head))
        if not part:
            return b""
        head += part
    left, apdu = struct.unpack(">H", head[6:])[0], b""
    while len(apdu) < left:
        apdu += stream.recv(left - len(apdu))
    return apdu


def kept(path: Path) -> bytes:
    """All octets of a recording, which opens as one although nobody has finished it."""
    with open_capture(path):
        return path.read_bytes()


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_killed_listener_has_kept_all_that_it_answered(transport: str, tmp_path: Path) -> None:
    """An answer goes out only after its request is in the file."""
    path = tmp_path / "listen.pcapng"
    only = "--tcp-only" if transport == "tcp" else "--udp-only"
    process = started("listen", "127.0.0.1:0", only, "--answer", "6300", "--json", "--write", str(path))
    assert process.stdout is not None
    listening = json.loads(process.stdout.readline())
    host, _, port = listening["address"].rpartition(":")
    threading.Thread(target=process.stdout.read, daemon=True).start()
    kind = socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM
    answered = []
    with socket.socket(socket.AF_INET, kind) as peer:
        peer.settimeout(20)
        peer.connect((host, int(port)))
        for number in range(_ENOUGH):
            peer.send(Wpdu(16, 1, marked(number)).encode())
            assert (read_wpdu(peer) if transport == "tcp" else peer.recv(100)[8:]) == b"\x63\x00"
            answered.append(number)
        process.kill()
    process.wait(20)
    octets = kept(path)
    assert [number for number in answered if marked(number) not in octets] == []


def test_a_killed_link_has_kept_all_that_it_told(tmp_path: Path) -> None:
    """An APDU is told only after it is in the file."""
    path = tmp_path / "connect.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            stream, _ = listening.accept()
            number = 0
            with stream:
                try:
                    while read_wpdu(stream):
                        stream.sendall(Wpdu(1, 16, marked(number)).encode())
                        number += 1
                except ConnectionError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        where = f"127.0.0.1:{listening.getsockname()[1]}"
        get = "c001c1000100002a0000ff0200"
        process = started(
            "connect", where, "--send", get, "--repeat", "1000000", "--json", "--write", str(path)
        )
        assert process.stdout is not None
        told = []
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "received":
                told.append(event["apdu"])
                if len(told) == _ENOUGH:
                    process.kill()
                    break
        for line in process.stdout.read().splitlines():
            if line.endswith("}") and json.loads(line)["event"] == "received":
                told.append(json.loads(line)["apdu"])
        process.wait(20)
    octets = kept(path)
    assert len(told) >= _ENOUGH
    assert [apdu for apdu in told if bytes.fromhex(apdu) not in octets] == []
