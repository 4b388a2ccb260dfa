"""Pairing: which WPDUs make one exchange, for a whole batch at once.

In a lane (wPort pair, family of services, invoke-id) an APDU begins an exchange where it is a request, or
where nothing is open: after a last answer, or at all. So the exchange of each is a running count over its
lane, and all that has to be kept between batches is the last APDU of each lane.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.exchanges.answers_by_order import AnswersByOrder, PairLine
from cosemscope.analysis.exchanges.exchange_roles import ORDERED, Family, Role, Roles
from cosemscope.capture.columns import Array, stable_order

#: A lane as a number: pair, family in 7 bits, invoke-id + 1 in 25 (24 bits at most, -1: none).
_PAIR, _FAMILY = 32, 25
Lanes = NDArray[np.int64]
#: Roles of rows that are in no lane.
_APART = (Role.NONE, Role.ACKNOWLEDGE, Role.MEMBER)


class PairedRows(NamedTuple):
    """What pairing reads of WPDU rows, in the order of capture, an entry a row.

    `look`: first-look columns, with those of `GeneralTransfers`; `pair`: wPort pairs; `from_client`: by DLMS
    role; `time`: of the last octet, ns since the epoch; `rows`: the row numbers.
    """

    look: Mapping[str, Array]
    pair: NDArray[np.uint32]
    from_client: NDArray[np.bool_]
    time: NDArray[np.int64]
    rows: NDArray[np.int64]


class Pairing(NamedTuple):
    """What came of a batch of n rows, all arrays of length n.

    `exchange` int64: numbers from `Pairer.count` on for new ones, -1 for none, and for rows that go with
    others (members of transfers, acknowledgements); `begins` bool: the row is the first of its exchange;
    `roles`: Roles. `given_up`, int64[k]: the exchanges that were open when another began in their lanes.
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
        # By pair with an AARQ that waits for its answer: whether the client sent it.
        self._asking: dict[int, bool] = {}
        # By pair: the number of exchanges as its association began or ended; and whether requests or answers
        # without an invoke-id have been seen, whose order is kept.
        self._turned = np.zeros(0, np.int64)
        self._unnumbered = np.zeros(0, np.bool_)
        self._order = AnswersByOrder()

    def add(self, rows: PairedRows, exceptions: Callable[[NDArray[np.bool_]], Lanes]) -> Pairing:
        """Pair the next rows; `exceptions` gives the lanes of those of them, bool[n], that are exceptions."""
        roles = Roles(rows.look, rows.from_client)
        lane = self.lanes(rows, roles)
        if roles.exception.any():
            lane[roles.exception] = exceptions(roles.exception)
        before = self.count
        exchange, begins, given_up = self._count(lane, roles.role, ~np.isin(roles.role, _APART))
        self._turn(rows.pair, roles, np.cumsum(begins) + before)
        return Pairing(exchange, begins, roles, given_up)

    def lanes(self, rows: PairedRows, roles: Roles) -> Lanes:
        """The lanes of the next rows; of exceptions those of nobody, but for those that `roles` has no more.

        These answer requests without an invoke-id, and have their lanes.
        """
        lane: Lanes = rows.pair.astype(np.int64) << _PAIR | roles.family.astype(np.int64) << _FAMILY
        lane |= np.where(roles.exception, 0, rows.look["invoke_id"] + 1)
        self._refused(lane, rows, roles)
        self._by_order(lane, rows, roles)
        return lane

    def _refused(self, lane: Lanes, rows: PairedRows, roles: Roles) -> None:
        """What is asked with an AARQ may be answered by an RLRE or ABRT too, which then go into its lane."""
        family = roles.family
        there = np.isin(family, (Family.ASSOCIATION, Family.RELEASE, Family.ABORT))
        there &= ~np.isin(roles.role, _APART)
        places = np.flatnonzero(there | roles.exception)
        columns = (places, rows.pair[places], family[places], roles.role[places], rows.from_client[places])
        for place, pair, kin, role, client in zip(*(column.tolist() for column in columns), strict=True):
            asker = self._asking.pop(pair, None)
            if kin == Family.ASSOCIATION and role == Role.BEGIN:
                self._asking[pair] = client
            elif asker is not None and ((kin == Family.RELEASE and role == Role.BEGIN) or asker == client):
                # Nothing that the asker says is an answer; and if it asks for a release, that is answered.
                if not (kin == Family.RELEASE and role == Role.BEGIN and asker == client):
                    self._asking[pair] = asker
            elif asker is not None and kin in (Family.RELEASE, Family.ABORT):
                lane[place] = pair << _PAIR | Family.ASSOCIATION << _FAMILY
                roles.family[place], roles.role[place] = Family.ASSOCIATION, Role.FINAL
                roles.answers[place] = True

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
        order = rows[stable_order(lane[rows])]
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

    # Where no invoke-id is seen, order gives the lane.

    def _by_order(self, lane: Lanes, rows: PairedRows, roles: Roles) -> None:
        """Put requests and answers without an invoke-id, and those beside them, into lanes by their order."""
        pair = rows.pair
        self._grow(pair)
        fresh = np.unique(pair[roles.ordered])
        for one in fresh[~self._unnumbered[fresh]].tolist():
            self._order.begin(one, self._open_lanes(one))
        self._unnumbered[fresh] = True
        there = self._unnumbered[pair] & (roles.role != Role.ALONE) & ~np.isin(roles.role, _APART)
        places = np.flatnonzero(there)
        if not len(places):
            return
        columns = (
            *(places, pair[places], roles.family[places], roles.role[places], lane[places]),
            *(roles.ordered[places], roles.exception[places], rows.time[places]),
        )
        lanes, refused = self._order.take(
            map(PairLine._make, zip(*(column.tolist() for column in columns), strict=True))
        )
        lane[np.fromiter(lanes, np.int64, len(lanes))] = np.fromiter(lanes.values(), np.int64, len(lanes))
        roles.exception[refused] = False

    def _grow(self, pair: NDArray[np.uint32]) -> None:
        missing = (int(pair.max()) + 1 if len(pair) else 0) - len(self._turned)
        if missing > 0:
            self._turned = np.append(self._turned, np.zeros(missing, np.int64))
            self._unnumbered = np.append(self._unnumbered, np.zeros(missing, np.bool_))

    def _open_lanes(self, pair: int) -> list[int]:
        """The lanes of a pair in which something is open that may be answered by order, the oldest first."""
        begin, stop = self._lanes.searchsorted([pair << _PAIR, (pair + 1) << _PAIR])
        family = self._lanes[begin:stop] >> _FAMILY & 0x7F
        there = ~self._over[begin:stop] & np.isin(family, ORDERED)
        there &= self._exchange[begin:stop] >= self._turned[pair]
        order = np.argsort(self._exchange[begin:stop][there])
        found: list[int] = self._lanes[begin:stop][there][order].tolist()
        return found

    def _turn(self, pair: NDArray[np.uint32], roles: Roles, count: NDArray[np.int64]) -> None:
        """Where an association begins or is released, what was asked before is not answered any more.

        `count`: the number of exchanges as of each row.
        """
        turns = (roles.family == Family.ASSOCIATION) & (roles.role == Role.BEGIN)
        turns |= (roles.family == Family.RELEASE) & (roles.role == Role.FINAL)
        rows = np.flatnonzero(turns)
        if len(rows):
            self._turned[pair[rows]] = count[rows]
