"""The answers of every HLS mechanism, judged by the rules that are applied to the answers of others."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cosemscope.apdu.security.hls import Challenges, HlsVerdict, check
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.protection.hls_answers import HLS_MECHANISMS, hls_answer
from cosemscope.application.protection.sealing import SealError
from tests.helpers.protection import AUTHENTICATION, ENCRYPTION, SERVER, TITLE

_KEYS = KeySet(
    "meter",
    encryption=ENCRYPTION,
    authentication=AUTHENTICATION,
    hls_secret=b"the secret",
    signing_private=ec.derive_private_key(0x1234567, ec.SECP256R1()),
)


def _challenges(mechanism: int) -> Challenges:
    return Challenges(mechanism, TITLE, SERVER, b"to the server!!!", b"to the client...")


@pytest.mark.parametrize("mechanism", sorted(HLS_MECHANISMS))
@pytest.mark.parametrize("from_client", [True, False])
def test_answers_are_right(mechanism: int, from_client: bool) -> None:
    """Both passes, and wrong for the other direction."""
    challenges = _challenges(mechanism)
    answer = hls_answer(challenges, from_client, _KEYS, counter=9)
    assert check(challenges, from_client, answer, [_KEYS]).verdict is HlsVerdict.RIGHT
    assert check(challenges, not from_client, answer, [_KEYS]).verdict is HlsVerdict.WRONG


def test_gmac_of_the_green_book() -> None:
    """The example of HLS with GMAC: f(StoC) with invocation counter 1."""
    challenges = Challenges(5, bytes.fromhex("4d4d4d0000000001"), None, b"K56iVagY", b"P6wRJ21F")
    answer = hls_answer(challenges, True, _KEYS, counter=1)
    assert answer == bytes.fromhex("10000000011a52fe7dd3e72748973c1e28")


@pytest.mark.parametrize(
    ("challenges", "keys", "words"),
    [
        (_challenges(1), _KEYS, "mechanism 1 has no answer"),
        (_challenges(3), KeySet("bare"), "bare has no HLS secret"),
        (_challenges(5), KeySet("bare"), "encryption key"),
        (_challenges(7), KeySet("bare"), "bare has no private key for signing"),
        (_challenges(6)._replace(server_title=None), _KEYS, "both challenges and both system titles"),
        (_challenges(3)._replace(server_to_client=None), _KEYS, "the challenge of the other side"),
        (_challenges(2), KeySet("long", hls_secret=bytes(17)), "more than the 16 octets"),
    ],
)
def test_what_is_missing_is_said(challenges: Challenges, keys: KeySet, words: str) -> None:
    """Before anything goes out."""
    with pytest.raises(SealError, match=words):
        hls_answer(challenges, True, keys)
