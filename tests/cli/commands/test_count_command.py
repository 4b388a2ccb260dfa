"""`count`: WPDUs by any fields as text, JSON and CSV."""

import csv
import io
import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from tests.helpers.wire import MILLISECOND, Tcp, Wire, wpdu

GET = wpdu(bytes.fromhex("c001c100030100010800ff0200"))
ANSWER = wpdu(bytes.fromhex("c401c1000600001391"), 1, 16)
REFUSED = wpdu(bytes.fromhex("c401c10104"), 1, 16)


@pytest.fixture
def capture(tmp_path: Path) -> str:
    """A meter that answers after 1 and 3 ms, and refuses once after 2."""
    wire = Wire()
    stream = Tcp(wire).handshake()
    for wait, answer in ((1, ANSWER), (2, REFUSED), (3, ANSWER)):
        stream.say(0, GET)
        wire.time += (wait - 1) * MILLISECOND
        stream.say(1, answer)
    return str(wire.capture(tmp_path / "wire.pcap"))


def test_json_has_counts_shares_and_spread(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The largest group first; numbers of the field that were there are counted."""
    assert main(["count", capture, "--by", "obis,result", "--of", "response_time", "--json"]) == 0
    asked, done, refused = map(json.loads, capsys.readouterr().out.splitlines())
    assert asked == {
        "obis": "1.0.1.8.0.255",
        "result": None,
        "count": 3,
        "share": 0.5,
        "measured": 0,
        **dict.fromkeys(("min", "mean", "median", "p95", "max")),
    }
    assert (done["result"], done["count"], done["share"]) == ("success", 2, 0.333333)
    assert [done[name] for name in ("min", "mean", "median", "p95", "max")] == [
        *("0.001000000", "0.002000000", "0.002000000", "0.003000000", "0.003000000")
    ]
    assert refused["result"] == "object-undefined"


def test_text_and_csv_have_the_same_groups(capture: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Text is for people, CSV for spreadsheets."""
    assert main(["count", capture, "--by", "apdu", "--of", "response_time"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["apdu", "count", "share", "min", "mean", "median", "p95", "max"]
    assert [line.split()[:3] for line in lines] == [
        ["get-request", "3", "50.00%"],
        ["get-response", "3", "50.00%"],
    ]
    assert "2 ms" in lines[1]
    assert main(["count", capture, "--by", "apdu", "--csv"]) == 0
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [
        ["apdu", "count", "share"],
        ["get-request", "3", "0.500000"],
        ["get-response", "3", "0.500000"],
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--by", "obsi"], "--by: there is no field “obsi”"),
        (["--by", ","], "--by names no field"),
        (["--by", "apdu", "--of", "apdu"], "--of: apdu is no number"),
        (["--by", "apdu", "--of", "wpdu.size,wpdu.length"], "--of names one field"),
    ],
)
def test_wrong_names_are_told(
    capture: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what would do."""
    assert main(["count", capture, *words]) == 1
    assert said in capsys.readouterr().err
