"""The TCP-based transport layer of IEC 62056-4-7, clause 6, sans I/O: one TCP connection.

What happens is told with a method (a primitive with `submit`, the socket's doings with `opened`,
`octets_received` and so on, time with `handle_timeout`); what has to be done comes out as one ordered run of
events: calls to make on the socket (`calls`), primitives for the service users, reports for whoever watches.
The rules are in `states.TABLE`; here is only what its actions do. Time is an argument, `now`, in seconds of
any clock that does not go back.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Abort, Close, Open, Receive, Send, Status, TcpCall
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.machine import Machine, Occurrence
from cosemscope.transport.outgoing import Outgoing
from cosemscope.transport.parameters import (
    ConfirmationType,
    ConnectResult,
    DisconnectReason,
    Quadruple,
    ReasonOfFailure,
    Result,
    check_quadruple,
)
from cosemscope.transport.primitives import (
    TcpAbortIndication,
    TcpConnectConfirm,
    TcpConnectIndication,
    TcpConnectRequest,
    TcpConnectResponse,
    TcpDataConfirm,
    TcpDataIndication,
    TcpDataRequest,
    TcpDisconnectConfirm,
    TcpDisconnectIndication,
    TcpDisconnectRequest,
    TcpDisconnectResponse,
    TcpDown,
    TcpPrimitive,
    TcpUp,
)
from cosemscope.transport.states import Action, Connection, Input, Receiving, Sending
from cosemscope.transport.timers import TIMERS, TcpTimeouts, Timers
from cosemscope.transport.wpdu import BadVersion, Octets, WpduDecoder

TcpEvent: TypeAlias = TcpUp | TcpCall | WpduDiscarded | RemoteProtocolError


@dataclass(slots=True)
class TcpCounters:
    """What went through a `TcpTransport` since it was made."""

    octets_sent: int = 0  # accepted by SEND
    octets_received: int = 0
    wpdus_sent: int = 0  # wholly accepted by SEND
    wpdus_received: int = 0
    wpdus_discarded: int = 0  # destination wPort not bound; counted among the received


_PRIMITIVES: Final[dict[type[TcpPrimitive], Input]] = {
    TcpConnectRequest: Input.CONNECT_REQUEST,
    TcpConnectResponse: Input.CONNECT_RESPONSE,
    TcpDisconnectRequest: Input.DISCONNECT_REQUEST,
    TcpDisconnectResponse: Input.DISCONNECT_RESPONSE,
    TcpDataRequest: Input.DATA_REQUEST,
}


class TcpTransport(Machine):
    """The transport layer of one TCP connection, for one side and all application entities bound there.

    A connection that is over leaves the object ready for the next; a driver that makes a new object for
    each socket need not fear late reports of an old one.

    >>> transport = TcpTransport(WPortBindings(Side.CLIENT, [16]))
    >>> transport.submit(TcpConnectRequest(local_ip_address="0.0.0.0", local_tcp_port=0,
    ...                                    remote_ip_address="127.0.0.1", remote_tcp_port=4059), now)
    >>> for event in transport.events():
    ...     match event:
    ...         case Open(): connect; transport.opened(quadruple, now) or .open_failed(reason, now)
    ...         case Send(octets): transport.octets_sent(socket.send(octets), now)
    ...         case Receive(): read; transport.octets_received(octets, now) or .end_of_stream(now)
    ...         case Close(release): shut down for writing, or close
    ...         case TcpDataIndication(data=apdu): ...
    """

    def __init__(
        self,
        bindings: WPortBindings,
        *,
        timeouts: TcpTimeouts = TcpTimeouts(),
        confirmations: frozenset[ConfirmationType] = frozenset({ConfirmationType.LOCAL}),
        queue_limit: int = 1024,
    ) -> None:
        """`confirmations`: which TCP-DATA.confirms to give, each once for each request.

        REMOTE needs a driver that tells `octets_acknowledged`. `queue_limit` is the number of requests that
        may wait behind the one being handed over.
        """
        super().__init__()
        self.bindings = bindings
        self.counters = TcpCounters()
        self.queue_limit = queue_limit
        self._confirmations = confirmations
        self._decoder = WpduDecoder()
        self._end_held = False
        self._outgoing = Outgoing(track_acknowledgements=ConfirmationType.REMOTE in confirmations)
        self._timers = Timers(timeouts)
        self._events: deque[TcpEvent] = deque()

    # --- how things stand; the states are in `Machine` ---

    @property
    def quadruple(self) -> Quadruple:
        """The addresses of this connection; of the last one, once it is over."""
        return self._quadruple

    @property
    def queued_requests(self) -> int:
        """TCP-DATA.requests that SEND has not wholly accepted, the one being handed over included."""
        return self._outgoing.requests

    @property
    def queued_octets(self) -> int:
        """Octets of WPDUs that SEND has not accepted."""
        return self._outgoing.octets

    @property
    def awaits_acknowledgement(self) -> bool:
        """A REMOTE confirm is due: `octets_acknowledged` is wanted."""
        return self._outgoing.unacknowledged > 0

    # --- from the service users ---

    def submit(self, primitive: TcpDown, now: float) -> None:
        """Take a request or response.

        LocalProtocolError if the state does not allow it, if it names another connection or an unbound
        Local_wPort, or if the queue is full; nothing has changed then.
        """
        kind = _PRIMITIVES.get(type(primitive))
        if kind is None:
            raise LocalProtocolError(f"{primitive.name} does not come from a service user", self.state)
        self._row(self._connection, kind)
        if isinstance(primitive, TcpConnectRequest):
            self._fire(Occurrence(kind, now, primitive.quadruple))
            return
        if primitive.quadruple != self._quadruple:
            raise LocalProtocolError(
                f"{primitive.name} names the connection {primitive.quadruple}; this one is {self._quadruple}",
                self.state,
            )
        if isinstance(primitive, TcpDataRequest):
            self._check_request(primitive)
            self._fire(Occurrence(kind, now, request=primitive))
        else:
            self._fire(Occurrence(kind, now))

    def _check_request(self, request: TcpDataRequest) -> None:
        if request.local_wport not in self.bindings:
            raise LocalProtocolError(
                f"{request.name}: Local_wPort 0x{request.local_wport:04X} is not bound", self.state
            )
        if self._outgoing.waiting >= self.queue_limit:
            raise LocalProtocolError(
                f"{request.name}: {self._outgoing.waiting} requests wait already; "
                "wait for a TCP-DATA.confirm before sending more",
                self.state,
            )

    def data_request(self, local_wport: int, remote_wport: int, data: bytes) -> TcpDataRequest:
        """A TCP-DATA.request with the addresses of this connection. ValueError if a parameter is wrong."""
        return TcpDataRequest(
            local_wport=local_wport, remote_wport=remote_wport, data=data, **self._quadruple._asdict()
        )

    def disconnect_request(self) -> TcpDisconnectRequest:
        """A TCP-DISCONNECT.request with the addresses of this connection."""
        return TcpDisconnectRequest(**self._quadruple._asdict())

    def listen(self, local_ip_address: str, local_tcp_port: int, now: float) -> None:
        """Make ready to respond: a passive OPEN. For one connection, as RFC 793 has it.

        A driver that accepts many connections listens by itself and calls `opened` on a new object for
        each. LocalProtocolError if there is a connection, ValueError if the address is none.
        """
        anywhere = "::" if ":" in local_ip_address else "0.0.0.0"
        where = check_quadruple(Quadruple(local_ip_address, local_tcp_port, anywhere, 0))
        self._fire(Occurrence(Input.LISTEN, now, where))

    def stop_listening(self, now: float) -> None:
        """Take the passive OPEN back. LocalProtocolError if there is none."""
        self._fire(Occurrence(Input.STOP_LISTENING, now))

    # --- from the socket ---
    # LocalProtocolError if TCP cannot have done that in this state: the driver is wrong, nothing has changed.
    # Where there is no connection, what a socket still tells of the last one is ignored.

    def opened(self, quadruple: Quadruple, now: float) -> None:
        """The connection is established: after OPEN, or accepted by a listening socket.

        ValueError if the quadruple holds no addresses and ports.
        """
        self._fire(Occurrence(Input.OPENED, now, check_quadruple(quadruple)))

    def open_failed(self, reason: ReasonOfFailure, now: float) -> None:
        """OPEN has failed, or was given up (CANCELLED)."""
        self._fire(Occurrence(Input.OPEN_FAILED, now, reason=reason))

    def octets_received(self, octets: Octets, now: float) -> None:
        """RECEIVE has brought octets (at least one; of none there is nothing to tell)."""
        if octets:
            self._fire(Occurrence(Input.OCTETS, now, octets=octets))

    def octets_sent(self, count: int, now: float) -> None:
        """SEND has accepted the first `count` (at least 1) of the octets last given."""
        if self._connection is Connection.NO_CONNECTION:
            return
        rest = len(self._outgoing.rest)
        if not 1 <= count <= rest:
            raise LocalProtocolError(f"SEND cannot have accepted {count} octets of {rest}", self.state)
        self.counters.octets_sent += count
        request = self._outgoing.accept(count)
        self._fire_sending(
            Occurrence(Input.WPDU_ACCEPTED if request else Input.PART_ACCEPTED, now, request=request)
        )

    def octets_acknowledged(self, total: int, now: float) -> None:
        """The peer's TCP has acknowledged `total` octets since the connection was opened.

        What is not told by the time the connection is over is confirmed NOK (REMOTE), after a clean close
        too: the peer's FIN may have been sent before it had our octets, and 6.2.5 has REMOTE vouch for their
        arrival. A driver that can ask TCP does so before it tells of the peer's end.
        """
        for request in self._outgoing.acknowledge(total):
            self._confirm(request, ConfirmationType.REMOTE, Result.OK)

    def end_of_stream(self, now: float) -> None:
        """RECEIVE has met the peer's FIN: nothing more will come."""
        inside = self._decoder.buffered > 0
        self._fire(
            Occurrence(
                Input.END_IN_WPDU if inside else Input.END_OF_STREAM, now, reason=ReasonOfFailure.TRUNCATED
            )
        )

    def connection_lost(self, reason: ReasonOfFailure, now: float) -> None:
        """A reset, a broken link, TCP's own time-out: found by SEND, RECEIVE or STATUS."""
        self._fire(Occurrence(Input.LOST, now, reason=reason))

    def closed(self, now: float) -> None:
        """The connection is closed at both ends. Where no CLOSE was called, that is a loss."""
        self._fire(Occurrence(Input.CLOSED, now))

    # --- time ---

    def receiving_paused(self) -> None:
        """Whoever drives this reads nothing for now: the peer is not to blame, and its timers rest."""
        self._timers.suspend(Input.WPDU_TIMEOUT, Input.INACTIVITY_TIMEOUT)

    def receiving_resumed(self, now: float) -> None:
        """Octets are read again: those timers begin anew."""
        self._timers.resume(now)

    def next_timeout(self) -> float | None:
        """When `handle_timeout` is wanted next, on the clock of `now`; None: not at all."""
        return self._timers.next()

    def handle_timeout(self, now: float) -> None:
        """Do what is due at `now`; nothing, if it is too early."""
        while timer := self._timers.take_due(now):
            self._fire(Occurrence(timer, now, reason=TIMERS[timer][1]))

    # --- what has to be done ---

    def next_event(self) -> TcpEvent | None:
        """The next call to TCP, primitive or report, in order; None if there is none."""
        return self._events.popleft() if self._events else None

    def events(self) -> Iterator[TcpEvent]:
        """All events in order, also those that come up meanwhile."""
        while self._events:
            yield self._events.popleft()

    def _forget(self) -> None:
        """The connection is over: nothing of it is left but its addresses and what was not taken yet."""
        super()._forget()
        self._decoder = WpduDecoder()
        self._end_held = False
        self._timers.stop_all()

    # --- actions: calls to TCP ---

    def _call_open_passive(self, what: Occurrence) -> None:
        self._events.append(Open(False, self._quadruple))

    def _call_open_active(self, what: Occurrence) -> None:
        self._timers.start(Input.CONNECT_TIMEOUT, what.now)
        self._events.append(Open(True, self._quadruple))

    def _call_send(self, what: Occurrence) -> None:
        if what.request is not None:
            self._outgoing.add(what.request)
        self._outgoing.begin()
        self._call_send_rest(what)

    def _call_send_rest(self, what: Occurrence) -> None:
        self._timers.start(Input.SEND_TIMEOUT, what.now)
        self._timers.restart(Input.DISCONNECT_TIMEOUT, what.now)
        self._events.append(Send(self._outgoing.rest))

    def _call_close(self, what: Occurrence) -> None:
        self._events.append(Close(release=False))

    def _call_close_release(self, what: Occurrence) -> None:
        self._events.append(Close(release=True))

    def _call_abort(self, what: Occurrence) -> None:
        self._events.append(Abort())

    def _call_status(self, what: Occurrence) -> None:
        self._timers.start(Input.POLL, what.now)
        self._events.append(Status())

    # --- actions: primitives and reports ---

    def _say(self, primitive: Callable[..., TcpUp], **parameters: Any) -> None:
        """A primitive for a service user, with the addresses of this connection."""
        local, local_port, remote, remote_port = self._quadruple
        self._events.append(
            primitive(
                local_ip_address=local,
                local_tcp_port=local_port,
                remote_ip_address=remote,
                remote_tcp_port=remote_port,
                **parameters,
            )
        )

    def _connect_indication(self, what: Occurrence) -> None:
        self._say(TcpConnectIndication)

    def _connect_confirm_success(self, what: Occurrence) -> None:
        self._timers.stop(Input.CONNECT_TIMEOUT)
        self._say(TcpConnectConfirm, result=ConnectResult.SUCCESS)

    def _connect_confirm_failure(self, what: Occurrence) -> None:
        self._say(TcpConnectConfirm, result=ConnectResult.FAILURE, reason_of_failure=what.reason)

    def _disconnect_indication_remote_req(self, what: Occurrence) -> None:
        self._say(TcpDisconnectIndication, reason=DisconnectReason.REMOTE_REQ)

    def _disconnect_indication_abort(self, what: Occurrence) -> None:
        self._say(TcpDisconnectIndication, reason=DisconnectReason.ABORT)

    def _disconnect_confirm_success(self, what: Occurrence) -> None:
        self._say(TcpDisconnectConfirm, result=ConnectResult.SUCCESS)

    def _disconnect_confirm_failure(self, what: Occurrence) -> None:
        self._say(TcpDisconnectConfirm, result=ConnectResult.FAILURE, reason_of_failure=what.reason)

    def _abort_indication(self, what: Occurrence) -> None:
        self._say(TcpAbortIndication, reason=what.reason)

    def _report_peer(self, what: Occurrence) -> None:
        problem = what.problem or self._decoder.close()
        if problem is not None:
            self._events.append(RemoteProtocolError(problem))

    def _data_indication(self, what: Occurrence) -> None:
        assert what.received is not None
        wpdu = what.received.wpdu
        self.counters.wpdus_received += 1
        receivers = self.bindings.receivers(wpdu.destination_wport)
        if not receivers:
            self.counters.wpdus_discarded += 1
            self._events.append(WpduDiscarded(wpdu, what.received.start))
        for wport in receivers:
            self._say(
                TcpDataIndication,
                local_wport=wport,
                remote_wport=wpdu.source_wport,
                data=wpdu.data,
                broadcast=self.bindings.is_broadcast(wpdu.destination_wport),
            )

    def _data_confirm_local_ok(self, what: Occurrence) -> None:
        assert what.request is not None
        self._timers.stop(Input.SEND_TIMEOUT)
        self.counters.wpdus_sent += 1
        self._confirm(what.request, ConfirmationType.LOCAL, Result.OK)

    def _data_confirms_nok(self, what: Occurrence) -> None:
        unacknowledged, unaccepted = self._outgoing.give_up()
        for request in unacknowledged:
            self._confirm(request, ConfirmationType.REMOTE, Result.NOK)
        for request in unaccepted:
            self._confirm(request, ConfirmationType.LOCAL, Result.NOK)
            self._confirm(request, ConfirmationType.REMOTE, Result.NOK)

    def _confirm(self, request: TcpDataRequest, kind: ConfirmationType, result: Result) -> None:
        if kind in self._confirmations:
            self._say(
                TcpDataConfirm,
                local_wport=request.local_wport,
                remote_wport=request.remote_wport,
                confirmation_type=kind,
                result=result,
            )

    # --- actions: receiving and sending ---

    def _begin_receiving(self, what: Occurrence) -> None:
        self._timers.start(Input.INACTIVITY_TIMEOUT, what.now)
        self._timers.start(Input.POLL, what.now)
        self._take_in(what.now)
        if self._end_held:
            self.end_of_stream(what.now)

    def _hold_octets(self, what: Occurrence) -> None:
        self.counters.octets_received += len(what.octets)
        self._decoder.feed(what.octets)

    def _hold_end(self, what: Occurrence) -> None:
        self._end_held = True

    def _take_octets(self, what: Occurrence) -> None:
        self._timers.start(Input.INACTIVITY_TIMEOUT, what.now)
        self._hold_octets(what)
        self._take_in(what.now)

    def _take_in(self, now: float) -> None:
        """Deliver every WPDU that is whole, and ask for the octets that the next one wants."""
        for event in self._decoder.events():
            if self._receiving is Receiving.IDLE:
                self._fire_receiving(Occurrence(Input.FIRST_OCTET, now))
            if isinstance(event, BadVersion):
                self._fire(
                    Occurrence(Input.BAD_VERSION, now, reason=ReasonOfFailure.BAD_VERSION, problem=event)
                )
                return
            self._fire_receiving(Occurrence(Input.WHOLE_WPDU, now, received=event))
        if self._decoder.buffered and self._receiving is Receiving.IDLE:
            self._fire_receiving(Occurrence(Input.FIRST_OCTET, now))
        if not self._end_held:
            self._events.append(Receive(self._decoder.missing))

    def _stop_receiving(self, what: Occurrence) -> None:
        """Nothing more will come: what was begun is dropped, nothing is waited for."""
        self._decoder.close()
        self._receiving = Receiving.IDLE
        self._timers.stop(Input.WPDU_TIMEOUT, Input.INACTIVITY_TIMEOUT)

    def _pass_to_sending(self, what: Occurrence) -> None:
        self._fire_sending(what)

    def _queue_request(self, what: Occurrence) -> None:
        assert what.request is not None
        self._outgoing.add(what.request)

    def _send_next(self, what: Occurrence) -> None:
        if self._outgoing.waiting:
            self._fire_sending(Occurrence(Input.DATA_REQUEST, what.now))
        else:
            self._fire(Occurrence(Input.SENT_ALL, what.now))

    def _flush(self, what: Occurrence) -> None:
        if self._sending is Sending.IDLE:
            self._fire(Occurrence(Input.SENT_ALL, what.now))

    def _start_wpdu_timer(self, what: Occurrence) -> None:
        self._timers.start(Input.WPDU_TIMEOUT, what.now)

    def _stop_wpdu_timer(self, what: Occurrence) -> None:
        self._timers.stop(Input.WPDU_TIMEOUT)

    def _start_disconnect_timer(self, what: Occurrence) -> None:
        self._timers.start(Input.DISCONNECT_TIMEOUT, what.now)


TcpTransport._do = {action: getattr(TcpTransport, f"_{action.value}") for action in Action}
