"""Packets that were captured twice: on two ports of a switch, by two taps, on both sides of a bridge.

A copy has the headers and the octets of the packet before it at the same place, its identification and time
stamp included, which a sender that sends again changes. Where these say nothing (constant, none), only next
to no time between the two tells: no sender is so quick.
"""

from collections.abc import Callable

import numpy as np

from cosemscope.capture.columns import Array, Columns
from cosemscope.streams.reassembly.segments_in_order import compact

#: ns within which equal headers alone tell; time stamps of TCP; identifications, where a sender changes them.
AT_ONCE, BY_TIMESTAMP, BY_IDENTIFICATION = 1_000_000, 500_000_000, 2_000_000_000
#: The same for datagrams, and packets of the capture between the two.
DATAGRAM_WITHIN, NEAR_ROWS = 10_000_000, 1 << 12
# Datagrams of its stream before one that it may be a copy of.
_LATEST = 4
_EQUAL_DATAGRAMS = ("direction", "payload_length", "payload_captured", "ip_id")
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


def datagram_copies(packets: Columns, stream: Array, rows: Array) -> tuple[Array, Array]:
    """Datagrams whose headers are those of one shortly before: their rows, int64[m], and its rows.

    `rows`: int64[k], ascending, datagrams with octets, from `NEAR_ROWS` before the first one in question;
    `stream`: int64[k]. Only identifications that are not 0 tell, where those of datagrams shortly before
    differ, and only for `DATAGRAM_WITHIN`: converters of text give all packets the same one.
    """
    number = packets["ip_id"][rows]
    turn = np.where(np.append(False, number[1:] != number[:-1]), rows, -NEAR_ROWS - 1)
    latest = np.maximum.accumulate(turn)
    order = np.argsort(compact(stream), kind="stable")
    rows, stream, latest = rows[order], stream[order], latest[order]
    found, original = [], []
    for step in range(1, _LATEST + 1):
        one, other = rows[step:], rows[:-step]
        same = (stream[step:] == stream[:-step]) & (one - other <= NEAR_ROWS)
        wait = packets["time"][one] - packets["time"][other]
        same &= (wait >= 0) & (wait < DATAGRAM_WITHIN) & (packets["ip_id"][one] > 0)
        same &= one - latest[step:] <= NEAR_ROWS
        for name in _EQUAL_DATAGRAMS:
            same &= packets[name][one] == packets[name][other]
        found.append(one[same])
        original.append(other[same])
    again, first = np.unique(np.concatenate(found), return_index=True)
    return again, np.concatenate(original)[first]
