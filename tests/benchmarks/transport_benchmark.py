"""How fast the transport layer and its links are: `python3 tests/benchmarks/transport_benchmark.py`.

WPDUs encoded and decoded a second, round trips a second over loopback on one
connection and on many at once, and memory a connection of the server, which
runs in a process of its own. Each figure stands beside the same work done
bare in the same run (`struct`, an asyncio protocol that echoes octets), as a
ratio. Exit status 1: an APDU was lost, or header decoding is below its bar.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import CHECKOUT, equip

#: Headers decoded a second on a buffer of small WPDUs, at least.
BAR_HEADERS = 1_000_000
APDU = bytes.fromhex("c001c1000100002a0000ff0200")
_HEADER = struct.Struct(">4H")
#: Does a number of things, and says how many.
Work = Callable[[], int]
_ROUNDS = 5  # the best of so many is the figure: others disturb, nothing speeds up


@dataclass(frozen=True)
class Figure:
    """A rate or size of ours, and of the same work done bare; `unit` says of what."""

    name: str
    unit: str
    ours: float
    bare: float

    @property
    def ratio(self) -> float:
        """Ours to bare: of a rate less is worse, of a size more is worse."""
        return self.ours / self.bare if self.bare else float("inf")


def best_rate(work: Work, rounds: int = _ROUNDS) -> float:
    """Things done a second by `work`, which returns how many it did."""
    rates = []
    for _ in range(rounds):
        begun = time.perf_counter()
        done = work()
        rates.append(done / (time.perf_counter() - begun))
    return max(rates)


def codec_figures(count: int) -> list[Figure]:
    """Encoding and decoding of `count` WPDUs with a small APDU."""
    from cosemscope.transport.wpdu import Wpdu

    buffer = Wpdu(16, 1, APDU).encode() * count
    pairs = (
        ("encode a WPDU", *_encoding(count)),
        ("decode headers of a buffer", *_header_decoding(buffer)),
        ("decode WPDUs of a stream", *_stream_decoding(buffer, len(buffer) // count)),
    )
    return [Figure(name, "/s", best_rate(ours), best_rate(bare)) for name, ours, bare in pairs]


def _encoding(count: int) -> tuple[Work, Work]:
    """Ours, and the bare packing of header and APDU."""
    from cosemscope.transport.wpdu import Wpdu

    def encode() -> int:
        for _ in range(count):
            Wpdu(16, 1, APDU).encode()
        return count

    def pack() -> int:
        for _ in range(count):
            _HEADER.pack(1, 16, 1, len(APDU)) + APDU
        return count

    return encode, pack


def _header_decoding(buffer: bytes) -> tuple[Work, Work]:
    """Ours, and the bare unpacking of header after header."""
    from cosemscope.transport.wpdu import scan_headers

    def headers() -> int:
        return len(scan_headers(buffer).rows)

    def unpack() -> int:
        found = []
        at, end = 0, len(buffer)
        while at < end:
            header = _HEADER.unpack_from(buffer, at)
            found.append(header)
            at += 8 + header[3]
        return len(found)

    return headers, unpack


def _stream_decoding(buffer: bytes, size: int) -> tuple[Work, Work]:
    """Ours, 64 WPDUs of `size` octets a piece, and bare unpacking and cutting."""
    from cosemscope.transport.wpdu import WpduDecoder

    def decode() -> int:
        decoder, found = WpduDecoder(), 0
        for start in range(0, len(buffer), 64 * size):
            decoder.feed(buffer[start : start + 64 * size])
            found += len(decoder.events())
        return found

    def unpack_and_cut() -> int:
        found = []
        at, end = 0, len(buffer)
        while at < end:
            header = _HEADER.unpack_from(buffer, at)
            found.append((header, buffer[at + 8 : at + 8 + header[3]]))
            at += 8 + header[3]
        return len(found)

    return decode, unpack_and_cut


# The far end, in a process of its own


class BareEcho(asyncio.Protocol):
    """Sends back what comes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Echo."""
        self._transport.write(data)


def resident() -> int:
    """Octets of this process that are resident now (where that is not told: at most so far)."""
    with contextlib.suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        import resource

        return pages * resource.getpagesize()
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def more_files() -> None:
    """Allow as many open files as the system does."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve(kind: str) -> None:
    """Be the far end: print the port, then the resident octets at every line of standard input."""
    from cosemscope.live.links.tcp_link import TcpLink
    from cosemscope.live.links.tcp_server import serve_tcp

    async def echo(link: TcpLink) -> None:
        while True:
            await link.send(await link.receive())

    async with contextlib.AsyncExitStack() as stack:
        if kind == "bare":
            loop = asyncio.get_running_loop()
            server = await loop.create_server(BareEcho, "127.0.0.1", 0, backlog=1024)
            port = server.sockets[0].getsockname()[1]
            stack.callback(server.close)
        else:
            ours = await stack.enter_async_context(serve_tcp(port=0, handler=echo, limit=100_000))
            port = ours.address.port
        print(port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(resident(), flush=True)


@contextlib.contextmanager
def far_end(kind: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """A server process: its port, and how to ask it for its resident octets."""
    command = [sys.executable, __file__, "--serve", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        out, into = process.stdout, process.stdin

        def ask() -> int:
            into.write("\n")
            into.flush()
            return int(out.readline())

        try:
            yield int(out.readline()), ask
        finally:
            process.kill()


# The near end


class BareClient(asyncio.Protocol):
    """Octets to and from one connection, one answer at a time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self.transport = transport
        self._waiting: asyncio.Future[None] | None = None
        self._missing = 0

    def data_received(self, data: bytes) -> None:
        """Part of the answer."""
        self._missing -= len(data)
        if self._missing <= 0 and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def exchange(self, octets: bytes) -> None:
        """Send octets, wait for as many."""
        self._missing = len(octets)
        self._waiting = asyncio.get_running_loop().create_future()
        self.transport.write(octets)
        await self._waiting


@dataclass(frozen=True)
class Trips:
    """What a run over loopback came to: round trips a second, octets a connection, APDUs lost."""

    rate: float
    memory: float
    lost: int


Exchange = Callable[[int], Awaitable[bool]]


async def _open_ours(port: int, stack: contextlib.AsyncExitStack) -> Exchange:
    from cosemscope.live.links.tcp_link import connect_tcp

    link = await stack.enter_async_context(connect_tcp("127.0.0.1", port))

    async def exchange(number: int) -> bool:
        apdu = APDU + number.to_bytes(4, "big")
        await link.send(apdu)
        return await link.receive(0) == apdu

    return exchange


async def _open_bare(port: int, stack: contextlib.AsyncExitStack) -> Exchange:
    loop = asyncio.get_running_loop()
    transport, client = await loop.create_connection(BareClient, "127.0.0.1", port)
    stack.callback(transport.close)

    async def exchange(number: int) -> bool:
        await client.exchange(_HEADER.pack(1, 16, 1, len(APDU) + 4) + APDU + number.to_bytes(4, "big"))
        return True

    return exchange


async def _trips(kind: str, connections: int, trips: int) -> Trips:
    """`trips` round trips in all, spread over `connections` that are all open at once."""
    opener = _open_ours if kind == "ours" else _open_bare
    each = max(1, trips // connections)
    with far_end(kind) as (port, ask):
        async with contextlib.AsyncExitStack() as stack:
            warm = await opener(port, stack)
            await warm(0)
            before = ask()
            exchanges = [await opener(port, stack) for _ in range(connections)]
            right = sum(await asyncio.gather(*(exchange(0) for exchange in exchanges)))
            memory = (ask() - before) / connections
            begun = time.perf_counter()

            async def one(exchange: Exchange) -> int:
                return sum([await exchange(number) for number in range(1, each + 1)])

            right += sum(await asyncio.gather(*(one(exchange) for exchange in exchanges)))
            taken = time.perf_counter() - begun
    return Trips(connections * each / taken, memory, connections * (each + 1) - right)


def link_figures(connections: int, trips: int) -> tuple[list[Figure], int]:
    """Round trips and memory for 1 and for many connections; and how many APDUs were lost."""
    figures, lost = [], 0
    for count in (1, connections):
        ours = [asyncio.run(_trips("ours", count, trips)) for _ in range(3)]
        bare = [asyncio.run(_trips("bare", count, trips)) for _ in range(3)]
        lost += sum(run.lost for run in ours)
        name = f"round trips, {count} connection{'s' if count > 1 else ''}"
        figures.append(Figure(name, "/s", max(r.rate for r in ours), max(r.rate for r in bare)))
        if count > 1:
            sizes = (statistics.median(run.memory for run in runs) for runs in (ours, bare))
            figures.append(Figure("memory a connection (server)", "octets", *sizes))
    return figures, lost


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=1000, help="at once (1000)")
    parser.add_argument("--trips", type=int, default=10_000, help="round trips a run (10000)")
    parser.add_argument("--wpdus", type=int, default=200_000, help="WPDUs to encode and decode (200000)")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--serve", choices=("ours", "bare"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(CHECKOUT / "app"))
    more_files()
    if arguments.serve:
        asyncio.run(serve(arguments.serve))
        return 0
    figures = codec_figures(arguments.wpdus)
    linked, lost = link_figures(arguments.connections, arguments.trips)
    figures += linked
    headers = next(figure.ours for figure in figures if figure.name.startswith("decode headers"))
    if arguments.json:
        values = {"figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures], "lost": lost}
        print(json.dumps(values))
    else:
        print(f"{'':<34}{'ours':>12}{'bare':>14}{'ratio':>8}")
        for figure in figures:
            values = f"{figure.ours:>12,.0f}{figure.bare:>14,.0f}{figure.ratio:>8.2f}"
            print(f"{figure.name:<34}{values}  {figure.unit}")
        verdict = "met" if headers >= BAR_HEADERS else "NOT MET"
        print(f"\nAPDUs lost: {lost}; bar of {BAR_HEADERS:,} headers a second: {verdict}")
    return 1 if lost or headers < BAR_HEADERS else 0


if __name__ == "__main__":
    equip()
    sys.exit(main())
