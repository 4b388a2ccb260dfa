"""One request and its answers, block by block: a generator that yields what to send and is sent what came.

Each takes an invoke octet and returns the results of its parts. An answer that does not fit raises
`UnfittingAnswerError`; whoever drives the generator sees to it that answers are of the right kind and
invoke-id.
Source: IEC 62056-5-3, GET, SET and ACTION with service-specific block transfer.
"""

from collections.abc import Generator
from typing import Any, TypeAlias

from cosemscope.apdu.context import Reference
from cosemscope.application.client.service_operations import (
    Act,
    Get,
    PartResult,
    Set,
    result_of_act,
    result_of_get,
    result_of_set,
)
from cosemscope.application.encoding.apdus import encode_data, parse_data
from cosemscope.application.encoding.data_values import NULL_DATA, Data
from cosemscope.application.encoding.get_set_action import (
    ACTION_ANSWER,
    ACTION_ANSWERS,
    ActionAnswer,
    ActionRequestNextPblock,
    ActionRequestNormal,
    ActionRequestWithFirstPblock,
    ActionRequestWithList,
    ActionRequestWithPblock,
    ActionResponseNextPblock,
    ActionResponseNormal,
    ActionResponseWithList,
    ActionResponseWithPblock,
    GetRequestNext,
    GetRequestNormal,
    GetRequestWithList,
    GetResponseNormal,
    GetResponseWithDatablock,
    GetResponseWithList,
    SetRequestNormal,
    SetRequestWithDatablock,
    SetRequestWithFirstDatablock,
    SetRequestWithList,
    SetResponseDatablock,
    SetResponseLastDatablock,
    SetResponseNormal,
    SetResponseWithList,
)
from cosemscope.application.encoding.octet_codecs import Codec
from cosemscope.application.encoding.octet_reader import OctetReader, ParseError
from cosemscope.application.encoding.service_parts import DATA_RESULTS, DataAccessError, Datablock

#: Yields APDUs to send, is sent APDUs that came, returns the results.
ServiceStep: TypeAlias = Generator[Any, Any, tuple[PartResult, ...]]


class UnfittingAnswerError(ValueError):
    """An answer that does not fit its request; the sentence says what was expected."""


def get_step(invoke: int, operation: Get, most_octets: int) -> ServiceStep:
    """Read attributes by one request."""
    attributes = operation.attributes
    references = [one.reference for one in attributes]
    if len(attributes) == 1:
        response = yield GetRequestNormal(invoke, *attributes[0])
    else:
        response = yield GetRequestWithList(invoke, attributes)
    results: tuple[Data | DataAccessError, ...]
    if isinstance(response, GetResponseWithDatablock):
        results = yield from _blocks_of_get(invoke, response, len(attributes), most_octets)
    elif isinstance(response, GetResponseNormal) and len(attributes) == 1:
        results = (response.result,)
    elif isinstance(response, GetResponseWithList):
        results = response.results
    else:
        raise _unfitting(response, f"values of {len(attributes)} attributes")
    _check_number(results, len(attributes), "attributes")
    return tuple(map(result_of_get, references, results))


def _blocks_of_get(
    invoke: int, response: Any, count: int, most_octets: int
) -> Generator[Any, Any, tuple[Data | DataAccessError, ...]]:
    joined = bytearray()
    number = 1
    while True:
        if not isinstance(response, GetResponseWithDatablock):
            raise _unfitting(response, f"block {number} of a GET response")
        if isinstance(response.result, DataAccessError):
            return (response.result,) * count
        _check_block(response.number, number)
        _join(joined, response.result, most_octets)
        if response.last:
            break
        response = yield GetRequestNext(invoke, number)
        number += 1
    if count == 1:
        return (_parsed(parse_data, bytes(joined), "value"),)
    results: tuple[Data | DataAccessError, ...] = _read_all(DATA_RESULTS, bytes(joined), "list of results")
    return results


def set_step(invoke: int, operation: Set, block_size: int | None) -> ServiceStep:
    """Write attributes by one request; one value in blocks of `block_size` octets where that is given."""
    attributes, values = operation.attributes, operation.values
    references = [one.reference for one in attributes]
    results: tuple[int, ...]
    if block_size is not None:
        results = ((yield from _blocks_of_set(invoke, operation, block_size)),)
    elif len(attributes) == 1:
        response = yield SetRequestNormal(invoke, *attributes[0], values[0])
        if not isinstance(response, SetResponseNormal):
            raise _unfitting(response, "the result of a SET")
        results = (response.result,)
    else:
        response = yield SetRequestWithList(invoke, attributes, values)
        if not isinstance(response, SetResponseWithList):
            raise _unfitting(response, f"the results of a SET of {len(attributes)} attributes")
        results = response.results
    _check_number(results, len(attributes), "attributes")
    return tuple(map(result_of_set, references, results))


