"""One capture judged: its streams and framings, what was taken for DLMS, and whether anything was raised."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from cosemscope.analysis.engine import Analysis
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.records import CaptureError
from cosemscope.streams.tables.framing import Framing


@dataclass
class Judged:
    """Counts of captures; `taken`: streams taken for DLMS, `raised`: what went wrong without a sentence."""

    files: int = 0
    refused: int = 0
    packets: int = 0
    streams: int = 0
    framings: Counter[str] = field(default_factory=Counter)
    taken: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)

    def add(self, other: "Judged") -> None:
        """Count another one in."""
        for name in ("files", "refused", "packets", "streams"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.framings += other.framings
        self.taken += other.taken
        self.raised += other.raised

    @property
    def clean(self) -> bool:
        """True if nothing was taken for DLMS and nothing was raised."""
        return not self.taken and not self.raised


def judge(path: Path, name: str = "") -> Judged:
    """Read a capture both ways; the two must agree, and nothing but a sentence may be raised."""
    name = name or path.name
    judged = Judged(files=1)
    try:
        first, second = (_read(path, one_by_one=one_by_one) for one_by_one in (False, True))
    except CaptureError:
        judged.refused = 1
        return judged
    except Exception as error:  # what this command is there to find
        judged.raised.append(f"{name}: {type(error).__name__}: {error}")
        return judged
    judged.packets, judged.streams = len(first.packets), len(first.streams)
    framings = [Framing(framing) for framing in first.streams["framing"].tolist()]
    judged.framings.update(framing.label for framing in framings)
    rows = first.wpdus["stream"].tolist()
    for stream in sorted({*rows, *(at for at, framing in enumerate(framings) if _claims(framing))}):
        judged.taken.append(f"{name}: stream {stream}, {framings[stream].label}, {rows.count(stream)} rows")
    if first.statistics() != second.statistics():
        judged.raised.append(f"{name}: the fast way and the slow way differ")
    return judged


def _claims(framing: Framing) -> bool:
    """A framing that says DLMS; a read-out of IEC 62056-21 is text before anything else."""
    return framing.carries_dlms and framing is not Framing.IEC_62056_21


def _read(path: Path, *, one_by_one: bool) -> Analysis:
    with open_capture(path) as reader:
        analysis = Analysis(reader, one_by_one=one_by_one).run()
        analysis.sessions()
        analysis.foreign_facts()
        return analysis
