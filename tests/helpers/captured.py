"""Captures read whole, for tests: their records, and their packet rows with endpoints and payloads."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cosemscope.capture.files.reader import CaptureReader, open_capture
from cosemscope.capture.packets.packet_table import PACKET_FIELDS, PacketTable
from cosemscope.capture.source import RecordSource


class Captured(NamedTuple):
    """One record of a capture."""

    time: int
    octets: bytes
    original: int
    interface: int


def records_of(reader: RecordSource, max_records: int = 65_536) -> list[Captured]:
    """All records that there are now; octets by address and by window must agree."""
    found = []
    while (batch := reader.read(max_records)) is not None:
        assert 1 <= len(batch) <= max_records
        for row in range(len(batch)):
            start, size = int(batch.offset[row]), int(batch.captured[row])
            octets = reader.octets(start, size)
            assert batch.buffer[start - batch.base : start - batch.base + size].tobytes() == octets
            found.append(
                Captured(int(batch.time[row]), octets, int(batch.original[row]), int(batch.interface[row]))
            )
    return found


def read_file(path: Path, octets: bytes, max_records: int = 65_536) -> tuple[list[Captured], CaptureReader]:
    """Write `octets` as a capture and read it; the records and the (closed) reader."""
    path.write_bytes(octets)
    with open_capture(path) as reader:
        return records_of(reader, max_records), reader


class Row(NamedTuple):
    """What a packet row says, in words."""

    protocol: int
    source: str
    destination: str
    payload: bytes
    length: int


def table_of(
    path: Path, *, one_by_one: bool = False, max_records: int = 65_536
) -> tuple[PacketTable, list[Row]]:
    """The packet table of a capture, and its rows in words (nothing for rows without a flow)."""
    with open_capture(path) as reader:
        table = PacketTable(reader.side, one_by_one=one_by_one)
        while (batch := reader.read(max_records)) is not None:
            table.add(batch)
        return table, [_row(table, reader, index) for index in range(len(table.packets))]


def _row(table: PacketTable, reader: CaptureReader, index: int) -> Row:
    packet = {name: table.packets[name][index].item() for name in PACKET_FIELDS}
    if packet["flow"] < 0:
        return Row(packet["protocol"], "", "", b"", packet["payload_length"])
    ends = [str(end) for end in table.endpoints(packet["flow"])]
    source, destination = ends[:: -1 if packet["direction"] else 1]
    payload = reader.octets(packet["payload"], packet["payload_captured"])
    return Row(packet["protocol"], source, destination, payload, packet["payload_length"])


def assert_same(one: PacketTable, other: PacketTable) -> None:
    """Both tables have the same packets and flows, column by column, and met the same encapsulations."""
    assert one.unopened == other.unopened
    for mine, yours in ((one.packets, other.packets), (one.flows, other.flows)):
        assert len(mine) == len(yours)
        for name in mine.names:
            np.testing.assert_array_equal(mine[name], yours[name], name)


def columns_of(table: PacketTable) -> dict[str, list[Any]]:
    """The packet columns as lists."""
    return {name: table.packets[name].tolist() for name in table.packets.names}
