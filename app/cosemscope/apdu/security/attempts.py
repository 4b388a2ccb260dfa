"""One ciphered APDU on which keys are tried: a key opens the APDU, or sentences say why none does.

Where there is a tag, it decides. Where there is none, or no authentication key to check it, the plaintext
must make sense (see `plausibility`); what makes none is not shown: a wrong key would make it of anything.
Source: IEC 62056-5-3, cryptographic protection of xDLMS APDUs.
"""

from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart
from cosemscope.apdu.names.tags import GENERAL_CIPHERING
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Opening, Verdict
from cosemscope.apdu.security.key_rings import RingKey
from cosemscope.apdu.security.plausibility import first_octets, makes_sense, nonsense
from cosemscope.apdu.security.suites import TAG_SIZE

#: What is tried on one APDU at most: keys times titles times authentication keys.
MAX_TRIES = 20_000
#: Keys that are always tried in full, where many do not fit again and again.
_FEW_KEYS = 64
#: Authentication keys that are tried with an encryption key even if its text makes no sense.
_FEW_AUTHENTICATIONS = 8
_FEW_TITLES = 8
#: What AES-GCM appends: its whole tag; and where the tag that DLMS sends ends in it.
TAIL = -16
TAG_STOP = TAIL + TAG_SIZE

_NO_TITLE = "the sender's system title was not seen, and no key names it: without it nothing can be opened"
_UNFIT = "the authentication keys of other holders do not fit the tag"
_COMPRESSED = "the text is compressed: nothing tells whether this key is right"
_EMPTY = "the text is empty: nothing tells whether this key is right"


class Title(NamedTuple):
    """A system title that may be the sender's, and the note for an APDU that it opens."""

    octets: bytes
    note: str = ""


class Titles(NamedTuple):
    """System titles to try: those seen, else those that keys name; the other side's at last."""

    seen: tuple[Title, ...]
    named: tuple[Title, ...]
    last: tuple[Title, ...]

    @property
    def rounds(self) -> range:
        """How often the keys are gone through: each with the titles of its holders, then with others."""
        return range(2 if self.named else 1)

    def of(self, key: RingKey, again: int) -> tuple[Title, ...]:
        """The titles to try with this key in this round."""
        if not self.named:
            return self.seen + self.last
        own = tuple(title for title in self.named if title.octets in key.titles)
        if not again:
            return own + self.last
        return tuple(title for title in self.named[:_FEW_TITLES] if title not in own)


