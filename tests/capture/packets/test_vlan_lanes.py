"""VLANs on one pair of ends: copies are of one flow, connections of their own are several."""

from pathlib import Path

import pytest

from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets.packet_table import PacketTable
from tests.helpers.files import Record, pcap
from tests.helpers.packets import A4, B4, ipv4, tcp, udp

SYN, ACK = 2, 16


def tagged(packet: bytes, vlan: int) -> bytes:
    tag = b"\x81\0" + vlan.to_bytes(2, "big") if vlan else b""
    return bytes(12) + tag + b"\x08\0" + packet


def sent(vlan: int, seq: int, ack: int, flags: int = ACK, *, back: bool = False) -> bytes:
    ends = {"source": B4, "destination": A4} if back else {}
    ports = (4059, 50_000) if back else (50_000, 4059)
    return tagged(ipv4(tcp(b"", *ports, seq=seq, ack=ack, flags=flags), **ends), vlan)


def flows_of(
    path: Path, packets: list[bytes], records: int = 65_536
) -> tuple[list[int], list[int], list[int]]:
    """The flow and direction of each packet, and the VLANs of the flows."""
    path.write_bytes(pcap([Record(number * 1000, octets) for number, octets in enumerate(packets)]))
    with open_capture(path) as reader:
        table = PacketTable(reader.side)
        while batch := reader.read(records):
            table.add(batch)
        columns = (table.packets["flow"], table.packets["direction"], table.flows["vlan"])
        flow, direction, vlan = (column.tolist() for column in columns)
    return flow, direction, vlan


@pytest.mark.parametrize("records", [1, 2, 65_536])
@pytest.mark.parametrize(
    ("packets", "flow"),
    [
        # Two connections, each in its VLAN.
        (
            [sent(10, 5, 0, SYN), sent(20, 7_000_000, 0, SYN), sent(10, 6, 9), sent(20, 7_000_001, 3)],
            [0, 1, 0, 1],
        ),
        # A copy of a SYN, and of what follows.
        ([sent(0, 5, 0, SYN), sent(10, 5, 0, SYN), sent(0, 6, 9), sent(10, 6, 9)], [0, 0, 0, 0]),
        # One direction in each VLAN.
        (
            [sent(10, 5, 0, SYN), sent(20, 9_000_000, 6, SYN | ACK, back=True), sent(10, 6, 9_000_001)],
            [0, 0, 0],
        ),
        # Begun before the capture: far numbers are another connection's, near ones are not.
        ([sent(10, 5, 9), sent(20, 5 + (1 << 20), 9)], [0, 0]),
        ([sent(10, 5, 9), sent(20, 6 + (1 << 20), 10 + (1 << 20))], [0, 1]),
        ([sent(10, 2**32 - 5, 9), sent(20, 5, 9 << 20)], [0, 0]),
        # A third VLAN; and one that was settled stays so.
        (
            [sent(10, 5, 0, SYN), sent(20, 1 << 30, 0, SYN), sent(30, 1 << 29, 0, SYN), sent(20, 5, 0)],
            [0, 1, 2, 1],
        ),
    ],
)
def test_what_is_a_connection_of_its_own(
    tmp_path: Path, packets: list[bytes], flow: list[int], records: int
) -> None:
    """By the numbers of the first packet in another VLAN."""
    found, _, vlans = flows_of(tmp_path / "x", packets, records)
    assert found == flow
    assert len(vlans) == max(flow) + 1


def test_lanes_have_the_ends_and_directions_of_their_flow(tmp_path: Path) -> None:
    """The first packet of a lane may be the server's."""
    packets = [sent(10, 5, 0, SYN), sent(20, 1 << 30, 1 << 29, back=True), sent(20, 1 << 29, 1 << 30)]
    assert flows_of(tmp_path / "x", packets) == ([0, 1, 1], [0, 1, 0], [10, 20])


def test_datagrams_have_no_lanes(tmp_path: Path) -> None:
    """Nothing in them would tell."""
    packets = [tagged(ipv4(udp(b"x"), 17), vlan) for vlan in (10, 20)]
    assert flows_of(tmp_path / "x", packets)[0] == [0, 0]
