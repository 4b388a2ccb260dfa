"""The HDLC splitter: every frame found whatever the pieces, nothing invented, damage told and passed."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.hdlc.hdlc_frames import (
    NEED_DATA,
    Cut,
    FrameFault,
    FrameReceived,
    HdlcAddress,
    HdlcDecoder,
    HdlcEvent,
    Skipped,
    check_is_right,
    check_sequence,
    decode_address,
    parse_frame,
)
from tests.apdu.hdlc_encoder import COMMAND, GET, crc, frame, i_control
from tests.helpers.captured import Row, table_of
from tests.helpers.shared import shared


def split(octets: bytes) -> list[HdlcEvent]:
    """All events of octets that come at once."""
    decoder = HdlcDecoder()
    decoder.feed(octets)
    return decoder.close()


def frames_of(events: list[HdlcEvent]) -> list[FrameReceived]:
    return [event for event in events if isinstance(event, FrameReceived)]


GOOD = frame(i_control(0), COMMAND + GET)
ADDRESSES = st.sampled_from(
    [b"\x03", b"\x21", b"\x02\x23", b"\x00\x02\x7e\xfd", b"\xfe\xff", b"\xfe\xfe\xfe\xff"]
)
FRAMES = st.builds(
    frame,
    st.integers(0, 255),
    st.none() | st.binary(max_size=40) | st.just(b"\x7e\xa0\x07\x7e\x7e"),
    destination=ADDRESSES,
    source=ADDRESSES,
    segmented=st.booleans(),
)


@pytest.mark.parametrize("octets", [b"", b"123456789", bytes(range(256)), b"\x7e" * 9])
def test_check_sequence_is_crc_16_x_25(octets: bytes) -> None:
    """The table-free CRC agrees with the bit-by-bit definition; 906E is the published check value."""
    assert check_sequence(octets).to_bytes(2, "little") == crc(octets)
    assert check_is_right(octets + crc(octets))
    assert not check_is_right(octets + bytes([crc(octets)[0] ^ 1, crc(octets)[1]]))
    assert check_sequence(b"123456789") == 0x906E


@pytest.mark.parametrize(
    ("octets", "address"),
    [
        ("21", HdlcAddress(16, None, 1)),
        ("0223", HdlcAddress(1, 17, 2)),
        ("00020023", HdlcAddress(1, 17, 4)),
        ("fefefeff", HdlcAddress(0x3FFF, 0x3FFF, 4)),
        ("fefeff", HdlcAddress(None, None, 3)),
    ],
)
def test_addresses(octets: str, address: HdlcAddress) -> None:
    """Upper and lower part of addresses of one, two and four octets, and back; three octets are none."""
    assert decode_address(bytes.fromhex(octets)) == address
    if address.upper is None:
        with pytest.raises(ValueError, match="1, 2 or 4"):
            address.encode()
    else:
        assert address.encode().hex() == octets


def test_an_address_that_does_not_fit_is_refused() -> None:
    """Nothing is cut off silently."""
    with pytest.raises(ValueError, match="does not fit"):
        HdlcAddress(128, None, 1).encode()


def test_a_frame_of_the_vectors() -> None:
    """A frame from a real meter: addresses, control field and information field, no fault."""
    octets = bytes.fromhex(
        "7ea02b032110fbafe6e600601da109060760857405080101be10040e01000000065f1f0400401e1dffffe7257e"
    )
    (event,) = split(octets)
    assert isinstance(event, FrameReceived)
    assert (event.start, event.stop) == (0, len(octets))
    got = event.frame
    assert (got.destination.upper, got.source.upper, got.control, got.length) == (1, 16, 0x10, 43)
    assert got.information[:4].hex() == "e6e60060"
    assert got.information[-2:].hex() == "ffff"
    assert not got.faults
    assert not got.segmented


@settings(max_examples=150)
@given(st.lists(st.tuples(FRAMES, st.booleans()), min_size=1, max_size=6), st.data())
def test_any_chunking_gives_the_same_frames(made: list[tuple[bytes, bool]], data: st.DataObject) -> None:
    """Frames with flags of their own or shared, fed in any pieces: the frames, their spans, nothing else."""
    stream, spans = b"", []
    for one, shares in made:
        shared_flag = shares and bool(stream)
        start = len(stream) - shared_flag
        stream += one[shared_flag:]
        spans.append((start, len(stream)))
    events = split(stream)
    assert [(event.start, event.stop) for event in events] == spans
    assert [event.frame.octets for event in frames_of(events)] == [one[1:-1] for one, _ in made]
    assert not any(
        event.frame.faults & (FrameFault.FRAME_CHECK | FrameFault.LENGTH) for event in frames_of(events)
    )
    assert pieces(stream, data) == events


def pieces(stream: bytes, data: st.DataObject) -> list[HdlcEvent]:
    """The events of a stream that comes in pieces."""
    decoder, at, events = HdlcDecoder(), 0, []
    while at < len(stream):
        size = data.draw(st.integers(1, 60))
        decoder.feed(stream[at : at + size])
        events += decoder.events()
        assert decoder.next_event() is NEED_DATA
        at += size
    return events + decoder.close()


@settings(max_examples=150)
@given(st.lists(FRAMES | st.binary(max_size=30), max_size=6), st.data())
def test_damage_is_told_the_same_in_any_pieces(made: list[bytes], data: st.DataObject) -> None:
    """Frames, noise and damage: events in order that share a flag at most, however the octets come."""
    stream = bytearray(b"".join(made))
    for _ in range(data.draw(st.integers(0, 3))):
        if stream:
            at = data.draw(st.integers(0, len(stream) - 1))
            stream[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    events = split(bytes(stream))
    assert pieces(bytes(stream), data) == events
    stops = [event.start + len(event.octets) if isinstance(event, Cut) else event.stop for event in events]
    for stop, following in pairwise(zip(stops, events, strict=True)):
        assert following[1].start >= stop[0] - (not isinstance(following[1], Skipped))
    assert all(stop <= len(stream) for stop in stops)


def test_noise_between_frames_is_skipped_and_counted() -> None:
    """Octets that belong to no frame are told by their place; the next frame is found."""
    events = split(b"\x01\x02" + GOOD + b"noise" + GOOD)
    first = 2 + len(GOOD)
    assert events[0] == Skipped(0, 2)
    assert events[2] == Skipped(first, first + 5)
    assert [(event.start, event.stop) for event in frames_of(events)] == [
        (2, first),
        (first + 5, first + 5 + len(GOOD)),
    ]


def test_flags_between_frames_are_no_noise() -> None:
    """Inter-frame time fill: any number of flags, not told."""
    events = split(b"\x7e" * 5 + GOOD + b"\x7e" * 7 + GOOD + b"\x7e" * 3)
    assert [type(event) for event in events] == [FrameReceived, FrameReceived]


def test_a_frame_that_lost_octets_does_not_hide_the_next() -> None:
    """The length field is not believed when the next frame's header is right inside of it."""
    events = split(GOOD[:-6] + GOOD + GOOD)
    assert [event.frame.faults for event in frames_of(events)] == [
        FrameFault.LENGTH | FrameFault.FRAME_CHECK,
        FrameFault(0),
        FrameFault(0),
    ]


