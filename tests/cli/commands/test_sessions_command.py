"""`sessions`: what each stream came to, in keys that scripts rely on and a line for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.planted_faults import Plot, meter_closed_unreleased, pushes_of_a_meter, syn_unanswered
from tests.helpers.wire import Wire


def sessions(capture: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert main(["sessions", str(capture), "--json", *words]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_keys_of_outcomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Outcome, cause, counts, and who is who: of TCP and of DLMS."""
    wire = Wire()
    for number, session in enumerate((meter_closed_unreleased, pushes_of_a_meter, syn_unanswered), 1):
        session(Plot(wire, number))
    closed, pushed, missed = sessions(wire.capture(tmp_path / "wire.pcap"), capsys)
    names = (
        "outcome",
        "cause",
        "cause_packet",
        "exchanges",
        "errors",
        "unanswered",
        "initiator",
        "dlms_client",
    )
    assert [closed[name] for name in names] == [
        "broken-off",
        "meter closed with FIN 9 s after the last WPDU, the association was not released",
        8,
        *(2, 0, 0),
        *("10.0.0.1:50001", "10.0.0.1:50001"),
    ]
    assert [pushed[name] for name in ("outcome", "initiator", "dlms_client")] == [
        "push-only",
        "10.0.1.2:40000",
        "10.0.0.1:4059",
    ]
    assert [missed[name] for name in ("outcome", "exchanges", "initiator", "dlms_client")] == [
        *("no-connection", 0),
        *("10.0.0.1:50003", None),
    ]


def test_text_and_what_is_not_dlms(capsys: pytest.CaptureFixture[str]) -> None:
    """A line below the stream; other protocols have none, and null for scripts."""
    sample, keys = (Path(str(resource(f"samples/first-look{end}"))) for end in (".pcapng", "-keys.toml"))
    assert {one["outcome"] for one in sessions(sample, capsys, "--keys", str(keys))} == {
        "complete",
        "push-only",
        "refused",
        None,
    }
    assert main(["sessions", str(sample)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "    complete: 31 exchanges, 2 errors; released (packet 137)" in lines
    assert sum(line.startswith("    push-only: ") for line in lines) == 3
