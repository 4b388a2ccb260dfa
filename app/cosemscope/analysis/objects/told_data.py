"""Data that one APDU tells of objects: the attribute, whether it was read, written or pushed, and its field.

What a list tells is one item after the other; a refused attribute has a result and no
field. Of blocks only the last one is to be asked, whose body is the joined one.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from itertools import chain, repeat
from typing import Final, NamedTuple

from cosemscope.apdu.context import Context, Reference
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.names import tags as t


class How(IntEnum):
    """How a value came to be told."""

    READ = 0
    WRITTEN = 1
    PUSHED = 2

    @property
    def word(self) -> str:
        """The name for scripts: "read"."""
        return self.name.lower()


#: The result of a transfer that lacks blocks: no meter sends it.
NOT_JOINED: Final = -1


class ToldData(NamedTuple):
    """One item: `field` is None where `result` (data-access-result, 0: success) says why there is none.

    `scaler_unit`: power of ten and unit code that stand beside the value itself.
    """

    reference: Reference
    how: How
    field: Field | None
    result: int = 0
    scaler_unit: tuple[int, int] | None = None


def told_data(apdu: bytes, context: Context, *, brief: bool = False) -> list[ToldData]:
    """What an APDU in clear tells; `context` is what its association knows. Pushes are `push_data`'s.

    `brief`: the fields need not hold all elements of long arrays.
    """
    teller = _TELLERS.get(apdu[0]) if apdu else None
    if teller is None:
        return []
    known = Context(context.request, joined=context.joined, brief=brief)
    return list(teller(decode_apdu(apdu, known).root, context))


def elements(field: Field) -> list[Field]:
    """The elements of a list, an array or a structure."""
    return [child for child in field.children if child.name.startswith("[")]


def _read(root: Field, context: Context) -> Iterator[ToldData]:
    references = context.request.references if context.request is not None else ()
    for reference, (field, result) in zip(references, _results(root, context), strict=False):
        if not reference.method and result != NOT_JOINED:
            yield ToldData(reference, How.READ, field, result)


def _results(root: Field, context: Context) -> Iterator[tuple[Field | None, int]]:
    """Data and result of each item of a response; those of joined blocks stand in the joined body."""
    joined = _joined(root, context)
    if joined is not None:
        is_list = any(find(item, "choice") is not None for item in elements(joined)[:1])
        yield from map(_result, elements(joined)) if is_list else [(joined, 0)]
        return
    result = find(root, "result") or root
    listed = elements(result)
    items = listed or ([result] if find(result, "choice") is not None else [])
    yield from map(_result, items)


def _joined(root: Field, context: Context) -> Field | None:
    """The body that the blocks up to this one make together."""
    return next((field for field in walk(root) if field.source), None) if context.joined is not None else None


def _result(item: Field) -> tuple[Field | None, int]:
    """Data, or the code in their place; of a block that could not be joined neither is there."""
    data = find(item, "data")
    if data is not None:
        return data, 0
    code = find(item, "data-access-result") or find(item, "data-access-error")
    return None, code.value if code is not None and isinstance(code.value, int) else NOT_JOINED


def _written(root: Field, context: Context) -> Iterator[ToldData]:
    references = context.request.references if context.request is not None else ()
    joined = _joined(root, context)
    if joined is not None:
        values = elements(joined) if len(references) > 1 else [joined]
    else:
        listed = find(root, "value-list")
        value = find(root, "value")
        values = elements(listed) if listed is not None else [value] if value is not None else []
    for reference, field in zip(references, values, strict=False):
        yield ToldData(reference, How.WRITTEN, field)


_GET_CHOICES, _SET_CHOICES, _READ_RESULT = (1, 4), (2, 5), 1


def _access_written(root: Field, context: Context) -> Iterator[ToldData]:
    asked, data = (
        find(root, name) for name in ("access-request-specification", "access-request-list-of-data")
    )
    if asked is not None and data is not None:
        for item, field in zip(elements(asked), elements(data), strict=False):
            choice = find(item, "choice")
            if choice is not None and choice.value in _SET_CHOICES and isinstance(item.value, Reference):
                yield ToldData(item.value, How.WRITTEN, field)


def _access_read(root: Field, context: Context) -> Iterator[ToldData]:
    references = context.request.references if context.request is not None else ()
    data, results = (find(root, f"access-response-{name}") for name in ("list-of-data", "specification"))
    if data is None:
        return
    said = chain(elements(results) if results is not None else (), repeat(None))
    for reference, field, item in zip(references, elements(data), said, strict=False):
        choice = find(item, "choice") if item is not None else None
        if choice is None or choice.value == _READ_RESULT:
            result = item.value if item is not None and isinstance(item.value, int) else 0
            yield ToldData(reference, How.READ, None if result else field, result)


def _event(root: Field, context: Context) -> Iterator[ToldData]:
    attribute, value = find(root, "attribute-descriptor"), find(root, "attribute-value")
    if attribute is not None and value is not None and isinstance(attribute.value, Reference):
        yield ToldData(attribute.value, How.PUSHED, value)


_TELLERS: Final[dict[int, Callable[[Field, Context], Iterator[ToldData]]]] = {
    t.GET_RESPONSE: _read,
    t.READ_RESPONSE: _read,
    t.SET_REQUEST: _written,
    t.ACCESS_REQUEST: _access_written,
    t.ACCESS_RESPONSE: _access_read,
    t.EVENT_NOTIFICATION: _event,
}
