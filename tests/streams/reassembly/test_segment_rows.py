"""Rows and items of segments that the fast path settled, written out by hand."""

import numpy as np

from cosemscope.capture.packets.packet_row import ACK
from cosemscope.streams.reassembly.segment_rows import SegmentRows
from cosemscope.streams.reassembly.segments_in_order import lay_out
from cosemscope.streams.reassembly.wpdu_chains import find_chains
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import BASE, Made, Sent, segments_of
from tests.helpers.wire import get_request, wpdu

ONE, TWO, THREE = get_request(1), get_request(2), get_request(3)
ALL = ONE + TWO + THREE
SHARED, LATE = int(Mark.SHARED), int(Mark.OUT_OF_ORDER)
ROW = 40  # of the first packet


class Settled:
    """A made batch with all that its segments are asked for."""

    def __init__(self, *sent: Sent, client_sides: tuple[int, ...] = ()) -> None:
        for number, one in enumerate(sent):
            one.time = one.time or 1000 * (number + 1)
        self.made = Made(sent, row=ROW, client_sides=client_sides)
        self.segments = segments_of(self.made)
        count = len(self.segments.half)
        self.layout = lay_out(self.segments, np.ones(count, np.bool_), self.made.source)
        self.nothing = np.zeros(count, np.bool_)
        self.rows = SegmentRows(self.made.batch, self.segments, self.made.streams, self.made.output)

    def chains(self, overtook: np.ndarray | None = None) -> Made:
        links, _ = find_chains(self.segments, self.layout, self.made.source)
        self.rows.add_chains(self.layout, links, self.nothing if overtook is None else overtook)
        self.made.flush()
        return self.made


def test_a_segment_that_is_a_wpdu_is_a_row() -> None:
    """Seen from the client of its stream, with its packet's row and time."""
    one = Settled(Sent(ONE), Sent(TWO, stream=1, side=1), Sent(THREE, stream=1), client_sides=(0, 1))
    one.rows.add_whole(one.layout, np.array([0, 1, 2]))
    one.made.flush()
    assert one.made.contents() == [ONE, TWO, THREE]
    assert one.made.told("first_packet", "last_packet", "segments", "time", "first_time", "marks") == [
        (40, 40, 1, 1000, 1000, 0),
        (41, 41, 1, 2000, 2000, 0),
        (42, 42, 1, 3000, 3000, 0),
    ]
    assert one.made.told("stream", "direction") == [(0, 0), (1, 0), (1, 1)]


def test_octets_that_were_cut_off_are_told() -> None:
    """The size is what is there; those that were cut stand at the end of the segment."""
    one = Settled(Sent(ONE), Sent(TWO, seq=21, cut=5))
    one.rows.add_whole(one.layout, np.array([0, 1]))
    one.rows.find_cut(np.array([1]))
    one.made.flush()
    assert one.made.told("size", "marks") == [(21, 0), (16, int(Mark.TRUNCATED))]
    assert one.made.found() == [("snap-length", 0, 0, 41, 37, 5)]


def test_what_had_overtaken_another_stands_where_that_one_came() -> None:
    """The segment before it, in order, made it known: its row comes behind what came between."""
    one = Settled(Sent(TWO, seq=21), Sent(THREE, stream=1), Sent(ONE))
    one.segments.packet[:2] = [2, 0]  # as they are when put in order
    one.rows.add_whole(lay_out(one.segments, ~one.nothing, one.made.source), np.array([2]))
    head = one.layout.head.copy()
    head[1:2] = np.frombuffer(TWO[:10], head.dtype)
    one.rows.add_whole(one.layout._replace(head=head), np.array([1]), known=-1)
    one.made.flush()
    assert one.made.told("stream", "first_packet") == [(1, 41), (0, 40)]


def test_chains_of_wpdus_in_segments_cut_anywhere() -> None:
    """Those in one segment are pointed at, the others have extents, in the order of the WPDUs."""
    made = Settled(Sent(ALL[:30]), Sent(ALL[30:35], seq=30), Sent(ALL[35:], seq=35)).chains()
    assert made.contents() == [ONE, TWO, THREE]
    assert made.told("first_packet", "last_packet", "segments", "time", "first_time", "marks") == [
        (40, 40, 1, 1000, 1000, SHARED),
        (40, 42, 3, 3000, 1000, SHARED),
        (42, 42, 1, 3000, 3000, SHARED),
    ]
    assert made.wpdus["address"].tolist() == [BASE, -1, BASE + 42]
    extents = made.wpdus.extents
    assert extents["address"].tolist() == [BASE + 21, BASE + 30, BASE + 35]
    assert (extents["length"].tolist(), extents["packet"].tolist()) == ([9, 5, 7], [40, 41, 42])
    assert made.told("size", "length", "apdu_tag") == [(21, 13, 0xC0)] * 3


def test_a_wpdu_in_segments_of_its_own_shares_none() -> None:
    """It begins and ends where segments do; another stream's segments stand between."""
    octets = wpdu(bytes([0xC4]) + bytes(50))
    sent = [Sent(octets[:20]), Sent(ALL[:30], stream=1, side=1), Sent(octets[20:], seq=20)]
    sent += [Sent(ALL[30:], stream=1, side=1, seq=30)]
    made = Settled(*sent).chains()
    assert made.contents() == [ONE, octets, TWO, THREE]
    assert made.told("stream", "direction", "segments", "marks") == [
        (1, 1, 1, SHARED),
        (0, 0, 2, 0),
        (1, 1, 2, SHARED),
        (1, 1, 1, SHARED),
    ]
    assert made.wpdus.extents["packet"].tolist() == [40, 42, 41, 43]


def test_a_segment_that_was_overtaken_marks_its_wpdu_and_made_it_known() -> None:
    """The two stand in order here: the packet of the late one is the higher."""
    one = Settled(Sent(ONE[:9], time=9000), Sent(ONE[9:], seq=9, time=5000))
    one.segments.packet[:] = [1, 0]  # as they are when put in order
    made = one.chains(np.array([False, True]))
    assert made.told("first_packet", "last_packet", "marks") == [(40, 41, LATE)]
    assert made.told("first_time", "time") == [(5000, 9000)]


def test_wpdus_before_the_first_octet_seen() -> None:
    """They are rows, marked, and items."""
    one = Settled(Sent(b"x"), Sent(TWO, seq=-21, flags=ACK))
    head = np.frombuffer(TWO[:10], one.layout.head.dtype)
    one.rows.add_early(np.array([1]), head)
    one.made.flush()
    assert one.made.contents() == [TWO]
    assert one.made.told("first_packet", "marks") == [(41, LATE)]
    assert one.made.found() == [("out-of-order", 0, 0, 41, -21, 21)]


def test_segments_that_came_late_are_items() -> None:
    """At their packets, seen from the client."""
    one = Settled(Sent(ONE, side=1), Sent(TWO, side=1, seq=30), Sent(ONE, side=1), client_sides=(1,))
    one.rows.find_late(np.array([1]))
    one.made.flush()
    assert one.made.found() == [("out-of-order", 0, 0, 41, 30, 21)]


def test_no_segments_are_no_rows() -> None:
    """Empty positions say nothing."""
    one, none = Settled(Sent(ONE)), np.zeros(0, np.int64)
    one.rows.add_whole(one.layout, none)
    one.rows.add_early(none, one.layout.head[:0])
    for find in (one.rows.find_late, one.rows.find_cut):
        find(none)
    assert not len(one.chains().wpdus)
    assert not one.made.found()
