"""TCP segment by segment: retransmission, reordering, overlap, conflict, holes, snap length, ends."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.reassembly import reassembler
from cosemscope.streams.tables.expert_items import ItemKind
from cosemscope.streams.tables.stream_kinds import (
    CONFLICT,
    HOLE,
    KEEP_ALIVE,
    OUT_OF_ORDER,
    RETRANSMISSION,
    SKIPPED,
)
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.capture_mutants import reading
from tests.helpers.shared import shared
from tests.helpers.wire import (
    ACK,
    FIN,
    MILLISECOND,
    RST,
    Tcp,
    Wire,
    analyse,
    contents,
    get_request,
    get_response,
    wpdu,
)

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
SIZE = len(ONE)

both_ways = pytest.mark.parametrize("one_by_one", [False, True])


def _found(analysis: Analysis, kind: ItemKind) -> list[tuple[int, int, int]]:
    """The items of a kind: packet, start of the span, amount."""
    table = analysis.expert_items
    rows = [row for row in range(len(table)) if table.kind(row) is kind]
    return [tuple(int(table[name][row]) for name in ("packet", "start", "amount")) for row in rows]


@pytest.fixture
def connection() -> Tcp:
    return Tcp(Wire()).handshake()


@pytest.mark.parametrize("first", [0, 1, 2])
@pytest.mark.parametrize("ahead", [(1 << 31) - 1, 1 << 30, (1 << 31) + 7, 1 << 29])
def test_a_segment_far_ahead_spoils_nothing_wherever_batches_end(
    tmp_path: Path, ahead: int, first: int
) -> None:
    """What the very next segments disprove is forgotten with its batch: the WPDUs behind it are new."""
    connection = Tcp(Wire())
    for _ in range(first):  # so that batches of each length end in each place
        connection.packet(0, -1, b"", flags=ACK)
    connection.say(1, get_response(1))
    connection.packet(0, 0, b"", flags=ACK)
    behind = connection.sent[1]
    connection.packet(1, behind + ahead, TWO * 2)
    connection.sent[1] = behind
    connection.packet(1, 0, get_response(1))
    connection.say(0, ONE)
    connection.say(1, get_response(2))
    connection.say(0, TWO)
    connection.say(1, get_response(3))
    path = connection.wire.capture(tmp_path / "far.pcap")
    whole = reading(path, one_by_one=True)
    for most in range(1, 12):
        assert reading(path, one_by_one=False, most=most) == whole, most


@both_ways
def test_a_segment_sent_again_is_a_retransmission(connection: Tcp, tmp_path: Path, one_by_one: bool) -> None:
    """Octets that were seen before, and the same ones: counted, no conflict, no WPDU twice."""
    connection.say(0, ONE)
    connection.packet(0, 0, ONE)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE]
    assert _found(analysis, RETRANSMISSION) == [(4, 0, SIZE)]
    assert not _found(analysis, CONFLICT)
    assert analysis.streams["retransmissions"].tolist() == [1]


@both_ways
@pytest.mark.parametrize(("start", "stop"), [(0, SIZE), (5, SIZE), (0, SIZE + 9), (3, 12)])
def test_octets_that_differ_from_the_first_are_a_conflict_and_lose(
    connection: Tcp, tmp_path: Path, one_by_one: bool, start: int, stop: int
) -> None:
    """The first octets stand, whatever the segments' bounds; what differs is counted at its packet."""
    connection.say(0, ONE)
    changed = (
        bytes(octet ^ 0xFF for octet in (ONE + TWO)[start : min(stop, SIZE)]) + TWO[: max(0, stop - SIZE)]
    )
    connection.packet(0, start, changed)
    connection.packet(0, SIZE, TWO)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO]
    assert _found(analysis, CONFLICT) == [(4, start, min(stop, SIZE) - start)]
    assert analysis.statistics()["conflicts"] == 1


@both_ways
def test_a_conflict_is_found_across_batches(connection: Tcp, tmp_path: Path, one_by_one: bool) -> None:
    """The original may have come in an earlier batch."""
    connection.say(0, ONE)
    connection.say(1, get_response(1))
    connection.packet(0, 0, ONE[:-1] + b"!")
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one, records=1)
    assert _found(analysis, CONFLICT) == [(5, 0, 1)]


