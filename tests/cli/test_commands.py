"""The table of commands: each has its module, and no module is forgotten."""

import importlib
import re
from pathlib import Path

import pytest

from cosemscope import cli


def test_every_command_has_a_module_and_every_module_a_row() -> None:
    """A command is one file and one row: neither stands without the other."""
    folder = Path(cli.__file__).with_name("commands")
    assert sorted(
        path.stem.removesuffix("_command").replace("_", "-") for path in folder.glob("*_command.py")
    ) == sorted(cli.COMMANDS)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_a_command_describes_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its help shows what its module says of it and its options; the status is 0."""
    module = importlib.import_module(f"cosemscope.cli.commands.{name.replace('-', '_')}_command")
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert " ".join(module.DESCRIPTION.split())[:60] in shown
    assert re.search(r"(^|\s)--json\b|--to FORMAT .*\bjson: ", shown)
    assert cli.is_command([name])


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With the line of its row, and in the order of the table."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["--help"])
    assert caught.value.code == 0
    shown = " ".join(capsys.readouterr().out.split())
    places = [shown.index(f"{name} {summary}") for name, summary in cli.COMMANDS.items()]
    assert places == sorted(places)


@pytest.mark.parametrize("words", [[], ["capture.pcap"], ["--window"], ["lists"]])
def test_what_is_no_command_is_for_the_window(words: list[str]) -> None:
    """A file of any name opens, unless it has a command's name."""
    assert not cli.is_command(words)
