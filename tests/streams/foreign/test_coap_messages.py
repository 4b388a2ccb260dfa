"""CoAP messages: every field, blocks, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.foreign.coap_messages import CoapBlock, carries_apdu, is_coap, read_coap
from tests.helpers.foreign_traffic import CLOCK, GET, coap
from tests.helpers.wire import wpdu

PATH = (11, b"dlms")


def test_every_field() -> None:
    """Options with extended deltas and lengths, in order; the payload is told by its place."""
    host = b"meter.example"
    octets = coap(2, 0x1234, b"\1\2\3", ((3, host), (11, b"a" * 20), PATH, (27, b"\x0e"), (60, b"\x10")), GET)
    message = read_coap(octets)
    assert message is not None
    assert message[:4] == (2, 0x1234, b"\1\2\3", "a" * 20 + "/dlms")
    assert (message.block1, message.block2) == (CoapBlock(0, True, 1024), None)
    assert octets[message.payload :] == GET
    assert not message.is_answer


@pytest.mark.parametrize(
    ("value", "block"),
    [
        (b"", CoapBlock(0, False, 16)),
        (b"\x12", CoapBlock(1, False, 64)),
        (b"\x01\x0a", CoapBlock(16, True, 64)),
        (b"\xff\xff\xfe", CoapBlock(0xFFFFF, True, 1024)),
    ],
)
def test_blocks(value: bytes, block: CoapBlock) -> None:
    """RFC 7959, 2.2: number, more, and a power of two."""
    message = read_coap(coap(0x45, 1, b"\1", ((23, value),), b"x"))
    assert message is not None
    assert (message.block2, message.is_answer) == (block, True)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"\x40\x01",
        b"\x80" + coap(1, 1)[1:],
        b"\x49\x01\0\0" + bytes(9),
        coap(8, 1),
        coap(0x60, 1),
        coap(0, 1, b"\1"),
        coap(1, 1) + b"\xff",
        coap(1, 1, b"", ((2, b""),)),
        coap(1, 1, b"", ((12, b"abc"),)),
        coap(1, 1) + b"\xf0",
        coap(1, 1) + b"\xb5ab",
        b"\x52\x01\0\0\1",
    ],
)
def test_what_is_no_message(octets: bytes) -> None:
    """Another version, unknown codes and options, what is cut, a marker without payload."""
    assert read_coap(octets) is None


@pytest.mark.parametrize(
    ("octets", "is_one", "carries"),
    [
        (coap(2, 1, b"\1", (PATH,), GET), True, True),
        (coap(2, 1, b"\1", (PATH,), wpdu(GET)), True, True),
        (coap(0x44, 1, b"\1", (), CLOCK), True, True),
        (coap(0x44, 1, b"\1", ((23, b"\x0a"),), CLOCK[:16]), True, True),
        (coap(0x44, 1, b"\1", ((23, b"\x1a"),), CLOCK[:16]), True, False),
        (coap(0x44, 1, b"\1", (), CLOCK[:-1]), True, False),
        (coap(2, 1, b"\1", (PATH,), wpdu(GET)[:-1]), True, False),
        (coap(1, 1, b"\1", (PATH,), GET), True, False),
        (coap(2, 1, b"\1", (PATH,), b"hello"), True, False),
        (coap(2, 1, b"\1", (PATH,)), True, False),
        (coap(0x45, 1), False, False),
        (coap(1, 1), False, False),
    ],
)
def test_what_carries_an_apdu(octets: bytes, is_one: bool, carries: bool) -> None:
    """Requests by POST and answers, whole or the first block; the APDU must be sound."""
    assert (is_coap(octets), carries_apdu(octets)) == (is_one, carries)


@given(st.binary(max_size=60))
def test_anything_is_judged(octets: bytes) -> None:
    """Nothing is raised, whatever follows a good beginning."""
    read_coap(octets)
    carries_apdu(coap(2, 1, b"\1", (PATH,)) + octets)
