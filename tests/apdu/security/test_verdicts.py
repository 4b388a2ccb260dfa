"""Verdicts under attack: wrong keys, titles, tags and headers are told, never shown as opened and right."""

import dataclasses
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.attempts import MAX_TRIES
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.key_sets import KeySet, point_octets
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.apdu.security.plausibility import makes_sense
from cosemscope.apdu.summary import summarise
from tests.helpers import apdu_encoder as encode
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
)

FULL = KeySet("meter", encryption=ENCRYPTION, authentication=AUTHENTICATION)
ENCRYPTION_ONLY = KeySet("meter", encryption=ENCRYPTION)
ANSWER = encode.get_response(("octet-string", bytes(range(40))))


def opened(apdu: bytes, *sets: KeySet, sender: bytes | None = TITLE, other: bytes | None = None) -> Opening:
    part = read_protected(apdu)
    assert isinstance(part, CipheredPart)
    return KeyedOpener(KeyRing(sets), sender, other).open(part)


def general_ciphering(key_info: bytes, key: bytes = ENCRYPTION, control: int = 0x30) -> bytes:
    fields = (b"\x01\x02", TITLE, SERVER, b"", b"other")
    envelope = b"".join(map(sized, fields))
    return b"\xdd" + envelope + key_info + sized(protect(GET_CLOCK, encryption=key, control=control))


# Wrong keys.


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30, 0x60, 0x70])
@pytest.mark.parametrize("form", ["glo", "ded", "general", "unknown tag"])
def test_no_wrong_key_opens_anything(control: int, form: str) -> None:
    """Whatever the protection and the envelope: with a wrong key there is no plaintext, and it is said."""
    source = random.Random(control)
    for number in range(40):
        plain = ANSWER if number % 2 else GET_CLOCK
        apdu = {
            "glo": glo(0xCC if number % 2 else 0xC8, plain, control=control, counter=number),
            "ded": glo(0xD4 if number % 2 else 0xD0, plain, control=control, counter=number),
            "general": general_glo(plain, control=control, counter=number),
            "unknown tag": b"\x00" + glo(0xCC, plain, control=control, counter=number)[1:],
        }[form]
        wrong = source.randbytes(16)
        keys = KeySet(
            "wrong", encryption=wrong, broadcast=wrong, dedicated=wrong, authentication=AUTHENTICATION
        )
        found = opened(apdu, keys)
        assert found.verdict is (Verdict.TAG_WRONG if control & 0x10 else Verdict.KEY_UNFIT)
        assert (found.plaintext, found.severity) == (None, "warning")
        assert found.notes
        if control & 0x20:
            unchecked = opened(apdu, dataclasses.replace(keys, authentication=None))
            assert (unchecked.verdict, unchecked.plaintext) == (Verdict.KEY_UNFIT, None)


def test_a_thousand_wrong_keys_do_not_open_what_has_no_tag() -> None:
    """Random octets must not pass for an APDU, however many are tried."""
    source = random.Random(7)
    keys = [KeySet(str(number), encryption=source.randbytes(16)) for number in range(1000)]
    for apdu in (general_glo(ANSWER, control=0x20), glo(0xCC, ANSWER, control=0x20), general_glo(ANSWER)):
        found = opened(apdu, *keys)
        assert (found.verdict, found.plaintext) == (Verdict.KEY_UNFIT, None)
        assert "none of 1000 keys fits" in found.notes[0]
        assert opened(apdu, *keys, FULL).plaintext == ANSWER


def test_random_octets_make_no_sense() -> None:
    """One in ten thousand at most, of any length, behind any first octet that may stand there."""
    source = random.Random(3)
    for tag, sizes in ((0xDB, (3, 4, 6, 13, 30, 100)), (0xCC, (3, 4, 13, 100)), (0x00, (13, 100))):
        part = CipheredPart(tag, 0x20, 1, b"", b"")
        for size in sizes:
            passed = sum(makes_sense(part, source.randbytes(size)) for _ in range(3000))
            assert passed <= 1, (tag, size, passed)


