"""A meter with one wrong habit: a plain server, sharing nothing with ours, that misbehaves as told.

Without a quirk it is a correct server of the wrapper, over TCP and UDP, on one loopback port.
"""

import asyncio
import contextlib
import socket
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
    ANSWERS_ANY_LATE = "answers for wPorts that it does not have, after a while"
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
    LENGTH_TOO_LONG = "says five octets more than follow"
    LENGTH_COUNTS_HEADER = "counts the header in the length"
    LENGTH_TOO_SHORT = "says five octets less than follow"
    STRAY_OCTETS = "sends two octets behind an answer"
    ANSWERS_TWICE = "answers twice at once"
    ANSWERS_AGAIN = "answers again after a while"
    PUSHES_FIRST = "pushes before each answer"
    CLOSES_AFTER_FIRST = "closes after its first answer"
    RESETS_AFTER_FIRST = "resets after its first answer"
    FREES_LATE = "has one connection, and is free for the next one a while after FIN"
    SKIPS_VERSION = "skips a WPDU of another version by its length field"
    RESETS_AT_FIN = "resets when the peer has closed"
    RESETS_WHEN_DONE = "resets when the peer has closed after a release"
    ANSWERS_ALL_STATION = "answers what is for All-station"
    SECOND_AS_FIRST = "answers for its second logical device as the first"
    JUNK_AT_RELEASE = "answers RLRQ with what is no WPDU"
    NO_RELEASE = "does not answer RLRQ"
    UNKNOWN_TAG = "answers AARQ with an APDU that nobody knows"
    UDP_OTHER_PORT = "answers datagrams from another port"
    UDP_TWICE = "answers a datagram twice"
    UDP_ONCE = "answers the first datagram only"
    UDP_ANSWERS_GROUPS = "answers datagrams that are for many"


_SHORT = 0.15
_AGAIN, _LATE = 0.03, 0.3
#: What is not told apart by the answer's octets: how far the length field is off.
_LENGTHS = {Quirk.LENGTH_TOO_LONG: 5, Quirk.LENGTH_COUNTS_HEADER: 8, Quirk.LENGTH_TOO_SHORT: -5}
_DEVICES = {1, 17}
_PUSH = bytes.fromhex("000100010010000b0f00000001000203090100")


class QuirkyMeter:
    """`async with QuirkyMeter(quirk) as meter`: listens on `meter.port`, TCP and UDP, until the end."""

    def __init__(self, quirk: Quirk = Quirk.NONE) -> None:
        self.quirk = quirk
        self.port = 0
        self._server: asyncio.Server | None = None
        self._datagrams: asyncio.DatagramTransport | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._busy_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "QuirkyMeter":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        if self.quirk is not Quirk.NO_UDP:
            loop = asyncio.get_running_loop()
            self._datagrams, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(self._udp_host(), self.port)
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

    def _udp_host(self) -> str:
        return "0.0.0.0" if self.quirk is Quirk.UDP_ANSWERS_GROUPS else "127.0.0.1"

    def answer(self, wpdu: bytes, meter: Meter) -> bytes:
        """The WPDU that answers `wpdu`, empty for none."""
        version, source, destination, _ = _HEADER.unpack_from(wpdu)
        if version != 1 and self.quirk is Quirk.SKIPS_VERSION:
            return b""
        if version != 1 and self.quirk is not Quirk.IGNORES_VERSION:
            raise ConnectionAbortedError
        if destination == 127 and self.quirk is Quirk.ANSWERS_ALL_STATION:
            destination = 1
        any_wport = self.quirk in {Quirk.ANSWERS_ANY_WPORT, Quirk.ANSWERS_ANY_LATE}
        if destination not in _DEVICES and not any_wport:
            if self.quirk is Quirk.WPORT_ENDS_IT:
                raise ConnectionAbortedError
            return b""
        if self.quirk is Quirk.NO_RELEASE and wpdu[_HEADER.size :][:1] == b"\x62":
            return b""
        if self.quirk is Quirk.NEVER_ANSWERS or len(wpdu) == _HEADER.size:
            return b""
        apdu = meter.answer(wpdu[_HEADER.size :])
        if self.quirk is Quirk.JUNK_AT_RELEASE and wpdu[_HEADER.size] == 0x62:
            return b"\x7e\xa0\x07\x03\x00\x21\x93\x7e\x7e"
        if self.quirk is Quirk.UNKNOWN_TAG and wpdu[_HEADER.size] == 0x60:
            apdu = b"\x00\x01"
        if self.quirk is Quirk.SECOND_AS_FIRST and destination == 17:
            destination = 1
        if self.quirk is Quirk.ECHOES_WPORTS:
            source, destination = destination, source
        return _HEADER.pack(1, destination, source, len(apdu)) + apdu

    def in_stream(self, answer: bytes) -> bytes:
        """What stands in the stream in the place of an answer."""
        match self.quirk:
            case Quirk.STRAY_OCTETS:
                return answer + b"\x0d\x0a"
            case Quirk.ANSWERS_TWICE:
                return answer + answer
            case Quirk.PUSHES_FIRST:
                return _PUSH + answer
        length = int.from_bytes(answer[6:8], "big") + _LENGTHS.get(self.quirk, 0)
        return answer[:6] + length.to_bytes(2, "big") + answer[8:]

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
                self._busy_until = asyncio.get_running_loop().time() + _LATE
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        quirk = self.quirk
        if quirk is Quirk.CLOSES_AT_ONCE or (quirk is Quirk.ONE_CONNECTION and self._writers):
            return
        busy = bool(self._writers) or asyncio.get_running_loop().time() < self._busy_until
        if quirk is Quirk.FREES_LATE and busy:
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
        self._released = self._resets = False

    async def run(self) -> None:
        while octets := await self._read():
            if self.quirk is Quirk.FIN_ENDS_IT:
                await asyncio.sleep(0.02)
                if self._reader.at_eof():
                    return
            self._take(octets)
            await self._writer.drain()
            if self._resets:
                self._reset()
                return
        resets = self.quirk is Quirk.RESETS_AT_FIN
        if resets or (self.quirk is Quirk.RESETS_WHEN_DONE and self._released):
            await asyncio.sleep(0.02)
            self._reset()
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
        if not answer or self._deaf:
            return
        self._released = wpdu[_HEADER.size] == 0x62
        if self.quirk is Quirk.ANSWERS_ANY_LATE and int.from_bytes(wpdu[4:6], "big") not in _DEVICES:
            asyncio.get_running_loop().call_later(_SHORT, self._writer.write, answer)
            return
        self._writer.write(self._server.in_stream(answer))
        if self.quirk is Quirk.ANSWERS_AGAIN:
            asyncio.get_running_loop().call_later(_AGAIN, self._writer.write, answer)
        elif self.quirk is Quirk.CLOSES_AFTER_FIRST:
            raise ConnectionAbortedError
        elif self.quirk is Quirk.RESETS_AFTER_FIRST:
            self._resets = True

    def _reset(self) -> None:
        handle = self._writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()


class _Datagrams(asyncio.DatagramProtocol):
    """The same over UDP."""

    def __init__(self, meter: QuirkyMeter) -> None:
        self._server = meter
        self._meter = Meter()
        self._answered = 0

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
        self._answered += bool(answer)
        if not answer or (quirk is Quirk.UDP_ONCE and self._answered > 1):
            return
        if quirk is Quirk.UDP_OTHER_PORT:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(answer, addr)
            return
        for _ in range(2 if quirk is Quirk.UDP_TWICE else 1):
            self._transport.sendto(answer, addr)
