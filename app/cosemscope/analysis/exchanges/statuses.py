"""How each exchange ended: answered, with an error, unanswered, unfinished, unasked and so on.

An exchange whose last answer did not come is *unanswered* where the asker went on without it: it used the
invoke-id again, released or began an association, closed the connection itself, or nothing of the exchange
came for longer than the threshold. It is *unfinished* where the capture, the other side or the connection
ended it before that, where the last answer lacks what would tell how it ended, and where nobody can see
whether a later answer is its own.
"""

from enum import IntEnum
from typing import Any

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
_OPENINGS = (t.AARQ, t.INITIATE_REQUEST)
_NOTIFICATIONS = (t.EVENT_NOTIFICATION, t.DATA_NOTIFICATION, t.INFORMATION_REPORT)
_ENVELOPES = (t.GENERAL_GLO, t.GENERAL_DED, t.GENERAL_CIPHERING, t.GENERAL_SIGNING, t.GENERAL_BLOCK_TRANSFER)
#: Services of which nobody sees what is in them before they are opened or joined.
_HIDDEN = (*_ENVELOPES, *t.GLO_SERVICES, *t.DED_SERVICES)


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
    bad |= np.isin(column["service"], _OPENINGS) & np.isin(column["answer"], (t.RLRE, t.ABRT))
    known = column["final"] & (bad | ~exchanges["cut"])
    found[known] = np.where(bad, ExchangeStatus.ERROR, ExchangeStatus.ANSWERED)[known]
    open_ones = np.flatnonzero(~column["final"] & (column["request"] >= 0))
    open_ones = open_ones[~may_be_answered(exchanges, wpdus)[open_ones]]
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


def may_be_answered(exchanges: Exchanges, wpdus: Columns) -> NDArray[np.bool_]:
    """Whether answers that came may be those of each exchange, which has none, as nobody sees, bool[n].

    What is ciphered shows no invoke-id: that the oldest answer is of the oldest request is taken for granted,
    and that an answer is wanted. So no answer is missed where another one came behind the request, before an
    association was begun or released.
    """
    mask = np.zeros(len(exchanges), np.bool_)
    hidden = np.isin(exchanges["service"], _HIDDEN)
    asked = np.flatnonzero(hidden & (exchanges["request"] >= 0) & (exchanges["response"] < 0))
    told = np.flatnonzero(hidden & (exchanges["response"] >= 0))
    if not len(asked) or not len(told):
        return mask
    place = wpdus["last_packet"].astype(np.int64)

    def keys(rows: NDArray[np.intp], name: str) -> NDArray[np.int64]:
        key: NDArray[np.int64] = exchanges["pair"][rows].astype(np.int64) << 32 | place[exchanges[name][rows]]
        return key

    turns = np.flatnonzero(np.isin(exchanges["service"], (t.AARQ, t.RLRQ)) & (exchanges["request"] >= 0))
    key = keys(asked, "last_request")
    answer, turn = (
        _next_of_pair(np.sort(found), key) for found in (keys(told, "last_response"), keys(turns, "request"))
    )
    mask[asked] = (answer >= 0) & ((turn < 0) | (answer < turn))
    return mask


def _next_of_pair(sorted_keys: NDArray[np.int64], keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first of these keys behind each key that has the same pair, int64[n]; -1 for none."""
    if not len(sorted_keys):
        return np.full(len(keys), -1, np.int64)
    found = sorted_keys[np.minimum(sorted_keys.searchsorted(keys, "right"), len(sorted_keys) - 1)]
    return np.where((found > keys) & (found >> 32 == keys >> 32), found, -1)


def abort_behind(
    exchanges: Exchanges, of: NDArray[np.intp], place: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """The WPDU row of the first ABRT in the pair of each of these exchanges behind its last row, -1 for none.

    `place`: the last packets of all WPDU rows; int64[n].
    """
    last, pair = _last_rows(exchanges, of, place), exchanges["pair"][of]
    place = place.astype(np.int64)
    rows = exchanges.first_rows()[exchanges["service"] == t.ABRT]
    key = exchanges["pair"][exchanges["service"] == t.ABRT].astype(np.int64) << 32 | place[rows]
    order = np.argsort(key, kind="stable")
    at = _next_of_pair(key[order], pair.astype(np.int64) << 32 | place[last])
    found = np.full(len(last), -1, np.int64)
    there = np.flatnonzero(at >= 0)
    found[there] = rows[order[key[order].searchsorted(at[there])]]
    return found


def _last_rows(
    exchanges: Exchanges, of: NDArray[np.intp], place: NDArray[np.integer[Any]]
) -> NDArray[np.int64]:
    """The WPDU row that came last of each of these exchanges, int64[n]; `place`: last packets of all rows."""
    asked, told = exchanges["last_request"][of], exchanges["last_response"][of]
    # Invariant: one of the two is there.
    later = (told >= 0) & ((asked < 0) | (place[np.maximum(told, 0)] >= place[np.maximum(asked, 0)]))
    return np.where(later, told, asked)


def _went_on(
    exchanges: Exchanges,
    rows: NDArray[np.intp],
    wpdus: Columns,
    ends: ConnectionEnds,
    last_time: int,
    silence: int,
) -> NDArray[np.bool_]:
    """Whether the askers of these exchanges, whose last answers did not come, went on without them."""
    stream, side, pair = (exchanges[name][rows] for name in ("stream", "side", "pair"))
    place = wpdus["last_packet"].astype(np.int64)
    last = _last_rows(exchanges, rows, place)
    end, ender = ends.first(stream)
    until = ends.times(end, last_time)
    abort = abort_behind(exchanges, rows, place)
    # An abort ends the association: the asker's own is as good as a release.
    by_asker = (abort >= 0) & (wpdus["direction"][np.maximum(abort, 0)] == side)
    until = np.where(abort >= 0, np.minimum(until, wpdus["time"][np.maximum(abort, 0)]), until)
    quiet = until - wpdus["time"][last] > silence
    # Of each pair the last row in which an association was begun or released.
    turned = np.full(int(pair.max()) + 1 if len(pair) else 0, -1, np.int64)
    anew = np.flatnonzero(np.isin(exchanges["service"], (t.AARQ, t.RLRQ)) & (exchanges["request"] >= 0))
    anew = anew[exchanges["pair"][anew] < len(turned)]
    turned[exchanges["pair"][anew]] = exchanges["request"][anew]
    turn = turned[pair]
    # Of what was captured in one packet, the row decides.
    anew_behind = (turn >= 0) & ((place[turn] > place[last]) | ((place[turn] == place[last]) & (turn > last)))
    went_on: NDArray[np.bool_] = (
        exchanges["given_up"][rows] | anew_behind | (ender == side) | by_asker | quiet
    )
    return went_on
