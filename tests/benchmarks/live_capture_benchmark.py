"""How well live capture keeps up: `python3 tests/benchmarks/live_capture_benchmark.py`.

On the loopback interface, with rights to capture there (root, or a dumpcap that may):

- `burst`: 200,000 datagrams at 100,000 a second, buffered: how many are in the spool, how many were dropped;
- `latency`: WPDUs sent one by one, and when each can be read from the spool, buffered and immediate;
- `ring`: 5,000,000 packets through a ring of 5 files, and the memory that the capture process has on the way.

Needs only Python to start: what else is missing is set up as for `python3 app`. Exit status 1: a bar was
missed.
"""

import argparse
import json
import os
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import CHECKOUT, equip

BURST, RATE = 200_000, 100_000
RING_PACKETS, RING_FILES, RING_SIZE = 5_000_000, 5, 20_000_000
#: Largest growth of resident memory over the ring after its first tenth (octets); bar for the latency (s).
BAR_GROWTH, BAR_LATENCY = 8 << 20, 0.2
WPDU = bytes.fromhex("0001001000010003") + b"\xd8\x01\x02"


class Capture:
    """`cosemscope capture --json` in a process of its own."""

    def __init__(self, *words: str, stdin: Any = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cosemscope", "capture", "--json", *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "app")},
        )
        self.begun = self.event("capturing", "error")
        if self.begun["event"] == "error":
            sys.exit(self.begun["message"])

    def event(self, *kinds: str) -> dict[str, Any]:
        """The next event of one of these kinds."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: dict[str, Any] = json.loads(line)
            if event["event"] in kinds:
                return event
        sys.exit("the capture ended too early")

    def end(self) -> dict[str, Any]:
        """Stop it; its last event."""
        self.process.terminate()
        kept = self.event("kept")
        self.process.wait()
        return kept

    def resident(self) -> int:
        """Octets that it has in memory now."""
        words = Path(f"/proc/{self.process.pid}/statm").read_text().split()
        return int(words[1]) * os.sysconf("SC_PAGE_SIZE")


_SENDER = """
import socket, sys, time
port, count, rate, batch = map(int, sys.argv[1:])
link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
link.connect(("127.0.0.1", port))
octets = bytes(200)
began = time.perf_counter()
for sent in range(0, count, batch):
    while time.perf_counter() - began < sent / rate:
        pass
    for _ in range(batch):
        link.send(octets)
print(time.perf_counter() - began)
"""


def burst(folder: Path, *words: str, sent: int = BURST) -> bool:
    """Send datagrams at the rate of the bar; all must be in the spool."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        path = folder / "burst.pcapng"
        capture = Capture("-i", "lo", "-f", f"udp port {port}", "-w", str(path), *words)
        sender = [sys.executable, "-c", _SENDER, str(port), str(sent), str(RATE), "50"]
        took = float(subprocess.run(sender, check=True, capture_output=True, text=True).stdout)
        time.sleep(0.3)
        kept = capture.end()
    print(
        f"burst by {capture.begun['by']}, {capture.begun['mode']}: {sent:,} datagrams in {took:.2f} s "
        f"({sent / took:,.0f}/s), {kept['packets']:,} in the spool, {kept['dropped']} dropped"
    )
    path.unlink()
    return bool(kept["packets"] == sent and not kept["dropped"])


def latency(folder: Path, *words: str, count: int = 50) -> bool:
    """Send WPDUs one by one; how long until a reader of the spool has each."""
    from cosemscope.capture.reader import open_capture

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        port = sink.getsockname()[1]
        path = folder / "latency.pcapng"
        capture = Capture("-i", "lo", "-f", f"udp port {port}", "-w", str(path), *words)
        times = []
        with open_capture(path, follow=True) as reader:
            for number in range(count):
                began = time.perf_counter()
                sink.sendto(WPDU + struct.pack("!I", number), ("127.0.0.1", port))
                while reader.read() is None and time.perf_counter() - began < 2:
                    time.sleep(0.0005)
                times.append(time.perf_counter() - began)
                time.sleep(0.011)
        capture.end()
    path.unlink()
    print(
        f"latency by {capture.begun['by']}, {capture.begun['mode']}: a WPDU on the wire can be read after "
        f"{statistics.median(times) * 1000:.1f} ms (median), {max(times) * 1000:.1f} ms (most)"
    )
    return max(times) < BAR_LATENCY


def ring(folder: Path, packets: int = RING_PACKETS) -> bool:
    """Push packets through a pipe into a ring; memory must stay flat, the last files must be whole."""
    from cosemscope.capture.sequence import CaptureSequence, ring_files

    options = (
        "--ring-size",
        str(RING_SIZE),
        "--ring-files",
        str(RING_FILES),
        "-w",
        str(folder / "ring.pcapng"),
    )
    capture = Capture("-", *options, stdin=subprocess.PIPE)
    pipe = capture.process.stdin.buffer  # type: ignore[union-attr]
    pipe.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
    frame = bytes(12) + b"\x08\x00" + bytes(40)
    batch, resident = 10_000, []
    began = time.perf_counter()
    for start in range(0, packets, batch):
        numbers = range(start, min(start + batch, packets))
        pipe.write(
            b"".join(
                struct.pack("<IIII", 1, number % 10**9, len(frame), len(frame)) + frame for number in numbers
            )
        )
        resident.append(capture.resident())
    pipe.close()
    kept = capture.event("kept")
    took = time.perf_counter() - began
    capture.process.wait()
    growth = max(resident) - resident[len(resident) // 10]
    files = ring_files(Path(kept["file"]))
    with CaptureSequence(Path(kept["file"])) as reader:
        there = 0
        while (records := reader.read()) is not None:
            there += len(records)
    whole = not reader.problems and len(files) == RING_FILES
    print(
        f"ring: {kept['packets']:,} packets in {took:.1f} s ({packets / took:,.0f}/s) through "
        f"{max(files)} files, {len(files)} kept with {there:,} packets; resident "
        f"{max(resident) / 1e6:.0f} MB at most, grown by {growth / 1e6:.1f} MB after the first tenth"
    )
    for path in files.values():
        path.unlink()
    return whole and kept["packets"] == packets and growth <= BAR_GROWTH


def main() -> int:
    """Run what was asked for; 1 when a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="burst, latency, ring (default: all)")
    parser.add_argument(
        "--quick", action="store_true", help="a hundredth of the packets, one way: does it run?"
    )
    arguments = parser.parse_args()
    wanted = arguments.what or ["burst", "latency", "ring"]
    part = 100 if arguments.quick else 1
    results = []
    ways = ((), ("--immediate",), ("--by", "dumpcap"))[: 1 if arguments.quick else 3]
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as name:
        folder = Path(name)
        if "burst" in wanted:
            results += [burst(folder, *words, sent=BURST // part) for words in ways]
        if "latency" in wanted:
            count = 50 if part == 1 else 5
            results += [latency(folder, *words, count=count) for words in ways]
        if "ring" in wanted:
            results.append(ring(folder, RING_PACKETS // part))
    return 0 if all(results) else 1


if __name__ == "__main__":
    equip()
    sys.exit(main())
