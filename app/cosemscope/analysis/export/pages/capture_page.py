"""The report on a capture as one HTML page: overview, timing, connections, sequence, exchanges, expert items.

It says what a filter leaves; each part is bounded, and says so where it leaves rows out. It has info lines
and values, in which neither passwords nor keys stand.
"""

from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import numpy.typing as npt

from cosemscope import __version__
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.export.pages.page_tables import TABLE_STYLE, PageColumn, left_out, page_table
from cosemscope.analysis.export.pages.timing_pictures import PICTURE_STYLE, times_by_length, times_over_time
from cosemscope.analysis.export.tables.item_table import item_table
from cosemscope.analysis.export.tables.out_table import Subject
from cosemscope.analysis.export.tables.row_tables import (
    asked_in_order,
    exchanges_left,
    exchanges_with,
    fields_named,
)
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.analysis.outcomes.capture_overview import capture_overview
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences
from cosemscope.analysis.outcomes.outcome_words import ConnectionOutcome
from cosemscope.analysis.outcomes.overview_lines import overview_lines
from cosemscope.page_skeleton import page_foot, page_head, page_text
from cosemscope.streams.tables.expert_items import NUMBERED, Severity, severities
from cosemscope.wording import count, sentence, short_duration

Numbers = npt.NDArray[np.int64]

#: Rows of each part at most.
_CONNECTIONS, _WPDUS, _EXCHANGES, _ITEMS = 200, 400, 500, 300
_GOOD = (ConnectionOutcome.COMPLETE, ConnectionOutcome.PUSH_ONLY)
_FAILED = (ExchangeStatus.ERROR, ExchangeStatus.UNANSWERED)

_STYLE = f"""
body {{ max-width: 80rem; }}
h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .5rem; padding-top: .8rem; border-top: 1px solid var(--line); }}
h3 {{ font-size: .95rem; margin: 1.4rem 0 .3rem; overflow-wrap: anywhere; }}
p.lead {{ margin: 0 0 1rem; overflow-wrap: anywhere; }}
nav {{ display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin-bottom: 1rem; }}
.tiles {{ display: flex; flex-wrap: wrap; gap: .8rem; margin: 1rem 0; }}
.tile {{ flex: 1 1 5rem; border: 1px solid var(--line); border-top: 4px solid var(--line);
  padding: .4rem .8rem; }}
.tile b {{ display: block; font-size: 1.5rem; line-height: 1.25; font-variant-numeric: tabular-nums; }}
.tile.error, .tile.warning {{ border-top-color: currentColor; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem; margin: 0 0 1rem; }}
dt {{ color: var(--soft); }} dd {{ margin: 0; overflow-wrap: anywhere; }}
table.ladder {{ width: 100%; font-size: .84rem; }}
table.ladder td {{ border: 0; padding: 0 .8rem 0 0; }}
table.ladder td.lane {{ width: 15rem; min-width: 15rem; padding: 0; border-left: 2px solid var(--line);
  border-right: 2px solid var(--line); }}
.arrow {{ display: flex; align-items: center; gap: .3rem; color: var(--note); font-size: .78rem; }}
.arrow i {{ flex: 1; border-top: 1.5px solid currentColor; min-width: .6rem; }}
.arrow.back {{ color: var(--other); }}
.arrow.to::after, .arrow.back::before {{ content: ""; border: 4px solid transparent; }}
.arrow.to::after {{ border-left: 7px solid currentColor; border-right: 0; }}
.arrow.back::before {{ border-right: 7px solid currentColor; border-left: 0; }}
tr.bad td {{ color: var(--error); }}
@media print {{ h2, h3, section > p {{ break-after: avoid; }} nav {{ display: none; }}
  .tiles, dl, svg {{ break-inside: avoid; }}
  table.ladder {{ font-size: 8pt; }} table.ladder td.lane {{ width: 10rem; min-width: 10rem; }} }}
{TABLE_STYLE}{PICTURE_STYLE}"""


def write_page(subject: Subject, name: str, remark: str, file: IO[bytes]) -> None:
    """Write the report on what is left of the capture of this name; `remark` says in words what that is.

    Raises CaptureError and OSError when the capture's octets cannot be read any more.
    """
    for line in capture_page(subject, name, remark):
        file.write(f"{line}\n".encode("utf-8", "replace"))


