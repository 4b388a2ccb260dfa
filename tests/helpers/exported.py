"""Captures that were read to their end, as exports want them, and what an export of them writes."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.export.exports import Order, write
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.keys.key_table import NO_KEYS, KeyTable
from cosemscope.capture.files.reader import open_capture
from cosemscope.resources import resource


@contextmanager
def subject_of(path: Path, rows: Any = None, keys: KeyTable = NO_KEYS) -> Iterator[Subject]:
    """A capture after all passes, of which these WPDU rows are left."""
    with open_capture(path) as reader:
        associations = Associations(Analysis(reader).run(), keys)
        find_items(associations, workers=0)
        wanted = None if rows is None else np.array(rows, np.int64)
        yield Subject(associations.analysis, associations, wanted)


def sample(name: str = "first-look") -> tuple[Path, KeyTable]:
    """A sample and its keys."""
    path = Path(str(resource(f"samples/{name}.pcapng")))
    keys = path.with_name(f"{name}-keys.toml")
    return path, KeyTable.load(str(keys)) if keys.exists() else NO_KEYS


def written(subject: Subject, order: Order) -> bytes:
    """What an export writes."""
    file = io.BytesIO()
    write(subject, order, file)
    return file.getvalue()
