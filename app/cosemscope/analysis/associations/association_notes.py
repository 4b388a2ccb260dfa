"""Remarks on APDUs that only their association allows, and the kinds of expert items that they are."""

from enum import IntEnum
from typing import NamedTuple

from cosemscope.apdu.security import hls
from cosemscope.streams.tables.expert_items import Group, ItemKind, Severity, declare


class HlsAnswer(IntEnum):
    """Whether an APDU answers an HLS challenge rightly; the worst has the highest number."""

    NONE = 0
    RIGHT = 1
    UNPROVEN = 2  # the key or a challenge is not known
    WRONG = 3


class Note(NamedTuple):
    """A remark on an APDU for people, and its kind."""

    kind: ItemKind
    message: str

    @property
    def clause(self) -> str:
        """The clause that the kind cites."""
        return self.kind.clause

    @property
    def severity(self) -> str:
        """The severity in the words of a tree's problems ("error", "warning", "note")."""
        return max(self.kind.severity, Severity.NOTE).word


COUNTER_REPEATED = declare(
    "counter-repeated",
    Severity.WARNING,
    Group.SECURITY,
    "invocation counter is not above the last one of its sender",
)
COUNTER_JUMP = declare(
    "counter-jump", Severity.NOTE, Group.SECURITY, "invocation counters before this one are missing"
)
CIPHERED_CUT = declare("ciphered-cut", Severity.WARNING, Group.SECURITY, "a ciphered APDU is cut or broken")
KEY_IN_CLEAR = declare("key-in-clear", Severity.WARNING, Group.SECURITY, "the dedicated key is sent in clear")
HLS_RIGHT = declare(
    "hls-right", Severity.CHAT, Group.SECURITY, "the answer to an HLS challenge is right", hls.CLAUSE
)
HLS_WRONG = declare(
    "hls-wrong", Severity.WARNING, Group.SECURITY, "the answer to an HLS challenge is wrong", hls.CLAUSE
)
HLS_UNPROVEN = declare(
    "hls-unproven",
    Severity.CHAT,
    Group.SECURITY,
    "the answer to an HLS challenge could not be checked",
    hls.CLAUSE,
)
#: The same as the analysis keeps it.
HLS_VERDICTS = {
    HLS_RIGHT: HlsAnswer.RIGHT,
    HLS_UNPROVEN: HlsAnswer.UNPROVEN,
    HLS_WRONG: HlsAnswer.WRONG,
}
KEY_WRAPPED = declare(
    "key-wrapped", Severity.CHAT, Group.SECURITY, "a new key is wrapped: no master key opens it"
)
KEY_LEARNED = declare("key-learned", Severity.CHAT, Group.SECURITY, "a new key is known from here on")
BLOCK_REPEATED = declare("block-repeated", Severity.WARNING, Group.SERVICE, "a block came twice")
BLOCK_MISSING = declare("block-missing", Severity.WARNING, Group.SERVICE, "blocks before this one lack")
BLOCK_ORDER = declare("block-order", Severity.WARNING, Group.SERVICE, "a block came out of its order")
BLOCKS_TOO_LARGE = declare(
    "blocks-too-large", Severity.WARNING, Group.SERVICE, "blocks are too large or too many to be joined"
)
