"""Compact arrays beside their trees: names out of a shape, how deep types nest, what they expand to."""

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from tests.helpers.apdu_checks import at, check_tree, tree

_HEAD = bytes.fromhex("c401c100")


def decoded_of(octets: bytes, context: Context | None = None) -> Decoded:
    decoded = decode_apdu(_HEAD + octets, context)
    check_tree(decoded, _HEAD + octets)
    return decoded


def test_elements_have_the_names_of_their_attribute() -> None:
    """Capture objects of a profile, also of the older kind without a data index; longer ones have numbers."""
    context = Context(Request((Reference(7, bytes.fromhex("0100630100ff"), 3),)))
    octets = bytes.fromhex("13 0204 12 09 0f 12 0c 0003 06 0100010800ff 02 0001")
    contents = at(decoded_of(octets, context).root, "result/data/array-contents")
    assert tree(contents) == (
        "12-24 array-contents (1 element)\n"
        "  12-24 [1] (structure of 4)\n"
        "    12-14 class-id 3 (Register (3))\n"
        "    14-21 logical-name (1.0.1.8.0.255 Active energy import (+A))\n"
        "      14-15 length 6\n"
        "      15-21 value 0100010800ff (1.0.1.8.0.255 Active energy import (+A))\n"
        "    21-22 attribute-index 2 (2)\n"
        "    22-24 data-index 1 (1)"
    )
    short = bytes.fromhex("13 0201 12 02 0003")
    assert at(decoded_of(short, context).root, "result/data/array-contents/[1]/class-id").value == 3
    long = bytes.fromhex("13 0205 11 11 11 11 11 05 0102030405")
    assert at(decoded_of(long, context).root, "result/data/array-contents/[1]/[5]").value == 5


def test_an_array_hands_on_the_shape_of_its_elements() -> None:
    """An entry's actions are an array in a structure."""
    context = Context(Request((Reference(9, bytes(6), 2),)))
    octets = bytes.fromhex("13 0202 11 01000102 02 11 12 04 01 02 0008")
    actions = at(decoded_of(octets, context).root, "result/data/array-contents/[1]/actions")
    assert at(actions, "[1]/class-id").text == "Clock (8)"


def test_types_nest_64_deep() -> None:
    """63 arrays or structures around a type are read, one more is told."""
    for level in (b"\x01\x00\x01", b"\x02\x01"):
        assert not decoded_of(b"\x13" + level * 63 + b"\x11\x01\x07").problems
        [problem] = decoded_of(b"\x13" + level * 64 + b"\x11\x01\x07").problems
        at_type = 5 + 64 * len(level)
        assert problem.message == (f"expected at most 64 levels of types, found more at offset {at_type}")
        assert problem.start == at_type


def test_what_types_expand_to_is_bounded() -> None:
    """250 fields and four for each octet of the APDU: 14 octets may make 306, and not ten thousand."""
    for count, well in ((303, True), (304, False)):
        description = b"\x02\x02\x01" + count.to_bytes(2, "big") + b"\x00\x11"
        problems = decoded_of(b"\x13" + description + b"\x01\x07").problems
        assert [problem.message for problem in problems] == (
            [] if well else ["expected fewer elements: this compact array expands to too many fields"]
        )
