"""Segments that overtake one another: the fast path for them says what the reassembler says."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.streams.reassembly import tcp_streams
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.wire import (
    ACK,
    FIN,
    PSH,
    RST,
    Tcp,
    Wire,
    analyse,
    found_items,
    get_request,
    get_response,
    rows,
)

PAIR = st.fixed_dictionaries(
    {
        "cut": st.integers(9, 27),
        "identification": st.sampled_from([(0, 0), (7, 8), (8, 7), (0, 40_000), (65_535, 2)]),
        "wait": st.sampled_from([0, 1_000, 900_000, 50_000_000]),
        "acked": st.sampled_from([0, 0, 0, 10, 40]),
        "flags": st.sampled_from([PSH | ACK, PSH | ACK, FIN | ACK, RST | ACK]),
        "between": st.booleans(),
        "own_ack": st.booleans(),
        "length": st.integers(20, 30),
        "declared": st.sampled_from([0, 0, 0, 1, -1]),
    }
)


def _overtaken(connection: Tcp, number: int, pair: dict) -> None:
    """A request, and an answer of which the second part comes first."""
    connection.say(0, get_request(number))
    if pair["own_ack"]:
        connection.packet(1, connection.sent[1])
    answer = bytearray(get_response(number, pair["length"]))
    answer[7] += pair["declared"]
    at, cut = connection.sent[1], min(pair["cut"], len(answer) - 1)
    late, early = pair["identification"]
    if pair["acked"]:
        connection.packet(0, connection.sent[0], ack=at + pair["acked"])
    connection.packet(1, at + cut, bytes(answer[cut:]), identification=early)
    if pair["between"]:
        connection.packet(0, connection.sent[0], ack=at)
    connection.packet(1, at, bytes(answer[:cut]), identification=late, wait=pair["wait"], flags=pair["flags"])


@given(pairs=st.lists(PAIR, min_size=1, max_size=6), isn=st.sampled_from([9_000, 2**32 - 30]))
@settings(max_examples=150)
def test_both_ways_agree_on_segments_that_overtake(tmp_path_factory, pairs, isn):
    """Protects against a fast path that takes a loss for disorder, or a hole for none."""
    folder: Path = tmp_path_factory.getbasetemp()
    wire = Wire()
    connection = Tcp(wire, isn=(1_000, isn)).handshake()
    for number, pair in enumerate(pairs):
        _overtaken(connection, number, pair)
    connection.say(0, get_request(99))
    fast, slow = analyse(wire, folder), analyse(wire, folder, one_by_one=True)
    assert rows(fast) == rows(slow)
    assert found_items(fast) == found_items(slow)


def test_the_plain_case_stays_in_the_fast_path(tmp_path, monkeypatch):
    """An answer whose halves changed places is one row, marked, and no work for the reassembler."""

    def never(*_):
        pytest.fail("the reassembler was asked")

    monkeypatch.setattr(tcp_streams.PacketWalk, "run_from", never)
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1))
    plain = {"cut": 12, "identification": (7, 8), "wait": 1_000, "acked": 0, "flags": PSH | ACK}
    _overtaken(connection, 2, plain | {"between": False, "own_ack": True, "length": 30, "declared": 0})
    analysis = analyse(wire, tmp_path)
    assert analysis.wpdus["marks"].tolist() == [0, 0, 0, Mark.OUT_OF_ORDER]
    assert analysis.packets_of(3).tolist() == [8, 7]
    assert analysis.statistics()["out_of_order"] == 1
