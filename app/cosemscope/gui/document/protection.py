"""What the window says of protected APDUs: the verdicts with their pictures, and whose key is wanted.

A tree says what stands in a ciphered APDU; that it could be opened, with which key, or why not, is learned
while it is decoded, by listening to the opener. Nothing here holds an octet of a key.
"""

from dataclasses import replace
from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, Context, Opening
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.apdu.security.verdicts import Opened, Verdict


class VerdictLook(NamedTuple):
    """How a verdict is shown: its icon, the colour roles of ink and background, and a word or two."""

    icon: str
    ink: str
    back: str
    words: str


VERDICT_LOOKS = {
    Verdict.OPENED: VerdictLook("lock-open", "secure", "message_secure", "Opened"),
    Verdict.UNTAGGED: VerdictLook("lock-open", "warning", "message_warning", "Opened, no tag"),
    Verdict.UNAUTHENTICATED: VerdictLook("lock-open", "warning", "message_warning", "Not authenticated"),
    Verdict.TAG_WRONG: VerdictLook("lock-wrong", "error", "message_error", "Tag wrong"),
    Verdict.NO_KEY: VerdictLook("lock", "note", "message_note", "No key"),
    Verdict.NO_TITLE: VerdictLook("lock", "note", "message_note", "No system title"),
}

#: Verdicts that another key may better.
_WANTING = frozenset({Verdict.UNAUTHENTICATED, Verdict.TAG_WRONG, Verdict.NO_KEY, Verdict.NO_TITLE})


class WantedKey(NamedTuple):
    """Whose key is wanted: a system title (None: not known) and the sender's address ("": not known)."""

    title: bytes | None
    address: str = ""

    @property
    def order(self) -> str:
        """What the menu calls it."""
        if self.title is not None:
            return f"Add key for {title_text(self.title)}…"
        return f"Add key for {self.address}…" if self.address else "Add key…"


class Protection(NamedTuple):
    """One ciphered part of an APDU, what came of opening it, and the sender's system title if it is known."""

    part: CipheredPart
    opened: Opened
    title: bytes | None

    @property
    def verdict(self) -> Verdict:
        """What came of it."""
        return self.opened.verdict

    @property
    def sentence(self) -> str:
        """The verdict for people, with key, system title, invocation counter and AAD, and what is odd."""
        return opened_sentence(self.opened)

    @property
    def wants_key(self) -> bool:
        """Whether another key may open it, or prove it."""
        return self.verdict in _WANTING


def opened_sentence(opened: Opened) -> str:
    """What came of opening an APDU, in sentences."""
    return ". ".join(words[:1].upper() + words[1:] for words in opened.sentences())


class ProtectionListener:
    """An opener that does what another one does, and remembers what came of it in `heard`."""

    def __init__(self, opener: KeyedOpener) -> None:
        self._opener = opener
        self.heard: list[Protection] = []

    def __call__(self, part: CipheredPart) -> Opening:
        """Open, for the decoder."""
        opened = self._opener.open(part)
        title = opened.title or part.system_title or self._opener.sender
        self.heard.append(Protection(part, opened, title or None))
        return opened.opening()


def listening(context: Context) -> tuple[Context, list[Protection]]:
    """The same context with a listener for its opener, and the list that decoding with it fills."""
    if not isinstance(context.opener, KeyedOpener):
        return context, []
    listener = ProtectionListener(context.opener)
    return replace(context, opener=listener), listener.heard
