"""Strings of Data: text, octets and bits as they are; dates and logical names where octets are one."""

import pytest

from cosemscope.apdu.data.strings import plausible_name
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded, Field
from tests.helpers.apdu_checks import at, check_tree, tree

_HEAD = bytes.fromhex("c401c100")


def decoded_data(octets: str) -> Decoded:
    whole = _HEAD + bytes.fromhex(octets)
    decoded = decode_apdu(whole)
    check_tree(decoded, whole)
    return decoded


def data_of(octets: str) -> Field:
    return at(decoded_data(octets).root, "result/data")


@pytest.mark.parametrize(
    ("octets", "value", "text"),
    [
        ("0900", b"", "empty"),
        ("090141", b"A", "41"),
        ("09024142", b"AB", '"AB"'),
        ("09021f41", b"\x1fA", "1f41"),
        ("0a00", "", '""'),
        ("0a0141", "A", '"A"'),
        ("0a02e441", "\xe4A", '"\xe4A"'),
        ("0c02c3a4", "\xe4", '"\xe4"'),
        ("0c02c328", "\\xc3(", '"\\xc3("'),
    ],
)
def test_text_and_octets(octets: str, value: object, text: str) -> None:
    """Octets are text from two printable characters on; strings keep what is none, escaped."""
    field = data_of(octets)
    assert (field.value, field.text) == (value, text)


def test_the_fields_of_strings() -> None:
    """Tag, length and value, each at its octets; a long length has the octets that it needs."""
    assert tree(data_of("0a024142")) == (
        '4-8 data ("AB")\n  4-5 tag 10 (visible-string)\n  5-6 length 2\n  6-8 value AB ("AB")'
    )
    assert tree(data_of("0c8102c3a4")) == (
        '4-9 data ("ä")\n  4-5 tag 12 (utf8-string)\n  5-7 length 2\n  7-9 value ä ("ä")'
    )
    assert tree(data_of("0903000102")) == (
        "4-9 data (000102)\n  4-5 tag 9 (octet-string)\n  5-6 length 3\n  6-9 value 000102 (000102)"
    )


@pytest.mark.parametrize(
    ("octets", "severity", "span", "where"),
    [
        ("0c0341c328", "warning", (7, 8), "octet 0xC3 at offset 7"),
        ("0c02e282", "warning", (6, 8), "octet 0xE2 at offset 6"),
        ("0a024100", "note", (7, 8), "octet 0x00 at offset 7"),
        ("0a017f", "note", (6, 7), "octet 0x7F at offset 6"),
        ("0a011f", "note", (6, 7), "octet 0x1F at offset 6"),
    ],
)
def test_octets_that_their_type_has_not(
    octets: str, severity: str, span: tuple[int, int], where: str
) -> None:
    """The first octet that is wrong is named with its place."""
    [problem] = decoded_data(octets).problems
    kind, what = ("utf8", "UTF-8") if severity == "warning" else ("visible", "visible character")
    assert problem.severity == severity
    assert problem.message == f"{kind}-string at offset 6: {where} is no {what}"
    assert (problem.start, problem.stop) == span


def test_every_visible_character_is_visible() -> None:
    """Space to tilde: no note."""
    assert not decoded_data("0a5f" + bytes(range(0x20, 0x7F)).hex()).problems


# Octets that are read as something.


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("090c07e80601060a1e0f00ffc400", "2024-06-01 Sat 10:30:15, deviation -60 min (09:30:15 UTC)"),
        ("090cffffffffffffffffff8000ff", "*-*-* *:*:*"),
    ],
)
def test_date_times(octets: str, text: str) -> None:
    """Twelve octets that can be one; the text says that it is a reading."""
    field = data_of(octets)
    assert field.text == f"{text} (read as date-time)"
    assert at(field, "value").text == field.text
    assert len(at(field, "value").children) == 10


