"""`tables` and `query`: words, exit status and what is said; what is broken, missing or not to be written."""

import csv
import io
import json
from pathlib import Path

import pytest

from cosemscope.analysis.fleet import fleet_needs
from cosemscope.cli import main
from cosemscope.resources import resource
from tests.helpers.fleet_captures import write_fleet
from tests.helpers.fleet_folders import rows_of

SAMPLE = str(resource("samples/first-look.pcapng"))
KEYS = str(resource("samples/first-look-keys.toml"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables of the sample."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    folder = tmp_path_factory.mktemp("tables")
    assert main(["tables", SAMPLE, "--keys", KEYS, "--to", str(folder)]) == 0
    return folder


def test_what_is_taken_in_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A line a capture with its rows; the second time that it is there."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    captures = [str(path) for path in write_fleet(tmp_path, meters=10).captures]
    words = ["tables", *captures, "--to", str(tmp_path / "tables"), "-j", "2"]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all("10 sessions, 10 associations, 51 exchanges" in line for line in lines)
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == [f"{name} is there already." for name in captures]


def test_what_is_broken_is_passed_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told in sentences on standard error, with status 1; the others are there."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    good = write_fleet(tmp_path, meters=10).captures[0]
    bad, empty = tmp_path / "bad.pcap", tmp_path / "empty.pcap"
    bad.write_bytes(b"this is no capture, whatever its name says")
    empty.write_bytes(b"")
    words = ["tables", str(bad), str(tmp_path / "missing.pcap"), str(good), str(empty), str(tmp_path)]
    assert main([*words, "--to", str(tmp_path / "tables")]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert str(good) in out
    assert len(err.splitlines()) == 4
    for name in ("bad.pcap", "missing.pcap", "empty.pcap", str(tmp_path)):
        assert any(name in line for line in err.splitlines())


def test_a_capture_is_found_again_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its path is whole, however it was named."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    (capture, *_) = write_fleet(tmp_path, meters=10).captures
    monkeypatch.chdir(tmp_path)
    assert main(["tables", capture.name, "--to", "tables"]) == 0
    (row,) = rows_of(tmp_path / "tables", "captures")
    assert row["files"] == [str(capture)]


def test_scripts_are_told_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An object a capture: what was taken in, what is there, what failed."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    first, second, _ = map(str, write_fleet(tmp_path, meters=10).captures)
    words = ["tables", "--json", "--to", str(tmp_path / "tables")]
    assert main([*words, first]) == 0
    (taken,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (taken["state"], taken["files"], taken["rows"]["exchanges"]) == ("taken", [first], 51)
    assert main([*words, first, second, str(tmp_path / "missing.pcap")]) == 1
    told = {one["file"]: one["state"] for one in map(json.loads, capsys.readouterr().out.splitlines())}
    assert told == {first: "there", second: "taken", str(tmp_path / "missing.pcap"): "failed"}


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["-j", "0"], 2, "at least 1"),
        (["--decode-as", "x"], 2, "--decode-as"),
        (["--keys", "missing.toml"], 1, "missing.toml"),
    ],
)
def test_wrong_words_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    """Before anything is made."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    assert main(["tables", SAMPLE, "--to", str(tmp_path / "tables"), *words]) == status
    assert said in capsys.readouterr().err
    assert not (tmp_path / "tables").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands there."""
    pytest.importorskip("pyarrow")
    pytest.importorskip("duckdb")
    place = tmp_path / "tables"
    place.write_text("a file")
    assert main(["tables", SAMPLE, "--to", str(place)]) == 1
    assert f"{place} cannot be written" in capsys.readouterr().err


def test_what_is_missing_is_told_with_the_line_that_brings_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both packages by name, of both commands."""
    monkeypatch.setattr(fleet_needs, "find_spec", lambda name: None)
    for words in (["tables", SAMPLE, "--to", str(tmp_path)], ["query", str(tmp_path), "slowest-meters"]):
        assert main(words) == 1
        said = capsys.readouterr().err
        assert "pyarrow" in said
        assert "duckdb" in said
        assert 'python -m pip install "cosemscope[fleet]"' in said


def test_answers_come_as_text_json_and_csv(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows."""
    asked = "SELECT status, count(*) AS n FROM exchanges GROUP BY status ORDER BY status"
    assert main(["query", str(folder), asked, "--json"]) == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert len(rows) > 2
    assert main(["query", str(folder), asked, "--csv"]) == 0
    told = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert told == [{name: str(value) for name, value in row.items()} for row in rows]
    assert main(["query", str(folder), asked]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["status", "n"]
    assert [line.split() for line in lines] == [[row["status"], str(row["n"])] for row in rows]


def test_no_control_character_reaches_the_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a capture or a question holds."""
    asked = "SELECT chr(27) || '[31mred' AS text, chr(155) AS other"
    for form in ([], ["--json"], ["--csv"]):
        assert main(["query", str(folder), asked, *form]) == 0
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\x9b" not in out
        assert "1b[31mred" in out
    assert main(["query", str(folder), "SELECT '\x1b[31m' FROM nowhere"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_ready_questions_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, without any folder; --sql tells what would be asked."""
    assert main(["query", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines == sorted(lines)
    assert main(["query", "anywhere", lines[0].split()[0], "--sql"]) == 0
    assert "SELECT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ([], 2, "name DIR and a question"),
        (["{}"], 2, "name DIR and a question"),
        (["{}", "fastest-meters"], 2, "no ready question fastest-meters"),
        (["{}", "SELECT 1; SELECT 2"], 1, "One question"),
        (["{}", "DELETE FROM exchanges"], 1, "One question"),
        (["{}/captures", "SELECT 1"], 1, "no tables"),
    ],
)
def test_wrong_questions_are_told(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    """In a sentence."""
    assert main(["query", *(word.format(folder) for word in words)]) == status
    assert said in capsys.readouterr().err
