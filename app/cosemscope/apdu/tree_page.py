"""Trees and octets of messages as one HTML page to put into a ticket: no script, nothing loaded.

Each message has its line, what is wrong with it, its fields, and its octets, in which each field is a piece
that tells its name. A click on a field marks its octets, a click on octets marks their field: both are links
within the page. It prints as it is shown.
"""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from cosemscope.apdu.fields import Decoded, Field, leaves
from cosemscope.apdu.plain import problem_line, value_text
from cosemscope.wording import count, printable

_WIDTH = 16
_TINTS = 4
_STYLE = """
:root { --ink: #1d2329; --soft: #5b6670; --line: #d5dbe0; --mark: #ffd75e;
  --error: #a4161a; --warning: #7a5200; --note: #184e8a; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
  color: var(--ink); background: #fff; max-width: 84rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: .85rem; margin: .8rem 0 .2rem; color: var(--soft); font-weight: 600; }
p { margin: .15rem 0; } p.lead, footer { color: var(--soft); }
p.error { color: var(--error); } p.warning { color: var(--warning); } p.note { color: var(--note); }
ol.messages { padding-left: 1.6rem; } ol.messages a, nav a { color: inherit; }
section { margin: 1.8rem 0; padding-top: 1rem; border-top: 1px solid var(--line); }
.sides { display: flex; gap: 2rem; align-items: flex-start; flex-wrap: wrap; }
.tree { flex: 1 1 30rem; min-width: 0; } .octets { flex: 0 0 auto; position: sticky; top: 1rem; }
table { border-collapse: collapse; } .tree table { width: 100%; }
td, th { font: .82rem/1.5 ui-monospace, Consolas, "Liberation Mono", monospace; text-align: left;
  vertical-align: top; padding: 0 .8rem 0 0; }
th { color: var(--soft); font-weight: 400; }
td.n { text-align: right; color: var(--soft); white-space: nowrap; width: 1%; }
td.f { overflow-wrap: anywhere; }
td.f b { font-weight: 600; } td.f a { color: inherit; text-decoration: none; }
td.h { white-space: pre; } td.h a { color: inherit; text-decoration: none; }
.t0 { background: #e8f0fa; } .t1 { background: #f7edd9; }
.t2 { background: #e6f4e8; } .t3 { background: #f6e8f1; }
tr:target td, span:target { background: var(--mark); } span:target { outline: 2px solid var(--mark); }
footer { margin-top: 2.5rem; font-size: .85rem; }
@page { margin: 15mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10pt; } tr { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


class PageMessage(NamedTuple):
    """A message for the page: its line, facts as (name, text), its tree."""

    line: str
    facts: Sequence[tuple[str, str]]
    decoded: Decoded


def tree_page(title: str, remark: str, version: str, messages: Sequence[PageMessage]) -> Iterator[str]:
    """The lines of the page, to be written as UTF-8; its length is linear in octets and fields."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(title)}</title>"
    yield f"<style>{_STYLE}</style></head><body>"
    yield f"<h1>{_text(title)}</h1>"
    yield f'<p class="lead">{_text(remark)}</p>' if remark else ""
    if len(messages) > 1:
        yield '<nav><ol class="messages">'
        for number, message in enumerate(messages, 1):
            yield f'<li><a href="#m{number}">{_text(message.line)}</a></li>'
        yield "</ol></nav>"
    for number, message in enumerate(messages, 1):
        yield from _message(number, message)
    yield f"<footer>Written by Cosemscope {_text(version)}.</footer></body></html>"


def _text(text: str) -> str:
    """A text of a capture as it may stand in the page."""
    return escape(printable(text))


def _message(number: int, message: PageMessage) -> Iterator[str]:
    decoded = message.decoded
    yield f'<section id="m{number}"><h2>{_text(message.line)}</h2>'
    for name, text in message.facts:
        yield f"<p>{_text(name)}: {_text(text)}</p>"
    for problem in decoded.problems:
        yield f'<p class="{_text(problem.severity)}">{_text(problem_line(decoded, problem))}</p>'
    yield '<div class="sides"><div class="tree"><table>'
    yield "<tr><th>offset</th><th>octets</th><th>field</th></tr>"
    yield from _rows(number, decoded)
    yield '</table></div><div class="octets">'
    for place, source in enumerate(decoded.sources):
        yield f"<h3>{_text(source.name)}, {count(len(source.data), 'octet')}</h3><table>"
        yield from _octets(number, place, source.data, leaves(decoded.root, place))
        yield "</table>"
    yield "</div></div></section>"


def _rows(number: int, decoded: Decoded) -> Iterator[str]:
    """A row for each field, parents before their children."""
    pending = [(decoded.root, 0, 0)]
    while pending:
        field, depth, source = pending.pop()
        if field.source != source:
            name = _text(decoded.sources[field.source].name)
            yield f'<tr><td class="n" colspan="2"></td><td class="f"{_indent(depth)}>— {name}</td></tr>'
        words = f"<b>{_text(field.name)}</b>{_text(value_text(field))}"
        place = f"{number}-{field.source}-{field.start}"
        owned = field.stop > field.start and not any(one.source == field.source for one in field.children)
        mark = f' id="f{place}"' if owned else ""
        if field.stop > field.start:
            words = f'<a href="#o{place}">{words}</a>'
        yield (
            f'<tr{mark}><td class="n">{field.start}</td><td class="n">{field.stop - field.start}</td>'
            f'<td class="f"{_indent(depth)}>{words}</td></tr>'
        )
        pending += [(child, depth + 1, field.source) for child in reversed(field.children)]


def _indent(depth: int) -> str:
    return f' style="padding-left:{depth}em"' if depth else ""


def _octets(number: int, source: int, octets: bytes, owners: Iterable[Field]) -> Iterator[str]:
    """The octets of a byte source in rows of 16, each field a piece that names it and leads to its row."""
    pieces: dict[int, list[str]] = {}
    for turn, field in enumerate(one for one in owners if one.stop > one.start):
        place = f"{number}-{source}-{field.start}"
        tip = _text(f"{field.name}{value_text(field)}")[:400]
        cuts = [
            field.start,
            *range(field.start - field.start % _WIDTH + _WIDTH, field.stop, _WIDTH),
            field.stop,
        ]
        for start, stop in pairwise(cuts):
            mark = f' id="o{place}"' if start == field.start else ""
            pieces.setdefault(start // _WIDTH, []).append(
                f'<span class="t{turn % _TINTS}"{mark} title="{tip}"><a href="#f{place}">'
                f"{octets[start:stop].hex(' ')}</a></span>"
            )
    for row in range((len(octets) + _WIDTH - 1) // _WIDTH):
        part = octets[row * _WIDTH : (row + 1) * _WIDTH]
        shown = "".join(chr(octet) if 32 <= octet < 127 else "." for octet in part)
        cells = " ".join(pieces.get(row, [])) or part.hex(" ")
        yield (
            f'<tr><td class="n">{row * _WIDTH:04x}</td><td class="h">{cells}</td>'
            f'<td class="h">{escape(shown)}</td></tr>'
        )
