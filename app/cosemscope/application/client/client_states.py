"""The state machine of a client's association control function, as one table (IEC 62056-5-3, client side CF).

The standard's states are INACTIVE, ASSOCIATION PENDING, ASSOCIATED and ASSOCIATION RELEASE PENDING; the third
and fourth pass of HLS, which it holds to be part of ASSOCIATED with only that one method allowed, stand here
as HLS_PENDING. COSEM-OPEN, COSEM-RELEASE and COSEM-ABORT are the standard's service primitives.

Two rules, as in `transport.states`. Every transition stands in `CLIENT_TABLE`, and nowhere else. What has no
row in a state changes nothing: from above it is refused, from below it is told as unexpected.
"""

import enum
from typing import Final, NamedTuple


class ClientState(enum.Enum):
    """Where the association stands; the values are for people."""

    INACTIVE = "not associated"
    ASSOCIATION_PENDING = "AARQ sent, AARE awaited"
    HLS_PENDING = "HLS authentication: the server's answer to the challenge awaited"
    ASSOCIATED = "associated"
    RELEASE_PENDING = "RLRQ sent, RLRE awaited"


class ClientInput(enum.Enum):
    """What can happen."""

    # from the user
    OPEN_REQUEST = "COSEM-OPEN.request"
    OPEN_PRE_ESTABLISHED = "COSEM-OPEN.request of a pre-established association"
    SERVICE_REQUEST = "GET, SET or ACTION.request"
    RELEASE_REQUEST = "COSEM-RELEASE.request"
    ABORT_REQUEST = "COSEM-ABORT.request"
    # from the server
    AARE_ACCEPTED = "AARE, accepted"
    AARE_HLS = "AARE, accepted, authentication required"
    AARE_REFUSED = "AARE, rejected"
    HLS_RIGHT = "f(CtoS) received, right"
    HLS_WRONG = "f(CtoS) not received, or wrong"
    SERVICE_RESPONSE = "response to a GET, SET or ACTION"
    BROKEN_RESPONSE = "response that cannot be read"
    EXCEPTION = "exception response, or confirmed service error"
    RLRE = "RLRE"
    ABRT = "ABRT"
    NOTIFICATION = "notification"
    # from below
    LINK_LOST = "the connection is gone"
    TIMEOUT = "no answer in time"


class ClientAction(enum.Enum):
    """What a row does; the values name the methods of `ClientAssociation` that do it."""

    SEND_AARQ = "send_aarq"
    TAKE_AGREED = "take_agreed"
    SEND_HLS_ANSWER = "send_hls_answer"
    CONFIRM_OPEN = "confirm_open"
    CONFIRM_OPEN_REFUSED = "confirm_open_refused"
    SEND_REQUEST = "send_request"
    TAKE_RESPONSE = "take_response"
    FAIL_REQUEST = "fail_request"
    EXPIRE_REQUESTS = "expire_requests"
    FAIL_REQUESTS = "fail_requests"
    SEND_RLRQ = "send_rlrq"
    CONFIRM_RELEASE = "confirm_release"
    INDICATE_ABORT = "indicate_abort"
    INDICATE_NOTIFICATION = "indicate_notification"


class ClientRow(NamedTuple):
    """What an input does in a state: the next state, and the actions in order."""

    next: ClientState
    actions: tuple[ClientAction, ...] = ()


def _row(next_state: ClientState, *actions: ClientAction) -> ClientRow:
    return ClientRow(next_state, actions)


_S, _I, _A = ClientState, ClientInput, ClientAction

_REFUSED = _row(_S.INACTIVE, _A.CONFIRM_OPEN_REFUSED)
_ABORTED = _row(_S.INACTIVE, _A.FAIL_REQUESTS, _A.INDICATE_ABORT)
_RELEASED = _row(_S.INACTIVE, _A.CONFIRM_RELEASE)

CLIENT_TABLE: Final[dict[ClientState, dict[ClientInput, ClientRow]]] = {
    _S.INACTIVE: {
        _I.OPEN_REQUEST: _row(_S.ASSOCIATION_PENDING, _A.SEND_AARQ),
        _I.OPEN_PRE_ESTABLISHED: _row(_S.ASSOCIATED, _A.CONFIRM_OPEN),
        _I.NOTIFICATION: _row(_S.INACTIVE, _A.INDICATE_NOTIFICATION),
        _I.LINK_LOST: _row(_S.INACTIVE),
    },
    _S.ASSOCIATION_PENDING: {
        _I.AARE_ACCEPTED: _row(_S.ASSOCIATED, _A.TAKE_AGREED, _A.CONFIRM_OPEN),
        _I.AARE_HLS: _row(_S.HLS_PENDING, _A.TAKE_AGREED, _A.SEND_HLS_ANSWER),
        _I.AARE_REFUSED: _REFUSED,
        _I.EXCEPTION: _REFUSED,
        _I.TIMEOUT: _REFUSED,
        _I.ABRT: _REFUSED,
        _I.LINK_LOST: _REFUSED,
        _I.ABORT_REQUEST: _REFUSED,
        _I.NOTIFICATION: _row(_S.ASSOCIATION_PENDING, _A.INDICATE_NOTIFICATION),
    },
    _S.HLS_PENDING: {
        _I.HLS_RIGHT: _row(_S.ASSOCIATED, _A.CONFIRM_OPEN),
        _I.HLS_WRONG: _REFUSED,
        _I.EXCEPTION: _REFUSED,
        _I.TIMEOUT: _REFUSED,
        _I.ABRT: _REFUSED,
        _I.LINK_LOST: _REFUSED,
        _I.ABORT_REQUEST: _REFUSED,
        _I.NOTIFICATION: _row(_S.HLS_PENDING, _A.INDICATE_NOTIFICATION),
    },
    _S.ASSOCIATED: {
        _I.SERVICE_REQUEST: _row(_S.ASSOCIATED, _A.SEND_REQUEST),
        _I.SERVICE_RESPONSE: _row(_S.ASSOCIATED, _A.TAKE_RESPONSE),
        _I.BROKEN_RESPONSE: _row(_S.ASSOCIATED, _A.FAIL_REQUEST),
        _I.EXCEPTION: _row(_S.ASSOCIATED, _A.FAIL_REQUEST),
        _I.TIMEOUT: _row(_S.ASSOCIATED, _A.EXPIRE_REQUESTS),
        _I.NOTIFICATION: _row(_S.ASSOCIATED, _A.INDICATE_NOTIFICATION),
        _I.RELEASE_REQUEST: _row(_S.RELEASE_PENDING, _A.FAIL_REQUESTS, _A.SEND_RLRQ),
        _I.ABORT_REQUEST: _ABORTED,
        _I.ABRT: _ABORTED,
        _I.LINK_LOST: _ABORTED,
    },
    _S.RELEASE_PENDING: {
        _I.RLRE: _RELEASED,
        _I.EXCEPTION: _RELEASED,  # a server without release: closing the connection does it
        _I.TIMEOUT: _RELEASED,
        _I.ABRT: _RELEASED,
        _I.LINK_LOST: _RELEASED,
        _I.ABORT_REQUEST: _RELEASED,
        _I.NOTIFICATION: _row(_S.RELEASE_PENDING, _A.INDICATE_NOTIFICATION),
    },
}
