"""Trees decoded in other processes: the same problems, whatever becomes of the processes."""

import os
import signal
from pathlib import Path

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.run import find_items
from cosemscope.analysis.expert.tree_workers import TreeTask, TreeWorkers, problems_of
from cosemscope.streams.tables.framing import Framing
from tests.helpers import traffic_apdus as a
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

GOOD = TreeTask(wpdu(a.get_request(0xC1, 3, "1.0.1.8.0.255")), Framing.WRAPPER, None)
BAD = GOOD._replace(octets=GOOD.octets[:-2])


def made(folder: Path) -> Analysis:
    """A connection on which every third request is ill-formed; all are answered."""
    connection = Tcp(Wire()).handshake()
    for number in range(300):
        apdu = a.get_request(0xC0 | number % 16, 3, "1.0.1.8.0.255")
        connection.say(0, wpdu(apdu[:-1] if number % 3 == 0 else apdu))
        connection.say(1, wpdu(a.get_response(0xC0 | number % 16, a.unsigned(number % 200)), 1, 16))
    return analyse(connection.wire, folder)


def items_of(analysis: Analysis) -> list[tuple[object, ...]]:
    items = analysis.expert_items
    columns = [items[name].tolist() for name in items.names]
    return [*zip(*columns, map(items.message, range(len(items))), strict=True)]


def test_items_are_the_same_with_and_without_workers(tmp_path: Path) -> None:
    """In the same order, too: batches end in the order in which they began."""
    found = []
    for workers in (0, 2):
        analysis = made(tmp_path)
        assert find_items(Associations(analysis), workers=workers)
        found.append(items_of(analysis))
    assert found[0] == found[1]
    assert len(found[0]) == 100


def test_a_worker_that_dies_costs_time_only() -> None:
    """Killed by the system, for want of memory perhaps: its rows are decoded here, and those that follow."""
    with TreeWorkers(0, workers=1) as trees:
        first = trees.begin_trees([BAD])
        assert trees.end_trees(first) == problems_of([BAD])
        for process in _children():
            os.kill(process, signal.SIGTERM)
        for _ in range(3):
            assert trees.end_trees(trees.begin_trees([BAD, GOOD])) == problems_of([BAD, GOOD])


def _children() -> list[int]:
    """The processes that this one has started."""
    from multiprocessing import active_children

    return [child.pid for child in active_children() if child.pid is not None]


def test_trees_without_a_problem_are_remembered() -> None:
    """What has a problem is decoded again, so that each row gets its items."""
    with TreeWorkers(0) as trees:
        trees.end_trees(trees.begin_trees([GOOD, BAD]))
        assert trees.is_clean(GOOD)
        assert not trees.is_clean(BAD)
        long = GOOD._replace(octets=wpdu(a.get_response(0xC1, a.octet_string(bytes(4000)))))
        trees.end_trees(trees.begin_trees([long]))
        assert not trees.is_clean(long)
