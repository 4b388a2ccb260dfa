"""Keys that come with a message: unwrapped, agreed, and the elliptic keys read from what people have."""

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.opening import Verdict
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_agreement import ephemeral, unwrapped
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet, point_octets, private_key, public_key
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.apdu.security.signing import signed_by
from tests.helpers.protection import GET_CLOCK, SERVER, TITLE, protect, raw_signature, sized

CURVES: list[Any] = [ec.SECP256R1(), ec.SECP384R1()]
ALGORITHMS = {"secp256r1": bytes.fromhex("60857405080300"), "secp384r1": bytes.fromhex("60857405080301")}
HASHES: dict[str, Any] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384()}


def made(seed: int, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(seed * 7919 + 3, curve)


def kdf(curve: ec.EllipticCurve, secret: bytes, first: bytes, second: bytes) -> bytes:
    size = 16 if curve.name == "secp256r1" else 32
    return ConcatKDFHash(HASHES[curve.name], size, ALGORITHMS[curve.name] + first + second).derive(secret)


def test_key_wrap_of_rfc_3394() -> None:
    """The RFC's own example (4.1), and one octet changed."""
    master, key = bytes(range(16)), bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    wrapped = bytes.fromhex("1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5")
    assert unwrapped(wrapped, master) == key
    assert unwrapped(wrapped[:-1] + b"\x00", master) is None
    assert unwrapped(wrapped, bytes(16)) is None
    assert unwrapped(b"too short", master) is None


def agreed_apdu(curve: ec.EllipticCurve, key: bytes, parameters: bytes, ciphered: bytes) -> CipheredPart:
    envelope = b"".join(map(sized, (b"\x01\x02\x03", TITLE, SERVER, b"", b"")))
    suite = 1 if curve.name == "secp256r1" else 2
    body = protect(GET_CLOCK, control=0x30 | suite, encryption=key, authentication=b"\xa0" * 16)
    info = b"\x01\x02" + sized(parameters) + sized(ciphered)
    part = read_protected(b"\xdd" + envelope + info + sized(body))
    assert isinstance(part, CipheredPart)
    return part


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_one_pass(curve: ec.EllipticCurve) -> None:
    """C(1e, 1s): the recipient's private key opens; the ephemeral key's signature is checked."""
    static, once, signer = made(1, curve), made(2, curve), made(3, curve)
    key = kdf(curve, once.exchange(ec.ECDH(), static.public_key()), TITLE, SERVER)
    point = point_octets(once.public_key())
    part = agreed_apdu(curve, key, b"\x01", point + raw_signature(signer, point))
    keys = KeySet("meter", SERVER, agreement_private=static, authentication=b"\xa0" * 16)
    client = KeySet("head end", TITLE, signing_public=signer.public_key())
    found = KeyedOpener(KeyRing([keys, client])).open(part)
    assert (found.verdict, found.plaintext) == (Verdict.OPENED, GET_CLOCK)
    assert "private key of meter" in found.key
    assert found.notes == ("the ephemeral key's signature fits the signing key of head end",)
    stranger = KeySet("head end", TITLE, signing_public=made(4, curve).public_key())
    assert "does not fit" in KeyedOpener(KeyRing([keys, stranger])).open(part).notes[0]
    # The originator's static key is of no use here, and nobody's key is none at all.
    assert KeyedOpener(KeyRing([client])).open(part).verdict is Verdict.NO_KEY
    other = KeySet("other", SERVER, agreement_private=made(5, curve), authentication=b"\xa0" * 16)
    assert KeyedOpener(KeyRing([other])).open(part).verdict is Verdict.TAG_WRONG


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@pytest.mark.parametrize("own", ["head end", "meter"])
def test_static_unified(curve: ec.EllipticCurve, own: str) -> None:
    """C(0e, 2s): the private key of either side and the public key of the other open."""
    client, server = made(6, curve), made(7, curve)
    secret = client.exchange(ec.ECDH(), server.public_key())
    key = kdf(curve, secret, TITLE + b"\x03\x01\x02\x03", SERVER)
    part = agreed_apdu(curve, key, b"\x02", b"")
    sets = []
    for name, title, private in (("head end", TITLE, client), ("meter", SERVER, server)):
        how: dict[str, Any] = (
            {"agreement_private": private} if name == own else {"agreement_public": private.public_key()}
        )
        sets.append(KeySet(name, title, authentication=b"\xa0" * 16, **how))
    found = KeyedOpener(KeyRing(sets)).open(part)
    assert (found.verdict, found.plaintext) == (Verdict.OPENED, GET_CLOCK)
    assert f"private key of {own}" in found.key


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_ephemeral_unified(curve: ec.EllipticCurve) -> None:
    """C(2e, 0s): either side's private key gives the key that both derive."""
    one, two = made(8, curve), made(9, curve)
    wanted = kdf(curve, one.exchange(ec.ECDH(), two.public_key()), TITLE, SERVER)
    assert ephemeral(one, point_octets(two.public_key()), TITLE, SERVER) == wanted
    assert ephemeral(two, point_octets(one.public_key()), TITLE, SERVER) == wanted
    assert ephemeral(one, bytes(len(wanted) * 4), TITLE, SERVER) is None
    assert ephemeral(one, b"", TITLE, SERVER) is None


@given(st.binary(max_size=130), st.sampled_from([b"\x01", b"\x02", b"\x03", b""]))
def test_any_key_data_is_survived(ciphered: bytes, parameters: bytes) -> None:
    """Points that are on no curve, schemes that nobody knows: a verdict, no exception."""
    curve = ec.SECP256R1()
    part = agreed_apdu(curve, bytes(16), parameters, ciphered)
    keys = [
        KeySet("meter", SERVER, agreement_private=made(1, curve)),
        KeySet("any", signing_private=made(2, curve)),
    ]
    assert KeyedOpener(KeyRing(keys)).open(part).plaintext is None


# Reading keys.


def certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, TITLE.hex())])
    day = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, day, day + datetime.timedelta(9999))
    return builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_keys_are_read_in_the_forms_that_people_have(curve: ec.EllipticCurve) -> None:
    """Scalar, DER and PEM; point with and without 04, DER, PEM and certificates: all mean the same key."""
    key = made(10, curve)
    size = curve.key_size // 8
    scalar = key.private_numbers().private_value.to_bytes(size, "big")
    forms = [scalar]
    for encoding in (Encoding.DER, Encoding.PEM):
        for kind in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            forms.append(key.private_bytes(encoding, kind, NoEncryption()))
    for form in forms:
        assert private_key(form).private_numbers() == key.private_numbers()
    public = key.public_key()
    point = point_octets(public)
    cert = certificate(key)
    for form in (
        point,
        b"\x04" + point,
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        cert.public_bytes(Encoding.DER),
        cert.public_bytes(Encoding.PEM),
    ):
        assert public_key(form).public_numbers() == public.public_numbers()


