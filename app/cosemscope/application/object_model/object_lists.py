"""The object list of an association, and the list of logical devices, out of the values that were read.

Attribute 2 of Association LN (class 15) lists objects with class, version, logical name and access rights;
attribute 2 of SAP assignment (class 17) lists logical devices with their SAP. What does not fit is left out
and named, so that one odd entry hides no other. Source: IEC 62056-6-2.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_values import Data

OBJECT_LIST = Reference(15, bytes.fromhex("0000280000ff"), 2)
SAP_LIST = Reference(17, bytes.fromhex("0000290000ff"), 2)

#: From this version of Association LN on access modes are bits; before, they are numbered.
_MODES_ARE_BITS = 3
_NUMBERED = {
    0: (False, False, False),
    1: (True, False, False),
    2: (False, True, False),
    3: (True, True, False),
    4: (True, False, True),
    5: (False, True, True),
    6: (True, True, True),
}
_READ, _WRITE, _AUTHENTICATED, _ENCRYPTED, _SIGNED = 0x01, 0x02, 0x04, 0x08, 0x10

T = TypeVar("T")


class AccessRight(NamedTuple):
    """What a client may do with an attribute (`readable`, `writable`) or a method (`callable_`).

    `protected` names what a request must be: any of "authenticated", "encrypted", "signed". `selectors` are
    those of selective access. `mode` is the number as the server gives it.
    """

    mode: int
    readable: bool = False
    writable: bool = False
    callable_: bool = False
    protected: tuple[str, ...] = ()
    selectors: tuple[int, ...] = ()


class ObjectEntry(NamedTuple):
    """An object of an association: rights by the number of the attribute or method."""

    class_id: int
    version: int
    instance: bytes
    attributes: dict[int, AccessRight]
    methods: dict[int, AccessRight]

    def attribute(self, member: int) -> Reference:
        """The reference of an attribute."""
        return Reference(self.class_id, self.instance, member)

    def method(self, member: int) -> Reference:
        """The reference of a method."""
        return Reference(self.class_id, self.instance, member, method=True)


class SapEntry(NamedTuple):
    """A logical device: its SAP, which is its wPort over IP, and its name."""

    sap: int
    name: bytes


class ReadList(NamedTuple):
    """What was read of a list; `problems` are sentences on entries that were left out."""

    entries: tuple[Any, ...]
    problems: tuple[str, ...] = ()


class _Odd(Exception):  # noqa: N818 -- an entry that does not fit: no error of the program
    pass


def object_list(value: Data, version: int = 1) -> ReadList:
    """The `ObjectEntry` values of an object list; `version` is that of the association object."""
    return _entries(value, "object list", lambda entry: _object(entry, version))


def sap_list(value: Data) -> ReadList:
    """The `SapEntry` values of a SAP assignment list."""
    return _entries(value, "SAP assignment list", _sap)


def _entries(value: Data, what: str, read: Callable[[Any], Any]) -> ReadList:
    plain = value.plain
    if not isinstance(plain, tuple):
        return ReadList((), (f"the {what} is no array: {value.type_name} stands there",))
    found, problems = [], []
    for number, entry in enumerate(plain, 1):
        try:
            found.append(read(entry))
        except _Odd as reason:
            problems.append(f"entry {number} of the {what} is left out: {reason}")
    return ReadList(tuple(found), tuple(problems))


def _fields(value: Any, count: int, what: str) -> tuple[Any, ...]:
    if not isinstance(value, tuple) or len(value) < count:
        raise _Odd(f"expected {what} of {count} elements")
    return value


def _typed(value: Any, kind: type[T], what: str) -> T:
    if not isinstance(value, kind):
        raise _Odd(f"expected {what}, found {type(value).__name__}")
    return value


def _object(entry: Any, version: int) -> ObjectEntry:
    class_id, class_version, instance, rights = _fields(entry, 4, "a structure")[:4]
    name = _typed(instance, bytes, "a logical name")
    if len(name) != 6:
        raise _Odd(f"expected a logical name of 6 octets, found {len(name)}")
    attributes, methods = _fields(rights, 2, "access rights")[:2]
    bits = version >= _MODES_ARE_BITS
    return ObjectEntry(
        _typed(class_id, int, "a class-id"),
        _typed(class_version, int, "a version"),
        name,
        {number: _attribute_right(mode, more, bits) for number, mode, more in _rights(attributes)},
        {number: _method_right(mode, bits) for number, mode, _ in _rights(methods)},
    )


def _rights(listed: Any) -> Iterator[tuple[int, int, Any]]:
    """Number, mode and selectors of each attribute or method."""
    for element in _fields(listed, 0, "an array"):
        number, mode, *more = _fields(element, 2, "an access right")
        yield _typed(number, int, "a number"), _typed(mode, int, "an access mode"), more[0] if more else None


def _attribute_right(mode: int, selectors: Any, bits: bool) -> AccessRight:
    given: Iterable[Any] = selectors if isinstance(selectors, tuple) else ()
    numbers = tuple(one for one in given if isinstance(one, int))
    mode = int(mode)
    if not bits and mode in _NUMBERED:
        readable, writable, authenticated = _NUMBERED[mode]
        words = ("authenticated",) if authenticated else ()
        return AccessRight(mode, readable, writable, protected=words, selectors=numbers)
    return AccessRight(
        mode, bool(mode & _READ), bool(mode & _WRITE), protected=_protected(mode), selectors=numbers
    )


def _method_right(mode: int, bits: bool) -> AccessRight:
    mode = int(mode)  # a boolean in the oldest version
    if not bits and mode <= 2:
        return AccessRight(mode, callable_=mode > 0, protected=("authenticated",) if mode == 2 else ())
    return AccessRight(mode, callable_=bool(mode & _READ), protected=_protected(mode))


def _protected(mode: int) -> tuple[str, ...]:
    named = ((_AUTHENTICATED, "authenticated"), (_ENCRYPTED, "encrypted"), (_SIGNED, "signed"))
    return tuple(word for bit, word in named if mode & bit)


def _sap(entry: Any) -> SapEntry:
    sap, name = _fields(entry, 2, "a structure")[:2]
    octets = name.encode("latin-1", "replace") if isinstance(name, str) else name
    return SapEntry(_typed(sap, int, "a SAP"), _typed(octets, bytes, "a name"))
