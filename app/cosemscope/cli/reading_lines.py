"""What commands that ask a meter print: values, object lists, profiles as text or CSV, statistics."""

from cosemscope.analysis.export.formats.csv_lines import csv_cell
from cosemscope.capture.events import Event
from cosemscope.live.client.reading_events import (
    DeviceListed,
    ImageProgress,
    MeterChanged,
    ObjectListed,
    ProfileBegun,
    ProfileEnded,
    ProfileRow,
    ReadingStatistics,
    Remarked,
    StepDone,
    ValueRead,
)
from cosemscope.wording import count

_CSV_HEAD = ("obis", "attribute", "name", "value", "unit", "text", "error")
_WIDEST = 40


class ReadingLines:
    """Words events; `as_csv`: values and rows as lines of CSV. Rows of a profile wait for its end."""

    def __init__(self, *, as_csv: bool = False) -> None:
        self._as_csv = as_csv
        self._headed = False
        self._titles: tuple[str, ...] = ()
        self._rows: list[tuple[str, ...]] = []

    def __call__(self, event: Event) -> str:
        """An event in words; empty for one of another kind, or that says nothing by itself."""
        return self._csv(event) if self._as_csv else self._text(event)

    def _text(self, event: Event) -> str:
        match event:
            case ValueRead():
                return f"{event.name}  {event.error or event.text}"
            case ObjectListed():
                rights = ", ".join(_rights(event.attributes, "")) or "no attributes"
                methods = ", ".join(_rights(event.methods, "method "))
                more = f"; {methods}" if methods else ""
                return f"{event.class_name} ({event.class_id}) {event.name}\n           {rights}{more}"
            case DeviceListed():
                return f"wPort {event.wport:<5}  {event.name}"
            case ProfileBegun():
                self._titles, self._rows = event.titles, []
                return "\n".join(f"column {n:<3} {title}" for n, title in enumerate(event.titles, 1))
            case ProfileRow():
                self._rows.append(event.texts)
            case ProfileEnded():
                return self._table(event)
            case ReadingStatistics():
                return _statistics(event)
            case MeterChanged():
                return f"done       {event.name}: {event.text}" if event.text else f"done       {event.name}"
            case StepDone():
                return f"step {event.number:<5} {event.what}"
            case Remarked():
                return f"remark     {event.message}"
        return ""

    def _table(self, ended: ProfileEnded) -> str:
        rows, self._rows = self._rows, []
        lines = [f"{count(ended.rows, 'row')}"]
        if rows:
            widths = [min(_WIDEST, max(map(len, column))) for column in zip(*rows, strict=True)]
            lines += ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *ended.problems])

    def _csv(self, event: Event) -> str:
        match event:
            case ValueRead():
                value = event.number if event.number is not None else event.value
                row = (event.obis, event.attribute, event.name, value, event.unit, event.text, event.error)
                lines = [] if self._headed else [_CSV_HEAD]
                self._headed = True
                return _csv_lines(*lines, row)
            case ProfileBegun():
                pairs = zip(event.titles, event.units, strict=True)
                return _csv_lines(tuple(f"{title} [{unit}]" if unit else title for title, unit in pairs))
            case ProfileRow():
                return _csv_lines(event.values)
        return ""


def progress_line(event: Event) -> str:
    """What is shown in place while an image goes to a meter; empty for other events."""
    return f"image      block {event.blocks} of {event.of}" if isinstance(event, ImageProgress) else ""


def _rights(rights: object, prefix: str) -> list[str]:
    assert isinstance(rights, dict)
    return [f"{prefix}{number} {words}" for number, words in rights.items() if words != "none"]


def _csv_lines(*rows: tuple[object, ...]) -> str:
    return "\n".join(",".join(csv_cell("" if cell is None else str(cell)) for cell in row) for row in rows)


def _statistics(event: ReadingStatistics) -> str:
    words = f"{count(event.asked, 'reading')}: {event.answered} answered, {event.lost} lost"
    if event.slow:
        words += f", {event.slow} slower than wanted"
    if event.median_ms is not None:
        words += (
            f"; {event.least_ms:g} ms at least, median {event.median_ms:g} ms, p95 {event.p95_ms:g} ms, "
            f"{event.most_ms:g} ms at most"
        )
    return words
