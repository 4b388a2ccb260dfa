"""`expert --settings`, `--fail-on` and `expert-kinds`: what a user changes about expert information."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosemscope.analysis.expert import run as expert_run
from cosemscope.cli import main
from cosemscope.streams.tables.expert_items import KINDS, NUMBERED, SWITCHED_OFF
from tests.helpers.traffic_apdus import get_request, get_response, unsigned
from tests.helpers.wire import Tcp, Wire, wpdu


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    """Other tests find the kinds as they were declared, by the import of `expert_run`."""
    assert expert_run
    kinds, numbered = dict(KINDS), list(NUMBERED)
    yield
    KINDS.clear()
    KINDS.update(kinds)
    NUMBERED[:] = numbered
    SWITCHED_OFF.clear()


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A retransmission, and an answer that comes after three seconds."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    asked = wpdu(get_request(0xC1, 3, "1.0.1.8.0.255"))
    tcp.say(0, asked)
    tcp.packet(0, 0, asked)
    wire.time += 3_000_000_000
    tcp.say(1, wpdu(get_response(0xC1, unsigned(1)), 1, 16))
    return wire.capture(tmp_path / "one.pcap")


def settings(folder: Path, text: str) -> str:
    path = folder / "settings.toml"
    path.write_text(text)
    return str(path)


def items(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    assert main(["expert", *words, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {one["item"]: one["severity"] for one in found if one["group"] in ("tcp", "service")}


def test_severities_and_the_threshold_are_changed(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file's severities are those that are told; its threshold is that of late answers."""
    assert items(capsys, str(capture)) == {"retransmission": "note"}
    text = '[severity]\nretransmission = "error"\n[threshold]\nanswer = 2.5\n'
    found = items(capsys, str(capture), "--settings", settings(tmp_path, text))
    assert found == {"retransmission": "error", "late-answer": "warning"}


def test_a_kind_is_switched_off(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is told of it, and nothing fails on it."""
    words = [str(capture), "--settings", settings(tmp_path, '[severity]\nretransmission = "off"\n')]
    assert items(capsys, *words) == {}
    assert main(["expert", *words, "--fail-on", "note"]) == 0


@pytest.mark.parametrize(("level", "status"), [("chat", 3), ("note", 3), ("warning", 0), ("error", 0)])
def test_fail_on_makes_an_exit_status(
    capture: Path, level: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script sees whether anything is so bad, whatever is listed."""
    assert main(["expert", str(capture), "--severity", "error", "--fail-on", level]) == status
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[severity]\nretransmision = 'note'\n", "perhaps retransmission is meant"),
        ("[severity]\nretransmission = 'loud'\n", "chat, note, warning, error, off, not 'loud'"),
        ("severity = 1\n", "severity is a table"),
        ("[sevrity]\n", "[sevrity] is not known"),
        ("[threshold]\nanswer = -1\n", "a number of seconds, not -1"),
        ("[threshold]\nother = 1\n", "no threshold other"),
        ("[severity\n", "is no TOML file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    capture: Path, tmp_path: Path, text: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt setting is no silent one."""
    assert main(["expert", str(capture), "--settings", settings(tmp_path, text)]) == 1
    assert sentence in capsys.readouterr().err


def test_a_file_that_is_not_there(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file and the reason are named."""
    assert main(["expert", str(capture), "--settings", "nowhere.toml"]) == 1
    assert "nowhere.toml: No such file" in capsys.readouterr().err


def test_all_kinds_are_listed_in_each_form(capsys: pytest.CaptureFixture[str]) -> None:
    """The help's page of items: name, severity, group, sentence and clause of every kind."""
    assert main(["expert-kinds", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["item"] for one in told} == set(KINDS)
    assert len(told) >= 60
    assert not [one for one in told if "{" in one["message"]]
    assert main(["expert-kinds", "--markdown"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2 + len(KINDS)
    assert main(["expert-kinds"]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in KINDS)
    assert max(map(len, text.splitlines())) <= 110
