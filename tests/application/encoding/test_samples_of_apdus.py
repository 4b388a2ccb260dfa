"""Everyday values of every service: the decoder finds nothing odd in them."""

import pytest

from cosemscope.apdu.decoder import decode_apdu
from cosemscope.application.encoding.apdus import encode, parse
from tests.application.apdu_samples import SAMPLES


@pytest.mark.parametrize("value", SAMPLES, ids=lambda value: type(value).__name__)
def test_the_decoder_finds_nothing_odd(value: object) -> None:
    """No problem, not even a note."""
    octets = encode(value)
    assert decode_apdu(octets).problems == ()
    assert parse(octets) == value
