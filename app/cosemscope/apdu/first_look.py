"""The first look at APDUs: what stands in their first octets, for a whole batch at once, without trees.

Service, choice, invoke-id, object, result, block, security control, invocation counter and kind as NumPy
columns. The first 32 octets of each APDU are a row of a matrix; each kind of APDU then reads its places in
it. A place beyond an APDU's end is never read: the column keeps its "none". What stands further in (the
second item of a list, an invocation counter behind a long header) is for the tree.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosemscope.apdu.names import tags as t

#: Octets of an APDU that are looked at.
WIDTH = 32

_Rows = NDArray[np.uint8]
_Index = NDArray[np.intp]
_Sizes = NDArray[np.int64]
#: The columns of `FIRST_LOOK_FIELDS` by name, one entry an APDU.
FirstLook = Mapping[str, NDArray[Any]]


class ApduKind(IntEnum):
    """The part that an APDU plays in an exchange, by its service; `OTHER` where the service is not known.

    SET, ACTION and ACCESS requests are `UNCONFIRMED` by the service class of their invoke-id-and-priority
    (IEC 62056-5-3, 6.3); GET is always confirmed, whatever that bit says. Of a ciphered service the kind is
    that of the service inside; general- envelopes are `OTHER` until they have been opened.
    """

    OTHER = 0
    REQUEST = 1
    RESPONSE = 2
    UNCONFIRMED = 3  # a request that nobody answers
    NOTIFICATION = 4
    ASSOCIATION = 5  # AARQ, AARE, RLRQ, RLRE, ABRT, and the initiate services inside them

    @property
    def word(self) -> str:
        """The name for scripts: "request"."""
        return self.name.lower()


#: The columns of a first look. What an APDU does not have is -1, but 0 for `obis` and `kind`. `service`: the
#: first octet behind gateway prefixes; `choice`: the second octet of GET, SET and ACTION, of ACCESS that of
#: its first item; `invoke_id`: 4 bits, 24 for ACCESS and DataNotification; `class_id`, `obis` (the logical
#: name as a number of 48 bits), `member` (attribute, signed, or method): the object, there where `class_id`
#: is not -1; `result`: the data-access-result or action-result (0 where data came), for an exception its
#: service-error, for an AARE its result; of a list the first that is no success, and none where it stands
#: behind data of no simple type or beyond the octets looked at; `block`, `last_block`: of a transfer in
#: blocks; `general_block`, `general_last`: of a general-block-transfer's block with data, whatever it
#: carries; `general_ack`: the last block that it has of the other side's; `security`: the security control
#: octet; `invocation_counter`; `kind`: ApduKind. Of a list the others are those of the first item.
FIRST_LOOK_FIELDS: dict[str, str] = {
    "service": "i2",
    "choice": "i2",
    "invoke_id": "i4",
    "class_id": "i4",
    "obis": "u8",
    "member": "i2",
    "result": "i2",
    "block": "i8",
    "last_block": "i1",
    "general_block": "i4",
    "general_last": "i1",
    "general_ack": "i4",
    "security": "i2",
    "invocation_counter": "i8",
    "kind": "u1",
}
NOTHING_SEEN = {name: 0 if name in ("obis", "kind") else -1 for name in FIRST_LOOK_FIELDS}


def nothing_seen(count: int) -> FirstLook:
    """Columns of `count` APDUs in which nothing has been seen yet."""
    return {name: np.full(count, NOTHING_SEEN[name], dtype) for name, dtype in FIRST_LOOK_FIELDS.items()}


def look(apdus: Sequence[bytes]) -> FirstLook:
    """The first look at these APDUs."""
    found = nothing_seen(len(apdus))
    heads = np.frombuffer(b"".join(apdu[:WIDTH].ljust(WIDTH, b"\0") for apdu in apdus), np.uint8)
    look_at(heads.reshape(-1, WIDTH), np.fromiter(map(len, apdus), np.int64, len(apdus)), found)
    return found


def look_at(heads: _Rows, sizes: NDArray[Any], found: FirstLook, places: _Index | int = 0) -> None:
    """Look at `heads`, uint8[n, 32], the first octets of APDUs of `sizes` octets, and fill `found`.

    Entry `places[i]` (or `places + i`) of each column is that of head i; it holds `NOTHING_SEEN` before.
    """
    # Invariant: head i has sizes[i] octets and fills entry out[i], also when they have been put in order.
    present = np.flatnonzero(sizes > 0)
    out = present + places if isinstance(places, int) else places[present]
    if len(present) < len(sizes):
        heads, sizes = heads[present], sizes[present]
    heads, sizes = _behind_gateway(heads, np.minimum(sizes, WIDTH).astype(np.int64))
    service = heads[:, 0]
    found["service"][out] = service
    found["kind"][out] = _KINDS[service]
    order = np.argsort(service, kind="stable")
    heads, sizes, out = _rows(heads, order), sizes[order], out[order]
    edges = np.flatnonzero(np.diff(heads[:, 0], prepend=np.int16(-1), append=np.int16(256)))
    for begin, stop in pairwise(edges.tolist()):
        reader = _READERS.get(int(heads[begin, 0]))
        if reader is not None:
            reader(heads[begin:stop], sizes[begin:stop], out[begin:stop], found)


def _rows(heads: _Rows, index: _Index | slice) -> _Rows:
    """Rows of a matrix of heads: octets without a meaning are copied many times faster than rows."""
    if isinstance(index, slice):
        return heads[index]
    whole = np.ascontiguousarray(heads).view((np.void, WIDTH)).ravel()
    return whole[index].view(np.uint8).reshape(-1, WIDTH)


def _behind_gateway(rows: _Rows, sizes: _Sizes) -> tuple[_Rows, _Sizes]:
    """Rows that begin with a gateway prefix, moved up by it as far as the octets gathered allow."""
    gateways = np.flatnonzero((rows[:, 0] == t.GATEWAY_REQUEST) | (rows[:, 0] == t.GATEWAY_RESPONSE))
    if not len(gateways):
        return rows, sizes
    rows, sizes = rows.copy(), sizes.copy()
    for index in gateways:
        while rows[index, 0] in (t.GATEWAY_REQUEST, t.GATEWAY_RESPONSE):
            shift = 3 + int(rows[index, 2])
            if shift >= min(int(sizes[index]), WIDTH):
                break
            rows[index] = np.concatenate([rows[index, shift:], np.zeros(shift, np.uint8)])
            sizes[index] = min(int(sizes[index]), WIDTH) - shift
    return rows, sizes


# Reading places: every helper writes where the APDU is long enough.


def _number(rows: _Rows, place: int, size: int) -> NDArray[np.int64]:
    """The unsigned number of 2, 3, 4 or 8 octets that stands at `place` of every row."""
    if size == 3:
        return _number(rows, place, 2) << 8 | rows[:, place + 2]
    values: NDArray[Any] = np.ndarray((len(rows),), f">u{size}", rows, place, (WIDTH,))
    return values.astype(np.int64)


def _put(column: NDArray[Any], out: _Index, value: NDArray[Any], there: NDArray[np.bool_]) -> None:
    if there.all():
        column[out] = value
    else:
        column[out[there]] = value[there]


def _descriptor(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: int, method: bool) -> None:
    """Class, logical name and member from `place` on."""
    there = sizes >= place + 9
    _put(found["class_id"], out, _number(rows, place, 2), there)
    name = _number(rows, place, 8) & ((1 << 48) - 1)
    _put(found["obis"], out, name, there)
    member = rows[:, place + 8].astype(np.int16) if method else rows[:, place + 8].view(np.int8)
    _put(found["member"], out, member, there)


def _header(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> NDArray[np.int64]:
    """Choice and invoke-id of GET, SET and ACTION; the choice (0 where the APDU is too short)."""
    _put(found["choice"], out, rows[:, 1], sizes >= 2)
    _put(found["invoke_id"], out, rows[:, 2] & 0x0F, sizes >= 3)
    return np.where(sizes >= 3, rows[:, 1], 0).astype(np.int64)


#: What stands behind choice and invoke-id: a descriptor, a list of them, a block number, a block, a
#: descriptor and the first block.
_SINGLE, _LIST, _NUMBER, _BLOCK, _FIRST = "single", "list", "number", "block", "first"
_REQUESTS = {
    t.GET_REQUEST: {1: _SINGLE, 2: _NUMBER, 3: _LIST},
    t.SET_REQUEST: {1: _SINGLE, 2: _FIRST, 3: _BLOCK, 4: _LIST, 5: _LIST},
    t.ACTION_REQUEST: {1: _SINGLE, 2: _NUMBER, 3: _LIST, 4: _FIRST, 5: _LIST, 6: _BLOCK},
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
        if service != t.GET_REQUEST:
            _service_class(rows[:, 2], sizes >= 3, out, found)
        for choice, index in _groups(_header(rows, sizes, out, found)):
            what = places.get(choice)
            if what in (_SINGLE, _FIRST):
                _descriptor(_rows(rows, index), sizes[index], out[index], found, 3, method)
            elif what == _LIST:
                _descriptor(_rows(rows, index), sizes[index], out[index], found, 4, method)
            elif what == _NUMBER:
                _put(found["block"], out[index], _number(_rows(rows, index), 3, 4), sizes[index] >= 7)
            elif what == _BLOCK:
                _block(_rows(rows, index), sizes[index], out[index], found)
            if what == _FIRST:
                _first_block(_rows(rows, index), sizes[index], out[index], found, method)

    return read


def _service_class(octet: _Rows, there: NDArray[np.bool_], out: _Index, found: FirstLook) -> None:
    """Requests whose (long) invoke-id-and-priority has service class 0 want no answer."""
    found["kind"][out[there & ((octet & 0x40) == 0)]] = ApduKind.UNCONFIRMED


def _block(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: int = 3) -> None:
    """Last-block and number of a datablock, behind the invoke-id or at another place."""
    _put(found["last_block"], out, (rows[:, place] != 0).astype(np.int8), sizes > place)
    _put(found["block"], out, _number(rows, place + 1, 4), sizes >= place + 5)


def _first_block(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, method: bool) -> None:
    """The datablock behind a descriptor; SET has a selection before it, which must be none."""
    if method:
        _block(rows, sizes, out, found, 12)
        return
    plain = np.flatnonzero((rows[:, 12] == 0) & (sizes > 12))
    if len(plain):
        _block(_rows(rows, plain), sizes[plain], out[plain], found, 13)


def _outcome(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: int) -> None:
    """A choice at `place`: 0 data, 1 a data-access-result behind it."""
    code = np.where(rows[:, place] == 1, rows[:, place + 1], 0).astype(np.int16)
    there = (sizes > place) & ((rows[:, place] == 0) | ((rows[:, place] == 1) & (sizes > place + 1)))
    _put(found["result"], out, code, there)


#: Octets of data of simple types by tag, the tag among them, and of those that say how many follow; 0 for any
#: other.
_DATA_SIZES, _COUNTED = np.zeros(256, np.int64), (9, 10, 12)
for _size, _tags in {1: (0,), 2: (3, 13, 15, 17, 22), 3: (16, 18), 5: (5, 6, 23, 27)}.items():
    _DATA_SIZES[list(_tags)] = _size
_DATA_SIZES[[20, 21, 24]], _DATA_SIZES[25], _DATA_SIZES[26] = 9, 13, 6
_BEYOND = WIDTH + 1
#: Of the items at a place of each row: code (-1 for no result), octets up to its end, octets of the item.
_Items = tuple[_Sizes, _Sizes, _Sizes]


def _data_size(rows: _Rows, lines: _Index, at: _Sizes) -> _Sizes:
    """Octets of the data at these places; `_BEYOND` where that takes more than a look."""
    tag, follow = rows[lines, at], rows[lines, at + 1].astype(np.int64)
    size = np.where(np.isin(tag, _COUNTED) & (follow < 0x80), follow + 2, _DATA_SIZES[tag])
    return np.where(size > 0, size, _BEYOND)


def _data_item(rows: _Rows, lines: _Index, at: _Sizes) -> _Items:
    """Of GET and READ: 0 data, 1 a result."""
    code, upto, size = _write_item(rows, lines, at)
    return code, upto, np.where(size == 1, 1 + _data_size(rows, lines, at + 1), size)


def _write_item(rows: _Rows, lines: _Index, at: _Sizes) -> _Items:
    """Of WRITE: 0 success, 1 a result."""
    choice = rows[lines, at].astype(np.int64)
    code = np.where(choice == 1, rows[lines, at + 1], np.where(choice == 0, 0, -1))
    return code, choice + 1, choice + 1


def _code_item(rows: _Rows, lines: _Index, at: _Sizes) -> _Items:
    """Of SET: a result."""
    one = np.ones(len(at), np.int64)
    return rows[lines, at].astype(np.int64), one, one


def _action_item(rows: _Rows, lines: _Index, at: _Sizes) -> _Items:
    """Of ACTION: a result, and perhaps what the method returned."""
    _, _, returned = _data_item(rows, lines, at + 2)
    size = np.where(rows[lines, at + 1] == 0, 2, 2 + returned)
    return rows[lines, at].astype(np.int64), np.ones(len(at), np.int64), size


def _list_outcome(
    rows: _Rows,
    sizes: _Sizes,
    out: _Index,
    found: FirstLook,
    place: int,
    item: Callable[[_Rows, _Index, _Sizes], _Items],
) -> None:
    """The first result of a list that is no success, or success; its count stands at `place`."""
    count = rows[:, place].astype(np.int64)
    rows = np.pad(rows, ((0, 0), (0, 8)))
    lines = np.flatnonzero((sizes > place + 1) & (count > 0) & (count < 0x80))
    at = np.full(len(lines), place + 1, np.int64)
    # Invariant: the items before the place `at` of these lines are successes, and `at` is inside of the rows.
    for number in range(1, WIDTH):
        if not len(lines):
            break
        code, upto, size = item(rows, lines, at)
        known = (code >= 0) & (at + upto <= sizes[lines])
        told = known & ((code > 0) | (count[lines] == number))
        found["result"][out[lines[told]]] = code[told]
        more = known & ~told & (at + size < sizes[lines])
        lines, at = lines[more], (at + size)[more]


def _get_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        part = (_rows(rows, index), sizes[index], out[index], found)
        if choice == 1:
            _outcome(*part, 3)
        elif choice == 2:
            _block(*part)
            _outcome(*part, 8)
        elif choice == 3:
            _list_outcome(*part, 3, _data_item)


def _set_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        chosen, size, place = _rows(rows, index), sizes[index], out[index]
        if choice in (1, 3):
            _put(found["result"], place, chosen[:, 3], size >= 4)
        elif choice in (4, 5):
            _list_outcome(chosen, size, place, found, 3, _code_item)
        if choice in (2, 3):
            at = choice + 1
            _put(found["block"], place, _number(chosen, at, 4), size >= at + 4)


def _action_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    for choice, index in _groups(_header(rows, sizes, out, found)):
        chosen, size, place = _rows(rows, index), sizes[index], out[index]
        if choice == 1:
            _put(found["result"], place, chosen[:, 3], size >= 4)
        elif choice == 2:
            _block(chosen, size, place, found)
        elif choice == 3:
            _list_outcome(chosen, size, place, found, 3, _action_item)
        elif choice == 4:
            _put(found["block"], place, _number(chosen, 3, 4), size >= 7)


def _read_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _list_outcome(rows, sizes, out, found, 1, _data_item)


def _write_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _list_outcome(rows, sizes, out, found, 1, _write_item)


def _event(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    timed = (rows[:, 1] == 1) & (rows[:, 2] == 12)
    for chosen, place in ((rows[:, 1] == 0, 2), (timed, 15)):
        index = np.flatnonzero(chosen)
        if len(index):
            _descriptor(_rows(rows, index), sizes[index], out[index], found, place, False)


def _long_invoke(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _put(found["invoke_id"], out, _number(rows, 2, 3), sizes >= 5)


def _access(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _long_invoke(rows, sizes, out, found)
    _service_class(rows[:, 1], sizes >= 5, out, found)
    for moment in (0, 12):
        at = 6 + moment
        index = np.flatnonzero((rows[:, 5] == moment) & (rows[:, at] > 0) & (sizes > at + 1))
        if len(index):
            chosen = rows[index]
            found["choice"][out[index]] = chosen[:, at + 1]
            method = chosen[:, at + 1] == 3
            for is_method in (False, True):
                those = np.flatnonzero(method == is_method)
                if len(those):
                    part = chosen[those], sizes[index][those], out[index][those]
                    _descriptor(*part, found, at + 2, is_method)


def _exception(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _put(found["result"], out, rows[:, 2], sizes >= 3)


def _service_error(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    """The choice of a service error and the code in it, as one number."""
    code = rows[:, 2].astype(np.int16) << 8 | rows[:, 3]
    _put(found["result"], out, code, (sizes >= 4) & (rows[:, 2] < 0x80))


def _association_response(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    """The result of an AARE that has nothing unusual before it."""
    usual = (rows[:, 13:17] == np.array([0xA2, 0x03, 0x02, 0x01], np.uint8)).all(1)
    _put(found["result"], out, rows[:, 17], usual & (sizes >= 18))


def _block_transfer(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    last, number = (rows[:, 1] >> 7).view(np.int8), _number(rows, 2, 2)
    _put(found["last_block"], out, last, sizes >= 2)
    _put(found["block"], out, number, sizes >= 4)
    with_data = (sizes >= 7) & (rows[:, 6] != 0)
    _put(found["general_last"], out, last, with_data)
    _put(found["general_block"], out, number, with_data)
    _put(found["general_ack"], out, _number(rows, 4, 2), sizes >= 6)


def _security(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook, place: NDArray[np.int64]) -> None:
    """Security control and invocation counter behind the length at `place`."""
    inside = place < WIDTH - 9
    place = np.where(inside, place, 0)
    lines = np.arange(len(rows))
    form = rows[lines, place]
    at = place + np.where(form > 0x80, (form & 0x7F).astype(np.int64) + 1, 1)
    inside &= at < WIDTH - 5
    at = np.where(inside, at, 0)
    control = rows[lines, at]
    _put(found["security"], out, control, inside & (sizes > at))
    counter = np.zeros(len(rows), np.int64)
    for offset in range(1, 5):
        counter = counter << 8 | rows[lines, at + offset]
    protected = (control & 0x30) != 0
    _put(found["invocation_counter"], out, counter, inside & protected & (sizes > at + 4))


def _ciphered(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _security(rows, sizes, out, found, np.ones(len(rows), np.int64))


def _general(rows: _Rows, sizes: _Sizes, out: _Index, found: FirstLook) -> None:
    _security(rows, sizes, out, found, rows[:, 1].astype(np.int64) + 2)


_READERS: dict[int, _Reader] = {
    **{service: _request(service) for service in _REQUESTS},
    t.GET_RESPONSE: _get_response,
    t.SET_RESPONSE: _set_response,
    t.ACTION_RESPONSE: _action_response,
    t.READ_RESPONSE: _read_response,
    t.WRITE_RESPONSE: _write_response,
    t.EVENT_NOTIFICATION: _event,
    t.DATA_NOTIFICATION: _long_invoke,
    t.DATA_NOTIFICATION_CONFIRM: _long_invoke,
    t.ACCESS_REQUEST: _access,
    t.ACCESS_RESPONSE: _long_invoke,
    t.EXCEPTION_RESPONSE: _exception,
    t.CONFIRMED_SERVICE_ERROR: _service_error,
    t.AARE: _association_response,
    t.GENERAL_BLOCK_TRANSFER: _block_transfer,
    t.GENERAL_GLO: _general,
    t.GENERAL_DED: _general,
    **dict.fromkeys((*t.GLO_SERVICES, *t.DED_SERVICES), _ciphered),
}


_ACSE = (t.AARQ, t.AARE, t.RLRQ, t.RLRE, t.ABRT)
_PLAIN_KINDS: dict[int, ApduKind] = {
    **dict.fromkeys((*_ACSE, t.INITIATE_REQUEST, t.INITIATE_RESPONSE), ApduKind.ASSOCIATION),
    **dict.fromkeys((*_REQUESTS, t.ACCESS_REQUEST, t.READ_REQUEST, t.WRITE_REQUEST), ApduKind.REQUEST),
    **dict.fromkeys((t.GET_RESPONSE, t.SET_RESPONSE, t.ACTION_RESPONSE), ApduKind.RESPONSE),
    **dict.fromkeys((t.ACCESS_RESPONSE, t.READ_RESPONSE, t.WRITE_RESPONSE), ApduKind.RESPONSE),
    **dict.fromkeys((t.EXCEPTION_RESPONSE, t.CONFIRMED_SERVICE_ERROR), ApduKind.RESPONSE),
    t.DATA_NOTIFICATION_CONFIRM: ApduKind.RESPONSE,
    **dict.fromkeys((t.EVENT_NOTIFICATION, t.DATA_NOTIFICATION, t.INFORMATION_REPORT), ApduKind.NOTIFICATION),
    t.UNCONFIRMED_WRITE_REQUEST: ApduKind.UNCONFIRMED,
}


def _kinds() -> _Rows:
    """The kind of every service, uint8[256]; a ciphered service plays the part of the one inside."""
    kinds = np.zeros(256, np.uint8)
    for service, kind in _PLAIN_KINDS.items():
        kinds[service] = kind
    for service, inner in (*t.GLO_SERVICES.items(), *t.DED_SERVICES.items()):
        kinds[service] = kinds[inner]
    return kinds


_KINDS = _kinds()