@both_ways
@pytest.mark.parametrize("isn", [9_000, 2**32 - 20])
def test_each_octet_is_compared_with_its_first_copy(tmp_path: Path, one_by_one: bool, isn: int) -> None:
    """The second of three copies lies; the third, cut in another way, agrees with the first: one conflict."""
    connection = Tcp(Wire(), isn=(isn, 7)).handshake()
    connection.say(0, ONE)
    connection.say(0, TWO)
    connection.packet(0, 4, bytes(octet ^ 0xFF for octet in ONE[4:14]))
    connection.packet(0, 3, (ONE + TWO)[3:-2])
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert _found(analysis, CONFLICT) == [(5, 4, 10)]


@both_ways
@pytest.mark.parametrize(("identification", "kind"), [(199, OUT_OF_ORDER), (204, RETRANSMISSION)])
def test_identifications_that_rise_tell_what_filled_a_gap(
    connection: Tcp, tmp_path: Path, one_by_one: bool, identification: int, kind: ItemKind
) -> None:
    """Sent before the gap or after it, within two round trips, from a sender that numbers its packets."""
    for number in range(4):
        connection.packet(0, 0, identification=195 + number)
    connection.packet(0, SIZE, TWO, identification=200, wait=900 * MILLISECOND)
    connection.packet(0, 0, ONE, identification=identification, wait=3 * MILLISECOND)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO]
    assert _found(analysis, kind) == [(8, 0, SIZE)]
    assert len(analysis.expert_items) == 1


@both_ways
@pytest.mark.parametrize(
    ("wait", "kind"),
    [(MILLISECOND, OUT_OF_ORDER), (5 * MILLISECOND, RETRANSMISSION)],
)
def test_without_identification_the_round_trip_decides(
    connection: Tcp, tmp_path: Path, one_by_one: bool, wait: int, kind: ItemKind
) -> None:
    """The handshake took 2 ms: a sender cannot have learned of a loss sooner."""
    connection.packet(0, SIZE, TWO, identification=0)
    connection.packet(0, 0, ONE, identification=0, wait=wait)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert analysis.streams["rtt"].tolist() == [2 * MILLISECOND]
    assert contents(analysis) == [ONE, TWO]
    assert _found(analysis, kind) == [(4, 0, SIZE)]


@both_ways
def test_keep_alives_and_window_probes_are_no_retransmissions(
    connection: Tcp, tmp_path: Path, one_by_one: bool
) -> None:
    """One octet that was acknowledged, or one that meets a closed window, is a question and no data."""
    connection.say(0, ONE)
    connection.packet(1, 0)
    connection.packet(0, SIZE - 1, b"\0")
    connection.packet(1, 0, window=0)
    connection.packet(0, SIZE, TWO[:1], ack=0)
    connection.packet(1, 0, window=0, ack=SIZE)
    connection.packet(0, SIZE, TWO[:1])
    connection.packet(1, 0, ack=SIZE)
    connection.packet(0, SIZE, TWO)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO]
    assert not _found(analysis, RETRANSMISSION)
    assert len(_found(analysis, KEEP_ALIVE)) == 2


@both_ways
def test_a_hole_is_given_up_once_the_other_side_has_it(
    connection: Tcp, tmp_path: Path, one_by_one: bool
) -> None:
    """Acknowledged, not captured, and time goes on: its octets are missing, the rest is found and marked."""
    connection.say(0, ONE)
    connection.sent[0] += len(TWO)  # never captured
    connection.say(1, get_response(2))
    connection.say(0, THREE)
    connection.wire.time += 100 * MILLISECOND
    connection.say(0, ONE)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert _found(analysis, HOLE) == [(5, SIZE, SIZE)]
    assert contents(analysis) == [ONE, get_response(2), THREE, ONE]
    assert [int(mark) & Mark.RESYNCHRONISED for mark in analysis.wpdus["marks"]] == [0, 0, 2, 0]
    assert analysis.statistics()["missing_bytes"] == SIZE
    assert analysis.statistics()["skipped_bytes"] == 0


