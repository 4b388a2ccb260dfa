"""The fast path, the packet walk, and any cut into batches give the same rows, items and streams."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.busy_wires import busy_wire, wild_wire
from tests.helpers.wire import (
    ACK,
    FIN,
    RST,
    Tcp,
    Wire,
    analyse,
    contents,
    found_items,
    get_request,
    get_response,
    rows,
    wpdu,
)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("handshake", [True, False])
def test_both_ways_and_all_batch_sizes_give_the_same_rows(seed: int, handshake: bool, tmp_path: Path) -> None:
    """The vectorised path, the packet-by-packet path, and any cut into batches: same rows, same items."""
    wire = busy_wire(seed, handshake=handshake)
    plain = analyse(wire, tmp_path)
    for records, one_by_one in ((65536, True), (7, False), (64, False), (1, True)):
        other = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        assert found_items(other) == found_items(plain)
        for name in other.streams.names:
            assert other.streams[name].tolist() == plain.streams[name].tolist(), name


@pytest.mark.parametrize("seed", range(25))
def test_nothing_on_the_wire_breaks_the_engine_or_parts_its_ways(seed: int, tmp_path: Path) -> None:
    """Noise included, both ways and all batch sizes give the same rows, items and streams."""
    wire = wild_wire(seed)
    plain = analyse(wire, tmp_path)
    for records, one_by_one in ((65536, True), (7, False), (1, seed % 2 == 0)):
        other = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        assert found_items(other) == found_items(plain)
        for name in other.streams.names:
            assert other.streams[name].tolist() == plain.streams[name].tolist(), name


@st.composite
def _carriage(draw: st.DrawFn) -> tuple[list[bytes], list[tuple[int, int]], int]:
    """WPDUs of one direction, and the segments that carry them, in any order, some twice."""
    sizes = draw(st.lists(st.integers(0, 60), min_size=1, max_size=12))
    # The first WPDU is one that recognition believes; the others may hold anything.
    wpdus = [get_request(0)] + [
        get_request(number, size) if size > 6 else get_request(number, 2) for number, size in enumerate(sizes)
    ]
    total = sum(map(len, wpdus))
    cuts = sorted(draw(st.sets(st.integers(1, total - 1), max_size=14)))
    pieces = list(zip([0, *cuts], [*cuts, total], strict=True))
    extra = draw(st.lists(st.tuples(st.integers(0, total - 1), st.integers(1, 40)), max_size=4))
    pieces += [(start, min(total, start + length)) for start, length in extra]
    order = draw(st.permutations(range(len(pieces))))
    return wpdus, [pieces[place] for place in order], draw(st.sampled_from([1, 2, 5, 65536]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_carriage(), st.booleans(), st.integers(0, 0xFFFFFFFF))
def test_any_split_order_and_repetition_gives_the_same_wpdus(
    tmp_path: Path, carriage: tuple[list[bytes], list[tuple[int, int]], int], one_by_one: bool, isn: int
) -> None:
    """However TCP carries the octets, and wherever its numbers wrap: the same WPDUs, in their order."""
    wpdus, pieces, records = carriage
    octets = b"".join(wpdus)
    wire = Wire()
    connection = Tcp(wire, isn=(isn, 5)).handshake()
    for start, stop in pieces:
        connection.packet(0, start, octets[start:stop], ack=0)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
    assert contents(analysis) == wpdus
    assert analysis.statistics()["missing_bytes"] == 0
    assert analysis.statistics()["skipped_bytes"] == 0
    assert analysis.statistics()["conflicts"] == 0


_ANSWER = get_response(7, 40)
#: One by one or not, and how many records at once.
_WAYS = ((False, 65_536), (True, 65_536), (False, 1))


@pytest.mark.parametrize("records", [65_536, 2])
@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("flags", [FIN, RST])
@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("ended", [0, 2])
def test_an_end_among_segments_of_a_wpdu_is_that_of_its_own_stream(
    ended: int, place: int, flags: int, one_by_one: bool, records: int, tmp_path: Path
) -> None:
    """A WPDU in three segments on each of four connections; one side of one connection ends among them."""
    wire = Wire()
    connections = [Tcp(wire, ("10.0.0.1", 50_000 + n)).handshake() for n in range(4)]
    for connection in connections:
        connection.say(0, get_request(1))
    for step in range(4):
        for number, connection in enumerate(connections):
            if number == ended and step == place:
                connection.packet(1, connection.sent[1], flags=flags | ACK)
            if step < 3:
                connection.say(1, _ANSWER[step * 16 : step * 16 + 16])
    for connection in connections[::-1]:
        connection.say(1, get_response(8))
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
    found: dict[int, list[bytes]] = {}
    for row, octets in enumerate(contents(analysis)):
        found.setdefault(int(analysis.wpdus["stream"][row]), []).append(octets)
    whole = [get_request(1), _ANSWER, get_response(8)]
    assert [found[stream] for stream in range(4) if stream != ended] == [whole] * 3
    cut = _ANSWER[: 16 * place]
    assert found[ended][:2] == ([get_request(1), cut] if place in (1, 2) else whole[: len(found[ended][:2])])


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("side", [0, 1])
def test_octets_missing_before_a_fin_are_those_of_their_own_stream_and_side(
    side: int, one_by_one: bool, tmp_path: Path
) -> None:
    """Of three connections the second one's FIN says that nine octets more were sent."""
    wire = Wire()
    connections = [Tcp(wire, ("10.0.0.1", 50_000 + n)).handshake() for n in range(3)]
    for connection in connections:
        connection.say(0, get_request(1))
        connection.say(1, get_response(1))
    connections[1].packet(side, connections[1].sent[side] + 9, flags=FIN | ACK)
    analysis = analyse(wire, tmp_path, one_by_one=one_by_one)
    items = analysis.expert_items
    rows_of_holes = [row for row in range(len(items)) if items.kind(row).word == "hole"]
    told = [
        tuple(int(items[name][row]) for name in ("stream", "direction", "packet", "start", "amount"))
        for row in rows_of_holes
    ]
    assert told == [(1, side, len(wire.packets) - 1, len((get_request, get_response)[side](1)), 9)]


