"""`--fields` of the commands that print tables: the columns that are named, as text, JSON and CSV."""

import csv
import io
import json

import pytest

from cosemscope.cli import main
from cosemscope.resources import resource

SAMPLE = str(resource("samples/first-look.pcapng"))


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        ("exchanges", "exchange,exchange.status,obis,value"),
        ("associations", "association,association.mechanism,info"),
        ("expert", "item,severity,number"),
        ("procedures", "kind,verdict,exchanges"),
        ("objects", "obis,value,unit"),
    ],
)
def test_columns_are_those_that_are_named(
    command: str, fields: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In their order, with as many rows as without."""
    names = fields.split(",")
    assert main([command, SAMPLE, "--json"]) == 0
    count = len(capsys.readouterr().out.splitlines())
    assert main([command, SAMPLE, "--json", "--fields", fields]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == count > 2
    assert all(list(row) == names for row in rows)
    assert any(row[names[-1]] is not None for row in rows)
    assert main([command, SAMPLE, "--fields", fields]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == names
    assert len(lines) == count


def test_objects_have_csv_of_some_columns_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Of one meter."""
    words = ["objects", SAMPLE, "--csv", "--meter", "198.51.100.21", "--fields", "meter,obis"]
    assert main(words) == 0
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["meter", "obis"]
    assert {row[0] for row in rows} == {"198.51.100.21"}


@pytest.mark.parametrize("command", ["exchanges", "associations", "procedures", "expert", "objects"])
@pytest.mark.parametrize("names", ["nonsense", ","])
def test_names_that_are_none_are_told(command: str, names: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is printed."""
    assert main([command, SAMPLE, "--fields", names]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "--fields" in err
