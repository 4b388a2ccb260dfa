"""Every APDU out and in: the decoder reads what was encoded, `parse` gives back the value, telegrams stay."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import Reference
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.application.encoding.acse_apdus import Aarq
from cosemscope.application.encoding.apdus import APDU_CLASSES, encode, parse
from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.encoding.data_values import Data, octet_string, unsigned
from cosemscope.application.encoding.get_set_action import (
    ActionAnswer,
    ActionResponseNormal,
    GetRequestNext,
    GetRequestNormal,
    GetResponseNormal,
    SetRequestNormal,
)
from cosemscope.application.encoding.initiate_apdus import InitiateRequest
from cosemscope.application.encoding.notifications import DataNotification, ExceptionResponse
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.encoding.protected_apdus import CipheredService, ProtectedContent
from tests.apdu.strategies import same
from tests.application.apdu_values import APDUS, DATA
from tests.helpers.apdu_checks import at, check_tree
from tests.helpers.apdu_encoder import get_request
from tests.helpers.apdu_encoder import octet_string as made_octets
from tests.helpers.shared import shared

_ENERGY = Reference(3, bytes.fromhex("0100010800ff"), 2)


def _errors(decoded: Decoded) -> list[str]:
    return [problem.message for problem in decoded.problems if problem.severity == "error"]


def test_there_is_a_strategy_for_each_class() -> None:
    """No class of APDU is left out below."""
    assert set(APDUS) == set(APDU_CLASSES)


@pytest.mark.parametrize("kind", APDUS)
def test_the_decoder_reads_what_was_encoded_and_parse_gives_it_back(kind: type) -> None:
    """No error in the tree, every octet owned, and an equal value."""

    @given(APDUS[kind])
    def check(value: Any) -> None:
        octets = encode(value)
        decoded = decode_apdu(octets)
        check_tree(decoded, octets)
        assert _errors(decoded) == []
        assert parse(octets) == value

    check()


@given(DATA)
def test_the_decoder_reads_the_same_data(data: Data) -> None:
    """The value in the tree is the plain value."""
    decoded = decode_apdu(encode(DataNotification(1, b"", data)))
    assert same(at(decoded.root, "notification-body").value, data.plain)


def _telegrams() -> list[tuple[str, bytes]]:
    vectors = [json.loads(line) for line in shared("vectors/apdu.jsonl").read_text().splitlines()]
    cut = {"apdu": 0, "wpdu": 8}
    return [
        (one["name"], bytes.fromhex(one[part])[cut[one["layer"]] * (part == "hex") :])
        for one in vectors
        if one["layer"] in cut
        for part in ("hex", "plain")
        if part in one
    ]


def test_every_sound_telegram_of_others_is_encoded_to_the_same_octets() -> None:
    """What the decoder understands without damage, `parse` understands too."""
    same_octets = 0
    for name, octets in _telegrams():
        if decode_apdu(octets).problems or octets[0] not in APDU_TAGS:
            continue
        assert encode(parse(octets)) == octets, name
        same_octets += 1
    assert same_octets > 150


@given(st.binary(max_size=60))
def test_parse_raises_nothing_but_its_own_error(octets: bytes) -> None:
    """Whatever the octets are."""
    try:
        value = parse(octets)
    except ParseError:
        return
    # Not the values are compared: what is not a number equals nothing.
    assert encode(parse(encode(value))) == encode(value)


@given(st.sampled_from(list(APDUS)).flatmap(lambda kind: APDUS[kind]), st.data())
def test_a_cut_or_changed_apdu_is_parsed_or_refused(value: Any, data: st.DataObject) -> None:
    """Damage to any octet never shows as another exception."""
    octets = bytearray(encode(value))
    place = data.draw(st.integers(0, len(octets) - 1))
    octets[place] = data.draw(st.integers(0, 255))
    for damaged in (bytes(octets), bytes(octets[:place])):
        with contextlib.suppress(ParseError):
            parse(damaged)


def test_octets_are_those_of_the_standard() -> None:
    """A GET, as other implementations send it."""
    assert encode(GetRequestNormal(0xC1, _ENERGY)) == get_request((3, _ENERGY.instance, 2))
    assert parse(bytes.fromhex("c001c100030100010800ff0200")) == GetRequestNormal(0xC1, _ENERGY)


@pytest.mark.parametrize(
    ("octets", "offset", "expected"),
    [
        ("", 0, "the tag of an APDU"),
        ("54", 0, "the tag of an APDU"),
        ("c0", 1, "GET-Request"),
        ("c004", 1, "GET-Request"),
        ("c001c1000301000108", 3, "9 octets of Cosem-Attribute-Descriptor"),
        ("c001c100030100010800ff0202", 12, "00 or 01 as presence of access-selection"),
        ("c001c100030100010800ff020000", 13, "the end of the APDU"),
        ("c401c10007", 4, "a tag of Data"),
        ("c401c1000905aabb", 5, "5 octets of octet-string"),
        ("c401c1000980", 5, "a length of octet-string"),
        ("0f0000000105aabbccddee00", 5, "date-time of 0 or 12 octets"),
        ("6003a10106", 5, "1 octet of length"),
        ("600a", 1, "10 octets"),
        ("6000", 2, "context in the AARQ"),
        ("6004a1020600", 6, "60 85 74 05 08 01"),
        ("6006a6040401aabb", 7, "the end of the calling_ap_title"),
        ("600a8002078080020780a100", 6, "an element of AARQ"),
        ("61028100", 2, "an element of AARE"),
        ("01000000055f1f0400", 9, "3 octets of conformance block"),
        ("010000000600000000", 5, "5F 1F 04 00"),
        ("c80630000000010a", 7, "an authentication tag of 12 octets"),
        ("c401c10013110501", 6, "5 octets of contents of a compact array"),
    ],
)
def test_errors_name_the_octet_and_what_was_expected(octets: str, offset: int, expected: str) -> None:
    """Where, and what should stand there."""
    with pytest.raises(ParseError) as caught:
        parse(bytes.fromhex(octets))
    assert (caught.value.offset, expected in caught.value.expected) == (offset, True), str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (5, "int is no APDU"),
        (GetRequestNext(0xC1, 2**32), "number of GetRequestNext"),
        (GetRequestNext(256, 1), "invoke of GetRequestNext"),
        (GetRequestNormal(0xC1, Reference(3, b"\1", 2)), "reference of GetRequestNormal"),
        (GetRequestNormal(0xC1, Reference(70_000, bytes(6), 2)), "reference of GetRequestNormal"),
        (SetRequestNormal(0xC1, _ENERGY, None, unsigned(256)), "does not fit its type"),
        (SetRequestNormal(0xC1, _ENERGY, None, Data(7, 1)), "no type 7"),
        (GetResponseNormal(0xC1, 5), "int is no Get-Data-Result"),  # type: ignore[arg-type]
        (ActionResponseNormal(0xC1, ActionAnswer(300)), "code of ActionAnswer"),
        (ExceptionResponse(1, 6), "invocation counter"),
        (ExceptionResponse(1, 300), "ExceptionResponse"),
        (DataNotification(1, b"abc", Data(0)), "date-time of 0 or 12 octets"),
        (GeneralBlockTransfer(True, False, 64, 1, 0, b""), "window"),
        (GeneralBlockTransfer(True, False, 1, 70_000, 0, b""), "GeneralBlockTransfer"),
        (CipheredService(0x60, ProtectedContent(0x20, 1, b"")), "tag of CipheredService"),
        (CipheredService(0xC8, ProtectedContent(0x30, 1, b"", b"x")), "authentication tag"),
        (CipheredService(0xC8, ProtectedContent(0x30, None, b"", bytes(12))), "invocation counter"),
        (Aarq(300), "context of Aarq"),
        (Aarq(1, calling_authentication_value=5), "calling_authentication_value"),  # type: ignore[arg-type]
    ],
)
def test_values_without_encoding_are_refused_by_field(value: Any, words: str) -> None:
    """Class and field are named."""
    with pytest.raises(EncodeError, match=words):
        encode(value)


def test_secrets_do_not_show() -> None:
    """Neither in what a value says of itself nor in errors."""
    assert "sesam" not in repr(Aarq(1, calling_authentication_value=b"sesam"))
    assert "sesam" not in repr(InitiateRequest(0, 0, dedicated_key=b"sesam"))
    with pytest.raises(EncodeError) as caught:
        encode(SetRequestNormal(0xC1, _ENERGY, None, octet_string("sesam")))  # type: ignore[arg-type]
    assert "sesam" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nesting_is_bounded() -> None:
    """Data cannot be nested without end, neither way."""
    data = Data(0)
    for _ in range(65):
        data = Data(2, (data,))
    with pytest.raises(EncodeError, match="nested deeper than 64"):
        encode(DataNotification(1, b"", data))
    with pytest.raises(ParseError, match="at most 64 levels"):
        parse(b"\x0f\0\0\0\1\0" + b"\2\1" * 65 + b"\0")


def test_counts_are_not_believed() -> None:
    """An array of four thousand million elements in ten octets is refused at once; so is a compact one."""
    with pytest.raises(ParseError, match="one octet each at least"):
        parse(bytes.fromhex("c401c1000184ffffffff00"))
    nulls = bytes.fromhex("01ffff00")  # an array of 65535 nulls takes no octets
    wide = b"\x13\x02\x02" + nulls + b"\x11" + made_octets(bytes(1000))
    with pytest.raises(ParseError, match="expands to too many"):
        parse(b"\x0f\0\0\0\1\0" + wide)
