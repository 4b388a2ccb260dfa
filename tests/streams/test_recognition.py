"""What is taken for DLMS and what is not, by content alone."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.streams.decode_as import parse_decode_as
from cosemscope.streams.recognition import (
    HEAD,
    MAX_SEGMENTS,
    Recogniser,
    apdu_begins,
    believable,
    frame_check,
)
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.wire import Tcp, Wire, analyse, contents, get_request, get_response, wpdu

AARQ = bytes.fromhex("601da109060760857405080101be10040e01000000065f1f0400007e1f04b0")
AARE = bytes.fromhex("6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400007c1f04000007")
PUSH = bytes.fromhex("0f00000001000203060000000112092406000003e8")
GENERAL_GLO = bytes.fromhex("db0854535400000000071a2000000010fe429c5787d402da2d5b6460ccc578eecb9d2d2a63")
SNRM = bytes.fromhex("7ea00703219 30f017e".replace(" ", ""))
STUN = bytes.fromhex("000100002112a442") + bytes(range(12))
STUN_LONG = bytes.fromhex("000100082112a442") + bytes(range(12)) + bytes.fromhex("8028000411223344")
CLASSIC_STUN = bytes.fromhex("00010008") + bytes(range(16)) + bytes.fromhex("0003000400000000")
TLS = bytes.fromhex("160301002f0100002b0303") + bytes(36)
RPCAP_AUTH = struct.pack(">BBHI", 0, 8, 0, 8) + bytes(8)
RPCAP_ERROR = struct.pack(">BBHI", 0, 1, 2, 22) + b"authentication failure"
MODBUS = bytes.fromhex("000100000006010300000002")
# Unit 0 and function 4: a length that is right, and addresses that begin like an APDU.
MODBUS_LIKE_DLMS = [
    bytes.fromhex("0001000000060004" + address + "0001") for address in ("0101", "0f00", "c001")
]
HTTP = b"GET /meters HTTP/1.1\r\nHost: a\r\n\r\n"
SSH = b"SSH-2.0-OpenSSH_9.2\r\n"


def _hdlc(length: int) -> bytes:
    """A frame with a right check sequence."""
    body = bytes([0xA0, length + 7]) + b"\x03\x21\x10" + b"\x5a" * length
    fcs = 0xFFFF
    for octet in body:
        fcs ^= octet
        for _ in range(8):
            fcs = fcs >> 1 ^ (0x8408 if fcs & 1 else 0)
    return b"\x7e" + body + struct.pack("<H", fcs ^ 0xFFFF) + b"\x7e"


def _swap(octets: bytes) -> bytes:
    return struct.pack("<4H", *struct.unpack(">4H", octets[:8])) + octets[8:]


@pytest.mark.parametrize(
    ("octets", "framing"),
    [
        (wpdu(AARQ), Framing.WRAPPER),
        (wpdu(AARQ, 0, 0), Framing.WRAPPER),
        (wpdu(AARQ) + wpdu(AARQ)[:9], Framing.WRAPPER),
        (_swap(wpdu(AARQ)), Framing.SWAPPED),
        (_hdlc(12), Framing.HDLC),
        (b"\x00\x0a\x7e\x13" + _hdlc(12), Framing.HDLC),
        (AARQ, Framing.BARE),
        (PUSH, Framing.BARE),
        (GENERAL_GLO, Framing.BARE),
        (b"\x90\x01\x01" + AARQ, Framing.IEC_61334_4_32),
        (b"/?00000001!\r\n", Framing.IEC_62056_21),
        (b"/ABC5METER-1\r\n", Framing.IEC_62056_21),
        (STUN, Framing.STUN),
        (STUN_LONG, Framing.STUN),
        (TLS, Framing.TLS),
        (RPCAP_AUTH, Framing.RPCAP),
        (HTTP, Framing.HTTP),
        (SSH, Framing.SSH),
    ],
)
def test_one_segment_tells(octets: bytes, framing: Framing) -> None:
    """Strong evidence decides at once."""
    assert Recogniser().add(0, octets) is framing


@pytest.mark.parametrize(
    "octets",
    [
        CLASSIC_STUN,
        RPCAP_ERROR,
        MODBUS,
        *MODBUS_LIKE_DLMS,
        b"\x90\x01\x01\xc0\x01" + bytes(9),
        b"\x90\x60\x12\x34\x00\x00\x12\x34\xde\xad\xbe\xef\x0f\x00",
        wpdu(AARQ, version=2),
        wpdu(b"\x54\x01\x02"),
        wpdu(AARQ)[:-1] + b"zz",
        wpdu(b"\xc0\x09\xc1"),
        _hdlc(12)[:-2] + b"\x00\x7e",
        b"",
        b"\x00",
        bytes(100),
        b"\xff" * 100,
    ],
)
def test_what_only_resembles_is_not_taken(octets: bytes) -> None:
    """A beginning 00 01, a length or a tag alone is no evidence; nothing here is claimed for anything."""
    assert Recogniser().add(0, octets) is Framing.UNDECIDED


@pytest.mark.parametrize(("octets", "most"), [(b"nothing known" * 3, MAX_SEGMENTS), (b"@", 8 * MAX_SEGMENTS)])
def test_patience_is_bounded(octets: bytes, most: int) -> None:
    """After so many segments without evidence a stream is unknown; heartbeats get more patience."""
    recogniser = Recogniser()
    decisions = [recogniser.add(number & 1, octets) for number in range(most)]
    assert set(decisions[:-1]) == {Framing.UNDECIDED}
    assert decisions[-1] is Framing.UNKNOWN


def test_a_wpdu_after_an_hour_of_heartbeats_is_recognised() -> None:
    """Modems send a few octets a minute until somebody reads the meter."""
    recogniser = Recogniser()
    for _ in range(60):
        assert recogniser.add(0, b"HB:0001234") is Framing.UNDECIDED
    request = bytes.fromhex("0001001000010018c001c100080000010000ff0200".ljust(64, "0"))
    assert recogniser.add(1, request) is Framing.WRAPPER


def test_an_exchange_of_bare_apdus_is_recognised_by_both_directions() -> None:
    """A request alone could be anything; with the answer of the same invoke-id it is DLMS."""
    recogniser = Recogniser()
    assert recogniser.add(0, bytes.fromhex("c001c100080000010000ff0200")) is Framing.UNDECIDED
    assert recogniser.add(1, bytes.fromhex("c401c10009060102")) is Framing.BARE


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=10, max_size=10), st.sampled_from(sorted(APDU_TAGS)), st.booleans())
def test_the_vector_and_the_scalar_rule_agree(octets: bytes, tag: int, plausible: bool) -> None:
    """One rule, two forms: for arrays of headers, and for one at a time."""
    if plausible:
        octets = b"\x00\x01" + octets[2:6] + b"\x00" + octets[7:8] + bytes([tag]) + octets[9:]
    head = np.frombuffer(octets, HEAD)
    length = int.from_bytes(octets[6:8], "big")
    modbus = octets[2:4] == b"\0\0" and int.from_bytes(octets[4:6], "big") == length + 2
    scalar = octets[:2] == b"\x00\x01" and not modbus and apdu_begins(octets, 8, length)
    assert bool(believable(head)[0]) is scalar


def test_frame_check() -> None:
    """A frame of a real meter, and the same with one bit changed."""
    frame = bytes.fromhex("a0070303938c11")
    assert frame_check(frame)
    assert not frame_check(frame[:-1] + b"\x10")


@pytest.mark.parametrize("port", [4059, 3478, 2002, 5025])
def test_the_port_tells_nothing(tmp_path: Path, port: int) -> None:
    """DLMS on the ports of STUN and RPCAP is DLMS; STUN and RPCAP on 4059 are not."""
    wire = Wire()
    dlms = Tcp(wire, ("10.0.0.1", 50001), ("10.0.0.2", port)).handshake()
    dlms.say(0, wpdu(AARQ))
    dlms.say(1, wpdu(AARE, 1, 16))
    for number, (octets, answer) in enumerate(
        [
            (STUN, STUN),
            (RPCAP_AUTH, RPCAP_ERROR),
            (TLS, TLS),
            (MODBUS, MODBUS),
            *((octets, octets) for octets in MODBUS_LIKE_DLMS),
        ]
    ):
        other = Tcp(wire, ("10.0.0.1", 50010 + number), ("10.0.0.2", port)).handshake()
        other.say(0, octets)
        other.say(1, answer)
    analysis = analyse(wire, tmp_path)
    assert analysis.streams["framing"].tolist() == [
        Framing.WRAPPER,
        Framing.STUN,
        Framing.RPCAP,
        Framing.TLS,
        *[Framing.MODBUS] * (1 + len(MODBUS_LIKE_DLMS)),
    ]
    assert contents(analysis) == [wpdu(AARQ), wpdu(AARE, 1, 16)]


def test_swapped_headers_give_wpdus_with_the_right_fields(tmp_path: Path) -> None:
    """01 00 ... is named and read all the same, also over several segments."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, _swap(wpdu(AARQ, 16, 1)))
    connection.say(1, _swap(wpdu(AARE, 1, 16)), [3, 20])
    analysis = analyse(wire, tmp_path)
    assert analysis.wpdus["framing"].tolist() == [Framing.SWAPPED] * 2
    assert analysis.wpdus["source_wport"].tolist() == [16, 1]
    assert analysis.wpdus["apdu_tag"].tolist() == [0x60, 0x61]


