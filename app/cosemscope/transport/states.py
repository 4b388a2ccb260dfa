"""The state machine of the TCP-based transport layer (6.3.5.1, Figure 11), as one table.

The figure has two macro states. "No TCP connection" holds here NO_CONNECTION, LISTENING and CONNECTING; "TCP
connected" holds the rest. Inside the latter sending and receiving run independently: they are two small
machines of their own, each idle or busy, and the connection is at rest when both are idle. The drawing itself
was not seen: states and rows are our proposal from the procedures of 6.3.5, and the names are ours. What goes
beyond those procedures: TCP lets either end finish its last WPDUs before CLOSE takes effect and lets what the
peer still sends come in, hence DISCONNECT_REQUESTED, DISCONNECT_RESPONDED and DISCONNECT_CROSSED.

Two rules. Every transition stands in `TABLE`, and nowhere else. What has no row in a state is refused and
changes nothing. An input comes from above (a primitive), from below (what happened on the socket), from the
other two machines, or from a timer; the actions of a row are done in order.

What the clauses leave open, and how it is decided here:

- FIN inside a WPDU is TCP-ABORT and TCP-DISCONNECT.indication with ABORT, not REMOTE_REQ. The peer wished to
  close, but an APDU was lost with that: 6.2.4 tells the application layer of what it could not foresee, and
  after REMOTE_REQ a manager would respond as if all were well. Asked for here, the close succeeds all the
  same (Figure 9), and the report tells of the WPDU.
- A WPDU followed by what is none, in one segment: the WPDU is delivered, then the connection is closed at
  once, before an answer could go out. Where the next header stands is lost for good (4, 5.3.2), and nothing
  shows that the peer would still read an answer as one.
- TCP-DISCONNECT.request without a connection, or while one is being made, is refused and changes nothing.
  6.2.3 has a confirm with FAILURE, for what was tried and failed; nothing is tried here, and a manager that
  asks for it has lost count of its connections. While connecting, the driver ends the attempt with
  `open_failed` (CANCELLED), which is confirmed to the manager: 6.2.2 has no primitive to take a request back.
"""

import enum
from typing import Final, NamedTuple, TypeAlias


class Connection(enum.Enum):
    """Where the connection stands; the values are for people."""

    NO_CONNECTION = "no TCP connection"
    LISTENING = "no TCP connection, listening"  # passive OPEN called
    CONNECTING = "no TCP connection, connecting"  # active OPEN called
    CONNECT_INDICATED = "connected, TCP-CONNECT.response awaited"
    CONNECTED = "connected"
    DISCONNECT_REQUESTED = "connected, handing over the last WPDUs before CLOSE"
    CLOSING = "closing"  # CLOSE called, the peer has still to close
    DISCONNECT_INDICATED = "connected, TCP-DISCONNECT.response awaited"  # the peer has closed
    DISCONNECT_RESPONDED = "the peer has closed, handing over the last WPDUs"
    DISCONNECT_CROSSED = "both ends want to close, handing over the last WPDUs"


class Sending(enum.Enum):
    """Whether a WPDU is being handed over to TCP."""

    IDLE = "not sending"
    SENDING = "sending"


class Receiving(enum.Enum):
    """Whether a WPDU has begun to arrive."""

    IDLE = "not receiving"
    RECEIVING = "receiving"


class Input(enum.Enum):
    """What can happen. Primitives bear the standard's name."""

    # from the service users, and LISTEN and STOP_LISTENING from whoever starts a server
    CONNECT_REQUEST = "TCP-CONNECT.request"
    CONNECT_RESPONSE = "TCP-CONNECT.response"
    DISCONNECT_REQUEST = "TCP-DISCONNECT.request"
    DISCONNECT_RESPONSE = "TCP-DISCONNECT.response"
    DATA_REQUEST = "TCP-DATA.request"
    LISTEN = "passive OPEN"
    STOP_LISTENING = "end of the passive OPEN"
    # from the socket
    OPENED = "connection established"
    OPEN_FAILED = "connection not established"
    OCTETS = "octets received"
    END_OF_STREAM = "FIN received between two WPDUs"
    END_IN_WPDU = "FIN received inside a WPDU"
    LOST = "connection lost"
    CLOSED = "connection closed"
    PART_ACCEPTED = "SEND accepted a part"
    WPDU_ACCEPTED = "SEND accepted the rest of the WPDU"
    # from the sending and receiving machines
    SENT_ALL = "no WPDU left to hand over"
    FIRST_OCTET = "first octet of a WPDU received"
    WHOLE_WPDU = "last octet of a WPDU received"
    BAD_VERSION = "no WPDU of version 1 received"
    # from timers
    CONNECT_TIMEOUT = "connecting takes too long"
    WPDU_TIMEOUT = "the rest of a begun WPDU takes too long"
    INACTIVITY_TIMEOUT = "nothing received for too long"
    SEND_TIMEOUT = "SEND accepts nothing for too long"
    DISCONNECT_TIMEOUT = "disconnecting takes too long"
    POLL = "time to ask for STATUS"


