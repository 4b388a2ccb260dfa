"""Values that answers and requests tell of the object that is shown beside them."""

from decimal import Decimal

import pytest

from cosemscope.analysis.associations.told_values import ToldValue, told_value
from cosemscope.apdu.context import Context, Reference, Request
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
