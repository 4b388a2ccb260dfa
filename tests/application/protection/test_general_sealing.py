"""General-ciphering with each way to a key, and signatures: opened by our opener, octets as others' are."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.application.encoding.apdus import parse
from cosemscope.application.protection.general_sealing import (
    EnvelopeHeader,
    KeyOfMessage,
    identified_key,
    one_pass_key,
    seal_general,
    sign_general,
    static_key,
    wrapped_key,
)
from cosemscope.application.protection.sealing import SealError
from cosemscope.application.protection.unsealing import UnsealError, unseal
from tests.helpers.protection import (
    AUTHENTICATION,
    ENCRYPTION,
    GET_CLOCK,
    SERVER,
    TITLE,
    vector_keys,
    vectors,
)

_HEADER = EnvelopeHeader(TITLE, SERVER, b"\1\2\3\4\5\6\7\x08", other_information=b"x")
_SYMMETRIC = KeySet("meter", None, encryption=ENCRYPTION, authentication=AUTHENTICATION, master=bytes(16))
_CURVES = {1: ec.SECP256R1(), 2: ec.SECP384R1()}


def _pair(suite: int) -> tuple[KeySet, KeySet]:
    """A sender and a receiver with keys on the curve of a suite."""
    first, second, third = (ec.derive_private_key(seed, _CURVES[suite]) for seed in (11, 12, 13))
    authentication = AUTHENTICATION * suite
    client = KeySet(
        "client", TITLE, authentication=authentication, signing_private=first, agreement_private=second
    )
    meter = KeySet("meter", SERVER, authentication=authentication, agreement_private=third)
    return client, meter


def _opens(sealed: bytes, *sets: KeySet) -> bytes:
    return unseal(sealed, KeyedOpener(KeyRing(sets), TITLE, SERVER)).apdu


@pytest.mark.parametrize("key", [identified_key(_SYMMETRIC), wrapped_key(_SYMMETRIC, bytes(range(16)))])
def test_keys_that_both_have(key: KeyOfMessage) -> None:
    """The key that is known, or one wrapped with the master key."""
    sealed = seal_general(GET_CLOCK, 5, _HEADER, key, AUTHENTICATION)
    assert _opens(sealed, _SYMMETRIC) == GET_CLOCK
    with pytest.raises(UnsealError):
        _opens(sealed.replace(b"x", b"y", 1), _SYMMETRIC)


@pytest.mark.parametrize("suite", [1, 2])
def test_agreed_keys(suite: int) -> None:
    """One-pass and static Diffie-Hellman, on both curves."""
    client, meter = _pair(suite)
    ephemeral = ec.derive_private_key(14, _CURVES[suite])
    for key in (one_pass_key(_HEADER, client, meter, ephemeral), static_key(_HEADER, client, meter)):
        sealed = seal_general(GET_CLOCK, 5, _HEADER, key, client.authentication, suite)
        assert _opens(sealed, client, meter) == GET_CLOCK
        with pytest.raises(UnsealError):
            _opens(sealed, KeySet("other", SERVER, authentication=AUTHENTICATION))


@pytest.mark.parametrize("suite", [1, 2])
def test_signatures(suite: int) -> None:
    """Verified with the sender's public key; not after a change."""
    client, _ = _pair(suite)
    assert client.signing_private is not None
    signed = sign_general(GET_CLOCK, _HEADER, client.signing_private)
    assert _opens(signed, client) == GET_CLOCK
    with pytest.raises(UnsealError, match="signature"):
        _opens(signed.replace(b"x", b"y", 1), client)


def test_octets_of_others() -> None:
    """The static model of another implementation's telegram, made once more to the last octet."""
    vector = next(one for one in vectors() if one["name"] == "general-ciphering-static-suite1")
    octets = bytes.fromhex(vector["hex"])
    value = parse(octets)
    keys, originator, recipient = vector_keys(vector)
    header = EnvelopeHeader(
        value.originator, value.recipient, value.transaction_id, value.date_time, value.other_information
    )
    key = static_key(header, originator, recipient)
    part = read_protected(octets)
    assert part is not None
    plain = bytes.fromhex(vector["plain"])
    sealed = seal_general(plain, value.protected.counter, header, key, keys.authentication, 1)
    # Theirs leaves the header out of what is authenticated: text alike, tag of their own.
    assert sealed[:-12] == octets[:-12]
    assert _opens(sealed, keys, originator, recipient) == plain


def test_what_is_missing_is_said() -> None:
    """Each key that a way needs."""
    client, meter = _pair(1)
    ephemeral = ec.derive_private_key(14, _CURVES[2])
    bare = KeySet("bare")
    for make, words in [
        (lambda: identified_key(bare), "bare has no encryption key"),
        (lambda: wrapped_key(bare, bytes(16)), "bare has no master key"),
        (lambda: static_key(_HEADER, bare, meter), "bare has no private key for key agreement"),
        (lambda: static_key(_HEADER, client, bare), "bare has no public key for key agreement"),
        (lambda: one_pass_key(_HEADER, bare, meter, ephemeral), "no private key for signing"),
        (lambda: one_pass_key(_HEADER, client, meter, ephemeral), "another curve"),
    ]:
        with pytest.raises(SealError, match=words):
            make()
    assert "KeyOfMessage object" in repr(identified_key(_SYMMETRIC))