def test_a_wrong_length_ends_at_the_right_check_sequence() -> None:
    """A frame longer than its length field says is one frame, as soon as its last octet is there."""
    long = frame(i_control(0), COMMAND + GET + GET, length=25)
    decoder = HdlcDecoder()
    decoder.feed(long)
    (event,) = decoder.events()
    assert isinstance(event, FrameReceived)
    assert event.frame.faults == FrameFault.LENGTH
    assert event.frame.octets == long[1:-1]


def test_a_missing_closing_flag() -> None:
    """A frame whose check sequence is right is a frame even where no flag closes it."""
    (event,) = split(GOOD[:-1])
    assert isinstance(event, FrameReceived)
    assert event.frame.faults == FrameFault.FLAG


def test_what_is_cut_is_told_with_what_is_missing() -> None:
    """Every proper beginning of a frame ends in Cut with the octets at hand; a lone flag is nothing."""
    for size in range(3, len(GOOD) - 1):
        (event,) = split(GOOD[:size])
        assert isinstance(event, Cut)
        assert event.octets == GOOD[:size]
        assert event.missing == (len(GOOD) - size)
    assert split(b"\x7e") == []


@pytest.mark.parametrize("place", range(1, len(GOOD) - 1))
def test_no_changed_octet_passes(place: int) -> None:
    """A frame with any one octet changed is never taken for a right one."""
    changed = bytearray(GOOD)
    changed[place] ^= 0x10
    events = split(bytes(changed))
    assert not any(not event.frame.faults for event in frames_of(events))


