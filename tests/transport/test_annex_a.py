"""Annex A: the service primitives over the calls of RFC 793, chart by chart."""

from cosemscope.transport.calls import Abort, Close, Open, Receive, Send, Status
from cosemscope.transport.parameters import DisconnectReason, ReasonOfFailure, Result
from cosemscope.transport.states import Connection
from cosemscope.transport.timers import TcpTimeouts
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.playbook import (
    Playbook,
    accepted,
    after,
    established,
    fin,
    listening,
    lost,
    not_established,
    received,
    submitted,
)
from tests.transport.ends import CLIENT, SERVER, connected

ANYONE = SERVER.quadruple._replace(remote_ip_address="0.0.0.0", remote_tcp_port=0)


def test_a_1_figure_a_1_states_of_the_connection_and_their_hooks():
    """Figure A.1: which call or event carries the connection from state to state, at either end."""
    with Playbook(SERVER.core()) as server:
        server >> listening("192.0.2.2", 4059)
        server << Open(False, ANYONE)
        assert server.core.connection is Connection.LISTENING
        server >> established(SERVER.quadruple)
        server << SERVER.connect_indication()
        assert server.core.connection is Connection.CONNECT_INDICATED
        server >> submitted(SERVER.connect_response())
        server << Receive(8)
        assert server.core.connection is Connection.CONNECTED
        server >> fin()
        server << SERVER.disconnect_indication(DisconnectReason.REMOTE_REQ)
        assert server.core.connection is Connection.DISCONNECT_INDICATED
        server >> submitted(SERVER.disconnect_response())
        server << Close(release=True)
        assert server.core.connection is Connection.NO_CONNECTION


def test_a_1_a_passive_open_is_taken_back():
    """A server that stops listening closes its call, and no connection is left."""
    with Playbook(SERVER.core()) as server:
        server >> listening("192.0.2.2", 4059)
        server << Open(False, ANYONE)
        server >> (lambda core, now: core.stop_listening(now))
        server << Close(release=True)
        assert server.core.connection is Connection.NO_CONNECTION


def test_a_1_figure_a_2_active_and_passive_open():
    """Figure A.2: the server's OPEN waits, the client's OPEN connects."""
    with Playbook(SERVER.core()) as server, Playbook(CLIENT.core()) as client:
        server >> listening("192.0.2.2", 4059)
        server << Open(False, ANYONE)
        client >> submitted(CLIENT.connect_request())
        client << Open(True, CLIENT.quadruple)
        client >> established(CLIENT.quadruple)  # SYN, ACK has come
        client << CLIENT.connect_confirm() << Receive(8)
        server >> established(SERVER.quadruple)  # ACK has come
        server << SERVER.connect_indication()
        server >> submitted(SERVER.connect_response())
        server << Receive(8)


def test_a_1_figure_a_2_open_is_refused():
    """The other way out of the active OPEN: RST instead of SYN, ACK."""
    with Playbook(CLIENT.core()) as client:
        client >> submitted(CLIENT.connect_request())
        client << Open(True, CLIENT.quadruple)
        client >> not_established(ReasonOfFailure.REFUSED)
        client << CLIENT.connect_confirm(ReasonOfFailure.REFUSED)


def test_a_2_figure_a_3_closing_in_four_steps():
    """Figure A.3: FIN one way, CLOSE at the other end, FIN back; both managers end with CLOSE."""
    with Playbook(connected(CLIENT)) as client, Playbook(connected(SERVER)) as server:
        client >> submitted(CLIENT.disconnect_request())
        client << Close(release=False)  # FIN-WAIT-1
        server >> fin()  # CLOSE-WAIT
        server << SERVER.disconnect_indication(DisconnectReason.REMOTE_REQ)
        server >> submitted(SERVER.disconnect_response())
        server << Close(release=True)  # LAST-ACK
        client >> fin()  # TIME-WAIT
        client << Close(release=True) << CLIENT.disconnect_confirm()


def test_a_3_figure_a_4_polling_for_an_abort():
    """Figure A.4: TCP tells of an abort only when it is asked; STATUS finds it, two indications follow."""
    reset = ReasonOfFailure.RESET
    with Playbook(connected(SERVER, timeouts=TcpTimeouts(poll=1))) as server:
        server >> after(1)
        server << Status()  # ESTABLISHED: nothing to tell
        server >> after(1)
        server << Status()
        server >> lost(reset)  # CLOSED
        server << SERVER.abort_indication(reset)
        server << SERVER.disconnect_indication(DisconnectReason.ABORT)


def test_a_3_abort_is_called_when_waiting_is_over():
    """The transport layer calls ABORT by itself when a timer has run out; there is no TCP-ABORT.request."""
    with Playbook(CLIENT.core(timeouts=TcpTimeouts(connect=3))) as client:
        client >> submitted(CLIENT.connect_request())
        client << Open(True, CLIENT.quadruple)
        client >> after(3)
        client << Abort() << CLIENT.connect_confirm(ReasonOfFailure.TIMED_OUT)


def test_a_4_figure_a_5_one_apdu_sent_in_three_packets():
    """Figure A.5: SEND takes a part each time and is called again with the rest; one confirm at the end."""
    apdu = bytes(range(256)) * 8
    wpdu = Wpdu(1, 16, apdu).encode()
    with Playbook(connected(SERVER)) as server:
        server >> submitted(SERVER.data_request(apdu))
        server << Send(memoryview(wpdu))
        server >> accepted(900)
        server << Send(memoryview(wpdu)[900:])
        server >> accepted(900)
        server << Send(memoryview(wpdu)[1800:])
        server >> accepted(256)
        server << SERVER.data_confirm(Result.OK)


def test_a_4_figure_a_6_one_apdu_received_in_several_packets():
    """Figure A.6: RECEIVE is called again until Length octets are there; one indication at the end."""
    apdu = bytes(range(256)) * 8
    wpdu = Wpdu(1, 16, apdu).encode()
    with Playbook(connected(CLIENT)) as client:
        client >> received(wpdu[:8])
        client << Receive(2048)
        client >> received(wpdu[8:900])
        client << Receive(1156)
        client >> received(wpdu[900:1800])
        client << Receive(256)
        client >> received(wpdu[1800:])
        client << CLIENT.data_indication(apdu) << Receive(8)
