"""Opening ciphered APDUs: every form of protection, and a verdict that is right when the key is not."""

import dataclasses
import json
import logging
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.apdu.context import CipheredPart, Context, Envelope, KeyInfo, SignedPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.framed import decode_octets
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.plain import plain_tree
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import KeyKind, KeyRing
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.opener import KeyedOpener, key_kind
from cosemscope.apdu.security.outcomes import Outcomes
from tests.helpers.protection import (
    AUTHENTICATION,
    ENCRYPTION,
    GET_CLOCK,
    SERVER,
    TITLE,
    general_glo,
    glo,
    protect,
    sized,
    vector_keys,
    vectors,
)

WRONG = bytes(16)
FULL = KeySet("meter", TITLE, encryption=ENCRYPTION, authentication=AUTHENTICATION)
CLEAR_RESPONSE = bytes.fromhex("c401c1000600001391")


def part_of(apdu: bytes) -> CipheredPart:
    part = read_protected(apdu)
    assert isinstance(part, CipheredPart)
    return part


def opened(apdu: bytes, *sets: KeySet, sender: bytes | None = TITLE, other: bytes | None = None) -> Opening:
    return KeyedOpener(KeyRing(sets), sender, other).open(part_of(apdu))


def parts_seen(octets: bytes, context: Context) -> list[CipheredPart | SignedPart]:
    """The protected parts that the decoder meets, while it opens them."""
    seen: list[CipheredPart | SignedPart] = []

    def opener(part: CipheredPart) -> Opening:
        seen.append(part)
        assert context.opener is not None
        return context.opener(part)

    def verifier(part: SignedPart) -> Opening:
        seen.append(part)
        assert context.verifier is not None
        return context.verifier(part)

    decode_octets(octets, Context(opener=opener, verifier=verifier))
    return seen


# The vectors.


def test_every_keyed_vector_opens_to_its_plaintext() -> None:
    """All of the corpus opens, and the verdict is the one that its tag, or the lack of it, calls for."""
    counts = {"tag ok": 0, "other": 0}
    for vector in vectors():
        if "key" not in vector:
            continue
        opener = KeyedOpener(KeyRing(vector_keys(vector)))
        seen = parts_seen(bytes.fromhex(vector["hex"]), opener.context())
        ciphered = [part for part in seen if isinstance(part, CipheredPart)]
        found = opener.open(ciphered[0])
        untagged = vector["verified"] == "decrypts (no tag)"
        assert found.verdict is (Verdict.UNTAGGED if untagged else Verdict.OPENED), vector["name"]
        assert found.plaintext is not None
        # Long plaintexts are listed by their first octets.
        assert found.plaintext.hex().startswith(vector["plain"]), vector["name"]
        header_form = "AAD = SC || AK || the five" in vector["verified"]
        assert ("header's fields and their lengths" in found.form) == header_form, vector["name"]
        counts["tag ok" if vector["verified"] == "tag ok" else "other"] += 1
    assert counts["tag ok"] >= 45
    assert sum(counts.values()) >= 54


def test_the_vectors_do_not_open_with_wrong_keys() -> None:
    """No vector with a tag opens with another key, and nothing of it is shown."""
    for vector in vectors():
        if "key" not in vector or vector["verified"] != "tag ok":
            continue
        (keys,) = vector_keys(vector)
        for name in ("encryption", "authentication", "dedicated"):
            if getattr(keys, name) is None or (name == "encryption" and keys.dedicated is not None):
                continue
            opener = KeyedOpener(KeyRing([dataclasses.replace(keys, **{name: WRONG})]))
            seen = parts_seen(bytes.fromhex(vector["hex"]), opener.context())
            found = opener.open(seen[0])
            assert found.verdict is Verdict.TAG_WRONG, (vector["name"], name)
            assert found.plaintext is None


def test_the_vectors_without_keys_say_no_key() -> None:
    """Without a key everything ciphered says so, and none of it raises."""
    count = 0
    for vector in vectors():
        opener = KeyedOpener(KeyRing())
        for part in parts_seen(bytes.fromhex(vector["hex"]), opener.context()):
            if isinstance(part, CipheredPart):
                count += 1
                assert opener.open(part).verdict is Verdict.NO_KEY
            else:
                assert opener.verify(part).verdict is Verdict.NO_KEY
    assert count >= 55