def capture_page(subject: Subject, name: str, remark: str) -> Iterator[str]:
    """The lines of the page."""
    facts = capture_facts(subject.analysis)
    exchanges = exchanges_left(subject)
    yield from page_head(f"{name or 'Capture'}: report", _STYLE)
    yield f'<p class="lead">{page_text(sentence(remark or "the whole capture"))}</p>'
    parts = {
        "overview": ("Overview of the capture", _overview(subject, facts, name)),
        "timing": ("Response times", _timing(facts, exchanges)),
        "connections": ("Connections", _connections(subject, facts)),
        "sequence": ("Sequence", _sequence(subject)),
        "exchanges": ("Exchanges", _exchanges(subject, facts, exchanges)),
        "expert": ("Expert information", _items(subject)),
    }
    links = (f'<a href="#{key}">{page_text(head)}</a>' for key, (head, _) in parts.items())
    yield f"<nav>{' '.join(links)}</nav>"
    yield from _tiles(subject, facts, exchanges)
    for key, (head, lines) in parts.items():
        yield f'<section id="{key}"><h2>{page_text(head)}</h2>'
        yield from lines
        yield "</section>"
    yield from page_foot(__version__, "<p>Times are local, as on the computer that wrote this.</p>")


def _tiles(subject: Subject, facts: CaptureFacts, exchanges: Numbers) -> Iterator[str]:
    """What is left in a few numbers."""
    statuses = facts.statuses[exchanges]
    found = severities()[subject.analysis.expert_items["kind"][_item_rows(subject)]]
    errors, silent = (int((statuses == status).sum()) for status in _FAILED)
    bad, odd = (int((found == severity).sum()) for severity in (Severity.ERROR, Severity.WARNING))
    tiles = (
        (len(subject.wpdus), "WPDUs", ""),
        (len(exchanges), "exchanges", ""),
        (errors, "refused or failed", "error" if errors else ""),
        (silent, "without an answer", "error" if silent else ""),
        (bad, "expert errors", "error" if bad else ""),
        (odd, "expert warnings", "warning" if odd else ""),
    )
    told = "".join(f'<div class="tile {mark}"><b>{number:,}</b>{text}</div>' for number, text, mark in tiles)
    yield f'<div class="tiles">{told}</div>'


def _overview(subject: Subject, facts: CaptureFacts, name: str) -> Iterator[str]:
    lines = overview_lines(capture_overview(subject.analysis, facts), name or "standard input")
    told = "".join(f"<dt>{page_text(head)}</dt><dd>{page_text(text)}</dd>" for head, text in lines.items())
    yield f"<dl>{told}</dl>"


def _timing(facts: CaptureFacts, exchanges: Numbers) -> Iterator[str]:
    took = facts.table.response_times()[exchanges]
    there = np.flatnonzero(took >= 0)
    if not len(there):
        yield "<p>No request has an answer.</p>"
        return
    own = exchanges[there]
    failed = np.isin(facts.statuses[own], _FAILED)
    yield (
        "<p>From the last octet of a request to the first one of its answer, over time on a logarithmic scale"
        f"{'; red: answered with an error' if failed.any() else ''}.</p>"
    )
    yield from times_over_time(facts.table["request_end"][own], took[there], failed)
    yield f"<p>How many of the {count(len(there), 'answer')} took how long.</p>"
    yield from times_by_length(took[there])


def _connections(subject: Subject, facts: CaptureFacts) -> Iterator[str]:
    """The streams of what is left, what each came to, and why."""
    analysis, outcomes = subject.analysis, facts.outcomes
    counts = np.bincount(analysis.wpdus["stream"][subject.wpdus], minlength=len(analysis.streams))
    streams = np.flatnonzero(counts)
    sentences = CauseSentences(analysis, facts)
    heads = (
        *(PageColumn("Stream", "number"), PageColumn("Client", "still"), PageColumn("Server", "still")),
        *(PageColumn("WPDUs", "number"), PageColumn("Exchanges", "number"), PageColumn("Outcome", "still")),
        PageColumn("Cause"),
    )
    rows, marks = [], []
    for stream in streams[:_CONNECTIONS].tolist():
        ends = analysis.endpoints(stream)
        side = max(int(outcomes.client_side[stream]), 0)
        outcome = ConnectionOutcome(int(outcomes.outcome[stream]))
        numbers = (f"{counts[stream]:,}", f"{int(outcomes.exchanges[stream]):,}")
        told = (outcome.word, sentences.sentence(stream) or "")
        rows.append((str(stream), str(ends[side]), str(ends[1 - side]), *numbers, *told))
        marks.append("" if outcome in _GOOD or outcome is ConnectionOutcome.UNFINISHED else "bad")
    yield from page_table(heads, rows, marks)
    yield from left_out(len(rows), len(streams), "connection")


