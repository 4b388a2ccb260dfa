"""What a relay costs: `python3 tests/benchmarks/relay_benchmark.py`.

The time that it adds to a round trip over loopback, recorded as always, beside the same round trip without
it, in turns of one run; then many connections at once, each with octets of its own, which must come back as
they went. Relay and echo are processes of their own. Exit status 1: an octet was lost, or a bar was missed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.benchmarks.transport_benchmark import BareClient, far_end, more_files
from tests.helpers.equipment import CHECKOUT, equip

#: Seconds that the relay may add to a round trip.
BAR_ADDED = 0.001
_TURNS = 5
#: Connections that may still be open from a turn before.
_SPARE = 16
_REQUEST = bytes.fromhex("000100100001000dc001c1000100002a0000ff0200")


@dataclass(frozen=True)
class RelayCosts:
    """Seconds of a round trip, its median and 99th percentile; of many connections octets a second, octets
    lost, and the relay's resident octets with all of them open."""

    direct: float
    relayed: float
    direct_99: float
    relayed_99: float
    connections: int
    octets: int
    rate: float
    lost: int
    resident: int

    @property
    def added(self) -> float:
        """Seconds that the relay adds to the median."""
        return self.relayed - self.direct

    @property
    def good(self) -> bool:
        """Whether nothing was lost and the bar is met."""
        return not self.lost and self.added <= BAR_ADDED


@contextlib.contextmanager
def relay_to(port: int, limit: int) -> Iterator[tuple[int, int]]:
    """A relay to that port, as a user starts it: its own port and its process number."""
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        words = ("relay", ":0", f"127.0.0.1:{port}", "--tcp-only", "--control", "--limit", str(limit))
        process = subprocess.Popen(
            [sys.executable, "-m", "cosemscope", *words, "--write", str(Path(folder, "relay.pcapng"))],
            stdin=subprocess.PIPE,  # it ends with this process, however that ends
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "app")},
        )
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["address"]
        events = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield int(address.rpartition(":")[2]), process.pid
        finally:
            process.kill()
            process.wait()
            events.wait()


def resident_of(process: int) -> int:
    """Resident octets of a process; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    return 0


async def round_trips(port: int, count: int) -> list[float]:
    """Seconds of each of so many round trips on one connection."""
    transport, client = await asyncio.get_running_loop().create_connection(BareClient, "127.0.0.1", port)
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        await client.exchange(_REQUEST)
        times.append(time.perf_counter() - begun)
    transport.close()
    return times


async def lost_of(port: int, number: int, everybody: asyncio.Barrier, blocks: int) -> tuple[int, int]:
    """One of many connections: octets that went, and those of them that did not come back as they went."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    chance = random.Random(number)
    await everybody.wait()
    went = lost = 0
    for _ in range(blocks):
        octets = chance.randbytes(chance.randrange(1, 4000))
        went += len(octets)
        writer.write(octets)
        try:
            came = await asyncio.wait_for(reader.readexactly(len(octets)), 60)
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            lost += len(octets)
            break
        lost += sum(one != other for one, other in zip(octets, came, strict=True)) if octets != came else 0
    await everybody.wait()  # nobody goes before all are done
    writer.close()
    return went, lost


async def many(port: int, connections: int, blocks: int, process: int) -> tuple[int, float, int, int]:
    """Octets, octets a second, octets lost, and resident octets of the relay meanwhile."""
    everybody = asyncio.Barrier(connections + 1)
    talks = [asyncio.ensure_future(lost_of(port, each, everybody, blocks)) for each in range(connections)]
    await everybody.wait()
    begun = time.perf_counter()
    await everybody.wait()
    taken = time.perf_counter() - begun
    resident = resident_of(process)
    counts = await asyncio.gather(*talks)
    octets = sum(went for went, _ in counts)
    return octets, octets / taken, sum(lost for _, lost in counts), resident


def measure(trips: int, connections: int, blocks: int) -> RelayCosts:
    """All figures."""
    direct: list[float] = []
    relayed: list[float] = []
    with far_end("bare") as (far, _), relay_to(far, connections + _SPARE) as (port, process):
        asyncio.run(round_trips(port, 100))
        for _ in range(_TURNS):
            direct += asyncio.run(round_trips(far, trips // _TURNS))
            relayed += asyncio.run(round_trips(port, trips // _TURNS))
        octets, rate, lost, resident = asyncio.run(many(port, connections, blocks, process))
    return RelayCosts(
        statistics.median(direct),
        statistics.median(relayed),
        statistics.quantiles(direct, n=100)[98],
        statistics.quantiles(relayed, n=100)[98],
        connections,
        octets,
        rate,
        lost,
        resident,
    )


def main() -> int:
    """Run and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--connections", type=int, default=1000, help="at once (1000)")
    parser.add_argument("--blocks", type=int, default=20, help="sent and waited for on each (20)")
    parser.add_argument("--trips", type=int, default=5000, help="round trips with and without relay (5000)")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    arguments = parser.parse_args()
    more_files()
    costs = measure(arguments.trips, arguments.connections, arguments.blocks)
    if arguments.json:
        print(json.dumps({**asdict(costs), "added": costs.added, "good": costs.good}))
        return 0 if costs.good else 1
    print(f"{'round trip':<22}{'direct':>10}{'relayed':>10}{'ratio':>8}")
    for name, one, other in (
        ("median", costs.direct, costs.relayed),
        ("99th percentile", costs.direct_99, costs.relayed_99),
    ):
        print(f"{name:<22}{one * 1e6:>7.0f} us{other * 1e6:>7.0f} us{other / one:>8.2f}")
    verdict = "met" if costs.added <= BAR_ADDED else "NOT MET"
    print(f"added {costs.added * 1e6:.0f} us; bar of {BAR_ADDED * 1e6:.0f} us: {verdict}")
    print(
        f"{costs.connections:,} connections at once, {costs.octets:,} octets there and back: "
        f"{costs.lost} lost, {costs.rate / 1e6:.1f} MB/s, the relay has {costs.resident / 2**20:.0f} MiB"
    )
    return 0 if costs.good else 1


if __name__ == "__main__":
    equip()
    sys.exit(main())
