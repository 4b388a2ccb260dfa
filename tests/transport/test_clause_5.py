"""Clause 5, the UDP-based transport layer: one test a clause or rule, named after it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.transport.bindings import WpduDiscarded, WPortBindings
from cosemscope.transport.calls import Cast, UdpSend
from cosemscope.transport.errors import LocalProtocolError, RemoteProtocolError
from cosemscope.transport.parameters import MAX_DATA_UDP_IPV4, MAX_DATA_UDP_IPV6, Result
from cosemscope.transport.primitives import UdpDataConfirm, UdpDataIndication, UdpDataRequest
from cosemscope.transport.udp import UdpTransport
from cosemscope.transport.wpdu import BadVersion, Trailing, Truncated, Wpdu, WpduHeader
from cosemscope.transport.wports import ALL_STATION, Side

RLRQ = bytes.fromhex("00 01 00 10 00 01 00 02 62 00")
CLIENT = {
    "local_ip_address": "192.0.2.1",
    "local_udp_port": 50000,
    "remote_ip_address": "192.0.2.2",
    "remote_udp_port": 4059,
}
SERVER = {
    "local_ip_address": "192.0.2.2",
    "local_udp_port": 4059,
    "remote_ip_address": "192.0.2.1",
    "remote_udp_port": 50000,
}


def request(data: bytes = b"\x62\x00", **changes) -> UdpDataRequest:
    return UdpDataRequest(**(CLIENT | {"local_wport": 16, "remote_wport": 1, "data": data} | changes))


def server(*wports: int) -> UdpTransport:
    return UdpTransport(WPortBindings(Side.SERVER, wports or (1,)))


def client(**options) -> UdpTransport:
    return UdpTransport(WPortBindings(Side.CLIENT, [16]), **options)


def events(transport: UdpTransport) -> list:
    return list(transport.events())


def test_5_2_2_1_request_is_one_datagram_with_one_wpdu():
    """UDP-DATA.request: header before the APDU, one UDP SEND."""
    transport = client()
    transport.submit(request())
    assert events(transport) == [UdpSend(RLRQ, request(), Cast.UNICAST)]


def test_5_2_2_2_indication_mirrors_the_header():
    """UDP-DATA.indication: Local_wPort is the destination, Remote_wPort the source."""
    transport = server()
    transport.datagram_received(RLRQ, **SERVER)
    assert events(transport) == [
        UdpDataIndication(**SERVER, local_wport=1, remote_wport=16, data=b"\x62\x00")
    ]


def test_5_2_2_3_confirm_is_local_and_says_sent_or_not_sent():
    """UDP-DATA.confirm: OK when the datagram could be sent, NOK when not, nothing when it is switched off."""
    addresses = CLIENT | {"local_wport": 16, "remote_wport": 1}
    for tell, result in (("datagram_sent", Result.OK), ("datagram_failed", Result.NOK)):
        transport = client()
        transport.submit(request())
        getattr(transport, tell)(transport.next_event())
        assert events(transport) == [UdpDataConfirm(**addresses, result=result)]
        silent = client(confirm=False)
        silent.submit(request())
        getattr(silent, tell)(silent.next_event())
        assert silent.next_event() is None


def test_5_2_2_confirms_belong_to_their_requests_in_any_order():
    """The confirm repeats the addresses of its own request, also when sending finishes out of order."""
    transport = client()
    transport.submit(request(remote_wport=17))
    transport.submit(request(remote_wport=18))
    first, second = events(transport)
    transport.datagram_sent(second)
    transport.datagram_failed(first)
    assert [(event.remote_wport, event.result) for event in events(transport)] == [
        (18, Result.OK),
        (17, Result.NOK),
    ]


def test_5_3_1_multicast_and_broadcast_go_out():
    """A request may go to many: the driver is told which kind of address it is."""
    transport = client(broadcast_addresses=["192.0.2.255"])
    for address, cast in (
        ("192.0.2.2", Cast.UNICAST),
        ("239.1.2.3", Cast.MULTICAST),
        ("ff02::1", Cast.MULTICAST),
        ("2001:db8::1", Cast.UNICAST),
        ("255.255.255.255", Cast.BROADCAST),
        ("192.0.2.255", Cast.BROADCAST),
    ):
        transport.submit(request(remote_ip_address=address))
        assert transport.next_event().cast is cast, address


def test_5_3_1_what_came_for_a_group_is_marked():
    """An application entity must know that it was one of many, as it then does not answer."""
    transport = server()
    transport.datagram_received(RLRQ, **(SERVER | {"local_ip_address": "239.1.2.3"}))
    (indication,) = events(transport)
    assert indication.broadcast


@pytest.mark.parametrize(
    ("address", "limit"), [("192.0.2.2", 65499), ("2001:db8::2", 65519), ("::ffff:192.0.2.2", 65499)]
)
def test_5_3_3_a_wpdu_fits_one_datagram(address, limit):
    """The largest APDU is the largest datagram less the header: 65499 octets over IPv4, 65519 over IPv6."""
    assert (MAX_DATA_UDP_IPV4, MAX_DATA_UDP_IPV6) == (65499, 65519)
    transport = client()
    transport.submit(request(bytes(limit), remote_ip_address=address))
    assert len(transport.next_event().octets) == limit + 8
    with pytest.raises(
        ValueError, match=f"{limit + 1} octets; a WPDU in one IPv. datagram carries at most {limit}"
    ):
        request(bytes(limit + 1), remote_ip_address=address)


def test_5_3_3_octets_after_the_wpdu_are_flagged():
    """One WPDU a datagram: what else is there is told, the WPDU is not lost."""
    transport = server()
    transport.datagram_received(RLRQ + b"\x00\x01\x02", **SERVER)
    indication, report = events(transport)
    assert isinstance(indication, UdpDataIndication)
    assert report == RemoteProtocolError(Trailing(b"\x00\x01\x02", 10))
    assert "3 octets stand after" in str(report)
    assert transport.counters.trailing == 1


def test_5_3_3_a_second_wpdu_in_a_datagram_is_flagged_and_decoded():
    """Against the rule, yet nothing is lost."""
    transport = server(1, 17)
    transport.datagram_received(RLRQ + Wpdu(16, 17, b"a").encode(), **SERVER)
    first, second, report = events(transport)
    assert (first.local_wport, second.local_wport) == (1, 17)
    assert report.problem.start == 10


def test_5_3_4_all_station_reaches_every_logical_device():
    """Destination wPort 0x007F: each bound logical device gets the APDU once, marked as broadcast."""
    transport = server(17, 1, 16)
    transport.datagram_received(Wpdu(16, ALL_STATION, b"\x0f").encode(), **SERVER)
    delivered = events(transport)
    assert [event.local_wport for event in delivered] == [1, 16, 17]
    assert all(event.broadcast and event.data == b"\x0f" for event in delivered)
    assert transport.counters.wpdus_delivered == 3


def test_5_3_5_an_unbound_destination_is_discarded():
    """The one rule added to STD 6: no AE behind the wPort, no indication; counted, not answered."""
    transport = server(1)
    transport.datagram_received(Wpdu(16, 99, b"a").encode(), **SERVER)
    assert events(transport) == [WpduDiscarded(Wpdu(16, 99, b"a"), 0)]
    assert transport.counters.wpdus_discarded == 1
    assert transport.counters.wpdus_delivered == 0


def test_5_3_5_no_state_a_binding_taken_back_holds_at_once():
    """Each datagram is judged by the bindings of its own moment."""
    transport = server(1)
    transport.bindings.unbind(1)
    transport.datagram_received(RLRQ, **SERVER)
    transport.bindings.bind(1)
    transport.datagram_received(RLRQ, **SERVER)
    assert [type(event) for event in events(transport)] == [WpduDiscarded, UdpDataIndication]


def test_5_3_2_another_version_is_dropped_and_reported():
    """The layout of another version is unknown: neither wPorts nor length are believed."""
    transport = server()
    transport.datagram_received(b"\x00\x02" + RLRQ[2:], **SERVER)
    (report,) = events(transport)
    assert report.problem == BadVersion(b"\x00\x02" + RLRQ[2:8], 0)
    assert "version 0x0002" in str(report)
    assert transport.counters.bad_version == 1


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9])
def test_5_3_2_a_truncated_datagram_is_dropped_and_reported(size):
    """Fewer octets than the header declares, or not even a header."""
    transport = server()
    transport.datagram_received(RLRQ[:size], **SERVER)
    (report,) = events(transport)
    assert report.problem == Truncated(RLRQ[:size], 0, WpduHeader(1, 16, 1, 2) if size >= 8 else None)
    assert transport.counters.truncated == 1
    assert "too early" in str(report) or "inside a WPDU header" in str(report)


def test_an_unbound_sender_is_refused_and_nothing_happens():
    """A service user may only send from a wPort of its own."""
    transport = client()
    with pytest.raises(LocalProtocolError, match="0x0011 is not bound"):
        transport.submit(request(local_wport=17))
    assert transport.next_event() is None
    assert transport.counters.requested == 0


@given(st.binary(max_size=60))
def test_any_datagram_is_survived(octets):
    """Whatever comes in a datagram, it ends in events, and the counters know of it."""
    transport = server()
    transport.datagram_received(octets, **SERVER)
    found = events(transport)
    assert found
    assert transport.counters.received == 1


@given(st.integers(0, 0xFFFF), st.binary(max_size=200))
def test_what_one_end_sends_the_other_delivers(wport, data):
    """Client and server joined: the APDU and the wPorts arrive as they were given."""
    sender, receiver = client(), server(*({wport} - {ALL_STATION} or {1}))
    sender.submit(request(data, remote_wport=wport))
    receiver.datagram_received(sender.next_event().octets, **SERVER)
    (indication,) = events(receiver)
    assert (indication.data, indication.remote_wport) == (data, 16)
    assert indication.local_wport == wport or indication.broadcast
