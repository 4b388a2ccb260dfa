"""Answers and the requests they belong to: by kind of service, invoke-id and wPorts, never by order alone.

A late, doubled or unasked APDU is then no answer to whatever was asked last, and no response time is that of
another request. Where two requests look alike (one kind, one invoke-id), the first answer may be the late one
of the elder: it is told with the request that waits, as not sure, and without a response time.

It reads the first octets of one APDU at a time. What `apdu.first_look` does for thousands in columns takes 60
µs for one alone, as long as all else that an exchange asks of this room.
"""

import enum
import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from cosemscope.apdu.names import tags as t

#: Requests that are remembered when they have been answered or given up: what comes late or twice is named.
_REMEMBERED = 64
#: Requests that may wait at once.
_WAITING = 1024
#: How many times as long as was waited for it an answer may come late.
_LATE = 3

#: Service of an answer: that of its request.
_ANSWERS = {
    t.GET_RESPONSE: t.GET_REQUEST,
    t.SET_RESPONSE: t.SET_REQUEST,
    t.ACTION_RESPONSE: t.ACTION_REQUEST,
    t.ACCESS_RESPONSE: t.ACCESS_REQUEST,
    t.READ_RESPONSE: t.READ_REQUEST,
    t.WRITE_RESPONSE: t.WRITE_REQUEST,
    t.INITIATE_RESPONSE: t.INITIATE_REQUEST,
    t.AARE: t.AARQ,
    t.RLRE: t.RLRQ,
    t.DATA_NOTIFICATION_CONFIRM: t.DATA_NOTIFICATION,
}
_REQUESTS = frozenset(_ANSWERS.values())
#: What answers any request: errors, and envelopes whose inside is not seen.
_ERRORS = frozenset({t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR, t.ABRT})
_ENVELOPES = frozenset(
    {t.GENERAL_GLO, t.GENERAL_DED, t.GENERAL_CIPHERING, t.GENERAL_SIGNING, t.GENERAL_BLOCK_TRANSFER}
)
_UNASKED = frozenset({t.EVENT_NOTIFICATION, t.INFORMATION_REPORT, t.DATA_NOTIFICATION})
_TWINS = {**t.GLO_SERVICES, **t.DED_SERVICES}
_SHORT_IDS = frozenset(
    {
        *(t.GET_REQUEST, t.SET_REQUEST, t.ACTION_REQUEST),
        *(t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE),
    }
)
_LONG_IDS = frozenset({t.ACCESS_REQUEST, t.ACCESS_RESPONSE, t.DATA_NOTIFICATION, t.DATA_NOTIFICATION_CONFIRM})
_CONFIRMED = 0x40


class Standing(enum.Enum):
    """What an APDU that came is to the requests that were sent; the value is the word for people."""

    ANSWER = "answer"
    LATE = "late"  # to a request that was given up
    DOUBLED = "doubled"  # to a request that had its answer
    UNASKED = "unasked"  # to none: a push, an event, or an answer that nothing was asked for


class Signs(NamedTuple):
    """What the first octets show: the service (of a ciphered one, that inside), and the invoke-id or -1."""

    service: int
    invoke_id: int
    expects: bool
    """A request that is to be answered."""


def signs_of(apdu: bytes) -> Signs:
    """The signs of an APDU; service -1 when it is empty. A gateway prefix is looked behind."""
    start = 0
    while len(apdu) > start + 2 and apdu[start] in (t.GATEWAY_REQUEST, t.GATEWAY_RESPONSE):
        start += 3 + apdu[start + 2]
    if len(apdu) <= start:
        return Signs(-1, -1, False)
    tag = apdu[start]
    service = _TWINS.get(tag, tag)
    expects = service in _REQUESTS or service in _ENVELOPES or service not in t.APDU_TAGS
    if tag in _SHORT_IDS and len(apdu) > start + 2:
        # SET and ACTION may be unconfirmed (IEC 62056-5-3, 6.3); GET is always answered.
        confirmed = service == t.GET_REQUEST or bool(apdu[start + 2] & _CONFIRMED)
        return Signs(service, apdu[start + 2] & 0x0F, expects and confirmed)
    if tag in _LONG_IDS and len(apdu) > start + 4:
        first = int.from_bytes(apdu[start + 1 : start + 5], "big")
        confirmed = bool(first >> 24 & _CONFIRMED)
        return Signs(service, first & 0xFFFFFF, expects and confirmed)
    return Signs(service, -1, expects and service != t.DATA_NOTIFICATION)


