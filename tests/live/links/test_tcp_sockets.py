"""One TCP connection: octets as they stand, all ways of ending, limits of time, which address is taken."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_sockets import LinkOptions, SocketConnection, open_connection
from tests.helpers.coroutines import run, settled, until

QUICK = LinkOptions(connect_timeout=2, send_timeout=0.2)


class Kept(SocketConnection):
    """A connection that keeps what it is told."""

    def __init__(self, options: LinkOptions = QUICK) -> None:
        super().__init__(options, None, initiated=True)
        self.told: list[object] = []
        self.handle: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.handle = transport.get_extra_info("socket")
        super().connection_made(transport)

    def opening(self, address: LinkAddress) -> None:
        self.told.append(("opening", address))

    def opening_failed(self, fault: LinkError) -> None:
        self.told.append(("failed", fault.fault))

    def opened(self) -> None:
        self.told.append("opened")

    def octets_received(self, octets: bytes) -> None:
        self.told.append(octets)

    def end_received(self) -> None:
        self.told.append("end")

    def connection_ended(self, fault: LinkError | None) -> None:
        self.told.append(("ended", fault and fault.fault))


Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def against(peer: Peer, work: Callable[[Kept], Awaitable[None]], options: LinkOptions = QUICK) -> Kept:
    """Run `work` on a connection to `peer`; the connection."""
    made: list[Kept] = []

    async def both() -> None:
        server = await asyncio.start_server(peer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = await open_connection(lambda: Kept(options), LinkAddress("127.0.0.1", port), options)
        made.append(link)
        await work(link)
        link.reset()
        await link.wait_ended()
        server.close()

    run(both())
    return made[0]


async def close_after_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give back what comes, until the other side has finished; then close."""
    while octets := await reader.read(4096):
        writer.write(octets)
    writer.close()


def test_octets_both_ways_and_an_end_in_order() -> None:
    """FIN goes out, what was on its way still comes in, then the peer's FIN; nothing is a fault."""

    async def work(link: Kept) -> None:
        assert link.is_open
        link.write(b"there")
        await link.drain()
        await until(lambda: b"there" in link.told)
        link.write(b" and back")
        link.finish()
        await until(lambda: "end" in link.told)
        link.shut()
        await link.wait_ended()
        assert not link.is_open

    link = against(close_after_all, work)
    assert link.told[0] == ("opening", link.remote)
    octets = b"".join(each for each in link.told if isinstance(each, bytes))
    assert (link.told[1], octets) == ("opened", b"there and back")
    assert link.told[-2:] == ["end", ("ended", None)]
    assert link.fault is None


def test_what_is_written_to_a_connection_that_is_gone() -> None:
    """A fault with the peer's name, every time; ending it again does nothing."""

    async def work(link: Kept) -> None:
        link.shut()
        await link.wait_ended()
        for _ in range(2):
            with pytest.raises(LinkError, match=f"the connection to {link.remote} is closed") as caught:
                link.write(b"late")
            assert caught.value.fault is Fault.CLOSED
        link.finish()
        link.shut()
        link.pause(reading=False)

    against(close_after_all, work)


def test_a_reset_by_the_peer() -> None:
    """It is a fault, told once, and raised to whoever sends on."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        handle = writer.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    async def work(link: Kept) -> None:
        link.write(b"x")
        await link.wait_ended()
        assert link.fault is not None
        assert link.fault.fault is Fault.RESET
        assert str(link.remote) in link.fault.message
        for send in (link.drain(), asyncio.to_thread(link.write, b"y")):
            with pytest.raises(LinkError) as caught:
                await send
            assert caught.value.fault is Fault.RESET

    link = against(peer, work)
    assert [each for each in link.told if each[0] == "ended"] == [("ended", Fault.RESET)]


def test_a_reset_before_the_connection_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full server accepts and resets at once: the opening fails, and nobody waits for answers."""
    made = Kept()

    async def work() -> None:
        loop = asyncio.get_running_loop()
        connect = loop.sock_connect
        with socket.create_server(("127.0.0.1", 0)) as server:

            async def connect_and_be_reset(handle: socket.socket, where: tuple[str, int]) -> None:
                await connect(handle, where)
                with server.accept()[0] as other:
                    other.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

            monkeypatch.setattr(loop, "sock_connect", connect_and_be_reset)
            with pytest.raises(LinkError) as caught:
                await open_connection(lambda: made, LinkAddress(*server.getsockname()), QUICK)
        assert caught.value.fault is Fault.RESET
        await asyncio.sleep(0)

    run(work())
    assert made.told == [("opening", made.told[0][1]), ("failed", Fault.RESET)]  # type: ignore[index]


