"""`capture`, `interfaces`, `spools` and `list --follow` as a shell and the window use them."""

import contextlib
import io
import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosemscope import cli
from cosemscope.capture.files.reader import open_capture
from cosemscope.cli.following import is_pipe
from cosemscope.resources import resource
from tests.helpers.capturing import capturing, command, environment, needs_rights, run
from tests.helpers.files import Record, pcap
from tests.helpers.shared import shared

pytestmark = pytest.mark.timeout(60)

WPDU = bytes.fromhex("0001001000010003d80102")


@pytest.fixture
def sink() -> Iterator[socket.socket]:
    """A UDP socket on the loopback interface that sends to itself."""
    needs_rights()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.connect(made.getsockname())
        yield made


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name an interface"),
        (["-i", "lo", "-"], "name an interface"),
        (["-", "-f", "port 1"], "a pipe is filtered where its packets are captured"),
        (["-", "--control"], "use a named pipe"),
        (["-i", "lo", "--ring-files", "3"], "needs --ring-size or --ring-seconds"),
    ],
)
def test_contradictions_are_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    """Before anything is opened, with what would be right."""
    assert cli.main(["capture", *words]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--packets", "0"],
        ["--port", "70000"],
        ["--ring-size", "10X"],
        ["--ring-size", ""],
        ["--seconds", "-1"],
        ["--by", "magic"],
    ],
)
def test_values_that_are_none_are_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    """As wrong usage that names the option."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["capture", "-i", "lo", *words])
    assert caught.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_pipe_into_a_ring_for_people(tmp_path: Path) -> None:
    """Lines that say from where, into which files, how it ended, and what is kept."""
    octets = pcap([Record(number * 1000, bytes(100)) for number in range(100)])
    words = ("-", "-w", tmp_path / "x.pcapng", "--ring-size", "4k", "--ring-files", "2")
    process = subprocess.run(command("capture", *words), input=octets, capture_output=True, env=environment())
    lines = process.stdout.decode().splitlines()
    assert (process.returncode, process.stderr) == (0, b"")
    assert lines[0] == "capturing  from pipe (standard input), pipe"
    kept = sorted(tmp_path.iterdir())
    assert [line.split()[1] for line in lines[1:-2]][-1] == str(kept[-1])
    assert lines[-2] == "stopped    the input has ended"
    assert lines[-1] == f"kept       {kept[0]} (the first of 2 files, 100 packets)"


def printed(*words: str) -> str:
    """What a command prints, run in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert cli.main(words) == 0
    return out.getvalue()


def test_a_real_capture_through_the_pipe_gives_the_same_list(tmp_path: Path) -> None:
    """Once through a ring that is read as one, once followed: as if the file had been opened."""
    path = shared("captures/Output.pcap")
    plain = printed("list", str(path), "--json")
    with path.open("rb") as file:
        run("capture", "-", "-w", tmp_path / "x.pcapng", "--ring-size", "9k", stdin=file)
    first, *others = sorted(tmp_path.iterdir())
    assert len(others) > 2
    assert printed("list", str(first), "--ring", "--json") == plain
    with path.open("rb") as file:
        assert run("list", "-", "--follow", "--json", stdin=file).stdout == plain


@pytest.mark.parametrize("words", [("--filter", "expert.severity >= warning"), ("--fields", "expert.item")])
def test_what_following_cannot_tell_is_said(words: tuple[str, ...]) -> None:
    """Expert items of APDUs: a list without them is no list of all."""

    def said(*words: str) -> str:
        with resource("samples/first-look.pcapng").open("rb") as file:
            return run("list", "-", *words, stdin=file).stderr

    assert said("--follow", *words).count("with --follow expert items are those of packets and headers") == 1
    assert "--follow" not in said("--follow", "--filter", "wport == 1")
    assert "--follow" not in said(*words)


