"""Parts of services with what only the context knows: the request of a response, joined blocks, scalers."""

import pytest

from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Decoded
from tests.helpers.apdu_checks import at, check_tree, tree

_ENERGY, _PROFILE = bytes.fromhex("0100010800ff"), bytes.fromhex("0100630100ff")
_VALUE, _SCALER = Reference(3, _ENERGY, 2), Reference(3, _ENERGY, 3)


def decoded_of(octets: str, context: Context) -> Decoded:
    data = bytes.fromhex(octets)
    decoded = decode_apdu(data, context)
    check_tree(decoded, data)
    return decoded


# Blocks.


@pytest.mark.parametrize(
    ("with_list", "inside"), [(False, "value (null)"), (True, "result-list (0 elements)")]
)
def test_a_block_is_read_as_the_request_asked(with_list: bool, inside: str) -> None:
    """One octet 00 is null-data for one attribute, and no results for a list."""
    context = Context(Request((_VALUE,), with_list))
    root = decoded_of("c402c1 01 00000001 00 01 00", context).root
    assert tree(at(root, "result/raw-data").children[1]).splitlines()[0] == f"10-11 {inside}"


def test_joined_blocks_hang_below_the_last_one() -> None:
    """A source of their own, below the octets of the block; other blocks stay octets."""
    context = Context(Request((_VALUE,)), joined=bytes.fromhex("060001e240"))
    decoded = decoded_of("c402c1 01 00000002 00 02 e240", context)
    assert decoded.sources[1] == ("joined blocks", context.joined)
    assert tree(at(decoded.root, "result/raw-data")) == (
        "9-12 raw-data (2 octets)\n"
        "  9-10 length 2\n"
        "  10-12 value (e240)\n"
        "    1:0-5 value (123456)\n"
        "      1:0-1 tag 6 (double-long-unsigned)\n"
        "      1:1-5 value 123456 (123456)"
    )
    assert not decoded.problems
    assert len(decoded_of("c402c1 00 00000002 00 02 e240", context).sources) == 1


def test_joined_blocks_that_make_no_sense() -> None:
    """Read as the likeliest, with what is wrong, in their own source."""
    context = Context(Request((_VALUE,)), joined=b"\x06\x00\x01")
    decoded = decoded_of("c402c1 01 00000002 00 01 01", context)
    [problem] = decoded.problems
    assert (problem.source, problem.start, problem.stop) == (1, 1, 3)
    assert problem.message == "expected 4 octets of double-long-unsigned at offset 1, only 2 remain"
    joined = at(decoded.root, "result/raw-data/value/joined")
    assert (joined.source, joined.start, joined.stop) == (1, 0, 3)


def test_octets_of_the_only_block_that_make_no_sense() -> None:
    """They stay octets, and nothing is said of what was tried."""
    decoded = decoded_of("c402c1 01 00000001 00 02 0e0e", Context(Request((_VALUE,))))
    assert at(decoded.root, "result/raw-data/value").value == b"\x0e\x0e"
    assert not decoded.problems


def test_octets_of_the_only_block_that_are_odd() -> None:
    """A date with a month of 13 can be read: it is, with its warning."""
    decoded = decoded_of("c402c1 01 00000001 00 06 1a07e80d01ff", Context(Request((_VALUE,))))
    assert at(decoded.root, "result/raw-data/value").text == "2024-13-01"
    assert [(problem.severity, problem.start) for problem in decoded.problems] == [("warning", 13)]


# Scalers and units.


def test_values_have_the_scaler_that_is_known() -> None:
    """In the order of the request; None where none is known."""
    known = {_VALUE: (-1, 30), Reference(4, _ENERGY, 2): (0, 27)}
    request = Request((Reference(4, _ENERGY, 2), Reference(5, _ENERGY, 2), _VALUE), with_list=True)
    root = decoded_of("c403c1 03 00 1107 00 1108 00 1109", Context(request, scaler_unit=known.get)).root
    texts = [at(root, f"result/[{number}]/data").text for number in (1, 2, 3)]
    assert texts == ["7 W", "8", "0.9 Wh"]


def test_what_a_method_returns_is_not_scaled() -> None:
    """Nor has it the shape of the method's parameters."""
    request = Request((Reference(3, _ENERGY, 2, True),))
    context = Context(request, scaler_unit=lambda reference: (-1, 30))
    root = decoded_of("c701c1 00 01 00 1107", context).root
    assert at(root, "response/return-parameters/result/data").text == "7"