def _blocks_of_set(invoke: int, operation: Set, size: int) -> Generator[Any, Any, int]:
    blocks = _cut(encode_data(operation.values[0]), size)
    reference, selection = operation.attributes[0]
    response = yield SetRequestWithFirstDatablock(invoke, reference, selection, blocks[0])
    for block in blocks[1:]:
        if isinstance(response, (SetResponseLastDatablock, SetResponseNormal)):
            return response.result or _REFUSED  # no more is wanted: it cannot have succeeded
        if not isinstance(response, SetResponseDatablock):
            raise _unfitting(response, f"an acknowledgement of block {block.number - 1}")
        _check_block(response.number, block.number - 1)
        response = yield SetRequestWithDatablock(invoke, block)
    if isinstance(response, (SetResponseLastDatablock, SetResponseNormal)):
        return response.result
    raise _unfitting(response, "the result after the last block of a SET")


#: Data-Access-Result other-reason.
_REFUSED = 250


def act_step(invoke: int, operation: Act, block_size: int | None, most_octets: int) -> ServiceStep:
    """Invoke methods by one request; parameters in blocks of `block_size` octets where that is given."""
    methods, parameters = operation.methods, operation.parameters
    if block_size is not None:
        response = yield from _blocks_of_act(invoke, methods[0], parameters[0], block_size)
    elif len(methods) == 1:
        given = None if parameters[0] == NULL_DATA else parameters[0]
        response = yield ActionRequestNormal(invoke, methods[0], given)
    else:
        response = yield ActionRequestWithList(invoke, methods, parameters)
    answers: tuple[ActionAnswer, ...]
    if isinstance(response, ActionResponseWithPblock):
        answers = yield from _returned_blocks(invoke, response, len(methods), most_octets)
    elif isinstance(response, ActionResponseNormal) and len(methods) == 1:
        answers = (response.answer,)
    elif isinstance(response, ActionResponseWithList):
        answers = response.answers
    else:
        raise _unfitting(response, f"what came of {len(methods)} methods")
    _check_number(answers, len(methods), "methods")
    return tuple(map(result_of_act, methods, answers))


def _blocks_of_act(invoke: int, method: Reference, parameters: Data, size: int) -> Generator[Any, Any, Any]:
    """Send the parameters in blocks; returns the response to the last one."""
    blocks = _cut(encode_data(parameters), size)
    response = yield ActionRequestWithFirstPblock(invoke, method, blocks[0])
    for block in blocks[1:]:
        if isinstance(response, ActionResponseNormal):
            return response
        if not isinstance(response, ActionResponseNextPblock):
            raise _unfitting(response, f"an acknowledgement of block {block.number - 1}")
        _check_block(response.number, block.number - 1)
        response = yield ActionRequestWithPblock(invoke, block)
    return response


def _returned_blocks(
    invoke: int, response: Any, count: int, most_octets: int
) -> Generator[Any, Any, tuple[ActionAnswer, ...]]:
    joined = bytearray()
    number = 1
    while True:
        if not isinstance(response, ActionResponseWithPblock):
            raise _unfitting(response, f"block {number} of an ACTION response")
        _check_block(response.block.number, number)
        _join(joined, response.block.octets, most_octets)
        if response.block.last:
            break
        response = yield ActionRequestNextPblock(invoke, number)
        number += 1
    octets = bytes(joined)
    if count > 1:
        answers: tuple[ActionAnswer, ...] = _read_all(ACTION_ANSWERS, octets, "list of answers")
        return answers
    # The standard leaves room: the blocks hold what was returned, or the whole answer with its code.
    try:
        return (ActionAnswer(0, parse_data(octets)),)
    except ParseError:
        return (_read_all(ACTION_ANSWER, octets, "answer"),)


# Blocks.


def _cut(octets: bytes, size: int) -> list[Datablock]:
    starts = range(0, len(octets), size)
    return [
        Datablock(start + size >= len(octets), index, octets[start : start + size])
        for index, start in enumerate(starts, 1)
    ]


def _join(joined: bytearray, octets: bytes, most: int) -> None:
    if len(joined) + len(octets) > most:
        raise UnfittingAnswerError(f"more than the {most} octets in blocks that are joined")
    joined += octets


def _check_block(found: int, expected: int) -> None:
    if found != expected:
        raise UnfittingAnswerError(f"block {found} came where block {expected} was due")


def _check_number(results: tuple[Any, ...], count: int, what: str) -> None:
    if len(results) != count:
        raise UnfittingAnswerError(f"{len(results)} results came for {count} {what}")


def _unfitting(response: Any, expected: str) -> UnfittingAnswerError:
    return UnfittingAnswerError(f"expected {expected}, {type(response).__name__} came")


def _parsed(parse: Any, octets: bytes, what: str) -> Any:
    try:
        return parse(octets)
    except ParseError as reason:
        raise UnfittingAnswerError(f"the joined blocks hold no {what}: {reason}") from None


def _read_all(codec: Codec[Any], octets: bytes, what: str) -> Any:
    def read(octets: bytes) -> Any:
        reader = OctetReader(octets)
        value = codec.read(reader)
        reader.finish(what)
        return value

    return _parsed(read, octets, what)
