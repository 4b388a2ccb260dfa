"""Long values in blocks: what is left to send after a GET or an ACTION, and what has come of a SET or ACTION.

One transfer of each direction at a time, told by its invoke-id; another request ends it.
"""

from dataclasses import dataclass, field
from typing import Any

#: Octets of a request and of an answer in blocks, at most: whoever is let in as public may begin a request.
MOST_REQUEST, MOST_ANSWER = 1 << 18, 1 << 22


@dataclass(slots=True)
class OutgoingBlocks:
    """Octets that go out in blocks of `size`: `number` is that of the last block sent."""

    octets: bytes
    size: int
    invoke: int
    number: int = 0
    _at: int = field(default=0, repr=False)

    def next(self) -> tuple[bool, int, bytes]:
        """Whether it is the last block, its number, its octets."""
        piece = self.octets[self._at : self._at + self.size]
        self._at += len(piece)
        self.number += 1
        return self._at >= len(self.octets), self.number, piece


@dataclass(slots=True)
class IncomingBlocks:
    """Octets that come in blocks: `begun` is the request that began it, `number` the last block taken."""

    begun: Any
    number: int = 0
    octets: bytearray = field(default_factory=bytearray)

    def take(self, number: int, octets: bytes) -> bool:
        """Whether the block is the next one, and there is room for it; it is added then."""
        if number != self.number + 1 or len(self.octets) + len(octets) > MOST_REQUEST:
            return False
        self.number = number
        self.octets += octets
        return True
