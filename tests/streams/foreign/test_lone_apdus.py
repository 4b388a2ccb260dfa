"""A push that stands in a segment by itself is known by itself, and chance is not taken for one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.streams.foreign.lone_apdus import is_lone_apdu

_GLO = bytes.fromhex("db0854535400000000071a2000000010fe429c5787d402da2d5b6460ccc578eecb9d2d2a63")
_PUSH = bytes.fromhex("0f00000001000203060000000112092406000003e8")
_DATED = bytes.fromhex("0f000000010c07e50118070e303900ffc40002030600000001120924060000003e")


@pytest.mark.parametrize(
    ("octets", "lone"),
    [
        (_GLO, True),
        (b"\xdc" + _GLO[1:], True),
        (_GLO[:10] + b"\x81\x1a" + _GLO[11:], True),
        (_PUSH, True),
        (_DATED, True),
        (_GLO[:-1], False),
        (_GLO + b"\0", False),
        (_GLO[:2] + b"\1" + _GLO[3:], False),
        (_GLO[:11] + b"\x0f" + _GLO[12:], False),
        (_GLO[:11] + b"\x00" + _GLO[12:], False),
        (_PUSH[:-1], False),
        (_PUSH + b"\0", False),
        (_PUSH[:6] + b"\x12" + _PUSH[7:], False),
        (b"\x0f" * 20, False),
        (b"", False),
        (_GLO[:11], False),
    ],
)
def test_what_is_a_lone_push(octets: bytes, lone: bool) -> None:
    """Whole, titled and protected, or sound; cut, longer, untitled ones are none."""
    assert is_lone_apdu(octets) is lone


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"\xdb\x08", b"\x0f\0\0\0\1\0", b""]))
def test_chance_is_none(octets: bytes, begin: bytes) -> None:
    """Random octets behind the first ones of a push: never raised, and no length that does not fit."""
    if is_lone_apdu(begin + octets):
        assert begin
        assert not is_lone_apdu(begin + octets + b"\0")
