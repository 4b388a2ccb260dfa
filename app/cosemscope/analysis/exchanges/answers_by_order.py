"""Answers by order: where no invoke-id is seen, an answer is of the oldest request of its kind that waits.

Services of short names have no invoke-ids, those of ciphered APDUs are not seen before these are opened. Each
such request gets a lane of its own, and so does its answer. A request that waited longer than the threshold
while its pair was silent is passed over once something else is asked.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from cosemscope.analysis.exchanges.exchange_roles import ORDERED, SILENCE, Family, Role

#: Requests of one pair and family that wait, requests that were passed over, and open invoke-ids: at most.
_MOST_WAITING, _MOST_PASSED, _MOST_OPEN = 4096, 16, 256
_ASKS, _ANSWERS = (Role.BEGIN, Role.GO_ON), (Role.PART, Role.FINAL)
#: Families of lanes that are told by order; the invoke-id's place has a running number.
_BY_ORDER = 64


class PairLine(NamedTuple):
    """What order needs of one WPDU: its place in the batch, pair, Family and Role, lane by invoke-id.

    `ordered`, `exception`: as in Roles; `time`: ns.
    """

    place: int
    pair: int
    family: int
    role: int
    lane: int
    ordered: bool
    exception: bool
    time: int


class _Asked(NamedTuple):
    """A request that waits: when it was sent, by number and time, and its lane."""

    number: int
    time: int
    lane: int


class _Pair:
    """The requests of one wPort pair that wait for answers."""

    def __init__(self, pair: int) -> None:
        self._begin = pair << 32
        # Requests that were taken; and lanes that were given, as many from wherever the requests are known.
        self._number = self._given = 0
        self.forget()

    def forget(self) -> None:
        """The association is over, and with it what was asked in it."""
        self._waiting: dict[int, deque[_Asked]] = {}
        self._passed: dict[int, deque[_Asked]] = {}
        self._answered: dict[int, int] = {}
        # By lane, those with an invoke-id.
        self._open: dict[int, _Asked] = {}

    def fresh(self, family: int) -> int:
        """A lane in which nothing was asked."""
        self._given += 1
        return self._begin | (_BY_ORDER + family) << 25 | self._given & 0x1FFFFFF

    def ask(self, family: int, time: int) -> int:
        """The lane of a request without an invoke-id."""
        waiting = self._waiting.setdefault(family, deque(maxlen=_MOST_WAITING))
        silent = time - self._answered.get(family, 0) > SILENCE
        while silent and waiting and time - waiting[0].time > SILENCE:
            self._passed.setdefault(family, deque(maxlen=_MOST_PASSED)).append(waiting.popleft())
        lane = self.fresh(family)
        self._number += 1
        waiting.append(_Asked(self._number, time, lane))
        return lane

    def open(self, lane: int, time: int = 0) -> None:
        """A request with an invoke-id, or a transfer whose request was not seen."""
        self._open.pop(lane, None)
        if len(self._open) >= _MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._number += 1
        self._open[lane] = _Asked(self._number, time, lane)

    def is_open(self, lane: int) -> bool:
        """Whether something with an invoke-id is open there."""
        return lane in self._open

    def answer(self, family: int, time: int) -> int:
        """The lane of an answer without an invoke-id."""
        self._answered[family] = time
        waiting = self._waiting.get(family)
        if waiting:
            return waiting.popleft().lane
        oldest = self._oldest() if family == Family.ENVELOPE else self._named(family)
        if oldest is not None:
            self._leave(oldest)
        taken = oldest or self._take(self._passed, (family,))
        return taken.lane if taken is not None else self.fresh(family)

    def _named(self, family: int) -> _Asked | None:
        """What waits longest with an invoke-id in this family, or else in an envelope."""
        envelopes = self._waiting.get(Family.ENVELOPE)
        named = (asked for asked in self._open.values() if asked.lane >> 25 & 0x7F == family)
        return next(named, envelopes[0] if envelopes else None)

    def answer_by_id(self, family: int, lane: int, *, last: bool) -> int:
        """The lane of an answer with an invoke-id: another one where only requests without any wait."""
        if lane in self._open:
            if last:
                del self._open[lane]
            return lane
        taken = self._take(self._waiting, (family, Family.ENVELOPE))
        if taken is not None:
            return taken.lane
        if not last:
            self.open(lane)
        return lane

    def refuse(self) -> int | None:
        """The lane of an exception; None where requests with invoke-ids are to be thought of, or nothing."""
        oldest = self._oldest()
        if oldest is None or oldest.lane in self._open:
            return None
        self._leave(oldest)
        return oldest.lane

    def _oldest(self) -> _Asked | None:
        """What waits longest of all, with or without an invoke-id."""
        waiting = (asked[0] for asked in self._waiting.values() if asked)
        return min((*waiting, *self._open.values()), default=None)

    def _leave(self, asked: _Asked) -> None:
        """The oldest of its kind waits no longer."""
        if self._open.pop(asked.lane, None) is None:
            self._waiting[(asked.lane >> 25 & 0x7F) - _BY_ORDER].popleft()

    @staticmethod
    def _take(asked: dict[int, deque[_Asked]], families: Iterable[int]) -> _Asked | None:
        """The oldest of these in the first of the families in which any is."""
        for family in families:
            if asked.get(family):
                return asked[family].popleft()
        return None


class AnswersByOrder:
    """The lanes that order gives to rows, batch after batch, by pair."""

    def __init__(self) -> None:
        self._pairs: dict[int, _Pair] = {}

    def begin(self, pair: int, lanes: Iterable[int]) -> None:
        """A pair of which nothing was taken: these lanes, by invoke-id, are open, the oldest first."""
        one = self._pairs[pair] = _Pair(pair)
        for lane in lanes:
            one.open(lane)

    def take(self, lines: Iterable[PairLine]) -> tuple[dict[int, int], list[int]]:
        """The lanes of the next rows, by place, where order gives them; and the exceptions among these.

        All of their pairs have begun.
        """
        lanes: dict[int, int] = {}
        refused: list[int] = []
        for place, pair, family, role, lane, ordered, exception, time in lines:
            one = self._pairs[pair]
            if exception:
                found = one.refuse()
                if found is not None:
                    lanes[place] = found
                    refused.append(place)
            elif ordered:
                lanes[place] = one.ask(family, time) if role in _ASKS else one.answer(family, time)
            elif family == Family.ASSOCIATION or family == Family.RELEASE:
                if (role == Role.BEGIN) == (family == Family.ASSOCIATION):
                    one.forget()
            elif family not in ORDERED:
                continue
            elif role == Role.BEGIN or (role == Role.GO_ON and not one.is_open(lane)):
                one.open(lane, time)
            elif role in _ANSWERS:
                lanes[place] = one.answer_by_id(family, lane, last=role == Role.FINAL)
        return lanes, refused