@pytest.mark.parametrize("records", [65_536, 2])
def test_rows_stand_in_the_order_in_which_they_became_whole(records: int, tmp_path: Path) -> None:
    """A WPDU that overtook another one is known when that one comes: behind what came between the two."""
    wire = Wire()
    first, other = (Tcp(wire, ("10.0.0.1", 50_000 + n)).handshake() for n in range(2))
    one, two, three = (get_request(number) for number in range(3))
    first.packet(0, len(one), two, identification=201)
    other.say(0, three)
    first.packet(0, 0, one, identification=200)
    for one_by_one in (False, True):
        analysis = analyse(wire, tmp_path, one_by_one=one_by_one, records=records)
        assert contents(analysis) == [three, one, two]


@pytest.mark.parametrize("handshake", [False, True])
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(
    "first", [get_request(1)[:15], get_request(1) + get_request(2)[:9], wpdu(b"\x54\x54"), get_request(1)[3:]]
)
def test_a_first_segment_that_is_no_whole_wpdu_decides_nothing(
    first: bytes, number: int, handshake: bool, tmp_path: Path
) -> None:
    """Neither one that begins well, nor one that nobody would believe: what comes next counts."""
    for following in (b"???", get_request(1)[15:], get_request(3)):
        wire = Wire()
        connections = [Tcp(wire, ("10.0.0.1", 50_000 + n)) for n in range(2)]
        for connection in connections:
            if handshake:
                connection.handshake()
        connections[number].say(0, first)
        connections[number].say(0, following * 3)
        connections[1 - number].say(0, get_request(5))
        ways = [analyse(wire, tmp_path, one_by_one=way, records=records) for way, records in _WAYS]
        for other in ways[1:]:
            assert rows(other) == rows(ways[0])
            assert found_items(other) == found_items(ways[0])
            assert other.streams["framing"].tolist() == ways[0].streams["framing"].tolist()
