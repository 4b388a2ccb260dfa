"""Values that answers and requests tell of the object that is shown beside them."""

from decimal import Decimal

import pytest

from cosemscope.analysis.associations.told_values import ToldValue, told_value
from cosemscope.apdu.context import Context, Reference, Request
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import find
from tests.helpers import apdu_encoder as encode

_ENERGY = Reference(3, bytes.fromhex("0100010800ff"), 2)
_VOLTAGE = Reference(3, bytes.fromhex("0100200700ff"), 2)
_SCALERS = {_ENERGY: (0, 30), _VOLTAGE: (-1, 35)}
_ONE = Context(Request((_ENERGY,)), scaler_unit=_SCALERS.get)
_LIST = Context(Request((_ENERGY, _VOLTAGE), with_list=True), scaler_unit=_SCALERS.get)
_SET_LIST = bytes.fromhex("c104c102 00030100010800ff0200 00030100200700ff0200 02 0600000001 0600000002")
_SET_FIRST = "c102c1 00030100010800ff0200"
_NUMBER = ("double-long-unsigned", 2301)


@pytest.mark.parametrize(
    ("apdu", "context", "told"),
    [
        (encode.get_response(_NUMBER), _ONE, ToldValue(Decimal(2301), "Wh")),
        (encode.get_response(4), _ONE, ToldValue()),
        (encode.get_response_list([4, _NUMBER]), _LIST, ToldValue()),
        (encode.get_response_list([_NUMBER, 4]), _LIST, ToldValue(Decimal(2301), "Wh")),
        (encode.get_response_list([]), _LIST, ToldValue()),
        (_SET_LIST, _LIST, ToldValue(Decimal(1), "Wh")),
        (bytes.fromhex("0c02 0103 00 1105"), Context(), ToldValue()),
        (bytes.fromhex("0c02 00 1105 0103"), Context(), ToldValue(5)),
        (bytes.fromhex(_SET_FIRST + "00 00000001 03 060000"), _ONE, ToldValue()),
        (bytes.fromhex(_SET_FIRST + "01 00000001 05 0600000101"), _ONE, ToldValue(Decimal(257), "Wh")),
        (bytes.fromhex("c103c1 01 00000002 05 0600000101"), _ONE, ToldValue()),
        (
            bytes.fromhex("c103c1 01 00000002 02 0101"),
            Context(_ONE.request, scaler_unit=_SCALERS.get, joined=bytes.fromhex("0600000101")),
            ToldValue(Decimal(257), "Wh"),
        ),
        (
            encode.get_response_block(True, 2, b"ab"),
            Context(_LIST.request, scaler_unit=_SCALERS.get, joined=bytes.fromhex("02 00 0600001388 0104")),
            ToldValue(Decimal(5000), "Wh"),
        ),
        (
            encode.get_response_block(True, 2, b"ab"),
            Context(_LIST.request, scaler_unit=_SCALERS.get, joined=bytes.fromhex("02 0104 00 0600001388")),
            ToldValue(),
        ),
        (encode.get_request((3, _ENERGY.instance, 2)), _ONE, ToldValue()),
        (b"", _ONE, ToldValue()),
    ],
)
def test_told_value(apdu: bytes, context: Context, told: ToldValue) -> None:
    """Of a list the first item's, or none; of blocks nothing before the last."""
    assert told_value(context, apdu) == told


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (ToldValue(), None),
        (ToldValue("array of 2"), "array of 2"),
        (ToldValue(5009), "5009"),
        (ToldValue(2.5), "2.5"),
        (ToldValue(Decimal(4978644), "Wh"), "4978.644 kWh"),
        (ToldValue(Decimal("236.0"), "V"), "236.0 V"),
        (ToldValue(Decimal("999"), "W"), "999 W"),
    ],
)
def test_value_and_unit_are_spelt_as_in_info_lines(told: ToldValue, text: str | None) -> None:
    """Digits stay, thousands go to the unit where that is usual."""
    assert told.text == text


def test_a_number_of_any_type_is_spelt_as_its_tree_spells_it() -> None:
    """Integers and both kinds of floating-point numbers, with and without a scaler."""
    reference = Reference(3, bytes((1, 0, 32, 7, 0, 255)), 2)
    for data in (b"\x06\x00\x4b\xf7\xd4", b"\x17\x43\x6d\xb3\x33", b"\x18\x40\x6d\xb6\x66\x66\x66\x66\x66"):
        for scaler_unit in (None, (-1, 35), (0, 30), (2, 30)):
            context = Context(Request((reference,)), scaler_unit=lambda _, known=scaler_unit: known)
            apdu = b"\xc4\x01\xc1\x00" + data
            tree = find(decode_apdu(apdu, context).root, "result", "data")
            assert told_value(context, apdu).text == tree.text


@pytest.mark.parametrize(
    "reference", [(15, "0000280000ff", 7), (45, "0000190400ff", 3), (44, "0000190300ff", 5)]
)
def test_no_secret_is_told(reference: tuple[int, str, int]) -> None:
    """Passwords and a modem's PIN stand in lists and exports as what they are, not as what they say."""
    class_id, name, member = reference
    context = Context(Request((Reference(class_id, bytes.fromhex(name), member),)))
    told = told_value(context, encode.get_response(("octet-string", b"secret77")))
    assert told == ToldValue("secret, 8 octets, not shown here")
