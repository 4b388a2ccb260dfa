"""GET, SET, ACTION and ACCESS of one association: requests in, responses out, long ones in blocks.

A response is its octets, so that a long value is encoded once and cut where the client's size ends.
Source: IEC 62056-5-3, the services and their block transfer.
"""

from collections.abc import Callable
from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.apdus import encode
from cosemscope.application.encoding.data_codec import DATA, read_data
from cosemscope.application.encoding.data_values import NULL_DATA, Data
from cosemscope.application.encoding.notifications import (
    AccessAction,
    AccessGet,
    AccessGetWithSelection,
    AccessOutcome,
    AccessRequest,
    AccessResponse,
    AccessSet,
    AccessSetWithSelection,
    ExceptionResponse,
)
from cosemscope.application.encoding.octet_codecs import write_count
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError
from cosemscope.application.encoding.service_parts import (
    CONFIRMED,
    DATA_LIST,
    DataAccessError,
    Datablock,
    SelectiveAccess,
)
from cosemscope.application.meter import association_terms as c
from cosemscope.application.meter.association_terms import AgreedTerms
from cosemscope.application.meter.long_transfers import IncomingBlocks, OutgoingBlocks
from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.application.meter.objects.cosem_object import (
    OTHER_REASON,
    OUT_OF_SCOPE,
    SUCCESS,
    UNMATCHED_TYPE,
    ObjectModel,
    RefusedAccess,
    octets_of,
)

LONG_GET_ABORTED, NO_LONG_GET, LONG_SET_ABORTED, NO_LONG_SET, WRONG_BLOCK = 15, 16, 17, 18, 19
LONG_ACTION_ABORTED, NO_LONG_ACTION = 15, 16
PDU_TOO_LONG = 4
#: Octets of a block of a response beside its data: tag, choice, invoke-id, last, number, choice, length.
_BLOCK_OVERHEAD = 14
_LEAST_BLOCK = 1
#: Octets of the results of a list, after which no more values are read.
_MOST_RESULTS = 1 << 22
_GET, _ACTION = 0xC4, 0xC7


