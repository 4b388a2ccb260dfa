"""Timing of exchanges on made traffic: round trips, the answerer's share, blocks, and what was sent again."""

from pathlib import Path
from typing import Any

import pytest

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.outcomes.capture_facts import capture_facts
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import ACK, MILLISECOND, PSH, SYN, Tcp, Wire, analyse, wpdu

CLIENT, SERVER = 0, 1
GET = wpdu(a.get_request(0xC1, 7, "1.0.99.1.0.255"))
ANSWER = wpdu(a.get_response(0xC1, a.double_long_unsigned(7)), 1, 16)
#: What is told of segments that were sent again, and of the time until the answer.
RESENT = (
    "exchange.retransmissions",
    "exchange.retransmission_time",
    "exchange.response_time",
    "exchange.own_time",
    "exchange.own_time_at_least",
)
REFUSED = wpdu(a.get_error(0xC1, 4), 1, 16)


def told(analysis: Analysis, *names: str) -> list[Any]:
    """What these fields say in JSON of the first WPDU."""
    asked = AskedRows(analysis, slice(0, 1))
    return [FIELDS[name].jsons(asked)[0] for name in names]


def handshake(tcp: Tcp, far: int, near: int) -> None:
    """A handshake with so many ms from SYN to SYN-ACK, and from there to the ACK."""
    tcp.packet(CLIENT, -1, flags=SYN)
    tcp.packet(SERVER, -1, flags=SYN | ACK, ack=0, wait=far * MILLISECOND)
    tcp.packet(CLIENT, 0, ack=0, wait=near * MILLISECOND)


@pytest.mark.parametrize(("far", "near"), [(40, 0), (0, 40), (25, 15)])
def test_a_handshake_tells_both_round_trips(far: int, near: int, tmp_path: Path) -> None:
    """Wherever the capture was made: both parts are the whole; the meter's is taken from its share."""
    wire = Wire()
    tcp = Tcp(wire)
    handshake(tcp, far, near)
    tcp.packet(CLIENT, 0, GET, flags=PSH | ACK)
    tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=100 * MILLISECOND)
    names = ("stream.round_trip_server", "stream.round_trip_client", "exchange.own_time")
    assert told(analyse(wire, tmp_path), *names, "exchange.own_time_at_least") == [
        f"0.{far:03d}000000",
        f"0.{near:03d}000000",
        f"0.{100 - far:03d}000000",
        False,
    ]


def test_data_and_acknowledgements_tell_round_trips_too(tmp_path: Path) -> None:
    """Without a handshake the shortest acknowledgement counts; it may hold some of the meter's own time."""
    wire = Wire()
    tcp = Tcp(wire)
    for wait in (30, 20, 50):
        tcp.packet(CLIENT, tcp.sent[CLIENT], GET, flags=PSH | ACK)
        tcp.packet(SERVER, tcp.sent[SERVER], ANSWER, flags=PSH | ACK, wait=wait * MILLISECOND)
        tcp.packet(CLIENT, tcp.sent[CLIENT], wait=2 * MILLISECOND)
    analysis = analyse(wire, tmp_path)
    names = ("stream.round_trip_server", "stream.round_trip_client", "stream.data_round_trip")
    assert told(analysis, *names) == ["0.020000000", "0.002000000", "0.022000000"]
    own = capture_facts(analysis).own_times
    assert own.time.tolist() == [10 * MILLISECOND, 0, 30 * MILLISECOND]
    assert own.least.tolist() == [True, True, True]


def test_a_shorter_acknowledgement_is_nearer_to_the_network_than_a_slow_handshake(tmp_path: Path) -> None:
    """What a meter needs to accept a connection is no part of the way to it."""
    wire = Wire()
    tcp = Tcp(wire)
    handshake(tcp, 80, 0)
    tcp.packet(CLIENT, 0, GET, flags=PSH | ACK)
    tcp.packet(SERVER, 0, wait=10 * MILLISECOND)
    tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=90 * MILLISECOND)
    names = ("exchange.response_time", "exchange.own_time", "exchange.own_time_at_least")
    assert told(analyse(wire, tmp_path), *names) == ["0.100000000", "0.090000000", False]


