"""A meter with one wrong habit: a plain server, sharing nothing with ours, that misbehaves as told.

Without a quirk it is a correct server of the wrapper, over TCP and UDP, on one loopback port.
"""

import asyncio
import contextlib
import struct
from enum import Enum
from types import TracebackType
from typing import cast

from tests.helpers.meter import Meter

_HEADER = struct.Struct(">4H")


class Quirk(Enum):
    """One wrong habit each."""

    NONE = "correct"
    CLOSES_AT_ONCE = "closes a connection as soon as it is open"
    TALKS_FIRST = "sends a greeting that is no WPDU"
    NEVER_ANSWERS = "never answers"
    WANTS_WHOLE_HEADER = "throws away a read that is shorter than a header"
    WANTS_WHOLE_WPDU = "throws away a read that is no whole WPDU"
    GIVES_UP_ON_CRUMBS = "throws away a WPDU that needs more than ten reads"
    ONE_PER_READ = "forgets what follows the first WPDU of a read"
    ECHOES_WPORTS = "does not swap the wPorts of its answer"
    ANSWERS_ANY_WPORT = "answers for wPorts that it does not have"
    WPORT_ENDS_IT = "closes when a wPort is unknown"
    IGNORES_VERSION = "takes any version for 1"
    CHOKES_ON_EMPTY = "never answers again after an empty WPDU"
    CLOSES_ON_EMPTY = "closes after an empty WPDU"
    BELIEVES_THE_READ = "takes a read for the whole WPDU, whatever the length says"
    DIES_OF_RESET = "stops listening when a connection is reset"
    NEVER_CLOSES = "keeps its side open when the peer has closed"
    FIN_ENDS_IT = "closes at FIN without answering what came before"
    SECOND_ENDS_FIRST = "drops the first connection when a second one comes"
    ONE_CONNECTION = "closes a second connection"
    SLEEPS_IN = "never answers again after a short silence"
    CLOSES_WHEN_IDLE = "closes after a short silence"
    UDP_TRAILING = "puts octets after the WPDU of a datagram"
    UDP_TRUNCATED = "cuts its datagrams short"
    UDP_ECHOES_WPORTS = "does not swap the wPorts of a datagram"
    NO_UDP = "has no UDP"


_SHORT = 0.15


