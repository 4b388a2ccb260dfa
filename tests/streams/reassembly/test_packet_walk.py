"""Packets of slow halves one by one: when the reassembler takes a half, and when it lets it go."""

import numpy as np
import pytest

from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN
from cosemscope.streams.reassembly import packet_walk
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import Made, Sent, segments_of
from tests.helpers.made_walk import Walked
from tests.helpers.wire import get_request, get_response

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
SIZE = 21


def walked(*sent: Sent, framing: Framing = Framing.WRAPPER, trusted: bool = True) -> Walked:
    """A walk over these packets, a microsecond apart where they have no time."""
    for number, one in enumerate(sent):
        one.time = one.time or 1_000 * (number + 1)
    return Walked(Made(sent), framing, trusted=trusted)


def test_every_packet_one_by_one() -> None:
    """Both sides count; what is whole is a row, what is pending stays."""
    one = walked(Sent(ONE), Sent(get_response(1), side=1), Sent(TWO[:9], seq=SIZE), Sent(ack=28))
    assert one.every() == (2, 1)
    assert one.told() == [ONE, get_response(1)]
    assert one.walk.pending == {0}
    assert one.halves["slow"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("sent", "behind", "highest", "rows"),
    [
        # The WPDU that the segment begins is whole with the next one: the half is clean there.
        ([Sent(ONE[:9]), Sent(ONE[9:], seq=9), Sent(TWO, seq=SIZE)], 2, SIZE, [ONE]),
        # A gap: clean once it is filled.
        ([Sent(TWO, seq=SIZE), Sent(ONE), Sent(THREE, seq=2 * SIZE)], 2, 2 * SIZE, [ONE, TWO]),
        # The end of the batch.
        ([Sent(ONE[:9]), Sent(ONE[9:-1], seq=9)], 2, SIZE - 1, []),
        # Packets of the other side do not count, but what they acknowledge does.
        ([Sent(ONE[:9]), Sent(side=1, ack=9), Sent(ONE[9:], seq=9)], 2, SIZE, [ONE]),
    ],
)
def test_a_run_ends_where_the_half_is_clean(
    sent: list[Sent], behind: int, highest: int, rows: list[bytes]
) -> None:
    """The position behind the last segment that it took."""
    one = walked(*sent)
    segments = segments_of(one.made)
    assert one.walk.run_from(one.made.batch, segments, 0, int(segments.packet[0])) == behind
    assert one.told() == rows
    pending = not rows
    assert one.walk.pending == ({0} if pending else set())
    assert one.halves["slow"][0] == pending
    assert one.halves["highest"][0] == highest


def test_a_run_knows_what_was_acknowledged_before_it() -> None:
    """One octet that comes again after its acknowledgement is a keep-alive, as it would be one by one."""
    sent = [
        Sent(ONE),
        Sent(side=1, ack=SIZE),
        *(Sent(ack=5) for _ in range(40)),
        Sent(ONE[-1:], seq=SIZE - 1),
    ]
    one = walked(*sent)
    segments = segments_of(one.made)
    one.walk.run_from(one.made.batch, segments, 1, int(segments.packet[1]))
    one.flush()
    assert [item[0] for item in one.made.found()] == ["keep-alive"]


@pytest.mark.parametrize(
    ("last", "truncated"),
    [
        (Sent(seq=9, flags=FIN | ACK), True),
        (Sent(seq=12, flags=FIN | ACK), False),  # octets before it have yet to come
        (Sent(side=1, flags=FIN | ACK, ack=9), False),  # the other side's
        (Sent(seq=9, flags=RST), True),
        (Sent(side=1, flags=RST), True),
        (Sent(seq=9), False),
    ],
)
def test_what_an_end_leaves_is_truncated(last: Sent, truncated: bool) -> None:
    """A FIN when all before it is there, a RST of either side at once."""
    one = walked(Sent(ONE[:9]), last)
    one.every()
    assert one.told() == [ONE[:9]] * truncated
    assert one.made.wpdus["marks"].tolist() == [Mark.TRUNCATED] * truncated
    assert one.walk.pending == (set() if truncated else {0})


def test_a_stream_that_ends_gives_up_its_gaps() -> None:
    """Both directions; holes are told at the packet behind them."""
    one = walked(Sent(ONE, seq=5), Sent(TWO[:9], side=1))
    one.every()
    assert one.told() == []
    one.walk.end_stream(0, 2)
    assert one.told() == [ONE, TWO[:9]]
    assert one.made.found() == [("hole", 0, 0, 0, 0, 5)]
    assert not one.walk.pending


def waiting(*sent: Sent, trusted: bool = True) -> Walked:
    """The same for streams that are not recognised yet."""
    one = walked(*sent, framing=Framing.UNDECIDED, trusted=trusted)
    for stream in range(len(one.made.streams)):
        one.walk.open_undecided(stream)
    return one


def test_recognition_goes_on_over_segments_and_reads_from_the_first() -> None:
    """Once a WPDU has shown its end, all that came before it is split."""
    one = waiting(Sent(ONE[:9]), Sent(ONE[9:], seq=9), Sent(TWO, seq=SIZE))
    assert one.walk.undecided == [0]
    one.every()
    assert one.told() == [ONE, TWO]
    assert one.made.streams["framing"].tolist() == [Framing.WRAPPER]
    assert not one.walk.undecided


