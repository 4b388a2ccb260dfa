"""General-ciphering and general-signing: APDUs sealed or signed for a named recipient (IEC 62056-5-3).

The key is one that both have, one that is made for this APDU and wrapped with the master key, or one that is
agreed by Diffie-Hellman (suites 1 and 2). What is made by chance - session keys, ephemeral keys - is given.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from cosemscope.apdu.security.key_agreement import ONE_PASS, STATIC, derive_key
from cosemscope.apdu.security.key_sets import KeySet, point_octets
from cosemscope.apdu.security.suites import Suite, suite_of_curve
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.octet_codecs import write_octets
from cosemscope.application.encoding.protected_apdus import (
    AgreedKey,
    GeneralCiphering,
    GeneralSigning,
    IdentifiedKey,
    WrappedKey,
)
from cosemscope.application.protection.sealing import ContentSealer, SealError


@dataclass(frozen=True, slots=True)
class EnvelopeHeader:
    """The five fields before a general- APDU: who to whom, and what tells one message from the next."""

    originator: bytes
    recipient: bytes
    transaction_id: bytes = b""
    date_time: bytes = b""
    other_information: bytes = b""

    @property
    def fields(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """The fields in the order in which they are sent."""
        return (
            self.transaction_id,
            self.originator,
            self.recipient,
            self.date_time,
            self.other_information,
        )

    @property
    def octets(self) -> bytes:
        """The fields with their lengths, as they are authenticated and signed."""
        out = bytearray()
        for field in self.fields:
            write_octets(out, field)
        return bytes(out)


@dataclass(frozen=True, slots=True, repr=False)
class KeyOfMessage:
    """The key of one message and what its receiver is told of it; never shown."""

    octets: bytes
    info: IdentifiedKey | WrappedKey | AgreedKey | None


def identified_key(keys: KeySet, *, broadcast: bool = False) -> KeyOfMessage:
    """The global unicast or broadcast key of a set."""
    octets = keys.broadcast if broadcast else keys.encryption
    if octets is None:
        raise SealError(f"{keys.label} has no {'broadcast' if broadcast else 'encryption'} key")
    return KeyOfMessage(octets, IdentifiedKey(int(broadcast)))


def wrapped_key(keys: KeySet, session_key: bytes) -> KeyOfMessage:
    """A key of the caller's, wrapped with the master key of a set (AES key wrap, RFC 3394)."""
    if keys.master is None:
        raise SealError(f"{keys.label} has no master key to wrap a key with")
    return KeyOfMessage(session_key, WrappedKey(0, aes_key_wrap(keys.master, session_key)))


def one_pass_key(
    header: EnvelopeHeader,
    own: KeySet,
    peer: KeySet,
    ephemeral: ec.EllipticCurvePrivateKey,
) -> KeyOfMessage:
    """One-pass Diffie-Hellman, C(1e, 1s): an ephemeral key, signed by its sender, and a static one."""
    if own.signing_private is None:
        raise SealError(f"{own.label} has no private key for signing the ephemeral key")
    suite, secret = _exchange(ephemeral, peer)
    point = point_octets(ephemeral.public_key())
    signature = raw_signature(own.signing_private, point)
    octets = derive_key(suite, secret, header.originator, header.recipient)
    return KeyOfMessage(octets, AgreedKey(ONE_PASS, point + signature))


def static_key(header: EnvelopeHeader, own: KeySet, peer: KeySet) -> KeyOfMessage:
    """Static unified model, C(0e, 2s): the transaction-id makes the key another one each time."""
    if own.agreement_private is None:
        raise SealError(f"{own.label} has no private key for key agreement")
    suite, secret = _exchange(own.agreement_private, peer)
    nonce = bytes((len(header.transaction_id),)) + header.transaction_id
    octets = derive_key(suite, secret, header.originator + nonce, header.recipient)
    return KeyOfMessage(octets, AgreedKey(STATIC, b""))


def _exchange(own: ec.EllipticCurvePrivateKey, peer: KeySet) -> tuple[Suite, bytes]:
    """The suite of a curve, and the secret of a private key and the other side's static public one."""
    point, suite = peer.agreement_point, suite_of_curve(own.curve)
    if point is None:
        raise SealError(f"{peer.label} has no public key for key agreement")
    if suite is None or point.curve.name != own.curve.name:
        raise SealError(f"the key of {peer.label} is of another curve than one's own")
    return suite, own.exchange(ec.ECDH(), point)


def seal_general(
    apdu: bytes,
    counter: int,
    header: EnvelopeHeader,
    key: KeyOfMessage,
    authentication: bytes | None,
    suite: int = 0,
    *,
    authenticated: bool = True,
    encrypted: bool = True,
) -> bytes:
    """General-ciphering of an APDU; the header is authenticated with it."""
    sealer = ContentSealer(
        key.octets,
        authentication,
        header.originator,
        suite,
        authenticated=authenticated,
        encrypted=encrypted,
        broadcast=key.info == IdentifiedKey(1),
    )
    content = sealer.protect(apdu, counter, header.octets)
    return encode(GeneralCiphering(*header.fields, key.info, content))


def sign_general(apdu: bytes, header: EnvelopeHeader, key: ec.EllipticCurvePrivateKey) -> bytes:
    """General-signing of an APDU: signed are the header's fields with their lengths, and the APDU."""
    signature = raw_signature(key, header.octets + apdu)
    return encode(GeneralSigning(*header.fields, apdu, signature))


def raw_signature(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The ECDSA signature of a message as DLMS sends it: r and s, each as long as a coordinate."""
    suite = suite_of_curve(key.curve)
    if suite is None or suite.digest is None:
        raise SealError(f"{key.curve.name} is the curve of no security suite")
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(suite.digest)))
    size = suite.coordinate_size
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
