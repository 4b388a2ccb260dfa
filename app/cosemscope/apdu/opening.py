"""The outcome of opening a protected APDU: one class for trees, associations, window and commands.

The decoder's context gives an `Opening` for each ciphered or signed part; its verdict means the same to all.
"""

from enum import StrEnum
from typing import NamedTuple

from cosemscope.apdu.names.texts import title_text


class Verdict(StrEnum):
    """The verdict on a ciphered APDU, or on a signature (the last two, and NO_KEY)."""

    CLEAR = "clear"
    OPENED = "opened"
    UNTAGGED = "opened-untagged"
    UNAUTHENTICATED = "opened-unauthenticated"
    PLAIN = "already-plain"
    TAG_WRONG = "tag-wrong"
    KEY_UNFIT = "key-unfit"
    NO_KEY = "no-key"
    NO_TITLE = "no-title"
    CUT = "cut"
    VERIFIED = "verified"
    SIGNATURE_WRONG = "signature-wrong"

    @property
    def opened(self) -> bool:
        """Whether there is a plaintext."""
        return self in _OPENED_WORDS

    @property
    def wants_key(self) -> bool:
        """Whether another key may open the APDU, or prove it."""
        return self in _WANTING


_OPENED_WORDS = {
    Verdict.OPENED: "opened, the authentication tag is right",
    Verdict.UNTAGGED: "opened, there is no authentication tag to check",
    Verdict.UNAUTHENTICATED: "opened, not authenticated (no authentication key of its holder is given)",
    Verdict.PLAIN: "the security header says encrypted, but the text as it stands is plain: it was written "
    "down after deciphering, so that no authentication tag and no check sequence can fit, whatever the key",
}
_WANTING = frozenset(
    (Verdict.UNAUTHENTICATED, Verdict.TAG_WRONG, Verdict.KEY_UNFIT, Verdict.NO_KEY, Verdict.NO_TITLE)
)
_WRONG = frozenset((Verdict.PLAIN, Verdict.TAG_WRONG, Verdict.KEY_UNFIT, Verdict.SIGNATURE_WRONG))


class Opening(NamedTuple):
    """All that is known of one attempt to open a ciphered APDU, or to verify a signature.

    `plaintext` is None unless the verdict says opened; `compressed`: it is compressed still. `key` is the
    label of the key, `form` the AAD, `counter` the invocation counter. `title` is the system title that
    opened the APDU, else the sender's as far as it is known. `notes` are sentences for people; `tried`: keys
    that are given did not fit. `content` are the ciphered octets that the attempt was made on.
    """

    verdict: Verdict
    plaintext: bytes | None = None
    counter: int = 0
    key: str = ""
    title: bytes | None = None
    form: str = ""
    compressed: bool = False
    notes: tuple[str, ...] = ()
    tried: bool = False
    content: bytes = b""

    @property
    def severity(self) -> str:
        """How bad the outcome is, in the words of a tree's problems."""
        return "warning" if self.verdict in _WRONG or self.tried else "note"

    @property
    def item(self) -> str:
        """The word of the kind of expert items that the outcome is."""
        return Verdict.KEY_UNFIT.value if self.tried and self.verdict not in _WRONG else self.verdict.value

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences for a person: how the APDU was opened (key, title, counter, AAD); the notes."""
        if not self.verdict.opened:
            return self.notes
        how = [self.key] if self.key else []
        how += [f"system title {title_text(self.title or b'')}", f"invocation counter {self.counter}"]
        how += [f"AAD {self.form}"] if self.form else []
        return (f"{_OPENED_WORDS[self.verdict]}: {', '.join(how)}", *self.notes)

    @property
    def text(self) -> str:
        """The sentences in one line, each with a capital."""
        return ". ".join(words[:1].upper() + words[1:] for words in self.sentences)