def test_a_peer_that_does_not_read() -> None:
    """Draining gives up after the time allowed, and the end of the connection does not wait for it either."""
    never = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(asyncio.CancelledError):
            await never.wait()

    async def work(link: Kept) -> None:
        async def fill() -> None:
            while True:
                link.write(bytes(1 << 20))
                await link.drain()

        with pytest.raises(LinkError, match=r"reads nothing: gave up after 0\.2 s") as caught:
            await fill()
        assert caught.value.fault is Fault.TIMEOUT
        link.shut()
        await link.wait_ended()
        assert not link.is_open

    against(deaf, work)


def test_reading_can_be_paused() -> None:
    """What comes meanwhile is given afterwards, all of it."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            octets = await reader.read(1)
            writer.write(octets * 3)
        await reader.read(1)

    async def work(link: Kept) -> None:
        link.write(b"a")
        await until(lambda: b"".join(each for each in link.told if isinstance(each, bytes)) == b"aaa")
        link.pause(reading=False)
        link.write(b"bc")
        await settled(lambda: len(link.told))
        assert link.told[-1] == b"aaa"
        link.pause(reading=True)
        await until(lambda: b"".join(each for each in link.told if isinstance(each, bytes)) == b"aaabbbccc")

    against(peer, work)


def test_nobody_listens() -> None:
    """Refused: told to the object that was made for the attempt, and raised."""
    made: list[Kept] = []

    def make() -> Kept:
        made.append(Kept())
        return made[-1]

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(LinkError) as caught:
            await open_connection(make, LinkAddress("127.0.0.1", port), QUICK)
        assert caught.value.fault is Fault.REFUSED
        assert made[0].told == [("opening", LinkAddress("127.0.0.1", port)), ("failed", Fault.REFUSED)]

    run(work())
    assert len(made) == 1


def test_the_first_address_that_answers_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are tried in their order, each by an object of its own."""

    async def work() -> None:
        server = await asyncio.start_server(close_after_all, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        loop = asyncio.get_running_loop()

        async def addresses(*_: object, **__: object) -> list[object]:
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
                for host in ("127.0.0.3", "127.0.0.1", "127.0.0.2")
            ]

        monkeypatch.setattr(loop, "getaddrinfo", addresses)
        made: list[Kept] = []

        def make() -> Kept:
            made.append(Kept())
            return made[-1]

        link = await open_connection(make, LinkAddress("meter", port), QUICK)
        assert [each.told[0] for each in made] == [
            ("opening", LinkAddress("127.0.0.3", port)),
            ("opening", LinkAddress("127.0.0.1", port)),
        ]
        assert link is made[1]
        assert link.remote == LinkAddress("127.0.0.1", port)
        link.reset()
        await link.wait_ended()
        server.close()

    run(work())


def test_a_lookup_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time for the connection bounds the look-up of the name, too."""

    async def work() -> None:
        async def never(*_: object, **__: object) -> None:
            await asyncio.Event().wait()

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
        with pytest.raises(LinkError, match="could not be looked up in time") as caught:
            await open_connection(Kept, LinkAddress("meter", 1), LinkOptions(connect_timeout=0.02))
        assert caught.value.fault is Fault.TIMEOUT

    run(work())


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_keep_alive_and_small_segments(seconds: float | None) -> None:
    """Segments go out at once; the system asks an idle peer when it is told to, not else."""

    async def work(link: Kept) -> None:
        handle = link.handle
        assert handle is not None
        assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert bool(handle.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) == bool(seconds)
        if seconds and hasattr(socket, "TCP_KEEPIDLE"):
            assert handle.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30

    against(close_after_all, work, LinkOptions(connect_timeout=2, keep_alive=seconds))
