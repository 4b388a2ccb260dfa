"""The WPDU codec: whatever the pieces, the same WPDUs; whatever the octets, no exception and no loss."""

import json

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.transport.wpdu import (
    MAX_DATA,
    NEED_DATA,
    BadVersion,
    HeaderScan,
    Truncated,
    Wpdu,
    WpduDecoder,
    WpduHeader,
    WpduReceived,
    decode_datagram,
    decode_header,
    scan_headers,
)
from tests.helpers.shared import shared

RLRQ = bytes.fromhex("00 01 00 10 00 01 00 02 62 00")
RLRE = bytes.fromhex("00 01 00 01 00 10 00 02 63 00")
wports = st.integers(0, 0xFFFF)
wpdus = st.builds(Wpdu, wports, wports, st.binary(max_size=40), version=st.just(1))


def vectors(layer: str) -> list[dict]:
    lines = shared("vectors/apdu.jsonl").read_text("utf-8").splitlines()
    found = [vector for vector in map(json.loads, lines) if vector["layer"] == layer]
    assert found, f"no vectors of layer {layer}"
    return found


def in_pieces(octets: bytes, size: int) -> list:
    """Events of a decoder that is given `size` octets at a time."""
    decoder, events = WpduDecoder(), []
    for at in range(0, len(octets), size):
        decoder.feed(octets[at : at + size])
        while (event := decoder.next_event()) is not NEED_DATA:
            events.append(event)
            if isinstance(event, BadVersion):
                return events
    if rest := decoder.close():
        events.append(rest)
    return events


def three_ways(octets: bytes) -> list:
    """Decode all at once, octet by octet, and with octets behind that begin another WPDU."""
    at_once = in_pieces(octets, len(octets))
    assert in_pieces(octets, 1) == at_once
    behind = in_pieces(octets + RLRQ[:5], len(octets) + 5)
    assert behind == [*at_once, Truncated(RLRQ[:5], len(octets), None)]
    return at_once


def test_minimal_vectors_decode_and_encode():
    """Public client to management logical device and back, by hand from the header's layout."""
    assert three_ways(RLRQ) == [WpduReceived(Wpdu(16, 1, b"\x62\x00"), 0, 10)]
    assert Wpdu(16, 1, b"\x62\x00").encode() == RLRQ
    assert Wpdu(1, 16, b"\x63\x00").encode() == RLRE
    header = WpduHeader(1, 1, 0x40, 89)
    assert header.encode() == bytes.fromhex("0001 0001 0040 0059")
    assert decode_header(header.encode()) == header


def test_two_wpdus_in_one_piece_are_two():
    """TCP keeps no borders: several WPDUs may come in one segment."""
    assert three_ways(RLRQ + RLRE) == [
        WpduReceived(Wpdu(16, 1, b"\x62\x00"), 0, 10),
        WpduReceived(Wpdu(1, 16, b"\x63\x00"), 10, 20),
    ]


@pytest.mark.parametrize("length", [0, 1, MAX_DATA - 1, MAX_DATA])
def test_limits_of_data(length):
    """0 and 65535 octets of data are both representable and survive the codec."""
    octets = Wpdu(1, 2, bytes(length)).encode()
    assert len(octets) == 8 + length
    assert in_pieces(octets, len(octets)) == in_pieces(octets, 4099)
    assert in_pieces(octets, len(octets)) == [WpduReceived(Wpdu(1, 2, bytes(length)), 0, 8 + length)]


def test_too_much_data_is_refused_by_the_encoder():
    """What the length field cannot say is not sent."""
    with pytest.raises(ValueError, match="at most 65535 octets, not 65536"):
        Wpdu(1, 2, bytes(MAX_DATA + 1)).encode()
    with pytest.raises(ValueError, match="0 to 65535"):
        Wpdu(1, 0x10000, b"").encode()
    with pytest.raises(ValueError, match="0 to 65535"):
        WpduHeader(1, -1, 0, 0).encode()


def test_bad_version_stays_until_it_is_skipped():
    """The decoder neither hunts nor guesses: it says what stands there until it is told to go on."""
    decoder = WpduDecoder()
    decoder.feed(b"\x00\x02" + RLRQ[2:] + RLRE)
    bad = decoder.next_event()
    assert bad == BadVersion(b"\x00\x02" + RLRQ[2:8], 0)
    assert isinstance(bad, BadVersion)
    assert bad.version == 2
    assert decoder.next_event() == bad
    assert decoder.events() == [bad]
    assert decoder.skip(10) == b"\x00\x02" + RLRQ[2:]
    assert decoder.position == 10
    assert decoder.next_event() == WpduReceived(Wpdu(1, 16, b"\x63\x00"), 10, 20)


def test_bad_version_is_seen_from_two_octets():
    """A peer that speaks something else is known at once, not after eight octets."""
    decoder = WpduDecoder()
    decoder.feed(b"\x7e")
    assert decoder.next_event() is NEED_DATA
    decoder.feed(b"\xa0")
    assert decoder.next_event() == BadVersion(b"\x7e\xa0", 0)


