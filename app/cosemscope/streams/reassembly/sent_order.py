"""Sent again or overtaken: what a segment is that fills a gap which later ones left.

Nothing in it says so, and what tells differs from sender to sender. So the first that tells wins:

1. time stamps (RFC 7323) of filler and opener, the first segment behind the gap: the lower was sent first;
2. next to no time between them: nobody learns of a loss so soon;
3. less than a round trip and than any timer, and the sender still stood before the gap when the opener came,
   or not long before: both are of one write;
4. IPv4 identifications, where the last ones of this sender rose in small steps; a late filler, or one for
   which the other side has asked three times, may have kept its number (RFC 1122, 3.2.1.5);
5. less than a round trip: news of the loss takes as long.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple, Protocol

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import ACK, SYN
from cosemscope.streams.reassembly.packet_batch import PacketBatch

#: The round-trip time to go by (ns) where no handshake was seen.
DEFAULT_RTT = 3_000_000
#: Next to no time, and the shortest retransmission timer of usual senders (ns).
AT_ONCE, TIMER = 1_000_000, 200_000_000
#: Steps of identifications, each of so much at most, that prove a sender's to rise; at its beginning.
PROOF, LEAST_PROOF, STEP = 4, 2, 1024
#: Acknowledgements of the same octet that ask for it (RFC 5681).
ASKED = 3
#: Packets of the capture among which the last ones of a sender are looked for.
_NEAR = 1 << 16


class SentSegment(Protocol):
    """The properties of a segment from which the rule tells when it was sent."""

    @property
    def packet(self) -> int:
        """Row of its packet."""

    @property
    def time(self) -> int:
        """Capture time in ns."""

    @property
    def ip_id(self) -> int:
        """IPv4 identification, 0 for none."""

    @property
    def tsval(self) -> int:
        """Time stamp of TCP, 0 for none."""


class Past(Protocol):
    """What a sender did before it left a gap, and what the other side said since."""

    @property
    def stood(self) -> int:
        """Time in ns for which it had stood before the gap when the opener came, -1 unknown."""

    @property
    def rising(self) -> bool:
        """True if its identifications rise."""

    @property
    def asked(self) -> int:
        """Number of acknowledgements of the gap's first octet since the opener."""


class SenderPast(NamedTuple):
    """A `Past` that is known, by default that of a sender of which nothing is."""

    stood: int = -1
    rising: bool = False
    asked: int = 0


#: Recalls the past by filler, opener and the first octet of the gap.
Recall = Callable[[SentSegment, SentSegment, int], Past]


def no_past(filler: SentSegment, opener: SentSegment, gap: int) -> Past:
    """Recall of nothing."""
    return SenderPast()


def was_overtaken(filler: SentSegment, opener: SentSegment, rtt: int, recall: Callable[[], Past]) -> bool:
    """True if a filler was sent before the opener of its gap; `rtt` in ns, -1 unknown.

    `recall` is asked only where the two alone do not tell.
    """
    if filler.tsval and opener.tsval and filler.tsval != opener.tsval:
        return (opener.tsval - filler.tsval) & 0xFFFFFFFF < 1 << 31
    late = filler.time - opener.time
    patience = rtt if rtt >= 0 else DEFAULT_RTT
    if late < min(patience, AT_ONCE):
        return True
    past = recall()
    if late < min(patience, TIMER) and 0 <= past.stood < TIMER:
        return True
    if past.rising:
        ahead = (filler.ip_id - opener.ip_id) & 0xFFFF
        if 0 < ahead < 1 << 15:
            return False
        if ahead and late < 2 * patience and past.asked < ASKED:
            return True
    return late < patience