def test_bare_apdus_are_rows_without_wports(tmp_path: Path) -> None:
    """One a segment."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, AARQ)
    connection.say(1, AARE)
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [AARQ, AARE]
    assert analysis.wpdus["framing"].tolist() == [Framing.BARE] * 2


def test_a_late_beginning_is_waited_for(tmp_path: Path) -> None:
    """Rows of a stream that is recognised late stand at the packet that told, in the order of the capture."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, get_request(1, 400), [4, 200])
    connection.say(1, get_response(1))
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [get_request(1, 400), get_response(1)]


def test_decode_as_goes_before_content(tmp_path: Path) -> None:
    """A port can be declared no DLMS, or a stream a wrapper although nothing in it is believable."""
    wire = Wire()
    one = Tcp(wire, ("10.0.0.1", 50001), ("10.0.0.2", 4059)).handshake()
    one.say(0, get_request(1))
    two = Tcp(wire, ("10.0.0.1", 50002), ("10.0.0.2", 4060)).handshake()
    two.say(0, wpdu(b"\x54\x54") + wpdu(b"\x55"))
    assert contents(analyse(wire, tmp_path)) == [get_request(1)]
    rules = parse_decode_as(["tcp:4059=none", "stream:1=wrapper"])
    assert contents(analyse(wire, tmp_path, decode_as=rules)) == [wpdu(b"\x54\x54"), wpdu(b"\x55")]


