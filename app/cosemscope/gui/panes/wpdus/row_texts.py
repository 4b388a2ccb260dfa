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
from cosemscope.gui.look.formats import REFERENCE_TEXT, TIME_FORMATS, TimeBase
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
    places: int = 6

    def column(self, field: RowField, part: slice = slice(None)) -> list[str]:
        """The texts of a field in these rows, complete, each on one line."""
        if field.name == "wpdu.time":
            return self.times(part)
        return [printable(text) for text in field.texts(self.traffic.asked(self.rows[part]))]

    def times(self, part: slice) -> list[str]:
        """The times of these rows."""
        way, rows = TIME_FORMATS[self.time_format], self.rows[part]
        times = self.traffic.wpdus["time"]
        now = times[rows]
        base, known = now, np.ones(len(rows), np.bool_)
        if way.since is TimeBase.FIRST:
            since = self.traffic.references(rows)
            base = np.where(since >= 0, times[np.maximum(since, 0)], self.traffic.first_time)
        elif way.since is not TimeBase.NOTHING:
            since = self._bases(way.since, part)
            base = np.where(since >= 0, times[np.maximum(since, 0)], now)
            known = (since >= 0) | (way.since is not TimeBase.REQUEST)
        told = zip(now.tolist(), base.tolist(), known.tolist(), strict=True)
        texts = [way.text(time, begin, self.places) if there else "" for time, begin, there in told]
        if way.since is TimeBase.FIRST:
            for place in np.flatnonzero(since == rows).tolist():
                texts[place] = REFERENCE_TEXT
        return texts

    def _bases(self, since: TimeBase, part: slice) -> _Rows:
        """The row from which the time of each of these rows is counted, -1 for none."""
        if since is TimeBase.REQUEST:
            return self.traffic.requests(self.rows[part])
        return self.before[part] if since is TimeBase.DISPLAYED else self.rows[part] - 1

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
