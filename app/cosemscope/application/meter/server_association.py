"""One association of the server: APDUs go in, answers come out; `server_states.TABLE` decides what is done.

An APDU is opened, parsed and judged; the judgement is an input of the table, and the table's action makes the
answer. Nothing that a client sends raises. Source: IEC 62056-5-3, the ACSE services and HLS authentication.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cosemscope.apdu.context import Reference
from cosemscope.apdu.names.tags import APDU_TAGS, GENERAL_BLOCK_TRANSFER
from cosemscope.apdu.names.texts import TITLE_SIZE
from cosemscope.apdu.security.hls import Challenges, HlsVerdict, check
from cosemscope.application.encoding import get_set_action as g
from cosemscope.application.encoding.acse_apdus import Aare, Aarq, Abrt, Diagnostic, Rlre, Rlrq
from cosemscope.application.encoding.apdus import encode, parse
from cosemscope.application.encoding.carrier_apdus import GeneralBlockTransfer
from cosemscope.application.encoding.data_values import octet_string
from cosemscope.application.encoding.initiate_apdus import (
    ConfirmedServiceError,
    InitiateRequest,
    InitiateResponse,
)
from cosemscope.application.encoding.notifications import ExceptionResponse
from cosemscope.application.encoding.octet_reader import ParseError
from cosemscope.application.meter import association_terms as c
from cosemscope.application.meter.association_terms import (
    AarqRefused,
    AgreedTerms,
    ClientTerms,
    agree,
    check_aarq,
)
from cosemscope.application.meter.long_transfers import MOST_ANSWER, MOST_REQUEST
from cosemscope.application.meter.meter_faults import MeterFaults
from cosemscope.application.meter.objects.association_objects import (
    ASSOCIATED,
    ASSOCIATION_PENDING,
    CURRENT,
    NOT_ASSOCIATED,
    AssociationFacts,
)
from cosemscope.application.meter.objects.cosem_object import DENIED, ObjectModel, logical_name
from cosemscope.application.meter.objects.security_objects import MeterKeys
from cosemscope.application.meter.server_protection import AnswerForm, ProtectionRefused, ServerProtection
from cosemscope.application.meter.server_states import ServerAction, ServerInput, ServerState, step
from cosemscope.application.meter.service_desk import ServiceDesk
from cosemscope.application.protection.hls_answers import hls_answer
from cosemscope.application.protection.sealing import SealError
from cosemscope.application.transfer.general_block_machine import (
    BLOCK_OVERHEAD,
    GeneralBlockMachine,
    TransferError,
)

_REPLY = Reference(15, logical_name(CURRENT), 1, method=True)
_CHALLENGE_SIZE = {6: 32, 7: 32}
_NOT_ALLOWED = ExceptionResponse(1, 1)
_NOT_PARSED = ExceptionResponse(1, 3)
_TOO_LONG = ExceptionResponse(1, 4)
#: Blocks that a client may send before they are acknowledged.
_WINDOW = 8
_UNKNOWN_SERVICE = ExceptionResponse(2, 2)
_STATUS = {
    ServerState.IDLE: NOT_ASSOCIATED,
    ServerState.PENDING: ASSOCIATION_PENDING,
    ServerState.ASSOCIATED: ASSOCIATED,
}


@dataclass(slots=True)
class ServedClient:
    """What an association stands on: the terms of a client (None: unknown), its objects, what it is told.

    `random` gives so many octets that nobody can foretell. `refused` is told of each refusal.
    """

    terms: ClientTerms | None
    model: ObjectModel
    facts: AssociationFacts
    keys: MeterKeys
    server_pdu: int
    faults: MeterFaults
    random: Callable[[int], bytes]
    refused: Callable[[float], None]


@dataclass(slots=True)
class _Judged:
    """An APDU and what came of judging it: the input of the table, and what its action needs."""

    what: ServerInput
    request: Any = None
    form: AnswerForm | None = None
    initiate_form: AnswerForm | None = None
    refusal: AarqRefused | None = None
    proof: bytes = b""


class ServerAssociation:
    """The association with one client over one connection."""

    def __init__(self, client: ServedClient) -> None:
        self.state = ServerState.IDLE
        self._client = client
        self._agreed = AgreedTerms()
        self._context = c.CLEAR_CONTEXT
        self._challenges = Challenges(c.LOWEST)
        self._least_proof = 0
        self._protection = ServerProtection(client.keys, b"", 0)
        self._desk = ServiceDesk(client.model, self._agreed, client.faults)
        self._blocks = GeneralBlockMachine(_WINDOW, MOST_REQUEST)
        self._in_blocks = False

    def receive(self, apdu: bytes, now: float) -> list[bytes]:
        """The answers to an APDU: mostly one, none for what wants none, several blocks of a long one."""
        self._in_blocks = bool(apdu) and apdu[0] == GENERAL_BLOCK_TRANSFER and self._may(c.GENERAL_BLOCKS)
        if self._in_blocks:
            return self._receive_block(apdu, now)
        answer = self._answer(apdu, now)
        if answer is None or len(answer) <= self._agreed.client_pdu or not self._may(c.GENERAL_BLOCKS):
            return [] if answer is None else [answer]
        return self._send_blocks(answer)

    def _may(self, service: int) -> bool:
        return self.state is ServerState.ASSOCIATED and bool(self._agreed.conformance & service)

    def _receive_block(self, apdu: bytes, now: float) -> list[bytes]:
        """A block of a request, or one that acknowledges blocks of an answer."""
        try:
            block = parse(apdu)
            assert isinstance(block, GeneralBlockTransfer)
            taken = self._blocks.receive(block)
        except (ParseError, TransferError):
            self._blocks.reset()
            return [encode(_NOT_PARSED)]
        if taken.apdu is None:
            return [encode(each) for each in taken.blocks]
        answer = self._answer(taken.apdu, now)
        return [] if answer is None else self._send_blocks(answer)

    def _send_blocks(self, answer: bytes) -> list[bytes]:
        size = max(self._agreed.client_pdu - BLOCK_OVERHEAD, 1)
        try:
            return [encode(each) for each in self._blocks.send(answer, size)]
        except TransferError:
            return [encode(_TOO_LONG)]

    def _answer(self, apdu: bytes, now: float) -> bytes | None:
        """The answer to a whole APDU; None where there is none."""
        try:
            plain, form = self._open(apdu)
        except ProtectionRefused as refusal:
            return encode(refusal.answer)
        try:
            request = parse(plain)
        except ParseError:
            known = bool(plain) and plain[0] in APDU_TAGS
            return encode(_NOT_PARSED if known else _UNKNOWN_SERVICE)
        judged = self._judge(request, form, now)
        taken = step(self.state, judged.what)
        if taken is None:
            return self._protection.close(encode(_NOT_ALLOWED), form)
        self.state = taken.then
        self._client.facts.status = _STATUS[taken.then]
        return _ACTIONS[taken.action](self, judged, now)

    def _open(self, apdu: bytes) -> tuple[bytes, AnswerForm | None]:
        """An APDU without its protection; ACSE has none of its own. Raises ProtectionRefused."""
        if self.state is ServerState.IDLE or (apdu and apdu[0] in _ACSE):
            return apdu, None
        return self._protection.open(apdu)

    # Judging.

    def _judge(self, request: Any, form: AnswerForm | None, now: float) -> _Judged:
        match request:
            case Aarq():
                return self._judge_aarq(request)
            case Rlrq():
                return _Judged(ServerInput.RELEASE, request)
            case Abrt():
                return _Judged(ServerInput.ABORT, request)
            case g.ActionRequestNormal(_, reference, parameters) if (
                reference == _REPLY and self.state is ServerState.PENDING
            ):
                found = parameters.value if parameters is not None and parameters.tag == 9 else b""
                what, proof = self._judge_proof(found)
                return _Judged(what, request, form, proof=proof)
        return _Judged(ServerInput.SERVICE, request, form)

    def _judge_aarq(self, aarq: Aarq) -> _Judged:
        client = self._client
        try:
            given = aarq.calling_authentication_value or b""
            secret = client.terms.secret if client.terms is not None else b""
            terms = check_aarq(aarq, client.terms, hmac.compare_digest(given, secret))
            initiate, form = self._open_initiate(aarq, terms)
            self._agreed = agree(initiate, terms)
        except AarqRefused as refusal:
            return _Judged(ServerInput.REFUSED, aarq, refusal=refusal)
        self._protection.use_dedicated(initiate.dedicated_key)
        if len(aarq.calling_ap_title or b"") == TITLE_SIZE:
            client.keys.client_title = aarq.calling_ap_title or b""
        self._context = aarq.context
        self._desk = ServiceDesk(client.model, self._agreed, client.faults)
        self._blocks.reset()
        client.facts.conformance, client.facts.client_pdu = self._agreed
        mechanism = terms.mechanism
        if mechanism <= c.LLS:
            return _Judged(ServerInput.ACCEPTED, aarq, initiate_form=form)
        challenge = client.random(_CHALLENGE_SIZE.get(mechanism, 16))
        titles = aarq.calling_ap_title, client.keys.title
        self._challenges = Challenges(mechanism, *titles, aarq.calling_authentication_value, challenge)
        self._least_proof = client.keys.expected(aarq.calling_ap_title or b"")
        return _Judged(ServerInput.ACCEPTED_HLS, aarq, initiate_form=form)

    def _open_initiate(self, aarq: Aarq, terms: ClientTerms) -> tuple[InitiateRequest, AnswerForm | None]:
        """The InitiateRequest of an AARQ. Raises AarqRefused."""
        ciphered = aarq.context == c.CIPHERED_CONTEXT
        self._protection = ServerProtection(
            self._client.keys, aarq.calling_ap_title or b"", terms.policy if ciphered else 0
        )
        try:
            plain, form = self._protection.open(aarq.user_information or b"")
            initiate = parse(plain)
        except ProtectionRefused:
            words = ConfirmedServiceError(c.INITIATE_ERROR, c.APPLICATION_REFERENCE, c.DECIPHERING_ERROR)
            raise AarqRefused(c.NO_REASON, words) from None
        except ParseError:
            initiate = None
        if not isinstance(initiate, InitiateRequest) or (form is not None and not ciphered):
            raise AarqRefused(c.NO_REASON, _not_initiated(0))
        key = initiate.dedicated_key
        if key is not None and len(key) != len(self._client.keys.keys.encryption or b""):
            raise AarqRefused(c.NO_REASON, _not_initiated(4))  # refused-by-the-VDE-Handler
        return initiate, form

    def _judge_proof(self, found: bytes) -> tuple[ServerInput, bytes]:
        """Whether the client's answer to the challenge is right; then the server's own answer."""
        client, challenges = self._client, self._challenges
        assert client.terms is not None
        verdict = check(challenges, True, found, (client.keys.keys, *client.keys.clients)).verdict
        right = verdict is HlsVerdict.RIGHT
        if right and challenges.mechanism == 5:
            # The proof was made before the APDU that carries it: its counter is above those of the AARQ.
            counter = int.from_bytes(found[1:5], "big")
            right = counter >= self._least_proof
            client.keys.take(challenges.client_title or b"", counter)
        if not right:
            return ServerInput.PROOF_WRONG, b""
        counter = client.keys.next_counter() if challenges.mechanism == 5 else 0
        try:
            proof = hls_answer(challenges, False, client.keys.keys, suite=client.terms.suite, counter=counter)
        except SealError:
            return ServerInput.PROOF_WRONG, b""
        return ServerInput.PROOF_RIGHT, proof

    # Actions of the table.

    def _open_association(self, judged: _Judged, now: float) -> bytes:
        return self._accept(judged, Diagnostic(1, 0))

    def _challenge(self, judged: _Judged, now: float) -> bytes:
        return self._accept(judged, Diagnostic(1, c.PENDING), self._challenges)

    def _accept(self, judged: _Judged, diagnostic: Diagnostic, challenges: Challenges | None = None) -> bytes:
        response = encode(InitiateResponse(self._agreed.conformance, self._client.server_pdu))
        information = self._protection.close(response, judged.initiate_form)
        titled = self._context == c.CIPHERED_CONTEXT or challenges is not None
        return encode(
            Aare(
                self._context,
                0,
                diagnostic,
                information,
                mechanism=challenges.mechanism if challenges else None,
                responding_authentication_value=challenges.server_to_client if challenges else None,
                responding_ap_title=self._client.keys.title if titled else None,
                authentication_required=True if challenges else None,
            )
        )

    def _reject(self, judged: _Judged, now: float) -> bytes:
        refusal = judged.refusal
        assert refusal is not None
        self._client.refused(now)
        information = encode(refusal.error) if refusal.error is not None else None
        # A context that is not supported is answered by the one that is.
        context = judged.request.context
        if context not in (c.CLEAR_CONTEXT, c.CIPHERED_CONTEXT):
            context = c.CLEAR_CONTEXT
        return encode(Aare(context, 1, refusal.diagnostic, information))

    def _prove(self, judged: _Judged, now: float) -> bytes:
        answer = g.ActionAnswer(0, octet_string(judged.proof))
        response = encode(g.ActionResponseNormal(judged.request.invoke, answer))
        return self._protection.close(response, judged.form)

    def _dismiss(self, judged: _Judged, now: float) -> bytes:
        self._client.refused(now)
        response = encode(g.ActionResponseNormal(judged.request.invoke, g.ActionAnswer(DENIED)))
        return self._protection.close(response, judged.form)

    def _serve(self, judged: _Judged, now: float) -> bytes | None:
        room = MOST_ANSWER
        if (
            not self._in_blocks
            and self._agreed.conformance & (c.GENERAL_BLOCKS | c.GET_BLOCKS) != c.GENERAL_BLOCKS
        ):
            room = self._agreed.client_pdu - self._protection.overhead(judged.form)
        response = self._desk.answer(judged.request, room, now)
        if response is None:
            return None
        faults, keys = self._client.faults, self._client.keys
        if judged.form is not None and faults.strikes(faults.counter_replay):
            keys.counter = max(keys.counter - 1, 0)
        closed = self._protection.close(response, judged.form)
        if judged.form is not None and faults.strikes(faults.wrong_tag):
            closed = closed[:-1] + bytes((closed[-1] ^ 0x55,))
        return closed

    def _close_association(self, judged: _Judged, now: float) -> bytes:
        return encode(Rlre(0))

    def _forget(self, judged: _Judged, now: float) -> None:
        return None


def _not_initiated(value: int) -> ConfirmedServiceError:
    return ConfirmedServiceError(c.INITIATE_ERROR, c.INITIATE_CHOICE, value)


_ACSE = frozenset((0x60, 0x62, 0x64))
_ACTIONS: dict[ServerAction, Callable[[ServerAssociation, _Judged, float], bytes | None]] = {
    ServerAction.OPEN: ServerAssociation._open_association,
    ServerAction.CHALLENGE: ServerAssociation._challenge,
    ServerAction.REJECT: ServerAssociation._reject,
    ServerAction.PROVE: ServerAssociation._prove,
    ServerAction.DISMISS: ServerAssociation._dismiss,
    ServerAction.SERVE: ServerAssociation._serve,
    ServerAction.CLOSE: ServerAssociation._close_association,
    ServerAction.FORGET: ServerAssociation._forget,
}