def test_wpdus_before_a_bad_version_are_not_lost():
    """What was whole is delivered; the bad header comes last."""
    events = in_pieces(RLRQ + b"\x10\x01" + RLRE[2:], 1)
    assert [type(event) for event in events] == [WpduReceived, BadVersion]
    assert events[1].start == 10


def test_truncated_in_header_and_in_data():
    """The end of the stream inside a WPDU is told with what is there and what is missing."""
    in_header, in_data = in_pieces(RLRQ[:5], 5), in_pieces(RLRQ[:9], 9)
    assert in_header == [Truncated(RLRQ[:5], 0, None)]
    assert in_header[0].missing == 3
    assert in_data == [Truncated(RLRQ[:9], 0, WpduHeader(1, 16, 1, 2))]
    assert in_data[0].missing == 1
    assert in_pieces(RLRQ, 3)[-1] == WpduReceived(Wpdu(16, 1, b"\x62\x00"), 0, 10)


def test_missing_says_what_to_receive_next():
    """First the rest of the header, then the rest of the WPDU."""
    decoder = WpduDecoder()
    wanted = []
    for octet in RLRQ:
        wanted.append(decoder.missing)
        decoder.feed(bytes([octet]))
    assert wanted == [8, 7, 6, 5, 4, 3, 2, 1, 2, 1]
    assert decoder.missing == 0
    assert decoder.header == WpduHeader(1, 16, 1, 2)


def test_a_gap_in_the_stream():
    """Lost octets: the decoder goes on behind them and says what it gave up."""
    decoder = WpduDecoder(base=1000)
    decoder.feed(RLRQ[:9])
    assert decoder.next_event() is NEED_DATA
    assert decoder.resume_at(1500) == Truncated(RLRQ[:9], 1000, WpduHeader(1, 16, 1, 2))
    decoder.feed(RLRE)
    assert decoder.next_event() == WpduReceived(Wpdu(1, 16, b"\x63\x00"), 1500, 1510)
    assert decoder.resume_at(1510) is None
    with pytest.raises(ValueError, match="before the position"):
        decoder.resume_at(1509)


def test_resume_inside_what_was_fed():
    """Resynchronising on octets at hand drops only those before."""
    decoder = WpduDecoder()
    decoder.feed(b"junk" + RLRQ)
    assert isinstance(decoder.next_event(), BadVersion)
    decoder.resume_at(4)
    assert decoder.next_event() == WpduReceived(Wpdu(16, 1, b"\x62\x00"), 4, 14)


def test_byte_swapped_headers_on_request():
    """Some devices send the header with the octets swapped; only who asks for it reads it so."""
    swapped = bytes.fromhex("01 00 10 00 01 00 02 00 62 00")
    assert in_pieces(swapped, 1)[0] == BadVersion(swapped[:2], 0)
    decoder = WpduDecoder(swapped=True)
    decoder.feed(swapped + RLRQ)
    assert decoder.next_event() == WpduReceived(Wpdu(16, 1, b"\x62\x00"), 0, 10)
    assert decoder.next_event() == BadVersion(RLRQ[:8], 10)
    assert scan_headers(swapped, swapped=True).rows == [(0, 16, 1, 2)]
    assert decode_datagram(swapped, swapped=True).conforms
    assert decode_datagram(RLRQ, swapped=True).problem == BadVersion(RLRQ[:8], 0)


def test_the_buffer_does_not_grow_with_the_stream():
    """A megabyte fed in small pieces leaves no megabyte behind (nor does it cost quadratic time)."""
    decoder = WpduDecoder()
    octets = Wpdu(1, 2, bytes(92)).encode() * 10_000
    count = 0
    for at in range(0, len(octets), 7):
        decoder.feed(octets[at : at + 7])
        count += len(decoder.events())
        assert decoder.buffered < 107
        assert len(decoder._buffer) < 1 << 17
    assert count == 10_000
    assert decoder.position == len(octets)


@given(st.lists(wpdus, max_size=8), st.lists(st.integers(1, 60), max_size=40), st.binary(max_size=12))
def test_any_pieces_give_the_same_wpdus(sent, cuts, behind):
    """Encode, cut anywhere, decode: the same WPDUs in order, the rest untouched, offsets that tile."""
    octets = b"".join(wpdu.encode() for wpdu in sent) + behind
    decoder, events, at = WpduDecoder(), [], 0
    for cut in [*cuts, len(octets)]:
        decoder.feed(octets[at : at + cut])
        at += cut
        events += [event for event in decoder.events() if isinstance(event, WpduReceived)]
    assert [event.wpdu for event in events[: len(sent)]] == sent
    ends = [0, *(event.stop for event in events)]
    assert [event.start for event in events] == ends[:-1]
    for event in events:
        assert event.wpdu.encode() == octets[event.start : event.stop]
    rest = decoder.close()
    assert (rest.octets if rest else b"") == octets[ends[-1] :]


