"""What people and programs have written into a capture: comments on packets, names, counts of lost packets.

Only looked up, row by row and where somebody looks; a capture without any costs nothing.
"""

from typing import TYPE_CHECKING, NamedTuple

from cosemscope.wording import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.source import RecordSource


class Comment(NamedTuple):
    """A comment on a packet, whose `number` counts from 1; there may be several."""

    number: int
    text: str


def comments_of(analysis: "Analysis", row: int) -> tuple[Comment, ...]:
    """The comments on the packets that carried a WPDU, in the order of its octets."""
    comments = analysis.notes.comments
    if not comments:
        return ()
    packets = analysis.packets_of(row).tolist()
    return tuple(Comment(packet + 1, text) for packet in packets for text in comments.get(packet, ()))


def named(address: str, names: "Mapping[str, str]") -> str:
    """An address with the name that the capture gives it, as `meter-17 (10.0.0.5)`; alone without one."""
    name = names.get(address)
    return f"{name} ({address})" if name else address


def dropped_of(source: "RecordSource") -> int | None:
    """Packets that the capture lost on all its interfaces; None when it does not tell."""
    counted = [(one.dropped, one.dropped_by_system) for one in list(source.statistics.values())]
    told = [max(dropped, 0) + max(system, 0) for dropped, system in counted if max(dropped, system) >= 0]
    return sum(told) if told else None


def plain_lines(text: str) -> str:
    """A text of a capture as a terminal may have it: lines indented, what cannot be printed escaped."""
    return "\n  ".join(map(printable, text.splitlines()))
