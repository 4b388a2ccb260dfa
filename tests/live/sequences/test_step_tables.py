"""Steps out of TOML and of words: what each means, and what is wrong with those that mean nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cosemscope.application.encoding import data_values as d
from cosemscope.live.sequences.meter_steps import (
    ActStep,
    ClockStep,
    Expectation,
    ImageStep,
    ProfileStep,
    ReadStep,
    RepeatStep,
    SetStep,
    SwitchStep,
    WaitStep,
)
from cosemscope.live.sequences.step_tables import NoStepError, load_sequence, step_of_words

_ALL = """
meter = "desk"
[[step]]
read = ["1.0.1.8.0.255", "clock"]
attribute = 3
expect = {least = 1, most = 2.5}
[[step]]
read = "clock"
[[step]]
profile = "1.0.99.1.0.255"
entries = [1, 0]
[[step]]
set = "clock:3"
value = "long:-60"
[[step]]
act = "0.0.96.3.10.255"
method = 2
value = "integer:0"
[[step]]
clock = 2026-03-01T12:00:00Z
[[step]]
clock = "shift"
[[step]]
image = "image.bin"
identifier = "0x0102"
activate = true
[[step]]
repeat = 2
every = 1.5
step = [{switch = "disconnect"}, {wait = 1}]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sequence.toml"
    path.write_text(text)
    return path


def test_every_kind_of_step(tmp_path: Path) -> None:
    """As the tables say; files are named from the sequence's folder on."""
    sequence = load_sequence(written(tmp_path, _ALL))
    assert sequence.meter == "desk"
    assert sequence.steps == (
        ReadStep(("1.0.1.8.0.255", "clock"), 3, Expectation(least=1, most=2.5)),
        ReadStep(("clock",)),
        ProfileStep("1.0.99.1.0.255", entries=(1, 0)),
        SetStep("clock:3", d.long(-60)),
        ActStep("0.0.96.3.10.255", 2, d.integer(0)),
        ClockStep(datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ClockStep(shift=True),
        ImageStep(tmp_path / "image.bin", b"\x01\x02", activate=True),
        RepeatStep(2, (SwitchStep(connect=False), WaitStep(1.0)), 1.5),
    )
    assert len(sequence.changes) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it has no step"),
        ("[[step]]\nrad = 1", "step 1: it says nothing to do: one of read, set, act"),
        ("[[step]]\nwait = 1\n[[step]]\nread = 5", "step 2: 'read' cannot be 5"),
        ("[[step]]\nread = []", "'read' is an object"),
        ("[[step]]\nset = 'clock'", "'value' is missing"),
        ("[[step]]\nset = 'clock'\nvalue = 'long:x'", "is no long"),
        ("[[step]]\nset = 'clock'\nvalue = 'lang:1'", "has no type that is known"),
        ("[[step]]\nwait = -1", "'wait' is -1"),
        ("[[step]]\nwait = true", "'wait' cannot be True"),
        ("[[step]]\nwait = 1\nsecond = 2", "there is no 'second' in such a step"),
        ("[[step]]\nclock = 'noon'", "is no time for a clock"),
        ("[[step]]\nswitch = 'off'", "disconnect or reconnect"),
        ("[[step]]\nrepeat = 2\nstep = [{repeat = 0, step = []}]", "step 1: step 1: 'repeat' is 0"),
        ("[[step]]\nread = 'a'\nexpect = {less = 1}", "there is no 'less'"),
        ("steps = []", "there is no 'steps' in a sequence"),
        ("step = 5", "steps are tables"),
        ("[[step", "is no TOML"),
        ("meter = 5\n[[step]]\nwait = 1", "meter is the name"),
    ],
)
def test_what_is_no_sequence(text: str, words: str, tmp_path: Path) -> None:
    """A sentence with the file, the step and the field."""
    with pytest.raises(NoStepError) as error:
        load_sequence(written(tmp_path, text))
    assert words in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A sentence with its name."""
    with pytest.raises(NoStepError, match="cannot be read"):
        load_sequence(tmp_path / "none.toml")


def test_steps_within_steps_have_an_end(tmp_path: Path) -> None:
    """A file cannot nest repeats until the program breaks."""
    text = "{wait = 1}"
    for _ in range(20):
        text = f"{{repeat = 2, step = [{text}]}}"
    with pytest.raises(NoStepError, match="levels of repeat"):
        load_sequence(written(tmp_path, f"step = [{text}]"))


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("set clock:3 long:5", SetStep("clock:3", d.long(5))),
        ("act 0.0.96.3.10.255:2 integer:0", ActStep("0.0.96.3.10.255:2", 1, d.integer(0))),
        ("act 0.0.10.0.0.255", ActStep("0.0.10.0.0.255", 1)),
        ("clock", ClockStep()),
        ("clock shift", ClockStep(shift=True)),
        ("switch reconnect", SwitchStep(connect=True)),
        ("image a.bin", ImageStep(Path("a.bin"), b"a")),
    ],
)
def test_words_of_a_command_line(words: str, step: object) -> None:
    """Each change in words."""
    assert step_of_words(tuple(words.split())) == step


@pytest.mark.parametrize("words", ["", "set", "set a", "clock noon", "switch on", "set a b", "destroy it"])
def test_words_that_ask_for_nothing(words: str) -> None:
    """They are refused in a sentence."""
    with pytest.raises(NoStepError):
        step_of_words(tuple(words.split()))
