"""UDP through the relay: each client has a socket of its own to the target, so that answers find back.

There is no connection whose end could be told: a client of which nothing was heard for two minutes is given
up. What is recorded is what passes between that socket and the target; with a breakpoint what passes between
client and relay too.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from functools import partial

from cosemscope.capture.events import Trouble
from cosemscope.live.commands.live_events import Report, trouble_of
from cosemscope.live.links.accepting import room_for
from cosemscope.live.links.addresses import LinkAddress, resolve
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.udp_sockets import Datagram, DatagramSocket, bind_datagrams, open_datagrams
from cosemscope.live.relay.breakpoints import Breakpoints, Passing
from cosemscope.live.relay.held_edits import Plan
from cosemscope.live.relay.relay_events import Relaying, RelayJoined, RelayParted
from cosemscope.live.relay.routes import Route
from cosemscope.transport.calls import Cast

#: Seconds without a datagram after which a client is given up.
IDLE = 120.0
_SWEEP, _TELL_EVERY = 10.0, 60.0
#: Octets of a client's datagrams that wait until its socket is there.
_MOST_EARLY = 1 << 17


class _DatagramFlow:
    """What one client has: its socket to the target, datagrams that came before that, counts.

    `near` and `asked` are the socket and the address of ours that it sent to, from which it is answered.
    """

    def __init__(self, client: LinkAddress, now: float) -> None:
        self.client = client
        self.near: DatagramSocket | None = None
        self.asked = ""
        self.far: DatagramSocket | None = None
        self.opening: asyncio.Task[None] | None = None
        self.early: list[bytes] = []
        self.heard = now
        self.sent = 0
        self.received = 0
        self.fault = ""


class UdpRelay:
    """Takes the datagrams of one route; `limit` bounds the clients known at once, `is_open` counts them."""

    def __init__(
        self,
        route: Route,
        report: Report,
        breakpoints: Breakpoints,
        recorder: Recorder | None,
        *,
        limit: int,
        is_open: Callable[[], int],
        idle: float = IDLE,
    ) -> None:
        self.address = route.listen
        self._route = route
        self._report = report
        self._breakpoints = breakpoints
        self._recorder = recorder
        self._limit = room_for(limit)
        self._is_open = is_open
        self._idle = idle
        self._flows: dict[LinkAddress, _DatagramFlow] = {}
        self._near: list[DatagramSocket] = []
        self._sweeping: asyncio.Task[None] | None = None
        self._told_at: float | None = None
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._flows)

    async def open(self, at: LinkAddress | None = None) -> LinkAddress:
        """Take datagrams at the route's address, or `at` another; the address. Raises LinkError."""
        recorder = self._recorder if self._breakpoints.active else None

        def near(handle: socket.socket) -> DatagramSocket:
            made: list[DatagramSocket] = []
            made.append(
                DatagramSocket(handle, lambda came: self._came(made[0], came), self._failed, recorder)
            )
            return made[0]

        self._near = await bind_datagrams(near, at or self._route.listen)
        self.address = self._near[0].local
        self._sweeping = asyncio.ensure_future(self._sweep())
        file = self._recorder.path if self._recorder else None
        self._report(
            Relaying(address=str(self.address), target=str(self._route.target), transport="udp", file=file)
        )
        return self.address

    async def close(self) -> None:
        """Take no more, and forget all clients."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        for flow in tuple(self._flows.values()):
            self._end(flow, "the relay ended")
        for near in self._near:
            near.close()

    def record_clients(self) -> None:
        """A breakpoint was set: what passes between clients and relay is recorded too."""
        for near in self._near:
            near.record_from_now(self._recorder)

    def _came(self, near: DatagramSocket, datagram: Datagram) -> None:
        """A datagram of a client."""
        octets, client = datagram.octets, datagram.sender
        now = asyncio.get_running_loop().time()
        flow = self._flows.get(client)
        if flow is None:
            if self._is_open() >= self._limit:
                self._refuse(now)
                return
            flow = self._flows[client] = _DatagramFlow(client, now)
            flow.opening = asyncio.ensure_future(self._open_flow(flow))
        flow.heard = now
        flow.near = near
        flow.asked = datagram.reached.host if datagram.cast is Cast.UNICAST else ""
        flow.sent += 1
        if flow.far is not None:
            self._pass(flow, octets, to_target=True)
        elif sum(map(len, flow.early)) < _MOST_EARLY:
            flow.early.append(octets)

    async def _open_flow(self, flow: _DatagramFlow) -> None:
        """The socket of a client; then what has come goes on."""
        answered, broke = partial(self._answered, flow), partial(self._broke, flow)
        try:
            opened = await open_datagrams(
                lambda handle: DatagramSocket(handle, answered, broke, self._recorder), self._route.target
            )
        except LinkError as error:
            self._flows.pop(flow.client, None)
            self._report(trouble_of(error, str(flow.client)))
            return
        if self._flows.get(flow.client) is not flow:
            opened.close()
            return
        flow.far = opened
        self._report(
            RelayJoined(
                client=str(flow.client),
                address=str(self.address),
                local=str(opened.local),
                target=str(opened.remote),
                transport="udp",
            )
        )
        early, flow.early = flow.early, []
        for octets in early:
            self._pass(flow, octets, to_target=True)

    def _answered(self, flow: _DatagramFlow, datagram: Datagram) -> None:
        """A datagram of the target."""
        flow.heard = asyncio.get_running_loop().time()
        flow.received += 1
        self._pass(flow, datagram.octets, to_target=False)

    def _pass(self, flow: _DatagramFlow, octets: bytes, *, to_target: bool) -> None:
        """Send a datagram on, past the breakpoint where there is one."""
        if not self._breakpoints.active:
            self._put(flow, octets, to_target)
            return
        target = flow.far.remote if flow.far is not None and flow.far.remote else self._route.target
        passing = Passing(octets, to_target, flow.client, target, udp=True)
        self._breakpoints.ask(passing, lambda plan, remark: self._follow(flow, plan, remark, to_target))

    def _follow(self, flow: _DatagramFlow, plan: Plan, remark: str, to_target: bool) -> None:
        """What goes on in the place of a datagram, each in its time."""
        if remark and to_target and flow.far is not None:
            flow.far.remark(remark)
        elif remark and flow.near is not None:
            flow.near.remark(remark, flow.client, flow.asked)
        for octets, after in plan:
            if after:
                asyncio.get_running_loop().call_later(after, self._put, flow, octets, to_target)
            else:
                self._put(flow, octets, to_target)

    def _put(self, flow: _DatagramFlow, octets: bytes, to_target: bool) -> None:
        try:
            if to_target and flow.far is not None:
                flow.far.send(octets)
            elif flow.near is not None:
                flow.near.send(octets, flow.client, flow.asked)
        except LinkError as error:
            self._broke(flow, error)

    def _broke(self, flow: _DatagramFlow, fault: LinkError) -> None:
        """Nobody is there, or a datagram is too long: told once a client, which may go on."""
        if flow.fault != fault.message:
            flow.fault = fault.message
            self._report(trouble_of(LinkError(fault.fault, f"{fault.message} (for {flow.client})")))

    def _failed(self, fault: LinkError) -> None:
        self._tell(fault.message, fault.fault)

    def _refuse(self, now: float) -> None:
        self._dropped += 1
        words = f"{self._limit} clients are open, the most that may be: datagrams of others are dropped"
        self._tell(f"{words} ({self._dropped:,} so far)", Fault.FULL)

    def _tell(self, words: str, fault: Fault) -> None:
        """At most once a minute."""
        now = asyncio.get_running_loop().time()
        if self._told_at is None or now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            self._report(Trouble(fault=fault.value, message=words, remote=str(self.address)))

    async def _sweep(self) -> None:
        """Give up clients of which nothing is heard."""
        while True:
            await asyncio.sleep(min(_SWEEP, self._idle))
            now = asyncio.get_running_loop().time()
            for flow in tuple(self._flows.values()):
                if now - flow.heard >= self._idle:
                    self._end(flow, f"nothing came for {self._idle:g} s")

    def _end(self, flow: _DatagramFlow, how: str) -> None:
        self._flows.pop(flow.client, None)
        if flow.opening is not None and flow.far is None:
            flow.opening.cancel()
        if flow.far is not None:
            target = flow.far.remote
            flow.far.close()
            counts = {"sent": flow.sent, "received": flow.received}
            self._report(
                RelayParted(
                    client=str(flow.client), target=str(target), message=how, transport="udp", **counts
                )
            )


async def known(target: LinkAddress) -> None:
    """Raises LinkError when the target's name is not known."""
    await resolve(target, socket.SOCK_STREAM)
