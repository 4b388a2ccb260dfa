"""`stats --by`: exchanges by any field, with counts, response times and throughput."""

import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.cli import main
from tests.helpers.wire import MILLISECOND, Tcp, Wire, wpdu

GET = wpdu(bytes.fromhex("c001c100030100010800ff0200"))
ANSWER = wpdu(bytes.fromhex("c401c1000600001391"), 1, 16)
REFUSED = wpdu(bytes.fromhex("c401c10104"), 1, 16)


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Two meters: one answers after 1, 1 and 3 ms, once with an error; one is asked twice, answers once."""
    wire = Wire()
    first = Tcp(wire).handshake()
    for wait, answer in ((1, ANSWER), (1, REFUSED), (3, ANSWER)):
        first.say(0, GET)
        wire.time += (wait - 1) * MILLISECOND
        first.say(1, answer)
    second = Tcp(wire, ("10.0.0.1", 50001), ("10.0.0.9", 4059)).handshake()
    second.say(0, GET)
    second.say(0, GET)
    second.say(1, ANSWER)
    return wire.capture(tmp_path / "wire.pcap")


def told(capture: Path, by: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["stats", str(capture), "--by", by, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_figures_of_each_group(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts, times at the nearest rank, and octets by the time that exchanges were under way."""
    one, other = told(capture, "meter,service", capsys)
    assert one == {
        "meter": "10.0.0.2",
        "service": "get-request",
        "count": 3,
        "errors": 1,
        "unanswered": 0,
        "min": "0.001000000",
        "mean": "0.001666666",
        "median": "0.001000000",
        "p95": "0.003000000",
        "p99": "0.003000000",
        "max": "0.003000000",
        "octets": 3 * 13 + 9 + 5 + 9,
        "throughput": round((3 * 13 + 9 + 5 + 9) / 0.005, 1),
    }
    assert (other["meter"], other["count"], other["unanswered"]) == ("10.0.0.9", 2, 1)


def test_any_field_groups(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Words of the help, names of fields, several at once."""
    assert [(one["status"], one["count"]) for one in told(capture, "status", capsys)] == [
        ("answered", 3),
        ("error", 1),
        ("unanswered", 1),
    ]
    assert [(one["tcp.stream"], one["object"]) for one in told(capture, "tcp.stream, object", capsys)] == [
        (0, "1.0.1.8.0.255"),
        (1, "1.0.1.8.0.255"),
    ]


def test_text_and_wrong_words(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table with a heading; a name that no field has is answered with the nearest."""
    assert main(["stats", str(capture), "--by", "meter"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == [
        "meter",
        "count",
        "errors",
        "unanswered",
        "min",
        "mean",
        "median",
        "p95",
        "p99",
        "max",
        "octets/s",
    ]
    assert [line.split()[:4] for line in lines] == [["10.0.0.2", "3", "1", "0"], ["10.0.0.9", "2", "0", "1"]]
    assert main(["stats", str(capture), "--by", "metr"]) == 1
    assert "meter" in capsys.readouterr().err
    assert main(["stats", str(capture), "--by", ","]) == 1


def test_values_are_written_as_in_lists(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An exchange counts for each of several; a flag is yes or nothing: no brackets, quotes or False."""
    assert main(["stats", str(capture), "--by", "ip.addr,tcp.analysis.retransmission"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.startswith("ip.addr")
    assert [line.split()[:2] for line in lines] == [["10.0.0.1", "5"], ["10.0.0.2", "3"], ["10.0.0.9", "2"]]
    assert not any(mark in line for line in lines for mark in "[]'F")
