"""Round trips between the point of capture and both ends of each connection, and an answerer's own time.

A capture lies anywhere between two ends: what the network took of a response time is the round trip from
there to the end that answers. The handshake tells it, and so does every segment that is acknowledged at once.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.analysis.outcomes.packet_order import PacketOrder
from cosemscope.capture.packets.packet_row import SYN
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.expert_items import ExpertItems
from cosemscope.streams.tables.stream_kinds import RETRANSMISSION

Numbers = npt.NDArray[np.int64]
_NONE = np.iinfo(np.int64).max
#: Packets that are held against their acknowledgements at once.
_AT_ONCE = 1 << 16


class RoundTrips(NamedTuple):
    """Nanoseconds to both ends, int64[streams, 2]: 0 to the stream's client, 1 to its server; -1 unknown.

    `handshake`: of SYN and SYN-ACK, SYN-ACK and ACK; `data`: the shortest of a segment and a packet that
    acknowledged it at once, which may hold some of the end's own time. What was sent several times tells
    neither: nobody knows which copy was answered (RFC 6298, 3).
    """

    handshake: Numbers
    data: Numbers

    def least(self) -> tuple[Numbers, npt.NDArray[np.bool_]]:
        """The shorter ones, int64[streams, 2], -1 unknown; whether data alone tell them, bool[streams, 2]."""
        known = np.where(self.handshake < 0, _NONE, self.handshake)
        least = np.minimum(known, np.where(self.data < 0, _NONE, self.data))
        return np.where(least == _NONE, -1, least), (self.handshake < 0) & (self.data >= 0)


class OwnTimes(NamedTuple):
    """The answerer's share of each response time: `time`, int64[exchanges], ns, -1 unknown.

    `least`, bool[exchanges]: the share is at least so long, and may be longer.
    """

    time: Numbers
    least: npt.NDArray[np.bool_]


def round_trips(order: PacketOrder, streams: StreamTable, items: ExpertItems) -> RoundTrips:
    """The round trips of all streams as of now."""
    far = streams.answer_times()
    whole = streams["rtt"][: len(far)]
    near = np.where((far >= 0) & (whole >= 0), whole - far, -1)
    opening = order.sent_again(SYN)
    far, near = np.where(opening[0], -1, far), np.where(opening[1], -1, near)
    data = np.full(2 * len(far), _NONE, np.int64)
    carrying = (order.column("payload_length") > 0) & ((order.column("flags") & SYN) == 0)
    # What was sent again is acknowledged nobody knows for which copy.
    again = items["packet"][items["kind"] == RETRANSMISSION.number]
    carrying[again[again < len(carrying)]] = False
    time, rows = order.column("time"), np.flatnonzero(carrying).astype(np.uint32)
    for start in range(0, len(rows), _AT_ONCE):
        sent = rows[start : start + _AT_ONCE].astype(np.int64)
        back = order.acknowledging(sent)
        sent, back = sent[back >= 0], back[back >= 0]
        np.minimum.at(data, order.halves(back), np.maximum(time[back] - time[sent], 0))
    return RoundTrips(np.stack([near, far], 1), np.where(data == _NONE, -1, data).reshape(-1, 2))


def own_times(exchanges: Exchanges, trips: RoundTrips, asked_until: Numbers) -> OwnTimes:
    """The answerers' shares: response times less the round trip between the point of capture and them.

    `asked_until`, int64[exchanges]: when the last copy of a request came that may have been the one to
    arrive, 0 for none; the share is a lower bound then, and where data alone tell the round trip, which may
    hold some of the answerer's own time.
    """
    response = exchanges.response_times()
    trip, bound = (one[exchanges["stream"], 1 - exchanges["side"]] for one in trips.least())
    known = (response >= 0) & (trip >= 0)
    asking = np.maximum(asked_until - exchanges["request_end"], 0)
    own = np.maximum(response - asking - trip, 0)
    return OwnTimes(np.where(known, own, -1), known & (bound | (asking > 0)))
