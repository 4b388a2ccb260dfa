"""Keys that a message brings along: wrapped with a master key, or agreed by Diffie-Hellman on a curve.

Three schemes of NIST SP 800-56A are in use: one-pass C(1e, 1s), static unified C(0e, 2s), ephemeral unified
C(2e, 0s); each ends in the concatenation KDF with the names of the algorithm and of both parties.
Source: IEC 62056-5-3, key transport and key agreement; checked against messages of other implementations.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from cosemscope.apdu.context import Envelope
from cosemscope.apdu.security.key_sets import KeySet, public_key
from cosemscope.apdu.security.signing import signed_by
from cosemscope.apdu.security.suites import Suite, suite_of_curve

ONE_PASS, STATIC = b"\x01", b"\x02"
SCHEMES = {
    ONE_PASS: "one-pass Diffie-Hellman C(1e, 1s)",
    STATIC: "static unified model C(0e, 2s)",
}


class Derived(NamedTuple):
    """A key that was unwrapped or agreed: how, in words, and the octets (which `repr` does not show).

    `authentication` is the authentication key of who holds the key that it comes of.
    """

    label: str
    octets: bytes
    authentication: bytes | None
    note: str = ""

    def __repr__(self) -> str:
        return f"Derived({self.label!r})"


def unwrap(wrapped: bytes, sets: Sequence[KeySet]) -> Iterator[Derived]:
    """The key in `wrapped` (AES key wrap, RFC 3394), for each set whose master key opens it."""
    for keys in sets:
        octets = unwrapped(wrapped, keys.master) if keys.master is not None else None
        if octets is not None:
            label = f"key wrapped with the master key of {keys.label}"
            yield Derived(label, octets, keys.authentication)


def unwrapped(wrapped: bytes, master: bytes) -> bytes | None:
    """The key in `wrapped`; None when the master key does not open it (RFC 3394 checks itself)."""
    try:
        return aes_key_unwrap(master, wrapped)
    except (InvalidUnwrap, ValueError):
        return None


def agreed(
    envelope: Envelope, parameters: bytes, ciphered: bytes, sets: Sequence[KeySet]
) -> Iterator[Derived]:
    """The keys that may have been agreed for a general-ciphering APDU, the likeliest first.

    `parameters` names the scheme, `ciphered` is the key-ciphered-data of the APDU. Other schemes give
    nothing.
    """
    if parameters == ONE_PASS:
        yield from _one_pass(envelope, ciphered, sets)
    elif parameters == STATIC:
        yield from _static(envelope, sets)


def _holders(sets: Sequence[KeySet], title: bytes) -> list[KeySet]:
    """The sets that may be those of the party with this title: named so first, then unnamed ones."""
    named = [keys for keys in sets if keys.title == title]
    return named + [keys for keys in sets if keys.title is None]


def _one_pass(envelope: Envelope, ciphered: bytes, sets: Sequence[KeySet]) -> Iterator[Derived]:
    """The originator's key is in the message (and signed), the recipient's is static."""
    size = len(ciphered) // 2
    point = _point(ciphered[:size]) or _point(ciphered)
    if point is None:
        return
    note = ""
    for signer in _holders(sets, envelope.originator):
        if signer.signing_point is not None and len(ciphered) == 2 * size:
            fits = signed_by(signer.signing_point, ciphered[size:], ciphered[:size])
            note = (
                f"the ephemeral key's signature {'fits' if fits else 'does not fit'} "
                f"the signing key of {signer.label}"
            )
            break
    for keys in _holders(sets, envelope.recipient):
        secret = _exchange(keys.agreement_private, point)
        suite = suite_of_curve(point.curve)
        if secret is not None and suite is not None:
            octets = derive_key(suite, secret, envelope.originator, envelope.recipient)
            label = f"{SCHEMES[ONE_PASS]} with the private key of {keys.label}"
            yield Derived(label, octets, keys.authentication, note)


def _static(envelope: Envelope, sets: Sequence[KeySet]) -> Iterator[Derived]:
    """Both keys are static; the transaction-id with its length makes the key another one each time."""
    parties = (envelope.originator, envelope.recipient)
    nonce = bytes((len(envelope.transaction_id),)) + envelope.transaction_id
    for own, other in (parties, parties[::-1]):
        for keys in _holders(sets, own):
            for peer in _holders(sets, other):
                if keys.agreement_private is None or peer.agreement_point is None or keys is peer:
                    continue
                secret = _exchange(keys.agreement_private, peer.agreement_point)
                suite = suite_of_curve(keys.agreement_private.curve)
                if secret is None or suite is None:
                    continue
                label = f"{SCHEMES[STATIC]} with the private key of {keys.label}"
                for first in (envelope.originator + nonce, envelope.originator + envelope.transaction_id):
                    octets = derive_key(suite, secret, first, envelope.recipient)
                    yield Derived(label, octets, keys.authentication)


def ephemeral(
    own: ec.EllipticCurvePrivateKey, peer: bytes, originator: bytes, recipient: bytes
) -> bytes | None:
    """The key agreed with two ephemeral keys, C(2e, 0s), as Security setup's method key_agreement does.

    `peer` is the other side's ephemeral point; the originator is who invoked the method. None when the
    point is none of this curve.
    """
    point = _point(peer)
    secret = _exchange(own, point) if point is not None else None
    suite = suite_of_curve(own.curve)
    if secret is None or suite is None:
        return None
    return derive_key(suite, secret, originator, recipient)


def derive_key(suite: Suite, secret: bytes, first: bytes, second: bytes) -> bytes:
    """The concatenation KDF: a key of the suite's size; `first`, `second`: PartyUInfo, PartyVInfo."""
    if suite.digest is None:
        raise ValueError(f"suite {suite.number} has no key agreement")
    return ConcatKDFHash(suite.digest, suite.key_size, suite.algorithm + first + second).derive(secret)


def _point(octets: bytes) -> ec.EllipticCurvePublicKey | None:
    if len(octets) not in (64, 96):
        return None
    try:
        return public_key(octets)
    except ValueError:
        return None


def _exchange(own: ec.EllipticCurvePrivateKey | None, peer: ec.EllipticCurvePublicKey) -> bytes | None:
    if own is None or own.curve.name != peer.curve.name:
        return None
    return own.exchange(ec.ECDH(), peer)
