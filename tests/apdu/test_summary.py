"""The info line: what an APDU is about, errors first."""

import pytest

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import walk
from cosemscope.apdu.framed import decode_wpdu
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.summary import MAX_LENGTH, summarise
from tests.helpers import apdu_encoder as encode

_ENERGY = (3, bytes.fromhex("0100010800ff"), 2)


def line(octets: bytes, context: Context | None = None) -> str:
    return summarise(decode_apdu(octets, context), context)


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (encode.get_response(("double-long-unsigned", 5009)), "GET response, data = 5009"),
        (encode.get_response(13), "SCOPE-OF-ACCESS-VIOLATED GET response"),
        (
            encode.get_response_list([("long", 5), 4]),
            "OBJECT-UNDEFINED GET response, 5, data-access-result object-undefined",
        ),
        (encode.get_response_list([("long", 5), ("long", 6)]), "GET response, 5, 6"),
        (b"\xc5\x01\xc1\x03", "READ-WRITE-DENIED SET response"),
        (b"\xc5\x01\xc1\x00", "SET response, success"),
        (b"\xd8\x01\x01", "EXCEPTION service-not-allowed, operation-not-possible"),
        (b"\xc0\x02\x01\0\0\0\7", "GET next block 7"),
        (b"\x62\x03\x80\x01\x00", "RLRQ normal"),
    ],
)
def test_lines(octets: bytes, expected: str) -> None:
    """Short ones, whole."""
    assert line(octets) == expected


def test_requests_name_their_object() -> None:
    """Object first, then attribute, then value."""
    assert line(encode.get_request(_ENERGY)).startswith("GET 1.0.1.8.0.255")
    assert line(encode.set_request(_ENERGY, ("long", 5))).endswith(", value = 5")
    assert line(encode.get_request((3, _ENERGY[1], 3))).startswith("GET 1.0.1.8.0.255")


def test_a_response_with_its_request_and_scaler() -> None:
    """With what the caller knows, the answer names the object and the value has its scale."""
    context = Context(request=Request((Reference(*_ENERGY),)), scaler_unit=lambda of: (-2, 30))
    shown = line(encode.get_response(("double-long-unsigned", 12345)), context)
    assert shown.startswith("GET response 1.0.1.8.0.255")
    assert ", value = 123.45" in shown


def test_associations() -> None:
    """Mechanism and password of a request, rejection first in an answer."""
    mechanism = encode.element(0x8B, encode.object_identifier(2, 1))
    password = encode.element(0xAC, encode.element(0x80, b"12345678"))
    assert "LLS (1), LLS password, 8 octets" in line(encode.aarq(mechanism, password))
    assert line(encode.aare(1, 13)).startswith("REJECTED AARE rejected-permanent")


_SECRET = Reference(15, bytes.fromhex("0000280000ff"), 7)
_CHANGE = Reference(15, _SECRET.instance, 2, method=True)
_TOLD = ("octet-string", b"sesame-0")


@pytest.mark.parametrize(
    ("octets", "request_"),
    [
        (
            encode.aarq(
                encode.element(0x8B, encode.object_identifier(2, 1)),
                encode.element(0xAC, encode.element(0x80, b"sesame-0")),
            ),
            None,
        ),
        (
            encode.aarq(
                encode.element(0x8B, encode.object_identifier(2, 1)),
                encode.element(0xAC, encode.element(0x81, b"\x00sesame-0")),
            ),
            None,
        ),
        (encode.set_request(_SECRET[:3], _TOLD), None),
        (encode.action_request(_CHANGE[:3], _TOLD), None),
        (encode.get_response(_TOLD), Request((_SECRET,))),
        (
            encode.get_response_list([("long", 1), _TOLD]),
            Request((Reference(*_ENERGY), _SECRET), with_list=True),
        ),
        (
            encode.get_response_list([4, _TOLD]),
            Request((Reference(*_ENERGY), _SECRET), with_list=True),
        ),
        (
            encode.access_response([("null-data", None), _TOLD], [(1, 4), (1, 0)]),
            Request((Reference(*_ENERGY), _SECRET), with_list=True),
        ),
        (encode.access_request([(2, _SECRET[:3], b"")], [_TOLD]), None),
        (encode.access_response([_TOLD], [(1, 0)]), Request((_SECRET,), with_list=True)),
    ],
)
def test_secrets_are_not_shown_in_lines(octets: bytes, request_: Request | None) -> None:
    """Lines go into lists, pictures and mails: that there is a secret is enough. The tree has every octet."""
    decoded = decode_apdu(octets, Context(request=request_))
    shown = summarise(decoded, Context(request=request_))
    assert "sesame" not in shown
    assert b"sesame-0".hex() not in shown
    assert "password" in shown or "secret" in shown
    assert any("sesame" in field.text or "0111001101" in field.text for field in walk(decoded.root))