class Attempt:
    """One APDU, and what was learned while keys were tried on it.

    `glances`: of many keys those are passed over of which the first octet shows that they are wrong ones.
    """

    def __init__(self, part: CipheredPart, titles: Titles, *, glances: bool) -> None:
        self.part = part
        self.titles = titles
        self.tries = 0
        self.glances = glances
        self._counter = part.invocation_counter.to_bytes(4, "big")
        self._control = bytes((part.security_control,))
        self._encrypted = bool(part.security_control & 0x20)
        self._compressed = bool(part.security_control & 0x80)
        self._forms = _aad_forms(part)
        self._firsts = first_octets(part) if self._encrypted and not self._compressed else None
        self._unchecked: Opening | None = None  # makes sense, and there is no key to check the tag
        self._suspects: list[str] = []  # keys whose text makes sense though the tag is wrong
        self._odd = ""  # a key whose text makes no sense, and what it looks like
        self._checked = False  # whether any authentication key was tried
        self._keys = 0

    def by_tag(self, key: RingKey, again: int) -> Opening | None:
        """The APDU opened with this key, if the tag says so with one of the titles and forms of the AAD."""
        part, encrypt, wanted = self.part, key.encrypt, self.part.authentication_tag
        self._keys += not again
        for title in self.titles.of(key, again):
            nonce = title.octets + self._counter
            if self._passed_over(key, nonce):
                continue
            plain = encrypt(nonce, part.content, None)[:TAIL] if self._encrypted else part.content
            covered = plain if self._encrypted else b""
            for authentication in self._authentications(key, plain):
                self.tries += 1
                header = self._control + authentication
                for words, rest in self._forms:
                    if encrypt(nonce, covered, header + rest)[TAIL:TAG_STOP] == wanted:
                        form = f"SC{' || AK' if authentication else ''}{words}"
                        return self._opened(Verdict.OPENED, plain, key.label, title, form)
            self._learn(key, title, plain)
        return None

    def _passed_over(self, key: RingKey, nonce: bytes) -> bool:
        """Whether a glance at the first octet shows that `key` is wrong."""
        if not self.glances or self._firsts is None or self._keys <= _FEW_KEYS or not self.part.content:
            return False
        self.tries += 1
        self._checked = self._checked or bool(key.authentications)
        return key.encrypt(nonce, self.part.content[:1], None)[0] not in self._firsts

    def _authentications(self, key: RingKey, plain: bytes) -> tuple[bytes, ...]:
        """The authentication keys to try; none at all where there are none, as some do."""
        given = key.authentications
        few = len(given) <= _FEW_AUTHENTICATIONS or self._firsts is None or makes_sense(self.part, plain)
        return (given if few else given[:_FEW_AUTHENTICATIONS]) or (b"",)

    def _learn(self, key: RingKey, title: Title, plain: bytes) -> None:
        """Keep what may be told when no key's tag is right."""
        self._checked = self._checked or bool(key.authentications)
        sense = self._firsts is not None and makes_sense(self.part, plain)
        if key.own:
            if sense:
                self._suspects.append(key.label)
        elif sense or self._firsts is None or not plain:
            if self._unchecked is None:
                label = key.label if self._encrypted else ""
                self._unchecked = self._opened(Verdict.UNAUTHENTICATED, plain, label, title)
        else:
            self._odd = self._odd or f"deciphered with the {key.label} the text {nonsense(plain)}"

    def by_sense(self, key: RingKey, again: int) -> Opening | None:
        """The APDU opened with this key, where the plaintext makes sense: there is no tag that tells."""
        self._keys += not again
        for title in self.titles.of(key, again):
            self.tries += 1
            plain = key.encrypt(title.octets + self._counter, self.part.content, None)[:TAIL]
            if self._compressed or not plain or makes_sense(self.part, plain):
                return self._opened(Verdict.UNTAGGED, plain, key.label, title)
            self._odd = self._odd or f"deciphered with the {key.label} the text {nonsense(plain)}"
        return None

    def _opened(self, verdict: Verdict, plain: bytes, key: str, title: Title, form: str = "") -> Opening:
        notes = [title.note] if title.note else []
        if verdict is not Verdict.OPENED and key and (self._compressed or not plain):
            notes.append(_COMPRESSED if self._compressed else _EMPTY)
        return Opening(
            verdict,
            plain,
            self.part.invocation_counter,
            key,
            title.octets,
            form,
            self._compressed,
            tuple(notes),
        )

    def failure(self, gave_up: bool = False) -> Opening:
        """The outcome when no key could be proven right; `gave_up`: not all keys were tried."""
        unchecked = self._unchecked
        if unchecked is not None:
            return unchecked._replace(notes=(*unchecked.notes, _UNFIT)) if self._checked else unchecked
        if not self.titles.seen and not self.titles.named:
            return self._closed(Verdict.NO_TITLE, [_NO_TITLE])
        keys = "the key that is given does not fit" if self._keys == 1 else f"none of {self._keys} keys fits"
        if gave_up:
            keys += ", more were not tried"
        titles = ", ".join(title_text(title.octets) for title in (self.titles.seen or self.titles.named)[:3])
        counter = self.part.invocation_counter
        words = f"{keys} with system title {titles} and invocation counter {counter}"
        if self._odd and not self._checked:
            return self._closed(Verdict.KEY_UNFIT, [f"{words}: {self._odd}"], tried=True)
        for label in self._suspects[:1]:
            words += f"; deciphered with the {label} the text makes sense: that key seems right"
            words += "; the authentication key, or what the sender authenticated, differs"
        return self._closed(Verdict.TAG_WRONG, [f"the authentication tag is wrong: {words}"], tried=True)

    def _closed(self, verdict: Verdict, notes: list[str], *, tried: bool = False) -> Opening:
        return Opening(verdict, counter=self.part.invocation_counter, notes=tuple(notes), tried=tried)


def _aad_forms(part: CipheredPart) -> tuple[tuple[str, bytes], ...]:
    """The octets authenticated behind security control and key, as (words, octets), the likeliest first.

    Implementations of general-ciphering disagree on whether its header is authenticated, and with lengths.
    """
    words, text = ("", b"") if part.security_control & 0x20 else (" || APDU", part.content)
    if part.tag != GENERAL_CIPHERING or part.envelope is None:
        return ((words, text),)
    fields = part.envelope[:5]
    return (
        (words, text),
        (words + " with the header's fields and their lengths", part.envelope.octets + text),
        (words + " with the header's fields without lengths", b"".join(fields) + text),
    )
