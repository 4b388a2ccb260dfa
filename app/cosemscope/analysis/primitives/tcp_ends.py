"""The two ends of a TCP connection, each with a core of the transport layer.

Both users follow the traffic: whoever sends a FIN has asked to disconnect, or has
answered the peer's wish. A RST ends the sender's own end without a word, since no
primitive of the standard asks for one.
"""

from collections.abc import Callable, Iterator

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.primitives.happenings import Doing, Happening
from cosemscope.analysis.primitives.stream_ends import NO_WPDU, Ends, Occurred, Told, refused
from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Send
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import ReasonOfFailure
from cosemscope.transport.primitives import (
    Primitive,
    TcpConnectIndication,
    TcpConnectRequest,
    TcpConnectResponse,
    TcpDataRequest,
    TcpDisconnectResponse,
    TcpDown,
)
from cosemscope.transport.states import Connection
from cosemscope.transport.tcp import TcpTransport
from cosemscope.transport.timers import TcpTimeouts
from cosemscope.transport.wpdu import BadVersion, Wpdu, WpduHeader

#: No timer of ours ends what the devices kept up.
_PATIENT = TcpTimeouts(connect=None, wpdu=None, disconnect=None)
_Taker = Callable[[Happening, float], Iterator[Told]]


class TcpEnds(Ends):
    """The ends of a TCP connection."""

    def __init__(
        self, analysis: Analysis, stream: int, bindings: tuple[WPortBindings, WPortBindings]
    ) -> None:
        super().__init__(analysis, stream, bindings)
        self._cores = [TcpTransport(bound, timeouts=_PATIENT) for bound in bindings]
        self._takers: dict[Doing, _Taker] = {
            Doing.CONNECT: self._connect,
            Doing.OPENED: self._opened,
            Doing.REQUEST: self._send,
            Doing.ARRIVAL: self._arrive,
            Doing.NO_WPDU: self._arrive,
            Doing.FIN: self._finish,
            Doing.RST: self._reset,
        }

    def take(self, happening: Happening, now: float) -> Iterator[Told]:
        """What the cores say about a happening at `now`, in seconds since the first one."""
        return self._takers[happening.doing](happening, now)

    def _connect(self, happening: Happening, now: float) -> Iterator[Told]:
        local, local_port, remote, remote_port = self._quadruples[happening.side]
        request = TcpConnectRequest(
            local_ip_address=local,
            local_tcp_port=local_port,
            remote_ip_address=remote,
            remote_tcp_port=remote_port,
        )
        return self._ask(happening, request, now)

    def _opened(self, happening: Happening, now: float) -> Iterator[Told]:
        end = happening.side
        if happening.packet < 0:
            self._open_silently(end, now)
            return iter(())
        return self._tell(end, happening, now, self._cores[end].opened, self._quadruples[end])

    def _open_silently(self, end: int, now: float) -> None:
        """Put a new core where a connection stands whose beginning was not captured, or that went on."""
        core = self._cores[end] = TcpTransport(self._bindings[end], timeouts=_PATIENT)
        core.opened(self._quadruples[end], now)
        core.submit(TcpConnectResponse(**core.quadruple._asdict()), now)
        for _ in core.events():
            pass

    def _send(self, happening: Happening, now: float) -> Iterator[Told]:
        side, (source, destination) = happening.side, self._wports(happening.row)
        if self._cores[side].connection in (Connection.NO_CONNECTION, Connection.CONNECTING):
            return iter(())  # it was sent before the end was known there, or with a SYN that came to nothing
        data = self._data(happening.row)
        request = TcpDataRequest(
            local_wport=source, remote_wport=destination, data=data, **self._cores[side].quadruple._asdict()
        )
        return self._ask(happening, request, now)

    def _arrive(self, happening: Happening, now: float) -> Iterator[Told]:
        octets, row = NO_WPDU, happening.row
        if row >= 0:
            octets = self._analysis.octets(row)
            if happening.whole and WpduHeader(1, *self._wports(row), 0).encode()[:6] == octets[:6]:
                octets = Wpdu(*self._wports(row), self._data(row)).encode()
        end = happening.side
        return self._tell(end, happening, now, self._cores[end].octets_received, octets)

    def _finish(self, happening: Happening, now: float) -> Iterator[Told]:
        """A FIN: its sender disconnects or has answered, the peer is told."""
        side, peer = happening.side, 1 - happening.side
        core = self._cores[side]
        if core.connection is Connection.DISCONNECT_INDICATED:
            yield from self._ask(happening, TcpDisconnectResponse(**core.quadruple._asdict()), now)
        elif core.connection is Connection.CONNECTED:
            yield from self._ask(happening, core.disconnect_request(), now)
        if self._cores[peer].connection is not Connection.CONNECTING:
            yield from self._tell(peer, happening, now, self._cores[peer].end_of_stream)

    def _reset(self, happening: Happening, now: float) -> Iterator[Told]:
        self._cores[happening.side] = TcpTransport(self._bindings[happening.side], timeouts=_PATIENT)
        peer = 1 - happening.side
        core = self._cores[peer]
        if core.connection is Connection.CONNECTING:
            return self._tell(peer, happening, now, core.open_failed, ReasonOfFailure.REFUSED)
        return self._tell(peer, happening, now, core.connection_lost, ReasonOfFailure.RESET)

    def _ask(self, happening: Happening, primitive: TcpDown, now: float) -> Iterator[Told]:
        """A user's primitive at the happening's end, and what follows from it there."""
        end = happening.side
        try:
            self._cores[end].submit(primitive, now)
        except LocalProtocolError as problem:
            yield refused(happening, end, problem)
            return
        yield Occurred(end, happening.time, primitive, happening.row, max(happening.packet, 0))
        yield from self._said(end, happening, now)

    def _tell(
        self, end: int, happening: Happening, now: float, method: Callable[..., None], *what: object
    ) -> Iterator[Told]:
        """Call a method of an end's core that tells what its socket did, and say what follows."""
        try:
            method(*what, now)
        except LocalProtocolError as problem:
            yield refused(happening, end, problem)
            return
        yield from self._said(end, happening, now)

    def _said(self, end: int, happening: Happening, now: float) -> Iterator[Told]:
        """What the core of an end says; its connection manager takes every connection."""
        core, packet = self._cores[end], max(happening.packet, 0)
        for event in core.events():
            match event:
                case Send(octets):
                    core.octets_sent(len(octets), now)
                case TcpConnectIndication():
                    yield Occurred(end, happening.time, event, -1, packet)
                    core.submit(event.response(), now)
                    yield Occurred(end, happening.time, event.response(), -1, packet)
                case Primitive():
                    yield Occurred(end, happening.time, event, happening.row, packet)
                case WpduDiscarded():
                    yield refused(happening, end, event)
                case RemoteProtocolError(problem=BadVersion()):
                    yield refused(happening, end, event)
                    self._open_silently(end, now)  # the traffic goes on: the devices let it pass
                    return
                case RemoteProtocolError():
                    yield refused(happening, end, event)
