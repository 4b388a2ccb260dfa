"""Fuzzing without a guide, from a seed: the same inputs each time, on every system."""

import random
import time
from collections.abc import Sequence
from typing import NamedTuple

from tests.fuzz.target import Target

_INTERESTING = (0x00, 0x01, 0x02, 0x09, 0x0C, 0x13, 0x7F, 0x80, 0x81, 0x82, 0x84, 0x88, 0xFF)


class Fuzzed(NamedTuple):
    """How many inputs a target took, and the most calls that one of them cost."""

    inputs: int
    most: int


def mutate(source: random.Random, octets: bytes, others: Sequence[bytes], longest: int) -> bytes:
    """A few changes: octets, lengths, cuts, doublings, splices."""
    changed = bytearray(octets)
    for _ in range(source.choice((0, 1, 1, 1, 2, 3, 8))):
        at = source.randrange(len(changed) + 1)
        kind = source.randrange(8)
        if kind == 0 and changed:
            changed[at % len(changed)] = source.randrange(256)
        elif kind == 1 and changed:
            changed[at % len(changed)] = source.choice(_INTERESTING)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            changed[at:at] = source.randbytes(source.randrange(1, 6))
        elif kind == 4:
            changed[at:at] = changed[at : at + source.randrange(1, 40)] * source.choice((1, 2, 20))
        elif kind == 5:
            other = source.choice(others)
            changed[at:] = other[source.randrange(len(other) + 1) :]
        elif kind == 6 and changed:
            changed[at % len(changed)] ^= 1 << source.randrange(8)
        else:
            changed[at : at + source.randrange(1, 5)] = b""
    return bytes(changed[:longest])


def fuzz(target: Target, inputs: int, seconds: float, seed: int) -> Fuzzed:
    """Fuzz until `inputs` inputs or `seconds` are over; raises what is wrong, behind the input in hex."""
    source, seeds = random.Random(f"{seed} {target.name}"), target.begin()
    began, done, most = time.perf_counter(), 0, 0
    while done < inputs and time.perf_counter() - began < seconds:
        octets = mutate(source, source.choice(seeds), seeds, target.longest)
        try:
            most = max(most, target.run(octets))
        except Exception:
            print(f"fuzz {target.name}: input in hex: {octets.hex()}", flush=True)
            raise
        done += 1
    return Fuzzed(done, most)
