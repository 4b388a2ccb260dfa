"""UDP: one WPDU a datagram, and what becomes of datagrams that hold something else."""

import struct
from pathlib import Path

import pytest

from cosemscope.streams.decode_as import parse_decode_as
from cosemscope.streams.reassembly import udp_flows
from cosemscope.streams.reassembly.udp_flows import UdpFlows
from cosemscope.streams.recognition import MAX_SEGMENTS
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import SEVERAL, TRAILING
from cosemscope.streams.tables.wpdu_table import Mark
from tests.apdu.hdlc_encoder import COMMAND, GET, RESPONSE, frame, i_control
from tests.helpers.made_streams import Made, Sent
from tests.helpers.wire import CLIENT, SERVER, Wire, analyse, contents, get_request, get_response, rows, wpdu

ONE, TWO = get_request(1), get_response(1)


def _wire(*datagrams: bytes, snap: int = 1 << 18) -> Wire:
    wire = Wire(snap=snap)
    wire.udp(CLIENT, SERVER, ONE)
    wire.udp(SERVER, CLIENT, TWO)
    for octets in datagrams:
        wire.udp(CLIENT, SERVER, octets)
    return wire


def test_a_wpdu_a_datagram(tmp_path: Path) -> None:
    """Both directions of a flow; who sends requests is its client."""
    analysis = analyse(_wire(), tmp_path)
    assert contents(analysis) == [ONE, TWO]
    assert analysis.wpdus["direction"].tolist() == [0, 1]
    assert analysis.statistics()["udp_flows"] == 1


def test_several_wpdus_and_trailing_octets_are_decoded_and_marked(tmp_path: Path) -> None:
    """Against the rule of one WPDU a datagram, yet each is shown."""
    analysis = analyse(_wire(ONE + TWO, ONE + b"xyz"), tmp_path)
    assert contents(analysis) == [ONE, TWO, ONE, TWO, ONE]
    assert analysis.wpdus["marks"].tolist() == [0, 0, Mark.SHARED, Mark.SHARED, Mark.TRAILING]
    assert analysis.expert_items["kind"].tolist() == [SEVERAL.number, TRAILING.number]
    assert analysis.expert_items["amount"].tolist() == [2, 3]
    assert analysis.statistics()["skipped_bytes"] == 3


def test_a_truncated_datagram_is_a_truncated_wpdu(tmp_path: Path) -> None:
    """The sender's length is more than came."""
    analysis = analyse(_wire(ONE[:-4]), tmp_path)
    assert contents(analysis)[2:] == [ONE[:-4]]
    assert analysis.wpdus["marks"].tolist() == [0, 0, Mark.TRUNCATED]
    assert analysis.statistics()["wpdus"] == 2


def test_the_snap_length_costs_octets(tmp_path: Path) -> None:
    """What it cut off is missing."""
    long = get_request(1, 200)
    analysis = analyse(_wire(long, snap=28 + 60), tmp_path)
    assert analysis.wpdus["size"].tolist() == [len(ONE), len(TWO), 60]
    assert analysis.statistics()["missing_bytes"] == len(long) - 60


def test_what_is_no_wpdu_is_skipped(tmp_path: Path) -> None:
    """A bad version, or too few octets for a header."""
    analysis = analyse(_wire(wpdu(b"\x62\x00", version=2), b"\x00\x01\x00"), tmp_path)
    assert len(analysis.wpdus) == 2
    assert analysis.statistics()["skipped_bytes"] == 10 + 3


def test_an_unknown_tag_counts_in_a_flow_that_is_recognised(tmp_path: Path) -> None:
    """But does not make one: before the first believable WPDU nothing is claimed."""
    odd = wpdu(b"\x54\x01")
    wire = Wire()
    wire.udp(CLIENT, SERVER, odd)
    wire.udp(CLIENT, SERVER, ONE)
    wire.udp(CLIENT, SERVER, odd)
    for records in (1, 2, 65536):
        analysis = analyse(wire, tmp_path, records=records)
        assert contents(analysis) == [ONE, odd]


