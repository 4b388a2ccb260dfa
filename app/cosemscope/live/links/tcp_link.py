"""TCP links: the TCP-based transport layer (IEC 62056-4-7, clause 6) over asyncio sockets.

    async with connect_tcp("192.0.2.7", local_wport=16, remote_wport=1) as link:
        answer = await link.request(apdu)

    async with serve_tcp("127.0.0.1", 4059, local_wports=(1,)) as server:
        async with await server.accept() as link:
            request = await link.receive()
            await link.send(answer)

`TcpLink` carries out what the transport core asks for (SEND, CLOSE, ABORT) and tells it what the socket did;
whatever happens to the socket comes out as a primitive, and ends every wait with a `LinkError`.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType

from cosemscope.live.links.addresses import LinkAddress, check_apdu, check_wport
from cosemscope.live.links.conversation import Arrived, Conversation
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.reasons import reason_of, words_of
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import (
    DEFAULT_OPTIONS,
    TELLS_ACKNOWLEDGED,
    LinkOptions,
    SocketConnection,
    open_connection,
)
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.calls import Abort, Close, Open, Receive, Send, Status
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import ConfirmationType, DisconnectReason, Quadruple, Result
from cosemscope.transport.primitives import (
    TcpAbortIndication,
    TcpConnectIndication,
    TcpConnectRequest,
    TcpDataConfirm,
    TcpDataIndication,
    TcpDataRequest,
    TcpDisconnectConfirm,
    TcpDisconnectIndication,
    TcpDown,
)
from cosemscope.transport.states import Connection as State
from cosemscope.transport.tcp import TcpEvent, TcpTransport
from cosemscope.transport.timers import TcpTimeouts
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE, PUBLIC_CLIENT, Side

#: Seconds for closing in order when a program has failed or was cancelled: nobody waits for a peer then.
MOMENT = 0.25
#: Seconds between questions whether the peer's TCP has acknowledged what was sent: the first, the longest.
_ASK_FIRST, _ASK_AT_MOST = 0.002, 0.2

Observer = Callable[["TcpLink", TcpEvent | TcpDown], None]
"""Told of all that crosses the transport layer's borders: primitives, calls, reports. Must not raise."""


def _timeouts(options: LinkOptions) -> TcpTimeouts:
    return TcpTimeouts(
        connect=None,  # the socket layer bounds the opening
        wpdu=options.wpdu_timeout or None,
        inactivity=options.inactivity_timeout or None,
        send=options.send_timeout or None,
        disconnect=options.close_timeout or None,
    )


def _confirmations(options: LinkOptions) -> frozenset[ConfirmationType]:
    both = options.remote_confirms and TELLS_ACKNOWLEDGED
    return frozenset(ConfirmationType) if both else frozenset({ConfirmationType.LOCAL})


