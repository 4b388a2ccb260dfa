"""Protected APDUs in the window's words: pictures of verdicts, and the wish for a key.

A tree says what stands in a ciphered APDU; that it could be opened, with which key, or why not, is learned
while it is decoded, by listening to the opener. Nothing here holds an octet of a key.
"""

from dataclasses import replace
from typing import NamedTuple

from cosemscope.apdu.context import CipheredPart, Context
from cosemscope.apdu.names.texts import title_text
from cosemscope.apdu.opening import Opening, Verdict


class VerdictLook(NamedTuple):
    """The look of a verdict: icon, colour roles of ink and background, and a word or two."""

    icon: str
    ink: str
    back: str
    words: str


VERDICT_LOOKS = {
    Verdict.OPENED: VerdictLook("lock-open", "secure", "message_secure", "Opened"),
    Verdict.UNTAGGED: VerdictLook("lock-open", "warning", "message_warning", "Opened, no tag"),
    Verdict.UNAUTHENTICATED: VerdictLook("lock-open", "warning", "message_warning", "Not authenticated"),
    Verdict.PLAIN: VerdictLook("lock-open", "warning", "message_warning", "Plain already"),
    Verdict.TAG_WRONG: VerdictLook("lock-wrong", "error", "message_error", "Tag wrong"),
    Verdict.CUT: VerdictLook("lock-wrong", "error", "message_error", "Cut"),
    Verdict.KEY_UNFIT: VerdictLook("lock-wrong", "error", "message_error", "Key does not fit"),
    Verdict.NO_KEY: VerdictLook("lock", "note", "message_note", "No key"),
    Verdict.NO_TITLE: VerdictLook("lock", "note", "message_note", "No system title"),
}


class WantedKey(NamedTuple):
    """A wish for a key: the holder's system title (None: not known) and address ("": not known)."""

    title: bytes | None
    address: str = ""

    @property
    def order(self) -> str:
        """The text of the menu's entry."""
        if self.title is not None:
            return f"Add key for {title_text(self.title)}…"
        return f"Add key for {self.address}…" if self.address else "Add key…"


def listening(context: Context) -> tuple[Context, list[Opening]]:
    """Returns the context with a listener for an opener, and the list of openings heard in decoding."""
    heard: list[Opening] = []
    given = context.opener
    if given is None:
        return context, heard

    def opener(part: CipheredPart) -> Opening:
        heard.append(given(part))
        return heard[-1]

    return replace(context, opener=opener), heard
