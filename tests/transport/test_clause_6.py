"""Clause 6, the TCP-based transport layer: one test a clause or rule; Figures 8 to 10 as charts."""

import pytest

from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Close, Open, Receive
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import ConfirmationType, DisconnectReason, ReasonOfFailure, Result
from cosemscope.transport.primitives import TcpDataIndication
from cosemscope.transport.states import TABLE, Connection
from cosemscope.transport.tcp import TcpTransport
from cosemscope.transport.wpdu import BadVersion, Truncated, Wpdu, WpduHeader
from cosemscope.transport.wports import ALL_STATION
from tests.helpers.playbook import (
    Playbook,
    accepted,
    acknowledged,
    closed,
    established,
    fin,
    lost,
    not_established,
    received,
    submitted,
)
from tests.transport.ends import CLIENT, RLRE, RLRQ, SERVER, connected, send

RESET = ReasonOfFailure.RESET
REMOTE_REQ, ABORT = DisconnectReason.REMOTE_REQ, DisconnectReason.ABORT


# --- 6.2, services ---


def test_6_2_1_both_sides_offer_the_same_services():
    """A server may open the connection (a push) and a client may accept it."""
    with Playbook(SERVER.core()) as meter:
        meter >> submitted(SERVER.connect_request())
        meter << Open(True, SERVER.quadruple)
        meter >> established(SERVER.quadruple)
        meter << SERVER.connect_confirm() << Receive(8)
        meter >> submitted(SERVER.data_request(b"\x0f\x00"))
        meter << send(bytes.fromhex("0001 0001 0010 0002 0f00"))
    with Playbook(CLIENT.core()) as head_end:
        head_end >> established(CLIENT.quadruple)
        head_end << CLIENT.connect_indication()
        head_end >> submitted(CLIENT.connect_response())
        head_end << Receive(8)
        head_end >> received(bytes.fromhex("0001 0001 0010 0002 0f00"))
        head_end << CLIENT.data_indication(b"\x0f\x00") << Receive(8)


@pytest.mark.parametrize("reason", [ReasonOfFailure.REFUSED, ReasonOfFailure.UNREACHABLE])
def test_6_2_2_connect_confirm_with_failure_gives_the_reason(reason):
    """And the next attempt is possible."""
    with Playbook(CLIENT.core()) as book:
        book >> submitted(CLIENT.connect_request())
        book << Open(True, CLIENT.quadruple)
        book >> not_established(reason)
        book << CLIENT.connect_confirm(reason)
        assert book.core.connection is Connection.NO_CONNECTION
        book >> submitted(CLIENT.connect_request())
        book << Open(True, CLIENT.quadruple)


def test_6_2_2_connect_confirm_names_the_port_that_was_chosen():
    """A request may leave the local end open; the confirm says what it became."""
    core = CLIENT.core()
    anywhere = CLIENT.quadruple._replace(local_ip_address="0.0.0.0", local_tcp_port=0)
    request = type(CLIENT.connect_request())(**anywhere._asdict())
    with Playbook(core) as book:
        book >> submitted(request)
        book << Open(True, anywhere)
        book >> established(CLIENT.quadruple)
        book << CLIENT.connect_confirm() << Receive(8)
    assert core.quadruple == CLIENT.quadruple


def test_6_2_2_who_does_not_want_the_connection_answers_and_disconnects():
    """TCP-CONNECT.response has no refusal; a server that is full closes at once."""
    with Playbook(SERVER.core()) as book:
        book >> established(SERVER.quadruple)
        book << SERVER.connect_indication()
        book >> submitted(SERVER.connect_response())
        book << Receive(8)
        book >> submitted(SERVER.disconnect_request())
        book << Close(release=False)


def test_6_2_2_octets_before_the_response_are_kept():
    """A peer may send, and even close, before the responding manager has answered: nothing is lost."""
    with Playbook(SERVER.core()) as book:
        book >> established(SERVER.quadruple)
        book << SERVER.connect_indication()
        book >> received(RLRQ)
        book >> fin()
        book >> submitted(SERVER.connect_response())
        book << SERVER.data_indication(b"\x62\x00") << SERVER.disconnect_indication(REMOTE_REQ)