def test_signature_of_a_general_signing_vector() -> None:
    """The suite 2 vector verifies with the originator's key, and not when its content is changed."""
    (vector,) = (one for one in vectors() if one["name"] == "general-signing-suite2")
    opener = KeyedOpener(KeyRing(vector_keys(vector)))
    octets = bytearray.fromhex(vector["hex"])
    (*_, part) = parts_seen(bytes(octets), opener.context())
    assert isinstance(part, SignedPart)
    assert opener.verify(part).verdict is Verdict.VERIFIED
    octets[-1] ^= 1
    (*_, part) = parts_seen(bytes(octets), opener.context())
    assert isinstance(part, SignedPart)
    verdict = opener.verify(part)
    assert (verdict.verdict, verdict.severity) == ("signature-wrong", "warning")


# Forms of protection.


@given(
    plain=st.binary(max_size=300),
    kind=st.sampled_from([0x10, 0x20, 0x30]),
    suite=st.integers(0, 2),
    counter=st.integers(0, 0xFFFFFFFF),
    title=st.binary(min_size=8, max_size=8),
    encryption=st.binary(min_size=32, max_size=32),
    authentication=st.binary(min_size=32, max_size=32),
    general=st.booleans(),
)
def test_what_the_library_seals_is_opened(
    plain: bytes,
    kind: int,
    suite: int,
    counter: int,
    title: bytes,
    encryption: bytes,
    authentication: bytes,
    general: bool,
) -> None:
    """Whatever is protected by the library's own AES-GCM comes back, with key, title and counter named.

    Without a tag it must be an APDU: octets that are none could come of a wrong key.
    """
    if kind == 0x20:
        plain = b"\xc4\x01\xc1\x00\x09" + sized(plain)
    size = 32 if suite == 2 else 16
    keys = {"encryption": encryption[:size], "authentication": authentication[:size]}
    how: dict[str, Any] = {"control": kind | suite, "counter": counter, "title": title, **keys}
    apdu = general_glo(plain, **how) if general else glo(0xCC, plain, **how)
    found = opened(apdu, KeySet("the key", **keys), sender=None if general else title)
    assert found.plaintext == plain
    assert found.verdict is (Verdict.UNTAGGED if kind == 0x20 else Verdict.OPENED)
    assert (found.title, found.counter, found.key) == (title, counter, "global unicast key of the key")
    if kind != 0x20:
        assert found.form == ("SC || AK || APDU" if kind == 0x10 else "SC || AK")


@given(octets=st.binary(max_size=80), keyed=st.booleans())
def test_opening_never_raises(octets: bytes, keyed: bool) -> None:
    """Whatever is read as a protected APDU gets a verdict."""
    opener = KeyedOpener(KeyRing([FULL] if keyed else []), TITLE, SERVER)
    for tag in (0x21, 0xC8, 0xD4, 0xDB, 0xDC, 0xDD, 0x00):
        for apdu in (bytes((tag,)) + octets, bytes((tag,)) + sized(octets)):
            part = read_protected(apdu)
            if isinstance(part, CipheredPart):
                assert isinstance(opener.open(part).verdict, Verdict)
            decode_apdu(apdu, opener.context())


def test_without_authentication_key_it_is_opened_and_labelled() -> None:
    """Many are given only the encryption key: the text opens, and is said not to be authenticated."""
    keys = KeySet("utility", encryption=ENCRYPTION)
    found = opened(glo(0xC8, GET_CLOCK), keys)
    assert (found.verdict, found.plaintext) == (Verdict.UNAUTHENTICATED, GET_CLOCK)
    plain = opened(glo(0xC8, GET_CLOCK, control=0x10), keys)
    assert (plain.verdict, plain.plaintext) == (Verdict.UNAUTHENTICATED, GET_CLOCK)


def test_another_holders_authentication_key_is_tried_too() -> None:
    """An authentication key given in an entry of its own serves those entries that have none."""
    keys = KeySet("meter", encryption=ENCRYPTION)
    common = KeySet("all", authentication=AUTHENTICATION)
    assert opened(glo(0xC8, GET_CLOCK), keys, common).verdict is Verdict.OPENED
    other = KeySet("other", authentication=WRONG)
    found = opened(glo(0xC8, GET_CLOCK), keys, other)
    assert (found.verdict, found.notes) == (
        Verdict.UNAUTHENTICATED,
        ("the authentication keys of other holders do not fit the tag",),
    )