class Action(enum.Enum):
    """What a row does; the values name the methods of `TcpTransport` that do it."""

    CALL_OPEN_PASSIVE = "call_open_passive"
    CALL_OPEN_ACTIVE = "call_open_active"
    CALL_SEND = "call_send"
    CALL_SEND_REST = "call_send_rest"
    CALL_CLOSE = "call_close"
    CALL_CLOSE_RELEASE = "call_close_release"
    CALL_ABORT = "call_abort"
    CALL_STATUS = "call_status"
    CONNECT_INDICATION = "connect_indication"
    CONNECT_CONFIRM_SUCCESS = "connect_confirm_success"
    CONNECT_CONFIRM_FAILURE = "connect_confirm_failure"
    DISCONNECT_INDICATION_REMOTE_REQ = "disconnect_indication_remote_req"
    DISCONNECT_INDICATION_ABORT = "disconnect_indication_abort"
    DISCONNECT_CONFIRM_SUCCESS = "disconnect_confirm_success"
    DISCONNECT_CONFIRM_FAILURE = "disconnect_confirm_failure"
    ABORT_INDICATION = "abort_indication"
    DATA_INDICATION = "data_indication"  # or discard, if the destination is not bound
    DATA_CONFIRM_LOCAL_OK = "data_confirm_local_ok"
    DATA_CONFIRMS_NOK = "data_confirms_nok"  # for every request that still waits for a confirm
    REPORT_PEER = "report_peer"  # a RemoteProtocolError among the events
    BEGIN_RECEIVING = "begin_receiving"  # call RECEIVE; take in what came while a response was awaited
    TAKE_OCTETS = "take_octets"
    HOLD_OCTETS = "hold_octets"
    HOLD_END = "hold_end"
    STOP_RECEIVING = "stop_receiving"
    PASS_TO_SENDING = "pass_to_sending"  # DATA.request goes to the sending machine
    QUEUE_REQUEST = "queue_request"  # behind those that wait
    SEND_NEXT = "send_next"  # the next request that waits; else SENT_ALL
    FLUSH = "flush"  # SENT_ALL at once if nothing is being sent
    START_WPDU_TIMER = "start_wpdu_timer"
    STOP_WPDU_TIMER = "stop_wpdu_timer"
    START_DISCONNECT_TIMER = "start_disconnect_timer"


State: TypeAlias = Connection | Sending | Receiving


class Row(NamedTuple):
    """What an input does in a state: the next state, and the actions in order."""

    next: State
    actions: tuple[Action, ...] = ()


def _row(next_state: State, *actions: Action) -> Row:
    return Row(next_state, actions)


_C, _S, _R, _I, _A = Connection, Sending, Receiving, Input, Action

_OVER = (_A.DATA_CONFIRMS_NOK, _A.ABORT_INDICATION, _A.DISCONNECT_INDICATION_ABORT)
_LOST = _row(_C.NO_CONNECTION, *_OVER)
_GIVE_UP = _row(_C.NO_CONNECTION, _A.CALL_ABORT, *_OVER)
_BROKEN = _row(_C.NO_CONNECTION, _A.REPORT_PEER, _A.CALL_CLOSE_RELEASE, *_OVER)

_UNCLEAN = (_A.DATA_CONFIRMS_NOK, _A.DISCONNECT_CONFIRM_FAILURE)
_LOST_CLOSING = _row(_C.NO_CONNECTION, *_UNCLEAN)
_GIVE_UP_CLOSING = _row(_C.NO_CONNECTION, _A.CALL_ABORT, *_UNCLEAN)
_BROKEN_CLOSING = _row(_C.NO_CONNECTION, _A.REPORT_PEER, _A.CALL_CLOSE_RELEASE, *_UNCLEAN)

_CLEAN = (_A.DATA_CONFIRMS_NOK, _A.DISCONNECT_CONFIRM_SUCCESS)
_IGNORE = _row(_C.NO_CONNECTION)

