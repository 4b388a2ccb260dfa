"""Flow numbers for whole batches of packets: who talks to whom, found without a look at a single packet.

A flow is a protocol and two endpoints, whatever the direction; endpoint A is the sender of its first packet.
The endpoints of every packet are put in one order and hashed; the hash leads into a table with open
addressing, and a match is always proved by the full key, so that two flows never become one.
"""

import ipaddress
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.columns import Columns

FLOW_FIELDS = {
    "protocol": "u1",
    "family": "u1",
    "a_high": "u8",
    "a_low": "u8",
    "a_port": "u2",
    "b_high": "u8",
    "b_low": "u8",
    "b_port": "u2",
    "vlan": "u2",
}
_KEY_FIELDS = {
    "addresses": "u8",
    "rest": "u8",
    "low_high": "u8",
    "low_low": "u8",
    "high_high": "u8",
    "high_low": "u8",
}
_FIRST_SLOTS = 1 << 14
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_AGAIN = np.uint64(0xD6E8_FEB8_6659_FD93)

Words = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]


class Endpoint(NamedTuple):
    """An IP address, as people write it, and a port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Endpoints(NamedTuple):
    """Both ends of many packets of TCP or UDP: one array each, of equal length."""

    protocol: npt.NDArray[np.uint8]
    family: npt.NDArray[np.uint8]
    source_high: Words
    source_low: Words
    source_port: npt.NDArray[np.uint16]
    destination_high: Words
    destination_low: Words
    destination_port: npt.NDArray[np.uint16]

    def take(self, rows: npt.NDArray[np.intp]) -> "Endpoints":
        """The endpoints of some rows."""
        return Endpoints._make(column[rows] for column in self)


class FlowTable:
    """All flows seen so far, numbered in the order of their first packets; their columns are `flows`."""

    def __init__(self) -> None:
        self.flows = Columns(FLOW_FIELDS)
        self._keys = Columns(_KEY_FIELDS)
        self._swapped = Columns({"swapped": "?", "hash": "u8"})
        self._slots: npt.NDArray[np.int32] = np.full(_FIRST_SLOTS, -1, np.int32)

    def number(self, ends: Endpoints) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
        """The flow of each packet, new flows being added, and its direction: 0 from endpoint A, 1 from B."""
        if not len(ends.protocol):
            return np.zeros(0, np.int32), np.zeros(0, np.uint8)
        keys, swapped = _keys(ends)
        hashes = hash_keys(keys)
        self._make_room(len(self.flows) + 1)
        found, slot, left = self._find(keys, hashes)
        if len(left):
            self._add(ends, keys, swapped, hashes, found, slot, left)
        return found, (swapped != self._swapped["swapped"][found]).astype(np.uint8)

    def add_lane(self, flow: int, vlan: int) -> int:
        """Add a flow with the ends of another one, for a VLAN of its own; it is found by its number only."""
        row = self.flows.extend(1, **{name: self.flows[name][flow] for name in self.flows.names}).start
        self.flows["vlan"][row] = vlan
        keys = {name: self._keys[name][flow : flow + 1] for name in _KEY_FIELDS}
        # No packet has this key: so nobody who looks for the flow itself meets the lane in its place.
        keys["rest"] = keys["rest"] | np.uint64((vlan + 1) << 48)
        self._keys.extend(1, **keys)
        swapped = self._swapped
        self._swapped.extend(1, swapped=swapped["swapped"][flow], hash=~swapped["hash"][flow])
        return int(row)

    def endpoints(self, flow: int) -> tuple[Endpoint, Endpoint]:
        """Endpoint A (sender of the first packet) and endpoint B of a flow; IndexError if there is none."""
        return _ends(*(self.flows[name].item(flow) for name in _END_FIELDS))

    def all_endpoints(self, look: Look = no_look) -> list[tuple[Endpoint, Endpoint]]:
        """`endpoints` of every flow; `look` is asked at each, and may raise Cancelled."""
        found = []
        for row in zip(*(self.flows[name].tolist() for name in _END_FIELDS), strict=True):
            look()
            found.append(_ends(*row))
        return found

    def _find(self, keys: "_Keys", hashes: Words) -> tuple[npt.NDArray[np.int32], Numbers, Numbers]:
        """For each key its flow or -1, the slot where the search ended, and the rows that have no flow."""
        mask = np.uint64(len(self._slots) - 1)
        slot = (hashes & mask).astype(np.int64)
        found = self._slots[slot]
        wrong = found >= 0
        wrong &= ~self._same(found, keys, None)
        rest = np.flatnonzero(wrong)
        while len(rest):
            slot[rest] = (slot[rest] + 1) & int(mask)
            candidate = self._slots[slot[rest]]
            found[rest] = candidate
            rest = rest[(candidate >= 0) & ~self._same(candidate, keys, rest)]
        return found, slot, np.flatnonzero(found < 0)

    def _same(
        self, flow: npt.NDArray[np.int32], keys: "_Keys", rows: Numbers | None
    ) -> npt.NDArray[np.bool_]:
        """Mask, bool[n]: rows whose flow (any, for -1) has their key."""
        if not len(self.flows):
            return np.zeros(len(flow), np.bool_)
        mine = keys if rows is None else keys.take(rows)
        same: npt.NDArray[np.bool_] = self._keys["addresses"][flow] == mine.addresses
        same &= self._keys["rest"][flow] == mine.rest
        long = np.flatnonzero(mine.long)
        for name in ("low_high", "low_low", "high_high", "high_low") if len(long) else ():
            same[long] &= self._keys[name][flow[long]] == getattr(mine, name)[long]
        return same

    def _add(
        self,
        ends: Endpoints,
        keys: "_Keys",
        swapped: npt.NDArray[np.bool_],
        hashes: Words,
        found: npt.NDArray[np.int32],
        slot: Numbers,
        left: Numbers,
    ) -> None:
        """Add the flows of the rows `left`, each at its first row, and fill in `found`."""
        order, fresh = _grouped(keys.take(left), hashes[left])
        group = np.empty(len(left), np.int64)
        group[order] = np.cumsum(fresh) - 1
        first = left[order[fresh]]
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        base = len(self.flows)
        found[left] = base + rank[group]
        self._append(ends, keys, swapped, hashes, np.sort(first))
        if not self._make_room(len(self.flows)):
            self._place(np.arange(base, len(self.flows)))

    def _append(
        self, ends: Endpoints, keys: "_Keys", swapped: npt.NDArray[np.bool_], hashes: Words, rows: Numbers
    ) -> None:
        new = ends.take(rows)
        self.flows.extend(
            len(rows),
            protocol=new.protocol,
            family=new.family,
            a_high=new.source_high,
            a_low=new.source_low,
            a_port=new.source_port,
            b_high=new.destination_high,
            b_low=new.destination_low,
            b_port=new.destination_port,
        )
        self._keys.extend(len(rows), **{name: getattr(keys, name)[rows] for name in _KEY_FIELDS})
        self._swapped.extend(len(rows), swapped=swapped[rows], hash=hashes[rows])

    def _make_room(self, flows: int) -> bool:
        """Keep the slots at most a quarter full; True when all flows were placed anew."""
        if flows * 4 <= len(self._slots):
            return False
        size = len(self._slots)
        while size < flows * 8:
            size *= 2
        self._slots = np.full(size, -1, np.int32)
        self._place(np.arange(len(self.flows)))
        return True

    def _place(self, flows: npt.NDArray[np.intp]) -> None:
        """Put flows that are not in the slots yet into the first free ones after their hashes."""
        mask = len(self._slots) - 1
        slot = (self._swapped["hash"][flows] & np.uint64(mask)).astype(np.int64)
        while len(flows):
            free = self._slots[slot] < 0
            self._slots[slot[free]] = flows[free]
            rest = self._slots[slot] != flows
            flows, slot = flows[rest], (slot[rest] + 1) & mask


class _Keys(NamedTuple):
    """The key of each packet's flow. IPv4 needs only `addresses` and `rest`; `long` marks others."""

    addresses: Words
    rest: Words
    low_high: Words
    low_low: Words
    high_high: Words
    high_low: Words
    long: npt.NDArray[np.bool_]

    def take(self, rows: Numbers) -> "_Keys":
        return _Keys._make(column[rows] for column in self)


