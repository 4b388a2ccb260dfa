"""Pairing: which WPDUs make one exchange, for a whole batch at once.

In a lane (wPort pair, family of services, invoke-id) an APDU begins an exchange where it is a request, or
where nothing is open: after a last answer, or at all. So the exchange of each is a running count over its
lane, and all that has to be kept between batches is the last APDU of each lane.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.exchange_roles import Role, Roles
from cosemscope.capture.columns import Array

#: A lane as a number: pair, family in 7 bits, invoke-id + 1 in 25 (24 bits at most, -1: none).
_PAIR, _FAMILY = 32, 25
Lanes = NDArray[np.int64]


class Pairing(NamedTuple):
    """What came of a batch of n rows, all arrays of length n.

    `exchange` int64: numbers from `Pairer.count` on for new ones, -1 for none; `begins` bool: the row is the
    first of its exchange; `roles`: Roles. `given_up`, int64[k]: the exchanges that were open when another
    began in their lanes.
    """

    exchange: NDArray[np.int64]
    begins: NDArray[np.bool_]
    roles: Roles
    given_up: NDArray[np.int64]


class Pairer:
    """Pairs batch after batch of WPDU rows; `count` is the number of exchanges so far."""

    def __init__(self) -> None:
        self.count = 0
        # Of each lane, by number ascending: its exchange, whether that is over, and the lane's last request.
        self._lanes = np.zeros(0, np.int64)
        self._exchange = np.zeros(0, np.int64)
        self._over = np.zeros(0, np.bool_)
        # Of each pair: the lane of its last request (-1 none).
        self._newest = np.zeros(0, np.int64)
        # By pair: the lane of a server's transfer in blocks that is under way, and the last block's exchange.
        self._transfers: dict[int, int] = {}
        self._acknowledged: dict[int, int] = {}

    def add(
        self,
        look: Mapping[str, Array],
        pair: NDArray[np.uint32],
        from_client: NDArray[np.bool_],
        length: NDArray[np.uint32],
        exceptions: Callable[[NDArray[np.bool_]], Lanes],
    ) -> Pairing:
        """Pair the next rows, in the order in which their last octets were captured.

        `look`: their first-look columns; `pair`: their wPort pairs; `from_client`: by DLMS role; `length`:
        octets of the APDU; `exceptions` gives the lanes of those rows, bool[n], that are exceptions.
        """
        roles = Roles(look, length, from_client)
        lane = self.lanes(look, pair, roles)
        if roles.exception.any():
            lane[roles.exception] = exceptions(roles.exception)
        taking_part = (roles.role != Role.NONE) & (roles.role != Role.ACKNOWLEDGE)
        exchange, begins, given_up = self._count(lane, roles.role, taking_part)
        self._acknowledge(exchange, pair, roles)
        return Pairing(exchange, begins, roles, given_up)

    def lanes(self, look: Mapping[str, Array], pair: NDArray[np.uint32], roles: Roles) -> Lanes:
        """The lanes of the next rows; of exceptions those of nobody."""
        lane: Lanes = pair.astype(np.int64) << _PAIR | roles.family.astype(np.int64) << _FAMILY
        lane |= np.where(roles.without_id | roles.exception, 0, look["invoke_id"] + 1)
        self._lanes_without_id(lane, pair, roles, look)
        return lane

    @staticmethod
    def lane_of_nobody(pair: NDArray[np.uint32]) -> Lanes:
        """The lanes of pairs in which nothing is asked."""
        lanes: Lanes = pair.astype(np.int64) << _PAIR
        return lanes

    def _count(
        self, lane: Lanes, role: NDArray[np.uint8], taking_part: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
        """The exchange of each row that takes part, which of them begin one, and the exchanges given up."""
        exchange = np.full(len(lane), -1, np.int64)
        begins = np.zeros(len(lane), np.bool_)
        rows = np.flatnonzero(taking_part)
        if not len(rows):
            return exchange, begins, exchange[:0]
        # Invariant: `order` has the rows of each lane together, in their own order; `first` marks where a
        # lane begins. A row begins an exchange if it asks, or if the row before it in its lane ended one;
        # before the first row of a lane stands what earlier batches left there.
        order = rows[np.argsort(lane[rows], kind="stable")]
        lanes, roles = lane[order], role[order]
        first = np.append(True, lanes[1:] != lanes[:-1])
        ends = (roles == Role.FINAL) | (roles == Role.ALONE)
        over = np.append(True, ends[:-1])
        known, found = self._known(lanes[first])
        over[first] = np.where(found, self._over[known], True) if len(self._lanes) else True
        begin = over | (roles == Role.BEGIN) | (roles == Role.ALONE)
        begins[order] = begin
        # New exchanges are numbered by the rows in which they begin.
        rank = np.cumsum(begins) - 1 + self.count
        running = np.maximum.accumulate(np.where(begin | first, np.arange(len(order)), 0))
        number = np.where(begin, rank[order], -1)
        before = self._exchange[known] if len(self._lanes) else np.full(len(known), -1)
        number[first & ~begin] = before[~begin[first]]
        exchange[order] = number[running]
        # Of a row that begins although its lane is open, the exchange of the row before it is given up.
        earlier = np.append(-1, exchange[order[:-1]])
        earlier[first] = before
        given_up = earlier[begin & ~over]
        self.count += int(np.count_nonzero(begins))
        last = np.append(first[1:], True)
        self._remember(lanes[last], exchange[order[last]], ends[last])
        return exchange, begins, given_up

    def _known(self, lanes: Lanes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
        """Where lanes stand among those of earlier batches, and whether they do."""
        if not len(self._lanes):
            return np.zeros(len(lanes), np.intp), np.zeros(len(lanes), np.bool_)
        at = np.minimum(self._lanes.searchsorted(lanes), len(self._lanes) - 1)
        return at, self._lanes[at] == lanes

    def _remember(self, lanes: Lanes, exchange: NDArray[np.int64], over: NDArray[np.bool_]) -> None:
        at, found = self._known(lanes)
        self._exchange[at[found]], self._over[at[found]] = exchange[found], over[found]
        new = ~found
        if new.any():
            places = self._lanes.searchsorted(lanes[new])
            self._exchange = np.insert(self._exchange, places, exchange[new])
            self._over = np.insert(self._over, places, over[new])
            self._lanes = np.insert(self._lanes, places, lanes[new])

    # Envelopes and blocks without an invoke-id go into the lane of the request that was sent last.

    def _lanes_without_id(
        self, lane: Lanes, pair: NDArray[np.uint32], roles: Roles, look: Mapping[str, Array]
    ) -> None:
        """Put answers in envelopes or general blocks into the lane that they answer."""
        asks = ((roles.role == Role.BEGIN) | (roles.role == Role.GO_ON)) & ~roles.without_id
        most = int(pair.max()) + 1 if len(pair) else 0
        if most > len(self._newest):
            self._newest = np.append(self._newest, np.full(most - len(self._newest), -1, np.int64))
        if roles.without_id.any():
            # Invariant: `order` has the rows of each pair together; `latest` is the place of the last request
            # at or before each place, of whichever pair: where that is another pair, an earlier batch tells.
            order = np.argsort(pair, kind="stable")
            place = np.where(asks[order], np.arange(len(order)), -1)
            latest = np.maximum.accumulate(place)
            here = (latest >= 0) & (pair[order[latest]] == pair[order])
            newest = np.where(here, lane[order[latest]], self._newest[pair[order]])
            given = np.empty_like(lane)
            given[order] = np.where(newest >= 0, newest, pair[order].astype(np.int64) << _PAIR)
            lane[roles.without_id] = given[roles.without_id]
            self._transfer(lane, pair, roles, look)
        asking = np.flatnonzero(asks)
        self._newest[pair[asking]] = lane[asking]  # of several the last one wins

    def _transfer(
        self, lane: Lanes, pair: NDArray[np.uint32], roles: Roles, look: Mapping[str, Array]
    ) -> None:
        """Later blocks of a server's transfer stay in the lane of its first, whatever is asked meanwhile."""
        for row in np.flatnonzero(roles.gbt & roles.without_id & (roles.role != Role.ACKNOWLEDGE)).tolist():
            number = int(pair[row])
            if int(look["block"][row]) > 1:
                lane[row] = self._transfers.get(number, int(lane[row]))
            if roles.role[row] == Role.FINAL:
                self._transfers.pop(number, None)
            else:
                self._transfers[number] = int(lane[row])

    def _acknowledge(self, exchange: NDArray[np.int64], pair: NDArray[np.uint32], roles: Roles) -> None:
        """A block without data goes with the exchange of the last block with data."""
        for row in np.flatnonzero(roles.gbt).tolist():
            number = int(pair[row])
            if roles.role[row] == Role.ACKNOWLEDGE:
                exchange[row] = self._acknowledged.get(number, -1)
            else:
                self._acknowledged[number] = int(exchange[row])
