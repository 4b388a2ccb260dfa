"""Chunks of live packets: whole pcapng blocks, with the indexes at which packets end.

Whatever the way in (libpcap, dumpcap, a pipe), packets come as blocks that go to the spool as they are. Each
file of a ring begins with the section's head, so a source says whenever that has changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


class Chunk(NamedTuple):
    """Blocks in the order of the spool.

    `ends` has, for each packet, the index in `blocks` behind its block. A chunk with a `head` has no
    packets: its blocks begin or widen a section, and `head` is all of what a further file must begin with.
    """

    blocks: bytes
    ends: Sequence[int] = ()
    head: bytes | None = None


@dataclass(frozen=True)
class Tally:
    """Counts of the operating system, in packets since the start.

    `dropped` are those that came too fast for the capture, by the system's or the network card's count; None
    where the source does not tell (yet).
    """

    dropped: int | None = None


class SourceError(Exception):
    """A capture that cannot begin or go on; its text is a sentence for people. `kind` is a word for scripts.

    The words: "name" (no such interface), "rights", "down", "filter", "library", "gone", "input", "failed".
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


#: How packets are handed over: each at once, in batches, or as the writer of a pipe likes.
IMMEDIATE, BUFFERED, PIPED = "immediate", "buffered", "pipe"


class ChunkSource(Protocol):
    """A way in for packets, opened and ready. Not for several threads at once."""

    name: str
    """Which way it is, with its version, for people."""
    mode: str
    """`IMMEDIATE`, `BUFFERED` or `PIPED`."""
    hold: int | None
    """Milliseconds for which the system may hold packets back; None where that is not known."""
    finished: bool
    """Nothing more will come."""
    faults: list[SourceError]
    """What went wrong so far: a way in that is gone, input that is damaged."""

    def take(self, wait: float) -> Sequence[Chunk]:
        """Returns the chunks that have come.

        Empty after about `wait` seconds without anything, and when it is finished.
        """

    def tally(self) -> Tally:
        """Returns the system's counts as of now."""

    def trailer(self) -> bytes:
        """Blocks that end a file: the counts of each interface, as of now."""

    def end(self) -> None:
        """Ask it to end: what it still has comes out of `take` until it is `finished`."""

    def close(self) -> None:
        """Let go of everything; doing so twice is no error."""
