"""How fast APDUs are decoded, beside bare costs and oracles: `python3 tests/benchmarks/apdu_benchmark.py`.

Trees stand beside the bare making of as many fields, the first look beside the bare gathering of the octets
that it reads, opening beside bare AES-GCM (see `security_benchmark`). Then the oracles of `tests/oracles`
read the same APDUs as ours, in processes of their own that time nothing but their calls. Each figure is the
best of some rounds on one core. Ends with what is asked of the figures, met or missed. Needs only Python to
start.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.helpers.equipment import CHECKOUT, equip

#: Least trees of short GET responses and first looks a second.
BAR_TREES, BAR_LOOKS = 50_000, 1_000_000
KEY, AUTHENTICATION, TITLE = bytes(range(16)), bytes(range(0xD0, 0xE0)), b"CSP\x10\x00\x00\x00\x01"
SHORT = "GET response, 9 octets"
_ORACLES = CHECKOUT / "tests" / "oracles"
_NAMES = {"pydlms": "pydlms-client", "gurux": "gurux-dlms"}
_CLOCK = (8, bytes.fromhex("0000010000ff"), 2)
_ENERGY = (3, bytes.fromhex("0100010800ff"), 2)
_MOMENT = bytes.fromhex("07ea04040604040200ffc400")


def _profile(rows: int) -> bytes:
    from tests.helpers import apdu_encoder as encode

    row = [("octet-string", _MOMENT), ("unsigned", 0), ("double-long-unsigned", 5009)]
    return encode.get_response(("array", [("structure", row)] * rows))


def _aarq() -> bytes:
    from tests.helpers import apdu_encoder as encode

    return encode.aarq(
        encode.element(0x8B, encode.object_identifier(2, 1)),
        encode.element(0xAC, encode.element(0x80, b"12345678")),
        user_information=encode.initiate_request(),
    )


def samples() -> dict[str, bytes]:
    """APDUs whose trees are measured one by one."""
    from tests.helpers import apdu_encoder as encode

    return {
        SHORT: encode.get_response(("double-long-unsigned", 5009)),
        "GET request, 13 octets": encode.get_request(_ENERGY),
        "GET response of a clock": encode.get_response(("octet-string", _MOMENT)),
        "profile of 11 rows": _profile(11),
        "profile of 1000 rows": _profile(1000),
        "AARQ with user-information": _aarq(),
        "glo-get-response, unopened": encode.ciphered(0xCC, 0x30, 5, bytes(20), bytes(12)),
    }


def best(action: Callable[[], object], rounds: int, count: int = 1) -> float:
    """The shortest time of `rounds` rounds of `count` calls, in seconds a call."""
    shortest = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(count):
            action()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest / count


class TreeRate(NamedTuple):
    """An APDU: its fields, and trees, bare makings of as many fields, and trees with info lines a second."""

    name: str
    octets: int
    fields: int
    trees: float
    bare: float
    with_info: float

    def text(self) -> str:
        """One line for people."""
        return (
            f"{self.name:28} {self.octets:6} {self.fields:7} {self.trees:9,.0f} "
            f"{self.bare:13,.0f} {self.with_info:11,.0f}"
        )


def measure_trees(rounds: int) -> Iterator[TreeRate]:
    """Trees and info lines a second, beside the bare fields."""
    from cosemscope.apdu.decoder import decode_apdu
    from cosemscope.apdu.fields import Field, walk
    from cosemscope.apdu.summary import summarise

    for name, octets in samples().items():
        fields = sum(1 for _ in walk(decode_apdu(octets).root))
        ways: tuple[Callable[[], object], ...] = (
            lambda octets=octets: decode_apdu(octets),
            lambda fields=fields: [Field("value", 5, 0, 1, (), "5", 0) for _ in range(fields)],
            lambda octets=octets: summarise(decode_apdu(octets)),
        )
        yield TreeRate(
            name,
            len(octets),
            fields,
            *(1 / best(way, rounds, max(5, 60_000 // fields)) for way in ways),
        )


class LookRate(NamedTuple):
    """First looks a second, and bare gatherings of 32 octets each."""

    apdus: int
    looks: float
    bare: float

    def text(self) -> str:
        """One line for people."""
        return (
            f"first look at {self.apdus:,} APDUs: {self.looks:,.0f} a second; "
            f"the bare gathering of 32 octets each: {self.bare:,.0f} a second"
        )


def measure_first_look(rounds: int, count: int) -> LookRate:
    """A mix of requests, answers and ciphered ones, beside the bare gathering."""
    from tests.helpers import apdu_encoder as encode

    mix = [
        encode.get_request(_ENERGY),
        samples()[SHORT],
        encode.get_request(_CLOCK),
        encode.get_response(("octet-string", _MOMENT)),
        encode.ciphered(0xC8, 0x30, 7, bytes(13), bytes(12)),
        encode.ciphered(0xDB, 0x30, 7, bytes(60), bytes(12), b"ABC12345"),
        encode.action_response(0, ("octet-string", bytes(17))),
        _profile(4),
    ]
    return _first_look(mix, rounds, count)


def _first_look(mix: list[bytes], rounds: int, count: int) -> LookRate:
    import numpy as np

    from cosemscope.apdu.first_look import WIDTH, look_at, nothing_seen

    apdus = list(islice(cycle(mix), count))
    sizes = np.array([len(apdu) for apdu in apdus], np.int64)
    addresses = np.cumsum(sizes) - sizes
    buffer = np.frombuffer(b"".join(apdus) + bytes(32), np.uint8)
    windows = np.ndarray((len(buffer) - WIDTH + 1,), (np.void, WIDTH), buffer, strides=(1,))

    def look() -> None:
        heads = windows[addresses].view(np.uint8).reshape(-1, WIDTH)
        look_at(heads, sizes, nothing_seen(count))

    return LookRate(count, count / best(look, rounds), count / best(lambda: windows[addresses], rounds))


# ---- beside the oracles


def shared_sets() -> dict[str, list[bytes]]:
    """APDUs that ours and the oracles read: short GET responses, a mix of what all can."""
    from tests.helpers import apdu_encoder as encode

    short = [encode.get_response(("double-long-unsigned", 5009 + number)) for number in range(256)]
    mixed = [
        encode.get_request(_ENERGY),
        short[0],
        encode.get_request(_CLOCK),
        encode.get_response(("octet-string", _MOMENT)),
        encode.get_request_list([(_CLOCK, None), (_ENERGY, None)]),
        encode.get_response(4),
        encode.get_response(("structure", [("integer", -1), ("enum", 30)])),
        _profile(11),
        encode.set_request(_CLOCK, ("octet-string", _MOMENT)),
        encode.action_response(0, ("octet-string", bytes(17))),
        _aarq(),
    ]
    return {"short GET responses": short, "requests, responses, AARQ": mixed}


def sealed(plain: list[bytes]) -> list[bytes]:
    """These GET responses as glo-get-responses, each with a counter of its own."""
    from tests.helpers.traffic_apdus import Cipher

    meter = Cipher(TITLE, KEY, AUTHENTICATION)
    return [meter.glo(0xCC, apdu) for apdu in plain]


class Comparison(NamedTuple):
    """A set of APDUs: microseconds an APDU, ours by way, and the oracles' by name and way."""

    name: str
    ours: dict[str, float]
    oracles: dict[str, dict[str, float]]

    def text(self) -> str:
        """Some lines for people; ratios are to our slowest way: the whole tree, or opening."""
        whole = max(self.ours.values())
        lines = [f"{self.name}:"]
        for who, ways in (("ours", self.ours), *((_NAMES[key], ways) for key, ways in self.oracles.items())):
            for way, spent in ways.items():
                line = f"  {who:13} {_WAYS[way]:20} {spent:8.2f} us {1e6 / spent:12,.0f} a second"
                lines.append(line if who == "ours" else f"{line} {spent / whole:8.2f} times ours")
        return "\n".join(lines)


