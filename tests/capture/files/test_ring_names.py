"""Names of a ring's files: which are one, whose they are, and what only looks like one."""

from pathlib import Path

import pytest

from cosemscope.capture.files.ring_names import ring_files, ring_number
from cosemscope.capture.records import CaptureError


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("meter_00001_20260131235959.pcapng", 1),
        ("meter_00042_20260131235959.pcap", 42),
        ("meter_123456_20260131235959.pcapng", 123_456),
        ("a_00001_20260131235959_00002_20260131235959.pcapng", 2),
        ("meter_00001_20260131235959", 1),
        ("meter_0001_20260131235959.pcapng", None),
        ("meter_00001_2026013123595.pcapng", None),
        ("meter_00001_20260131235959.pcapng.gz", None),
        ("_00001_20260131235959.pcapng", None),
        ("meter.pcapng", None),
        ("meter_00001.pcapng", None),
    ],
)
def test_numbers(name: str, number: int | None) -> None:
    """Five digits or more, then fourteen of a moment, then one suffix or none."""
    assert ring_number(Path("folder") / name) == number


def test_the_files_of_one_ring(tmp_path: Path) -> None:
    """By their numbers, in order; those of other rings and other suffixes are not among them."""
    moment = "20260131235959"
    mine = [f"meter_{number:05d}_{moment}.pcapng" for number in (2, 1, 10)]
    others = [
        f"other_00001_{moment}.pcapng",
        f"meter_00003_{moment}.pcap",
        "meter.pcapng",
        f"meter_00004_{moment}",
    ]
    for name in (*mine, *others):
        (tmp_path / name).touch()
    found = ring_files(tmp_path / mine[0])
    assert list(found) == [1, 2, 10]
    assert [path.name for path in found.values()] == sorted(mine)
    assert ring_files(tmp_path / "meter.pcapng") == {}
    assert list(ring_files(tmp_path / others[-1])) == [4]


def test_a_ring_whose_first_files_are_gone(tmp_path: Path) -> None:
    """The file that is asked about need not be there any more."""
    left = tmp_path / "meter_00007_20260131235959.pcapng"
    left.touch()
    assert ring_files(tmp_path / "meter_00001_20260131000000.pcapng") == {7: left}


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """Said in a sentence."""
    with pytest.raises(CaptureError, match=r"cannot be listed: No such file"):
        ring_files(tmp_path / "gone" / "meter_00001_20260131235959.pcapng")
