"""Values of pushes carry the names of the objects that the push itself names, and their units."""

import pytest

from cosemscope.apdu.context import NO_CONTEXT, Context, Reference
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import find
from cosemscope.apdu.summary import summarise

_ENERGY, _VOLTAGE = "0100010800ff", "0100200700ff"
_PUSH_LIST = "0204120028 09060007190900ff 0f02 120000"


def _entry(obis: str, class_id: int = 3, member: int = 2) -> str:
    return f"0204 12{class_id:04x} 0906{obis} 0f{member:02x} 120000"


def _texts(body: str, context: Context = NO_CONTEXT) -> list[str]:
    decoded = decode_apdu(bytes.fromhex("0f00000001 00" + body), context)
    assert {problem.item for problem in decoded.problems} <= {"push-unlike-setup"}
    field = find(decoded.root, "notification-body")
    assert field is not None
    listed = [child for child in field.children if child.name.startswith("[")]
    names = [child.name.partition("] ")[2] for child in listed]
    return [
        f"{name} = {child.text}" if name else child.text for name, child in zip(names, listed, strict=True)
    ]


_NAMES = ("1.0.1.8.0.255 Active energy import (+A) = 1000", "1.0.32.7.0.255 Voltage L1, instantaneous = 230")


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (f"0203 0103 {_PUSH_LIST} {_entry(_ENERGY)} {_entry(_VOLTAGE)} 06000003e8 1200e6", _NAMES),
        (f"0203 0102 {_entry(_ENERGY)} {_entry(_VOLTAGE)} 06000003e8 1200e6", _NAMES),
        (
            f"0203 0102 {_entry(_ENERGY)} {_entry(_ENERGY, member=3)} 06000003e8 02020f01161e",
            (
                "1.0.1.8.0.255 Active energy import (+A) = 10 kWh",
                "1.0.1.8.0.255 Active energy import (+A), scaler_unit = scaler 10^1, unit Wh",
            ),
        ),
        (
            f"0202 0101 {_entry('0000010000ff', 8)} 090c07e50118070e303900ffc400",
            ("0.0.1.0.0.255 Clock = 2021-01-24 Sun 14:48:57",),
        ),
        (f"0203 0101 {_entry(_ENERGY)} 06000003e8 1200e6", ("1000", "230")),
        (f"0203 0102 {_entry(_ENERGY)} 0f01 06000003e8 1200e6", ("1000", "230")),
    ],
)
def test_a_list_of_objects_at_the_beginning_names_the_values(body: str, texts: tuple[str, ...]) -> None:
    """As many values as objects, the list itself counted or not; with units beside; else nothing is named."""
    found = _texts(body)[1:]
    assert len(found) == len(texts)
    for text, wanted in zip(found, texts, strict=True):
        assert text.startswith(wanted)


def test_units_told_before_count_for_listed_objects() -> None:
    """A scaler_unit that the meter told on the same association is that of its pushes."""
    voltage = Reference(3, bytes.fromhex(_VOLTAGE), 2)
    known = Context(scaler_unit=lambda one: (-1, 35) if one == voltage else None)
    body = f"0203 0102 {_entry(_ENERGY)} {_entry(_VOLTAGE)} 06000003e8 1208fc"
    assert _texts(body, known)[2] == "1.0.32.7.0.255 Voltage L1, instantaneous = 230.0 V"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (
            f"0206 0906{_ENERGY} 06000003e8 02020f00161e 0906{_VOLTAGE} 1208fc 02020fff1623",
            "1.0.1.8.0.255 Active energy import (+A) = 1 kWh, "
            "1.0.32.7.0.255 Voltage L1, instantaneous = 230.0 V",
        ),
        (
            f"0205 0a0141 0906{_ENERGY} 06000003e8 0906{_VOLTAGE} 1200e6",
            '"A", 1.0.1.8.0.255 Active energy import (+A) = 1000, '
            "1.0.32.7.0.255 Voltage L1, instantaneous = 230",
        ),
        (
            f"0204 0906{_ENERGY} 06000003e8 1200e6 1200e7",
            "1.0.1.8.0.255 Active energy import (+A), 1000, 230, 1 more",
        ),
    ],
)
def test_flat_lists_of_names_and_values(body: str, line: str) -> None:
    """Pairs or triplets are one value each in the line; a name by itself ties nothing."""
    decoded = decode_apdu(bytes.fromhex("0f00000001 00" + body))
    assert summarise(decoded).endswith(f": {line}")
