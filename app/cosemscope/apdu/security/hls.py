"""High level security authentication: what each side must answer to the other's challenge, recomputed.

In pass 1 and 2 the AARQ carries the challenge to the server (CtoS), the AARE that to the client (StoC); in
pass 3 the client answers f(StoC), in pass 4 the server f(CtoS). The mechanisms are a table: number -> how f
is made. Source: IEC 62056-5-3, HLS authentication mechanisms; mechanism 2 is left to manufacturers, what is
computed for it is what is commonly found.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cosemscope.apdu.names import codes
from cosemscope.apdu.names.texts import TITLE_SIZE, title_text
from cosemscope.apdu.security.key_rings import MAX_EXCHANGED
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.signing import signed_by
from cosemscope.apdu.security.suites import TAG_SIZE

CLAUSE = "IEC 62056-5-3, HLS authentication mechanisms"


class HlsVerdict(StrEnum):
    """Whether the answer to a challenge is what it must be."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_KEY = "no-key"
    NOT_COMPUTED = "not-computed"


class Challenges(NamedTuple):
    """The parts of AARQ and AARE that HLS authentication uses; titles and challenges not seen are None."""

    mechanism: int
    client_title: bytes | None = None
    server_title: bytes | None = None
    client_to_server: bytes | None = None
    server_to_client: bytes | None = None


class HlsCheck(NamedTuple):
    """An answer held against what it must be: `expected` is None where nothing could be computed.

    `sentence` says it for people; `key` is the label of the key that fits.
    """

    verdict: HlsVerdict
    found: bytes
    expected: bytes | None
    key: str
    sentence: str


class _Answer(NamedTuple):
    """One side's answer: who gives it, to which challenge."""

    found: bytes
    challenge: bytes
    own_challenge: bytes
    own_title: bytes
    other_title: bytes


class _Candidate(NamedTuple):
    """The answer expected with one key; `fits` judges a signature, which cannot be recomputed."""

    key: str
    expected: bytes | None
    fits: bool


def check(challenges: Challenges, from_client: bool, found: bytes, sets: Sequence[KeySet]) -> HlsCheck:
    """Holds the answer `found` (pass 3 from the client, pass 4 from the server) against what it must be."""
    what = "f(StoC)" if from_client else "f(CtoS)"
    name = codes.MECHANISMS.get(challenges.mechanism, f"mechanism {challenges.mechanism}")
    answer, missing = _answer(challenges, from_client, found)
    compute = _COMPUTED.get(challenges.mechanism)
    if compute is None:
        return HlsCheck(
            HlsVerdict.NOT_COMPUTED,
            found,
            None,
            "",
            f"{what} is not checked: {name} has no answer to compute",
        )
    if answer is None:
        sentence = f"{what} of {name} is not checked: {missing} was not seen"
        return HlsCheck(HlsVerdict.NOT_COMPUTED, found, None, "", sentence)
    first: _Candidate | None = None
    for candidate in compute(answer, sets):
        if candidate.fits:
            sentence = f"{what} of {name} is right, with {candidate.key}"
            return HlsCheck(HlsVerdict.RIGHT, found, candidate.expected, candidate.key, sentence)
        first = first or candidate
    if first is None:
        sentence = f"{what} of {name} is not checked: no key is given for {_who(answer.own_title)}"
        return HlsCheck(HlsVerdict.NO_KEY, found, None, "", sentence)
    sentence = f"{what} of {name} is wrong: found {found.hex()}"
    if first.expected is not None:
        sentence += f", expected {first.expected.hex()}"
    return HlsCheck(HlsVerdict.WRONG, found, first.expected, "", f"{sentence} (tried with {first.key})")


