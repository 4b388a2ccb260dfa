"""Runs of quiet exchanges: found for a whole batch, they say what one row after the other would."""

import random
from pathlib import Path

import numpy as np
import pytest

from cosemscope.analysis.associations.association import Look
from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.quiet_rows import QuietRuns
from cosemscope.analysis.engine import Analysis
from tests.helpers import apdu_encoder as encode
from tests.helpers.wire import Tcp, Wire, analyse, wpdu

ENERGY = bytes((1, 0, 1, 8, 0, 255))
VALUE, UNIT = ("double-long-unsigned", 5009), ("structure", [("integer", 2), ("enum", 30)])


def read(connection: Tcp, client: int, member: int, invoke: int, *, answered: bool = True) -> None:
    """A GET of the register's attribute from this client wPort, and the response if it comes."""
    request = encode.get_request((3, ENERGY, member), invoke=0xC0 | invoke)
    connection.say(0, wpdu(request, client, 1))
    if answered:
        answer = encode.get_response(UNIT if member == 3 else VALUE, invoke=0xC0 | invoke)
        connection.say(1, wpdu(answer, 1, client))


def readings(seed: int, tmp_path: Path, count: int = 300) -> Analysis:
    """Values and now and then scalers, of two clients in turns; some requests are never answered."""
    choose, wire = random.Random(seed), Wire()
    connection = Tcp(wire).handshake()
    for number in range(count):
        member = 3 if number > count // 3 and choose.random() < 0.05 else 2
        answered = choose.random() > 0.1
        read(connection, choose.choice((16, 17)), member, choose.randrange(16), answered=answered)
    return analyse(wire, tmp_path)


def test_runs_leave_out_what_the_walk_learns_from(tmp_path: Path) -> None:
    """Neither a request that waits nor one for scalers; of each run one row is left, and runs are bounded."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    for invoke in range(40):
        read(connection, 16, 2, invoke % 16)
    read(connection, 16, 2, 5, answered=False)
    read(connection, 16, 3, 6)
    read(connection, 16, 2, 7)
    analysis = analyse(wire, tmp_path)
    runs = QuietRuns(analysis, np.arange(len(analysis.wpdus)))
    assert runs.left.tolist() == [63, 79, 80, 81, 82, 84]
    assert {row: runs.first(run) for row, run in runs.ends.items()} == {63: 0, 79: 64, 84: 83}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("batch", [7, 1000])
def test_runs_say_what_row_after_row_says(seed: int, batch: int, tmp_path: Path) -> None:
    """Requests, scalers and what waits in the end, wherever batches end."""
    analysis = readings(seed, tmp_path)
    whole = Associations(analysis)
    walked, lightly, count = dict(whole.walk()), Associations(analysis), len(analysis.wpdus)
    looks = [
        look for stop in range(batch, count + batch, batch) for look in lightly.walk_lightly(min(stop, count))
    ]
    scaled = 0
    for row, look in enumerate(looks):
        context = walked[row].context
        assert look.request == context.request
        if not isinstance(look, Look) and look.scaler_unit is not None:
            scaled += 1
            assert context.request is not None
            assert context.scaler_unit is not None
            assert look.scaler_unit == context.scaler_unit(context.request.references[0])
    assert scaled > 20
    for row in range(0, count, 5):
        assert lightly.info(row) == whole.info(row), row


def test_an_answer_without_scalers_is_quiet_to_whatever_was_asked(tmp_path: Path) -> None:
    """Only one that tells scalers is looked into: values are shown with them from then on."""
    wire = Wire()
    connection = Tcp(wire).handshake()
    for answer in (VALUE, UNIT, VALUE):
        connection.say(0, wpdu(encode.get_request((3, ENERGY, 3)), 16, 1))
        connection.say(1, wpdu(encode.get_response(answer), 1, 16))
    analysis = analyse(wire, tmp_path)
    looks = Associations(analysis).walk_lightly(len(analysis.wpdus))
    assert [isinstance(look, Look) for look in looks] == [False, False, False, True, False, False]
    whole = dict(Associations(analysis).walk())
    assert [look.request for look in looks] == [whole[row].request for row in range(len(looks))]
