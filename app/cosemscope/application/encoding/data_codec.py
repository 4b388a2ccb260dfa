"""Data to octets and back (A-XDR): a tag, then what the type says; compact arrays have their types once."""

from collections.abc import Callable
from struct import Struct
from typing import Any

from cosemscope.apdu.cursor import MAX_DEPTH
from cosemscope.apdu.data.types import (
    ARRAY,
    BIT_STRING,
    COMPACT_ARRAY,
    DONT_CARE,
    FORMS,
    NULL,
    OCTET_STRING,
    STRUCTURE,
    TYPES,
    UTF8_STRING,
    VISIBLE_STRING,
)
from cosemscope.application.encoding.data_values import CompactArray, Data, TypeDescription
from cosemscope.application.encoding.octet_codecs import (
    REFUSALS,
    Codec,
    EncodeError,
    write_count,
    write_octets,
)
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError

#: Types of a fixed size: tag -> layout.
_LAYOUTS = {
    3: "?",
    5: ">i",
    6: ">I",
    13: "B",
    15: "b",
    16: ">h",
    17: "B",
    18: ">H",
    20: ">q",
    21: ">Q",
    22: "B",
    23: ">f",
    24: ">d",
    28: "b",
    29: ">h",
    30: ">i",
    31: "B",
    32: ">H",
    33: ">I",
}
_FIXED = {tag: Struct(layout) for tag, layout in _LAYOUTS.items()}
_READ_FIXED = {tag: (layout.size, layout.unpack_from) for tag, layout in _FIXED.items()}
_new = tuple.__new__

# Writing.


def write_data(out: bytearray, data: Data) -> None:
    """A value with its type before it; raises EncodeError for what its type cannot hold."""
    try:
        _write(out, data, 0)
    except EncodeError:
        raise
    except REFUSALS as reason:
        raise EncodeError(f"a value of Data does not fit its type ({type(reason).__name__})") from None


def _write(out: bytearray, data: Data, depth: int) -> None:
    tag, value = data
    out.append(tag)
    fixed = _FIXED.get(tag)
    if fixed is not None:
        out += fixed.pack(value)
    elif tag in (ARRAY, STRUCTURE):
        if depth >= MAX_DEPTH:
            raise EncodeError(f"Data is nested deeper than {MAX_DEPTH} levels")
        write_count(out, len(value))
        for element in value:
            _write(out, element, depth + 1)
    elif tag == COMPACT_ARRAY:
        _write_compact(out, value)
    else:
        _content(tag)(out, value)


def _content(tag: int) -> Callable[[bytearray, Any], None]:
    """What writes the content of a type that has no fixed size and no elements."""
    write = _CONTENTS.get(tag)
    if write is None:
        raise EncodeError(f"Data has no type {tag}")
    return write


def _write_bits(out: bytearray, bits: str) -> None:
    write_count(out, len(bits))
    size = (len(bits) + 7) // 8
    if size:
        out += int(bits.ljust(8 * size, "0"), 2).to_bytes(size, "big")


def _write_form(size: int) -> Callable[[bytearray, bytes], None]:
    def write(out: bytearray, octets: bytes) -> None:
        if len(octets) != size:
            raise EncodeError(f"expected {size} octets of a date or time, found {len(octets)}")
        out += octets

    return write


_CONTENTS: dict[int, Callable[[bytearray, Any], None]] = {
    NULL: lambda out, value: None,
    DONT_CARE: lambda out, value: None,
    BIT_STRING: _write_bits,
    OCTET_STRING: write_octets,
    VISIBLE_STRING: lambda out, text: write_octets(out, text.encode("latin-1")),
    # Octets that are no UTF-8 are kept as they came.
    UTF8_STRING: lambda out, text: write_octets(out, text.encode("utf-8", "surrogateescape")),
    **{tag: _write_form(form.size) for tag, form in FORMS.items()},
}


def _write_compact(out: bytearray, value: CompactArray) -> None:
    _write_type(out, value.description, 0)
    contents = bytearray()
    for element in value.elements:
        _write_element(contents, value.description, element)
    write_octets(out, contents)


