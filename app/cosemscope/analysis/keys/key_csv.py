"""A CSV file of keys: a head line that names the fields, as key files do, and a key holder a line.

    title,encryption,authentication
    4353500000000001,000102030405060708090A0B0C0D0E0F,D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF

`title` is short for `system_title`. Commas, semicolons or tabs stand between; an empty cell is no field. Up
to a thousand lines are entries like those of a TOML file, with all its fields. Of more, the arrays of a fleet
are made, many lines at once: a title and symmetric keys; what else says whom a key is for is refused.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.keys.fleet_keys import FleetKeys, HeldOctets, Holders
from cosemscope.analysis.keys.key_entry import (
    KNOWN_FIELDS,
    KeyEntry,
    KeyFieldError,
    KeyFileError,
    hex_octets,
)
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.key_rings import KEY_SIZES

#: Lines that are entries by themselves; lines of a batch of more; holders at most, some 40 octets each.
MOST_ENTRIES, _BATCH, MOST_HOLDERS = 1000, 1 << 15, 20_000_000
#: Octets of a line at most, of a name, and of a secret.
_MOST_LINE, _MOST_NAME, _MOST_SECRET = 1 << 14, 40, 64
_TITLE = "system_title"
_SIZES = (KEY_SIZES[0], KEY_SIZES[-1])
#: What a fleet's holder may have: fields, and their sizes in octets.
_FLEET = {
    **dict.fromkeys(("encryption", "authentication", "broadcast", "dedicated", "master"), _SIZES),
    "hls_secret": range(1, _MOST_SECRET + 1),
}
_Lines = Iterator[tuple[int, list[str]]]


def delimiter_of(head: str) -> str:
    """What stands between the cells of a CSV file of keys with this first line; "" where it is none."""
    for delimiter in ",;\t":
        names = [_field(cell) for cell in head.split(delimiter)]
        if len(names) > 1 and all(name in KNOWN_FIELDS for name in names):
            return delimiter
    return ""


def read_key_csv(
    file: IO[str], delimiter: str, source: str, folder: Path | None
) -> tuple[list[KeyEntry], FleetKeys | None]:
    """The entries of a CSV file, or the keys of a fleet; `source` names it, paths count from `folder`.

    Raises KeyFileError, OSError and UnicodeDecodeError.
    """
    lines = _lines(file, delimiter, source)
    _, head = next(lines)
    names = [_field(cell) for cell in head]
    if len(set(names)) < len(names):
        raise KeyFileError(f"{source}, line 1: a field stands there twice")
    first = list(islice(lines, MOST_ENTRIES + 1))
    if len(first) > MOST_ENTRIES:
        return [], _fleet(names, _chained(first, lines), source)
    entries = []
    for line, cells in first:
        fields = dict(_fields(names, cells, f"{source}, line {line}"))
        problem = ""
        try:
            entries.append(KeyEntry.of(fields, f"line {line}", folder))
        except KeyFieldError as reason:
            problem = str(reason)
        if problem:
            raise KeyFileError(f"{source}, line {line}: {problem}")
    if not entries:
        raise KeyFileError(f"{source} holds no keys behind its first line")
    return entries, None


def _field(cell: str) -> str:
    name = cell.strip().strip('"').lower().replace(" ", "_")
    return _TITLE if name == "title" else name


def _lines(file: IO[str], delimiter: str, source: str) -> _Lines:
    """The lines that are not empty, with their numbers; each is bounded."""
    reader = csv.reader(_bounded(file, source), delimiter=delimiter, strict=True)
    while True:
        problem = ""
        try:
            for cells in reader:
                if cells and (len(cells) > 1 or cells[0].strip()):
                    yield reader.line_num, cells
            return
        except csv.Error:
            problem = f"{source}, line {reader.line_num}: this is no CSV (a quote that does not end?)"
        raise KeyFileError(problem)


def _bounded(file: IO[str], source: str) -> Iterator[str]:
    number = 0
    while line := file.readline(_MOST_LINE):
        number += 1
        if len(line) == _MOST_LINE:
            raise KeyFileError(
                f"{source}, line {number} has over {_MOST_LINE >> 10} KiB: is this a key file?"
            )
        yield line


def _fields(names: Sequence[str], cells: Sequence[str], where: str) -> Iterator[tuple[str, str | int]]:
    """The fields of a line, as a `[[key]]` table has them."""
    if len(cells) != len(names):
        raise KeyFileError(f"{where} has {len(cells)} cells, the first line {len(names)}")
    for name, cell in zip(names, map(str.strip, cells), strict=True):
        if cell:
            yield name, int(cell) if name == "wport" and re.fullmatch(r"\d{1,5}", cell) else cell


def _chained(first: list[tuple[int, list[str]]], rest: _Lines) -> _Lines:
    yield from first
    first.clear()
    yield from rest


# Fleets.


def _fleet(names: Sequence[str], lines: _Lines, source: str) -> FleetKeys:
    """The keys of more holders than are entries by themselves."""
    if _TITLE not in names:
        raise KeyFileError(
            f"{source} has over {MOST_ENTRIES:,} lines and no field title: so many are found by title only"
        )
    wrong = next((name for name in names if name not in (_TITLE, "name", *_FLEET)), None)
    if wrong is not None:
        raise KeyFileError(
            f"{source}, line 1: {wrong} cannot stand in a file of over {MOST_ENTRIES:,} lines, which are "
            f"found by title only; known there are title, name, {', '.join(_FLEET)}"
        )
    if not any(name in _FLEET for name in names):
        raise KeyFileError(f"{source}, line 1: no key is named there")
    batches: list[Holders] = []
    count = 0
    while batch := list(islice(lines, _BATCH)):
        batches.append(_holders(names, batch, source))
        count += len(batch)
        if count > MOST_HOLDERS:
            raise KeyFileError(f"{source} has over {MOST_HOLDERS:,} lines")
    return FleetKeys.joined(Path(source).name, batches)


def _holders(names: Sequence[str], lines: list[tuple[int, list[str]]], source: str) -> Holders:
    for line, cells in lines:
        if len(cells) != len(names):
            raise KeyFileError(f"{source}, line {line} has {len(cells)} cells, the first line {len(names)}")
    numbers = [line for line, _ in lines]
    columns = dict(zip(names, zip(*(cells for _, cells in lines), strict=True), strict=True))
    titles = _octets(_TITLE, columns.pop(_TITLE), (TITLE_SIZE,), numbers, source)
    if not titles.sizes.all():
        line = numbers[int(np.argmin(titles.sizes))]
        raise KeyFileError(
            f"{source}, line {line}: the title is missing, and so many are found by title only"
        )
    found = {
        name: _names(cells) if name == "name" else _octets(name, cells, _FLEET[name], numbers, source)
        for name, cells in columns.items()
    }
    return Holders(titles.values.view(">u8").ravel().astype(np.uint64), found)


def _octets(
    name: str, cells: Sequence[str], sizes: Sequence[int], numbers: Sequence[int], source: str
) -> HeldOctets:
    """A column of octets in hex. Raises KeyFileError, which names the line of the first that is none."""
    size = sizes[0]
    if set(map(len, cells)) == {2 * size}:  # all alike, as they mostly are: one number of many digits
        with suppress(ValueError):
            values = np.frombuffer(bytes.fromhex("".join(cells)), np.uint8)
            if len(values) == size * len(cells):  # and no space among the digits
                return HeldOctets(values.reshape(len(cells), size), np.full(len(cells), size, np.uint8))
    found: list[bytes] = []
    for line, cell in zip(numbers, cells, strict=True):
        octets = hex_octets(cell) if cell.strip() else b""
        if octets is None or (octets and len(octets) not in sizes):
            most = " or ".join(map(str, sizes)) if len(sizes) < 3 else f"at most {sizes[-1]}"
            there = "other characters stand there" if octets is None else f"it has {len(octets)}"
            raise KeyFileError(f"{source}, line {line}: {name} must be {most} octets in hex; {there}")
        found.append(octets)
    return _ragged(found)


def _names(cells: Sequence[str]) -> HeldOctets:
    return _ragged([cell.strip().encode()[:_MOST_NAME] for cell in cells])


def _ragged(found: Sequence[bytes]) -> HeldOctets:
    """Octets of different sizes beside one another, filled up with zeros."""
    sizes: npt.NDArray[np.uint8] = np.array(list(map(len, found)), np.uint8)
    most = max(int(sizes.max()), 1)
    values = np.frombuffer(b"".join(octets.ljust(most, b"\0") for octets in found), np.uint8)
    return HeldOctets(values.reshape(len(found), most), sizes)
