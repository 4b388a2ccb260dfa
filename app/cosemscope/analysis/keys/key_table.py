"""The user's keys: a table by system title, address and wPort, out of files, the window or a key store.

A TOML file is a list of `[[key]]` tables, whose fields `key_entry` tells. A CSV file has a key holder a line;
of a fleet with more than a thousand holders the keys lie in sorted arrays, and are found by title alone.

No message, `repr` or exception of this module shows an octet of a key.
"""

import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from cosemscope.analysis.keys.fleet_keys import FleetKeys
from cosemscope.analysis.keys.key_csv import delimiter_of, read_key_csv
from cosemscope.analysis.keys.key_entry import KeyEntry, KeyFieldError, KeyFileError
from cosemscope.apdu.context import Context
from cosemscope.apdu.security.key_rings import KeyRing
from cosemscope.apdu.security.opener import KeyedOpener
from cosemscope.apdu.security.outcomes import Outcomes
from cosemscope.capture.packets.flows import Endpoint

MAX_FILE_SIZE = 16 << 20
_MAX_RINGS = 4096


class KeyTable:
    """The entries that are known. Immutable: a change makes another table. `repr` shows no key."""

    def __init__(self, entries: Iterable[KeyEntry] = (), fleets: Iterable[FleetKeys] = ()) -> None:
        self.entries = tuple(entries)
        self.fleets = tuple(fleets)
        self._by_title: dict[bytes, list[int]] = {}
        self._untitled: list[int] = []
        for index, entry in enumerate(self.entries):
            if entry.keys.title is None:
                self._untitled.append(index)
            else:
                self._by_title.setdefault(entry.keys.title, []).append(index)
        self._rings: dict[tuple[tuple[int, ...], tuple[tuple[int, int], ...]], KeyRing] = {}
        self._outcomes = Outcomes()

    def __len__(self) -> int:
        return len(self.entries) + sum(map(len, self.fleets))

    def __repr__(self) -> str:
        return f"KeyTable({len(self)} entries)"

    def __add__(self, other: "KeyTable") -> "KeyTable":
        return KeyTable((*self.entries, *other.entries), (*self.fleets, *other.fleets))

    @classmethod
    def load(cls, path: str | Path) -> "KeyTable":
        """The table in a TOML or CSV file. Raises KeyFileError."""
        path = Path(path)
        problem = ""
        try:
            # What a device or a pipe has is not told by its size.
            with path.open("rb") as file:
                head = file.peek().partition(b"\n")[0].removeprefix(BOM_UTF8).decode("utf-8", "replace")
                if delimiter := delimiter_of(head.strip()):
                    text_file = TextIOWrapper(file, "utf-8-sig", newline="")
                    entries, fleet = read_key_csv(text_file, delimiter, str(path), path.parent)
                    return cls(entries, (fleet,) if fleet is not None else ())
                octets = file.read(MAX_FILE_SIZE + 1)
            if len(octets) > MAX_FILE_SIZE:
                problem = f"is larger than {MAX_FILE_SIZE >> 20} MiB: is this a key file?"
            text = "" if problem else octets.decode("utf-8-sig")
        except FileNotFoundError:
            problem = "does not exist"
        except OSError as reason:
            problem = f"cannot be read: {(reason.strerror or type(reason).__name__).lower()}"
        except UnicodeDecodeError:
            problem = "is not UTF-8 text: is this a key file?"
        if problem:
            raise KeyFileError(f"{path} {problem}")
        return cls.parse(text, str(path), path.parent)

    @classmethod
    def parse(cls, text: str, source: str = "keys", folder: Path | None = None) -> "KeyTable":
        """The table in TOML text; `source` names it in messages. Raises KeyFileError."""
        data, problem = _toml(text)
        if problem:
            raise KeyFileError(f"{source}{problem}")
        tables = data.pop("key", None)
        if data:
            line = _line(text, next(iter(data)))
            raise KeyFileError(f"{source}, line {line}: what stands here belongs into a [[key]] table")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            if tables is None:
                raise KeyFileError(f"{source} holds no [[key]] table")
            raise KeyFileError(f"{source}: key must be a list of tables, each begun by a line [[key]]")
        entries = []
        for number, table in enumerate(tables, 1):
            field = problem = ""
            try:
                entries.append(KeyEntry.of(table, f"key {number}", folder))
            except KeyFieldError as reason:
                field, problem = reason.field, str(reason)
            if problem:
                line = _line(text, field, number)
                raise KeyFileError(f"{source}, line {line}: key {number}: {problem}")
        return cls(entries)

    def text(self) -> str:
        """A key file that makes the entries of this table, keys included; fleets are not in it."""
        return "\n".join(entry.text() for entry in self.entries)

    def select(
        self,
        titles: Sequence[bytes | None] = (None,),
        endpoints: Sequence[Endpoint] = (),
        wports: Sequence[int] = (),
    ) -> KeyRing:
        """The keys for an association, those that fit best first.

        `titles` are the system titles of both sides, None for one that is not known: entries with a title
        are then not ruled out; those of a fleet are found by a title that is known only.
        """
        if not self.entries and not self.fleets:
            return self._ring((), ())
        indices: Iterable[int] = range(len(self.entries))
        if None not in titles:
            named = [index for title in titles if title for index in self._by_title.get(title, ())]
            indices = sorted({*named, *self._untitled})
        ranked = [(self.entries[index].rank(titles, endpoints, wports), index) for index in indices]
        found = [
            (number, row)
            for title in dict.fromkeys(titles)
            for number, fleet in enumerate(self.fleets)
            for row in (fleet.rows(title) if title else ())
        ]
        chosen = tuple(index for rank, index in sorted(ranked, key=lambda one: -one[0]) if rank >= 0)
        return self._ring(chosen, tuple(found))

    def _ring(self, chosen: tuple[int, ...], found: tuple[tuple[int, int], ...]) -> KeyRing:
        """The ring of these entries, behind these holders of fleets: whoever has a title fits best."""
        ring = self._rings.get((chosen, found))
        if ring is None:
            if len(self._rings) >= _MAX_RINGS:
                self._rings.clear()
            sets = [self.fleets[number].key_set(row) for number, row in found]
            sets += [self.entries[index].keys for index in chosen]
            ring = self._rings[chosen, found] = KeyRing(sets, self._outcomes)
        return ring

    def context(self) -> Context:
        """A context for decoding one APDU about which nothing else is known."""
        return KeyedOpener(self.select()).context()


NO_KEYS = KeyTable()


# Lines of the file, for messages.


def _toml(text: str) -> tuple[dict[str, Any], str]:
    """The file's data, or what is wrong with it as TOML: the place only, the text there may be a key."""
    try:
        return tomllib.loads(text), ""
    except tomllib.TOMLDecodeError as reason:
        place = re.search(r"line (\d+), column (\d+)", str(reason))
        line, column = place.groups() if place else (len(text.splitlines()), "its end")
        return {}, (
            f", line {line}, {'column ' if place else ''}{column}: this is no TOML "
            "(text stands in quotes, a table begins with [[key]])"
        )


def _line(text: str, field: str, number: int = 0) -> int:
    """The line of a field of table `number` (0: outside of all), or of the table itself; from 1."""
    count, begun = 0, 1
    for index, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*\[\[\s*[\"']?key[\"']?\s*\]\]", line):
            count += 1
            if count == number:
                begun = index
        elif count == number and field and re.match(rf"\s*\[?[\"']?{re.escape(field)}[\"']?\s*[=.\]]", line):
            return index
    return begun
