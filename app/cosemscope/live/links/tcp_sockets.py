"""TCP sockets in asyncio: octets in and out, faults as `LinkError`, every octet traced for a recorder.

`Connection` is one connection of either side and knows no WPDU. What drives
the transport core (`tcp.TcpLink`) and what deliberately sends broken WPDUs
(`probe.Probe`) are made from it; nothing else opens a TCP socket.
"""

import asyncio
import contextlib
import errno
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

if sys.platform == "linux":
    import fcntl
    import termios

from cosemscope.live.links.addresses import LinkAddress, Resolved, peer_address, resolve
from cosemscope.live.links.faults import Fault, LinkError, explain
from cosemscope.live.links.networks import Origin
from cosemscope.live.links.recording import Recorder, TcpTrace


@dataclass(frozen=True)
class LinkOptions:
    """Limits of a link; times in seconds, None or 0 for none.

    `connect_timeout` bounds the opening, `answer_timeout` a `receive`, `wpdu_timeout` the time from the first
    octet of a WPDU to its last, `send_timeout` how long a peer that does not read may hold up `send`,
    `close_timeout` how long it may take to close the connection in order before it is reset.
    `inactivity_timeout` ends a connection on which nothing came for so long (TCP-UDP setup, class 41,
    attribute 6). `keep_alive` is the idle time after which TCP asks whether the peer is still there.
    `waiting_limit` is how many APDUs may wait to be received before reading stops. `remote_confirms` asks for
    TCP-DATA.confirms (REMOTE) besides: the peer's TCP has acknowledged all of the APDU. Where the system does
    not tell of that, which is outside Linux and macOS, none comes.
    """

    connect_timeout: float | None = 10.0
    answer_timeout: float | None = 10.0
    wpdu_timeout: float | None = 10.0
    send_timeout: float | None = 30.0
    close_timeout: float | None = 5.0
    inactivity_timeout: float | None = None
    keep_alive: float | None = None
    waiting_limit: int = 64
    remote_confirms: bool = False


DEFAULT_OPTIONS = LinkOptions()

#: Whether the system tells what the peer's TCP has acknowledged.
TELLS_ACKNOWLEDGED = sys.platform in {"linux", "darwin"}
_NATIVE_INT = struct.Struct("@i")
#: macOS: octets in the send buffer.
_SO_NWRITE = 0x1024

