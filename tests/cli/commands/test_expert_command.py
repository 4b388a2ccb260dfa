"""`cosemscope expert`: all items of a capture as text and as JSON lines, whose keys stay."""

import json

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.shared import shared

KEYS = [
    "severity",
    "group",
    "item",
    "message",
    "clause",
    "number",
    "packet",
    "stream",
    "direction",
    "start",
    "stop",
    "source",
]
FAULTS = str(resource("samples/faults.pcapng"))


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["expert", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_json_lines_have_their_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts read them; numbers count from 1 as in the other commands, what does not apply is null."""
    found = [json.loads(line) for line in lines(capsys, FAULTS, "--json")]
    assert all(list(each) == KEYS for each in found)
    hole = next(each for each in found if each["item"] == "hole")
    assert (hole["severity"], hole["group"], hole["message"]) == (
        "warning", "tcp", "60 octets missing in the capture",
    )  # fmt: skip
    assert hole["stop"] - hole["start"] == 60
    assert hole["source"] == "stream"
    assert hole["clause"] is None
    packets = [each["packet"] for each in found]
    assert packets == sorted(packets)
    assert min(packets) > 1


def test_text_is_a_line_an_item(capsys: pytest.CaptureFixture[str]) -> None:
    """The same items in the same order, with their clauses."""
    objects = [json.loads(line) for line in lines(capsys, FAULTS, "--json")]
    text = lines(capsys, FAULTS)
    assert len(text) == len(objects)
    for line, each in zip(text, objects, strict=True):
        assert line.startswith(f"{each['severity']:<7}  {each['group']}")
        assert f"{each['message']}{' [' + each['clause'] + ']' if each['clause'] else ''}" in line


@pytest.mark.parametrize("least", ["note", "warning", "error"])
def test_severity_leaves_out_what_is_less(capsys: pytest.CaptureFixture[str], least: str) -> None:
    """And nothing else: what is at least so bad is all there."""
    order = ["chat", "note", "warning", "error"]
    capture = str(shared("captures/data7.pcapng"))
    everything = [json.loads(line) for line in lines(capsys, capture, "--json")]
    wanted = [each for each in everything if order.index(each["severity"]) >= order.index(least)]
    assert [json.loads(line) for line in lines(capsys, capture, "--json", "--severity", least)] == wanted
    assert 0 < len(wanted) < len(everything) or least == "note"


def test_keys_open_what_is_ciphered(capsys: pytest.CaptureFixture[str]) -> None:
    """With keys the verdicts are others than without."""
    capture, keys = (str(resource(f"samples/{name}")) for name in ("push.pcapng", "push-keys.toml"))
    without = {json.loads(line)["item"] for line in lines(capsys, capture, "--json")}
    assert {json.loads(line)["item"] for line in lines(capsys, capture, "--json", "--keys", keys)} == (
        without - {"no-key"} | {"opened"}
    )
