"""No control character of a capture or of a name reaches the terminal, whatever the form of the output."""

import io
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.cli import main
from cosemscope.cli.terminal import harmless, harmless_octets, harmless_output, write_octets
from cosemscope.resources import resource
from tests.helpers.shared import shared

CONTROLS = [
    *range(0x20),
    *range(0x7F, 0xA0),
    0x61C,
    0x200E,
    0x200F,
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
]
KEPT = "\t\n"


def controls_in(text: str) -> set[str]:
    return {chr(number) for number in CONTROLS} & set(text) - set(KEPT)


@given(st.text(st.characters() | st.sampled_from([chr(number) for number in CONTROLS])))
def test_what_is_harmless_has_no_controls_and_means_the_same_in_json(text: str) -> None:
    """Texts and their octets in UTF-8 alike; other characters stay."""
    assert not controls_in(harmless(text))
    octets = text.encode("utf-8", "ignore")
    assert harmless_octets(octets).decode() == harmless(octets.decode())
    assert json.loads(harmless(json.dumps(text, ensure_ascii=False))) == text


@pytest.mark.parametrize(
    "words",
    [
        ["list", "{}"],
        ["list", "{}", "--json"],
        ["list", "{}", "--fields", "wpdu.number,frame.comment,ip.src_host,info"],
        ["show", "{}", "1"],
        ["show", "{}", "1", "--json"],
        ["sessions", "{}"],
        ["sessions", "{}", "--json"],
        ["stats", "{}"],
        ["expert", "{}"],
        ["expert", "{}", "--json"],
    ],
    ids=" ".join,
)
def test_texts_of_a_capture(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """Comments and names with escapes, C1 controls and marks that turn the direction of writing."""
    capture = str(shared("cases/hostile/escapes.pcapng"))
    assert main([capture if word == "{}" else word for word in words]) == 0
    told = capfd.readouterr()
    assert told.out
    assert not controls_in(told.out + told.err)


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_of_files(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file's name is told in errors and in its capture's own lines."""
    bad = tmp_path / "\x1b[31mred\u202e\x9b"
    bad.write_bytes(b"no capture")
    good = tmp_path / "good\x1b[31m.pcapng"
    shutil.copy(str(resource("samples/push.pcapng")), good)
    for words in (["stats", str(bad)], ["stats", str(tmp_path / "none\x1b[2J")], ["sessions", str(good)]):
        main(words)
    told = capfd.readouterr()
    assert "\\u001b[31mred\\u202e\\u009b" in told.err
    assert not controls_in(told.out + told.err)


def test_outputs_are_as_they_were_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller's streams are its own again, and what was written is in them, in order."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["list", "--json", str(resource("samples/push.pcapng"))]) == 0
    assert sys.stdout is out
    out.flush()
    lines = out.buffer.getvalue().decode().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize("text", ["plain", "\u007f", "\u0085 \u202e", "\N{DEGREE SIGN}C"])
def test_json_in_utf_8_is_harmless(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not there is anything to be looked for in it, and what it says stays."""
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    with harmless_output():
        write_octets(json.dumps(text, ensure_ascii=False).encode())
    assert out.getvalue() == harmless(out.getvalue())
    assert json.loads(out.getvalue()) == text
