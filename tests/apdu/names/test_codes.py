"""Small octets in words, bit by bit."""

import pytest

from cosemscope.apdu.names.codes import (
    CONFORMANCE,
    INVOKE_TEXTS,
    SECURITY_TEXTS,
    conformance_text,
    long_invoke_text,
)


@pytest.mark.parametrize(
    ("octet", "text"),
    [
        (0x00, "invoke-id 0, unconfirmed, normal priority"),
        (0x0F, "invoke-id 15, unconfirmed, normal priority"),
        (0x41, "invoke-id 1, confirmed, normal priority"),
        (0x82, "invoke-id 2, unconfirmed, high priority"),
        (0xC1, "invoke-id 1, confirmed, high priority"),
        (0x30, "invoke-id 0, unconfirmed, normal priority"),
        (0xFF, "invoke-id 15, confirmed, high priority"),
    ],
)
def test_invoke_ids(octet: int, text: str) -> None:
    """Bits 0 to 3 are the id, 6 the service class, 7 the priority; 4 and 5 mean nothing."""
    assert INVOKE_TEXTS[octet] == text
    assert len(INVOKE_TEXTS) == 256


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0x00FFFFFF, "invoke-id 16777215, unconfirmed, normal priority"),
        (0x0F000001, "invoke-id 1, unconfirmed, normal priority"),
        (0x10000001, "invoke-id 1, unconfirmed, normal priority, self-descriptive"),
        (0x20000001, "invoke-id 1, unconfirmed, normal priority, break on error"),
        (0x40000001, "invoke-id 1, confirmed, normal priority"),
        (0x80000001, "invoke-id 1, unconfirmed, high priority"),
    ],
)
def test_long_invoke_ids(value: int, text: str) -> None:
    """Bits 0 to 23 are the id, 28 to 31 options, service class and priority."""
    assert long_invoke_text(value) == text


@pytest.mark.parametrize(
    ("octet", "text"),
    [
        (0x00, "suite 0, not protected"),
        (0x1F, "suite 15, authenticated"),
        (0x22, "suite 2, encrypted"),
        (0x31, "suite 1, encrypted and authenticated"),
        (0x70, "suite 0, encrypted and authenticated, broadcast key"),
        (0xA0, "suite 0, encrypted, compressed (V.44)"),
        (0xC0, "suite 0, not protected, broadcast key, compressed (V.44)"),
    ],
)
def test_security_controls(octet: int, text: str) -> None:
    """Bits 0 to 3 are the suite, 4 authenticated, 5 encrypted, 6 key set, 7 compression."""
    assert SECURITY_TEXTS[octet] == text
    assert len(SECURITY_TEXTS) == 256


def test_conformance() -> None:
    """24 bits, the most significant first."""
    assert len(CONFORMANCE) == 24
    for bit, name in enumerate(CONFORMANCE):
        assert conformance_text(1 << 23 - bit) == name
    assert conformance_text(0) == "nothing"
    assert conformance_text(0x00001D) == "get, set, selective-access, action"
