"""What pushed, by meter: last values, how often, gaps between pushes, invoke-ids that never came."""

import statistics
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from cosemscope.live.pushes.push_reader import PushTaken

#: Meters at most, the one that was silent longest is forgotten; gaps of one that are remembered.
_MOST, _GAPS = 100_000, 64
_SILENT = 2.5
_MODULUS = 1 << 24


@dataclass
class PushingMeter:
    """One meter: its `last` push and when that came (s), how many, and the gaps between the last of them."""

    last: PushTaken
    came: float
    pushes: int = 1
    lost: int = 0
    gaps: deque[float] = field(default_factory=lambda: deque(maxlen=_GAPS))

    @property
    def usual_gap(self) -> float | None:
        """The median of the gaps in seconds."""
        return statistics.median(self.gaps) if self.gaps else None

    def silent(self, now: float) -> bool:
        """Whether it should have pushed again by now."""
        usual = self.usual_gap
        return usual is not None and now - self.came > _SILENT * usual


class PushTable:
    """The meters, in the order of their last pushes."""

    def __init__(self) -> None:
        self._meters: OrderedDict[str, PushingMeter] = OrderedDict()

    def __len__(self) -> int:
        return len(self._meters)

    def take(self, push: PushTaken, now: float) -> tuple[PushingMeter, float | None]:
        """A push came at `now` (s); its meter, and the seconds since the one before."""
        known = self._meters.pop(push.meter, None)
        gap = None
        if known is None:
            known = PushingMeter(push, now)
            if len(self._meters) >= _MOST:
                self._meters.popitem(last=False)
        else:
            gap = now - known.came
            known.gaps.append(gap)
            known.lost += _missing(known.last.invoke_id, push.invoke_id)
            known.last, known.came, known.pushes = push, now, known.pushes + 1
        self._meters[push.meter] = known
        return known, gap

    def meters(self) -> list[PushingMeter]:
        """All of them, the one that pushed last at the end."""
        return list(self._meters.values())


def _missing(before: int | None, now: int | None) -> int:
    """Invoke-ids between two that follow one another; 0 where they do not count up."""
    if before is None or now is None:
        return 0
    step = (now - before) % _MODULUS
    return step - 1 if 1 < step < 1000 else 0