def test_6_2_2_what_was_kept_goes_with_its_connection():
    """Lost before the response: the next connection begins with nothing of it, neither octets nor FIN."""
    with Playbook(SERVER.core()) as book:
        book >> established(SERVER.quadruple)
        book << SERVER.connect_indication()
        book >> received(RLRQ[:3])
        book >> fin()
        book >> lost(RESET)
        book << SERVER.disconnect_indication(ABORT)
        book >> established(SERVER.quadruple)
        book << SERVER.connect_indication()
        book >> submitted(SERVER.connect_response())
        book << Receive(8)
        book >> received(RLRQ)
        book << SERVER.data_indication(b"\x62\x00") << Receive(8)


def test_6_2_3_only_remote_req_is_answered():
    """After an indication with ABORT there is nothing left to answer."""
    with Playbook(connected(SERVER)) as book:
        book >> lost(RESET)
        book << SERVER.abort_indication(RESET) << SERVER.disconnect_indication(ABORT)
        with pytest.raises(LocalProtocolError, match="no TCP connection"):
            book >> submitted(SERVER.disconnect_response())


def test_6_2_4_abort_goes_to_the_application_layer_disconnect_to_the_manager():
    """An unasked loss ends in both indications, after a NOK for what was not handed over."""
    with Playbook(connected(CLIENT)) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> lost(ReasonOfFailure.LINK_LOST)
        book << CLIENT.data_confirm(Result.NOK)
        book << CLIENT.abort_indication(ReasonOfFailure.LINK_LOST)
        book << CLIENT.disconnect_indication(ABORT)


def test_6_2_5_confirm_local_when_all_octets_are_accepted():
    """TCP-DATA.confirm says that the octets were handed over, not that they arrived."""
    with Playbook(connected(CLIENT)) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> accepted(10)
        book << CLIENT.data_confirm()


def test_6_2_5_confirm_remote_when_the_peer_has_acknowledged_all():
    """REMOTE waits for the acknowledgement of the last octet; each type comes once."""
    local, remote = ConfirmationType.LOCAL, ConfirmationType.REMOTE
    core = connected(CLIENT, confirmations=frozenset({local, remote}))
    with Playbook(core) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> accepted(10)
        book << CLIENT.data_confirm(kind=local)
        assert core.awaits_acknowledgement
        book >> acknowledged(9)
        book >> acknowledged(10)
        book << CLIENT.data_confirm(kind=remote)
        assert not core.awaits_acknowledgement
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> accepted(10)
        book << CLIENT.data_confirm(kind=local)
        book >> submitted(CLIENT.data_request(b"", remote_wport=2))
        book << send(bytes.fromhex("0001 0010 0002 0000"))
        book >> lost(RESET)
        book << CLIENT.data_confirm(Result.NOK, remote)
        book << CLIENT.data_confirm(Result.NOK, local, remote_wport=2)
        book << CLIENT.data_confirm(Result.NOK, remote, remote_wport=2)
        book << CLIENT.abort_indication(RESET) << CLIENT.disconnect_indication(ABORT)


def test_6_2_5_acknowledged_octets_count_from_the_opening_of_each_connection():
    """A second connection on the same object begins at 0 again."""
    core = connected(CLIENT, confirmations=frozenset({ConfirmationType.REMOTE}))
    for _ in range(2):
        core.submit(CLIENT.data_request(b"\x62\x00"), 0)
        core.octets_sent(10, 0)
        core.octets_acknowledged(10, 0)
        assert CLIENT.data_confirm(kind=ConfirmationType.REMOTE) in list(core.events())
        core.connection_lost(RESET, 0)
        core.submit(CLIENT.connect_request(), 0)
        core.opened(CLIENT.quadruple, 0)


def test_6_2_5_confirms_are_optional():
    """Without them neither handing over nor acknowledgement is told."""
    with Playbook(connected(CLIENT, confirmations=frozenset())) as book:
        book >> submitted(CLIENT.data_request(b"\x62\x00"))
        book << send(RLRQ)
        book >> accepted(10)
        book >> acknowledged(10)


