"""Codecs: each writes one kind of value to octets and reads it back, and codecs of records are made of them.

An APDU is declared once, as the codecs of its fields in order (A-XDR, IEC 61334-6); writing and reading both
follow from that declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from struct import error as StructError  # noqa: N812 -- a class, whatever its name
from typing import Any, Generic, TypeVar

from cosemscope.application.encoding.octet_reader import OctetReader, ParseError

T = TypeVar("T")


class EncodeError(ValueError):
    """A value that has no encoding: names the class and the field, never the value, which may be a key."""


class Codec(Generic[T]):
    """How one kind of value is written and read: `write(out, value)` appends, `read(reader)` takes."""

    __slots__ = ("read", "write")

    def __init__(self, write: Callable[[bytearray, T], None], read: Callable[[OctetReader], T]) -> None:
        self.write = write
        self.read = read


#: What a write raises for a value of the wrong type or range.
REFUSALS = (ArithmeticError, AttributeError, LookupError, StructError, TypeError, ValueError)


def write_count(out: bytearray, number: int) -> None:
    """A length or a count: one octet up to 127, else 81 to 84 and that many octets."""
    if number < 0x80:
        out.append(number)
    else:
        size = (number.bit_length() + 7) // 8
        if size > 4:
            raise EncodeError("a length or count takes at most four octets")
        out.append(0x80 + size)
        out += number.to_bytes(size, "big")


def write_octets(out: bytearray, octets: bytes | bytearray) -> None:
    """An octet string, length first."""
    write_count(out, len(octets))
    out += octets


def unsigned_number(size: int, what: str) -> Codec[int]:
    """An unsigned integer of `size` octets."""

    def write(out: bytearray, value: int) -> None:
        out += value.to_bytes(size, "big")

    return Codec(write, lambda reader: reader.number(size, what))


def octet(what: str) -> Codec[int]:
    """One octet, 0 to 255."""
    return Codec(bytearray.append, lambda reader: reader.octet(what))


def flag(what: str) -> Codec[bool]:
    """A BOOLEAN: 00 is false, any other octet true; written as 01."""
    return Codec(lambda out, value: out.append(bool(value)), lambda reader: reader.octet(what) != 0)


def octet_string(what: str, sizes: tuple[int, ...] = ()) -> Codec[bytes]:
    """An OCTET STRING, length first; of one of `sizes`, where those are given."""
    expected = f"{what} of {' or '.join(map(str, sizes))} octets"

    def write(out: bytearray, value: bytes) -> None:
        if sizes and len(value) not in sizes:
            raise EncodeError(f"expected {expected}, found {len(value)}")
        write_octets(out, value)

    def read(reader: OctetReader) -> bytes:
        start = reader.position
        value = reader.octets(what)
        if sizes and len(value) not in sizes:
            raise ParseError(start, expected, f"{len(value)}")
        return value

    return Codec(write, read)


def optional(inner: Codec[T], what: str) -> Codec[T | None]:
    """A value that may be absent: 00, or 01 and the value."""

    def write(out: bytearray, value: T | None) -> None:
        if value is None:
            out.append(0)
        else:
            out.append(1)
            inner.write(out, value)

    def read(reader: OctetReader) -> T | None:
        presence = reader.octet(f"presence of {what}")
        if presence == 0:
            return None
        if presence != 1:
            raise reader.unexpected(presence, f"00 or 01 as presence of {what}")
        return inner.read(reader)

    return Codec(write, read)


def sequence_of(inner: Codec[T], what: str) -> Codec[tuple[T, ...]]:
    """SEQUENCE OF: a count and as many values, each of an octet at least."""

    def write(out: bytearray, values: tuple[T, ...]) -> None:
        write_count(out, len(values))
        for value in values:
            inner.write(out, value)

    def read(reader: OctetReader) -> tuple[T, ...]:
        count = reader.count(f"count of {what}")
        if count > reader.end - reader.position:
            raise reader.missing(count, f"{what} (one octet each at least)")
        return tuple([inner.read(reader) for _ in range(count)])

    return Codec(write, read)


def record(kind: Callable[..., T], *codecs: Codec[Any]) -> Codec[T]:
    """A dataclass or named tuple `kind` whose fields are written one after the other by `codecs`."""
    names = _field_names(kind)
    if len(names) != len(codecs):
        raise TypeError(f"{_class_name(kind)} has {len(names)} fields, {len(codecs)} codecs were given")
    reads = tuple(codec.read for codec in codecs)
    write = _writing(kind, names, tuple(codec.write for codec in codecs))
    return Codec(write, lambda reader: kind(*[read(reader) for read in reads]))


def record_in_order(kind: Callable[..., T], **codecs: Codec[Any]) -> Codec[T]:
    """The same for a class whose fields stand in another order than their octets: that of `codecs`."""
    reads = {name: codec.read for name, codec in codecs.items()}
    write = _writing(kind, tuple(codecs), tuple(codec.write for codec in codecs.values()))
    return Codec(write, lambda reader: kind(**{name: read(reader) for name, read in reads.items()}))


_Write = Callable[[bytearray, Any], None]


def _writing(kind: Any, names: tuple[str, ...], writes: tuple[_Write, ...]) -> _Write:
    get = attrgetter(*names)

    def write(out: bytearray, value: Any) -> None:
        index = 0
        try:
            values = get(value) if len(writes) > 1 else (get(value),)
            for index, each in enumerate(values):
                writes[index](out, each)
        except EncodeError:
            raise
        except REFUSALS as reason:
            # Not `from reason`: its text may show the value.
            words = f"{names[index]} of {_class_name(kind)} is out of range or of another type"
            raise EncodeError(f"{words} ({type(reason).__name__})") from None

    return write


def _field_names(kind: Any) -> tuple[str, ...]:
    return getattr(kind, "_fields", None) or tuple(one.name for one in fields(kind))


def _class_name(kind: Any) -> str:
    return str(kind.__name__)


class Choices:
    """A CHOICE: an octet names the alternative, its codec does the rest; the class of the value decides."""

    def __init__(self, what: str, choices: Mapping[int, tuple[type, Codec[Any]]]) -> None:
        self._what = f"{what} ({', '.join(map(str, choices))})"
        self._by_octet = {number: codec.read for number, (_, codec) in choices.items()}
        self._by_class = {kind: (number, codec.write) for number, (kind, codec) in choices.items()}
        #: the same as a codec, for records
        self.codec: Codec[Any] = Codec(self.write, self.read)

    @property
    def classes(self) -> tuple[type, ...]:
        """The classes of the alternatives."""
        return tuple(self._by_class)

    def write(self, out: bytearray, value: Any) -> None:
        """The octet of the alternative, then the value."""
        entry = self._by_class.get(type(value))
        if entry is None:
            raise EncodeError(f"{type(value).__name__} is no {self._what}")
        out.append(entry[0])
        entry[1](out, value)

    def read(self, reader: OctetReader) -> Any:
        """The alternative that the next octet names."""
        number = reader.octet(self._what)
        read = self._by_octet.get(number)
        if read is None:
            raise reader.unexpected(number, self._what)
        return read(reader)
