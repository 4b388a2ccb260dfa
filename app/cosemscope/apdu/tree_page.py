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
from cosemscope.page_skeleton import page_foot, page_head, page_text
from cosemscope.wording import count

_WIDTH = 16
_TINTS = 4
_STYLE = """
body { max-width: 84rem; }
h2 { font-size: 1.05rem; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: .85rem; margin: .8rem 0 .2rem; color: var(--soft); font-weight: 600; }
p { margin: .15rem 0; }
ol.messages { padding-left: 1.6rem; }
section { margin: 1.8rem 0; padding-top: 1rem; border-top: 1px solid var(--line); }
.sides { display: flex; gap: 2rem; align-items: flex-start; flex-wrap: wrap; }
.tree { flex: 1 1 30rem; min-width: 0; } .octets { flex: 0 0 auto; position: sticky; top: 1rem; }
.tree table { width: 100%; }
td, th { font: .82rem/1.5 ui-monospace, Consolas, "Liberation Mono", monospace; text-align: left;
  vertical-align: top; padding: 0 .8rem 0 0; }
th { color: var(--soft); font-weight: 400; }
td.n { text-align: right; color: var(--soft); white-space: nowrap; width: 1%; }
td.f { overflow-wrap: anywhere; }
td.f b { font-weight: 600; } td.f a { text-decoration: none; }
td.h { white-space: pre; } td.h a { text-decoration: none; }
.t0 { background: var(--tint0); } .t1 { background: var(--tint1); }
.t2 { background: var(--tint2); } .t3 { background: var(--tint3); }
tr:target td, span:target { background: var(--mark); } span:target { outline: 2px solid var(--mark); }
"""


class PageMessage(NamedTuple):
    """A message for the page: its line, facts as (name, text), its tree."""

    line: str
    facts: Sequence[tuple[str, str]]
    decoded: Decoded


def tree_page(title: str, remark: str, version: str, messages: Sequence[PageMessage]) -> Iterator[str]:
    """The lines of the page, to be written as UTF-8; its length is linear in octets and fields."""
    yield from page_head(title, _STYLE)
    yield f'<p class="lead">{page_text(remark)}</p>' if remark else ""
    if len(messages) > 1:
        yield '<nav><ol class="messages">'
        for number, message in enumerate(messages, 1):
            yield f'<li><a href="#m{number}">{page_text(message.line)}</a></li>'
        yield "</ol></nav>"
    for number, message in enumerate(messages, 1):
        yield from _message(number, message)
    yield from page_foot(version)


def _message(number: int, message: PageMessage) -> Iterator[str]:
    decoded = message.decoded
    yield f'<section id="m{number}"><h2>{page_text(message.line)}</h2>'
    for name, text in message.facts:
        yield f"<p>{page_text(name)}: {page_text(text)}</p>"
    for problem in decoded.problems:
        yield f'<p class="{page_text(problem.severity)}">{page_text(problem_line(decoded, problem))}</p>'
    yield '<div class="sides"><div class="tree"><table>'
    yield "<tr><th>offset</th><th>octets</th><th>field</th></tr>"
    yield from _rows(number, decoded)
    yield '</table></div><div class="octets">'
    for place, source in enumerate(decoded.sources):
        yield f"<h3>{page_text(source.name)}, {count(len(source.data), 'octet')}</h3><table>"
        yield from _octets(number, place, source.data, leaves(decoded.root, place))
        yield "</table>"
    yield "</div></div></section>"


def _rows(number: int, decoded: Decoded) -> Iterator[str]:
    """A row for each field, parents before their children."""
    pending = [(decoded.root, 0, 0)]
    while pending:
        field, depth, source = pending.pop()
        if field.source != source:
            name = page_text(decoded.sources[field.source].name)
            yield f'<tr><td class="n" colspan="2"></td><td class="f"{_indent(depth)}>— {name}</td></tr>'
        words = f"<b>{page_text(field.name)}</b>{page_text(value_text(field))}"
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
        tip = page_text(f"{field.name}{value_text(field)}")[:400]
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
