"""WPDUs as text: the line of each, what was written on it, and its fields with their octets' offsets."""

from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np

from cosemscope.analysis.annotations import Comment, comments_of, plain_lines
from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.export.formats.hidden_secrets import without_secrets
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.apdu.fields import Decoded
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.apdu.plain import text_lines
from cosemscope.apdu.summary import summarise
from cosemscope.wording import printable

#: What stands above a tree.
_HEAD = ("wpdu.number", "wpdu.time", "source", "destination", "wport.src", "wport.dst")


def write_trees(subject: Subject, file: IO[bytes], *, passwords: bool = False) -> None:
    """Write the WPDUs that are left one behind another. Raises CaptureError and OSError.

    No key is written, and no password unless `passwords`.
    """
    analysis, wanted = subject.analysis, subject.wpdus
    walk = Associations(analysis, subject.associations.keys, beside=subject.associations)
    stop = int(wanted[-1]) + 1 if len(wanted) else 0
    is_wanted = np.zeros(stop, np.bool_)
    is_wanted[wanted] = True
    done = 0
    for row, look in walk.walk(stop):
        if not is_wanted[row]:
            continue
        decoded = without_secrets(walk.decode(row, look), look.context, passwords=passwords)
        lines = [_head(subject, row), *tree_lines(decoded, look, comments_of(analysis, row)), ""]
        file.write(("\n".join(map(_one_line, lines)) + "\n").encode("utf-8", "replace"))
        done += 1
        if not done % 256:
            subject.told(done, len(wanted))
    subject.told(len(wanted), len(wanted))


def tree_lines(decoded: Decoded, look: Look, comments: Sequence[Comment] = ()) -> Iterator[str]:
    """A tree as lines: its info line, what is protected, comments, and its fields."""
    yield summarise(decoded, look.context)
    if look.openings:
        yield f"security: {look.verdict.value}{f', {apdu_name(look.inner)}' if look.inner >= 0 else ''}"
    for number, text in comments:
        yield f"comment on packet {number}: {plain_lines(text)}"
    yield ""
    yield from text_lines(decoded)


def _head(subject: Subject, row: int) -> str:
    asked = AskedRows(subject.analysis, np.arange(row, row + 1))
    number, time, source, destination, from_wport, to_wport = (FIELDS[name].texts(asked)[0] for name in _HEAD)
    return f"WPDU {number}, {time}, {source} > {destination}, wPorts {from_wport} > {to_wport}"


def _one_line(line: str) -> str:
    """A line as a file may have it: what cannot be printed is escaped, but for the lines of comments."""
    return "\n".join(map(printable, line.split("\n")))
