"""Segments that overtake one another: the fast path for them says what the reassembler says."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.streams.reassembly import tcp_streams
from cosemscope.streams.reassembly.overtaking import exchange, find_early, put_right
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import Made, Sent, segments_of
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


RTT = 1_000_000
A, B, C = bytes(10), bytes(20), bytes(30)  # a batch says first A, then C, which has overtaken B


def batch(**changes: object) -> list[Sent]:
    """The plain case: an acknowledgement of A, then octets 30 to 60, then 10 to 30; B was sent first.

    `changes` replace fields of the packet that they name: `late_cut` the `cut` of the late one.
    """
    packets = {
        "first": Sent(A, side=1, ack=500, time=0),
        "ack": Sent(ack=10, time=10),
        "early": Sent(C, side=1, seq=30, ip_id=8, time=20),
        "late": Sent(B, side=1, seq=10, ip_id=7, time=30),
    }
    for name, value in changes.items():
        packet, _, field = name.partition("_")
        setattr(packets[packet], field, value)
    return list(packets.values())


def put(sent: list[Sent], *, rtt: int = RTT, fast: bool = True, blind: bool = False, base: int = 0):
    """What becomes of them: the mask, and the segments."""
    made = Made(sent)
    segments = segments_of(made)
    count = len(segments.half)
    masks = np.full(count, fast), np.full(count, blind)
    bases = np.full(2 * len(made.streams), base, np.uint32)
    overtook = put_right(segments, *masks, made.batch, bases, np.full(len(made.streams), rtt))
    return overtook.tolist(), segments


def test_a_pair_changes_places() -> None:
    """The late one stands in order now, the early one behind it, marked."""
    overtook, segments = put(batch())
    assert overtook == [False, False, True]
    assert segments.packet.tolist() == [0, 3, 2]
    assert list(zip(segments.start.tolist(), segments.stop.tolist(), strict=True)) == [
        (0, 10),
        (10, 30),
        (30, 60),
    ]
    assert segments.before.tolist() == [0, 10, 30]
    assert segments.captured.tolist() == [10, 20, 30]
    assert (np.diff(segments.address) == [40, -30]).all()  # as they lie in the file: A, C, B


@pytest.mark.parametrize(
    ("changes", "changed"),
    [
        ({}, True),
        ({"late_seq": 11}, False),  # it does not fill the gap from its beginning
        ({"late_octets": B[1:]}, False),  # nor to its end
        ({"late_octets": B + b"x"}, False),
        ({"late_cut": 1}, False),
        ({"early_cut": 1}, False),
        ({"early_flags": 0x11}, False),  # FIN
        ({"late_flags": 0x14}, False),  # RST
        ({"late_flags": 0x12}, False),  # SYN
        ({"ack_ack": 29}, True),  # acknowledged up to the early one
        ({"ack_ack": 30}, False),  # the early one: what is missing is not in the capture
        ({"ack_ack": -5}, True),
        ({"ack_flags": 0}, False),  # nothing is known of the other side
        ({"ack_side": 1}, False),
        ({"late_side": 0}, False),
        ({"late_stream": 1}, False),
        # Who was sent first: by time stamps, else at once, or within a round trip in one write.
        ({"late_ip_id": 9}, True),
        ({"late_time": 19 + RTT}, True),
        ({"late_time": 20 + RTT}, False),
        ({"early_tsval": 5, "late_tsval": 4, "late_time": 20 + 9 * RTT}, True),
        ({"early_tsval": 5, "late_tsval": 6}, False),
        ({"early_tsval": 5, "late_tsval": 5}, True),
        ({"early_tsval": 5}, True),
        ({"early_tsval": 1, "late_tsval": 0xFFFFFFFF, "late_time": 20 + 9 * RTT}, True),
    ],
)
def test_which_pairs_are_plain(changes: dict[str, object], changed: bool) -> None:
    """One thing that is otherwise, and the reassembler has it; sequence numbers may wrap."""
    assert any(put(batch(**changes))[0]) == changed
    shifted = batch(**changes)
    for one in shifted:
        if not one.side:
            one.ack += 2**32 - 25
    assert any(put(shifted, base=2**32 - 25)[0]) == changed


def test_what_else_leaves_a_pair_alone() -> None:
    """Halves in the slow path, octets whose beginning was not seen, packets between, no round trip known."""
    assert not any(put(batch(), fast=False)[0])
    assert not any(put(batch(), blind=True)[0])
    first, ack, early, late = batch()
    assert not any(put([first, ack, early, Sent(ack=10, time=25), late])[0])
    assert any(put([first, ack, early, Sent(ack=10, stream=1, time=25), late])[0])
    late.time = 20 + 3_000_000
    assert not any(put([first, ack, early, late], rtt=-1)[0])
    late.time -= 1
    assert any(put([first, ack, early, late], rtt=-1)[0])


@pytest.mark.parametrize(
    ("stood", "wait", "found"),
    [
        (0, 1_000_000, True),
        (0, 49_999_999, True),
        (0, 50_000_000, False),  # the round trip
        (199_999_999, 1_000_000, True),
        (200_000_000, 1_000_000, False),  # another write: a timer may have run out
        (200_000_000, 999_999, True),
    ],
)
def test_both_segments_of_one_write(stood: int, wait: int, found: bool) -> None:
    """The sender stood before the gap not long before, and no round trip has gone by since."""
    first, ack, early, late = batch()
    early.time = first.time + stood
    ack.time = early.time
    late.time = early.time + wait
    late.ip_id = early.ip_id + 1
    assert any(put([first, ack, early, late], rtt=50_000_000)[0]) == found
    late.ip_id = early.ip_id  # which says nothing: a round trip does
    assert any(put([first, ack, early, late], rtt=50_000_000)[0]) == (wait < 50_000_000)


@pytest.mark.parametrize(("between", "found"), [(0, True), (3, True), (4, False)])
def test_how_far_an_acknowledgement_is_looked_for(between: int, found: bool) -> None:
    """A few packets of the stream back; others do not count."""
    first, ack, early, late = batch()
    own = [Sent(side=1, seq=10, time=15) for _ in range(between)]
    others = [Sent(side=side, stream=1, ack=99, time=15) for side in (0, 1) for _ in range(4)]
    assert any(put([first, ack, *own, *others, early, late])[0]) == found


def test_places_are_exchanged_pair_by_pair() -> None:
    """Everything that belongs to a segment goes with it; what was seen before belongs to the place."""
    segments = segments_of(Made([Sent(A), Sent(B, seq=40), Sent(C, seq=10), Sent(A, seq=90)]))
    before = [column.copy() for column in segments]
    exchange(segments, np.array([1]))
    for name, column, old in zip(segments._fields, segments, before, strict=True):
        if name in ("half", "group", "first"):
            assert column.tolist() == old.tolist()
        elif name != "before":
            assert column.tolist() == old[[0, 2, 1, 3]].tolist()
    assert segments.before.tolist() == [0, 10, 40, 60]


@pytest.mark.parametrize(
    ("octets", "seq", "cut", "unsure", "found"),
    [
        (get_request(1), -21, 0, True, True),
        (get_request(1), -40, 0, True, True),
        (get_request(1), -20, 0, True, False),  # ends behind octet 0
        (get_request(1), -21, 1, True, False),
        (get_request(1), -21, 0, False, False),
        (get_request(1)[:-1], -21, 0, True, False),
        (get_request(1) + b"x", -22, 0, True, False),
        (b"\0\1" + get_request(1)[2:8] + b"\x54" * 13, -21, 0, True, False),  # not believable
        (get_request(1, 2), -10, 0, True, True),
        (bytes.fromhex("000100100001000100"), -9, 0, True, False),  # too short to tell
    ],
)
def test_wpdus_before_the_first_octet_seen(
    octets: bytes, seq: int, cut: int, unsure: bool, found: bool
) -> None:
    """Whole, alone in their segment, and believable."""
    made = Made([Sent(A), Sent(octets, seq=seq, cut=cut)])
    segments = segments_of(made)
    position, head = find_early(segments, np.array([False, unsure]), made.source)
    assert position.tolist() == [1] * found
    assert head["length"].tolist() == [len(octets) - 8] * found
