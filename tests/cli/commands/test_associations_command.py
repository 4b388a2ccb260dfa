"""`associations`: the keys that scripts rely on, and a table for people."""

import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from cosemscope.cli.commands.associations_command import DESCRIPTION
from cosemscope.resources import resource

NUMBERS = ("number", "stream", "client_wport", "server_wport", "exchanges", "errors", "unanswered")
TEXTS = ("client", "server", "state", "ended", "time", "duration")
LISTS = ("security", "conformance", "conformance_asked")


def test_keys_and_types_over_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """Every association has every key, each of which the help names."""
    capture, keys = (str(resource(f"samples/first-look{end}")) for end in (".pcapng", "-keys.toml"))
    assert main(["associations", capture, "--keys", keys, "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    named = set(DESCRIPTION.partition("With --json: ")[2].partition(";")[0].split(", "))
    for one in found:
        assert set(one) == named
        assert all(isinstance(one[key], int) for key in NUMBERS)
        assert all(isinstance(one[key], str) for key in TEXTS)
        assert all(isinstance(one[key], list) for key in LISTS)
    ciphered = next(one for one in found if one["mechanism"] == "HLS-GMAC (5)")
    assert (ciphered["hls"], ciphered["hls_passes"], ciphered["suite"]) == ("right", 4, 0)
    refused = next(one for one in found if one["state"] == "refused")
    assert "authentication" in refused["diagnostic"]


def test_text_and_a_capture_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, and a line for each."""
    assert main(["associations", str(resource("samples/faults.pcapng"))]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["No.", "WPDU", "Client", "Server"]
    assert any(line.split()[-2:] == ["rst", "server"] for line in lines)
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    assert main(["associations", str(empty)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
