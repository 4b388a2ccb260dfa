"""Retransmissions that differ, against octets compared one by one with the first for their places."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.packets.packet_row import ACK, SYN
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly import conflicts
from cosemscope.streams.reassembly.conflicts import ConflictFinder
from tests.helpers.made_streams import Made, Sent


def looked(
    made: Made, suspects: list[int], start: list[int] | None = None, *, at_hand: bool = True
) -> list[tuple[int, int, int]]:
    """The conflicts found among these packets, packet, start, amount; octets at hand or in the file."""
    source = made.source if at_hand else PayloadSource(made.source.octets)
    finder = ConflictFinder(made.packets, made.packet_streams, source, made.output)
    for number, packet in enumerate(suspects):
        finder.suspect(np.array([packet]), np.array([start[number] if start else 0]))
    finder.look(made.batch.rows)
    made.flush()
    return [(packet, at, amount) for _, _, _, packet, at, amount in made.found()]


SENT = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 1),
        st.integers(0, 25),
        st.binary(min_size=1, max_size=12).map(lambda octets: bytes(octet & 1 for octet in octets)),
        st.sampled_from([0, 0, 0, 2]),
        st.sampled_from([ACK, ACK, SYN]),
    ),
    max_size=12,
)


@given(SENT, st.sampled_from([0, 2**32 - 12, 2**32 - 1, 2**31 - 9]), st.booleans())
@settings(max_examples=200)
def test_octets_that_differ_from_their_first_copies(parts: list[tuple], isn: int, at_hand: bool) -> None:
    """A plain model remembers the first octet at each place, and the first segment that begins there."""
    seen: dict[tuple[int, int, int], int] = {}
    begun: dict[tuple[int, int, int], bytes] = {}
    sent, expected, suspects = [], [], []
    for packet, (stream, side, start, octets, cut, flags) in enumerate(parts):
        cut = min(cut, len(octets) - 1)
        kept = octets[: len(octets) - cut]
        places = [(stream, side, start + at) for at in range(len(kept))]
        is_first = places[0] not in begun  # octets of one are one object, whoever sent them
        first = begun.setdefault(places[0], kept)
        if len(first) < len(kept) or is_first:
            first = bytes(seen.get(place, octet) for place, octet in zip(places, kept, strict=True))
        differing = sum(one != other for one, other in zip(first, kept, strict=False))
        if seen.keys() & places:
            suspects.append(packet)
            expected += [(packet, 1000 + packet, differing)] if differing else []
        seen = dict(zip(places, kept, strict=True)) | seen
        seq = isn + start - (flags == SYN)  # a SYN counts one before its octets
        sent.append(Sent(octets, stream=stream, side=side, seq=seq, cut=cut, flags=flags))
    starts = [1000 + packet for packet in suspects]
    assert looked(Made(sent), suspects, starts, at_hand=at_hand) == expected


@pytest.mark.parametrize(("again", "amounts"), [(b"XXX", [3]), (b"XX", [3]), (b"XXXX", [3, 3])])
def test_the_first_segment_that_begins_there_is_asked_if_it_is_as_long(
    again: bytes, amounts: list[int]
) -> None:
    """A lie that is told again in the same words is one conflict; told otherwise it is another."""
    made = Made([Sent(b"aaaaaX"), Sent(b"XXX", seq=2), Sent(again, seq=2)])
    assert [amount for _, _, amount in looked(made, [1, 2])] == amounts


def test_only_suspects_are_compared() -> None:
    """And each batch has its own."""
    made = Made([Sent(b"aaaa"), Sent(b"aaab"), Sent(b"bbbb")])
    finder = ConflictFinder(made.packets, made.packet_streams, made.source, made.output)
    finder.suspect(np.array([2]), np.array([0]))
    for _ in range(2):
        finder.look(made.batch.rows)
    made.flush()
    assert made.found() == [("conflict", 0, 0, 2, 0, 4)]


def test_the_span_is_the_segment_s() -> None:
    """With what was cut off of it; the amount are the octets that differ."""
    made = Made([Sent(b"abcdef", side=1), Sent(b"abXdeY", side=1, cut=1)])
    assert looked(made, [1], [40]) == [(1, 40, 1)]
    assert (made.items["start"][0], made.items["stop"][0], made.items["direction"][0]) == (40, 46, 1)


@pytest.mark.parametrize(("window", "found"), [(2, 1), (1, 0)])
def test_how_far_back_an_original_is_looked_for(
    window: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many packets before the batch, and not further: what is not found is no conflict."""
    monkeypatch.setattr(conflicts, "WINDOW", window)
    for octets in (b"XXXX", b"XXXXX"):  # as long as the original, and longer
        made = Made([Sent(b"aaaa"), Sent(b"b", stream=1), Sent(octets)])
        made.batch = type(made.batch).of(made.packets, slice(2, 3), made.batch.stream[2:])
        assert len(looked(made, [2])) == found


def test_what_is_compared_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest segments that hold octets of a suspect are asked, no more than so many."""
    monkeypatch.setattr(conflicts, "MOST_COMPARED", 2)
    made = Made([Sent(b"a", seq=0), Sent(b"b", seq=1), Sent(b"c", seq=2), Sent(b"XXXX", seq=0)])
    assert looked(made, [3]) == [(3, 0, 2)]


def test_packets_of_no_stream_do_not_matter() -> None:
    """Neither do those of other streams with the same numbers."""
    made = Made([Sent(b"XXXX", stream=-1), Sent(b"XXXX", stream=1), Sent(b"aaaa"), Sent(b"aaaab", seq=0)])
    assert looked(made, [3]) == []
