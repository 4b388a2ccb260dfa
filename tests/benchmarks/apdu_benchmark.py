"""How fast APDUs are decoded, beside bare costs: `python3 tests/benchmarks/apdu_benchmark.py`.

Trees of short GET responses (bar: 50,000 a second) stand beside the bare making of as many fields; the first
look (bar: 1,000,000 WPDUs a second) beside the bare gathering of the octets it reads. Each figure is the best
of some rounds on one core.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(_CHECKOUT / "app"), str(_CHECKOUT)]

import numpy as np  # noqa: E402

from cosemscope.apdu.decoder import decode_apdu  # noqa: E402
from cosemscope.apdu.fields import Field, walk  # noqa: E402
from cosemscope.apdu.first_look import look  # noqa: E402
from cosemscope.apdu.summary import summarise  # noqa: E402
from tests.helpers import apdu_encoder as encode  # noqa: E402

_CLOCK = (8, bytes.fromhex("0000010000ff"), 2)
_ENERGY = (3, bytes.fromhex("0100010800ff"), 2)
_MOMENT = bytes.fromhex("07ea0404060404002b00fe98")[:9] + bytes.fromhex("ffc400")


def _profile(rows: int) -> bytes:
    row = [("octet-string", _MOMENT), ("unsigned", 0), ("double-long-unsigned", 5009)]
    return encode.get_response(("array", [("structure", row)] * rows))


_APDUS = {
    "GET response, 9 octets": encode.get_response(("double-long-unsigned", 5009)),
    "GET request, 13 octets": encode.get_request(_ENERGY),
    "GET response of a clock": encode.get_response(("octet-string", _MOMENT)),
    "profile of 11 rows": _profile(11),
    "profile of 1000 rows": _profile(1000),
    "AARQ with user-information": encode.aarq(
        encode.element(0x8B, encode.object_identifier(2, 1)),
        encode.element(0xAC, encode.element(0x80, b"12345678")),
        user_information=encode.initiate_request(),
    ),
    "glo-get-response, unopened": encode.ciphered(0xCC, 0x30, 5, bytes(20), bytes(12)),
}


def best(action: Callable[[], object], rounds: int, count: int) -> float:
    """The shortest time of `rounds` rounds of `count` calls, in seconds a call."""
    shortest = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(count):
            action()
        shortest = min(shortest, time.perf_counter() - began)
    return shortest / count


def measure_trees(rounds: int) -> None:
    """Trees and info lines a second, beside the bare fields."""
    print(
        f"{'tree of':28} {'octets':>6} {'fields':>7} {'trees/s':>9} {'bare fields/s':>13} {'with info/s':>11}"
    )
    for name, octets in _APDUS.items():
        fields = sum(1 for _ in walk(decode_apdu(octets).root))
        count = max(5, 60_000 // fields)
        tree = best(lambda octets=octets: decode_apdu(octets), rounds, count)
        bare = best(
            lambda fields=fields: [Field("value", 5, 0, 1, (), "5", 0) for _ in range(fields)], rounds, count
        )
        info = best(lambda octets=octets: summarise(decode_apdu(octets)), rounds, count)
        print(f"{name:28} {len(octets):6} {fields:7} {1 / tree:9,.0f} {1 / bare:13,.0f} {1 / info:11,.0f}")


def measure_first_look(rounds: int, count: int) -> None:
    """WPDU bodies a second, for a mix of requests, answers and ciphered ones, beside the bare gathering."""
    mix = [
        encode.get_request(_ENERGY),
        _APDUS["GET response, 9 octets"],
        encode.get_request(_CLOCK),
        _APDUS["GET response of a clock"],
        encode.ciphered(0xC8, 0x30, 7, bytes(13), bytes(12)),
        encode.ciphered(0xDB, 0x30, 7, bytes(60), bytes(12), b"ABC12345"),
        encode.action_response(0, ("octet-string", bytes(17))),
        _profile(4),
    ]
    apdus = [mix[index % len(mix)] for index in range(count)]
    sizes = np.array([len(apdu) for apdu in apdus], np.int64)
    addresses = np.cumsum(sizes) - sizes
    buffer = np.frombuffer(b"".join(apdus), np.uint8)
    windows = np.lib.stride_tricks.sliding_window_view(buffer, 32)
    inside = addresses[addresses <= len(buffer) - 32]
    seen = best(lambda: look(buffer, addresses, sizes), rounds, 1)
    bare = best(lambda: windows[inside], rounds, 1)
    print(
        f"first look at {count:,} APDUs: {count / seen:,.0f} a second; "
        f"the bare gathering of 32 octets each: {len(inside) / bare:,.0f} a second"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure the APDU decoder.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of which the best counts")
    parser.add_argument("--apdus", type=int, default=1_000_000, help="APDUs of the first look")
    given = parser.parse_args()
    measure_trees(given.rounds)
    measure_first_look(given.rounds, given.apdus)
    return 0


if __name__ == "__main__":
    sys.exit(main())
