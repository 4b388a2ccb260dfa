"""How each exchange ended: answered, with an error, unanswered, unfinished, unasked and so on.

An exchange without any answer is *unanswered* where the asker went on without it: it used the invoke-id
again, released or began an association, closed the connection itself, or nothing came for longer than the
threshold. It is *unfinished* where the capture, the other side or the connection ended it first, and where
answers came but not the last, or the last lacks octets that would tell how it ended.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.connection_ends import ConnectionEnds
from cosemscope.analysis.exchanges.exchange_roles import SILENCE, Role
from cosemscope.analysis.exchanges.exchange_table import Exchanges
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Columns


class ExchangeStatus(IntEnum):
    """How an exchange ended; the word is the name for scripts."""

    ANSWERED = 0
    ERROR = 1  # answered with an error: a result, an exception, a refusal
    UNANSWERED = 2
    UNFINISHED = 3
    UNASKED = 4  # an answer without a request
    UNCONFIRMED = 5  # a request that nobody is to answer
    NOTIFICATION = 6

    @property
    def word(self) -> str:
        """The name for scripts: "unanswered"."""
        return self.name.lower()


_ERRORS = (t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR)
_NOTIFICATIONS = (t.EVENT_NOTIFICATION, t.DATA_NOTIFICATION, t.INFORMATION_REPORT)
_ENVELOPES = (t.GENERAL_GLO, t.GENERAL_DED, t.GENERAL_CIPHERING, t.GENERAL_SIGNING, t.GENERAL_BLOCK_TRANSFER)


def statuses(
    exchanges: Exchanges,
    wpdus: Columns,
    ends: ConnectionEnds,
    last_time: int,
    silence: int = SILENCE,
) -> NDArray[np.uint8]:
    """The Status of every exchange as of now, uint8[n].

    `last_time`: the time of the capture's last packet, ns since the epoch; `silence`: the threshold in ns.
    """
    column = {
        name: exchanges[name]
        for name in ("role", "service", "final", "result", "answer", "request", "response")
    }
    found = np.full(len(exchanges), ExchangeStatus.UNFINISHED, np.uint8)
    bad = np.isin(column["answer"], _ERRORS) | (column["result"] > 0)
    known = column["final"] & (bad | ~exchanges["cut"])
    found[known] = np.where(bad, ExchangeStatus.ERROR, ExchangeStatus.ANSWERED)[known]
    open_ones = np.flatnonzero(~column["final"] & (column["request"] >= 0) & (column["response"] < 0))
    found[open_ones[_went_on(exchanges, open_ones, wpdus, ends, last_time, silence)]] = (
        ExchangeStatus.UNANSWERED
    )
    found[column["request"] < 0] = ExchangeStatus.UNASKED
    # What a server sends in an envelope unasked is a push, though nobody can see what is in it.
    found[(column["request"] < 0) & np.isin(column["service"], _ENVELOPES)] = ExchangeStatus.NOTIFICATION
    nobodys = exchanges["unconfirmed"] | (column["role"] == Role.ALONE)
    found[nobodys & (exchanges["responses"] == 0)] = ExchangeStatus.UNCONFIRMED
    found[np.isin(column["service"], _NOTIFICATIONS)] = ExchangeStatus.NOTIFICATION
    return found


def _went_on(
    exchanges: Exchanges,
    rows: NDArray[np.intp],
    wpdus: Columns,
    ends: ConnectionEnds,
    last_time: int,
    silence: int,
) -> NDArray[np.bool_]:
    """Whether the askers of these exchanges, which have no answers, went on without one."""
    stream, side, pair = (exchanges[name][rows] for name in ("stream", "side", "pair"))
    last = exchanges["last_request"][rows]
    place = wpdus["last_packet"].astype(np.int64)
    end, ender = ends.first(stream)
    quiet = (end < 0) & (last_time - wpdus["time"][last] > silence)
    # Of each pair the last row in which an association was begun or released.
    turned = np.full(int(pair.max()) + 1 if len(pair) else 0, -1, np.int64)
    anew = np.flatnonzero(np.isin(exchanges["service"], (t.AARQ, t.RLRQ)) & (exchanges["request"] >= 0))
    anew = anew[exchanges["pair"][anew] < len(turned)]
    turned[exchanges["pair"][anew]] = exchanges["request"][anew]
    turn = turned[pair]
    # Of what was captured in one packet, the row decides.
    anew_behind = (turn >= 0) & ((place[turn] > place[last]) | ((place[turn] == place[last]) & (turn > last)))
    went_on: NDArray[np.bool_] = exchanges["given_up"][rows] | anew_behind | (ender == side) | quiet
    return went_on