def _keys(ends: Endpoints) -> tuple[_Keys, npt.NDArray[np.bool_]]:
    """Keys that are the same in both directions, and whether the destination was put first."""
    long = ends.family == 6
    source, destination = ends.source_low, ends.destination_low
    swapped = (source > destination) | ((source == destination) & (ends.source_port > ends.destination_port))
    none = np.broadcast_to(np.uint64(0), source.shape)
    low_high = low_low = high_high = high_low = none
    if long.any():
        upper = ends.source_high != ends.destination_high
        swapped = np.where(upper, ends.source_high > ends.destination_high, swapped)
        low_high = np.where(swapped, ends.destination_high, ends.source_high)
        high_high = np.where(swapped, ends.source_high, ends.destination_high)
        low_low = np.where(swapped, destination, source) * long
        high_low = np.where(swapped, source, destination) * long
    ports = (ends.source_port.astype(np.uint64) << np.uint64(16)) | ends.destination_port
    turned = (ends.destination_port.astype(np.uint64) << np.uint64(16)) | ends.source_port
    rest = np.where(swapped, turned, ports)
    rest |= (ends.protocol.astype(np.uint64) << np.uint64(32)) | (
        ends.family.astype(np.uint64) << np.uint64(40)
    )
    shift = np.uint64(32)
    addresses = np.where(swapped, (destination << shift) | source, (source << shift) | destination)
    if long.any():
        addresses[long] = 0
    return _Keys(addresses, rest, low_high, low_low, high_high, high_low, long), swapped


