"""GET, SET and ACTION as values, requests and responses, each in its choices (IEC 62056-5-3).

`invoke` is Invoke-Id-And-Priority as it stands in the octet; `service_parts.invoke_octet` makes one.
"""

from dataclasses import dataclass
from typing import NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_codec import DATA
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_codecs import (
    Choices,
    Codec,
    flag,
    octet,
    octet_string,
    optional,
    record,
    sequence_of,
)
from cosemscope.application.encoding.service_parts import (
    ATTRIBUTE,
    BLOCK_NUMBER,
    DATA_ACCESS_ERROR,
    DATA_LIST,
    DATA_RESULT,
    DATA_RESULTS,
    DATABLOCK,
    INVOKE,
    METHOD,
    METHODS,
    RESULT,
    RESULT_LIST,
    SELECTED_ATTRIBUTES,
    SELECTION,
    DataAccessError,
    Datablock,
    SelectedAttribute,
    SelectiveAccess,
)

# GET.


@dataclass(frozen=True, slots=True)
class GetRequestNormal:
    """One attribute is asked for."""

    invoke: int
    reference: Reference
    selection: SelectiveAccess | None = None


@dataclass(frozen=True, slots=True)
class GetRequestNext:
    """Block `number` is here, the next one is asked for."""

    invoke: int
    number: int


@dataclass(frozen=True, slots=True)
class GetRequestWithList:
    """Several attributes are asked for."""

    invoke: int
    attributes: tuple[SelectedAttribute, ...]


@dataclass(frozen=True, slots=True)
class GetResponseNormal:
    """The value of one attribute, or why there is none."""

    invoke: int
    result: Data | DataAccessError


@dataclass(frozen=True, slots=True)
class GetResponseWithDatablock:
    """One block of a value (of GET-Request-Normal) or of a list of results, or why there is none."""

    invoke: int
    last: bool
    number: int
    result: bytes | DataAccessError


@dataclass(frozen=True, slots=True)
class GetResponseWithList:
    """The values of several attributes."""

    invoke: int
    results: tuple[Data | DataAccessError, ...]


_BLOCK_RESULT: Codec[bytes | DataAccessError] = Choices(
    "result of a block", {0: (bytes, octet_string("raw-data")), 1: (DataAccessError, DATA_ACCESS_ERROR)}
).codec
GET_REQUEST = Choices(
    "GET-Request",
    {
        1: (GetRequestNormal, record(GetRequestNormal, INVOKE, ATTRIBUTE, SELECTION)),
        2: (GetRequestNext, record(GetRequestNext, INVOKE, BLOCK_NUMBER)),
        3: (GetRequestWithList, record(GetRequestWithList, INVOKE, SELECTED_ATTRIBUTES)),
    },
)
_GET_BLOCK = record(GetResponseWithDatablock, INVOKE, flag("last-block"), BLOCK_NUMBER, _BLOCK_RESULT)
GET_RESPONSE = Choices(
    "GET-Response",
    {
        1: (GetResponseNormal, record(GetResponseNormal, INVOKE, DATA_RESULT)),
        2: (GetResponseWithDatablock, _GET_BLOCK),
        3: (GetResponseWithList, record(GetResponseWithList, INVOKE, DATA_RESULTS)),
    },
)

# SET.


@dataclass(frozen=True, slots=True)
class SetRequestNormal:
    """One attribute is to have a value."""

    invoke: int
    reference: Reference
    selection: SelectiveAccess | None
    value: Data


@dataclass(frozen=True, slots=True)
class SetRequestWithFirstDatablock:
    """One attribute is to have a value that comes in blocks."""

    invoke: int
    reference: Reference
    selection: SelectiveAccess | None
    block: Datablock


@dataclass(frozen=True, slots=True)
class SetRequestWithDatablock:
    """A further block of the value or of the values."""

    invoke: int
    block: Datablock


@dataclass(frozen=True, slots=True)
class SetRequestWithList:
    """Several attributes are to have values."""

    invoke: int
    attributes: tuple[SelectedAttribute, ...]
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class SetRequestWithListAndFirstDatablock:
    """Several attributes are to have values that come in blocks."""

    invoke: int
    attributes: tuple[SelectedAttribute, ...]
    block: Datablock


@dataclass(frozen=True, slots=True)
class SetResponseNormal:
    """What came of SET; 0 is success."""

    invoke: int
    result: int


@dataclass(frozen=True, slots=True)
class SetResponseDatablock:
    """Block `number` is here, the next may come."""

    invoke: int
    number: int


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablock:
    """The last block is here, and what came of it all."""

    invoke: int
    result: int
    number: int


@dataclass(frozen=True, slots=True)
class SetResponseLastDatablockWithList:
    """The last block is here, and what came of each attribute."""

    invoke: int
    results: tuple[int, ...]
    number: int


@dataclass(frozen=True, slots=True)
class SetResponseWithList:
    """What came of each attribute."""

    invoke: int
    results: tuple[int, ...]