def test_frames_behind_noise_are_rows_and_the_noise_is_told(tmp_path: Path) -> None:
    """A converter that adds octets before the first flag hides no frame."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    frame = bytes.fromhex("7ea019410313a94be6e7000f00000001000201060000000196977e")
    connection.say(1, b"\x00\x0a" + frame)
    connection.say(1, frame)
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [frame, frame]
    assert analysis.streams["skipped_octets"].sum() == 2


def test_damaged_frames_alone_are_recognised(tmp_path: Path) -> None:
    """Header check sequences that are right, between flags: rows that are marked."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    frame = bytes.fromhex("7ea019410313a94be6e7000f00000001000201060000000196987e")
    for _ in range(3):
        connection.say(1, frame)
    analysis = analyse(wire, tmp_path)
    assert contents(analysis) == [frame] * 3
    assert ((analysis.wpdus["marks"] & Mark.DAMAGED) > 0).all()


def test_a_framing_that_was_set_is_split_without_being_recognised(tmp_path: Path) -> None:
    """HDLC by the user's word, with a start that nobody would recognise."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    connection.say(0, b"noise")
    connection.say(0, _hdlc(12) + _hdlc(3)[1:], [5])
    analysis = analyse(wire, tmp_path, decode_as=parse_decode_as(["4059=hdlc"]))
    assert analysis.statistics()["hdlc_frames"] == 2