def test_of_datagrams_no_share_is_known(tmp_path: Path) -> None:
    """Nothing acknowledges them: round trips and shares are null, response times are there."""
    wire = Wire()
    wire.udp(("10.0.0.1", 50000), ("10.0.0.2", 4059), GET)
    wire.udp(("10.0.0.2", 4059), ("10.0.0.1", 50000), ANSWER)
    names = ("stream.round_trip_server", "exchange.own_time", "exchange.response_time")
    assert told(analyse(wire, tmp_path), *names) == [None, None, "0.001000000"]


def test_times_of_blocks_and_the_longest_pause(tmp_path: Path) -> None:
    """Each block from the WPDU before it to its last octet; the longest pause and the WPDU that ended it."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, GET)
    for number, wait in ((1, 10), (2, 70), (3, 30)):
        block = wpdu(a.get_block(0xC1, number == 3, number, b"\0" * 20), 1, 16)
        tcp.packet(SERVER, tcp.sent[SERVER], block[:12], flags=PSH | ACK, wait=wait * MILLISECOND)
        tcp.packet(SERVER, tcp.sent[SERVER], block[12:], flags=PSH | ACK, wait=5 * MILLISECOND)
        if number < 3:
            tcp.packet(CLIENT, tcp.sent[CLIENT], wpdu(a.get_next(0xC1, number)), flags=PSH | ACK)
    names = ("exchange.blocks", "exchange.block_times", "exchange.longest_pause")
    analysis = analyse(wire, tmp_path)
    assert told(analysis, *names, "exchange.longest_pause_wpdu") == [
        3,
        ["0.015000000", "0.075000000", "0.035000000"],
        "0.070000000",
        4,
    ]


def test_without_blocks_there_are_no_block_times(tmp_path: Path) -> None:
    """An exchange of one request and one answer has a response time, which says it all."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(CLIENT, GET)
    tcp.say(SERVER, ANSWER)
    names = ("exchange.block_times", "exchange.longest_pause", "exchange.longest_pause_wpdu")
    assert told(analyse(wire, tmp_path), *names) == [[], None, None]


