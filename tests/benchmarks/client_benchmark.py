"""What a client costs: `python3 tests/benchmarks/client_benchmark.py`.

Fifty registers of the built-in meter over loopback, one exchange after the other, in clear (LLS) and ciphered
(HLS 5, suite 0), recorded as always; then all fifty in one reading (with-list). The meter is a process of its
own. Exchanges a second, and this process' CPU time for each, also as a ratio to that of an exchange on the
bare link. Exit status 1: a bar was missed.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import CHECKOUT, equip

#: Exchanges a second.
BAR_CLEAR, BAR_CIPHERED = 2000, 1000
_REGISTERS = 50
_TURNS = 5
_GET = bytes.fromhex("c001c100080000010000ff0200")


@dataclass(frozen=True)
class Pace:
    """Exchanges a second, of the best turn, and seconds of CPU time of this process for each."""

    rate: float
    cpu: float


@contextlib.contextmanager
def meter_process() -> Iterator[int]:
    """The built-in meter, as a user starts it: its port."""
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as folder:
        words = (
            "meter",
            "127.0.0.1:0",
            "--tcp-only",
            "--control",
            "--write",
            str(Path(folder, "meter.pcapng")),
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "cosemscope", *words],
            stdin=subprocess.PIPE,  # it ends with this process, however that ends
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT / "app")},
        )
        assert process.stdout is not None
        address = json.loads(process.stdout.readline())["addresses"][0]
        events = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        try:
            yield int(address.rpartition(":")[2])
        finally:
            process.kill()
            process.wait()
            events.wait()


async def pace_of(work: Callable[[], Awaitable[object]], exchanges: int) -> Pace:
    """How fast `work`, which makes so many exchanges, is done: the best of some turns."""
    rates, costs = [], []
    for _ in range(_TURNS):
        begun, cpu = time.perf_counter(), time.process_time()
        await work()
        rates.append(exchanges / (time.perf_counter() - begun))
        costs.append((time.process_time() - cpu) / exchanges)
    return Pace(max(rates), min(costs))


async def measure(port: int, rounds: int, folder: Path) -> dict[str, Pace]:
    """The pace of each way."""
    from cosemscope.application.client.service_operations import get
    from cosemscope.live.client.meter_client import Meter, connect_meter
    from cosemscope.live.links.recording import Recorder
    from cosemscope.live.links.tcp_link import connect_tcp
    from tests.live.client.accesses import READING, managing

    found = {}
    recorder = Recorder(folder / "client.pcapng")
    async with connect_tcp("127.0.0.1", port, recorder=recorder) as link:

        async def bare() -> None:
            for _ in range(_REGISTERS * rounds):
                await link.request(_GET)

        found["link"] = await pace_of(bare, _REGISTERS * rounds)

    async def registers(meter: Meter) -> list[object]:
        listed = [entry.attribute(2) for entry in await meter.objects() if entry.class_id in (3, 4, 5)]
        return [listed[number % len(listed)] for number in range(_REGISTERS)]

    for name, client, access in (("clear", 17, READING), ("ciphered", 18, managing())):
        async with connect_meter("127.0.0.1", port, client=client, access=access, recorder=recorder) as meter:
            references = await registers(meter)

            async def one_by_one(meter: Meter = meter, references: list[object] = references) -> None:
                for _ in range(rounds):
                    for reference in references:
                        (part,) = await meter.ask(get(reference))  # type: ignore[arg-type]
                        assert part.value is not None

            async def at_once(meter: Meter = meter, references: list[object] = references) -> None:
                for _ in range(rounds):
                    await meter.read_references(references)  # type: ignore[arg-type]

            found[name] = await pace_of(one_by_one, _REGISTERS * rounds)
            found[f"{name} list"] = await pace_of(at_once, _REGISTERS * rounds)
    recorder.close()
    return found


def main() -> int:
    """Measure and print; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="readings of the fifty registers in a turn")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    equip()
    with tempfile.TemporaryDirectory(prefix="cosemscope-") as name, meter_process() as port:
        os.environ["COSEMSCOPE_STATE"] = name
        found = asyncio.run(measure(port, arguments.rounds, Path(name)))
    if arguments.json:
        print(json.dumps({key: asdict(pace) for key, pace in found.items()}))
    else:
        bare = found["link"].cpu
        for key, pace in found.items():
            what = "registers" if "list" in key else "exchanges"
            print(
                f"{key:<14} {pace.rate:8,.0f} {what} a second, {pace.cpu * 1e6:6.0f} us of CPU each, "
                f"{pace.cpu / bare:5.2f} of the bare link's"
            )
        print(f"bars: clear {BAR_CLEAR}, ciphered {BAR_CIPHERED} exchanges a second")
    good = found["clear"].rate >= BAR_CLEAR and found["ciphered"].rate >= BAR_CIPHERED
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