def _answer(challenges: Challenges, from_client: bool, found: bytes) -> tuple[_Answer | None, str]:
    """The answer with all it depends on; or None and what is missing for it."""
    to_answer, own = challenges.server_to_client, challenges.client_to_server
    titles = challenges.client_title, challenges.server_title
    if not from_client:
        to_answer, own = own, to_answer
        titles = titles[::-1]
    if to_answer is None:
        return None, "the challenge"
    if titles[0] is None and challenges.mechanism in (5, 6, 7):
        return None, "the sender's system title"
    if challenges.mechanism in (6, 7) and (titles[1] is None or own is None):
        return None, "the other side's system title or challenge"
    return _Answer(found, to_answer, own or b"", titles[0] or b"", titles[1] or b""), ""


def _who(title: bytes) -> str:
    return title_text(title) if len(title) == TITLE_SIZE else "this association"


def _secrets(sets: Sequence[KeySet]) -> Iterator[tuple[str, bytes]]:
    for keys in sets:
        if keys.hls_secret is not None:
            yield f"the HLS secret of {keys.label}", keys.hls_secret


def _digest(algorithm: str) -> Callable[[_Answer, Sequence[KeySet]], Iterator[_Candidate]]:
    def compute(answer: _Answer, sets: Sequence[KeySet]) -> Iterator[_Candidate]:
        for label, secret in _secrets(sets):
            value = hashlib.new(algorithm, answer.challenge + secret, usedforsecurity=False).digest()
            yield _Candidate(label, value, value == answer.found)

    return compute


def _sha_256(answer: _Answer, sets: Sequence[KeySet]) -> Iterator[_Candidate]:
    for label, secret in _secrets(sets):
        message = secret + answer.own_title + answer.other_title + answer.challenge + answer.own_challenge
        value = hashlib.sha256(message).digest()
        yield _Candidate(label, value, value == answer.found)


def _aes(answer: _Answer, sets: Sequence[KeySet]) -> Iterator[_Candidate]:
    """Mechanism 2 as it is commonly met: the challenge, filled up with 00, in AES-128 with the secret."""
    text = answer.challenge + bytes(-len(answer.challenge) % 16)
    for label, secret in _secrets(sets):
        if len(secret) <= 16:
            cipher = Cipher(algorithms.AES(secret.ljust(16, b"\0")), modes.ECB())
            value = cipher.encryptor().update(text)
            yield _Candidate(f"{label} (AES-128)", value, value == answer.found)


def _gmac(answer: _Answer, sets: Sequence[KeySet]) -> Iterator[_Candidate]:
    """SC, IC and the tag over SC, authentication key and challenge; at last with both keys exchanged.

    Keys that were given in each other's place make no answer wrong; where they open APDUs it is said.
    """
    if len(answer.found) < 5 or len(answer.own_title) != TITLE_SIZE:
        return
    header = answer.found[:5]

    def candidate(label: str, encryption: bytes, authentication: bytes) -> _Candidate:
        covered = header[:1] + authentication + answer.challenge
        tag = AESGCM(encryption).encrypt(answer.own_title + header[1:], b"", covered)[:TAG_SIZE]
        return _Candidate(label, header + tag, header + tag == answer.found)

    pairs = [(one.label, one.encryption, one.authentication) for one in sets]
    for label, encryption, authentication in pairs:
        if encryption is not None and authentication is not None:
            yield candidate(label, encryption, authentication)
    for label, encryption, authentication in pairs[:MAX_EXCHANGED]:
        if encryption is not None and authentication is not None:
            yield candidate(f"the exchanged keys of {label}", authentication, encryption)


def _ecdsa(answer: _Answer, sets: Sequence[KeySet]) -> Iterator[_Candidate]:
    message = answer.own_title + answer.other_title + answer.challenge + answer.own_challenge
    for keys in sets:
        if keys.signing_point is not None and keys.title in (None, answer.own_title):
            fits = signed_by(keys.signing_point, answer.found, message)
            yield _Candidate(f"the signing key of {keys.label}", None, fits)


_COMPUTED: dict[int, Callable[[_Answer, Sequence[KeySet]], Iterator[_Candidate]]] = {
    2: _aes,
    3: _digest("md5"),
    4: _digest("sha1"),
    5: _gmac,
    6: _sha_256,
    7: _ecdsa,
}