@pytest.mark.parametrize(
    "octets",
    [
        "090c07e80d01060a1e0f00ffc400",
        "090c000000000000000000000000",
        "090d07e80601060a1e0f00ffc40000",
        "090b07e80601060a1e0f00ffc4",
    ],
)
def test_octets_that_are_no_date_time(octets: str) -> None:
    """A month of 13, zeros, one octet more than a date-time or one less."""
    assert data_of(octets).text == octets[4:]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0100010800ff", "1.0.1.8.0.255 Active energy import (+A) (read as logical name)"),
        ("0000010000ff", "0.0.1.0.0.255 Clock (read as logical name)"),
        ("0f00000000ff", None),
        ("1000000000ff", "1000000000ff"),
        ("010001080063", None),
        ("010001080064", "010001080064"),
        ("0a0001080063", "0a0001080063"),
        ("010000000001", "010000000001"),
        ("090000000101", None),
    ],
)
def test_logical_names(octets: str, text: str | None) -> None:
    """Six octets: a medium that there is, F as it is usual, or a billing period of something."""
    found = data_of("0906" + octets).text
    if text is None:
        assert found.endswith("(read as logical name)")
    else:
        assert found == text


@pytest.mark.parametrize(
    ("octets", "plausible"),
    [
        ("0000000000ff", True),
        ("0f01020304ff", True),
        ("1001020304ff", False),
        ("09010203 0463", True),
        ("0901020304 64", False),
        ("0a010203 0463", False),
        ("000000000000", False),
        ("000100000000", False),
        ("000001000000", True),
        ("000000000100", True),
    ],
)
def test_what_can_be_a_logical_name(octets: str, plausible: bool) -> None:
    """Value groups A and F decide, and C to E where F is a billing period."""
    assert plausible_name(bytes.fromhex(octets)) == plausible


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("090407e80601", "07e80601"),
        ("0904170f1e00", "170f1e00 (as time: 23:15:30)"),
        ("0904180f1e00", "180f1e00"),
        ("090400000000", "00000000"),
        ("090507e8060106", "07e8060106 (as date: 2024-06-01 Sat)"),
        ("090507e80d0106", "07e80d0106"),
        ("090541424344 45", '"ABCDE"'),
        ("0903170f1e", "170f1e"),
    ],
)
def test_four_and_five_octets(octets: str, text: str) -> None:
    """A time or a date is a possibility that is said, the octets stay."""
    field = data_of(octets)
    assert field.text == text
    assert not at(field, "value").children


# Bit strings.


@pytest.mark.parametrize(
    ("octets", "bits", "text"),
    [
        ("0400", "", "empty"),
        ("040180", "1", "1"),
        ("0401ff", "1", "1"),
        ("0408a5", "10100101", "10100101"),
        ("0409a580", "101001011", "101001011"),
        ("0440" + "80" * 8, "10000000" * 8, "10000000" * 8),
        ("0441" + "80" * 9, "10000000" * 8 + "1", "10000000" * 8 + "… (65 bits)"),
    ],
)
def test_bits(octets: str, bits: str, text: str) -> None:
    """As many as the count says, the first the most significant; long ones are cut with their number."""
    field = data_of(octets)
    assert (field.value, field.text) == (bits, text)
    value = at(field, "value")
    assert (value.start, value.stop, value.value) == (6, 4 + len(octets) // 2, bits)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("0409a5", "count at offset 5 says 9 bits (2 octets), 1 octets remain"),
        ("0401", "count at offset 5 says 1 bits (1 octets), 0 octets remain"),
        ("0484ffffffff00", "count at offset 5 says 4294967295 bits (536870912 octets), 1 octets remain"),
    ],
)
def test_bits_that_are_not_there(octets: str, words: str) -> None:
    """The count is what is wrong."""
    [problem] = decoded_data(octets).problems
    assert (problem.severity, problem.message, problem.start) == ("error", words, 5)
    assert problem.stop == 4 + len(octets) // 2
