"""HLS authentication: the answers to challenges recomputed, right and wrong ones told apart."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.names import codes
from cosemscope.apdu.security.hls import Challenges, HlsVerdict, check
from cosemscope.apdu.security.key_sets import KeySet
from tests.helpers.protection import AUTHENTICATION, ENCRYPTION, SERVER, TITLE, protect, raw_signature

SECRET = b"the secret"
CTOS, STOC = b"to the server!!!", b"to the client..."
SIGNING = ec.derive_private_key(0x1234567, ec.SECP256R1())
KEYS = KeySet(
    "meter", encryption=ENCRYPTION, authentication=AUTHENTICATION, hls_secret=SECRET, signing_private=SIGNING
)


def challenges(mechanism: int) -> Challenges:
    return Challenges(mechanism, TITLE, SERVER, CTOS, STOC)


def answer(mechanism: int, from_client: bool) -> bytes:
    """What the standard says that a side must answer, written down once more."""
    own, other = (TITLE, SERVER) if from_client else (SERVER, TITLE)
    challenge, mine = (STOC, CTOS) if from_client else (CTOS, STOC)
    if mechanism == 2:
        return Cipher(algorithms.AES(SECRET + bytes(6)), modes.ECB()).encryptor().update(challenge)
    if mechanism == 3:
        return hashlib.md5(challenge + SECRET).digest()
    if mechanism == 4:
        return hashlib.sha1(challenge + SECRET).digest()
    if mechanism == 5:
        sealed = protect(challenge, control=0x10, counter=77, title=own)
        return sealed[:5] + sealed[-12:]
    if mechanism == 6:
        return hashlib.sha256(SECRET + own + other + challenge + mine).digest()
    return raw_signature(SIGNING, own + other + challenge + mine)


HLS = [mechanism for mechanism, name in codes.MECHANISMS.items() if name.startswith("HLS")]


@pytest.mark.parametrize("mechanism", HLS)
@pytest.mark.parametrize("from_client", [True, False])
def test_the_right_answer_is_right_and_any_other_is_wrong(mechanism: int, from_client: bool) -> None:
    """Both passes of every mechanism; an answer for the other direction, or a changed one, is wrong."""
    found = answer(mechanism, from_client)
    right = check(challenges(mechanism), from_client, found, [KEYS])
    assert right.verdict is HlsVerdict.RIGHT, right.sentence
    assert right.expected == (None if mechanism == 7 else found)
    assert "meter" in right.sentence
    changed = found[:-1] + bytes((found[-1] ^ 1,))
    for other in (changed, answer(mechanism, not from_client)):
        wrong = check(challenges(mechanism), from_client, other, [KEYS])
        assert wrong.verdict is HlsVerdict.WRONG
        assert f"found {other.hex()}" in wrong.sentence
    wrong = check(challenges(mechanism), from_client, changed, [KEYS])
    if mechanism != 7:
        assert wrong.expected == found
        assert f"expected {found.hex()}" in wrong.sentence


def test_keys_in_each_others_place_make_no_answer_wrong() -> None:
    """The meter is right, and whoever gave the keys is not."""
    keys = KeySet("meter", encryption=AUTHENTICATION, authentication=ENCRYPTION)
    found = check(challenges(5), True, answer(5, True), [keys])
    assert found.verdict is HlsVerdict.RIGHT
    assert found.sentence.endswith("is right, with the exchanged keys of meter")


@pytest.mark.parametrize("mechanism", HLS)
def test_what_is_missing_is_named(mechanism: int) -> None:
    """Without a key, a challenge or a title nothing is claimed; the sentence says what is missing."""
    found = answer(mechanism, True)
    no_key = check(challenges(mechanism), True, found, [KeySet("empty")])
    assert no_key.verdict is HlsVerdict.NO_KEY
    unseen = check(challenges(mechanism)._replace(server_to_client=None), True, found, [KEYS])
    assert unseen.verdict is HlsVerdict.NOT_COMPUTED
    assert "the challenge was not seen" in unseen.sentence
    if mechanism >= 5:
        untitled = check(challenges(mechanism)._replace(client_title=None), True, found, [KEYS])
        assert untitled.verdict is HlsVerdict.NOT_COMPUTED
        assert "system title" in untitled.sentence


def test_other_mechanisms_are_not_claimed() -> None:
    """Without security and with a password there is nothing to compute; unknown ones are named by number."""
    for mechanism, name in ((0, "lowest level"), (1, "LLS"), (8, "mechanism 8"), (99, "mechanism 99")):
        found = check(challenges(mechanism), True, b"1234", [KEYS])
        assert found.verdict is HlsVerdict.NOT_COMPUTED
        assert name in found.sentence


@given(
    mechanism=st.integers(0, 9),
    found=st.binary(max_size=70),
    challenge=st.one_of(st.none(), st.binary(max_size=70)),
    title=st.one_of(st.none(), st.binary(max_size=9)),
    from_client=st.booleans(),
)
def test_never_raises_and_never_shows_the_secret(
    mechanism: int, found: bytes, challenge: bytes | None, title: bytes | None, from_client: bool
) -> None:
    """Whatever was captured, there is an answer, and the secret is not in it."""
    said = Challenges(mechanism, title, title, challenge, challenge)
    result = check(said, from_client, found, [KEYS])
    assert SECRET.hex() not in result.sentence
    assert "the secret" not in result.sentence