def _sequence(subject: Subject) -> Iterator[str]:
    """The WPDUs that are left, stream by stream, as arrows between client and server."""
    rows = subject.wpdus
    stream = subject.analysis.wpdus["stream"][rows]
    # Streams in the order of their first WPDUs, and the WPDUs of each in their own order.
    _, first, of = np.unique(stream, return_index=True, return_inverse=True)
    order = np.argsort(first[of.reshape(-1)], kind="stable")
    shown = rows[order[:_WPDUS]]
    texts = _texts_of(subject, np.sort(shown))
    last = -1
    for row in shown.tolist():
        own = int(subject.analysis.wpdus["stream"][row])
        told = texts[row]
        if own != last:
            yield "</table>" if last >= 0 else ""
            ends = f"client {told['client']}, server {told['server']}"
            yield f"<h3>Stream {own}: {page_text(ends)}</h3>"
            yield '<table class="ladder">'
            last = own
        way = "to" if told["role"] == "client" else "back"
        line, name = "<i></i>", f"<span>{page_text(told['apdu'] or 'no APDU')}</span>"
        yield (
            f'<tr><td class="number">{told["wpdu.number"]}</td>'
            f'<td class="still">{told["wpdu.time"][11:26]}</td>'
            f'<td class="lane"><div class="arrow {way}">{line}{name}{line}</div></td>'
            f"<td>&ensp;{page_text(told['info'])}</td></tr>"
        )
    yield "</table>" if last >= 0 else "<p>There are no WPDUs.</p>"
    yield from left_out(len(shown), len(rows), "WPDU")


_SEQUENCE = ("wpdu.number", "wpdu.time", "client", "server", "role", "apdu", "info")


def _texts_of(subject: Subject, rows: Numbers) -> dict[int, dict[str, str]]:
    """The texts that the sequence has of these rows, ascending, by row."""
    found: dict[int, dict[str, str]] = {}
    for asked in asked_in_order(subject, rows, subject.told):
        columns = [FIELDS[name].texts(asked) for name in _SEQUENCE]
        for row, values in zip(asked.numbers.tolist(), zip(*columns, strict=True), strict=True):
            found[row] = dict(zip(_SEQUENCE, values, strict=True))
    return found


_EXCHANGE_COLUMNS = {
    "exchange": PageColumn("No.", "number"),
    "exchange.time": PageColumn("Time", "still"),
    "meter": PageColumn("Meter", "still"),
    "exchange.service": PageColumn("Service", "still"),
    "exchange.obis": PageColumn("OBIS", "still"),
    "exchange.attribute": PageColumn("Att.", "number"),
    "exchange.status": PageColumn("Status", "still"),
    "exchange.result": PageColumn("Result", "still"),
    "exchange.response_time": PageColumn("Response", "number"),
    "value.text": PageColumn("Value", "wide"),
}


def _exchanges(subject: Subject, facts: CaptureFacts, exchanges: Numbers) -> Iterator[str]:
    shown = exchanges[:_EXCHANGES]
    fields = fields_named(list(_EXCHANGE_COLUMNS))
    rows: list[Sequence[str]] = []
    for values in exchanges_with(subject, {field.name: field for field in fields}, shown).batches:
        texts = [field.type.texts(own) for field, own in zip(fields, values, strict=True)]
        texts[1] = [text[11:23] for text in texts[1]]
        texts[8] = [short_duration(int(text.replace(".", ""))) if text else "" for text in texts[8]]
        rows += zip(*texts, strict=True)
    marks = np.where(np.isin(facts.statuses[shown], _FAILED), "bad", "").tolist()
    yield from page_table(list(_EXCHANGE_COLUMNS.values()), rows, marks)
    yield from left_out(len(shown), len(exchanges), "exchange")


def _item_rows(subject: Subject) -> Numbers:
    """The expert items of what is left."""
    items = subject.analysis.expert_items
    if subject.rows is None:
        return np.arange(len(items))
    return np.flatnonzero(np.isin(items["wpdu"], subject.rows))


def _items(subject: Subject) -> Iterator[str]:
    """How many items of each kind there are, the worst first; then those that are no chat."""
    items = subject.analysis.expert_items
    counts = np.bincount(items["kind"][_item_rows(subject)], minlength=len(NUMBERED)).tolist()
    kinds = [kind for kind in NUMBERED if counts[kind.number]]
    kinds.sort(key=lambda kind: (-kind.severity, -counts[kind.number], kind.word))
    heads = [
        PageColumn("Severity", "still"),
        PageColumn("Item", "still"),
        PageColumn("Items", "number"),
        PageColumn("Clause"),
    ]
    summary = [(kind.severity.word, kind.word, f"{counts[kind.number]:,}", kind.clause) for kind in kinds]
    yield from page_table(heads, summary, [_mark(kind.severity.word) for kind in kinds])
    table = item_table(subject, ("severity", "item", "number", "packet", "message"), Severity.NOTE)
    rows: list[Sequence[str]] = []
    for values in table.batches:
        rows += zip(
            *(column.type.texts(own) for column, own in zip(table.columns, values, strict=True)), strict=True
        )
        if len(rows) >= _ITEMS:
            break
    if rows:
        rows = rows[:_ITEMS]
        yield "<h3>Items that are more than chat, in the order of the packets</h3>"
        heads[2:] = (PageColumn("WPDU", "number"), PageColumn("Packet", "number"), PageColumn("What it says"))
        yield from page_table(heads, rows, [_mark(row[0]) for row in rows])
        yield from left_out(len(rows), table.rows, "item")


def _mark(severity: str) -> str:
    """The class of a row of this severity."""
    return severity if severity in ("error", "warning") else ""
