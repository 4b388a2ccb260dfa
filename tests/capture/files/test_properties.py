"""What a capture says of itself is told in rows, and what its packets tell is counted."""

import gzip
from pathlib import Path

import pytest

from cosemscope.capture.files.properties import MAX_TOLD, figures_of, format_rows, origin_of
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.packet_table import PacketTable
from tests.helpers.files import Pcapng, pcap


def told(path: Path) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The rows of the file's format, and those of sections and interfaces by their headings."""
    with open_capture(path) as reader:
        table = PacketTable(reader.side)
        while (batch := reader.read()) is not None:
            table.add(batch)
        figures = figures_of(table.packets, len(table.packets))
        origin = {each.title: dict(each.rows) for each in origin_of(reader, figures.by_interface)}
        return dict(format_rows(reader, path)), origin


@pytest.mark.parametrize("order", "<>")
def test_a_pcapng_tells_what_made_it(order: str, tmp_path: Path) -> None:
    """Section and interfaces with their options; counts only of the interface that has them."""
    b = Pcapng(order)
    path = tmp_path / "any.pcapng"
    path.write_bytes(
        b.section((1, b"a walk"), (2, b"arm"), (3, b"Linux"), (4, b"dumpcap"))
        + b.interface(1, 96, (2, b"eth0"), (9, b"\x09"), (11, b"\0tcp port 4059"))
        + b.interface(101)
        + b.enhanced(1_700_000_000_000_000_000, b"\0" * 20)
        + b.statistics(0, 0, (4, b.number(12, 8)), (5, b.number(3, 8)))
    )
    written, origin = told(path)
    assert written == {
        "Format": "pcapng, version 1.0",
        "Byte order": "little-endian" if order == "<" else "big-endian",
        "Compression": "none",
    }
    assert origin["Section"] == {
        "Hardware": "arm",
        "Operating system": "Linux",
        "Application": "dumpcap",
        "Comment": "a walk",
    }
    assert origin["Interface 1"] == {
        "Name": "eth0",
        "Link type": "Ethernet",
        "Snap length": "96 octets",
        "Capture filter": "tcp port 4059",
        "Time resolution": "nanoseconds",
        "Packets received": "12",
        "Packets dropped by the interface": "3",
        "Packets in this capture": "1",
    }
    assert origin["Interface 2"] == {
        "Link type": "Raw IP",
        "Snap length": "unlimited",
        "Time resolution": "microseconds",
        "Packets in this capture": "0",
    }


def test_a_compressed_pcap_tells_what_is_in_it(tmp_path: Path) -> None:
    """The format is that of the unpacked octets; there is no section."""
    path = tmp_path / "any.pcap.gz"
    path.write_bytes(gzip.compress(pcap([])))
    written, origin = told(path)
    assert written["Format"] == "pcap, version 2.4"
    assert written["Compression"] == "gzip"
    assert list(origin) == ["Interface"]


def test_many_sections_and_interfaces_are_told_as_far_as_is_of_use(tmp_path: Path) -> None:
    """A merged capture of thousands is a number beyond the first; each interface names its section."""
    b = Pcapng()
    path = tmp_path / "merged.pcapng"
    path.write_bytes((b.section() + b.interface()) * (MAX_TOLD + 7))
    _, origin = told(path)
    assert len(origin) == 2 * MAX_TOLD + 2
    assert "and 7 more sections" in origin
    assert "and 7 more interfaces" in origin
    assert origin["Interface 3"]["Section"] == "3"


def test_figures_are_of_the_rows_that_are_asked_for(tmp_path: Path) -> None:
    """The earliest and latest time whatever the order, octets on the wire, packets that are cut."""
    b = Pcapng()
    path = tmp_path / "any.pcapng"
    path.write_bytes(
        b.section()
        + b.interface(1, 96)
        + b.enhanced(2_000_000, b"\0" * 20, original=60)
        + b.enhanced(1_000_000, b"\0" * 20)
        + b.enhanced(9_000_000, b"\0" * 20)
    )
    with open_capture(path) as reader:
        table = PacketTable(reader.side)
        batch = reader.read()
        assert batch is not None
        table.add(batch)
    assert figures_of(table.packets, 2) == (2, 1, 80, 1_000_000_000, 2_000_000_000, (2,))
    assert figures_of(table.packets, 0) == (0, 0, 0, 0, 0, ())