class ServiceDesk:
    """Serves one association. `room` gives the octets that an answer may have, before protection."""

    def __init__(self, model: ObjectModel, agreed: AgreedTerms, faults: MeterFaults) -> None:
        self._model = model
        self._agreed = agreed
        self._faults = faults
        self._outgoing: dict[int, OutgoingBlocks] = {}
        self._incoming: dict[int, IncomingBlocks] = {}
        self._room = 0xFFFF
        self._now = 0.0

    def answer(self, request: Any, room: int, now: float) -> bytes | None:
        """The response to a request, of at most `room` octets; None where none is wanted."""
        entry = _SERVED.get(type(request))
        if entry is None or not self._agreed.conformance & entry[0]:
            # service-not-allowed or -unknown, service-not-supported
            return encode(ExceptionResponse(1 if entry else 2, 2))
        if (type(request) in _LISTS) and not self._agreed.conformance & c.MULTIPLE:
            return encode(ExceptionResponse(1, 2))
        self._room, self._now = room, now
        response = entry[1](self, request)
        unconfirmed = entry[0] & (c.SET | c.ACTION) and not request.invoke & CONFIRMED
        return None if unconfirmed else response

    # GET.

    def _value(self, reference: Reference, selection: SelectiveAccess | None) -> bytes:
        """Get-Data-Result of an attribute: its octets."""
        if selection is not None and not self._agreed.conformance & c.SELECTIVE:
            return bytes((1, OUT_OF_SCOPE))
        try:
            return b"\0" + octets_of(self._model.read(reference, selection, self._now))
        except RefusedAccess as refusal:
            return bytes((1, refusal.code))

    def get_normal(self, request: g.GetRequestNormal) -> bytes:
        """One attribute; in blocks where it is longer than the client takes."""
        result = self._value(request.reference, request.selection)
        whole = bytes((_GET, 1, request.invoke)) + result
        if len(whole) <= self._room:
            self._outgoing.pop(_GET, None)
            return whole
        return self._begin_get(request.invoke, result[1:])

    def get_list(self, request: g.GetRequestWithList) -> bytes:
        """Several attributes."""
        results = bytearray()
        write_count(results, len(request.attributes))
        for reference, selection in request.attributes:
            room = len(results) < _MOST_RESULTS
            results += self._value(reference, selection) if room else bytes((1, OTHER_REASON))
        whole = bytes((_GET, 3, request.invoke)) + results
        return whole if len(whole) <= self._room else self._begin_get(request.invoke, bytes(results))

    def _begin_get(self, invoke: int, octets: bytes) -> bytes:
        if not self._agreed.conformance & c.GET_BLOCKS:
            return encode(g.GetResponseNormal(invoke, DataAccessError(OTHER_REASON)))
        size = max(self._room - _BLOCK_OVERHEAD, _LEAST_BLOCK)
        self._outgoing[_GET] = OutgoingBlocks(octets, size, invoke)
        return self._next_get()

    def get_next(self, request: g.GetRequestNext) -> bytes:
        """The next block."""
        blocks = self._outgoing.get(_GET)
        if blocks is None or (blocks.invoke ^ request.invoke) & 0x0F or request.number != blocks.number:
            code = NO_LONG_GET if blocks is None else WRONG_BLOCK
            self._outgoing.pop(_GET, None)
            refused = g.GetResponseWithDatablock(request.invoke, True, request.number, DataAccessError(code))
            return encode(refused)
        return self._next_get()

    def _next_get(self) -> bytes:
        blocks = self._outgoing[_GET]
        last, number, octets = blocks.next()
        if number == 2 and not last and self._faults.strikes(self._faults.block_lost):
            last, number, octets = blocks.next()
        if last:
            del self._outgoing[_GET]
        return encode(g.GetResponseWithDatablock(blocks.invoke, last, number, octets))

    # SET.

    def _set(self, reference: Reference, selection: SelectiveAccess | None, value: Data) -> int:
        try:
            self._model.write(reference, selection, value, self._now)
        except RefusedAccess as refusal:
            return refusal.code
        return SUCCESS

    def set_normal(self, request: g.SetRequestNormal) -> bytes:
        """One attribute."""
        code = self._set(request.reference, request.selection, request.value)
        return encode(g.SetResponseNormal(request.invoke, code))

    def set_list(self, request: g.SetRequestWithList) -> bytes:
        """Several attributes, in order."""
        return encode(g.SetResponseWithList(request.invoke, self._set_all(request, request.values)))

    def _set_all(self, request: Any, values: tuple[Data, ...]) -> tuple[int, ...]:
        if len(values) != len(request.attributes):
            return (OTHER_REASON,) * len(request.attributes)
        pairs = zip(request.attributes, values, strict=True)
        return tuple(self._set(one.reference, one.selection, value) for one, value in pairs)

    def set_first(self, request: Any) -> bytes:
        """The first block of the value, or of the values, of one or several attributes."""
        if not self._agreed.conformance & c.SET_BLOCKS:
            return encode(ExceptionResponse(1, 2))
        return self._take_set(request.invoke, IncomingBlocks(request), request.block)

    def set_block(self, request: g.SetRequestWithDatablock) -> bytes:
        """A further block."""
        blocks = self._incoming.pop(_GET, None)
        if blocks is None or (blocks.begun.invoke ^ request.invoke) & 0x0F:
            refused = g.SetResponseLastDatablock(request.invoke, NO_LONG_SET, request.block.number)
            return encode(refused)
        return self._take_set(request.invoke, blocks, request.block)

    def _take_set(self, invoke: int, blocks: IncomingBlocks, block: Datablock) -> bytes:
        self._incoming.pop(_GET, None)
        if not blocks.take(block.number, block.octets):
            return encode(g.SetResponseLastDatablock(invoke, WRONG_BLOCK, block.number))
        if not block.last:
            self._incoming[_GET] = blocks
            return encode(g.SetResponseDatablock(invoke, block.number))
        begun, octets = blocks.begun, bytes(blocks.octets)
        if isinstance(begun, g.SetRequestWithFirstDatablock):
            value = _one_value(octets)
            code = UNMATCHED_TYPE if value is None else self._set(begun.reference, begun.selection, value)
            return encode(g.SetResponseLastDatablock(invoke, code, block.number))
        codes = self._set_all(begun, _values(octets) or ())
        return encode(g.SetResponseLastDatablockWithList(invoke, codes, block.number))

    # ACTION.

    def _act(self, reference: Reference, parameters: Data | None) -> g.ActionAnswer:
        try:
            returned = self._model.act(reference, parameters, self._now)
        except RefusedAccess as refusal:
            return g.ActionAnswer(refusal.code)
        return g.ActionAnswer(SUCCESS, returned)

    def act_normal(self, request: g.ActionRequestNormal) -> bytes:
        """One method."""
        answer = self._act(request.reference, request.parameters)
        whole = encode(g.ActionResponseNormal(request.invoke, answer))
        return whole if len(whole) <= self._room else self._begin_action(request.invoke, whole[3:])

    def act_list(self, request: g.ActionRequestWithList) -> bytes:
        """Several methods, in order."""
        return self._act_all(request, request.parameters)

    def _act_all(self, request: Any, parameters: tuple[Data, ...]) -> bytes:
        if len(parameters) != len(request.methods):
            answers = tuple(g.ActionAnswer(OTHER_REASON) for _ in request.methods)
        else:
            pairs = zip(request.methods, parameters, strict=True)
            answers = tuple(self._act(method, None if one == NULL_DATA else one) for method, one in pairs)
        whole = encode(g.ActionResponseWithList(request.invoke, answers))
        return whole if len(whole) <= self._room else self._begin_action(request.invoke, whole[3:])

    def _begin_action(self, invoke: int, octets: bytes) -> bytes:
        if not self._agreed.conformance & c.ACTION_BLOCKS:
            return encode(g.ActionResponseNormal(invoke, g.ActionAnswer(OTHER_REASON)))
        size = max(self._room - _BLOCK_OVERHEAD, _LEAST_BLOCK)
        self._outgoing[_ACTION] = OutgoingBlocks(octets, size, invoke)
        return self._next_action()

    def _next_action(self) -> bytes:
        blocks = self._outgoing[_ACTION]
        block = Datablock(*blocks.next())
        if block.last:
            del self._outgoing[_ACTION]
        return encode(g.ActionResponseWithPblock(blocks.invoke, block))

    def act_next(self, request: g.ActionRequestNextPblock) -> bytes:
        """The next block of what methods returned."""
        blocks = self._outgoing.get(_ACTION)
        if blocks is None or request.number != blocks.number:
            self._outgoing.pop(_ACTION, None)
            return encode(g.ActionResponseNormal(request.invoke, g.ActionAnswer(NO_LONG_ACTION)))
        return self._next_action()

    def act_first(self, request: Any) -> bytes:
        """The first block of the parameters of one or several methods."""
        if not self._agreed.conformance & c.ACTION_BLOCKS:
            return encode(ExceptionResponse(1, 2))
        return self._take_action(request.invoke, IncomingBlocks(request), request.block)

    def act_block(self, request: g.ActionRequestWithPblock) -> bytes:
        """A further block of parameters."""
        blocks = self._incoming.pop(_ACTION, None)
        if blocks is None or (blocks.begun.invoke ^ request.invoke) & 0x0F:
            return encode(g.ActionResponseNormal(request.invoke, g.ActionAnswer(NO_LONG_ACTION)))
        return self._take_action(request.invoke, blocks, request.block)

    def _take_action(self, invoke: int, blocks: IncomingBlocks, block: Datablock) -> bytes:
        self._incoming.pop(_ACTION, None)
        if not blocks.take(block.number, block.octets):
            return encode(g.ActionResponseNormal(invoke, g.ActionAnswer(LONG_ACTION_ABORTED)))
        if not block.last:
            self._incoming[_ACTION] = blocks
            return encode(g.ActionResponseNextPblock(invoke, block.number))
        begun, octets = blocks.begun, bytes(blocks.octets)
        if isinstance(begun, g.ActionRequestWithFirstPblock):
            value = _one_value(octets)
            if value is None:
                return encode(g.ActionResponseNormal(invoke, g.ActionAnswer(UNMATCHED_TYPE)))
            return self.act_normal(g.ActionRequestNormal(invoke, begun.reference, value))
        return self._act_all(begun, _values(octets) or ())

    # ACCESS.

    def access(self, request: AccessRequest) -> bytes | None:
        """Gets, sets and actions in one request; the client repeats it in parts where it is too long."""
        values: list[Data] = []
        outcomes: list[AccessOutcome] = []
        too_long = encode(ExceptionResponse(1, PDU_TOO_LONG))
        given = request.values
        if len(given) != len(request.specifications):
            given = (NULL_DATA,) * len(request.specifications)
        for specification, value in zip(request.specifications, given, strict=True):
            found = self._access_one(specification, value)
            if found is None:
                return too_long
            choice, code, returned = found
            outcomes.append(AccessOutcome(choice, code))
            values.append(returned)
        response = AccessResponse(request.long_invoke, b"", None, tuple(values), tuple(outcomes))
        whole = encode(response)
        return whole if len(whole) <= self._room else too_long

    def _access_one(self, specification: Any, value: Data) -> tuple[int, int, Data] | None:
        """Choice, code and value of one specification; None where the value is too long for a response."""
        match specification:
            case AccessGet(reference):
                result = self._value(reference, None)
            case AccessGetWithSelection(reference, selection):
                result = self._value(reference, selection)
            case AccessSet(reference):
                return 2, self._set(reference, None, value), NULL_DATA
            case AccessSetWithSelection(reference, selection):
                return 2, self._set(reference, selection, value), NULL_DATA
            case AccessAction(reference):
                code, returned = self._act(reference, None if value == NULL_DATA else value)
                return 3, code, returned if isinstance(returned, Data) else NULL_DATA
        if result[0]:
            return 1, result[1], NULL_DATA
        if len(result) > self._room:
            return None
        return 1, SUCCESS, read_data(OctetReader(result, 1))