def test_opened_ones_tell_what_was_inside() -> None:
    """The inner APDU's line, and in what it was."""
    context = Context(opener=lambda part: Opening(Verdict.OPENED, encode.get_response(("long", 7))))
    octets = encode.ciphered(0xDB, 0x30, 1, bytes(7), bytes(12), b"ABC12345")
    assert line(octets, context) == "GET response, data = 7 [general-glo-ciphering]"
    assert line(octets).startswith("general-glo-ciphering ABC 4142433132333435")


def test_what_became_of_a_secret_is_shown() -> None:
    """That a password was set, or must not be read, is no secret."""
    context = Context(request=Request((_SECRET,)))
    assert line(b"\xc5\x01\xc1\x00", context).endswith("secret, success")
    assert line(encode.get_response(3), context).startswith("READ-WRITE-DENIED GET response")
    assert line(encode.action_response(0), Context(request=Request((_CHANGE,)))).endswith("success")


@pytest.mark.parametrize(
    ("plain", "told", "missing"),
    [
        (
            encode.access_request([(1, _ENERGY, b"")], [("null-data", None)]),
            "ACCESS list of 1: get 1.0.1.8.0.255",
            "DB",
        ),
        (encode.get_response(("long", 7)), "GET response, data = 7", "CC"),
    ],
)
def test_ciphered_ones_with_no_tag_of_a_ciphered_apdu(plain: bytes, told: str, missing: str) -> None:
    """Some meters send 00 for a service that has no glo- tag: it is said, and so is what was inside."""
    octets = encode.ciphered(0x00, 0x30, 1, bytes(len(plain)), bytes(12))
    opened = line(octets, Context(opener=lambda part: Opening(Verdict.OPENED, plain)))
    assert opened.startswith(told)
    assert opened.endswith(f"[ciphered, tag 00 where {missing} should stand]")
    assert line(octets).startswith("BROKEN unknown (0x00) suite 0, encrypted and authenticated")
    cut = line(octets, Context(opener=lambda part: Opening(Verdict.OPENED, b"\xc4\x01\xc1\x00\x08")))
    assert cut.startswith("BROKEN GET response")
    assert line(b"\x00\x01\x02").startswith("BROKEN unknown (0x00)")


def test_errors_come_first_and_lines_are_bounded() -> None:
    """A broken APDU says so; ten thousand characters become two hundred."""
    assert line(b"\xc4\x01\xc1\x00\x08").startswith("BROKEN GET response")
    long = line(encode.get_response(("array", [("visible-string", "x" * 150)] * 50)))
    assert len(long) <= MAX_LENGTH
    assert len(line(encode.get_request_list([(_ENERGY, None)] * 100))) <= MAX_LENGTH


def test_wpdus() -> None:
    """A WPDU's line is that of its APDU."""
    body = encode.get_response(("long", 7))
    wpdu = b"\0\1\0\1\0\x10" + len(body).to_bytes(2, "big") + body
    assert summarise(decode_wpdu(wpdu)) == "GET response, data = 7"
    assert summarise(decode_wpdu(wpdu + wpdu)).startswith("WPDUs 2 WPDUs")


