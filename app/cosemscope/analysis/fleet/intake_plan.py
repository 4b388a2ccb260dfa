"""Which captures a run takes in: what is there already is left alone, what has grown is replaced.

A ring that has turned goes on with the files that no capture has yet.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from cosemscope.analysis.fleet.capture_files import CaptureFile, captures_of, key_of, read_file
from cosemscope.analysis.fleet.fleet_folder import FleetFolder, KnownCapture
from cosemscope.capture.records import CaptureError


class PlannedCapture(NamedTuple):
    """Files that are to be taken in as one capture, and the keys of captures that they replace."""

    files: tuple[CaptureFile, ...]
    replaces: tuple[str, ...] = ()


class PlanNote(NamedTuple):
    """A sentence on a file."""

    path: Path
    sentence: str


class IntakePlan(NamedTuple):
    """What is to be taken in; notes on what is left alone, and on what cannot be read."""

    captures: list[PlannedCapture]
    remarks: list[PlanNote]
    failures: list[PlanNote]


def plan_intake(folder: FleetFolder, paths: Iterable[Path], *, again: bool = False) -> IntakePlan:
    """Plan what these files become; `again`: also captures that are there already. Raises FleetError."""
    plan = IntakePlan([], [], [])
    known = folder.known()
    sizes = {size for one in known for size in one.sizes}
    named = list(paths)
    try:
        captures = captures_of(named)
    except CaptureError as error:
        plan.failures.append(PlanNote(named[0], str(error)))
        return plan
    planned: dict[str, Path] = {}  # digests of files that are taken in, and where these are
    for capture in captures:
        try:
            files = tuple(read_file(path, sizes) for path in capture)
        except CaptureError as error:
            plan.failures.append(PlanNote(capture[0], str(error)))
            continue
        same = [planned.get(one.digest) for one in files]
        if all(same):
            plan.remarks.append(PlanNote(files[0].path, f"{files[0].path} is the same as {same[0]}."))
            continue
        planned.update({one.digest: one.path for one in files})
        _add(plan, files, known, again=again)
    return plan


def _add(
    plan: IntakePlan, files: Sequence[CaptureFile], known: Sequence[KnownCapture], *, again: bool
) -> None:
    """Plan a capture against those that are known."""
    whole = {one.digest for one in files}
    mine = {digest for one in files for digest in one.digests}
    there = [one for one in known if whole <= set(one.digests)]
    if there:
        if again and len(whole) == len(there[0].digests):
            plan.captures.append(PlannedCapture(tuple(files)))
        else:
            plan.remarks.append(PlanNote(files[0].path, f"{files[0].path} is there already."))
        return
    within = [one for one in known if set(one.digests) <= mine]
    # Of a ring that has turned its first files are in captures whose other files are gone.
    others = {digest for one in known if one not in within for digest in one.digests}
    new = [place for place, one in enumerate(files) if one.digests.isdisjoint(others)]
    left = files[new[0] :] if new else ()
    if len(left) < len(files):
        told = f"{len(files) - len(left)} of {len(files)} files are there already."
        plan.remarks.append(PlanNote(files[0].path, f"{files[0].path}: {told}"))
    if left:
        own = {digest for one in left for digest in one.digests}
        replaces = [one.key for one in within if set(one.digests) <= own and one.key != key_of(left)]
        plan.captures.append(PlannedCapture(tuple(left), tuple(replaces)))
