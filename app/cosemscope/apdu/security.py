"""Opening ciphered APDUs with the keys that were given, and a verdict for each.

A `KeyRing` holds key sets ready for use; a `KeyedOpener` is one direction of an association: its ring and
the system titles known there. It tries what is likely first and lets the authentication tag decide: which
key, whose title, and which form of the additional authenticated data (AAD). Where there is no tag it says
whether the plaintext makes sense. AES-GCM is that of `cryptography`.

GCM's encryption is its own inverse, so a text is opened by encrypting it, and its tag is the one that
encrypting the plaintext gives, cut to 12 octets. That is twice as fast as the library's way for shortened
tags, and tells a wrong encryption key from a wrong authentication key. Source: IEC 62056-5-3, 5.3.4
(AES-GCM in DLMS/COSEM).
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cosemscope.apdu.agreement import Derived, agreed, unwrap
from cosemscope.apdu.context import CipheredPart, Context, Opening, SignedPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.key_sets import KeySet
from cosemscope.apdu.naming import title_text
from cosemscope.apdu.signing import verify
from cosemscope.apdu.suites import SUITES, TAG_SIZE, TITLE_SIZE, security_control
from cosemscope.apdu.tags import (
    APDU_TAGS,
    DED_SERVICES,
    GENERAL_CIPHERING,
    GENERAL_DED,
    GLO_SERVICES,
    apdu_name,
)

KEY_SIZES = (16, 24, 32)
_TAIL = -16  # what AES-GCM appends: its whole tag


class Verdict(StrEnum):
    """What came of trying to open a protected APDU."""

    CLEAR = "clear"
    OPENED = "opened"
    UNTAGGED = "opened-untagged"
    UNAUTHENTICATED = "opened-unauthenticated"
    TAG_WRONG = "tag-wrong"
    NO_KEY = "no-key"
    NO_TITLE = "no-title"

    @property
    def opened(self) -> bool:
        """Whether there is a plaintext."""
        return self in (Verdict.OPENED, Verdict.UNTAGGED, Verdict.UNAUTHENTICATED)


class KeyKind(StrEnum):
    """Which key of a set protects an APDU; the value is the name of the field in KeySet."""

    UNICAST = "encryption"
    BROADCAST = "broadcast"
    DEDICATED = "dedicated"


_KIND_NAMES = {
    KeyKind.UNICAST: "global unicast key",
    KeyKind.BROADCAST: "global broadcast key",
    KeyKind.DEDICATED: "dedicated key",
}


class Opened(NamedTuple):
    """All that is known of an attempt to open an APDU.

    `plaintext` is None unless the verdict says opened. `key` is the label of the key, `title` the system
    title that opened it, `counter` the invocation counter, `form` the AAD. `plausible`: the plaintext can
    be decoded (always so when a tag proves it). `notes` are sentences for people.
    """

    verdict: Verdict
    plaintext: bytes | None
    counter: int
    key: str = ""
    title: bytes | None = None
    form: str = ""
    plausible: bool = True
    compressed: bool = False
    notes: tuple[str, ...] = ()

    def opening(self) -> Opening:
        """The same for the decoder, with a sentence that names key, title, counter and AAD."""
        return Opening(self.plaintext, self.verdict, self.sentences(), self.severity, self.compressed)

    @property
    def severity(self) -> str:
        """How bad it is, in the words of a tree's problems."""
        wrong = self.verdict is Verdict.TAG_WRONG or not self.plausible
        return "warning" if wrong else "note"

    def sentences(self) -> tuple[str, ...]:
        """What a person must know, the verdict first."""
        if not self.verdict.opened:
            return self.notes
        words = f"{_VERDICT_WORDS[self.verdict]}: {self.key}, system title {title_text(self.title or b'')}"
        words += f", invocation counter {self.counter}"
        if self.form:
            words += f", AAD {self.form}"
        return (words, *self.notes)


