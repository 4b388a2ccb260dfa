"""Control fields, senders, and the segments of APDUs: joined in order, pair by pair, within bounds."""

import pytest

from cosemscope.apdu.hdlc import hdlc_units
from cosemscope.apdu.hdlc.hdlc_frames import FrameReceived, HdlcDecoder, parse_frame
from cosemscope.apdu.hdlc.hdlc_units import (
    CONTROLS,
    MAX_INFORMATION,
    MAX_PENDING,
    FrameKind,
    HdlcUnit,
    SegmentJoiner,
    Sender,
    control_of,
    sender_of,
)
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control, segments

SNRM = bytes.fromhex("7ea0070321930f017e")
ANSWER = bytes.fromhex("c401c10006") + bytes(4)


def received(*frames: bytes) -> list[FrameReceived]:
    """Frames in a row, as they are received."""
    decoder = HdlcDecoder()
    decoder.feed(b"".join(frames))
    return [event for event in decoder.close() if isinstance(event, FrameReceived)]


@pytest.mark.parametrize(
    ("octet", "kind", "send", "receive"),
    [
        (0x10, FrameKind.I, 0, 0),
        (0xDC, FrameKind.I, 6, 6),
        (0x51, FrameKind.RR, None, 2),
        (0xF5, FrameKind.RNR, None, 7),
        (0x93, FrameKind.SNRM, None, None),
        (0x53, FrameKind.DISC, None, None),
        (0x73, FrameKind.UA, None, None),
        (0x1F, FrameKind.DM, None, None),
        (0x97, FrameKind.FRMR, None, None),
        (0x13, FrameKind.UI, None, None),
        (0x7F, FrameKind.UNKNOWN, None, None),
    ],
)
def test_control_fields(octet: int, kind: FrameKind, send: int | None, receive: int | None) -> None:
    """Every kind of frame of IEC 62056-46, with its numbers and the P/F bit."""
    control = CONTROLS[octet]
    assert (control.kind, control.send, control.receive) == (kind, send, receive)
    assert control.poll_final
    assert not CONTROLS[octet & ~0x10].poll_final


def join(*frames: bytes) -> list[HdlcUnit]:
    """The units of frames in a row."""
    decoder, joiner = HdlcDecoder(), SegmentJoiner()
    decoder.feed(b"".join(frames))
    units = []
    for event in decoder.close():
        assert isinstance(event, FrameReceived)
        units += joiner.add(event)
    return units + joiner.close()


def test_units_of_a_connection() -> None:
    """Frames without an APDU stand alone; segments are one unit with the spans of all frames."""
    made = segments(RESPONSE + ANSWER, 5)
    ready = frame(0x31, destination=b"\x21", source=b"\x03")
    units = join(SNRM, made[0], ready, *made[1:], frame(0x13, COMMAND + GET))
    assert [unit.control.kind.value for unit in units] == ["SNRM", "RR", "I", "UI"]
    response = units[2]
    assert response.complete
    assert response.apdu == ANSWER
    assert response.apdu_tag == 0xC4
    assert response.sender is Sender.SERVER
    start = len(SNRM)
    assert response.spans[0] == (start, start + len(made[0]))
    assert response.spans[1][0] == start + len(made[0]) + len(ready)
    assert len(response.spans) == 2
    assert units[3].apdu_tag == 0xC0
    assert units[3].sender is Sender.CLIENT


def test_repeated_segments_are_joined_once() -> None:
    """A segment that was sent again is told as repeated and not joined twice."""
    made = segments(RESPONSE + ANSWER, 5)
    units = join(made[0], made[0], *made[1:])
    assert [(unit.repeated, unit.complete) for unit in units] == [(True, False), (False, True)]
    assert units[1].apdu == ANSWER


