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
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.capture.packets.packet_row import ACK, SYN

#: The round-trip time to go by (ns) where no handshake was seen.
DEFAULT_RTT = 3_000_000
#: Next to no time, and the shortest retransmission timer of usual senders (ns).
AT_ONCE, TIMER = 1_000_000, 200_000_000
#: Steps of identifications, each of so much at most, that prove a sender's to rise.
PROOF, STEP = 4, 1024
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


class SenderPast(NamedTuple):
    """The last packets of a sender before it left a gap, and what the other side said since.

    `stood`: ns for which it had stood before the gap when the opener came, -1 if it was not seen there;
    `rising`: its identifications rise; `asked`: acknowledgements of the gap's first octet since the opener.
    """

    stood: int = -1
    rising: bool = False
    asked: int = 0


#: Recalls the past by filler, opener and the first octet of the gap.
Recall = Callable[[SentSegment, SentSegment, int], SenderPast]


def no_past(filler: SentSegment, opener: SentSegment, gap: int) -> SenderPast:
    """Recall of nothing."""
    return SenderPast()


def was_overtaken(
    filler: SentSegment, opener: SentSegment, rtt: int, recall: Callable[[], SenderPast]
) -> bool:
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

    def of(self, half: int, base: int) -> Recall:
        """Recall for one half, whose octet 0 has the sequence number `base`."""
        return partial(self._recall, half, base)

    def _recall(self, half: int, base: int, filler: SentSegment, opener: SentSegment, gap: int) -> SenderPast:
        """The past of the sender of a half before the opener of the gap that begins at octet `gap`."""
        packets, number = self._packets, (base + gap) & 0xFFFFFFFF
        own = self._last(half, opener.packet, PROOF)
        ends = packets["seq"][own] + packets["payload_length"][own]
        ends += (packets["flags"][own] & SYN) > 0
        before = own[ends == number]
        stood = max(0, opener.time - int(packets["time"][before[-1]])) if len(before) else -1
        numbers = np.append(packets["ip_id"][own], np.uint16(opener.ip_id)).astype(np.int64)
        steps = np.diff(numbers) & 0xFFFF
        rising = len(steps) == PROOF and bool(((steps > 0) & (steps <= STEP)).all())
        return SenderPast(stood, rising, self._asked(half ^ 1, opener.packet, filler.packet, number))

    def _last(self, half: int, packet: int, count: int) -> Array:
        """Rows, ascending, of the last packets of a half before this one, up to `count`."""
        found, stop, size = np.zeros(0, np.int64), packet, 256
        while len(found) < count and stop > max(0, packet - _NEAR):
            start = max(0, packet - _NEAR, stop - size)
            found = np.append(start + np.flatnonzero(self._mine(half, slice(start, stop))), found)
            stop, size = start, 4 * size
        return found[-count:]

    def _asked(self, half: int, opener: int, filler: int, number: int) -> int:
        """Packets of a half, without octets, between two others, that acknowledge just this number."""
        rows = slice(max(opener + 1, filler - _NEAR), filler)
        asks = self._mine(half, rows) & (self._packets["ack"][rows] == number)
        asks &= (self._packets["payload_length"][rows] == 0) & ((self._packets["flags"][rows] & ACK) > 0)
        return int(np.count_nonzero(asks))

    def _mine(self, half: int, rows: slice) -> Array:
        mine: Array = self._streams["stream"][rows] == half >> 1
        mine &= self._packets["direction"][rows] == (half & 1)
        return mine
