"""The splitter of HDLC frames: one unit an APDU, with the frames that carried it, and what is no frame."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.splitters import hdlc_splitter
from cosemscope.streams.reassembly.splitters.hdlc_splitter import HdlcSplitter
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control
from tests.helpers.made_streams import Found, Listener, piece

METER = {"destination": b"\x21", "source": b"\x03"}
ANSWER = bytes.fromhex("c401c100") + bytes(60)
ASK = frame(i_control(0), COMMAND + GET)
READY = frame(0x31)
FIRST = frame(i_control(0), RESPONSE + ANSWER[:40], segmented=True, **METER)
LAST = frame(i_control(1), ANSWER[40:], **METER)
AGAIN, CUT = int(Mark.RESYNCHRONISED), int(Mark.TRUNCATED)


def split(octets: bytes, *cuts: int) -> tuple[HdlcSplitter, Listener]:
    """Everything, cut at these offsets; packet n has the nth piece."""
    listener = Listener(octets)
    splitter = HdlcSplitter(listener, 0)
    for packet, (start, stop) in enumerate(pairwise([0, *cuts, len(octets)])):
        splitter.chunk(piece(start, stop, packet), packet)
    return splitter, listener


@given(cuts=st.sets(st.integers(1, len(ASK + READY + FIRST + LAST) - 1), max_size=10), shared=st.booleans())
def test_one_unit_an_apdu_whatever_the_pieces(cuts: set[int], shared: bool) -> None:
    """Addresses, length, tag and octets of each; frames without an APDU are counted, and no units."""
    skip = 1 if shared else 0  # frames may share the flag between them
    octets = ASK + READY[skip:] + FIRST[skip:] + LAST[skip:]
    splitter, listener = split(octets, *sorted(cut for cut in cuts if cut < len(octets)))
    splitter.close(50)
    (ask, _), (answer, _) = listener.units
    assert (*ask.header, ask.apdu_tag, ask.framing) == (0, 16, 1, len(GET), 0xC0, Framing.HDLC)
    assert (*answer.header, answer.apdu_tag) == (0, 1, 16, len(ANSWER), 0xC4)
    assert [told[0][-len(one) + 1 :] for told, one in zip(listener.told(), (ASK, LAST), strict=True)] == [
        ASK[1:],
        LAST[1:],
    ]
    assert answer.size == len(FIRST + LAST) - skip  # the flag between the two counts once
    assert (ask.marks, answer.marks) == (0, 0)
    assert listener.good_frames == 4
    assert not listener.items


def test_a_unit_is_told_with_the_frame_that_completes_it() -> None:
    """Pieces are those of its own frames, not of the receive-ready frame between them."""
    octets = FIRST + READY + LAST
    _, listener = split(octets, len(FIRST), len(FIRST + READY))
    assert listener.told() == [(FIRST + LAST, 0xC4, 0, 2)]
    assert [one.packet for one in listener.units[0][0].pieces] == [0, 2]
    assert listener.good_frames == 3


def test_a_flag_may_close_one_frame_and_open_the_next() -> None:
    """The next frame has it too, though it came in an earlier packet."""
    _, listener = split(ASK + ASK[1:], len(ASK))
    assert listener.told() == [(ASK, 0xC0, 0, 0), (ASK, 0xC0, 0, 1)]
    assert [one.packet for one in listener.units[1][0].pieces] == [0, 1]


def test_octets_that_are_no_frame_are_told() -> None:
    """Between frames, with the packet that carried the last of them."""
    octets = ASK + b"noise" + ASK
    _, listener = split(octets, len(ASK) + 2)
    assert [told[:3] for told in listener.told()] == [(ASK, 0xC0, 0)] * 2
    assert listener.items == [Found("no-frame", 1, len(ASK), len(ASK) + 5, 5)]


def test_a_damaged_frame_is_a_unit_still() -> None:
    """With a mark, and not counted among the right ones."""
    bad = ASK[:-4] + bytes([ASK[-4] ^ 1]) + ASK[-3:]
    _, listener = split(bad + ASK)
    assert [told[2] for told in listener.told()] == [int(Mark.DAMAGED), 0]
    assert listener.good_frames == 1


def test_a_gap_cuts_what_was_begun_and_marks_what_follows() -> None:
    """The APDU whose segment is missing is incomplete, the next unit says that it was found again."""
    octets = FIRST + LAST + ASK + ASK
    listener = Listener(octets)
    splitter = HdlcSplitter(listener, 0)
    at, end = len(FIRST), len(FIRST + LAST)
    splitter.chunk(piece(0, at, 0), 0)
    splitter.gap(at, end, 7, 7)
    splitter.chunk(piece(end, end + len(ASK), 8), 8)
    splitter.chunk(piece(end + len(ASK), len(octets), 9), 9)
    assert listener.told() == [(FIRST, 0xC4, CUT, 7), (ASK, 0xC0, AGAIN, 8), (ASK, 0xC0, 0, 9)]
    assert not listener.items


def test_an_end_in_a_frame_is_an_item() -> None:
    """A frame that lacks its end is told with the octets that it lacks at least."""
    octets = ASK + ASK[:10]
    splitter, listener = split(octets, len(ASK))
    splitter.close(5)
    assert len(listener.units) == 1
    missing = len(ASK) - 10
    assert listener.items == [Found("cut-frame", 1, len(ASK), len(ASK) + 10, missing)]


def test_an_end_between_segments_leaves_a_truncated_unit() -> None:
    """Its first segment has come, its last has not; a datagram's end alone does not cut it."""
    splitter, listener = split(FIRST)
    splitter.end_datagram(3)
    assert not listener.units
    splitter.close(5)
    assert listener.told() == [(FIRST, 0xC4, CUT, 5)]
    assert not listener.items


@pytest.mark.parametrize("bound", ["MAX_BEHIND", "MAX_PIECES_BEHIND"])
def test_what_goes_by_while_an_apdu_waits_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    """Frames of other addresses: beyond so many octets, or pieces, what waits is given up, and told."""
    monkeypatch.setattr(hdlc_splitter, bound, 10 * len(ASK) if bound == "MAX_BEHIND" else 10)
    for count, given_up in ((7, False), (12, True)):
        octets = FIRST + ASK * count + LAST
        _, listener = split(octets, *range(len(FIRST), len(octets) - len(LAST) + 1, len(ASK)))
        told = [one[:3] for one in listener.told() if one[1] == 0xC4]
        assert told == [(FIRST, 0xC4, CUT) if given_up else (FIRST + LAST, 0xC4, 0)]
        assert len(listener.units) == count + 1


def test_pieces_out_of_order_are_marked() -> None:
    """A frame's end was seen before its beginning."""
    listener = Listener(ASK)
    splitter = HdlcSplitter(listener, 0)
    splitter.chunk(piece(0, 9, 4), 4)
    splitter.chunk(piece(9, len(ASK), 3), 4)
    assert listener.told() == [(ASK, 0xC0, int(Mark.OUT_OF_ORDER), 4)]
    assert not splitter.clean


def test_what_a_gap_ends_is_known_with_what_told_the_gap() -> None:
    """Not with the packet behind the gap: rows stand in the order in which they became known."""
    splitter, listener = split(FIRST)
    splitter.gap(len(FIRST), len(FIRST) + 9, 5, 8)
    assert listener.told() == [(FIRST, 0xC4, CUT, 8)]
