"""WPDUs that do not keep to segments' bounds: the fast path for them says what the reassembler says."""

from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.streams.reassembly import tcp_streams, wpdu_chains
from cosemscope.streams.reassembly.segments_in_order import lay_out
from cosemscope.streams.reassembly.wpdu_chains import apart, covered, find_chains
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import Made, Sent, segments_of
from tests.helpers.wire import (
    ACK,
    FIN,
    PSH,
    Tcp,
    Wire,
    analyse,
    contents,
    found_items,
    get_request,
    get_response,
    rows,
)

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


class Part(NamedTuple):
    """A segment of one half as a plain walk sees it, with its place among all segments."""

    position: int
    start: int
    octets: bytes
    before: int

    @property
    def stop(self) -> int:
        return self.start + len(self.octets)

    @property
    def in_order(self) -> bool:
        return self.start == self.before

    @property
    def seen(self) -> bool:
        """Whether it may stand between the segments of a chain: all of it was seen, and it is no probe."""
        return self.stop <= self.before and len(self.octets) > 1


def _follow(parts: list[Part], at: int) -> list[tuple[int, int, int, int]]:
    """The WPDUs of the chain that begins with this segment, if it does: position, offset, end, stop."""
    if not parts[at].in_order:
        return []
    # The line of octets that a chain may go along, octet by octet: (position, is it the segment's last one).
    line = []
    for part in parts[at:]:
        if part.in_order:
            last = len(part.octets) - 1
            line += [(part, place, place == last) for place in range(len(part.octets))]
        elif not part.seen:
            break
    head = bytes(part.octets[place] for part, place, _ in line[:10])
    within = len(parts[at].octets)
    follower = next((place for part, place, _ in line[within : within + 1]), None)
    beyond = line[within][0].octets if follower is not None else b""
    whole = within == 8 + int.from_bytes(head[6:8], "big") and head[:2] == b"\0\1"
    if whole or not (within >= 10 or within + len(beyond) >= 10):
        return []
    found, octet = [], 0
    while True:
        part, place, _ = line[octet]
        header = bytes(one.octets[spot] for one, spot, _ in line[octet : octet + 8])
        room = len(part.octets) - place
        length = int.from_bytes(header[6:8], "big")
        if octet and (room < 8 or (room == 8 and length)):
            return []
        if header[:2] != b"\0\1" or octet + 8 + length > len(line):
            return []
        end, spot, closes = line[octet + 7 + length]
        found.append((part.position, place, end.position, end.start + spot + 1))
        if closes:
            return found
        octet += 8 + length


@st.composite
def _runs(draw: st.DrawFn) -> list[list[tuple[int, bytes]]]:
    """For each of a few halves segments (start, octets) as they arrive: WPDUs cut anywhere, some odd."""
    halves = []
    for _ in range(draw(st.integers(1, 3))):
        sizes = draw(st.lists(st.sampled_from([0, 0, 1, 2, 5, 13, 30]), min_size=1, max_size=6))
        octets = b"".join(get_response(number, size) for number, size in enumerate(sizes))
        octets += draw(st.sampled_from([b"", b"", b"", b"\xff" * 11, get_response(9)[:9]]))
        ends = list(accumulate(8 + size for size in sizes))
        cuts = draw(st.sets(st.sampled_from([*ends, *range(1, len(octets) + 1)]), max_size=5))
        parts = [
            (start, octets[start:stop])
            for start, stop in pairwise(sorted({0, len(octets), *(cut for cut in cuts if cut < len(octets))}))
        ]
        for place in draw(st.lists(st.integers(0, len(parts) - 1), max_size=2)):
            fate = draw(st.sampled_from(["lost", "again", "again", "probe", "swap"]))
            if fate == "lost":
                parts[place] = (0, b"")
            elif fate == "swap":
                parts[place : place + 2] = reversed(parts[place : place + 2])
            else:
                start, again = parts[place]
                parts.insert(place + 1, (start, again[:1] if fate == "probe" else again))
        halves.append([part for part in parts if part[1]])
    return halves


@given(_runs())
@settings(max_examples=300)
def test_chains_are_those_of_a_walk_along_the_octets(runs: list[list[tuple[int, bytes]]]) -> None:
    """Which segments begin chains, which WPDUs these have, and where each ends."""
    sent, turn = [], 0
    while any(len(run) > turn for run in runs):  # the halves take turns on the wire
        sent += [
            Sent(run[turn][1], stream=at, seq=run[turn][0]) for at, run in enumerate(runs) if turn < len(run)
        ]
        turn += 1
    made = Made(sent)
    segments = segments_of(made)
    layout = lay_out(segments, np.ones(len(segments.half), np.bool_), made.source)
    links, last = find_chains(segments, layout, made.source)
    position, expected, ends = 0, [], []
    for run in runs:
        before, parts = 0, []
        for start, octets in run:
            parts.append(Part(position, start, octets, before))
            before = max(before, start + len(octets))
            position += 1
        for at, part in enumerate(parts):
            found = _follow(parts, at)
            expected += [(part.position, *link) for link in found]
            ends.append(found[-1][2] if found else -1)
    assert last.tolist() == ends
    assert list(zip(*(column.tolist() for column in links[:-1]), strict=True)) == expected
    begins = segments.start[links.position] + links.offset
    assert links.head["length"].tolist() == (links.stop - begins - 8).tolist()
    assert set(links.head["destination_wport"].tolist()) <= {16}


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from([-1, -1, 0, 1, 2, 6])), max_size=9))
def test_a_chain_that_stands_apart_overlaps_none_that_is_not_within_it(
    steps: list[tuple[int, int]],
) -> None:
    """Against pairs compared one by one: heads are first chains of clusters that none of these outlasts."""
    position = [at - 1 for at in accumulate(step for step, _ in steps)]
    last = [at + reach if reach >= 0 else -1 for at, (_, reach) in zip(position, steps, strict=True)]
    chains = [(at, end) for at, end in zip(position, last, strict=True) if end >= 0]
    heads = [
        (at, end)
        for at, end in chains
        if not any(begin < at <= stop for begin, stop in chains)
        and all(stop <= end for begin, stop in _cluster(at, chains))
    ]
    rest = [at for at in position if not any(begin <= at <= end for begin, end in heads)]
    found, remaining = apart(np.array(position, np.int64), np.array(last, np.int64))
    assert found.tolist() == [at for at, _ in heads]
    assert remaining.tolist() == rest


def _cluster(at: int, chains: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The chains that hang together with the one that begins here, in order."""
    reach, cluster = at, []
    for begin, end in chains:
        if begin == at or (at < begin <= reach):
            cluster.append((begin, end))
            reach = max(reach, end)
    return cluster


def test_a_chain_around_what_begins_like_a_wpdu_is_none(tmp_path):
    """A sender that stops within a WPDU: both ways tell the broken one, and all others."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    long = get_response(1, 300)
    sent = [long[:120], get_response(2, 30), get_response(3, 80), get_response(4, 40), get_response(5, 10)]
    for octets in sent:
        connection.say(1, octets)
    connection.say(1, get_response(6, 90), (40,))
    plain = analyse(wire, tmp_path)
    assert contents(plain) == [*sent, get_response(6, 90)]
    assert rows(analyse(wire, tmp_path, one_by_one=True)) == rows(plain)