#: Value of SO_LINGER with which closing a socket resets its connection.
NO_LINGER = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class SocketConnection(asyncio.Protocol):
    """One TCP connection. Subclasses say what octets, the peer's end and the loss of the connection mean.

    `local` and `remote` are set once it is open. `initiated`: whether this side opened it.
    """

    def __init__(self, options: LinkOptions, recorder: Recorder | None, *, initiated: bool) -> None:
        self.options = options
        self.initiated = initiated
        self.local = LinkAddress("", 0)
        self.remote = LinkAddress("", 0)
        self.fault: LinkError | None = None
        self._recorder = recorder
        self._trace: TcpTrace | None = None
        self._transport: asyncio.Transport | None = None
        self._writable: asyncio.Future[None] | None = None
        self._lost: asyncio.Future[None] | None = None
        self._begun = time.time_ns()

    # What subclasses define.

    def opening(self, address: LinkAddress) -> None:
        """This side begins to open the connection. Raises LinkError when it must not."""

    def opening_failed(self, fault: LinkError) -> None:
        """The connection could not be opened; this object is done with."""

    def opened(self) -> None:
        """The connection is there."""

    def octets_received(self, octets: bytes) -> None:
        """The peer sent `octets`."""

    def end_received(self) -> None:
        """The peer sends no more (FIN); this side may still send."""

    def connection_ended(self, fault: LinkError | None) -> None:
        """The socket is gone: `fault` says why, None when both sides had closed in order."""

    # What users call.

    @property
    def is_open(self) -> bool:
        """True when the socket can still be written to."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, octets: bytes) -> None:
        """Hand octets to the socket. Raises LinkError when it is gone."""
        if self._transport is None or self._transport.is_closing():
            raise self.fault or LinkError(Fault.CLOSED, f"the connection to {self.remote} is closed")
        if self._trace is not None:
            self._trace.data(True, octets)
        self._transport.write(octets)

    async def drain(self) -> None:
        """Wait until the peer reads again, at most `send_timeout`. Raises LinkError."""
        if self._writable is not None:
            limit = self.options.send_timeout or None
            try:
                async with asyncio.timeout(limit):
                    await asyncio.shield(self._writable)
            except TimeoutError:
                raise LinkError(
                    Fault.TIMEOUT, f"{self.remote} reads nothing: gave up after {limit:g} s"
                ) from None
        if self.fault is not None:
            raise self.fault

    def finish(self) -> None:
        """Send no more (FIN); the peer may still send."""
        if self.is_open and self._transport is not None:
            if self._trace is not None:
                self._trace.finished(True)
            with contextlib.suppress(OSError):
                self._transport.write_eof()

    def shut(self) -> None:
        """Close in order: what waits is sent, then FIN."""
        if self.is_open and self._transport is not None:
            if self._trace is not None:
                self._trace.finished(True)
            self._transport.close()

    def reset(self) -> None:
        """Break the connection with a RST, without sending what waits."""
        if self._transport is None:
            return
        handle = self._transport.get_extra_info("socket")
        with contextlib.suppress(OSError, AttributeError):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        if self._trace is not None:
            self._trace.reset(True)
        self._transport.abort()

    @property
    def unsent(self) -> int:
        """Octets that were written and that the system has not taken."""
        return self._transport.get_write_buffer_size() if self._transport is not None else 0

    def unacknowledged(self) -> int | None:
        """Octets that the system has taken and the peer's TCP has not acknowledged; None: it cannot tell.

        Linux counts them by SIOCOUTQ (a FIN under way is one of them), macOS by SO_NWRITE.
        """
        handle = self._transport.get_extra_info("socket") if self._transport is not None else None
        if handle is None:
            return None
        with contextlib.suppress(OSError, ValueError):
            if sys.platform == "linux":
                room = bytearray(_NATIVE_INT.size)
                fcntl.ioctl(handle.fileno(), termios.TIOCOUTQ, room)
                return int(_NATIVE_INT.unpack(room)[0])
            if sys.platform == "darwin":
                return int(handle.getsockopt(socket.SOL_SOCKET, _SO_NWRITE))
        return None

    async def wait_ended(self) -> None:
        """Wait until the socket is gone; one whose peer does not read is reset in the end."""
        if self._lost is None:
            return
        try:
            async with asyncio.timeout(self.options.send_timeout or None):
                await asyncio.shield(self._lost)
        except TimeoutError:
            self.reset()
            await asyncio.shield(self._lost)

    def pause(self, reading: bool) -> None:
        """Stop (False) or go on (True) taking octets from the socket."""
        if self._transport is not None and not self._transport.is_closing():
            if reading:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self._transport = cast(asyncio.Transport, transport)
        # Nothing waits in between: what the socket has not taken holds up `drain`, and is not sent yet.
        self._transport.set_write_buffer_limits(high=0)
        self._lost = asyncio.get_running_loop().create_future()
        self.local = peer_address(transport.get_extra_info("sockname"))
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone before it could be asked for its address
            self._transport.abort()
            return
        self.remote = peer_address(peer)
        prepare(transport.get_extra_info("socket"), self.options.keep_alive)
        if self._recorder is not None:
            self._trace = self._recorder.tcp(self.local, self.remote, initiated=self.initiated)
            self._trace.opened(self._begun if self.initiated else None)
        self.opened()

    def data_received(self, data: bytes) -> None:
        """Octets came."""
        if self._trace is not None:
            self._trace.data(False, data)
        self.octets_received(data)

    def eof_received(self) -> bool:
        """FIN came; the socket stays open for what is still to be sent."""
        if self._trace is not None:
            self._trace.finished(False)
        self.end_received()
        return True

    def pause_writing(self) -> None:
        """The peer does not read: `drain` waits."""
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if not self.remote.host:
            return  # it was never open
        if self.fault is None and exc is not None:
            self.fault = (
                explain(exc, self.remote)
                if isinstance(exc, OSError)
                else LinkError(Fault.FAILED, f"the link to {self.remote} failed: {exc}")
            )
            if self._trace is not None:
                self._trace.reset(False)
        self.resume_writing()
        if self._lost is not None and not self._lost.done():
            self._lost.set_result(None)
        self.connection_ended(self.fault)


C = TypeVar("C", bound=SocketConnection)


def prepare(handle: socket.socket, keep_alive: float | None) -> None:
    """Send small WPDUs at once, and ask an idle peer for a sign of life when `keep_alive` (s) is given."""
    with contextlib.suppress(OSError):
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if keep_alive:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name in ("TCP_KEEPIDLE", "TCP_KEEPALIVE", "TCP_KEEPINTVL"):
                if hasattr(socket, name):
                    handle.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), max(1, round(keep_alive)))


async def open_connection(
    factory: Callable[[], C], address: LinkAddress, options: LinkOptions, origin: Origin = Origin()
) -> C:
    """Open a connection made by `factory` to the first of the host's addresses that answers.

    It begins at `origin`. The time allowed is shared among those not yet tried. Raises LinkError, that of the
    last address.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + options.connect_timeout if options.connect_timeout else None
    try:
        async with asyncio.timeout_at(deadline):
            found = await resolve(address, socket.SOCK_STREAM)
    except TimeoutError:
        raise LinkError(Fault.TIMEOUT, f"the host of {address} could not be looked up in time") from None
    failure: LinkError | None = None
    for left, candidate in zip(range(len(found), 0, -1), found, strict=True):
        share = (deadline - loop.time()) / left if deadline else None
        try:
            return await _open_one(factory(), candidate, share, options, origin)
        except LinkError as error:
            failure = error
    assert failure is not None
    raise failure


