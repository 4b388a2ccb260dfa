"""`list`, `sessions` and `stats`: the keys that scripts rely on, and text for people."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.fields.value_types import Instant, seconds_text
from cosemscope.cli import main
from tests.helpers.shared import shared
from tests.helpers.wire import CLIENT, SERVER, START, Tcp, Wire, get_request, get_response

LIST_KEYS = {
    "number": int,
    "time": str,
    "source": str,
    "destination": str,
    "protocol": str,
    "stream": int,
    "source_wport": int,
    "destination_wport": int,
    "version": int,
    "length": int,
    "apdu_tag": int,
    "apdu": str,
    "packets": list,
    "segments": int,
    "framing": str,
    "info": str,
    "security": str,
}
#: Keys that may be null.
INSIGHT_KEYS = {
    "invoke_id": int,
    "class_id": int,
    "obis": str,
    "attribute": int,
    "result": str,
    "inner": str,
}
SESSION_KEYS = {
    "protocol": str,
    "stream": int,
    "client": str,
    "server": str,
    "wports": list,
    "packets": int,
    "wpdus": int,
    "bytes": int,
    "first_time": str,
    "last_time": str,
}
STATS_KEYS = {
    "packets": int,
    "tcp_streams": int,
    "udp_flows": int,
    "wpdus": int,
    "apdu_tags": dict,
    "retransmissions": int,
    "out_of_order": int,
    "missing_bytes": int,
    "skipped_bytes": int,
}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1), [9])
    connection.say(0, get_request(2)[:12])
    wire.udp(("10.0.0.5", 4059), ("10.0.0.6", 4059), get_request(3))
    return wire.capture(tmp_path / "made.pcap")


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main([*words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def _has(found: dict[str, Any], keys: dict[str, type]) -> None:
    assert {name: type(found[name]) for name in keys} == keys


def test_list_as_json(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key with its type; packets are numbered from 1; times have nine places."""
    lines = _json(capsys, "list", str(capture))
    for line in lines:
        _has(line, LIST_KEYS)
        assert all(line[name] is None or type(line[name]) is kind for name, kind in INSIGHT_KEYS.items())
    assert [line["packets"] for line in lines] == [[4], [5, 6], [8]]
    assert [line["number"] for line in lines] == [1, 2, 3]
    assert lines[0]["time"] == f"{START // 10**9}.004000000"
    assert (lines[0]["source"], lines[0]["destination"]) == ("10.0.0.1:50000", "10.0.0.2:4059")
    assert (lines[1]["source"], lines[1]["apdu"], lines[1]["apdu_tag"]) == (
        "10.0.0.2:4059",
        "get-response",
        196,
    )
    assert (lines[1]["segments"], lines[1]["length"], lines[1]["version"]) == (2, 20, 1)
    assert [line["protocol"] for line in lines] == ["tcp", "tcp", "udp"]


