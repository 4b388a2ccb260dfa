"""Packets that were captured twice: on two ports of a switch, by two taps, on both sides of a bridge.

A copy has the headers and the octets of the packet before it at the same place, its identification and time
stamp included, which a sender that sends again changes. Where these say nothing (constant, none), only next
to no time between the two tells: no sender is so quick.
"""

import numpy as np

from cosemscope.capture.columns import Array, Columns

#: ns within which equal headers alone tell; time stamps of TCP; identifications, where a sender changes them.
AT_ONCE, BY_TIMESTAMP, BY_IDENTIFICATION = 1_000_000, 500_000_000, 2_000_000_000
_EQUAL = ("payload_length", "payload_captured", "ack", "flags", "window", "ip_id", "tsval")


def alike(packets: Columns, packet: Array, seen: Array, key: Array) -> tuple[Array, Array]:
    """Of packets that may be copies, those whose headers tell so, int64[m] rows, and what they are copies of.

    `packet`: int64[k], rows that are among `seen`; `seen`: int64[n], rows with octets of their halves,
    ascending; `key`: int64[n], half << 32 | sequence number.
    """
    # Invariant: in `order` the packets of each place of a half stand together, as they came.
    order = np.argsort(key, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place = np.searchsorted(seen, packet)
    before = order[np.maximum(rank[place] - 1, 0)]
    original = seen[before]
    same = (rank[place] > 0) & (key[before] == key[place])
    for name in _EQUAL:
        same &= packets[name][packet] == packets[name][original]
    wait = packets["time"][packet] - packets["time"][original]
    told = (packets["ip_id"][packet] > 0) & (_changed(packets, seen, key)[place] < packet)
    most = np.where(packets["tsval"][packet] > 0, BY_TIMESTAMP, AT_ONCE)
    most[told] = BY_IDENTIFICATION
    rows = np.flatnonzero(same & (wait >= 0) & (wait < most))
    return packet[rows], original[rows]


def _changed(packets: Columns, seen: Array, key: Array) -> Array:
    """The first row, int64[n], at which the identifications of each one's half were not all the same."""
    half = key >> 32
    order = np.argsort(half, kind="stable")
    first = np.flatnonzero(np.diff(half[order], prepend=-1))
    size = np.diff(np.append(first, len(order)))
    numbers = packets["ip_id"][seen[order]]
    other = numbers != np.repeat(numbers[first], size)
    rows = np.where(other, seen[order], np.iinfo(np.int64).max)
    changed = np.empty(len(order), np.int64)
    changed[order] = np.repeat(np.minimum.reduceat(rows, first), size) if len(first) else rows
    return changed
