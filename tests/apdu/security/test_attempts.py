"""One ciphered APDU and the keys tried on it: which titles, in which order, how often, what is said."""

import pytest

from cosemscope.apdu.context import CipheredPart, Envelope
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.attempts import MAX_TRIES, Attempt, Title, Titles
from cosemscope.apdu.security.envelopes import read_protected
from cosemscope.apdu.security.key_rings import RingKey
from tests.helpers.protection import AUTHENTICATION, ENCRYPTION, GET_CLOCK, TITLE, glo, protect, sized

_SEEN, _LAST = Title(TITLE), Title(b"LASTLAST", "the last")
_NAMED = tuple(Title(b"NAME000" + bytes((0x30 + number,)), "named") for number in range(10))
_WRONG = bytes(16)


def ring_key(octets: bytes = ENCRYPTION, *authentications: bytes, own: bool = True) -> RingKey:
    return RingKey("key of meter", octets, authentications, own=own)


def part_of(apdu: bytes) -> CipheredPart:
    part = read_protected(apdu)
    assert isinstance(part, CipheredPart)
    return part


def attempt(part: CipheredPart, *titles: Title, glances: bool = False) -> Attempt:
    return Attempt(part, Titles(titles or (_SEEN,), (), ()), glances=glances)


# Titles.


def test_titles_that_were_seen() -> None:
    """Once with each key, the other side's last."""
    titles = Titles((_SEEN,), (), (_LAST,))
    assert list(titles.rounds) == [0]
    assert titles.of(ring_key(), 0) == (_SEEN, _LAST)


def test_titles_that_keys_name() -> None:
    """First those of the key's holders and the other side's; in a second round eight of all the others."""
    titles = Titles((), _NAMED, (_LAST,))
    key = ring_key()
    key.titles += [_NAMED[1].octets, _NAMED[9].octets, b"ANOTHER1"]
    assert list(titles.rounds) == [0, 1]
    assert titles.of(key, 0) == (_NAMED[1], _NAMED[9], _LAST)
    assert titles.of(key, 1) == tuple(title for title in _NAMED[:8] if title is not _NAMED[1])
    assert titles.of(ring_key(), 0) == (_LAST,)


# By the tag.


@pytest.mark.parametrize("control", [0x10, 0x30, 0x31, 0x70])
def test_the_tag_decides(control: int) -> None:
    """The right keys and the right title open it, and say with what; any other does not."""
    part = part_of(glo(0xC8, GET_CLOCK, control=control, counter=7))
    found = attempt(part, _LAST, _SEEN).by_tag(ring_key(ENCRYPTION, _WRONG, AUTHENTICATION), 0)
    form = "SC || AK" if control & 0x20 else "SC || AK || APDU"
    assert found == Opening(Verdict.OPENED, GET_CLOCK, 7, "key of meter", TITLE, form)
    for key in (ring_key(_WRONG, AUTHENTICATION), ring_key(ENCRYPTION, _WRONG)):
        assert attempt(part).by_tag(key, 0) is None
    assert attempt(part, _LAST).by_tag(ring_key(ENCRYPTION, AUTHENTICATION), 0) is None


def test_without_an_authentication_key() -> None:
    """Some devices authenticate with none: the form says it."""
    part = part_of(glo(0xC8, GET_CLOCK, authentication=b""))
    found = attempt(part).by_tag(ring_key(), 0)
    assert found is not None
    assert (found.verdict, found.form) == (Verdict.OPENED, "SC")


def test_the_title_that_opened_it_has_its_remark() -> None:
    """The note of a title that was only tried."""
    part = part_of(glo(0xC8, GET_CLOCK))
    found = attempt(part, _LAST, Title(TITLE, "a remark")).by_tag(ring_key(ENCRYPTION, AUTHENTICATION), 0)
    assert found is not None
    assert found.notes == ("a remark",)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        (lambda fields: b"", ""),
        (lambda fields: b"".join(map(sized, fields)), " with the header's fields and their lengths"),
        (b"".join, " with the header's fields without lengths"),
    ],
)
def test_what_general_ciphering_authenticates(header, form: str) -> None:
    """Three forms of the header; none of them is tried on other APDUs."""
    fields = (b"\x01", TITLE, b"RECEIVER", b"", b"")
    envelope = Envelope(*fields, b"".join(map(sized, fields)))
    content = protect(GET_CLOCK, header=header(fields))
    for tag in (0xDD, 0xDB):
        part = CipheredPart(tag, content[0], 1, content[5:-12], content[-12:], TITLE, envelope)
        found = attempt(part).by_tag(ring_key(ENCRYPTION, AUTHENTICATION), 0)
        assert (found is not None) == (tag == 0xDD or not form)
        assert found is None or found.form == f"SC || AK{form}"


# Without a tag.


def test_sense_decides_where_there_is_no_tag() -> None:
    """A text that makes sense opens it; what makes none is never shown."""
    part = part_of(glo(0xC8, GET_CLOCK, control=0x20, counter=7))
    found = attempt(part).by_sense(ring_key(), 0)
    assert found == Opening(Verdict.UNTAGGED, GET_CLOCK, 7, "key of meter", TITLE)
    tried = attempt(part)
    assert tried.by_sense(ring_key(_WRONG), 0) is None
    assert tried.tries == 1
    failed = tried.failure()
    assert (failed.verdict, failed.plaintext, failed.tried) == (Verdict.KEY_UNFIT, None, True)
    assert failed.notes[0].startswith("the key that is given does not fit with system title MMM ")
    assert "deciphered with the key of meter the text" in failed.notes[0]


