"""Frames of other protocols: what is one to the last octet, and what only resembles."""

import struct

import pytest

from cosemscope.streams.foreign.octet_frames import (
    is_dsmr_alarm,
    is_dtls,
    is_iec_104,
    is_mbus,
    is_modbus,
    is_p1,
    is_sml,
    mbus_apdu_begins,
    mbus_end,
)
from tests.helpers.foreign_traffic import PUSH, dtls_record, mbus, mbus_apdu

LONG = mbus(b"\x10\1\x67" + PUSH)
SHORT = b"\x10\x40\x05\x45\x16"
POINT = bytes((0x68, 14, 2, 0, 2, 0, 1, 1, 3, 0, 1, 0, 7, 0, 0, 1))
READ = struct.pack(">HHHBBHH", 7, 0, 6, 1, 3, 0, 2)
ALARM = b"E0026000059790003,\0\0\0\2"
P1 = b"/ISk5\\2MT382-1000\r\n\r\n1-3:0.2.8(50)\r\n"


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        (
            is_dtls,
            [dtls_record(22, b"abc"), dtls_record(23, bytes(1 << 14), 1) + dtls_record(21, b"ab", 1)],
            [
                dtls_record(22, b""),
                dtls_record(24, b"abc"),
                dtls_record(22, b"abc")[:-1],
                dtls_record(22, b"abc") + b"x",
                b"\x16\xfe\xfc" + dtls_record(22, b"abc")[3:],
            ],
        ),
        (
            is_iec_104,
            [POINT, POINT + POINT, bytes.fromhex("680407000000"), bytes.fromhex("680401001000")],
            [
                POINT[:-1],
                POINT + b"h",
                bytes.fromhex("680408000000"),
                bytes.fromhex("680407000001"),
                bytes.fromhex("680401000100"),
                POINT[:6] + b"\x7f\1\x30" + POINT[9:],
                POINT[:6] + b"\0" + POINT[7:],
                b"\x68\x03\7\0\0",
            ],
        ),
        (
            is_modbus,
            [READ, READ + READ, struct.pack(">HHHBBB", 7, 0, 3, 1, 0x83, 2)],
            [
                READ[:-1],
                READ + b"\0",
                READ[:2] + b"\0\1" + READ[4:],
                READ[:7] + b"\x63" + READ[8:],
                READ[:7] + b"\x83" + READ[8:],
                struct.pack(">HHHB", 7, 0, 1, 1),
            ],
        ),
        (
            is_mbus,
            [LONG, SHORT + LONG, b"\xe5", SHORT],
            [
                LONG[:-1],
                LONG[:-2] + b"\0\x16",
                LONG[:-1] + b"\x17",
                b"\x68\x05\x06\x68" + LONG[4:],
                LONG + b"x",
            ],
        ),
        (
            is_dsmr_alarm,
            [ALARM, ALARM[:18] + b"\0\0\x19\x09\0\xff"],
            [ALARM[:-1], ALARM + b"x", b"e" + ALARM[1:]],
        ),
        (is_p1, [P1, P1.replace(b"\r\n", b"\n")], [P1[1:], P1[:30].replace(b"\r\n\r\n", b"\r\n"), b"/ab"]),
        (is_sml, [bytes.fromhex("1b1b1b1b01010101 76")], [bytes.fromhex("00 1b1b1b1b01010101"), b"\x1b" * 8]),
    ],
)
def test_frames(judge, good: list[bytes], bad: list[bytes]) -> None:
    """Lengths, checksums, and codes that are defined; nothing is one that is cut or has more behind it."""
    assert [octets for octets in good if not judge(octets)] == []
    assert [octets for octets in [*bad, b"", b"\0" * 20] if judge(octets)] == []


#: What IEC 60870-5-101, 7.2.1 and 7.2.3, and IEC 60870-5-104 define: types, and causes of transmission.
ASDU_TYPES = "1-21 30-40 45-51 58-64 70 100-107 110-113 120-127"
CAUSES = "1-13 20-41 44-47"
#: Public function codes of the Modbus application protocol, 1.1b3, those of serial lines among them.
FUNCTIONS = "1-8 11-12 15-17 20-24 43"


def numbers(text: str) -> set[int]:
    """The numbers that ranges like 1-3 name."""
    ranges = (part.split("-") for part in text.split())
    return {
        number for first, *last in ranges for number in range(int(first), int(last[0] if last else first) + 1)
    }


def test_codes_of_iec_104() -> None:
    """Each type, cause and unnumbered function that is defined, and no other."""
    asdu = bytearray(POINT)
    assert {
        number for number in range(256) if is_iec_104(POINT[:6] + bytes((number,)) + POINT[7:])
    } == numbers(ASDU_TYPES)
    for upper in (0, 0x40, 0x80):  # test, and negative
        found = set()
        for cause in range(64):
            asdu[8] = cause | upper
            found |= {cause} if is_iec_104(bytes(asdu)) else set()
        assert found == numbers(CAUSES)
    acts = {octet for octet in range(256) if is_iec_104(bytes((0x68, 4, octet, 0, 0, 0)))}
    # STARTDT, STOPDT and TESTFR, to act and confirmed; 01 is a supervisory frame.
    assert acts == {0x07, 0x0B, 0x13, 0x23, 0x43, 0x83, 0x01}


@pytest.mark.parametrize(("size", "good"), [(3, False), (9, False), (10, True), (253, True), (254, False)])
def test_lengths_of_iec_104(size: int, good: bool) -> None:
    """An ASDU has 6 octets at least, an APDU 253 behind its length at most."""
    assert (
        is_iec_104(
            (POINT + bytes(300))[:2].replace(b"\x0e", bytes((size,))) + (POINT + bytes(300))[2 : 2 + size]
        )
        is good
    )


def test_codes_of_modbus() -> None:
    """Each function that is defined, as a request and as an exception, and no other."""
    asked = {code for code in range(256) if is_modbus(READ[:7] + bytes((code,)) + READ[8:])}
    assert asked == numbers(FUNCTIONS)
    refused = {code for code in range(256) if is_modbus(struct.pack(">HHHBBB", 7, 0, 3, 1, code, 2))}
    assert refused == numbers(FUNCTIONS) | {0x80 | code for code in numbers(FUNCTIONS)}


@pytest.mark.parametrize(("length", "good"), [(2, False), (3, True), (254, True), (255, False)])
def test_lengths_of_modbus(length: int, good: bool) -> None:
    """Unit and function at least, and a PDU of 253 octets at most."""
    assert is_modbus(struct.pack(">HHHBB", 7, 0, length, 1, 3) + bytes(length - 2)) is good


@pytest.mark.parametrize("size", range(1, len(LONG)))
def test_a_frame_that_is_not_all_there_is_waited_for(size: int) -> None:
    """Of any beginning more may come, and it is no frame of its own."""
    assert mbus_end(LONG[:size], 0) == -1
    assert mbus_end(b"x" + LONG + b"y", 1) == 1 + len(LONG)


@pytest.mark.parametrize(
    ("frame", "begins"),
    [
        (LONG, True),
        (mbus_apdu(PUSH * 20)[0], True),
        (mbus_apdu(PUSH * 20)[1], False),
        (mbus(b"\x72" + bytes(20)), False),
        (mbus(b"\x10\1\x67\x54" + bytes(20)), False),
        (mbus(b"\x10\1\x67"), False),
        (SHORT, False),
    ],
)
def test_frames_in_which_an_apdu_begins(frame: bytes, begins: bool) -> None:
    """The first segment, with both SAPs and a tag that is known."""
    assert mbus_apdu_begins(frame) == begins
