"""Rings and stop conditions: every file complete by itself, nothing lost between two, ends where told."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.spool.chunks import Chunk
from cosemscope.capture.spool.spool_ring import Ring, RingOptions, StopOptions
from cosemscope.capture.spool.spool_writer import SpoolInterface, interface_block, packet_block, section_block
from tests.helpers.captured import records_of

HEAD = section_block("tester", "") + interface_block(SpoolInterface("lo"))
SIZE = 100 + 32


def chunk(numbers: range, size: int = 100) -> Chunk:
    blocks = [packet_block(number, bytes(size), original=size) for number in numbers]
    ends = [sum(map(len, blocks[: index + 1])) for index in range(len(blocks))]
    return Chunk(b"".join(blocks), ends)


def times(path: Path) -> list[int]:
    with open_capture(path) as reader:
        found = [record.time for record in records_of(reader)]
        assert reader.problems == []
        assert reader.interfaces[0].name == "lo"
    return found


def filled(ring: Ring, packets: int, step: int = 7) -> list[Path]:
    ring.write(Chunk(HEAD, head=HEAD), 0)
    for start in range(0, packets, step):
        ring.write(chunk(range(start, min(start + step, packets))), 0)
    ring.close()
    return ring.files


@given(st.integers(1, 60), st.integers(300, 3000), st.integers(1, 9))
def test_every_packet_is_in_one_file_in_order(
    tmp_path_factory: pytest.TempPathFactory, packets: int, size: int, step: int
) -> None:
    """Whatever the sizes, the files together are the capture; each is complete and no longer than told."""
    folder = tmp_path_factory.mktemp("ring")
    files = filled(Ring(folder / "x.pcapng", 0, ring=RingOptions(size=size)), packets, step)
    assert [time for path in files for time in times(path)] == list(range(packets))
    for path in files:
        assert path.stat().st_size <= max(size, len(HEAD) + SIZE)
    with CaptureSequence(files[0]) as reader:
        assert sum(len(batch) for batch in iter(lambda: reader.read(3), None)) == packets


def test_only_the_newest_files_are_kept(tmp_path: Path) -> None:
    """A ring is for a disk that must not fill up: what is beyond the number goes, the oldest first."""
    told: list[tuple[str, list[str]]] = []
    ring = Ring(
        tmp_path / "x.pcapng",
        0,
        ring=RingOptions(size=len(HEAD) + 3 * SIZE, files=2),
        on_file=lambda path, removed: told.append((path.name, [each.name for each in removed])),
    )
    files = filled(ring, 10)
    assert sorted(tmp_path.iterdir()) == files
    assert [times(path) for path in files] == [[6, 7, 8], [9]]
    assert (ring.packets, ring.files_begun) == (10, 4)
    assert [len(removed) for _, removed in told] == [0, 1, 1]
    assert all(re.fullmatch(r"x_0000\d_\d{14}\.pcapng", name) for name, _ in told)


def test_a_file_that_a_reader_keeps_open_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows an open file cannot be removed: the capture goes on, and tries again."""
    remove = Path.unlink
    locked = True

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if locked and "_00001_" in path.name:
            raise PermissionError(13, "in use")
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    ring = Ring(tmp_path / "x.pcapng", 0, ring=RingOptions(size=len(HEAD) + SIZE, files=1))
    ring.write(Chunk(HEAD, head=HEAD), 0)
    ring.write(chunk(range(3)), 0)
    assert len(list(tmp_path.iterdir())) == 2
    locked = False
    ring.write(chunk(range(3, 5)), 0)
    ring.close()
    assert list(tmp_path.iterdir()) == ring.files


def test_time_turns_the_ring_but_leaves_no_empty_file(tmp_path: Path) -> None:
    """Hours without traffic must not fill a folder with files of nothing."""
    ring = Ring(tmp_path / "x.pcapng", 100, ring=RingOptions(seconds=10))
    ring.write(Chunk(HEAD, head=HEAD), 100)
    ring.tick(150)
    assert ring.files_begun == 1
    ring.write(chunk(range(2)), 150)
    ring.write(chunk(range(2, 3)), 159)
    ring.tick(170)
    assert ring.files_begun == 1
    ring.write(chunk(range(3, 4)), 171)
    ring.tick(190)
    ring.close()
    assert [times(path) for path in ring.files] == [[0, 1, 2], [3]]


def test_a_number_of_files_by_time_ends_without_traffic_too(tmp_path: Path) -> None:
    """The clock alone ends a ring: no packet need come."""
    ring = Ring(tmp_path / "x.pcapng", 0, ring=RingOptions(seconds=10), stop=StopOptions(files=1))
    ring.write(Chunk(HEAD, head=HEAD), 0)
    ring.write(chunk(range(1)), 1)
    ring.tick(10)
    assert ring.stopped is None
    ring.tick(11)
    assert ring.stopped == "files"
    ring.close()


@pytest.mark.parametrize(
    ("stop", "word", "left"),
    [
        (StopOptions(packets=5), "packets", 5),
        (StopOptions(size=len(HEAD) + 4 * SIZE + 50), "size", 4),
        (StopOptions(files=2), "files", 6),
    ],
)
def test_stop_conditions_are_exact(tmp_path: Path, stop: StopOptions, word: str, left: int) -> None:
    """Within a batch of packets too, and what comes after is not taken."""
    options = RingOptions(size=len(HEAD) + 3 * SIZE) if stop.files else RingOptions()
    ring = Ring(tmp_path / "x.pcapng", 0, ring=options, stop=stop)
    files = filled(ring, 20)
    assert ring.stopped == word
    assert [time for path in files for time in times(path)] == list(range(left))
    assert ring.packets == left


def test_the_time_to_stop(tmp_path: Path) -> None:
    """The ring says when it is there, and still takes what the system held back by then."""
    ring = Ring(tmp_path / "x.pcapng", 5, stop=StopOptions(seconds=2))
    assert not ring.is_over(6.9)
    assert ring.is_over(7)
    ring.tick(7)
    assert ring.stopped is None
    ring.close()
    endless = Ring(tmp_path / "y.pcapng", 5)
    assert not endless.is_over(1e9)
    endless.close()


def test_every_file_ends_with_the_counts(tmp_path: Path) -> None:
    """Drops must be known from whichever file of the ring is still there."""
    trailers = [b"\x05\0\0\0\x10\0\0\0\0\0\0\0\x10\0\0\0"]
    ring = Ring(tmp_path / "x.pcapng", 0, ring=RingOptions(size=400), trailer=lambda: trailers[0])
    for path in filled(ring, 5):
        assert path.read_bytes().endswith(trailers[0])
