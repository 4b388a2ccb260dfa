"""Connections that ended, and octets that can only be another connection's: packet by packet and at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN
from cosemscope.streams.endings import Endings, stray_reset
from tests.helpers.made_streams import Made, Sent

FAR = 131_072
END = 1_000_000
OTHER = 5_000_000


def follow(*batches: list[Sent]) -> list[int]:
    """With which packets other connections go on, counted over all batches."""
    endings, found, before = Endings(), [], 0
    every: list[Sent] = []
    for sent in batches:
        every += sent
        packets = Made(every).packets
        view = {name: packets[name][before:] for name in packets.names}
        flows = max(one.stream for one in every) + 1
        found += [before + index for index in endings.follow(view, flows, packets, before)]
        before += len(sent)
    return found


def data(seq: int, *, side: int = 0, flow: int = 0, flags: int = ACK) -> Sent:
    return Sent(b"octets", stream=flow, side=side, seq=seq, flags=flags)


def fin(seq: int = END, *, side: int = 0, flags: int = FIN | ACK, ack: int = 77) -> Sent:
    return Sent(side=side, seq=seq, ack=ack, flags=flags)


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ([fin(), data(OTHER)], [1]),
        ([data(OTHER), data(END)], []),  # nothing has ended
        ([data(OTHER), fin()], []),
        ([fin(), data(END + FAR)], []),  # retransmissions and what was on its way are near
        ([fin(), data(END + FAR + 1)], [1]),
        ([fin(), data(END - FAR)], []),
        ([fin(), data(END - FAR - 1)], [1]),
        ([fin(5), data(2**32 - FAR + 5)], []),  # numbers wrap
        ([fin(5), data(2**32 - FAR + 4)], [1]),
        ([fin(0), data(OTHER)], [1]),
        ([fin(), Sent(seq=OTHER)], []),  # without octets it tells nothing
        ([fin(), data(OTHER, flow=1)], []),
        ([fin(), data(OTHER, side=1)], []),  # a FIN ends its own side only
        ([fin(flags=RST), data(OTHER, side=1)], []),
        ([fin(flags=RST | ACK), data(OTHER, side=1)], [1]),  # a RST that acknowledges ends both
        ([fin(flags=RST | ACK, ack=OTHER), data(OTHER, side=1)], []),
        ([fin(flags=RST | ACK, ack=OTHER), data(OTHER)], [1]),
        ([fin(), fin(OTHER), data(OTHER)], []),  # the last end counts
        ([fin(), Sent(flags=SYN, seq=7), data(OTHER)], []),  # a SYN opens another connection
        ([fin(), Sent(side=1, flags=SYN | ACK, seq=7), data(OTHER)], []),
        ([fin(), data(OTHER, flags=SYN)], []),
        ([fin(), data(OTHER), data(OTHER + 6), data(END)], [1]),  # that connection has not ended
        ([fin(), data(OTHER), fin(OTHER), data(END), data(OTHER)], [1, 3]),
        ([fin(), data(OTHER, flags=FIN | ACK), data(END)], [1, 2]),
        ([fin(), Sent(b"udp", protocol=17, seq=OTHER)], []),
    ],
)
def test_what_goes_on_behind_an_end(sent: list[Sent], found: list[int]) -> None:
    """The same in one batch and packet by packet."""
    assert follow(sent) == found
    assert follow(*([one] for one in sent)) == found


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1),
            st.integers(0, 1),
            st.sampled_from([ACK, ACK, ACK, FIN | ACK, RST, RST | ACK, SYN, SYN | ACK, 0]),
            st.sampled_from([100, 150_000, 400_000, 2**32 - 50]),
            st.sampled_from([100, 400_000]),
            st.booleans(),
        ),
        max_size=14,
    )
)
def test_at_once_as_packet_by_packet(parts: list[tuple]) -> None:
    """Against a plain walk that keeps two numbers for each flow."""
    sent, found = [], []
    ends: dict[tuple[int, int], int] = {}
    last: dict[tuple[int, int], tuple[int, int]] = {}  # flags and end of the last packet that was no RST
    for index, (flow, side, flags, seq, ack, carries) in enumerate(parts):
        octets = b"x" if carries else b""
        sent.append(Sent(octets, stream=flow, side=side, flags=flags, seq=seq, ack=ack))
        end = ends.get((flow, side))
        if end is not None and carries and not flags & SYN:
            away = abs((seq - end + 2**31) % 2**32 - 2**31)
            before, stop = last.get((flow, side), (FIN, 0))
            goes_on = not before & FIN and abs((seq - stop + 2**31) % 2**32 - 2**31) <= FAR
            if away > FAR:
                found += [] if goes_on else [index]
                ends.pop((flow, 0), None)
                ends.pop((flow, 1), None)
        if flags & SYN:
            ends.pop((flow, 0), None)
            ends.pop((flow, 1), None)
        else:
            if flags & (FIN | RST):
                ends[flow, side] = seq
            if flags & RST and flags & ACK:
                ends[flow, 1 - side] = ack
        if not flags & RST:
            last[flow, side] = flags, seq + len(octets) + bool(flags & SYN)
    if sent:
        assert follow(sent) == found
        assert follow(*([one] for one in sent)) == found


def test_packets_of_no_flow_do_not_matter() -> None:
    """They have the number -1, which is no index here."""
    packets = Made([fin(), Sent(b"x", stream=-1, seq=OTHER, protocol=0)]).packets
    view = {name: packets[name] for name in packets.names}
    assert Endings().follow(view, 1, packets, 0) == []
    assert view["flow"].dtype == np.int32


def packets_of(*sent: Sent):
    return Made(list(sent)).packets


@pytest.mark.parametrize(
    ("sent", "stray"),
    [
        ([Sent(seq=5, flags=RST)], False),  # nothing was acknowledged
        ([Sent(side=1, ack=100), Sent(seq=100, flags=RST)], False),
        ([Sent(side=1, ack=100), Sent(seq=99, flags=RST)], True),
        ([Sent(side=1, ack=100), Sent(seq=100 + FAR, flags=RST)], False),
        ([Sent(side=1, ack=100), Sent(seq=101 + FAR, flags=RST)], True),
        ([Sent(b"x" * 9, seq=100), Sent(side=1, ack=100), Sent(seq=109 + FAR, flags=RST)], False),
        ([Sent(side=1, ack=2**32 - 5), Sent(seq=3, flags=RST)], False),  # numbers wrap
        ([Sent(side=1, ack=100), Sent(side=1, ack=100, flags=RST | ACK, seq=7)], False),  # its own side
        ([Sent(side=1, ack=100), Sent(side=1, flags=SYN), Sent(seq=0, flags=RST | ACK)], False),  # reused
        ([Sent(side=1, ack=100, stream=1), Sent(seq=99, flags=RST)], False),
    ],
)
def test_a_reset_outside_the_window_is_a_stray(sent: list[Sent], stray: bool) -> None:
    """Below what was acknowledged, or far beyond what was sent."""
    assert stray_reset(packets_of(*sent), len(sent) - 1) == stray


def test_what_a_stray_reset_ended_goes_on() -> None:
    """Octets near the last ones of their side are of the same connection, wherever a RST stood."""
    far = fin(OTHER, flags=RST | ACK)
    assert follow([data(END), far, data(END + 6)]) == []
    assert follow([data(END)], [far], [data(END + 6), data(END + 12)]) == []
    assert follow([data(END), far, data(9 * END)]) == [2]