def test_authentication_without_any_key_in_the_aad() -> None:
    """Some authenticate the security control alone: that form is tried, and named."""
    found = opened(glo(0xC8, GET_CLOCK, authentication=b""), KeySet("meter", encryption=ENCRYPTION))
    assert (found.verdict, found.form) == (Verdict.OPENED, "SC")


def test_a_wrong_authentication_key_is_told_from_a_wrong_encryption_key() -> None:
    """The user learns which of the two to look for; the text is not shown as though it were proven."""
    wrong = dataclasses.replace(FULL, authentication=WRONG)
    found = opened(glo(0xC8, GET_CLOCK), wrong)
    assert (found.verdict, found.plaintext) == (Verdict.TAG_WRONG, None)
    (note,) = found.notes
    assert "that key seems right; the authentication key" in note
    found = opened(glo(0xC8, GET_CLOCK), dataclasses.replace(FULL, encryption=WRONG))
    assert (found.verdict, len(found.notes)) == (Verdict.TAG_WRONG, 1)


@pytest.mark.parametrize("control", [0x20, 0x30])
def test_nonsense_is_not_shown_as_opened(control: int) -> None:
    """With no tag, or no key to check it, a wrong key only shows as nonsense: then no key fits."""
    apdu = glo(0xCC, CLEAR_RESPONSE, control=control)
    keys = dataclasses.replace(FULL, authentication=None, title=None)
    found = opened(apdu, KeySet("wrong", encryption=WRONG))
    assert (found.verdict, found.plaintext, found.severity) == (Verdict.KEY_UNFIT, None, "warning")
    assert "deciphered with the global unicast key of wrong the text " in found.notes[0]
    right = opened(apdu, KeySet("wrong", encryption=WRONG), keys)
    assert right.plaintext == CLEAR_RESPONSE
    assert right.verdict is (Verdict.UNTAGGED if control == 0x20 else Verdict.UNAUTHENTICATED)


def test_broadcast_key_bit() -> None:
    """The key set bit names the broadcast key; where the other key opens it, that is said."""
    apdu = glo(0xC8, GET_CLOCK, control=0x70, encryption=WRONG)
    both = dataclasses.replace(FULL, broadcast=WRONG)
    found = opened(apdu, both)
    assert (found.verdict, found.key) == (Verdict.OPENED, "global broadcast key of meter")
    assert not found.notes
    found = opened(glo(0xC8, GET_CLOCK, control=0x70), FULL)
    assert found.verdict is Verdict.OPENED
    assert "names the global broadcast key, the global unicast key" in found.notes[0]


def test_compression_is_named_and_not_undone() -> None:
    """A compressed text is opened, and the decoder is told that it is compressed."""
    found = opened(glo(0xC8, b"\x01\x02\x03", control=0xB0), FULL)
    assert (found.verdict, found.compressed) == (Verdict.OPENED, True)
    tree = decode_apdu(
        glo(0xC8, b"\x01\x02\x03", control=0xB0), KeyedOpener(KeyRing([FULL]), TITLE).context()
    )
    assert "V.44" in json.dumps(plain_tree(tree))


def test_dedicated_services_use_the_dedicated_key_only() -> None:
    """A ded- APDU is not opened with a global key, which would hide that the dedicated one is missing."""
    apdu = glo(0xD0, GET_CLOCK)
    assert opened(apdu, FULL).verdict is Verdict.NO_KEY
    dedicated = KeySet("association", dedicated=ENCRYPTION)
    assert opened(apdu, dedicated, dataclasses.replace(FULL, encryption=WRONG)).verdict is Verdict.OPENED


def test_a_key_of_another_suites_size_opens_with_a_remark() -> None:
    """What counts is that the tag is right; that suite 2 wants 32 octets is said."""
    found = opened(glo(0xC8, GET_CLOCK, control=0x32), FULL)
    assert found.verdict is Verdict.OPENED
    assert "keys of 32 octets" in found.notes[0]


# Titles.


def test_the_title_comes_from_the_apdu_the_association_or_the_key() -> None:
    """In this order; where none is known, the verdict says so."""
    apdu = glo(0xC8, GET_CLOCK)
    untitled = dataclasses.replace(FULL, title=None)
    assert opened(apdu, untitled, sender=None).verdict is Verdict.NO_TITLE
    named = opened(apdu, FULL, sender=None)
    assert named.verdict is Verdict.OPENED
    assert "that the keys name" in named.notes[0]
    assert opened(general_glo(GET_CLOCK), untitled, sender=SERVER).title == TITLE


