"""The walk in any place of the tables: what is told of a stream depends on its packets, not on their numbers.

Each case is a few packets of stream 0 and what they come to. It is walked alone, and again as a later stream
of a batch that does not begin at packet 0, between packets of others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN
from cosemscope.streams.reassembly.recognising.late_evidence import Told
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import Made, Sent, segments_of
from tests.helpers.made_walk import Walked
from tests.helpers.wire import get_request, get_response, wpdu

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
ANSWER = get_response(1)
SIZE, SECOND = 21, 1_000_000_000
FIN_ACK = FIN | ACK
#: The other side has acknowledged less than the first WPDU.
ACKED_LESS = Sent(side=1, ack=5)


class Placed(Walked):
    """Packets of one stream as stream `stream` of a batch from packet `row` on, with others between them."""

    def __init__(self, sent: Sequence[Sent], stream: int, row: int, framing: Framing, trusted: bool) -> None:
        self.stream = stream
        self.taken = 0
        every: list[Sent] = []
        self.packets: dict[int, int] = {}
        for number, one in enumerate(sent):
            if stream:
                every += [
                    Sent(b"", stream=number % stream, ack=SIZE, window=0) for _ in range(number % 3 + 1)
                ]
            self.packets[row + len(every)] = number
            every.append(replace(one, stream=stream, time=one.time or 1_000 * (number + 1)))
        for other in every:
            other.time = other.time or 1
        super().__init__(Made(every, row=row), framing, trusted=trusted)

    def take_all(self) -> None:
        """All packets of the stream one by one."""
        if self.made.streams["framing"][self.stream] == Framing.UNDECIDED:
            self.walk.open_undecided(self.stream)
        self.every(self.stream)

    def take_needed(self) -> None:
        """As in the fast way: while a half is slow."""
        self.walk.open_undecided(self.stream)
        self.counts = self.walk.walk_stream(self.made.batch, self.stream, one_by_one=False)

    def take_and_end(self) -> None:
        """All packets, and then the connection ends at the last one."""
        self.take_all()
        self.walk.end_stream(self.stream, max(self.packets))

    def take_with_evidence(self) -> None:
        """In the fast way, with late evidence of a WPDU in the last packet but one, and again in the last."""
        places = sorted(packet - self.made.batch.base for packet in self.packets)
        evidence = [Told(place, Framing.WRAPPER) for place in places[-2:]]
        self.walk.walk_stream(self.made.batch, self.stream, one_by_one=False, evidence=evidence)

    def take_first(self) -> None:
        """A run that begins with the first segment of side 0; it says how many segments it has taken."""
        segments = segments_of(self.made)
        place = int((segments.half == 2 * self.stream).argmax())
        index = int(segments.packet[place])
        self.taken = self.walk.run_from(self.made.batch, segments, place, index) - place

    def take_last(self) -> None:
        """A run that begins with the last segment."""
        segments = segments_of(self.made)
        place = len(segments.half) - 1
        self.walk.run_from(self.made.batch, segments, place, int(segments.packet[place]))

    def rows(self) -> list[tuple[object, ...]]:
        """The rows: octets, side, marks, first and last packet."""
        self.flush()
        names = ("stream", "direction", "marks", "first_packet", "last_packet")
        told = []
        for octets, (stream, *rest, first, last) in zip(
            self.made.contents(), self.made.told(*names), strict=True
        ):
            assert stream == self.stream
            told.append((octets, *rest, self.packets[first], self.packets[last]))
        return told

    def items(self) -> list[tuple[object, ...]]:
        """The items: kind, side, packet, first octet, amount."""
        self.flush()
        assert {item[1] for item in self.made.found()} <= {self.stream}
        return [
            (kind, side, self.packets[packet], *rest) for kind, _, side, packet, *rest in self.made.found()
        ]

    def columns(self) -> dict[str, list[int]]:
        """What is kept of both halves."""
        return {
            name: self.halves[name][2 * self.stream : 2 * self.stream + 2].tolist()
            for name in ("highest", "base", "window", "slow")
        }


@dataclass
class Case:
    """Packets and what they come to; `pending` and `highest` where they matter."""

    sent: list[Sent]
    rows: list[tuple[object, ...]]
    items: list[tuple[object, ...]]
    pending: bool = False
    framing: Framing = Framing.WRAPPER
    trusted: bool = True
    bases: tuple[int, int] = (0, 0)
    take: Callable[[Placed], None] = Placed.take_all
    client: int = 0
    taken: int = 0


def early(octets: bytes, **rest: int) -> Case:
    """A segment before the first octet seen that is no row: sent again, as far as one can tell."""
    cut = rest.get("cut", 0)
    return Case(
        [Sent(TWO, seq=100), Sent(octets, seq=100 - len(octets), cut=cut)],
        [(TWO, 0, 0, 0, 0)],
        [("retransmission", 0, 1, -len(octets), len(octets))],
        trusted=bool(rest.get("trusted", 0)),
        bases=(100, 0),
    )


CASES = {
    "both sides": Case(
        [Sent(ONE), Sent(ANSWER, side=1), Sent(TWO, seq=SIZE)],
        [(ONE, 0, 0, 0, 0), (ANSWER, 1, 0, 1, 1), (TWO, 0, 0, 2, 2)],
        [],
    ),
    "a WPDU in two segments of the other side": Case(
        [Sent(ANSWER[:9], side=1), Sent(ONE), Sent(ANSWER[9:], seq=9, side=1)],
        [(ONE, 0, 0, 1, 1), (ANSWER, 1, 0, 0, 2)],
        [],
    ),
    "sent again": Case(
        [Sent(ANSWER, side=1), Sent(ANSWER[:9], side=1)],
        [(ANSWER, 1, 0, 0, 0)],
        [("retransmission", 1, 1, 0, 9)],
    ),
    "captured twice": Case(
        [Sent(ANSWER, side=1), Sent(ANSWER, side=1)],
        [(ANSWER, 1, 0, 0, 0)],
        [("captured-twice", 1, 1, 0, 28)],
    ),
    "overtaken, with time": Case(
        [Sent(TWO, seq=SIZE, time=1), Sent(ONE, time=1_000)],
        [(ONE, 0, 0, 1, 1), (TWO, 0, 0, 0, 0)],
        [("out-of-order", 0, 1, 0, SIZE)],
    ),
    "cut by the snap length": Case(
        [Sent(ANSWER, side=1, cut=5), Sent(ANSWER, side=1, seq=28)],
        [(ANSWER[:-5], 1, Mark.TRUNCATED, 0, 0), (ANSWER, 1, 0, 1, 1)],
        [("snap-length", 1, 0, 23, 5)],
    ),
    "a keep-alive": Case(
        [Sent(ONE), Sent(side=1, ack=SIZE), Sent(ONE[-1:], seq=SIZE - 1)],
        [(ONE, 0, 0, 0, 0)],
        [("keep-alive", 0, 2, SIZE - 1, 1)],
    ),
    "what carries no acknowledgement acknowledges nothing": Case(
        [Sent(ONE), ACKED_LESS, Sent(side=1, ack=SIZE, flags=0), Sent(ONE[-1:], seq=SIZE - 1)],
        [(ONE, 0, 0, 0, 0)],
        [("retransmission", 0, 3, SIZE - 1, 1)],
    ),
    "nor does the sender's own": Case(
        [Sent(ONE), ACKED_LESS, Sent(ack=SIZE), Sent(ONE[-1:], seq=SIZE - 1)],
        [(ONE, 0, 0, 0, 0)],
        [("retransmission", 0, 3, SIZE - 1, 1)],
    ),
    "a probe of a closed window": Case(
        [Sent(ONE), Sent(side=1, ack=5, window=0), Sent(ONE[-1:], seq=SIZE - 1)],
        [(ONE, 0, 0, 0, 0)],
        [("keep-alive", 0, 2, SIZE - 1, 1)],
    ),
    "the sender's own window counts for nothing": Case(
        [Sent(ONE), ACKED_LESS, Sent(window=0), Sent(ONE[-1:], seq=SIZE - 1)],
        [(ONE, 0, 0, 0, 0)],
        [("retransmission", 0, 3, SIZE - 1, 1)],
    ),
    "a hole, acknowledged, of the other side": Case(
        [
            Sent(ANSWER, side=1),
            Sent(ANSWER, side=1, seq=100),
            Sent(ack=128, time=5 * SECOND),
            Sent(ack=128, time=6 * SECOND),
        ],
        [(ANSWER, 1, 0, 0, 0), (ANSWER, 1, Mark.RESYNCHRONISED, 1, 1)],
        [("hole", 1, 1, 28, 72)],
    ),
    "a FIN in the middle of a WPDU": Case(
        [Sent(ONE[:9]), Sent(seq=9, flags=FIN_ACK)],
        [(ONE[:9], 0, Mark.TRUNCATED, 0, 0)],
        [],
    ),
    "a FIN with octets": Case(
        [Sent(ONE[:3]), Sent(ONE[6:9], seq=6, flags=FIN_ACK), Sent(ONE[3:6], seq=3)],
        [(ONE[:9], 0, Mark.TRUNCATED | Mark.OUT_OF_ORDER, 0, 2)],
        [("out-of-order", 0, 2, 3, 3)],
    ),
    "a FIN behind octets that never come": Case(
        [Sent(ONE[:9]), Sent(seq=12, flags=FIN_ACK)], [], [], pending=True
    ),
    "a FIN of the other side": Case(
        [Sent(ONE[:9]), Sent(side=1, flags=FIN_ACK, ack=9)], [], [], pending=True
    ),
    "a RST gives up a gap": Case(
        [Sent(ANSWER, side=1), Sent(ANSWER, side=1, seq=100), Sent(flags=RST)],
        [(ANSWER, 1, 0, 0, 0), (ANSWER, 1, Mark.RESYNCHRONISED, 1, 1)],
        [("hole", 1, 1, 28, 72)],
    ),
    "octets that come with a SYN": Case(
        [Sent(ONE, seq=-1, flags=SYN), Sent(TWO, seq=SIZE)], [(ONE, 0, 0, 0, 0), (TWO, 0, 0, 1, 1)], []
    ),
    "a whole WPDU before the first octet seen": Case(
        [Sent(TWO, seq=SIZE), Sent(ONE)],
        [(TWO, 0, 0, 0, 0), (ONE, 0, Mark.OUT_OF_ORDER, 1, 1)],
        [("out-of-order", 0, 1, -SIZE, SIZE)],
        trusted=False,
        bases=(SIZE, 0),
    ),
    "the same where a SYN told the start": early(ONE, trusted=1),
    "less than a header before the first octet seen": early(ONE[:8]),
    "a cut WPDU before the first octet seen": early(ONE, cut=1),
    "what is not believable before the first octet seen": early(wpdu(b"\x54\x55\x56")),
    "part of a WPDU before the first octet seen": early(ONE[:-1]),
    "two WPDUs before the first octet seen": early(ONE + TWO),
    "not recognised at once": Case(
        [Sent(ONE[:9]), Sent(ONE[9:], seq=9), Sent(ANSWER, side=1), Sent(TWO, seq=SIZE)],
        [(ONE, 0, 0, 0, 1), (ANSWER, 1, 0, 2, 2), (TWO, 0, 0, 3, 3)],
        [],
        framing=Framing.UNDECIDED,
    ),
    "not recognised, begun with its second segment": Case(
        [Sent(ONE[9:], seq=9), Sent(ONE[:9]), Sent(TWO, seq=SIZE)],
        [(ONE, 0, Mark.OUT_OF_ORDER, 0, 1), (TWO, 0, 0, 2, 2)],
        [("out-of-order", 0, 1, 0, 9)],
        framing=Framing.UNDECIDED,
        trusted=False,
        bases=(9, 0),
    ),
    "the same on the other side": Case(
        [Sent(ANSWER[9:], seq=9, side=1), Sent(ANSWER[:9], side=1), Sent(ANSWER, seq=28, side=1)],
        [(ANSWER, 1, Mark.OUT_OF_ORDER, 0, 1), (ANSWER, 1, 0, 2, 2)],
        [("out-of-order", 1, 1, 0, 9)],
        framing=Framing.UNDECIDED,
        trusted=False,
        bases=(0, 9),
    ),
    "sent again before it began earlier": Case(
        [Sent(ONE[9:], seq=9), Sent(ONE[9:], seq=9, ip_id=1), Sent(ONE[:9]), Sent(TWO, seq=SIZE)],
        [(ONE, 0, Mark.OUT_OF_ORDER, 0, 2), (TWO, 0, 0, 3, 3)],
        [("retransmission", 0, 1, 9, 12), ("out-of-order", 0, 2, 0, 9)],
        framing=Framing.UNDECIDED,
        trusted=False,
        bases=(9, 0),
    ),
    "as far before as no window reaches": Case(
        [Sent(ONE[9:], seq=1 << 30), Sent(ONE[:9]), Sent(TWO, seq=(1 << 30) + 12)],
        [(TWO, 0, Mark.RESYNCHRONISED, 2, 2)],
        [("retransmission", 0, 1, -(1 << 30), 9), ("skipped-octets", 0, 2, 0, 12)],
        framing=Framing.UNDECIDED,
        trusted=False,
        bases=(1 << 30, 0),
    ),
    "never recognised, then a RST": Case(
        [Sent(b"???"), Sent(b"!!", side=1), Sent(flags=RST)], [], [], framing=Framing.UNDECIDED
    ),
    "a RST before any octet": Case(
        [Sent(flags=RST), Sent(ONE), Sent(TWO, seq=SIZE)],
        [(ONE, 0, 0, 1, 1), (TWO, 0, 0, 2, 2)],
        [],
        framing=Framing.UNDECIDED,
    ),
    "the first request tells the client": Case(
        [Sent(b"???", side=1), Sent(TWO, side=1, seq=3), Sent(ANSWER)],
        [(TWO, 0, Mark.RESYNCHRONISED, 1, 1), (ANSWER, 1, 0, 2, 2)],
        [("skipped-octets", 0, 1, 0, 3)],
        framing=Framing.UNDECIDED,
        client=1,
    ),
    "an answer tells it too": Case(
        [Sent(ANSWER), Sent(TWO, side=1)],
        [(ANSWER, 1, 0, 0, 0), (TWO, 0, 0, 1, 1)],
        [],
        framing=Framing.UNDECIDED,
        client=1,
    ),
    "only what is needed: one segment until it is recognised": Case(
        [Sent(ONE), Sent(TWO, seq=SIZE), Sent(ANSWER, side=1)],
        [(ONE, 0, 0, 0, 0)],
        [],
        framing=Framing.UNDECIDED,
        take=Placed.take_needed,
    ),
    "the same, until the other side has ended its WPDU": Case(
        [Sent(ANSWER[:9], side=1), Sent(ONE), Sent(ANSWER[9:], seq=9, side=1), Sent(TWO, seq=SIZE)],
        [(ONE, 0, 0, 1, 1), (ANSWER, 1, 0, 0, 2)],
        [],
        framing=Framing.UNDECIDED,
        take=Placed.take_needed,
    ),
    "nothing is needed of what is recognised and whole": Case(
        [Sent(ONE), Sent(ANSWER, side=1)], [], [], take=Placed.take_needed
    ),
    "an end that nobody sent": Case(
        [Sent(ONE[:9]), Sent(ANSWER, side=1), Sent(ANSWER[:9], side=1, seq=100)],
        [(ANSWER, 1, 0, 1, 1), (ONE[:9], 0, Mark.TRUNCATED, 0, 0)],
        [("skipped-octets", 1, 2, 100, 9), ("hole", 1, 2, 28, 72)],
        take=Placed.take_and_end,
    ),
    "an end before anything was recognised": Case(
        [Sent(ONE[:9]), Sent(b"?", side=1, seq=5)],
        [],
        [("hole", 1, 1, 0, 5)],
        framing=Framing.UNDECIDED,
        take=Placed.take_and_end,
    ),
    "repeated before the first request tells the client": Case(
        [Sent(b"???", side=1), Sent(b"???", side=1, ip_id=1), Sent(TWO, side=1, seq=3), Sent(ANSWER)],
        [(TWO, 0, Mark.RESYNCHRONISED, 2, 2), (ANSWER, 1, 0, 3, 3)],
        [("retransmission", 0, 1, 0, 3), ("skipped-octets", 0, 2, 0, 3)],
        framing=Framing.UNDECIDED,
        client=1,
    ),
    "what was never recognised tells no client": Case(
        [Sent(b"\0\1\0\x10\0\1\0\x0d\xc0", side=1), Sent(b"??", seq=7)],
        [],
        [("hole", 0, 1, 0, 7)],
        framing=Framing.UNDECIDED,
        take=Placed.take_and_end,
    ),
    "a RST behind a gap, not recognised": Case(
        [Sent(b"???", seq=5), Sent(side=1, flags=RST)],
        [],
        [("hole", 0, 0, 0, 5)],
        framing=Framing.UNDECIDED,
    ),
    "the same of the other side": Case(
        [Sent(b"???", seq=5, side=1), Sent(side=1, flags=RST)],
        [],
        [("hole", 1, 0, 0, 5)],
        framing=Framing.UNDECIDED,
    ),
    "late evidence reads what went by again": Case(
        [Sent(b"???"), Sent(ONE, seq=3), Sent(ANSWER, side=1), Sent(TWO, seq=3 + SIZE)],
        [(ONE, 0, Mark.RESYNCHRONISED, 1, 1), (ANSWER, 1, 0, 2, 2), (TWO, 0, 0, 3, 3)],
        [("skipped-octets", 0, 2, 0, 3)],
        framing=Framing.UNKNOWN,
        take=Placed.take_with_evidence,
    ),
    "a run ends behind its own segments": Case(
        [Sent(ONE[:9]), Sent(ANSWER, side=1), Sent(), Sent(ONE[9:], seq=9), Sent(TWO, seq=SIZE)],
        [(ONE, 0, 0, 0, 3)],
        [],
        take=Placed.take_first,
        taken=2,
    ),
    "a run knows the acknowledgement before it": Case(
        [Sent(ONE), Sent(side=1, ack=SIZE), *(Sent(ack=5) for _ in range(99)), Sent(ONE[-1:], seq=SIZE - 1)],
        [],
        [("keep-alive", 0, 101, SIZE - 1, 1)],
        take=Placed.take_last,
    ),
    "and the window": Case(
        [
            Sent(ONE),
            Sent(side=1, ack=5, window=0),
            *(Sent(ack=5) for _ in range(20)),
            Sent(ONE[-1:], seq=SIZE - 1),
        ],
        [],
        [("keep-alive", 0, 22, SIZE - 1, 1)],
        take=Placed.take_last,
    ),
    "of several the last": Case(
        [
            Sent(ONE),
            Sent(side=1, ack=SIZE, window=0),
            Sent(side=1, ack=5),
            Sent(side=1, flags=0, ack=SIZE, window=0),
            Sent(ONE[-1:], seq=SIZE - 1),
        ],
        [],
        [("retransmission", 0, 4, SIZE - 1, 1)],
        take=Placed.take_last,
    ),
}


def walked(case: Case, stream: int, row: int) -> Placed:
    """The case walked as this stream, from this packet on."""
    one = Placed(case.sent, stream, row, case.framing, case.trusted)
    for side in (0, 1):
        one.halves["base"][2 * stream + side] = case.bases[side]
    case.take(one)
    return one


@pytest.mark.parametrize(("stream", "row"), [(0, 0), (1, 5), (3, 70_000)])
@pytest.mark.parametrize("name", CASES)
def test_what_packets_come_to(name: str, stream: int, row: int) -> None:
    """Rows and items name the right stream, side, packets and octets, wherever the stream stands."""
    case = CASES[name]
    one = walked(case, stream, row)
    assert one.rows() == case.rows
    assert one.items() == case.items
    assert one.taken == case.taken
    assert one.made.streams["client_side"][stream] == case.client
    one.walk.let_go(stream)
    assert one.walk.pending == ({stream} if case.pending else set())


@pytest.mark.parametrize("name", CASES)
def test_what_is_kept_of_a_stream_does_not_depend_on_its_place(name: str) -> None:
    """The columns of halves and streams, and nothing of the streams beside it."""
    case = CASES[name]
    first, other = walked(case, 0, 0), walked(case, 3, 70_000)
    assert first.columns() == other.columns()
    for each in (first, other):
        each.flush()
    for column in first.made.streams.names:
        if column not in ("flow", "first_packet"):
            assert first.made.streams[column].tolist() == other.made.streams[column].tolist()[3:], column
    assert other.halves["slow"].tolist()[:6] == [False] * 6