def test_ctrl_c_ends_in_order(tmp_path: Path, sink: socket.socket) -> None:
    """All is saved, with the counts, and the exit status says that nothing went wrong."""
    words = ("capture", "-i", "lo", "-f", f"udp port {sink.getsockname()[1]}")
    process = subprocess.Popen(
        command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("capturing  on lo by libpcap ")
    for _ in range(7):
        sink.send(WPDU)
    process.send_signal(signal.SIGINT)  # before the system has handed the packets over: they are waited for
    out, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")
    (path,) = tmp_path.iterdir()
    assert out.splitlines()[-2:] == ["stopped    as asked", f"kept       {path} (7 packets, 0 dropped)"]
    with open_capture(path) as reader:
        assert sum(len(batch) for batch in iter(reader.read, None)) == 7
        assert reader.interfaces[0].name == "lo"
        assert reader.interfaces[0].filter.startswith("udp port ")
        assert reader.interfaces[0].resolution == 10**9
        assert (reader.statistics[0].delivered, reader.statistics[0].dropped) == (7, 0)


def test_the_control_protocol(tmp_path: Path, sink: socket.socket) -> None:
    """What the window does: start, ask, a command that is none, stop; events in order, times as well."""
    port = sink.getsockname()[1]
    with capturing("-i", "lo", "-f", f"udp port {port}", "--immediate", spools=tmp_path) as capture:
        assert capture.begun["interfaces"] == ["lo"]
        assert capture.begun["filter"] == f"udp port {port}"
        assert (capture.begun["mode"], capture.begun["hold"]) == ("immediate", 1)
        sink.send(WPDU)
        capture.packets(1)
        capture.tell(counts=True)
        counts = capture.event("counts")
        assert (counts["packets"], counts["dropped"]) == (1, 0)
        assert counts["octets"] == capture.file.stat().st_size
        capture.tell(dance=True)
        assert capture.event("error")["fault"] == "command"
        last = capture.stop()
    assert [event["event"] for event in capture.events[-2:]] == ["stopped", "kept"]
    assert capture.events[-2]["reason"] == "asked"
    assert last["files"] == [str(capture.file)]
    times = [event["time"] for event in capture.events]
    assert times == sorted(times)
    assert capture.process.returncode == 0


def test_it_stops_by_itself(tmp_path: Path, sink: socket.socket) -> None:
    """After exactly so many packets, or when the time is over; an empty spool is not left behind."""
    words = ("-i", "lo", "-f", f"udp port {sink.getsockname()[1]}")
    with capturing(*words, "--packets", 3, spools=tmp_path) as capture:
        for _ in range(5):
            sink.send(WPDU)
        assert capture.event("stopped")["reason"] == "packets"
        assert capture.event("kept")["packets"] == 3
    capture.file.unlink()
    done = run("capture", *words, "--seconds", "0.2", "--json", spools=tmp_path)
    assert [json.loads(line)["event"] for line in done.stdout.splitlines()][-1] == "stopped"
    assert list(tmp_path.iterdir()) == []


def test_list_follows_a_capture_live(tmp_path: Path, sink: socket.socket) -> None:
    """WPDUs are printed as they come, not when it is over; Ctrl+C ends it in order."""
    path = tmp_path / "x.pcapng"
    with capturing("-i", "lo", "-f", f"udp port {sink.getsockname()[1]}", "-w", path) as capture:
        process = subprocess.Popen(
            command("list", path, "--follow", "--json"), stdout=subprocess.PIPE, text=True, env=environment()
        )
        assert process.stdout is not None
        for number in range(1, 4):
            sink.send(WPDU)
            assert json.loads(process.stdout.readline())["number"] == number
        capture.stop()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")


def test_interfaces() -> None:
    """For people a line each, for scripts an object each, with the rate when asked for."""
    needs_rights()
    listed = run("interfaces", "--json", "--rate", "0.1")
    assert listed.returncode == 0
    found = {line["name"]: line for line in map(json.loads, listed.stdout.splitlines())}
    loopback = found["lo"]
    assert loopback["may_capture"] is True
    assert (loopback["state"], loopback["by"], loopback["loopback"], loopback["link_type"]) == (
        "up",
        "libpcap",
        True,
        1,
    )
    assert "127.0.0.1" in loopback["addresses"]
    assert loopback["packets_per_second"] >= 0
    assert any(
        line.split()[:4] == ["lo", "up", "by", "libpcap"] for line in run("interfaces").stdout.splitlines()
    )


def test_spools_are_listed_and_removed(tmp_path: Path) -> None:
    """What a crash left is there until the user says that it may go."""
    octets = pcap([Record(1000, bytes(60))])
    subprocess.run(
        command("capture", "-"), input=octets, capture_output=True, env=environment(tmp_path), check=True
    )
    (spool,) = tmp_path.iterdir()
    assert "left over" in run("spools", spools=tmp_path).stdout
    (listed,) = map(json.loads, run("spools", "--json", spools=tmp_path).stdout.splitlines())
    assert (listed["file"], listed["in_use"], listed["empty"]) == (str(spool), False, False)
    missing = run("spools", "--remove", "nothing.pcapng", spools=tmp_path)
    assert (missing.returncode, missing.stderr) == (
        1,
        "cosemscope spools: there is no spool nothing.pcapng.\n",
    )
    assert run("spools", "--remove", spool.name, spools=tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("octets", [b"", b"\x1f\x8b\x08\0rest", b"hello world, no capture"])
def test_list_follow_refuses_what_is_no_capture(octets: bytes) -> None:
    """A sentence and exit status 1 instead of waiting for more."""
    done = subprocess.run(
        command("list", "-", "--follow"), input=octets, capture_output=True, env=environment()
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"cosemscope: ")
    assert done.stdout == b""


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """Before anything is captured that could then not be kept."""
    place = tmp_path / "file"
    place.write_bytes(b"")
    done = subprocess.run(
        command("capture", "-"), input=pcap([]), capture_output=True, env=environment(place / "folder")
    )
    assert done.returncode == 1
    told = done.stderr.decode()
    assert told.startswith(f"error      {place / 'folder'} cannot be used for captures without a name: not a")
    assert "COSEMSCOPE_SPOOL names another folder." in told
    named = subprocess.run(
        command("capture", "-", "-w", tmp_path / "no" / "x"),
        input=pcap([]),
        capture_output=True,
        env=environment(),
    )
    assert named.returncode == 1
    assert b"x cannot be created: the folder does not exist." in named.stderr


def test_a_pipe_of_windows_is_known_by_its_name() -> None:
    """It is not looked at before it is opened, which would connect to it."""
    assert is_pipe(r"\\.\pipe\meter")
    assert not is_pipe("meter.pcapng")
