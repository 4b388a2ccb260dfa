"""The background pass: all rows once, with progress, to be cancelled and gone on with; looks go first."""

import threading
from pathlib import Path

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.bulk import complete
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import NO_KEYS
from cosemscope.capture.files.reader import open_capture
from tests.helpers.association_ends import KEYS, facts
from tests.helpers.traffic_random import random_traffic


def written(tmp_path: Path, connections: int = 12) -> Path:
    path = tmp_path / "made.pcapng"
    random_traffic(11, connections=connections).write(path)
    return path


def columns(analysis: Analysis) -> list[list[int]]:
    return [analysis.first_look[name].tolist() for name in analysis.first_look.names]


def test_progress_and_cancelling(tmp_path: Path) -> None:
    """It says how far it is, stops when told to, and goes on where it was; in the end all is the same."""
    path = written(tmp_path, 40)
    with open_capture(path) as reader, open_capture(path) as other:
        analysis, whole = Analysis(reader).run(), Analysis(other).run()
        assert dict(Associations(whole, KEYS).walk())
        found = Associations(analysis, KEYS)
        told: list[tuple[int, int]] = []
        before = columns(analysis)
        assert not complete(found, cancelled=lambda: True)
        assert found.passed == 0
        assert not complete(found, cancelled=lambda: bool(told), told=lambda *news: told.append(news))
        total = len(analysis.wpdus)
        assert told == [(found.passed, total)]
        assert 0 < found.passed < total
        assert before != columns(analysis) != columns(whole)
        assert complete(found, found.passed + 3)
        assert complete(found, told=lambda *news: told.append(news))
        assert told[-1] == (total, total)
        assert columns(analysis) == columns(whole)
        assert complete(found)


def test_more_rows_and_other_keys(tmp_path: Path) -> None:
    """It may be run whenever a capture has grown, and anew when there are other keys."""
    with open_capture(written(tmp_path)) as reader:
        analysis = Analysis(reader)
        found = Associations(analysis, KEYS)
        while analysis.step(40):
            assert complete(found)
            assert found.passed == len(analysis.wpdus)
        analysis.finish()
        complete(found)
        opened = columns(analysis)
        found.keys = NO_KEYS
        complete(found)
        assert columns(analysis) != opened
        found.keys = KEYS
        complete(found)
        assert columns(analysis) == opened


def test_looks_go_first(tmp_path: Path) -> None:
    """Another thread looks at rows before, behind and where the pass is: it never waits for the end."""
    with open_capture(written(tmp_path, 60)) as reader:
        analysis = Analysis(reader).run()
        walked = dict(Associations(analysis, KEYS).walk())
        found = Associations(analysis, KEYS)
        total = len(analysis.wpdus)
        looked = threading.Event()

        def cancelled() -> bool:
            """Before each part of the pass, until the looks are done."""
            return looked.is_set()

        def go_round() -> None:
            while not looked.is_set():
                complete(found, cancelled=cancelled)
                found.keys = KEYS

        worker = threading.Thread(target=go_round)
        worker.start()
        try:
            for row in range(0, total, 5):
                look = found.look(row)
                assert (look.verdict, look.inner) == facts(walked[row])[:2]
        finally:
            looked.set()
            worker.join()
        complete(found)
        for row in range(0, total, 7):
            assert facts(found.look(row)) == facts(walked[row])