@both_ways
def test_a_hole_inside_a_wpdu_does_not_lose_the_next(
    connection: Tcp, tmp_path: Path, one_by_one: bool
) -> None:
    """The length in the header tells where the next WPDU begins; the one with the hole is truncated."""
    long = get_request(7, 300)
    connection.packet(0, 0, long[:100])
    connection.packet(0, 200, long[200:])
    connection.sent[0] = len(long)
    connection.packet(1, 0)
    connection.say(0, TWO)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [long[:100] + long[200:], TWO]
    assert analysis.wpdus["marks"].tolist() == [Mark.TRUNCATED, 0]
    counts = analysis.statistics()
    assert (counts["wpdus"], counts["truncated_wpdus"], counts["missing_bytes"]) == (1, 1, 100)


@both_ways
def test_octets_that_are_no_wpdu_are_skipped_and_told(
    connection: Tcp, tmp_path: Path, one_by_one: bool
) -> None:
    """After a bad version the next believable header counts, not the first 00 01."""
    junk = b"\xff\xff\x00\x01\x00\x10\x00\x01\x00\x02zz!"
    connection.say(0, ONE)
    connection.say(0, junk)
    connection.say(0, TWO)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO]
    assert analysis.wpdus["marks"].tolist() == [0, Mark.RESYNCHRONISED]
    assert [item[1:] for item in _found(analysis, SKIPPED)] == [(SIZE, len(junk))]
    assert analysis.statistics()["skipped_bytes"] == len(junk)


@both_ways
@pytest.mark.parametrize("ending", ["fin", "rst", "file"])
def test_a_connection_that_ends_in_a_wpdu_truncates_it(
    connection: Tcp, tmp_path: Path, one_by_one: bool, ending: str
) -> None:
    """However it ends, the octets that came are shown and those that lack are counted."""
    connection.say(0, ONE)
    connection.say(0, TWO[:15])
    if ending != "file":
        connection.packet(0, connection.sent[0], flags=(FIN if ending == "fin" else RST) | ACK)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO[:15]]
    assert analysis.wpdus["marks"].tolist() == [0, Mark.TRUNCATED]
    assert analysis.statistics()["wpdus"] == 1


@both_ways
def test_the_snap_length_costs_octets_and_not_wpdus(tmp_path: Path, one_by_one: bool) -> None:
    """Each WPDU that was cut is there with its header, and what was cut off is missing."""
    wire = Wire(snap=40 + 30)
    connection = Tcp(wire).handshake()
    long = get_response(1, 200)
    connection.say(0, ONE)
    connection.say(1, long)
    connection.say(1, long, [90])
    connection.say(0, TWO)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, long[:30], long[:30] + long[90:120], TWO]
    assert analysis.wpdus["length"].tolist() == [13, 200, 200, 13]
    counts = analysis.statistics()
    assert (counts["wpdus"], counts["truncated_wpdus"]) == (2, 2)
    assert counts["missing_bytes"] == 178 + 60 + 88


@both_ways
def test_an_octet_at_a_time(connection: Tcp, tmp_path: Path, one_by_one: bool) -> None:
    """WPDUs whose every octet has a segment of its own, header included."""
    connection.say(0, ONE)
    connection.say(0, TWO + THREE, list(range(1, 2 * SIZE)))
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE, TWO, THREE]
    assert analysis.wpdus["segments"].tolist() == [1, SIZE, SIZE]
    assert analysis.packets_of(1).tolist() == list(range(4, 4 + SIZE))


@both_ways
def test_many_wpdus_in_one_segment(connection: Tcp, tmp_path: Path, one_by_one: bool) -> None:
    """Also empty ones, which have no APDU."""
    octets = [ONE, wpdu(b""), TWO, wpdu(b""), THREE]
    connection.say(0, b"".join(octets))
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == octets
    assert analysis.wpdus["apdu_tag"].tolist() == [0xC0, -1, 0xC0, -1, 0xC0]
    assert set(analysis.wpdus["last_packet"].tolist()) == {3}
    assert set(analysis.wpdus["marks"].tolist()) == {Mark.SHARED}


