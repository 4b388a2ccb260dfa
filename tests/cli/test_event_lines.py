"""How live commands speak: events for people and for scripts, commands, and the end of whoever reads."""

import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cosemscope.capture.capturing.capture_events import CAPTURE_COMMANDS, StopCapture
from cosemscope.capture.events import Command, Event, Trouble, Vocabulary
from cosemscope.cli.event_lines import Teller, commands
from tests.helpers.capturing import command, environment


@dataclass(frozen=True, kw_only=True)
class Started(Event):
    word = "started"


@dataclass(frozen=True, kw_only=True)
class Silent(Event):
    word = "silent"


@dataclass(frozen=True, kw_only=True)
class Counted(Event):
    word = "counts"
    packets: int


@dataclass(frozen=True, kw_only=True)
class Go(Command):
    word = "go"
    go: int


ERROR = Trouble(fault="failed", message="ä")


def worded(event: Event) -> str:
    return "" if isinstance(event, Silent | Counted) else f"{event.word} happened"


def counted(event: Event) -> str:
    return f"{event.packets} packets" if isinstance(event, Counted) else ""


def test_events_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines; errors apart; nothing of those that nobody needs, and no progress where there is no terminal."""
    tell = Teller(worded, as_json=False, on_reader_gone=lambda: None, progress=counted)
    for event in (Started(), Silent(), ERROR, Counted(packets=7)):
        tell(event)
    out, errors = capsys.readouterr()
    assert (out, errors) == ("started happened\n", "error happened\n")


def test_progress_on_a_terminal_is_replaced(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in one line, which is ended before the next event."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    tell = Teller(worded, as_json=False, on_reader_gone=lambda: None, progress=counted)
    for event in (Counted(packets=1), Counted(packets=2), Silent(), Started()):
        tell(event)
    assert capsys.readouterr().out == "\r1 packets\033[K\r2 packets\033[K\nstarted happened\n"


def test_events_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """All of them, errors too, each a line of JSON on standard output."""
    tell = Teller(worded, as_json=True, on_reader_gone=lambda: None)
    events = [Started(time=1), Silent(time=2), ERROR]
    for event in events:
        tell(event)
    out, errors = capsys.readouterr()
    assert [json.loads(line) for line in out.splitlines()] == [
        {"event": "started", "time": 1},
        {"event": "silent", "time": 2},
        {"event": "error", "time": ERROR.time, "fault": "failed", "message": "ä"},
    ]
    assert errors == ""


def test_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are known, in pieces and without an end of line; all else is told and passed over."""
    reading, writing = os.pipe()
    wrong: list[str] = []
    os.write(writing, b'{"stop": true}\n\n  \nhello\n[1]\n{"go": 1}\n{"fly": 1}\n{"stop"')
    os.write(writing, b": true}")
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        found = list(commands(Vocabulary("command", StopCapture, Go), wrong.append))
    assert found == [StopCapture(), Go(go=1), StopCapture()]
    assert wrong == [f"no command in JSON: {words}" for words in ("'hello'", "'[1]'", "'{\"fly\": 1}'")]


def test_a_line_without_end_is_no_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is told once for each part that is as long as a command may be, and takes no more memory."""
    path = tmp_path / "endless"
    path.write_bytes(b"x" * 600_000 + b'\n{"stop": true}\n')
    wrong: list[str] = []
    with path.open() as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        assert list(commands(CAPTURE_COMMANDS, wrong.append)) == [StopCapture()]
    assert 1 <= len(wrong) <= 3
    assert all(len(words) < 200 for words in wrong)


@pytest.mark.parametrize("background", [False, True])
def test_a_listener_ends_with_its_reader(tmp_path: Path, background: bool) -> None:
    """Nobody reads its events any more: it ends in order, with what it has recorded.

    A background job does so too, which a shell lets ignore SIGINT.
    """
    words = command("listen", "127.0.0.1:0", "--udp-only", "--json", "--write", tmp_path / "x.pcapng")
    if background:
        words = ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *words]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(tmp_path)
    ) as process:
        assert process.stdout is not None
        host, _, port = json.loads(process.stdout.readline())["address"].rpartition(":")
        process.stdout.close()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.sendto(bytes.fromhex("0001001000010003d80102"), (host, int(port)))
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "")
    assert (tmp_path / "x.pcapng").stat().st_size > 200
