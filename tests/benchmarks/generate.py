"""Large captures of DLMS/COSEM traffic with known contents, for benchmarks.

`python3 tests/benchmarks/generate.py 1000000 FILE` writes a pcap of exactly
that many packets (Ethernet, IPv4, TCP port 4059) and beside it `FILE.json`
with what is in it. Per million packets there are 4,000 connections within
1,497 s; 8 % of the answers come in two segments, 1 % of the segments out of
place (a fifth of these swapped, the others sent twice), some carry two WPDUs,
some requests get no answer. The plan becomes octets a slice at a time.
"""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from tests.helpers.equipment import equip

    equip()

import numpy as np

from tests.benchmarks.plan import HEADER, SEED, SYN, Array, Plan, Pool, Truth, make_plan

SLICE = 1 << 16

_MSS = np.frombuffer(bytes.fromhex("020405b4"), np.uint8)


def _be(values: Array, size: int) -> Array:
    """Each value as `size` octets, most significant first: shape (rows, size)."""
    return np.ascontiguousarray(values, ">u8").view(np.uint8).reshape(len(values), 8)[:, 8 - size :]


def _sum16(octets: Array, starts: Array, stops: Array) -> Array:
    """The sum of the 16-bit words from each start to each stop, an odd last octet padded with zero."""
    position = np.arange(len(octets)) - np.repeat(starts, stops - starts)
    weighted = octets.astype(np.int64) << np.where(position & 1, 0, 8)
    total = np.concatenate((np.zeros(1, np.int64), np.cumsum(weighted)))
    return total[stops] - total[starts]


def _folded(total: Array) -> Array:
    for _ in range(3):
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _payloads(plan: Plan, rows: Array, pool: Pool) -> tuple[Array, Array]:
    """The payloads of `rows`, one after the other, and where each starts (with the end as last)."""
    size = plan.payload[rows]
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(size)))
    template, skip = plan.template[rows], plan.skip[rows]
    source = pool.offset[template] + skip - bounds[:-1]
    octets = pool.blob[np.repeat(source, size) + np.arange(bounds[-1])]
    for places, values in (
        (pool.invoke_at, _be(plan.invoke[rows], 1)),
        (pool.value_at, _be(plan.value[rows], 4)),
    ):
        vary = (template >= 0) & (places[template] >= 0)
        _vary(octets, bounds[:-1][vary], places[template][vary] - skip[vary], size[vary], values[vary])
    return octets, bounds


def _vary(octets: Array, starts: Array, at: Array, size: Array, values: Array) -> None:
    """Write `values` at place `at` of each payload, as far as the place is in this segment's part."""
    for number in range(values.shape[1]):
        there = (at + number >= 0) & (at + number < size)
        octets[(starts + at + number)[there]] = values[there, number]


def _addresses(plan: Plan, rows: Array) -> tuple[Array, Array, Array, Array]:
    """Source and destination addresses and ports: head ends in 192.0.2.0/24, meters in 198.18.0.0/15."""
    connection = plan.connection[rows].astype(np.int64)
    client = 0xC0000200 + 10 + connection % 8
    meter = 0xC6120000 + 1 + connection % 8_000
    client_port = 49_152 + connection // 8 % 16_000
    port = np.full(len(rows), 4059)
    up = plan.direction[rows] == 0
    return (
        np.where(up, client, meter), np.where(up, meter, client),
        np.where(up, client_port, port), np.where(up, port, client_port),
    )  # fmt: skip