@both_ways
def test_the_longest_wpdu(connection: Tcp, tmp_path: Path, one_by_one: bool) -> None:
    """65,535 octets of data in 46 segments."""
    long = get_response(1, 65535)
    connection.say(1, long, list(range(1448, len(long), 1448)))
    connection.say(0, ONE)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [long, ONE]
    assert analysis.wpdus["segments"].tolist() == [46, 1]


def test_what_waits_behind_a_gap_is_bounded(
    connection: Tcp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that nobody fills or acknowledges is given up when too much waits behind it."""
    monkeypatch.setattr(reassembler, "MAX_AHEAD_SEGMENTS", 10)
    connection.say(0, ONE)
    connection.sent[0] += 50
    for number in range(20):
        connection.say(0, get_request(number))
    analysis = Analysis(open_capture(connection.wire.capture(tmp_path / "gap.pcap")))
    analysis.step(14)
    assert len(analysis.wpdus) == 1
    analysis.step(1)
    assert len(analysis.wpdus) == 12
    assert _found(analysis, HOLE) == [(4, SIZE, 50)]


def test_a_segment_from_nowhere_does_no_harm(connection: Tcp, tmp_path: Path) -> None:
    """A sequence number far away waits for what will not come; the stream goes on."""
    connection.say(0, ONE)
    connection.packet(0, 1 << 30, b"nonsense")
    connection.sent[0] = SIZE
    for number in range(5):
        connection.say(0, get_request(number))
    analysis = analyse(connection.wire, tmp_path)
    assert contents(analysis)[:6] == [ONE, *(get_request(number) for number in range(5))]


@both_ways
def test_what_looks_like_a_header_behind_a_hole_does_not_swallow_what_follows(
    tmp_path: Path, one_by_one: bool
) -> None:
    """Two octets of a header are lost: the rest reads as a WPDU of 50,177 octets, which never ends."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    whole = get_response(1)
    connection.say(1, whole)
    connection.say(0, get_request(2))
    at = connection.sent[1]
    # Source wPort 1 and destination wPort 16 lose two octets in the middle: the length becomes C4 01.
    torn = bytes.fromhex("0001 0001 0010 0007 c401c2000011 05".replace(" ", ""))
    connection.packet(1, at + 2, torn[:4] + torn[6:])
    for number in range(3, 9):
        connection.say(0, get_request(number))
        connection.say(1, get_response(number))
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one)
    found = [octets for octets in contents(analysis) if octets[8] == 0xC4]
    assert found == [whole, *(get_response(number) for number in range(3, 9))]
    assert analysis.statistics()["skipped_bytes"] == len(torn) - 2


@both_ways
@pytest.mark.parametrize(
    ("wait", "found"), [(MILLISECOND, [ONE, TWO, THREE]), (200 * MILLISECOND, [TWO, THREE])]
)
def test_a_capture_may_show_an_acknowledgement_before_what_it_acknowledges(
    connection: Tcp, tmp_path: Path, one_by_one: bool, wait: int, found: list[bytes]
) -> None:
    """Cards with several queues do: the gap is no hole while its octets come soon after."""
    connection.packet(0, SIZE, TWO)
    connection.packet(1, 0, ack=2 * SIZE)
    connection.packet(0, 2 * SIZE, THREE)
    connection.packet(1, 0, wait=wait)
    connection.packet(0, 0, ONE)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == found
    assert (analysis.statistics()["missing_bytes"] == 0) == (ONE in found)