def _write_type(out: bytearray, kind: TypeDescription, depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise EncodeError(f"types are nested deeper than {MAX_DEPTH} levels")
    out.append(kind.tag)
    if kind.tag == ARRAY:
        out += kind.size.to_bytes(2, "big")
        (inner,) = kind.inner
        _write_type(out, inner, depth + 1)
    elif kind.tag == STRUCTURE:
        write_count(out, len(kind.inner))
        for inner in kind.inner:
            _write_type(out, inner, depth + 1)


def _write_element(out: bytearray, kind: TypeDescription, element: Data) -> None:
    tag, value = element
    if tag != kind.tag:
        raise EncodeError(f"expected {TYPES.get(kind.tag, kind.tag)} in a compact array, found another type")
    fixed = _FIXED.get(tag)
    if fixed is not None:
        out += fixed.pack(value)
    elif tag == ARRAY:
        if len(value) != kind.size:
            raise EncodeError(f"expected arrays of {kind.size} in a compact array, found one of {len(value)}")
        for one in value:
            _write_element(out, kind.inner[0], one)
    elif tag == STRUCTURE:
        for inner, one in zip(kind.inner, value, strict=True):
            _write_element(out, inner, one)
    else:
        _content(tag)(out, value)


# Reading.


def read_data(reader: OctetReader) -> Data:
    """A value with its type before it; raises ParseError."""
    return _read(reader, 0)


def _read(reader: OctetReader, depth: int) -> Data:
    at = reader.position
    tag = reader.octet("the type of a value")
    fixed = _READ_FIXED.get(tag)
    if fixed is not None:
        size, unpack = fixed
        stop = at + 1 + size
        if stop > reader.end:
            raise reader.missing(size, TYPES[tag])
        reader.position = stop
        return _new(Data, (tag, unpack(reader.data, at + 1)[0]))
    if tag in (ARRAY, STRUCTURE):
        reader.check_depth(depth, "Data")
        count = reader.count(f"count of {TYPES[tag]}")
        if count > reader.end - reader.position:
            raise reader.missing(count, f"elements of {TYPES[tag]} (one octet each at least)")
        return _new(Data, (tag, tuple([_read(reader, depth + 1) for _ in range(count)])))
    if tag == COMPACT_ARRAY:
        return _new(Data, (tag, _read_compact(reader)))
    return _new(Data, (tag, _read_content(reader, tag)))


def _read_content(reader: OctetReader, tag: int) -> Any:
    """The content of a type that has no fixed size and no elements."""
    if tag == OCTET_STRING:
        return reader.octets("octet-string")
    if tag in (NULL, DONT_CARE):
        return None
    if tag == VISIBLE_STRING:
        return reader.octets("visible-string").decode("latin-1")
    if tag == UTF8_STRING:
        return reader.octets("utf8-string").decode("utf-8", "surrogateescape")
    if tag == BIT_STRING:
        count = reader.count("number of bits")
        octets = reader.take((count + 7) // 8, "bit-string")
        return bin(int.from_bytes(b"\1" + octets, "big"))[3 : 3 + count]
    if tag in FORMS:
        return reader.take(FORMS[tag].size, FORMS[tag].name)
    raise reader.unexpected(tag, "a tag of Data (0 to 6, 9, 10, 12, 13, 15 to 33, 255)")


def _read_compact(reader: OctetReader) -> CompactArray:
    description = _read_type(reader, 0)
    size = reader.length("contents of a compact array")
    stop, outer_end = reader.position + size, reader.end
    reader.end = stop
    elements = []
    while reader.position < stop:
        start = reader.position
        elements.append(_read_element(reader, description))
        if reader.position == start:
            raise ParseError(start, "no octets of elements that have none", f"{stop - start}")
    reader.end = outer_end
    return CompactArray(description, tuple(elements))


def _read_type(reader: OctetReader, depth: int) -> TypeDescription:
    reader.check_depth(depth, "types")
    tag = reader.octet("a type description")
    if tag == ARRAY:
        count = reader.number(2, "number of elements")
        return TypeDescription(tag, count, (_read_type(reader, depth + 1),))
    if tag == STRUCTURE:
        count = reader.count("count of a structure's types")
        if count > reader.end - reader.position:
            raise reader.missing(count, "type descriptions (one octet each at least)")
        return TypeDescription(tag, 0, tuple([_read_type(reader, depth + 1) for _ in range(count)]))
    if tag not in TYPES or tag == COMPACT_ARRAY:
        raise reader.unexpected(tag, "a type that a compact array may have")
    return TypeDescription(tag)


def _read_element(reader: OctetReader, kind: TypeDescription) -> Data:
    reader.expansion -= 1
    if reader.expansion < 0:
        raise ParseError(reader.position, "fewer elements", "a compact array that expands to too many")
    tag = kind.tag
    fixed = _READ_FIXED.get(tag)
    if fixed is not None:
        size, unpack = fixed
        octets = reader.take(size, TYPES[tag])
        return Data(tag, unpack(octets)[0])
    if tag == ARRAY:
        return Data(tag, tuple([_read_element(reader, kind.inner[0]) for _ in range(kind.size)]))
    if tag == STRUCTURE:
        return Data(tag, tuple([_read_element(reader, inner) for inner in kind.inner]))
    return Data(tag, _read_content(reader, tag))


#: Data as a field of a record.
DATA = Codec(write_data, read_data)