# --- 6.3.1 to 6.3.4, the wrapper ---


@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 10])
def test_6_3_1_complete_apdus_however_the_octets_come(size):
    """The wrapper makes up for TCP's lack of borders: pieces of any size give one indication."""
    core = connected(SERVER)
    for at in range(0, len(RLRQ), size):
        assert not [event for event in core.events() if isinstance(event, TcpDataIndication)]
        core.octets_received(RLRQ[at : at + size], 0)
    assert next(core.events()) == SERVER.data_indication(b"\x62\x00")


def test_6_3_2_another_version_closes_and_is_reported():
    """No rule for an unknown version was seen: framing cannot be trusted any more, so the connection ends."""
    core = connected(SERVER)
    with Playbook(core) as book:
        book >> received(RLRQ + b"\x00\x02\x00\x10")
        book << SERVER.data_indication(b"\x62\x00")
        book << RemoteProtocolError(BadVersion(b"\x00\x02\x00\x10", 10))
        book << Close(release=True)
        book << SERVER.abort_indication(ReasonOfFailure.BAD_VERSION)
        book << SERVER.disconnect_indication(ABORT)
        book >> received(RLRQ)  # what the socket still had is not believed
    assert core.connection is Connection.NO_CONNECTION


def test_6_3_3_several_wpdus_in_one_piece():
    """One RECEIVE may bring several WPDUs and the beginning of one more."""
    with Playbook(connected(SERVER)) as book:
        book >> received(RLRQ + Wpdu(16, 1, b"b").encode() + RLRQ[:9])
        book << SERVER.data_indication(b"\x62\x00") << SERVER.data_indication(b"b")
        book << Receive(1)
        assert book.core.receiving
        book >> received(RLRQ[9:])
        book << SERVER.data_indication(b"\x62\x00") << Receive(8)
        assert not book.core.receiving


@pytest.mark.parametrize("length", [0, 65535])
def test_6_3_2_limits_of_length(length):
    """An empty APDU and the longest one are WPDUs."""
    core = connected(SERVER)
    core.octets_received(Wpdu(16, 1, bytes(length)).encode(), 0)
    assert next(core.events()) == SERVER.data_indication(bytes(length))


def test_6_3_4_several_application_entities_share_the_connection():
    """wPorts, not connections, tell the application entities apart; bindings may change while connected."""
    core = connected(SERVER, 1, 17)
    with Playbook(core) as book:
        book >> received(Wpdu(16, 17, b"a").encode() + Wpdu(32, 1, b"b").encode())
        book << SERVER.data_indication(b"a", local_wport=17)
        book << SERVER.data_indication(b"b", remote_wport=32) << Receive(8)
        core.bindings.unbind(17)
        core.bindings.bind(18)
        book >> received(Wpdu(16, 17, b"a").encode() + Wpdu(16, 18, b"c").encode())
        book << WpduDiscarded(Wpdu(16, 17, b"a"), 18)
        book << SERVER.data_indication(b"c", local_wport=18) << Receive(8)
        with pytest.raises(LocalProtocolError, match="0x0011 is not bound"):
            book >> submitted(SERVER.data_request(b"a", local_wport=17))


def test_6_3_4_one_set_of_bindings_for_all_connections_of_a_device():
    """A wPort bound later is bound on connections that are open already."""
    bindings = WPortBindings(SERVER.side, [1])
    cores = [TcpTransport(bindings) for _ in range(2)]
    bindings.bind(17)
    for core in cores:
        core.opened(SERVER.quadruple, 0)
        core.submit(SERVER.connect_response(), 0)
        core.octets_received(Wpdu(16, 17, b"a").encode(), 0)
        assert SERVER.data_indication(b"a", local_wport=17) in list(core.events())


def test_6_3_4_all_station_over_tcp():
    """6.3.4 makes Table 1 valid for TCP: 0x007F is for each logical device behind this connection."""
    with Playbook(connected(SERVER, 1, 17)) as book:
        book >> received(Wpdu(16, ALL_STATION, b"a").encode())
        book << SERVER.data_indication(b"a", broadcast=True)
        book << SERVER.data_indication(b"a", broadcast=True, local_wport=17) << Receive(8)


