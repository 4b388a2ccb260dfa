"""Where the octets of a row lie: in one segment, or in extents; and rows of the fast path."""

import numpy as np
import pytest

from cosemscope.streams.recognition import HEAD
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import WpduTable, wrapper_rows

FILE = bytes(range(200))


def read(address: int, length: int) -> bytes:
    return FILE[address : address + length]


def table() -> WpduTable:
    """A row in one segment, and two in several."""
    one = WpduTable()
    one.extents.extend(2, address=[50, 10], length=[3, 2], packet=[4, 2])
    one.extents.extend(3, address=[90, 70, 80], length=[1, 2, 1], packet=[7, 6, 7])
    one.append(first_packet=9, last_packet=9, segments=1, address=5, size=4)
    one.append(first_packet=2, last_packet=4, segments=2, address=-1, size=5)
    one.append(first_packet=6, last_packet=7, segments=3, address=-3, size=4)
    return one


@pytest.mark.parametrize(
    ("row", "octets", "packets"),
    [
        (0, FILE[5:9], [9]),
        (1, FILE[50:53] + FILE[10:12], [4, 2]),  # in the order of the octets
        (2, FILE[90:91] + FILE[70:72] + FILE[80:81], [7, 6]),  # each packet once
    ],
)
def test_octets_and_packets_of_a_row(row: int, octets: bytes, packets: list[int]) -> None:
    """Extent numbers are written as -1 minus the first."""
    assert table().octets(row, read) == octets
    assert table().packets_of(row).tolist() == packets


def test_packets_of_a_row_are_nobody_else_s() -> None:
    """Whoever changes them changes no row."""
    one = table()
    one.packets_of(0)[0] = 1
    assert one["first_packet"][0] == 9


def test_rows_of_wpdus_in_a_segment_each() -> None:
    """Header fields as they stand, the size with the header, no tag where there is no APDU."""
    octets = bytes.fromhex("0001 0010 0001 0002 c001  0001 0002 0003 0000 ffff  0001 0000 0000 ffff 0000")
    head = np.frombuffer(octets, HEAD)
    packet, time = np.array([3, 5, 6]), np.array([30, 50, 60])
    made = wrapper_rows(head, packet, time, np.array([1, 1, 2]), np.array([0, 1, 0]), np.array([7, 8, 9]))
    one = WpduTable()
    one.extend(3, **made)
    assert set(made) == set(one.names)
    assert one["apdu_tag"].tolist() == [0xC0, -1, 0]
    assert one["size"].tolist() == [10, 8, 65_543]
    assert one["length"].tolist() == [2, 0, 65_535]
    assert one["source_wport"].tolist() == [16, 2, 0]
    assert one["destination_wport"].tolist() == [1, 3, 0]
    for name in ("first_packet", "last_packet"):
        assert one[name].tolist() == [3, 5, 6]
    for name in ("time", "first_time"):
        assert one[name].tolist() == [30, 50, 60]
    assert (one["segments"].tolist(), one["version"].tolist(), one["marks"].tolist()) == (
        [1] * 3,
        [1] * 3,
        [0] * 3,
    )
    assert (one["stream"].tolist(), one["direction"].tolist()) == ([1, 1, 2], [0, 1, 0])
    assert one["address"].tolist() == [7, 8, 9]
    assert one["framing"].tolist() == [Framing.WRAPPER] * 3