@given(
    st.one_of(
        st.binary(max_size=60), st.lists(wpdus, max_size=5).map(lambda w: b"".join(x.encode() for x in w))
    )
)
def test_scan_and_decoder_agree(octets):
    """The bulk walk and the decoder are two readings of one rule."""
    scan = scan_headers(octets)
    decoder = WpduDecoder()
    decoder.feed(octets)
    events = decoder.events()
    whole = [event for event in events if isinstance(event, WpduReceived)]
    assert scan.rows == [
        (e.start, e.wpdu.source_wport, e.wpdu.destination_wport, len(e.wpdu.data)) for e in whole
    ]
    assert scan.stop == decoder.position
    if scan.bad_version:
        assert isinstance(events[-1], BadVersion)
    datagram = decode_datagram(octets)
    assert list(datagram.wpdus) == whole
    assert (datagram.problem is None) == bool(whole)


@given(st.binary(max_size=80))
def test_any_octets_are_survived(octets):
    """Whatever comes: no exception, and every octet is accounted for."""
    decoder = WpduDecoder()
    decoder.feed(octets)
    seen = 0
    for event in decoder.events():
        seen = event.stop if isinstance(event, WpduReceived) else seen
    rest = decoder.close()
    assert octets[seen:] == (rest.octets if rest else b"")
    result = decode_datagram(octets)
    assert result.wpdus or result.problem is not None


def test_scan_starts_anywhere_and_says_where_it_stopped():
    """At a truncated WPDU, at a bad version, or at the end."""
    assert scan_headers(b"xx" + RLRQ + RLRE[:9], 2) == HeaderScan([(2, 16, 1, 2)], 12, False)
    assert scan_headers(RLRQ + b"\x7e" * 8) == HeaderScan([(0, 16, 1, 2)], 10, True)
    assert scan_headers(memoryview(RLRQ)) == HeaderScan([(0, 16, 1, 2)], 10, False)


def test_shared_wpdu_vectors():
    """WPDUs from the field: whole ones decode and encode to the same octets, broken ones say how."""
    outcomes = set()
    for vector in vectors("wpdu"):
        octets = bytes.fromhex(vector["hex"])
        (event,) = in_pieces(octets, len(octets))
        if "version" in vector["name"] and vector["expect"] == "error":
            assert event == BadVersion(octets[:8], 0), vector["name"]
            assert in_pieces(octets, 1) == [BadVersion(octets[:2], 0)]
        elif vector["expect"] == "incomplete":
            assert isinstance(event, Truncated), vector["name"]
            assert event.header == WpduHeader(1, 1, 102, 222)
            assert event.missing == 8 + 222 - len(octets)
        else:
            assert three_ways(octets) == [event]
            assert event.wpdu.encode() == octets, vector["name"]
        outcomes.add(type(event))
    assert outcomes == {WpduReceived, BadVersion, Truncated}


def test_shared_streams_that_are_no_wrapper():
    """HDLC over TCP is told from a WPDU by its first octets."""
    for vector in vectors("stream"):
        if vector["expect"] == "not-wrapper":
            assert isinstance(in_pieces(bytes.fromhex(vector["hex"]), 1)[0], BadVersion), vector["name"]


def test_real_capture_one_wpdu_a_segment():
    """A public capture of a meter: every segment with payload is one whole WPDU, as dpkt cuts them."""
    count = 0
    with shared("captures/DLMS_list.pcap").open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            payload = bytes(dpkt.ethernet.Ethernet(frame).data.data.data)
            if payload[:2] != b"\x00\x01":
                continue
            (event,) = in_pieces(payload, 3)
            assert event.stop == len(payload) == 8 + int.from_bytes(payload[6:8], "big")
            assert event.wpdu.encode() == payload
            count += 1
    assert count == 8


@pytest.mark.parametrize("field", range(4))
def test_every_field_of_a_header_takes_all_of_16_bits(field):
    """0 and 65535 are said as they are; what does not fit is refused."""
    for value in (0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF):
        header = WpduHeader(1, 16, 1, 2)._replace(**{WpduHeader._fields[field]: value})
        octets = header.encode()
        assert octets[2 * field : 2 * field + 2] == value.to_bytes(2, "big")
        assert decode_header(octets) == header
    for value in (-1, 0x10000):
        with pytest.raises(ValueError, match="0 to 65535"):
            WpduHeader(1, 16, 1, 2)._replace(**{WpduHeader._fields[field]: value}).encode()


@given(before=st.integers(0, 12), count=st.integers(-2, 40), fed=st.integers(0, 30))
def test_octets_that_are_skipped_are_the_next_ones(before, count, fed):
    """As many as were asked for or are there, whatever was read before; reading goes on behind them."""
    junk = bytes(range(100, 100 + fed))
    decoder = WpduDecoder()
    decoder.feed(RLRQ * before)
    assert len(decoder.events()) == before
    decoder.feed(junk)
    assert decoder.skip(count) == junk[: max(count, 0)]
    assert decoder.position == len(RLRQ) * before + len(junk[: max(count, 0)])
    assert decoder.peek(0, 100) == junk[max(count, 0) :]