def test_the_other_sides_title_is_tried_last() -> None:
    """A stack that seals with the receiver's title is found out."""
    found = opened(glo(0xC8, GET_CLOCK), FULL, sender=SERVER, other=TITLE)
    assert (found.verdict, found.title) == (Verdict.OPENED, TITLE)
    assert "receiver's system title" in found.notes[0]
    # It proves nothing without a tag, so there it is not tried.
    untitled = dataclasses.replace(FULL, title=None)
    untagged = opened(glo(0xC8, GET_CLOCK, control=0x20), untitled, sender=None, other=TITLE)
    assert untagged.verdict is Verdict.NO_TITLE


# General-ciphering.


def general_ciphering(plain: bytes, key_info: bytes, header_form: int, key: bytes = ENCRYPTION) -> bytes:
    fields = (b"\x01\x02", TITLE, SERVER, b"", b"other")
    envelope = b"".join(map(sized, fields))
    header = (b"", envelope, b"".join(fields))[header_form]
    return b"\xdd" + envelope + key_info + sized(protect(plain, encryption=key, header=header))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (0, "SC || AK"),
        (1, "SC || AK with the header's fields and their lengths"),
        (2, "SC || AK with the header's fields without lengths"),
    ],
)
@pytest.mark.parametrize("key_info", [b"\x00", b"\x01\x00\x00"])
def test_the_forms_of_the_aad_of_general_ciphering(form: int, words: str, key_info: bytes) -> None:
    """Implementations differ in what they authenticate: the form that fits is found and named."""
    found = opened(general_ciphering(GET_CLOCK, key_info, form), FULL)
    assert (found.verdict, found.plaintext, found.form) == (Verdict.OPENED, GET_CLOCK, words)


def test_wrapped_key() -> None:
    """A key wrapped with the master key opens; without the master key it is said that it is missing."""
    key, master = bytes(range(64, 80)), bytes(range(16, 32))
    info = b"\x01\x01\x00" + sized(aes_key_wrap(master, key))
    apdu = general_ciphering(GET_CLOCK, info, 0, key)
    found = opened(apdu, dataclasses.replace(FULL, master=master))
    assert (found.verdict, found.plaintext) == (Verdict.OPENED, GET_CLOCK)
    assert "master key of meter" in found.key
    assert "master key" in opened(apdu, FULL).notes[0]
    assert opened(apdu, dataclasses.replace(FULL, master=WRONG)).verdict is Verdict.NO_KEY


@pytest.mark.parametrize(
    ("apdu", "sender", "title"),
    [
        (glo(0xC8, GET_CLOCK), TITLE, TITLE),
        (glo(0xC8, GET_CLOCK), None, None),
        (general_glo(GET_CLOCK, title=SERVER), TITLE, SERVER),
        (b"\xdb\x00" + glo(0xC8, GET_CLOCK)[1:], TITLE, TITLE),
        (b"\xdb\x00" + glo(0xC8, GET_CLOCK)[1:], None, None),
    ],
)
def test_what_does_not_open_names_its_sender(apdu: bytes, sender: bytes | None, title: bytes | None) -> None:
    """Whose key is wanted: the title in the APDU, else the one seen; and which octets were tried."""
    part = part_of(apdu)
    for ring in (KeyRing(), KeyRing([KeySet("wrong", encryption=WRONG, authentication=WRONG)])):
        found = KeyedOpener(ring, sender).open(part)
        assert not found.verdict.opened
        assert (found.title, found.content, found.counter) == (title, part.content, 1)
    assert KeyedOpener(KeyRing([FULL]), TITLE).open(part).content == part.content


# Outcomes, and what must never show.


def test_outcomes_are_remembered_within_bounds() -> None:
    """What took a search is deciphered once; the oldest is forgotten beyond the bounds."""
    outcomes = Outcomes(number=3, octets=4000)
    opener = KeyedOpener(KeyRing([FULL], outcomes), TITLE)
    parts = [part_of(glo(0xC8, GET_CLOCK, counter=number, control=0x20)) for number in range(5)]
    found = [opener.open(part) for part in parts]
    assert opener.open(parts[4]) is found[4]
    assert opener.open(parts[0]) is not found[0]
    large = part_of(glo(0xC8, GET_CLOCK + bytes(3000), control=0x20))
    opener.open(large)
    assert outcomes.get((opener.ring, parts[4], TITLE, None)) is None


