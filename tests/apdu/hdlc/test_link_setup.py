"""Frames that refuse: what FRMR says, bit by bit. Parameters of SNRM and UA are among the trees."""

import pytest

from cosemscope.apdu.fields import first
from cosemscope.apdu.hdlc.hdlc_tree import decode_hdlc
from tests.apdu.hdlc_encoder import frame


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        (0x01, "W: control field undefined or not implemented"),
        (0x02, "X: an information field that is not allowed here"),
        (0x04, "Y: information field too long"),
        (0x08, "Z: N(R) is wrong"),
        (0x09, "W: control field undefined or not implemented; Z: N(R) is wrong"),
        (0xF0, "no reason given, V(S) 0, V(R) 0, command rejected"),
    ],
)
def test_reasons(reasons: int, text: str) -> None:
    """Each bit has its words; the upper ones mean nothing."""
    root = decode_hdlc(frame(0x97, bytes((0x10, 0, reasons)), destination=b"\x21", source=b"\x03")).root
    found = first(root, "information")
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (0x02, "V(S) 1, V(R) 0, command rejected"),
        (0x0E, "V(S) 7, V(R) 0, command rejected"),
        (0x10, "V(S) 0, V(R) 0, response rejected"),
        (0x20, "V(S) 0, V(R) 1, command rejected"),
        (0xFF, "V(S) 7, V(R) 7, response rejected"),
    ],
)
def test_state_variables(state: int, text: str) -> None:
    """V(S) in bits 1 to 3, whether a response was refused in 4, V(R) in 5 to 7."""
    root = decode_hdlc(frame(0x97, bytes((0x10, state, 1)), destination=b"\x21", source=b"\x03")).root
    found = first(root, "state variables")
    assert found is not None
    assert (found.value, found.text) == (state, text)