@pytest.mark.parametrize("octets", [bytes.fromhex("000100002112a442") + bytes(12), bytes(40), b"M-SEARCH *"])
def test_other_protocols_are_left_alone(octets: bytes, tmp_path: Path) -> None:
    """Also on 4059."""
    wire = Wire()
    for _ in range(50):
        wire.udp(CLIENT, SERVER, octets)
    analysis = analyse(wire, tmp_path)
    assert not len(analysis.wpdus)
    assert analysis.streams["framing"][0] >= Framing.UNKNOWN


def test_batches_make_no_difference(tmp_path: Path) -> None:
    """The same rows however the file is cut into batches."""
    wire = _wire(ONE + TWO, TWO[:-1], ONE, b"??", ONE + b"x", TWO)
    assert rows(analyse(wire, tmp_path, records=1)) == rows(analyse(wire, tmp_path))


@pytest.mark.parametrize("records", [1, 65536])
def test_a_begun_apdu_of_hdlc_stands_where_its_end_was_noticed(records: int, tmp_path: Path) -> None:
    """A cut datagram ends an APDU in segments: its row follows the WPDU that came meanwhile, in any batch."""
    meter = {"destination": b"\x21", "source": b"\x03"}
    wire = Wire(snap=28 + 60)
    wire.udp(CLIENT, SERVER, frame(i_control(0), COMMAND + GET))
    wire.udp(SERVER, CLIENT, frame(i_control(0), RESPONSE + b"\xc4\x01\xc1\x00", segmented=True, **meter))
    wire.udp(CLIENT, ("10.0.0.9", 4059), ONE)
    wire.udp(SERVER, CLIENT, frame(i_control(1), RESPONSE + bytes(90), **meter))
    analysis = analyse(wire, tmp_path, records=records)
    assert analysis.wpdus["first_packet"].tolist() == [0, 2, 1]
    assert analysis.wpdus["marks"].tolist() == [0, 0, Mark.TRUNCATED]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_only_datagram_of_a_flow_may_have_trailing_octets(swapped: bool, tmp_path: Path) -> None:
    """A whole APDU that is sound to its last octet is evidence enough, whatever stands behind it."""
    octets = get_sound()
    if swapped:
        octets = struct.pack("<4H", *struct.unpack(">4H", octets[:8])) + octets[8:]
    wire = Wire()
    wire.udp(CLIENT, SERVER, octets + b"xyz")
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [octets]
    assert analysis.wpdus["marks"].tolist() == [Mark.TRAILING]
    assert analysis.expert_items["kind"].tolist() == [TRAILING.number]


def test_on_the_registered_port_a_believable_beginning_will_do(tmp_path: Path) -> None:
    """An APDU with something wrong in it, and octets behind its WPDU: on another port that tells nothing."""
    odd = ONE + b"xyz"
    wire = Wire()
    wire.udp(CLIENT, SERVER, odd)
    wire.udp(CLIENT, (SERVER[0], SERVER[1] + 1), odd)
    wire.udp(CLIENT, ("10.0.0.7", SERVER[1]), bytes.fromhex("000100000006000301000002"))  # Modbus
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [ONE]
    assert analysis.streams["framing"].tolist() == [Framing.WRAPPER, Framing.UNKNOWN, Framing.UNKNOWN]


def get_sound() -> bytes:
    """A GET request of one attribute, every octet of it."""
    return wpdu(bytes.fromhex("c001c100080000010000ff0200"))


@pytest.mark.parametrize("records", [1, 7, 65536])
def test_heartbeats_do_not_hide_what_comes_after_them(records: int, tmp_path: Path) -> None:
    """A modem that sends a word every minute, and one day a WPDU: from there on the flow is DLMS."""
    wire = Wire()
    for _ in range(MAX_SEGMENTS + 8):
        wire.udp(CLIENT, SERVER, b"heartbeat")
    wire.udp(CLIENT, SERVER, TWO + b"??")
    wire.udp(SERVER, CLIENT, get_sound())
    wire.udp(CLIENT, SERVER, b"heartbeat")
    wire.udp(CLIENT, SERVER, TWO)
    analysis = analyse(wire, tmp_path, records=records)
    assert analysis.wpdus["direction"].tolist() == [0, 1]
    assert contents(analysis) == [get_sound(), TWO]
    assert analysis.streams["framing"].tolist() == [Framing.WRAPPER]
    assert analysis.statistics()["skipped_bytes"] == len(b"heartbeat")


