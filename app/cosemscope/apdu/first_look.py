"""The first look at APDUs: what stands in their first octets, for a whole batch at once, without trees.

Tag, choice, invoke-id, object, result, block, security control and invocation counter as NumPy columns. The
first 32 octets of each APDU are gathered into a matrix; each kind of APDU then reads its places in it. A
place beyond an APDU's end is never read: the column keeps its "none". What stands further in (the second
item of a list, an invocation counter behind a long header) is for the tree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosemscope.apdu.names import tags as t

_WIDTH = 32
_CHUNK = 1 << 15

_Rows = NDArray[np.uint8]
_Index = NDArray[np.intp]
_Sizes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FirstLook:
    """One entry an APDU in every column; what an APDU does not have is -1 (0 for `obis`).

    `tag` is the first octet, `service` that of the APDU behind a gateway prefix (else the same). `obis` is
    the logical name as a number of 48 bits, `member` the attribute (signed) or method. `result` is the
    data-access-result or action-result (0 where data came), for an exception its service-error, for an AARE
    its result. Of a list these are those of the first item.
    """

    tag: NDArray[np.int16]
    service: NDArray[np.int16]
    choice: NDArray[np.int16]
    invoke_id: NDArray[np.int32]
    class_id: NDArray[np.int32]
    obis: NDArray[np.uint64]
    member: NDArray[np.int16]
    result: NDArray[np.int16]
    block: NDArray[np.int64]
    last_block: NDArray[np.int8]
    security: NDArray[np.int16]
    invocation_counter: NDArray[np.int64]


def _empty(count: int) -> FirstLook:
    def none(kind: type[Any]) -> NDArray[Any]:
        return np.full(count, -1, kind)

    return FirstLook(
        none(np.int16),
        none(np.int16),
        none(np.int16),
        none(np.int32),
        none(np.int32),
        np.zeros(count, np.uint64),
        none(np.int16),
        none(np.int16),
        none(np.int64),
        none(np.int8),
        none(np.int16),
        none(np.int64),
    )


def look(buffer: NDArray[np.uint8], addresses: NDArray[Any], sizes: NDArray[Any]) -> FirstLook:
    """The first look at the APDUs that lie at `addresses` (into `buffer`), `sizes` octets each.

    ValueError when an APDU does not lie inside the buffer.
    """
    addresses = np.asarray(addresses, np.int64)
    sizes = np.asarray(sizes, np.int64)
    if len(addresses) and (addresses.min() < 0 or sizes.min() < 0 or (addresses + sizes).max() > len(buffer)):
        raise ValueError("an APDU lies outside the buffer")
    found = _empty(len(addresses))
    for start in range(0, len(addresses), _CHUNK):
        part = slice(start, start + _CHUNK)
        _look_at(_gather(buffer, addresses[part]), sizes[part], start, found)
    return found


def _gather(buffer: NDArray[np.uint8], addresses: NDArray[np.int64]) -> _Rows:
    """The 32 octets at each address; zeros beyond the end of the buffer."""
    last = len(buffer) - _WIDTH
    if last < 0:
        buffer = np.concatenate([buffer, np.zeros(_WIDTH, np.uint8)])
        last = len(buffer) - _WIDTH
    windows = np.lib.stride_tricks.sliding_window_view(buffer, _WIDTH)
    near_end = addresses > last
    if not near_end.any():
        return np.ascontiguousarray(windows[addresses])
    rows = windows[np.minimum(addresses, last)]
    tail = np.concatenate([buffer[last:], np.zeros(_WIDTH, np.uint8)])
    tails = np.lib.stride_tricks.sliding_window_view(tail, _WIDTH)
    rows[near_end] = tails[np.minimum(addresses[near_end] - last, _WIDTH)]
    return np.ascontiguousarray(rows)


def _look_at(rows: _Rows, sizes: _Sizes, start: int, found: FirstLook) -> None:
    """Fill the columns from `start` on with what these rows say."""
    present = np.flatnonzero(sizes > 0)
    if len(present) < len(sizes):
        rows, sizes = rows[present], sizes[present]
    out = present + start
    found.tag[out] = rows[:, 0]
    rows, sizes = _behind_gateway(rows, sizes)
    service = rows[:, 0]
    found.service[out] = service
    order = np.argsort(service, kind="stable")
    edges = np.flatnonzero(np.diff(service[order], prepend=-1, append=256))
    for begin, stop in pairwise(edges):
        index = order[begin:stop]
        reader = _READERS.get(int(service[index[0]]))
        if reader is not None:
            reader(rows[index], sizes[index], out[index], found)


def _behind_gateway(rows: _Rows, sizes: _Sizes) -> tuple[_Rows, _Sizes]:
    """Rows that begin with a gateway prefix, moved up by it as far as the octets gathered allow."""
    gateways = np.flatnonzero((rows[:, 0] == t.GATEWAY_REQUEST) | (rows[:, 0] == t.GATEWAY_RESPONSE))
    if not len(gateways):
        return rows, sizes
    rows, sizes = rows.copy(), sizes.copy()
    for index in gateways:
        while rows[index, 0] in (t.GATEWAY_REQUEST, t.GATEWAY_RESPONSE):
            shift = 3 + int(rows[index, 2])
            if shift >= min(int(sizes[index]), _WIDTH):
                break
            rows[index] = np.concatenate([rows[index, shift:], np.zeros(shift, np.uint8)])
            sizes[index] = min(int(sizes[index]), _WIDTH) - shift
    return rows, sizes


# Reading places: every helper writes where the APDU is long enough.


def _number(rows: _Rows, place: int, size: int) -> NDArray[np.int64]:
    value = rows[:, place].astype(np.int64)
    for offset in range(place + 1, place + size):
        value = value << 8 | rows[:, offset]
    return value


def _put(column: NDArray[Any], out: _Index, value: NDArray[Any], there: NDArray[np.bool_]) -> None:
    if there.all():
        column[out] = value
    else:
        column[out[there]] = value[there]


def _descriptor(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: int, method: bool) -> None:
    """Class, logical name and member from `place` on."""
    there = sizes >= place + 9
    _put(found.class_id, out, _number(rows, place, 2), there)
    name = np.ascontiguousarray(rows[:, place : place + 8]).view(">u8").ravel() & np.uint64((1 << 48) - 1)
    _put(found.obis, out, name, there)
    member = rows[:, place + 8].astype(np.int16) if method else rows[:, place + 8].view(np.int8)
    _put(found.member, out, member, there)


def _header(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> NDArray[np.int64]:
    """Choice and invoke-id of GET, SET and ACTION; the choice (0 where the APDU is too short)."""
    _put(found.choice, out, rows[:, 1], sizes >= 2)
    _put(found.invoke_id, out, rows[:, 2] & 0x0F, sizes >= 3)
    return np.where(sizes >= 3, rows[:, 1], 0).astype(np.int64)


#: What stands behind choice and invoke-id: a descriptor, a list of them, a block number, a block.
_SINGLE, _LIST, _NUMBER, _BLOCK = "single", "list", "number", "block"
_REQUESTS = {
    t.GET_REQUEST: {1: _SINGLE, 2: _NUMBER, 3: _LIST},
    t.SET_REQUEST: {1: _SINGLE, 2: _SINGLE, 3: _BLOCK, 4: _LIST, 5: _LIST},
    t.ACTION_REQUEST: {1: _SINGLE, 2: _NUMBER, 3: _LIST, 4: _SINGLE, 5: _LIST, 6: _BLOCK},
}
_Reader = Callable[[_Rows, _Sizes, _Index, FirstLook], None]


def _groups(choices: NDArray[np.int64]) -> list[tuple[int, NDArray[np.intp] | slice]]:
    """The choices that occur, and which rows have them; all rows as a slice where there is one choice."""
    if len(choices) and (choices == choices[0]).all():
        return [(int(choices[0]), slice(None))]
    return [(int(choice), np.flatnonzero(choices == choice)) for choice in np.unique(choices)]


def _request(service: int) -> _Reader:
    places, method = _REQUESTS[service], service == t.ACTION_REQUEST

    def read(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
        for choice, index in _groups(_header(rows, sizes, out, found)):
            what = places.get(choice)
            if what == _SINGLE:
                _descriptor(rows[index], sizes[index], out[index], found, 3, method)
            elif what == _LIST:
                _descriptor(rows[index], sizes[index], out[index], found, 4, method)
            elif what == _NUMBER:
                _put(found.block, out[index], _number(rows[index], 3, 4), sizes[index] >= 7)
            elif what == _BLOCK:
                _block(rows[index], sizes[index], out[index], found)

    return read


def _block(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    """Last-block and number of a datablock behind the invoke-id."""
    _put(found.last_block, out, (rows[:, 3] != 0).astype(np.int8), sizes >= 4)
    _put(found.block, out, _number(rows, 4, 4), sizes >= 8)


def _outcome(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: int) -> None:
    """A choice at `place`: 0 data, 1 a data-access-result behind it."""
    code = np.where(rows[:, place] == 1, rows[:, place + 1], 0).astype(np.int16)
    there = (sizes > place) & ((rows[:, place] == 0) | ((rows[:, place] == 1) & (sizes > place + 1)))
    _put(found.result, out, code, there)


def _get_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        part = (rows[index], sizes[index], out[index], found)
        if choice == 1:
            _outcome(*part, 3)
        elif choice == 2:
            _block(*part)
            _outcome(*part, 8)
        elif choice == 3:
            _outcome(*part, 4)


def _set_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        chosen, size, place = rows[index], sizes[index], out[index]
        if choice in (1, 3):
            _put(found.result, place, chosen[:, 3], size >= 4)
        elif choice in (4, 5):
            _put(found.result, place, chosen[:, 4], (size >= 5) & (chosen[:, 3] > 0))
        if choice in (2, 3):
            at = choice + 1
            _put(found.block, place, _number(chosen, at, 4), size >= at + 4)


def _action_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        chosen, size, place = rows[index], sizes[index], out[index]
        if choice == 1:
            _put(found.result, place, chosen[:, 3], size >= 4)
        elif choice == 2:
            _block(chosen, size, place, found)
        elif choice == 3:
            _put(found.result, place, chosen[:, 4], (size >= 5) & (chosen[:, 3] > 0))
        elif choice == 4:
            _put(found.block, place, _number(chosen, 3, 4), size >= 7)


def _event(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    timed = (rows[:, 1] == 1) & (rows[:, 2] == 12)
    for chosen, place in ((rows[:, 1] == 0, 2), (timed, 15)):
        index = np.flatnonzero(chosen)
        if len(index):
            _descriptor(rows[index], sizes[index], out[index], found, place, False)


def _long_invoke(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _put(found.invoke_id, out, _number(rows, 2, 3), sizes >= 5)


def _access(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _long_invoke(rows, sizes, out, found)
    for moment in (0, 12):
        at = 6 + moment
        index = np.flatnonzero((rows[:, 5] == moment) & (rows[:, at] > 0) & (sizes > at + 1))
        if len(index):
            chosen = rows[index]
            found.choice[out[index]] = chosen[:, at + 1]
            method = chosen[:, at + 1] == 3
            for is_method in (False, True):
                those = np.flatnonzero(method == is_method)
                _descriptor(chosen[those], sizes[index][those], out[index][those], found, at + 2, is_method)


def _exception(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _put(found.result, out, rows[:, 2], sizes >= 3)


def _association_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    """The result of an AARE that has nothing unusual before it."""
    usual = (rows[:, 13:17] == np.array([0xA2, 0x03, 0x02, 0x01], np.uint8)).all(1)
    _put(found.result, out, rows[:, 17], usual & (sizes >= 18))


def _block_transfer(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _put(found.last_block, out, (rows[:, 1] >> 7).view(np.int8), sizes >= 2)
    _put(found.block, out, _number(rows, 2, 2), sizes >= 4)


def _security(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: NDArray[np.int64]) -> None:
    """Security control and invocation counter behind the length at `place`."""
    inside = place < _WIDTH - 9
    place = np.where(inside, place, 0)
    lines = np.arange(len(rows))
    form = rows[lines, place]
    at = place + np.where(form > 0x80, (form & 0x7F).astype(np.int64) + 1, 1)
    inside &= at < _WIDTH - 5
    at = np.where(inside, at, 0)
    control = rows[lines, at]
    _put(found.security, out, control, inside & (sizes > at))
    counter = np.zeros(len(rows), np.int64)
    for offset in range(1, 5):
        counter = counter << 8 | rows[lines, at + offset]
    protected = (control & 0x30) != 0
    _put(found.invocation_counter, out, counter, inside & protected & (sizes > at + 4))


def _ciphered(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _security(rows, sizes, out, found, np.ones(len(rows), np.int64))


def _general(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _security(rows, sizes, out, found, rows[:, 1].astype(np.int64) + 2)


_READERS: dict[int, _Reader] = {
    **{service: _request(service) for service in _REQUESTS},
    t.GET_RESPONSE: _get_response,
    t.SET_RESPONSE: _set_response,
    t.ACTION_RESPONSE: _action_response,
    t.EVENT_NOTIFICATION: _event,
    t.DATA_NOTIFICATION: _long_invoke,
    t.DATA_NOTIFICATION_CONFIRM: _long_invoke,
    t.ACCESS_REQUEST: _access,
    t.ACCESS_RESPONSE: _long_invoke,
    t.EXCEPTION_RESPONSE: _exception,
    t.AARE: _association_response,
    t.GENERAL_BLOCK_TRANSFER: _block_transfer,
    t.GENERAL_GLO: _general,
    t.GENERAL_DED: _general,
    **dict.fromkeys((*t.GLO_SERVICES, *t.DED_SERVICES), _ciphered),
}
