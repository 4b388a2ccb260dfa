"""The server's control function for one association, as one table (IEC 62056-5-3, server side state machine).

Every transition stands in `TABLE`, and nowhere else: in a state an input leads to an action and a next state.
What has no row is answered by an exception-response (service not allowed, operation not possible) and changes
nothing. An AARQ and an RLRQ are judged first: the input says what came of that.

What the standard leaves open, and how it is decided here. An AARQ in an association begins a new one, since a
client that asks has lost the old one; refused, it ends the old one too. An RLRQ where there is no association
is answered all the same: nothing is left that could be kept from the client. A wrong proof in pass 3 ends the
association, as the standard has it.
"""

import enum
from typing import Final, NamedTuple


class ServerState(enum.Enum):
    """Where the association stands; the values are for people."""

    IDLE = "no association"
    PENDING = "HLS authentication pending"
    ASSOCIATED = "associated"


class ServerInput(enum.Enum):
    """What can come from the client, as it was judged."""

    ACCEPTED = "AARQ accepted, without HLS"
    ACCEPTED_HLS = "AARQ accepted, HLS passes 3 and 4 to come"
    REFUSED = "AARQ refused"
    PROOF_RIGHT = "reply_to_HLS_authentication with the right answer"
    PROOF_WRONG = "reply_to_HLS_authentication with a wrong answer"
    SERVICE = "another xDLMS request"
    RELEASE = "RLRQ"
    ABORT = "ABRT, or the end of the connection"


class ServerAction(enum.Enum):
    """What the server does then."""

    OPEN = "AARE accepted; services are served from now on"
    CHALLENGE = "AARE accepted, with the server's challenge"
    REJECT = "AARE rejected, with a diagnostic"
    PROVE = "the server's own answer; services are served from now on"
    DISMISS = "action-result that refuses"
    SERVE = "the service's response"
    CLOSE = "RLRE"
    FORGET = "nothing"


class ServerStep(NamedTuple):
    """What an input leads to."""

    action: ServerAction
    then: ServerState


_S, _I, _A = ServerState, ServerInput, ServerAction
_ALWAYS = {
    _I.ACCEPTED: ServerStep(_A.OPEN, _S.ASSOCIATED),
    _I.ACCEPTED_HLS: ServerStep(_A.CHALLENGE, _S.PENDING),
    _I.REFUSED: ServerStep(_A.REJECT, _S.IDLE),
    _I.RELEASE: ServerStep(_A.CLOSE, _S.IDLE),
    _I.ABORT: ServerStep(_A.FORGET, _S.IDLE),
}
TABLE: Final[dict[ServerState, dict[ServerInput, ServerStep]]] = {
    _S.IDLE: {**_ALWAYS},
    _S.PENDING: {
        **_ALWAYS,
        _I.PROOF_RIGHT: ServerStep(_A.PROVE, _S.ASSOCIATED),
        _I.PROOF_WRONG: ServerStep(_A.DISMISS, _S.IDLE),
    },
    _S.ASSOCIATED: {**_ALWAYS, _I.SERVICE: ServerStep(_A.SERVE, _S.ASSOCIATED)},
}


def step(state: ServerState, what: ServerInput) -> ServerStep | None:
    """What an input leads to in a state; None where it is not allowed."""
    return TABLE[state].get(what)
