"""Opening ciphered APDUs with the keys that were given, and a verdict for each.

A `KeyRing` holds key sets ready for use; a `KeyedOpener` is one direction of an association: its ring and
the system titles known there. It tries what is likely first and lets the authentication tag decide: which
key, whose title, and which form of the additional authenticated data (AAD). Where there is no tag it says
whether the plaintext makes sense. AES-GCM is that of `cryptography`.

GCM's encryption is its own inverse, so a text is opened by encrypting it, and its tag is the one that
encrypting the plaintext gives, cut to 12 octets. That is twice as fast as the library's way for shortened
tags, and tells a wrong encryption key from a wrong authentication key. Source: IEC 62056-5-3, cryptographic
protection of xDLMS APDUs.
"""

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import NamedTuple

from cosemscope.apdu.agreement import Derived, agreed, unwrap
from cosemscope.apdu.context import CipheredPart, Context, Opening, SignedPart
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.key_rings import KEY_SIZES, KIND_NAMES, KeyKind, KeyRing, RingKey
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
from cosemscope.apdu.verdicts import Opened, Verdict

#: Pairs of key and title that are tried on one APDU at most, and titles that are tried with every key.
MAX_TRIES = 5000
_FEW_TITLES = 8
_TAIL = -16  # what AES-GCM appends: its whole tag
_TAG_STOP = _TAIL + TAG_SIZE
_DEDICATED = frozenset(DED_SERVICES) | {GENERAL_DED}
_OPENED, _USUAL_FORM = Verdict.OPENED, "SC || AK"
_new = tuple.__new__
_nonce = Struct(">8sI").pack


_NAMED_TITLE = "the system title is the one that the keys name, none was seen"
_OTHER_TITLE = "opened with the receiver's system title, not the sender's"


class _Title(NamedTuple):
    octets: bytes
    note: str = ""


class KeyedOpener:
    """Opens APDUs that one side sends: fits `context.Opener`; `sender` and `other` are the titles known.

    A title inside the APDU goes before `sender`; where none is known, those that the key sets name are
    tried. Never raises. Outcomes that took a search are remembered in the ring.
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
        """Opens a ciphered APDU.

        The everyday case comes first, without a search: authenticated and encrypted, by the key that opened
        the last one, with the title seen.
        """
        tag, control, counter, content, authentication_tag, title, envelope = part
        ring = self.ring
        key = ring.dedicated if tag in _DEDICATED else ring.unicast
        title = title or self.sender
        header = key.usual.get(control) if key is not None and envelope is None else None
        if key is not None and header is not None and title and len(title) == TITLE_SIZE:
            encrypt, nonce = key.encrypt, _nonce(title, counter)
            plain = encrypt(nonce, content, None)[:_TAIL]
            if encrypt(nonce, plain, header)[_TAIL:_TAG_STOP] == authentication_tag:
                return _new(Opened, (_OPENED, plain, counter, key.label, title, _USUAL_FORM, True, False, ()))
        known = (ring, part, self.sender, self.other)
        found = ring.outcomes.get(known)
        if found is None:
            found = self._open(part)
            ring.outcomes.put(known, found, 512 + 2 * len(content))
        return found

    def _open(self, part: CipheredPart) -> Opened:
        counter = part.invocation_counter
        kinds = _kinds(part)
        candidates = self._candidates(part, kinds)
        first = next(candidates, None)
        if first is None:
            return Opened(Verdict.NO_KEY, None, counter, notes=(self._no_key(part, kinds[0]),))
        attempt = _Attempt(part, *self._titles(part))
        control = security_control(part.security_control)
        if control.authenticated and len(part.authentication_tag) != TAG_SIZE:
            note = f"the authentication tag is cut: {len(part.authentication_tag)} of {TAG_SIZE} octets"
            return Opened(Verdict.TAG_WRONG, None, counter, notes=(note,))
        search = attempt.by_tag if control.authenticated else attempt.by_sense
        while first is not None and attempt.tries < MAX_TRIES:
            kind, key, note = first
            found = search(key)
            if found is not None:
                if kind is not None:
                    self.ring.remember(kind, key)
                return found._replace(notes=found.notes + _remarks(part, key, note, kind, kinds))
            first = next(candidates, None)
        return attempt.failure()

    def _titles(self, part: CipheredPart) -> tuple[list[_Title], list[_Title], list[_Title]]:
        """The titles to try: those seen, those that the keys name where none was seen, the other side's."""
        seen = [title for title in (part.system_title, self.sender) if title and len(title) == TITLE_SIZE]
        named = [] if seen else [_Title(title, _NAMED_TITLE) for title in self.ring.titles]
        other = self.other
        spare = other is not None and len(other) == TITLE_SIZE and bool(part.authentication_tag)
        last = [_Title(other, _OTHER_TITLE)] if spare and other is not None and other not in seen else []
        return [_Title(title) for title in dict.fromkeys(seen)], named, last

    def _candidates(
        self, part: CipheredPart, kinds: Sequence[KeyKind]
    ) -> Iterator[tuple[KeyKind | None, RingKey, str]]:
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
        return f"no {KIND_NAMES[kind]} is given{who}"