_VERDICT_WORDS = {
    Verdict.OPENED: "opened, the authentication tag is right",
    Verdict.UNTAGGED: "opened, there is no authentication tag to check",
    Verdict.UNAUTHENTICATED: "opened, not authenticated (no authentication key is given to check the tag)",
}


class _Key:
    """An encryption key ready for use, and the authentication keys that may go with it.

    Those are its holder's `own`, or else any that are given.
    """

    __slots__ = ("authentications", "gcm", "label", "own", "size")

    def __init__(self, label: str, octets: bytes, authentications: Sequence[bytes], *, own: bool) -> None:
        self.label = label
        self.own = own
        self.size = len(octets)
        self.gcm = AESGCM(octets)
        self.authentications = authentications


_OTHER_TITLE = "opened with the receiver's system title, not the sender's"


class _Title(NamedTuple):
    octets: bytes
    note: str = ""


class Outcomes:
    """What came of opening APDUs lately, so that none is opened twice; bounded in number and in octets."""

    def __init__(self, number: int = 4096, octets: int = 16 << 20) -> None:
        self._number = number
        self._octets = octets
        self._held = 0
        self._known: OrderedDict[tuple[Any, ...], Opened] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Opened | None:
        """What is known; None when nothing is."""
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def put(self, key: tuple[Any, ...], found: Opened) -> None:
        """Remember an outcome, and forget the oldest ones beyond the bounds."""
        self._known[key] = found
        self._held += _held(found)
        while len(self._known) > self._number or self._held > self._octets:
            _, forgotten = self._known.popitem(last=False)
            self._held -= _held(forgotten)


def _held(found: Opened) -> int:
    """Octets that an outcome keeps in memory: its plaintext and, in its key, as much ciphered text."""
    return 2 * len(found.plaintext or b"") + 512


class KeyRing:
    """Key sets ready for use, in the order in which they are tried; what opened last is tried first."""

    def __init__(self, sets: Iterable[KeySet] = (), outcomes: Outcomes | None = None) -> None:
        self.sets = tuple(sets)
        self._keys: dict[KeyKind, list[_Key]] = {}
        seen = [keys.authentication for keys in self.sets if keys.authentication is not None]
        self._authentications = tuple(dict.fromkeys(seen))
        self.outcomes = Outcomes() if outcomes is None else outcomes

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(map(repr, self.sets))})"

    def extended(self, sets: Iterable[KeySet]) -> "KeyRing":
        """A ring with these sets before the others (keys that an association brought along)."""
        return KeyRing((*sets, *self.sets), self.outcomes)

    def keys(self, kind: KeyKind) -> list[_Key]:
        """The keys of this kind, each once."""
        found = self._keys.get(kind)
        if found is None:
            found = self._keys[kind] = []
            seen = set()
            for keys in self.sets:
                octets: bytes | None = getattr(keys, kind.value)
                own = keys.authentication
                if octets is not None and len(octets) in KEY_SIZES and (octets, own) not in seen:
                    seen.add((octets, own))
                    found.append(self.key(f"{_KIND_NAMES[kind]} of {keys.label}", octets, own))
        return found

    def key(self, label: str, octets: bytes, own: bytes | None = None) -> _Key:
        """A key with its holder's authentication key, or with all there are where the holder has none."""
        if own is not None:
            return _Key(label, octets, (own,), own=True)
        return _Key(label, octets, self._authentications, own=False)

    @property
    def titles(self) -> list[bytes]:
        """The system titles that the sets name."""
        titles = (keys.title for keys in self.sets if keys.title is not None)
        return [title for title in dict.fromkeys(titles) if len(title) == TITLE_SIZE]

    def remember(self, kind: KeyKind, key: _Key) -> None:
        """Try this one first from now on."""
        keys = self._keys.get(kind, [])
        if key in keys and keys[0] is not key:
            keys.remove(key)
            keys.insert(0, key)


NO_KEYS = KeyRing()