async def _open_one(
    connection: C, candidate: Resolved, seconds: float | None, options: LinkOptions, origin: Origin
) -> C:
    loop = asyncio.get_running_loop()
    begun = time.time_ns()
    handle: socket.socket | None = None
    connection.opening(candidate.address)
    try:
        handle = socket.socket(candidate.family, socket.SOCK_STREAM)
        handle.setblocking(False)
        origin.prepare(handle, candidate)
        async with asyncio.timeout(seconds):
            await loop.sock_connect(handle, candidate.sockaddr)
        await loop.create_connection(lambda: connection, sock=handle)
        if not connection.remote.host:
            raise ConnectionResetError(errno.ECONNRESET, "reset as soon as it was accepted")
        return connection
    except LinkError as error:  # it cannot begin there
        if handle is not None:
            handle.close()
        connection.opening_failed(error)
        raise
    except OSError as error:  # TimeoutError is one: ours has no number
        if isinstance(error, TimeoutError) and error.errno is None:
            words = f"no answer from {candidate.address} in {options.connect_timeout:g} s"
            fault = LinkError(Fault.TIMEOUT, words)
        else:
            fault = explain(error, candidate.address)
        _trace_failure(connection, handle, candidate, begun, answered=fault.fault is Fault.REFUSED)
        connection.opening_failed(fault)
        raise fault from None
    except asyncio.CancelledError:
        if handle is not None:
            handle.close()
        raise


def _trace_failure(
    connection: SocketConnection,
    handle: socket.socket | None,
    candidate: Resolved,
    begun: int,
    *,
    answered: bool,
) -> None:
    """Write the SYN that was refused, or that nobody answered, and give the socket back."""
    if handle is None:
        return
    recorder = connection._recorder
    with contextlib.suppress(OSError):
        local = peer_address(handle.getsockname())
        if recorder is not None and local.port:
            trace = recorder.tcp(local, candidate.address, initiated=True)
            (trace.refused if answered else trace.unanswered)(begun)
    handle.close()