@pytest.mark.parametrize(
    ("plain", "control", "note"),
    [
        (b"", 0x20, "the text is empty: nothing tells whether this key is right"),
        (b"\x01\x02", 0xA0, "the text is compressed: nothing tells whether this key is right"),
    ],
)
def test_what_says_nothing_of_the_key(plain: bytes, control: int, note: str) -> None:
    """An empty or a compressed text opens with any key, and that is said."""
    part = part_of(glo(0xC8, plain, control=control))
    found = attempt(part).by_sense(ring_key(_WRONG), 0)
    assert found is not None
    assert (found.verdict, found.notes, found.compressed) == (Verdict.UNTAGGED, (note,), control == 0xA0)


# What is said when none fits.


def test_no_title_at_all() -> None:
    """Without one nothing can be tried."""
    part = part_of(glo(0xC8, GET_CLOCK))
    failed = Attempt(part, Titles((), (), ()), glances=False).failure()
    assert failed.verdict is Verdict.NO_TITLE
    assert not failed.tried
    assert "system title was not seen" in failed.notes[0]


def test_a_key_whose_text_makes_sense_is_named() -> None:
    """The tag is wrong, the text is not: it is the authentication that differs."""
    part = part_of(glo(0xC8, GET_CLOCK, authentication=_WRONG, counter=9))
    tried = attempt(part)
    assert tried.by_tag(ring_key(ENCRYPTION, AUTHENTICATION), 0) is None
    failed = tried.failure()
    assert (failed.verdict, failed.plaintext, failed.tried) == (Verdict.TAG_WRONG, None, True)
    (words,) = failed.notes  # one sentence: each is an expert item of its own
    assert words.startswith("the authentication tag is wrong: the key that is given does not fit with system")
    assert "and invocation counter 9; deciphered with" in words
    assert "that key seems right" in words


def test_keys_are_counted_and_giving_up_is_said() -> None:
    """How many were tried, not how often; three titles at most are named."""
    part = part_of(glo(0xC8, GET_CLOCK, authentication=_WRONG))
    titles = [Title(b"ABC\0\0\0\0" + bytes((number,))) for number in range(4)]
    tried = attempt(part, *titles)
    for _ in range(2):
        tried.by_tag(ring_key(_WRONG, AUTHENTICATION), 0)
    tried.by_tag(ring_key(_WRONG, AUTHENTICATION), 1)
    assert tried.tries == 12
    [words] = tried.failure(gave_up=True).notes
    assert words.startswith("the authentication tag is wrong: none of 2 keys fits, more were not tried with")
    assert words.count("ABC") == 3
    assert MAX_TRIES == 20_000


def test_an_encryption_key_without_its_authentication_key() -> None:
    """Opened, not authenticated; where other holders' authentication keys do not fit, that is said too."""
    part = part_of(glo(0xC8, GET_CLOCK))
    tried = attempt(part)
    assert tried.by_tag(ring_key(own=False), 0) is None
    assert tried.failure() == Opening(Verdict.UNAUTHENTICATED, GET_CLOCK, 1, "key of meter", TITLE)
    tried = attempt(part)
    assert tried.by_tag(ring_key(ENCRYPTION, _WRONG, own=False), 0) is None
    found = tried.failure()
    assert found.verdict is Verdict.UNAUTHENTICATED
    assert found.notes == ("the authentication keys of other holders do not fit the tag",)
    tried = attempt(part)
    assert tried.by_tag(ring_key(_WRONG, own=False), 0) is None
    assert tried.failure().verdict is Verdict.KEY_UNFIT
    plain = part_of(glo(0xC8, GET_CLOCK, control=0x10))
    tried = attempt(plain)
    assert tried.by_tag(ring_key(_WRONG, own=False), 0) is None
    found = tried.failure()
    assert (found.verdict, found.plaintext, found.key) == (Verdict.UNAUTHENTICATED, GET_CLOCK, "")


# Bounds.


def test_of_many_keys_wrong_ones_are_passed_over_at_a_glance() -> None:
    """Behind the 64th key one try shows the first octet of the text; a right key is still found.

    Each key has two authentication keys: 64 times two tries, five glances, one glance and the right try.
    """
    part = part_of(glo(0xC8, GET_CLOCK))
    wrong = [ring_key(bytes((number,)) * 16, AUTHENTICATION, _WRONG) for number in range(1, 70)]
    for glances, tries in ((True, 64 * 2 + 5), (False, 69 * 2)):
        tried = attempt(part, glances=glances)
        assert all(tried.by_tag(key, 0) is None for key in wrong)
        assert tried.tries == tries
        assert tried.by_tag(ring_key(ENCRYPTION, AUTHENTICATION, _WRONG), 0) is not None
        assert tried.tries == tries + 1 + glances


def test_authentication_keys_are_tried_in_bounds() -> None:
    """Of more than eight all are tried only where the text makes sense with the encryption key."""
    part = part_of(glo(0xC8, GET_CLOCK))
    many = [bytes((number,)) * 16 for number in range(1, 12)]
    tried = attempt(part)
    assert tried.by_tag(ring_key(_WRONG, *many, own=False), 0) is None
    assert tried.tries == 8
    tried = attempt(part)
    assert tried.by_tag(ring_key(ENCRYPTION, *many, AUTHENTICATION, own=False), 0) is not None
    assert tried.tries == 12
    few = attempt(part)
    assert few.by_tag(ring_key(_WRONG, *many[:8], own=False), 0) is None
    assert few.tries == 8
