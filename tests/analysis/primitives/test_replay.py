"""Primitives of captured traffic: what the users at each end said and heard, as the standard draws it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.primitives.replay import Replay
from cosemscope.analysis.primitives.stream_ends import Occurred, Refused, Told
from cosemscope.capture.files.reader import open_capture
from cosemscope.transport.parameters import DisconnectReason, ReasonOfFailure
from cosemscope.transport.primitives import (
    TcpConnectConfirm,
    TcpDataIndication,
    TcpDataRequest,
    TcpDisconnectIndication,
    UdpDataIndication,
)
from tests.helpers.shared import shared
from tests.helpers.wire import ACK, CLIENT, FIN, RST, SERVER, SYN, Tcp, Wire, analyse, get_request, wpdu

REQUEST, ANSWER = get_request(1), wpdu(b"\xc4\x01\xc1\x00\x09\x01\x41", 1, 16)
OPENING = [
    (0, "TCP-CONNECT.request"),
    (0, "TCP-CONNECT.confirm"),
    (1, "TCP-CONNECT.indication"),
    (1, "TCP-CONNECT.response"),
]


def data(sender: int) -> list[tuple[int, str]]:
    """Figure 10: one WPDU."""
    return [
        (sender, "TCP-DATA.request"),
        (sender, "TCP-DATA.confirm"),
        (1 - sender, "TCP-DATA.indication"),
    ]


def told(wire: Wire, folder: Path, stream: int = 0) -> list[Told]:
    return list(Replay(analyse(wire, folder)).told(stream))


def names(told: list[Told]) -> list[tuple[int, str]]:
    """End and name of each primitive; a refusal is named by its clause."""
    return [(one.end, one.clause if isinstance(one, Refused) else one.primitive.name) for one in told]


def test_a_connection_from_its_first_to_its_last_segment(tmp_path: Path) -> None:
    """Figures 8, 10 and 9: the whole life of a connection, each primitive once, at its end and packet."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, REQUEST)
    tcp.say(1, ANSWER)
    tcp.close()
    found = told(wire, tmp_path)
    assert names(found) == [
        *OPENING,
        *data(0),
        *data(1),
        (0, "TCP-DISCONNECT.request"),
        (1, "TCP-DISCONNECT.indication"),
        (1, "TCP-DISCONNECT.response"),
        (0, "TCP-DISCONNECT.confirm"),
    ]
    assert [one.packet for one in found] == [0, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6]
    assert [one.row for one in found] == [-1] * 4 + [0] * 3 + [1] * 3 + [-1] * 4


def test_ends_see_the_connection_from_their_own_side(tmp_path: Path) -> None:
    """Local and remote are those of the end at which the primitive occurs."""
    wire = Wire()
    Tcp(wire).handshake().say(0, REQUEST)
    request, _, indication = (one.primitive for one in told(wire, tmp_path)[4:] if isinstance(one, Occurred))
    assert isinstance(request, TcpDataRequest)
    assert isinstance(indication, TcpDataIndication)
    assert request.quadruple == (*CLIENT, *SERVER)
    assert indication.quadruple == (*SERVER, *CLIENT)
    assert (request.local_wport, request.remote_wport) == (16, 1)
    assert (indication.local_wport, indication.remote_wport) == (1, 16)
    assert request.data == indication.data == REQUEST[8:]


def test_a_wpdu_in_pieces_is_asked_for_at_its_first_octet_and_indicated_at_its_last(tmp_path: Path) -> None:
    """6.3.3: a WPDU may come in several packets; nobody is told of a part of it."""
    wire = Wire()
    Tcp(wire).handshake().say(0, REQUEST, (3, 12))
    request, _, indication = told(wire, tmp_path)[4:]
    assert (request.packet, indication.packet) == (3, 5)
    assert indication.time - request.time == 2_000_000


def test_what_tcp_sends_again_is_told_once(tmp_path: Path) -> None:
    """SYN, data and FIN are each repeated: the users notice nothing."""
    wire = Wire()
    tcp = Tcp(wire)
    tcp.packet(0, -1, flags=SYN)
    tcp.handshake()
    tcp.say(0, REQUEST)
    tcp.packet(0, 0, REQUEST)
    tcp.close()
    tcp.packet(0, tcp.sent[0], flags=FIN | ACK)
    assert len(told(wire, tmp_path)) == len(OPENING) + 3 + 4


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (RST | ACK, [(0, "TCP-CONNECT.request"), (0, "TCP-CONNECT.confirm")]),
        (None, [(0, "TCP-CONNECT.request")]),
    ],
)
def test_a_connection_that_never_came_about(
    tmp_path: Path, flags: int | None, expected: list[tuple[int, str]]
) -> None:
    """A refused SYN is confirmed with FAILURE; of one without an answer nobody knows more."""
    wire = Wire()
    tcp = Tcp(wire)
    tcp.packet(0, -1, flags=SYN)
    if flags is not None:
        tcp.packet(1, -1, flags=flags, ack=0)
    found = told(wire, tmp_path)
    assert names(found) == expected
    if flags is not None:
        assert isinstance(found[1], Occurred)
        assert isinstance(found[1].primitive, TcpConnectConfirm)
        assert found[1].primitive.reason_of_failure is ReasonOfFailure.REFUSED