_WAYS = {
    "look": "first look, columns",
    "tree": "tree",
    "values": "values, no tree",
    "open": "opened, tag checked",
}


def measure_ours(rounds: int, count: int) -> dict[str, dict[str, float]]:
    """Microseconds an APDU of ours, by set and way; `count` APDUs in a first look."""
    from cosemscope.apdu.decoder import decode_apdu
    from cosemscope.apdu.security.envelopes import read_protected
    from cosemscope.apdu.security.key_rings import KeyRing
    from cosemscope.apdu.security.key_sets import KeySet
    from cosemscope.apdu.security.opener import KeyedOpener

    sets = shared_sets()
    found = {}
    for name, apdus in sets.items():
        tree = best(lambda apdus=apdus: [decode_apdu(apdu) for apdu in apdus], rounds) / len(apdus)
        found[name] = {"look": 1e6 / _first_look(apdus, rounds, count).looks, "tree": tree * 1e6}
    plain = sets["short GET responses"]
    ciphered = sealed(plain)
    opener = KeyedOpener(KeyRing([KeySet("meter", encryption=KEY, authentication=AUTHENTICATION)]), TITLE)
    opened: list[object] = []

    def open_all() -> None:
        opened[:] = [opener.open(read_protected(apdu)).plaintext for apdu in ciphered]

    found["ciphered GET responses"] = {"open": best(open_all, rounds) / len(plain) * 1e6}
    if opened != plain:
        raise SystemExit("a plaintext is wrong")
    return found


