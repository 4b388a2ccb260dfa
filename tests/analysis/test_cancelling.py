"""Reading may be cancelled within a batch: soon wherever it is, and with tables that hold together."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_column_items
from cosemscope.capture.cancelling import Cancelled, look_at, no_look
from cosemscope.capture.files.reader import open_capture
from cosemscope.capture.packets import packet_headers  # noqa: F401 -- its import is no work on a capture
from tests.helpers.costly_captures import COSTLY
from tests.helpers.hostile_captures import HOSTILE, write
from tests.helpers.traced_lines import Lines
from tests.helpers.traffic_random import random_traffic

#: Most lines of Python between two looks: about a fiftieth of a second.
MOST_BETWEEN = 200_000
#: Octets of a capture, of which the slow kinds would take much longer, were nobody asked.
OCTETS = 120_000


class Asked:
    """Counts looks, and cancels from one of them on."""

    def __init__(self, cancel_at: int = 0) -> None:
        self.count = 0
        self.cancel_at = cancel_at

    def __call__(self) -> bool:
        self.count += 1
        return 0 < self.cancel_at <= self.count


@pytest.mark.parametrize("name", HOSTILE)
def test_no_work_goes_on_for_long_without_a_look(name: str, tmp_path: Path) -> None:
    """Reading, putting streams together and ending, with all that hostile captures make of them."""
    path = tmp_path / "capture"
    write(name, path, OCTETS)
    gaps = [0]
    with Lines() as lines:

        def look() -> None:
            gaps.append(lines.count())

        with open_capture(path) as reader:
            Analysis(reader, look=look).run()
        gaps.append(lines.count())
    assert max(np.diff(gaps)) < MOST_BETWEEN


@pytest.mark.parametrize(
    "name", ["hdlc-pairs", "pieces-behind-others", "both-ways-from-the-middle", "random"]
)
def test_tables_hold_together_wherever_it_was_cancelled(name: str, tmp_path: Path) -> None:
    """What was found before is there: every row, session, count and item of it can be looked at."""
    path = tmp_path / "capture"
    if name == "random":
        random_traffic(3).write(path)
    else:
        COSTLY[name](path, 300)
    asked = Asked()
    with open_capture(path) as reader:
        whole = Analysis(reader, look=look_at(asked)).run()
    assert whole.finished
    for place in np.linspace(1, asked.count, 12).astype(int).tolist():
        with open_capture(path) as reader:
            asked = Asked(place)
            analysis = Analysis(reader, look=look_at(asked)).run()
            asked.cancel_at = 0
            assert analysis.cancelled
            assert not analysis.finished
            assert not analysis.step()
            rows = np.arange(len(analysis.wpdus))
            assert len(rows) <= len(whole.wpdus)
            assert len(analysis.first_look) == len(analysis.wpdu_pairs) == len(rows)
            insights = Insights(analysis)
            assert len(insights.infos(rows, insights.looks(rows))) == len(rows)
            analysis.pair()
            analysis.sessions()
            analysis.statistics()
            find_column_items(analysis)


def test_sessions_and_items_of_a_whole_capture_are_cancelled_too(tmp_path: Path) -> None:
    """They take long where there are many streams; the items are then as before."""
    path = tmp_path / "capture"
    random_traffic(3).write(path)
    asked = Asked()
    with open_capture(path) as reader:
        analysis = Analysis(reader, look=look_at(asked)).run()
        items = analysis.expert_items
        asked.cancel_at = 1
        with pytest.raises(Cancelled):
            analysis.sessions()
        with pytest.raises(Cancelled):
            find_column_items(analysis)
        assert analysis.expert_items is items
        assert analysis.finished


def test_a_look_raises_when_it_is_asked_for() -> None:
    """Nobody cancels by default."""
    no_look()
    asked: Callable[[], bool] = [False, True].pop
    look = look_at(lambda: not asked())
    look()
    with pytest.raises(Cancelled):
        look()
