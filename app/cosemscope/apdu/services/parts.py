"""Parts that services have in common: descriptors, selections, results, lists and blocks."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.apdu.cursor import Cursor, Reader, Step
from cosemscope.apdu.data.data_reader import read_data, read_logical_name
from cosemscope.apdu.data.scaled_fields import is_scaler_unit, scaled
from cosemscope.apdu.data.shapes import (
    ENTRY_DESCRIPTOR,
    RANGE_DESCRIPTOR,
    SCALER_UNIT_ATTRIBUTE,
    Shape,
    expected_type,
    shape_of,
)
from cosemscope.apdu.data.types import NULL, STRUCTURE, TYPES, element_name
from cosemscope.apdu.fields import ByteSource, Field
from cosemscope.apdu.names import codes
from cosemscope.apdu.names.blue_book import class_name, member_name
from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.apdu.names.texts import hex_text, obis_text

_PRESENT = {0: "not given", 1: "given"}
_BOOLEAN = {0: "no", **dict.fromkeys(range(1, 256), "yes")}
_TYPE_CLAUSE = "IEC 62056-6-2, interface classes"
_RESULT_CHOICES = {0: "data", 1: "data-access-result"}
_new = tuple.__new__


class Service(NamedTuple):
    """A service in several choices: the octet after the tag says which, and each is its parts in order."""

    choices: Mapping[int, tuple[str, tuple[Step, ...]]]
    texts: Mapping[int, str]

    def read(self, c: Cursor) -> tuple[Any, str]:
        """Reads an APDU of this service from its tag on."""
        c.u8("tag", APDU_TAGS)
        choice = c.u8("choice", self.texts)
        entry = self.choices.get(choice)
        if entry is None:
            raise c.unexpected("choice", choice, f"1 to {max(self.choices)}")
        c.u8("invoke-id-and-priority", codes.INVOKE_TEXTS)
        name, steps = entry
        for step in steps:
            step(c)
        return choice, name


def service(**choices: tuple[int, tuple[Step, ...]]) -> Service:
    """A service out of its choices: name=(number, parts); underscores stand for hyphens."""
    table = {number: (name.replace("_", "-"), steps) for name, (number, steps) in choices.items()}
    return Service(table, {number: name for number, (name, _) in table.items()})


# Presence, numbers, results.


def optional(c: Cursor, name: str, read: Callable[[Cursor], tuple[Any, str]]) -> Any:
    """A field that may be absent: 00, or 01 and what `read` reads; its value, or None."""
    start = c.position
    if start < c.end and c.data[start] == 0:
        c.position = start + 1
        c.children.append(_new(Field, (name, None, start, start + 1, (), "not given", c.source)))
        return None
    c.open(name)
    flag = c.u8("presence", _PRESENT)
    if flag != 1:
        raise c.unexpected(f"presence of {name}", flag, "0 or 1")
    value, text = read(c)
    c.close(value, text)
    return value


def block_number(c: Cursor) -> int:
    """The number of a block, four octets."""
    return c.uint("block-number", 4)


def boolean(c: Cursor, name: str) -> bool:
    """A BOOLEAN: one octet, 0 is no."""
    return c.u8(name, _BOOLEAN) != 0


def data_access_result(c: Cursor, name: str = "data-access-result") -> int:
    """A Data-Access-Result."""
    return c.code(name, codes.DATA_ACCESS_RESULTS, "data-access-result")


def data_access_results(c: Cursor) -> None:
    """A list of Data-Access-Result."""
    read_list(c, "data-access-results", lambda c, index: data_access_result(c, element_name(index)))


def read_list(c: Cursor, name: str, read: Callable[[Cursor, int], Any]) -> tuple[Any, ...]:
    """SEQUENCE OF: a count and as many elements, each read by `read(cursor, index)`; their values."""
    c.open(name)
    count = c.count()
    values = []
    for index in range(c.possible(count)):
        values.append(read(c, index))
    if len(values) < count:
        raise c.too_many(count, len(values))
    c.close(tuple(values), f"{count} element{'s'[: count != 1]}")
    return tuple(values)


# Descriptors.


@lru_cache(1024)
def _class_text(octets: bytes) -> str:
    """The text of a class-id: name and number; empty where there is no name."""
    class_id = int.from_bytes(octets, "big")
    name = class_name(class_id)
    return f"{name} ({class_id})" if name else ""


def _read_descriptor(c: Cursor, name: str, method: bool) -> Reference:
    c.open(name)
    class_id = c.uint("class-id", 2, _class_text(c.data[c.position : c.position + 2]))
    instance = read_logical_name(c)
    kind = "method" if method else "attribute"
    if c.position >= c.end:
        raise c.missing(f"{kind}-id", 1)
    member = c.data[c.position]
    if not method and member > 127:
        member -= 256
    text = member_name(class_id, member, method=method)
    c.leaf(f"{kind}-id", 1, member, f"{text} ({member})" if text else "")
    value = Reference(class_id, instance, member, method)
    c.close(value, f"{obis_text(instance)}, {text or f'{kind} {member}'}")
    return value


def attribute(c: Cursor) -> None:
    """Cosem-Attribute-Descriptor."""
    c.session.references = (_read_descriptor(c, "attribute-descriptor", False),)


def method(c: Cursor) -> None:
    """Cosem-Method-Descriptor."""
    c.session.references = (_read_descriptor(c, "method-descriptor", True),)


def selected_attribute(c: Cursor) -> None:
    """Cosem-Attribute-Descriptor with its Selective-Access-Descriptor, which may be absent."""
    attribute(c)
    optional(c, "access-selection", selection_of(reference_of(c)))


def _listed_attribute(c: Cursor, index: int) -> Reference:
    c.open(element_name(index))
    reference = _read_descriptor(c, "attribute-descriptor", False)
    optional(c, "access-selection", selection_of(reference))
    c.close(reference, c.children[0].text)
    return reference


def attributes(c: Cursor) -> None:
    """A list of attribute descriptors with selection."""
    c.session.references = read_list(c, "attribute-descriptor-list", _listed_attribute)


def methods(c: Cursor) -> None:
    """A list of method descriptors."""
    c.session.references = read_list(
        c, "method-descriptor-list", lambda c, index: _read_descriptor(c, element_name(index), True)
    )


def reference_of(c: Cursor, index: int = 0) -> Reference | None:
    """The reference of value number `index`, as far as descriptors or the request say; else None."""
    references = c.session.references
    return references[index] if index < len(references) else None


# Selective access.


#: Selectors of attributes that are not told by their parameters: (class, attribute) -> selector -> its name.
_SELECTORS = {(15, 2): {1: "without access rights", 2: "class_list", 3: "object_id_list", 4: "object_id"}}


def selection_of(reference: Reference | None) -> Callable[[Cursor], tuple[Any, str]]:
    """The reader of the selective access to an attribute."""
    return lambda c: _read_selection(c, reference)


def _read_selection(c: Cursor, reference: Reference | None) -> tuple[Any, str]:
    """Selective-Access-Descriptor: selector and parameters, named where they are by range or by entry."""
    selector = c.u8("access-selector")
    shape, words = selection_shape(c, selector)
    if shape is None and reference is not None:
        words = _SELECTORS.get((reference.class_id, reference.member), {}).get(selector, "")
    if words:
        c.children[-1] = c.children[-1]._replace(text=words)
    value = read_data(c, "access-parameters", shape)
    if shape is None:
        return (selector, value), f"selector {selector}" + (f" ({words})" if words else "")
    parts = {field.name: field.text for field in c.children[-1].children}
    if selector == 1:
        bounds = [parts.get(name, "").partition(",")[0] for name in ("from-value", "to-value")]
        return (selector, value), f"from {bounds[0]} to {bounds[1]}"
    text = f"entries {parts.get('from-entry')} to {parts.get('to-entry')}"
    return (selector, value), text


def selection_shape(c: Cursor, selector: int) -> tuple[Shape | None, str]:
    """The shape of a selector's parameters, told by the selector and by their being a structure of four."""
    if c.data[c.position : c.position + 2] != bytes((STRUCTURE, 4)):
        return None, ""
    if selector == 1:
        return RANGE_DESCRIPTOR, "range_descriptor"
    return (ENTRY_DESCRIPTOR, "entry_descriptor") if selector == 2 else (None, "")


