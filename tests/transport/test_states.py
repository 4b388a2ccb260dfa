"""Every state of the TCP-based transport layer against every input: done as the table says, or refused."""

from collections.abc import Callable

import pytest

from cosemscope.transport.errors import LocalProtocolError
from cosemscope.transport.parameters import ConfirmationType, ReasonOfFailure
from cosemscope.transport.states import TABLE, Action, Connection, Input, Receiving, Sending
from cosemscope.transport.tcp import TcpTransport
from cosemscope.transport.timers import TcpTimeouts
from tests.transport.ends import RLRQ, SERVER, connected

C, I = Connection, Input  # noqa: E741, as in the table
BOTH = frozenset(ConfirmationType)
USUAL = TcpTimeouts()
NEVER = dict.fromkeys(("connect", "wpdu", "inactivity", "send", "disconnect", "poll"))
TIMEOUTS = {
    I.CONNECT_TIMEOUT: "connect",
    I.WPDU_TIMEOUT: "wpdu",
    I.INACTIVITY_TIMEOUT: "inactivity",
    I.SEND_TIMEOUT: "send",
    I.DISCONNECT_TIMEOUT: "disconnect",
    I.POLL: "poll",
}


def only(timer: Input) -> TcpTimeouts:
    """Only the timer in question runs, so that it is the one that fires."""
    return TcpTimeouts(**(NEVER | ({TIMEOUTS[timer]: 5.0} if timer in TIMEOUTS else {})))


def in_state(state: Connection, timeouts: TcpTimeouts = USUAL) -> TcpTransport:
    """A core in `state`; where that is possible, with a WPDU being sent and one being received."""
    core = SERVER.core(timeouts=timeouts, confirmations=BOTH)
    if state is C.LISTENING:
        core.listen("192.0.2.2", 4059, 0)
    elif state is C.CONNECTING:
        core.submit(SERVER.connect_request(), 0)
    elif state is C.CONNECT_INDICATED:
        core.opened(SERVER.quadruple, 0)
    elif state is not C.NO_CONNECTION:
        core = connected(SERVER, timeouts=timeouts, confirmations=BOTH)
        if state is not C.CLOSING:
            core.submit(SERVER.data_request(b"a"), 0)
        ended = state in (C.DISCONNECT_INDICATED, C.DISCONNECT_RESPONDED, C.DISCONNECT_CROSSED)
        if ended:
            core.end_of_stream(0)
        else:
            core.octets_received(RLRQ[:1], 0)
        if state is C.DISCONNECT_RESPONDED:
            core.submit(SERVER.disconnect_response(), 0)
        elif state not in (C.CONNECTED, C.DISCONNECT_INDICATED):
            core.submit(SERVER.disconnect_request(), 0)
    assert core.connection is state
    list(core.events())
    return core


def another_octet(core: TcpTransport) -> None:
    core.octets_received(RLRQ[1:2] if core.receiving else RLRQ[:1], 0)


def finish_wpdu(core: TcpTransport) -> None:
    if core.receiving:
        core.octets_received(RLRQ[1:], 0)


def between_wpdus(core: TcpTransport) -> None:
    finish_wpdu(core)
    core.end_of_stream(0)


def send_all(core: TcpTransport) -> None:
    core.octets_sent(core.queued_octets, 0)


def bad_version(core: TcpTransport) -> None:
    finish_wpdu(core)
    core.octets_received(b"\x00\x02", 0)


DRIVE: dict[Input, Callable[[TcpTransport], None]] = {
    I.CONNECT_REQUEST: lambda core: core.submit(SERVER.connect_request(), 0),
    I.CONNECT_RESPONSE: lambda core: core.submit(SERVER.connect_response(), 0),
    I.DISCONNECT_REQUEST: lambda core: core.submit(SERVER.disconnect_request(), 0),
    I.DISCONNECT_RESPONSE: lambda core: core.submit(SERVER.disconnect_response(), 0),
    I.DATA_REQUEST: lambda core: core.submit(SERVER.data_request(b"x"), 0),
    I.LISTEN: lambda core: core.listen("192.0.2.2", 4059, 0),
    I.STOP_LISTENING: lambda core: core.stop_listening(0),
    I.OPENED: lambda core: core.opened(SERVER.quadruple, 0),
    I.OPEN_FAILED: lambda core: core.open_failed(ReasonOfFailure.REFUSED, 0),
    I.OCTETS: another_octet,
    I.END_OF_STREAM: between_wpdus,
    I.END_IN_WPDU: lambda core: (another_octet(core), core.end_of_stream(0)),
    I.LOST: lambda core: core.connection_lost(ReasonOfFailure.RESET, 0),
    I.CLOSED: lambda core: core.closed(0),
    I.SENT_ALL: send_all,
    I.BAD_VERSION: bad_version,
    I.CONNECT_TIMEOUT: lambda core: core.handle_timeout(5),
    I.WPDU_TIMEOUT: lambda core: core.handle_timeout(5),
    I.INACTIVITY_TIMEOUT: lambda core: core.handle_timeout(5),
    I.SEND_TIMEOUT: lambda core: core.handle_timeout(5),
    I.DISCONNECT_TIMEOUT: lambda core: core.handle_timeout(5),
    I.POLL: lambda core: core.handle_timeout(5),
}
FROM_OUTSIDE = [
    I.CONNECT_REQUEST,
    I.CONNECT_RESPONSE,
    I.DISCONNECT_REQUEST,
    I.DISCONNECT_RESPONSE,
    I.DATA_REQUEST,
    I.LISTEN,
    I.STOP_LISTENING,
    I.OPENED,
    I.OPEN_FAILED,
    I.OCTETS,
    I.LOST,
    I.CLOSED,
]
ROWS = [(state, kind) for state in C for kind in TABLE[state]]
REFUSED = [(state, kind) for state in C for kind in FROM_OUTSIDE if kind not in TABLE[state]]