class TcpLink(SocketConnection):
    """One TCP connection with its transport layer, of either side. Made by `connect_tcp` and `serve_tcp`.

    `local_wport` and `remote_wport` are those of `send`; on the server's side they follow the last APDU
    received. Several application entities may share the connection; their wPorts are in `core.bindings`.
    """

    def __init__(
        self,
        bindings: WPortBindings,
        options: LinkOptions = DEFAULT_OPTIONS,
        recorder: Recorder | None = None,
        observer: Observer | None = None,
        *,
        wports: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(options, recorder, initiated=wports is not None)
        self.core = TcpTransport(bindings, timeouts=_timeouts(options), confirmations=_confirmations(options))
        self.local_wport, self.remote_wport = wports or (next(iter(bindings), 0), 0)
        self.ended: LinkError | None = None
        """Why nothing more will come, once that is known."""
        self._observer = observer
        self.conversation: Conversation[TcpDataIndication] = Conversation(options.answer_timeout)
        self.dropped = 0
        self._waiting: deque[Arrived[TcpDataIndication]] = deque()
        self._arrived: asyncio.Event = asyncio.Event()
        self._reading_paused = False
        self._unaccepted = 0
        self._heard: TcpDataIndication | None = None
        self._asking: asyncio.TimerHandle | None = None
        self._submitted = self._confirmed = 0
        self._refused_at: set[int] = set()
        self._confirm_waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._disconnected: asyncio.Future[None] | None = None
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._problem: RemoteProtocolError | None = None

    # What users call.

    async def send(
        self, apdu: bytes, *, local_wport: int | None = None, remote_wport: int | None = None
    ) -> None:
        """Send one APDU; returns at TCP-DATA.confirm (LOCAL): the socket has taken all of it.

        Waits while the peer does not read, at most `send_timeout`. A `local_wport` that is not bound is bound
        first when this side opened the connection. On the server's side the wPorts are those of the last APDU
        received: before one has come, and after one for All-station, `remote_wport` has to be said.
        Raises LinkError, TypeError when the APDU is no octets.
        """
        request = self._request(apdu, local_wport, remote_wport)
        if self.initiated:
            self.conversation.sent(request.data, request.local_wport, request.remote_wport)
        await self._hand_over(request)

    async def request(
        self,
        apdu: bytes,
        timeout: float | None = None,
        *,
        local_wport: int | None = None,
        remote_wport: int | None = None,
    ) -> bytes:
        """Send one APDU and wait for its answer, as `exchange` does; the answer's octets."""
        arrived = await self.exchange(apdu, timeout, local_wport=local_wport, remote_wport=remote_wport)
        return arrived.indication.data

    async def exchange(
        self,
        apdu: bytes,
        timeout: float | None = None,
        *,
        local_wport: int | None = None,
        remote_wport: int | None = None,
    ) -> Arrived[TcpDataIndication]:
        """Send one APDU and wait for its answer, told by kind, invoke-id and wPorts; with its response time.

        What else comes meanwhile, pushes and late or doubled answers, is left for `receive`; more of it than
        may wait is dropped, the oldest first, and counted in `dropped`. Several exchanges may be under way.
        `timeout` in seconds (default: the options'; 0: none). Raises LinkError; ValueError for an APDU that
        nobody answers.
        """
        request = self._request(apdu, local_wport, remote_wport)
        asked = self.conversation.ask(request.data, request.local_wport, request.remote_wport)
        limit = timeout if timeout is not None else self.options.answer_timeout
        try:
            self._make_room()
            await self._hand_over(request)
            return await self.conversation.answer_to(asked, limit)
        except LinkError:
            raise
        except TimeoutError:
            raise self._no_answer(limit) from None
        finally:
            self.conversation.give_up(asked)

    def _request(self, apdu: bytes, local_wport: int | None, remote_wport: int | None) -> TcpDataRequest:
        """The TCP-DATA.request for an APDU. Raises LinkError, TypeError."""
        apdu = check_apdu(apdu)
        if remote_wport is None and not self.initiated:
            self._check_addressee()
        local = self.local_wport if local_wport is None else check_wport(local_wport)
        remote = self.remote_wport if remote_wport is None else check_wport(remote_wport)
        try:
            request = self.core.data_request(local, remote, apdu)
        except ValueError as error:
            raise LinkError(Fault.TOO_LARGE, str(error)) from None
        if self.initiated and local not in self.core.bindings:
            self.core.bindings.bind(local)
        return request

    def _make_room(self) -> None:
        """Go on reading although nobody takes what has come: an answer may stand behind it."""
        while len(self._waiting) >= self.options.waiting_limit:
            self._waiting.popleft()
            self.dropped += 1
        self._read_on()

    async def reply(self, indication: TcpDataIndication, apdu: bytes) -> None:
        """Answer `indication`, as `send` does.

        Raises LinkError; what came for All-station is not answered (Fault.ADDRESS).
        """
        try:
            request = indication.reply(check_apdu(apdu))
        except ValueError as error:
            raise LinkError(Fault.ADDRESS if indication.broadcast else Fault.TOO_LARGE, str(error)) from None
        await self._hand_over(request)

    def _check_addressee(self) -> None:
        """Say what is wrong with sending to whoever sent last."""
        if self._heard is None:
            words = f"nothing has come from {self.remote} yet: say which wPort to send to (remote_wport)"
            raise LinkError(Fault.ADDRESS, words)
        if self._heard.broadcast:
            words = f"what {self.remote} sent last was broadcast (All-station), which is not answered"
            raise LinkError(Fault.ADDRESS, words)

    async def _hand_over(self, request: TcpDataRequest) -> None:
        self._submit(request)
        self._submitted += 1
        number = self._submitted
        self._run()
        if self._confirmed < number:
            waiter = asyncio.get_running_loop().create_future()
            self._confirm_waiters.append((number, waiter))
            await waiter
        if number in self._refused_at:
            self._refused_at.discard(number)
            raise self._why_gone()

    async def receive(self, timeout: float | None = None) -> bytes:
        """The next APDU. `timeout` in seconds (default: the options'; 0: none).

        Raises LinkError: TIMEOUT, CLOSED when the peer has closed, and so on; the last is raised again
        at every further call.
        """
        return (await self.indication(timeout)).data

    async def indication(self, timeout: float | None = None) -> TcpDataIndication:
        """The next TCP-DATA.indication, with its wPorts. Raises LinkError."""
        return (await self.arrived(timeout)).indication

    def __aiter__(self) -> AsyncIterator[bytes]:
        """APDUs as they come, without a limit of time, until the peer closes in order. Raises LinkError."""
        return self._apdus()

    async def _apdus(self) -> AsyncIterator[bytes]:
        while True:
            try:
                apdu = await self.receive(0)
            except LinkError as error:
                if error.fault is Fault.CLOSED:
                    return
                raise
            yield apdu

    async def arrived(self, timeout: float | None = None) -> Arrived[TcpDataIndication]:
        """The next APDU, with what it is to the requests that were sent. Raises LinkError."""
        if not self._waiting:
            await self._wait(timeout if timeout is not None else self.options.answer_timeout)
        if not self._waiting:
            self._respond()
            raise self._why_gone()
        arrived = self._waiting.popleft()
        indication = arrived.indication
        if len(self._waiting) <= self.options.waiting_limit // 2:
            self._read_on()
        if not self.initiated:
            self.local_wport, self.remote_wport = indication.local_wport, indication.remote_wport
        self._heard = indication
        return arrived

    async def close(self, within: float | None = None) -> None:
        """Close in order (TCP-DISCONNECT) if the connection is still there, and let go of the socket.

        `within`: seconds after which it is broken instead (default: the options' times); it is as soon as
        closing is cancelled.
        """
        late = asyncio.get_running_loop().call_later(within, self.abort) if within is not None else None
        try:
            await self._close()
        except BaseException:
            self.abort()
            raise
        finally:
            if late is not None:
                late.cancel()

    async def _close(self) -> None:
        self._closing = True
        self._waiting.clear()
        self._read_on()
        if not self._respond() and self.core.connection is State.CONNECTED:
            self._disconnected = asyncio.get_running_loop().create_future()
            self._submit(self.core.disconnect_request())
            self._run()
            await self._disconnected
        await self.wait_ended()

    def abort(self) -> None:
        """Break the connection with a RST."""
        self._closing = True
        self.ended = self.ended or LinkError(
            Fault.CLOSED, f"the connection to {self.remote} was aborted here"
        )
        self.reset()

    async def __aenter__(self) -> "TcpLink":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close(MOMENT if kind is not None else None)

    # What the socket tells.

    def opening(self, address: LinkAddress) -> None:
        """TCP-CONNECT.request."""
        try:
            request = TcpConnectRequest(
                local_ip_address="::" if ":" in address.host else "0.0.0.0",
                local_tcp_port=0,
                remote_ip_address=address.host,
                remote_tcp_port=address.port,
            )
        except ValueError as error:
            raise LinkError(Fault.ADDRESS, str(error)) from None
        self._submit(request)
        self._run()

    def opening_failed(self, fault: LinkError) -> None:
        """TCP-CONNECT.confirm, with a failure."""
        self.core.open_failed(reason_of(fault), self._now())
        self._run()

    def opened(self) -> None:
        """TCP-CONNECT.confirm on the initiating side, .indication and .response on the other."""
        where = Quadruple(self.local.host, self.local.port, self.remote.host, self.remote.port)
        self.core.opened(where, self._now())
        self._run()

    def octets_received(self, octets: bytes) -> None:
        """RECEIVE has brought octets."""
        self._acknowledge()
        self.core.octets_received(octets, self._now())
        self._run()

    def end_received(self) -> None:
        """RECEIVE has met the peer's FIN; what it has acknowledged by then is asked while that can be."""
        self._acknowledge()
        self.core.end_of_stream(self._now())
        self._run()
        if self.initiated and not self._waiting:
            self._respond()  # nothing is owed to a peer that was asked and has closed

    def resume_writing(self) -> None:
        """The socket takes octets again: SEND has accepted what was held up."""
        super().resume_writing()
        if self._unaccepted and self.fault is None:
            count, self._unaccepted = self._unaccepted, 0
            self.core.octets_sent(count, self._now())
            self._run()

    def connection_ended(self, fault: LinkError | None) -> None:
        """The socket is gone; the transport layer learns of it unless it had ended the connection itself."""
        if self.core.connection is not State.NO_CONNECTION:
            if fault is not None:
                self.core.connection_lost(reason_of(fault), self._now())
            else:
                self.core.closed(self._now())
            self._run()
        self._end(fault or LinkError(Fault.CLOSED, f"the connection to {self.remote} is closed"))
        for timer in (self._timer, self._asking):
            if timer is not None:
                timer.cancel()
        self._timer = self._asking = None
        if self._disconnected is not None and not self._disconnected.done():
            self._disconnected.set_result(None)

    # The transport core at work.

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _submit(self, primitive: TcpDown) -> None:
        try:
            self.core.submit(primitive, self._now())
        except LocalProtocolError as error:
            if self.ended is not None:
                raise self._why_gone() from None
            raise LinkError(Fault.FAILED, str(error)) from None
        if self._observer is not None:
            self._observer(self, primitive)

    def _respond(self) -> bool:
        """Answer a TCP-DISCONNECT.indication of the peer's wish, once what it sent before has been taken."""
        if self.core.connection is not State.DISCONNECT_INDICATED:
            return False
        indication = TcpDisconnectIndication(
            reason=DisconnectReason.REMOTE_REQ, **self.core.quadruple._asdict()
        )
        self._submit(indication.response())
        self._run()
        return True

    def _run(self) -> None:
        """Carry out what the core asks for and hand up what it has."""
        for event in self.core.events():
            if self._observer is not None:
                self._observer(self, event)
            match event:
                case TcpDataIndication():
                    self._take(event)
                case Send():
                    self._send(event)
                case Receive() | Open() | Status():
                    pass  # asyncio reads by itself, opens in `open_connection`, and tells of losses
                case TcpDataConfirm():
                    self._confirm(event)
                case TcpConnectIndication():
                    self._submit(event.response())
                case Close():
                    (self.shut if event.release else self.finish)()
                case Abort():
                    self.reset()
                case RemoteProtocolError():
                    self._problem = event
                case TcpAbortIndication():
                    self._end(self.fault or words_of(event.reason, self.remote, self.options, self._problem))
                case TcpDisconnectIndication():
                    if event.reason is DisconnectReason.REMOTE_REQ:
                        self._end(LinkError(Fault.CLOSED, f"{self.remote} closed the connection"))
                case TcpDisconnectConfirm():
                    self._end(LinkError(Fault.CLOSED, f"the connection to {self.remote} was closed here"))
                    if self._disconnected is not None and not self._disconnected.done():
                        self._disconnected.set_result(None)
        self._schedule()
        if self.core.awaits_acknowledgement and self._asking is None:
            self._ask_later(_ASK_FIRST)

    def _send(self, call: Send) -> None:
        octets = bytes(call.octets)
        if not self.is_open or self._unaccepted:
            return  # the loss of the connection is on its way; or asyncio has the rest already
        self.write(octets)
        if self._writable is None:
            self.core.octets_sent(len(octets), self._now())
        else:
            self._unaccepted = len(octets)

    def _take(self, indication: TcpDataIndication) -> None:
        if self._closing:
            return
        arrived = self.conversation.take(indication)
        if arrived is None:
            return
        self._waiting.append(arrived)
        self._arrived.set()
        if self.conversation.is_awaited:
            self._make_room()
            return
        if len(self._waiting) >= self.options.waiting_limit and not self._reading_paused:
            self._reading_paused = True
            self.pause(reading=False)
            self.core.receiving_paused()

    def _read_on(self) -> None:
        if not self._reading_paused:
            return
        self._reading_paused = False
        self.pause(reading=True)
        self.core.receiving_resumed(self._now())
        self._schedule()

    def _confirm(self, confirm: TcpDataConfirm) -> None:
        if confirm.confirmation_type is not ConfirmationType.LOCAL:
            return
        self._confirmed += 1
        if confirm.result is Result.NOK:
            self._refused_at.add(self._confirmed)
        while self._confirm_waiters and self._confirm_waiters[0][0] <= self._confirmed:
            _, waiter = self._confirm_waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def _end(self, why: LinkError) -> None:
        self.ended = self.ended or why
        self.conversation.fail(self.ended)
        self._arrived.set()

    def _why_gone(self) -> LinkError:
        why = self.ended or self.fault
        if why is None:
            return LinkError(Fault.CLOSED, f"the connection to {self.remote} is closed")
        return LinkError(why.fault, why.message)

    async def _wait(self, limit: float | None) -> None:
        try:
            async with asyncio.timeout(limit or None):
                while not self._waiting and self.ended is None:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise self._no_answer(limit) from None

    def _no_answer(self, limit: float | None) -> LinkError:
        return LinkError(Fault.TIMEOUT, f"no answer from {self.remote} in {limit:g} s{self._whereabouts()}")

    def _whereabouts(self) -> str:
        """What is known of the octets that nobody answered, as the end of a sentence."""
        under_way = self.unacknowledged() if self.core.counters.octets_sent else None
        if under_way is None:
            return ""
        if under_way:
            return f"; its TCP has not acknowledged {under_way} octets: the network, not the device"
        return "; its TCP has acknowledged all that was sent"

    def _schedule(self) -> None:
        """Wake up when the core wants it; a timer that is early is let run, and set anew then."""
        due = self.core.next_timeout()
        if due is None:
            return
        if self._timer is not None:
            if self._timer.when() <= due:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._timeout)

    def _ask_later(self, seconds: float) -> None:
        def ask() -> None:
            self._asking = None
            self._acknowledge()
            self._run()
            if self.core.awaits_acknowledgement and self._asking is not None:
                self._asking.cancel()
                self._ask_later(min(2 * seconds, _ASK_AT_MOST))

        self._asking = asyncio.get_running_loop().call_later(seconds, ask)

    def _acknowledge(self) -> None:
        """Tell the core what the peer's TCP has acknowledged, if that is wanted and the system knows."""
        if self.core.awaits_acknowledgement and (under_way := self.unacknowledged()) is not None:
            self.core.octets_acknowledged(max(0, self._taken() - under_way), self._now())

    def _taken(self) -> int:
        """Octets that the socket has taken since the connection was opened."""
        return self.core.counters.octets_sent + (self._unaccepted - self.unsent if self._unaccepted else 0)

    def _timeout(self) -> None:
        self._timer = None
        part = self._unaccepted - self.unsent
        if 0 < part < self._unaccepted:  # a slow peer is not one that does not read
            self._unaccepted -= part
            self.core.octets_sent(part, self._now())
        self.core.handle_timeout(self._now())
        self._run()


@asynccontextmanager
async def connect_tcp(
    host: str,
    port: int = DLMS_PORT,
    *,
    local_wport: int = PUBLIC_CLIENT,
    remote_wport: int = MANAGEMENT_LOGICAL_DEVICE,
    origin: Origin = Origin(),
    options: LinkOptions = DEFAULT_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
) -> AsyncIterator[TcpLink]:
    """A link over TCP from `local_wport` to `remote_wport` at `host`; closed in order at the end.

    After an error, or when it is cancelled, the peer has a moment for that, then the connection is broken.
    `origin` is the address and port of this computer, and the interface, that it begins at; by default the
    system chooses. Raises LinkError when it cannot be opened.
    """
    wports = (check_wport(local_wport), check_wport(remote_wport))

    def make() -> TcpLink:
        return TcpLink(WPortBindings(Side.CLIENT, wports[:1]), options, recorder, observer, wports=wports)

    async with await open_connection(make, LinkAddress(host, port), options, origin) as link:
        yield link
