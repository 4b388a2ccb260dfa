"""The requests that exceptions answer: these have no invoke-id, so the others' answers tell by what is left.

An exception answers the oldest request that gets no answer of its own, whenever that would come. A request
that the asker went on without is none: its invoke-id was used again, an association was begun or released, or
later requests were answered, or made after it had been silent beyond the threshold.
"""

from collections import defaultdict, deque
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.exchange_roles import SILENCE, WITHOUT_ID, Family, Role, Roles
from cosemscope.analysis.exchanges.pairing import Lanes, PairedRows, Pairer
from cosemscope.apdu.first_look import ApduKind
from cosemscope.capture.columns import Array, stable_order

#: Requests of one pair that wait at once; older ones are no exception's.
_WAITING = 64
_Rows = NDArray[np.int64]


class ExceptionOwners:
    """The lanes of exceptions by WPDU row, as they follow from all rows so far."""

    def __init__(self) -> None:
        self._lanes: dict[int, int] = {}
        # Pairs with exceptions whose requests may still get answers of their own.
        self._unsettled = np.zeros(0, np.int64)

    def lanes(self, rows: _Rows, pair: NDArray[np.uint32]) -> Lanes:
        """The lanes of these exceptions of these pairs; those of nobody where they were not taken in."""
        nobodys = Pairer.lane_of_nobody(pair).tolist()
        lanes = [self._lanes.get(row, lane) for row, lane in zip(rows.tolist(), nobodys, strict=True)]
        return np.array(lanes, np.int64)

    def update(
        self, start: int, pair: NDArray[np.uint32], service: Array, read: Callable[[_Rows], PairedRows]
    ) -> bool:
        """Take in the rows from `start` on; whether lanes of exceptions before those are others now.

        `pair`, `service`: columns of all rows; `read(rows)` gives some, in the order of capture. The cost is
        that of the pairs with new exceptions, or with such that a new answer may show to be another's.
        """
        new = np.flatnonzero(np.isin(service[start:], WITHOUT_ID)) + start
        grown = np.intersect1d(pair[start:], self._unsettled) if len(self._unsettled) else self._unsettled
        concerned = np.union1d(pair[new], grown)
        if not len(concerned):
            return False
        found = read(np.flatnonzero(np.isin(pair, concerned)))
        exceptions, lanes, settled = _owners(found)
        self._unsettled = np.union1d(
            np.setdiff1d(self._unsettled, concerned), found.pair[exceptions[~settled]].astype(np.int64)
        )
        told = dict(zip(found.rows[exceptions].tolist(), lanes.tolist(), strict=True))
        changed = any(self._lanes.get(row, lane) != lane for row, lane in told.items())
        self._lanes.update(told)
        return changed


def _owners(rows: PairedRows) -> tuple[_Rows, Lanes, NDArray[np.bool_]]:
    """The places of exceptions, their lanes, and whether no later row of their pairs can change these.

    All rows of the pairs are there. The lane of an exception that answers nothing is of no request.
    """
    roles = Roles(rows.look, rows.from_client)
    lane = Pairer().lanes(rows, roles)
    exceptions = np.flatnonzero(roles.exception)
    asks, following, answered = _asks(lane, roles)
    asks &= roles.family != Family.NOTIFICATION
    open_ones = np.flatnonzero(asks & ~answered & (rows.look["kind"] != ApduKind.UNCONFIRMED))
    pair = rows.pair.astype(np.int64)
    begun = np.flatnonzero(
        (roles.role == Role.BEGIN) & np.isin(roles.family, (Family.ASSOCIATION, Family.RELEASE))
    )
    turned = _last_before(pair[begun], begun, begun, pair[exceptions], exceptions)
    done = np.flatnonzero(asks & answered)
    latest = _last_before(pair[done], following[done], done, pair[exceptions], exceptions)
    waiting: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=_WAITING))
    owner = np.full(len(exceptions), -1, np.int64)
    number = np.full(len(lane), -1, np.int64)
    number[exceptions] = np.arange(len(exceptions))
    for place in np.union1d(open_ones, exceptions).tolist():
        at = int(number[place])
        if at < 0:
            waiting[int(pair[place])].append(place)
            continue
        left = waiting[int(pair[place])]
        still = [ask for ask in left if following[ask] > place and ask >= turned[at]]
        fresh = [ask for ask in still if ask > latest[at]] or still
        patient = [ask for ask in fresh if rows.time[place] - rows.time[ask] <= SILENCE] or fresh[-1:]
        left.clear()
        left.extend(ask for ask in still if ask not in patient[:1])
        owner[at] = patient[0] if patient else -1
    has_owner = owner >= 0
    nobodys = Pairer.lane_of_nobody(rows.pair[exceptions])
    settled = ~has_owner | (following[np.maximum(owner, 0)] < len(lane))
    return exceptions, np.where(has_owner, lane[np.maximum(owner, 0)], nobodys), settled


def _asks(lane: Lanes, roles: Roles) -> tuple[NDArray[np.bool_], _Rows, NDArray[np.bool_]]:
    """Which rows ask, the next row in the lane of each (as many as rows for none), whether that answers."""
    count = len(lane)
    apart = np.isin(roles.role, (Role.NONE, Role.ACKNOWLEDGE, Role.MEMBER))
    rows = np.flatnonzero(~apart & ~roles.exception)
    order = rows[stable_order(lane[rows])]
    same = lane[order[1:]] == lane[order[:-1]]
    following = np.full(count, count, np.int64)
    following[order[:-1][same]] = order[1:][same]
    asks = np.isin(roles.role, (Role.BEGIN, Role.GO_ON))
    answers = np.append(np.isin(roles.role, (Role.PART, Role.FINAL)), False)
    return asks, following, asks & answers[following]


def _last_before(key: _Rows, place: _Rows, value: _Rows, wanted: _Rows, before: _Rows) -> _Rows:
    """The highest value with a wanted key at a place before another one, for each, int64[n]; -1 for none.

    Keys are below 2^31, places and values below 2^32.
    """
    if not len(key):
        return np.full(len(wanted), -1, np.int64)
    # Invariant: `at` ascends, and `highest` is, within each key, the highest value so far.
    at, number = key << 32 | place, key << 32 | value
    order = np.argsort(at, kind="stable")
    at, highest = at[order], np.maximum.accumulate(number[order])
    found = np.searchsorted(at, wanted << 32 | before) - 1
    there = (found >= 0) & (highest[np.maximum(found, 0)] >> 32 == wanted)
    return np.where(there, highest[np.maximum(found, 0)] & 0xFFFFFFFF, -1)
