"""Faults as typed: each is read as it is written, and strikes the share that it says."""

from argparse import ArgumentTypeError
from random import Random

import pytest

from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.live.meter.fault_orders import FaultKind, FaultOrder, FaultsInForce, parse_fault


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("delay=300ms", FaultKind.DELAY, 0.3),
        ("delay=2s", FaultKind.DELAY, 2.0),
        ("delay=1.5", FaultKind.DELAY, 1.5),
        ("loss=10%", FaultKind.LOSS, 0.1),
        ("wrong-tag", FaultKind.WRONG_TAG, 1.0),
        ("block-lost=50%", FaultKind.BLOCK_LOST, 0.5),
        ("one-connection", FaultKind.ONE_CONNECTION, 1.0),
    ],
)
def test_a_fault_is_read_and_written(text: str, kind: FaultKind, amount: float) -> None:
    order = parse_fault(text)
    assert order == FaultOrder(kind, amount)
    assert parse_fault(str(order)) == order


@pytest.mark.parametrize(
    "text",
    ["", "delay", "delay=", "delay=-1s", "delay=5h", "loss=110%", "one-connection=5%", "nap"],
)
def test_what_is_no_fault_is_told(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match=r"is no (fault|delay|share)"):
        parse_fault(text)


def test_a_share_is_a_share() -> None:
    faults = FaultsInForce([parse_fault("loss=30%")], Random(1).random)
    struck = sum(faults.strikes(FaultKind.LOSS) for _ in range(10_000))
    assert 2_800 < struck < 3_200
    assert not any(faults.strikes(FaultKind.WRONG_LENGTH) for _ in range(100))


def test_new_orders_replace_the_old_ones_and_are_passed_on() -> None:
    faults, meter = FaultsInForce([parse_fault("wrong-tag=50%"), parse_fault("delay=10ms")]), MeterFaults()
    faults.pass_on(meter)
    assert (meter.wrong_tag, meter.counter_replay, faults.delay) == (0.5, 0.0, 0.01)
    faults.order([parse_fault("counter-replay")])
    faults.pass_on(meter)
    assert (meter.wrong_tag, meter.counter_replay, faults.delay) == (0.0, 1.0, 0.0)
    assert faults.words == ("counter-replay",)
