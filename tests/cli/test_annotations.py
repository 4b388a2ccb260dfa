"""What a pcapng says of its packets and addresses is printed: comments, names, drops."""

import json
from pathlib import Path

import pytest

from cosemscope.cli import main
from tests.helpers.annotated import write_annotated
from tests.helpers.packets import A4, B4


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """Its comment would control the terminal."""
    return write_annotated(tmp_path / "commented.pcapng", b"why twice?\n\x1b[31mred")


def test_show_prints_the_comments_of_its_packets(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the packet's number; what would control the terminal is escaped."""
    assert main(["show", str(capture), "2"]) == 0
    printed = capsys.readouterr().out
    assert "comment on packet 2: why twice?\n  \\x1b[31mred\n" in printed
    assert main(["show", str(capture), "1"]) == 0
    assert "comment" not in capsys.readouterr().out
    assert main(["show", "--json", str(capture), "2"]) == 0
    assert json.loads(capsys.readouterr().out)["comments"] == [
        {"packet": 2, "comment": "why twice?\n\x1b[31mred"}
    ]


def test_sessions_names_peers_and_stats_counts_drops(
    capture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names beside addresses, in text; the packets that the interface dropped."""
    assert main(["sessions", str(capture)]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"{A4} - meter-17 ({B4})"
    assert main(["stats", "--json", str(capture)]) == 0
    assert json.loads(capsys.readouterr().out)["dropped_packets"] == 7


def test_a_name_with_line_breaks_stays_on_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be taken for more of the tree."""
    path = write_annotated(tmp_path / "named.pcapng", name="me\nter\x1b[31m")
    assert main(["sessions", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == rf"{A4} - me\nter\x1b[31m ({B4})"
