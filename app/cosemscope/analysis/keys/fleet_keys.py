"""The keys of a fleet: a million holders in arrays that are sorted by system title, and found by it alone.

    keys = FleetKeys.joined("fleet.csv", batches)
    keys.rows(title), keys.key_set(row)

A holder takes its title and keys, some 40 octets; its `KeySet` is made when somebody asks for it. `repr`
shows no key.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_sets import KeySet

Rows = npt.NDArray[np.int64]


class HeldOctets(NamedTuple):
    """Octets of each holder: `values` uint8[n, most], `sizes` uint8[n], 0 where a holder has none."""

    values: npt.NDArray[np.uint8]
    sizes: npt.NDArray[np.uint8]

    def of(self, row: int) -> bytes | None:
        """Those of one holder."""
        return self.values[row, : self.sizes[row]].tobytes() or None


class Holders(NamedTuple):
    """Some holders, as they come: `titles` uint64[n], and a column for each field."""

    titles: npt.NDArray[np.uint64]
    columns: Mapping[str, HeldOctets]


class FleetKeys:
    """Keys by system title. Immutable. `name` is what messages call them all."""

    def __init__(self, name: str, holders: Holders) -> None:
        order = np.argsort(holders.titles, kind="stable")
        self.name = name
        self._titles = holders.titles[order]
        self._columns = {
            field: HeldOctets(values[order], sizes[order])
            for field, (values, sizes) in holders.columns.items()
        }

    def __len__(self) -> int:
        return len(self._titles)

    def __repr__(self) -> str:
        return f"FleetKeys({self.name!r}, {len(self)} holders)"

    @classmethod
    def joined(cls, name: str, batches: Sequence[Holders]) -> "FleetKeys":
        """The keys of all batches, which have the same columns; at least one batch."""
        titles = np.concatenate([batch.titles for batch in batches])
        return cls(name, Holders(titles, {field: _joined(field, batches) for field in batches[0].columns}))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the keys that holders may have here."""
        return tuple(field for field in self._columns if field != "name")

    def holds_the_same(self, other: "FleetKeys") -> bool:
        """Whether another has the same keys for the same titles."""
        same = self.fields == other.fields and np.array_equal(self._titles, other._titles)
        return same and all(
            np.array_equal(self._columns[field].values, other._columns[field].values) for field in self.fields
        )

    def rows(self, title: bytes) -> range:
        """The rows of the holders with this title, as they came."""
        if len(title) != TITLE_SIZE:
            return range(0)
        number = np.uint64(int.from_bytes(title, "big"))
        start, stop = (int(self._titles.searchsorted(number, side)) for side in ("left", "right"))
        return range(start, stop)

    def key_set(self, row: int) -> KeySet:
        """The keys of a holder."""
        title = int(self._titles[row]).to_bytes(TITLE_SIZE, "big")
        held: dict[str, Any] = {field: octets.of(row) for field, octets in self._columns.items()}
        name = held.pop("name", None)
        label = name.decode("utf-8", "replace") if name else f"{self.name} ({title.hex()})"
        return KeySet(label, title, **held)


def _joined(field: str, batches: Sequence[Holders]) -> HeldOctets:
    """A column of all batches, as wide as the widest."""
    parts = [batch.columns[field] for batch in batches]
    most = max(part.values.shape[1] for part in parts)
    values = np.zeros((sum(len(part.sizes) for part in parts), most), np.uint8)
    at = 0
    for part in parts:
        values[at : at + len(part.sizes), : part.values.shape[1]] = part.values
        at += len(part.sizes)
    return HeldOctets(values, np.concatenate([part.sizes for part in parts]))
