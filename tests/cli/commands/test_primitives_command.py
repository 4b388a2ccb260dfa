"""`primitives`: keys that scripts rely on, the diagram, and sentences where there is nothing to tell."""

import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.shared import shared
from tests.helpers.traffic_apdus import aarq
from tests.helpers.wire import Tcp, Wire, get_request, wpdu

KEYS = ["stream", "end", "time", "primitive", "parameters", "number", "packet"]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """One request and its answer on a connection that is opened and closed."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, get_request(1))
    tcp.say(1, wpdu(b"\xc4\x01\xc1\x00\x09\x01\x41", 1, 16))
    tcp.close()
    return wire.capture(tmp_path / "one.pcap")


def test_keys_and_parameters_of_the_json(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts find the same keys on every line, and the standard's names for parameters."""
    assert main(["primitives", str(capture), "--stream", "0", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(list(one) == KEYS for one in told)
    request = told[4]
    assert request == {
        "stream": 0,
        "end": "initiator",
        "time": "1700000000.004000000",
        "primitive": "TCP-DATA.request",
        "parameters": {
            "Local_wPort": 16,
            "Remote_wPort": 1,
            "Local_TCP_Port": 50000,
            "Remote_TCP_Port": 4059,
            "Local_IP_Address": "10.0.0.1",
            "Remote_IP_Address": "10.0.0.2",
            "Data_Length": 13,
            "Data": request["parameters"]["Data"],
        },
        "number": 1,
        "packet": 4,
    }
    assert "GET" in request["parameters"]["Data"]


def test_text_has_a_line_a_primitive(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People read times since the stream's first packet."""
    assert main(["primitives", str(capture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 14
    assert "0.003000" in lines[5]
    assert "TCP-DATA.request" in lines[5]


def test_a_password_is_in_no_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed may be mailed: the data of an AARQ with a password are told without it."""
    wire = Wire()
    Tcp(wire).handshake().say(0, wpdu(aarq(mechanism=1, authentication=b"secret77")))
    path = wire.capture(tmp_path / "password.pcap")
    for form in ([], ["--json"], ["--mermaid"]):
        assert main(["primitives", str(path), *form]) == 0
        out = capsys.readouterr().out
        assert "AARQ" in out
        assert "secret77" not in out
        assert b"secret77".hex() not in out.replace(" ", "").lower()


def test_the_diagram_has_an_arrow_a_primitive(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mermaid draws manager, application layer and transport layer of both ends, as Annex A does."""
    assert main(["primitives", str(capture), "--mermaid"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sequenceDiagram"
    assert [line.split()[1] for line in lines if line.strip().startswith("participant")] == [
        *("M0", "A0", "T0", "T1", "A1", "M1")
    ]
    arrows = [line for line in lines if "->>" in line]
    assert len(arrows) == 14
    assert arrows[0].strip() == "M0->>T0: TCP-CONNECT.request"
    assert not [arrow for arrow in arrows if ";" in arrow.replace("#59;", "").replace("#35;", "")]


def test_what_cannot_be_told_is_said(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A stream that is not there, one that carries HDLC, several for one diagram: a sentence each."""
    for words, sentence in (
        ([str(capture), "--stream", "7"], "no stream 7"),
        ([str(shared("captures/udp-hdlc.pcap")), "--stream", "0"], "without WPDUs of IEC 62056-4-7"),
        ([str(shared("captures/udp-hdlc.pcap"))], "nor a UDP flow with WPDUs"),
        ([str(resource("samples/first-look.pcapng")), "--mermaid"], "name it with --stream"),
    ):
        assert main(["primitives", *words]) == 1
        assert sentence in capsys.readouterr().err
