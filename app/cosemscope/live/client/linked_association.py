"""A client association driven over a link: what it wants sent is sent, what comes is given to it.

One task receives, whoever asks waits for his own answer; the clock is the event loop's. The association
itself (states, blocks, protection) is `application.client`, which knows no socket.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from typing import Any

from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_association import ClientAssociation
from cosemscope.application.client.client_events import (
    AnswerUnmatched,
    ApduRejected,
    AssociationAborted,
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    ClientEvent,
    NotificationReceived,
    RequestAnswered,
    RequestFailed,
    RequestProgress,
    TransmitApdu,
)
from cosemscope.application.client.client_states import ClientState
from cosemscope.application.client.refusals import at_client
from cosemscope.application.client.request_plans import PlanError
from cosemscope.application.client.service_operations import Act, Operation, Set
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.protection.sealing import SealError
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.udp_link import UdpLink
from cosemscope.transport.errors import LocalProtocolError

Told = AnswerUnmatched | ApduRejected | NotificationReceived | RequestProgress
"""What nobody waits for: odd answers, pushes, how far a long request is."""

_REMEMBERED = 256
_ERRORS = (SealError, PlanError, EncodeError, LocalProtocolError)


class LinkedAssociation:
    """One association over one open link. `told` is given whatever is no answer; it must not raise."""

    def __init__(
        self,
        link: TcpLink | UdpLink,
        parameters: AssociationParameters,
        told: Callable[[Told], None] | None = None,
    ) -> None:
        """Raises MeterError where keys or titles are missing."""
        try:
            self.client = ClientAssociation(parameters)
        except SealError as reason:
            raise MeterError(at_client(str(reason), "name a key file that has it")) from None
        self.notifications: deque[NotificationReceived] = deque(maxlen=_REMEMBERED)
        self.last_seconds = 0.0
        self._link = link
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._asked: dict[int, asyncio.Future[RequestAnswered]] = {}
        self._standing: asyncio.Future[AssociationOpened | AssociationReleased] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._receiving: asyncio.Future[None] | None = None
        self._carrying: asyncio.Future[None] | None = None  # the loop alone would let it go
        self._lost = ""

    # What callers wish.

    async def open(self) -> AssociationOpened:
        """Associate. Raises MeterError with the sentence of whoever refused."""
        self._receiving = asyncio.ensure_future(self._receive())
        standing = self._standing = self._loop.create_future()
        await self._carry(self._wished(self.client.associate))
        opened = await standing
        assert isinstance(opened, AssociationOpened)
        return opened

    async def ask(self, operation: Operation) -> RequestAnswered:
        """Ask for an operation; its answer with all parts. Raises MeterError where there is none."""
        if self._lost:
            raise MeterError(at_client(f"nothing can be asked: {self._lost}", "connect again"))
        try:
            number, events = self.client.request(operation, self._loop.time())
        except _ERRORS as reason:
            raise MeterError(self._not_possible(reason)) from None
        answer: asyncio.Future[RequestAnswered] = self._loop.create_future()
        self._asked[number] = answer
        try:
            await self._carry(events)
            return await answer
        finally:
            self._asked.pop(number, None)

    async def tell(self, operation: Set | Act) -> None:
        """Send an operation that nobody confirms. Raises MeterError."""
        try:
            await self._carry(self.client.tell(operation))
        except _ERRORS as reason:
            raise MeterError(self._not_possible(reason)) from None

    async def confirm(self, notification: NotificationReceived) -> None:
        """Confirm a data-notification."""
        await self._carry(self.client.confirm(notification.apdu))

    async def close(self, *, orderly: bool = True) -> None:
        """Release the association where there is one and the link is up, and stop receiving."""
        try:
            if orderly and not self._lost and self.client.state is ClientState.ASSOCIATED:
                standing = self._standing = self._loop.create_future()
                await self._carry(self._wished(self.client.release))
                with contextlib.suppress(MeterError):  # the link is closed next, whatever came of it
                    await standing
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if self._receiving is not None:
                self._receiving.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await self._receiving

    def _wished(self, wish: Callable[[float], tuple[ClientEvent, ...]]) -> tuple[ClientEvent, ...]:
        try:
            return wish(self._loop.time())
        except _ERRORS as reason:
            raise MeterError(self._not_possible(reason)) from None

    @staticmethod
    def _not_possible(reason: Exception) -> str:
        return f"that cannot be asked: {reason}"

    # What happens.

    async def _receive(self) -> None:
        """Give the association what comes, until the link ends."""
        try:
            while True:
                arrived = await self._link.arrived(0)
                data = arrived.indication.data
                await self._carry(self.client.receive(data, self._loop.time()))
        except LinkError as error:
            self._lose(error)

    async def _carry(self, events: tuple[ClientEvent, ...]) -> None:
        """Send what is to be sent, tell the rest."""
        for event in events:
            if isinstance(event, TransmitApdu):
                try:
                    await self._link.send(event.octets)
                except LinkError as error:
                    self._lose(error)
                    return
            else:
                self._take(event)
        self._schedule()

    def _lose(self, error: LinkError) -> None:
        if self._lost:
            return
        self._lost = error.message
        for event in self.client.link_lost(self._loop.time(), error.message):
            self._take(event)
        self._fail_standing(error.message)

    def _take(self, event: ClientEvent) -> None:
        match event:
            case RequestAnswered():
                self.last_seconds = event.answered_at - event.sent_at
                self._settle(self._asked.get(event.number), event)
            case RequestFailed():
                self._fail(self._asked.get(event.number), MeterError(event.refusal, event.results))
            case AssociationOpened() | AssociationReleased():
                self._settle(self._standing, event)
            case AssociationRefused(refusal) if refusal.kind == "client":
                self._fail_standing(refusal.words)
            case AssociationRefused():
                self._fail(self._standing, MeterError(event.refusal))
            case AssociationAborted():
                self._lost = self._lost or event.sentence
                self._fail_standing(event.sentence)
            case NotificationReceived():
                self.notifications.append(event)
                self._tell(event)
            case AnswerUnmatched() | ApduRejected() | RequestProgress():
                self._tell(event)

    def _tell(self, event: Told) -> None:
        if self._told is not None:
            self._told(event)

    @staticmethod
    def _settle(future: "asyncio.Future[Any] | None", event: ClientEvent) -> None:
        if future is not None and not future.done():
            future.set_result(event)

    @staticmethod
    def _fail(future: "asyncio.Future[Any] | None", error: MeterError) -> None:
        if future is not None and not future.done():
            future.set_exception(error)

    def _fail_standing(self, sentence: str) -> None:
        words = f"there is no association: {sentence}"
        advice = "check wPorts and mechanism; a meter that closes at once may not know this client wPort"
        self._fail(self._standing, MeterError(at_client(words, advice)))

    def _schedule(self) -> None:
        """Wake up when the association wants it; a timer that is early is let run, and set anew then."""
        due = self.client.deadline
        if due is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        events = self.client.time_out(self._loop.time())
        if events:
            self._carrying = asyncio.ensure_future(self._carry(events))
        else:
            self._schedule()
