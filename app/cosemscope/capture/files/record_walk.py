"""Base class of the parsers of pcap and pcapng records: one step of work, and the way out of damage.

A walk that meets a record which cannot be true is lost. It then searches, octet by octet but with NumPy, for
a place where a believable record stands that is followed by another one, says what it skipped, and goes on.
"""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cosemscope.capture.cancelling import Look, no_look
from cosemscope.capture.packets.link_types import OPENED_TYPES, link_type_name
from cosemscope.capture.records import CaptureProblem, Interface, OctetWindow, RecordBatch

NANOSECONDS = 1_000_000_000
# Octets that a search looks at in one go: few at first, since most damage is small, then twice as many each
# time.
FIRST_SEARCH = 4_096
LAST_SEARCH = 1 << 20
# Problems that are listed, and damaged places after which the rest of a file is given up.
MAX_PROBLEMS = 1_000
MAX_DAMAGES = 10_000


class WalkStep(NamedTuple):
    """Result of one step of a walk over a window.

    `at` is the index in the window up to which it is done. `need` is the number of octets from there that
    must be in the window before it can go on; 0 when it can go on at once. `over` is true when it never will.
    """

    at: int
    need: int = 0
    batch: RecordBatch | None = None
    over: bool = False


class RecordWalk(ABC):
    """The walk over the records of one file; `start` is the address of the first one.

    `problems` collects what could not be read, `interfaces` what the file declares.
    """

    start = 0

    def __init__(self, problems: list[CaptureProblem], interfaces: list[Interface]) -> None:
        self.look: Look = no_look
        self._problems = problems
        self._interfaces = interfaces
        self._lost_from: int | None = None
        self._search_step = FIRST_SEARCH
        self._damages = 0
        self._judged = 0  # interfaces whose link types were looked at
        self._unopened: set[int] = set()  # those of a type that is not opened, until it is told

    def take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
        """Read up to `limit` records from index `at` on; `final` says that the file ends with the window."""
        batches: list[RecordBatch] = []
        step = WalkStep(at)
        while limit > 0 and not step.need and not step.over:
            self.look()
            if self._lost_from is not None:
                if batches and not self._small_damage:
                    break  # what was found before need not wait
                step = self._search(window, step.at, final)
                continue
            step = self._take(window, step.at, limit, final)
            if step.batch is not None:
                self._tell_links(step.batch)
                batches.append(step.batch)
                limit -= len(step.batch)
        if not batches:
            return step
        # What ended the work here ends it again when it goes on from there.
        return WalkStep(step.at, batch=_joined(batches))

    @property
    def _small_damage(self) -> bool:
        """True while the place to go on at may be near: many such damages in a row cost one batch."""
        return self._search_step == FIRST_SEARCH and self._damages <= MAX_DAMAGES

    @abstractmethod
    def _take(self, window: OctetWindow, at: int, limit: int, final: bool) -> WalkStep:
        """`take`, not being lost."""

    @property
    @abstractmethod
    def _room(self) -> int:
        """Octets behind an index that must be in the window for `_find` to judge it."""

    @abstractmethod
    def _find(self, window: OctetWindow, start: int, stop: int, final: bool) -> int | None:
        """The first index from `start` up to `stop` where reading can go on; None if there is none."""

    def _note(self, address: int, message: str, item: str = "damaged-file") -> None:
        """Put a problem on the list, unless there are too many already."""
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(CaptureProblem(address, message, item))
        elif len(self._problems) == MAX_PROBLEMS:
            self._problems.append(CaptureProblem(address, "from here on, further problems are not listed"))

    def _tell_links(self, batch: RecordBatch) -> None:
        """Note the link types of packets that nobody opens, at the first of them."""
        for number in range(self._judged, len(self._interfaces)):
            if self._interfaces[number].link_type not in OPENED_TYPES:
                self._unopened.add(number)
        self._judged = len(self._interfaces)
        for number in self._unopened.intersection(batch.interface.tolist()) if self._unopened else ():
            self._unopened.discard(number)
            name = link_type_name(self._interfaces[number].link_type)
            first = int(batch.offset[(batch.interface == number).argmax()])
            message = f"no IP is looked for in packets of this kind of link: {name}"
            self._note(first, message, "link-not-opened")

    def _lose(self, address: int) -> None:
        """Begin to search at the next step: what stands at `address` cannot be read."""
        self._lost_from = address
        self._search_step = FIRST_SEARCH
        self._damages += 1

    def _search(self, window: OctetWindow, at: int, final: bool) -> WalkStep:
        assert self._lost_from is not None
        if self._damages > MAX_DAMAGES:
            self._problems.append(
                CaptureProblem(self._lost_from, f"damaged in over {MAX_DAMAGES} places: the rest is not read")
            )
            return WalkStep(at, over=True)
        start = max(at, self._lost_from + 1 - window.base)
        if not final and window.size < start + self._room + self._search_step:
            return WalkStep(at, start - at + self._room + self._search_step)
        stop = min(start + self._search_step, window.size)
        found = self._find(window, start, stop, final)
        if found is None and stop < window.size:
            self._search_step = min(self._search_step * 2, LAST_SEARCH)
            return WalkStep(stop)
        at = window.size if found is None else found
        skipped = window.base + at - self._lost_from
        self._note(self._lost_from, f"no packet can be read here; {skipped} octets were skipped")
        self._lost_from = None
        return WalkStep(at)


def _joined(batches: list[RecordBatch]) -> RecordBatch:
    """One batch of all the records, which lie in one window."""
    if len(batches) == 1:
        return batches[0]
    names = ("time", "offset", "captured", "original", "interface")
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in names}
    return replace(batches[0], **columns)
