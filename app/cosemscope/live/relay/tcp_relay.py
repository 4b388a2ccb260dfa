"""TCP through the relay: for each client a connection to the target, and what one end does the other does.

Octets, the end of sending (FIN), resets, and slowness: an end is read only while the other takes what came.
What is recorded is the connection to the target, as it is on the wire; with a breakpoint the one to the
client too, so that what came and what went are both there.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from cosemscope.capture.events import Trouble
from cosemscope.live.commands.live_events import Report, trouble_of
from cosemscope.live.links.accepting import Doorkeeper, listen_at, reset
from cosemscope.live.links.addresses import LinkAddress, listen_everywhere, peer_address, resolve
from cosemscope.live.links.faults import LinkError, explain
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions, SocketConnection, open_connection
from cosemscope.live.relay.breakpoints import Breakpoints, Passing
from cosemscope.live.relay.relay_events import Relaying, RelayJoined, RelayParted
from cosemscope.live.relay.routes import Route
from cosemscope.live.relay.stream_gate import StreamGate

#: Octets read at once: a thousand connections whose readers are slow keep so many each way, and no more.
_READ = 16384
#: Seconds between looks at an end that is not read, where nothing else would tell that it was reset.
_LOOK = 0.5
#: Seconds that ends have to take what waits when the relay ends.
_GRACE = 1.0
#: A client and the target each have a descriptor.
_DESCRIPTORS = 2


def _nothing(*_: object) -> None:
    """Nobody is there to be told."""


class RelayEnd(SocketConnection, asyncio.BufferedProtocol):
    """One of the two connections of a relayed one; `gate` takes what comes, once the other end is there.

    `octets` counts them. `gone` is set when the socket is; `fault` says then what broke it, if anything did.
    """

    def __init__(self, options: LinkOptions, recorder: Recorder | None, *, initiated: bool) -> None:
        super().__init__(options, recorder, initiated=initiated)
        self.gate: StreamGate | None = None
        self.octets = 0
        self.gone = asyncio.Event()
        self._room = bytearray(_READ)
        self._takes = True
        self._ended = False
        self._finished = False
        self._reads = True
        self._look: asyncio.TimerHandle | None = None
        self._on_change: Callable[[], None] = _nothing
        self._on_loss: Callable[[LinkError | None], None] = _nothing

    @property
    def takes(self) -> bool:
        """Whether the peer takes what is sent: nothing waits here."""
        return self._takes

    def joined(
        self, gate: StreamGate, on_change: Callable[[], None], on_loss: Callable[[LinkError | None], None]
    ) -> None:
        """The other end is there: `on_change` is told when `takes` has changed, `on_loss` of the end."""
        self.gate, self._on_change, self._on_loss = gate, on_change, on_loss
        if self.gone.is_set():
            on_loss(self.fault)

    def read_on(self, wanted: bool) -> None:
        """Read, or leave what comes in the system, which slows the peer."""
        if self._ended or wanted is self._reads:
            return
        self._reads = wanted
        self.pause(wanted)
        if not wanted:
            self._watch()

    def record_from_now(self, recorder: Recorder) -> None:
        """Record what happens here too, from the middle on, if it is not."""
        if self._trace is None and self.is_open:
            self._recorder = recorder
            self._trace = recorder.tcp(self.local, self.remote, initiated=self.initiated)

    # What a gate asks for.

    def put(self, octets: bytes) -> None:
        """Send octets; where the connection is gone, its loss tells the other end."""
        with contextlib.suppress(LinkError):
            self.write(octets)

    def remark(self, words: str) -> None:
        """What the recording says of the next octets sent."""
        if self._trace is not None:
            self._trace.remark(words)

    def put_end(self) -> None:
        """Send no more."""
        self._finished = True
        self.finish()
        self._shut_if_both()

    # What a socket tells.

    def opened(self) -> None:
        """Nothing is read before the other end is there."""
        self.read_on(False)

    def octets_received(self, octets: bytes) -> None:
        """Octets came."""
        self.octets += len(octets)
        if self.gate is not None:
            self.gate.take(octets)

    def end_received(self) -> None:
        """The peer sends no more."""
        self._ended = True
        if self.gate is not None:
            self.gate.end()
        self._watch()
        self._shut_if_both()

    def connection_ended(self, fault: LinkError | None) -> None:
        """The socket is gone."""
        self.gone.set()
        if self._look is not None:
            self._look.cancel()
        if self.gate is not None:
            self.gate.stop()
        self._on_loss(fault)
        self.gate = None  # ends and gates know each other, and nothing of them is to wait for a collector
        self._on_change, self._on_loss = _nothing, _nothing
        self._room = bytearray()

    def pause_writing(self) -> None:
        """The peer does not take what is sent."""
        super().pause_writing()
        self._takes = False
        self._on_change()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._takes = True
        self._on_change()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where asyncio reads to."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """So many octets were read."""
        self.data_received(bytes(memoryview(self._room)[:nbytes]))

    def reset(self) -> None:
        """Break the connection, where it is not gone."""
        if not self.gone.is_set():
            super().reset()

    def _shut_if_both(self) -> None:
        if self._ended and self._finished:
            self.shut()

    def _watch(self) -> None:
        """While nothing is read nobody tells of a reset: look for one."""
        if self._look is None and not self.gone.is_set():
            self._look = asyncio.get_running_loop().call_later(_LOOK, self._look_for_reset)

    def _look_for_reset(self) -> None:
        self._look = None
        if self._transport is None or not self.is_open or (self._reads and not self._ended):
            return
        handle = self._transport.get_extra_info("socket")
        number = 0
        with contextlib.suppress(OSError):
            number = handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not number:
            self._watch()
            return
        self.fault = explain(OSError(number, "connection lost"), self.remote)
        if self._trace is not None:
            self._trace.reset(False)
        self._transport.abort()


@dataclass(eq=False)
class _Relayed:
    """A client's connection and the one to the target; neither is there at first."""

    client: LinkAddress
    near: RelayEnd | None = None
    far: RelayEnd | None = None
    lost: str = ""
    ends: list[RelayEnd] = field(default_factory=list)


