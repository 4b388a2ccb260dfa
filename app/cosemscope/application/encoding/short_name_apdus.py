"""Services with short names as values: read, write, unconfirmed write, information report (IEC 62056-5-3)."""

from dataclasses import dataclass
from types import NoneType
from typing import Any, TypeAlias

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
    unsigned_number,
)
from cosemscope.application.encoding.service_parts import DATA_ACCESS_ERROR, DATA_LIST, DataAccessError

# Variable-Access-Specification.


@dataclass(frozen=True, slots=True)
class VariableName:
    """A short name: the base name of an object and the offset of an attribute or method."""

    name: int


@dataclass(frozen=True, slots=True)
class ParameterizedAccess:
    """A short name with selective access, or with the parameters of a method."""

    name: int
    selector: int
    parameter: Data


@dataclass(frozen=True, slots=True)
class BlockNumberAccess:
    """Block `number` of a response is here, the next is asked for."""

    number: int


@dataclass(frozen=True, slots=True)
class ReadDataBlockAccess:
    """A block of a request to read that is too long for one APDU."""

    last: bool
    number: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class WriteDataBlockAccess:
    """The number of a block of a request to write; its octets are the one value of the list."""

    last: bool
    number: int


VariableAccess: TypeAlias = (
    VariableName | ParameterizedAccess | BlockNumberAccess | ReadDataBlockAccess | WriteDataBlockAccess
)
_NAME = unsigned_number(2, "variable-name")
_NUMBER = unsigned_number(2, "block-number")
_LAST = flag("last-block")
_RAW = octet_string("raw-data")
_SPECIFICATIONS: Codec[tuple[VariableAccess, ...]] = sequence_of(
    Choices(
        "Variable-Access-Specification",
        {
            2: (VariableName, record(VariableName, _NAME)),
            4: (ParameterizedAccess, record(ParameterizedAccess, _NAME, octet("selector"), DATA)),
            5: (BlockNumberAccess, record(BlockNumberAccess, _NUMBER)),
            6: (ReadDataBlockAccess, record(ReadDataBlockAccess, _LAST, _NUMBER, _RAW)),
            7: (WriteDataBlockAccess, record(WriteDataBlockAccess, _LAST, _NUMBER)),
        },
    ).codec,
    "variable access specifications",
)

# Requests.


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Variables are asked for."""

    specifications: tuple[VariableAccess, ...]


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """Variables are to have values."""

    specifications: tuple[VariableAccess, ...]
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class UnconfirmedWriteRequest:
    """Variables are to have values, and no answer is wanted."""

    specifications: tuple[VariableAccess, ...]
    values: tuple[Data, ...]


@dataclass(frozen=True, slots=True)
class InformationReport:
    """Variables and their values, told without being asked; `time` is a GeneralizedTime (X.680)."""

    time: bytes | None
    specifications: tuple[VariableAccess, ...]
    values: tuple[Data, ...]


READ_REQUEST = record(ReadRequest, _SPECIFICATIONS)
WRITE_REQUEST = record(WriteRequest, _SPECIFICATIONS, DATA_LIST)
UNCONFIRMED_WRITE_REQUEST = record(UnconfirmedWriteRequest, _SPECIFICATIONS, DATA_LIST)
INFORMATION_REPORT = record(
    InformationReport, optional(octet_string("current-time"), "current-time"), _SPECIFICATIONS, DATA_LIST
)

# Responses.


@dataclass(frozen=True, slots=True)
class DataBlockResult:
    """A block of the results."""

    last: bool
    number: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class BlockNumberResult:
    """Block `number` is here, the next may come."""

    number: int


@dataclass(frozen=True, slots=True)
class ReadResponse:
    """What came of each variable: its value, or why there is none."""

    results: tuple[Data | DataAccessError | DataBlockResult | BlockNumberResult, ...]


@dataclass(frozen=True, slots=True)
class WriteResponse:
    """What came of each variable: None for success."""

    results: tuple[DataAccessError | BlockNumberResult | None, ...]


_NOTHING: Codec[None] = Codec(lambda out, value: None, lambda reader: None)
_BLOCK_NUMBER = record(BlockNumberResult, _NUMBER)
_READ_RESULTS: dict[int, tuple[type, Codec[Any]]] = {
    0: (Data, DATA),
    1: (DataAccessError, DATA_ACCESS_ERROR),
    2: (DataBlockResult, record(DataBlockResult, _LAST, _NUMBER, _RAW)),
    3: (BlockNumberResult, _BLOCK_NUMBER),
}
_WRITE_RESULTS: dict[int, tuple[type, Codec[Any]]] = {
    0: (NoneType, _NOTHING),
    1: (DataAccessError, DATA_ACCESS_ERROR),
    2: (BlockNumberResult, _BLOCK_NUMBER),
}
READ_RESPONSE = record(ReadResponse, sequence_of(Choices("read result", _READ_RESULTS).codec, "results"))
WRITE_RESPONSE = record(WriteResponse, sequence_of(Choices("write result", _WRITE_RESULTS).codec, "results"))