def test_the_sender_of_the_first_request_is_the_client() -> None:
    """Where no SYN was seen; items found before turn with it."""
    one = waiting(Sent(b"???", side=1, cut=1), Sent(TWO, side=1, seq=3), Sent(get_response(1)))
    one.made.streams["client_side"][:] = 0
    one.every()
    one.flush()
    assert one.made.streams["client_side"].tolist() == [1]
    assert [item[2] for item in one.made.found()] == [0] * len(one.made.found())
    assert one.made.told("direction")[-2:] == [(0,), (1,)]


def test_a_stream_that_began_with_a_syn_keeps_its_client() -> None:
    """Whoever sends requests."""
    one = waiting(Sent(TWO, side=1))
    one.made.streams["start_seen"][:] = True
    one.every()
    one.flush()
    assert (one.made.streams["client_side"].tolist(), one.made.told("direction")) == ([0], [(1,)])


def test_octets_before_the_first_seen_are_waited_for() -> None:
    """While a stream is not recognised its first segment may have overtaken others."""
    one = waiting(Sent(ONE[9:], seq=9), Sent(ONE[:9], seq=0), trusted=False)
    one.halves["base"][0] = 9  # the first octet seen
    one.every()
    assert one.told() == [ONE]
    assert one.halves["base"][0] == 0


@pytest.mark.parametrize(("late", "found"), [(99_999_999, True), (100_000_001, False)])
def test_but_not_for_ever(late: int, found: bool) -> None:
    """As long as a capture shows what was acknowledged."""
    one = waiting(Sent(ONE[9:], seq=9, time=1), Sent(ONE[:9], seq=0, time=1 + late), trusted=False)
    one.halves["base"][0] = 9
    one.every()
    assert (one.told() == [ONE]) == found


@pytest.mark.parametrize("count", [10, 12, 40])
def test_nor_for_many_segments(count: int) -> None:
    """Each is judged anew with all that came, so that the cost would grow with the square of them."""
    one = waiting(*(Sent(b"?", seq=seq, time=1) for seq in range(count - 1, -1, -1)), trusted=False)
    one.halves["base"][0] = count - 1
    one.every()
    one.flush()
    assert one.made.streams["out_of_order"][0] == min(count - 1, 10)
    assert one.halves["base"][0] == max(count - 11, 0)


def test_streams_that_wait_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of streams, or of octets, the oldest are decided."""
    sent = [Sent(b"???", stream=stream) for stream in range(4)]
    one = waiting(*sent)
    for stream in range(4):
        one.every(stream)
    one.walk.bound_undecided(4)
    assert one.walk.undecided == [0, 1, 2, 3]
    monkeypatch.setattr(packet_walk, "MAX_UNDECIDED", 3)
    one.walk.bound_undecided(4)
    assert one.walk.undecided == [1, 2, 3]
    monkeypatch.setattr(packet_walk, "MAX_UNDECIDED_OCTETS", 6)
    one.walk.bound_undecided(4)
    assert one.walk.undecided == [2, 3]
    assert one.made.streams["framing"].tolist() == [Framing.UNKNOWN] * 2 + [Framing.UNDECIDED] * 2


def test_a_whole_wpdu_before_the_first_octet_seen_was_overtaken() -> None:
    """It is a row, marked; one that is not believable, or where a SYN told the start, is none."""
    for trusted in (False, True):
        one = walked(Sent(TWO, seq=SIZE), Sent(ONE, seq=0), trusted=trusted)
        one.halves["base"][0] = SIZE
        one.every()
        assert one.told() == ([TWO] if trusted else [TWO, ONE])
        kind = "retransmission" if trusted else "out-of-order"
        assert one.made.found() == [(kind, 0, 0, 1, -SIZE, SIZE)]


def test_a_syn_counts_before_its_octets() -> None:
    """Octets that come with a SYN begin one number later."""
    one = walked(Sent(ONE, seq=2**32 - 1, flags=SYN), Sent(TWO, seq=SIZE))
    one.every()
    assert one.told() == [ONE, TWO]
    assert not len(one.made.items)


def test_a_stream_that_goes_on_is_left_when_both_halves_rest() -> None:
    """In the fast way only what is needed goes one by one."""
    one = walked(*(Sent(ONE, seq=SIZE * number) for number in range(3)))
    assert one.walk.walk_stream(one.made.batch, 0, one_by_one=False) == (0, 0)
    other = waiting(*(Sent(ONE, seq=SIZE * number) for number in range(3)))
    assert other.walk.walk_stream(other.made.batch, 0, one_by_one=False) == (1, 0)
    assert other.told() == [ONE]


def test_what_a_slow_half_has_seen_is_noted_at_the_end() -> None:
    """So that a FIN behind it tells what is missing."""
    one = walked(Sent(ONE[:9]))
    one.every()
    one.halves["highest"][:] = 0
    one.walk.note_highest()
    assert one.halves["highest"].tolist() == [9, 0]
    assert np.all(one.halves["ack"] == -1)
