"""Datagrams of which IP fragments are missing: a truncated WPDU of what came, and its missing octets told."""

from itertools import pairwise
from pathlib import Path

import pytest

from cosemscope.capture.packets import fragments
from cosemscope.capture.packets.fragments import TIMEOUT
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import NO_FRAGMENT
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers import packets
from tests.helpers.shared import shared
from tests.helpers.wire import (
    CLIENT,
    MILLISECOND,
    SERVER,
    Wire,
    analyse,
    contents,
    found_items,
    get_request,
    get_response,
    rows,
)

SIZE = 2048
LONG = get_response(1, SIZE)
CUTS = (0, 800, 1600, len(LONG) + 8)
WAYS = [(False, 65_536), (False, 1), (False, 3), (True, 65_536), (True, 5)]


def fragment(number: int, place: int, octets: bytes = LONG, *, six: bool = False) -> bytes:
    """Fragment `place` of three of a datagram from the server."""
    whole = packets.udp(octets, SERVER[1], CLIENT[1])
    start, stop = CUTS[place], CUTS[place + 1]
    if six:
        inner = packets.ipv6_fragment(whole[start:stop], 17, start, place < 2, number)
        return packets.ipv6(inner, 44)
    more = packets.MORE_FRAGMENTS if place < 2 else 0
    word = more | start // 8
    return packets.ipv4(
        whole[start:stop], 17, source=SERVER[0], destination=CLIENT[0], fragment=word, number=number
    )


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize(
    ("places", "kept"),
    [((0,), 792), ((1, 0), 1592), ((0, 1), 1592), ((2, 0), 792), ((2, 0, 1), len(LONG))],
)
def test_what_came_of_it_is_a_truncated_wpdu(
    places: tuple[int, ...], kept: int, six: bool, tmp_path: Path
) -> None:
    """The octets up to the first gap; those behind it belong nowhere. It stands where it began."""
    wire = Wire()
    for place in places:
        wire.add(fragment(7, place, six=six))
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [LONG[:kept]]
    whole = kept == len(LONG)
    assert analysis.wpdus["marks"].tolist() == [0 if whole else Mark.TRUNCATED]
    assert analysis.wpdus["first_packet"].tolist() == [len(places) - 1 if whole else places.index(0)]
    counts = analysis.statistics()
    assert counts["missing_bytes"] == len(LONG) - kept
    assert counts["incomplete_datagrams"] == (not whole)
    assert analysis.streams["missing_octets"].tolist() == [len(LONG) - kept]
    assert analysis.streams["octets"].tolist() == [len(LONG)]
    assert [analysis.expert_items.kind(row) for row in range(len(analysis.expert_items))] == (
        [] if whole else [NO_FRAGMENT]
    )


@pytest.mark.parametrize("places", [(1,), (2,), (1, 2)])
def test_without_the_first_fragment_nothing_is_made_up(places: tuple[int, ...], tmp_path: Path) -> None:
    """Nobody knows whose octets they are; that there were some is counted."""
    wire = Wire()
    for place in places:
        wire.add(fragment(7, place))
    analysis = analyse(wire, tmp_path)
    assert (len(analysis.wpdus), len(analysis.streams)) == (0, 0)
    assert analysis.statistics()["incomplete_datagrams"] == 1


def test_the_capture_that_takes_first_fragments_only() -> None:
    """Twelve WPDUs, six of them whole: nothing is lost in silence."""
    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.files.reader import open_capture

    analysis = Analysis(open_capture(shared("cases/streams/udp-first-fragments-only.pcap"))).run()
    counts = analysis.statistics()
    assert (counts["wpdus"], counts["truncated_wpdus"], counts["incomplete_datagrams"]) == (6, 6, 6)
    assert counts["missing_bytes"] == 480


def test_after_a_minute_it_is_known_while_the_capture_goes_on(tmp_path: Path) -> None:
    """By the time of any packet: what is live need not end first. Later ones stand behind it."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, get_request(1))
    wire.add(fragment(7, 0))
    wire.add(packets.ipv4(packets.tcp(b"")), wait=TIMEOUT + 1)
    wire.udp(CLIENT, SERVER, get_request(2))
    for one_by_one, records in WAYS:
        analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert contents(analysis) == [get_request(1), LONG[:792], get_request(2)]


def test_a_flow_is_recognised_by_it(tmp_path: Path) -> None:
    """Header, length by UDP and tag say what it is, as with octets that the snap length cut."""
    wire = Wire()
    wire.add(fragment(7, 0))
    wire.add(fragment(8, 0, b"M-SEARCH".ljust(len(LONG))))
    analysis = analyse(wire, tmp_path)
    assert analysis.streams["framing"].tolist() == [Framing.WRAPPER]
    assert contents(analysis) == [LONG[:792]]


def test_a_first_fragment_that_the_snap_length_cut(tmp_path: Path) -> None:
    """It completes nothing, so it is told at once; its length is UDP's, not that of the fragment."""
    wire = Wire(snap=28 + 100)
    wire.add(fragment(7, 0))
    wire.udp(CLIENT, SERVER, get_request(1))
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [LONG[:100], get_request(1)]
    assert analysis.statistics()["missing_bytes"] == len(LONG) - 100


