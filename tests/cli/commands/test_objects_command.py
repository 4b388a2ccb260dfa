"""`objects`: keys that scripts rely on, profiles as CSV, object lists, sentences where nothing is told."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.shared import shared
from tests.helpers.traffic_apdus import get_request, get_response, visible_string
from tests.helpers.wire import Tcp, Wire, wpdu

SAMPLE = str(resource("samples/first-look.pcapng"))
PROFILE = "1.0.99.1.0.255"
KEYS = [
    *("meter", "logical_device", "class_id", "class", "obis", "name", "attribute", "attribute_name"),
    *(
        "value",
        "unit",
        "time",
        "number",
        "reads",
        "writes",
        "pushes",
        "refused",
        "refusal",
        "clients",
        "values",
    ),
]


def lines(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(["objects", *words]) == 0
    return capsys.readouterr().out.splitlines()


def objects(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines(capsys, *words, "--json")]


def test_keys_and_values_of_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts find the same keys on every line; a register has its value with scaler and unit."""
    found = objects(capsys, SAMPLE)
    assert all(list(one) == KEYS for one in found)
    (voltage,) = (
        one
        for one in found
        if (one["meter"], one["obis"], one["attribute"]) == ("198.51.100.21", "1.0.32.7.0.255", 2)
    )
    assert (voltage["value"], voltage["unit"], voltage["reads"]) == (237.7, "V", 2)
    assert voltage["clients"] == ["192.0.2.10"]
    assert [one["value"] for one in voltage["values"]] == [237.7]
    (refused,) = (one for one in found if one["obis"] == "0.0.96.99.8.255")
    assert (refused["value"], refused["refused"], refused["refusal"]) == (None, 1, "object-undefined")


def test_one_meter(capsys: pytest.CaptureFixture[str]) -> None:
    """`--meter` leaves only that meter's lines."""
    found = objects(capsys, SAMPLE, "--meter", "2001:db8:10::22")
    assert {one["meter"] for one in found} == {"2001:db8:10::22"}
    assert len(lines(capsys, SAMPLE, "--meter", "2001:db8:10::22")) == 1 + len(found)


@pytest.mark.parametrize("spelling", [PROFILE, "1-0:99.1.0*255", "1.0.99.1.0"])
def test_a_profile_as_csv(spelling: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line an entry, read back by a reader of CSV; blocks and ranges are one table."""
    rows = list(csv.reader(io.StringIO("\n".join(lines(capsys, SAMPLE, "--profile", spelling, "--csv")))))
    assert rows[0] == ["Meter", "[1]", "[2]", "[3]", "[4]"]
    assert len([row for row in rows[1:] if row[0] == "198.51.100.21"]) == 96
    entries = objects(capsys, SAMPLE, "--profile", spelling)
    assert len(entries) == len(rows) - 1
    assert entries[0]["values"][2]["value"] == int(rows[1][3])


def test_what_a_profile_lacks_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns without names and times that cannot be told are no silent gaps."""
    assert main(["objects", SAMPLE, "--profile", PROFILE]) == 0
    said = capsys.readouterr().err
    assert "capture objects are not in the capture" in said
    assert "capture period is not in the capture" in said


def test_the_object_list_of_a_real_meter(capsys: pytest.CaptureFixture[str]) -> None:
    """Each object of the meter's list with its rights in words."""
    found = objects(capsys, str(shared("captures/XmlDemo.pcap")), "--object-list")
    clock = next(one for one in found if one["class_id"] == 8)
    assert clock["attributes"]["time"].startswith("read")
    assert all(one["obis"] for one in found)


def test_what_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name, a profile or a meter that nothing tells of: a sentence each, and status 1."""
    for words, sentence in (
        (["--profile", "x"], "is no OBIS code"),
        (["--profile", "1.0.99.1.0.300"], "is no OBIS code"),
        (["--profile", "1.0.98.1.0.255"], f"profiles with entries: {PROFILE}"),
        (["--meter", "192.0.2.77"], "nothing is told of a meter 192.0.2.77"),
        (["--object-list"], "no object list"),
    ):
        assert main(["objects", SAMPLE, *words]) == 1
        assert sentence in capsys.readouterr().err


def test_no_cell_is_a_formula(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A meter's text that begins like a formula is none in a spreadsheet; negative numbers stay numbers."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for name, text in (("0.0.96.1.0.255", "=1+1"), ("0.0.96.1.1.255", "-5")):
        tcp.say(0, wpdu(get_request(0xC1, 1, name)))
        tcp.say(1, wpdu(get_response(0xC1, visible_string(text)), 1, 16))
    found = lines(capsys, str(wire.capture(tmp_path / "formula.pcap")), "--csv")
    cells = [row[6] for row in csv.reader(found[1:])]
    assert cells == ["'=1+1", "-5"]


def test_the_help_names_the_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """Keys that scripts rely on are promised where scripts' authors look."""
    with pytest.raises(SystemExit):
        main(["objects", "--help"])
    help_text = " ".join(capsys.readouterr().out.split())
    assert [key for key in KEYS if f"{key}," not in help_text and f"{key} (" not in help_text] == []
