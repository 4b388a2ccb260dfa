"""The skeleton of all HTML pages that are written: one file, no script, light, dark and on paper.

    yield from page_head(title, style)
    yield f"<p>{page_text(anything)}</p>"
    yield from page_foot(version)

Styles name colours by the variables of `BASE`, which are others in the dark; paper is always light.
"""

from collections.abc import Iterator
from html import escape

from cosemscope.wording import printable

#: What all pages have: their colours, letters and margins, on the screen and on paper.
_BASE = """
:root { color-scheme: light dark; --ink: #1d2329; --paper: #fff; --soft: #5b6670; --line: #d5dbe0;
  --ground: #f6f8f9; --mark: #ffd75e; --good: #1a6b3c; --error: #a4161a; --warning: #7a5200; --note: #184e8a;
  --other: #6b2c86; --tint0: #e8f0fa; --tint1: #f7edd9; --tint2: #e6f4e8; --tint3: #f6e8f1; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #dfe4e8; --paper: #15191d; --soft: #98a4ae; --line: #38424b; --ground: #1d2329;
    --mark: #6b5200; --good: #6cc795; --error: #ff8f8f; --warning: #e3b25c; --note: #8cb8f0; --other: #cf9ee6;
    --tint0: #1d2c40; --tint1: #3a2f18; --tint2: #1b3322; --tint3: #3a2233; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
  color: var(--ink); background: var(--paper); margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; overflow-wrap: anywhere; }
p.lead, footer { color: var(--soft); } footer { margin-top: 2.5rem; font-size: .85rem; }
table { border-collapse: collapse; }
a { color: inherit; }
.error { color: var(--error); } .warning { color: var(--warning); } .note { color: var(--note); }
@page { margin: 15mm; }
@media print { :root { color-scheme: light; }
  body { margin: 0; max-width: none; padding: 0; font-size: 10pt; } tr { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""


def page_text(text: str) -> str:
    """A text of a capture as it may stand in a page, also within quotes."""
    return escape(printable(text))


def page_head(title: str, style: str) -> Iterator[str]:
    """The lines of a page down to its heading."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{page_text(title)}</title>"
    yield f"<style>{_BASE}{style}</style></head><body>"
    yield f"<h1>{page_text(title)}</h1>"


def page_foot(version: str, remark: str = "") -> Iterator[str]:
    """The lines that end a page; `remark` is HTML."""
    yield f"<footer>{remark}<p>Written by Cosemscope {page_text(version)}.</p></footer></body></html>"
