"""Jobs as dataclasses: a field says its default, its meaning and its option; command lines follow, both ways.

    @dataclass(frozen=True)
    class Job:
        pause: float = option(1.0, SECONDS, "--pause", help="seconds between repeats (default {})")

`add_options` makes argparse's options from a job's fields, `job_of` a job from what argparse found, and
`words_of` the words of a command line from a job: `job_of_words(type(job), words_of(job)) == job`.
A field that is a job itself lends its options; a field without an option keeps its default. A bare word whose
default is a tuple takes all the words that are left.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from typing import Any, NoReturn, TypeVar

from cosemscope.capture.option_values import ValueKind

J = TypeVar("J")

_KEY = "option"


@dataclass(frozen=True)
class JobOption:
    """The option of a field: `flags` as typed (none for a bare word), the kind of its values, its help.

    A field whose default is a bool is a flag that turns it round; one whose default is a tuple takes its
    option several times. Of `exclusive` options of a job only one may be given.
    """

    flags: tuple[str, ...]
    help: str
    kind: ValueKind
    choices: tuple[str, ...] | None
    exclusive: bool


def option(
    default: Any,
    kind: ValueKind,
    *flags: str,
    help: str,
    choices: tuple[str, ...] | None = None,
    exclusive: bool = False,
) -> Any:
    """A field of a job with its option; in `help` the default takes the place of {}. MISSING: no default."""
    return field(default=default, metadata={_KEY: JobOption(flags, help, kind, choices, exclusive)})


def flag(default: bool, *flags: str, help: str, exclusive: bool = False) -> Any:
    """A field of a job with an option that turns it round."""
    return option(default, ValueKind(""), *flags, help=help, exclusive=exclusive)


def _options(job: Any, place: str = "") -> Iterator[tuple[str, "Field[Any]", JobOption]]:
    """The options of a job's class, those of jobs in it too: dotted names, fields, options."""
    for one in fields(job):
        if _KEY in one.metadata:
            yield place + one.name, one, one.metadata[_KEY]
        elif is_dataclass(one.default_factory):
            yield from _options(one.default_factory, f"{place}{one.name}.")


def option_flags(job: type[Any]) -> list[tuple[str, ...]]:
    """The flags of each option of a job's class, as typed."""
    return [its.flags for _, _, its in _options(job) if its.flags]


def add_options(parser: argparse.ArgumentParser, job: type[Any]) -> None:
    """Add the options of a job's class to a parser, in the order of its fields."""
    only: Any = None
    for name, one, its in _options(job):
        shown = one.default if isinstance(one.default, tuple) else (one.default,)
        words: dict[str, Any] = {"help": its.help.format(", ".join(map(its.kind.write, shown)))}
        if isinstance(one.default, bool):
            words["action"] = "store_false" if one.default else "store_true"
        else:
            words |= {"type": its.kind.read, "default": one.default, "choices": its.choices}
            words["metavar"] = its.kind.placeholder or None
        if isinstance(one.default, tuple):
            words |= {"action": "append", "default": None}
        if not its.flags:
            if isinstance(one.default, tuple):
                words |= {"action": None, "nargs": "*"}
            else:
                words["nargs"] = None if one.default is MISSING else "?"
            parser.add_argument(name, **words)
            continue
        if its.exclusive and only is None:
            only = parser.add_mutually_exclusive_group()
        (only if its.exclusive else parser).add_argument(*its.flags, dest=name, **words)


def job_of(job: type[J], arguments: argparse.Namespace) -> J:
    """The job that a command line asks for."""
    return _made(job, vars(arguments), "")


def _made(job: type[J], given: dict[str, Any], place: str) -> J:
    values = {}
    for one in fields(job):  # type: ignore[arg-type]  # a dataclass
        name = place + one.name
        if _KEY in one.metadata:
            value = given[name]
            values[one.name] = tuple(value or one.default) if isinstance(one.default, tuple) else value
        elif is_dataclass(one.default_factory):
            values[one.name] = _made(one.default_factory, given, f"{name}.")
    return job(**values)


def words_of(job: Any) -> list[str]:
    """The words of a command line that ask for this job; what is at its default is not said."""
    words: list[str] = []
    places: list[str] = []
    for name, one, its in _options(type(job)):
        value = job
        for part in name.split("."):
            value = getattr(value, part)
        if value == one.default:
            continue
        if not its.flags:
            places += map(its.kind.write, value if isinstance(value, tuple) else (value,))
        elif isinstance(value, bool):
            words.append(its.flags[-1])
        else:
            values = value if isinstance(value, tuple) else (value,)
            words += [f"{its.flags[-1]}={its.kind.write(each)}" for each in values]
    return [*words, "--", *places] if places else words


class _Strict(argparse.ArgumentParser):
    """A parser that raises ValueError instead of ending the program."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def job_of_words(job: type[J], words: Sequence[str]) -> J:
    """The job that the words of a command line ask for. Raises ValueError when they ask for none."""
    parser = _Strict(add_help=False)
    add_options(parser, job)
    return job_of(job, parser.parse_args(list(words)))