def test_truncated_wpdus_are_listed_when_asked_for(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By default only whole ones, with a word on what was left out."""
    assert main(["list", str(capture)]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 3
    assert "1 WPDU lacks octets" in shown.err
    assert len(_json(capsys, "list", str(capture), "--truncated")) == 4


def test_sessions_as_json(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a stream, its wPort pairs with their counts."""
    tcp, udp = _json(capsys, "sessions", str(capture))
    _has(tcp, SESSION_KEYS)
    assert (tcp["client"], tcp["server"], tcp["wpdus"]) == ("10.0.0.1:50000", "10.0.0.2:4059", 2)
    assert tcp["bytes"] == len(get_request(1)) + len(get_response(1)) + 12
    pair = tcp["wports"][0]
    assert (pair["client_wport"], pair["server_wport"], pair["wpdus"]) == (16, 1, 2)
    assert udp["protocol"] == "udp"


def test_stats_as_json(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object."""
    (counts,) = _json(capsys, "stats", str(capture))
    _has(counts, STATS_KEYS)
    assert counts["apdu_tags"] == {"get-request": 2, "get-response": 1}
    assert (counts["tcp_streams"], counts["udp_flows"], counts["packets"]) == (1, 1, 8)


def test_text_for_people(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Aligned columns in the list; names of Table 1 in the tree; counts with their names."""
    assert main(["list", str(capture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len({line.index(">") for line in lines}) == 1
    assert "  get-response         clear     " in lines[1]
    assert main(["sessions", str(capture)]) == 0
    assert "Public Client" in capsys.readouterr().out
    assert main(["stats", str(capture)]) == 0
    assert "retransmissions" in capsys.readouterr().out


def test_standard_input(
    capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`-` reads the capture from a pipe."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(capture.read_bytes())))
    assert len(_json(capsys, "list", "-")) == 3


@pytest.mark.parametrize(
    ("octets", "words"), [(b"", "Standard input is empty"), (b"hello", "Standard input is neither")]
)
def test_standard_input_that_is_no_capture(
    octets: bytes, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is called by its name, not by that of the file it was put into."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))
    assert main(["stats", "-"]) == 1
    assert words in capsys.readouterr().err


def test_no_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that closed it is told."""
    monkeypatch.setattr("sys.stdin", None)
    assert main(["stats", "-"]) == 1
    assert "closed" in capsys.readouterr().err


def test_any_encoding_of_the_output_will_do(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Consoles and pipes that are not UTF-8 (Windows, LC_ALL of old) get what they can show."""
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii"))
    wire = Wire()
    euro = bytes.fromhex("c401c1000c03e282ac")
    Tcp(wire).handshake().say(1, bytes.fromhex("0001000100100009") + euro)
    assert main(["list", str(wire.capture(capture))]) == 0
    assert b"?" in out.getvalue()


def test_a_full_disk_is_told(
    capture: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sentence and status 1, when the output cannot be written."""

    class Full(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    assert main(["list", str(capture)]) == 1
    assert "No space left on device" in capsys.readouterr().err


def test_without_an_output_nothing_goes_wrong(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window program on Windows has none."""
    monkeypatch.setattr("sys.stdout", None)
    assert main(["stats", str(capture)]) == 0


def test_decode_as(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An override by port; nonsense is a usage error in words."""
    assert len(_json(capsys, "list", str(capture), "--decode-as", "tcp:4059=none")) == 1
    assert main(["list", str(capture), "--decode-as", "4059"]) == 2
    assert "“4059”" in capsys.readouterr().err


def test_a_damaged_file_gives_what_it_has_and_says_what_not(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows up to the damage on standard output, the damage with its offset on standard error, status 0."""
    capture.write_bytes(capture.read_bytes()[:-5])
    assert main(["list", str(capture), "--json"]) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 2
    assert "octet" in shown.err


def test_a_file_that_is_no_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence and status 1, for a file of something else and for none."""
    (tmp_path / "notes.txt").write_text("nothing of the kind, but long enough to have a header")
    for name in ("notes.txt", "missing.pcap"):
        assert main(["stats", str(tmp_path / name)]) == 1
        assert name in capsys.readouterr().err


def test_a_real_capture(capsys: pytest.CaptureFixture[str]) -> None:
    """Eight WPDUs, as its description says."""
    lines = _json(capsys, "list", str(shared("captures/DLMS_list.pcap")))
    assert [line["apdu"] for line in lines] == [
        "AARQ",
        "AARE",
        "get-request",
        "get-response",
        "get-request",
        "get-response",
        "RLRQ",
        "RLRE",
    ]


def test_times() -> None:
    """Nanoseconds are never rounded; times that no calendar has are still printed."""
    assert seconds_text(1) == "0.000000001"
    assert seconds_text(-1_500_000_000) == "-1.500000000"
    assert Instant().text(1 << 62).endswith("427387904")
    assert len(Instant().text(START)) == len("2023-11-14 22:13:20.000000000")


def test_ends_are_those_of_the_made_capture() -> None:
    """What the other tests expect is what the helper makes."""
    assert (CLIENT, SERVER) == (("10.0.0.1", 50000), ("10.0.0.2", 4059))