def measure_oracle(python: Path, oracle: str, rounds: int) -> dict[str, dict[str, float]]:
    """Microseconds an APDU of an oracle, by set and way, as its own process says."""
    sets = shared_sets()
    plain = sets["short GET responses"]
    sets["ciphered GET responses"] = sealed(plain)
    job = {
        "sets": {name: [apdu.hex() for apdu in apdus] for name, apdus in sets.items()},
        "plain": {"ciphered GET responses": [apdu.hex() for apdu in plain]},
        "title": TITLE.hex(),
        "encryption": KEY.hex(),
        "authentication": AUTHENTICATION.hex(),
    }
    done = subprocess.run(
        [str(python), str(_ORACLES / "timing.py"), oracle, str(rounds)],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    found: dict[str, dict[str, float]] = json.loads(done.stdout)
    return found


def measure_beside_oracles(rounds: int, count: int) -> list[Comparison]:
    """Ours and the oracles on the same APDUs; where they cannot be had, ours alone."""
    from tests.helpers.environments import EnvironmentMissing, environment

    ours = measure_ours(rounds, count)
    theirs: dict[str, dict[str, dict[str, float]]] = {}
    try:
        python = environment("oracles", _ORACLES / "requirements.txt")
        theirs = {oracle: measure_oracle(python, oracle, rounds) for oracle in _NAMES}
    except (EnvironmentMissing, RuntimeError, OSError, subprocess.SubprocessError) as reason:
        print(f"the oracles are not measured: {reason}", file=sys.stderr)
    return [
        Comparison(name, ways, {oracle: found[name] for oracle, found in theirs.items()})
        for name, ways in ours.items()
    ]


# ---- the bars


def bars(short: TreeRate, looks: LookRate, rounds: int) -> Iterator[str]:
    """What is asked of each figure, and whether it is met."""
    from tests.benchmarks.security_benchmark import SIZES, measure

    yield _bar("first look", looks.looks, BAR_LOOKS)
    yield _bar("trees of short GET responses", short.trees, BAR_TREES)
    for size in SIZES:
        yield f"opening {measure(size, 4000, 3 * rounds).text().strip()}"


def _bar(name: str, rate: float, bar: float) -> str:
    return f"{name}: {rate:,.0f} a second (bar {bar:,.0f}, {'met' if rate >= bar else 'MISSED'})"


def print_all(rounds: int, count: int) -> None:
    """Measure and print for people."""
    print(f"{'tree of':28} {'octets':>6} {'fields':>7} {'trees/s':>9} {'bare fields/s':>13} with info/s")
    trees = []
    for tree in measure_trees(rounds):
        trees.append(tree)
        print(tree.text(), flush=True)
    looks = measure_first_look(rounds, count)
    print(f"\n{looks.text()}\n")
    for comparison in measure_beside_oracles(rounds, count):
        print(f"{comparison.text()}\n")
    for line in bars(trees[0], looks, rounds):
        print(line, flush=True)


def print_json(rounds: int, count: int) -> None:
    """Measure and print one JSON object."""
    figures = {
        "trees": [tree._asdict() for tree in measure_trees(rounds)],
        "first_look": measure_first_look(rounds, count)._asdict(),
        "beside": [comparison._asdict() for comparison in measure_beside_oracles(rounds, count)],
    }
    print(json.dumps(figures))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts (default 5)")
    parser.add_argument(
        "--apdus", type=int, default=1_000_000, help="APDUs of a first look (default a million)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args()
    equip()
    (print_json if given.json else print_all)(given.rounds, given.apdus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
