"""Steps out of tables and words: a sequence file in TOML, or what stands on a command line.

    meter = "kitchen"                 # a saved meter, or a table [meter] with address and options

    [[step]]
    read = ["1.0.1.8.0.255"]
    expect = {least = 0}

    [[step]]
    set = "0.0.1.0.0.255:3"
    value = "long:-60"

The other steps are act (with method, value), profile (last, entries, since, until), clock ("now", "shift" or
a time), switch ("disconnect", "reconnect"), image (identifier, activate), wait, and repeat (times, every)
with steps of its own.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.value_words import typed_value
from cosemscope.live.sequences.meter_steps import (
    ActStep,
    ClockStep,
    Expectation,
    ImageStep,
    MeterStep,
    ProfileStep,
    ReadStep,
    RepeatStep,
    SetStep,
    SwitchStep,
    WaitStep,
)

_MOST_OCTETS, _MOST_STEPS, _MOST_DEPTH = 1 << 20, 10_000, 8
_MOST_SECONDS, _MOST_TIMES = 1e7, 1_000_000
_NUMBER = (int, float)


class NoStepError(ValueError):
    """A table or words that make no step; the sentence says which, and what would."""


class MeterSequence(NamedTuple):
    """Steps, and where they are for: the name of a saved meter, or a table of options; "" for neither."""

    steps: tuple[MeterStep, ...]
    meter: "str | Mapping[str, Any]" = ""
    folder: Path = Path()

    @property
    def changes(self) -> tuple[MeterStep, ...]:
        """The steps that change the meter."""
        return tuple(step for step in self.steps if step.changes)


def load_sequence(path: Path) -> MeterSequence:
    """The sequence in a TOML file. Raises NoStepError with a sentence that names the file and the step."""
    try:
        with path.open("rb") as file:
            octets = file.read(_MOST_OCTETS + 1)
        if len(octets) > _MOST_OCTETS:
            raise NoStepError(f"{path} is longer than {_MOST_OCTETS:,} octets: that is no sequence")
        table = tomllib.loads(octets.decode())
    except OSError as error:
        raise NoStepError(f"{path} cannot be read: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NoStepError(f"{path} is no TOML: {error}") from None
    try:
        return _sequence(table, path.parent)
    except NoStepError as reason:
        raise NoStepError(f"{path}: {reason}") from None


def _sequence(table: dict[str, Any], folder: Path) -> MeterSequence:
    unknown = next((key for key in table if key not in ("meter", "step")), None)
    if unknown is not None:
        raise NoStepError(f"there is no {unknown!r} in a sequence: it has meter, and [[step]] tables")
    meter = table.get("meter", "")
    if not isinstance(meter, str | dict):
        raise NoStepError("meter is the name of a saved meter, or a table with address and options")
    steps = steps_of(table.get("step", []), folder)
    if not steps:
        raise NoStepError("it has no step: each is a table [[step]]")
    return MeterSequence(steps, meter, folder)


def steps_of(tables: Any, folder: Path = Path(), depth: int = 0) -> tuple[MeterStep, ...]:
    """The steps of a list of tables; files are named from `folder` on. Raises NoStepError."""
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise NoStepError("steps are tables")
    if len(tables) > _MOST_STEPS or depth > _MOST_DEPTH:
        raise NoStepError(f"more than {_MOST_STEPS} steps, or {_MOST_DEPTH} levels of repeat, are none")
    steps = []
    for number, table in enumerate(tables, 1):
        try:
            steps.append(_step(table, folder, depth))
        except (NoStepError, MeterError) as reason:
            raise NoStepError(f"step {number}: {reason}") from None
    return tuple(steps)


class _Fields:
    """The fields of one step's table, taken one by one; what is left over is an error."""

    def __init__(self, table: Mapping[str, Any], folder: Path, depth: int) -> None:
        self.folder, self.depth = folder, depth
        self._left = dict(table)

    def take(self, name: str, kind: Any, default: Any = ...) -> Any:
        """A field of a kind; NoStepError where it is missing or of another one."""
        if name not in self._left:
            if default is ...:
                raise NoStepError(f"{name!r} is missing")
            return default
        value = self._left.pop(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind in (int, _NUMBER)):
            raise NoStepError(f"{name!r} cannot be {value!r}")
        return value

    def number(self, name: str, most: float, default: Any = ..., least: float = 0) -> Any:
        """A number in a range."""
        value = self.take(name, _NUMBER, default)
        if value is not None and not least <= value <= most:
            raise NoStepError(f"{name!r} is {value}: {least:g} to {most:g} may be")
        return value

    def end(self) -> None:
        """NoStepError where a field is left that nobody knows."""
        if self._left:
            raise NoStepError(f"there is no {next(iter(self._left))!r} in such a step")


def _step(table: Mapping[str, Any], folder: Path, depth: int) -> MeterStep:
    word = next((word for word in _MAKERS if word in table), None)
    if word is None:
        raise NoStepError(f"it says nothing to do: one of {', '.join(_MAKERS)}")
    fields = _Fields(table, folder, depth)
    step = _MAKERS[word](fields)
    fields.end()
    return step


