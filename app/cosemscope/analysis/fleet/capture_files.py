"""The files of each capture: those of one ring belong together, and the octets of files are their key.

for files in captures_of(paths): ...
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from cosemscope.capture.files.not_a_capture import place_sentence
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.files.ring_names import RING_NAME, ring_files, ring_number
from cosemscope.capture.files.sequence import CaptureSequence
from cosemscope.capture.records import CaptureError
from cosemscope.capture.source import RecordSource

#: Hexadecimal digits of a key.
KEY_DIGITS = 32
_AT_ONCE = 1 << 20


class CaptureFile(NamedTuple):
    """A file of a capture: where it is, how many octets it has, and their SHA-256.

    `earlier`: those of its beginnings, by their octets, that were asked for: of a file that has grown since.
    """

    path: Path
    size: int
    digest: str
    earlier: dict[int, str]

    @property
    def digests(self) -> set[str]:
        """The digests of the file and of its beginnings."""
        return {self.digest, *self.earlier.values()}


CaptureFiles = tuple[CaptureFile, ...]


def key_of(files: Sequence[CaptureFile]) -> str:
    """The key of the capture that these files are: of one its digest, of several that of their digests."""
    if len(files) == 1:
        return files[0].digest[:KEY_DIGITS]
    together = hashlib.sha256("".join(one.digest for one in files).encode())
    return together.hexdigest()[:KEY_DIGITS]


def captures_of(paths: Iterable[Path]) -> list[tuple[Path, ...]]:
    """The files of each capture: of a ring all that it has from the first to the last of these paths.

    Raises CaptureError where a folder cannot be listed.
    """

    def ring(path: Path) -> tuple[str, ...]:
        name = RING_NAME.fullmatch(path.name)
        return (str(path.parent), name["stem"], name["suffix"] or "") if name else (str(path),)

    found = []
    for _, group in groupby(sorted(dict.fromkeys(paths), key=ring), ring):
        members = list(group)
        numbers = [number for number in map(ring_number, members) if number is not None]
        if numbers:
            there = sorted(ring_files(members[0]).items())
            members = [path for number, path in there if min(numbers) <= number <= max(numbers)] or members
        found.append(tuple(members))
    return found


def read_file(path: Path, sizes: Iterable[int] = ()) -> CaptureFile:
    """Digest a file, and its beginnings of these sizes. Raises CaptureError."""
    found: dict[int, str] = {}
    wanted = sorted(set(sizes), reverse=True)
    digest, done = hashlib.sha256(), 0
    try:
        if no_file := place_sentence(path, path.stat().st_mode):  # pipes and devices may never end
            raise CaptureError(no_file)
        with path.open("rb") as file:
            while True:
                stop = min(done + _AT_ONCE, wanted[-1]) if wanted else done + _AT_ONCE
                octets = file.read(stop - done)
                digest.update(octets)
                done += len(octets)
                if wanted and done == wanted[-1]:
                    found[wanted.pop()] = digest.hexdigest()
                elif not octets:
                    break
    except OSError as error:
        raise CaptureError(f"{path} cannot be opened: {error.strerror or error}.") from error
    found.pop(done, None)
    return CaptureFile(path, done, digest.hexdigest(), found)


def open_files(files: Sequence[CaptureFile]) -> RecordSource:
    """A reader of the capture that these files are, one after the other. Raises CaptureError."""
    if len(files) == 1:
        return open_capture(files[0].path)
    return CaptureSequence(files[0].path, last=ring_number(files[-1].path))
