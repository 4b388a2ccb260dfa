"""Keys of one device, or of one customer, as the user gave them: octets that never show themselves.

A `KeySet` says in `repr` which keys it has, never what they are, so that no log, no trace and no dump of a
structure gives them away. Elliptic keys are objects of `cryptography` from the moment they are read.
"""

from dataclasses import dataclass, field, fields

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from cosemscope.apdu.security.suites import SUITES, suite_of_curve


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeySet:
    """The keys of one holder; `label` is the holder's name in messages, `title` its system title.

    Symmetric keys have 16 or 32 octets; `hls_secret` any number. The private keys are the holder's own;
    public ones serve where only the other side's private key is known, and to verify signatures.
    `ephemeral_private` are private keys of single key agreements (ephemeral unified model).
    """

    label: str
    title: bytes | None = None
    encryption: bytes | None = None
    authentication: bytes | None = None
    dedicated: bytes | None = None
    broadcast: bytes | None = None
    master: bytes | None = None
    hls_secret: bytes | None = None
    signing_private: ec.EllipticCurvePrivateKey | None = None
    signing_public: ec.EllipticCurvePublicKey | None = None
    agreement_private: ec.EllipticCurvePrivateKey | None = None
    agreement_public: ec.EllipticCurvePublicKey | None = None
    ephemeral_private: ec.EllipticCurvePrivateKey | None = field(default=None)

    def __repr__(self) -> str:
        return f"KeySet({self.label!r}, {', '.join(self.holds()) or 'no keys'})"

    def holds(self) -> tuple[str, ...]:
        """The names of the keys it has."""
        return tuple(
            one.name
            for one in fields(self)
            if one.name not in ("label", "title") and getattr(self, one.name) is not None
        )

    @property
    def signing_point(self) -> ec.EllipticCurvePublicKey | None:
        """The public key that verifies the holder's signatures."""
        return self.signing_public or (self.signing_private.public_key() if self.signing_private else None)

    @property
    def agreement_point(self) -> ec.EllipticCurvePublicKey | None:
        """The holder's static public key for key agreement."""
        return self.agreement_public or (
            self.agreement_private.public_key() if self.agreement_private else None
        )


# Reading elliptic keys.


def private_key(octets: bytes, curve: str = "") -> ec.EllipticCurvePrivateKey:
    """A private key out of a scalar (most significant octet first), of DER or of PEM.

    `curve` is "P-256" or "P-384"; where it is not said, the scalar's size decides (up to 32 octets: P-256).
    Raises ValueError with a sentence that shows nothing of the key.
    """
    try:
        if octets.lstrip().startswith(b"-----BEGIN"):
            key = load_pem_private_key(octets, None)
        elif octets[:1] == b"\x30" and len(octets) > 48:
            key = load_der_private_key(octets, None)
        else:
            return ec.derive_private_key(int.from_bytes(octets, "big"), _curve(curve, len(octets)))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no private key (a scalar in hex, DER in hex, or PEM without password)") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or suite_of_curve(key.curve) is None:
        raise ValueError("is no private key of curve P-256 or P-384")
    return key


def public_key(octets: bytes) -> ec.EllipticCurvePublicKey:
    """A public key out of a point (x and y, with or without 04 before), of DER, of PEM or of a certificate.

    Raises ValueError with a sentence.
    """
    try:
        key = _read_public(octets)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no public key (x and y in hex, DER in hex, PEM) and no certificate") from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or suite_of_curve(key.curve) is None:
        raise ValueError("is no public key of curve P-256 or P-384")
    return key


def _read_public(octets: bytes) -> object:
    from cryptography import x509  # much of it, for the few keys that come in a certificate

    if octets.lstrip().startswith(b"-----BEGIN CERT"):
        return x509.load_pem_x509_certificate(octets).public_key()
    if octets.lstrip().startswith(b"-----BEGIN"):
        return load_pem_public_key(octets)
    if len(octets) in (64, 65, 96, 97):
        point = octets if len(octets) % 2 else b"\x04" + octets
        curve = ec.SECP256R1() if len(point) == 65 else ec.SECP384R1()
        return ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    try:
        return load_der_public_key(octets)
    except ValueError:
        return x509.load_der_x509_certificate(octets).public_key()


def point_octets(key: ec.EllipticCurvePublicKey) -> bytes:
    """The coordinates x and y of a public key, as DLMS carries them."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]


def _curve(name: str, size: int) -> ec.EllipticCurve:
    names = {"P-256": SUITES[1].curve, "P-384": SUITES[2].curve, "": SUITES[1 if size <= 32 else 2].curve}
    curve = names.get(name)
    if curve is None:
        raise ValueError("curve must be P-256 or P-384")
    return curve