def test_what_the_user_declared_no_dlms_stays_so(tmp_path: Path) -> None:
    """However many WPDUs come."""
    rules = parse_decode_as(["udp:4059=none"])
    analysis = analyse(_wire(*[ONE] * MAX_SEGMENTS), tmp_path, decode_as=rules)
    assert not len(analysis.wpdus)


def test_rtp_with_an_extension_is_no_iec_61334_4_32(tmp_path: Path) -> None:
    """It begins with 90, as the data units of that standard do, in every datagram."""
    wire = Wire()
    for number in range(256):
        wire.udp(CLIENT, SERVER, struct.pack(">BBHII", 0x90, 96, number, 160 * number, 7) + bytes(40))
    analysis = analyse(wire, tmp_path)
    assert not len(analysis.wpdus)
    assert analysis.streams["framing"].tolist() == [Framing.UNKNOWN]


def _swap(octets: bytes) -> bytes:
    return struct.pack("<4H", *struct.unpack(">4H", octets[:8])) + octets[8:]


FRAME = frame(i_control(0), COMMAND + GET)
LLC = b"\x90\x01\x10" + GET
BARE = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0")


def _taken(*sent: Sent | bytes, framing: Framing = Framing.UNDECIDED, finish: bool = False) -> Made:
    """What becomes of these datagrams, in one batch; flows whose framing is known already, or not."""
    made = Made([one if isinstance(one, Sent) else Sent(one) for one in sent])
    for one in sent:
        if isinstance(one, Sent):
            one.protocol = 17
    made.packets["protocol"][:] = 17
    made.batch = type(made.batch).of(made.packets, made.batch.rows, made.batch.stream)
    made.streams["protocol"][:] = 17
    made.streams["framing"][:] = framing
    flows = UdpFlows(made.streams, made.source, made.output)
    flows.add(made.batch)
    if finish:
        flows.finish(len(sent))
    made.flush()
    return made


@pytest.mark.parametrize(
    ("octets", "framing", "rows"),
    [
        (ONE, Framing.WRAPPER, [(16, 13, 0xC0, 0)]),
        (_swap(ONE), Framing.SWAPPED, [(16, 13, 0xC0, 0)]),
        (FRAME, Framing.HDLC, [(16, 13, 0xC0, 0)]),
        (LLC, Framing.IEC_61334_4_32, [(16, 13, 0xC0, 0)]),
        (BARE, Framing.BARE, [(0, 31, 0x60, 0)]),
        (ONE[:-1], Framing.UNDECIDED, []),
        (ONE[:9], Framing.UNDECIDED, []),
        (b"?", Framing.UNDECIDED, []),
    ],
)
def test_what_the_first_datagram_of_a_flow_tells(octets: bytes, framing: Framing, rows: list) -> None:
    """Its framing, and the row that it is: source wPort, length, tag, marks."""
    made = _taken(octets)
    assert made.streams["framing"].tolist() == [framing]
    assert made.told("source_wport", "length", "apdu_tag", "marks") == rows