def name(value: object) -> str:
    return getattr(value, "name", str(value))


@pytest.fixture
def rows_taken(monkeypatch) -> list:
    """Every row that is looked up while the test runs, in order."""
    taken = []
    look_up = TcpTransport._row

    def watched(self, state, kind):
        row = look_up(self, state, kind)
        taken.append((state, kind))
        return row

    monkeypatch.setattr(TcpTransport, "_row", watched)
    return taken


@pytest.mark.parametrize(("state", "kind"), ROWS, ids=name)
def test_each_row_of_the_table_is_taken(state, kind, rows_taken):
    """What the table allows happens, through that very row, and ends in its next state.

    Rows with FLUSH go on at once where nothing is left to send; here something is.
    """
    core = in_state(state, only(kind))
    rows_taken.clear()
    DRIVE[kind](core)
    assert (state, kind) in rows_taken
    last = [row for row in rows_taken if row[0] in C][-1]
    assert core.connection is TABLE[last[0]][last[1]].next
    if kind is not I.CONNECT_RESPONSE:
        assert core.connection is TABLE[state][kind].next
    if core.connection is C.NO_CONNECTION:
        assert not any((core.sending, core.receiving, core.queued_octets, core.awaits_acknowledgement))
        assert core.next_timeout() is None


@pytest.mark.parametrize(("state", "kind"), REFUSED, ids=name)
def test_what_has_no_row_is_refused_and_changes_nothing(state, kind):
    """A primitive or a socket's tale that the state does not allow: an error that names the state."""
    core = in_state(state)
    before = snapshot(core)
    with pytest.raises(LocalProtocolError) as refused:
        DRIVE[kind](core)
    assert core.state in str(refused.value)
    assert refused.value.state == core.state
    assert kind.value in str(refused.value)
    assert snapshot(core) == before
    assert core.next_event() is None


@pytest.mark.parametrize("state", [C.DISCONNECT_INDICATED, C.DISCONNECT_RESPONDED, C.DISCONNECT_CROSSED])
def test_a_second_fin_is_refused(state):
    """TCP ends a stream once; a driver that says it twice is wrong."""
    core = in_state(state)
    with pytest.raises(LocalProtocolError, match="FIN received"):
        core.end_of_stream(0)


def snapshot(core: TcpTransport) -> tuple:
    return (
        core.connection,
        core.sending,
        core.receiving,
        core.quadruple,
        core.queued_requests,
        core.queued_octets,
        core.awaits_acknowledgement,
        core.next_timeout(),
        core._decoder.buffered,
        str(core.counters),
    )


@pytest.mark.parametrize("state", C, ids=name)
def test_no_timer_runs_where_the_table_has_no_row_for_it(state):
    """However late the clock is looked at, whatever is due is allowed in the state it is due in."""
    core = in_state(state, TcpTimeouts(connect=5, wpdu=4, inactivity=3, send=2, disconnect=6, poll=1))
    for now in (1, 2, 3, 4, 5, 6, 7, 1000):
        core.handle_timeout(now)
    resting = state in (C.NO_CONNECTION, C.LISTENING, C.CONNECT_INDICATED)
    assert core.connection is (state if resting else C.NO_CONNECTION)
    assert core.next_timeout() is None


def test_sending_and_receiving_take_each_of_their_rows(rows_taken):
    """The two small machines, row by row."""
    core = connected(SERVER)
    core.submit(SERVER.data_request(b"a"), 0)
    core.submit(SERVER.data_request(b"b"), 0)
    core.octets_sent(1, 0)
    core.octets_sent(8, 0)
    core.octets_sent(9, 0)
    core.octets_received(RLRQ, 0)
    small = {(state, kind) for machine in (Sending, Receiving) for state in machine for kind in TABLE[state]}
    assert small <= set(rows_taken)


def test_every_action_is_used():
    """The table has no action that no row takes."""
    used = {action for rows in TABLE.values() for row in rows.values() for action in row.actions}
    assert used == set(Action)


@pytest.mark.parametrize("state", [*C][3:], ids=name)
def test_a_lost_connection_always_ends_in_primitives(state):
    """With a connection: the manager hears of it once, every request gets each of its confirms once."""
    core = in_state(state)
    requests = core.queued_requests
    core.connection_lost(ReasonOfFailure.RESET, 0)
    names = [event.name for event in core.events()]
    assert names.count("TCP-DATA.confirm") == 2 * requests
    assert sum(name.startswith("TCP-DISCONNECT") for name in names) == 1
    assert core.connection is C.NO_CONNECTION
