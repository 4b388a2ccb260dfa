"""The registry of checks: a check is one function, and what it leaves unsaid is the WPDU's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.expert.checks import WPDU_CHECKS, Found, Rows, run_checks, wpdu_check
from cosemscope.analysis.expert.run import find_items
from cosemscope.streams.tables.expert_items import KINDS, Group, Severity, Source, declare
from tests.helpers.wire import Tcp, Wire, analyse, get_request


@pytest.fixture
def unregistered() -> Iterator[None]:
    """Leaves the registry as it was."""
    checks, kinds = list(WPDU_CHECKS), dict(KINDS)
    yield
    WPDU_CHECKS[:] = checks
    KINDS.clear()
    KINDS.update(kinds)


def three(folder: Path) -> Analysis:
    connection = Tcp(Wire()).handshake()
    for number in (1, 2, 3):
        connection.say(number % 2, get_request(number))
    return analyse(connection.wire, folder)


@pytest.mark.usefixtures("unregistered")
def test_a_new_check_is_one_function(tmp_path: Path) -> None:
    """Declared and registered in one place, it is in the table with severity, sentence, clause and span."""

    @wpdu_check("second", Severity.ERROR, Group.DATA, "{octets} in number {amount}", "IEC 1, 2")
    def second(analysis: Analysis, rows: Rows) -> Found:
        return {"wpdu": rows[1:2], "amount": 2}

    analysis = three(tmp_path)
    find_items(Associations(analysis))
    items = analysis.expert_items
    (row,) = np.flatnonzero(items["kind"] == KINDS["second"].number).tolist()
    assert (items.message(row), items.clause(row)) == ("2 octets in number 2", "IEC 1, 2")
    told = {name: int(items[name][row]) for name in items.names if name not in ("kind", "words")}
    assert told == {
        "wpdu": 1, "packet": 4, "stream": 0, "direction": 0, "source": Source.WPDU, "start": 0, "stop": 21,
        "amount": 2,
    }  # fmt: skip


@pytest.mark.usefixtures("unregistered")
def test_a_check_that_finds_nothing_adds_nothing(tmp_path: Path) -> None:
    """Neither an empty column nor an empty answer is an item; a scalar alone is one."""
    answers: list[Found] = [{}, {"wpdu": np.zeros(0, np.int64), "amount": 3}, {"amount": 3}]
    kind = declare("any", Severity.CHAT, Group.DATA, "any")
    analysis = three(tmp_path)
    checks = [WPDU_CHECKS[0]._replace(kind=kind, find=lambda _, rows, one=one: one) for one in answers]
    ((_, found),) = run_checks(checks, analysis, np.arange(3), analysis.expert_items)
    assert {name: column.tolist() for name, column in found.items()} == {
        **{name: [0] for name in analysis.expert_items.names},
        "kind": [kind.number], "amount": [3], "wpdu": [-1], "packet": [-1], "stream": [-1],
    }  # fmt: skip


@pytest.mark.usefixtures("unregistered")
def test_a_word_is_declared_once() -> None:
    """Two kinds with one word would be one for scripts."""
    with pytest.raises(ValueError, match="hole of expert items is declared twice"):
        declare("hole", Severity.NOTE, Group.TCP, "another")
