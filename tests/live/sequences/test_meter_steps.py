"""Steps at the built-in meter: each does what it says, and a failing one is named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cosemscope.application.encoding import data_values as d
from cosemscope.capture.events import Event
from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_client import connect_meter
from cosemscope.live.client.reading_events import MeterChanged, StepDone, ValueRead
from cosemscope.live.sequences.image_transfer import send_image
from cosemscope.live.sequences.meter_steps import (
    ActStep,
    ClockStep,
    Expectation,
    ImageStep,
    MeterStep,
    ReadStep,
    RepeatStep,
    SetStep,
    SwitchStep,
)
from cosemscope.live.sequences.sequence_job import run_steps
from tests.helpers.coroutines import run
from tests.helpers.loopback_meter import loopback_meter
from tests.live.client.accesses import managing

_IMAGE = bytes(range(256)) * 10


def told_by(*steps: MeterStep) -> list[Event]:
    """What steps at a new meter tell."""
    told: list[Event] = []

    async def work() -> None:
        async with (
            loopback_meter() as address,
            connect_meter(*address, client=18, access=managing()) as meter,
        ):
            await run_steps(steps, meter, told.append)

    run(work())
    return told


def test_each_step_is_told_when_it_is_done() -> None:
    """Values, changes and steps, in order."""
    told = told_by(
        ReadStep(("1.0.1.8.0.255",), expect=Expectation(least=1)),
        SetStep("0.0.96.3.10.255:4", d.enum(4)),
        ActStep("0.0.96.3.10.255:1", 1, d.integer(0)),
        SwitchStep(connect=True),
    )
    assert [type(event) for event in told] == [ValueRead, *[StepDone, MeterChanged] * 3, StepDone]
    assert isinstance(told[6], MeterChanged)
    assert told[6].text == "output is connected"


def test_a_clock_is_set_and_moved() -> None:
    """Set in the meter's own zone; moved by what it is off, if that is not too much."""
    then = datetime.now(UTC) + timedelta(seconds=100)
    changed = [e for e in told_by(ClockStep(then), ClockStep(shift=True)) if isinstance(e, MeterChanged)]
    assert changed[0].text.startswith(f"{then:%Y-%m-%d}")
    assert -102 <= int(changed[1].text.removeprefix("moved by ").removesuffix(" s")) <= -98
    with pytest.raises(MeterError, match="more than it can be moved by"):
        told_by(ClockStep(datetime(2020, 1, 1, tzinfo=UTC)), ClockStep(shift=True))


@pytest.mark.parametrize(
    ("expect", "words"),
    [
        (Expectation(least=1e12), "expected at least"),
        (Expectation(most=1), "expected at most 1"),
        (Expectation(equals=5), "expected 5"),
        (Expectation(refused=True), "was to be refused"),
    ],
)
def test_what_is_not_as_expected_ends_a_sequence(expect: Expectation, words: str) -> None:
    """The step is named, and what was found instead."""
    with pytest.raises(MeterError, match=f"step 2 .*1.0.1.8.0.255.*{words}"):
        told_by(ReadStep(("0.0.1.0.0.255",)), RepeatStep(2, (ReadStep(("1.0.1.8.0.255",), expect=expect),)))


def test_what_is_to_be_refused() -> None:
    """A refusal that is expected is no failure."""
    told = told_by(ReadStep(("3:1.0.99.99.0.255",), expect=Expectation(refused=True)))
    assert isinstance(told[0], ValueRead)
    assert told[0].error


def test_an_image_is_sent_verified_and_activated(tmp_path: Path) -> None:
    """All blocks, once each."""
    file = tmp_path / "image.bin"
    file.write_bytes(_IMAGE)
    told = told_by(ImageStep(file, b"image", activate=True))
    assert isinstance(told[-2], MeterChanged)
    assert told[-2].text == "20 blocks sent, verified and activated"


def test_an_image_goes_on_where_it_stood() -> None:
    """After a broken transfer only the missing blocks are sent."""

    class BrokenError(Exception):
        pass

    def breaking(done: int, blocks: int) -> None:
        if done == 7:
            raise BrokenError

    async def work() -> None:
        async with (
            loopback_meter() as address,
            connect_meter(*address, client=18, access=managing()) as meter,
        ):
            with pytest.raises(BrokenError):
                await send_image(meter, _IMAGE, b"image", progress=breaking)
            assert await send_image(meter, _IMAGE, b"image") == 13

    run(work())


def test_an_image_file_that_is_not_there(tmp_path: Path) -> None:
    """A sentence, before anything is sent."""
    with pytest.raises(MeterError, match="cannot be read"):
        told_by(ImageStep(tmp_path / "none", b"image"))


def test_a_step_says_what_it_sends() -> None:
    """In words, which a user is asked about; a reading changes nothing."""
    assert str(SwitchStep(connect=False)) == "DISCONNECT the supply"
    assert str(SetStep("clock:3", d.long(-60))) == "set clock:3 to long -60"
    assert not RepeatStep(2, (ReadStep(("a",)),)).changes
    assert RepeatStep(2, (ReadStep(("a",)), ClockStep())).changes