def hash_keys(keys: _Keys) -> Words:
    """A well-mixed word for each key."""
    with np.errstate(over="ignore"):
        word = (keys.addresses ^ (keys.rest * _MIX)) * _MIX_AGAIN
        if keys.long.any():
            mixed = word
            for column in keys[2:6]:
                mixed = ((mixed ^ (mixed >> np.uint64(29))) + column) * _MIX
            # A flow's hash must not depend on what else is in the batch.
            word = np.where(keys.long, mixed, word)
        word ^= word >> np.uint64(32)
        word *= _MIX
        word ^= word >> np.uint64(29)
    return word


def _grouped(keys: _Keys, hashes: Words) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """An order in which equal keys stand together, first rows first, and where in it a new key begins."""
    order = np.argsort(hashes, kind="stable")
    by_hash = _changes([hashes[order]])
    fresh = by_hash | _changes([column[order] for column in keys[:6]])
    if (fresh != by_hash).any():
        # Different keys with one hash may stand mixed: only then are all columns sorted.
        order = np.lexsort(keys[:6])
        fresh = _changes([column[order] for column in keys[:6]])
    return order, fresh


def _changes(columns: list[Words]) -> npt.NDArray[np.bool_]:
    """Mask, bool[n]: rows in which any column differs from the row before; true in the first row."""
    changed = np.zeros(len(columns[0]), np.bool_)
    changed[:1] = True
    for column in columns:
        changed[1:] |= column[1:] != column[:-1]
    return changed


_END_FIELDS = ("family", "a_high", "a_low", "a_port", "b_high", "b_low", "b_port")


def _ends(
    family: int, a_high: int, a_low: int, a_port: int, b_high: int, b_low: int, b_port: int
) -> tuple[Endpoint, Endpoint]:
    a = Endpoint(address_text(family, a_high, a_low), a_port)
    return a, Endpoint(address_text(family, b_high, b_low), b_port)


@lru_cache(4096)
def address_text(family: int, high: int, low: int) -> str:
    """An IP address as people write it; `family` is 4 or 6, `high` and `low` its 64-bit halves."""
    if family == 4:
        return f"{low >> 24}.{low >> 16 & 255}.{low >> 8 & 255}.{low & 255}"
    return str(ipaddress.IPv6Address(high << 64 | low))