def test_segments_of_different_meters_do_not_mix() -> None:
    """Two servers on one connection, their segments interleaved."""
    one = segments(RESPONSE + ANSWER, 5, source=b"\x03")
    other = segments(RESPONSE + GET, 6, source=b"\x05", send=3)
    units = join(one[0], other[0], *one[1:], *other[1:])
    assert [unit.apdu for unit in units] == [ANSWER, GET]


def test_what_is_given_up_is_incomplete() -> None:
    """A new link, or the end of the stream, ends segments that wait for the rest."""
    made = segments(RESPONSE + ANSWER, 5)
    units = join(made[0], frame(0x73, destination=b"\x21", source=b"\x03"))
    assert [(unit.complete, unit.control.kind) for unit in units] == [
        (False, FrameKind.I),
        (True, FrameKind.UA),
    ]
    assert not join(made[0])[0].complete


def test_every_control_field() -> None:
    """By the bits: an even octet is I, 01 at the end supervisory, 11 unnumbered; bit 4 is P/F."""
    unnumbered = {0x83: "SNRM", 0x43: "DISC", 0x63: "UA", 0x0F: "DM", 0x87: "FRMR", 0x03: "UI"}
    for octet in range(256):
        bits = f"{octet:08b}"
        receive, send = int(bits[:3], 2), int(bits[4:7], 2)
        if bits[7] == "0":
            expected = ("I", send, receive)
        elif bits[6] == "0":
            expected = ({"00": "RR", "01": "RNR", "10": "REJ", "11": "SREJ"}[bits[4:6]], None, receive)
        else:
            expected = (unnumbered.get(int(bits[:3] + "0" + bits[4:], 2), "unknown"), None, None)
        control = CONTROLS[octet]
        assert (control.kind.value, control.send, control.receive) == expected
        assert control.poll_final == (bits[3] == "1")


@pytest.mark.parametrize(
    ("octet", "text"),
    [
        (0x10, "I, N(S) 0, N(R) 0, P/F"),
        (0xEE, "I, N(S) 7, N(R) 7"),
        (0x51, "RR, N(R) 2, P/F"),
        (0x93, "SNRM, P"),
        (0x83, "SNRM"),
        (0x53, "DISC, P"),
        (0x73, "UA, F"),
        (0x1F, "DM, F"),
        (0x97, "FRMR, F"),
        (0x13, "UI, P/F"),
        (0xFF, "unknown, P/F"),
    ],
)
def test_control_fields_in_words(octet: int, text: str) -> None:
    """The bit is P in commands, F in responses, either in what both may send."""
    assert str(CONTROLS[octet]) == text


_SERVER, _CLIENT = b"\x02\x23", b"\x21"


@pytest.mark.parametrize(
    ("control", "information", "destination", "source", "sender"),
    [
        (0x93, None, b"\x03", b"\x21", Sender.CLIENT),
        (0x53, None, b"\x03", b"\x21", Sender.CLIENT),
        (0x73, None, b"\x21", b"\x03", Sender.SERVER),
        (0x1F, None, b"\x21", b"\x03", Sender.SERVER),
        (0x97, b"\0\0\0", b"\x21", b"\x03", Sender.SERVER),
        (0x10, COMMAND + GET, b"\x03", b"\x21", Sender.CLIENT),
        (0x10, RESPONSE + ANSWER, b"\x21", b"\x03", Sender.SERVER),
        (0x13, COMMAND + GET, b"\x03", b"\x21", Sender.CLIENT),
        (0x13, RESPONSE + ANSWER, b"\x21", b"\x03", Sender.SERVER),
        (0x10, GET, b"\x03", b"\x21", Sender.UNKNOWN),
        (0x11, COMMAND, b"\x03", b"\x21", Sender.UNKNOWN),
        (0x11, None, _SERVER, _CLIENT, Sender.CLIENT),
        (0x11, None, _CLIENT, _SERVER, Sender.SERVER),
        (0x11, None, b"\x03", b"\x21", Sender.UNKNOWN),
    ],
)
def test_who_sent_a_frame(
    control: int, information: bytes | None, destination: bytes, source: bytes, sender: Sender
) -> None:
    """By the kind of frame, by its LLC octets, by the longer address, which is a server's."""
    [got] = received(frame(control, information, destination=destination, source=source))
    assert sender_of(got) is sender
    assert HdlcUnit((got,), got.frame.information).sender is sender


