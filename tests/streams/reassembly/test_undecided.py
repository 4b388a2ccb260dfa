"""Streams that wait for recognition: what came is kept, judged once, and given to the splitter in order."""

import pytest

from cosemscope.streams.reassembly.undecided import MAX_JUDGED_ANEW, Undecided
from cosemscope.streams.tables.framing import Framing
from tests.helpers.made_streams import ADDRESS, piece, source_of
from tests.helpers.wire import get_request

ONE = get_request(1)


class Log:
    """A splitter that writes down what it is given."""

    clean = True

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def chunk(self, segment, trigger) -> None:
        self.calls.append(("chunk", segment, trigger))

    def gap(self, *where) -> None:
        self.calls.append(("gap", *where))

    def close(self, packet) -> None:
        self.calls.append(("close", packet))


def waiting(octets: bytes = ONE) -> Undecided:
    """Stream 5, whose octets on either side are these."""
    return Undecided(source_of(octets, ADDRESS), 5)


def test_each_direction_is_a_half_of_the_stream() -> None:
    """Nothing has begun, nothing is decided."""
    one = waiting()
    assert [prelude.half for prelude in one.preludes] == [10, 11]
    assert (one.begun, one.ended, one.decision) == (False, False, Framing.UNDECIDED)


def test_either_direction_decides() -> None:
    """Whichever shows evidence first; pieces of it may come one by one."""
    for side in (0, 1):
        one = waiting()
        one.preludes[side].chunk(piece(0, 9, 0), 0)
        assert (one.begun, one.decision) == (True, Framing.UNDECIDED)
        one.preludes[side].chunk(piece(9, len(ONE), 1), 1)
        assert one.decision is Framing.WRAPPER


def test_octets_that_were_cut_off_have_their_place() -> None:
    """The length on the wire counts: the WPDU ends with its segment though its end was not captured."""
    one = waiting()
    one.preludes[0].chunk(piece(0, len(ONE), 0, captured=12), 0)
    assert one.decision is Framing.WRAPPER


def test_the_splitter_gets_what_came_in_order() -> None:
    """All of it became known at the packet that decided; the end comes last."""
    prelude = waiting().preludes[1]
    prelude.chunk(piece(0, 5, 1), 1)
    prelude.gap(5, 8, 2, 3)
    prelude.chunk(piece(8, 12, 4), 4)
    log = Log()
    prelude.replay(log, 9)
    wanted = [("chunk", piece(0, 5, 1), 9), ("gap", 5, 8, 2, 9), ("chunk", piece(8, 12, 4), 9)]
    assert log.calls == wanted
    prelude.close(0)
    log = Log()
    prelude.replay(log, 9)
    assert log.calls == [*wanted, ("close", 9)]


def test_a_stream_has_ended_when_both_directions_have() -> None:
    """If octets came at all, in either."""
    one = waiting()
    for prelude in one.preludes:
        prelude.close(0)
    assert not one.ended
    one.preludes[1].chunk(piece(0, 5, 0), 0)
    assert one.ended
    other = waiting()
    other.preludes[0].chunk(piece(0, 5, 0), 0)
    other.preludes[0].close(0)
    assert not other.ended


def test_a_gap_is_known() -> None:
    """A direction may begin anew only while nothing is missing between its segments."""
    one = waiting()
    prelude = one.preludes[0]
    prelude.chunk(piece(0, 5, 1), 1)
    assert (prelude.segments, one.may_renew(0, 0)) == ([piece(0, 5, 1)], True)
    prelude.gap(5, 8, 2, 2)
    assert (prelude.complete, one.may_renew(0, 0), one.may_renew(1, 0)) == (False, False, True)


def test_what_is_judged_anew_is_bounded() -> None:
    """Segments of both directions count, those ahead too, each time that they are judged."""
    one = waiting()
    for side in (0, 1):
        one.preludes[side].chunk(piece(0, 5, 1), 1)
    assert (one.may_renew(0, MAX_JUDGED_ANEW - 2), one.may_renew(0, MAX_JUDGED_ANEW - 1)) == (True, False)
    one = one.renew(0, 10)  # the segment of the other direction stays: it would be judged again
    left = MAX_JUDGED_ANEW - 12 - 1
    assert (one.may_renew(0, left), one.may_renew(0, left + 1)) == (True, False)


@pytest.mark.parametrize("side", [0, 1])
def test_one_direction_may_begin_anew(side: int) -> None:
    """The other keeps what it has, its end too, and both are judged anew."""
    one = waiting()
    one.preludes[side].chunk(piece(0, 5, 1), 1)
    one.preludes[1 - side].chunk(piece(0, 6, 2), 2)
    one.preludes[1 - side].gap(6, 8, 3, 3)
    one.preludes[1 - side].close(4)
    other = one.renew(side, 0)
    assert [prelude.half for prelude in other.preludes] == [10, 11]
    assert other.preludes[side].kept == []
    assert other.preludes[1 - side].kept == [(piece(0, 6, 2), 2), (6, 8, 3, 3)]
    assert [prelude.closed for prelude in other.preludes] == ([-1, 4] if side == 0 else [4, -1])
    assert other.recogniser.octets == 6