@pytest.mark.parametrize(
    ("references", "texts"),
    [
        ((_SCALER, _VALUE), ["scaler 10^-2, unit V", "230.12 V"]),
        ((_SCALER, Reference(3, _PROFILE, 2)), ["scaler 10^-2, unit V", "23012"]),
        ((_SCALER, Reference(4, _ENERGY, 2)), ["scaler 10^-2, unit V", "23012"]),
        ((_SCALER, Reference(3, _ENERGY, 4)), ["scaler 10^-2, unit V", "23012"]),
        ((Reference(3, _ENERGY, 4), _VALUE), ["scaler 10^-2, unit V", "23012"]),
    ],
)
def test_scalers_in_the_same_list(references: tuple[Reference, ...], texts: list[str]) -> None:
    """A value has the scaler_unit of its own object, if that is in the list; any other has not."""
    root = decoded_of("c403c1 02 00 0202 0ffe 1623 00 1259e4", Context(Request(references, True))).root
    found = [at(root, f"result/[{number}]") for number in (1, 2)]
    assert [field.text for field in found][1] == texts[1]
    assert at(found[1], "data").text == texts[1]
    assert at(found[1], "data/value").value == 23012


# Selective access.


@pytest.mark.parametrize(
    ("class_id", "selector", "parameters", "text"),
    [
        ("0007", "02", "0204 0600000001 0600000000 120001 120002", "entries 1 to 0"),
        ("0007", "03", "00", "selector 3"),
        ("0007", "01", "00", "selector 1"),
        ("0007", "02", "0203 0600000001 0600000000 120001", "selector 2"),
        ("0007", "03", "0204 1101 1102 1103 1104", "selector 3"),
        ("000f", "01", "00", "selector 1 (without access rights)"),
        ("000f", "02", "0101 120003", "selector 2 (class_list)"),
        ("000f", "03", "0100", "selector 3 (object_id_list)"),
        ("000f", "04", "0202 120003 0906 0100010800ff", "selector 4 (object_id)"),
        ("000f", "05", "00", "selector 5"),
    ],
)
def test_selections(class_id: str, selector: str, parameters: str, text: str) -> None:
    """By range and by entry where the parameters are such; of an object list by name; else the number."""
    octets = f"c001c1 {class_id} {_PROFILE.hex()} 02 01 {selector} {parameters}"
    decoded = decoded_of(octets, Context())
    assert not decoded.problems
    assert at(decoded.root, "access-selection").text == text


# Descriptors.


@pytest.mark.parametrize(
    ("member", "value", "text"),
    [
        ("01", 1, "logical_name (1)"),
        ("7f", 127, ""),
        ("80", -128, ""),
        ("ff", -1, ""),
        ("02", 2, "value (2)"),
    ],
)
def test_attributes_are_signed(member: str, value: int, text: str) -> None:
    """An attribute-id is an Integer8: those of manufacturers are negative."""
    root = decoded_of(f"c001c1 0003 {_ENERGY.hex()} {member} 00", Context()).root
    field = at(root, "attribute-descriptor/attribute-id")
    assert (field.value, field.text) == (value, text)
    assert at(root, "attribute-descriptor").text.endswith(text.partition(" (")[0] or f"attribute {value}")


@pytest.mark.parametrize(("member", "value"), [("80", 128), ("ff", 255)])
def test_methods_are_not(member: str, value: int) -> None:
    """A method-id above 127 stays so."""
    root = decoded_of(f"c301c1 0003 {_ENERGY.hex()} {member} 00", Context()).root
    assert at(root, "method-descriptor/method-id").value == value
    assert at(root, "method-descriptor").text.endswith(f"method {value}")


def test_classes_without_a_name() -> None:
    """Their number is all there is."""
    root = decoded_of(f"c001c1 0002 {_ENERGY.hex()} 02 00", Context()).root
    assert at(root, "attribute-descriptor/class-id").text == ""


@pytest.mark.parametrize(("octet", "text"), [("00", "no"), ("01", "yes"), ("ff", "yes")])
def test_booleans(octet: str, text: str) -> None:
    """Any octet but 0 is yes."""
    root = decoded_of(f"c402c1 {octet} 00000002 00 01 00", Context()).root
    assert at(root, "result/last-block").text == text
    assert ("(last)" in at(root, "result").text) == (text == "yes")