def test_a_frame_without_a_control_field() -> None:
    """It is of no kind."""
    short = FrameReceived(parse_frame(b"\xa0\x07"), 0, 4)
    assert str(control_of(short)) == "unknown"
    assert sender_of(short) is Sender.UNKNOWN


# What a unit says of itself.


def test_a_unit_of_one_frame() -> None:
    """Its addresses and control field are the frame's; an APDU in I or UI, behind LLC octets or sound."""
    [got] = received(frame(i_control(3, 5), COMMAND + GET))
    [unit] = SegmentJoiner().add(got)
    assert (unit.source.upper, unit.destination.upper) == (16, 1)
    assert (unit.control.send, unit.control.receive) == (3, 5)
    assert (unit.carries_apdu, unit.apdu, unit.apdu_tag) == (True, GET, 0xC0)
    assert unit.spans == ((0, got.stop),)
    [got] = received(frame(0x10, COMMAND))
    [unit] = SegmentJoiner().add(got)
    assert (unit.carries_apdu, unit.apdu, unit.apdu_tag) == (True, b"", -1)


@pytest.mark.parametrize(
    ("information", "control", "carries", "complete"),
    [
        (GET, 0x10, True, True),
        (bytes.fromhex("e0400002000006060000000112"), 0x13, True, True),
        (bytes.fromhex("e0400002000006060000000112")[:-1], 0x13, False, False),
        (GET + b"\0", 0x10, False, False),
        (b"\x99\x01", 0x10, False, False),
        (COMMAND, 0x11, False, True),
        (b"", 0x10, False, False),
    ],
)
def test_an_apdu_without_llc_octets_is_believed_where_it_is_sound(
    information: bytes, control: int, carries: bool, complete: bool
) -> None:
    """Blocks 2 and on of some meters stand so; what could be the rest of a segmented APDU does not."""
    [got] = received(frame(control, information))
    [unit] = SegmentJoiner().add(got)
    assert (unit.carries_apdu, unit.complete) == (carries, complete)
    assert unit.apdu == (information if carries else b"")


def test_spans_that_touch_are_one() -> None:
    """Frames that share a flag or follow each other are one span; others are apart."""
    one, two = segments(RESPONSE + ANSWER, 6)
    for octets, spans in (
        (one + two, ((0, len(one + two)),)),
        (one + two[1:], ((0, len(one + two) - 1),)),
        (one + b"\x7e" + two, ((0, len(one)), (len(one) + 1, len(one + two) + 1))),
    ):
        assert HdlcUnit(tuple(received(octets)), b"").spans == spans


# Segments.


def test_numbers_of_segments_go_round() -> None:
    """N(S) counts to 7 and begins anew; a number that is left out ends the APDU."""
    made = segments(RESPONSE + bytes(30), 3, send=5)
    assert [control_of(one).send for one in received(*made)][:5] == [5, 6, 7, 0, 1]
    [unit] = join(*made)
    assert (unit.complete, len(unit.frames), len(unit.information)) == (True, 11, 33)
    assert [unit.complete for unit in join(made[0], made[2], *made[3:])] == [False, False]


def test_segments_of_ui_frames_have_no_numbers() -> None:
    """They follow one another until one begins an APDU anew."""
    first = frame(0x03, RESPONSE + b"\x01", segmented=True)
    middle, last = frame(0x03, b"\x02", segmented=True), frame(0x03, b"\x03")
    [unit] = join(first, middle, last)
    assert (unit.complete, unit.information) == (True, RESPONSE + b"\x01\x02\x03")
    begun = [unit.complete for unit in join(first, frame(0x03, RESPONSE + b"\x09", segmented=True), last)]
    assert begun == [False, True]
    assert [unit.complete for unit in join(first, frame(i_control(0), b"\x02"))] == [False, False]


