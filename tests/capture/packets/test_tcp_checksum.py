"""Checksums of TCP segments, over IPv4 and IPv6, against those that the generator made."""

from pathlib import Path

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.packet_table import PacketTable
from cosemscope.capture.packets.tcp_checksum import has_right_checksum
from tests.helpers.stream_truth import troubled
from tests.helpers.troubled_wire import NUMBERINGS, Truth


def checked(path: Path) -> list[bool]:
    """Whether the checksum of each packet is right."""
    with open_capture(path) as reader:
        table = PacketTable(reader.side)
        while batch := reader.read(1 << 16):
            table.add(batch)
        rows = range(len(table.packets))
        return [has_right_checksum(table.packets, table.flows, row, reader.octets) for row in rows]


@pytest.mark.parametrize("numbering", NUMBERINGS, ids=lambda numbering: numbering.name)
def test_only_damaged_segments_are_wrong(numbering, tmp_path: Path) -> None:
    """With options and without, odd lengths and even, both directions."""
    truth: Truth = troubled(tmp_path / "x", "damaged first", numbering, [3])
    wrong = {row for row, right in enumerate(checked(tmp_path / "x")) if not right}
    assert wrong == truth.roles["damaged"]


def test_what_is_cut_off_is_not_known_to_be_right(tmp_path: Path) -> None:
    """The snap length took octets away: whatever the checksum is."""
    troubled(tmp_path / "x", "nothing of the payload", NUMBERINGS[0], [3])
    assert not all(checked(tmp_path / "x"))