def test_6_3_4_an_unbound_destination_is_read_and_discarded():
    """No indication, no answer, the connection stays, and it is counted."""
    core = connected(SERVER)
    with Playbook(core) as book:
        book >> received(Wpdu(16, 99, b"abc").encode()[:9])
        book << Receive(2)
        book >> received(b"bc" + RLRQ)
        book << WpduDiscarded(Wpdu(16, 99, b"abc"), 0)
        book << SERVER.data_indication(b"\x62\x00") << Receive(8)
    assert core.counters.wpdus_received == 2
    assert core.counters.wpdus_discarded == 1


# --- 6.3.5, procedures ---


def test_6_3_5_1_sending_and_receiving_are_independent():
    """Figure 11: each may be idle or busy, whatever the other is."""
    core = connected(CLIENT)
    seen = {core.state}
    core.submit(CLIENT.data_request(b"\x62\x00"), 0)
    seen.add(core.state)
    core.octets_received(RLRE[:4], 0)
    seen.add(core.state)
    core.octets_sent(10, 0)
    seen.add(core.state)
    core.octets_received(RLRE[4:], 0)
    assert core.state == "connected"
    assert seen == {
        "connected",
        "connected, sending",
        "connected, sending, receiving",
        "connected, receiving",
    }


def test_6_3_5_1_a_refused_primitive_names_the_state_and_changes_nothing():
    """A caller's mistake costs no connection."""
    core = CLIENT.core()
    for primitive in (CLIENT.data_request(b"a"), CLIENT.disconnect_request(), CLIENT.connect_response()):
        with pytest.raises(
            LocalProtocolError, match="not allowed in the state: no TCP connection"
        ) as refused:
            core.submit(primitive, 0)
        assert refused.value.state == "no TCP connection"
        assert str(refused.value).startswith(primitive.name)
    assert list(core.events()) == []
    assert core.connection is Connection.NO_CONNECTION
    assert core.next_timeout() is None


def test_6_3_5_1_a_primitive_for_another_connection_is_refused():
    """Mixed-up connections are found at once."""
    core = connected(CLIENT)
    with pytest.raises(LocalProtocolError, match=r"names the connection 192\.0\.2\.2:4059"):
        core.submit(SERVER.disconnect_request(), 0)
    with pytest.raises(LocalProtocolError, match="does not come from a service user"):
        core.submit(CLIENT.data_indication(b""), 0)
    assert core.state == "connected"


def test_6_3_5_2_figure_8_establishment():
    """Figure 8: request, OPEN, indication and response at the far end, confirm."""
    with Playbook(CLIENT.core()) as client, Playbook(SERVER.core()) as server:
        server >> (lambda core, now: core.listen("192.0.2.2", 4059, now))
        server << Open(False, SERVER.quadruple._replace(remote_ip_address="0.0.0.0", remote_tcp_port=0))
        client >> submitted(CLIENT.connect_request())
        client << Open(True, CLIENT.quadruple)
        assert client.core.connection is Connection.CONNECTING
        server >> established(SERVER.quadruple)
        server << SERVER.connect_indication()
        server >> submitted(SERVER.connect_response())
        server << Receive(8)
        client >> established(CLIENT.quadruple)
        client << CLIENT.connect_confirm() << Receive(8)
        assert client.core.state == server.core.state == "connected"


def test_6_3_5_3_figure_9_disconnection():
    """Figure 9: request, CLOSE, indication with REMOTE_REQ and response at the far end, CLOSE, confirm."""
    with Playbook(connected(CLIENT)) as client, Playbook(connected(SERVER)) as server:
        client >> submitted(CLIENT.disconnect_request())
        client << Close(release=False)
        assert client.core.connection is Connection.CLOSING
        server >> fin()
        server << SERVER.disconnect_indication(REMOTE_REQ)
        server >> submitted(SERVER.disconnect_response())
        server << Close(release=True)
        assert server.core.connection is Connection.NO_CONNECTION
        client >> fin()
        client << Close(release=True) << CLIENT.disconnect_confirm()
        assert client.core.connection is Connection.NO_CONNECTION


