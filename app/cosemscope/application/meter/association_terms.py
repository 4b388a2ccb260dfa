"""The terms on which a client may associate, what is agreed with it, and why it is refused.

Source: IEC 62056-5-3, COSEM-OPEN: the server holds an AARQ against what it grants that client.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from cosemscope.apdu.names.codes import CONFORMANCE
from cosemscope.application.encoding.acse_apdus import Aarq, Diagnostic
from cosemscope.application.encoding.initiate_apdus import (
    DLMS_VERSION,
    ConfirmedServiceError,
    InitiateRequest,
)
from cosemscope.application.meter.objects.cosem_object import PUBLIC

#: Last arcs of application contexts: logical names without and with ciphering.
CLEAR_CONTEXT, CIPHERED_CONTEXT = 1, 3
LOWEST, LLS = 0, 1
_LEAST_PDU = 12

_BIT = {name: 0x800000 >> number for number, name in enumerate(CONFORMANCE)}
GENERAL_PROTECTION = _BIT["general-protection"]
GENERAL_BLOCKS = _BIT["general-block-transfer"]
GET_BLOCKS = _BIT["block-transfer-with-get-or-read"]
SET_BLOCKS = _BIT["block-transfer-with-set-or-write"]
ACTION_BLOCKS = _BIT["block-transfer-with-action"]
MULTIPLE = _BIT["multiple-references"]
NOTIFICATION = _BIT["data-notification"]
ACCESS, GET, SET, ACTION = (_BIT[name] for name in ("access", "get", "set", "action"))
SELECTIVE = _BIT["selective-access"]
#: All that the meter can do.
SUPPORTED = (
    GENERAL_PROTECTION
    | GENERAL_BLOCKS
    | GET_BLOCKS
    | SET_BLOCKS
    | ACTION_BLOCKS
    | MULTIPLE
    | NOTIFICATION
    | ACCESS
    | GET
    | SET
    | ACTION
    | SELECTIVE
    | _BIT["priority-mgmt-supported"]
)

# Diagnostics of the service user (`names.codes.USER_DIAGNOSTICS`).
NO_REASON, WRONG_CONTEXT, UNKNOWN_TITLE = 1, 2, 3
UNKNOWN_MECHANISM, MECHANISM_REQUIRED, FAILED, PENDING = 11, 12, 13, 14
# ConfirmedServiceError: initiateError; its choices application-reference and initiate.
INITIATE_ERROR, APPLICATION_REFERENCE, INITIATE_CHOICE = 1, 0, 6
DECIPHERING_ERROR = 6


@dataclass(slots=True)
class ClientTerms:
    """What one client is granted: its wPort, context, mechanism, what it may see and how it is protected.

    `secret` is the password of LLS. `policy` has the bits of a security control that its APDUs need at least
    (10 authenticated, 20 encrypted). `suite` is that of the keys.
    """

    wport: int
    level: int = PUBLIC
    contexts: tuple[int, ...] = (CLEAR_CONTEXT,)
    mechanism: int = LOWEST
    secret: bytes = field(default=b"", repr=False)
    suite: int = 0
    policy: int = 0
    conformance: int = SUPPORTED


class AgreedTerms(NamedTuple):
    """What an association has agreed on: conformance, and the longest APDU that the client takes."""

    conformance: int = 0
    client_pdu: int = 0


class AarqRefused(Exception):  # noqa: N818 -- a refusal is an answer, no error of the program
    """An AARQ that is refused: the diagnostic, and what the xDLMS layer says of it."""

    def __init__(self, code: int, error: ConfirmedServiceError | None = None) -> None:
        super().__init__(code)
        self.diagnostic = Diagnostic(1, code)
        self.error = error


def check_aarq(aarq: Aarq, terms: ClientTerms | None, matches: bool) -> ClientTerms:
    """The terms, when the AARQ is in them; `matches`: its password is theirs. Raises AarqRefused."""
    if terms is None:
        raise AarqRefused(NO_REASON)
    if aarq.context not in terms.contexts:
        raise AarqRefused(WRONG_CONTEXT)
    mechanism = aarq.mechanism or LOWEST
    if terms.mechanism != mechanism:
        raise AarqRefused(UNKNOWN_MECHANISM if mechanism else MECHANISM_REQUIRED)
    if mechanism == LLS and not matches:
        raise AarqRefused(FAILED)
    titled = aarq.context == CIPHERED_CONTEXT or mechanism >= 5
    if titled and len(aarq.calling_ap_title or b"") != 8:
        raise AarqRefused(UNKNOWN_TITLE)
    if mechanism > LLS and not 8 <= len(aarq.calling_authentication_value or b"") <= 64:
        raise AarqRefused(FAILED)
    return terms


def agree(request: InitiateRequest, terms: ClientTerms) -> AgreedTerms:
    """What is agreed on a proposal. Raises AarqRefused."""
    conformance = request.conformance & terms.conformance
    value = 0
    if request.dlms_version < DLMS_VERSION:
        value = 1  # dlms-version-too-low
    elif not conformance & (GET | SET | ACTION | ACCESS):
        value = 2  # incompatible-conformance
    elif 0 < request.max_pdu_size < _LEAST_PDU:
        value = 3  # pdu-size-too-short
    if value:
        error = ConfirmedServiceError(INITIATE_ERROR, INITIATE_CHOICE, value)
        raise AarqRefused(NO_REASON, error)
    return AgreedTerms(conformance, request.max_pdu_size or 0xFFFF)
