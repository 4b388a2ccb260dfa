"""What the built-in meter costs: `python3 tests/benchmarks/meter_benchmark.py`.

Exchanges a second over loopback with a plain socket as client, recorded as always, in clear and ciphered,
beside the same octets sent back by a bare echo in the same run; then a fleet of meters, all read at once.
Meters and echo are processes of their own. Exit status 1: an answer was lost, or a bar was missed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.transport_benchmark import far_end, more_files
from tests.helpers.equipment import CHECKOUT, equip

#: Exchanges a second in clear and ciphered, at least.
BAR_CLEAR, BAR_CIPHERED = 2_000, 1_000
_TURNS = 5
_ENERGY = (3, "1.0.1.8.0.255", 2)
_READ = 20


@dataclass(frozen=True)
class MeterCosts:
    """Exchanges a second of the meter and of a bare echo; of a fleet meters, those read whole, seconds from
    the first connection to the last answer, exchanges a second, and resident octets with all connections."""

    clear: float
    ciphered: float
    echo: float
    fleet: int
    read: int
    seconds: float
    fleet_rate: float
    resident: int

    @property
    def good(self) -> bool:
        """Whether nothing was lost and the bars are met."""
        return self.read == self.fleet and self.clear >= BAR_CLEAR and self.ciphered >= BAR_CIPHERED


@contextlib.contextmanager
def metered(*words: str) -> Iterator[tuple[list[tuple[str, int]], int]]:
    """Meters as a user starts them: their addresses and their process number."""
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        spool = str(Path(folder, "meter.pcapng"))
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cosemscope",
                "meter",
                "127.0.0.1:0",
                *words,
                "--control",
                "--write",
                spool,
            ],
            stdin=subprocess.PIPE,  # it ends with this process, however that ends
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "app")},
        )
        assert process.stdout is not None
        addresses = [one.rpartition(":") for one in json.loads(process.stdout.readline())["addresses"]]
        events = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield [(host, int(port)) for host, _, port in addresses], process.pid
        finally:
            process.kill()
            process.wait()
            events.wait()


def wpdu(apdu: bytes, source: int) -> bytes:
    """A WPDU for the management logical device."""
    return b"\0\1" + source.to_bytes(2, "big") + b"\0\1" + len(apdu).to_bytes(2, "big") + apdu


def clear_requests(count: int) -> tuple[list[bytes], list[bytes]]:
    """What associates the public client, and its GETs."""
    from cosemscope.live.commands.ready_made import get_request, public_aarq

    return [wpdu(public_aarq(), 16)], [wpdu(get_request(*_ENERGY), 16)] * count


class CipheredTalk:
    """The managing client: its AARQ, its proof, and GETs, sealed before the time is taken."""

    def __init__(self) -> None:
        from cosemscope.analysis.keys.key_table import KeyTable
        from cosemscope.cli.meters.meter_makers import published_keys

        (self.keys,) = [
            one.keys for one in KeyTable.load(published_keys()).entries if one.keys.label == "meter"
        ]
        self.title, self.counter = b"BENCH001", 1

    def sealed(self, apdu: bytes) -> bytes:
        """The next sealed request."""
        from cosemscope.application.protection.sealing import Sealer

        if self.counter == 1:
            self.sealer = Sealer(self.keys, self.title)
        self.counter += 1
        return wpdu(self.sealer.seal(apdu, self.counter), 18)

    def associate(self, link: socket.socket) -> None:
        """AARQ and both proofs."""
        from cosemscope.apdu.context import Reference
        from cosemscope.apdu.security.hls import Challenges
        from cosemscope.application.encoding.acse_apdus import Aarq
        from cosemscope.application.encoding.apdus import encode, parse
        from cosemscope.application.encoding.data_values import octet_string
        from cosemscope.application.encoding.get_set_action import ActionRequestNormal
        from cosemscope.application.encoding.initiate_apdus import InitiateRequest
        from cosemscope.application.protection.hls_answers import hls_answer

        own = bytes(range(16))
        initiate = self.sealed(encode(InitiateRequest(0xFFFFFF, 0xFFFF)))[8:]
        aarq = Aarq(3, initiate, 5, own, self.title, authentication_required=True)
        aare = parse(exchange(link, wpdu(encode(aarq), 18))[8:])
        challenges = Challenges(
            5, self.title, aare.responding_ap_title, own, aare.responding_authentication_value
        )
        self.counter += 1
        proof = hls_answer(challenges, True, self.keys, counter=self.counter)
        reply = Reference(15, bytes((0, 0, 40, 0, 0, 255)), 1, True)
        answer = exchange(link, self.sealed(encode(ActionRequestNormal(0xC1, reply, octet_string(proof)))))
        assert answer[8] == 0xCF, answer.hex()

    def requests(self, count: int) -> list[bytes]:
        """GETs of a register."""
        from cosemscope.live.commands.ready_made import get_request

        return [self.sealed(get_request(*_ENERGY)) for _ in range(count)]


def exchange(link: socket.socket, octets: bytes) -> bytes:
    """Send a WPDU, wait for one."""
    link.sendall(octets)
    came = link.recv(65536)
    while len(came) < 8 or len(came) < 8 + int.from_bytes(came[6:8], "big"):
        more = link.recv(65536)
        if not more:
            raise ConnectionError("the far end has closed the connection")
        came += more
    return came


def rate_of(link: socket.socket, requests: Sequence[bytes]) -> float:
    """Exchanges a second."""
    begun = time.perf_counter()
    for octets in requests:
        exchange(link, octets)
    return len(requests) / (time.perf_counter() - begun)


def one_meter(count: int) -> tuple[float, float, float]:
    """Exchanges a second in clear, ciphered, and of a bare echo; the best of several turns."""
    rates: tuple[list[float], list[float], list[float]] = ([], [], [])
    with metered("--tcp-only") as (addresses, _), far_end("bare") as (far, _):
        first, clear = clear_requests(count)
        talk = CipheredTalk()
        links = [socket.create_connection(at) for at in (*addresses * 2, ("127.0.0.1", far))]
        exchange(links[0], first[0])
        talk.associate(links[1])
        for _ in range(_TURNS):
            for found, link, requests in zip(rates, links, (clear, talk.requests(count), clear), strict=True):
                found.append(rate_of(link, requests))
        for link in links:
            link.close()
    return max(rates[0]), max(rates[1]), max(rates[2])


async def _read_one(at: tuple[str, int], everybody: asyncio.Barrier) -> int:
    """Reads one meter of a fleet; exchanges that were answered."""
    first, gets = clear_requests(_READ)
    answered = 0
    reader, writer = await asyncio.open_connection(*at)
    await everybody.wait()
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
        for octets in (*first, *gets):
            writer.write(octets)
            head = await asyncio.wait_for(reader.readexactly(8), 60)
            apdu = await reader.readexactly(int.from_bytes(head[6:8], "big"))
            answered += apdu[:1] in (b"\x61", b"\xc4")
    await everybody.wait()
    writer.close()
    return answered


async def _read_all(addresses: list[tuple[str, int]], process: int) -> tuple[int, float, int]:
    everybody = asyncio.Barrier(len(addresses) + 1)
    talks = [asyncio.ensure_future(_read_one(at, everybody)) for at in addresses]
    await everybody.wait()
    begun = time.perf_counter()
    await everybody.wait()
    seconds = time.perf_counter() - begun
    resident = resident_of(process)
    answered = await asyncio.gather(*talks)
    return sum(one == _READ + 1 for one in answered), seconds, resident


def resident_of(process: int) -> int:
    """Resident octets of a process; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


