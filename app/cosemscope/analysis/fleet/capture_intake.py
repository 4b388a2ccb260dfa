"""One capture becomes rows of a fleet's tables: read, analysed, written, and marked as there."""

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fleet.capture_files import CaptureFile, key_of, open_files
from cosemscope.analysis.fleet.fleet_folder import FleetError, FleetFolder
from cosemscope.analysis.fleet.rows.fleet_captures import CAPTURES, CaptureRow
from cosemscope.analysis.fleet.rows.fleet_tables import TOLD
from cosemscope.analysis.fleet.rows.taken_capture import take_in
from cosemscope.analysis.keys.key_entry import KeyFileError
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.capture.records import CaptureError
from cosemscope.streams.decode_as import parse_decode_as


class IntakeOrder(NamedTuple):
    """What is to be taken in: the files of a capture, where to, and how; what a process can be given.

    `replaces`: keys of captures whose rows these files have as well. `decode_as` as the option is written,
    `keys` is the file with keys, "" for none; `trees`: also the expert items that only decoded trees tell.
    """

    files: tuple[CaptureFile, ...]
    folder: Path
    replaces: tuple[str, ...] = ()
    decode_as: tuple[str, ...] = ()
    keys: str = ""
    trees: bool = False


class Intake(NamedTuple):
    """What came of an order: the key and rows by table; `failure`: a sentence where it failed.

    `problems`: what is damaged in files that were read all the same.
    """

    key: str
    rows: dict[str, int]
    problems: Sequence[str] = ()
    failure: str = ""


def take_capture(order: IntakeOrder) -> Intake:
    """Write the rows of a capture. What is wrong with it, its keys or the folder is a failure."""
    key = key_of(order.files)
    gc.freeze()
    # Readings are many objects that stay, in no circles: looking through them again and again costs a tenth.
    gc.set_threshold(200_000, 50, 100)
    try:
        keys = KeyTable.load(order.keys) if order.keys else NO_KEYS
        with open_files(order.files) as reader:
            taken = take_in(
                Analysis(reader, parse_decode_as(list(order.decode_as))), key, keys, trees=order.trees
            )
            folder, rows = FleetFolder(order.folder), {}
            with folder.writing(key) as writing:
                for table, make in TOLD:
                    rows[table.name] = writing.add(table, make(taken))
                writing.add(CAPTURES, CaptureRow(taken, order.files, rows))
            folder.remove(order.replaces)
            problems = [
                f"{order.files[0].path}, octet {one.offset}: {one.message}" for one in reader.problems
            ]
    except (CaptureError, KeyFileError, FleetError, ValueError) as error:
        return Intake(key, {}, failure=str(error))
    except OSError as error:
        return Intake(key, {}, failure=f"{order.files[0].path} cannot be read: {error.strerror or error}.")
    except MemoryError:
        return Intake(key, {}, failure=f"{order.files[0].path} needs more memory than there is.")
    return Intake(key, rows, problems)
