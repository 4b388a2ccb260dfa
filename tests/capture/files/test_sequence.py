"""A ring read as one capture: addresses, interfaces and comments go on from file to file."""

from pathlib import Path

import pytest

from cosemscope.capture.files.ring_names import ring_files, ring_number
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError
from cosemscope.capture.spool.spool_writer import SpoolWriter
from tests.helpers.captured import records_of


def write(folder: Path, number: int, *octets: bytes, interface: str = "lo") -> Path:
    path = folder / f"x_{number:05d}_20260101000000.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface(interface)
        for index, each in enumerate(octets):
            spool.write(number * 1000 + index, each, comment=f"{number}/{index}" if index else None)
    return path


def test_files_follow_each_other(tmp_path: Path) -> None:
    """Octets of files that are done can still be asked for; the same interface has one number."""
    first = write(tmp_path, 1, b"a", b"bb", b"ccc")
    write(tmp_path, 2, b"dddd", interface="eth0")
    write(tmp_path, 3, b"e", b"f")
    (tmp_path / "other_00002_20260101000000.pcapng").write_bytes(b"not ours")
    with CaptureSequence(first) as reader:
        found = records_of(reader, 2)
        assert [record.octets for record in found] == [b"a", b"bb", b"ccc", b"dddd", b"e", b"f"]
        assert [record.interface for record in found] == [0, 0, 0, 1, 0, 0]
        assert [interface.name for interface in reader.interfaces] == ["lo", "eth0"]
        assert reader.comments == {1: ("1/1",), 2: ("1/2",), 5: ("3/1",)}
        assert reader.finished
        assert reader.position == reader.size
        assert reader.problems == []


def test_a_ring_is_followed_into_files_that_come(tmp_path: Path) -> None:
    """Nothing is read twice, and nothing that is written between two looks is passed over."""
    first = write(tmp_path, 1, b"a")
    with CaptureSequence(first, follow=True) as reader:
        assert [record.octets for record in records_of(reader, 2)] == [b"a"]
        assert not reader.finished
        second = tmp_path / "x_00002_20260101000001.pcapng"
        with SpoolWriter(second) as spool:
            spool.add_interface("lo")
            assert records_of(reader, 2) == []
            spool.write(5, b"b")
            assert [record.octets for record in records_of(reader, 2)] == [b"b"]
        reader.stop_following()
        assert records_of(reader, 2) == []
        assert reader.finished


def test_files_that_the_ring_has_removed_are_passed_over_and_told(tmp_path: Path) -> None:
    """A reader that is too slow goes on with what is there, and says what it missed."""
    first = write(tmp_path, 1, b"a")
    with CaptureSequence(first, follow=True) as reader:
        (record,) = records_of(reader, 2)
        write(tmp_path, 5, b"z")
        first.unlink()
        assert [record.octets for record in records_of(reader, 2)] == [b"z"]
        assert [problem.message for problem in reader.problems] == [
            "3 files of the ring were removed before they were read"
        ]
        assert reader.octets(0, 4) == b""  # gone with its file
    assert record.octets == b"a"


def test_a_sequence_begins_with_what_its_ring_still_has(tmp_path: Path) -> None:
    """Its first file is gone by now: the oldest one that is left is the first, and that is told."""
    gone = write(tmp_path, 1, b"a")
    gone.unlink()
    with pytest.raises(CaptureError, match="cannot be opened: No such file"):
        CaptureSequence(gone, follow=True)
    write(tmp_path, 2, b"b")
    write(tmp_path, 3, b"c")
    with CaptureSequence(gone) as reader:
        assert [record.octets for record in records_of(reader, 2)] == [b"b", b"c"]
        assert [problem.message for problem in reader.problems] == [
            "1 file of the ring was removed before it was read"
        ]
        assert reader.octets(0, 4) == (tmp_path / "x_00002_20260101000000.pcapng").read_bytes()[:4]


def test_any_other_file_is_a_sequence_of_one(tmp_path: Path) -> None:
    """A name that is no ring's never draws in its neighbours."""
    path = tmp_path / "plain.pcapng"
    write(tmp_path, 1, b"a").rename(path)
    write(tmp_path, 2, b"b")
    assert ring_number(path) is None
    assert ring_files(path) == {}
    with CaptureSequence(path) as reader:
        assert [record.octets for record in records_of(reader, 2)] == [b"a"]
        assert reader.finished


def test_a_file_that_is_no_capture_is_an_error(tmp_path: Path) -> None:
    """The first file's fault is the ring's fault."""
    path = tmp_path / "x_00001_20260101000000.pcapng"
    path.write_bytes(b"hello")
    with pytest.raises(CaptureError, match="neither pcap nor pcapng"):
        CaptureSequence(path)
