"""`self-test`: passes on a whole installation, names the step that fails on one that is not."""

import json
import struct
import zlib

import pytest

from cosemscope import cli
from cosemscope.cli.commands import self_test_command
from cosemscope.cli.commands.self_test_command import STEPS, Step, StepError
from cosemscope.cli.meters import meter_trial
from cosemscope.live.links.faults import Fault, LinkError


def steps_told(capsys) -> dict[str, dict]:
    """Step -> what `--json` said of it."""
    return {told["step"]: told for told in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_whole_installation_passes_and_leaves_the_picture(capsys, tmp_path):
    """Every step of the table is run, in its order; the picture is one of the window."""
    picture = tmp_path / "window.png"
    assert cli.main(["self-test", "--json", "--picture", str(picture)]) == 0
    told = steps_told(capsys)
    assert list(told) == [step.name for step in STEPS]
    assert "293 WPDUs" in told["samples"]["text"]
    assert told["meter"]["text"] == "read the built-in meter over a loopback socket"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert struct.unpack(">II", picture.read_bytes()[16:24]) == (1400, 900)


def test_an_installation_without_its_samples_fails_by_name(capsys, monkeypatch, tmp_path):
    """A file that is missing is named; the steps that do not need it go on."""

    def missing(name):
        raise FileNotFoundError(f"Cosemscope's data file {name} is missing")

    monkeypatch.setattr(self_test_command, "resource", missing)
    assert cli.main(["self-test", "--json"]) == 1
    told = steps_told(capsys)
    assert not told["samples"]["passed"]
    assert "samples/first-look.pcapng is missing" in told["samples"]["text"]
    assert told["versions"]["passed"]


@pytest.mark.parametrize("words", [["-c", "raise SystemExit('no plug-in')"], ["-c", "pass"]])
def test_a_window_that_does_not_come_up_fails(capsys, monkeypatch, words):
    """Whether it ends with a word, or without a picture."""
    import sys

    monkeypatch.setattr(self_test_command, "program_words", lambda: [sys.executable, *words])
    assert cli.main(["self-test", "--json"]) == 1
    told = steps_told(capsys)
    assert not told["window"]["passed"]
    assert [name for name, step in told.items() if not step["passed"]] == ["window"]


def test_a_picture_of_nothing_fails(capsys, monkeypatch, tmp_path):
    """A black rectangle is no window."""
    import sys

    def chunk(kind, octets):
        return struct.pack(">I", len(octets)) + kind + octets + struct.pack(">I", zlib.crc32(kind + octets))

    black = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 400, 300, 8, 0, 0, 0, 0))
    black += chunk(b"IDAT", zlib.compress(bytes(401 * 300))) + chunk(b"IEND", b"")
    (tmp_path / "black.png").write_bytes(black)
    copy = f"import sys, shutil; shutil.copy({str(tmp_path / 'black.png')!r}, sys.argv[1].partition('=')[2])"
    monkeypatch.setattr(self_test_command, "program_words", lambda: [sys.executable, "-c", copy])
    assert cli.main(["self-test", "--json"]) == 1
    assert "picture of 400 by 300 pixels is empty" in steps_told(capsys)["window"]["text"]


def test_text_tells_how_many_steps_failed(capsys, monkeypatch):
    """A person reads the last line."""

    def fail(picture):
        raise StepError("seen 1, to be 2")

    monkeypatch.setattr(self_test_command, "STEPS", (Step("a", lambda picture: "fine"), Step("b", fail)))
    assert cli.main(["self-test"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "a", "fine"]
    assert lines[1].split(maxsplit=2) == ["FAILED", "b", "seen 1, to be 2"]
    assert lines[-1] == "1 of 2 steps failed."


def test_where_there_is_no_socket_the_meter_is_read_in_memory(monkeypatch):
    """A sandbox without a network is no fault of the installation."""

    async def refuse(maker):
        raise LinkError(Fault.PERMISSION, "no sockets here")

    monkeypatch.setattr(meter_trial, "_over_a_socket", refuse)
    how, answers = meter_trial.read_once()
    assert how == "in memory, since there is no socket for it: no sockets here"
    assert [answer[0] for answer in answers] == [0x61, 0xC4, 0xC4]
