"""`--filter` of the commands that read captures leaves what it should, and its errors are pointed at."""

import json

import pytest

from cosemscope.cli import main
from cosemscope.cli.commands.filter_help_command import markdown
from cosemscope.resources import resource
from tests.helpers.scripts import CHECKOUT

CAPTURE = str(resource("samples/first-look.pcapng"))


def _told(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out.splitlines()


def _objects(capsys, command, *words):
    return [json.loads(line) for line in _told(capsys, command, CAPTURE, "--json", *words)]


def test_list_lists_what_a_filter_leaves(capsys):
    """Whether columns are enough or rows are looked at."""
    everything = _objects(capsys, "list")
    for text, passes in (
        ("wport == 16", lambda row: 16 in (row["source_wport"], row["destination_wport"])),
        ("obis == 1.0.1.8.0.255", lambda row: row["obis"] == "1.0.1.8.0.255"),
        ("aarq", lambda row: row["apdu"] == "AARQ"),
        ('info contains "kWh"', lambda row: "kWh" in row["info"]),
        ("", lambda row: True),
    ):
        assert _objects(capsys, "list", "--filter", text) == list(filter(passes, everything)), text


def test_the_head_of_a_table_stands_where_nothing_is_left(capsys):
    """So that scripts find the names of columns."""
    assert _told(capsys, "list", CAPTURE, "--filter", "wport == 9999", "--fields", "wport") == ["wport"]


@pytest.mark.parametrize(
    ("command", "key", "text", "passes"),
    [
        ("exchanges", "number", "exchange.status == error", lambda one: one["status"] == "error"),
        ("associations", "number", "association.security == clear", lambda one: "clear" in one["security"]),
        ("expert", "item", "wport == 16", lambda one: False),
        ("sessions", "stream", "stream in {0, 7}", lambda one: one["stream"] in (0, 7)),
        ("procedures", "number", "apdu == AARQ", lambda one: one["kind"] == "association"),
        ("objects", "obis", "obis == 1.0.*.8.0.255", lambda one: one["obis"].endswith(".8.0.255")),
    ],
)
def test_commands_leave_what_has_a_wpdu_that_is_left(capsys, command, key, text, passes):
    """All of what passes that has one, and nothing else."""
    left = [one[key] for one in _objects(capsys, command, "--filter", text)]
    wanted = [one[key] for one in filter(passes, _objects(capsys, command))]
    if command in ("expert", "procedures", "objects"):
        assert set(wanted) <= set(left)
        assert len(left) < len(_objects(capsys, command))
    else:
        assert left == wanted != []


def test_counts_are_of_what_is_left(capsys):
    """Of WPDUs with `count`, of exchanges with `stats --by`."""
    counted = _objects(capsys, "count", "--by", "wport.src", "--filter", "wport.src in {1, 16}")
    assert {one["wport.src"] for one in counted} == {1, 16}
    groups = _objects(capsys, "stats", "--by", "status", "--filter", "exchange.status == error")
    assert [one["status"] for one in groups] == ["error"]
    assert groups[0]["errors"] == groups[0]["count"] > 0


def test_filters_know_what_keys_open(capsys):
    """The same filter finds more with keys."""
    words = (
        "--filter",
        "obis == 0.0.1.0.0.255 && apdu contains glo",
        "--keys",
        str(resource("samples/first-look-keys.toml")),
    )
    assert len(_objects(capsys, "list", *words)) > len(_objects(capsys, "list", *words[:2]))


def test_errors_are_pointed_at(capsys):
    """A sentence, the filter, and marks; and no line of output."""
    assert main(["list", CAPTURE, "--filter", "wport == 16 && obis == foo"]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.splitlines()[1:] == ["  wport == 16 && obis == foo", " " * 25 + "^^^"]
    assert "such as 1.0.1.8.0.255" in err.splitlines()[0]
    assert main(["stats", CAPTURE, "--filter", "wport"]) == 1
    assert "--by" in capsys.readouterr().err
    assert main(["objects", CAPTURE, "--filter", "wport", "--object-list"]) == 1
    assert "--object-list" in capsys.readouterr().err


def test_help_is_there_for_scripts(capsys):
    """Topics a line, or one field."""
    topics = [json.loads(line) for line in _told(capsys, "filter-help", "--json")]
    assert {"filter": "wport == 16", "leaves": topics[0]["examples"][0]["leaves"]} in topics[0]["examples"]
    (told,) = map(json.loads, _told(capsys, "filter-help", "--json", "ipv6.addr"))
    assert told["name"] == "ip.addr"
    assert "<=" in told["operators"]


def test_help_tells_the_language_and_the_fields(capsys):
    """Topics with examples; a field with its words and spellings; a sentence for what is no field."""
    assert "  obis == 1.0.*.8.0.255  any quantity's total" in _told(capsys, "filter-help")
    told = "\n".join(_told(capsys, "filter-help", "expert.severity"))
    assert "chat, note, warning, error" in told
    assert "_ws.expert.severity" in told
    assert main(["filter-help", "obiss"]) == 1
    assert "but obis" in capsys.readouterr().err


def test_the_readme_has_the_language():
    """`cosemscope filter-help --markdown` makes its table."""
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    assert "\n".join(markdown()) in readme, (
        "put the output of `cosemscope filter-help --markdown` into README.md"
    )


@pytest.mark.parametrize(
    "spelt", ["43535010000390AB", '"CSP 43535010000390AB"', "CSP10000390AB", '"43 53 50 10 00 03 90 ab"']
)
def test_titles_have_several_spellings(capsys, spelt):
    """All of them are one title, of WPDUs that keys have opened."""
    words = ("--keys", str(resource("samples/first-look-keys.toml")), "--fields", "title")
    every = _objects(capsys, "list", *words)
    wanted = [one for one in every if one["title"] == "CSP 43535010000390AB"]
    assert _objects(capsys, "list", *words, "--filter", f"title == {spelt}") == wanted != []
