"""A real exchange on the loopback interface, captured in every way at once: all ways give the same WPDUs."""

import asyncio
import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import serve_tcp
from tests.helpers.capturing import (
    Capture,
    Event,
    capturing,
    command,
    environment,
    needs,
    needs_rights,
    wpdus,
)
from tests.helpers.meter import Meter
from tests.helpers.tshark import tshark

pytestmark = pytest.mark.timeout(120)

StartPeer = Callable[..., "subprocess.Popen[str]"]
#: What each client sends and gets, besides the blocks of the long value.
CONVERSATION = [
    "AARQ",
    "AARE",
    "get-request",
    "get-response",
    *["get-request", "get-response"] * 3,
    "RLRQ",
    "RLRE",
]


async def serve_meter(link: TcpLink) -> None:
    meter = Meter()
    while True:
        await link.send(meter.answer(await link.receive()))


async def converse(start_peer: StartPeer, begin: Callable[[int], None]) -> None:
    """Both clients in turn read from a server of ours, once `begin` was told its port."""
    async with serve_tcp(port=0, handler=serve_meter) as server:
        await asyncio.to_thread(begin, server.address[1])
        for script in ("gurux_client.py", "dlms_cosem_client.py"):
            process = start_peer(script, *server.address)
            out, errors = await asyncio.to_thread(process.communicate, timeout=60)
            assert process.returncode == 0, errors
            assert json.loads(out)["released"]


class Everything:
    """The ways in, all on the same exchange."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.captures: dict[str, Capture] = {}
        self._tcpdump = needs("tcpdump")
        self._stack = contextlib.ExitStack()
        self.followed: subprocess.Popen[str] | None = None

    def begin(self, port: int) -> None:
        """Start all captures; returns when all of them capture."""
        own = ("--port", port)
        for name, words in {
            "libpcap": ("-i", "lo", *own),
            "immediate": ("-i", "lo", "--immediate", "-f", f"tcp port {port}"),
            "dumpcap": ("-i", "lo", "--by", "dumpcap", *own),
        }.items():
            self._capture(name, *words)
        named = self.folder / "named.pipe"
        os.mkfifo(named)
        self._dump(port, "-w", str(named))
        self._capture("named pipe", named)
        stream = self._dump(port, "-w", "-", stdout=subprocess.PIPE)
        assert stream.stdout is not None
        self.followed = self._start("list", "-", "--follow", "--json", stdin=stream.stdout)
        second = self._dump(port, "-w", "-", "--nano", stdout=subprocess.PIPE)
        self.piped = self._start(
            "capture", "-", "--json", "-w", self.folder / "pipe.pcapng", stdin=second.stdout
        )
        assert self.piped.stdout is not None
        self.piped.stdout.readline()

    def end(self) -> dict[str, list[Event]]:
        """Stop all of them; the WPDUs of each."""
        # The last acknowledgements, through buffers of 50 and 250 ms; and who captures beside a busy machine
        # has to come to its turn before it is told to end.
        time.sleep(1.2)
        for process in self._dumps:
            process.terminate()
        for name, capture in self.captures.items():
            kept = capture.rest() if name == "named pipe" else capture.stop()
            assert kept["event"] == "kept", capture.events
            assert not kept["dropped"]
        assert self.followed is not None
        lines = self.followed.communicate(timeout=20)[0].splitlines()
        self.piped.communicate(timeout=20)
        files = {name: capture.file for name, capture in self.captures.items()}
        files["pipe"] = self.folder / "pipe.pcapng"
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(tshark, files.values()))
        found = {name: wpdus(path) for name, path in files.items()}
        return {**found, "pipe, followed": [json.loads(line) for line in lines]}

    def __enter__(self) -> "Everything":
        self._dumps: list[subprocess.Popen[bytes]] = []
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _capture(self, name: str, *words: object) -> None:
        path = self.folder / f"{name.replace(' ', '-')}.pcapng"
        self.captures[name] = self._stack.enter_context(capturing(*words, "-w", path))

    def _dump(self, port: int, *words: str, stdout: int = subprocess.DEVNULL) -> "subprocess.Popen[bytes]":
        line = [self._tcpdump, "-i", "lo", "-U", "--immediate-mode", *words, "port", str(port)]
        process = subprocess.Popen(line, stdout=stdout, stderr=subprocess.PIPE)
        self._stack.callback(process.kill)
        if "-" in words:  # one that writes into a named pipe waits for the reader
            assert process.stderr is not None
            while b"listening" not in (line := process.stderr.readline()):
                assert line, "tcpdump has ended"
        self._dumps.append(process)
        return process

    def _start(self, *words: object, stdin: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command(*words), stdin=stdin, stdout=subprocess.PIPE, text=True, env=environment()
        )
        self._stack.callback(process.kill)
        return process


def test_every_way_gives_the_same_wpdus(tmp_path: Path, start_peer: StartPeer) -> None:
    """libpcap, dumpcap, a pipe and a named pipe: what two foreign clients said is there, with true times."""
    needs_rights()
    needs("dumpcap")
    with Everything(tmp_path) as everything:
        began = time.time()
        asyncio.run(converse(start_peer, everything.begin))
        ended = time.time()
        found = everything.end()
    assert len(found) == 6
    for name, listed in found.items():
        apdus = [wpdu["apdu"] for wpdu in listed]
        assert apdus == CONVERSATION * 2, name
        times = [float(wpdu["time"]) for wpdu in listed]
        assert times == sorted(times), name
        assert all(began <= moment <= ended for moment in times), name
    reference = found["libpcap"]
    for name, listed in found.items():
        assert [unstamped(wpdu) for wpdu in listed] == [unstamped(wpdu) for wpdu in reference], name
        for mine, other in zip(listed, reference, strict=True):
            assert abs(float(mine["time"]) - float(other["time"])) < 0.01, name


def unstamped(wpdu: Event) -> Event:
    """All that must be equal, however precise a way's clock is."""
    return {key: value for key, value in wpdu.items() if key != "time"}