TABLE: Final[dict[State, dict[Input, Row]]] = {
    # --- no TCP connection (6.3.5.2; Figures 8, A.1, A.2) ---
    _C.NO_CONNECTION: {
        _I.LISTEN: _row(_C.LISTENING, _A.CALL_OPEN_PASSIVE),
        _I.CONNECT_REQUEST: _row(_C.CONNECTING, _A.CALL_OPEN_ACTIVE),
        _I.OPENED: _row(_C.CONNECT_INDICATED, _A.CONNECT_INDICATION),
        # what the socket of a connection that is over may still tell
        _I.OPEN_FAILED: _IGNORE,
        _I.OCTETS: _IGNORE,
        _I.END_OF_STREAM: _IGNORE,
        _I.LOST: _IGNORE,
        _I.CLOSED: _IGNORE,
    },
    _C.LISTENING: {
        _I.OPENED: _row(_C.CONNECT_INDICATED, _A.CONNECT_INDICATION),
        _I.OPEN_FAILED: _row(_C.NO_CONNECTION),
        _I.STOP_LISTENING: _row(_C.NO_CONNECTION, _A.CALL_CLOSE_RELEASE),
        _I.LOST: _row(_C.NO_CONNECTION),
    },
    _C.CONNECTING: {
        _I.OPENED: _row(_C.CONNECTED, _A.CONNECT_CONFIRM_SUCCESS, _A.BEGIN_RECEIVING),
        _I.OPEN_FAILED: _row(_C.NO_CONNECTION, _A.CONNECT_CONFIRM_FAILURE),
        _I.LOST: _row(_C.NO_CONNECTION, _A.CONNECT_CONFIRM_FAILURE),
        _I.CONNECT_TIMEOUT: _row(_C.NO_CONNECTION, _A.CALL_ABORT, _A.CONNECT_CONFIRM_FAILURE),
    },
    # --- TCP connected: establishment, the responding manager's turn (6.3.5.2, Figure 8) ---
    _C.CONNECT_INDICATED: {
        _I.CONNECT_RESPONSE: _row(_C.CONNECTED, _A.BEGIN_RECEIVING),
        _I.OCTETS: _row(_C.CONNECT_INDICATED, _A.HOLD_OCTETS),
        _I.END_OF_STREAM: _row(_C.CONNECT_INDICATED, _A.HOLD_END),
        _I.END_IN_WPDU: _row(_C.CONNECT_INDICATED, _A.HOLD_END),
        _I.LOST: _row(_C.NO_CONNECTION, _A.DISCONNECT_INDICATION_ABORT),
        _I.CLOSED: _row(_C.NO_CONNECTION, _A.DISCONNECT_INDICATION_ABORT),
    },
    # --- TCP connected: data transfer (6.3.5.4, Figure 10) ---
    _C.CONNECTED: {
        _I.DATA_REQUEST: _row(_C.CONNECTED, _A.PASS_TO_SENDING),
        _I.SENT_ALL: _row(_C.CONNECTED),
        _I.OCTETS: _row(_C.CONNECTED, _A.TAKE_OCTETS),
        _I.POLL: _row(_C.CONNECTED, _A.CALL_STATUS),
        _I.DISCONNECT_REQUEST: _row(_C.DISCONNECT_REQUESTED, _A.START_DISCONNECT_TIMER, _A.FLUSH),
        _I.END_OF_STREAM: _row(
            _C.DISCONNECT_INDICATED, _A.STOP_RECEIVING, _A.DISCONNECT_INDICATION_REMOTE_REQ
        ),
        _I.END_IN_WPDU: _BROKEN,
        _I.BAD_VERSION: _BROKEN,
        _I.LOST: _LOST,
        _I.CLOSED: _LOST,
        _I.WPDU_TIMEOUT: _GIVE_UP,
        _I.INACTIVITY_TIMEOUT: _GIVE_UP,
        _I.SEND_TIMEOUT: _GIVE_UP,
    },
    _S.IDLE: {
        _I.DATA_REQUEST: _row(_S.SENDING, _A.CALL_SEND),
    },
    _S.SENDING: {
        _I.DATA_REQUEST: _row(_S.SENDING, _A.QUEUE_REQUEST),
        _I.PART_ACCEPTED: _row(_S.SENDING, _A.CALL_SEND_REST),
        _I.WPDU_ACCEPTED: _row(_S.IDLE, _A.DATA_CONFIRM_LOCAL_OK, _A.SEND_NEXT),
    },
    _R.IDLE: {
        _I.FIRST_OCTET: _row(_R.RECEIVING, _A.START_WPDU_TIMER),
    },
    _R.RECEIVING: {
        _I.WHOLE_WPDU: _row(_R.IDLE, _A.STOP_WPDU_TIMER, _A.DATA_INDICATION),
    },
    # --- TCP connected: disconnection asked for here (6.3.5.3, Figures 9, A.3) ---
    _C.DISCONNECT_REQUESTED: {
        _I.SENT_ALL: _row(_C.CLOSING, _A.CALL_CLOSE),
        _I.OCTETS: _row(_C.DISCONNECT_REQUESTED, _A.TAKE_OCTETS),
        _I.POLL: _row(_C.DISCONNECT_REQUESTED, _A.CALL_STATUS),
        _I.END_OF_STREAM: _row(_C.DISCONNECT_CROSSED, _A.STOP_RECEIVING),
        _I.END_IN_WPDU: _row(_C.DISCONNECT_CROSSED, _A.REPORT_PEER, _A.STOP_RECEIVING),
        _I.BAD_VERSION: _BROKEN_CLOSING,
        _I.LOST: _LOST_CLOSING,
        _I.CLOSED: _LOST_CLOSING,
        _I.WPDU_TIMEOUT: _GIVE_UP_CLOSING,
        _I.INACTIVITY_TIMEOUT: _GIVE_UP_CLOSING,
        _I.SEND_TIMEOUT: _GIVE_UP_CLOSING,
        _I.DISCONNECT_TIMEOUT: _GIVE_UP_CLOSING,
    },
    _C.CLOSING: {
        _I.OCTETS: _row(_C.CLOSING, _A.TAKE_OCTETS),
        _I.POLL: _row(_C.CLOSING, _A.CALL_STATUS),
        _I.END_OF_STREAM: _row(_C.NO_CONNECTION, _A.CALL_CLOSE_RELEASE, *_CLEAN),
        _I.END_IN_WPDU: _row(_C.NO_CONNECTION, _A.REPORT_PEER, _A.CALL_CLOSE_RELEASE, *_CLEAN),
        _I.CLOSED: _row(_C.NO_CONNECTION, *_CLEAN),
        _I.BAD_VERSION: _BROKEN_CLOSING,
        _I.LOST: _LOST_CLOSING,
        _I.WPDU_TIMEOUT: _GIVE_UP_CLOSING,
        _I.INACTIVITY_TIMEOUT: _GIVE_UP_CLOSING,
        _I.DISCONNECT_TIMEOUT: _GIVE_UP_CLOSING,
    },
    # --- TCP connected: disconnection asked for by the peer (6.3.5.3, Figures 9, A.3) ---
    _C.DISCONNECT_INDICATED: {
        _I.DISCONNECT_RESPONSE: _row(_C.DISCONNECT_RESPONDED, _A.START_DISCONNECT_TIMER, _A.FLUSH),
        _I.DISCONNECT_REQUEST: _row(_C.DISCONNECT_CROSSED, _A.START_DISCONNECT_TIMER, _A.FLUSH),
        _I.DATA_REQUEST: _row(_C.DISCONNECT_INDICATED, _A.PASS_TO_SENDING),
        _I.SENT_ALL: _row(_C.DISCONNECT_INDICATED),
        _I.POLL: _row(_C.DISCONNECT_INDICATED, _A.CALL_STATUS),
        _I.LOST: _LOST,
        _I.CLOSED: _LOST,
        _I.SEND_TIMEOUT: _GIVE_UP,
    },
    _C.DISCONNECT_RESPONDED: {
        _I.SENT_ALL: _row(_C.NO_CONNECTION, _A.CALL_CLOSE_RELEASE, _A.DATA_CONFIRMS_NOK),
        _I.POLL: _row(_C.DISCONNECT_RESPONDED, _A.CALL_STATUS),
        _I.LOST: _LOST,
        _I.CLOSED: _LOST,
        _I.SEND_TIMEOUT: _GIVE_UP,
        _I.DISCONNECT_TIMEOUT: _GIVE_UP,
    },
    _C.DISCONNECT_CROSSED: {
        _I.SENT_ALL: _row(_C.NO_CONNECTION, _A.CALL_CLOSE_RELEASE, *_CLEAN),
        _I.DISCONNECT_RESPONSE: _row(_C.DISCONNECT_CROSSED),
        _I.POLL: _row(_C.DISCONNECT_CROSSED, _A.CALL_STATUS),
        _I.LOST: _LOST_CLOSING,
        _I.CLOSED: _LOST_CLOSING,
        _I.SEND_TIMEOUT: _GIVE_UP_CLOSING,
        _I.DISCONNECT_TIMEOUT: _GIVE_UP_CLOSING,
    },
}
