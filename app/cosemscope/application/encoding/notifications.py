"""ACCESS, events, notifications and exceptions as values (IEC 62056-5-3).

`long_invoke` is Long-Invoke-Id-And-Priority as its four octets say it; a `date_time` of b"" is not given.
"""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from cosemscope.apdu.context import Reference
from cosemscope.application.encoding.data_codec import DATA
from cosemscope.application.encoding.data_values import Data
from cosemscope.application.encoding.octet_codecs import (
    Choices,
    Codec,
    EncodeError,
    octet,
    optional,
    record,
    sequence_of,
)
from cosemscope.application.encoding.octet_reader import OctetReader
from cosemscope.application.encoding.service_parts import (
    ATTRIBUTE,
    DATA_LIST,
    DATE_TIME_OCTETS,
    LONG_INVOKE,
    METHOD,
    SELECTIVE_ACCESS,
    SelectiveAccess,
)

# ACCESS.


@dataclass(frozen=True, slots=True)
class AccessGet:
    """Read an attribute."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class AccessSet:
    """Write an attribute."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class AccessAction:
    """Invoke a method."""

    reference: Reference


@dataclass(frozen=True, slots=True)
class AccessGetWithSelection:
    """Read a part of an attribute."""

    reference: Reference
    selection: SelectiveAccess


@dataclass(frozen=True, slots=True)
class AccessSetWithSelection:
    """Write a part of an attribute."""

    reference: Reference
    selection: SelectiveAccess


AccessSpecification: TypeAlias = (
    AccessGet | AccessSet | AccessAction | AccessGetWithSelection | AccessSetWithSelection
)


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Gets, sets and actions in one request; a value for each (null-data where none is needed)."""

    long_invoke: int
    date_time: bytes
    specifications: tuple[AccessSpecification, ...]
    values: tuple[Data, ...]


class AccessOutcome(NamedTuple):
    """What came of one specification: `choice` 1 get, 2 set, 3 action; `code` 0 is success."""

    choice: int
    code: int


@dataclass(frozen=True, slots=True)
class AccessResponse:
    """The values and results of an AccessRequest, whose specifications may be repeated."""

    long_invoke: int
    date_time: bytes
    specifications: tuple[AccessSpecification, ...] | None
    values: tuple[Data, ...]
    outcomes: tuple[AccessOutcome, ...]


_SPECIFICATIONS: Codec[tuple[AccessSpecification, ...]] = sequence_of(
    Choices(
        "Access-Request-Specification",
        {
            1: (AccessGet, record(AccessGet, ATTRIBUTE)),
            2: (AccessSet, record(AccessSet, ATTRIBUTE)),
            3: (AccessAction, record(AccessAction, METHOD)),
            4: (AccessGetWithSelection, record(AccessGetWithSelection, ATTRIBUTE, SELECTIVE_ACCESS)),
            5: (AccessSetWithSelection, record(AccessSetWithSelection, ATTRIBUTE, SELECTIVE_ACCESS)),
        },
    ).codec,
    "access specifications",
)
_OUTCOME = record(AccessOutcome, octet("choice of an access response"), octet("result"))
ACCESS_REQUEST = record(AccessRequest, LONG_INVOKE, DATE_TIME_OCTETS, _SPECIFICATIONS, DATA_LIST)
ACCESS_RESPONSE = record(
    AccessResponse,
    LONG_INVOKE,
    DATE_TIME_OCTETS,
    optional(_SPECIFICATIONS, "access-request-specification"),
    DATA_LIST,
    sequence_of(_OUTCOME, "access results"),
)

# Events and notifications.


@dataclass(frozen=True, slots=True)
class EventNotification:
    """EventNotificationRequest: an attribute and its value, told without being asked."""

    date_time: bytes | None
    reference: Reference
    value: Data


@dataclass(frozen=True, slots=True)
class DataNotification:
    """What is pushed."""

    long_invoke: int
    date_time: bytes
    body: Data


@dataclass(frozen=True, slots=True)
class DataNotificationConfirm:
    """The answer to a DataNotification that wants one."""

    long_invoke: int
    date_time: bytes = b""


EVENT_NOTIFICATION = record(EventNotification, optional(DATE_TIME_OCTETS, "time"), ATTRIBUTE, DATA)
DATA_NOTIFICATION = record(DataNotification, LONG_INVOKE, DATE_TIME_OCTETS, DATA)
DATA_NOTIFICATION_CONFIRM = record(DataNotificationConfirm, LONG_INVOKE, DATE_TIME_OCTETS)

# Exceptions.


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """What answers an APDU that could not be served.

    `state_error` and `service_error` are codes of `names.codes.STATE_ERRORS` and `EXCEPTION_ERRORS`;
    `invocation_counter` is the one expected, given with service-error 6 and only then.
    """

    state_error: int
    service_error: int
    invocation_counter: int | None = None


INVOCATION_COUNTER_ERROR = 6


def _write_exception(out: bytearray, value: ExceptionResponse) -> None:
    counted = value.service_error == INVOCATION_COUNTER_ERROR
    if counted != (value.invocation_counter is not None):
        raise EncodeError("ExceptionResponse has an invocation counter with service-error 6 and only then")
    out += bytes((value.state_error, value.service_error))
    if value.invocation_counter is not None:
        out += value.invocation_counter.to_bytes(4, "big")


def _read_exception(reader: OctetReader) -> ExceptionResponse:
    state, error = reader.octet("state-error"), reader.octet("service-error")
    counted = error == INVOCATION_COUNTER_ERROR
    return ExceptionResponse(state, error, reader.number(4, "invocation counter") if counted else None)


EXCEPTION_RESPONSE = Codec(_write_exception, _read_exception)
