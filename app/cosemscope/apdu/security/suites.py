"""Security suites 0, 1 and 2, and the security control octet that names one of them in every protected APDU.

A suite fixes the algorithms: AES-GCM with 128 or 256 bits, AES key wrap of the same size, and for suites 1
and 2 an elliptic curve with its hash function. Source: IEC 62056-5-3, security suites and security header.
"""

from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

#: Octets of an authentication tag: GCM's 16, cut to the first 12.
TAG_SIZE = 12
#: The bit of a security control octet that says that the text is ciphered.
ENCRYPTED = 0x20


class Suite(NamedTuple):
    """One security suite: `key_size` in octets; curve and hash are None where it has none.

    `algorithm` is the identifier of its AES-GCM in a key derivation, as the octets of the object
    identifier.
    """

    number: int
    name: str
    key_size: int
    algorithm: bytes
    curve: ec.EllipticCurve | None = None
    digest: hashes.HashAlgorithm | None = None

    @property
    def coordinate_size(self) -> int:
        """Octets of one coordinate of a point, and of each half of a signature; 0 without a curve."""
        return (self.curve.key_size + 7) // 8 if self.curve is not None else 0


_GCM_128 = bytes.fromhex("60857405080300")
_GCM_256 = bytes.fromhex("60857405080301")
SUITES: tuple[Suite, ...] = (
    Suite(0, "AES-GCM-128", 16, _GCM_128),
    Suite(1, "ECDH-ECDSA-AES-GCM-128-SHA-256", 16, _GCM_128, ec.SECP256R1(), hashes.SHA256()),
    Suite(2, "ECDH-ECDSA-AES-GCM-256-SHA-384", 32, _GCM_256, ec.SECP384R1(), hashes.SHA384()),
)


class SecurityControl(NamedTuple):
    """The bits of a security control octet; `suite` is its number as sent, also where none is defined."""

    suite: int
    authenticated: bool
    encrypted: bool
    broadcast: bool
    compressed: bool


def security_control(octet: int) -> SecurityControl:
    """The meaning of a security control octet: bits 0 to 3 suite, 4 A, 5 E, 6 key set, 7 compression."""
    return _CONTROLS[octet]


_CONTROLS = tuple(
    SecurityControl(
        octet & 0x0F, bool(octet & 0x10), bool(octet & ENCRYPTED), bool(octet & 0x40), bool(octet & 0x80)
    )
    for octet in range(256)
)


def suite_of_curve(curve: ec.EllipticCurve) -> Suite | None:
    """The suite that uses this curve; None when none does."""
    for suite in SUITES:
        if suite.curve is not None and suite.curve.name == curve.name:
            return suite
    return None
