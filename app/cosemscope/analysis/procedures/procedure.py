"""One procedure: what it is, how far it came, what it came to; and what those that find procedures ask."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cosemscope.analysis.associations.looks import Associations
from cosemscope.analysis.associations.result_words import result_word
from cosemscope.analysis.associations.told_values import value_field
from cosemscope.analysis.exchanges.statuses import ExchangeStatus
from cosemscope.analysis.outcomes.capture_facts import CaptureFacts, capture_facts
from cosemscope.apdu.context import Context
from cosemscope.apdu.data.dates import moment
from cosemscope.apdu.decoder import decode_apdu
from cosemscope.apdu.fields import Field, first
from cosemscope.apdu.names.blue_book import dotted
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.streams.tables.row_apdus import apdu_octets

Numbers = npt.NDArray[np.int64]
_EPOCH = datetime.fromtimestamp(0, UTC)
#: Numbers of missing blocks that are told.
_TOLD = 100


class ProcedureKind(StrEnum):
    """What a procedure is."""

    ASSOCIATION = "association"
    HLS = "hls"
    PROFILE_READ = "profile-read"
    OBJECT_LIST_READ = "object-list-read"
    IMAGE_TRANSFER = "image-transfer"
    KEY_CHANGE = "key-change"
    CLOCK_SET = "clock-set"
    PUSH = "push"
    GENERAL_BLOCK_TRANSFER = "general-block-transfer"


class ProcedureVerdict(StrEnum):
    """What a procedure came to."""

    COMPLETE = "complete"
    PARTIAL = "partial"  # answered, but not all that was asked for came
    WRONG = "wrong"  # what came is not what was asked for, or proves nothing
    UNPROVEN = "unproven"  # nobody can tell: a key is not known
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNFINISHED = "unfinished"
    SENT = "sent"  # nobody answers pushes


class Procedure(NamedTuple):
    """One procedure; `exchanges` are the rows of its exchanges, `obis` is "" for none.

    `done` of `total` steps, rows or blocks, None where nobody knows; `details` are of its kind, for scripts.
    """

    kind: ProcedureKind
    verdict: ProcedureVerdict
    text: str
    exchanges: tuple[int, ...]
    done: int | None = None
    total: int | None = None
    obis: str = ""
    details: Mapping[str, Any] = {}


_VERDICTS = {
    ExchangeStatus.ANSWERED: ProcedureVerdict.COMPLETE,
    ExchangeStatus.ERROR: ProcedureVerdict.REFUSED,
    ExchangeStatus.UNANSWERED: ProcedureVerdict.UNANSWERED,
    ExchangeStatus.UNFINISHED: ProcedureVerdict.UNFINISHED,
    ExchangeStatus.UNASKED: ProcedureVerdict.PARTIAL,
    ExchangeStatus.UNCONFIRMED: ProcedureVerdict.SENT,
    ExchangeStatus.NOTIFICATION: ProcedureVerdict.SENT,
}


class ProcedureSource:
    """The capture as procedures are looked for in it: `associations` have walked all of its rows."""

    def __init__(self, associations: Associations, facts: CaptureFacts | None = None) -> None:
        self.associations = associations
        self.analysis = associations.analysis
        self.facts = facts or capture_facts(self.analysis)
        self.exchanges = self.facts.table

    @cached_property
    def named(self) -> npt.NDArray[np.bool_]:
        """Whether each exchange names an object."""
        named: npt.NDArray[np.bool_] = self.exchanges["class_id"] >= 0
        return named

    def asking(self, service: int, class_id: int, *members: int) -> Numbers:
        """The exchanges of a service about these members of objects of a class; about any without members."""
        exchanges = self.exchanges
        mask = self.named & (exchanges["service"] == service) & (exchanges["class_id"] == class_id)
        if members:
            mask &= np.isin(exchanges["member"], members)
        return np.flatnonzero(mask & (exchanges["request"] >= 0))

    def status(self, exchange: int) -> ExchangeStatus:
        """How an exchange ended."""
        return ExchangeStatus(int(self.facts.statuses[exchange]))

    def verdict(self, exchange: int) -> ProcedureVerdict:
        """What a procedure of one exchange came to."""
        return _VERDICTS[self.status(exchange)]

    def obis(self, exchange: int) -> str:
        """The logical name that an exchange names."""
        return dotted(int(self.exchanges["obis"][exchange]).to_bytes(6, "big"))

    def meter(self, exchange: int) -> str:
        """The address of the end that an exchange asks."""
        ends = self.analysis.endpoints(int(self.exchanges["stream"][exchange]))
        return ends[1 - int(self.exchanges["side"][exchange])].address

    def failure(self, exchange: int) -> str:
        """Why an exchange that did not succeed did not: "get-response object-undefined", "not answered"."""
        status = self.status(exchange)
        if status is not ExchangeStatus.ERROR:
            return "not answered" if status is ExchangeStatus.UNANSWERED else "not finished"
        service, code = (int(self.exchanges[name][exchange]) for name in ("answer", "result"))
        return f"{apdu_name(service)} {result_word(service, code) or ''}".rstrip()

    def asked_at(self, exchange: int) -> int:
        """When a request was sent, ns since the epoch."""
        return int(self.exchanges["request_start"][exchange])

    # Octets and trees.

    def _plain(self, row: int) -> tuple[Context, bytes]:
        """The innermost APDU of a row, and what its tree stands on; a row in clear needs no look."""
        analysis = self.analysis
        if int(analysis.first_look["inner"][row]) < 0:
            return Context(), apdu_octets(analysis.octets(row), int(analysis.wpdus["framing"][row]))
        look = self.associations.look(row)
        return look.context, look.plain

    def plain_request(self, exchange: int) -> bytes:
        """The innermost APDU of an exchange's first request."""
        return self._plain(int(self.exchanges["whole_request"][exchange]))[1]

    def request_tree(self, exchange: int) -> Field:
        """The tree of an exchange's first request."""
        context, plain = self._plain(int(self.exchanges["whole_request"][exchange]))
        return decode_apdu(plain, context).root

    def sent_value(self, exchange: int) -> Any:
        """The value that a request writes, or its method's parameter; None where it cannot be read."""
        field = self._field("last_request", exchange)
        return field.value if field is not None else None

    def answer(self, exchange: int) -> Any:
        """The value that an answer gives; None where it gives none."""
        if self.status(exchange) is not ExchangeStatus.ANSWERED:
            return None
        field = self._field("last_response", exchange)
        return field.value if field is not None else None

    def _field(self, name: str, exchange: int) -> Field | None:
        row = int(self.exchanges[name][exchange])
        if row < 0:
            return None
        if not int(self.exchanges["blocks"][exchange]):
            return value_field(*self._plain(row))
        look = self.associations.look(row)
        context = look.context
        if context.joined is None and int(self.exchanges["blocks"][exchange]) == 1:
            # One block alone is not joined, and yet all that there is.
            block = first(decode_apdu(look.plain, context).root, "raw-data")
            octets = block.value if block is not None else None
            context = replace(context, joined=octets if isinstance(octets, bytes) else None)
        field = value_field(context, look.plain)
        whole = field is not None and field.source and field.value is None
        return first(field, "value") if whole and field is not None else field


def instant(value: Any) -> tuple[int, bool] | None:
    """Nanoseconds since the epoch of a value that is a date-time, and whether its deviation is given.

    Where that is not, the local time counts as UTC.
    """
    told = moment(value) if isinstance(value, bytes) else None
    if told is None:
        return None
    passed = (told if told.tzinfo is not None else told.replace(tzinfo=UTC)) - _EPOCH
    seconds = passed.days * 86_400 + passed.seconds
    return seconds * 10**9 + passed.microseconds * 1000, told.tzinfo is not None


def missing_numbers(seen: Iterable[int], first: int, last: int) -> tuple[int, list[int]]:
    """How many numbers from `first` to `last` are not in `seen`, and the first 100 of them."""
    known = {number for number in seen if first <= number <= last}
    lacking = (number for number in range(first, last + 1) if number not in known)
    return last - first + 1 - len(known), list(islice(lacking, _TOLD))


#: Looks for procedures of one kind, or several.
ProcedureFinder = Callable[[ProcedureSource], list[Procedure]]
