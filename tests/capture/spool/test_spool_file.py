"""The growing file: whole blocks in both byte orders, and a true count of packets after a full disk."""

import errno
import os
from pathlib import Path

import pytest

from cosemscope.capture.spool.spool_file import SpoolError, SpoolFile
from tests.helpers.captured import read_file
from tests.helpers.files import Pcapng


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_full_disk_leaves_whole_blocks_and_counts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """What other programs captured may be in the other byte order: it is cut between blocks, too."""
    blocks = Pcapng(order)
    path = tmp_path / "x.pcapng"
    file = SpoolFile(path, buffer=1 << 20)
    file.put(blocks.section())
    file.put(blocks.interface())
    for number in range(20):
        file.put(blocks.enhanced(number, bytes(100)), 1)
    room = 1000
    write = os.write

    def nearly_full(descriptor: int, octets: bytes) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        done = write(descriptor, octets[:room])
        room -= done
        return done

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(SpoolError, match=r"the disk is full\. What was captured before is kept in it"):
        file.flush()
    with pytest.raises(SpoolError):
        file.close()
    assert file.closed
    found, reader = read_file(tmp_path / "copy", path.read_bytes())
    assert len(found) == file.packets == 7
    assert reader.problems == []


def test_nothing_is_put_into_a_closed_file(tmp_path: Path) -> None:
    """Closing twice is fine, writing afterwards is a sentence."""
    file = SpoolFile(tmp_path / "x")
    file.close()
    file.close()
    with pytest.raises(SpoolError, match="has been closed"):
        file.put(b"x")
