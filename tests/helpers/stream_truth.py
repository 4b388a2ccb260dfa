"""Rates: what Cosemscope tells right of captures of known truth (`troubled_wire`, `stream_troubles`)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.streams.tables.stream_kinds import KEEP_ALIVE, OUT_OF_ORDER, RETRANSMISSION
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.stream_troubles import TROUBLES
from tests.helpers.troubled_wire import Conversation, Numbering, Truth, capture


@dataclass(frozen=True)
class Rates:
    """WPDUs of the truth, those found, and those found that are none; fillers of gaps, and those told right.

    `told`, `true`: retransmissions, segments out of order, keep-alives.
    """

    wpdus: int
    found: int
    invented: int
    fillers: int
    right: int
    told: tuple[int, int, int]
    true: tuple[int, int, int]


def conversations(trouble: str, seeds: Sequence[int]) -> list[Conversation]:
    """Conversations that met a trouble."""
    made = [Conversation(seed) for seed in seeds]
    for conversation in made:
        TROUBLES[trouble](conversation)
    return made


def troubled(path: Path, trouble: str, numbering: Numbering, seeds: Sequence[int]) -> Truth:
    """Write a capture of conversations that met a trouble."""
    return capture(path, conversations(trouble, seeds), numbering)


def analyse(path: Path, *, one_by_one: bool = False, records: int = 65_536) -> Analysis:
    """Everything of a capture, analysed."""
    analysis = Analysis(open_capture(path), one_by_one=one_by_one)
    while analysis.step(records):
        pass
    analysis.finish()
    return analysis


def rates(analysis: Analysis, truth: Truth) -> Rates:
    """Compare what was found with the truth."""
    marks = analysis.wpdus["marks"]
    whole = [row for row in range(len(analysis.wpdus)) if not marks[row] & Mark.TRUNCATED]
    found = Counter(analysis.octets(row) for row in whole)
    true = Counter(truth.wpdus)
    told = [_packets(analysis, kind.number) for kind in (RETRANSMISSION, OUT_OF_ORDER, KEEP_ALIVE)]
    wanted = (truth.sent_again | truth.repeated, truth.overtaken, truth.roles.get("keep-alive", set()))
    right = len(truth.sent_again & told[0]) + len(truth.overtaken & told[1])
    return Rates(
        len(truth.wpdus),
        (found & true).total(),
        (found - true).total(),
        len(truth.sent_again) + len(truth.overtaken),
        right,
        (len(told[0]), len(told[1]), len(told[2])),
        (len(wanted[0]), len(wanted[1]), len(wanted[2])),
    )


def _packets(analysis: Analysis, kind: int) -> set[int]:
    items = analysis.expert_items
    return set(items["packet"][items["kind"] == kind].tolist())