@pytest.mark.parametrize(
    ("tag", "plain", "sense"),
    [
        (0xCC, ANSWER, True),
        (0xCC, GET_CLOCK, False),
        (0xCC, bytes.fromhex("d80201"), True),
        (0xCC, bytes.fromhex("d80977"), False),
        (0xCC, bytes.fromhex("0e010601"), True),
        (0xCC, bytes.fromhex("0e637777"), False),
        (0xCC, ANSWER + b"\x01\x02", True),
        (0xDB, ANSWER + b"\x01\x02", False),
        (0xDB, encode.data_notification(("array", [("long", 1)] * 3), b""), True),
        (0xDB, encode.block_transfer(True, 1, ANSWER), True),
        (0xDB, b"/LUX5\\253663629\r\n1-3:0.2.8(42)\r\n", True),
        (0xDB, b"/LUX5", False),
        (0xDB, glo(0xCC, ANSWER), False),
        (0xDB, b"", False),
    ],
)
def test_what_makes_sense(tag: int, plain: bytes, sense: bool) -> None:
    """The service that is promised, an error instead of it; in general- envelopes whole services, or text."""
    assert makes_sense(CipheredPart(tag, 0x20, 1, b"", b""), plain) is sense


def test_many_keys_that_name_their_titles() -> None:
    """No title was seen: each key is tried with its own holder's, however many there are."""
    source = random.Random(1)
    titles = [b"CSP\x10\x00\x00" + number.to_bytes(2, "big") for number in range(2500)]
    sets = [
        KeySet(str(number), title, encryption=source.randbytes(16), authentication=AUTHENTICATION)
        for number, title in enumerate(titles)
    ]
    last = sets[-1]
    assert last.encryption is not None
    apdu = glo(0xC8, GET_CLOCK, title=titles[-1], encryption=last.encryption)
    found = opened(apdu, *sets, sender=None)
    assert (found.verdict, found.title) == (Verdict.OPENED, titles[-1])


def test_a_key_with_the_title_that_another_entry_names() -> None:
    """A head-end seals with the meter's key and a title of its own, which stands in another entry."""
    sets = [dataclasses.replace(FULL, title=SERVER), KeySet("head-end", TITLE, master=bytes(16))]
    found = opened(glo(0xC8, GET_CLOCK, title=TITLE), *sets, sender=None)
    assert (found.verdict, found.title) == (Verdict.OPENED, TITLE)


