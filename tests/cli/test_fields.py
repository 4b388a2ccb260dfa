"""`fields`, `list --fields` and the README: all of them read the registry."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_types import Integer
from cosemscope.cli import main
from cosemscope.cli.commands.fields_command import markdown
from tests.helpers.traffic_samples import SAMPLES

CAPTURE = str(SAMPLES / "push.pcapng")


@pytest.fixture
def doubled() -> Iterator[str]:
    """One more field, as somebody would declare it: an entry and a function."""

    @FIELDS.declared("test.doubled", Integer(), "Doubled", "Twice the length")
    def _doubled(asked):
        return asked.wpdus("length") * 2

    yield "test.doubled"
    del FIELDS["test.doubled"]


def _output(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert main(words) == 0
    return capsys.readouterr().out.splitlines()


def test_a_new_field_is_everywhere(doubled: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In `fields`, in `--fields` as text and JSON, and among the names that are offered."""
    assert any(line.startswith("test.doubled ") for line in _output(capsys, "fields"))
    told = [json.loads(line) for line in _output(capsys, "fields", "--json")]
    assert {
        "name": doubled,
        "type": "integer",
        "several": False,
        "cost": "column",
        "title": "Doubled",
    }.items() <= {key: value for one in told if one["name"] == doubled for key, value in one.items()}.items()
    rows = [
        json.loads(line)
        for line in _output(capsys, "list", CAPTURE, "--json", "--fields", f"wpdu.length,{doubled}")
    ]
    assert all(row == {"wpdu.length": row["wpdu.length"], doubled: 2 * row["wpdu.length"]} for row in rows)
    head, first, *_ = _output(capsys, "list", CAPTURE, "--fields", f"{doubled},wpdu.length")
    assert head.split() == [doubled, "wpdu.length"]
    assert int(first.split()[0]) == 2 * int(first.split()[1])
    assert main(["list", CAPTURE, "--fields", "test.dubbled"]) == 1
    assert doubled in capsys.readouterr().err


def test_names_that_no_field_has(capsys: pytest.CaptureFixture[str]) -> None:
    """The nearest ones are offered in a sentence; none at all is told, too."""
    assert main(["list", CAPTURE, "--fields", "obis,clas"]) == 1
    assert "no field “clas”, but class" in capsys.readouterr().err
    assert main(["list", CAPTURE, "--fields", " , "]) == 1
    assert "names no field" in capsys.readouterr().err


def test_truncated_wpdus_are_left_out_of_fields_that_look(capsys: pytest.CaptureFixture[str]) -> None:
    """The looks at the others are theirs all the same."""
    faults = str(SAMPLES / "faults.pcapng")
    names = "wpdu.number,obis,info"
    whole = _output(capsys, "list", faults, "--json", "--fields", names)
    every = _output(capsys, "list", faults, "--json", "--fields", names, "--truncated")
    assert len(whole) < len(every)
    assert set(whole) < set(every)


def test_the_readme_has_the_fields() -> None:
    """`cosemscope fields --markdown` makes its table."""
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    assert "\n".join(markdown()) in readme, "put the output of `cosemscope fields --markdown` into README.md"


@pytest.mark.parametrize("keys", [(), ("--keys", str(SAMPLES / "first-look-keys.toml"))])
def test_items_of_trees_stand_in_lists_and_groups(
    keys: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each row has the items that `expert` lists of it, and groups are made of them, whatever they cost."""
    capture = str(SAMPLES / ("first-look.pcapng" if keys else "faults.pcapng"))
    listed: dict[int, list[str]] = {}
    for line in _output(capsys, "expert", capture, "--json", *keys):
        item = json.loads(line)
        if item["source"] not in ("stream", "datagram", "file", None):
            listed.setdefault(item["number"], []).append(item["item"])
    words = ("list", capture, "--json", "--truncated", *keys, "--fields", "wpdu.number,expert.item")
    rows = {row["wpdu.number"]: row["expert.item"] for row in map(json.loads, _output(capsys, *words))}
    assert listed
    for number, items in rows.items():
        assert not Counter(listed.get(number, [])) - Counter(items), number
    if keys:
        groups = _output(capsys, "stats", capture, "--by", "expert.item", "--json", *keys)
        assert "opened" in {json.loads(one)["expert.item"] for one in groups}