class KeyedOpener:
    """Opens APDUs that one side sends: fits `context.Opener`; `sender` and `other` are the titles known.

    A title inside the APDU goes before `sender`; where none is known, those that the key sets name are
    tried. Never raises. Outcomes are remembered in the ring, so that an APDU is deciphered once.
    """

    __slots__ = ("other", "ring", "sender")

    def __init__(self, ring: KeyRing, sender: bytes | None = None, other: bytes | None = None) -> None:
        self.ring = ring
        self.sender = sender
        self.other = other

    def __call__(self, part: CipheredPart) -> Opening:
        """Opens a ciphered APDU, for the decoder."""
        return self.open(part).opening()

    def verifier(self, part: SignedPart) -> Opening:
        """Verifies a signature, for the decoder."""
        return verify(part, self.ring.sets)

    def context(self) -> Context:
        """A context for the decoder with nothing but keys."""
        return Context(opener=self, verifier=self.verifier)

    def open(self, part: CipheredPart) -> Opened:
        """Opens a ciphered APDU."""
        outcomes = self.ring.outcomes
        key = (self.ring, part, self.sender, self.other)
        found = outcomes.get(key)
        if found is None:
            found = self._open(part)
            outcomes.put(key, found)
        return found

    def _open(self, part: CipheredPart) -> Opened:
        counter = part.invocation_counter
        kinds = _kinds(part)
        candidates = self._candidates(part, kinds)
        first = next(candidates, None)
        if first is None:
            return Opened(Verdict.NO_KEY, None, counter, notes=(self._no_key(part, kinds[0]),))
        titles = self._titles(part)
        if not titles:
            return Opened(Verdict.NO_TITLE, None, counter, notes=(_NO_TITLE,))
        attempt = _Attempt(part, titles)
        control = security_control(part.security_control)
        if control.authenticated and len(part.authentication_tag) != TAG_SIZE:
            note = f"the authentication tag is cut: {len(part.authentication_tag)} of {TAG_SIZE} octets"
            return Opened(Verdict.TAG_WRONG, None, counter, notes=(note,))
        search = attempt.by_tag if control.authenticated else attempt.by_sense
        while first is not None:
            kind, key, note = first
            found = search(key)
            if found is not None:
                if kind is not None:
                    self.ring.remember(kind, key)
                return found._replace(notes=found.notes + _remarks(part, key, note, kind, kinds))
            first = next(candidates, None)
        return attempt.failure()

    def _titles(self, part: CipheredPart) -> list[_Title]:
        """The system titles to try, the likeliest first."""
        titles: dict[bytes, _Title] = {}
        for octets in (part.system_title, self.sender):
            if octets is not None and len(octets) == TITLE_SIZE:
                titles.setdefault(octets, _Title(octets))
        if not titles:
            note = "the system title is that of the key, none was seen"
            for octets in self.ring.titles:
                titles.setdefault(octets, _Title(octets, note))
        if self.other is not None and len(self.other) == TITLE_SIZE and part.authentication_tag:
            titles.setdefault(self.other, _Title(self.other, _OTHER_TITLE))
        return list(titles.values())

    def _candidates(
        self, part: CipheredPart, kinds: Sequence[KeyKind]
    ) -> Iterator[tuple[KeyKind | None, _Key, str]]:
        """The keys to try: those that the message brings along, or else those of each kind in turn."""
        info = part.envelope.key_info if part.envelope is not None else None
        if part.envelope is not None and info is not None and info.choice in (1, 2):
            derived: Iterator[Derived]
            if info.choice == 1:
                derived = unwrap(info.ciphered, self.ring.sets)
            else:
                derived = agreed(part.envelope, info.parameters, info.ciphered, self.ring.sets)
            for one in derived:
                if len(one.octets) in KEY_SIZES:
                    yield None, self.ring.key(one.label, one.octets), one.note
            return
        for kind in kinds:
            for key in tuple(self.ring.keys(kind)):
                yield kind, key, ""

    def _no_key(self, part: CipheredPart, kind: KeyKind) -> str:
        """What is missing to open it."""
        info = part.envelope.key_info if part.envelope is not None else None
        if info is not None and info.choice == 1:
            return "no master key is given that opens the wrapped key"
        if info is not None and info.choice == 2:
            return "no private key for key agreement is given for either party"
        title = part.system_title or self.sender
        who = f" for {title_text(title)}" if title else ""
        if kind is KeyKind.DEDICATED:
            return (
                f"no dedicated key is known{who}: none is given, and no InitiateRequest with one was opened"
            )
        return f"no {_KIND_NAMES[kind]} is given{who}"