def test_the_search_is_bounded() -> None:
    """So many keys that not all can be tried: it ends, and says that there were more."""
    sets = [
        KeySet(str(number), encryption=number.to_bytes(16, "big"), authentication=AUTHENTICATION)
        for number in range(1, MAX_TRIES // 2)
    ]
    found = opened(glo(0xC8, GET_CLOCK), *sets, sender=b"OTHERONE", other=SERVER)
    assert found.verdict is Verdict.TAG_WRONG
    sets += [dataclasses.replace(one, label="more", authentication=bytes(16)) for one in sets]
    found = opened(glo(0xC8, GET_CLOCK), *sets, sender=b"OTHERONE", other=SERVER)
    assert found.verdict is Verdict.TAG_WRONG
    assert "more were not tried" in found.notes[0]


def test_what_no_key_fits_again_and_again_opens_once_one_does() -> None:
    """After many failures the search looks less closely at wrong keys, and still finds the right one."""
    source = random.Random(9)
    sets = [
        KeySet(str(one), encryption=source.randbytes(16), authentication=AUTHENTICATION) for one in range(200)
    ]
    opener = KeyedOpener(KeyRing([*sets, FULL]), TITLE)

    def verdict(apdu: bytes) -> Verdict:
        part = read_protected(apdu)
        assert isinstance(part, CipheredPart)
        return opener.open(part).verdict

    for counter in range(40):
        foreign = glo(0xC8, GET_CLOCK, counter=counter, encryption=bytes(16))
        assert verdict(foreign) is Verdict.TAG_WRONG
    assert verdict(glo(0xC8, GET_CLOCK, counter=99)) is Verdict.OPENED
    assert verdict(glo(0xC8, b"no APDU at all", counter=100)) is Verdict.OPENED


# Wrong titles, tags and headers.


@pytest.mark.parametrize("control", [0x10, 0x20, 0x30])
def test_a_wrong_title(control: int) -> None:
    """The right keys with somebody else's title open nothing; the title that was tried is named."""
    for apdu in (glo(0xCC, ANSWER, control=control), glo(0xC8, GET_CLOCK, control=control)):
        found = opened(apdu, FULL, sender=b"ABC\x00\x00\x00\x00\x09")
        assert found.verdict is (Verdict.TAG_WRONG if control & 0x10 else Verdict.KEY_UNFIT)
        assert found.plaintext is None
        assert "ABC 4142430000000009" in found.notes[0]


@pytest.mark.parametrize("control", [0x10, 0x30])
def test_every_bit_of_a_tag_counts(control: int) -> None:
    """Twelve octets of it, each bit; and each octet of what it covers."""
    apdu = glo(0xC8, GET_CLOCK, control=control)
    assert opened(apdu, FULL).verdict is Verdict.OPENED
    for bit in range(8 * 12):
        changed = bytearray(apdu)
        changed[-1 - bit // 8] ^= 1 << bit % 8
        assert opened(bytes(changed), FULL).verdict is Verdict.TAG_WRONG
    for place in range(3, len(apdu) - 12):
        changed = bytearray(apdu)
        changed[place] ^= 0x01
        assert not opened(bytes(changed), FULL).verdict.opened


@pytest.mark.parametrize("control", [0x10, 0x30])
def test_tags_that_are_cut(control: int) -> None:
    """Of any length but twelve: never opened; where nothing of it is there, that is said."""
    whole = protect(GET_CLOCK, control=control)
    for missing in range(1, len(whole) - 5):
        found = opened(b"\xc8" + sized(whole[:-missing]), FULL)
        assert (found.verdict, found.plaintext) == (Verdict.TAG_WRONG, None)
    cut = opened(b"\xc8" + sized(whole[:12]), FULL)
    assert "cut" in cut.notes[0]
    longer = opened(b"\xc8" + sized(whole + b"\x00\x00\x00\x00"), FULL)
    assert longer.verdict is Verdict.TAG_WRONG


def test_nothing_inside() -> None:
    """A text of no octets: with a tag it is proven, without one nothing is claimed of the key."""
    found = opened(glo(0xC8, b"", control=0x30), FULL)
    assert (found.verdict, found.plaintext) == (Verdict.OPENED, b"")
    assert opened(glo(0xC8, b"", control=0x10), FULL).verdict is Verdict.OPENED
    for control, keys in ((0x20, FULL), (0x30, ENCRYPTION_ONLY)):
        empty = opened(glo(0xC8, b"", control=control), keys)
        assert empty.plaintext == b""
        assert "nothing tells whether this key is right" in empty.notes[0]
    wrong = opened(glo(0xC8, b"", control=0x30), dataclasses.replace(FULL, encryption=bytes(16)))
    assert wrong.verdict is Verdict.TAG_WRONG


@pytest.mark.parametrize("plain", [b"", GET_CLOCK])
def test_every_security_control(plain: bytes) -> None:
    """Also suites and bits that are not defined: opened where it was sealed so, never with another octet."""
    for control in range(256):
        if not control & 0x30:
            continue
        keys = dataclasses.replace(FULL, broadcast=ENCRYPTION)
        apdu = glo(0xC8, plain, control=control)
        found = opened(apdu, keys)
        assert found.plaintext == plain
        assert found.verdict is (Verdict.OPENED if control & 0x10 else Verdict.UNTAGGED)
        summarise(decode_apdu(apdu, KeyedOpener(KeyRing([keys]), TITLE).context()))
        for bit in range(8):
            other = bytearray(apdu)
            other[2] ^= 1 << bit
            if other[2] & 0x10:
                assert opened(bytes(other), keys).verdict is not Verdict.OPENED, (control, bit)


def test_compressed_text_that_nothing_proves() -> None:
    """Compressed octets look like any: without a tag that is checked, nothing is claimed of the key."""
    for control, keys in ((0xA0, FULL), (0xB0, ENCRYPTION_ONLY)):
        found = opened(glo(0xC8, GET_CLOCK, control=control), keys)
        assert found.verdict is (Verdict.UNTAGGED if control == 0xA0 else Verdict.UNAUTHENTICATED)
        assert "compressed: nothing tells whether this key is right" in found.notes[0]
    assert opened(glo(0xC8, GET_CLOCK, control=0xB0), FULL).notes == ()


# Authenticated only.


def test_what_is_authenticated_only_is_checked() -> None:
    """The text is plain to everyone; the tag tells whether it was changed, where there are both keys."""
    apdu = glo(0xC8, GET_CLOCK, control=0x10)
    assert (opened(apdu, FULL).verdict, opened(apdu, FULL).form) == (Verdict.OPENED, "SC || AK || APDU")
    changed = bytearray(apdu)
    changed[-13] ^= 1
    assert opened(bytes(changed), FULL).verdict is Verdict.TAG_WRONG
    for keys in (
        dataclasses.replace(FULL, encryption=bytes(16)),
        dataclasses.replace(FULL, authentication=bytes(16)),
    ):
        assert opened(apdu, keys).verdict is Verdict.TAG_WRONG
    assert opened(apdu, KeySet("other", authentication=AUTHENTICATION)).verdict is Verdict.NO_KEY
    found = opened(apdu, KeySet("wrong", encryption=bytes(16)))
    assert (found.verdict, found.key) == (Verdict.UNAUTHENTICATED, "")


# General-ciphering.


@pytest.mark.parametrize(
    ("key_info", "kind"),
    [
        (b"\x00", "unicast"),
        (b"\x01\x00\x00", "unicast"),
        (b"\x01\x00\x01", "broadcast"),
        (b"\x01\x00\x07", "unicast"),
    ],
)
def test_identified_keys(key_info: bytes, kind: str) -> None:
    """The key that is named opens; another kind of key with a remark; a wrong one not at all."""
    key = bytes(range(0x60, 0x70))
    right = KeySet(
        "meter", **{"encryption" if kind == "unicast" else kind: key}, authentication=AUTHENTICATION
    )
    found = opened(general_ciphering(key_info, key), right)
    assert (found.verdict, found.key, found.notes) == (Verdict.OPENED, f"global {kind} key of meter", ())
    assert opened(general_ciphering(key_info, key), FULL).verdict is Verdict.TAG_WRONG


def test_wrapped_keys() -> None:
    """A wrong master key is no key; with the right one and a wrong authentication key the tag is wrong."""
    key, master = bytes(range(64, 80)), bytes(range(16, 32))
    apdu = general_ciphering(b"\x01\x01\x00" + sized(aes_key_wrap(master, key)), key)
    right = dataclasses.replace(FULL, master=master)
    assert opened(apdu, right).verdict is Verdict.OPENED
    assert opened(apdu, dataclasses.replace(right, master=bytes(16))).verdict is Verdict.NO_KEY
    assert opened(apdu, dataclasses.replace(right, authentication=bytes(16))).verdict is Verdict.TAG_WRONG
    torn = general_ciphering(b"\x01\x01\x00" + sized(aes_key_wrap(master, key)[:-3]), key)
    assert opened(torn, right).verdict is Verdict.NO_KEY


def test_agreed_keys() -> None:
    """A private key of somebody else agrees on another key: the tag is wrong; no private key: no key."""
    mine, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    info = b"\x01\x02" + sized(b"\x01") + sized(point_octets(theirs.public_key()) + bytes(64))
    apdu = general_ciphering(info)
    assert opened(apdu, dataclasses.replace(FULL, agreement_private=mine)).verdict is Verdict.TAG_WRONG
    assert opened(apdu, FULL).verdict is Verdict.NO_KEY
    other = general_ciphering(b"\x01\x02" + sized(b"\x07") + sized(b""))
    assert opened(other, dataclasses.replace(FULL, agreement_private=mine)).verdict is Verdict.NO_KEY