def test_segments_without_a_beginning_are_incomplete() -> None:
    """The first segment has LLC octets."""
    made = segments(bytes(9), 3)
    [unit] = join(*made)
    assert not unit.complete


def test_a_faulty_segment_is_left_out() -> None:
    """It stands alone, and the others wait for the right one."""
    made = segments(RESPONSE + ANSWER, 6)
    wrong = bytearray(made[1])
    wrong[-2] ^= 1
    units = join(made[0], bytes(wrong), made[1])
    assert [len(unit.frames) for unit in units] == [1, 2]
    assert units[1].complete


def test_what_ends_a_transfer() -> None:
    """SNRM, DISC, UA and DM of the same pair do; supervisory frames do not."""
    made = segments(RESPONSE + ANSWER, 6)
    for control, ends in ((0x73, True), (0x1F, True), (0x93, True), (0x53, True), (0x11, False)):
        units = join(made[0], frame(control, destination=b"\x21", source=b"\x03"), made[1])
        assert [unit.complete for unit in units] == ([False, True, False] if ends else [True, True])
    units = join(made[0], frame(0x73, destination=b"\x21", source=b"\x05"), made[1])
    assert [unit.complete for unit in units] == [True, True]


def test_pairs_that_wait_are_bounded() -> None:
    """Beyond 64 the oldest is given up; where the first one waits is told."""
    joiner = SegmentJoiner()
    assert joiner.first_pending(99) == 99
    frames = received(
        *(
            frame(0x10, RESPONSE + b"\x01", destination=bytes((number << 1 | 1,)), segmented=True)
            for number in range(MAX_PENDING + 1)
        )
    )
    assert [joiner.add(one) for one in frames[:-1]] == [[]] * MAX_PENDING
    assert joiner.first_pending(99) == 0
    [given_up] = joiner.add(frames[-1])
    assert (given_up.frames, given_up.complete) == ((frames[0],), False)
    assert joiner.first_pending(99) == frames[1].start
    assert [unit.frames for unit in joiner.close()] == [(one,) for one in frames[1:]]
    assert joiner.first_pending(99) == 99


def test_segments_of_a_joined_apdu_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty ones, too: the one too many ends it, incomplete, and what follows begins anew."""
    monkeypatch.setattr(hdlc_units, "MAX_SEGMENTS", 40)
    joiner, units = SegmentJoiner(), []
    for number in range(43):
        [one] = received(frame(i_control(number), segmented=True))
        units += joiner.add(one)
        assert bool(units) == (number >= 40)
    assert [(len(unit.frames), unit.complete) for unit in units] == [(41, False)]
    assert [len(unit.frames) for unit in joiner.close()] == [2]


def test_the_oldest_may_be_given_up() -> None:
    """That of which no segment came for the longest time."""
    joiner = SegmentJoiner()
    assert joiner.give_up_oldest() == []
    frames = received(
        *(
            frame(i_control(number // 2), RESPONSE, destination=bytes((number % 2 << 1 | 1,)), segmented=True)
            for number in (0, 1, 2)
        )
    )
    assert [joiner.add(one) for one in frames] == [[]] * 3
    assert [unit.frames for unit in joiner.give_up_oldest()] == [(frames[1],)]
    assert joiner.first_pending(99) == 0


def test_a_joined_apdu_is_bounded() -> None:
    """A megabyte is the most; what comes then is incomplete."""
    joiner = SegmentJoiner()
    size, units, octets = 1500, [], RESPONSE.ljust(1500, b"\0")
    for number in range(MAX_INFORMATION // size + 1):
        [one] = received(frame(i_control(number), octets, segmented=True))
        units += joiner.add(one)
        assert bool(units) == ((number + 1) * size > MAX_INFORMATION)
    [unit] = units
    assert not unit.complete