@pytest.mark.parametrize(
    "octets", [b"", b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n", b"\x7e\xa0\x07\x03!\x93\x0f\x01~"]
)
def test_a_connection_without_wpdus_has_its_beginning_and_its_end(octets: bytes, tmp_path: Path) -> None:
    """Whatever it carries, or nothing, that is no WPDU: its ends open and close it, and refuse nothing."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    if octets:
        tcp.say(0, octets)
    tcp.close()
    analysis = analyse(wire, tmp_path)
    assert Replay(analysis).streams() == [0]
    assert names(list(Replay(analysis).told(0))) == [
        *OPENING,
        (0, "TCP-DISCONNECT.request"),
        (1, "TCP-DISCONNECT.indication"),
        (1, "TCP-DISCONNECT.response"),
        (0, "TCP-DISCONNECT.confirm"),
    ]


def test_a_connection_without_wpdus_that_is_reset(tmp_path: Path) -> None:
    """The end that gets the RST learns of it; a SYN that is taken back was asked for all the same."""
    wire = Wire()
    Tcp(wire).handshake().packet(1, 0, flags=RST)
    assert names(told(wire, tmp_path)) == [
        *OPENING,
        (0, "TCP-ABORT.indication"),
        (0, "TCP-DISCONNECT.indication"),
    ]
    taken_back = Wire()
    tcp = Tcp(taken_back)
    tcp.packet(0, -1, flags=SYN)
    tcp.packet(0, 0, flags=RST)
    assert names(told(taken_back, tmp_path)) == [(0, "TCP-CONNECT.request")]


def test_flows_of_other_datagrams_have_no_primitives(tmp_path: Path) -> None:
    """What is sent there is none of the transport layer."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, b"SSDP is not DLMS")
    assert Replay(analyse(wire, tmp_path)).streams() == []


def test_a_reset_is_an_abort_at_the_end_that_gets_it(tmp_path: Path) -> None:
    """Figure A.5: the application layer and the manager learn that the connection is gone."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, REQUEST)
    tcp.packet(1, 0, flags=RST)
    found = told(wire, tmp_path)[7:]
    assert names(found) == [(0, "TCP-ABORT.indication"), (0, "TCP-DISCONNECT.indication")]
    assert isinstance(found[1], Occurred)
    assert isinstance(found[1].primitive, TcpDisconnectIndication)
    assert found[1].primitive.reason is DisconnectReason.ABORT


def test_a_fin_inside_a_wpdu_is_refused(tmp_path: Path) -> None:
    """The peer's users never get the broken WPDU; they are told that the connection is gone."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, REQUEST)
    tcp.say(1, ANSWER[:10])
    tcp.packet(1, 10, flags=FIN | ACK)
    found = told(wire, tmp_path)[7:]
    assert names(found) == [
        (1, "TCP-DATA.request"),
        (1, "TCP-DATA.confirm"),
        (1, "TCP-DISCONNECT.request"),
        (0, "IEC 62056-4-7, 5.3.3 and 6.3.3"),
        (0, "TCP-ABORT.indication"),
        (0, "TCP-DISCONNECT.indication"),
    ]


def test_octets_that_are_no_wpdu_are_refused_and_the_traffic_goes_on(tmp_path: Path) -> None:
    """A transport layer of the standard would have ended the connection; these devices did not."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, REQUEST)
    tcp.say(0, b"\xde\xad\xbe\xef" * 5)
    tcp.say(0, get_request(2))
    tcp.say(1, ANSWER)
    assert names(told(wire, tmp_path)) == [
        *OPENING,
        *data(0),
        (1, "IEC 62056-4-7, 5.3.2 and 6.3.2"),
        *data(0),
        *data(1),
    ]


@pytest.mark.parametrize("snap", [54, 62, 70])
def test_what_the_capture_cut_off_is_not_held_against_the_devices(tmp_path: Path, snap: int) -> None:
    """A short snap length, or a hole, hides octets that arrived all the same."""
    wire = Wire(snap=snap)
    tcp = Tcp(wire).handshake()
    for number in range(4):
        tcp.say(0, get_request(number))
    tcp.close()
    analysis = analyse(wire, tmp_path)
    assert not [one for one in Replay(analysis).told(0) if isinstance(one, Refused)]


def test_a_hole_is_not_held_against_the_devices(tmp_path: Path) -> None:
    """The WPDU behind a hole is indicated, that within it was not seen, and nothing is refused."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, REQUEST)
    tcp.sent[0] += 15
    tcp.say(0, get_request(3)[7:] + get_request(4))
    tcp.close()
    found = told(wire, tmp_path)
    assert not [one for one in found if isinstance(one, Refused)]
    assert names(found)[-4:] == [
        (0, "TCP-DISCONNECT.request"),
        (1, "TCP-DISCONNECT.indication"),
        (1, "TCP-DISCONNECT.response"),
        (0, "TCP-DISCONNECT.confirm"),
    ]


def test_a_capture_that_begins_in_the_middle_invents_no_beginning(tmp_path: Path) -> None:
    """Without a handshake nobody knows when the connection was asked for."""
    wire = Wire()
    tcp = Tcp(wire)
    tcp.say(0, REQUEST)
    tcp.say(1, ANSWER)
    assert names(told(wire, tmp_path)) == [*data(0), *data(1)]


def test_datagrams(tmp_path: Path) -> None:
    """5.2 and 5.3: a request is confirmed by UDP at its own end and indicated to the peer."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, REQUEST)
    wire.udp(SERVER, CLIENT, ANSWER)
    found = told(wire, tmp_path)
    assert names(found) == [(end, name.replace("TCP", "UDP")) for end, name in (*data(0), *data(1))]


def test_a_datagram_with_two_wpdus_is_refused_where_it_arrives(tmp_path: Path) -> None:
    """5.3.3: one WPDU a datagram; the WPDUs are told with their own rows."""
    wire = Wire()
    wire.udp(CLIENT, SERVER, REQUEST)
    wire.udp(CLIENT, SERVER, get_request(2) + get_request(3))
    found = told(wire, tmp_path)
    assert names(found)[-2:] == [(1, "UDP-DATA.indication"), (1, "IEC 62056-4-7, 5.3.3")]
    rows = [
        one.row for one in found if isinstance(one, Occurred) and isinstance(one.primitive, UdpDataIndication)
    ]
    assert rows == sorted(set(rows))


def test_all_station_reaches_every_logical_device(tmp_path: Path) -> None:
    """Table 1: the wPort 127 of a server is nobody's own."""
    wire = Wire()
    for device in (1, 17):
        wire.udp(CLIENT, SERVER, wpdu(REQUEST[8:], 16, device))
        wire.udp(SERVER, CLIENT, wpdu(ANSWER[8:], device, 16))
    wire.udp(CLIENT, SERVER, wpdu(REQUEST[8:], 16, 127))
    indications = [one.primitive for one in told(wire, tmp_path)[-2:] if isinstance(one, Occurred)]
    assert [
        (one.local_wport, one.broadcast) for one in indications if isinstance(one, UdpDataIndication)
    ] == [(1, True), (17, True)]


def test_a_wpdu_to_no_station_is_discarded(tmp_path: Path) -> None:
    """5.3.5: a WPDU for nobody reaches nobody; who sends as No-station evidently is somebody."""
    wire = Wire()
    tcp = Tcp(wire).handshake()
    tcp.say(0, wpdu(REQUEST[8:], 16, 0))
    assert names(told(wire, tmp_path))[-1] == (1, "IEC 62056-4-7, 5.3.5")
    tcp.say(1, wpdu(ANSWER[8:], 0, 16))
    assert names(told(wire, tmp_path))[-6:] == [*data(0), *data(1)]


_STEPS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 40), st.lists(st.integers(1, 47), max_size=3)), max_size=12
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS, st.sampled_from(["none", "fin", "rst", "cut"]), st.booleans())
def test_every_wpdu_is_asked_for_confirmed_and_indicated_once(
    tmp_path: Path, steps: list[tuple[int, int, list[int]]], end: str, begun: bool
) -> None:
    """Any conversation in any pieces: nothing raises, and no primitive is lost, doubled or out of order."""
    wire = Wire()
    tcp = Tcp(wire).handshake() if begun else Tcp(wire)
    tcp.say(0, REQUEST)
    for side, length, cuts in steps:
        octets = get_request(length, 13 + length) if side == 0 else ANSWER + b""
        tcp.say(side, octets, sorted(cut for cut in set(cuts) if cut < len(octets)))
    if end == "fin":
        tcp.close()
    elif end == "rst":
        tcp.packet(1, tcp.sent[1], flags=RST)
    elif end == "cut":
        tcp.say(0, REQUEST[:9])
    found = told(wire, tmp_path)
    assert not [one for one in found if isinstance(one, Refused)]
    about = [(one.row, one.primitive.name) for one in found if isinstance(one, Occurred) and one.row >= 0]
    whole = len(steps) + 1
    for row in range(whole):
        assert [name for of, name in about if of == row] == [name for _, name in data(0)]
    assert not [name for of, name in about if of >= whole and name == "TCP-DATA.indication"]
    assert [one.packet for one in found] == sorted(one.packet for one in found)


def test_the_meter_of_a_real_capture() -> None:
    """A real session: as many data primitives of each kind as WPDUs, one connection, nothing refused."""
    with open_capture(shared("captures/Output.pcap")) as reader:
        analysis = Analysis(reader).run()
        replay = Replay(analysis)
        found = [one for stream in replay.streams() for one in replay.told(stream)]
    counted = [name for _, name in names(found)]
    for name in ("TCP-DATA.request", "TCP-DATA.confirm", "TCP-DATA.indication"):
        assert counted.count(name) == len(analysis.wpdus)
    assert not [one for one in found if isinstance(one, Refused)]
