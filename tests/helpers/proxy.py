"""A TCP proxy that hurts what passes through it: splits, delays, stalls, half-closes and resets, on purpose.

It stands between two ends in one event loop. Each direction has a `Harm`: how octets are cut and delayed,
and what happens after a number of octets. Nothing in it knows DLMS.
"""

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass
from enum import Enum
from types import TracebackType


class Then(Enum):
    """What a direction does once its octets are spent."""

    RESET = "reset both connections"
    HALF_CLOSE = "send FIN onward and keep the other direction alive"
    CLOSE = "close both connections"
    STALL = "swallow everything further"


@dataclass(frozen=True)
class Harm:
    """What one direction suffers.

    `chunk`: octets written at once (0: as they come); `delay`: seconds before each write; `after`: octets let
    through before `then` happens (None: never).
    """

    chunk: int = 0
    delay: float = 0.0
    after: int | None = None
    then: Then = Then.RESET


HARMLESS = Harm()


class FaultProxy:
    """Listens on a loopback port of its own (`port`) and forwards to `target`, harming as told."""

    def __init__(
        self, target: tuple[str, int], upstream: Harm = HARMLESS, downstream: Harm = HARMLESS
    ) -> None:
        self.target = target
        self.upstream = upstream
        self.downstream = downstream
        self.accepted = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port to connect to."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def __aenter__(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._accept, self.target[0], 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            for end in (writer, far_writer):
                end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            both = (writer, far_writer)
            try:
                await asyncio.gather(
                    _pump(reader, far_writer, self.upstream, both),
                    _pump(far_reader, writer, self.downstream, both),
                )
            finally:
                for end in both:
                    end.close()
        except (OSError, asyncio.CancelledError):
            writer.close()
        finally:
            self._tasks.discard(task)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    harm: Harm,
    both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
) -> None:
    left = harm.after
    while octets := await reader.read(65536):
        if left is not None:
            octets, left = octets[:left], left - min(left, len(octets))
        await _forward(writer, octets, harm)
        if left == 0:
            await _spend(reader, writer, harm.then, both)
            return
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _forward(writer: asyncio.StreamWriter, octets: bytes, harm: Harm) -> None:
    step = harm.chunk or len(octets) or 1
    for start in range(0, len(octets), step):
        if harm.delay:
            await asyncio.sleep(harm.delay)
        writer.write(octets[start : start + step])
        await writer.drain()
        if harm.chunk:
            await asyncio.sleep(0)


async def _spend(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    then: Then,
    both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
) -> None:
    if then is Then.RESET:
        for end in both:
            reset(end)
    elif then is Then.CLOSE:
        for end in both:
            end.close()
    elif then is Then.HALF_CLOSE:
        writer.write_eof()
    else:
        while await reader.read(65536):
            pass
        await asyncio.Event().wait()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a RST instead of a FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