def _kinds(part: CipheredPart) -> tuple[KeyKind, ...]:
    """The kinds of key that may have been used, the one that the APDU names first."""
    if part.tag in DED_SERVICES or part.tag == GENERAL_DED:
        return (KeyKind.DEDICATED,)
    info = part.envelope.key_info if part.envelope is not None else None
    broadcast = security_control(part.security_control).broadcast or (
        info is not None and info.choice == 0 and info.key_id == 1
    )
    kinds = (KeyKind.UNICAST, KeyKind.BROADCAST)
    # Without a tag nothing would prove the other key right.
    both = security_control(part.security_control).authenticated
    if not both:
        return kinds[1:] if broadcast else kinds[:1]
    return kinds[::-1] if broadcast else kinds


def _remarks(
    part: CipheredPart, key: _Key, note: str, kind: KeyKind | None, kinds: Sequence[KeyKind]
) -> tuple[str, ...]:
    """What is odd about the key that opened it."""
    notes = [note] if note else []
    if kind is not None and kind is not kinds[0]:
        notes.append(f"the APDU names the {_KIND_NAMES[kinds[0]]}, the {_KIND_NAMES[kind]} opens it")
    suite = part.security_control & 0x0F
    if suite < len(SUITES) and SUITES[suite].key_size != key.size:
        notes.append(
            f"suite {suite} has keys of {SUITES[suite].key_size} octets, one of {key.size} octets opens it"
        )
    return tuple(notes)


_NO_TITLE = "the sender's system title was not seen, and no key names it: without it nothing can be opened"