class TcpRelay:
    """Takes the connections of one route. `is_open` counts those of all routes, `limit` bounds them."""

    def __init__(
        self,
        route: Route,
        report: Report,
        breakpoints: Breakpoints,
        recorder: Recorder | None,
        *,
        limit: int,
        is_open: Callable[[], int],
        options: tuple[LinkOptions, LinkOptions],
    ) -> None:
        """`options` are those of connections of clients, and of those to the target."""
        self.address = route.listen
        self._route = route
        self._report = report
        self._breakpoints = breakpoints
        self._recorder = recorder
        self._near_options, self._far_options = options
        self._tasks: dict[asyncio.Task[None], _Relayed] = {}
        self._doors: list[asyncio.Task[None]] = []
        self._doorkeeper = Doorkeeper(
            limit,
            is_open,
            self._begin,
            lambda fault: report(trouble_of(fault, str(self.address))),
            descriptors=_DESCRIPTORS,
        )

    def __len__(self) -> int:
        return len(self._tasks)

    async def open(self) -> LinkAddress:
        """Listen; the address, with its port. Raises LinkError."""
        found = await resolve(self._route.listen, socket.SOCK_STREAM, passive=True)
        try:
            listening = listen_everywhere(found, listen_at)
        except OSError as error:
            raise explain(error, self._route.listen) from None
        self.address = peer_address(listening[0].getsockname())
        self._doors = [asyncio.ensure_future(self._doorkeeper.serve(handle)) for handle in listening]
        file = self._recorder.path if self._recorder else None
        self._report(
            Relaying(address=str(self.address), target=str(self._route.target), transport="tcp", file=file)
        )
        return self.address

    async def close(self) -> None:
        """Take no more; end what there is in order, and what does not end within a second by a reset."""
        for door in self._doors:
            door.cancel()
        await asyncio.gather(*self._doors, return_exceptions=True)
        for task, relayed in tuple(self._tasks.items()):
            relayed.lost = relayed.lost or "the relay ended"
            if relayed.near is None:
                task.cancel()
            for end in relayed.ends:
                end.shut()
        if not self._tasks:
            return
        _, late = await asyncio.wait(tuple(self._tasks), timeout=_GRACE)
        for task in late:
            for end in self._tasks[task].ends:
                end.reset()
        if late:
            await asyncio.wait(late, timeout=_GRACE)

    def record_clients(self) -> None:
        """A breakpoint was set: what clients send and get is recorded too, of what is open from now on."""
        for relayed in self._tasks.values():
            if relayed.near is not None and self._recorder is not None:
                relayed.near.record_from_now(self._recorder)

    def let_go(self) -> None:
        """There is no breakpoint any more: nothing is kept."""
        for relayed in tuple(self._tasks.values()):
            for end in relayed.ends:
                if end.gate is not None and not end.gone.is_set():
                    end.gate.let_go()

    async def _begin(self, handle: socket.socket) -> None:
        """A client came. Raises OSError when it has gone."""
        try:
            relayed = _Relayed(peer_address(handle.getpeername()))
        except OSError:
            handle.close()
            raise
        task = asyncio.ensure_future(self._relay(relayed, handle))
        self._tasks[task] = relayed
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            words = f"a relayed connection failed: {type(error).__name__}: {error}"
            self._report(Trouble(fault="failed", message=words))

    async def _relay(self, relayed: _Relayed, handle: socket.socket) -> None:
        """One client, from its coming to its end."""
        client, target = relayed.client, self._route.target
        far = partial(RelayEnd, self._far_options, self._recorder, initiated=True)
        try:
            relayed.far = await open_connection(far, target, self._far_options)
        except LinkError as error:
            reset(handle)  # the nearest to what the target did: the client was told yes by our system
            words = f"{error.message} (for {client}, which is reset)"
            self._report(trouble_of(LinkError(error.fault, words), str(client)))
            return
        except asyncio.CancelledError:
            reset(handle)
            raise
        relayed.ends.append(relayed.far)
        try:
            await self._join(relayed, relayed.far, handle)
            for end in relayed.ends:
                await end.gone.wait()
        except asyncio.CancelledError:  # the process is told to end: in order, as far as it can be
            for end in relayed.ends:
                end.shut()
            raise
        except BaseException:
            for end in relayed.ends:
                end.reset()
        if relayed.near is not None:
            self._parted(relayed, relayed.near, relayed.far)

    async def _join(self, relayed: _Relayed, far: RelayEnd, handle: socket.socket) -> None:
        """The client's end too: from now on octets pass."""
        recorder = self._recorder if self._breakpoints.active else None
        near = RelayEnd(self._near_options, recorder, initiated=False)
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().connect_accepted_socket(lambda: near, handle)
        if not near.remote.host:  # gone before it could be met
            far.reset()
            return
        relayed.near = near
        relayed.ends.append(near)
        self._report(
            RelayJoined(
                client=str(relayed.client),
                address=str(near.local),
                local=str(far.local),
                target=str(far.remote),
                transport="tcp",
            )
        )
        far.remark(f"relayed for {relayed.client}, which came to {near.local}")
        to_target = self._gate(relayed, near, far, to_target=True)
        to_client = self._gate(relayed, far, near, to_target=False)
        near.joined(to_target, partial(_slow, to_client, near, far), partial(self._lost, relayed, near, far))
        far.joined(to_client, partial(_slow, to_target, far, near), partial(self._lost, relayed, far, near))
        near.read_on(True)
        far.read_on(True)

    def _gate(self, relayed: _Relayed, source: RelayEnd, sink: RelayEnd, *, to_target: bool) -> StreamGate:
        """What passes from one end to the other."""
        target = sink.remote if to_target else source.remote

        def passing(octets: bytes) -> Passing:
            return Passing(octets, to_target, relayed.client, target)

        def changed() -> None:
            source.read_on(sink.takes and not gate.is_busy)

        gate = StreamGate(self._breakpoints, passing, sink, changed)
        return gate

    def _lost(self, relayed: _Relayed, end: RelayEnd, other: RelayEnd, fault: LinkError | None) -> None:
        """An end is gone; by a fault the other one is reset."""
        if fault is not None:
            relayed.lost = relayed.lost or fault.message
            other.reset()

    def _parted(self, relayed: _Relayed, near: RelayEnd, far: RelayEnd) -> None:
        self._report(
            RelayParted(
                client=str(relayed.client),
                target=str(far.remote),
                message=relayed.lost or "closed in order",
                sent=near.octets,
                received=far.octets,
                transport="tcp",
            )
        )


def _slow(gate: StreamGate, sink: RelayEnd, source: RelayEnd) -> None:
    """An end takes octets again, or no more: what comes at the other one is read, or not."""
    source.read_on(sink.takes and not gate.is_busy)
