"""Segments that were sent again inside exchanges: how many, and how long each exchange waited for them.

A copy was needless where an earlier one had arrived: what acknowledges its octets was captured before it, or
so soon behind it that the way to the receiver and back was longer. Needless copies cost nothing.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.outcomes.packet_order import PacketOrder
from cosemscope.analysis.outcomes.round_trips import RoundTrips
from cosemscope.streams.tables.expert_items import ExpertItems
from cosemscope.streams.tables.stream_kinds import RETRANSMISSION
from cosemscope.streams.tables.wpdu_table import WpduTable

Numbers = npt.NDArray[np.int64]


class Resent(NamedTuple):
    """What was sent again in each exchange, int64[exchanges]: `segments`, and the `time` that they cost (ns).

    A segment costs the time from its first copy, or from the segment that overtook a lost one, to the last
    copy that was not needless; of a request, to the last one that was sent before the answer. `asked_until`:
    when the last such copy of a request with an answer was captured, ns since the epoch; 0 for none.
    """

    segments: Numbers
    time: Numbers
    asked_until: Numbers


def resent(
    order: PacketOrder, items: ExpertItems, wpdus: WpduTable, exchanges: Exchanges, trips: RoundTrips
) -> Resent:
    """What was sent again in all exchanges as of now."""
    count, cost, until = (np.zeros(len(exchanges), np.int64) for _ in range(3))
    copies = np.unique(items["packet"][items["kind"] == RETRANSMISSION.number])
    copies = copies[copies < len(order.column("time"))]
    if not len(copies) or not len(exchanges):
        return Resent(count, cost, until)
    first, before = _first_copies(order, copies)
    # Invariant: copy i repeats the packet first[i]; the packet carried[k] has octets of exchange owner[k].
    carried, owner, asks = _carried(wpdus, exchanges, np.unique(first))
    begin, stop = np.searchsorted(carried, first), np.searchsorted(carried, first, "right")
    copy = np.repeat(np.arange(len(copies)), stop - begin)
    within = np.arange(len(copy)) - np.repeat(np.cumsum(stop - begin) - (stop - begin), stop - begin)
    place = begin[copy] + within
    time = order.column("time")
    # Nobody waits for a copy of the request behind the answer, whatever is acknowledged.
    start = exchanges["response_start"][owner[place]]
    behind = asks[place] & (start != 0) & (time[copies[copy]] > start)
    needed = ~_needless(order, copies, trips)[copy] & ~behind
    span = np.where(needed, np.maximum(time[copies[copy]] - time[before[copy]], 0), 0)
    last = np.flatnonzero(needed & asks[place] & (start != 0))
    np.maximum.at(until, owner[place[last]], time[copies[copy[last]]])
    # Of several copies of a segment the longest span counts.
    longest = np.zeros(len(carried), np.int64)
    np.maximum.at(longest, place, span)
    segments = np.unique(place)
    np.add.at(count, owner[segments], 1)
    np.add.at(cost, owner[segments], longest[segments])
    return Resent(count, cost, until)


def _needless(order: PacketOrder, copies: Numbers, trips: RoundTrips) -> npt.NDArray[np.bool_]:
    """Which copies were sent although an earlier one had arrived, bool[copies]."""
    told, half, time = order.first_acknowledgements(copies), order.halves(copies), order.column("time")
    least = trips.least()[0].reshape(-1)
    trip = np.maximum(least[half ^ 1], 0)
    soon = (told < copies) | (time[told] - time[copies] < trip)
    mask: npt.NDArray[np.bool_] = (told >= 0) & soon
    return mask


def _first_copies(order: PacketOrder, copies: Numbers) -> tuple[Numbers, Numbers]:
    """The packets with the first copies of these segments, and those from which their cost counts.

    A segment whose first copy was not captured is its own first one, and counts from what overtook it.
    """
    carrying = np.flatnonzero(order.column("payload_length") > 0)
    seq = order.column("seq")
    # Sequence numbers alone leave few packets over; the halves then decide.
    table = np.zeros(1 << 16, np.bool_)
    table[seq[copies] & 0xFFFF] = True
    alike = carrying[table[seq[carrying] & 0xFFFF]]
    key = order.halves(alike) << 32 | seq[alike]
    by_key = np.argsort(key, kind="stable")
    at = np.searchsorted(key[by_key], order.halves(copies) << 32 | seq[copies])
    first = alike[by_key[at]]
    lost = np.flatnonzero(first >= copies)
    before = first.copy()
    if len(lost):
        halves = np.unique(order.halves(copies[lost]))
        mine = carrying[np.isin(order.halves(carrying), halves)]
        row_key = order.halves(mine) << 32 | mine
        by_key = np.argsort(row_key)
        at = np.searchsorted(row_key[by_key], order.halves(copies[lost]) << 32 | copies[lost]) - 1
        overtaking = mine[by_key[np.maximum(at, 0)]]
        same = (at >= 0) & (order.halves(overtaking) == order.halves(copies[lost]))
        before[lost] = np.where(same, overtaking, copies[lost])
        first[lost] = copies[lost]
    return first, before


def _carried(
    wpdus: WpduTable, exchanges: Exchanges, packets: Numbers
) -> tuple[Numbers, Numbers, npt.NDArray[np.bool_]]:
    """The packets, ascending, whose octets are in exchanges: packet, exchange, whether it asks first."""
    of = exchanges.of["exchange"]
    mark = np.zeros(int(packets.max()) + 1, np.bool_)
    mark[packets] = True
    address, packet = wpdus["address"][: len(of)], wpdus["first_packet"][: len(of)]
    single = np.flatnonzero((address >= 0) & (packet < len(mark)))
    single = single[mark[packet[single]]]
    spread = np.flatnonzero(address < 0)
    rows = np.concatenate([single, spread])
    place, packet = wpdus.pieces(rows)
    wanted = np.flatnonzero((packet < len(mark)) & (of[rows[place]] >= 0))
    wanted = wanted[mark[packet[wanted]]]
    key = np.unique(packet[wanted] << 32 | rows[place[wanted]])
    packet, row = key >> 32, key & 0xFFFFFFFF
    owner = of[row].astype(np.int64)
    asks = row == exchanges["request"][owner]
    return packet, owner, asks