class TestSentAgain:
    """Segments that were sent again: how many, and how long the exchange waited for them."""

    def test_a_request_that_was_lost_behind_the_point_of_capture(self, tmp_path: Path) -> None:
        """It counts from its first copy; the copies before the answer cost, the one behind it does not."""
        wire = Wire()
        tcp = Tcp(wire).handshake()
        tcp.say(CLIENT, GET)
        for wait in (200, 400):
            tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=wait * MILLISECOND)
        tcp.say(SERVER, ANSWER)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=100 * MILLISECOND)
        names = ("exchange.retransmissions", "exchange.retransmission_time", "exchange.response_time")
        assert told(analyse(wire, tmp_path), *names) == [1, "0.600000000", "0.601000000"]

    def test_an_answer_that_was_lost_before_the_point_of_capture(self, tmp_path: Path) -> None:
        """Its first copy was never seen: the cost counts from the segment that overtook it."""
        wire = Wire()
        tcp = Tcp(wire).handshake()
        tcp.say(CLIENT, GET)
        answer = wpdu(a.get_response(0xC1, a.octet_string(b"x" * 90)), 1, 16)
        tcp.packet(SERVER, 50, answer[50:], flags=PSH | ACK)
        tcp.packet(SERVER, 0, answer[:50], flags=PSH | ACK, wait=300 * MILLISECOND)
        names = ("exchange.retransmissions", "exchange.retransmission_time", "exchange.total_time")
        assert told(analyse(wire, tmp_path), *names) == [1, "0.300000000", "0.301000000"]

    def test_two_exchanges_in_one_segment_both_waited(self, tmp_path: Path) -> None:
        """A segment with two requests is each one's; the others in the capture have nothing to do with it."""
        wire = Wire()
        tcp = Tcp(wire).handshake()
        other = wpdu(a.get_request(0xC2, 8, "0.0.1.0.0.255"))
        tcp.say(CLIENT, GET + other)
        tcp.packet(CLIENT, 0, GET + other, flags=PSH | ACK, wait=50 * MILLISECOND)
        tcp.say(SERVER, ANSWER)
        tcp.say(SERVER, wpdu(a.get_response(0xC2, a.NULL), 1, 16))
        tcp.say(CLIENT, GET)
        tcp.say(SERVER, REFUSED)
        found = capture_facts(analyse(wire, tmp_path)).resent
        assert found.segments.tolist() == [1, 1, 0]
        assert found.time.tolist() == [50 * MILLISECOND, 50 * MILLISECOND, 0]

    @pytest.mark.parametrize("early", [False, True], ids=["acknowledged before", "acknowledged too soon"])
    def test_a_copy_was_needless_where_the_first_had_arrived(self, early: bool, tmp_path: Path) -> None:
        """It is counted and costs nothing: the meter had the request all the time, and took so long."""
        wire = Wire()
        tcp = Tcp(wire)
        handshake(tcp, 40, 0)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK)
        if not early:
            tcp.packet(SERVER, 0, wait=40 * MILLISECOND)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=200 * MILLISECOND)
        if early:
            tcp.packet(SERVER, 0, wait=39 * MILLISECOND)
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=300 * MILLISECOND)
        took = 539 if early else 540
        assert told(analyse(wire, tmp_path), *RESENT) == [
            1,
            "0.000000000",
            f"0.{took}000000",
            f"0.{took - 40}000000",
            False,
        ]

    def test_the_copy_that_arrived_is_none_of_the_meters_time(self, tmp_path: Path) -> None:
        """What was acknowledged a round trip behind the copy may have arrived with it: at least, then."""
        wire = Wire()
        tcp = Tcp(wire)
        handshake(tcp, 40, 0)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=200 * MILLISECOND)
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=60 * MILLISECOND)
        assert told(analyse(wire, tmp_path), *RESENT) == [
            1,
            "0.200000000",
            "0.260000000",
            "0.020000000",
            True,
        ]

    def test_of_several_copies_the_last_that_can_have_arrived_counts(self, tmp_path: Path) -> None:
        """The one that was sent 10 ms before the answer cannot have been on both ways."""
        wire = Wire()
        tcp = Tcp(wire)
        handshake(tcp, 40, 0)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=200 * MILLISECOND)
        tcp.packet(CLIENT, 0, GET, flags=PSH | ACK, wait=400 * MILLISECOND)
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=10 * MILLISECOND)
        assert told(analyse(wire, tmp_path), *RESENT) == [
            1,
            "0.200000000",
            "0.610000000",
            "0.370000000",
            True,
        ]

    def test_one_segment_of_a_request_was_lost_behind_the_point_of_capture(self, tmp_path: Path) -> None:
        """The meter has the whole request with its copy; the first copies ended the transfer before."""
        wire = Wire()
        tcp = Tcp(wire)
        handshake(tcp, 40, 0)
        tcp.say(CLIENT, GET, [9])
        tcp.packet(CLIENT, 0, GET[:9], flags=PSH | ACK, wait=200 * MILLISECOND)
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=50 * MILLISECOND)
        assert told(analyse(wire, tmp_path), *RESENT) == [
            1,
            "0.201000000",
            "0.250000000",
            "0.010000000",
            True,
        ]

    def test_a_request_that_was_lost_before_the_point_of_capture(self, tmp_path: Path) -> None:
        """It ends with the first copy that was captured: the meter's share is known."""
        wire = Wire()
        tcp = Tcp(wire)
        handshake(tcp, 40, 0)
        tcp.packet(CLIENT, 9, GET[9:], flags=PSH | ACK)
        tcp.packet(CLIENT, 0, GET[:9], flags=PSH | ACK, wait=200 * MILLISECOND)
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=50 * MILLISECOND)
        assert told(analyse(wire, tmp_path), *RESENT) == [
            1,
            "0.200000000",
            "0.050000000",
            "0.010000000",
            False,
        ]

    def test_the_request_for_another_block_was_lost(self, tmp_path: Path) -> None:
        """It costs the transfer time, though not the first answer."""
        wire = Wire()
        tcp = Tcp(wire).handshake()
        tcp.say(CLIENT, GET)
        tcp.say(SERVER, wpdu(a.get_block(0xC1, False, 1, b"\0" * 20), 1, 16))
        following = wpdu(a.get_next(0xC1, 1))
        tcp.say(CLIENT, following)
        start = tcp.sent[CLIENT] - len(following)
        tcp.packet(CLIENT, start, following, flags=PSH | ACK, wait=700 * MILLISECOND)
        tcp.say(SERVER, wpdu(a.get_block(0xC1, True, 2, b"\0" * 20), 1, 16))
        tcp.packet(CLIENT, start, following, flags=PSH | ACK, wait=700 * MILLISECOND)
        names = ("exchange.retransmissions", "exchange.retransmission_time")
        assert told(analyse(wire, tmp_path), *names) == [1, "0.700000000"]

    def test_an_answer_that_had_arrived(self, tmp_path: Path) -> None:
        """The client acknowledged it, and the meter sent it again: that costs nothing."""
        wire = Wire()
        tcp = Tcp(wire).handshake()
        tcp.say(CLIENT, GET)
        tcp.say(SERVER, ANSWER)
        tcp.packet(CLIENT, tcp.sent[CLIENT])
        tcp.packet(SERVER, 0, ANSWER, flags=PSH | ACK, wait=500 * MILLISECOND)
        names = ("exchange.retransmissions", "exchange.retransmission_time")
        assert told(analyse(wire, tmp_path), *names) == [1, "0.000000000"]


