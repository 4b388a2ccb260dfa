"""Names of the files of a ring: stem, number and the moment at which each file was begun."""

import re
from pathlib import Path

from cosemscope.capture.records import CaptureError

#: The files of a ring: stem, number from 1, local time at which it was begun.
RING_NAME = re.compile(r"(?P<stem>.+)_(?P<number>\d{5,})_(?P<moment>\d{14})(?P<suffix>\.[^.]*)?")


def ring_number(path: Path) -> int | None:
    """The number in the name of a ring's file; None for any other file."""
    name = RING_NAME.fullmatch(path.name)
    return int(name["number"]) if name else None


def ring_files(path: Path) -> dict[int, Path]:
    """The files that the ring of `path` has now, by their numbers. Raises CaptureError."""
    mine = RING_NAME.fullmatch(path.name)
    if mine is None:
        return {}
    try:
        names = ((RING_NAME.fullmatch(each.name), each) for each in path.parent.iterdir())
        return {
            int(name["number"]): each
            for name, each in sorted(names, key=lambda pair: pair[1].name)
            if name and (name["stem"], name["suffix"]) == (mine["stem"], mine["suffix"])
        }
    except OSError as error:
        raise CaptureError(f"The files beside {path} cannot be listed: {error.strerror}.") from error
