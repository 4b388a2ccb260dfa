"""The outcomes of opening APDUs lately, so that none is opened twice; bounded in number and in octets."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from cosemscope.apdu.opening import Opening


class Outcomes:
    """Openings by whatever tells APDUs and keys apart; the oldest are forgotten. For several threads."""

    def __init__(self, number: int = 4096, octets: int = 32 << 20) -> None:
        self._number = number
        self._octets = octets
        self._held = 0
        self._lock = Lock()
        self._known: OrderedDict[tuple[Any, ...], tuple[Opening, int]] = OrderedDict()

    def get(self, key: tuple[Any, ...]) -> Opening | None:
        """The opening that is known under `key`; None when there is none."""
        entry = self._known.get(key)
        return entry[0] if entry is not None else None

    def put(self, key: tuple[Any, ...], found: Opening, octets: int) -> None:
        """Remember an opening that keeps about so many `octets`."""
        with self._lock:
            self._held += octets - self._known.pop(key, (found, 0))[1]
            self._known[key] = (found, octets)
            while len(self._known) > self._number or self._held > self._octets:
                _, (_, forgotten) = self._known.popitem(last=False)
                self._held -= forgotten
