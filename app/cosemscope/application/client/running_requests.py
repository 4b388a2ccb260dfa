"""Requests on their way: which invoke-id waits for what, until when, and how answers without one stand.

Answers are matched by kind and invoke-id, never by order. Ids go round from 1 to 15 and 0, so that an answer
that comes late meets its own id, and is named, rather than that of the next request.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from cosemscope.apdu.names.tags import ACTION_RESPONSE, GET_RESPONSE, SET_RESPONSE
from cosemscope.application.client.client_events import Unmatched
from cosemscope.application.client.request_plans import PlannedStep
from cosemscope.application.client.service_operations import Act, Get, Operation, PartResult
from cosemscope.application.client.service_steps import ServiceStep
from cosemscope.application.encoding import get_set_action as g

_IDS = 16
KINDS: dict[type, str] = {
    **dict.fromkeys((g.GetResponseNormal, g.GetResponseWithDatablock, g.GetResponseWithList), "GET"),
    **dict.fromkeys(
        (
            g.SetResponseNormal,
            g.SetResponseDatablock,
            g.SetResponseLastDatablock,
            g.SetResponseLastDatablockWithList,
            g.SetResponseWithList,
        ),
        "SET",
    ),
    **dict.fromkeys(
        (
            g.ActionResponseNormal,
            g.ActionResponseWithPblock,
            g.ActionResponseWithList,
            g.ActionResponseNextPblock,
        ),
        "ACTION",
    ),
}


#: The same by the first octet; and where the invoke-id stands.
_KINDS_BY_TAG = {GET_RESPONSE: "GET", SET_RESPONSE: "SET", ACTION_RESPONSE: "ACTION"}
_INVOKE_AT = 2


def kind_of(operation: Operation) -> str:
    """The kind of answer that an operation gets."""
    return "GET" if isinstance(operation, Get) else "ACTION" if isinstance(operation, Act) else "SET"


class RunningRequest:
    """One operation that a user asked for: its steps, and what came of those that are done."""

    __slots__ = (
        "begun",
        "deadline",
        "exchanges",
        "invoke_id",
        "kind",
        "number",
        "operation",
        "results",
        "sent_at",
        "step",
        "steps",
        "total",
    )

    def __init__(self, number: int, operation: Operation, steps: list[PlannedStep]) -> None:
        self.number = number
        self.operation = operation
        self.kind = kind_of(operation)
        self.steps = deque(steps)
        self.total = len(steps)
        self.results: list[PartResult] = []
        self.step: ServiceStep | None = None
        self.invoke_id = -1
        self.deadline = 0.0
        self.sent_at = 0.0
        self.begun = False
        self.exchanges = 0


class RequestTable:
    """The requests that wait to be sent, and those that wait for an answer."""

    def __init__(self, parallel: int) -> None:
        self._parallel = max(1, min(parallel, _IDS - 1))
        self._waiting: deque[RunningRequest] = deque()
        self._pending: dict[int, RunningRequest] = {}
        self._next_id = 1
        #: What came of each id lately: kind of request, and whether it was answered.
        self._past: dict[int, tuple[str, bool]] = {}

    @property
    def deadline(self) -> float | None:
        """When the first of those that wait for an answer has waited too long."""
        return min((one.deadline for one in self._pending.values()), default=None)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._pending)

    def add(self, request: RunningRequest) -> None:
        """Put a request behind those that wait."""
        self._waiting.append(request)

    def next_to_send(self) -> RunningRequest | None:
        """The next request that may be sent now, with an invoke-id of its own."""
        if not self._waiting or len(self._pending) >= self._parallel:
            return None
        request = self._waiting.popleft()
        self.take_id(request)
        return request

    def take_id(self, request: RunningRequest) -> None:
        """Give a request the next free invoke-id."""
        while self._next_id in self._pending:
            self._next_id = (self._next_id + 1) % _IDS
        request.invoke_id = self._next_id
        self._pending[self._next_id] = request
        self._next_id = (self._next_id + 1) % _IDS
        self._past.pop(request.invoke_id, None)

    def end(self, request: RunningRequest, *, answered: bool) -> None:
        """The request waits no longer under its invoke-id."""
        self._pending.pop(request.invoke_id, None)
        self._past[request.invoke_id] = (request.kind, answered)

    def match(self, response: Any) -> tuple[RunningRequest | None, Unmatched, str]:
        """The request that a response answers; or how it stands, and the sentence on it."""
        kind, invoke_id = KINDS[type(response)], response.invoke & 0x0F
        request = self._pending.get(invoke_id)
        if request is not None and request.kind == kind:
            return request, Unmatched.UNASKED, ""
        what = f"{kind} response with invoke-id {invoke_id}"
        past_kind, answered = self._past.get(invoke_id, ("", False))
        if request is None and past_kind == kind:
            if answered:
                return None, Unmatched.DOUBLED, f"a {what} came again: the request has its answer"
            return None, Unmatched.LATE, f"a {what} came late: its request was given up before"
        if request is not None:
            words = f"a {what} came, a {request.kind} response is due under this invoke-id"
            return None, Unmatched.UNASKED, words
        waits = ", ".join(map(str, self._pending)) or "none"
        return None, Unmatched.UNASKED, f"a {what} came unasked (waiting for an answer: {waits})"

    def awaiting(self, octets: bytes) -> RunningRequest | None:
        """The request that a response which cannot be read answers, as far as its first octets tell."""
        kind = _KINDS_BY_TAG.get(octets[0]) if len(octets) >= _INVOKE_AT + 1 else None
        request = self._pending.get(octets[_INVOKE_AT] & 0x0F) if kind is not None else None
        return request if request is not None and request.kind == kind else None

    def oldest(self) -> RunningRequest | None:
        """The request that has waited longest for its answer."""
        return next(iter(self._pending.values()), None)

    def expired(self, now: float) -> list[RunningRequest]:
        """Those that have waited too long."""
        return [one for one in self._pending.values() if one.deadline <= now]

    def clear(self) -> Iterator[RunningRequest]:
        """All requests, which are given up."""
        given_up = [*self._pending.values(), *self._waiting]
        for request in list(self._pending.values()):
            self.end(request, answered=False)
        self._waiting.clear()
        yield from given_up
