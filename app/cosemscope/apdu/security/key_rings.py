"""Key sets ready for use: AES-GCM objects in the order in which they are tried, and what came of trying.

A ring is made once for an association and serves all its APDUs. The key that opened the last one is tried
first, so that one of a thousand keys costs a thousand tries only once.
"""

from collections.abc import Iterable
from enum import StrEnum

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_sets import KeySet
from cosemscope.apdu.security.outcomes import Outcomes
from cosemscope.apdu.security.suites import SUITES

KEY_SIZES = (16, 24, 32)
#: APDUs of a sender that no key fits, until one more is not worth trying all keys in full; senders counted.
_AGAIN, _MAX_SENDERS = 16, 4096
#: Sets whose keys are tried in each other's place.
MAX_EXCHANGED = 64
#: The bits of a security control for authenticated and encrypted.
BOTH = 0x30


class KeyKind(StrEnum):
    """The key of a set that protects an APDU; the value is the name of the field in KeySet."""

    UNICAST = "encryption"
    BROADCAST = "broadcast"
    DEDICATED = "dedicated"


KIND_NAMES = {
    KeyKind.UNICAST: "global unicast key",
    KeyKind.BROADCAST: "global broadcast key",
    KeyKind.DEDICATED: "dedicated key",
}


class RingKey:
    """An encryption key ready for use: AES-GCM's `encrypt`, and the authentication keys that may go with it.

    Those are its holder's `own`, or else any that are given; `titles` are those of the sets that hold it.
    `usual` is the additional authenticated data of APDUs that are authenticated and encrypted, by security
    control: of the suites that have keys of this size, and where there is one authentication key only.
    """

    __slots__ = ("authentications", "encrypt", "label", "own", "size", "titles", "usual")

    def __init__(self, label: str, octets: bytes, authentications: tuple[bytes, ...], *, own: bool) -> None:
        self.label = label
        self.own = own
        self.size = len(octets)
        self.encrypt = AESGCM(octets).encrypt
        self.authentications = authentications
        self.titles: list[bytes] = []
        self.usual = {
            BOTH | suite.number: bytes((BOTH | suite.number,)) + authentications[0]
            for suite in SUITES
            if len(authentications) == 1 and suite.key_size == self.size
        }


class KeyRing:
    """Key sets ready for use, in the order in which they are tried; what opened last is tried first.

    Several threads may open with one ring: its lists of keys are replaced, never changed.
    `unicast` and `dedicated` are the keys that are tried first, None before one was tried.
    """

    def __init__(self, sets: Iterable[KeySet] = (), outcomes: Outcomes | None = None) -> None:
        self.sets = tuple(sets)
        self.unicast: RingKey | None = None
        self.dedicated: RingKey | None = None
        self._keys: dict[KeyKind, list[RingKey]] = {}
        self._failures: dict[tuple[KeyKind, bytes | None], int] = {}
        seen = [keys.authentication for keys in self.sets if keys.authentication is not None]
        self._authentications = tuple(dict.fromkeys(seen))
        # Entries with the same title are the same holder's: one may have what another lacks.
        self._holders: dict[bytes, list[bytes]] = {}
        for keys in self.sets:
            if keys.authentication is not None and keys.title is not None:
                self._holders.setdefault(keys.title, []).append(keys.authentication)
        self.outcomes = Outcomes() if outcomes is None else outcomes

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(map(repr, self.sets))})"

    def extended(self, sets: Iterable[KeySet]) -> "KeyRing":
        """A ring with these sets before the others (keys that an association brought along)."""
        return KeyRing((*sets, *self.sets), self.outcomes)

    def keys(self, kind: KeyKind) -> list[RingKey]:
        """The keys of this kind, each once."""
        found = self._keys.get(kind)
        if found is None:
            found = []
            seen: dict[tuple[bytes, tuple[bytes, ...]], RingKey] = {}
            for keys in self.sets:
                octets: bytes | None = getattr(keys, kind.value)
                if octets is None or len(octets) not in KEY_SIZES:
                    continue
                own = self._own(keys)
                if (octets, own) not in seen:
                    given = own
                    if keys.authentication is None:
                        given = tuple(dict.fromkeys((*own, *self._authentications)))
                    label = f"{KIND_NAMES[kind]} of {keys.label}"
                    seen[octets, own] = RingKey(label, octets, given, own=bool(own))
                    found.append(seen[octets, own])
                if keys.title is not None and len(keys.title) == TITLE_SIZE:
                    seen[octets, own].titles.append(keys.title)
            self._keys[kind] = found
            self._put_first(kind)
        return found

    def _own(self, keys: KeySet) -> tuple[bytes, ...]:
        """The authentication keys of the holder of a set: its own, or those of sets with its title."""
        if keys.authentication is not None:
            return (keys.authentication,)
        return tuple(self._holders.get(keys.title, ())) if keys.title is not None else ()

    def _put_first(self, kind: KeyKind) -> None:
        keys = self._keys[kind]
        if keys and kind is KeyKind.DEDICATED:
            self.dedicated = keys[0]
        elif keys and kind is KeyKind.UNICAST:
            self.unicast = keys[0]

    def exchanged(self, kind: KeyKind) -> list[RingKey]:
        """The authentication keys of sets in the place of their keys of this kind, and these in theirs."""
        keys = []
        for one in self.sets[:MAX_EXCHANGED]:
            octets: bytes | None = getattr(one, kind.value)
            other = one.authentication
            if octets is None or other is None or octets == other or len(other) not in KEY_SIZES:
                continue
            key = RingKey(f"authentication key of {one.label}", other, (octets,), own=True)
            key.titles += [one.title] if one.title is not None and len(one.title) == TITLE_SIZE else []
            keys.append(key)
        return keys

    def key(self, label: str, octets: bytes, own: bytes | None) -> RingKey:
        """A key that came with an APDU: with its holder's authentication key, and all there are."""
        given = (
            tuple(dict.fromkeys((own, *self._authentications))) if own is not None else self._authentications
        )
        return RingKey(label, octets, given, own=own is not None)

    @property
    def titles(self) -> list[bytes]:
        """The system titles that the sets name."""
        titles = (keys.title for keys in self.sets if keys.title is not None)
        return [title for title in dict.fromkeys(titles) if len(title) == TITLE_SIZE]

    def fails(self, kind: KeyKind, title: bytes | None) -> bool:
        """Whether no key fitted what this sender sent lately, again and again."""
        return self._failures.get((kind, title), 0) >= _AGAIN

    def count(self, kind: KeyKind, title: bytes | None, *, opened: bool) -> None:
        """Count one APDU of the sender with this `title`: `opened` by a key, or by none."""
        if opened:
            self._failures.pop((kind, title), None)
        else:
            if len(self._failures) >= _MAX_SENDERS:
                self._failures.clear()
            self._failures[kind, title] = self._failures.get((kind, title), 0) + 1

    def remember(self, kind: KeyKind, key: RingKey) -> None:
        """Try this one first from now on."""
        keys = self._keys.get(kind, [])
        if key in keys and keys[0] is not key:
            self._keys[kind] = [key, *(other for other in keys if other is not key)]
            self._put_first(kind)


NO_KEYS = KeyRing()
