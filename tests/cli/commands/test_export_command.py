"""`export`: files and standard output, what is left by a filter, and what is not written."""

import csv
import io
from pathlib import Path

import pytest

from cosemscope.cli import main
from cosemscope.cli.commands import export_command
from cosemscope.resources import resource
from tests.helpers.tshark import tshark

SAMPLE = str(resource("samples/first-look.pcapng"))
KEYS = str(resource("samples/first-look-keys.toml"))


def test_a_filter_chooses_what_goes_out(tmp_path: Path) -> None:
    """WPDUs in CSV, and their packets in pcapng, whose comment says by what they were chosen."""
    out = tmp_path / "out.csv"
    words = ["export", SAMPLE, "--filter", "obis == 1.0.*.8.0.255", "--keys", KEYS]
    assert main([*words, "--to", "csv", "-o", str(out), "--fields", "wpdu.number, obis"]) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode(), newline="")))
    assert rows
    assert all(row["obis"].endswith(".8.0.255") for row in rows)
    packets = tmp_path / "out.pcapng"
    assert main([*words, "--to", "pcapng", "-o", str(packets)]) == 0
    assert len(tshark(packets)) >= len(rows)
    assert (
        b"from first-look.pcapng; WPDUs that the filter obis == 1.0.*.8.0.255 leaves" in packets.read_bytes()
    )


def test_all_formats_go_to_standard_output_too(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    """Text and octets alike: they are those of the file."""
    for form in ("json", "pcapng", "text"):
        out = tmp_path / form
        assert main(["export", SAMPLE, "--to", form, "-o", str(out)]) == 0
        assert main(["export", SAMPLE, "--to", form, "-o", "-"]) == 0
        assert capsysbinary.readouterr().out == out.read_bytes()


def test_nothing_that_is_read_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither the capture nor the keys."""
    capture, keys = tmp_path / "capture.pcapng", tmp_path / "keys.toml"
    for copy, source in ((capture, SAMPLE), (keys, KEYS)):
        copy.write_bytes(Path(source).read_bytes())
    for out in (capture, keys):
        before = out.read_bytes()
        assert main(["export", str(capture), "--keys", str(keys), "--to", "csv", "-o", str(out)]) == 1
        assert "is what is read" in capsys.readouterr().err
        assert out.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "csv", "--fields", "obsi"], "no field “obsi”"),
        (["--to", "csv", "--what", "expert", "--fields", "obis"], "no column “obis”"),
        (["--to", "pcapng", "--what", "expert"], "pcapng is written of wpdus and packets"),
        (["--to", "csv", "--filter", "obis =="], "--filter:"),
    ],
)
def test_what_cannot_be_done_is_told(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no file is there."""
    assert main(["export", SAMPLE, *words, "-o", str(tmp_path / "out")]) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it comes."""

    def interrupt(done: int, total: int) -> None:
        if any(tmp_path.iterdir()):
            raise KeyboardInterrupt

    monkeypatch.setattr(export_command, "show_progress", interrupt)
    assert main(["export", SAMPLE, "--to", "csv", "-o", str(tmp_path / "out.csv")]) == 130
    assert list(tmp_path.iterdir()) == []