class _Attempt:
    """One APDU, and what was learned while keys were tried on it."""

    def __init__(self, part: CipheredPart, titles: Sequence[_Title]) -> None:
        self.part = part
        self.titles = titles
        self.counter = part.invocation_counter.to_bytes(4, "big")
        self.control = bytes((part.security_control,))
        self.encrypted = bool(part.security_control & 0x20)
        self.compressed = bool(part.security_control & 0x80)
        self._untagged: Opened | None = None  # the first that could be, not proven
        self._unchecked: Opened | None = None  # likewise, with a tag and no key to check it
        self._suspects: list[str] = []  # keys whose plaintext makes sense though the tag is wrong
        self._checked = False  # whether a key was tried whose authentication key is given
        self._tried = 0

    def by_tag(self, key: _Key) -> Opened | None:
        """The APDU opened with this key, if the tag says so with one of the titles and forms of the AAD."""
        self._tried += 1
        part, gcm, wanted = self.part, key.gcm, self.part.authentication_tag
        for title in self.titles:
            nonce = title.octets + self.counter
            if self.encrypted:
                plain = covered = gcm.encrypt(nonce, part.content, b"")[:_TAIL]
                tail = b""
            else:
                plain, covered, tail = part.content, b"", part.content
            for authentication in key.authentications or _ALONE:
                for form, header in _aad_forms(part, self.control + authentication, authentication != b""):
                    if gcm.encrypt(nonce, covered, header + tail)[_TAIL : _TAIL + TAG_SIZE] == wanted:
                        return self._opened(Verdict.OPENED, plain, key.label, title, form)
            self._learn(key, title, plain)
        return None

    def _learn(self, key: _Key, title: _Title, plain: bytes) -> None:
        """Keep what may be told when no key's tag is right."""
        if key.own:
            self._checked = True
            if self.encrypted and not self.compressed and makes_sense(self.part, plain):
                self._suspects.append(key.label)
            return
        plausible = not self.encrypted or self.compressed or makes_sense(self.part, plain)
        if self._unchecked is None or (plausible and not self._unchecked.plausible):
            self._unchecked = self._opened(Verdict.UNAUTHENTICATED, plain, key.label, title, "", plausible)

    def by_sense(self, key: _Key) -> Opened | None:
        """The APDU opened with this key, where the plaintext makes sense: there is no tag that tells."""
        self._tried += 1
        for title in self.titles:
            plain = key.gcm.encrypt(title.octets + self.counter, self.part.content, b"")[:_TAIL]
            plausible = self.compressed or makes_sense(self.part, plain)
            found = self._opened(Verdict.UNTAGGED, plain, key.label, title, "", plausible)
            if plausible:
                return found
            self._untagged = self._untagged or found
        return None

    def _opened(
        self, verdict: Verdict, plain: bytes, key: str, title: _Title, form: str, plausible: bool = True
    ) -> Opened:
        notes = [title.note] if title.note else []
        if not plausible:
            notes.append(f"implausible: the plaintext {_nonsense(plain)}; the key or the title is wrong")
        return Opened(
            verdict,
            plain,
            self.part.invocation_counter,
            key,
            title.octets,
            form,
            plausible,
            self.compressed,
            tuple(notes),
        )

    def failure(self) -> Opened:
        """What to say when no key could be proven right."""
        counter = self.part.invocation_counter
        unchecked = self._unchecked
        if unchecked is not None and (unchecked.plausible or not self._checked):
            return unchecked
        if self._untagged is not None:
            return self._untagged
        if all(title.note == _OTHER_TITLE for title in self.titles):
            return Opened(Verdict.NO_TITLE, None, counter, notes=(_NO_TITLE,))
        keys = "the key does not fit" if self._tried == 1 else f"none of {self._tried} keys fits"
        titles = ", ".join(title_text(title.octets) for title in self.titles[:3])
        words = f"the authentication tag is wrong: {keys} with system title {titles}"
        notes = [f"{words} and invocation counter {counter}"]
        for label in self._suspects[:1]:
            notes.append(
                f"deciphered with the {label} the text makes sense: that key seems right; the authentication "
                "key, or what the sender authenticated, differs"
            )
        return Opened(Verdict.TAG_WRONG, None, counter, notes=tuple(notes))


#: Where no authentication key is given: some authenticate without one.
_ALONE = (b"",)


def _aad_forms(part: CipheredPart, header: bytes, keyed: bool) -> Iterator[tuple[str, bytes]]:
    """The forms of the additional authenticated data, the likeliest first.

    Implementations of general-ciphering disagree on whether its header is authenticated, and with lengths.
    """
    name = "SC || AK" if keyed else "SC"
    if not part.security_control & 0x20:
        name += " || APDU"
    yield name, header
    if part.tag != GENERAL_CIPHERING or part.envelope is None:
        return
    envelope = part.envelope
    bare = (
        envelope.transaction_id,
        envelope.originator,
        envelope.recipient,
        envelope.date_time,
        envelope.other_information,
    )
    yield name + " with the header's fields and their lengths", header + envelope.octets
    yield name + " with the header's fields without lengths", header + b"".join(bare)


# Whether a plaintext makes sense.

_INNER = {**GLO_SERVICES, **DED_SERVICES}
#: A wrong key gives random octets: their decoding breaks before this many are read.
_BELIEVED = 12


def makes_sense(part: CipheredPart, plain: bytes) -> bool:
    """Whether what was deciphered can be the APDU that `part` promises; random octets can not."""
    if not plain:
        return False
    expected = _INNER.get(part.tag)
    if plain[0] != expected if expected is not None else plain[0] not in APDU_TAGS:
        return False
    problems = decode_apdu(plain).problems
    broken = [problem.start for problem in problems if problem.severity == "error" and problem.source == 0]
    return not broken or min(broken) >= _BELIEVED


def _nonsense(plain: bytes) -> str:
    if not plain:
        return "is empty"
    name = apdu_name(plain[0])
    return f"begins {name}" if name.startswith("unknown") else f"is no {name} that can be read"
