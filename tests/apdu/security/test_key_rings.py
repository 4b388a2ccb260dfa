"""Key rings: the order in which keys are tried, with which authentication keys, what is remembered."""

from cosemscope.apdu.security.key_rings import KeyKind, KeyRing, RingKey
from cosemscope.apdu.security.key_sets import KeySet

_A, _B, _C = (bytes((number,)) * 16 for number in (1, 2, 3))
_X, _Y = (bytes((number,)) * 16 for number in (8, 9))
_TITLES = [b"ABC\0\0\0\0" + bytes((number,)) for number in range(3)]


def labels(ring: KeyRing, kind: KeyKind = KeyKind.UNICAST) -> list[str]:
    return [key.label for key in ring.keys(kind)]


def test_keys_come_in_the_order_of_their_sets() -> None:
    """Of each kind those that there are; keys of other sizes than AES has are left out."""
    sets = [
        KeySet("one", encryption=_A, broadcast=_B),
        KeySet("two", dedicated=_C),
        KeySet("three", encryption=_B),
        KeySet("short", encryption=bytes(15)),
        KeySet("long", encryption=bytes(33)),
        KeySet("24", encryption=bytes(24)),
        KeySet("32", encryption=bytes(32)),
    ]
    ring = KeyRing(sets)
    assert labels(ring) == [f"global unicast key of {name}" for name in ("one", "three", "24", "32")]
    assert [key.size for key in ring.keys(KeyKind.UNICAST)] == [16, 16, 24, 32]
    assert labels(ring, KeyKind.BROADCAST) == ["global broadcast key of one"]
    assert labels(ring, KeyKind.DEDICATED) == ["dedicated key of two"]
    assert KeyRing().keys(KeyKind.UNICAST) == []


def test_the_same_key_is_tried_once() -> None:
    """With the titles of all its holders; with another authentication key it is another key."""
    sets = [
        KeySet("one", _TITLES[0], encryption=_A, authentication=_X),
        KeySet("two", _TITLES[1], encryption=_A, authentication=_X),
        KeySet("three", _TITLES[2], encryption=_A, authentication=_Y),
        KeySet("four", b"short", encryption=_A, authentication=_Y),
    ]
    first, second = KeyRing(sets).keys(KeyKind.UNICAST)
    assert (first.label, first.titles) == ("global unicast key of one", _TITLES[:2])
    assert (second.label, second.titles) == ("global unicast key of three", _TITLES[2:])


def test_entries_with_one_title_are_one_holder() -> None:
    """The authentication key that one of them has goes with the encryption key that another has."""
    sets = [
        KeySet("key", _TITLES[0], encryption=_A),
        KeySet("other", _TITLES[1], authentication=_Y),
        KeySet("rest", _TITLES[0], authentication=_X),
    ]
    (key,) = KeyRing(sets).keys(KeyKind.UNICAST)
    assert (key.own, key.authentications) == (True, (_X, _Y))
    assert KeyRing(sets[:2]).keys(KeyKind.UNICAST)[0].own is False


def test_authentication_keys() -> None:
    """A key goes with its holder's, or else with all that are given, each once."""
    sets = [
        KeySet("own", encryption=_A, authentication=_X),
        KeySet("none", encryption=_B),
        KeySet("others", authentication=_Y),
        KeySet("again", authentication=_X),
    ]
    own, other = KeyRing(sets).keys(KeyKind.UNICAST)
    assert (own.own, own.authentications) == (True, (_X,))
    assert (other.own, other.authentications) == (False, (_X, _Y))
    came = KeyRing(sets).key("came along", _C, _Y)
    assert (came.label, came.own, came.authentications) == ("came along", True, (_Y, _X))
    assert KeyRing(sets).key("came along", _C, None).authentications == (_X, _Y)
    assert not KeyRing(sets).key("came along", _C, None).own


def test_the_usual_additional_data() -> None:
    """Security control and authentication key, of the suites whose keys have this size."""
    assert RingKey("a", _A, (_X,), own=True).usual == {0x30: b"\x30" + _X, 0x31: b"\x31" + _X}
    assert RingKey("a", bytes(32), (_X,), own=True).usual == {0x32: b"\x32" + _X}
    assert RingKey("a", bytes(24), (_X,), own=True).usual == {}
    assert RingKey("a", _A, (_X, _Y), own=False).usual == {}
    assert RingKey("a", _A, (), own=False).usual == {}


def test_what_opened_last_is_tried_first() -> None:
    """The first of a kind is at hand once the kind was asked for."""
    ring = KeyRing([KeySet("one", encryption=_A, dedicated=_B), KeySet("two", encryption=_B, dedicated=_C)])
    assert ring.unicast is None
    assert ring.dedicated is None
    one, two = ring.keys(KeyKind.UNICAST)
    assert ring.unicast is one
    ring.remember(KeyKind.UNICAST, two)
    assert ring.unicast is two
    assert ring.keys(KeyKind.UNICAST) == [two, one]
    ring.remember(KeyKind.UNICAST, ring.key("came along", _C, None))
    assert ring.keys(KeyKind.UNICAST) == [two, one]
    assert ring.dedicated is None
    first, second = ring.keys(KeyKind.DEDICATED)
    assert ring.dedicated is first
    ring.remember(KeyKind.DEDICATED, second)
    assert (ring.dedicated, ring.unicast) == (second, two)


def test_titles_of_a_ring() -> None:
    """Those of eight octets, each once, in order."""
    sets = [KeySet("a", _TITLES[1]), KeySet("b"), KeySet("c", b"short"), KeySet("d", _TITLES[0])]
    assert KeyRing([*sets, *sets]).titles == [_TITLES[1], _TITLES[0]]


def test_a_ring_with_more_sets() -> None:
    """Those come first; what is known of APDUs that were opened is shared."""
    ring = KeyRing([KeySet("old", encryption=_A)])
    more = ring.extended([KeySet("new", encryption=_B)])
    assert labels(more) == ["global unicast key of new", "global unicast key of old"]
    assert more.outcomes is ring.outcomes


def test_failures_are_counted_by_sender() -> None:
    """From the sixteenth in a row no key is expected to fit; one that opens begins anew."""
    ring = KeyRing()
    for number in range(16):
        assert ring.fails(KeyKind.UNICAST, _TITLES[0]) == (number >= 16)
        ring.count(KeyKind.UNICAST, _TITLES[0], opened=False)
    assert ring.fails(KeyKind.UNICAST, _TITLES[0])
    assert not ring.fails(KeyKind.UNICAST, _TITLES[1])
    assert not ring.fails(KeyKind.BROADCAST, _TITLES[0])
    ring.count(KeyKind.UNICAST, _TITLES[0], opened=True)
    assert not ring.fails(KeyKind.UNICAST, _TITLES[0])


def test_senders_that_are_counted_are_bounded() -> None:
    """Beyond 4,096 of them counting begins anew."""
    ring = KeyRing()
    for _ in range(16):
        ring.count(KeyKind.UNICAST, b"first", opened=False)
    for number in range(4095):
        ring.count(KeyKind.UNICAST, number.to_bytes(8, "big"), opened=False)
    assert ring.fails(KeyKind.UNICAST, b"first")
    ring.count(KeyKind.UNICAST, b"one more", opened=False)
    assert not ring.fails(KeyKind.UNICAST, b"first")
