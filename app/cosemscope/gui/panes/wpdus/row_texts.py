"""Rows of the table as text to be copied: whole columns of some rows at a time, while the window goes on.

The rows, their order and the columns are those of the moment in which copying was asked for.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.fields.row_field import RowField
from cosemscope.capture.records import CaptureError
from cosemscope.gui.base.task import Tell
from cosemscope.gui.document.traffic import Traffic
from cosemscope.gui.look.formats import REFERENCE_TEXT, TIME_FORMATS
from cosemscope.wording import printable, size

_Rows = npt.NDArray[np.int64]

#: Rows that are made into text at once, and characters that are put on the clipboard at most.
_AT_ONCE, MOST_TEXT = 256, 64 << 20


class CopiedRows(NamedTuple):
    """What came of copying: the lines, how many of how many rows they are, and why not all, "" for all."""

    text: str
    rows: int
    asked: int
    trouble: str = ""


class RowTexts(NamedTuple):
    """Rows to be told as text: `rows` in the order shown, `before` the row shown before each, -1 for none."""

    traffic: Traffic
    fields: Sequence[RowField]
    rows: _Rows
    before: _Rows
    time_format: str

    def column(self, field: RowField, part: slice = slice(None)) -> list[str]:
        """The texts of a field in these rows, complete, each on one line."""
        if field.name == "wpdu.time":
            return self._times(part)
        return [printable(text) for text in field.texts(self.traffic.asked(self.rows[part]))]

    def _times(self, part: slice) -> list[str]:
        way, times = TIME_FORMATS[self.time_format], self.traffic.wpdus["time"]
        rows = self.rows[part]
        first = self.traffic.references(rows)
        begin = np.where(first >= 0, times[np.maximum(first, 0)], self.traffic.first_time)
        before = self.before[part] if way.displayed else rows - 1
        now = times[rows]
        then = np.where(before >= 0, times[np.maximum(before, 0)], now)
        told = zip(now.tolist(), begin.tolist(), then.tolist(), strict=True)
        texts = [way.text(*one) for one in told]
        for place in np.flatnonzero(first == rows).tolist() if way.relative else ():
            texts[place] = REFERENCE_TEXT
        return texts

    def lines(self, tell: Tell, most: int = MOST_TEXT) -> CopiedRows:
        """All of it as lines under the columns' titles, with tabs. `tell` may raise Cancelled."""
        parts, octets, total = ["\t".join(field.title for field in self.fields)], 0, len(self.rows)
        for start in range(0, total, _AT_ONCE):
            tell(start, total)
            part = slice(start, start + _AT_ONCE)
            try:
                columns = [self.column(field, part) for field in self.fields]
            except (CaptureError, OSError) as error:
                return CopiedRows("\n".join(parts), start, total, str(error))
            text = "\n".join(map("\t".join, zip(*columns, strict=True)))
            octets += len(text)
            if octets > most:
                trouble = f"more than {size(most)} of text do not go onto the clipboard"
                return CopiedRows("\n".join(parts), start, total, trouble)
            parts.append(text)
        tell(total, total)
        return CopiedRows("\n".join(parts), total, total)
