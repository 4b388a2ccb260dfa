"""A TCP server under the transport layer: passive open, many connections, a limit on them.

It listens on loopback unless told otherwise. Connections are taken one by one
with `accept`, or each is given to a handler that runs in a task of its own.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from cosemscope.live.links.accepting import Doorkeeper, Refused, listen_at
from cosemscope.live.links.addresses import (
    LOOPBACK,
    LinkAddress,
    bound_wports,
    listen_everywhere,
    peer_address,
    resolve,
)
from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.live.links.networks import is_group
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import MOMENT, Observer, TcpLink
from cosemscope.live.links.tcp_sockets import DEFAULT_OPTIONS, LinkOptions
from cosemscope.transport.bindings import WPortBindings
from cosemscope.transport.wports import DLMS_PORT, MANAGEMENT_LOGICAL_DEVICE, Side

Handler = Callable[[TcpLink], Awaitable[None]]

#: Inactivity time-out of a server, in seconds: the default of the TCP-UDP setup object (class 41).
INACTIVITY_TIMEOUT = 180.0
SERVER_OPTIONS = replace(DEFAULT_OPTIONS, inactivity_timeout=INACTIVITY_TIMEOUT, answer_timeout=None)
#: Seconds that peers have to close their side when the server ends.
_GRACE = 1.0


class _ServedLink(TcpLink):
    """A connection that tells its server when it opens and when it is gone."""

    def __init__(self, server: "TcpServer") -> None:
        super().__init__(server.bindings, server.options, server.recorder, server.observer)
        self._server = server

    def opened(self) -> None:
        super().opened()
        self._server.taken(self)

    def connection_ended(self, fault: LinkError | None) -> None:
        super().connection_ended(fault)
        self._server.gone(self)


class TcpServer:
    """Listens for TCP connections. Made by `serve_tcp`.

    `address` is where it listens, `links` are the open connections, `doorkeeper` knows how many there may be
    and counts those that were reset at once because there were as many.
    """

    def __init__(
        self,
        bindings: WPortBindings,
        options: LinkOptions,
        limit: int,
        handler: Handler | None,
        recorder: Recorder | None,
        observer: Observer | None,
        refused: Refused | None,
    ) -> None:
        self.bindings = bindings
        self.options = options
        self.recorder = recorder
        self.observer = observer
        self.address = LinkAddress("", 0)
        self.links: set[TcpLink] = set()
        self.doorkeeper = Doorkeeper(limit, lambda: len(self.links), self._begin, refused)
        self._handler = handler
        self._doors: list[asyncio.Task[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: deque[TcpLink] = deque()
        self._arrived = asyncio.Event()

    async def open(self, address: LinkAddress, interface: str = "") -> None:
        """Listen at `address`, at every address that the host name has, on one interface if it is named.

        Raises LinkError.
        """
        if is_group(address.host):
            raise LinkError(Fault.ADDRESS, f"{address.host} is a group, and TCP has none: use UDP alone")
        found = await resolve(address, socket.SOCK_STREAM, passive=True)
        try:
            listening = listen_everywhere(found, partial(listen_at, interface=interface))
        except OSError as error:
            raise explain(error, address) from None
        self.address = peer_address(listening[0].getsockname())
        self._doors = [asyncio.ensure_future(self.doorkeeper.serve(handle)) for handle in listening]

    async def _begin(self, handle: socket.socket) -> None:
        """A connection on its socket. Raises OSError when it has gone."""
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: _ServedLink(self), handle)

    async def accept(self, timeout: float | None = None) -> TcpLink:
        """The next connection. Waits without limit unless `timeout` (s) is given; LinkError then."""
        if self._handler is not None:
            raise RuntimeError("this server has a handler, which takes the connections")
        try:
            async with asyncio.timeout(timeout):
                while not self._pending:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise LinkError(Fault.TIMEOUT, f"nobody connected to {self.address} in {timeout:g} s") from None
        return self._pending.popleft()

    async def close(self) -> None:
        """Stop listening; end handlers and connections."""
        for task in (*self._doors, *self._tasks):
            task.cancel()
        await asyncio.gather(*self._doors, return_exceptions=True)
        ends = {*self._tasks, *(asyncio.ensure_future(link.close()) for link in self.links)}
        if not ends:
            return
        _, late = await asyncio.wait(ends, timeout=_GRACE)
        if late:  # peers that do not close their side
            for link in tuple(self.links):
                link.abort()
            await asyncio.wait(late)

    def taken(self, link: TcpLink) -> None:
        """A connection was accepted."""
        self.links.add(link)
        if self._handler is not None:
            self._run(self._handle(link, self._handler))
        else:
            self._pending.append(link)
            self._arrived.set()

    def gone(self, link: TcpLink) -> None:
        """A connection is over."""
        self.links.discard(link)
        if link in self._pending:  # whatever it sent, nobody can answer it
            self._pending.remove(link)

    def _run(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _handle(self, link: TcpLink, handler: Handler) -> None:
        async with link:
            with contextlib.suppress(LinkError):
                try:
                    await handler(link)
                except LinkError:
                    raise
                except Exception as error:
                    words = f"the handler of the connection from {link.remote} failed"
                    loop = asyncio.get_running_loop()
                    loop.call_exception_handler({"message": words, "exception": error})
                    await link.close(MOMENT)


@asynccontextmanager
async def serve_tcp(
    host: str = LOOPBACK,
    port: int = DLMS_PORT,
    *,
    local_wports: Iterable[int] | None = (MANAGEMENT_LOGICAL_DEVICE,),
    side: Side = Side.SERVER,
    interface: str = "",
    handler: Handler | None = None,
    limit: int = 1000,
    options: LinkOptions = SERVER_OPTIONS,
    recorder: Recorder | None = None,
    observer: Observer | None = None,
    refused: Refused | None = None,
) -> AsyncIterator[TcpServer]:
    """Listen for TCP connections to `local_wports` at `host` and `port` (0: any free one). Raises LinkError.

    With `handler` each connection is given to it in a task of its own and closed when it returns; without,
    take connections with `accept`. A LinkError that a handler lets through ends only that connection, any
    other exception is told to the loop's exception handler at once, with the peer. By default a connection on
    which nothing comes for 180 s is given up, and `receive` waits without limit. `refused` is told of
    connections beyond `limit`. `local_wports` None: any wPort. `side` is CLIENT for who takes pushes.
    With `interface` only connections that come by it are taken.
    """
    bindings = bound_wports(side, local_wports)
    server = TcpServer(bindings, options, limit, handler, recorder, observer, refused)
    await server.open(LinkAddress(host, port), interface)
    try:
        yield server
    finally:
        await server.close()
