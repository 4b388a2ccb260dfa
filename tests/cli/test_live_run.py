"""`connect`, `listen` and `check` as a shell, a script and the window use them: processes, lines, files."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cosemscope.live.commands.ready_made import public_aarq, release_request
from tests.helpers.meter import aare
from tests.helpers.tshark import complaints

AARE = aare(public_aarq())
RLRE = bytes.fromhex("6303800100")
GET = bytes.fromhex("c001c1000100002a0000ff0200")
_APP = Path(__file__).resolve().parents[2] / "app"
pytestmark = pytest.mark.timeout(90)

Event = dict[str, Any]


class Command:
    """A command in a process of its own, its events as they come."""

    def __init__(self, *words: str, spool: Path, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "cosemscope", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(_APP), "COSEMSCOPE_SPOOL": str(spool)},
        )

    def event(self, kind: str) -> Event:
        """The next event of that kind; what comes before it is passed over."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            event: Event = json.loads(line)
            if event["event"] == kind:
                return event
        assert self.process.stderr is not None
        pytest.fail(f"it ended without {kind!r}: {self.process.stderr.read()}")

    def tell(self, **command: Any) -> None:
        """A command as a line of JSON."""
        self.write(json.dumps(command) + "\n")

    def write(self, text: str) -> None:
        """Text to its standard input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self) -> tuple[int, str, str]:
        """Exit status, the output that was not read yet, and errors."""
        stdin, stdout, stderr = self.process.stdin, self.process.stdout, self.process.stderr
        assert stdin is not None
        assert stdout is not None
        assert stderr is not None
        with contextlib.suppress(BrokenPipeError):
            stdin.close()
        # Not `communicate`: it would pass over what an earlier `event` left in the buffer.
        out, errors = stdout.read(), stderr.read()
        return self.process.wait(timeout=20), out, errors


@contextlib.contextmanager
def started(*words: str, spool: Path, prefix: Sequence[str] = ()) -> Iterator[Command]:
    command = Command(*words, spool=spool, prefix=prefix)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.kill()
        command.process.wait()
        for pipe in (command.process.stdin, command.process.stdout, command.process.stderr):
            assert pipe is not None
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Command]:
    """A listener under control that answers as a meter does."""
    answers = (f"60={AARE.hex()}", f"62={RLRE.hex()}", "d80102")
    words = [word for answer in answers for word in ("--answer", answer)]
    with started("listen", "127.0.0.1:0", "--control", *words, spool=tmp_path / "far") as command:
        yield command


def run(*words: str, spool: Path) -> tuple[int, str, str]:
    with started(*words, spool=spool) as command:
        return command.end()


def lines(text: str) -> list[Event]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_connect_sends_aarq_and_rlrq_and_shows_the_answers(
    transport: str, listener: Command, tmp_path: Path
) -> None:
    """What README shows: without options a public association is opened and released."""
    address = listener.event("listening")["address"]
    words = ["--udp"] if transport == "udp" else []
    status, out, errors = run("connect", address, *words, spool=tmp_path)
    assert (status, errors) == (0, "")
    shown = [line.split() for line in out.splitlines()]
    assert [words[0] for words in shown] == [
        "connected",
        *("sent", "received") * 2,
        "closed",
        "kept",
    ]
    names = [line[6] for line in shown if line[0] in {"sent", "received"}]
    assert names == ["AARQ", "AARE", "RLRQ", "RLRE"]
    assert " ms " in out
    kept = Path(out.splitlines()[-1].split()[1])
    assert kept.parent == tmp_path
    assert complaints(kept) == []


def test_connect_as_json_is_a_line_an_event(listener: Command, tmp_path: Path) -> None:
    """Scripts get every event with its fields, in order."""
    address = listener.event("listening")["address"]
    path = tmp_path / "kept.pcapng"
    words = ("--send", GET.hex(), "--send", "62 03 80 01 00", "--repeat", "3", "--client", "0x20")
    status, out, _ = run("connect", address, *words, "--json", "--write", str(path), spool=tmp_path)
    events = lines(out)
    assert status == 0
    received = [event for event in events if event["event"] == "received"]
    assert [event["apdu"] for event in received] == ["d80102", RLRE.hex()] * 3
    assert all(0 < event["response_ms"] < 5000 for event in received)
    assert {event["local_wport"] for event in received} == {32}
    assert events[-1] == {**events[-1], "event": "kept", "file": str(path)}
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    assert complaints(path) == []


def test_connect_says_what_went_wrong(tmp_path: Path) -> None:
    """Refused connections and bad addresses are sentences with exit status 1."""
    status, out, errors = run("connect", "127.0.0.1:1", spool=tmp_path)
    assert status == 1
    assert errors == "error      connection refused by 127.0.0.1:1: nothing listens on that port\n"
    assert "kept" in out  # the attempt is a capture, too
    status, out, errors = run("connect", "nowhere:port", spool=tmp_path)
    assert (status, out) == (1, "")
    assert "'port' is no port" in errors


def test_connect_reports_silence_and_goes_on(listener: Command, tmp_path: Path) -> None:
    """A server without an answer: an error a request, not a hang, and exit status 1."""
    listener.tell(answer=None)
    address = listener.event("listening")["address"]
    words = ("--send", GET.hex(), "--send", GET.hex(), "--timeout", "0.1", "--json")
    status, out, _ = run("connect", address, *words, spool=tmp_path)
    errors = [event["message"] for event in lines(out) if event["event"] == "error"]
    assert status == 1
    assert all(error.startswith(f"no answer from {address} in 0.1 s") for error in errors)
    assert len(errors) == 2


def test_the_window_commands_a_link(listener: Command, tmp_path: Path) -> None:
    """Control mode: send, be told, make a mistake, send again, close."""
    address = listener.event("listening")["address"]
    with started("connect", address, "--control", spool=tmp_path) as link:
        assert link.event("connected")["remote"] == address
        link.tell(send=public_aarq().hex())
        assert link.event("received")["apdu"] == AARE.hex()
        assert listener.event("sent")["apdu"] == AARE.hex()
        link.tell(send="c1" * 65535)  # the longest there is, over several reads of the pipe
        assert len(link.event("sent")["apdu"]) == 2 * 65535  # an output that is not read holds up a link
        assert listener.event("sent")["name"] == "exception-response"
        assert link.event("received")["name"] == "exception-response"
        link.tell(send="no hex")
        assert link.event("error")["message"] == "command 'send': 'no hex' is not hexadecimal"
        link.tell(send=GET.hex(), local_wprot=17)
        assert link.event("error")["message"] == "command 'send': there is no 'local_wprot' in it"
        link.write("no JSON\n\n")
        assert "no command in JSON: 'no JSON'" in link.event("error")["message"]
        link.tell(fly="away")
        assert link.event("error")["fault"] == "command"
        link.tell(send=release_request().hex(), local_wport=17)
        received = link.event("received")
        assert (received["apdu"], received["local_wport"]) == (RLRE.hex(), 17)
        link.tell(close=True)
        assert "closed here" in link.event("closed")["message"]
        assert link.event("kept")["packets"] > 10
        assert link.end()[0] == 0


def test_both_ends_under_control(listener: Command, tmp_path: Path) -> None:
    """What the listener pushes is told by the link; when the listener closes, the link ends by itself."""
    address = listener.event("listening")["address"]
    with started("connect", address, "--control", spool=tmp_path) as link:
        link.event("connected")
        link.tell(send=GET.hex())
        assert listener.event("received")["apdu"] == GET.hex()
        assert link.event("received")["name"] == "exception-response"
        listener.tell(send="0f0000000000")
        pushed = link.event("received")
        assert pushed["name"] == "data-notification"
        assert "response_ms" not in pushed
        listener.tell(close=True)
        assert "closed the connection" in link.event("closed")["message"]
        assert link.process.wait(20) == 0  # with its standard input still open
    assert listener.event("kept")["packets"] > 5
    assert listener.end()[0] == 0


def test_listen_tells_of_wports_that_nobody_has(listener: Command, tmp_path: Path) -> None:
    """A WPDU to an unbound wPort is shown, with its wPorts."""
    address = listener.event("listening")["address"]
    with started("connect", address, "--control", spool=tmp_path) as link:
        link.tell(send=GET.hex(), remote_wport=33)
        discarded = listener.event("discarded")
        assert (discarded["source_wport"], discarded["destination_wport"]) == (16, 33)


def test_listen_ends_after_a_count_and_keeps_what_came(tmp_path: Path) -> None:
    """`--count` makes a listener usable in a script; its file is whole."""
    path = tmp_path / "far.pcapng"
    words = ("listen", "127.0.0.1:0", "--json", "--count", "2", "--answer", "d80102", "--write", str(path))
    with started(*words, spool=tmp_path) as far:
        address = far.event("listening")["address"]
        assert run("connect", address, spool=tmp_path)[0] == 0
        status, out, _ = far.end()
    assert status == 0
    assert lines(out)[-1]["event"] == "kept"
    assert complaints(path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_a_terminated_listener_finishes_its_file(tmp_path: Path) -> None:
    """SIGTERM loses nothing of what was recorded."""
    with started("listen", "127.0.0.1:0", "--json", spool=tmp_path) as far:
        address = far.event("listening")["address"]
        run("connect", address, "--send", GET.hex(), "--timeout", "0.05", spool=tmp_path)
        far.event("received")
        far.process.send_signal(signal.SIGTERM)
        kept = far.event("kept")
        assert kept["packets"] > 3
        assert far.end()[0] == 130
    assert complaints(Path(kept["file"])) == []


def test_a_port_in_use(listener: Command, tmp_path: Path) -> None:
    """It is told in words with exit status 1."""
    address = listener.event("listening")["address"]
    status, _, errors = run("listen", address, spool=tmp_path)
    assert status == 1
    assert f"{address} is in use by another program" in errors


def test_check_prints_and_writes_its_report(listener: Command, tmp_path: Path) -> None:
    """Text, page and capture come of one run."""
    address = listener.event("listening")["address"]
    page, kept, packed = tmp_path / "report.html", tmp_path / "check.pcapng", tmp_path / "evidence.zip"
    quick = ("--timeout", "1", "--quiet", "0.1", "--idle", "0.1")
    files = ("--html", str(page), "--write", str(kept), "--evidence", str(packed))
    status, out, errors = run("check", address, *quick, *files, spool=tmp_path)
    assert (status, errors) == (0, "")
    assert "0 failed, 0 inconclusive, 23 passed, 2 inapplicable" in out
    assert "6.3.5.2, Figure 8" in out
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert complaints(kept) == []
    assert zipfile.is_zipfile(packed)


def test_check_of_nothing_fails(tmp_path: Path) -> None:
    """Where nothing listens one check fails and the rest says nothing."""
    quick = ("--no-udp", "--quiet", "0.1", "--slot", "0.2")
    status, out, _ = run("check", "127.0.0.1:1", "--json", *quick, spool=tmp_path)
    report = json.loads(out)
    assert status == 1
    assert report["summary"] == {"failed": 1, "inconclusive": 20, "passed": 0, "inapplicable": 4}
    assert "connection refused" in report["checks"][0]["reason"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("connect", "h", "--send", "xyz"), "no APDU in hexadecimal"),
        (("connect", "h", "--client", "70000"), "no wPort"),
        (("connect", "h", "--repeat", "0"), "no number of 1 or more"),
        (("connect", "h", "--timeout", "-1"), "no number of seconds"),
        (("listen", "--answer", "6061=00"), "no tag"),
    ],
)
def test_wrong_usage_is_said_and_nothing_is_opened(
    words: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    """Exit status 2, and not even a spool is made."""
    status, _, errors = run(*words, spool=tmp_path)
    assert status == 2
    assert message in errors
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_told_before_the_checks(tmp_path: Path) -> None:
    """Not after minutes of testing, and by its name."""
    nowhere = tmp_path / "no" / "report.html"
    status, out, errors = run("check", "127.0.0.1:1", "--html", str(nowhere), spool=tmp_path)
    assert (status, out) == (1, "")
    assert errors == f"cosemscope check: {nowhere} cannot be written: No such file or directory\n"


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are bounded elsewhere")
def test_a_flood_of_connections_is_told_once_and_harms_nobody(tmp_path: Path) -> None:
    """With few descriptors: who is inside is answered meanwhile, standard error stays empty."""
    few = ("sh", "-c", 'ulimit -n 80; exec "$@"', "sh")
    words = ("listen", "127.0.0.1:0", "--tcp-only", "--answer", "c40100", "--control")
    request = bytes.fromhex("000100100001000d") + GET
    with started(*words, spool=tmp_path, prefix=few) as command, contextlib.ExitStack() as stack:
        host, _, port = command.event("listening")["address"].rpartition(":")
        inside = stack.enter_context(socket.create_connection((host, int(port)), 10))
        command.event("connected")
        for _ in range(150):
            client = stack.enter_context(socket.socket())
            with contextlib.suppress(ConnectionResetError):
                client.connect((host, int(port)))
        assert command.event("error")["fault"] == "full"
        inside.sendall(request)
        assert inside.recv(100) == bytes.fromhex("0001000100100003c40100")
        command.event("sent")
        stack.close()
        _, out, errors = command.end()
    assert errors == ""
    assert '"full"' not in out
