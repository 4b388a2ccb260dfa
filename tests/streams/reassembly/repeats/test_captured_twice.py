"""Copies of packets: what tells them from segments that were sent again, and what becomes of them."""

from pathlib import Path

import numpy as np
import pytest

from cosemscope.streams.reassembly.repeats.captured_twice import alike, changed_before
from tests.helpers.files import NANO, Record, pcap
from tests.helpers.made_streams import Made, Sent
from tests.helpers.packets import ethernet, ipv4, udp
from tests.helpers.shared import shared
from tests.helpers.stream_truth import analyse as analyse_file
from tests.helpers.stream_truth import troubled
from tests.helpers.troubled_wire import NUMBERINGS
from tests.helpers.wire import Tcp, Wire, analyse, contents, get_request

MS = 1_000_000
OCTETS = b"octets of one segment"


def copies(*sent: Sent) -> list[tuple[int, int]]:
    """The copies among all packets, and their originals."""
    packets = Made(list(sent)).packets
    seen = np.arange(len(sent))
    half = packets["flow"].astype(np.int64) * 2 + packets["direction"]
    key = half << 32 | packets["seq"].astype(np.int64)
    again, original = alike(packets, seen, seen, key, lambda rows: changed_before(packets, rows, seen, half))
    return list(zip(again.tolist(), original.tolist(), strict=True))


def sent(time: int, number: int = 0, stamp: int = 0, **more: int) -> Sent:
    return Sent(OCTETS, time=time, ip_id=number, tsval=stamp, **more)


FIRST = Sent(b"before", seq=900, ip_id=5)


@pytest.mark.parametrize(
    ("first", "again", "copy"),
    [
        (sent(0), sent(MS - 1), True),  # next to no time
        (sent(0), sent(MS), False),
        (sent(0, 7), sent(1_999 * MS, 7), True),  # the identification, which this sender changes
        (sent(0, 7), sent(2_000 * MS, 7), False),
        (sent(0, 7), sent(5, 8), False),
        (sent(0, 5), sent(9 * MS, 5), False),  # constant so far
        (sent(0, 0, 3), sent(499 * MS, 0, 3), True),  # the time stamp
        (sent(0, 0, 3), sent(500 * MS, 0, 3), False),
        (sent(0, 0, 3), sent(5, 0, 4), False),
        (sent(0), sent(5, ack=9), False),  # another header
        (sent(0), sent(5, window=9), False),
        (sent(0), sent(5, flags=0x18), False),
        (sent(0), sent(5, seq=1), False),
        (sent(0), sent(5, side=1), False),
        (sent(0), sent(5, stream=1), False),
        (sent(5), sent(0), False),  # the clock went back
    ],
)
def test_what_tells_a_copy(first: Sent, again: Sent, copy: bool) -> None:
    """Headers, and how long after the packet before it at this place."""
    assert copies(FIRST, first, again) == ([(2, 1)] if copy else [])


def test_a_copy_is_one_of_the_packet_before_it() -> None:
    """What was sent again may be captured twice, too."""
    assert copies(FIRST, sent(0, 7), sent(5, 7), sent(300 * MS, 8), sent(300 * MS + 5, 8)) == [(2, 1), (4, 3)]


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("records", [1, 65_536])
def test_copies_are_counted_and_make_nothing(tmp_path: Path, one_by_one: bool, records: int) -> None:
    """Neither rows nor retransmissions; with other octets it is none."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, get_request(1))
    number = connection.identification[0]
    for octets in (get_request(1), get_request(2)):
        connection.packet(0, 0, octets, flags=0x18, identification=number, wait=10)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == [get_request(1)]
    told = analysis.statistics()
    assert [told[name] for name in ("captured_twice", "retransmissions", "conflicts")] == [1, 1, 1]
    assert analysis.streams["captured_twice"].tolist() == [1]


def test_a_mirrored_port() -> None:
    """Every packet of a capture twice."""
    told = analyse_file(shared("cases/streams/span-duplicates.pcap")).statistics()
    assert [told[name] for name in ("wpdus", "captured_twice", "retransmissions")] == [12, 13, 0]


@pytest.mark.parametrize(
    "trouble", ["captured twice", "captured twice, in a VLAN", "captured twice, two tags"]
)
def test_all_ways_to_number(trouble: str, tmp_path: Path) -> None:
    """Copies within microseconds are told whatever the sender numbers."""
    for numbering in NUMBERINGS:
        truth = troubled(tmp_path / "x", trouble, numbering, [1])
        told = analyse_file(tmp_path / "x").statistics()
        octets = told["captured_twice"]
        assert (told["retransmissions"], told["wpdus"]) == (0, len(truth.wpdus)), numbering.name
        assert octets > 50


def datagram(octets: bytes, number: int, port: int = 50_000) -> bytes:
    return ethernet(ipv4(udp(octets, port), 17, number=number))


@pytest.mark.parametrize("records", [1, 3, 65_536])
@pytest.mark.parametrize(
    ("second", "wait", "found"),
    [
        (datagram(get_request(1), 7), 10_000, 1),
        (datagram(get_request(1), 7), 9_999_000, 1),
        (datagram(get_request(1), 7), 10_000_000, 2),  # the client asks again
        (datagram(get_request(1), 8), 10_000, 2),
        (datagram(get_request(2), 7), 10_000, 2),
        (datagram(get_request(1), 7, 50_001), 10_000, 2),
    ],
)
def test_datagrams_that_were_captured_twice(
    tmp_path: Path, second: bytes, wait: int, found: int, records: int
) -> None:
    """They make one row, and are counted; others are none the less there."""
    first, other = datagram(get_request(1), 7), datagram(get_request(9), 3)
    packets = [(0, first), (0, other), (wait, second)]
    path = tmp_path / "x"
    path.write_bytes(pcap([Record(time, octets) for time, octets in packets], magic=NANO))
    analysis = analyse_file(path, records=records)
    assert len(analysis.wpdus) == found + 1
    assert analysis.statistics()["captured_twice"] == 2 - found


def test_datagrams_without_identification_are_no_copies(tmp_path: Path) -> None:
    """Nothing tells them from what was sent twice; nor where all packets have the same one."""
    one = datagram(get_request(1), 7)
    packets = [datagram(get_request(number), 7) for number in (1, 2, 2)]
    (tmp_path / "x").write_bytes(pcap([Record(10, octets) for octets in packets], magic=NANO))
    assert len(analyse_file(tmp_path / "x").wpdus) == 3
    one = datagram(get_request(1), 0)
    (tmp_path / "x").write_bytes(pcap([Record(0, one), Record(10, one)], magic=NANO))
    assert len(analyse_file(tmp_path / "x").wpdus) == 2
