"""Services in every choice, by the test-side encoder; and the ways real decoders got them wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded, first
from tests.apdu.strategies import CODES, REFERENCES, VALUES, plain, same
from tests.helpers import apdu_encoder as encode
from tests.helpers.apdu_checks import at, check_tree

CLOCK = (8, bytes.fromhex("0000010000ff"), 2)
PROFILE = (7, bytes.fromhex("0100630100ff"), 2)
MOMENT = bytes.fromhex("07e50603040e091700ffc400")


def sound(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets that must decode without a problem."""
    decoded = decode_apdu(octets, context)
    check_tree(decoded, octets)
    assert not decoded.problems, decoded.problems
    return decoded


#: What is said of a value that the standard does not define, and that is read all the same.
_OF_A_VALUE = ("is not defined", "found", "is no visible character")


def readable(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets with any values at all: nothing may be said but that a value is none."""
    decoded = decode_apdu(octets, context)
    check_tree(decoded, octets)
    for problem in decoded.problems:
        assert problem.severity != "error", problem
        assert any(words in problem.message for words in _OF_A_VALUE), problem
    return decoded


def broken(octets: bytes, context: Context | None = None) -> Decoded:
    """The tree of octets that must have an error."""
    decoded = decode_apdu(octets, context)
    check_tree(decoded, octets)
    assert any(problem.severity == "error" for problem in decoded.problems)
    return decoded


@settings(max_examples=150, deadline=None)
@given(REFERENCES, VALUES, st.none() | VALUES, st.integers(0, 255))
def test_get_set_event_both_ways(
    reference: tuple[int, bytes, int], value: encode.Typed, access: encode.Typed | None, invoke: int
) -> None:
    """Reference, selection and value of GET, SET and events are those encoded."""
    chosen = None if access is None else encode.selection(3, access)
    for octets in (
        encode.get_request(reference, chosen, invoke),
        encode.set_request(reference, value, chosen, invoke),
    ):
        root = readable(octets).root
        assert at(root, "attribute-descriptor").value == (*reference, False)
        assert at(root, "invoke-id-and-priority").value == invoke
        if access is not None:
            assert same(at(root, "access-selection").value, (3, plain(access)))
    assert same(at(root, "value").value, plain(value))
    root = readable(encode.event_notification(reference, value, MOMENT)).root
    assert same(at(root, "attribute-value").value, plain(value))
    assert at(root, "time").value == MOMENT


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(VALUES, CODES), max_size=6))
def test_lists_of_results_both_ways(results: list[encode.Typed | int]) -> None:
    """Each result of a list is a value or a code."""
    root = readable(encode.get_response_list(results)).root
    for index, result in enumerate(results):
        field = at(root, f"result/[{index + 1}]")
        if isinstance(result, int):
            assert at(field, "data-access-result").value == result
        else:
            assert same(field.value, plain(result))


@settings(max_examples=100, deadline=None)
@given(REFERENCES.filter(lambda reference: reference[2] >= 0), VALUES, CODES)
def test_action_and_access_both_ways(
    reference: tuple[int, bytes, int], value: encode.Typed, code: int
) -> None:
    """Methods, parameters, return values; access specifications and their values."""
    root = readable(encode.action_request(reference, value)).root
    assert at(root, "method-descriptor").value == (*reference, True)
    assert same(at(root, "method-invocation-parameters/data").value, plain(value))
    root = readable(encode.action_response(code, value)).root
    assert at(root, "response/action-result").value == code
    assert same(at(root, "response/return-parameters/result/data").value, plain(value))
    root = readable(encode.access_request([(2, reference, b""), (3, reference, b"")], [value, value])).root
    assert at(root, "access-request-specification/[2]").value == (*reference, True)
    assert same(at(root, "access-request-list-of-data/[2]").value, plain(value))
    root = readable(encode.access_response([value], [(3, code)], MOMENT)).root
    assert at(root, "access-response-specification/[1]/result").value == code


class TestSelectiveAccess:
    """The presence octet is not the selector, and the parts of both descriptors have names."""

    def test_range(self) -> None:
        """By range: the object, from, to, the columns."""
        column = ("structure", [("long-unsigned", 8), ("octet-string", CLOCK[1]), ("integer", 2)])
        column[1].append(("long-unsigned", 0))
        bounds = [("octet-string", MOMENT), ("date-time", MOMENT)]
        access = encode.selection(1, ("structure", [column, *bounds, ("array", [column])]))
        root = sound(encode.get_request(PROFILE, access)).root
        selection = at(root, "access-selection")
        assert at(selection, "presence").value == 1
        assert at(selection, "access-selector").text == "range_descriptor"
        parameters = at(selection, "access-parameters")
        assert [child.name for child in parameters.children[2:]] == [
            "restricting-object",
            "from-value",
            "to-value",
            "selected-values",
        ]
        assert at(parameters, "restricting-object/class-id").value == 8
        assert at(parameters, "selected-values/[1]/logical-name").value == CLOCK[1]
        assert at(parameters, "from-value").text == at(parameters, "to-value").text
        assert "read as" not in at(parameters, "from-value").text

    def test_entries(self) -> None:
        """By entry: four numbers."""
        numbers = [("double-long-unsigned", 1), ("double-long-unsigned", 10)]
        numbers += [("long-unsigned", 1), ("long-unsigned", 0)]
        root = sound(encode.get_request(PROFILE, encode.selection(2, ("structure", numbers)))).root
        assert at(root, "access-selection").text == "entries 1 to 10"
        assert at(root, "access-selection/access-parameters/to-entry").value == 10

    def test_with_list_and_short_names(self) -> None:
        """The same in a list, and in a parameterized access."""
        numbers = ("structure", [("double-long-unsigned", 3)] * 4)
        access = encode.selection(2, numbers)
        root = sound(encode.get_request_list([(CLOCK, None), (PROFILE, access)])).root
        assert at(root, "attribute-descriptor-list/[2]/access-selection").text == "entries 3 to 3"
        root = sound(b"\x05\x01\x04\x30\x08\x02" + encode.data(numbers)).root
        assert at(root, "variable-access-specification/[1]/parameter/from-entry").value == 3


class TestBlocks:
    """Blocks alone, whole, and joined by the caller."""

    _VALUE = ("array", [("octet-string", b"ab"), ("long64", -1)])

    def test_a_block_that_is_all_is_decoded_in_place(self) -> None:
        """Block 1 that is the last one carries whole data."""
        root = sound(encode.get_response_block(True, 1, encode.data(self._VALUE))).root
        assert at(root, "result/raw-data/value").value == (b"ab", -1)

    def test_a_block_of_many_is_octets(self) -> None:
        """Other blocks are octets, whatever they look like."""
        octets = encode.data(self._VALUE)
        for block in (
            encode.get_response_block(False, 1, octets),
            encode.get_response_block(True, 2, octets),
        ):
            assert at(sound(block).root, "result/raw-data/value").value == octets

    @pytest.mark.parametrize("with_list", [False, True])
    def test_joined_blocks_are_a_source_of_their_own(self, with_list: bool) -> None:
        """What the caller joined is decoded below the last block."""
        value = encode.data_result(self._VALUE)
        joined = encode.sequence([value, encode.data_result(3)]) if with_list else value[1:]
        context = Context(request=Request((Reference(*PROFILE),), with_list), joined=joined)
        decoded = sound(encode.get_response_block(True, 3, joined[-2:]), context)
        assert decoded.sources[1] == ("joined blocks", joined)
        raw = at(decoded.root, "result/raw-data/value")
        if with_list:
            assert at(raw, "result-list/[1]").value == (b"ab", -1)
        else:
            assert at(raw, "value").value == (b"ab", -1)
        assert raw.children[0].source == 1

    def test_joined_blocks_that_break(self) -> None:
        """A missing block shows as a problem of the joined source."""
        context = Context(joined=encode.data(self._VALUE)[:-3])
        decoded = broken(encode.get_response_block(True, 2, b"\1"), context)
        assert decoded.problems[0].source == 1

    def test_general_block_transfer(self) -> None:
        """One block that is whole is an APDU; joined ones too; parts say what they begin."""
        inner = encode.get_response(self._VALUE)
        root = sound(encode.block_transfer(True, 1, inner)).root
        assert at(root, "block-data/get-response/result/data").value == (b"ab", -1)
        root = sound(encode.block_transfer(False, 1, inner[:4])).root
        assert root.text.endswith("begins get-response")
        decoded = sound(encode.block_transfer(True, 2, inner[4:]), Context(joined=inner))
        assert at(decoded.root, "block-data/value/get-response/result/data").value == (b"ab", -1)

    def test_set_and_action(self) -> None:
        """First blocks with their descriptor, later ones without."""
        octets = bytes([0xC1, 2, 1]) + encode.descriptor(1, CLOCK[1], 2) + b"\0"
        root = sound(octets + encode.block(True, 1, encode.data(self._VALUE))).root
        assert at(root, "datablock/raw-data/value").value == (b"ab", -1)
        octets = bytes([0xC3, 4, 1]) + encode.descriptor(8, CLOCK[1], 1) + encode.block(False, 1, b"xyz")
        assert at(sound(octets).root, "pblock/raw-data").value == b"xyz"
        octets = bytes([0xC3, 6, 1]) + encode.block(True, 2, b"xyz")
        assert at(sound(octets).root, "pblock").text == "block 2 (last), 3 octets"
        for octets in (b"\xc3\x02\x01\0\0\0\x05", b"\xc7\x04\x01\0\0\0\x05", b"\xc0\x02\x01\0\0\0\x05"):
            assert at(sound(octets).root, "block-number").value == 5


class TestShortNames:
    """Every choice of the short-name services."""

    def test_read_request(self) -> None:
        """Names, blocks to go on with, blocks of parameters."""
        parts = [b"\x02\xfa\x08", b"\x05\x00\x07", b"\x06\x01\x00\x02\x01\xff", b"\x07\x00\x00\x03"]
        root = sound(b"\x05" + encode.sequence(parts)).root
        listed = at(root, "variable-access-specification")
        assert [child.text for child in listed.children[1:]] == [
            "FA08",
            "block 7",
            "block 2 (last)",
            "block 3",
        ]

    def test_responses(self) -> None:
        """Data, errors, blocks, numbers of blocks."""
        parts = [b"\x00\x11\x05", b"\x01\x0d", b"\x02\x01\x00\x01\x03\x01\x00\x00", b"\x03\x00\x09"]
        root = sound(b"\x0c" + encode.sequence(parts)).root
        assert at(root, "result-list/[2]").text == "data-access-error scope-of-access-violated"
        assert at(root, "result-list/[3]/raw-data/list/[1]/data").value is None
        assert at(root, "result-list/[4]/block-number").value == 9
        root = sound(b"\x0d" + encode.sequence([b"\0", b"\1\3", b"\2\0\4"])).root
        assert [child.text for child in at(root, "result-list").children[1:]] == [
            "success",
            "data-access-error read-write-denied",
            "block 4",
        ]


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        ("0e010600", "initiateError, initiate other"),
        ("0e010604", "initiateError, initiate refused-by-the-VDE-Handler"),
        ("0e050501", "read, access scope-of-access-violated"),
        ("0e060403", "write, definition object-attribute-inconsistent"),
        ("0e050006", "read, application-reference deciphering-error"),
        ("0e050104", "read, hardware-resource other-resource-unavailable"),
        ("0e050204", "read, vde-state-error status-inoperable"),
        ("0e050302", "read, service service-unsupported"),
        ("0e0e0706", "initiateLoad, load-data-set storage-failure"),
        ("0e0a0903", "start, task ti-running"),
    ],
)
def test_confirmed_service_errors(octets: str, expected: str) -> None:
    """Every table of service errors."""
    assert sound(bytes.fromhex(octets)).root.text == expected


class TestNotifications:
    """Pushes as they are sent, also by those who take liberties."""

    def test_date_time_with_a_tag(self) -> None:
        """The date-time as 09 0C and twelve octets, as some meters send it."""
        octets = b"\x0f\0\0\0\1\x09\x0c" + MOMENT + encode.data(("long", 5))
        decoded = decode_apdu(octets)
        check_tree(decoded, octets)
        assert [problem.severity for problem in decoded.problems] == ["warning"]
        assert at(decoded.root, "date-time").value == MOMENT
        assert at(decoded.root, "notification-body").value == 5

    def test_nine_octets_of_date_time_are_what_they_are(self) -> None:
        """09 and nine other octets are a date-time of nine octets, and odd."""
        octets = b"\x0f\0\0\0\1\x09" + bytes(9) + encode.data(("long", 5))
        decoded = decode_apdu(octets)
        assert at(decoded.root, "date-time").value == bytes(9)
        assert at(decoded.root, "notification-body").value == 5

    def test_descriptors_without_tags(self) -> None:
        """Class, logical name and attribute before a value; the value is read by what they name."""
        rows = b"".join(
            b"\x02\x02" + encode.descriptor(*of) + encode.data(value)
            for of, value in ((CLOCK, ("octet-string", MOMENT)), ((3, PROFILE[1], 2), ("long", 7)))
        )
        decoded = decode_apdu(b"\x0f\0\0\0\1\0" + b"\x01\x02" + rows)
        assert [problem.severity for problem in decoded.problems] == ["warning"]
        body = at(decoded.root, "notification-body")
        assert at(body, "[1]/[1]").value == Reference(*CLOCK)
        assert at(body, "[1]/[2]").text.startswith("2021-06-03 Thu 14:09:23")
        assert "read as" not in at(body, "[1]/[2]").text
        assert at(body, "[2]/[2]").value == 7

    def test_confirm(self) -> None:
        """Data-Notification-Confirm."""
        root = sound(b"\x10\x40\0\0\x05" + encode.octet_string(MOMENT)).root
        assert at(root, "long-invoke-id-and-priority").text == "invoke-id 5, confirmed, normal priority"

    def test_self_descriptive_and_break_on_error(self) -> None:
        """The upper bits of a long invoke-id."""
        field = at(sound(b"\x10\xb0\0\0\x05\0").root, "long-invoke-id-and-priority")
        assert field.text == "invoke-id 5, unconfirmed, high priority, self-descriptive, break on error"


class TestPrefixes:
    """What may stand before an APDU."""

    def test_llc(self) -> None:
        """The three octets of HDLC's LLC are named, and the APDU behind them decoded."""
        for prefix in (b"\xe6\xe6\x00", b"\xe6\xe7\x00"):
            octets = prefix + encode.get_response(("long", 5))
            decoded = decode_apdu(octets)
            check_tree(decoded, octets)
            assert decoded.root.name == "LLC"
            assert [problem.severity for problem in decoded.problems] == ["warning"]
            assert at(decoded.root, "get-response/result/data").value == 5

    def test_gateways_in_gateways_end(self) -> None:
        """A thousand prefixes do not make a tree of a thousand levels."""
        decoded = broken(b"\xe6\x01\x00" * 1000 + b"\xc4\x01\xc1\x01\x03")
        assert "APDUs inside one another" in decoded.problems[0].message


def test_access_response_with_an_octet_too_many() -> None:
    """What follows a whole APDU is shown and named."""
    octets = encode.access_response([("null-data", None)], [(1, 0)]) + b"\0"
    decoded = broken(octets)
    assert decoded.problems[0].start == len(octets) - 1
    assert decoded.root.children[-1].name == "undecoded"


def test_a_list_cut_in_its_second_item_keeps_the_first() -> None:
    """Nothing is lost silently: one result, and a problem where the second should be."""
    octets = encode.get_response_list([("long", 1), ("double-long", 2)])[:-2]
    decoded = broken(octets)
    assert at(decoded.root, "result/[1]").value == 1
    assert decoded.problems[0].start == len(octets) - 2
    assert decoded.root.children[-1].value == octets[-2:]


def test_problems_name_offset_expectation_finding_and_clause() -> None:
    """A break says where, what was expected, what stands there, and where that is laid down."""
    problem = broken(bytes.fromhex("c401c1000841")).problems[0]
    assert (problem.start, problem.stop) == (4, 5)
    assert "expected a tag of Data" in problem.message
    assert "found 8 (0x08)" in problem.message
    assert problem.clause == "IEC 62056-5-3, abstract syntax of get-response"


def test_no_octets() -> None:
    """Nothing at all is a problem, too."""
    decoded = decode_apdu(b"")
    check_tree(decoded, b"")
    assert decoded.problems
    assert first(decoded.root, "tag") is None


def test_an_action_response_in_one_block_is_decoded_in_place() -> None:
    """Block 1 that is the last is the whole of the return parameters."""
    root = sound(bytes.fromhex("c702c1" + "01" + "00000001" + "02" + "1105")).root
    assert at(root, "pblock/raw-data/return-parameters").value == 5


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("c401c10163", "data-access-result at offset 4: 99 is not defined"),
        ("c501c163", "data-access-result at offset 3: 99 is not defined"),
        ("c505c1020063", "data-access-result at offset 5: 99 is not defined"),
        ("c701c16300", "action-result at offset 3: 99 is not defined"),
        ("d80301", "state-error at offset 1: 3 is not defined"),
        ("d80109", "service-error at offset 2: 9 is not defined"),
        ("0e0105", "expected 1 octet of value at offset 3, the octets end"),
        ("0e010507", "value at offset 3: 7 is not defined"),
        ("0e010b00", "service-error at offset 2: 11 is not defined"),
        ("0e630000", "service at offset 1: 99 is not defined"),
    ],
)
def test_codes_that_are_not_defined(octets: str, words: str) -> None:
    """A result that no edition defines is shown as its number, and said to be none."""
    decoded = decode_apdu(bytes.fromhex(octets))
    check_tree(decoded, bytes.fromhex(octets))
    assert [problem.message for problem in decoded.problems] == [words]


def test_a_warning_does_not_keep_a_block_from_being_decoded() -> None:
    """A string that is no UTF-8 inside a whole block: decoded in place, with the warning."""
    octets = bytes.fromhex("c402c1" + "01" + "00000001" + "00" + "03" + "0c01ff")
    decoded = decode_apdu(octets)
    check_tree(decoded, octets)
    assert [problem.severity for problem in decoded.problems] == ["warning"]
    assert at(decoded.root, "result/raw-data/value/tag").text == "utf8-string"
