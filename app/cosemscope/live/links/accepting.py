"""Connections as they come in: those that have room are taken, all others are reset at once.

A process may have so many descriptors and no more. Some are kept back for files and look-ups, so that what is
taken is served to its end however many knock; one is kept to be given away, for an accept that fails for want
of one would leave its peer in the queue, and the queue ready for ever.
"""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Awaitable, Callable

from cosemscope.live.links.addresses import Resolved
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.networks import use_interface
from cosemscope.live.links.tcp_sockets import NO_LINGER
from cosemscope.wording import count

try:
    import resource
except ImportError:  # Windows, where sockets are bounded by memory alone
    resource = None  # type: ignore[assignment]

_BACKLOG = 1024
#: Descriptors that are not for connections: of the recording, of look-ups, of what else may come.
_KEPT_BACK = 32
#: Seconds to wait when the system refuses even what was given back for it, and between two sentences.
_PAUSE, _TELL_EVERY = 0.1, 60.0
#: What the system says when it has no descriptor, or no memory for one; on Windows too.
_NONE_LEFT = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, 10024, 10055}

Refused = Callable[[LinkError], None]
"""Told, at most once a minute, that connections are refused."""


def room_for(connections: int, each: int = 1) -> int:
    """How many of the connections the process has descriptors for, when it has raised its limit for them.

    `each` of them needs so many.
    """
    if resource is None:
        return connections
    probe = os.open(os.devnull, os.O_RDONLY)  # the lowest that is free: about as many are in use
    os.close(probe)
    needed = probe + connections * each + _KEPT_BACK
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    if soft < needed:
        wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        with contextlib.suppress(OSError, ValueError):  # macOS allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return max(1, min(connections, (soft - probe - _KEPT_BACK) // each))


def listen_at(candidate: Resolved, interface: str = "") -> socket.socket:
    """A socket that listens there, for `Doorkeeper.serve`, on one interface where that is named.

    Raises OSError, LinkError for an interface that is none.
    """
    handle = socket.create_server(candidate.sockaddr, family=candidate.family, backlog=_BACKLOG)
    handle.setblocking(False)
    if interface:
        try:
            use_interface(handle, interface)
        except LinkError:
            handle.close()
            raise
    return handle


def reset(handle: socket.socket) -> None:
    """Close a socket with a RST, without sending what waits."""
    with contextlib.suppress(OSError):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    handle.close()


class Doorkeeper:
    """Takes connections while fewer than `limit` are open; `rejected` counts those that it reset.

    `limit` is at most what the process has descriptors for, of which each connection needs `descriptors`.
    `is_open` counts the open connections, `take` begins one on its socket.
    """

    def __init__(
        self,
        limit: int,
        is_open: Callable[[], int],
        take: Callable[[socket.socket], Awaitable[object]],
        refused: Refused | None,
        *,
        descriptors: int = 1,
    ) -> None:
        self.limit = room_for(limit, descriptors)
        self.rejected = 0
        self._wished = limit
        self._is_open = is_open
        self._take = take
        self._refused = refused
        self._told_at: float | None = None
        self._spare: int | None = None

    async def serve(self, listening: socket.socket) -> None:
        """Take what comes at a socket until cancelled; the socket is closed then."""
        loop = asyncio.get_running_loop()
        self._keep_spare()
        try:
            while True:
                try:
                    handle, _ = await loop.sock_accept(listening)
                except OSError as error:
                    await self._failed(listening, error)
                    continue
                await self._admit(handle)
        finally:
            listening.close()
            self._give_spare()

    async def _admit(self, handle: socket.socket) -> None:
        if self._is_open() < self.limit:
            with contextlib.suppress(OSError):  # it has gone by now
                await self._take(handle)
            return
        bound = "are taken" if self.limit == self._wished else "this process may hold (see ulimit -n)"
        verb = "is" if self.limit == 1 else "are"
        self._refuse(handle, f"{count(self.limit, 'connection')} {verb} open, the most that {bound}")
        await asyncio.sleep(0)  # a flood of them leaves room for the others' octets

    async def _failed(self, listening: socket.socket, error: OSError) -> None:
        """An accept failed: with a descriptor that is given back for it, the peer is told by a RST."""
        number = getattr(error, "winerror", None) or error.errno
        if number not in _NONE_LEFT:
            await asyncio.sleep(0)  # a peer that was gone before it was met
            return
        self._give_spare()
        try:
            handle, _ = listening.accept()
        except OSError:
            self._keep_spare()
            await asyncio.sleep(_PAUSE)
            return
        self._refuse(handle, "the system has no descriptor for a further connection")
        self._keep_spare()
        await asyncio.sleep(0)

    def _refuse(self, handle: socket.socket, why: str) -> None:
        reset(handle)
        self.rejected += 1
        now = asyncio.get_running_loop().time()
        if self._refused is None or (self._told_at is not None and now - self._told_at < _TELL_EVERY):
            return
        self._told_at = now
        words = f"{why}: others are refused until one of them ends ({self.rejected:,} so far)"
        self._refused(LinkError(Fault.FULL, words))

    def _keep_spare(self) -> None:
        if self._spare is None:
            with contextlib.suppress(OSError):
                self._spare = os.open(os.devnull, os.O_RDONLY)

    def _give_spare(self) -> None:
        if self._spare is not None:
            os.close(self._spare)
            self._spare = None