@given(order=st.permutations(range(16)), one_by_one=st.booleans())
@settings(max_examples=60)
def test_any_order_of_a_conversation_gives_its_wpdus(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], one_by_one: bool
) -> None:
    """Packets of both directions, with their acknowledgements, as a capture may have them: none is lost."""
    connection = Tcp(wire := Wire()).handshake()
    for number in range(4):
        connection.say(0, get_request(number), pieces=[9])
        connection.say(1, get_response(number), pieces=[12])
    times = [time for time, _ in wire.packets[3:]]
    mixed = [octets for _, octets in wire.packets[3:]]
    wire.packets[3:] = [(time, mixed[place]) for time, place in zip(times, order, strict=True)]
    analysis = analyse(wire, tmp_path_factory.getbasetemp(), one_by_one=one_by_one)
    asked, answered = ([get(number) for number in range(4)] for get in (get_request, get_response))
    assert sorted(contents(analysis)) == sorted(asked + answered)
    assert analysis.statistics()["missing_bytes"] == 0


@both_ways
@pytest.mark.parametrize("records", [2, 65536])
def test_an_answer_without_a_handshake_begins_where_the_request_says(
    tmp_path: Path, one_by_one: bool, records: int
) -> None:
    """Its second half comes first: the acknowledgement in the request tells what is missing before it."""
    connection = Tcp(wire := Wire())
    answer = get_response(1)
    connection.say(0, ONE)
    connection.packet(1, 12, answer[12:], identification=8)
    connection.packet(1, 0, answer[:12], identification=7)
    connection.say(0, TWO)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == [ONE, answer, TWO]
    assert analysis.statistics()["out_of_order"] == 1


@given(
    order=st.permutations(range(8)),
    one_by_one=st.booleans(),
    records=st.sampled_from([1, 3, 65536]),
    isn=st.sampled_from([9_000, 2**32 - 50]),
)
@settings(max_examples=60)
def test_any_order_of_what_comes_first_gives_its_wpdus(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], one_by_one: bool, records: int, isn: int
) -> None:
    """No handshake, nothing acknowledged, and the first segment seen is not the first: none is lost."""
    connection = Tcp(wire := Wire(), isn=(isn, 7))
    octets = get_request(1, 60) + get_request(2, 80)
    connection.say(0, octets, pieces=range(20, len(octets), 20))
    wire.packets = [(wire.packets[place][0], wire.packets[number][1]) for place, number in enumerate(order)]
    connection.say(1, get_response(1))
    connection.say(0, THREE)
    analysis = analyse(wire, tmp_path_factory.getbasetemp(), one_by_one=one_by_one, records=records)
    assert contents(analysis)[:2] == [octets[:68], octets[68:]]
    assert contents(analysis)[2:] == [get_response(1), THREE]
    assert analysis.statistics()["missing_bytes"] == analysis.statistics()["skipped_bytes"] == 0


@both_ways
def test_a_segment_that_covers_others_is_one_packet_of_its_wpdu(
    connection: Tcp, tmp_path: Path, one_by_one: bool
) -> None:
    """Its octets before and behind them count; it is named once."""
    connection.packet(0, 8, ONE[8:12])
    connection.packet(0, 0, ONE)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert contents(analysis) == [ONE]
    assert analysis.packets_of(0).tolist() == [4, 3]


@both_ways
@pytest.mark.parametrize("lost", [0, 7, SIZE])
def test_what_is_missing_before_a_fin_is_a_hole(
    connection: Tcp, tmp_path: Path, one_by_one: bool, lost: int
) -> None:
    """The number of the FIN tells how many octets were sent, though none was seen behind the missing ones."""
    connection.say(0, ONE)
    connection.packet(0, SIZE, TWO[: SIZE - lost])
    connection.packet(0, 2 * SIZE, flags=FIN | ACK)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one)
    assert _found(analysis, HOLE) == ([(5, 2 * SIZE - lost, lost)] if lost else [])
    assert analysis.statistics()["missing_bytes"] == lost


@both_ways
@pytest.mark.parametrize("records", [1, 65536])
def test_whole_wpdus_before_the_first_octet_seen_are_found(
    tmp_path: Path, one_by_one: bool, records: int
) -> None:
    """No handshake, and the first WPDU seen had overtaken others: they are no retransmissions."""
    connection = Tcp(wire := Wire())
    connection.packet(0, 2 * SIZE, THREE)
    connection.packet(0, SIZE, TWO)
    connection.packet(0, 0, ONE)
    connection.say(0, ONE)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == [THREE, TWO, ONE, ONE]
    assert analysis.wpdus["marks"].tolist() == [0, Mark.OUT_OF_ORDER, Mark.OUT_OF_ORDER, 0]
    assert _found(analysis, OUT_OF_ORDER) == [(1, -SIZE, SIZE), (2, -2 * SIZE, SIZE)]
    assert analysis.statistics()["retransmissions"] == 0