def test_6_3_5_3_closed_by_a_socket_that_cannot_be_read_any_more():
    """The driver's CLOSED ends a disconnection as a FIN does."""
    with Playbook(connected(CLIENT)) as client:
        client >> submitted(CLIENT.disconnect_request())
        client << Close(release=False)
        client >> closed()
        client << CLIENT.disconnect_confirm()


def test_6_3_5_3_what_was_requested_is_handed_over_before_close():
    """A disconnection in order loses no request that came before it, and what still arrives is delivered."""
    with Playbook(connected(CLIENT)) as client:
        client >> submitted(CLIENT.data_request(b"\x62\x00"))
        client << send(RLRQ)
        client >> submitted(CLIENT.disconnect_request())
        with pytest.raises(LocalProtocolError, match="handing over the last WPDUs"):
            client >> submitted(CLIENT.data_request(b"late"))
        client >> accepted(10)
        client << CLIENT.data_confirm() << Close(release=False)
        client >> received(RLRE)
        client << CLIENT.data_indication(b"\x63\x00") << Receive(8)
        client >> fin()
        client << Close(release=True) << CLIENT.disconnect_confirm()


def test_6_3_5_3_a_server_may_answer_a_client_that_has_half_closed():
    """FIN ends one direction only: until the manager has responded the other still carries WPDUs."""
    with Playbook(connected(SERVER)) as server:
        server >> received(RLRQ)
        server << SERVER.data_indication(b"\x62\x00") << Receive(8)
        server >> fin()
        server << SERVER.disconnect_indication(REMOTE_REQ)
        server >> submitted(SERVER.data_request(b"\x63\x00"))
        server << send(RLRE)
        server >> submitted(SERVER.disconnect_response())
        server >> accepted(10)
        server << SERVER.data_confirm() << Close(release=True)


def test_6_3_5_3_both_managers_at_once():
    """Two requests that cross: each gets its confirm, none needs a response."""
    with Playbook(connected(CLIENT)) as client:
        client >> submitted(CLIENT.data_request(b"\x62\x00"))
        client << send(RLRQ)
        client >> submitted(CLIENT.disconnect_request())
        client >> fin()
        client >> accepted(10)
        client << CLIENT.data_confirm() << Close(release=True) << CLIENT.disconnect_confirm()
    with Playbook(connected(CLIENT)) as client:
        client >> fin()
        client << CLIENT.disconnect_indication(REMOTE_REQ)
        client >> submitted(CLIENT.disconnect_request())
        client << Close(release=True) << CLIENT.disconnect_confirm()


def test_6_3_5_3_a_disconnection_that_ends_in_a_reset_fails_with_the_reason():
    """TCP-DISCONNECT.confirm does not claim an orderly end."""
    with Playbook(connected(CLIENT)) as client:
        client >> submitted(CLIENT.disconnect_request())
        client << Close(release=False)
        client >> lost(RESET)
        client << CLIENT.disconnect_confirm(RESET)


def test_6_3_5_4_figure_10_data_transfer():
    """Figure 10: request, SENDs until all is taken, confirm; RECEIVEs until all is there, one indication."""
    with Playbook(connected(CLIENT)) as client, Playbook(connected(SERVER)) as server:
        client >> submitted(CLIENT.data_request(b"\x62\x00"))
        client << send(RLRQ)
        client >> accepted(4)
        client << send(RLRQ[4:])
        server >> received(RLRQ[:4])
        server << Receive(4)
        client >> accepted(6)
        client << CLIENT.data_confirm()
        server >> received(RLRQ[4:8])
        server << Receive(2)
        server >> received(RLRQ[8:])
        server << SERVER.data_indication(b"\x62\x00") << Receive(8)


