"""Data of a push tied to the objects that they are of: named in the push itself, or by a push setup.

A body names its objects in one of four ways: an object list as its first element; the
logical name of a push setup whose object list was read; logical name and value in turn,
perhaps with scaler and unit, behind the name of a push setup, a time or a version; or a
structure for each value that begins with its name.
"""

from collections.abc import Callable, Iterator

from cosemscope.analysis.objects.object_values import ScalerUnit
from cosemscope.analysis.objects.told_data import How, ToldData, elements
from cosemscope.apdu.context import Reference
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.data.scaled_fields import is_scaler_unit
from cosemscope.apdu.data.tied_values import is_logical_name, listed_reference
from cosemscope.apdu.fields import Field
from cosemscope.apdu.names.texts import obis_text

PUSH_SETUP = 40
#: The class of an object of which only the name was told.
UNKNOWN_CLASS = -1
_VALUE = 2
#: Value groups C and D of the names of push setups (IEC 62056-6-1), and elements before names and values.
_SETUPS, _MOST_BEFORE = b"\x19\x09", 4
#: The object list of a push setup by its logical name, where it was read; of b"" that of the only one.
PushLists = Callable[[bytes], "tuple[Reference, ...]"]


def push_data(body: Field, lists: PushLists) -> list[ToldData]:
    """What a push's body tells, as far as its objects can be told."""
    values = elements(body)
    for tie in (_by_own_list, _by_setup, _in_turn, _by_structures, _by_only_setup):
        told = list(tie(values, lists))
        if told:
            return told
    return []


def object_list(value: object) -> tuple[Reference, ...]:
    """The references of an object list's value; none where it is no such list."""
    references = [listed_reference(entry) for entry in value] if isinstance(value, tuple) else []
    return tuple(one for one in references if one is not None) if None not in references else ()


def _pushed(reference: Reference, field: Field, scaler_unit: ScalerUnit | None = None) -> ToldData:
    """The item of a value, whose text in the tree begins with the name of its object."""
    name, tied, text = field.text.partition(" = ")
    if tied and name.startswith(obis_text(reference.instance)):
        field = field._replace(text=text)
    return ToldData(reference, How.PUSHED, field, scaler_unit=scaler_unit)


def _tied(references: tuple[Reference, ...], values: list[Field]) -> Iterator[ToldData]:
    """Each value with its reference: the list may name its own place, or leave it out."""
    if references and len(references) == len(values) - 1:
        values = values[1:]
    if len(references) == len(values):
        for reference, field in zip(references, values, strict=True):
            yield _pushed(reference, field)


def _by_own_list(values: list[Field], lists: PushLists) -> Iterator[ToldData]:
    references = object_list(values[0].value) if len(values) > 1 else ()
    return _tied(references, values)


def _by_setup(values: list[Field], lists: PushLists) -> Iterator[ToldData]:
    name = values[0].value if values else None
    if not is_logical_name(name) or name[2:4] != _SETUPS:
        return
    told = list(_tied(lists(name), values))
    yield from told or [_pushed(Reference(PUSH_SETUP, name, 1), values[0]), *_in_turn(values, lists)]


def _by_only_setup(values: list[Field], lists: PushLists) -> Iterator[ToldData]:
    return _tied(lists(b""), values)


def _in_turn(values: list[Field], lists: PushLists) -> Iterator[ToldData]:
    """Logical name and value in turn, each with or without scaler and unit behind it."""
    told: list[ToldData] = []
    at = next((at for at, field in enumerate(values[:_MOST_BEFORE]) if not _is_before(field)), 0)
    while at + 1 < len(values):
        name, value = values[at].value, values[at + 1]
        if not is_logical_name(name) or is_logical_name(value.value):
            return
        at += 2
        beside = values[at] if at < len(values) and is_scaler_unit(values[at]) else None
        at += beside is not None
        scaled = beside.value if beside is not None else None
        told.append(_pushed(Reference(UNKNOWN_CLASS, name, _VALUE), value, scaled))
    if at == len(values):
        yield from told


def _is_before(field: Field) -> bool:
    """Whether an element may stand before names and values: a push setup's name, a time, a text."""
    value = field.value
    if isinstance(value, bytes) and is_logical_name(value):
        return value[2:4] == _SETUPS
    return isinstance(value, str) or (isinstance(value, bytes) and moment(value) is not None)


def _by_structures(values: list[Field], lists: PushLists) -> Iterator[ToldData]:
    """Structures that begin with a logical name, or with a reference, and go on with the value."""
    for value in values:
        parts = elements(value)
        yield from _in_turn(parts, lists) if len(parts) in (2, 3) else _referred(parts)


def _referred(parts: list[Field]) -> Iterator[ToldData]:
    reference = listed_reference(tuple(part.value for part in parts))
    if reference is not None:
        yield _pushed(reference, parts[-1])
