"""`--keys` of `list`, `show` and `decode`: what opens, what does not, and that no key is ever shown."""

import io
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.keys.key_entry import KeyEntry
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.cli import main
from tests.helpers.protection import vector_keys, vectors
from tests.helpers.shared import shared
from tests.helpers.traffic_samples import SAMPLES

_HLS = "captures/Output-Ciphered-HLS.pcap"
_HLS_KEYS = """[[key]]
encryption = "000102030405060708090A0B0C0D0E0F"
authentication = "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"
"""


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The keys of the ciphered capture."""
    path = tmp_path / "keys.toml"
    path.write_text(_HLS_KEYS)
    return path


def _run(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def _rows(capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _run(capsys, "list", *words, "--json").splitlines()]


def test_a_ciphered_capture_opens_whole(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every glo- row is opened, tag 00 is named by what is inside, and values have their objects."""
    rows = _rows(capsys, shared(_HLS), "--keys", key_file)
    assert len(rows) == 266
    assert {row["security"] for row in rows if row["apdu"].startswith("glo-")} == {"opened"}
    assert all(row["inner"] == row["apdu"][4:] for row in rows if row["apdu"].startswith("glo-"))
    odd = [(row["security"], row["inner"]) for row in rows if row["apdu_tag"] == 0]
    assert odd == [("opened", "access-request"), ("opened", "access-response")]
    responses = [row for row in rows if row["inner"] == "get-response"]
    kinds = {"invoke_id": int, "class_id": int, "obis": str, "attribute": int, "result": str}
    for row in responses:
        assert {name: type(row[name]) for name in kinds} == kinds
    assert rows[4]["info"].startswith("GET 0.0.40.0.0.255")
    assert (rows[4]["class_id"], rows[4]["obis"], rows[4]["attribute"]) == (15, "0.0.40.0.0.255", 2)


@pytest.mark.parametrize(
    ("keys", "security"),
    [
        (None, "no-key"),
        (_HLS_KEYS.replace("0C0D0E0F", "0C0D0E0E"), "tag-wrong"),
        (_HLS_KEYS.replace("DCDDDEDF", "DCDDDEDE"), "tag-wrong"),
        (_HLS_KEYS.partition("authentication")[0], "opened-unauthenticated"),
    ],
)
def test_other_keys(
    keys: str | None, security: str, key_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without keys nothing opens, with wrong ones the tag is wrong; objects are then unknown."""
    words: tuple[object, ...] = ()
    if keys is not None:
        key_file.write_text(keys)
        words = ("--keys", key_file)
    rows = _rows(capsys, shared(_HLS), *words)
    assert Counter(row["security"] for row in rows) == {security: 265, "clear": 1}
    if security != "opened-unauthenticated":
        assert {row["inner"] for row in rows} == {None}
        assert {row["obis"] for row in rows} == {None}


def test_the_sample_opens_with_its_key_file(capsys: pytest.CaptureFixture[str]) -> None:
    """What the project ships opens with what it ships; the text has security and info."""
    sample, keys = SAMPLES / "first-look.pcapng", SAMPLES / "first-look-keys.toml"
    rows = _rows(capsys, sample, "--keys", keys)
    assert {row["security"] for row in rows} == {"clear", "opened"}
    assert sum(row["security"] == "opened" for row in rows) >= 12
    assert any(row["info"].endswith("kWh") for row in rows)
    lines = _run(capsys, "list", sample, "--keys", keys).splitlines()
    opened = next(number for number, row in enumerate(rows) if row["security"] == "opened")
    assert f"  opened    {rows[opened]['info']}" in lines[opened]


def test_no_title(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A bare glo- APDU whose sender nobody names cannot be opened."""
    shown = _run(capsys, "decode", "--keys", key_file, "--json", "c81e3001234567" + "00" * 25)
    assert json.loads(shown)["security"] == "no-title"


def test_show_opens_and_knows_the_association(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row by itself: the titles of the AARQ, the request before, the blocks before."""
    tree = json.loads(_run(capsys, "show", shared(_HLS), 8, "--keys", key_file, "--json"))
    assert (tree["security"], tree["inner"]) == ("opened", "get-response")
    assert tree["info"].startswith("GET response 0.0.40.0.0.255")
    assert [source["name"] for source in tree["sources"]] == ["WPDU", "decrypted", "joined blocks"]
    assert any("the authentication tag is right" in problem["message"] for problem in tree["problems"])
    sources = set()

    def visit(field: dict[str, Any]) -> None:
        assert set(field) >= {"name", "value", "text", "start", "stop", "source", "children"}
        sources.add(field["source"])
        for child in field["children"]:
            visit(child)

    visit(tree)
    assert sources == {0, 1, 2}
    text = _run(capsys, "show", shared(_HLS), 8, "--keys", key_file).splitlines()
    assert text[1] == "security: opened, get-response"
    assert "-- decrypted" in "\n".join(text)


def test_show_reads_a_pipe(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is standard input, as for `list`."""
    octets = shared("captures/DLMS_list.pcap").read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(octets)))
    assert _run(capsys, "show", "-", 1).startswith("AARQ")


def test_every_keyed_vector(key_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`decode --keys` opens each, its tree has the plaintext as a source of its own."""
    count = 0
    for vector in vectors():
        if "key" not in vector:
            continue
        table = KeyTable([KeyEntry(keys) for keys in vector_keys(vector) if keys.holds()])
        key_file.write_text(table.text())
        tree = json.loads(_run(capsys, "decode", "--json", "--keys", key_file, vector["hex"]))
        untagged = vector["verified"] == "decrypts (no tag)"
        assert tree["security"] == ("opened-untagged" if untagged else "opened"), vector["name"]
        assert tree["inner"] is not None, vector["name"]
        decrypted = [one["octets"] for one in tree["sources"][1:]]
        assert any(octets.startswith(vector["plain"]) for octets in decrypted), vector["name"]
        assert _run(capsys, "decode", "--keys", key_file, vector["hex"])
        count += 1
    assert count >= 54


def test_no_key_is_shown_anywhere(
    key_file: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in lines, trees and messages nor in logs, right keys or wrong ones, good files or bad ones."""
    caplog.set_level(logging.DEBUG)
    secrets = ["000102030405060708090a0b0c0d0e0f", "d0d1d2d3d4d5d6d7d8d9dadbdcdddedf"]
    broken = _HLS_KEYS.replace('0E0F"', '0E0F00"')
    for text in (_HLS_KEYS, _HLS_KEYS.replace("DEDF", "DEDE"), broken, _HLS_KEYS + "encryption = 1"):
        key_file.write_text(text)
        for words in (("list",), ("list", "--json"), ("show",), ("show", "--json")):
            number = ["6"] if words[0] == "show" else []
            main([words[0], str(shared(_HLS)), *number, *words[1:], "--keys", str(key_file)])
        main(["decode", "--keys", str(key_file), "c8"])
    shown = capsys.readouterr()
    everything = (shown.out + shown.err + caplog.text).lower().replace(" ", "")
    assert "keys.toml" in shown.err
    for secret in secrets:
        assert secret[:24] not in everything


def test_a_key_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sentence and status 1 in every command."""
    missing = str(tmp_path / "none.toml")
    capture = str(shared("captures/DLMS_list.pcap"))
    for words in (["list", capture], ["show", capture, "1"], ["decode", "c001"]):
        assert main([*words, "--keys", missing]) == 1
        assert "none.toml does not exist" in capsys.readouterr().err
