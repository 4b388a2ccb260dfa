"""A conversation over one link: requests that wait for their answers, and a name for all else that comes."""

import asyncio
from typing import Generic, NamedTuple, TypeVar

from cosemscope.live.links.answers import AnswerBook, AskedApdu, Came, Standing
from cosemscope.live.links.faults import LinkError
from cosemscope.transport.primitives import TcpDataIndication, UdpDataIndication

I = TypeVar("I", bound=TcpDataIndication | UdpDataIndication)  # noqa: E741


class Arrived(NamedTuple, Generic[I]):
    """An APDU that came, what it is to the requests sent, and the response time in s of an answer.

    The time is from before the request was handed to the socket until the last octet of the answer was
    there; None where the APDU is no answer, or may be that of another request.
    """

    indication: I
    came: Came
    seconds: float | None

    @property
    def remark(self) -> str:
        """What is odd about it, as part of a sentence; empty for nothing."""
        request = self.came.request
        words = _REMARKS.get(self.came.standing, "")
        if self.came.standing is Standing.ANSWER and request is not None:
            if not self.came.sure:
                words = "may be the late answer to an earlier request that looks the same"
            if self.indication.remote_wport != request.remote_wport:
                asked = f"from wPort {self.indication.remote_wport}, where {request.remote_wport} was asked"
                words = f"{words}; {asked}" if words else asked
        return words


_REMARKS = {
    Standing.LATE: "late: the answer to a request that was given up",
    Standing.DOUBLED: "doubled: that request has had its answer",
    Standing.UNASKED: "unasked: no request waits for it",
}


class Conversation(Generic[I]):
    """The requests of one link. It sends nothing itself.

    `limit`: seconds after which a request that nobody awaits is given up.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._book = AnswerBook()
        self._awaited: dict[AskedApdu, asyncio.Future[Arrived[I]]] = {}

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for an answer by `answer_to`."""
        return bool(self._awaited)

    def sent(self, apdu: bytes, local_wport: int, remote_wport: int) -> AskedApdu:
        """An APDU is about to be sent."""
        return self._book.ask(apdu, local_wport, remote_wport, self._now(), self._limit)

    def ask(self, apdu: bytes, local_wport: int, remote_wport: int) -> AskedApdu:
        """A request is about to be sent whose answer will be waited for with `answer_to`.

        ValueError when nobody answers such an APDU.
        """
        asked = self._book.ask(apdu, local_wport, remote_wport, self._now())
        if not asked.signs.expects:
            raise ValueError("nobody answers such an APDU: send it without waiting")
        self._awaited[asked] = asyncio.get_running_loop().create_future()
        return asked

    async def answer_to(self, asked: AskedApdu, limit: float | None) -> Arrived[I]:
        """The answer to a request of `ask`. TimeoutError after `limit` s; LinkError when the link ends."""
        async with asyncio.timeout(limit or None):
            return await self._awaited[asked]

    def give_up(self, asked: AskedApdu) -> None:
        """Nobody waits for this answer any more: if it comes, it is late."""
        awaited = self._awaited.pop(asked, None)
        if awaited is not None and awaited.done() and not awaited.cancelled():
            awaited.exception()  # was told to whoever ended it
        self._book.give_up(asked, self._now())

    def take(self, indication: I) -> Arrived[I] | None:
        """What came, named; None when it is the answer that somebody waits for, who has got it."""
        now = self._now()
        came = self._book.came(indication.data, indication.local_wport, indication.remote_wport, now)
        timed = came.standing is Standing.ANSWER and came.sure and came.request is not None
        arrived = Arrived(indication, came, now - came.request.time if timed and came.request else None)
        awaited = None
        if came.standing is Standing.ANSWER and came.request is not None:
            awaited = self._awaited.get(came.request)
        if awaited is None or awaited.done():
            return arrived
        awaited.set_result(arrived)
        return None

    def fail(self, error: LinkError) -> bool:
        """Tell all who wait that no answer will come; whether there was one."""
        waiting = [each for each in self._awaited.values() if not each.done()]
        for each in waiting:
            each.set_exception(LinkError(error.fault, error.message))
        return bool(waiting)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
