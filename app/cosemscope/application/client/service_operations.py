"""What a client asks for, of one object or of many: Get, Set, Act; and what came of each part."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from cosemscope.apdu.context import Reference
from cosemscope.application.client.refusals import Refusal, of_access, of_action
from cosemscope.application.encoding.data_values import NULL_DATA, Data
from cosemscope.application.encoding.get_set_action import ActionAnswer
from cosemscope.application.encoding.service_parts import (
    DataAccessError,
    SelectedAttribute,
    SelectiveAccess,
)


@dataclass(frozen=True, slots=True)
class Get:
    """Read attributes, each whole or a selection of it."""

    attributes: tuple[SelectedAttribute, ...]


@dataclass(frozen=True, slots=True)
class Set:
    """Write attributes: a value for each."""

    attributes: tuple[SelectedAttribute, ...]
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class Act:
    """Invoke methods: parameters for each (null-data for none)."""

    methods: tuple[Reference, ...]
    parameters: tuple[Data, ...]


Operation: TypeAlias = Get | Set | Act


def attribute(class_id: int, instance: bytes, member: int) -> Reference:
    """An attribute of an object; `instance` is its logical name, six octets."""
    return Reference(class_id, instance, member)


def method(class_id: int, instance: bytes, member: int) -> Reference:
    """A method of an object."""
    return Reference(class_id, instance, member, method=True)


def get(*references: Reference, selection: SelectiveAccess | None = None) -> Get:
    """Read attributes; the same `selection` for each."""
    return Get(tuple(SelectedAttribute(reference, selection) for reference in references))


def set_value(reference: Reference, value: Data, selection: SelectiveAccess | None = None) -> Set:
    """Write one attribute."""
    return Set((SelectedAttribute(reference, selection),), (value,))


def set_values(pairs: Iterable[tuple[Reference, Data]]) -> Set:
    """Write several attributes."""
    given = tuple(pairs)
    return Set(
        tuple(SelectedAttribute(reference) for reference, _ in given), tuple(value for _, value in given)
    )


def act(reference: Reference, parameters: Data | None = None) -> Act:
    """Invoke one method."""
    return Act((reference,), (NULL_DATA if parameters is None else parameters,))


class PartResult(NamedTuple):
    """What came of one attribute or method: a value, where there is one, or a refusal."""

    reference: Reference
    value: Data | None = None
    refusal: Refusal | None = None


def result_of_get(reference: Reference, result: Data | DataAccessError) -> PartResult:
    """What came of reading."""
    if isinstance(result, Data):
        return PartResult(reference, result)
    return PartResult(reference, None, of_access(result.code))


def result_of_set(reference: Reference, code: int) -> PartResult:
    """What came of writing."""
    return PartResult(reference, None, of_access(code) if code else None)


def result_of_act(reference: Reference, answer: ActionAnswer) -> PartResult:
    """What came of a method: a code, and what it returned."""
    returned = answer.returned
    value = returned if isinstance(returned, Data) else None
    if answer.code:
        return PartResult(reference, value, of_action(answer.code))
    if isinstance(returned, DataAccessError) and returned.code:
        return PartResult(reference, None, of_access(returned.code))
    return PartResult(reference, value)
