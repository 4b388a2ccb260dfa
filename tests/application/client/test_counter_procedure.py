"""The public client learns the invocation counter, or is told why not."""

from typing import Any

import pytest

from cosemscope.apdu.context import Reference
from cosemscope.application.client.client_events import TransmitApdu
from cosemscope.application.client.counter_procedure import CounterProcedure, counter_name
from cosemscope.application.encoding.acse_apdus import Rlrq
from cosemscope.application.encoding.data_values import Data, double_long_unsigned, octet_string
from tests.application.played_meter import PlayedMeter


def _run(meter: PlayedMeter, procedure: CounterProcedure) -> CounterProcedure:
    waiting = list(procedure.begin(0))
    while waiting:
        event = waiting.pop(0)
        if isinstance(event, TransmitApdu):
            for octets in meter.answer(event.octets):
                waiting += procedure.receive(octets, 1)
    return procedure


def _meter(value: Data | None, setup: int = 0, **how: Any) -> PlayedMeter:
    meter = PlayedMeter(**how)
    if value is not None:
        meter.values[Reference(1, counter_name(setup), 2)] = value
    return meter


@pytest.mark.parametrize("setup", [0, 2])
def test_the_counter_is_read_and_the_association_released(setup: int) -> None:
    """Of the security setup that is in use."""
    meter = _meter(double_long_unsigned(4711), setup)
    procedure = _run(meter, CounterProcedure(setup))
    assert (procedure.counter, procedure.refusal, procedure.over) == (4711, None, True)
    assert isinstance(meter.requests[-1], Rlrq)


@pytest.mark.parametrize(
    ("meter", "words"),
    [
        (_meter(None), "object-undefined"),
        (_meter(octet_string(b"x")), "holds no number"),
        (_meter(double_long_unsigned(1), mechanism=1), "refuses the association"),
    ],
)
def test_why_there_is_no_counter(meter: PlayedMeter, words: str) -> None:
    """In a sentence, and the procedure is over."""
    procedure = _run(meter, CounterProcedure())
    assert procedure.counter is None
    assert procedure.over
    assert words in str(procedure.refusal)


def test_silence_and_the_end_of_the_connection() -> None:
    """At any point."""
    for steps in (0, 1):
        for end in (CounterProcedure.time_out, CounterProcedure.link_lost):
            procedure, meter = CounterProcedure(), _meter(None)
            (sent,) = [one for one in procedure.begin(0) if isinstance(one, TransmitApdu)]
            if steps:
                (answer,) = meter.answer(sent.octets)
                procedure.receive(answer, 1)
            end(procedure, 1000)
            if not procedure.over:  # the request failed: the release is awaited
                assert procedure.deadline is not None
                end(procedure, 2000)
            assert procedure.over
            assert procedure.refusal is not None
            assert procedure.counter is None
