"""What came of opening a protected APDU: a verdict, the plaintext, and what a person wants to know of it."""

from collections import OrderedDict
from enum import StrEnum
from typing import Any, NamedTuple

from cosemscope.apdu.context import Opening
from cosemscope.apdu.names.texts import title_text


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


class Opened(NamedTuple):
    """All that is known of an attempt to open an APDU.

    `plaintext` is None unless the verdict says opened. `key` is the label of the key, `title` the system
    title that opened it, `counter` the invocation counter, `form` the AAD. `notes` are sentences for people;
    `tried`: keys that are given did not fit.
    """

    verdict: Verdict
    plaintext: bytes | None
    counter: int
    key: str = ""
    title: bytes | None = None
    form: str = ""
    compressed: bool = False
    notes: tuple[str, ...] = ()
    tried: bool = False

    def opening(self) -> Opening:
        """The same for the decoder, with a sentence that names key, title, counter and AAD."""
        return Opening(self.plaintext, self.verdict, self.sentences(), self.severity, self.compressed)

    @property
    def severity(self) -> str:
        """How bad it is, in the words of a tree's problems."""
        return "warning" if self.verdict is Verdict.TAG_WRONG or self.tried else "note"

    def sentences(self) -> tuple[str, ...]:
        """What a person must know, the verdict first."""
        if not self.verdict.opened:
            return self.notes
        how = [self.key] if self.key else []
        how += [f"system title {title_text(self.title or b'')}", f"invocation counter {self.counter}"]
        how += [f"AAD {self.form}"] if self.form else []
        return (f"{_VERDICT_WORDS[self.verdict]}: {', '.join(how)}", *self.notes)


_VERDICT_WORDS = {
    Verdict.OPENED: "opened, the authentication tag is right",
    Verdict.UNTAGGED: "opened, there is no authentication tag to check",
    Verdict.UNAUTHENTICATED: "opened, not authenticated (no authentication key of its holder is given)",
}


class Outcomes:
    """What came of opening APDUs lately, so that none is opened twice; bounded in number and in octets."""

    def __init__(self, number: int = 4096, octets: int = 32 << 20) -> None:
        self._number = number
        self._octets = octets
        self._held = 0
        self._known: OrderedDict[tuple[Any, ...], tuple[Opened, int]] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Opened | None:
        """What is known; None when nothing is."""
        entry = self._known.get(key)
        return entry[0] if entry is not None else None

    def put(self, key: tuple[Any, ...], found: Opened, octets: int) -> None:
        """Remember an outcome that keeps about so many `octets`; the oldest ones are forgotten."""
        self._held += octets - self._known.pop(key, (found, 0))[1]
        self._known[key] = (found, octets)
        while len(self._known) > self._number or self._held > self._octets:
            _, (_, forgotten) = self._known.popitem(last=False)
            self._held -= forgotten