@pytest.mark.parametrize(
    ("framing", "octets", "cut", "rows", "items"),
    [
        (Framing.WRAPPER, ONE, 0, [(13, 0xC0, 21, 0)], []),
        (Framing.WRAPPER, wpdu(b""), 0, [(0, -1, 8, 0)], []),
        (Framing.WRAPPER, wpdu(b"\x54"), 0, [(1, 0x54, 9, 0)], []),
        (Framing.WRAPPER, ONE, 4, [(13, 0xC0, 17, 1)], [("snap-length", 17, 4)]),
        (Framing.WRAPPER, ONE + b"??", 2, [(13, 0xC0, 21, 0)], [("snap-length", 21, 2)]),
        (
            Framing.WRAPPER,
            ONE + wpdu(b""),
            0,
            [(13, 0xC0, 21, Mark.SHARED), (0, -1, 8, Mark.SHARED)],
            [("several-wpdus", 0, 2)],
        ),
        (Framing.WRAPPER, ONE[:8], 0, [(13, -1, 8, 1)], []),
        (Framing.WRAPPER, ONE[:7], 0, [], [("skipped-octets", 0, 7)]),
        (Framing.WRAPPER, b"?" * 12, 0, [], [("skipped-octets", 0, 12)]),
        (Framing.WRAPPER, ONE + b"?", 0, [(13, 0xC0, 21, 8)], [("trailing-octets", 21, 1)]),
        (Framing.SWAPPED, _swap(ONE), 0, [(13, 0xC0, 21, 0)], []),
        (Framing.SWAPPED, _swap(TWO)[:-1], 0, [(20, 0xC4, 27, 1)], []),
        (Framing.HDLC, LLC, 0, [(13, 0xC0, 16, 0)], []),  # data units among frames
        (Framing.HDLC, FRAME[:-3], 3, [], [("snap-length", len(FRAME) - 6, 3), ("cut-frame", 0, 6)]),
        (Framing.BARE, GET, 0, [(13, 0xC0, 13, 0)], []),
        (Framing.IEC_61334_4_32, LLC, 2, [(13, 0xC0, 14, 1)], [("snap-length", 14, 2)]),
        (Framing.UNKNOWN, ONE, 0, [], []),
        (Framing.UNKNOWN, ONE, 4, [], [("snap-length", 17, 4)]),
    ],
)
def test_a_datagram_of_a_flow_that_is_known(
    framing: Framing, octets: bytes, cut: int, rows: list, items: list
) -> None:
    """Rows by length, tag, size and marks; items by their spans in the datagram."""
    made = _taken(Sent(octets, cut=cut), framing=framing)
    assert made.told("length", "apdu_tag", "size", "marks") == rows
    assert [(kind, start, amount) for kind, _, _, _, start, amount in made.found()] == items


def test_each_flow_and_direction_has_its_own_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of APDUs of two flows in turns; of those that are waited for the oldest goes first."""
    halves = [
        frame(i_control(number), part, segmented=not number, destination=b"\x21", source=b"\x03")
        for number, part in enumerate((RESPONSE + b"\xc4\x01\xc1\x00", b"\x11\x05"))
    ]
    sent = [(0, 0), (1, 0), (0, 1), (1, 1)]
    datagrams = [Sent(halves[number], stream=stream, side=1) for stream, number in sent]
    made = _taken(*datagrams, framing=Framing.HDLC)
    assert made.told("stream", "first_packet", "last_packet", "length") == [(0, 0, 2, 6), (1, 1, 3, 6)]
    monkeypatch.setattr(udp_flows, "MAX_HDLC", 1)
    made = _taken(*(Sent(one.octets, stream=one.stream, side=1) for one in datagrams), framing=Framing.HDLC)
    cut = [row for row in made.told("first_packet", "marks") if row[1] & Mark.TRUNCATED]
    assert cut[:2] == [(0, Mark.TRUNCATED), (1, Mark.TRUNCATED)]


def test_the_end_cuts_what_is_begun_and_decides_what_waits() -> None:
    """An APDU in segments is a truncated row; a flow in which nothing was recognised carries no DLMS."""
    begun = frame(i_control(0), RESPONSE + b"\xc4\x01", segmented=True, destination=b"\x21", source=b"\x03")
    made = _taken(Sent(begun), Sent(b"?", stream=1), finish=True)
    assert made.told("stream", "marks") == [(0, Mark.TRUNCATED)]
    assert made.streams["framing"].tolist() == [Framing.HDLC, Framing.UNKNOWN]


def test_who_asks_is_the_client_of_a_flow() -> None:
    """By the APDU that told the framing, whichever side sent it; items found before turn with it."""
    made = _taken(Sent(b"?", side=1), Sent(ONE, side=1), Sent(TWO), Sent(b"??", cut=1))
    assert made.streams["client_side"].tolist() == [1]
    assert made.told("direction") == [(0,), (1,)]
    assert {item[2] for item in made.found()} == {1}
