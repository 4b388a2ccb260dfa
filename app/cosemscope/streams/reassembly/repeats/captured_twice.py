"""Packets that were captured twice: on two ports of a switch, by two taps, on both sides of a bridge.

A copy has the headers and the octets of the packet before it at the same place, its identification and time
stamp included, which a sender that sends again changes. Where these say nothing (constant, none), only next
to no time between the two tells: no sender is so quick.
"""

from collections.abc import Callable

import numpy as np

from cosemscope.capture.columns import Array, Columns

#: ns within which equal headers alone tell; time stamps of TCP; identifications, where a sender changes them.
AT_ONCE, BY_TIMESTAMP, BY_IDENTIFICATION = 1_000_000, 500_000_000, 2_000_000_000
_EQUAL = ("payload_length", "payload_captured", "ack", "flags", "window", "ip_id", "tsval")


def alike(
    packets: Columns, packet: Array, seen: Array, key: Array, changed: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Of packets that may be copies, those whose headers tell so, int64[m] rows, and what they are copies of.

    `packet`: int64[k], rows that are among `seen`; `seen`: int64[n], rows with octets, ascending, with all
    that carried the same octets; `key`: int64[n], half << 32 | sequence number. `changed` tells of rows
    whether their senders had changed identifications before, and is asked only where that matters.
    """
    # Invariant: in `order` the packets of each place of a half stand together, as they came.
    order = np.argsort(key, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place = np.searchsorted(seen, packet)
    before = order[np.maximum(rank[place] - 1, 0)]
    same = (rank[place] > 0) & (key[before] == key[place])
    packet, original = packet[same], seen[before[same]]
    for name in _EQUAL:
        same = packets[name][packet] == packets[name][original]
        packet, original = packet[same], original[same]
    wait = packets["time"][packet] - packets["time"][original]
    most = np.where(packets["tsval"][packet] > 0, BY_TIMESTAMP, AT_ONCE)
    in_doubt = np.flatnonzero((wait >= most) & (wait < BY_IDENTIFICATION) & (packets["ip_id"][packet] > 0))
    if len(in_doubt):
        most[in_doubt[changed(packet[in_doubt])]] = BY_IDENTIFICATION
    rows = np.flatnonzero((wait >= 0) & (wait < most))
    return packet[rows], original[rows]


def changed_before(packets: Columns, packet: Array, seen: Array, half: Array) -> Array:
    """Whether identifications of the half of each packet were not all the same before it, bool[k].

    `packet`: int64[k], rows among `seen`, int64[n], all rows of these halves, ascending; `half`: int64[n].
    """
    order = np.argsort(half, kind="stable")
    first = np.flatnonzero(np.diff(half[order], prepend=-1))
    size = np.diff(np.append(first, len(order)))
    numbers = packets["ip_id"][seen[order]]
    other = numbers != np.repeat(numbers[first], size)
    rows = np.where(other, seen[order], np.iinfo(np.int64).max)
    changed = np.empty(len(order), np.int64)
    changed[order] = np.repeat(np.minimum.reduceat(rows, first), size)
    return np.asarray(changed[np.searchsorted(seen, packet)] < packet)
