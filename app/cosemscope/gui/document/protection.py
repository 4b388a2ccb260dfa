"""What the window says of protected APDUs: the verdicts with their pictures, and whose key is wanted.

A tree says what stands in a ciphered APDU; that it could be opened, with which key, or why not, is learned
while it is decoded, by listening to the opener. Nothing here holds an octet of a key.
"""

from dataclasses import replace
from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, Context
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Opening, Verdict


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


def listening(context: Context) -> tuple[Context, list[Opening]]:
    """The same context with a listener for its opener, and the list that decoding with it fills."""
    heard: list[Opening] = []
    given = context.opener
    if given is None:
        return context, heard

    def opener(part: CipheredPart) -> Opening:
        heard.append(given(part))
        return heard[-1]

    return replace(context, opener=opener), heard