# Values.


def read_value(c: Cursor, name: str, index: int = 0) -> Any:
    """The value of the attribute that reference `index` names, with its shape, scaler and unit.

    What a method returns has no shape: the one that is known is that of its parameters.
    """
    reference = reference_of(c, index)
    if reference is not None and reference.method:
        reference = None
    start, tag = c.position, c.data[c.position] if c.position < c.end else NULL
    value = read_data(c, name, shape_of(reference))
    expected = expected_type(reference, tag) if reference is not None else ""
    if expected:
        words = f"expected {expected} as the value of this attribute, found {TYPES.get(tag, f'tag {tag}')}"
        c.warn(start, c.position, words, _TYPE_CLAUSE, "wrong-type")
    if reference is not None and c.session.context.scaler_unit is not None:
        known = c.session.context.scaler_unit(reference)
        if known is not None:
            c.children[-1] = scaled(c.children[-1], *known)
    return value


def value(c: Cursor) -> None:
    """The value of one attribute."""
    read_value(c, "value")


def values(c: Cursor) -> None:
    """The values of a list of attributes."""
    read_list(c, "value-list", lambda c, index: read_value(c, element_name(index), index))


def read_data_result(c: Cursor, name: str, index: int = 0) -> Any:
    """Get-Data-Result: data, or the code that says why data are missing."""
    c.open(name)
    choice = c.u8("choice", _RESULT_CHOICES)
    if choice == 0:
        result = read_value(c, "data", index)
        c.close(result, c.children[-1].text)
        return result
    if choice == 1:
        data_access_result(c)
        c.close(None, f"data-access-result {c.children[-1].text or c.children[-1].value}")
        return None
    raise c.unexpected(f"choice of {name}", choice, "0 (data) or 1 (data-access-result)")


