"""ACSE APDUs beyond the vectors: every element, odd lengths, odd orders, unknown elements."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded, find
from cosemscope.apdu.names.codes import MECHANISMS
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import at, check_tree

_element = encode.element
_INITIATE = encode.initiate_request()


def decoded_of(octets: bytes) -> Decoded:
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    return decoded


_ELEMENTS = [
    _element(0xA2, _element(0x04, b"SERVER01")),
    _element(0xA3, _element(0x04, b"\x01")),
    _element(0xA4, _element(0x02, b"\x05")),
    _element(0xA5, _element(0x02, b"\x06")),
    _element(0xA6, _element(0x04, b"ABC\0\0\0\0\1")),
    _element(0xA7, _element(0x04, b"\x30\x82certificate")),
    _element(0xA8, _element(0x02, b"\x07")),
    _element(0xA9, _element(0x02, b"\x08")),
    _element(0x8A, b"\x07\x80"),
    _element(0x8B, encode.object_identifier(2, 5)),
    _element(0xAC, _element(0x80, b"challenge")),
    _element(0x9D, b"made by hand"),
]


def test_every_element_of_an_aarq() -> None:
    """All optional elements at once, each with its name and value."""
    decoded = decoded_of(encode.aarq(*_ELEMENTS, context=3, user_information=_INITIATE))
    assert not decoded.problems
    values = {field.name: field.value for field in decoded.root.children[2:]}
    assert values == {
        "application-context-name": "2.16.756.5.8.1.3",
        "called-AP-title": b"SERVER01",
        "called-AE-qualifier": b"\x01",
        "called-AP-invocation-id": 5,
        "called-AE-invocation-id": 6,
        "calling-AP-title": b"ABC\0\0\0\0\1",
        "calling-AE-qualifier": b"\x30\x82certificate",
        "calling-AP-invocation-id": 7,
        "calling-AE-invocation-id": 8,
        "sender-acse-requirements": "1",
        "mechanism-name": "2.16.756.5.8.2.5",
        "calling-authentication-value": b"challenge",
        "implementation-information": b"made by hand",
        "user-information": None,
    }
    assert "certificate" in at(decoded.root, "calling-AE-qualifier").text


@settings(max_examples=30, deadline=None)
@given(st.permutations(_ELEMENTS))
def test_any_order(elements: list[bytes]) -> None:
    """Elements are found in whatever order they come."""
    decoded = decoded_of(encode.aarq(*elements, user_information=_INITIATE))
    assert not decoded.problems
    assert at(decoded.root, "mechanism-name").text == "HLS-GMAC (5)"


@pytest.mark.parametrize("form", ["long", "indefinite"])
def test_length_forms(form: str) -> None:
    """Long-form and indefinite lengths, outside and inside."""
    inner = _element(0xA6, _element(0x04, b"ABC12345"), **{form: True})
    octets = encode.aarq(inner, user_information=_INITIATE, **{form: True})
    decoded = decoded_of(octets)
    assert not decoded.problems
    assert at(decoded.root, "calling-AP-title").value == b"ABC12345"
    assert at(decoded.root, "user-information/octet-string/initiateRequest/client-max-receive-pdu-size").value
    if form == "indefinite":
        assert at(decoded.root, "calling-AP-title/length").text == "indefinite"
        assert at(decoded.root, "calling-AP-title/end-of-contents").value == b"\0\0"


@pytest.mark.parametrize("number", range(10))
def test_mechanisms(number: int) -> None:
    """Mechanisms 0 to 7 have names, 8 and above their number."""
    decoded = decoded_of(encode.aarq(_element(0x8B, encode.object_identifier(2, number))))
    named = f"{MECHANISMS[number]} ({number})" if number < 8 else f"mechanism {number}"
    assert at(decoded.root, "mechanism-name").text == named
    assert (number in MECHANISMS) == (number < 8)


def test_unknown_elements_are_fields_not_breaks() -> None:
    """An element that is not of this APDU is shown, and what follows it is decoded."""
    for tag in (0xB5, 0x93, 0xBF):
        strange = _element(tag, _element(0x04, b"?")) if tag != 0xBF else b"\xbf\x81\x05\x03\x04\x01?"
        decoded = decoded_of(encode.aarq(strange, user_information=_INITIATE))
        assert [problem.severity for problem in decoded.problems] == ["warning"]
        assert at(decoded.root, "unknown element").value.endswith(b"?")
        assert at(decoded.root, "user-information/octet-string/initiateRequest")


def test_no_user_information() -> None:
    """A rejection without user-information is whole."""
    decoded = decoded_of(encode.aare(1, 13))
    assert not decoded.problems
    assert find(decoded.root, "user-information") is None
    assert "authentication-failure" in decoded.root.text


def test_provider_diagnostics() -> None:
    """Who rejects is told: the ACSE provider has its own reasons."""
    field = at(decoded_of(encode.aare(2, 2, provider=True)).root, "result-source-diagnostic")
    assert at(field, "acse-service-provider").value == 2
    assert "no-common-acse-version" in field.text


@pytest.mark.parametrize("diagnostic", range(15))
def test_diagnostics_are_sentences(diagnostic: int) -> None:
    """Every diagnostic of the service user has words."""
    field = at(decoded_of(encode.aare(1, diagnostic)).root, "result-source-diagnostic")
    assert field.value == diagnostic
    assert " " in field.text


def test_missing_elements_are_said() -> None:
    """An AARE without result and diagnostic is odd."""
    octets = _element(0x61, _element(0xA1, _element(0x06, encode.object_identifier(1, 1))))
    messages = [problem.message for problem in decoded_of(octets).problems]
    assert messages == [
        "expected result in the AARE, it is missing",
        "expected result-source-diagnostic in the AARE, it is missing",
    ]


def test_a_truncated_aarq_is_decoded_as_far_as_it_goes() -> None:
    """Lengths beyond the end do not hide what is there."""
    octets = encode.aarq(*_ELEMENTS, user_information=_INITIATE)[:-10]
    decoded = decoded_of(octets)
    assert "read to the end" in decoded.problems[0].message
    assert at(decoded.root, "calling-authentication-value").value == b"challenge"
    assert at(decoded.root, "user-information/octet-string/initiateRequest/dedicated-key").value is None


def test_a_broken_element_does_not_break_the_rest() -> None:
    """A wrong inner tag is a problem of that element alone."""
    octets = encode.aarq(_element(0x8B, b""), user_information=_INITIATE)
    decoded = decoded_of(octets)
    assert decoded.problems
    assert at(decoded.root, "user-information/octet-string/initiateRequest")


def test_release_and_abort() -> None:
    """Reasons of release, source and diagnostic of an abort."""
    assert decoded_of(b"\x62\x03\x80\x01\x01").root.text == "urgent"
    assert decoded_of(b"\x63\x03\x80\x01\x01").root.text == "not-finished"
    assert decoded_of(b"\x63\x00").root.name == "RLRE"
    root = decoded_of(b"\x64\x06\x80\x01\x01\x81\x01\x02").root
    assert root.text == "acse-service-provider, protocol-error"


def test_bit_string_password_and_other_forms() -> None:
    """Authentication values that are no charstring."""
    root = decoded_of(encode.aarq(_element(0xAC, _element(0x81, b"\x00\xa5")))).root
    assert at(root, "calling-authentication-value/bitstring").value == "10100101"
    root = decoded_of(encode.aarq(_element(0xAC, _element(0xA2, _element(0x30, _element(0x05, b"")))))).root
    assert at(root, "calling-authentication-value/external/SEQUENCE/NULL").value == b""


def test_initiate_options() -> None:
    """Dedicated key, response-allowed, quality of service; a response that is not allowed is said."""
    octets = encode.initiate_request(key=bytes(16), allowed=False, quality=-1 & 0xFF)
    decoded = decoded_of(octets)
    assert at(decoded.root, "dedicated-key").value == bytes(16)
    assert at(decoded.root, "response-allowed").value is False
    assert at(decoded.root, "proposed-quality-of-service").value == -1
    assert [problem.severity for problem in decoded.problems] == ["warning"]


def test_conformance_bits() -> None:
    """Each of the 24 bits has its name."""
    for bit in range(24):
        root = decoded_of(encode.initiate_response(conformance=1 << bit)).root
        field = at(root, "negotiated-conformance")
        assert field.value == 1 << bit
        assert field.text.count(",") == 0
    every = at(decoded_of(encode.initiate_response(conformance=0xFFFFFF)).root, "negotiated-conformance")
    assert every.text.count(",") == 23


def test_a_length_of_the_whole_that_is_too_small() -> None:
    """Some stacks give the APDU a length that cuts its last element: the elements are believed."""
    octets = bytearray(b"\x63\x15\x80\x01\x00" + _element(0xBE, _element(0x04, encode.initiate_response())))
    octets[1] = len(octets) - 2 - 4
    decoded = decoded_of(bytes(octets))
    assert [problem.severity for problem in decoded.problems] == ["warning"]
    assert "says 17 octets, the elements take 21" in decoded.problems[0].message
    assert at(decoded.root, "user-information/octet-string/initiateResponse/vaa-name").value == 7


def test_an_element_that_is_said_to_be_shorter_than_what_is_in_it() -> None:
    """The same of user-information, and of both at once, as a stack in the field sends it."""
    octets = bytearray(b"\x63\x15\x80\x01\x00" + _element(0xBE, _element(0x04, encode.initiate_response())))
    octets[1] -= 4
    octets[6] -= 1
    decoded = decoded_of(bytes(octets))
    assert [problem.severity for problem in decoded.problems] == ["warning", "warning"]
    assert at(decoded.root, "user-information/octet-string/initiateResponse/vaa-name").value == 7


def test_octets_behind_the_whole_are_not_elements() -> None:
    """What stands behind a length that fits stays outside."""
    octets = b"\x62\x03\x80\x01\x00" + b"\x81\x01\x00"
    decoded = decoded_of(octets)
    assert decoded.problems[0].message == "expected the end of the APDU, found 3 octets more"


def test_an_object_identifier_that_fills_the_apdu_stays_readable() -> None:
    """Found by fuzzing: a thousand octets in a name are no reason for a text of two thousand characters."""
    octets = bytes.fromhex("6184000003ffa1840000 03f90684000003f3".replace(" ", "")) + bytes([0x81]) * 1011
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert any("expected an object identifier" in problem.message for problem in decoded.problems)
    assert all(len(problem.message) < 400 for problem in decoded.problems)


def aare(result: int, diagnostic: int, *rest: str) -> bytes:
    """An AARE with these numbers, and further elements in hex."""
    content = f"a109060760857405080101a2030201{result:02x}a305a1030201{diagnostic:02x}"
    octets = bytes.fromhex(content + "".join(rest))
    return bytes([0x61, len(octets)]) + octets


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (aare(5, 0), "result at offset 17: 5 is not defined"),
        (aare(1, 99), "acse-service-user at offset 24: 99 is not defined"),
        (aare(0, 0, "be020400"), "user-information at offset 29 is empty"),
        (aare(0, 0, "a40604044d4d4d00"), "system title: expected 8 octets, found 4"),
        (aare(0, 0, "a203020100"), "result at offset 25 is there twice"),
        (bytes.fromhex("620380014d"), "reason at offset 4: 77 is not defined"),
    ],
)
def test_what_is_odd_in_an_element_is_a_warning(octets: bytes, words: str) -> None:
    """Numbers that nobody defined, an empty user-information, a short title, an element twice."""
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert [(problem.severity, problem.message) for problem in decoded.problems] == [("warning", words)]


def test_a_mechanism_name_with_a_tag_of_its_own() -> None:
    """An object identifier inside the implicit one is read, and said to be one too many."""
    octets = bytes.fromhex("6016a1090607608574050801018b09060760857405080201")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert at(decoded.root, "mechanism-name").text == "LLS (1)"
    assert [problem.severity for problem in decoded.problems] == ["warning"]


def test_a_pdu_size_of_zero_is_no_limit() -> None:
    """0 for the longest APDU that is taken means that there is no limit."""
    decoded = decode_apdu(bytes.fromhex("01000000065f1f0400007e1f0000"))
    assert decoded.root.text == "DLMS 6, max PDU without limit"
    assert at(decoded.root, "client-max-receive-pdu-size").text == "no limit"
