"""Messages between processes: an event or a command is a frozen dataclass, and a line of JSON at the pipe.

An event is `{"event": WORD, "time": NANOSECONDS, ...}`, a command an object that has its word among its keys.
The fields' names are the keys and their types say how values are written: octets in hexadecimal, paths as
text. A field at its default None is not written; one of type object holds whatever JSON can.
"""

import json
import time
import types
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, get_args, get_origin, get_type_hints

_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class PipeMessage:
    """A message from one process to another; `word` names the class at the pipe."""

    word: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Event(PipeMessage):
    """Something that happened, at `time` in ns since the epoch."""

    time: int = field(default_factory=time.time_ns)


@dataclass(frozen=True, kw_only=True)
class Command(PipeMessage):
    """Something that a process is to do; the field with the command's word comes first."""


@dataclass(frozen=True, kw_only=True)
class Trouble(Event):
    """Something went wrong: `fault` is a word for scripts, `message` a sentence for people."""

    word = "error"
    fault: str
    message: str
    remote: str | None = None


NOT_OBEYED = "command"
"""The fault of a `Trouble` about a command."""


def not_obeyed(message: str) -> Trouble:
    """The event about a command that could not be carried out."""
    return Trouble(fault=NOT_OBEYED, message=message)


class MessageError(ValueError):
    """A line that is no message of its vocabulary; the text says why."""


def line_of(message: PipeMessage) -> str:
    """The line of JSON for a message, without an end of line."""
    values: dict[str, Any] = {"event": message.word} if isinstance(message, Event) else {}
    for one in fields(message):
        value = getattr(message, one.name)
        if value is not None or one.default is MISSING:
            values[one.name] = _written(value)
    return json.dumps(values)


def _written(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Path):
        return str(value)
    return list(map(_written, value)) if isinstance(value, tuple) else value


M = TypeVar("M", bound=PipeMessage)


class Vocabulary(Generic[M]):
    """The message classes that can stand on one pipe; `what` is their word in error messages."""

    def __init__(self, what: str, *classes: type[M]) -> None:
        self._what = what
        self._are_events = issubclass(classes[0], Event)
        self._classes = {one.word: one for one in classes}
        self._types = {one: _types_of(one) for one in classes}

    def decode(self, line: bytes) -> M:
        """The message that a line of JSON says. Raises MessageError for any other line."""
        try:
            given = json.loads(line)
        except (ValueError, RecursionError):
            given = None
        chosen = self._class_of(given) if isinstance(given, dict) else None
        if chosen is None:
            shown = line.strip()[:_SHOWN].decode(errors="replace")
            raise MessageError(f"no {self._what} in JSON: {shown!r}")
        try:
            return _made(chosen, self._types[chosen], given)
        except ValueError as error:
            raise MessageError(f"{self._what} {chosen.word!r}: {error}") from None

    def _class_of(self, given: dict[str, Any]) -> type[M] | None:
        if self._are_events:
            word = given.pop("event", None)
            return self._classes.get(word) if isinstance(word, str) else None
        return next((one for word, one in self._classes.items() if word in given), None)


def _made(chosen: type[M], known: dict[str, Any], given: dict[str, Any]) -> M:
    """A message from the values of its fields as JSON has them. Raises ValueError."""
    values = {}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"there is no {name!r} in it")
        values[name] = _read(name, value, known[name])
    for one in fields(chosen):
        if one.name not in values and one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{one.name!r} is missing")
    return chosen(**values)


def _types_of(chosen: type[PipeMessage]) -> dict[str, Any]:
    """The types of a message class's fields, by name."""
    hints = get_type_hints(chosen)
    return {one.name: hints[one.name] for one in fields(chosen)}


def _read(name: str, value: Any, hint: Any) -> Any:
    """A value of JSON as the type of its field has it. Raises ValueError."""
    for kind in get_args(hint) if isinstance(hint, types.UnionType) else (hint,):
        if kind is bytes and isinstance(value, str):
            return _octets(value)
        if kind is Path and isinstance(value, str):
            return Path(value)
        if kind is object:
            return value
        if kind is float and type(value) is int:
            return float(value)
        if get_origin(kind) is tuple and isinstance(value, list):
            return tuple(_read(name, item, get_args(kind)[0]) for item in value)
        if type(value) is kind:
            return value
    raise ValueError(f"{name!r} cannot be {str(value)[:_SHOWN]!r}")


def _octets(text: str) -> bytes:
    """Octets in hexadecimal, with or without spaces or colons between them. Raises ValueError."""
    try:
        return bytes.fromhex(text.replace(":", " "))
    except ValueError:
        raise ValueError(f"{text[:_SHOWN]!r} is not hexadecimal") from None
