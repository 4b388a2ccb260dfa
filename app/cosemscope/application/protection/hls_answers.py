"""The answer that a side gives to the other's challenge in HLS, by mechanism (IEC 62056-5-3, HLS).

The client answers f(StoC) in pass 3, the server f(CtoS) in pass 4; `apdu.security.hls.check` judges them.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cosemscope.apdu.names import codes
from cosemscope.apdu.security.hls import Challenges
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.application.protection.general_sealing import raw_signature
from cosemscope.application.protection.sealing import ContentSealer, SealError

#: Mechanisms with four passes.
HLS_MECHANISMS = frozenset((2, 3, 4, 5, 6, 7))


class _Side(NamedTuple):
    """What one side knows when it answers."""

    challenge: bytes
    own_challenge: bytes
    own_title: bytes
    other_title: bytes
    keys: KeySet
    suite: int
    counter: int

    @property
    def secret(self) -> bytes:
        if self.keys.hls_secret is None:
            raise SealError(f"{self.keys.label} has no HLS secret")
        return self.keys.hls_secret


def hls_answer(
    challenges: Challenges, from_client: bool, keys: KeySet, *, suite: int = 0, counter: int = 0
) -> bytes:
    """The answer; `keys` are those of the side that answers. HLS-GMAC uses up the invocation `counter`.

    Raises SealError where a key, a challenge or a system title is missing.
    """
    answer = _ANSWERS.get(challenges.mechanism)
    if answer is None:
        raise SealError(f"mechanism {challenges.mechanism} has no answer to a challenge")
    theirs, own = challenges.server_to_client, challenges.client_to_server
    titles = challenges.client_title, challenges.server_title
    if not from_client:
        theirs, own, titles = own, theirs, titles[::-1]
    name = codes.MECHANISMS[challenges.mechanism]
    if theirs is None:
        raise SealError(f"{name} needs the challenge of the other side")
    if challenges.mechanism in (6, 7) and (None in titles or own is None):
        raise SealError(f"{name} needs both challenges and both system titles")
    return answer(_Side(theirs, own or b"", titles[0] or b"", titles[1] or b"", keys, suite, counter))


def _manufacturer(side: _Side) -> bytes:
    """Mechanism 2 as it is commonly met: the challenge, filled up with 00, in AES-128 with the secret."""
    if len(side.secret) > 16:
        raise SealError(f"the HLS secret of {side.keys.label} has more than the 16 octets of AES-128")
    cipher = Cipher(algorithms.AES(side.secret.ljust(16, b"\0")), modes.ECB())
    return cipher.encryptor().update(side.challenge + bytes(-len(side.challenge) % 16))


def _digest(algorithm: str) -> Callable[[_Side], bytes]:
    return lambda side: hashlib.new(algorithm, side.challenge + side.secret, usedforsecurity=False).digest()


def _gmac(side: _Side) -> bytes:
    keys = side.keys
    sealer = ContentSealer(keys.encryption, keys.authentication, side.own_title, side.suite, encrypted=False)
    content = sealer.protect(side.challenge, side.counter)
    return bytes((content.control,)) + side.counter.to_bytes(4, "big") + content.authentication_tag


def _message(side: _Side) -> bytes:
    return side.own_title + side.other_title + side.challenge + side.own_challenge


def _sha_256(side: _Side) -> bytes:
    return hashlib.sha256(side.secret + _message(side)).digest()


def _ecdsa(side: _Side) -> bytes:
    if side.keys.signing_private is None:
        raise SealError(f"{side.keys.label} has no private key for signing")
    return raw_signature(side.keys.signing_private, _message(side))


_ANSWERS: dict[int, Callable[[_Side], bytes]] = {
    2: _manufacturer,
    3: _digest("md5"),
    4: _digest("sha1"),
    5: _gmac,
    6: _sha_256,
    7: _ecdsa,
}
