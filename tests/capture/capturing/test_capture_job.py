"""Captures that cannot begin, or cannot go on: each ends in its sentence, and what was captured is kept."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.spool.spool_folder import left_spools, remove_spool, spools
from tests.helpers.capturing import Capture, capturing, needs, needs_rights, run, small_disk, spare_link
from tests.helpers.tshark import tshark

pytestmark = pytest.mark.timeout(90)

WPDU = bytes.fromhex("0001001000010003d80102")
WAYS = ("libpcap", "dumpcap")


@pytest.fixture(autouse=True)
def _rights() -> None:
    needs_rights()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    if request.param == "dumpcap":
        needs("dumpcap")
    return str(request.param)


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    """A UDP socket that sends to itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.connect(made.getsockname())
        yield made


def port_of(sink: socket.socket) -> int:
    return int(sink.getsockname()[1])


def packets(path: Path) -> int:
    with open_capture(path) as reader:
        count = sum(len(batch) for batch in iter(reader.read, None))
        assert reader.problems == []
    return count


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-i", "nosuch0"), "There is no interface nosuch0."),
        (
            ("-i", "lo", "-f", "tcp prt 4059"),
            "The capture filter is wrong: can't parse filter expression: syntax",
        ),
        (("-i", "lo", "-f", "port 99999"), "The capture filter is wrong: illegal port number 99999 > 65535"),
    ],
)
def test_what_cannot_begin_says_why(tmp_path: Path, way: str, words: tuple[str, ...], message: str) -> None:
    """One sentence, exit status 1, and no spool left behind."""
    done = run("capture", *words, "--by", way, spools=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error      {message}")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def ordinary() -> tuple[str, ...]:
    """What runs a command as a user without rights."""
    prefix = (needs("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups")
    if run("--version", prefix=prefix).returncode:
        pytest.skip("THE CHECKOUT cannot be read by an ordinary user")
    return prefix


def test_an_ordinary_user_is_told_what_to_do(own: Path, ordinary: tuple[str, ...]) -> None:
    """The exact line to run on this system, and never that the window should run as root."""
    for words in ((), ("--by", "libpcap"), ("--by", "dumpcap")):
        done = run("capture", "-i", "lo", *words, "-w", own / "x.pcapng", prefix=ordinary)
        assert done.returncode == 1
        assert done.stderr.startswith("error      You may not capture on lo. "), words
        assert "sudo usermod -a -G wireshark " in done.stderr or "sudo setcap cap_net_raw" in done.stderr
    missing = run("capture", "-i", "nosuch0", prefix=ordinary)
    assert "There is no interface nosuch0." in missing.stderr
    listed = run("interfaces", prefix=ordinary)
    assert listed.returncode == 0
    (line,) = [line for line in listed.stdout.splitlines() if line.startswith("lo ")]
    assert line.split()[1:3] == ["up", "no"]
    assert listed.stderr.count("sudo usermod") + listed.stderr.count("sudo setcap") == 1


def test_a_dumpcap_that_may_is_chosen_and_named(
    own: Path, ordinary: tuple[str, ...], sink: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library may not and dumpcap may, the same command captures, without root."""
    dumpcap = shutil.copy(needs("dumpcap"), own)
    given = subprocess.run([needs("setcap"), "cap_net_raw,cap_net_admin=eip", dumpcap], capture_output=True)
    if given.returncode:
        pytest.skip(f"NO RIGHTS to give capabilities: {given.stderr.decode().strip()}")
    monkeypatch.setenv("PATH", f"{own}{os.pathsep}{os.environ['PATH']}")
    words = ("-i", "lo", "-f", f"udp port {port_of(sink)}", "--immediate")
    with capturing(*words, spools=own / "spools", prefix=ordinary) as capture:
        assert capture.begun["by"].startswith("dumpcap ")
        assert (capture.begun["mode"], capture.begun["hold"]) == ("buffered", 250)
        sink.send(WPDU)
        capture.packets(1)
        assert capture.stop()["packets"] == 1
    listed = run("interfaces", prefix=ordinary).stdout.splitlines()
    assert ["lo", "up", "by", "dumpcap"] in [line.split()[:4] for line in listed]


def test_an_interface_that_goes_away_ends_the_capture(tmp_path: Path, way: str) -> None:
    """What it had brought is kept, and the reason is told."""
    with (
        spare_link(f"csc{os.getpid() % 10**6}") as name,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        capturing("-i", name, "-f", "udp port 4059", "--by", way, "-w", tmp_path / "x.pcapng") as capture,
    ):
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode())
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for _ in range(5):
            sender.sendto(WPDU, ("255.255.255.255", 4059))
        capture.packets(5)
        subprocess.run([needs("ip"), "link", "del", name], check=True)
        capture.event("error")
        last = capture.rest()
    (error,) = [event for event in capture.events if event["event"] == "error"]
    assert error["fault"] == "gone"
    assert name in error["message"]
    assert last["event"] == "kept"
    assert last["packets"] == packets(tmp_path / "x.pcapng") == 5
    assert capture.process.returncode == 1


def test_of_two_interfaces_one_may_go(tmp_path: Path, sink: socket.socket) -> None:
    """The other one goes on."""
    with spare_link(f"csd{os.getpid() % 10**6}") as name:
        words = ("-i", "lo", "-i", name, "-f", f"udp port {port_of(sink)}", "-w", tmp_path / "x.pcapng")
        with capturing(*words) as capture:
            subprocess.run([needs("ip"), "link", "del", name], check=True)
            assert capture.event("error")["fault"] == "gone"
            sink.send(WPDU)
            capture.packets(1)
            assert capture.stop()["packets"] == 1
    with open_capture(tmp_path / "x.pcapng") as reader:
        assert reader.read() is not None
        assert [interface.name for interface in reader.interfaces] == ["lo", name]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small one."""
    with small_disk(tmp_path / "disk") as place:
        yield place


def test_a_full_disk_ends_the_capture(disk: Path, sink: socket.socket, way: str) -> None:
    """The file ends after a whole packet, and says how many there are."""
    path = disk / "x.pcapng"
    with capturing("-i", "lo", "-f", f"udp port {port_of(sink)}", "--by", way, "-w", path) as capture:
        for _ in range(400):
            sink.send(bytes(1000))
        capture.event("error")
        last = capture.rest()
    errors = [event for event in capture.events if event["event"] == "error"]
    assert [event["fault"] for event in errors] == ["file"]
    assert (
        errors[0]["message"]
        == f"{path} cannot be written: the disk is full. What was captured before is kept in it."
    )
    assert last["event"] == "kept"
    assert last["packets"] == packets(path) > 100
    assert tshark(path, "-c", "1")


def kill(capture: Capture) -> None:
    capture.process.send_signal(signal.SIGKILL)
    capture.process.wait()


@pytest.mark.parametrize("mode", ["--immediate", "--snap-length=65535"])
def test_a_killed_capture_loses_nothing_that_was_received(
    tmp_path: Path, sink: socket.socket, mode: str
) -> None:
    """In the middle of traffic; the spool is offered afterwards, opens, and goes when the user says so."""
    with capturing("-i", "lo", "-f", f"udp port {port_of(sink)}", mode, spools=tmp_path) as capture:
        (spool,) = spools(tmp_path)
        assert spool.in_use
        assert left_spools(tmp_path) == []
        for _ in range(300):
            sink.send(WPDU)
        capture.packets(300)
        for _ in range(300):
            sink.send(WPDU)
        kill(capture)
    (spool,) = left_spools(tmp_path)
    assert (spool.path, spool.process, spool.command) == (capture.file, capture.process.pid, "capture")
    assert 300 <= packets(spool.path) <= 600
    assert len(tshark(spool.path)) == packets(spool.path)
    remove_spool(spool)
    assert spools(tmp_path) == []


def test_a_capture_ends_in_order_when_the_window_is_killed(
    tmp_path: Path, sink: socket.socket, way: str
) -> None:
    """Nobody reads its events or holds its input any more: it saves everything, counts included, and ends."""
    with capturing("-i", "lo", "-f", f"udp port {port_of(sink)}", "--by", way, spools=tmp_path) as capture:
        for _ in range(50):
            sink.send(WPDU)
        capture.packets(50)
        assert capture.process.stdout is not None
        assert capture.process.stdin is not None
        capture.process.stdout.close()  # what the system does when the other side dies
        capture.process.stdin.close()
        assert capture.process.wait(10) == 0
        assert capture.process.stderr is not None
        assert capture.process.stderr.read() == ""
    (spool,) = left_spools(tmp_path)
    assert packets(spool.path) == 50
    with open_capture(spool.path) as reader:
        while reader.read() is not None:
            pass
        assert reader.statistics[0].dropped == 0


def test_both_killed_at_once(tmp_path: Path, sink: socket.socket) -> None:
    """The window's hold and the capture's end with their processes; dumpcap does not live on."""
    needs("dumpcap")
    words = ("-i", "lo", "-f", f"udp port {port_of(sink)}", "--by", "dumpcap")
    with capturing(*words, spools=tmp_path) as capture:
        children = (
            Path(f"/proc/{capture.process.pid}/task/{capture.process.pid}/children").read_text().split()
        )
        assert len(children) == 1
        sink.send(WPDU)
        capture.packets(1)
        kill(capture)
        deadline = time.monotonic() + 10
        while Path(f"/proc/{children[0]}").exists() and time.monotonic() < deadline:
            sink.send(WPDU)  # a packet that it cannot hand on tells it
            time.sleep(0.02)
        assert not Path(f"/proc/{children[0]}").exists()
    (spool,) = left_spools(tmp_path)
    assert packets(spool.path) == 1


def test_a_stop_waits_for_what_the_system_holds_back(tmp_path: Path, sink: socket.socket, way: str) -> None:
    """What was on the wire before the stop is in the spool, though packets are handed over in batches."""
    with capturing("-i", "lo", "-f", f"udp port {port_of(sink)}", "--by", way, spools=tmp_path) as capture:
        for _ in range(20):
            sink.send(WPDU)
        assert capture.stop()["packets"] == 20


def test_so_does_the_end_of_its_time(tmp_path: Path, sink: socket.socket, way: str) -> None:
    """What the system still holds back when the time is over belongs to it, as do the counts of drops."""
    words = ("-i", "lo", "-f", f"udp port {port_of(sink)}", "--by", way, "--seconds", "0.5")
    over = threading.Event()

    def send() -> None:
        while not over.wait(0.002):
            sink.send(WPDU)

    sender = threading.Thread(target=send)
    with capturing(*words, spools=tmp_path) as capture:
        sender.start()
        assert capture.event("stopped")["reason"] == "seconds"
        over.set()
        sender.join()
        last = capture.rest()
    assert last["dropped"] == 0
    with open_capture(capture.file) as reader:
        times = [int(time) for batch in iter(reader.read, None) for time in batch.time]
    assert len(times) == last["packets"]
    assert times[-1] >= capture.begun["time"] + 500_000_000
