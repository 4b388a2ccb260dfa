"""Values: every type both ways, dates, compact arrays, and what shapes and scalers make of them."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.data.data_reader import fixed_teller, skip_data
from cosemscope.apdu.data.types import FIXED, TYPES
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field
from tests.apdu.strategies import SCALARS, VALUES, plain, same
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import at, check_tree

_HEAD = bytes.fromhex("c401c100")


def data_of(octets: bytes, context: Context | None = None) -> Field:
    """The data field of a GET response with these octets as its data; the tree must be sound."""
    decoded = decode_apdu(_HEAD + octets, context)
    check_tree(decoded, _HEAD + octets)
    assert not [problem for problem in decoded.problems if problem.severity == "error"], decoded.problems
    return at(decoded.root, "result/data")


def test_the_encoder_knows_the_types_by_the_same_numbers() -> None:
    """Two tables of types, written apart, agree."""
    assert {name: tag for tag, name in TYPES.items()} == encode.TYPE_TAGS


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_encode_then_decode(typed: encode.Typed) -> None:
    """What was encoded is what the tree says, at every level, with its type."""
    field = data_of(encode.data(typed))
    assert same(field.value, plain(typed))

    def check(field: Field, typed: encode.Typed) -> None:
        kind, value = typed
        assert at(field, "tag").text == kind
        if kind in ("array", "structure"):
            assert at(field, "count").value == len(value)
            for index, element in enumerate(value):
                check(at(field, f"[{index + 1}]"), element)

    check(field, typed)


@pytest.mark.parametrize(
    ("octets", "value", "text"),
    [
        ("14ffffffffffffffff", -1, "-1"),
        ("15ffffffffffffffff", 2**64 - 1, "18446744073709551615"),
        ("148000000000000000", -(2**63), "-9223372036854775808"),
    ],
)
def test_long64_is_signed_and_long64_unsigned_is_not(octets: str, value: int, text: str) -> None:
    """The two 64-bit types are not swapped."""
    field = data_of(bytes.fromhex(octets))
    assert (field.value, field.text) == (value, text)


def test_strings_are_shown() -> None:
    """Strings are values, not only lengths; what is no text is shown in hex."""
    assert data_of(encode.data(("octet-string", b"ISK1030777764366"))).text == '"ISK1030777764366"'
    assert data_of(encode.data(("octet-string", b"\x00\x01\xfe"))).text == "0001fe"
    assert data_of(encode.data(("visible-string", "a\tb"))).text == '"a\\tb"'
    assert data_of(encode.data(("utf8-string", "zähler"))).text == '"zähler"'
    assert data_of(encode.data(("bit-string", "10110"))).text == "10110"
    assert data_of(encode.data(("bcd", 0x42))).text == "42"


def test_broken_utf8_is_shown_not_dropped() -> None:
    """Octets that are no UTF-8 stay visible."""
    assert data_of(b"\x0c\x02\xc3\x28").value == "\\xc3("


def test_floats() -> None:
    """Floats with a sensible number of digits, NaN and infinity; reversed octets are pointed out."""
    assert data_of(encode.data(("float32", 230.1))).text == "230.1"
    assert data_of(encode.data(("float64", 0.1))).text == "0.1"
    assert data_of(encode.data(("float32", float("nan")))).text == "NaN"
    assert data_of(encode.data(("float64", float("-inf")))).text == "-inf"
    assert data_of(b"\x17" + struct.pack("<f", 230.25)).text.endswith("(with its octets reversed 230.25)")


class TestDates:
    """Date and time in every form: typed, as octet strings, with wildcards."""

    def test_typed_and_untyped_date_time_say_the_same(self) -> None:
        """Type 25 and a 12-octet string; the latter says that it is a reading."""
        moment = bytes.fromhex("07e50603040e091700ffc400")
        typed = data_of(encode.data(("date-time", moment)))
        untyped = data_of(encode.data(("octet-string", moment)))
        assert typed.text == "2021-06-03 Thu 14:09:23, deviation -60 min (13:09:23 UTC)"
        assert untyped.text == f"{typed.text} (read as date-time)"
        assert typed.value == untyped.value == moment
        assert [child.name for child in at(typed, "value").children] == [
            "year",
            "month",
            "day-of-month",
            "day-of-week",
            "hour",
            "minute",
            "second",
            "hundredths",
            "deviation",
            "clock-status",
        ]

    def test_wildcards(self) -> None:
        """What is not specified is a star; the special months and days have names."""
        field = data_of(encode.data(("date-time", bytes.fromhex("fffffefdff02ffffff8000ff"))))
        assert field.text == "*-DST begin-second last 02:*:*"
        assert at(field, "value/year").text == "not specified"
        assert at(field, "value/deviation").text == "not specified"
        assert at(field, "value/clock-status").text == "not specified"

    def test_clock_status_bits(self) -> None:
        """Every bit of the status has its name."""
        field = data_of(encode.data(("date-time", bytes.fromhex("07ea0404060404042b00008f"))))
        assert at(field, "value/clock-status").text == (
            "invalid value, doubtful value, different clock base, invalid clock status, daylight saving"
        )

    def test_date_and_time(self) -> None:
        """The five and the four octets, typed."""
        assert data_of(encode.data(("date", bytes.fromhex("07ea0b1701")))).text == "2026-11-23 Mon"
        assert data_of(encode.data(("time", bytes.fromhex("0e091732")))).text == "14:09:23.50"

    def test_text_of_twelve_characters_is_no_date(self) -> None:
        """Serial numbers are left as text."""
        assert data_of(encode.data(("octet-string", b"123456789012"))).text == '"123456789012"'

    def test_short_strings_keep_their_octets(self) -> None:
        """Four and five octets are shown as they are, a date only as a possibility."""
        field = data_of(encode.data(("octet-string", bytes.fromhex("07ea0b1701"))))
        assert field.text == "07ea0b1701 (as date: 2026-11-23 Mon)"
        assert not at(field, "value").children

    def test_the_attribute_says_that_it_is_a_time(self) -> None:
        """With the request known, the times of a single action schedule are read as such."""
        request = Request((Reference(22, bytes.fromhex("00000f0000ff"), 4),))
        rows = [("structure", [("octet-string", b"\x17\0\0\0"), ("octet-string", b"\xff\xff\xff\xff\xff")])]
        field = data_of(encode.data(("array", rows)), Context(request=request))
        assert at(field, "[1]/time").text == "23:00:00"
        assert at(field, "[1]/date").text == "*-*-*"

    @settings(max_examples=200, deadline=None)
    @given(st.binary(min_size=12, max_size=12))
    def test_any_twelve_octets(self, octets: bytes) -> None:
        """No twelve octets upset the reader."""
        assert data_of(b"\x19" + octets).value == octets


class TestCompactArrays:
    """Types once, values after them."""

    @settings(max_examples=150, deadline=None)
    @given(st.data())
    def test_rows(self, draw: st.DataObject) -> None:
        """Rows of scalars come out as they went in."""
        first = draw.draw(st.lists(SCALARS, min_size=1, max_size=4))
        if all(kind in ("null-data", "dont-care") for kind, _ in first):
            return
        count = draw.draw(st.integers(0, 4))
        description = b"\x02" + encode.sequence([bytes([encode.TYPE_TAGS[kind]]) for kind, _ in first])
        row = b"".join(encode.content(kind, value) for kind, value in first)
        if not row:
            return
        field = data_of(encode.compact_array(description, row * count))
        assert same(field.value, tuple(tuple(value for _, value in first) for _ in range(count)))

    def test_strings_and_nested_arrays(self) -> None:
        """Lengths stand before strings, counts only in the description."""
        description = b"\x02\x02\x09\x01\x00\x02\x12"
        field = data_of(encode.compact_array(description, b"\x02ab\x00\x01\x00\x02\x00\x00\x03\x00\x04"))
        assert field.value == ((b"ab", (1, 2)), (b"", (3, 4)))

    def test_elements_of_no_octets(self) -> None:
        """Contents that no number of elements would fill are a problem, not a loop."""
        octets = _HEAD + encode.compact_array(b"\x01\xff\xff\x00", b"\x01")
        decoded = decode_apdu(octets)
        check_tree(decoded, octets)
        assert decoded.problems

    def test_expansion_is_limited(self) -> None:
        """A description of many nulls cannot make a tree out of proportion."""
        description = b"\x02\x02\x11" + b"\x01\xff\xff\x00"
        octets = _HEAD + encode.compact_array(description, bytes(200))
        decoded = decode_apdu(octets)
        check_tree(decoded, octets)
        assert "expands to too many fields" in decoded.problems[0].message


class TestScalersAndUnits:
    """Numbers in their unit where scaler and unit are known."""

    _SCALER = ("structure", [("integer", 1), ("enum", 30)])

    def test_from_the_context(self) -> None:
        """The caller has learned the scaler of this register."""
        reference = Reference(3, bytes.fromhex("0100010800ff"), 2)
        context = Context(
            request=Request((reference,)), scaler_unit=lambda of: (1, 30) if of == reference else None
        )
        field = data_of(encode.data(("double-long-unsigned", 123456)), context)
        assert field.text.startswith("1234.56") or field.text.startswith("1234560")
        assert at(field, "value").text == "123456"

    def test_from_the_same_list(self) -> None:
        """A with-list response that holds value and scaler_unit shows the value scaled."""
        name = bytes.fromhex("0100010800ff")
        context = Context(request=Request((Reference(3, name, 3), Reference(3, name, 2)), with_list=True))
        octets = encode.get_response_list([("structure", [("integer", -2), ("enum", 35)]), ("long", 23012)])
        decoded = decode_apdu(octets, context)
        check_tree(decoded, octets)
        assert at(decoded.root, "result/[2]").text.startswith("230.12")
        assert at(decoded.root, "result/[2]/data/value").value == 23012
        assert at(decoded.root, "result/[1]/data/scaler").text == "10^-2"

    def test_in_a_push(self) -> None:
        """Name, value, scaler and unit in one structure."""
        body = ("structure", [("octet-string", bytes.fromhex("0100200700ff")), ("long-unsigned", 2364)])
        body[1].append(("structure", [("integer", -1), ("enum", 35)]))
        decoded = decode_apdu(encode.data_notification(("array", [body])))
        assert "= 236.4" in at(decoded.root, "notification-body/[1]").text

    def test_of_nothing_but_numbers(self) -> None:
        """A string with a scaler beside it stays a string."""
        reference = Reference(3, bytes.fromhex("0100010800ff"), 2)
        context = Context(request=Request((reference,)), scaler_unit=lambda of: (1, 30))
        assert data_of(encode.data(("visible-string", "12")), context).text == '"12"'


def test_object_list_has_names() -> None:
    """The structure of a known attribute has the names of its elements."""
    row = (
        "structure",
        [("long-unsigned", 8), ("unsigned", 0), ("octet-string", bytes.fromhex("0000010000ff"))],
    )
    row[1].append(("structure", [("array", []), ("array", [])]))
    context = Context(request=Request((Reference(15, bytes.fromhex("0000280000ff"), 2),)))
    field = data_of(encode.data(("array", [row])), context)
    assert at(field, "[1]/class-id").value == 8
    assert at(field, "[1]/logical-name").text.startswith("0.0.1.0.0.255")
    assert at(field, "[1]/access-rights/method-access").value == ()


def test_a_shape_that_does_not_fit_changes_nothing() -> None:
    """Names are only names: a structure longer than its shape keeps its elements."""
    context = Context(request=Request((Reference(3, bytes(6), 3),)))
    field = data_of(encode.data(("structure", [("integer", 1)] * 3)), context)
    assert field.value == (1, 1, 1)
    assert at(field, "[3]").value == 1


def problems_of(octets: str) -> list[tuple[str, str]]:
    """Severity and message of each problem of a GET response with these octets as its data."""
    whole = _HEAD + bytes.fromhex(octets)
    decoded = decode_apdu(whole)
    check_tree(decoded, whole)
    return [(problem.severity, problem.message) for problem in decoded.problems]


def test_a_count_that_cannot_be_is_named() -> None:
    """More elements than octets: the elements that are there are shown, and the count is what is wrong."""
    words = "count at offset 5 says 4294967295 elements, the octets end after 2"
    assert problems_of("0184ffffffff0000") == [("error", words)]
    words = "count at offset 5 says 3 elements, the octets end after 1"
    assert problems_of("020300") == [("error", words)]


def test_octets_that_are_not_their_string_type() -> None:
    """Octets that are no UTF-8 are a warning, those of no visible character a note, at their offset."""
    assert problems_of("0c0441ffc328") == [
        ("warning", "utf8-string at offset 6: octet 0xFF at offset 7 is no UTF-8")
    ]
    assert problems_of("0c03e282ac") == []
    assert problems_of("0a044100ff7e") == [
        ("note", "visible-string at offset 6: octet 0x00 at offset 7 is no visible character")
    ]


def test_types_that_are_no_data() -> None:
    """The break names the tags that there are, without those that there are not."""
    [(severity, message)] = problems_of("0e01")
    assert severity == "error"
    assert "(0 to 6, 9, 10, 12, 13, 15 to 33, 255)" in message


def test_a_float32_in_its_unit_has_the_digits_of_a_float32() -> None:
    """230.1 V as float32 is not 230.10000610351562 V."""
    reference = Reference(3, bytes.fromhex("0100200700ff"), 2)
    context = Context(Request((reference,)), scaler_unit=lambda reference: (0, 35))
    assert data_of(bytes.fromhex("174366199a"), context).text == "230.1 V"
    context = Context(Request((reference,)), scaler_unit=lambda reference: (-1, 35))
    assert data_of(bytes.fromhex("174366199a"), context).text == "23.01 V"


# Passing over values.


@settings(max_examples=200, deadline=None)
@given(st.lists(VALUES, max_size=4), st.binary(max_size=3))
def test_values_are_passed_over_to_their_end(values: list[encode.Typed], behind: bytes) -> None:
    """Any values, with anything around them; one octet fewer, and they do not end."""
    octets = b"".join(map(encode.data, values))
    stop = 2 + len(octets)
    assert skip_data(b"\xff\xff" + octets + behind, 2, stop + len(behind), len(values)) == stop
    if octets:
        assert skip_data(octets, 0, len(octets) - 1, len(values)) == -1


@pytest.mark.parametrize(
    ("octets", "count", "stop"),
    [
        ("", 0, 0),
        ("00", 1, 1),
        ("ff", 1, 1),
        ("1101", 1, 2),
        ("11", 1, -1),
        ("19" + "00" * 12, 1, 13),
        ("1a" + "00" * 5, 1, 6),
        ("1b" + "00" * 4, 1, 5),
        ("0902aabb", 1, 4),
        ("0981", 1, -1),
        ("098102aabb", 1, 5),
        ("09820002aabb", 1, 6),
        ("0a0141", 1, 3),
        ("0c0141", 1, 3),
        ("0409aabb", 1, 4),
        ("0408aa", 1, 3),
        ("0401aa", 1, 3),
        ("0400", 1, 2),
        ("0100", 1, 2),
        ("0102 00 1101", 1, 5),
        ("0202 00 1101", 1, 5),
        ("0102 00", 1, -1),
        ("01", 1, -1),
        ("0101 0101 0101 00", 1, 7),
        ("13 00 00", 1, -1),
        ("0e", 1, -1),
        ("00 00 00", 3, 3),
        ("00 00", 3, -1),
        ("0184ffffffff 00", 1, -1),
    ],
)
def test_where_values_end(octets: str, count: int, stop: int) -> None:
    """Each type by its size; compact arrays, unknown types and what is cut do not tell."""
    data = bytes.fromhex(octets)
    assert skip_data(data, 0, len(data), count) == stop


@pytest.mark.parametrize("count", [3, 4, 5, 300])
def test_brief_trees_have_three_elements_of_an_array(count: int) -> None:
    """The others are one leaf; the value has as many elements as there are."""
    octets = b"\x01" + encode.length(count) + b"\x11\x07" * count
    field = data_of(octets, Context(brief=True))
    assert field.value == (7, 7, 7) + (None,) * (count - 3)
    names = [child.name for child in field.children]
    assert names == ["tag", "count", "[1]", "[2]", "[3]", *([f"4] to [{count}]"] if count > 3 else [])]
    assert len(data_of(octets).children) == count + 2


def test_brief_trees_say_what_is_wrong_in_the_rest() -> None:
    """Then the elements are read: only that tells where they break."""
    whole = _HEAD + bytes.fromhex("0105 00 00 00 00 0e")
    problems = decode_apdu(whole, Context(brief=True)).problems
    assert [problem.message for problem in problems] == [
        problem.message for problem in decode_apdu(whole).problems
    ]


# Nesting.


@pytest.mark.parametrize("level", ["0101", "0201"])
def test_values_nest_64_deep(level: str) -> None:
    """64 arrays or structures in one another are read, one more is told."""
    assert not problems_of(level * 64 + "1107")
    [(severity, message)] = problems_of(level * 65 + "1107")
    assert (severity, message) == (
        "error",
        f"expected at most 64 levels of data, found more at offset {4 + 65 * 2}",
    )


# Texts of structures.


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("0202 0906 0100010800ff 1107", "1.0.1.8.0.255 Active energy import (+A) = 7"),
        ("0202 0906 0100010800ff 0100", "structure of 2"),
        ("0202 0906 0100010800ff 0200", "structure of 2"),
        ("0202 0906 1000010800ff 1107", "structure of 2"),
        ("0202 0905 0100010800 1107", "structure of 2"),
        ("0202 1107 0906 0100010800ff", "structure of 2"),
        ("0201 0906 0100010800ff", "structure of 1"),
        ("0203 0906 0100010800ff 1107 00", "structure of 3"),
        ("0203 0906 0100010800ff 1107 0202 0f00 161e", "1.0.1.8.0.255 Active energy import (+A) = 7 Wh"),
        ("0203 0906 0100010800ff 0a0137 0202 0f00 161e", '1.0.1.8.0.255 Active energy import (+A) = "7"'),
        ("0203 0906 0100010800ff 1107 0202 0f00 111e", "structure of 3"),
        ("0203 0906 0100010800ff 1107 0102 0f00 161e", "structure of 3"),
        ("0204 0906 0100010800ff 1107 00 00", "structure of 4"),
        ("0202 0ffe 161e", "scaler 10^-2, unit Wh"),
        ("0202 0ffe 1600", "structure of 2"),
        ("0202 11fe 161e", "structure of 2"),
        ("0202 0ffe 111e", "structure of 2"),
        ("0203 0ffe 161e 00", "structure of 3"),
    ],
)
def test_what_small_structures_say(octets: str, text: str) -> None:
    """A name and its value, with scaler and unit or without; a scaler and a unit; nothing else."""
    assert data_of(bytes.fromhex(octets)).text == text


@pytest.mark.parametrize(
    ("descriptor", "untagged"),
    [
        ("0008 0000010000ff 02 11", True),
        ("00ff 0000010000ff 28 11", True),
        ("0008 0000010000ff 01 11", True),
        ("0008 0000010000ff 29 11", False),
        ("0008 0000010000ff 00 11", False),
        ("0008 0000010000fe 02 11", False),
        ("0108 0000010000ff 02 11", False),
    ],
)
def test_descriptors_without_tags_in_pushes(descriptor: str, untagged: bool) -> None:
    """Class below 256 and not 0, value group F 255, attributes 1 to 40: otherwise it is broken Data."""
    octets = bytes.fromhex(f"0f 00000001 00 0201 0202 {descriptor} 07")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert [problem.severity for problem in decoded.problems] == ["warning" if untagged else "error"]
    if untagged:
        value = at(decoded.root, "notification-body/[1]/[1]").value
        assert (value.class_id, value.instance) == (octets[11], octets[12:18])


def test_long_structures_with_names_are_cut() -> None:
    """The text of named elements has 160 characters at most."""
    context = Context(request=Request((Reference(15, bytes(6), 11),)))
    short = encode.data(("structure", [("unsigned", 5), ("visible-string", "x" * 137)]))
    text = data_of(short, context).text
    assert (len(text), text[-2:]) == (160, 'x"')
    longer = encode.data(("structure", [("unsigned", 5), ("visible-string", "x" * 138)]))
    text = data_of(longer, context).text
    assert (len(text), text[-1]) == (160, "…")


#: Objects whose values have enumerations, units and scalers, and one of no class that is known.
OBJECTS = [Reference(3, bytes((1, 0, 1, 8, 0, 255)), 2, False), Reference(70, bytes(6), 3, False)]
OBJECTS += [
    Reference(8, bytes(6), 9, False),
    Reference(7, bytes(6), 7, False),
    Reference(999, bytes(6), 2, False),
]


@given(
    SCALARS,
    st.one_of(st.none(), st.sampled_from(OBJECTS)),
    st.one_of(st.none(), st.tuples(st.integers(-30, 30), st.integers(0, 255))),
    st.binary(max_size=2),
)
def test_values_of_fixed_size_have_the_text_of_their_field(
    typed: encode.Typed, reference: Reference | None, scaler_unit: tuple[int, int] | None, behind: bytes
) -> None:
    """Without a tree being made of them; None for all others, and where more octets follow."""
    octets = encode.data(typed)
    text = fixed_teller(reference, scaler_unit)(_HEAD + octets + behind, len(_HEAD))
    assert (text is not None) == (octets[0] in FIXED and not behind)
    if text is not None:
        request = Request((reference,)) if reference is not None else None
        assert text == data_of(octets, Context(request, scaler_unit=lambda _: scaler_unit)).text
