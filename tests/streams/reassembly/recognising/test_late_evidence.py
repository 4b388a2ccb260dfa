"""Late evidence: what tells that a stream carries DLMS after all, and what does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cosemscope.streams.decode_as import parse_decode_as
from cosemscope.streams.tables.framing import Framing
from tests.apdu.hdlc_encoder import COMMAND, GET, frame, i_control
from tests.helpers.shared import shared
from tests.helpers.stream_truth import analyse as analyse_file
from tests.helpers.wire import Tcp, Wire, analyse, contents, get_request, get_response, wpdu

both_ways = pytest.mark.parametrize("one_by_one", [False, True])
OTHER = ("10.0.0.2", 8080)
#: GET request of a register, which is sound to its last octet.
SOUND = wpdu(bytes.fromhex("c001c1000301000108 00ff0200".replace(" ", "")))


def foreign(connection: Tcp, count: int = 40) -> Tcp:
    """So many segments of a connection that are nothing known."""
    for number in range(count):
        connection.say(number & 1, bytes([0x80 | number & 0x3F]) * 60)
    return connection


def told(connection: Tcp, folder: Path, *, one_by_one: bool = False) -> tuple[Framing, list[bytes]]:
    analysis = analyse(connection.wire, folder, one_by_one=one_by_one, records=16)
    assert len(analysis.streams) == 1
    return Framing(int(analysis.streams["framing"][0])), contents(analysis)


@both_ways
def test_one_believable_wpdu_opens_a_stream_again(tmp_path: Path, one_by_one: bool) -> None:
    """On the registered port, whatever its APDU holds; those that follow are found too."""
    connection = foreign(Tcp(Wire()).handshake())
    sent = [get_request(1), get_response(1), get_request(2)]
    for number, octets in enumerate(sent):
        connection.say(number & 1, octets)
    assert told(connection, tmp_path, one_by_one=one_by_one) == (Framing.WRAPPER, sent)


@both_ways
def test_elsewhere_it_must_be_sound_or_the_second(tmp_path: Path, one_by_one: bool) -> None:
    """The first of two that are not sound is found too, once the second has come."""
    for sent, framing in (
        ([get_request(1)], Framing.UNKNOWN),
        ([SOUND], Framing.WRAPPER),
        ([get_request(1), get_request(2)], Framing.WRAPPER),
    ):
        connection = foreign(Tcp(Wire(), server=OTHER).handshake())
        for octets in sent:
            connection.say(0, octets)
        found = sent if framing is Framing.WRAPPER else []
        assert told(connection, tmp_path, one_by_one=one_by_one) == (framing, found)


@both_ways
@pytest.mark.parametrize(("headers", "framing"), [(2, Framing.UNKNOWN), (3, Framing.WRAPPER)])
def test_three_headers_in_a_chain_are_evidence_anywhere(
    tmp_path: Path, one_by_one: bool, headers: int, framing: Framing
) -> None:
    """Wherever they stand in the segments, in one or in several."""
    connection = foreign(Tcp(Wire()).handshake())
    wpdus = [get_response(number, 90) for number in range(headers)]
    octets = b"\xee" * 33 + b"".join(wpdus) + b"\xee" * 20
    connection.say(1, octets, range(50, len(octets), 50))
    found = wpdus if framing is Framing.WRAPPER else []
    assert told(connection, tmp_path, one_by_one=one_by_one)[1][:headers] == found
    assert told(connection, tmp_path, one_by_one=one_by_one)[0] is framing


@both_ways
@pytest.mark.parametrize(
    ("make", "framing"),
    [
        (lambda number: wpdu(bytes([0xF1, number]) * 9, 5, 6), Framing.WRAPPER),
        (lambda number: wpdu(bytes([0xF1, number]) * 9, 5, 0), Framing.UNKNOWN),
        (lambda number: wpdu(bytes([0xF1, number]) * 9, 5, number + 1), Framing.UNKNOWN),
        (lambda number: wpdu(bytes([0xF1, number]) * 9, 5, 6, version=2), Framing.UNKNOWN),
        (lambda number: wpdu(bytes([0xF1, number]) * 9, 5, 6) + b"?", Framing.UNKNOWN),
        (lambda number: b"?" if number == 9 else wpdu(bytes([0xF1, number]) * 9, 5, 6), Framing.UNKNOWN),
    ],
)
def test_a_dozen_exact_lengths_are_evidence(
    tmp_path: Path, one_by_one: bool, make: Callable[[int], bytes], framing: Framing
) -> None:
    """Of unknown tags, between the same wPorts, one segment after the other; anything else is none."""
    connection = foreign(Tcp(Wire(), server=OTHER).handshake(), 7)
    sent = [make(number) for number in range(20)]
    for octets in sent:
        connection.say(0, octets)
    found = sent if framing is Framing.WRAPPER else []
    assert told(connection, tmp_path, one_by_one=one_by_one) == (framing, found)


@both_ways
def test_behind_a_proxy_and_behind_an_ascii_opening(tmp_path: Path, one_by_one: bool) -> None:
    """HTTP CONNECT and the opening of IEC 62056-21 are preludes of a connection, not all of it."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, b"CONNECT meter:4059 HTTP/1.1\r\n\r\n")
    connection.say(1, b"HTTP/1.1 200 OK\r\n\r\n")
    connection.say(0, get_request(1))
    assert told(connection, tmp_path, one_by_one=one_by_one) == (Framing.WRAPPER, [get_request(1)])
    connection = Tcp(Wire()).handshake()
    connection.say(0, b"/?!\r\n")
    connection.say(1, b"/ABC5meter\r\n")
    connection.say(0, frame(i_control(0), COMMAND + GET))
    framing, found = told(connection, tmp_path, one_by_one=one_by_one)
    assert (framing, len(found)) == (Framing.HDLC, 1)


def test_what_is_declared_stays_so(tmp_path: Path) -> None:
    """A stream that the user has declared to be no DLMS is looked at no more."""
    connection = foreign(Tcp(Wire()).handshake())
    connection.say(0, get_request(1))
    analysis = analyse(connection.wire, tmp_path, decode_as=parse_decode_as(["4059=none"]))
    assert Framing(int(analysis.streams["framing"][0])) is Framing.UNKNOWN


@both_ways
def test_what_is_encrypted_or_remote_procedure_calls_is_left_alone(tmp_path: Path, one_by_one: bool) -> None:
    """TLS was recognised: what looks like a WPDU there is none."""
    connection = Tcp(Wire()).handshake()
    connection.say(0, b"\x16\x03\x01\x00\x05\x01\0\0\x01\0")
    connection.say(0, get_request(1))
    assert told(connection, tmp_path, one_by_one=one_by_one) == (Framing.TLS, [])


@both_ways
@pytest.mark.parametrize(
    ("name", "framing", "wpdus"),
    [
        ("bulk-push-midstream", Framing.WRAPPER, 33),
        ("heartbeats-257-short", Framing.WRAPPER, 8),
        ("mode-e-opening-then-hdlc", Framing.HDLC, 3),
    ],
)
def test_streams_that_were_lost(name: str, framing: Framing, wpdus: int, one_by_one: bool) -> None:
    """Captures in which nothing was found."""
    analysis = analyse_file(shared(f"cases/streams/{name}.pcap"), one_by_one=one_by_one)
    assert Framing(int(analysis.streams["framing"][0])) is framing
    assert len(analysis.wpdus) == wpdus
