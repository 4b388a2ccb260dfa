"""What headers say of each direction: where octet 0 stands, acknowledgements, windows, FINs, lost ends."""

import numpy as np
import pytest

from cosemscope.capture.packets.packet_row import ACK, FIN, SYN
from cosemscope.streams.reassembly.halves import Halves
from tests.helpers.made_streams import Made, Sent

FAR = 131_072
M = 2**32


def halves_after(*batches: list[Sent], streams: int = 3) -> tuple[Halves, list[Made]]:
    """The table after these batches, as TCP streams keep it."""
    halves, row, made = Halves(), 0, []
    halves.grow(streams)
    for sent in batches:
        one = Made(sent, row=row)
        row += len(sent)
        tcp = np.arange(len(sent))
        half = 2 * one.batch.stream.astype(np.int64) + one.batch.direction
        halves.set_bases(one.batch, tcp, half)
        halves.note_acks(one.batch, tcp, half)
        made.append(one)
    return halves, made


def test_rows_are_two_a_stream_and_know_nothing() -> None:
    """Growing adds what is missing, and nothing else."""
    halves = Halves()
    halves.grow(2)
    halves["base"][3] = 7
    halves.grow(2)
    halves.grow(1)
    halves.grow(3)
    assert halves["base"].tolist() == [0, 0, 0, 7, 0, 0]
    for name in ("ack", "window", "asked", "fin"):
        assert halves[name].tolist() == [-1] * 6


@pytest.mark.parametrize(
    ("sent", "bases"),
    [
        # Behind the SYN, whatever comes first with octets.
        ([Sent(seq=100, flags=SYN), Sent(b"x", seq=101)], {0: (101, True)}),
        ([Sent(seq=M - 1, flags=SYN), Sent(seq=50, side=1, flags=SYN | ACK)], {0: (0, True), 1: (51, True)}),
        # Without a SYN the first octet seen; packets without octets tell nothing.
        ([Sent(seq=5), Sent(b"x", seq=9), Sent(b"x", seq=3)], {0: (9, False)}),
        # What the other side acknowledged with its last octets is the first octet, if that is near.
        ([Sent(b"ask", side=1, ack=40), Sent(b"late", seq=60)], {0: (40, False), 1: (0, False)}),
        ([Sent(b"ask", side=1, ack=60 - FAR), Sent(b"late", seq=60)], {0: (60, False), 1: (0, False)}),
        ([Sent(b"ask", side=1, ack=61 - FAR), Sent(b"late", seq=60)], {0: (61 - FAR, False), 1: (0, False)}),
        ([Sent(b"ask", side=1, ack=61), Sent(b"late", seq=60)], {0: (60, False), 1: (0, False)}),
        ([Sent(b"ask", side=1, ack=40, flags=0), Sent(b"late", seq=60)], {0: (60, False), 1: (0, False)}),
        # The last octets count, not those before, nor acknowledgements without octets, nor other streams.
        ([Sent(b"a", side=1, ack=40), Sent(b"b", side=1, ack=50), Sent(b"x", seq=60)], {0: (50, False)}),
        ([Sent(b"a", side=1, ack=40), Sent(side=1, ack=50), Sent(b"x", seq=60)], {0: (40, False)}),
        ([Sent(b"a", stream=1, side=1, ack=40), Sent(b"x", seq=60)], {0: (60, False), 3: (0, False)}),
        ([Sent(b"x", seq=60), Sent(b"a", side=1, ack=40)], {0: (60, False), 1: (0, False)}),
    ],
)
def test_where_octet_0_stands(sent: list[Sent], bases: dict[int, tuple[int, bool]]) -> None:
    """The same in one batch and packet by packet."""
    for batches in ([sent], [[one] for one in sent]):
        halves, _ = halves_after(*batches)
        for half, (base, trusted) in bases.items():
            assert halves["known"][half]
            assert (halves["base"][half], halves["trusted"][half]) == (base % M, trusted)


def test_a_base_that_is_known_stays() -> None:
    """A SYN that comes later is another matter."""
    halves, _ = halves_after([Sent(b"x", seq=9)], [Sent(seq=77, flags=SYN), Sent(b"y", seq=5)])
    assert (halves["base"][0], halves["trusted"][0]) == (9, False)


def test_the_last_acknowledgement_and_window_count() -> None:
    """Of the other side; packets without ACK say nothing."""
    sent = [
        Sent(side=1, ack=10, window=100),
        Sent(side=1, ack=30, window=50),
        Sent(side=1, ack=99, window=7, flags=0),
        Sent(ack=5, window=60),
        Sent(stream=1, ack=6, window=61),
    ]
    for batches in ([sent], [[one] for one in sent]):
        halves, _ = halves_after(*batches)
        assert halves["ack"].tolist() == [30, 5, -1, 6, -1, -1]
        assert halves["window"].tolist() == [50, 60, -1, 61, -1, -1]


@pytest.mark.parametrize(
    ("seq", "octets", "highest", "hole"),
    [
        (110, b"", 10, None),  # the FIN stands at the highest octet
        (117, b"", 10, (10, 7)),
        (110, b"seven..", 10, (10, 7)),  # octets of the FIN's packet that were not taken in
        (105, b"", 10, None),  # a FIN that came again
        (117, b"", 1, (1, 16)),
        (117, b"", 0, None),  # nothing was seen of this half
        (110 + FAR, b"", 10, None),  # too far to be believed
        (109 + FAR, b"", 10, (10, FAR - 1)),
    ],
)
def test_octets_before_a_fin_that_never_came(
    seq: int, octets: bytes, highest: int, hole: tuple[int, int] | None
) -> None:
    """Between the highest octet seen and the FIN."""
    sent = [Sent(seq=99, flags=SYN), Sent(octets, seq=seq, flags=FIN | ACK), Sent(octets, seq=5, side=1)]
    halves, (made,) = halves_after(sent)
    assert halves["fin"].tolist()[:2] == [1, -1]
    halves["highest"][0] = highest
    found = list(zip(*(column.tolist() for column in halves.lost_ends(made.packets)), strict=True))
    assert found == ([(0, 1, *hole)] if hole else [])