def data_results(c: Cursor, name: str = "result") -> None:
    """A list of Get-Data-Result; values whose scaler_unit is in the same list are shown in their unit."""
    read_list(c, name, lambda c, index: read_data_result(c, element_name(index), index))
    references = c.session.references
    if len(references) > 1:
        results = c.children[-1]
        c.children[-1] = results._replace(children=_scaled_results(results.children, references))


def _scaled_results(fields: tuple[Field, ...], references: tuple[Reference, ...]) -> tuple[Field, ...]:
    """The count and the results of a list, each with the scaler and unit that another result of it gives."""
    scalers = {
        (reference.class_id, reference.instance, reference.member): result.value
        for reference, result in zip(references, fields[1:], strict=False)
        if len(result.children) == 2 and is_scaler_unit(result.children[1])
    }
    if not scalers:
        return fields
    shown = list(fields)
    for index, reference in enumerate(references[: len(fields) - 1]):
        wanted = SCALER_UNIT_ATTRIBUTE.get((reference.class_id, reference.member))
        known = scalers.get((reference.class_id, reference.instance, wanted or 0))
        result = fields[index + 1]
        if known is None or len(result.children) != 2:
            continue
        inner = scaled(result.children[1], *known)
        shown[index + 1] = result._replace(children=(result.children[0], inner), text=inner.text)
    return tuple(shown)


# Blocks.


def other_source(c: Cursor, name: str, octets: bytes, read: Callable[[Cursor], Any]) -> tuple[Field, ...]:
    """The fields that `read` makes of octets that are not part of this source: a new source called `name`."""
    session = c.session
    session.sources.append(ByteSource(name, octets))
    session.expansion += 4 * len(octets)
    inner = Cursor(octets, session, len(session.sources) - 1)
    inner.clause = c.clause
    read(inner)
    return tuple(inner.children)


def raw_data(c: Cursor, name: str, whole: bool, last: bool, contents: tuple[Reader, ...]) -> None:
    """The octets of one block; decoded in place when they are `whole`, or joined where the caller did so.

    `contents` are the readers of what the blocks carry, the likeliest first.
    """
    c.open(name)
    size = c.length()
    start, stop = c.position, c.position + size
    octets = c.data[start:stop]
    joined = c.session.joined
    if joined is not None and last:
        c.session.joined = None
        fields = other_source(c, "joined blocks", joined, lambda inner: _read_first_fitting(inner, contents))
        c.position = stop
        c.children.append(Field("value", octets, start, stop, fields, hex_text(octets), c.source))
    elif not (whole and size and _fits(c, stop, contents)):
        c.leaf("value", size, octets, hex_text(octets))
    c.close(octets, f"{size} octet{'s'[: size != 1]}")


def _fits(c: Cursor, stop: int, contents: tuple[Reader, ...]) -> bool:
    """Whether one of the readers fits the octets up to `stop`, and reads them: best without any problem.

    Where there is only one, it is not tried twice: it may be of blocks in blocks.
    """
    if len(contents) > 1 and any(c.attempt(read, stop) for read in contents):
        return True
    return any(c.attempt(read, stop, tolerant=True) for read in contents)


def _read_first_fitting(c: Cursor, contents: tuple[Reader, ...]) -> None:
    """All octets of a source, by the first of the readers that fits, or by the first with its problems."""
    if not _fits(c, c.end, contents):
        c.enclosed("joined", c.end, contents[0], what="joined blocks")
