"""One direction put in order: which octets are given on, when, and what each segment is called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly import reassembler
from cosemscope.streams.reassembly.reassembler import Hole, Reassembler, Segment, SegmentVerdict, Waiting
from cosemscope.streams.reassembly.sent_order import SenderPast

RTT = 1_000_000
LATE = 100_000_000  # ns after which a capture shows nothing any more that was acknowledged


class Sink:
    """Keeps the packet that brought each octet (-1: a gap), in the order in which they came."""

    def __init__(self) -> None:
        self.clean = True
        self.octets: list[int] = []
        self.at = 0
        self.triggers: list[int] = []
        self.closed = -1

    def chunk(self, segment: Segment, trigger: int) -> None:
        assert segment.start == self.at, "octets are given in order"
        assert segment.address == 1000 * segment.packet + segment.start
        self.octets += [segment.packet] * segment.captured
        self.at += segment.captured
        self.triggers.append(trigger)

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        assert start == self.at
        self.octets += [-1] * (stop - start)
        self.at = stop
        self.triggers.append(trigger)

    def close(self, packet: int) -> None:
        self.closed = packet


def segment(
    start: int, stop: int, packet: int, *, time: int = 0, ip_id: int = 0, captured: int | None = None
) -> Segment:
    """A segment whose address tells packet and offset."""
    length = stop - start if captured is None else captured
    return Segment(start, stop, 1000 * packet + start, length, packet, time, ip_id)


def made(ack: int = -1, base: int = 0, start: int = 0) -> tuple[Reassembler, Sink]:
    """A reassembler with its sink."""
    sink = Sink()
    sink.at = start
    return Reassembler(start, base, ack, sink, Waiting()), sink


SEGMENTS = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20), st.integers(0, 5)), max_size=14)


@given(SEGMENTS)
def test_each_octet_is_given_once_in_order_as_its_first_copy(parts: list[tuple[int, int, int]]) -> None:
    """Against a plain model: a dictionary from octet to the first packet that had it."""
    one, sink = made()
    owner: dict[int, int] = {}
    highest = 0
    for packet, (start, length, cut) in enumerate(parts):
        captured = max(length - cut, 0)
        verdict = one.add(segment(start, start + length, packet, captured=captured), RTT, -1)
        fresh = [octet for octet in range(start, start + length) if octet not in owner]
        owner |= {octet: packet if octet < start + captured else -1 for octet in fresh}
        highest = max(highest, start + length)
        if verdict.keep_alive:
            assert length == 1
            assert not fresh
        assert verdict.seen == length - len(fresh)
        assert verdict.cut == sum(owner[octet] == -1 for octet in fresh)
        given_on = next(octet for octet in range(200) if octet not in owner)
        assert sink.octets == [owner[octet] for octet in range(given_on)]
        assert (one.next, one.highest) == (given_on, highest)
        assert one.has_gap == (given_on < highest) == (not one.clean)
        assert sum(part.stop - part.start for part in one.ahead) == sum(octet > given_on for octet in owner)
    one.sink.clean = False
    assert not one.clean


@given(SEGMENTS)
def test_an_end_gives_up_every_gap(parts: list[tuple[int, int, int]]) -> None:
    """The holes are the runs of octets that never came, up to the highest that did."""
    one, sink = made()
    owner: dict[int, int] = {}
    for packet, (start, length, _) in enumerate(parts):
        one.add(segment(start, start + length, packet), RTT, -1)
        for octet in range(start, start + length):
            owner.setdefault(octet, packet)
    holes = one.close(77)
    missing = [octet for octet in range(max(owner, default=0)) if octet not in owner]
    assert [octet for hole in holes for octet in range(hole.start, hole.stop)] == missing
    assert all(hole.packet == owner[hole.stop] and hole.start - 1 not in missing for hole in holes)
    assert sink.octets == [owner.get(octet, -1) for octet in range(max(owner, default=-1) + 1)]
    assert sink.closed == 77
    assert one.clean


@pytest.mark.parametrize(
    ("late", "early", "wait", "rtt", "overtaken"),
    [
        (7, 8, 10 * RTT, RTT, True),  # sent before
        (8, 7, 0, RTT, False),  # sent after
        (0xFFFFFFFF, 1, 10 * RTT, RTT, True),  # time stamps wrap
        (7, 7, RTT - 1, RTT, True),  # nothing is told: the round trip decides
        (7, 7, RTT, RTT, False),
        (0, 7, RTT, RTT, False),
        (0, 0, 2_999_999, -1, True),  # no handshake was seen
        (0, 0, 3_000_000, -1, False),
        (0, 0, 0, 0, False),
    ],
)
def test_what_fills_a_gap_was_overtaken_or_sent_again(
    late: int, early: int, wait: int, rtt: int, overtaken: bool
) -> None:
    """Time stamps of the two tell, else time; the rest of the rule is `sent_order`'s."""
    one, _ = made()
    opener = one.add(segment(10, 20, 1, time=5)._replace(tsval=early), rtt, -1)
    assert opener == SegmentVerdict()
    filler = one.add(segment(0, 10, 2, time=5 + wait)._replace(tsval=late), rtt, -1)
    assert filler == SegmentVerdict(retransmission=not overtaken, out_of_order=overtaken)


