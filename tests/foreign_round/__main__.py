"""`python3 tests/foreign_round`: nothing foreign is taken for DLMS, and nothing is raised.

    python3 tests/foreign_round                          what is fetched, what others make, what we make
    python3 tests/foreign_round --captures FOLDER        captures of your own besides
    python3 tests/foreign_round --seed 7 --each 20       other and more packets of every kind

Source packages of the package registry are fetched once and looked through for captures. scapy and dpkt, in
an environment of their own, make packets of every kind that they know, which go over TCP and UDP.
Ends with 1 where anything was taken for DLMS or raised.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
if __package__ in (None, ""):
    sys.path.insert(0, str(_CHECKOUT))
    from tests.helpers.equipment import equip

    equip()

from tests.foreign_round.fetched import PACKAGES, captures_in, fetch  # noqa: E402
from tests.foreign_round.judged import Judged, judge  # noqa: E402
from tests.helpers.environments import EnvironmentMissing, environment  # noqa: E402
from tests.helpers.foreign_traffic import TALKS, UDP, Talk, put_on  # noqa: E402
from tests.helpers.wire import Tcp, Wire  # noqa: E402

_HERE = Path(__file__).resolve().parent
#: Payloads that go into one capture.
_AT_ONCE = 4000
#: Ports on which payloads go.
_PORTS = (4059, 4060, 5683, 502)


def made_by_others(python: Path, seed: int, each: int) -> Iterator[tuple[str, bytes]]:
    """Name and octets of every payload that scapy and dpkt make."""
    command = [str(python), str(_HERE / "others_packets.py"), str(seed), str(each)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=True)
    for line in done.stdout.splitlines():
        told = json.loads(line)
        yield told["name"], bytes.fromhex(told["octets"])


def wire_of(payloads: Iterable[bytes]) -> Wire:
    """Each payload as a datagram, and as a TCP connection, with a small one before it in every other."""
    wire = Wire()
    for number, octets in enumerate(payloads):
        client, server = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 50_000), ("10.0.0.2", 4059)
        wire.udp(client, (server[0], _PORTS[number % len(_PORTS)]), octets)
        connection = Tcp(wire, client, (server[0], _PORTS[number % len(_PORTS)])).handshake()
        if number % 2:
            connection.say(1, b"+")
        connection.say(0, octets)
        connection.close()
    return wire


def judge_made(payloads: list[bytes], folder: Path, name: str) -> Judged:
    """The verdict on payloads, some thousand to a capture."""
    judged = Judged()
    for start in range(0, len(payloads), _AT_ONCE):
        path = wire_of(payloads[start : start + _AT_ONCE]).capture(folder / "made.pcap")
        judged.add(judge(path, f"{name} from {start}"))
    return judged


def judge_talks(seed: int, count: int, folder: Path) -> Judged:
    """The verdict on talks of every protocol that is named, those that carry DLMS left out."""
    wire, chance = Wire(), random.Random(seed)
    for number in range(count):
        talk = TALKS[sorted(TALKS)[number % len(TALKS)]](chance)
        if not talk.apdus:
            put_on(wire, _shortened(talk, chance), number, _PORTS[number % len(_PORTS)])
    return judge(wire.capture(folder / "talks.pcap"), "talks")


def _shortened(talk: Talk, chance: random.Random) -> Talk:
    """A talk of which, now and then, not everything was said, or damaged."""
    said = talk.said[: chance.randint(1, len(talk.said))] if chance.random() < 0.3 else list(talk.said)
    if chance.random() < 0.3 and talk.protocol == UDP:
        side, octets = said[-1]
        said[-1] = side, octets[: chance.randint(1, len(octets))]
    return talk._replace(said=said)


def main() -> int:
    """Judge all sets; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=3, metavar="N", help="packets of each kind of scapy's")
    parser.add_argument("--talks", type=int, default=2000, metavar="N", help="talks of the protocols named")
    parser.add_argument("--captures", type=Path, action="append", default=[], metavar="FOLDER")
    options = parser.parse_args()
    sets: dict[str, Judged] = {}
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets["talks made here"] = judge_talks(options.seed, options.talks, folder)
        try:
            python = environment("foreign", _HERE / "requirements.txt")
            payloads = [octets for _, octets in made_by_others(python, options.seed, options.each)]
            sets["packets by scapy and dpkt"] = judge_made(payloads, folder, "packets")
            for package in PACKAGES:
                sets[package] = _fetched(package, python, folder, notes)
        except EnvironmentMissing as reason:
            notes.append(str(reason))
        for own in options.captures:
            judged = sets[str(own)] = Judged()
            for path in sorted(path for path in own.rglob("*") if path.is_file()):
                judged.add(judge(path))
    _print(sets, notes)
    return 0 if all(judged.clean for judged in sets.values()) else 1


def _fetched(package: str, python: Path, folder: Path, notes: list[str]) -> Judged:
    """The verdict on the captures of a source package."""
    judged = Judged()
    try:
        for capture in captures_in(fetch(package, python)):
            path = folder / "fetched"
            path.write_bytes(capture.octets)
            judged.add(judge(path, capture.name))
    except RuntimeError as reason:
        notes.append(str(reason))
    return judged


def _print(sets: dict[str, Judged], notes: list[str]) -> None:
    total = Judged()
    heads = ("files", "refused", "packets", "streams", "taken", "raised")
    print(f"{'set':<28}" + "".join(f"{head:>10}" for head in heads))
    for name, judged in [*sets.items(), ("together", total)]:
        counts = (judged.files, judged.refused, judged.packets, judged.streams)
        found = (len(judged.taken), len(judged.raised))
        print(f"{name:<28}" + "".join(f"{value:>10,}" for value in (*counts, *found)))
        if judged is not total:
            total.add(judged)
    print("framings: " + ", ".join(f"{label} {count:,}" for label, count in total.framings.most_common()))
    for line in [*total.taken, *total.raised, *notes]:
        print(f"  {line}")


if __name__ == "__main__":
    sys.exit(main())
