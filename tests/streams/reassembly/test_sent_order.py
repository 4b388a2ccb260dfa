"""Sent again or overtaken: each rule by itself, their order, and how much of twelve ways is told right."""

from pathlib import Path

import pytest

from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.sent_order import SenderPast, SenderPasts, was_overtaken
from tests.helpers.made_streams import Made, Sent
from tests.helpers.shared import shared
from tests.helpers.stream_troubles import FILLED
from tests.helpers.stream_truth import analyse, rates, troubled
from tests.helpers.troubled_wire import NUMBERINGS

MS = 1_000_000
RTT = 80 * MS
RISING = SenderPast(rising=True)
STOOD = SenderPast(stood=199 * MS)


@pytest.mark.parametrize(
    ("stamps", "wait", "rtt", "numbers", "past", "overtaken"),
    [
        # 1: time stamps, whatever else is there.
        ((7, 8), 900 * MS, RTT, (9, 8), RISING, True),
        ((8, 7), 0, RTT, (1, 8), STOOD, False),
        ((0xFFFFFFF0, 3), 900 * MS, RTT, (0, 0), SenderPast(), True),
        # 2: next to no time.
        ((7, 7), MS - 1, RTT, (9, 8), RISING, True),
        ((0, 7), MS, RTT, (9, 8), RISING, False),
        ((0, 0), 5, 5, (0, 0), STOOD, False),
        # 3: one write.
        ((0, 0), 79 * MS, RTT, (9, 8), SenderPast(stood=0, rising=True), True),
        ((0, 0), 79 * MS, RTT, (9, 8), SenderPast(stood=200 * MS, rising=True), False),
        ((0, 0), 80 * MS, RTT, (0, 0), STOOD, False),
        ((0, 0), 200 * MS, 900 * MS, (9, 8), SenderPast(stood=0, rising=True), False),
        # 4: identifications that rise.
        ((0, 0), 159 * MS, RTT, (7, 8), RISING, True),
        ((0, 0), 160 * MS, RTT, (7, 8), RISING, False),
        ((0, 0), 159 * MS, RTT, (7, 8), SenderPast(rising=True, asked=3), False),
        ((0, 0), 159 * MS, RTT, (0xFFFF, 2), RISING, True),
        ((0, 0), 5 * MS, RTT, (2, 0xFFFF), RISING, False),
        ((0, 0), 5 * MS, RTT, (8, 8), RISING, True),
        ((0, 0), 159 * MS, RTT, (7, 8), SenderPast(), False),
        # 5: the round trip, 3 ms where it is not known.
        ((0, 0), 79 * MS, RTT, (0, 0), SenderPast(), True),
        ((0, 0), 3 * MS - 1, -1, (0, 0), SenderPast(), True),
        ((0, 0), 3 * MS, -1, (0, 0), SenderPast(), False),
        ((0, 0), -3_600_000 * MS, RTT, (0, 0), SenderPast(), True),  # the clock was set back
    ],
)
def test_the_first_rule_that_tells_wins(
    stamps: tuple[int, int],
    wait: int,
    rtt: int,
    numbers: tuple[int, int],
    past: SenderPast,
    overtaken: bool,
) -> None:
    """Stamps and identifications are those of filler and opener."""
    filler = Segment(0, 10, 0, 10, 9, 5 + wait, numbers[0], stamps[0])
    opener = Segment(10, 20, 0, 10, 5, 5, numbers[1], stamps[1])
    assert was_overtaken(filler, opener, rtt, lambda: past) == overtaken


def past_of(sent: list[Sent], opener: int, *, gap: int = 10, number: int = 0) -> SenderPast:
    """What is recalled of half 0, whose octet 0 is number 1000, when a filler comes behind these packets."""
    made = Made(sent)
    behind = Segment(0, 0, 0, 0, len(sent), 0, number)
    before = Segment(0, 0, 0, 0, opener, sent[opener].time, sent[opener].ip_id)
    past = SenderPasts(made.packets, made.packet_streams).of(0, 1000)(behind, before, gap)
    return SenderPast(past.stood, past.rising, past.asked)


def test_where_the_sender_stood() -> None:
    """The last packet of this side that ended where the gap begins, with octets or without."""
    opener = Sent(b"x" * 10, seq=1020, time=90)
    assert past_of([opener], 0).stood == -1
    assert past_of([Sent(b"y" * 10, seq=1000, time=50), opener], 1).stood == 40
    assert past_of([Sent(seq=1010, time=60), Sent(seq=900, time=80), opener], 2).stood == 30
    others = [Sent(seq=1010, time=60, side=1), Sent(seq=1010, time=60, stream=1)]
    assert past_of([*others, opener], 2).stood == -1
    assert past_of([Sent(b"", seq=1009, time=60, flags=2), opener], 1).stood == 30


@pytest.mark.parametrize(
    ("numbers", "rising"),
    [
        ([1, 2, 3, 4, 5], True),
        ([2, 3, 4, 5], True),  # all that have come
        ([4, 5, 6], True),
        ([5, 6], False),
        ([9, 4, 5, 6], False),
        ([1, 1025, 2000, 2001, 2002], True),
        ([1, 1026, 2000, 2001, 2002], False),
        ([0xFFFE, 0xFFFF, 0, 1, 2], True),
        ([7, 7, 8, 9, 10], False),
        ([9, 1, 2, 3, 4, 5], True),
    ],
)
def test_what_proves_that_identifications_rise(numbers: list[int], rising: bool) -> None:
    """Four small steps in a row, the opener's the last; fewer at the beginning, but two."""
    sent = [Sent(ip_id=number) for number in numbers]
    ahead = (numbers[-1] + 1) & 0xFFFF
    assert past_of(sent, len(sent) - 1, number=ahead).rising == rising


@pytest.mark.parametrize(("number", "rising"), [(6, True), (4, True), (7, False), (8, False)])
def test_a_lower_identification_may_fit_in(number: int, rising: bool) -> None:
    """With that of the filler, where it is the lower one, there are two steps up to the opener's."""
    assert past_of([Sent(ip_id=5), Sent(ip_id=7)], 1, number=number).rising == rising


def test_how_often_the_other_side_has_asked() -> None:
    """Only for this octet, since the opener, without octets of its own."""
    ask = Sent(side=1, ack=1010)
    others = [Sent(side=1, ack=1011), Sent(b"x", side=1, ack=1010), Sent(ack=1010)]
    others += [Sent(side=1, flags=0, ack=1010)]
    sent = [ask, Sent(b"x" * 10, seq=1020), ask, *others, ask]
    assert past_of(sent, 1).asked == 2


def test_most_fillers_are_told_right(tmp_path: Path) -> None:
    """At least 98 % over all troubles that leave gaps, and all ways to number packets."""
    fillers = right = 0
    for trouble in FILLED:
        for numbering in NUMBERINGS:
            truth = troubled(tmp_path / "x", trouble, numbering, [4])
            told = rates(analyse(tmp_path / "x"), truth)
            fillers, right = fillers + told.fillers, right + told.right
    assert fillers > 500
    assert right >= 0.98 * fillers, f"{right} of {fillers}"


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize(
    ("name", "counts"), [("swap-ids-in-capture-order", (0, 2)), ("retransmission-keeps-id", (1, 0))]
)
def test_captures_that_were_told_wrong(name: str, counts: tuple[int, int], one_by_one: bool) -> None:
    """Retransmissions and segments out of order."""
    told = analyse(shared(f"cases/streams/{name}.pcap"), one_by_one=one_by_one).statistics()
    assert (told["retransmissions"], told["out_of_order"]) == counts
