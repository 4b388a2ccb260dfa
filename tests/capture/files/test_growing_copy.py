"""Copies of pipes: as far as they are asked for, within bounds, without a name on the disk."""

import gzip
import os
import tempfile
from pathlib import Path

import pytest

from cosemscope.capture.files import growing_copy
from cosemscope.capture.files.growing_copy import Piped
from cosemscope.capture.files.reader import open_source
from cosemscope.capture.records import CaptureError
from tests.helpers.captured import read_file, records_of
from tests.helpers.files import Record, pcap

RECORDS = [Record(number, bytes([number % 256]) * 50) for number in range(300)]


class Pipe:
    """Octets that come out of a pipe, at most so many at a time; counts how many were taken."""

    def __init__(self, octets: bytes, most: int = 1000) -> None:
        self.octets, self.most, self.taken = octets, most, 0

    def read(self, most: int) -> bytes:
        start = self.taken
        self.taken = min(start + min(most, self.most), len(self.octets))
        return self.octets[start : self.taken]


def test_a_pipe_is_copied_as_far_as_it_is_asked_for() -> None:
    """And no further; at its end the copy is complete."""
    pipe = Pipe(pcap(RECORDS))
    copy = Piped(pipe.read)
    for size, taken in ((4, 1000), (1000, 1000), (1001, 2000)):
        copy.reach(size)
        assert (pipe.taken, copy.size, copy.consumed, copy.complete) == (taken, taken, taken, False)
    copy.reach(1 << 30)
    assert (copy.size, copy.complete, copy.problem) == (len(pipe.octets), True, None)
    assert copy.file.read(0, 1 << 20) == pipe.octets
    copy.close()


def test_a_capture_out_of_a_pipe(tmp_path: Path) -> None:
    """All its records; the reader is called what the pipe is."""
    with open_source(Path("Standard input"), Piped(Pipe(pcap(RECORDS)).read)) as reader:
        assert records_of(reader) == read_file(tmp_path / "x", pcap(RECORDS))[0]
        assert (reader.problems, reader.finished) == ([], True)


def test_a_compressed_capture_out_of_a_pipe(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is copied whole, then unpacked; where there is too much in the pipe, a sentence says so."""
    octets = gzip.compress(pcap(RECORDS))
    with open_source(Path("Standard input"), Piped(Pipe(octets, 100).read)) as reader:
        assert records_of(reader) == read_file(tmp_path / "x", pcap(RECORDS))[0]
        assert (reader.problems, reader.finished) == ([], True)
    monkeypatch.setattr(growing_copy, "MAX_COPIED", len(octets) - 1)
    with pytest.raises(
        CaptureError, match=r"^Standard input cannot be opened: .*not taken for a capture.*\.$"
    ):
        open_source(Path("Standard input"), Piped(Pipe(octets, 100).read))


def test_what_is_no_capture_is_not_copied() -> None:
    """Its first octets tell, however many follow."""
    pipe = Pipe(bytes(1 << 30), 1 << 16)
    with pytest.raises(CaptureError, match="Standard input is neither"):
        open_source(Path("Standard input"), Piped(pipe.read))
    assert pipe.taken == 1 << 16


@pytest.mark.parametrize(
    ("bound", "value", "size", "words"),
    [("MAX_COPIED", 9000, 9000, "not taken for a capture"), ("MIN_FREE_DISK", 1 << 60, 0, "no room")],
)
def test_a_copy_is_bounded(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int, size: int, words: str
) -> None:
    """In octets, and by what the disk has left; what came before stays, and the rest is told."""
    monkeypatch.setattr(growing_copy, bound, value)
    copy = Piped(Pipe(pcap(RECORDS)).read)
    copy.reach(1 << 30)
    assert (copy.size, copy.complete) == (size, True)
    assert words in str(copy.problem)
    copy.close()


def test_a_copy_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So nothing is left of it, however the program ends."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    copy = Piped(Pipe(pcap(RECORDS)).read)
    copy.reach(5000)
    assert copy.size >= 5000
    if os.name == "posix":  # Windows shows it until it is closed
        assert list(tmp_path.iterdir()) == []
    copy.close()