def test_the_segment_that_left_the_gap_is_asked() -> None:
    """Of several that wait behind a gap the first to come, and of gaps the one that is filled."""
    asked = []

    def recall(filler: Segment, opener: Segment, gap: int) -> SenderPast:
        asked.append((filler.packet, opener.packet, gap))
        return SenderPast()

    one = Reassembler(0, 0, -1, Sink(), Waiting(), recall)
    for number, (start, stop) in enumerate([(30, 40), (60, 70), (10, 20), (50, 60), (20, 30), (40, 50)]):
        one.add(segment(start, stop, number, time=number * 2 * RTT), RTT, -1)
    assert asked == [(2, 0, 0), (3, 1, 40), (4, 0, 0), (5, 1, 40)]


@pytest.mark.parametrize(
    ("start", "stop", "ack", "window", "verdict"),
    [
        (9, 10, 10, -1, SegmentVerdict(1, keep_alive=True)),  # the last octet, acknowledged
        (9, 10, 9, -1, SegmentVerdict(1, retransmission=True)),  # not acknowledged
        (9, 10, -1, -1, SegmentVerdict(1, keep_alive=True)),  # captured alone: nobody acknowledges
        (9, 10, 9, 0, SegmentVerdict(1, keep_alive=True)),  # the window is closed
        (8, 9, 10, -1, SegmentVerdict(1, retransmission=True)),  # not the last octet
        (8, 10, 10, 0, SegmentVerdict(2, retransmission=True)),  # more than one octet
        (10, 11, 10, 0, SegmentVerdict()),  # new
        (9, 12, 10, 0, SegmentVerdict(1)),  # the octet of a probe comes again, with what follows
        (8, 12, 10, 0, SegmentVerdict(2, retransmission=True)),
    ],
)
def test_keep_alives_and_probes(
    start: int, stop: int, ack: int, window: int, verdict: SegmentVerdict
) -> None:
    """They look like retransmissions and are none."""
    one, _ = made()
    one.add(segment(0, 10, 0), RTT, -1)
    one.ack = ack
    assert one.add(segment(start, stop, 1), RTT, window) == verdict


@pytest.mark.parametrize(("ack", "after", "given_up"), [(-1, 2_999, 0), (-1, 3_000, 1), (5, 9_000, 0)])
def test_a_gap_of_a_direction_captured_alone_is_a_hole_in_time(ack: int, after: int, given_up: int) -> None:
    """Three seconds after what left it: by then even a retransmission has come."""
    one, sink = made(ack=ack)
    one.add(segment(0, 5, 0, time=RTT), RTT, -1)
    one.add(segment(10, 20, 1, time=RTT), RTT, -1)
    assert len(one.give_up_holes(3, RTT + after * RTT)) == given_up
    assert sink.at == (20 if given_up else 5)


