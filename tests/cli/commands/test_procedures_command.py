"""`procedures`: the keys that scripts rely on, and a table for people."""

import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from cosemscope.cli.commands.procedures_command import DESCRIPTION
from cosemscope.resources import resource

SAMPLE, KEYS = (Path(str(resource(f"samples/first-look{end}"))) for end in (".pcapng", "-keys.toml"))


def test_keys_over_the_sample(capsys: pytest.CaptureFixture[str]) -> None:
    """Every procedure has every key that the help names, and in the order in which they began."""
    assert main(["procedures", str(SAMPLE), "--keys", str(KEYS), "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    assert [one["wpdu"] for one in found] == sorted(one["wpdu"] for one in found)
    named = set(DESCRIPTION.partition("With --json: ")[2].partition(";")[0].split(", "))
    assert all(set(one) == named for one in found)
    kinds = {one["kind"] for one in found}
    assert kinds == {"association", "hls", "profile-read", "clock-set", "push"}
    profile = next(one for one in found if one["kind"] == "profile-read")
    assert (profile["obis"], profile["done"], profile["verdict"]) == ("1.0.99.1.0.255", 96, "complete")
    assert float(profile["duration"]) > 0
    assert len(profile["exchanges"]) == 1


def test_text_and_a_capture_without_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A heading, and a line for each."""
    assert main(["procedures", str(SAMPLE)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[:5] == ["No.", "WPDU", "Client", "Server", "Procedure"]
    assert head.split()[5:] == ["Object", "Done", "Of", "Verdict", "Text"]
    assert any(line.endswith("4 notifications to 192.0.2.10:4059") for line in lines)
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    for words, count in ((["--json"], 0), ([], 1)):
        assert main(["procedures", str(empty), *words]) == 0
        assert len(capsys.readouterr().out.splitlines()) == count
