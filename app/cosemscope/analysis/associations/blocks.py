"""Blocks joined again: GET, SET and ACTION in blocks, and general-block-transfer with windows.

Each transfer is an immutable value, so that a checkpoint of an association costs nothing. What does not fit
is said (a block missing, one repeated) and never glued over. Bounded in octets and in blocks.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from cosemscope.analysis.associations.association_notes import (
    BLOCK_MISSING,
    BLOCK_ORDER,
    BLOCK_REPEATED,
    BLOCKS_TOO_LARGE,
    Note,
)

MAX_OCTETS = 16 << 20
MAX_BLOCKS = 1 << 17
#: Blocks of a window that may wait for one that is missing (a window has up to 63).
MAX_AHEAD = 256

#: Octets of blocks, from the last to the first.
_Chain = Any


class Block(NamedTuple):
    """One block as it was sent: its number, whether it is the last, its octets."""

    number: int
    last: bool
    octets: bytes


_State = TypeVar("_State")


class Joined(NamedTuple, Generic[_State]):
    """The outcome of a block: the transfer that goes on (None: it is over), the whole, a remark."""

    transfer: _State | None
    whole: bytes | None = None
    note: Note | None = None


class Transfer(NamedTuple):
    """A transfer whose blocks come one by one: GET, SET and ACTION with datablocks.

    `begun` is the number of its first block (1, some count from 0), `number` the highest one so far,
    `parts` its octets and those before it, as a chain from the last to the first; `broken`: something is
    missing or it became too large, so that nothing whole will come of it.
    """

    begun: int
    number: int
    parts: _Chain
    size: int
    blocks: int
    broken: bool = False


def add_block(transfer: Transfer | None, block: Block) -> Joined[Transfer]:
    """The next block of a service's transfer, or the first of a new one."""
    note = None
    first = transfer is None or block.number <= min(1, transfer.begun)
    if transfer is not None and block.number == transfer.number and not first:
        return Joined(transfer, None, _repeated(block))
    if transfer is None or first:
        broken = block.number > 1
        if broken:
            note = Note(BLOCK_MISSING, f"block {block.number} comes first: those before it were not seen")
        transfer = Transfer(block.number, block.number, None, 0, 0, broken)
    elif block.number != transfer.number + 1:
        missing = block.number - transfer.number - 1
        which = _missing(transfer.number + 1, missing) if missing > 0 else "the order is wrong"
        kind = BLOCK_MISSING if missing > 0 else BLOCK_ORDER
        note = Note(kind, f"block {block.number} follows block {transfer.number}: {which}")
        transfer = transfer._replace(broken=True)
    number = max(transfer.number, block.number)
    size, count = transfer.size + len(block.octets), transfer.blocks + 1
    if size > MAX_OCTETS or count > MAX_BLOCKS:
        if not transfer.broken:
            sentence = f"the blocks are more than {MAX_OCTETS >> 20} MiB together: they are not joined"
            note = Note(BLOCKS_TOO_LARGE, sentence)
        transfer = Transfer(transfer.begun, number, None, 0, 0, True)
    else:
        parts = (block.octets, transfer.parts)
        transfer = Transfer(transfer.begun, number, parts, size, count, transfer.broken)
    if not block.last:
        return Joined(transfer, None, note)
    whole = _join(transfer.parts) if transfer.blocks > 1 and not transfer.broken else None
    return Joined(None, whole, note)


def _repeated(block: Block) -> Note:
    return Note(BLOCK_REPEATED, f"block {block.number} is repeated")


def _missing(first: int, count: int) -> str:
    return f"block {first} is missing" if count == 1 else f"blocks {first} to {first + count - 1} are missing"


def _join(chain: _Chain) -> bytes:
    parts: list[bytes] = []
    while chain is not None:
        octets, chain = chain
        parts.append(octets)
    return b"".join(reversed(parts))


class BlockWindow(NamedTuple):
    """A general-block-transfer: blocks may be sent in windows, get lost and come again, out of order.

    `first` is block 1 once it has come, `next` the number of the block that is awaited, `parts` the chain of
    those before it; `ahead` are blocks that came before their turn; `last` is the number of the last one, 0
    while unknown, and `highest` that of the highest so far; `acknowledged`: the highest one that the other
    side said it has, -1 where it said nothing; `whole`: all have come, and their octets are kept no more.
    """

    first: bytes = b""
    next: int = 1
    parts: _Chain = None
    ahead: Mapping[int, bytes] = MappingProxyType({})
    last: int = 0
    size: int = 0
    highest: int = 0
    acknowledged: int = -1
    whole: bool = False

    def is_followed_by(self, block: Block) -> bool:
        """Whether this block begins another transfer.

        Block 1 comes again where it is not acknowledged, behind the last one only if that was said.
        """
        if block.number != 1:
            return self.whole and block.number > self.last
        if self.next == 1 and 1 not in self.ahead:
            return False
        again = self.acknowledged == 0 or (self.acknowledged < 0 and not self.last)
        return not again or self.first != block.octets


def add_to_window(window: BlockWindow | None, block: Block) -> Joined[BlockWindow]:
    """The next block of a general-block-transfer; the whole comes once none is missing."""
    if not block.octets:
        return Joined(window)  # an acknowledgement without data
    note = None
    if window is None or window.is_followed_by(block):
        if window is not None and not window.whole:
            lacking = _missing(window.next, max(min(window.ahead, default=0) - window.next, 1))
            note = Note(BLOCK_MISSING, f"another transfer begins: of the one before it {lacking}")
        window = BlockWindow()
    if block.number < window.next or block.number in window.ahead:
        return Joined(window, None, _repeated(block))
    size = window.size + len(block.octets)
    if size > MAX_OCTETS or len(window.ahead) >= MAX_AHEAD:
        sentence = "too many blocks, or octets, without an end: they are not joined"
        return Joined(None, None, Note(BLOCKS_TOO_LARGE, sentence))
    ahead = {**window.ahead, block.number: block.octets}
    expected, parts = window.next, window.parts
    while expected in ahead:
        parts = (ahead.pop(expected), parts)
        expected += 1
    last = max(block.number, window.last) if block.last else window.last
    if block.number < window.highest:
        note = Note(BLOCK_ORDER, f"block {block.number} came late: block {window.highest} came before it")
    elif ahead and block.number > window.highest + 1:
        sentence = f"block {block.number} came before its turn: block {expected} is missing so far"
        note = Note(BLOCK_ORDER, sentence)
    gone_on = window._replace(next=expected, last=last, highest=max(block.number, window.highest))
    if block.number == 1:
        gone_on = gone_on._replace(first=block.octets)
    if last and expected > last:
        # A transfer of one block is whole in its place.
        whole = _join(parts) if last > 1 else None
        return Joined(gone_on._replace(parts=None, ahead={}, size=0, whole=True), whole, note)
    return Joined(gone_on._replace(parts=parts, ahead=ahead, size=size), None, note)
