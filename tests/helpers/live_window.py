"""Other ends for the window's live side, each in a process of its own, and what tests wait for."""

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cosemscope.capture.capturing.interfaces import CaptureInterface
from cosemscope.live.commands.ready_made import public_aarq
from tests.helpers.meter import aare

APP = Path(__file__).resolve().parents[2] / "app"

#: A listener's answers by tag: association, release, and any GET.
ANSWERS = ("--answer", "60=" + aare(public_aarq()).hex(), "--answer", "62=6303800100")
GET_ANSWER = ("--answer", "c0=c401c100090c07ea0b17010a0f1eff800000")


def environment() -> dict[str, str]:
    """Where the package is, and pipes without delay."""
    return {**os.environ, "PYTHONPATH": str(APP), "PYTHONUNBUFFERED": "1"}


_DATAGRAMS = """
import socket, struct, sys, time

address, port, count, size, device = sys.argv[1:]
data = b"\\x0f" + bytes(int(size) - 1)
wpdu = struct.pack("!4H", 1, 16, 1, len(data)) + data
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
    if device:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        link.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for _ in range(int(count)):
        link.sendto(wpdu, (address, int(port)))
        time.sleep(0.0005)
"""


def send_datagrams(address: str, port: int, *, count: int, size: int, device: str = "") -> None:
    """Send WPDUs with APDUs of `size` octets, from a process of its own, to its end."""
    words = map(str, (address, port, count, size, device))
    subprocess.run([sys.executable, "-c", _DATAGRAMS, *words], check=True, timeout=20)


class Server(NamedTuple):
    """A listening process and its address."""

    process: "subprocess.Popen[str]"
    address: str


@contextmanager
def listener(*words: str, answers: Sequence[str] = (*ANSWERS, *GET_ANSWER)) -> Iterator[Server]:
    """A `cosemscope listen` on loopback that answers; its recording goes with it."""
    command = [sys.executable, "-m", "cosemscope", "listen", "127.0.0.1:0", "--json", *answers, *words]
    with TemporaryDirectory() as spools:
        place = {**environment(), "COSEMSCOPE_SPOOL": spools}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=place)
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        # A full pipe would hold it up.
        reader = threading.Thread(target=deque, args=(process.stdout, 0))
        reader.start()
        try:
            yield Server(process, address)
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stdout.close()


def captured_interface(name: str, **values: object) -> CaptureInterface:
    """An interface that is up and may be captured from, but for `values`."""
    usual: dict[str, object] = {
        "description": "",
        "addresses": ("127.0.0.1", "::1") if name == "lo" else ("192.0.2.1",),
        "up": True,
        "connected": True,
        "loopback": False,
        "wireless": False,
        "link_type": 1,
        "way": "libpcap",
        "reason": "",
    }
    return CaptureInterface(name=name, **{**usual, **values})


def is_running(number: int) -> bool:
    """Whether there is a process with this number that has not ended."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


#: A capture process of our own: speaks the protocol of `cosemscope capture --control`, and makes traffic.
#: Words behind the program: what goes wrong ("", "rights", "broken", "deaf"), WPDUs a second, files of a
#: ring; then the window's.
FAKE_CAPTURE = """
import sys, threading, time
from cosemscope.capture.capturing.capture_events import (
    CaptureBegun, CaptureCounts, CaptureKept, CaptureStopped, RingTurned
)
from cosemscope.capture.events import Trouble, line_of
from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.spool_folder import spool_path
from cosemscope.capture.spool.synthetic_frames import SyntheticTcp
from cosemscope.transport.wpdu import Wpdu

trouble, rate, files = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])

def tell(event):
    print(line_of(event), flush=True)

if trouble == "rights":
    tell(Trouble(fault="rights", message="You may not capture on lo. Run: sudo setcap cap_net_raw,"
         "cap_net_admin=eip /usr/bin/dumpcap   then dumpcap captures for you."))
    sys.exit(1)
if trouble == "broken":
    sys.exit("the library is not what it should be")

stop = threading.Event()

def wait():
    sys.stdin.buffer.read()
    if trouble == "deaf":
        time.sleep(1000)
    stop.set()

threading.Thread(target=wait, daemon=True).start()
first = spool_path("capture")
names = [first] if files < 2 else [
    first.with_name(f"{first.stem}_{number:05d}_20260101000000.pcapng") for number in range(1, files + 1)
]
frames = SyntheticTcp(("127.0.0.1", 40000), ("127.0.0.1", 4059))
packets = 0
for place, name in enumerate(names):
    with SpoolWriter(name) as spool:
        spool.add_interface("lo")
        if place:
            tell(RingTurned(file=name, removed=()))
        else:
            tell(CaptureBegun(
                file=name, by="a test's", interfaces=("lo",), filter="", mode="immediate", hold=None
            ))
        for frame in frames.handshake() if not place else ():
            spool.write(time.time_ns(), frame)
            packets += 1
        until = time.monotonic() + 0.4 if place < len(names) - 1 else float("inf")
        begun, done = time.monotonic(), 0
        while not stop.wait(0.01) and time.monotonic() < until:
            while done < (time.monotonic() - begun) * rate:
                request = Wpdu(16, 1, bytes.fromhex("c001c100080000010000ff0200")).encode()
                for frame in frames.data(True, request):
                    spool.write(time.time_ns(), frame)
                    packets += 1
                done += 1
            tell(CaptureCounts(packets=packets, octets=spool.size, dropped=7))
        if stop.is_set():
            break
tell(CaptureStopped(reason="asked"))
tell(CaptureKept(file=names[0], files=tuple(names), packets=packets, dropped=7))
"""