@pytest.mark.parametrize("base", [0, 2**32 - 15, 2**32 - 5])
@pytest.mark.parametrize(
    ("acknowledged", "after", "given_up"),
    [(20, LATE, True), (20, LATE - 1, False), (19, 5 * LATE, False), (30, LATE, True)],
)
def test_a_gap_that_was_acknowledged_is_a_hole_in_time(
    base: int, acknowledged: int, after: int, given_up: bool
) -> None:
    """When the other side has what is missing, and it does not come for so long."""
    one, sink = made(base=base)
    one.add(segment(0, 10, 0, time=1), RTT, -1)
    one.add(segment(20, 30, 1, time=2), RTT, -1)
    one.ack = (base + acknowledged) & 0xFFFFFFFF
    assert one.give_up_holes(2, 10) == ()
    assert one.give_up_holes(3, 10 + after) == ((Hole(10, 20, 1),) if given_up else ())
    assert sink.octets == ([0] * 10 + [-1] * 10 + [1] * 10 if given_up else [0] * 10)
    assert sink.triggers[1:] == ([3, 3] if given_up else [])


def test_patience_begins_anew_with_each_gap() -> None:
    """The second gap is waited for as long as the first."""
    one, _ = made(ack=100)
    one.add(segment(10, 20, 0, time=0), RTT, -1)
    one.add(segment(30, 40, 1, time=LATE // 2), RTT, -1)
    assert one.give_up_holes(2, LATE) == (Hole(0, 10, 0),)
    assert one.give_up_holes(3, 2 * LATE - 1) == ()
    assert one.give_up_holes(4, 2 * LATE) == (Hole(20, 30, 1),)


@pytest.mark.parametrize(
    ("bound", "most", "segments"),
    [("MAX_AHEAD_SEGMENTS", 3, 4), ("MAX_AHEAD_OCTETS", 30, 4), ("MAX_WAITING_SEGMENTS", 3, 4)],
)
def test_what_waits_is_bounded(bound: str, most: int, segments: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By segments and octets of a direction, and by segments of all: one more, and the gap is a hole."""
    monkeypatch.setattr(reassembler, bound, most)
    one, _ = made()
    verdicts = [one.add(segment(20 * n, 20 * n + 10, n), RTT, -1) for n in range(1, segments + 1)]
    assert [bool(verdict.holes) for verdict in verdicts] == [False] * (segments - 1) + [True]
    assert verdicts[-1].holes == (Hole(0, 20, 1),)
    assert one.next == 30


def test_the_bound_on_all_counts_what_others_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams share it; what is withdrawn or given on counts no more."""
    monkeypatch.setattr(reassembler, "MAX_WAITING_SEGMENTS", 2)
    waiting = Waiting()
    one, other = (Reassembler(0, 0, -1, Sink(), waiting) for _ in range(2))
    one.add(segment(10, 20, 0), RTT, -1)
    one.add(segment(30, 40, 1), RTT, -1)
    assert waiting.segments == 2
    assert other.add(segment(10, 20, 2), RTT, -1).holes == (Hole(0, 10, 2),)
    one.withdraw()
    assert (waiting.segments, one.ahead) == (0, [])
    assert other.add(segment(30, 40, 3), RTT, -1).holes == ()
    other.add(segment(20, 30, 4), RTT, -1)
    assert waiting.segments == 0


@given(base=st.integers(0, 2**32 - 1), octet=st.integers(0, 2**40), off=st.integers(-(2**31), 2**31 - 1))
def test_a_number_names_the_octet_nearest(base: int, octet: int, off: int) -> None:
    """Sequence numbers wrap; half of them lie before the octet at hand, half behind it."""
    one, _ = made(base=base)
    number = (base + octet + off) & 0xFFFFFFFF
    assert one.offset(number, octet) == octet + off


def test_a_part_of_a_segment_keeps_to_what_was_captured() -> None:
    """Octets that were cut off stay cut off."""
    whole = segment(10, 30, 2, captured=12)
    assert whole.part(15, 25) == whole._replace(start=15, stop=25, address=2015, captured=7)
    assert whole.part(10, 20).captured == 10
    assert whole.part(25, 30).captured == 0
