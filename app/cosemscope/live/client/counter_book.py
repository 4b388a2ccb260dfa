"""Invocation counters of this user's clients, kept so that none is used twice and no meter locks us out.

A file has, by the client's system title and by meter, the next counter to use; never a key. An association
reserves a span before it uses any of it and gives the rest back: whatever ends the process, no counter comes
again (IEC 62056-5-3: no two APDUs under one key may have the same). Counters of meters are not kept: in an
association the challenge proves them fresh.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosemscope.application.protection.sealing import LAST_COUNTER
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.state_folder import held, keep, read_kept, state_place

#: Counters that an association reserves at once.
SPAN = 1024
_FILE = "counters.json"
_MOST = 64 << 20


@dataclass
class CounterSpan:
    """The counters from `first` to `end` (not included), reserved by the client `title` for a meter."""

    title: bytes
    meter: str
    first: int
    end: int


class CounterBook:
    """The counters in `path`, by default a file of the user's state folder. Raises MeterError throughout."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_place() / _FILE

    def next_counter(self, title: bytes, meter: str) -> int | None:
        """The next counter to use at a meter; None where none was ever used."""
        return self._read().get(title.hex(), {}).get(meter)

    def reserve(self, title: bytes, meter: str, at_least: int = 0, size: int = SPAN) -> CounterSpan:
        """A span that nobody has used, from `at_least` on.

        At a meter that is new, it begins above all counters of this title: the meter may be an old one that
        has another address now.
        """
        with held(self.path):
            book = self._read()
            mine = book.setdefault(title.hex(), {})
            begin = mine[meter] if meter in mine else max(mine.values(), default=0)
            first = max(begin, at_least)
            if first > LAST_COUNTER:
                raise MeterError(
                    f"the invocation counter of {title.hex()} is used up: change the meter's keys, then "
                    "begin with --counter 0"
                )
            end = min(first + size, LAST_COUNTER + 1)
            mine[meter] = end
            self._write(book)
        return CounterSpan(title, meter, first, end)

    def extend(self, span: CounterSpan, size: int = SPAN) -> None:
        """More counters right behind a span; MeterError where somebody else has them by now."""
        with held(self.path):
            book = self._read()
            mine = book.setdefault(span.title.hex(), {})
            if mine.get(span.meter) != span.end:
                raise MeterError("another process uses the counters of this meter: associate again to go on")
            span.end = mine[span.meter] = min(span.end + size, LAST_COUNTER + 1)
            self._write(book)

    def give_back(self, span: CounterSpan, used_to: int) -> None:
        """The counters of a span from `used_to` on were not used; they stay lost if others came behind it."""
        with held(self.path):
            book = self._read()
            mine = book.setdefault(span.title.hex(), {})
            if mine.get(span.meter) == span.end and span.first <= used_to < span.end:
                mine[span.meter] = used_to
                self._write(book)

    def begin_at(self, title: bytes, meter: str, counter: int) -> None:
        """Go on with this counter, even a lower one: the keys were changed."""
        with held(self.path):
            book = self._read()
            book.setdefault(title.hex(), {})[meter] = counter
            self._write(book)

    def _read(self) -> dict[str, dict[str, int]]:
        octets = read_kept(self.path, _MOST)
        if not octets:
            return {}
        try:
            found: Any = json.loads(octets)
            if all(
                isinstance(meters, dict) and all(type(one) is int and one >= 0 for one in meters.values())
                for meters in found.values()
            ):
                return dict(found)
        except (ValueError, AttributeError, RecursionError):
            pass
        raise MeterError(
            f"{self.path} holds no invocation counters: remove it, then learn them anew (--learn-counter)"
        )

    def _write(self, book: dict[str, dict[str, int]]) -> None:
        keep(self.path, json.dumps(book, indent=1, sort_keys=True).encode())