SET_REQUEST = Choices(
    "SET-Request",
    {
        1: (SetRequestNormal, record(SetRequestNormal, INVOKE, ATTRIBUTE, SELECTION, DATA)),
        2: (
            SetRequestWithFirstDatablock,
            record(SetRequestWithFirstDatablock, INVOKE, ATTRIBUTE, SELECTION, DATABLOCK),
        ),
        3: (SetRequestWithDatablock, record(SetRequestWithDatablock, INVOKE, DATABLOCK)),
        4: (SetRequestWithList, record(SetRequestWithList, INVOKE, SELECTED_ATTRIBUTES, DATA_LIST)),
        5: (
            SetRequestWithListAndFirstDatablock,
            record(SetRequestWithListAndFirstDatablock, INVOKE, SELECTED_ATTRIBUTES, DATABLOCK),
        ),
    },
)
SET_RESPONSE = Choices(
    "SET-Response",
    {
        1: (SetResponseNormal, record(SetResponseNormal, INVOKE, RESULT)),
        2: (SetResponseDatablock, record(SetResponseDatablock, INVOKE, BLOCK_NUMBER)),
        3: (SetResponseLastDatablock, record(SetResponseLastDatablock, INVOKE, RESULT, BLOCK_NUMBER)),
        4: (
            SetResponseLastDatablockWithList,
            record(SetResponseLastDatablockWithList, INVOKE, RESULT_LIST, BLOCK_NUMBER),
        ),
        5: (SetResponseWithList, record(SetResponseWithList, INVOKE, RESULT_LIST)),
    },
)

# ACTION.


@dataclass(frozen=True, slots=True)
class ActionRequestNormal:
    """One method is to be invoked."""

    invoke: int
    reference: Reference
    parameters: Data | None = None


@dataclass(frozen=True, slots=True)
class ActionRequestNextPblock:
    """Block `number` of the return parameters is here, the next one is asked for."""

    invoke: int
    number: int


@dataclass(frozen=True, slots=True)
class ActionRequestWithList:
    """Several methods are to be invoked, each with its parameters (null-data for none)."""

    invoke: int
    methods: tuple[Reference, ...]
    parameters: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class ActionRequestWithFirstPblock:
    """One method is to be invoked with parameters that come in blocks."""

    invoke: int
    reference: Reference
    block: Datablock


@dataclass(frozen=True, slots=True)
class ActionRequestWithListAndFirstPblock:
    """Several methods are to be invoked with parameters that come in blocks."""

    invoke: int
    methods: tuple[Reference, ...]
    block: Datablock


@dataclass(frozen=True, slots=True)
class ActionRequestWithPblock:
    """A further block of parameters."""

    invoke: int
    block: Datablock


class ActionAnswer(NamedTuple):
    """What came of a method: `code` (0 is success), and what it returned, where it returned anything."""

    code: int
    returned: Data | DataAccessError | None = None


@dataclass(frozen=True, slots=True)
class ActionResponseNormal:
    """What came of one method."""

    invoke: int
    answer: ActionAnswer


@dataclass(frozen=True, slots=True)
class ActionResponseWithPblock:
    """One block of what came of it."""

    invoke: int
    block: Datablock


@dataclass(frozen=True, slots=True)
class ActionResponseWithList:
    """What came of each method."""

    invoke: int
    answers: tuple[ActionAnswer, ...]


@dataclass(frozen=True, slots=True)
class ActionResponseNextPblock:
    """Block `number` of the parameters is here, the next may come."""

    invoke: int
    number: int


_PARAMETERS = optional(DATA, "method-invocation-parameters")
ACTION_ANSWER = record(ActionAnswer, octet("action-result"), optional(DATA_RESULT, "return-parameters"))
ACTION_ANSWERS = sequence_of(ACTION_ANSWER, "answers")
ACTION_REQUEST = Choices(
    "ACTION-Request",
    {
        1: (ActionRequestNormal, record(ActionRequestNormal, INVOKE, METHOD, _PARAMETERS)),
        2: (ActionRequestNextPblock, record(ActionRequestNextPblock, INVOKE, BLOCK_NUMBER)),
        3: (ActionRequestWithList, record(ActionRequestWithList, INVOKE, METHODS, DATA_LIST)),
        4: (ActionRequestWithFirstPblock, record(ActionRequestWithFirstPblock, INVOKE, METHOD, DATABLOCK)),
        5: (
            ActionRequestWithListAndFirstPblock,
            record(ActionRequestWithListAndFirstPblock, INVOKE, METHODS, DATABLOCK),
        ),
        6: (ActionRequestWithPblock, record(ActionRequestWithPblock, INVOKE, DATABLOCK)),
    },
)
ACTION_RESPONSE = Choices(
    "ACTION-Response",
    {
        1: (ActionResponseNormal, record(ActionResponseNormal, INVOKE, ACTION_ANSWER)),
        2: (ActionResponseWithPblock, record(ActionResponseWithPblock, INVOKE, DATABLOCK)),
        3: (ActionResponseWithList, record(ActionResponseWithList, INVOKE, ACTION_ANSWERS)),
        4: (ActionResponseNextPblock, record(ActionResponseNextPblock, INVOKE, BLOCK_NUMBER)),
    },
)
