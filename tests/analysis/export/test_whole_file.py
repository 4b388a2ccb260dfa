"""Files are there whole or not at all, keep their mode, and never replace what is read."""

import os
import stat
import sys
from pathlib import Path

import pytest

from cosemscope.analysis.export.whole_file import ExportError, WholeFile


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    """Until then what was there before stays."""
    path = tmp_path / "out.csv"
    path.write_text("old")
    with WholeFile(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_nothing_is_left_of_what_failed(tmp_path: Path, error: type[BaseException]) -> None:
    """The error goes on, and the old file stays."""
    path = tmp_path / "out.csv"
    path.write_text("old")

    def fail() -> None:
        with WholeFile(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        fail()
    assert [one.read_text() for one in tmp_path.iterdir()] == ["old"]


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    """By whatever name it goes."""
    source = tmp_path / "capture.pcap"
    source.write_bytes(b"packets")
    link = tmp_path / "link"
    try:
        link.symlink_to(source)
    except OSError:
        link = source
    for path in (source, link, tmp_path / "." / "capture.pcap"):
        with pytest.raises(ExportError, match="not written over"):
            WholeFile(path, [tmp_path / "missing", source])
    assert source.read_bytes() == b"packets"


@pytest.mark.skipif(sys.platform == "win32", reason="modes and links of POSIX")
def test_modes_and_links_stay(tmp_path: Path) -> None:
    """A new file has the usual mode, a replaced one its own; a link leads to the new file."""
    old, new, link = tmp_path / "old", tmp_path / "new", tmp_path / "link"
    old.write_text("old")
    old.chmod(0o600)
    link.symlink_to(old)
    for path in (link, new):
        with WholeFile(path) as file:
            file.write(b"written")
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.stat().st_mode) == 0o666 & ~mask
    assert link.is_symlink()
    assert old.read_bytes() == new.read_bytes() == b"written"


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A folder, or a folder that is not there."""
    for path in (tmp_path, tmp_path / "missing" / "out"):
        with pytest.raises(ExportError, match="cannot be written"), WholeFile(path):
            pass


def test_devices_are_written_to(tmp_path: Path) -> None:
    """Nobody replaces them."""
    if not Path(os.devnull).exists():
        pytest.skip("no such device")
    with WholeFile(os.devnull) as file:
        file.write(b"gone")
    assert not stat.S_ISREG(os.stat(os.devnull).st_mode)