def test_6_3_5_4_no_second_wpdu_begins_before_the_first_is_handed_over():
    """The header has nothing to tell interleaved WPDUs apart; how much waits is visible."""
    core = connected(CLIENT)
    with Playbook(core) as client:
        client >> submitted(CLIENT.data_request(b"\x62\x00"))
        client << send(RLRQ)
        client >> submitted(CLIENT.data_request(b"second", remote_wport=2))
        assert (core.queued_requests, core.queued_octets, core.sending) == (2, 24, True)
        client >> accepted(9)
        client << send(RLRQ[9:])
        client >> accepted(1)
        client << CLIENT.data_confirm()
        client << send(Wpdu(16, 2, b"second").encode())
        assert (core.queued_requests, core.queued_octets) == (1, 14)
        client >> accepted(14)
        client << CLIENT.data_confirm(remote_wport=2)
        assert (core.queued_requests, core.queued_octets, core.sending) == (0, 0, False)
    assert core.counters.wpdus_sent == 2
    assert core.counters.octets_sent == 24


def test_6_3_5_4_a_full_queue_refuses():
    """What cannot be handed over does not pile up without bound."""
    core = connected(CLIENT, queue_limit=2)
    for data in (b"1", b"2", b"3"):
        core.submit(CLIENT.data_request(data), 0)
    with pytest.raises(LocalProtocolError, match="2 requests wait already"):
        core.submit(CLIENT.data_request(b"4"), 0)
    assert core.queued_requests == 3


@pytest.mark.parametrize("there", [1, 7, 8, 9])
def test_6_3_5_4_fin_inside_a_wpdu_is_no_clean_end(there):
    """Truncated: reported with what is missing, no indication of the part."""
    with Playbook(connected(SERVER)) as server:
        server >> received(RLRQ[:there])
        server << Receive(8 - there if there < 8 else 10 - there)
        server >> fin()
        header = WpduHeader(1, 16, 1, 2) if there >= 8 else None
        server << RemoteProtocolError(Truncated(RLRQ[:there], 0, header))
        server << Close(release=True)
        server << SERVER.abort_indication(ReasonOfFailure.TRUNCATED) << SERVER.disconnect_indication(ABORT)


def test_6_3_5_4_abort_in_mid_message_both_ways():
    """The part that came is dropped, every pending request gets NOK, and the next connection begins clean."""
    core = connected(SERVER)
    with Playbook(core) as server:
        server >> submitted(SERVER.data_request(b"\x63\x00"))
        server << send(RLRE)
        server >> submitted(SERVER.data_request(b"next", remote_wport=32))
        server >> accepted(5)
        server << send(RLRE[5:])
        server >> received(RLRQ[:9])
        server << Receive(1)
        server >> lost(RESET)
        server << SERVER.data_confirm(Result.NOK) << SERVER.data_confirm(Result.NOK, remote_wport=32)
        server << SERVER.abort_indication(RESET) << SERVER.disconnect_indication(ABORT)
        assert (core.queued_octets, core.next_timeout()) == (0, None)
        server >> established(SERVER.quadruple)
        server << SERVER.connect_indication()
        server >> submitted(SERVER.connect_response())
        server << Receive(8)
        server >> received(RLRQ)
        server << SERVER.data_indication(b"\x62\x00") << Receive(8)


def test_send_cannot_have_accepted_more_than_was_given():
    """A driver that miscounts is told so, and nothing has changed."""
    core = connected(CLIENT)
    core.submit(CLIENT.data_request(b"\x62\x00"), 0)
    for count in (0, 11, -1):
        with pytest.raises(LocalProtocolError, match=f"accepted {count} octets of 10"):
            core.octets_sent(count, 0)
    core.octets_sent(10, 0)
    with pytest.raises(LocalProtocolError, match="accepted 1 octets of 0"):
        core.octets_sent(1, 0)


# --- the table against the digest of 6.3.5 ---


def test_figure_11_every_state_has_rows_and_none_leads_nowhere():
    """The table is closed: each next state has rows of its own, and each state can be reached."""
    reached = {row.next for rows in TABLE.values() for row in rows.values()}
    assert reached <= set(TABLE)
    assert set(Connection) <= reached
