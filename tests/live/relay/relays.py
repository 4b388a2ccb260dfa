"""A relay in the test's own loop, with what it tells, and the plain sockets at its two ends."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from cosemscope.capture.events import Command, Event
from cosemscope.live.commands.live_events import Commands
from cosemscope.live.links.addresses import LinkAddress, parse_address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.relay.breakpoints import Matches, Passing
from cosemscope.live.relay.relay_events import Relaying
from cosemscope.live.relay.relay_job import RelayJob, run_relay
from tests.helpers.coroutines import until

E = TypeVar("E", bound=Event)
GET = bytes.fromhex("000100100001000dc001c1000100002a0000ff0200")
SET = bytes.fromhex("0001001000010008c101c20001000000")


def by_tag(text: str) -> Matches:
    """A filter of tests: the first octet of the APDU in hexadecimal."""
    tag = bytes.fromhex(text)

    def matches(passing: Sequence[Passing]) -> list[bool]:
        return [one.octets[8:9] == tag for one in passing]

    return matches


class Relay:
    """What a relay told, and how it is told something."""

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.commands: Commands = asyncio.Queue()

    def events(self, kind: type[E]) -> list[E]:
        return [event for event in self.told if isinstance(event, kind)]

    async def event(self, kind: type[E], number: int = 0) -> E:
        """That one of its kind, once it is told."""
        await until(lambda: len(self.events(kind)) > number)
        return self.events(kind)[number]

    def tell(self, command: Command) -> None:
        self.commands.put_nowait(command)

    @property
    def addresses(self) -> list[LinkAddress]:
        return [parse_address(event.address) for event in self.events(Relaying)]


@asynccontextmanager
async def relaying(
    job: RelayJob, recorder: Recorder | None = None, make_matches: Callable[[str], Matches] = by_tag
) -> AsyncIterator[Relay]:
    """A relay that is ready; it is ended in order, and its failure is the test's."""
    relay = Relay()
    work = asyncio.ensure_future(run_relay(job, relay.told.append, make_matches, recorder, relay.commands))
    expected = len(job.all_routes()) * (job.tcp + job.udp)
    try:
        await until(lambda: work.done() or len(relay.events(Relaying)) == expected)
        if work.done():
            work.result()
        yield relay
        relay.commands.put_nowait(None)
        await work
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work


def job_for(port: int, host: str = "127.0.0.1", **words: object) -> RelayJob:
    """TCP from a free port to that one."""
    there = str(LinkAddress(host, port))
    here = str(LinkAddress(host, 0))
    return RelayJob(**{"listen": here, "target": there, "udp": False, **words})  # type: ignore[arg-type]


class Ends:
    """A client's socket and the one that the target accepted for it, neither of which blocks."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server


@asynccontextmanager
async def ends(relay: Relay, target: socket.socket) -> AsyncIterator[Ends]:
    """Both ends of a relayed connection."""
    loop = asyncio.get_running_loop()
    address = relay.addresses[0]
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family) as client:
        client.setblocking(False)
        await loop.sock_connect(client, tuple(address))
        server, _ = await loop.sock_accept(target)
        with server:
            yield Ends(client, server)


@contextlib.contextmanager
def listening(host: str = "127.0.0.1"):  # type: ignore[no-untyped-def]
    """A target's socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family, backlog=1024) as handle:
        handle.setblocking(False)
        yield handle


def reset(handle: socket.socket) -> None:
    """Break a connection."""
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handle.close()


async def read_all(handle: socket.socket) -> bytes:
    """What comes until the end; ConnectionResetError where that is a reset."""
    loop = asyncio.get_running_loop()
    octets = b""
    while part := await loop.sock_recv(handle, 1 << 16):
        octets += part
    return octets


async def read_exactly(handle: socket.socket, count: int) -> bytes:
    """So many octets."""
    loop = asyncio.get_running_loop()
    octets = b""
    while len(octets) < count:
        part = await loop.sock_recv(handle, count - len(octets))
        assert part, octets
        octets += part
    return octets