def test_octets_behind_a_wpdu_do_not_hide_its_apdu() -> None:
    """A WPDU that is longer than its length field says is broken, and still asks for the clock."""
    octets = bytes.fromhex("00010010000100 0DC001C100080000010000FF0200 DEADBEEF")
    assert summarise(decode_wpdu(octets)).startswith("BROKEN GET 0.0.1.0.0.255 Clock: expected the end")


def test_a_structure_of_many_elements_is_one_value() -> None:
    """A single result that is a long structure is told as such, not as a list without elements."""
    octets = bytes.fromhex("c401c100" + "0206" + "1101" * 6)
    assert line(octets) == "GET response, data = structure of 6"


_NAME = "1.0.1.8.0.255 Active energy import (+A)"
_ZEROS = bytes(6)


def asked(*members: int, class_id: int = 3, instance: bytes = _ENERGY[1], method: bool = False) -> Context:
    """The context of a response to a request for these members of an object."""
    references = tuple(Reference(class_id, instance, member, method) for member in members)
    return Context(Request(references, with_list=len(references) > 1))


@pytest.mark.parametrize(
    ("octets", "context", "expected"),
    [
        ("c401c100 1107", asked(2), f"GET response {_NAME}, value = 7"),
        ("c401c100 1107", asked(3), f"GET response {_NAME}, scaler_unit, value = 7"),
        ("c401c100 1107", asked(99), f"GET response {_NAME}, attribute 99, value = 7"),
        ("c401c101 03", asked(2), f"READ-WRITE-DENIED GET response {_NAME}"),
        ("c403c1 02 00 1107 00 1108", asked(2, 3), f"GET response {_NAME} and 1 more, 7, 8"),
        ("c403c1 02 00 1107 00 1108", asked(2, 3, 4), f"GET response {_NAME} and 2 more, 7, 8"),
        ("c403c1 00", asked(2, 3), f"GET response {_NAME} and 1 more, 0 elements"),
        ("c403c1 03 00 1101 00 1102 00 1103", None, "GET response, 1, 2, 3"),
        ("c403c1 04 00 1101 00 1102 00 1103 00 1104", None, "GET response, 1, 2, 3, 1 more"),
        ("c501c1 00", asked(2), f"SET response {_NAME}, success"),
        ("c701c1 00 00", asked(1, method=True), f"ACTION response {_NAME}, reset, success"),
        ("c701c1 00 01 00 1107", asked(9, method=True), f"ACTION response {_NAME}, method 9, success, 7"),
        (
            "c401c100 1107",
            asked(2, class_id=1, instance=bytes(6)),
            "GET response 0.0.0.0.0.0 Data, value = 7",
        ),
        ("c401c100 1107", asked(2, class_id=2, instance=_ZEROS), "GET response 0.0.0.0.0.0, value = 7"),
        ("0f 00000001 00 0104 1101 1102 1103 1104", None, "PUSH, array of 4: 1, 2, 3, 1 more"),
        ("c401c100 090c 07e80601060a1e0000800000", None, "GET response, data = 2024-06-01 Sat 10:30:00"),
    ],
)
def test_lines_with_what_was_asked(octets: str, context: Context | None, expected: str) -> None:
    """The object first, its class where its name is not known; the attribute unless it is the second."""
    assert line(bytes.fromhex(octets), context) == expected


@pytest.mark.parametrize(("size", "cut"), [(200, False), (201, True)])
def test_lines_of_two_hundred_characters(size: int, cut: bool) -> None:
    """A longer one ends in an ellipsis."""
    words = 'GET response, data = ""'
    shown = line(encode.get_response(("visible-string", "x" * (size - len(words)))))
    assert len(shown) == 200
    assert shown.endswith("…") == cut
