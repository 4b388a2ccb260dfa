"""The client's end of an association: what goes in are wishes and APDUs received, what comes out are events.

    client = ClientAssociation(AssociationParameters(mechanism=1, password=b"..."))
    events = client.associate(now)           # TransmitApdu(...): an AARQ
    events = client.receive(octets, now)     # AssociationOpened(...), or AssociationRefused(...)
    number, events = client.request(get(attribute(3, name, 2)), now)

Opens no connection and reads no clock: `now` is any clock in seconds that never goes back. The states and
what they allow are `client_states.CLIENT_TABLE`. Source: IEC 62056-5-3, client side control function.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from cosemscope.apdu.context import Reference
from cosemscope.application.client.association_answers import AssociationAnswers
from cosemscope.application.client.association_parameters import AssociationParameters
from cosemscope.application.client.client_events import (
    AnswerUnmatched,
    ApduRejected,
    AssociationAborted,
    AssociationOpened,
    AssociationRefused,
    AssociationReleased,
    ClientEvent,
    NotificationReceived,
    RequestAnswered,
    RequestFailed,
    RequestProgress,
    TransmitApdu,
)
from cosemscope.application.client.client_protection import ClientProtection
from cosemscope.application.client.client_states import (
    CLIENT_TABLE,
    ClientAction,
    ClientInput,
    ClientState,
)
from cosemscope.application.client.client_wrapping import ClientWrapping
from cosemscope.application.client.refusals import (
    Refusal,
    at_client,
    of_exception,
    of_service_error,
)
from cosemscope.application.client.request_plans import PlanError, plan
from cosemscope.application.client.running_requests import KINDS, RequestTable, RunningRequest
from cosemscope.application.client.service_operations import Act, Operation, Set
from cosemscope.application.client.service_steps import UnfittingAnswerError
from cosemscope.application.encoding.acse_apdus import Aare, Aarq, Abrt, Rlre, Rlrq
from cosemscope.application.encoding.apdus import ApduValue, encode, parse
from cosemscope.application.encoding.data_values import octet_string
from cosemscope.application.encoding.get_set_action import ActionRequestNormal, ActionResponseNormal
from cosemscope.application.encoding.initiate_apdus import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)
from cosemscope.application.encoding.notifications import (
    DataNotification,
    DataNotificationConfirm,
    EventNotification,
    ExceptionResponse,
)
from cosemscope.application.encoding.octet_codecs import EncodeError
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.encoding.service_parts import invoke_octet
from cosemscope.application.encoding.short_name_apdus import InformationReport
from cosemscope.application.protection.sealing import SealError
from cosemscope.application.protection.unsealing import UnsealError
from cosemscope.application.transfer.general_block_machine import (
    TransferError,
)
from cosemscope.transport.errors import LocalProtocolError

#: reply_to_HLS_authentication of the current association.
HLS_METHOD: Final = Reference(15, bytes.fromhex("0000280000ff"), 1, method=True)
#: Common servers send an RLRE whose lengths are wrong: it has released the association.
_BROKEN_ANSWERS = {
    (ClientState.ASSOCIATION_PENDING, b"\x61"): ("AARE", ClientInput.AARE_REFUSED),
    (ClientState.RELEASE_PENDING, b"\x63"): ("RLRE", ClientInput.RLRE),
}
_HLS_INVOKE_ID = 1
_PENDING = (ClientState.ASSOCIATION_PENDING, ClientState.HLS_PENDING, ClientState.RELEASE_PENDING)
_BROKEN = (UnsealError, TransferError, ParseError)


class _Occurrence(NamedTuple):
    """An input with what belongs to it."""

    now: float
    apdu: ApduValue = None
    refusal: Refusal | None = None
    sentence: str = ""
    request: RunningRequest | None = None
    control: int | None = None


class ClientAssociation:
    """One association of one client with one server, over one connection."""

    def __init__(self, parameters: AssociationParameters) -> None:
        """Raises SealError where the parameters ask for protection and keys or titles are missing."""
        self._parameters = parameters
        self._protection = ClientProtection(parameters)
        self._wrapping = ClientWrapping(parameters, self._protection)
        self._answers = AssociationAnswers(parameters, self._protection)
        self._requests = RequestTable(parameters.parallel)
        self._state = ClientState.INACTIVE
        self._events: list[ClientEvent] = []
        self._deadline: float | None = None
        self._numbers = 0
        self._rejected = ""

    # What a driver looks at.

    @property
    def state(self) -> ClientState:
        """Where the association stands."""
        return self._state

    @property
    def counter(self) -> int:
        """The next invocation counter to use: to be kept for the next association under these keys."""
        return self._protection.counter

    @property
    def server_counter(self) -> int:
        """The last invocation counter that the server used, -1 for none: to be kept as well."""
        return self._protection.server_counter

    @property
    def server_title(self) -> bytes | None:
        """The server's system title, where it is known."""
        return self._answers.server_title

    @property
    def agreed(self) -> InitiateResponse:
        """What was negotiated; what was proposed, before."""
        return self._wrapping.agreed

    @property
    def deadline(self) -> float | None:
        """When `time_out` is to be called; None while nothing is awaited."""
        return self._deadline if self._state in _PENDING else self._requests.deadline

    # Wishes. Each raises LocalProtocolError in a state that does not allow it; nothing has changed then.

    def associate(self, now: float) -> tuple[ClientEvent, ...]:
        """Ask for the association; nothing is sent for one that is pre-established."""
        pre = self._parameters.pre_established
        kind = ClientInput.OPEN_PRE_ESTABLISHED if pre else ClientInput.OPEN_REQUEST
        return self._wish(kind, _Occurrence(now))

    def request(self, operation: Operation, now: float) -> tuple[int, tuple[ClientEvent, ...]]:
        """Ask for an operation; its number stands in the events that follow.

        Raises PlanError where the negotiated services have no request for it, EncodeError where a value has
        no encoding.
        """
        number = self._numbers + 1
        steps = plan(operation, self._wrapping.limits)
        events = self._wish(
            ClientInput.SERVICE_REQUEST, _Occurrence(now, request=RunningRequest(number, operation, steps))
        )
        return number, events

    def tell(self, operation: Set | Act) -> tuple[ClientEvent, ...]:
        """Send an operation that is not confirmed: nothing is awaited, nothing told of it but what to send.

        For groups, or where no answer is wanted. Raises as `request` does, and PlanError where the operation
        takes blocks, which have to be acknowledged.
        """
        steps = plan(operation, self._wrapping.limits)
        if any(step.block_size is not None for step in steps):
            raise PlanError("an operation that is not confirmed cannot be sent in blocks")
        if self._state is not ClientState.ASSOCIATED:
            words = f"a service that is not confirmed is not allowed in the state: {self._state.value}"
            raise LocalProtocolError(words, self._state.value)
        invoke = invoke_octet(0, confirmed=False, high_priority=self._parameters.high_priority)
        for step in steps:
            self._transmit(next(step.begin(invoke)))
        return self._told()

    def confirm(self, notification: DataNotification) -> tuple[ClientEvent, ...]:
        """Confirm a data-notification that wants it."""
        self._transmit(DataNotificationConfirm(notification.long_invoke))
        return self._told()

    def release(self, now: float) -> tuple[ClientEvent, ...]:
        """Release the association; requests without an answer fail."""
        return self._wish(
            ClientInput.RELEASE_REQUEST, _Occurrence(now, sentence="the association is released")
        )

    def abort(self, now: float) -> tuple[ClientEvent, ...]:
        """Give the association up without a word to the server; the connection is to be closed."""
        return self._wish(ClientInput.ABORT_REQUEST, _Occurrence(now, sentence="the client gave up"))

    def _wish(self, kind: ClientInput, what: _Occurrence) -> tuple[ClientEvent, ...]:
        if not self._fire(kind, what):
            raise LocalProtocolError(
                f"{kind.value} is not allowed in the state: {self._state.value}", self._state.value
            )
        return self._told()

    # What happens.

    def link_lost(self, now: float, sentence: str = "the connection is gone") -> tuple[ClientEvent, ...]:
        """The connection has ended."""
        self._fire(ClientInput.LINK_LOST, _Occurrence(now, sentence=sentence))
        return self._told()

    def time_out(self, now: float) -> tuple[ClientEvent, ...]:
        """The time has come, or may have come, that `deadline` said."""
        deadline = self.deadline
        if deadline is not None and deadline <= now:
            sentence = f"no answer came within {self._parameters.response_timeout:g} s"
            if self._rejected:
                sentence += f" that could be taken (one was rejected: {self._rejected})"
            self._fire(ClientInput.TIMEOUT, _Occurrence(now, sentence=sentence))
        return self._told()

    def receive(self, octets: bytes, now: float) -> tuple[ClientEvent, ...]:
        """One APDU has been received."""
        inside, control = octets, None
        try:
            apdu, control, replies = self._wrapping.unwrapped(octets)
            self._events.extend(map(TransmitApdu, replies))
            if apdu is None:
                self._wait_anew(now)
            else:
                inside = apdu
                self._take(parse(apdu), control, octets, now)
        except _BROKEN as reason:
            self._take_broken(str(reason), inside, control, octets, now)
        return self._told()

    def _take_broken(
        self, reason: str, inside: bytes, control: int | None, octets: bytes, now: float
    ) -> None:
        """An APDU that cannot be read; where it is one that is awaited, it is an answer all the same."""
        name, kind = _BROKEN_ANSWERS.get((self._state, inside[:1]), ("", None))
        what = _Occurrence(now, sentence=f"the {name} is broken: {reason}")
        if self._state is ClientState.ASSOCIATED and not self._protection.enough(control):
            request = self._requests.awaiting(inside)
            if request is not None:
                kind = ClientInput.BROKEN_RESPONSE
                what = what._replace(request=request, sentence=f"the answer is broken: {reason}")
        if kind is None or not self._fire(kind, what):
            self._reject(reason, octets)

    def _take(self, apdu: ApduValue, control: int | None, octets: bytes, now: float) -> None:
        """An APDU in clear: which input it is, and what belongs to it."""
        kind, what = self._input(apdu, control, now)
        if kind is None or not self._fire(kind, what):
            name = type(apdu).__name__
            sentence = what.sentence or f"{name} is not to be expected in the state: {self._state.value}"
            self._reject(sentence, octets)

    def _input(
        self, apdu: ApduValue, control: int | None, now: float
    ) -> tuple[ClientInput | None, _Occurrence]:
        what = _Occurrence(now, apdu, control=control)
        if type(apdu) in KINDS:
            lacking = self._protection.enough(control)
            if lacking:
                return None, what._replace(sentence=f"{type(apdu).__name__} is not taken: {lacking}")
            if self._state is ClientState.HLS_PENDING:
                return self._of_hls(apdu, what)
            return ClientInput.SERVICE_RESPONSE, what
        match apdu:
            case Aare():
                return self._of_aare(apdu, what)
            case ExceptionResponse():
                return ClientInput.EXCEPTION, what._replace(refusal=of_exception(apdu))
            case ConfirmedServiceError():
                return ClientInput.EXCEPTION, what._replace(refusal=of_service_error(apdu))
            case Rlre():
                return ClientInput.RLRE, what
            case Abrt():
                return ClientInput.ABRT, what._replace(sentence="the server has aborted the association")
            case DataNotification() | EventNotification() | InformationReport():
                return ClientInput.NOTIFICATION, what
        return None, what._replace(sentence=f"{type(apdu).__name__} is nothing that a server sends")

    def _of_aare(self, aare: Aare, what: _Occurrence) -> tuple[ClientInput, _Occurrence]:
        """The input that an AARE is; what was agreed in the place of the APDU where it accepts."""
        if self._state is not ClientState.ASSOCIATION_PENDING:
            return ClientInput.AARE_ACCEPTED, what
        kind, refusal, agreed = self._answers.of_aare(aare)
        return kind, what._replace(apdu=agreed, refusal=refusal)

    def _of_hls(self, apdu: ApduValue, what: _Occurrence) -> tuple[ClientInput | None, _Occurrence]:
        """The server's answer to the client's challenge: right or wrong."""
        if not isinstance(apdu, ActionResponseNormal) or apdu.invoke & 0x0F != _HLS_INVOKE_ID:
            words = f"{type(apdu).__name__} answers nothing while HLS authentication is going on"
            return None, what._replace(sentence=words)
        kind, refusal, _ = self._answers.of_hls(apdu.answer)
        return kind, what._replace(refusal=refusal)

    # Actions of the table.

    def _fire(self, kind: ClientInput, what: _Occurrence) -> bool:
        """An input; whether the table has a row for it."""
        row = CLIENT_TABLE[self._state].get(kind)
        if row is None:
            return False
        self._state = row.next
        for action in row.actions:
            self._do[action](self, what)
        return True

    def _send_aarq(self, what: _Occurrence) -> None:
        parameters = self._parameters
        initiate = InitiateRequest(parameters.conformance, parameters.max_pdu_size, parameters.dedicated_key)
        sealed = self._protection.seal(encode(initiate), associated=False)
        titled = parameters.form is not None or parameters.mechanism >= 5
        aarq = Aarq(
            parameters.context,
            sealed,
            mechanism=parameters.mechanism or None,
            calling_authentication_value=self._secret(),
            calling_ap_title=parameters.title if titled else None,
            calling_ae_qualifier=parameters.certificate,
            calling_ae_invocation_id=parameters.user,
            authentication_required=True if parameters.mechanism else None,
        )
        self._emit(encode(aarq))
        self._wait(what.now)

    def _secret(self) -> bytes | None:
        """The password, or the client's challenge."""
        parameters = self._parameters
        return (
            (parameters.challenge if parameters.hls else parameters.password)
            if parameters.mechanism
            else None
        )

    def _take_agreed(self, what: _Occurrence) -> None:
        self._wrapping.agreed = what.apdu

    def _send_hls_answer(self, what: _Occurrence) -> None:
        try:
            answer = self._protection.answer(self._answers.challenges)
        except SealError as reason:
            refusal = at_client(f"the server's challenge cannot be answered: {reason}")
            self._fire(ClientInput.HLS_WRONG, what._replace(refusal=refusal))
            return
        invoke = invoke_octet(_HLS_INVOKE_ID, high_priority=self._parameters.high_priority)
        request = ActionRequestNormal(invoke, HLS_METHOD, octet_string(answer))
        self._transmit(request, associated=False)
        self._wait(what.now)

    def _confirm_open(self, what: _Occurrence) -> None:
        self._deadline, self._rejected = None, ""
        agreed, title = self._wrapping.agreed, self._answers.server_title
        opened = AssociationOpened(agreed.conformance, agreed.max_pdu_size, title, self._parameters.mechanism)
        self._events.append(opened)

    def _confirm_open_refused(self, what: _Occurrence) -> None:
        refusal = what.refusal or at_client(what.sentence)
        self._end()
        self._events.append(AssociationRefused(refusal))

    def _send_rlrq(self, what: _Occurrence) -> None:
        information = None
        if self._parameters.form is not None:
            initiate = InitiateRequest(self._parameters.conformance, self._parameters.max_pdu_size)
            information = self._protection.seal(encode(initiate), associated=False)
        self._emit(encode(Rlrq(0, information)))
        self._wait(what.now)

    def _confirm_release(self, what: _Occurrence) -> None:
        note = str(what.refusal) if what.refusal is not None else what.sentence
        if isinstance(what.apdu, Rlre) and what.apdu.reason:
            note = f"the server answers the release with reason {what.apdu.reason}"
        self._end()
        self._events.append(AssociationReleased(note))

    def _indicate_abort(self, what: _Occurrence) -> None:
        self._end()
        self._events.append(AssociationAborted(what.sentence))

    def _indicate_notification(self, what: _Occurrence) -> None:
        self._events.append(NotificationReceived(what.apdu, what.control is not None))

    def _end(self) -> None:
        """The association is over, or never came to be."""
        self._deadline, self._rejected = None, ""
        self._wrapping.reset()

    # Requests.

    def _send_request(self, what: _Occurrence) -> None:
        assert what.request is not None
        self._numbers = what.request.number
        self._requests.add(what.request)
        self._send_waiting(what.now)

    def _send_waiting(self, now: float) -> None:
        while (request := self._requests.next_to_send()) is not None:
            self._begin_step(request, now)

    def _begin_step(self, request: RunningRequest, now: float) -> None:
        """Send the first APDU of the next step of a request, which has an invoke-id."""
        invoke = invoke_octet(request.invoke_id, high_priority=self._parameters.high_priority)
        request.step = request.steps.popleft().begin(invoke)
        if not request.begun:
            request.begun, request.sent_at = True, now
        self._send_step(request, next(request.step), now)

    def _send_step(self, request: RunningRequest, apdu: ApduValue, now: float) -> None:
        try:
            self._transmit(apdu)
        except (EncodeError, SealError, TransferError) as reason:
            self._fail(request, at_client(f"the request cannot be sent: {reason}"))
            return
        request.exchanges += 1
        request.deadline = now + self._parameters.response_timeout

    def _take_response(self, what: _Occurrence) -> None:
        request, unmatched, sentence = self._requests.match(what.apdu)
        if request is None:
            self._events.append(AnswerUnmatched(unmatched, what.apdu, sentence))
            return
        assert request.step is not None
        try:
            following = request.step.send(what.apdu)
        except StopIteration as done:
            self._step_done(request, done.value, what.now)
        except UnfittingAnswerError as reason:
            self._fail(request, at_client(f"the answer does not fit the request: {reason}"))
        else:
            self._send_step(request, following, what.now)
            self._progress(request, request.total - len(request.steps) - 1)
        self._send_waiting(what.now)

    def _step_done(self, request: RunningRequest, results: Any, now: float) -> None:
        request.results.extend(results)
        self._requests.end(request, answered=True)
        self._rejected = ""
        if request.steps:
            self._progress(request, request.total - len(request.steps))
            self._requests.take_id(request)
            self._begin_step(request, now)
            return
        answered = RequestAnswered(
            request.number, request.operation, tuple(request.results), request.sent_at, now
        )
        self._events.append(answered)

    def _progress(self, request: RunningRequest, steps: int) -> None:
        self._events.append(RequestProgress(request.number, steps, request.total, request.exchanges))

    def _fail(self, request: RunningRequest, refusal: Refusal) -> None:
        self._requests.end(request, answered=False)
        results = tuple(request.results)
        self._events.append(RequestFailed(request.number, request.operation, refusal, results))

    def _fail_request(self, what: _Occurrence) -> None:
        """An exception has no invoke-id: it answers the request that has waited longest."""
        refusal = what.refusal or at_client(what.sentence)
        request = what.request or self._requests.oldest()
        if request is None:
            self._reject(f"{refusal.words}, though nothing was asked", b"")
            return
        self._requests.end(request, answered=True)
        results = tuple(request.results)
        self._events.append(RequestFailed(request.number, request.operation, refusal, results))
        self._send_waiting(what.now)

    def _expire_requests(self, what: _Occurrence) -> None:
        self._rejected = ""
        self._wrapping.give_up_blocks()
        for request in self._requests.expired(what.now):
            self._fail(request, at_client(what.sentence, "ask again, or wait longer for an answer"))
        self._send_waiting(what.now)

    def _fail_requests(self, what: _Occurrence) -> None:
        for request in self._requests.clear():
            refusal = at_client(f"there is no answer: {what.sentence}")
            results = tuple(request.results)
            self._events.append(RequestFailed(request.number, request.operation, refusal, results))

    # Sending, waiting, telling.

    def _transmit(self, apdu: ApduValue, *, associated: bool = True) -> None:
        self._events.extend(map(TransmitApdu, self._wrapping.wrapped(apdu, associated=associated)))

    def _emit(self, octets: bytes) -> None:
        """An ACSE APDU, which is sealed inside where it is."""
        self._events.append(TransmitApdu(self._wrapping.prefixed(octets)))

    def _wait(self, now: float) -> None:
        self._deadline = now + self._parameters.response_timeout

    def _wait_anew(self, now: float) -> None:
        """A block of the answer came: the rest has its own time."""
        if self._state in _PENDING:
            self._wait(now)
        elif (request := self._requests.oldest()) is not None:
            request.deadline = now + self._parameters.response_timeout

    def _reject(self, sentence: str, octets: bytes) -> None:
        self._rejected = sentence
        self._events.append(ApduRejected(sentence, octets))

    def _told(self) -> tuple[ClientEvent, ...]:
        events = tuple(self._events)
        self._events.clear()
        return events

    _do: Final[dict[ClientAction, Callable[["ClientAssociation", _Occurrence], None]]] = {
        ClientAction.SEND_AARQ: _send_aarq,
        ClientAction.TAKE_AGREED: _take_agreed,
        ClientAction.SEND_HLS_ANSWER: _send_hls_answer,
        ClientAction.CONFIRM_OPEN: _confirm_open,
        ClientAction.CONFIRM_OPEN_REFUSED: _confirm_open_refused,
        ClientAction.SEND_REQUEST: _send_request,
        ClientAction.TAKE_RESPONSE: _take_response,
        ClientAction.FAIL_REQUEST: _fail_request,
        ClientAction.EXPIRE_REQUESTS: _expire_requests,
        ClientAction.FAIL_REQUESTS: _fail_requests,
        ClientAction.SEND_RLRQ: _send_rlrq,
        ClientAction.CONFIRM_RELEASE: _confirm_release,
        ClientAction.INDICATE_ABORT: _indicate_abort,
        ClientAction.INDICATE_NOTIFICATION: _indicate_notification,
    }
