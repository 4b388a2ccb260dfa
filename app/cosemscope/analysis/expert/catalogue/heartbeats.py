"""Heartbeats: the same few octets between WPDUs again and again, which keep a connection up."""

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.columns import stable_order
from cosemscope.streams.tables.expert_items import KINDS, ExpertItems, Group, Severity, declare
from cosemscope.streams.tables.stream_kinds import SKIPPED

HEARTBEAT = declare(
    "heartbeat", Severity.CHAT, Group.WRAPPER, "{octets} that come again and again between WPDUs"
)
#: Octets of a heartbeat at most, and how often it comes at least in one direction.
_LONGEST, _OFTEN = 16, 3

_Numbers = npt.NDArray[np.int64]


def settle_heartbeats(analysis: Analysis, items: ExpertItems) -> None:
    """Turn skipped octets into heartbeats where a direction of a stream has as few of them three times.

    Several that come before a WPDU are one item of skipped octets. What stands behind them was searched for,
    and is found in its place: that is said no more.
    """
    rows = np.flatnonzero((items["kind"] == SKIPPED.number) & (items["stream"] >= 0))
    if not len(rows):
        return
    size, times = _repetitions(analysis, items, rows)
    rows, size, times = (column[(size > 0) & (size <= _LONGEST)] for column in (rows, size, times))
    key = items["stream"][rows] << 8 | items["direction"][rows].astype(np.int64) << 5 | size
    _, number = np.unique(key, return_inverse=True)
    often = np.bincount(number.reshape(-1), times)[number.reshape(-1)] >= _OFTEN
    items["kind"][rows[often]] = HEARTBEAT.number
    found = np.flatnonzero(items["kind"] == KINDS["resynchronised"].number)
    behind = np.isin(_places(items, found), _places(items, rows[often]))
    items.keep(np.setdiff1d(np.arange(len(items)), found[behind]))


def _places(items: ExpertItems, rows: _Numbers) -> _Numbers:
    """Packet and direction of items as one number, int64[n]: a packet is of one stream."""
    places: _Numbers = items["packet"][rows].astype(np.int64) * 2 + items["direction"][rows]
    return places


def _repetitions(analysis: Analysis, items: ExpertItems, rows: _Numbers) -> tuple[_Numbers, _Numbers]:
    """The size of the segments that carry each of these skipped octets, and how many, int64[n] each.

    All of one size, and nothing else in them; else their amount, once.
    """
    packets, streams = analysis.packets, analysis.streams
    amount = items["amount"][rows].astype(np.int64)
    stream = analysis.packet_streams["stream"]
    concerned = np.zeros(len(streams) + 1, np.bool_)
    concerned[items["stream"][rows]] = True
    carrying = np.flatnonzero((packets["payload_length"][: len(stream)] > 0) & concerned[stream])
    if not len(carrying):
        return amount, np.ones(len(rows), np.int64)
    of = stream[carrying].astype(np.int64)
    half = of * 2 + (packets["direction"][carrying] ^ streams["client_side"][of])
    # Invariant: `carrying` has the segments of each direction together; `begin` and `end` count octets of all
    # of them, and `like` is the same for neighbours of one size in one direction.
    order = stable_order(half)
    carrying, half = carrying[order], half[order]
    length = packets["payload_length"][carrying].astype(np.int64)
    end = np.cumsum(length)
    begin = end - length
    like = np.cumsum((np.diff(length, prepend=-1) != 0) | (np.diff(half, prepend=-1) != 0))
    mine = items["stream"][rows].astype(np.int64) * 2 + items["direction"][rows]
    at = np.searchsorted(half << 32 | carrying, mine << 32 | items["packet"][rows].astype(np.int64), "right")
    size, times = amount.copy(), np.ones(len(rows), np.int64)
    # The last of the segments is the item's packet, or the one before that.
    for last in (np.maximum(at - 1, 0), np.maximum(at - 2, 0)):
        first = np.minimum(begin.searchsorted(end[last] - amount), len(begin) - 1)
        whole = (begin[first] == end[last] - amount) & (half[first] == mine) & (like[first] == like[last])
        whole &= first <= last
        size[whole], times[whole] = length[first[whole]], (last - first + 1)[whole]
    return size, times
