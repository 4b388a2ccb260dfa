"""WPDU headers around APDUs, and what octets of unknown origin are taken for."""

import pytest

from cosemscope.apdu.framed import Layer, decode_octets, decode_wpdu, recognise
from cosemscope.apdu.names.tags import APDU_TAGS, CLIENT_TAGS, SERVER_TAGS, apdu_name
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import at, check_tree

_APDU = encode.get_response(("long", 7))


def wpdu(apdu: bytes, *, version: int = 1, length: int | None = None) -> bytes:
    size = len(apdu) if length is None else length
    return version.to_bytes(2, "big") + b"\0\1\0\x10" + size.to_bytes(2, "big") + apdu


@pytest.mark.parametrize(
    ("octets", "layer"),
    [
        (wpdu(_APDU), Layer.WPDU),
        (wpdu(_APDU, length=200), Layer.WPDU),
        (wpdu(_APDU, version=0x0201), Layer.WPDU),
        (_APDU, Layer.APDU),
        (bytes.fromhex("01000000065f1f0400007e1f04b0"), Layer.APDU),
        (bytes.fromhex("7ea02b032110fbaf"), Layer.HDLC),
        (b"", Layer.APDU),
        (b"\x54\x00", Layer.APDU),
    ],
)
def test_recognise(octets: bytes, layer: Layer) -> None:
    """By version, length and the APDU's tag."""
    assert recognise(octets) is layer


def test_header_and_names_of_wports() -> None:
    """Which side a wPort is on follows from who sends the APDU."""
    octets = wpdu(_APDU)
    decoded = decode_octets(octets)
    check_tree(decoded, octets)
    assert not decoded.problems
    assert at(decoded.root, "source-wport").text == "Management Logical Device"
    assert at(decoded.root, "destination-wport").text == "Public Client"
    assert at(decoded.root, "get-response/result/data").value == 7
    assert at(decoded.root, "get-response").start == 8


def test_several_in_a_row() -> None:
    """WPDUs pasted together are shown one by one."""
    octets = wpdu(_APDU) * 3
    decoded = decode_wpdu(octets)
    check_tree(decoded, octets)
    assert [child.name for child in decoded.root.children] == ["WPDU"] * 3


@pytest.mark.parametrize(
    ("octets", "message"),
    [
        (wpdu(_APDU, version=2), "expected version 1 at offset 0, found 0x0002"),
        (wpdu(_APDU, length=100), "says 100 octets of data, 7 follow"),
        (wpdu(_APDU) + b"\xff", "found 1 octet more"),
        (wpdu(_APDU)[:5], "expected 2 octets of destination-wport at offset 4, only 1 remains"),
        (wpdu(b""), "has no data"),
    ],
)
def test_what_is_wrong_with_a_header(octets: bytes, message: str) -> None:
    """Wrong versions and lengths, cut and empty WPDUs."""
    decoded = decode_wpdu(octets)
    check_tree(decoded, octets)
    assert any(message in problem.message for problem in decoded.problems), decoded.problems


def test_tags() -> None:
    """58 xDLMS APDUs, five of ACSE, two gateway prefixes; requests and answers are of different sides."""
    assert len(APDU_TAGS) == 65
    assert not CLIENT_TAGS & SERVER_TAGS
    assert {0x60, 0xC0, 0xC8, 0xD0, 0xD9, 0xE6} <= CLIENT_TAGS
    assert {0x61, 0xC4, 0xCC, 0xD4, 0xD8, 0xC2, 0x0F} <= SERVER_TAGS
    assert apdu_name(0xCC) == "glo-get-response"
    assert apdu_name(0x54) == "unknown (0x54)"


def test_a_header_with_swapped_octets() -> None:
    """Some stacks send the header's numbers least significant octet first: read, and said."""
    octets = b"\1\0\1\0\x10\0\7\0" + _APDU
    assert recognise(octets) is Layer.WPDU
    decoded = decode_octets(octets)
    check_tree(decoded, octets)
    assert [problem.severity for problem in decoded.problems] == ["warning"]
    assert at(decoded.root, "destination-wport").value == 16
    assert at(decoded.root, "get-response/result/data").value == 7


_HEADER = bytes.fromhex("0001000100100004")
_SET = bytes.fromhex("c501c100")


@pytest.mark.parametrize(
    ("octets", "layer"),
    [
        (_HEADER + _SET, Layer.WPDU),
        (_HEADER, Layer.APDU),
        (_HEADER[:6] + b"\0\0", Layer.WPDU),
        (_HEADER[:7], Layer.APDU),
        (_HEADER + b"\x99\x01\xc1\x00", Layer.WPDU),
        (_HEADER + b"\x99\x01\xc1", Layer.APDU),
        (_HEADER[:6] + b"\x00\x09" + _SET, Layer.WPDU),
        (b"\x00\x03" + _HEADER[2:] + _SET, Layer.WPDU),
        (b"\x00\x03" + _HEADER[2:] + _SET[:-1], Layer.APDU),
        (b"\x00\x03" + _HEADER[2:] + b"\x99" + _SET[1:], Layer.APDU),
        (b"\1\0" + bytes.fromhex("010010000400") + _SET, Layer.WPDU),
        (b"\1\0" + bytes.fromhex("010010000500") + _SET, Layer.APDU),
        (b"\2\0" + bytes.fromhex("010010000400") + _SET, Layer.APDU),
        (b"\x7e\xa0\x07", Layer.HDLC),
        (b"\x7e\x7e\xa8\x07", Layer.HDLC),
        (b"\x7e\xb0\x07", Layer.HDLC),
        (b"\x7e\x7e", Layer.HDLC),
        (b"\xa0\x07\x03\x21\x93\x0f\x01", Layer.HDLC),
        (b"\xa0\x07\x03\x21\x93\x0f\x02", Layer.APDU),
        (b"\x90\x01\x10" + _SET, Layer.LLC),
        (b"\x90\x01\x10\x99", Layer.APDU),
        (b"\x90\x01\x10", Layer.APDU),
        (b"\x91\x01\x10" + _SET, Layer.APDU),
    ],
)
def test_what_octets_begin_with(octets: bytes, layer: Layer) -> None:
    """Each rule on both of its sides: version, length, the APDU's tag, flags, check sequences."""
    assert recognise(octets) is layer


def test_long_wpdus_in_a_row() -> None:
    """The length has two octets: of 300 octets and more, the next WPDU is found behind them."""
    long = encode.get_response(("octet-string", bytes(300)))
    decoded = decode_wpdu(wpdu(long) + wpdu(_APDU))
    assert [(child.start, child.stop) for child in decoded.root.children] == [
        (0, 8 + len(long)),
        (8 + len(long), 16 + len(long) + len(_APDU)),
    ]
    assert not decoded.problems
