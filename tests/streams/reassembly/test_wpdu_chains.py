"""WPDUs that do not keep to segments' bounds: the fast path for them says what the reassembler says."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.streams.reassembly import tcp_streams, wpdu_chains
from cosemscope.streams.reassembly.wpdu_chains import apart, covered
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.wire import ACK, FIN, PSH, Tcp, Wire, analyse, found_items, get_request, get_response, rows

#: What happens to a segment on its way, most often nothing.
FATES = st.sampled_from(["", "", "", "", "", "swap", "swap", "again", "lost", "fin", "later", "cut"])
ANSWERS = st.fixed_dictionaries(
    {
        "lengths": st.lists(st.sampled_from([0, 1, 2, 12, 13, 20, 60, 200]), min_size=1, max_size=6),
        "cuts": st.lists(st.integers(1, 300), max_size=6),
        "fates": st.lists(FATES, min_size=7, max_size=7),
        "garbage": st.sampled_from([0, 0, 0, 0, 0, 3, 12]),
    }
)


def _answer(connection: Tcp, number: int, answer: dict) -> None:
    """A request, then several WPDUs as one run of octets, cut anywhere; each piece with its fate."""
    connection.say(0, get_request(number))
    octets = b"".join(get_response(number, length) for length in answer["lengths"])
    octets += bytes(answer["garbage"])
    at = connection.sent[1]
    cuts = sorted({cut for cut in answer["cuts"] if cut < len(octets)} | {0, len(octets)})
    sent = connection.identification[1]
    pieces = [
        (at + start, octets[start:stop], sent + 1 + place)
        for place, (start, stop) in enumerate(pairwise(cuts))
    ]
    fates = answer["fates"][: len(pieces)]
    for place, fate in enumerate(fates[:-1]):
        if fate == "swap":
            pieces[place], pieces[place + 1] = pieces[place + 1], pieces[place]
    for place, (offset, piece, identification) in enumerate(pieces):
        fate = fates[place] if place < len(fates) else ""
        if fate == "lost":
            continue
        flags = FIN | ACK if fate == "fin" else PSH | ACK
        wait = 80_000_000 if fate == "later" else 100_000
        piece = piece[: -1 if fate == "cut" else None]
        connection.packet(1, offset, piece, flags=flags, wait=wait, identification=identification)
        if fate == "again":
            connection.packet(1, offset, piece)
    connection.identification[1] += len(pieces)
    connection.sent[1] = max(connection.sent[1], at + len(octets))


@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=5),
    shake=st.booleans(),
    records=st.sampled_from([5, 11, 65536]),
    isn=st.sampled_from([9_000, 2**32 - 200]),
)
@settings(max_examples=200)
def test_both_ways_agree_on_octets_cut_anywhere(tmp_path_factory, answers, shake, records, isn):
    """Protects against a fast path that finds other WPDUs, marks or items than segment by segment."""
    folder: Path = tmp_path_factory.getbasetemp()
    wire = Wire()
    connection = Tcp(wire, isn=(1_000, isn))
    if shake:
        connection.handshake()
    for number, answer in enumerate(answers):
        _answer(connection, number, answer)
    connection.say(0, get_request(99))
    fast, slow = analyse(wire, folder, records=records), analyse(wire, folder, one_by_one=True)
    assert rows(fast) == rows(slow)
    assert found_items(fast) == found_items(slow)


def _never(monkeypatch) -> None:
    def never(*_):
        pytest.fail("the reassembler was asked")

    monkeypatch.setattr(tcp_streams.PacketWalk, "run_from", never)


def test_a_split_wpdu_whose_end_shares_its_segment_stays_in_the_fast_path(tmp_path, monkeypatch):
    """Two answers in two segments, cut inside the first: no work for the reassembler."""
    _never(monkeypatch)
    connection = Tcp(wire := Wire()).handshake()
    connection.say(0, get_request(1))
    connection.say(1, get_response(1) + get_response(2), pieces=[15])
    analysis = analyse(wire, tmp_path)
    assert analysis.wpdus["marks"].tolist() == [0, Mark.SHARED, Mark.SHARED]
    assert [analysis.packets_of(row).tolist() for row in (1, 2)] == [[4, 5], [5]]
    assert [analysis.octets(row) for row in (1, 2)] == [get_response(1), get_response(2)]


def test_a_pair_that_changed_places_may_hold_several_wpdus(tmp_path, monkeypatch):
    """The early segment is a whole WPDU, the late one another: both became known with the late one."""
    _never(monkeypatch)
    connection = Tcp(wire := Wire()).handshake()
    connection.say(0, get_request(1))
    connection.packet(1, 28, get_response(2), identification=8)
    connection.packet(1, 0, get_response(1), identification=7, wait=1_000)
    connection.say(0, get_request(2))
    analysis = analyse(wire, tmp_path)
    assert [analysis.octets(row) for row in (1, 2)] == [get_response(1), get_response(2)]
    assert [analysis.packets_of(row).tolist() for row in (1, 2)] == [[5], [4]]
    assert analysis.statistics()["out_of_order"] == 1


def test_an_octet_sent_again_within_a_chain_is_told(tmp_path):
    """One octet that comes twice before the rest of its WPDU is a retransmission in both ways."""
    connection = Tcp(wire := Wire()).handshake()
    connection.say(0, get_request(1))
    connection.packet(1, 0, get_response(1)[:1])
    connection.packet(1, 0, get_response(1)[:1])
    connection.packet(1, 1, get_response(1)[1:])
    assert analyse(wire, tmp_path).statistics()["retransmissions"] == 1
    assert analyse(wire, tmp_path, one_by_one=True).statistics()["retransmissions"] == 1


def test_a_chain_has_a_bound(tmp_path, monkeypatch):
    """A chain longer than a batch may follow goes to the reassembler, and nothing is lost."""
    monkeypatch.setattr(wpdu_chains, "MOST_LINKS", 3)
    connection = Tcp(wire := Wire()).handshake()
    connection.say(1, b"".join(get_response(number) for number in range(9)))
    analysis = analyse(wire, tmp_path)
    assert [analysis.octets(row) for row in range(9)] == [get_response(number) for number in range(9)]


@pytest.mark.parametrize(
    ("chains_", "heads", "rest"),
    [
        ([], [], []),
        ([(2, -1), (5, -1)], [], [2, 5]),
        ([(2, 4), (3, -1), (5, 5)], [2, 5], []),  # what lies within needs no look
        ([(2, 6), (3, 4), (7, -1)], [2], [7]),
        ([(2, 4), (3, 6), (5, -1), (8, 9)], [8], [2, 3, 5]),  # both cannot be right
        ([(1, -1), (2, 2), (3, 3)], [2, 3], [1]),
    ],
)
def test_chains_that_stand_apart(chains_, heads, rest):
    """Protects the order in which irregular segments are looked at."""
    position = np.array([one[0] for one in chains_], np.int64)
    last = np.array([one[1] for one in chains_], np.int64)
    found, remaining = apart(position, last)
    assert (found.tolist(), remaining.tolist()) == (heads, rest)


def test_positions_that_chains_cover():
    """From the first segment to the last, both included."""
    begins = np.array([False, True, False, False, True, False])
    last = np.array([-1, 2, -1, -1, 4, -1])
    assert covered(begins, last).tolist() == [False, True, True, False, True, False]