class SenderPasts:
    """Recalls what senders did, from the packets of a capture and their streams."""

    def __init__(self, packets: Columns, packet_streams: Columns) -> None:
        self._packets = packets
        self._streams = packet_streams
        self._batch: PacketBatch | None = None
        self._begun = len(packets)  # the first row of the batch at hand

    def use(self, batch: PacketBatch) -> None:
        """From now on `batch` is the one at hand, in which the packets of a stream are found at once."""
        self._batch, self._begun = batch, batch.base

    def of(self, half: int, base: int) -> Recall:
        """Recall for one half, whose octet 0 has the sequence number `base`."""
        return _Recaller(self, half, base)

    def stood(self, half: int, opener: SentSegment, number: int) -> int:
        """Time in ns since a half last ended at a sequence number, before the opener; -1 if it did not."""
        packets, own = self._packets, self._last(half, opener.packet, PROOF)
        ends = packets["seq"][own] + packets["payload_length"][own] + ((packets["flags"][own] & SYN) > 0)
        before = own[ends == number]
        return max(0, opener.time - int(packets["time"][before[-1]])) if len(before) else -1

    def rising(self, half: int, filler: SentSegment, opener: SentSegment) -> bool:
        """True if the last identifications of a half, up to the opener's, rose in small steps.

        That of the filler counts as one before the opener's, where it is lower.
        """
        own = self._last(half, opener.packet, PROOF)
        lower = (filler.ip_id - opener.ip_id) & 0x8000
        numbers = [*self._packets["ip_id"][own].tolist(), *[filler.ip_id][: lower > 0], opener.ip_id]
        # How far each is behind the opener's: in order, since the packets themselves may have been overtaken.
        behind = sorted((opener.ip_id - number) & 0xFFFF for number in numbers)
        steps = [more - less for less, more in pairwise(behind)]
        # Where so many packets have not come yet, all that have must do.
        return len(steps) >= LEAST_PROOF and all(0 < step <= STEP for step in steps)

    def _last(self, half: int, packet: int, count: int) -> Array:
        """Rows, ascending, of the last packets of a half before this one, up to `count`."""
        least = max(0, packet - _NEAR)
        found = self._at_hand(half, least, packet)[-count:]
        stop, size = min(packet, self._begun), 256
        while len(found) < count and stop > least:
            start = max(least, stop - size)
            found = np.append(start + np.flatnonzero(self._mine(half, slice(start, stop))), found)
            stop, size = start, 4 * size
        return found[-count:]

    def asked(self, half: int, opener: int, filler: int, number: int) -> int:
        """Packets of a half, without octets, between two others, that acknowledge just this number."""
        least = max(opener + 1, filler - _NEAR)
        before = slice(least, max(least, min(filler, self._begun)))
        rows = np.append(
            least + np.flatnonzero(self._mine(half, before)), self._at_hand(half, least, filler)
        ).astype(np.int64)
        packets = self._packets
        asks = (packets["ack"][rows] == number) & (packets["payload_length"][rows] == 0)
        return int(np.count_nonzero(asks & ((packets["flags"][rows] & ACK) > 0)))

    def _at_hand(self, half: int, start: int, stop: int) -> Array:
        """Rows of the packets of a half from `start` up to `stop` that are in the batch at hand."""
        if self._batch is None:
            return np.zeros(0, np.int64)
        place = self._batch.of_stream(half >> 1)
        place = place[self._batch.direction[place] == (half & 1)]
        return np.asarray(
            place[slice(*np.searchsorted(place, (start - self._begun, stop - self._begun)))] + self._begun
        )

    def _mine(self, half: int, rows: slice) -> Array:
        mine: Array = self._streams["stream"][rows] == half >> 1
        mine &= self._packets["direction"][rows] == (half & 1)
        return mine


class _Recaller:
    """Recalls the past of one half: a hundred thousand of them may wait."""

    __slots__ = ("_base", "_half", "_pasts")

    def __init__(self, pasts: SenderPasts, half: int, base: int) -> None:
        self._pasts, self._half, self._base = pasts, half, base

    def __call__(self, filler: SentSegment, opener: SentSegment, gap: int) -> "_Recalled":
        return _Recalled(self._pasts, self._half, self._base, filler, opener, gap)


class _Recalled:
    """A `Past` that is looked up when it is asked for, each part by itself."""

    def __init__(
        self, pasts: SenderPasts, half: int, base: int, filler: SentSegment, opener: SentSegment, gap: int
    ) -> None:
        self._pasts, self._half = pasts, half
        self._filler, self._opener = filler, opener
        self._number = (base + gap) & 0xFFFFFFFF

    @property
    def stood(self) -> int:
        return self._pasts.stood(self._half, self._opener, self._number)

    @property
    def rising(self) -> bool:
        return self._pasts.rising(self._half, self._filler, self._opener)

    @property
    def asked(self) -> int:
        return self._pasts.asked(self._half ^ 1, self._opener.packet, self._filler.packet, self._number)