@dataclass(eq=False)
class AskedApdu:
    """A request that was sent at `time` (s, of the caller's clock) between these wPorts."""

    signs: Signs
    local_wport: int
    remote_wport: int
    time: float
    until: float = math.inf
    """When it is given up unless somebody does so before."""
    doubtful_until: float = 0.0
    """When it was given up: until then its late answer is thought of where another one may be meant."""

    def fits(self, signs: Signs, local_wport: int) -> bool:
        """Whether an APDU with these signs can be its answer, whatever wPort it comes from."""
        if local_wport != self.local_wport or signs.service < 0:
            return False
        if signs.service in _ERRORS or signs.service in _ENVELOPES or self.signs.service in _ENVELOPES:
            return signs.service not in _UNASKED
        asked = _ANSWERS.get(signs.service)
        if asked is None:  # a kind that nobody knows may answer anything; a request or an event, nothing
            return signs.service not in t.APDU_TAGS
        known = signs.invoke_id >= 0 and self.signs.invoke_id >= 0
        same = asked == self.signs.service or self.signs.service not in t.APDU_TAGS
        return same and (not known or signs.invoke_id == self.signs.invoke_id)


class Came(NamedTuple):
    """What an APDU that came is: its standing, the request that it belongs to, and whether that is sure."""

    standing: Standing
    request: AskedApdu | None = None
    sure: bool = True


class AnswerBook:
    """The requests of one link that wait, and those lately answered or given up. Times: see `AskedApdu`."""

    def __init__(self) -> None:
        self._waiting: deque[AskedApdu] = deque(maxlen=_WAITING)
        self._given_up: deque[AskedApdu] = deque(maxlen=_REMEMBERED)
        self._answered: deque[AskedApdu] = deque(maxlen=_REMEMBERED)

    def ask(
        self, apdu: bytes, local_wport: int, remote_wport: int, now: float, limit: float | None = None
    ) -> AskedApdu:
        """A request is about to be sent, given up after `limit` s. One that nobody answers never waits."""
        asked = AskedApdu(signs_of(apdu), local_wport, remote_wport, now, now + limit if limit else math.inf)
        if asked.signs.expects:
            self._waiting.append(asked)
        return asked

    def give_up(self, asked: AskedApdu, now: float) -> None:
        """Nobody waits for this answer any more; for thrice as long again it may still come late."""
        if asked in self._waiting:
            self._waiting.remove(asked)
            asked.doubtful_until = now + _LATE * (now - asked.time)
            self._given_up.append(asked)

    def came(self, apdu: bytes, local_wport: int, remote_wport: int, now: float) -> Came:
        """What an APDU is that came for `local_wport` from `remote_wport`.

        From a wPort that was not asked it is an answer only where nothing else can be meant.
        """
        signs = signs_of(apdu)
        while self._waiting and self._waiting[0].until < now:
            self.give_up(self._waiting[0], now)
        asked = _first(self._waiting, signs, local_wport, remote_wport)
        late = _first(self._given_up, signs, local_wport, remote_wport)
        if (
            asked is None
            and late is None
            and all(each.remote_wport != remote_wport for each in self._waiting)
        ):
            asked = next((each for each in self._waiting if each.fits(signs, local_wport)), None)
        if asked is not None:
            self._waiting.remove(asked)
            if late is None or late.doubtful_until < now:
                self._answered.append(asked)
                return Came(Standing.ANSWER, asked)
            self._given_up.remove(late)
            asked.doubtful_until = late.doubtful_until
            self._given_up.append(asked)  # whose own answer may still come
            return Came(Standing.ANSWER, asked, sure=False)
        if late is not None:
            self._given_up.remove(late)
            self._answered.append(late)
            return Came(Standing.LATE, late)
        doubled = _first(reversed(self._answered), signs, local_wport, remote_wport)
        return Came(Standing.UNASKED) if doubled is None else Came(Standing.DOUBLED, doubled)


def _first(those: Iterable[AskedApdu], signs: Signs, local_wport: int, remote_wport: int) -> AskedApdu | None:
    for each in those:
        if each.remote_wport == remote_wport and each.fits(signs, local_wport):
            return each
    return None