def _heads(plan: Plan, rows: Array, payload: Array, bounds: Array) -> Array:
    """Record, Ethernet, IPv4 and TCP headers of `rows`, without TCP options: shape (rows, HEADER)."""
    count = len(rows)
    size = plan.payload[rows]
    flags = plan.flags[rows].astype(np.int64)
    options = np.where(flags & SYN, len(_MSS), 0)
    source, destination, source_port, destination_port = _addresses(plan, rows)
    head = np.zeros((count, HEADER), np.uint8)
    seconds, micro = np.divmod(plan.time[rows], 1_000_000)
    frame = HEADER - 16 + options + size
    record = np.column_stack((seconds, micro, frame, frame)).astype("<u4")
    head[:, :16] = record.view(np.uint8).reshape(count, 16)
    head[:, 16:18] = head[:, 22:24] = (2, 4)
    head[:, 18:22] = _be(destination, 4)
    head[:, 24:28] = _be(source, 4)
    head[:, 28:30] = (8, 0)
    ip, tcp = head[:, 30:50], head[:, 50:70]
    ip[:, 0] = 0x45
    ip[:, 2:4] = _be(frame - 14, 2)
    ip[:, 4:6] = _be(plan.ip_id[rows], 2)
    ip[:, 6] = 0x40
    ip[:, 8:10] = (64, 6)
    ip[:, 12:16] = _be(source, 4)
    ip[:, 16:20] = _be(destination, 4)
    ip[:, 10:12] = _be(_folded(_words(ip)), 2)
    tcp[:, 0:2] = _be(source_port, 2)
    tcp[:, 2:4] = _be(destination_port, 2)
    tcp[:, 4:8] = _be(plan.sequence[rows], 4)
    tcp[:, 8:12] = _be(plan.acknowledgement[rows], 4)
    tcp[:, 12] = (20 + options) << 2
    tcp[:, 13] = flags
    tcp[:, 14:16] = (0xFA, 0xF0)
    total = _words(tcp) + _words(ip[:, 12:20]) + 6 + 20 + options + size
    total += np.where(options > 0, int(_MSS.view(">u2").sum()), 0)
    total += _sum16(payload, bounds[:-1], bounds[1:])
    tcp[:, 16:18] = _be(_folded(total), 2)
    return head


def _words(octets: Array) -> Array:
    """The sum of the 16-bit words of each row."""
    return octets.view(">u2").sum(axis=1, dtype=np.int64)


def _records(plan: Plan, rows: Array, pool: Pool) -> Array:
    """The pcap records of `rows` in that order, as octets."""
    payload, bounds = _payloads(plan, rows, pool)
    size = plan.payload[rows]
    options = np.where(plan.flags[rows] & SYN, len(_MSS), 0)
    starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(HEADER + options + size)))
    out = np.empty(int(starts[-1]), np.uint8)
    out[starts[:-1, None] + np.arange(HEADER)] = _heads(plan, rows, payload, bounds)
    with_options = np.flatnonzero(options)
    out[starts[with_options, None] + HEADER + np.arange(len(_MSS))] = _MSS
    into = np.repeat(starts[:-1] + HEADER + options - bounds[:-1], size)
    out[into + np.arange(bounds[-1])] = payload
    return out


def generate(path: Path, packets: int, seed: int = SEED) -> Truth:
    """Write a capture of `packets` packets (at least 1000) to `path`, and its truth to `path`.json."""
    if packets < 1000:
        raise ValueError("a capture of fewer than 1000 packets cannot hold the mix")
    plan, templates, truth = make_plan(packets, seed)
    order = np.argsort(plan.time, kind="stable")
    with path.open("wb") as file:
        file.write(np.array([0xA1B2C3D4, 0x0004_0002, 0, 0, 262144, 1], "<u4").tobytes())
        for start in range(0, packets, SLICE):
            file.write(_records(plan, order[start : start + SLICE], templates.pool).tobytes())
    truth_path(path).write_text(json.dumps(asdict(truth), indent=2) + "\n")
    return truth


def truth_path(path: Path) -> Path:
    """Where the truth about the capture `path` stands."""
    return path.with_name(path.name + ".json")


def main() -> int:
    """Generate one capture from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packets", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    truth = generate(arguments.file, arguments.packets, arguments.seed)
    print(json.dumps(asdict(truth), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