def test_a_key_that_opened_is_tried_first() -> None:
    """One key of many is searched once."""
    others = [KeySet(str(number), encryption=bytes([number]) * 16) for number in range(20)]
    ring = KeyRing([*others, FULL])
    opener = KeyedOpener(ring, TITLE)
    for counter in (1, 2):
        assert opener.open(part_of(glo(0xC8, GET_CLOCK, counter=counter))).verdict is Verdict.OPENED
    assert ring.keys(next(iter(ring._keys)))[0].label.endswith("of meter")


def test_the_same_apdu_tampered_with_is_another_apdu() -> None:
    """What is remembered counts for these octets only: a changed tag is wrong all the same."""
    apdu = bytearray(glo(0xC8, GET_CLOCK))
    opener = KeyedOpener(KeyRing([FULL]), TITLE)
    assert opener.open(part_of(bytes(apdu))).verdict is Verdict.OPENED
    for index in range(3, len(apdu)):
        apdu[index] ^= 0x40
        if index != 3:
            part = read_protected(bytes(apdu))
            assert isinstance(part, CipheredPart)
            assert opener.open(part).verdict is Verdict.TAG_WRONG
        apdu[index] ^= 0x40


def secrets(keys: KeySet) -> list[str]:
    values = (getattr(keys, name) for name in keys.holds())
    return [value.hex() for value in values if isinstance(value, bytes)]


def test_keys_never_show(caplog: pytest.LogCaptureFixture) -> None:
    """Neither repr nor log nor tree nor the JSON of a tree shows an octet of a key."""
    caplog.set_level(logging.DEBUG)
    keys = dataclasses.replace(FULL, broadcast=b"\xb0" * 16, master=b"\xa5" * 16, hls_secret=b"\x5a" * 9)
    ring = KeyRing([keys])
    opener = KeyedOpener(ring, TITLE)
    shown = [repr(keys), str(keys), f"{keys!r}", repr(ring), repr(opener)]
    for apdu in (glo(0xC8, GET_CLOCK), glo(0xC8, GET_CLOCK, encryption=WRONG), glo(0xD0, GET_CLOCK)):
        found = opener.open(part_of(apdu))
        shown += [repr(found), found.text]
        decoded = decode_apdu(apdu, opener.context())
        shown.append(json.dumps(plain_tree(decoded), default=str))
    with pytest.raises(TypeError, match="pickle") as raised:
        pickle.dumps(ring.keys(next(iter(ring._keys))))
    text = "\n".join([*shown, str(raised.value), caplog.text]).lower()
    for secret in secrets(keys):
        assert secret not in text
        assert repr(bytes.fromhex(secret)).lower() not in text


# Which key an APDU names.


def _info(choice: int, key_id: int) -> Envelope:
    return Envelope(b"", b"", b"", b"", b"", b"", KeyInfo(choice, key_id))