def test_a_hole_in_the_stream() -> None:
    """What was begun before a hole is told; offsets go on behind it."""
    decoder = HdlcDecoder(base=100)
    decoder.feed(GOOD[:10])
    (cut,) = decoder.resume_at(500)
    assert isinstance(cut, Cut)
    assert cut.start == 100
    decoder.feed(GOOD)
    (event,) = decoder.events()
    assert (event.start, decoder.position) == (500, 500 + len(GOOD))


def test_short_and_odd_frames_have_faults() -> None:
    """What cannot be a frame is a value all the same."""
    assert parse_frame(b"").faults & FrameFault.SHORT
    assert parse_frame(b"\xa0\x07").faults & FrameFault.SHORT
    odd = frame(0x93, destination=b"\x02\x04\x07")
    assert frames_of(split(odd))[0].frame.faults == FrameFault.ADDRESS


@pytest.mark.parametrize(
    "pattern", [b"\x7e\xa7\xff", b"\x7e", frame(0x10, length=0x7FF)[:-1], b"\x7e\xa0\x09"]
)
def test_what_is_kept_is_bounded(pattern: bytes) -> None:
    """No stream makes the decoder keep more than it says."""
    decoder = HdlcDecoder()
    for _ in range(60_000 // len(pattern)):
        decoder.feed(pattern)
        decoder.events()
        assert len(decoder._buffer) - decoder._at < 4200


# Real captures.


def payloads(name: str) -> Iterator[Row]:
    """The payloads of a shared capture, in order."""
    return (row for row in table_of(shared(f"captures/{name}"))[1] if row.payload)


def stream_events(name: str) -> list[HdlcEvent]:
    """The events of both directions of the HDLC connection of a capture."""
    decoders: dict[str, HdlcDecoder] = {}
    events: list[HdlcEvent] = []
    for row in payloads(name):
        if ":4060" in row.source + row.destination:
            decoder = decoders.setdefault(row.source, HdlcDecoder())
            decoder.feed(row.payload)
            events += decoder.events()
    return events + [event for decoder in decoders.values() for event in decoder.close()]


def test_a_real_connection() -> None:
    """99 frames each way, every check sequence right, nothing besides."""
    events = stream_events("original_data.pcapng")
    assert len(events) == len(frames_of(events)) == 198
    assert not any(event.frame.faults for event in frames_of(events))
    assert Counter(event.frame.source.upper for event in frames_of(events)) == {16: 99, 1: 99}


def test_the_glued_frame() -> None:
    """One frame of 38 octets says 25: it is found and named, and all others are right."""
    events = stream_events("data7.pcapng")
    assert len(events) == len(frames_of(events))
    (wrong,) = [event for event in frames_of(events) if event.frame.faults]
    assert wrong.frame.faults == FrameFault.LENGTH
    assert (wrong.frame.length, wrong.stop - wrong.start) == (25, 38)


def test_frames_in_datagrams() -> None:
    """41 datagrams are frames, one of them with a wrong check sequence; ten begin with 90 and are none."""
    events = [split(row.payload) for row in payloads("udp-hdlc.pcap")]
    assert Counter(type(event[0]) for event in events) == {FrameReceived: 41, Skipped: 10}
    faults = Counter(event.frame.faults for found in events for event in frames_of(found))
    assert faults == {FrameFault(0): 40, FrameFault.FRAME_CHECK: 1}


def test_each_fault_is_told_by_itself() -> None:
    """A frame has any of them: none is in another, or in all others together."""
    faults = list(FrameFault)
    assert len(faults) == 6
    for fault in faults:
        others = FrameFault(0)
        for other in faults:
            others |= other if other is not fault else FrameFault(0)
        assert not fault & others
