"""What a client association tells its driver: octets to send, answers, refusals, what was not asked."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cosemscope.application.client.refusals import Refusal
from cosemscope.application.client.service_operations import Operation, PartResult
from cosemscope.application.encoding.apdus import ApduValue


@dataclass(frozen=True, slots=True)
class TransmitApdu:
    """One APDU to send, in a WPDU of its own."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class AssociationOpened:
    """The association is there: what was negotiated; `max_pdu_size` 0 is no limit."""

    conformance: int
    max_pdu_size: int
    server_title: bytes | None
    mechanism: int


@dataclass(frozen=True, slots=True)
class AssociationRefused:
    """There is no association; nothing more can be sent but a new request to associate."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class AssociationReleased:
    """The association was released; `note` says what was odd about it ("" for nothing)."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class AssociationAborted:
    """The association is gone without a release."""

    sentence: str


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request is answered: a result for each of its parts, in order. `number` is that of `request`."""

    number: int
    operation: Operation
    results: tuple[PartResult, ...]
    sent_at: float
    answered_at: float


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """A request has no answer; `results` are those of the parts that were answered before."""

    number: int
    operation: Operation
    refusal: Refusal
    results: tuple[PartResult, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestProgress:
    """A block went to and fro, or one of several requests was answered: `steps` of `total` requests are."""

    number: int
    steps: int
    total: int
    exchanges: int


class Unmatched(StrEnum):
    """How an answer stands to what was asked."""

    LATE = "late"
    DOUBLED = "doubled"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class AnswerUnmatched:
    """An answer that belongs to no request that waits for one."""

    kind: Unmatched
    apdu: ApduValue
    sentence: str


@dataclass(frozen=True, slots=True)
class NotificationReceived:
    """What the server told without being asked."""

    apdu: ApduValue
    protected: bool


@dataclass(frozen=True, slots=True)
class ApduRejected:
    """An APDU that was not taken: broken, not proven, not to be expected; nothing has changed."""

    sentence: str
    octets: bytes


ClientEvent: TypeAlias = (
    TransmitApdu
    | AssociationOpened
    | AssociationRefused
    | AssociationReleased
    | AssociationAborted
    | RequestAnswered
    | RequestFailed
    | RequestProgress
    | AnswerUnmatched
    | NotificationReceived
    | ApduRejected
)
