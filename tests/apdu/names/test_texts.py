"""Numbers in their units, octets as people read them, titles, logical names."""

import pytest

from cosemscope.apdu.names import texts

_W, _VAR, _WH, _V, _NO_UNIT = 27, 29, 30, 35, 255


@pytest.mark.parametrize(
    ("value", "scaler", "unit", "expected"),
    [
        (123456, 1, _WH, "1234.56 kWh"),
        (1000, 0, _WH, "1 kWh"),
        (999, 0, _WH, "999 Wh"),
        (-5000, 0, _VAR, "-5 kvar"),
        (23012, -2, _V, "230.12 V"),
        (5009, 0, _V, "5009 V"),
        (0, -3, _W, "0.000 W"),
        (7, 3, _NO_UNIT, "7000"),
        (2**64 - 1, 0, _V, "18446744073709551615 V"),
        (1, 20, _V, f"1{'0' * 20} V"),
        (1, 21, _V, "1E+21 V"),
        (1, -20, _V, f"0.{'0' * 19}1 V"),
        (1, -21, _V, "1E-21 V"),
        (1, 100, _V, "1E+100 V"),
        (230.1, 0, _V, "230.1 V"),
        (float("nan"), 0, _WH, "NaN Wh"),
        (float("inf"), 1, _W, "Infinity W"),
    ],
)
def test_scaled(value: int | float, scaler: int, unit: int, expected: str) -> None:
    """The power of ten applied exactly, thousands of energy and power as such."""
    assert texts.scaled_text(value, scaler, unit) == expected


@pytest.mark.parametrize(
    ("scaler", "unit", "expected"),
    [
        (-1, _WH, "scaler 10^-1, unit Wh"),
        (0, _NO_UNIT, "scaler 10^0, no unit (255)"),
        (3, 200, "scaler 10^3, unit 200"),
    ],
)
def test_scaler_units(scaler: int, unit: int, expected: str) -> None:
    """A unit without a symbol is told by its code."""
    assert texts.scaler_unit_text(scaler, unit) == expected


@pytest.mark.parametrize("scaler", range(-128, 128, 15))
def test_any_scaler(scaler: int) -> None:
    """Scalers that no meter has make a text all the same."""
    assert texts.scaled_text(-(2**63), scaler, 255)


def test_octets() -> None:
    """Text in quotes, other octets in hex, long ones cut with their number."""
    assert texts.octets_text(b"AB") == '"AB"'
    assert texts.octets_text(b"A") == "41"
    assert texts.octets_text(b"") == "empty"
    assert texts.octets_text(bytes(100)).endswith("… (100 octets)")
    assert texts.quoted("x" * 300).endswith('…"')


def test_titles() -> None:
    """Three letters of the manufacturer, then all of it in hex."""
    assert texts.title_text(bytes.fromhex("4b464d6750000009")) == "KFM 4B464D6750000009"
    assert texts.title_text(bytes.fromhex("2f19229199164103")) == "2F19229199164103"
    assert texts.title_text(b"AB") == "4142"


def test_logical_names() -> None:
    """In dots, the meaning behind it where there is one."""
    assert texts.obis_text(bytes.fromhex("0100010800ff")).startswith("1.0.1.8.0.255")


def test_text_that_zeros_fill_up() -> None:
    """A name in a field of fixed size is shown as a name; few characters before zeros are octets."""
    assert texts.octets_text(b"GRX25744" + bytes(8)) == '"GRX25744", 8 zero octets'
    assert texts.octets_text(b"ABCD" + bytes(1)) == '"ABCD", 1 zero octet'
    assert texts.octets_text(b"ABC" + bytes(3)) == "414243000000"
    assert texts.octets_text(bytes(4)) == "00000000"
