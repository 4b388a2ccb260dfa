"""Tables of a page: heads, rows of texts, and what is said of the rows that are left out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from cosemscope.page_skeleton import page_text
from cosemscope.wording import count

TABLE_STYLE = """
.table { overflow-x: auto; } .table table { width: 100%; font-size: .84rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .8rem; vertical-align: bottom; }
th, td { padding: .22rem .8rem .22rem 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.still { white-space: nowrap; } .wide { min-width: 14rem; }
p.more { color: var(--soft); font-size: .85rem; margin: .4rem 0; }
thead { display: table-header-group; }
@media print { .table { overflow: visible; } .table table { font-size: 7pt; } th { font-size: 7pt; }
  th, td { padding-right: .5rem; } .wide { min-width: 10rem; } }
"""


class PageColumn(NamedTuple):
    """A column: its head, and the class of its cells: "number", "still" (not wrapped), "wide", or none."""

    head: str
    kind: str = ""


def page_table(
    columns: Sequence[PageColumn], rows: Iterable[Sequence[str]], marks: Iterable[str] = ()
) -> Iterator[str]:
    """The lines of a table; `marks`: the class of each row, "" for none."""
    kinds = [f' class="{column.kind}"' if column.kind else "" for column in columns]
    heads = "".join(
        f"<th{kind}>{page_text(column.head)}</th>" for column, kind in zip(columns, kinds, strict=True)
    )
    yield f'<div class="table"><table><thead><tr>{heads}</tr></thead><tbody>'
    own = iter(marks)
    for row in rows:
        mark = next(own, "")
        texts = zip(kinds, map(page_text, row), strict=True)
        cells = "".join(f"<td{kind}>{text}</td>" for kind, text in texts)
        yield f'<tr class="{mark}">{cells}</tr>' if mark else f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def left_out(shown: int, total: int, one: str, many: str = "") -> Iterator[str]:
    """A line on the rows that a table leaves out, where it does."""
    if shown < total:
        yield (
            f'<p class="more">The first {shown:,} of {count(total, one, many)}: a narrower filter, or an '
            "export as CSV, shows the others.</p>"
        )