@pytest.mark.parametrize("told", [0, 7, 3000])
def test_a_length_that_udp_does_not_tell(told: int, tmp_path: Path) -> None:
    """What is there is the datagram then: no octets are called missing that nobody spoke of."""
    whole = packets.udp(LONG, SERVER[1], CLIENT[1], length=told)
    wire = Wire()
    wire.udp(SERVER, CLIENT, get_response(1))
    fields = {"source": SERVER[0], "destination": CLIENT[0], "fragment": packets.MORE_FRAGMENTS}
    wire.add(packets.ipv4(whole[:800], 17, **fields))
    analysis = analyse(wire, tmp_path)
    assert analysis.wpdus["size"].tolist() == [len(get_response(1)), 792]
    assert analysis.statistics()["missing_bytes"] == max(0, told - 8 - 792)


def test_batches_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given up for room, by time, at the end; among whole datagrams, noise, and clocks that jump."""
    monkeypatch.setattr(fragments, "MAX_WAITING", 4)
    wire = Wire()
    for number in range(40):
        waits = {11: TIMEOUT + 1, 23: 300 * TIMEOUT, 24: -300 * TIMEOUT, 31: TIMEOUT // 2, 33: TIMEOUT // 2}
        wire.add(
            fragment(number, number % 2, get_response(number, SIZE)), wait=waits.get(number, MILLISECOND)
        )
        if number % 5 == 0:
            wire.udp(CLIENT, SERVER, get_request(number))
        if number % 7 == 0:
            wire.add(fragment(number, 2, get_response(number, SIZE)))
            wire.add(fragment(number, 1 - number % 2, get_response(number, SIZE)))
        if number % 3 == 0:
            wire.udp(SERVER, CLIENT, b"noise")
            wire.udp(("10.9.9.9", number), SERVER, b"noise")
    ways = [analyse(wire, tmp_path, one_by_one=way, records=records) for way, records in WAYS]
    truth = rows(ways[0])
    assert (
        sum(octets == get_response(number, SIZE) for number in range(40) for octets in contents(ways[0])) == 6
    )
    assert len(truth) > 20
    for analysis in ways[1:]:
        assert rows(analysis) == truth
        assert found_items(analysis) == found_items(ways[0])
        assert analysis.statistics() == ways[0].statistics()


def segment_fragments(
    octets: bytes, seq: int, number: int, cuts: tuple[int, ...], flags: int = 0x18
) -> list[bytes]:
    """A TCP segment from the server in IP fragments, cut at these octets of its body, multiples of 8."""
    whole = packets.tcp(octets, SERVER[1], CLIENT[1], seq=seq, ack=1, flags=flags)
    ends = [0, *cuts, len(whole)]
    return [
        packets.ipv4(
            whole[start:stop],
            source=SERVER[0],
            destination=CLIENT[0],
            fragment=(packets.MORE_FRAGMENTS if stop < len(whole) else 0) | start // 8,
            number=number,
        )
        for start, stop in pairwise(ends)
    ]


BODY = b"".join(get_response(number, 100) for number in range(5))


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (0, 2, 1), (2, 0, 1)])
def test_a_segment_whose_fragments_all_came(order: tuple[int, ...], tmp_path: Path) -> None:
    """In any order, with a FIN that comes with its last octet; nothing is called sent again or missing."""
    pieces = segment_fragments(BODY, 1, 7, (200, 400), flags=0x19)
    for one_by_one, records in WAYS:
        wire = Wire()
        wire.add(
            packets.ipv4(
                packets.tcp(b"", SERVER[1], CLIENT[1], seq=0, flags=0x12),
                source=SERVER[0],
                destination=CLIENT[0],
            )
        )
        for place in order:
            wire.add(pieces[place])
        analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert contents(analysis) == [get_response(number, 100) for number in range(5)]
        counts = analysis.statistics()
        assert [
            counts[name] for name in ("retransmissions", "out_of_order", "conflicts", "missing_bytes")
        ] == [0] * 4
        assert counts["incomplete_datagrams"] == 0
        assert analysis.streams["octets"].tolist() == [len(BODY)]


def test_a_segment_that_lacks_fragments(tmp_path: Path) -> None:
    """What its first fragment brings is there, and the rest is a hole: its WPDUs are not lost with it."""
    first, *_ = segment_fragments(BODY, 1, 7, (232, 400))
    after = get_response(9, 60)
    for one_by_one, records in WAYS:
        wire = Wire()
        wire.add(
            packets.ipv4(
                packets.tcp(b"", SERVER[1], CLIENT[1], seq=0, flags=0x12),
                source=SERVER[0],
                destination=CLIENT[0],
            )
        )
        wire.add(first)
        later = packets.tcp(after, SERVER[1], CLIENT[1], seq=1 + len(BODY), ack=1)
        wire.add(packets.ipv4(later, source=SERVER[0], destination=CLIENT[0]))
        analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        found = contents(analysis)
        assert found[0] == get_response(0, 100)
        assert after in found
        counts = analysis.statistics()
        assert (counts["incomplete_datagrams"], counts["missing_bytes"]) == (1, len(BODY) - 212)
        assert counts["truncated_wpdus"] == 1
