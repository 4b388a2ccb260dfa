"""Sealing: the very octets of others' telegrams, and what our own opener makes of every form."""

from typing import Any

import pytest

from cosemscope.apdu.names.tags import DED_SERVICES, GENERAL_DED, GENERAL_GLO, GLO_SERVICES
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.apdu.security.suites import SUITES
from cosemscope.application.protection.sealing import CipheringForm, Sealer, SealError
from cosemscope.application.protection.unsealing import UnsealError, unseal
from tests.helpers.protection import GET_CLOCK, TITLE, vector_keys, vectors

_KEYS = KeySet("meter", TITLE, encryption=bytes(range(16)), authentication=bytes(16), dedicated=bytes(16))
_LONG = KeySet("meter", TITLE, encryption=bytes(range(32)), authentication=bytes(32), dedicated=bytes(32))
_FORMS = {GENERAL_GLO: CipheringForm.GENERAL_GLOBAL, GENERAL_DED: CipheringForm.GENERAL_DEDICATED}
_FORMS |= dict.fromkeys(GLO_SERVICES, CipheringForm.GLOBAL) | dict.fromkeys(
    DED_SERVICES, CipheringForm.DEDICATED
)


def _sealed_vectors() -> list[dict[str, Any]]:
    """Those whose authentication tag or text was verified, of one envelope and one key."""
    return [
        vector
        for vector in vectors()
        if vector["layer"] in ("apdu", "wpdu")
        and "plain" in vector
        and vector["expect"] == "ok"
        and "curve" not in vector.get("key", {"curve": ""})
        and bytes.fromhex(vector["hex"])[8 * (vector["layer"] == "wpdu")] in _FORMS
    ]


def test_telegrams_of_others_are_sealed_to_the_same_octets() -> None:
    """Plain text, keys, title and counter give what other implementations and the Green Book give."""
    seen = 0
    for vector in _sealed_vectors():
        octets = bytes.fromhex(vector["hex"])[8 * (vector["layer"] == "wpdu") :]
        part = read_protected(octets)
        assert part is not None
        control = part.security_control  # type: ignore[union-attr]
        (keys, *_) = vector_keys(vector)
        if len(keys.encryption or b"") != SUITES[control & 15].key_size:
            continue
        sealer = Sealer(
            keys,
            part.system_title or keys.title,  # type: ignore[union-attr]
            control & 15,
            _FORMS[octets[0]],
            authenticated=bool(control & 16),
            encrypted=bool(control & 32),
        )
        sealed = sealer.seal(bytes.fromhex(vector["plain"]), part.invocation_counter)  # type: ignore[union-attr]
        if octets[0] in _FORMS and sealed[0] == octets[0]:
            # Lengths may be longer than need be in theirs.
            assert sealed[-len(part.content) - 12 :] == octets[-len(part.content) - 12 :], vector["name"]  # type: ignore[union-attr]
            assert len(sealed) <= len(octets)
            seen += 1
    assert seen > 35


@pytest.mark.parametrize("form", CipheringForm)
@pytest.mark.parametrize(("authenticated", "encrypted"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("suite", [0, 1, 2])
def test_what_is_sealed_opens(form: CipheringForm, authenticated: bool, encrypted: bool, suite: int) -> None:
    """Every form, suite and protection; within the overhead that was said."""
    keys = _LONG if suite == 2 else _KEYS
    sealer = Sealer(keys, TITLE, suite, form, authenticated=authenticated, encrypted=encrypted)
    sealed = sealer.seal(GET_CLOCK, 7)
    assert len(sealed) <= len(GET_CLOCK) + sealer.overhead
    found = unseal(sealed, KeyedOpener(KeyRing([keys]), TITLE))
    assert (found.apdu, found.control, found.counter) == (GET_CLOCK, sealer.control, 7)


def test_what_was_changed_does_not_open() -> None:
    """A flipped bit anywhere in the protected part."""
    sealed = Sealer(_KEYS, TITLE).seal(GET_CLOCK, 7)
    opener = KeyedOpener(KeyRing([_KEYS]), TITLE)
    for place in range(2, len(sealed)):
        changed = sealed[:place] + bytes((sealed[place] ^ 4,)) + sealed[place + 1 :]
        with pytest.raises(UnsealError):
            unseal(changed, opener)


def test_other_keys_do_not_open() -> None:
    """The sentence says so and shows no key; nor do keys in each other's place count."""
    sealed = Sealer(_KEYS, TITLE).seal(GET_CLOCK, 7)
    other = KeySet("other", TITLE, encryption=b"sesam" * 3 + b"!", authentication=bytes(16))
    with pytest.raises(UnsealError, match="does not open") as caught:
        unseal(sealed, KeyedOpener(KeyRing([other]), TITLE))
    assert "sesam" not in str(caught.value)
    turned = KeySet("turned", TITLE, encryption=bytes(16), authentication=bytes(range(16)))
    with pytest.raises(UnsealError, match="in each other's place"):
        unseal(sealed, KeyedOpener(KeyRing([turned]), TITLE))


@pytest.mark.parametrize(
    ("keys", "how", "words"),
    [
        (KeySet("meter"), {}, "encryption key of 16 octets, none is given"),
        (_KEYS, {"suite": 2}, "encryption key of 32 octets, one of 16 is given"),
        (KeySet("meter", encryption=bytes(16)), {}, "authentication key of 16 octets, none is given"),
        (_KEYS, {"suite": 3}, "no security suite 3"),
        (_KEYS, {"authenticated": False, "encrypted": False}, "protection without"),
    ],
)
def test_what_is_missing_is_said(keys: KeySet, how: dict[str, Any], words: str) -> None:
    """Before anything is sealed."""
    with pytest.raises(SealError, match=words):
        Sealer(keys, TITLE, **how)


def test_a_title_has_eight_octets_and_a_counter_ends() -> None:
    """A counter that has run out is told with what to do."""
    with pytest.raises(SealError, match="needs 8 octets, 3 are given"):
        Sealer(_KEYS, b"abc")
    with pytest.raises(SealError, match="has run out"):
        Sealer(_KEYS, TITLE).seal(GET_CLOCK, 2**32)


def test_services_without_ciphered_form() -> None:
    """A data-notification has none of its own; an envelope takes it."""
    push = bytes.fromhex("0f000000010000")
    with pytest.raises(SealError, match="data-notification has no service-specific"):
        Sealer(_KEYS, TITLE).seal(push, 1)
    assert not Sealer(_KEYS, TITLE).seals(push[0])
    assert Sealer(_KEYS, TITLE, form=CipheringForm.GENERAL_GLOBAL).seals(push[0])


def test_what_is_no_protected_apdu() -> None:
    """Cut, empty, or in clear."""
    opener = KeyedOpener(KeyRing([_KEYS]), TITLE)
    for octets in (b"", GET_CLOCK, b"\xc8\x20\x30"):
        with pytest.raises(UnsealError, match="no whole protected APDU"):
            unseal(octets, opener)
