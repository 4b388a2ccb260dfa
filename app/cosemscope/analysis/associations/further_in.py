"""Results and block numbers that stand at no fixed place of an APDU: its tree tells them to the first looks.

They are results of lists behind compound data, of ACCESS and of blocks that are joined, and the blocks of
requests behind lists of descriptors or access selections.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from cosemscope.analysis.associations.association import Look
from cosemscope.apdu.context import Context
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, find, walk
from cosemscope.apdu.names import tags as t
from cosemscope.capture.columns import Array

#: Lists of results in trees.
_LISTS = frozenset(("result", "data-access-results", "response-list", "result-list"))
#: Responses in which a list may stand, and the choices of those that are none, and carry no result.
_LISTED = (t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE, t.READ_RESPONSE, t.WRITE_RESPONSE)
_FIXED = ((t.GET_RESPONSE, 1), (t.SET_RESPONSE, 1), (t.SET_RESPONSE, 2), (t.ACTION_RESPONSE, 4))
#: Responses with one result.
_SINGLE = (*((service, 1) for service in _LISTED[:3]), (t.SET_RESPONSE, 3))
#: Requests that begin with a block behind what may be of any length.
_FIRST_BLOCKS = ((t.SET_REQUEST, 2), (t.SET_REQUEST, 5), (t.ACTION_REQUEST, 5))
#: Responses whose last block may be that of a list, though the first look sees a success.
_LAST_BLOCKS = ((t.GET_RESPONSE, 2),)


def may_stand_further_in(seen: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which of these first looks may lack what `further_in` finds, bool[n]."""
    service, choice, result = seen["service"], seen["choice"], seen["result"]

    def is_one_of(places: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
        return np.isin(service.astype(np.int64) << 8 | choice & 0xFF, [one << 8 | two for one, two in places])

    missing = (result < 0) & np.isin(service, (*_LISTED, t.ACCESS_RESPONSE, t.AARE)) & ~is_one_of(_FIXED)
    missing |= (seen["block"] < 0) & is_one_of(_FIRST_BLOCKS)
    missing |= (seen["last_block"] == 1) & is_one_of(_LAST_BLOCKS)
    return missing


def further_in(look: Look) -> dict[str, int]:
    """Columns of the first look at an APDU, by name, as far as its tree tells those that others lack."""
    find_columns = _FINDERS.get(look.plain[0]) if look.plain else None
    if find_columns is None:
        return {}
    found = find_columns(decode_apdu(look.plain, Context(look.request, joined=look.context.joined)).root)
    return {name: value for name, value in found.items() if value is not None}


def may_refuse_items(seen: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Which of these first looks have an error that may be that of one item among several, bool[n]."""
    service, choice = seen["service"], seen["choice"]
    fixed = np.isin(service.astype(np.int64) << 8 | choice & 0xFF, [one << 8 | two for one, two in _SINGLE])
    mask: NDArray[np.bool_] = (seen["result"] > 0) & np.isin(service, (*_LISTED, t.ACCESS_RESPONSE)) & ~fixed
    return mask


def refused_items(look: Look) -> tuple[tuple[int, int], ...]:
    """The items of a list of results that are no success, from 0, each with its code."""
    if not look.plain:
        return ()
    root = decode_apdu(look.plain, Context(look.request, joined=look.context.joined)).root
    if look.plain[0] == t.ACCESS_RESPONSE:
        listed = find(root, "access-response-specification")
        children = listed.children if listed is not None else ()
        codes = [_number(item) for item in children if item.name != "count"]
    else:
        listed = next(filter(_is_list, walk(root)), None)
        codes = [_code(item) for item in listed.children[1:]] if listed is not None else []
    return tuple((item, code) for item, code in enumerate(codes) if code)


def _association(root: Field) -> dict[str, int | None]:
    return {"result": _number(find(root, "result"))}


def _access(root: Field) -> dict[str, int | None]:
    """The first result that is no success."""
    listed = find(root, "access-response-specification")
    codes = [
        _number(item) for item in (listed.children if listed is not None else ()) if item.name != "count"
    ]
    known = [code for code in codes if code is not None]
    return {"result": next((code for code in known if code), known[0] if known else None)}


def _list(root: Field) -> dict[str, int | None]:
    """The first result of a list that is no success; none where the list is cut before one."""
    listed = next(filter(_is_list, walk(root)), None)
    if listed is None:
        return {"result": _returned(root)}
    count, *items = listed.children
    codes = [_code(item) for item in items]
    failed = [code for code in codes if code]
    whole = len(codes) == count.value and None not in codes
    return {"result": failed[0] if failed else 0 if codes and whole else None}


def _is_list(field: Field) -> bool:
    return field.name in _LISTS and bool(field.children) and field.children[0].name == "count"


def _returned(root: Field) -> int | None:
    """The result of an ACTION whose answer came in blocks: its own, or that it returned something."""
    joined = [field for field in walk(root) if field.source]
    own = next((field for field in joined if field.name == "action-result"), None)
    returned = any(field.name == "return-parameters" for field in joined)
    return _number(own) if own is not None else 0 if returned else None


def _code(item: Field) -> int | None:
    """The result that an item of a list is or has; data are a success."""
    for name in ("data-access-result", "action-result", "data-access-error"):
        field = find(item, name)
        if field is not None:
            return _number(field)
    if item.children:
        return 0 if item.children[0].value == 0 else None
    return _number(item)


def _number(field: Field | None) -> int | None:
    value = field.value if field is not None and field.name != "count" else None
    value = value[-1] if isinstance(value, tuple) and value else value
    return value if isinstance(value, int) else None


def _block(root: Field) -> dict[str, int | None]:
    block = find(root, "datablock") or find(root, "pblock")
    if block is None:
        return {}
    return {"block": _number(find(block, "block-number")), "last_block": _number(find(block, "last-block"))}


_FINDERS: dict[int, Callable[[Field], dict[str, int | None]]] = {
    t.AARE: _association,
    t.ACCESS_RESPONSE: _access,
    **dict.fromkeys(_LISTED, _list),
    **dict.fromkeys((t.SET_REQUEST, t.ACTION_REQUEST), _block),
}