def _kinds(part: CipheredPart) -> tuple[KeyKind, ...]:
    """The kinds of key that may have been used, the one that the APDU names first."""
    if part.tag in _DEDICATED:
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


def key_kind(part: CipheredPart) -> KeyKind | None:
    """The kind of key that an APDU names; None where the key comes with the APDU."""
    info = part.envelope.key_info if part.envelope is not None else None
    return None if info is not None and info.choice in (1, 2) else _kinds(part)[0]


def _remarks(
    part: CipheredPart, key: RingKey, note: str, kind: KeyKind | None, kinds: Sequence[KeyKind]
) -> tuple[str, ...]:
    """What is odd about the key that opened it."""
    notes = [note] if note else []
    if kind is not None and kind is not kinds[0]:
        notes.append(f"the APDU names the {KIND_NAMES[kinds[0]]}, the {KIND_NAMES[kind]} opens it")
    suite = part.security_control & 0x0F
    if suite < len(SUITES) and SUITES[suite].key_size != key.size:
        notes.append(
            f"suite {suite} has keys of {SUITES[suite].key_size} octets, one of {key.size} octets opens it"
        )
    return tuple(notes)


_NO_TITLE = "the sender's system title was not seen, and no key names it: without it nothing can be opened"


class _Attempt:
    """One APDU, and what was learned while keys were tried on it."""

    def __init__(
        self, part: CipheredPart, seen: list[_Title], named: list[_Title], last: list[_Title]
    ) -> None:
        self.part = part
        self._seen, self._named, self._last = seen, named, last
        self.tries = 0
        self.counter = part.invocation_counter.to_bytes(4, "big")
        self.control = bytes((part.security_control,))
        self.encrypted = bool(part.security_control & 0x20)
        self.compressed = bool(part.security_control & 0x80)
        self._untagged: Opened | None = None  # the first that could be, not proven
        self._unchecked: Opened | None = None  # likewise, with a tag and no key to check it
        self._suspects: list[str] = []  # keys whose plaintext makes sense though the tag is wrong
        self._checked = False  # whether any authentication key was tried
        self._keys = 0

    def _titles(self, key: RingKey) -> list[_Title]:
        """The titles to try with this key: where none was seen, those of its own holders, or a few others."""
        if self._seen or not self._named:
            titles = self._seen
        else:
            titles = [_Title(title, _NAMED_TITLE) for title in key.titles]
            titles += [title for title in self._named[:_FEW_TITLES] if title not in titles]
        self._keys += 1
        self.tries += len(titles) + len(self._last)
        return titles + self._last

    def by_tag(self, key: RingKey) -> Opened | None:
        """The APDU opened with this key, if the tag says so with one of the titles and forms of the AAD."""
        part, encrypt, wanted = self.part, key.encrypt, self.part.authentication_tag
        for title in self._titles(key):
            nonce = title.octets + self.counter
            if self.encrypted:
                plain = covered = encrypt(nonce, part.content, None)[:_TAIL]
                tail = b""
            else:
                plain, covered, tail = part.content, b"", part.content
            for authentication in key.authentications or _ALONE:
                for form, header in _aad_forms(part, self.control + authentication, authentication != b""):
                    if encrypt(nonce, covered, header + tail)[_TAIL:_TAG_STOP] == wanted:
                        return self._opened(Verdict.OPENED, plain, key.label, title, form)
            self._learn(key, title, plain)
        return None

    def _learn(self, key: RingKey, title: _Title, plain: bytes) -> None:
        """Keep what may be told when no key's tag is right."""
        self._checked = self._checked or bool(key.authentications)
        if key.own:
            if self.encrypted and not self.compressed and makes_sense(self.part, plain):
                self._suspects.append(key.label)
            return
        plausible = not self.encrypted or self.compressed or makes_sense(self.part, plain)
        if self._unchecked is None or (plausible and not self._unchecked.plausible):
            self._unchecked = self._opened(Verdict.UNAUTHENTICATED, plain, key.label, title, "", plausible)

    def by_sense(self, key: RingKey) -> Opened | None:
        """The APDU opened with this key, where the plaintext makes sense: there is no tag that tells."""
        for title in self._titles(key):
            plain = key.encrypt(title.octets + self.counter, self.part.content, None)[:_TAIL]
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
        if not self._seen and not self._named:
            return Opened(Verdict.NO_TITLE, None, counter, notes=(_NO_TITLE,))
        keys = "the key does not fit" if self._keys == 1 else f"none of {self._keys} keys fits"
        titles = ", ".join(title_text(title.octets) for title in (self._seen or self._named)[:3])
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