def measure(count: int, fleet: int) -> MeterCosts:
    """All figures."""
    clear, ciphered, echo = one_meter(count)
    with metered("--fleet", str(fleet)) as (addresses, process):
        read, seconds, resident = asyncio.run(_read_all(addresses, process))
    return MeterCosts(clear, ciphered, echo, fleet, read, seconds, fleet * (_READ + 1) / seconds, resident)


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=2000, help="exchanges of a turn (2000)")
    parser.add_argument("--fleet", type=int, default=500, help="meters read at once (500)")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    arguments = parser.parse_args()
    more_files()
    costs = measure(arguments.count, arguments.fleet)
    if arguments.json:
        print(json.dumps({**asdict(costs), "good": costs.good}))
        return 0 if costs.good else 1
    print(f"{'exchanges a second':<22}{'meter':>10}{'echo':>10}{'ratio':>8}{'bar':>10}")
    for name, ours, bar in (("in clear", costs.clear, BAR_CLEAR), ("ciphered", costs.ciphered, BAR_CIPHERED)):
        verdict = "met" if ours >= bar else "NOT MET"
        print(f"{name:<22}{ours:>10,.0f}{costs.echo:>10,.0f}{ours / costs.echo:>8.2f}{bar:>10,} {verdict}")
    print(
        f"{costs.fleet} meters read at once, {_READ + 1} exchanges each: {costs.read} whole, "
        f"{costs.seconds:.1f} s, {costs.fleet_rate:,.0f} exchanges/s, "
        f"{costs.resident / 2**20:.0f} MiB resident ({costs.resident / costs.fleet / 2**10:.0f} KiB a meter)"
    )
    return 0 if costs.good else 1


if __name__ == "__main__":
    equip()
    sys.exit(main())
