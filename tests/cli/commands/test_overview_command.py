"""`overview`: ten lines for people and one object for scripts, with figures counted by hand."""

import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from cosemscope.cli.commands.overview_command import DESCRIPTION
from tests.helpers import planted_faults as faults
from tests.helpers.planted_faults import Plot
from tests.helpers.traffic_apdus import access_request, access_response, unsigned
from tests.helpers.wire import MILLISECOND, SYN, Tcp, Wire


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Four meters, one asked twice: a slow answer, errors, no answer; and two things that are not DLMS."""
    wire = Wire()
    faults.complete(Plot(wire, 1))
    slow = Plot(wire, 2)
    slow.associate()
    slow.up(faults.OTHER)
    slow.wait(700)
    slow.down(faults.ANSWER)
    slow.release()
    faults.with_an_error(Plot(wire, 3))
    again = Plot(wire, 3)
    again.tcp = Tcp(wire, ("10.0.0.1", 51_000), again.meter, isn=(5, 7))
    faults.association_refused(again)
    faults.unanswered_among_others(Plot(wire, 4))
    web = Tcp(wire, ("10.0.0.1", 50_900), ("10.0.0.9", 80)).handshake()
    web.say(0, b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
    Tcp(wire, ("10.0.0.1", 50_901), ("10.0.0.9", 443)).packet(0, -1, flags=SYN)
    wire.packets.append((wire.time + MILLISECOND, bytes.fromhex("4500001400000000400100000a0000010a000009")))
    return wire.capture(tmp_path / "wire.pcap")


def test_figures(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every key that the help names, counted by hand."""
    assert main(["overview", str(capture), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[name] for name in ("meters", "complete_meters", "clients")] == [4, 2, 1]
    assert (found["tcp_connections"], found["udp_flows"]) == (5, 0)
    assert found["outcomes"] == {"complete": 3, "refused": 1, "unanswered": 1}
    counted = ("exchanges", "answered", "errors", "unanswered", "notifications")
    assert [found[name] for name in counted] == [14, 11, 2, 1, 0]
    assert found["response_time"] == {"median": "0.001000000", "p95": "0.700000000", "max": "0.700000000"}
    assert found["slowest"] == {
        "meter": "10.0.1.2",
        "exchange": 5,
        "wpdu": 9,
        "about": "get-request 0.0.42.0.0.255:2",
        "response_time": "0.700000000",
    }
    assert found["most_errors"] == {"meter": "10.0.1.3", "number": 2, "result": "rejected-permanent"}
    assert found["most_unanswered"] == {"meter": "10.0.1.4", "number": 1, "result": None}
    first = found["first_trouble"]
    assert (first["meter"], first["outcome"], first["exchange"]) == ("10.0.1.3", "complete", 8)
    assert [found[name] for name in ("unfinished", "unasked", "unconfirmed", "unopened")] == [0, 0, 0, 0]
    assert found["not_dlms"] == {"tcp_connections": 2, "udp_flows": 0, "octets": 37, "other_packets": 1}
    for key in found:
        assert key in DESCRIPTION


def test_ten_lines(capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A head and a text each, also of a capture without anything."""
    assert main(["overview", str(capture)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[1].split(None, 1)[1] == (
        "4, 2 without a connection that failed or was cut; 1 client; 5 TCP connections, 0 UDP flows"
    )
    assert lines[2].split(None, 1)[1] == "3 complete (60 %), 1 refused (20 %), 1 unanswered (20 %)"
    assert (
        lines[5].split(None, 1)[1]
        == "10.0.1.2, get-request 0.0.42.0.0.255:2 took 700 ms (its WPDU is number 9)"
    )
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    assert main(["overview", str(empty)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert [line.split(":")[1].strip() for line in (lines[2], lines[5])] == ["none", "none"]


def test_shares_are_honest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One failure among many is not rounded away, and all but one are not all."""
    wire = Wire()
    for number in range(1, 202):
        (faults.syn_unanswered if number == 150 else faults.complete)(Plot(wire, number))
    assert main(["overview", str(wire.capture(tmp_path / "wire.pcap"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].endswith("200 complete (over 99 %), 1 no-connection (under 1 %)")


def test_errors_that_only_trees_tell_are_counted_as_exchanges_counts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ACCESS whose second result is an error: every command says the same, with keys or without."""
    plot = Plot(Wire(), 1)
    plot.associate()
    plot.up(access_request(0x40000001, [(3, "1.0.1.8.0.255", 2), (1, "0.0.96.1.0.255", 2)]))
    answer = access_response(0x40000001, [unsigned(1), b"\0"])
    plot.down(answer[:-1] + b"\x04")
    plot.release()
    path = str(plot.wire.capture(tmp_path / "access.pcap"))
    assert main(["exchanges", path, "--json"]) == 0
    statuses = [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()]
    assert main(["overview", path, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(["sessions", path, "--json"]) == 0
    session = json.loads(capsys.readouterr().out)
    assert statuses.count("error") == told["errors"] == session["errors"] == 1