def _read(fields: _Fields) -> MeterStep:
    objects = fields.take("read", (list, str))
    names = (objects,) if isinstance(objects, str) else tuple(objects)
    if not names or not all(isinstance(name, str) for name in names):
        raise NoStepError("'read' is an object, or a list of them")
    attribute = fields.take("attribute", int, 2)
    expect = fields.take("expect", dict, None)
    return ReadStep(names, attribute, _expectation(expect) if expect is not None else None)


def _expectation(table: dict[str, Any]) -> Expectation:
    fields = _Fields(table, Path(), 0)
    found = Expectation(
        equals=fields.take("equals", (int, float, str, bool), None),
        least=fields.take("least", _NUMBER, None),
        most=fields.take("most", _NUMBER, None),
        refused=fields.take("refused", bool, False),
    )
    fields.end()
    return found


def _profile(fields: _Fields) -> MeterStep:
    entries = fields.take("entries", list, None)
    if entries is not None and not (
        len(entries) == 2 and all(type(one) is int and 0 <= one < 1 << 32 for one in entries)
    ):
        raise NoStepError("'entries' are two numbers: [1, 96]; the last may be 0 for all")
    return ProfileStep(
        fields.take("profile", str),
        int(last) if (last := fields.number("last", 1 << 31, None, 1)) is not None else None,
        (entries[0], entries[1]) if entries is not None else None,
        fields.take("since", datetime, None),
        fields.take("until", datetime, None),
    )


def _set(fields: _Fields) -> MeterStep:
    return SetStep(
        fields.take("set", str), typed_value(fields.take("value", str)), fields.take("attribute", int, 2)
    )


def _act(fields: _Fields) -> MeterStep:
    value = fields.take("value", str, None)
    return ActStep(
        fields.take("act", str),
        fields.take("method", int, 1),
        typed_value(value) if value is not None else None,
    )


def _clock(fields: _Fields) -> MeterStep:
    to = fields.take("clock", (str, datetime))
    if isinstance(to, datetime):
        return ClockStep(to)
    return clock_step(to)


def clock_step(text: str) -> ClockStep:
    """`now`, `shift`, or a time. Raises NoStepError."""
    if text in ("now", "shift"):
        return ClockStep(shift=text == "shift")
    try:
        return ClockStep(datetime.fromisoformat(text))
    except ValueError:
        raise NoStepError(f"{text!r} is no time for a clock: now, shift, or 2026-03-01T12:30:00Z") from None


def _switch(fields: _Fields) -> MeterStep:
    return switch_step(fields.take("switch", str))


def switch_step(text: str) -> SwitchStep:
    """`disconnect` or `reconnect`. Raises NoStepError."""
    if text not in ("disconnect", "reconnect"):
        raise NoStepError(f"{text!r} is nothing that a disconnector does: disconnect or reconnect")
    return SwitchStep(text == "reconnect")


def _image(fields: _Fields) -> MeterStep:
    return ImageStep(
        fields.folder / fields.take("image", str),
        identifier_of(fields.take("identifier", str)),
        fields.take("activate", bool, False),
        fields.take("anew", bool, False),
    )


def identifier_of(text: str) -> bytes:
    """An image's identifier: characters, or octets in hex behind 0x. Raises NoStepError."""
    if not text:
        raise NoStepError("an image has an identifier of one character at least")
    if not re.fullmatch(r"0x([0-9A-Fa-f]{2})+", text):
        return text.encode()
    return bytes.fromhex(text[2:])


def _wait(fields: _Fields) -> MeterStep:
    return WaitStep(float(fields.number("wait", _MOST_SECONDS)))


def _repeat(fields: _Fields) -> MeterStep:
    times = fields.number("repeat", _MOST_TIMES, least=1)
    every = float(fields.number("every", _MOST_SECONDS, 0.0))
    steps = steps_of(fields.take("step", list), fields.folder, fields.depth + 1)
    return RepeatStep(int(times), steps, every)


_MAKERS: dict[str, Callable[[_Fields], MeterStep]] = {
    "read": _read,
    "set": _set,
    "act": _act,
    "profile": _profile,
    "clock": _clock,
    "switch": _switch,
    "image": _image,
    "wait": _wait,
    "repeat": _repeat,
}


def step_of_words(words: tuple[str, ...], *, identifier: str = "", activate: bool = False) -> MeterStep:
    """The change that the words of a command line ask for. Raises NoStepError with what may be asked.

    set OBJECT TYPE:VALUE; act OBJECT:METHOD [TYPE:VALUE]; clock now|shift|TIME; switch disconnect|reconnect;
    image FILE.
    """
    try:
        match words:
            case ("set", name, value):
                return SetStep(name, typed_value(value))
            case ("act", name):
                return ActStep(name, 1)
            case ("act", name, value):
                return ActStep(name, 1, typed_value(value))
            case ("clock",):
                return ClockStep()
            case ("clock", when):
                return clock_step(when)
            case ("switch", how):
                return switch_step(how)
            case ("image", file):
                return ImageStep(Path(file), identifier_of(identifier or Path(file).stem), activate)
    except MeterError as reason:
        raise NoStepError(str(reason)) from None
    asked = f"{' '.join(words)!r} is no change" if words else "nothing is asked for"
    raise NoStepError(
        f"{asked}: set OBJECT TYPE:VALUE, act OBJECT:METHOD [TYPE:VALUE], clock now|shift|TIME, "
        "switch disconnect|reconnect, or image FILE"
    )
