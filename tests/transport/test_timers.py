"""The timers of the TCP-based transport layer: the standard has none, practice has."""

from cosemscope.transport.calls import Abort, Close, Open, Receive, Status
from cosemscope.transport.errors import RemoteProtocolError
from cosemscope.transport.parameters import DisconnectReason, ReasonOfFailure, Result
from cosemscope.transport.timers import TcpTimeouts
from cosemscope.transport.wpdu import Truncated
from tests.helpers.playbook import Playbook, accepted, after, fin, lost, received, submitted
from tests.transport.ends import CLIENT, RLRE, RLRQ, SERVER, connected, send

RESET, ABORT = ReasonOfFailure.RESET, DisconnectReason.ABORT


def test_timer_connect():
    """A connection that nobody answers is given up, on time and not before."""
    with Playbook(CLIENT.core(timeouts=TcpTimeouts(connect=10))) as book:
        book >> submitted(CLIENT.connect_request())
        book << Open(True, CLIENT.quadruple)
        assert book.core.next_timeout() == 10
        book >> after(9.9)
        book >> after(0.1)
        book << Abort() << CLIENT.connect_confirm(ReasonOfFailure.TIMED_OUT)
        assert book.core.next_timeout() is None


def test_timer_rest_of_a_begun_wpdu():
    """It runs from the first octet of the header, more octets do not prolong it, a whole WPDU ends it."""
    core = connected(SERVER, timeouts=TcpTimeouts(wpdu=5))
    with Playbook(core, now=100) as book:
        assert core.next_timeout() is None
        book >> received(RLRQ[:1])
        book << Receive(7)
        assert core.next_timeout() == 105
        book >> after(4)
        book >> received(RLRQ[1:] + RLRQ[:1])
        book << SERVER.data_indication(b"\x62\x00") << Receive(7)
        assert core.next_timeout() == 109
        book >> after(4)
        book >> received(RLRQ[1:8])
        book << Receive(2)
        assert core.next_timeout() == 109
        book >> after(1)
        book << Abort()
        book << SERVER.abort_indication(ReasonOfFailure.WPDU_TIMED_OUT) << SERVER.disconnect_indication(ABORT)


def test_timer_inactivity():
    """Octets from the peer prolong it, our own do not."""
    core = connected(SERVER, timeouts=TcpTimeouts(inactivity=180, wpdu=None))
    with Playbook(core) as book:
        assert core.next_timeout() == 180
        book >> after(100)
        book >> received(RLRQ[:1])
        book << Receive(7)
        assert core.next_timeout() == 280
        book >> submitted(SERVER.data_request(b"\x63\x00"))
        book << send(RLRE)
        book >> accepted(10)
        book << SERVER.data_confirm()
        book >> after(180)
        book << Abort()
        book << SERVER.abort_indication(ReasonOfFailure.INACTIVE) << SERVER.disconnect_indication(ABORT)


def test_timer_peer_does_not_read():
    """It begins anew with every octet that is accepted."""
    core = connected(CLIENT, timeouts=TcpTimeouts(send=30))
    with Playbook(core) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> after(20)
        book >> accepted(1)
        book << send(RLRQ[1:])
        assert core.next_timeout() == 50
        book >> after(30)
        book << Abort() << CLIENT.data_confirm(Result.NOK)
        book << CLIENT.abort_indication(ReasonOfFailure.NOT_READING) << CLIENT.disconnect_indication(ABORT)


def test_timer_of_send_stops_when_all_is_accepted():
    """An idle link is not aborted for a WPDU that went out."""
    core = connected(CLIENT, timeouts=TcpTimeouts(send=30))
    core.submit(CLIENT.data_request(b"\x62\x00"), 0)
    assert core.next_timeout() == 30
    core.octets_sent(10, 0)
    assert core.next_timeout() is None


def test_timer_disconnect():
    """A peer that never closes does not hold the connection for ever."""
    with Playbook(connected(CLIENT, timeouts=TcpTimeouts(disconnect=10))) as book:
        book >> submitted(CLIENT.disconnect_request())
        book << Close(release=False)
        book >> after(10)
        book << Abort() << CLIENT.disconnect_confirm(ReasonOfFailure.TIMED_OUT)


def test_timer_disconnect_begins_anew_while_the_last_wpdu_makes_progress():
    """A slow peer that takes octets gets all of them; one that takes none is given up (6.3.5.4, Figure 9)."""
    core = connected(CLIENT, timeouts=TcpTimeouts(disconnect=10))
    with Playbook(core) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> submitted(CLIENT.disconnect_request())
        book >> after(9)
        book >> accepted(4)
        book << send(RLRQ[4:])
        book >> after(9)
        book >> accepted(2)
        book << send(RLRQ[6:])
        book >> after(10)
        book << Abort() << CLIENT.data_confirm(result=Result.NOK)
        book << CLIENT.disconnect_confirm(ReasonOfFailure.TIMED_OUT)


def test_timer_of_a_wpdu_that_can_no_longer_be_whole_does_not_run():
    """The peer ended inside a WPDU while the last of ours is being handed over: no time-out for its rest."""
    with Playbook(connected(CLIENT, timeouts=TcpTimeouts(wpdu=5, disconnect=60))) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> received(RLRE[:3])
        book << Receive(5)
        book >> submitted(CLIENT.disconnect_request())
        book >> fin()
        book << RemoteProtocolError(Truncated(RLRE[:3], 0, None))
        assert book.core.next_timeout() == 60
        book >> after(59)
        book >> accepted(10)
        book << CLIENT.data_confirm() << Close(release=True) << CLIENT.disconnect_confirm()


def test_timer_of_status_goes_on_until_the_connection_is_over():
    """STATUS is asked again and again, then never more."""
    core = connected(CLIENT, timeouts=TcpTimeouts(poll=1))
    with Playbook(core) as book:
        for _ in range(3):
            book >> after(1)
            book << Status()
        book >> lost(RESET)
        book << CLIENT.abort_indication(RESET) << CLIENT.disconnect_indication(ABORT)
        assert core.next_timeout() is None


def test_several_timers_at_once_fire_the_earliest_first_and_only_while_there_is_a_connection():
    """A late look at the clock gives one abort, with the reason that came first."""
    core = connected(SERVER, timeouts=TcpTimeouts(wpdu=5, inactivity=4, poll=2))
    with Playbook(core) as book:
        book >> received(RLRQ[:1])
        book << Receive(7)
        book >> after(60)
        book << Status() << Abort()
        book << SERVER.abort_indication(ReasonOfFailure.INACTIVE) << SERVER.disconnect_indication(ABORT)