@pytest.mark.parametrize("side", [CLIENT, SERVER])
def test_a_handshake_that_was_sent_again_tells_no_round_trip(side: int, tmp_path: Path) -> None:
    """Nobody knows which copy was answered; what was captured twice is one copy."""
    wire = Wire()
    tcp = Tcp(wire)
    for number in range(2):
        tcp.packet(CLIENT, -1, flags=SYN, wait=1_000 * MILLISECOND if number and side == CLIENT else None)
    for number in range(2):
        wait = 1_000 * MILLISECOND if number and side == SERVER else 30 * MILLISECOND
        if not number or side == SERVER:
            tcp.packet(SERVER, -1, flags=SYN | ACK, ack=0, wait=wait)
    tcp.packet(CLIENT, 0, ack=0, wait=5 * MILLISECOND)
    tcp.say(CLIENT, GET)
    tcp.say(SERVER, ANSWER)
    trips = capture_facts(analyse(wire, tmp_path)).round_trips
    wanted = [5 * MILLISECOND, -1] if side == CLIENT else [-1, 30 * MILLISECOND]
    assert trips.handshake.tolist() == [wanted]


def test_facts_are_the_same_live_and_offline(tmp_path: Path) -> None:
    """Asked after every packet or once at the end, in batches of any size, the times are the same."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    for number in range(6):
        tcp.say(CLIENT, GET, [9])
        if number % 2:
            tcp.packet(CLIENT, tcp.sent[CLIENT] - 9, GET[-9:], flags=PSH | ACK)
        tcp.say(SERVER, ANSWER, [3])

    def facts(records: int) -> list[list[int]]:
        found = capture_facts(analyse(wire, tmp_path, records=records))
        return [found.own_times.time.tolist(), found.resent.segments.tolist(), found.resent.time.tolist()]

    assert facts(1) == facts(5) == facts(65_536)