class QuirkyMeter:
    """`async with QuirkyMeter(quirk) as meter`: listens on `meter.port`, TCP and UDP, until the end."""

    def __init__(self, quirk: Quirk = Quirk.NONE) -> None:
        self.quirk = quirk
        self.port = 0
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "QuirkyMeter":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        if self.quirk is not Quirk.NO_UDP:
            loop = asyncio.get_running_loop()
            self._datagrams, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=("127.0.0.1", self.port)
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        if self._datagrams is not None:
            self._datagrams.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def answer(self, wpdu: bytes, meter: Meter) -> bytes:
        """The WPDU that answers `wpdu`, empty for none."""
        version, source, destination, _ = _HEADER.unpack_from(wpdu)
        if version != 1 and self.quirk is not Quirk.IGNORES_VERSION:
            raise ConnectionAbortedError
        if destination != 1 and self.quirk is not Quirk.ANSWERS_ANY_WPORT:
            if self.quirk is Quirk.WPORT_ENDS_IT:
                raise ConnectionAbortedError
            return b""
        if self.quirk is Quirk.NEVER_ANSWERS or len(wpdu) == _HEADER.size:
            return b""
        apdu = meter.answer(wpdu[_HEADER.size :])
        if self.quirk is Quirk.ECHOES_WPORTS:
            source, destination = destination, source
        return _HEADER.pack(1, destination, source, len(apdu)) + apdu

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(reader, writer)
        except ConnectionAbortedError:
            pass
        except ConnectionError:
            if self.quirk is Quirk.DIES_OF_RESET and self._server is not None:
                self._server.close()
        except asyncio.CancelledError:
            pass
        finally:
            if writer in self._writers:
                self._writers.remove(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        quirk = self.quirk
        if quirk is Quirk.CLOSES_AT_ONCE or (quirk is Quirk.ONE_CONNECTION and self._writers):
            return
        if quirk is Quirk.TALKS_FIRST:
            writer.write(b"modem ready\r\n")
        if quirk is Quirk.SECOND_ENDS_FIRST:
            for other in self._writers:
                other.close()
        self._writers.append(writer)
        await _Conversation(self, reader, writer).run()


class _Conversation:
    """One connection: collects WPDUs as a correct server does, or as the quirk has it."""

    def __init__(
        self, meter: QuirkyMeter, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.quirk = meter.quirk
        self._server = meter
        self._meter = Meter()
        self._reader = reader
        self._writer = writer
        self._buffer = b""
        self._reads = 0
        self._deaf = False

    async def run(self) -> None:
        while octets := await self._read():
            if self.quirk is Quirk.FIN_ENDS_IT:
                await asyncio.sleep(0.02)
                if self._reader.at_eof():
                    return
            self._take(octets)
            await self._writer.drain()
        if self.quirk is Quirk.NEVER_CLOSES:
            await asyncio.Event().wait()

    async def _read(self) -> bytes:
        if self.quirk not in {Quirk.SLEEPS_IN, Quirk.CLOSES_WHEN_IDLE}:
            return await self._reader.read(4096)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SHORT):
                return await self._reader.read(4096)
        if self.quirk is Quirk.CLOSES_WHEN_IDLE:
            return b""
        self._deaf = True
        return await self._reader.read(4096)

    def _take(self, octets: bytes) -> None:
        quirk = self.quirk
        short = len(octets) < _HEADER.size
        if self._deaf or (quirk is Quirk.WANTS_WHOLE_HEADER and short and not self._buffer):
            return
        self._buffer += octets
        self._reads += 1
        if quirk is Quirk.BELIEVES_THE_READ and len(self._buffer) >= _HEADER.size:
            self._say(self._buffer)
            self._buffer = b""
            return
        while (size := self._whole()) is not None:
            wpdu, self._buffer = self._buffer[:size], self._buffer[size:]
            crumbs = quirk is Quirk.GIVES_UP_ON_CRUMBS and self._reads > 10
            self._reads = 0
            if not crumbs:
                self._say(wpdu)
            if quirk is Quirk.ONE_PER_READ:
                self._buffer = b""
        if quirk is Quirk.WANTS_WHOLE_WPDU:
            self._buffer = b""

    def _whole(self) -> int | None:
        """The size of the WPDU at the front, when all of it is there."""
        if len(self._buffer) < _HEADER.size:
            return None
        size = _HEADER.size + int.from_bytes(self._buffer[6:8], "big")
        return size if len(self._buffer) >= size else None

    def _say(self, wpdu: bytes) -> None:
        if len(wpdu) == _HEADER.size:
            if self.quirk is Quirk.CLOSES_ON_EMPTY:
                raise ConnectionAbortedError
            self._deaf = self.quirk is Quirk.CHOKES_ON_EMPTY
        answer = self._server.answer(wpdu, self._meter)
        if answer and not self._deaf:
            self._writer.write(answer)


class _Datagrams(asyncio.DatagramProtocol):
    """The same over UDP."""

    def __init__(self, meter: QuirkyMeter) -> None:
        self._server = meter
        self._meter = Meter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, self._meter)
        quirk = self._server.quirk
        if quirk is Quirk.UDP_TRAILING:
            answer += b"\x00"
        elif quirk is Quirk.UDP_TRUNCATED:
            answer = answer[:-1]
        elif quirk is Quirk.UDP_ECHOES_WPORTS:
            answer = answer[:2] + answer[4:6] + answer[2:4] + answer[6:]
        if answer:
            self._transport.sendto(answer, addr)
