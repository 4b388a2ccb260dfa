"""Numbers in their units, octets as people read them, titles, logical names."""

import pytest

from cosemscope.apdu.names import texts


@pytest.mark.parametrize(
    ("value", "scaler", "unit", "expected"),
    [
        (123456, 1, "Wh", "1234.56 kWh"),
        (999, 0, "Wh", "999 Wh"),
        (-5000, 0, "var", "-5 kvar"),
        (23012, -2, "V", "230.12 V"),
        (5009, 0, "V", "5009 V"),
        (0, -3, "W", "0.000 W"),
        (7, 3, "", "7000"),
        (2**64 - 1, 0, "V", "18446744073709551615 V"),
        (1, 100, "V", "1E+100 V"),
        (230.1, 0, "V", "230.1 V"),
        (float("nan"), 0, "Wh", "NaN Wh"),
        (float("inf"), 1, "W", "Infinity W"),
    ],
)
def test_scaled(
    monkeypatch: pytest.MonkeyPatch, value: int | float, scaler: int, unit: str, expected: str
) -> None:
    """The power of ten applied exactly, thousands of energy and power as such."""
    monkeypatch.setattr(texts, "unit_text", lambda code: unit)
    assert texts.scaled_text(value, scaler, 30) == expected


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