def _one_value(octets: bytes) -> Data | None:
    """The value that blocks have brought; None where they are none."""
    found: Data | None = _read(octets, DATA.read)
    return found


def _values(octets: bytes) -> tuple[Data, ...] | None:
    found: tuple[Data, ...] | None = _read(octets, DATA_LIST.read)
    return found


def _read(octets: bytes, read: Callable[[OctetReader], Any]) -> Any:
    reader = OctetReader(octets)
    try:
        value = read(reader)
        reader.finish("blocks")
    except ParseError:
        return None
    return value


#: Requests: what has to be agreed on for each, and who serves it.
_SERVED: dict[type, tuple[int, Callable[[ServiceDesk, Any], bytes | None]]] = {
    g.GetRequestNormal: (c.GET, ServiceDesk.get_normal),
    g.GetRequestNext: (c.GET, ServiceDesk.get_next),
    g.GetRequestWithList: (c.GET, ServiceDesk.get_list),
    g.SetRequestNormal: (c.SET, ServiceDesk.set_normal),
    g.SetRequestWithFirstDatablock: (c.SET, ServiceDesk.set_first),
    g.SetRequestWithDatablock: (c.SET, ServiceDesk.set_block),
    g.SetRequestWithList: (c.SET, ServiceDesk.set_list),
    g.SetRequestWithListAndFirstDatablock: (c.SET, ServiceDesk.set_first),
    g.ActionRequestNormal: (c.ACTION, ServiceDesk.act_normal),
    g.ActionRequestNextPblock: (c.ACTION, ServiceDesk.act_next),
    g.ActionRequestWithList: (c.ACTION, ServiceDesk.act_list),
    g.ActionRequestWithFirstPblock: (c.ACTION, ServiceDesk.act_first),
    g.ActionRequestWithListAndFirstPblock: (c.ACTION, ServiceDesk.act_first),
    g.ActionRequestWithPblock: (c.ACTION, ServiceDesk.act_block),
    AccessRequest: (c.ACCESS, ServiceDesk.access),
}
_LISTS = frozenset(
    (
        g.GetRequestWithList,
        g.SetRequestWithList,
        g.SetRequestWithListAndFirstDatablock,
        g.ActionRequestWithList,
        g.ActionRequestWithListAndFirstPblock,
    )
)