@pytest.mark.parametrize(
    ("tag", "control", "envelope", "kind"),
    [
        (0xC8, 0x30, None, KeyKind.UNICAST),
        (0xC8, 0x70, None, KeyKind.BROADCAST),
        (0xC8, 0x60, None, KeyKind.BROADCAST),
        (0xDB, 0x20, None, KeyKind.UNICAST),
        (0xD0, 0x30, None, KeyKind.DEDICATED),
        (0xD0, 0x70, None, KeyKind.DEDICATED),
        (0xDC, 0x30, None, KeyKind.DEDICATED),
        (0xDD, 0x30, _info(0, 0), KeyKind.UNICAST),
        (0xDD, 0x30, _info(0, 1), KeyKind.BROADCAST),
        (0xDD, 0x70, _info(0, 0), KeyKind.BROADCAST),
        (0xDD, 0x30, _info(1, 0), None),
        (0xDD, 0x30, _info(2, 0), None),
        (0xDD, 0x30, Envelope(b"", b"", b"", b"", b"", b""), KeyKind.UNICAST),
    ],
)
def test_the_kind_of_key_that_an_apdu_names(
    tag: int, control: int, envelope: Envelope | None, kind: KeyKind | None
) -> None:
    """By its tag, the key set bit, or the key-info; none where the key comes along."""
    assert key_kind(CipheredPart(tag, control, 1, b"", bytes(12), None, envelope)) is kind


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (CipheredPart(0xC8, 0x30, 1, b"", bytes(12)), "no global unicast key is given for MMM "),
        (CipheredPart(0xC8, 0x70, 1, b"", bytes(12)), "no global broadcast key is given for MMM "),
        (CipheredPart(0xD0, 0x30, 1, b"", bytes(12)), "no dedicated key is known for MMM "),
        (CipheredPart(0xDB, 0x30, 1, b"", bytes(12), b"ABC12345"), "no global unicast key is given for ABC "),
        (CipheredPart(0xDD, 0x30, 1, b"", bytes(12), None, _info(1, 0)), "no master key is given that opens"),
        (CipheredPart(0xDD, 0x30, 1, b"", bytes(12), None, _info(2, 0)), "no private key for key agreement"),
    ],
)
def test_which_key_is_missing(part: CipheredPart, words: str) -> None:
    """Its kind, and whose it would be."""
    found = KeyedOpener(KeyRing(), TITLE).open(part)
    assert found.verdict is Verdict.NO_KEY
    assert found.notes[0].startswith(words)
    assert "for" not in KeyedOpener(KeyRing()).open(CipheredPart(0xC8, 0x30, 1, b"", b"")).notes[0]


@pytest.mark.parametrize(("missing", "words"), [(1, "11 of 12"), (12, "0 of 12"), (-1, "13 of 12")])
def test_tags_of_another_size_are_not_tried(missing: int, words: str) -> None:
    """It is said how many octets there are; the key is not to blame."""
    part = part_of(glo(0xC8, GET_CLOCK))
    tag = (part.authentication_tag + b"\0")[: 12 - missing]
    found = KeyedOpener(KeyRing([FULL]), TITLE).open(part._replace(authentication_tag=tag))
    assert (found.verdict, found.notes) == (
        Verdict.TAG_WRONG,
        (f"the authentication tag is cut: {words} octets",),
    )


# Keys in each other's place, and text that needs none.


def _general_glo(control: str, text: str, tag: str = "") -> CipheredPart:
    """A push of the title that the vectors of the field have, with invocation counter 16."""
    return CipheredPart(
        0xDB, int(control, 16), 16, bytes.fromhex(text), bytes.fromhex(tag), bytes.fromhex("5453540000000007")
    )


_PUSHED = "0f00000001000203060000000112092406000003e8"
_CIPHERED, _ITS_TAG = "fe429c5787d402da2d5b6460ccc578eecb9d2d2a63", "6d7212c26cbc31092d56cb06"
_EK, _AK = (
    bytes.fromhex(key) for key in ("101112131415161718191A1B1C1D1E1F", "D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF")
)


@pytest.mark.parametrize(("control", "tag"), [("30", _ITS_TAG), ("20", "")])
def test_keys_in_each_others_place_are_noticed(control: str, tag: str) -> None:
    """The one fits for the other: opened, with the sentence that says what to do; right ones say nothing."""
    part = _general_glo(control, _CIPHERED, tag)
    for encryption, authentication, exchanged in ((_EK, _AK, False), (_AK, _EK, True)):
        ring = KeyRing([KeySet("a meter", encryption=encryption, authentication=authentication)])
        opening = KeyedOpener(ring).open(part)
        assert opening.plaintext == bytes.fromhex(_PUSHED)
        assert ("in each other's place" in opening.text) is exchanged
        assert opening.severity == ("warning" if exchanged else "note")


@pytest.mark.parametrize("keyed", [True, False])
def test_text_that_is_plain_already_is_read(keyed: bool) -> None:
    """A dump taken after deciphering in place: neither key nor tag can fit, and none is missing."""
    ring = KeyRing([KeySet("a meter", encryption=_EK, authentication=_AK)] if keyed else [])
    opening = KeyedOpener(ring).open(_general_glo("30", _PUSHED, _ITS_TAG))
    assert (opening.verdict, opening.plaintext) == (Verdict.PLAIN, bytes.fromhex(_PUSHED))
    for text in (_CIPHERED, _PUSHED[:-2], "d80102", ""):
        assert KeyedOpener(KeyRing()).open(_general_glo("30", text, _ITS_TAG)).verdict is Verdict.NO_KEY
