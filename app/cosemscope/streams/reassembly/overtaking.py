"""Two segments of which the second overtook the first, put in order for a whole batch with NumPy.

It is the commonest disorder there is, and the reassembler would take it segment by segment. Only the plain
case is put right here: both segments come next to each other in their stream, nothing was acknowledged beyond
them, and the first rules of `sent_order` call the late one overtaken. All others go there.

Where a capture begins without the SYN, the first segment seen may have overtaken whole WPDUs: these stand
before octet 0, and are found too.
"""

from collections.abc import Callable

import numpy as np

from cosemscope.capture.columns import Array
from cosemscope.capture.packets.packet_row import ACK, FIN, RST, SYN
from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.packet_batch import PacketBatch
from cosemscope.streams.reassembly.segments_in_order import Segments
from cosemscope.streams.reassembly.sent_order import AT_ONCE, DEFAULT_RTT, TIMER
from cosemscope.streams.recognition import HEAD, believable, take_heads
from cosemscope.transport.wpdu import HEADER_SIZE

# Packets of the stream before a pair among which the other side's last acknowledgement is looked for.
_LOOK_BACK = 4


def put_right(
    segments: Segments, fast: Array, blind: Array, batch: PacketBatch, base: Array, rtt: Array
) -> Array:
    """Exchange such pairs in place; returns the mask, bool[s], of the early ones, now behind the late ones.

    `fast`: bool[s], segments of halves in the fast path; `blind`: bool[s], segments to leave; `base`:
    uint32[h], by half; `rtt`: int64, ns, by stream, -1 unknown.
    """
    early = np.flatnonzero(
        (segments.start[:-1] > segments.before[:-1])
        & (segments.start[1:] == segments.before[:-1])
        & (segments.stop[1:] == segments.start[:-1])
        & (segments.group[1:] == segments.group[:-1])
        & fast[:-1]
        & fast[1:]
    )
    length = segments.stop - segments.start
    late = early + 1
    sound = (segments.captured[early] == length[early]) & (segments.captured[late] == length[late])
    early = early[sound & ~blind[late]]
    early = early[_plain(segments, early, batch, base, rtt)]
    overtook = np.zeros(len(fast), np.bool_)
    overtook[early + 1] = True
    exchange(segments, early)
    return overtook


def exchange(segments: Segments, position: Array) -> None:
    """Let the segments at these positions, int64[k], change places with those behind them."""
    pair, turned = np.stack((position, position + 1)), np.stack((position + 1, position))
    for column in (segments.packet, segments.start, segments.stop, segments.address, segments.captured):
        column[pair] = column[turned]
    segments.before[position + 1] = np.maximum(segments.before[position], segments.stop[position])


def find_early(segments: Segments, unsure: Array, source: PayloadSource) -> tuple[Array, Array]:
    """Positions, int64[k], and headers, HEAD[k], of segments before octet 0 that are one WPDU each.

    `unsure`: bool[s], segments of halves without a SYN that hold nothing behind the highest octet seen.
    """
    position = np.flatnonzero(unsure & (segments.stop <= 0))
    length = segments.stop[position] - segments.start[position]
    sound = (segments.captured[position] == length) & (length >= HEAD.itemsize)
    sound &= source.at_hand(segments.address[position])
    position, length = position[sound], length[sound]
    head = source.gather(HEAD, segments.address[position])
    whole = np.flatnonzero(believable(head) & (head["length"].astype(np.int64) + HEADER_SIZE == length))
    return position[whole], take_heads(head, whole)


def _plain(segments: Segments, early: Array, batch: PacketBatch, base: Array, rtt: Array) -> Array:
    """Mask of pairs, bool[k]: packets next to each other in their stream where nothing else is going on.

    `early`: int64[k], positions of the early ones; each is followed by its late one.
    """
    one, other = segments.packet[early], segments.packet[early + 1]
    rank = np.zeros(len(batch.stream), np.int64)
    rank[batch.order] = np.arange(len(batch.order))
    plain = rank[other] == rank[one] + 1
    side = batch.direction[one]
    plain &= ((batch.flags[one] | batch.flags[other]) & (SYN | FIN | RST)) == 0
    before = _last_of(
        batch, one, rank, lambda row: (batch.direction[row] != side) & ((batch.flags[row] & ACK) > 0)
    )
    plain &= before >= 0
    # The other side has acknowledged nothing from the early one on: it does not have it yet.
    clean_up_to = segments.before[early]
    gap = base[segments.half[early]] + clean_up_to.astype(np.uint32)
    acked = (batch.ack[before] - gap).astype(np.int32)
    plain &= clean_up_to + acked < segments.start[early]
    before_gap = _last_of(
        batch, one, rank, lambda row: (batch.direction[row] == side) & (_end(batch, row) == gap)
    )
    plain &= _overtaken(batch, one, other, rtt[segments.half[early] >> 1], before_gap)
    return np.asarray(plain)


def _end(batch: PacketBatch, rows: Array) -> Array:
    """Sequence numbers behind packets, uint32[k]."""
    return np.asarray(batch.first_octets(rows) + batch.payload_length[rows])


def _last_of(batch: PacketBatch, one: Array, rank: Array, wanted: Callable[[Array], Array]) -> Array:
    """The last `wanted` packet of its stream before each of `one`, int64[k]; -1 if it is not near.

    `rank`: int64[n], where each packet stands in `batch.order`; `wanted`: the mask of such packets, [k].
    """
    found = np.full(len(one), -1, np.int64)
    for step in range(1, _LOOK_BACK + 1):
        before = batch.order[np.maximum(rank[one] - step, 0)]
        fits = (found < 0) & (rank[one] >= step) & (batch.stream[before] == batch.stream[one])
        fits &= wanted(before)
        found[fits] = before[fits]
    return found


def _overtaken(batch: PacketBatch, early: Array, late: Array, rtt: Array, before_gap: Array) -> Array:
    """Mask, bool[k], of late packets that were sent first, by the first rules of `was_overtaken`.

    `before_gap`: int64[k], packets with which the senders stood before the gap, -1 for none.
    """
    stamped = (batch.tsval[early] > 0) & (batch.tsval[late] > 0)
    ahead = (batch.tsval[early] - batch.tsval[late]).astype(np.int32)
    waited = batch.time[late] - batch.time[early]
    patience = np.where(rtt >= 0, rtt, DEFAULT_RTT)
    stood = np.maximum(batch.time[early] - batch.time[before_gap], 0)
    one_write = (before_gap >= 0) & (stood < TIMER) & (waited < np.minimum(patience, TIMER))
    # Within a round trip an identification that is not ahead says the same as time, whether it counts or not.
    behind = (batch.ip_id[late] - batch.ip_id[early]).astype(np.int16) <= 0
    in_time = (waited < np.minimum(patience, AT_ONCE)) | one_write | (behind & (waited < patience))
    return np.where(stamped & (ahead != 0), ahead > 0, in_time)
