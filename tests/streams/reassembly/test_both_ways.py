"""The fast path, the packet walk, and any cut into batches give the same rows, items and streams."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.helpers.busy_wires import busy_wire, wild_wire
from tests.helpers.wire import Tcp, Wire, analyse, contents, found_items, get_request, rows


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