def test_what_is_no_key_is_refused_without_showing_it() -> None:
    """Zero, another curve, RSA-sized nonsense and text: a sentence, and not an octet of it."""
    other = ec.generate_private_key(ec.SECP521R1())
    der = other.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    for octets in (bytes(32), b"\x30" + b"\xab" * 60, der, b"-----BEGIN EC PRIVATE KEY-----\nabcd\n-----END"):
        with pytest.raises(ValueError, match="private key") as raised:
            private_key(octets)
        assert octets.hex()[:16] not in str(raised.value)
    for octets in (bytes(64), b"\xab" * 64, b"", b"\x30\x03abc"):
        with pytest.raises(ValueError, match="public key"):
            public_key(octets)
    with pytest.raises(ValueError, match="private key"):
        private_key(b"\x01" * 32, "P-521")


def test_signatures_raw_and_in_der() -> None:
    """A signature as DLMS sends it and as libraries write it; a wrong one is wrong."""
    key = made(11, ec.SECP384R1())
    der = key.sign(b"message", ec.ECDSA(hashes.SHA384()))
    raw = raw_signature(key, b"message")
    assert signed_by(key.public_key(), der, b"message")
    assert signed_by(key.public_key(), raw, b"message")
    assert not signed_by(key.public_key(), raw, b"other")
    assert not signed_by(key.public_key(), b"", b"message")
    assert not signed_by(key.public_key(), bytes(96), b"message")
