"""Fields of timing: what of an exchange's time was the answerer's, what the network's; times of blocks."""

from functools import partial

import numpy as np

from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.row_field import Cost, declared
from cosemscope.analysis.fields.value_arrays import Array, Several, Values
from cosemscope.analysis.fields.value_types import Duration, Flag, Integer
from cosemscope.analysis.outcomes.block_times import longest_pauses

_NONE = Integer(none=-1)
_SPAN = Duration(none=-1)
_declared = partial(declared, cost=Cost.WHOLE)


@_declared("exchange.retransmissions", _NONE, "Exch. retrans.", "Segments of its WPDUs that were sent again")
def _retransmissions(asked: AskedRows) -> Values:
    return asked.of_exchange(asked.facts.resent.segments, -1)


@_declared(
    "exchange.retransmission_time",
    _SPAN,
    "Retrans. time",
    "What those segments cost: from the first copy of each, or what overtook it, to the last one that was "
    "not needless: not acknowledged before, or sooner than the round trip",
)
def _retransmission_time(asked: AskedRows) -> Values:
    return asked.of_exchange(asked.facts.resent.time, -1)


@_declared(
    "exchange.own_time",
    _SPAN,
    "Own time",
    "Response time less the round trip between the point of capture and who answers: the meter's own share",
)
def _own_time(asked: AskedRows) -> Values:
    return asked.of_exchange(asked.facts.own_times.time, -1)


@_declared(
    "exchange.own_time_at_least",
    Flag(none=2),
    "At least",
    "Whether the own time is at least that: without a handshake the round trip may hold some of it, and of a "
    "request that was sent again the last copy may have been the first to arrive",
)
def _own_time_at_least(asked: AskedRows) -> Values:
    time, least = asked.facts.own_times
    return asked.of_exchange(np.where(time >= 0, least, np.uint8(2)), 2)


@_declared(
    "exchange.block_times",
    _SPAN,
    "Block times",
    "Of each block of a transfer: last octet of the WPDU before it in the exchange to its own last octet",
    several=True,
)
def _block_times(asked: AskedRows) -> Values:
    used, places = np.unique(asked.exchange_rows, return_inverse=True)
    times = asked.facts.block_times(used[used >= 0])
    owner, values = times.owner[times.block], times.time[times.block]
    start, stop = (np.searchsorted(owner, used, side) for side in ("left", "right"))
    counts = (stop - start)[places]
    stops = np.cumsum(counts)
    within = np.arange(int(stops[-1]) if len(stops) else 0) - np.repeat(stops - counts, counts)
    return Several(stops, values[np.repeat(start[places], counts) + within])


def _longest(asked: AskedRows, *, row: bool) -> Array:
    """The longest pause within each row's exchange, or the number of the WPDU that ended it; -1 for none."""
    used, places = np.unique(asked.exchange_rows, return_inverse=True)
    exchanges, pauses, rows = longest_pauses(asked.facts.block_times(used[used >= 0]))
    found = np.full(len(used), -1, np.int64)
    found[np.searchsorted(used, exchanges)] = rows + 1 if row else pauses
    return found[places]


@_declared(
    "exchange.longest_pause",
    _SPAN,
    "Longest pause",
    "The longest time within a transfer in blocks between a WPDU and the next",
)
def _longest_pause(asked: AskedRows) -> Values:
    return _longest(asked, row=False)


@_declared("exchange.longest_pause_wpdu", _NONE, "Pause ends", "Number of the WPDU that ended this pause")
def _longest_pause_wpdu(asked: AskedRows) -> Values:
    return _longest(asked, row=True)


def _round_trip(asked: AskedRows, *, server: bool) -> Array:
    """Nanoseconds between the point of capture and the DLMS server, or client, of each row; -1 unknown."""
    near_client = asked.client_is_near
    least, _ = asked.facts.round_trips.least()
    values: Array = least[asked.wpdus("stream"), (near_client == server).astype(np.intp)]
    return values


@_declared(
    "stream.round_trip_server",
    _SPAN,
    "RTT server",
    "Round trip between the point of capture and the DLMS server: the shorter one of the handshake's "
    "part and of data that were acknowledged at once",
)
def _round_trip_server(asked: AskedRows) -> Values:
    return _round_trip(asked, server=True)


@_declared(
    "stream.round_trip_client", _SPAN, "RTT client", "The same between the point of capture and the client"
)
def _round_trip_client(asked: AskedRows) -> Values:
    return _round_trip(asked, server=False)


@_declared(
    "stream.data_round_trip",
    _SPAN,
    "Data RTT",
    "Round trip of the connection by data: the shortest acknowledgements of either side, together",
)
def _data_round_trip(asked: AskedRows) -> Values:
    data = asked.facts.round_trips.data
    whole = np.where((data >= 0).all(1), data.sum(1), -1)
    return whole[asked.wpdus("stream")]
