"""A display filter is text that is compiled once and leaves some of the rows of any capture.

    wanted = compile_filter('response_time > 500ms && obis == 1.0.*.8.0.255')
    rows = wanted.rows(analysis, associations=associations)

`FilterError` says in which columns of the text something is wrong. Fields of whole captures, and what stands
in ciphered and joined APDUs, are known once `wanted.prepare(associations)` has made the pass over the capture
that it needs, or somebody else has; without it they are what is known by now.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.row_field import Cost, RowField
from cosemscope.analysis.filter.filter_compiler import compile_node
from cosemscope.analysis.filter.language.filter_errors import FilterError
from cosemscope.analysis.filter.language.filter_grammar import parse_filter
from cosemscope.analysis.filter.language.filter_names import field_named
from cosemscope.analysis.filter.language.filter_nodes import Literal, Node, Spelling, nodes_of
from cosemscope.analysis.filter.masks.asked_capture import Asked, Progress
from cosemscope.analysis.filter.masks.operands import Effort
from cosemscope.analysis.filter.masks.predicates import Predicate
from cosemscope.analysis.filter.masks.row_source import RowSource
from cosemscope.analysis.passes import make_pass
from cosemscope.capture.cancelling import Look, no_look

__all__ = ["DisplayFilter", "FilterError", "compile_filter"]


#: Fields of columns that may be another once more of the capture was read: what counts, what is told later,
#: and who turns out to be the client.
_GROWING = frozenset(
    (
        *("client", "server", "meter", "role", "wport.client", "wport.server"),
        *("wport.src.name", "wport.dst.name", "ip.src_host", "ip.dst_host", "frame.comment"),
        "tcp.analysis.retransmission",
    )
)


def is_settled(field: RowField) -> bool:
    """Whether a row's value is the same however much more of the capture comes."""
    return field.cost is Cost.COLUMN and field.name not in _GROWING and not field.name.startswith("stream.")


@dataclass(frozen=True)
class DisplayFilter:
    """A compiled filter; `fields` are those of the registry that it asks, in the order of the text."""

    text: str
    predicate: Predicate | None
    fields: tuple[RowField, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether it leaves everything."""
        return self.predicate is None

    @property
    def costs_trees(self) -> bool:
        """Whether rows are looked at one by one, or decoded, and not only columns."""
        return self.predicate is not None and self.predicate.effort >= Effort.LOOKS

    @property
    def settled(self) -> bool:
        """Whether what a row comes to is the same however much more of the capture comes."""
        return not self.costs_trees and all(is_settled(field) for field in self.fields)

    def prepare(
        self,
        associations: Associations,
        more: Iterable[RowField] = (),
        *,
        progress: Progress | None = None,
    ) -> None:
        """Make the pass over a capture, read to its end, that the filter's fields and `more` need.

        Associations that have been walked are taken to have made it, but for what only trees need.
        `progress(done, total)` is told rows. Raises CaptureError and OSError.
        """
        told = progress or _nobody
        if not associations.passed:
            make_pass((*self.fields, *more), associations, looks=True, told=told)
        if self.costs_trees:
            complete(associations, told=told)

    def rows(
        self,
        analysis: Analysis,
        rows: npt.NDArray[np.int64] | None = None,
        *,
        associations: Associations | None = None,
        look: Look = no_look,
        progress: Progress | None = None,
    ) -> npt.NDArray[np.int64]:
        """The numbers of the WPDU rows that the filter leaves, of all or of `rows`, in their order: int64[n].

        `associations` know keys and requests; without them what is asked of trees is asked without keys.
        `progress(done, total)` is told rows where these are looked at one by one. Raises Cancelled by way of
        `look`, which is asked between fields and every few hundred rows, and CaptureError and OSError where
        octets cannot be read.
        """
        count = len(analysis.first_look)
        if self.predicate is None:
            return np.arange(count) if rows is None else rows
        if associations is None:
            associations = Associations(analysis)
        asked = Asked(analysis, associations, look, progress or _nobody)
        mask = self.predicate.mask(RowSource(asked, count, rows))
        return np.flatnonzero(mask) if rows is None else rows[mask]


def _nobody(done: int, total: int) -> None:
    """Nobody is told."""


def compile_filter(text: str) -> DisplayFilter:
    """Compile a filter, of Wireshark's manner, see `cosemscope filter-help`; an empty one leaves everything.

    Raises FilterError with the columns in question. Takes time in proportion to the text.
    """
    node = parse_filter(text)
    if node is None:
        return DisplayFilter(text, None)
    predicate = compile_node(node)
    return DisplayFilter(text, predicate, _fields(node))


def _fields(node: Node) -> tuple[RowField, ...]:
    """The fields that a filter names, once each."""
    words = (one.text for one in nodes_of(node) if isinstance(one, Literal) and one.spelling is Spelling.WORD)
    return tuple(dict.fromkeys(field for word in words if (field := field_named(word)) is not None))