@pytest.mark.parametrize("records", [1, 3, 65_536])
@pytest.mark.parametrize("by", [-50, -1, 0, 1, 2 * SIZE, 100])
@given(sides=st.lists(st.integers(0, 1), min_size=2, max_size=6), lost=st.integers(0, 5))
@settings(max_examples=10, deadline=None)
def test_numbers_half_a_round_away_are_read_alike(by: int, records: int, sides: list[int], lost: int) -> None:
    """Both ways agree whether such a segment is far behind or far ahead of those before it."""
    connection = Tcp(Wire()).handshake()
    for number, side in enumerate(sides):
        octets = get_request(number) if side == 0 else get_response(number)
        if number == lost % len(sides):
            connection.packet(side, connection.sent[side] + (1 << 31) + by, octets)
        connection.say(side, octets)
    with TemporaryDirectory() as folder:
        fast, slow = (
            analyse(connection.wire, Path(folder), one_by_one=way, records=records) for way in (False, True)
        )
        assert contents(fast) == contents(slow)
        assert fast.wpdus["marks"].tolist() == slow.wpdus["marks"].tolist()
        assert _items(fast) == _items(slow)


def _items(analysis: Analysis) -> list[tuple[int, ...]]:
    items = analysis.expert_items
    return list(zip(*(items[name].tolist() for name in ("kind", "packet", "start", "stop")), strict=True))


@pytest.mark.parametrize("name", ["two-ways-697d8ebe.cap", "two-ways-dc327cfb.cap"])
def test_damaged_captures_on_which_the_ways_differed(name: str) -> None:
    """Sequence numbers of which a bit was changed."""
    told = []
    for way in (False, True):
        with open_capture(shared(f"cases/hostile/{name}")) as reader:
            analysis = Analysis(reader, one_by_one=way).run()
            told.append((contents(analysis), analysis.wpdus["marks"].tolist(), _items(analysis)))
    assert told[0] == told[1]


@both_ways
@pytest.mark.parametrize("records", [1, 65_536])
def test_spans_count_from_the_first_octet_that_comes_to_light(
    tmp_path: Path, one_by_one: bool, records: int
) -> None:
    """A retransmission before the stream is recognised, then octets that stand before those first seen."""
    connection = Tcp(Wire())
    octets = get_request(1, 200)
    for _ in range(2):
        connection.packet(0, 50, octets[50:100], identification=301)
    connection.packet(0, 0, octets[:50], identification=300)
    connection.packet(0, 100, octets[100:], identification=302)
    analysis = analyse(connection.wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == [octets]
    assert _found(analysis, RETRANSMISSION) == [(1, 50, 50)]
    assert _found(analysis, OUT_OF_ORDER) == [(2, 0, 50)]


@both_ways
@pytest.mark.parametrize("pieces", [(), (10,), (14,)])
def test_first_octets_of_an_unseen_start_are_believed_only_as_one_whole_wpdu(
    tmp_path: Path, one_by_one: bool, pieces: tuple[int, ...]
) -> None:
    """No handshake: octets that merely read as several WPDUs, none believable, may begin anywhere."""
    connection = Tcp(wire := Wire())
    connection.say(0, ONE)
    odd = wpdu(b"\x54\x54", 1, 16) + wpdu(b"\x54\x55\x56", 1, 16)
    connection.say(1, odd, pieces)
    connection.say(1, get_response(1))
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one)
    whole = pieces == (10,)  # each stands in a segment of its own
    assert contents(analysis) == [ONE, *([odd[:10], odd[10:]] if whole else []), get_response(1)]
    assert analysis.statistics()["skipped_bytes"] == (0 if whole else len(odd))
