"""A COSEM object is tables of functions: what reads, writes and selects its attributes, and its methods.

Objects know no services and no clients. `now` is always the time in seconds since 1970 (UTC), which the
caller knows; a refusal is one exception with its code. Source: IEC 62056-6-2, the class definitions.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol, TypeAlias

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.apdus import encode_data
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.service_parts import SelectiveAccess

#: Who may: anybody, who has a password, who has authenticated.
PUBLIC, READER, MANAGER = range(3)

#: Codes of data-access-result and action-result (`names.codes.DATA_ACCESS_RESULTS`).
SUCCESS = 0
TEMPORARY_FAILURE = 2
DENIED = 3
UNDEFINED = 4
WRONG_CLASS = 9
UNMATCHED_TYPE = 12
OUT_OF_SCOPE = 13
OTHER_REASON = 250


class RefusedAccess(Exception):  # noqa: N818 -- a refusal is an answer, no error of the program
    """An access that is answered with a code instead of a value."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class EncodedData(NamedTuple):
    """A value that is encoded already, such as a long profile made at once."""

    octets: bytes


Value: TypeAlias = Data | EncodedData
Read: TypeAlias = Callable[[float], Value]
Select: TypeAlias = Callable[[float, SelectiveAccess], Value]
Write: TypeAlias = Callable[[float, Data], None]
Act: TypeAlias = Callable[[float, Data | None], Data | None]


def octets_of(value: Value) -> bytes:
    """The octets of a value."""
    return value.octets if isinstance(value, EncodedData) else encode_data(value)


def logical_name(text: str) -> bytes:
    """The six octets of a logical name: "1.0.1.8.0.255"."""
    return bytes(map(int, text.split(".")))


class CosemObject:
    """An object: `level` is the least that a client needs to see it.

    `reads` has attributes by number, values that never change or functions; `writes` and `acts` are for
    managers; `selects` reads parts of an attribute by selective access.
    """

    __slots__ = ("acts", "class_id", "instance", "level", "reads", "selects", "version", "writes")

    def __init__(
        self,
        class_id: int,
        version: int,
        name: str,
        reads: Mapping[int, Data | Read],
        *,
        writes: Mapping[int, Write] | None = None,
        acts: Mapping[int, Act] | None = None,
        selects: Mapping[int, Select] | None = None,
        level: int = READER,
    ) -> None:
        self.class_id, self.version, self.instance = class_id, version, logical_name(name)
        self.reads, self.writes, self.acts = reads, writes or {}, acts or {}
        self.selects = selects or {}
        self.level = level

    @property
    def attributes(self) -> tuple[int, ...]:
        """The numbers of its attributes."""
        return tuple(sorted({1, *self.reads, *self.writes}))

    def read(self, member: int, selection: SelectiveAccess | None, now: float) -> Value:
        """An attribute, or the part of it that is selected. Raises RefusedAccess."""
        if selection is not None:
            select = self.selects.get(member)
            if select is None:
                raise RefusedAccess(OUT_OF_SCOPE)
            return select(now, selection)
        if member == 1:
            return Data(9, self.instance)
        held = self.reads.get(member)
        if held is None:
            raise RefusedAccess(DENIED if member in self.writes else UNDEFINED)
        return held if isinstance(held, Data) else held(now)

    def write(self, member: int, value: Data, now: float) -> None:
        """Set an attribute. Raises RefusedAccess."""
        write = self.writes.get(member)
        if write is None:
            raise RefusedAccess(DENIED if member in self.attributes else UNDEFINED)
        write(now, value)

    def act(self, member: int, parameters: Data | None, now: float) -> Data | None:
        """Invoke a method; what it returns. Raises RefusedAccess."""
        act = self.acts.get(member)
        if act is None:
            raise RefusedAccess(UNDEFINED)
        return act(now, parameters)


class ObjectModel(Protocol):
    """What services of one association reach: each raises RefusedAccess."""

    def read(self, reference: Reference, selection: SelectiveAccess | None, now: float) -> Value:
        """An attribute."""

    def write(self, reference: Reference, selection: SelectiveAccess | None, value: Data, now: float) -> None:
        """Set an attribute."""

    def act(self, reference: Reference, parameters: Data | None, now: float) -> Data | None:
        """Invoke a method."""


class ClientView:
    """The objects of a logical device as a client of `level` sees them."""

    def __init__(self, objects: Mapping[bytes, CosemObject], level: int) -> None:
        self.objects = objects
        self.level = level

    def _find(self, reference: Reference) -> CosemObject:
        found = self.objects.get(reference.instance)
        if found is None or found.level > self.level:
            raise RefusedAccess(UNDEFINED)
        if found.class_id != reference.class_id:
            raise RefusedAccess(WRONG_CLASS)
        return found

    def read(self, reference: Reference, selection: SelectiveAccess | None, now: float) -> Value:
        """An attribute. Raises RefusedAccess."""
        return self._find(reference).read(reference.member, selection, now)

    def write(self, reference: Reference, selection: SelectiveAccess | None, value: Data, now: float) -> None:
        """Set an attribute. Raises RefusedAccess."""
        found = self._find(reference)
        if self.level < MANAGER or selection is not None:
            raise RefusedAccess(DENIED if selection is None else OUT_OF_SCOPE)
        found.write(reference.member, value, now)

    def act(self, reference: Reference, parameters: Data | None, now: float) -> Data | None:
        """Invoke a method. Raises RefusedAccess."""
        found = self._find(reference)
        if self.level < MANAGER:
            raise RefusedAccess(DENIED)
        return found.act(reference.member, parameters, now)


def expect(value: Data | None, *tags: int) -> Data:
    """The value, of one of these types. Raises RefusedAccess (type-unmatched)."""
    if value is None or value.tag not in tags:
        raise RefusedAccess(UNMATCHED_TYPE)
    return value


def expect_structure(value: Data | None, size: int) -> tuple[Data, ...]:
    """The elements of a structure of `size`. Raises RefusedAccess (type-unmatched)."""
    elements: tuple[Data, ...] = expect(value, 2).value
    if len(elements) != size:
        raise RefusedAccess(UNMATCHED_TYPE)
    return elements
