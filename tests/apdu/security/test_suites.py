"""Security suites and the security control octet, by the tables of IEC 62056-5-3."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.security.suites import SUITES, TAG_SIZE, security_control, suite_of_curve


def test_the_three_suites() -> None:
    """Key sizes, curves, hash functions, and AES-GCM's identifiers as used in the key derivation."""
    assert TAG_SIZE == 12
    assert [(suite.number, suite.name, suite.key_size, suite.coordinate_size) for suite in SUITES] == [
        (0, "AES-GCM-128", 16, 0),
        (1, "ECDH-ECDSA-AES-GCM-128-SHA-256", 16, 32),
        (2, "ECDH-ECDSA-AES-GCM-256-SHA-384", 32, 48),
    ]
    assert [suite.digest and suite.digest.name for suite in SUITES] == [None, "sha256", "sha384"]
    assert [suite.curve and suite.curve.name for suite in SUITES] == [None, "secp256r1", "secp384r1"]
    assert [suite.algorithm.hex() for suite in SUITES] == [
        "60857405080300",
        "60857405080300",
        "60857405080301",
    ]


def test_every_security_control() -> None:
    """Bits 0 to 3 are the suite, 4 authenticated, 5 encrypted, 6 key set, 7 compression: all 256 octets."""
    for suite in range(16):
        for high in range(16):
            control = security_control(high << 4 | suite)
            bits = (control.compressed, control.broadcast, control.encrypted, control.authenticated)
            assert control.suite == suite
            assert bits == tuple(bit == "1" for bit in f"{high:04b}")


@pytest.mark.parametrize(
    ("curve", "number"),
    [(ec.SECP256R1(), 1), (ec.SECP384R1(), 2), (ec.SECP521R1(), None), (ec.SECP256K1(), None)],
)
def test_the_suite_of_a_curve(curve: ec.EllipticCurve, number: int | None) -> None:
    """P-256 is of suite 1, P-384 of suite 2; other curves are of none."""
    suite = suite_of_curve(curve)
    assert (suite and suite.number) == number
