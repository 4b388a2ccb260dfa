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

from cosemscope.apdu.context import CipheredPart, Context, SignedPart
from cosemscope.apdu.names.tags import DED_SERVICES, GENERAL_DED
from cosemscope.apdu.names.texts import TITLE_SIZE, title_text
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.attempts import MAX_TRIES, TAG_STOP, TAIL, Attempt, Title, Titles
from cosemscope.apdu.security.key_agreement import Derived, agreed, unwrap
from cosemscope.apdu.security.key_rings import KEY_SIZES, KIND_NAMES, KeyKind, KeyRing, RingKey
from cosemscope.apdu.security.plausibility import already_plain
from cosemscope.apdu.security.signing import verify
from cosemscope.apdu.security.suites import SUITES, TAG_SIZE, security_control

#: The kind of key that was given (None: it comes with the APDU), the key, and what is to be said of it.
_Candidate = tuple[KeyKind | None, RingKey, str]
_DEDICATED = frozenset(DED_SERVICES) | {GENERAL_DED}
_OPENED, _USUAL_FORM = Verdict.OPENED, "SC || AK"
_new = tuple.__new__
_nonce = Struct(">8sI").pack


_NAMED_TITLE = "the system title is the one that the keys name, none was seen"
_EXCHANGED = (
    "encryption and authentication key are in each other's place: exchange them where they are given, each "
    "fits for the other"
)
_OTHER_TITLE = "opened with the receiver's system title, not the sender's"


class KeyedOpener:
    """Opens APDUs that one side sends: `sender` and `other` are the titles known.

    A title inside the APDU goes before `sender`; where none is known, those that the key sets name are
    tried. Never raises. Outcomes that took a search are remembered in the ring.
    """

    __slots__ = ("other", "ring", "sender")

    def __init__(self, ring: KeyRing, sender: bytes | None = None, other: bytes | None = None) -> None:
        self.ring = ring
        self.sender = sender
        self.other = other

    def context(self) -> Context:
        """A context for the decoder with nothing but keys."""
        return Context(opener=self.open, verifier=self.verify)

    def verify(self, part: SignedPart) -> Opening:
        """Verifies a signature."""
        return verify(part, self.ring.sets)

    def open(self, part: CipheredPart) -> Opening:
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
            plain = encrypt(nonce, content, None)[:TAIL]
            if encrypt(nonce, plain, header)[TAIL:TAG_STOP] == authentication_tag:
                known = (_OPENED, plain, counter, key.label, title, _USUAL_FORM, False, (), False, content)
                return _new(Opening, known)
        asked = (ring, part, self.sender, self.other)
        found = ring.outcomes.get(asked)
        if found is None:
            found = self._open(part)
            found = found._replace(title=found.title or title or None, content=content)
            ring.outcomes.put(asked, found, 512 + 2 * len(content))
        return found

    def _open(self, part: CipheredPart) -> Opening:
        found = self._keyed(part)
        if not found.verdict.opened and already_plain(part):
            return Opening(Verdict.PLAIN, part.content, part.invocation_counter)
        return found

    def _keyed(self, part: CipheredPart) -> Opening:
        """The outcome of trying the keys."""
        counter = part.invocation_counter
        kinds = _kinds(part)
        control = security_control(part.security_control)
        candidates = tuple(self._candidates(part, kinds))
        if not candidates:
            return Opening(Verdict.NO_KEY, counter=counter, notes=(self._no_key(part, kinds[0]),))
        if control.authenticated and len(part.authentication_tag) != TAG_SIZE:
            note = f"the authentication tag is cut: {len(part.authentication_tag)} of {TAG_SIZE} octets"
            return Opening(Verdict.TAG_WRONG, counter=counter, notes=(note,))
        sender = part.system_title or self.sender
        attempt = Attempt(part, self._titles(part), glances=self.ring.fails(kinds[0], sender))
        found = self._search(part, kinds, candidates, attempt)
        if not found.verdict.opened and not attempt.glances:
            found = self._exchanged(part, kinds) or found
        self.ring.count(kinds[0], sender, opened=found.verdict.opened)
        return found

    def _search(
        self, part: CipheredPart, kinds: Sequence[KeyKind], candidates: Sequence[_Candidate], attempt: Attempt
    ) -> Opening:
        """Tries all candidates, until one opens the APDU."""
        control = security_control(part.security_control)
        search = attempt.by_tag if control.authenticated else attempt.by_sense
        for again in attempt.titles.rounds:
            for kind, key, note in candidates:
                found = search(key, again)
                if found is not None:
                    if kind is not None:
                        self.ring.remember(kind, key)
                    return found._replace(notes=found.notes + _remarks(part, key, note, kind, kinds))
                if attempt.tries >= MAX_TRIES:
                    return attempt.failure(gave_up=True)
        return attempt.failure()

    def _exchanged(self, part: CipheredPart, kinds: Sequence[KeyKind]) -> Opening | None:
        """The APDU opened with encryption and authentication key of a set in each other's place."""
        attempt = Attempt(part, self._titles(part), glances=False)
        search = attempt.by_tag if security_control(part.security_control).authenticated else attempt.by_sense
        for kind in kinds:
            for key in self.ring.exchanged(kind):
                for again in attempt.titles.rounds:
                    found = search(key, again)
                    if found is not None:
                        return found._replace(notes=(*found.notes, _EXCHANGED), tried=True)
        return None

    def _titles(self, part: CipheredPart) -> Titles:
        seen = [title for title in (part.system_title, self.sender) if title and len(title) == TITLE_SIZE]
        named = [] if seen else [Title(title, _NAMED_TITLE) for title in self.ring.titles]
        other = self.other
        spare = other is not None and len(other) == TITLE_SIZE and bool(part.authentication_tag)
        last = [Title(other, _OTHER_TITLE)] if spare and other is not None and other not in seen else []
        return Titles(tuple(map(Title, dict.fromkeys(seen))), tuple(named), tuple(last))

    def _candidates(self, part: CipheredPart, kinds: Sequence[KeyKind]) -> Iterator[_Candidate]:
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
                    yield None, self.ring.key(one.label, one.octets, one.authentication), one.note
            return
        for kind in kinds:
            for key in self.ring.keys(kind):
                yield kind, key, ""

    def _no_key(self, part: CipheredPart, kind: KeyKind) -> str:
        """The sentence on the key that is missing to open `part`."""
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
    """Remarks on a key that opened `part` though another one was to be expected."""
    notes = [note] if note else []
    if kind is not None and kind is not kinds[0]:
        notes.append(f"the APDU names the {KIND_NAMES[kinds[0]]}, the {KIND_NAMES[kind]} opens it")
    suite = part.security_control & 0x0F
    if suite < len(SUITES) and SUITES[suite].key_size != key.size:
        notes.append(
            f"suite {suite} has keys of {SUITES[suite].key_size} octets, one of {key.size} octets opens it"
        )
    return tuple(notes)
