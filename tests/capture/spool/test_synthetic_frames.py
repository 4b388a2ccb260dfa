"""Synthetic frames: what a capture of the same traffic would hold, to the checksum."""

import itertools
import socket
import struct
from pathlib import Path

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.spool.spool_writer import SpoolWriter
from cosemscope.capture.spool.synthetic_frames import (
    Station,
    SyntheticTcp,
    SyntheticUdp,
    checksum,
    tcp_frame,
    udp_frame,
)
from tests.helpers.tshark import complaints, tshark

V4 = (("192.0.2.10", 50000), ("198.51.100.7", 4059))
V6 = (("2001:db8::10", 50000), ("2001:db8:1::7", 4059))
BOTH = pytest.mark.parametrize("ends", [V4, V6], ids=["IPv4", "IPv6"])


def parsed(frame: bytes) -> tuple[dpkt.ip.IP | dpkt.ip6.IP6, dpkt.tcp.TCP | dpkt.udp.UDP]:
    ip = dpkt.ethernet.Ethernet(frame).data
    return ip, ip.data


def slow_checksum(octets: bytes) -> int:
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


@given(st.binary(max_size=200))
def test_the_checksum_is_rfc_1071(octets: bytes) -> None:
    """The quick form equals the one that the RFC spells out."""
    assert checksum(octets) == slow_checksum(octets + bytes(len(octets) % 2))


def assert_true_checksums(frame: bytes) -> None:
    ip, _ = parsed(frame)
    if ip.v == 4:
        assert slow_checksum(bytes(ip)[:20]) == 0
    protocol = ip.p
    body = frame[14 + (20 if ip.v == 4 else 40) :]
    pseudo = ip.src + ip.dst + struct.pack("!II", len(body), protocol)
    octets = pseudo + body
    assert slow_checksum(octets + bytes(len(octets) % 2)) == 0


def by_dpkt(source: Station, destination: Station, protocol: int, segment: object, number: int) -> bytes:
    """The frame that dpkt makes, which counts lengths and checksums itself."""
    if source.address.version == 4:
        ip = dpkt.ip.IP(
            src=source.address.packed,
            dst=destination.address.packed,
            p=protocol,
            id=number,
            df=1,
            data=segment,
        )
        ip.len = len(ip)
    else:
        ip = dpkt.ip6.IP6(
            src=source.address.packed, dst=destination.address.packed, nxt=protocol, hlim=64, data=segment
        )
        ip.plen = len(segment)
    kind = {4: dpkt.ethernet.ETH_TYPE_IP, 6: dpkt.ethernet.ETH_TYPE_IP6}[source.address.version]
    return bytes(dpkt.ethernet.Ethernet(dst=destination.mac, src=source.mac, type=kind, data=ip))


@BOTH
@given(
    payload=st.binary(max_size=300),
    numbers=st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(0, 65535)),
    flags=st.integers(0, 63),
)
def test_frames_are_those_of_dpkt(
    ends: tuple[tuple[str, int], tuple[str, int]],
    payload: bytes,
    numbers: tuple[int, int, int],
    flags: int,
) -> None:
    """Octet for octet, so that packing them here is a matter of speed alone."""
    source, destination = map(Station.of, ends)
    sequence, acknowledgement, ip_id = numbers
    tcp = dpkt.tcp.TCP(
        sport=source.port,
        dport=destination.port,
        seq=sequence,
        ack=acknowledgement,
        flags=flags,
        win=64240,
        data=payload,
    )
    assert tcp_frame(
        source,
        destination,
        sequence=sequence,
        acknowledgement=acknowledgement,
        flags=flags,
        payload=payload,
        ip_id=ip_id,
    ) == by_dpkt(source, destination, 6, tcp, ip_id)
    udp = dpkt.udp.UDP(sport=source.port, dport=destination.port, data=payload)
    udp.ulen = len(udp)
    assert udp_frame(source, destination, payload, ip_id=ip_id) == by_dpkt(
        source, destination, 17, udp, ip_id
    )


@BOTH
@given(payload=st.binary(max_size=4000), from_initiator=st.booleans())
@settings(max_examples=25, deadline=None)
def test_data_is_cut_at_the_mss_and_acknowledged(
    ends: tuple[tuple[str, int], tuple[str, int]], payload: bytes, from_initiator: bool
) -> None:
    """Segments hold the bytes in order with running sequence numbers; each checksum is right."""
    link = SyntheticTcp(*ends, mss=536, initial_sequence=(0xFFFFFF00, 5))
    link.handshake()
    start = link.next_sequence(from_initiator)
    found = bytearray()
    for frame in link.data(from_initiator, payload):
        assert_true_checksums(frame)
        _, segment = parsed(frame)
        if segment.data:
            assert segment.seq == (start + len(found)) % 2**32
            assert len(segment.data) <= 536
            found += segment.data
            # Only the last segment of what was written at once is pushed (RFC 9293, 3.9.1).
            assert bool(segment.flags & dpkt.tcp.TH_PUSH) is (len(found) == len(payload))
        else:
            assert segment.ack == (start + len(found)) % 2**32
    assert bytes(found) == payload


@BOTH
def test_a_whole_connection_satisfies_tshark(
    tmp_path: Path, ends: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    """Another program finds no retransmission, gap, bad checksum or malformed part in it."""
    link = SyntheticTcp(*ends)
    frames = link.handshake()
    for round_number in range(5):
        frames += link.data(True, bytes(13))
        frames += link.data(False, bytes(range(256)) * 40 * round_number)
        frames += link.acknowledge(True)
    frames += link.close(True)
    assert link.closed
    path = tmp_path / "link.pcapng"
    with SpoolWriter(path) as spool:
        spool.add_interface("synthetic")
        for number, frame in enumerate(frames):
            spool.write(number * 1000, frame)
    assert complaints(path) == []
    assert len(tshark(path, "-Y", "tcp.connection.syn || tcp.connection.fin")) == 3
    assert sum(map(int, tshark(path, "-T", "fields", "-e", "tcp.len"))) == 5 * 13 + 10 * 10240


@BOTH
def test_the_handshake_names_the_mss(ends: tuple[tuple[str, int], tuple[str, int]]) -> None:
    """Both ends say which segments they take; by default what an Ethernet of 1500 octets carries."""
    link = SyntheticTcp(*ends)
    syn, answer, ack = (parsed(frame)[1] for frame in link.handshake())
    assert [segment.flags for segment in (syn, answer, ack)] == [0x02, 0x12, 0x10]
    mss = 1460 if ends is V4 else 1440
    assert dpkt.tcp.parse_opts(syn.opts) == [(2, struct.pack("!H", mss))]
    assert (answer.ack, ack.seq, ack.ack) == (
        (syn.seq + 1) % 2**32,
        (syn.seq + 1) % 2**32,
        (answer.seq + 1) % 2**32,
    )


def test_half_closed_the_other_end_goes_on() -> None:
    """A FIN ends one direction only; the second `finish` says nothing that `close` would say again."""
    link = SyntheticTcp(*V4)
    link.handshake()
    assert len(link.finish(True)) == 2
    assert link.finish(True) == []
    assert not link.closed
    assert parsed(link.data(False, b"more")[0])[1].data == b"more"
    with pytest.raises(ValueError, match="closed"):
        link.data(True, b"late")
    assert len(link.close(True)) == 2
    assert link.closed


def test_refused_and_reset_connections_are_over() -> None:
    """After a RST nothing more can be said on the connection."""
    refused = SyntheticTcp(*V4)
    syn, answer = (parsed(frame)[1] for frame in refused.refusal())
    assert (syn.flags, answer.flags, answer.ack) == (0x02, 0x14, (syn.seq + 1) % 2**32)
    link = SyntheticTcp(*V4)
    link.handshake()
    assert [parsed(frame)[1].flags for frame in link.reset(False)] == [0x14]
    assert link.reset(True) == link.close(True) == []
    for over in (refused, link):
        assert over.closed
        with pytest.raises(ValueError, match="reset"):
            over.data(True, b"x")


@BOTH
@given(payload=st.binary(max_size=1000))
@settings(max_examples=25, deadline=None)
def test_a_datagram_is_one_frame(ends: tuple[tuple[str, int], tuple[str, int]], payload: bytes) -> None:
    """UDP keeps its boundaries, whatever the length; checksum 0 would mean none and is never sent."""
    link = SyntheticUdp(*ends)
    for from_initiator in (True, False):
        (frame,) = link.data(from_initiator, payload)
        assert_true_checksums(frame)
        ip, datagram = parsed(frame)
        assert datagram.data == payload
        assert datagram.sum != 0
        source, destination = ends if from_initiator else ends[::-1]
        family = socket.AF_INET if ip.v == 4 else socket.AF_INET6
        assert (socket.inet_ntop(family, ip.src), datagram.sport) == source
        assert (socket.inet_ntop(family, ip.dst), datagram.dport) == destination


def test_the_largest_datagrams() -> None:
    """The largest that IP carries goes; one octet more is refused in words."""
    for ends, most in ((V4, 65507), (V6, 65527)):
        link = SyntheticUdp(*ends)
        assert len(parsed(link.data(True, bytes(most))[0])[1].data) == most
        with pytest.raises(ValueError, match="do not fit"):
            link.data(True, bytes(most + 1))


def test_ip_ids_count_up_for_each_end() -> None:
    """Identification numbers rise as a real stack's do, so that a repeat can be told from a new packet."""
    link = SyntheticTcp(*V4)
    frames = link.handshake() + link.data(True, bytes(5000))
    ids = [parsed(frame)[0].id for frame in frames if parsed(frame)[0].src == socket.inet_aton(V4[0][0])]
    assert {(later - earlier) % 2**16 for earlier, later in itertools.pairwise(ids)} == {1}


@pytest.mark.parametrize(
    ("address", "mac"),
    [
        ("192.0.2.1", "02:04:c0:00:02:01"),
        ("2001:db8::1", "02:06:20:01:0d:b9"),
        ("255.255.255.255", "ff:ff:ff:ff:ff:ff"),
        ("224.0.0.251", "01:00:5e:00:00:fb"),
        ("ff02::1", "33:33:00:00:00:01"),
    ],
)
def test_macs_come_from_the_address(address: str, mac: str) -> None:
    """Own stations get locally administered addresses, groups the address that the group has on Ethernet."""
    assert Station.of((address, 1)).mac == bytes.fromhex(mac.replace(":", ""))


def test_addresses_as_sockets_give_them() -> None:
    """A zone and a mapped IPv4 address are how dual-stack sockets name their peers."""
    assert str(Station.of(("fe80::1%eth0", 1)).address) == "fe80::1"
    assert str(Station.of(("::ffff:192.0.2.1", 1)).address) == "192.0.2.1"
    assert Station.of(("::1", 4059, 0, 0)).port == 4059
    for wrong, message in (
        ((("192.0.2.1", 1), ("::1", 1)), "one IP version"),
        ((("192.0.2.1", 70000), ("192.0.2.2", 1)), "no TCP or UDP port"),
        ((("meter", 1), ("192.0.2.2", 1)), "meter"),
    ):
        with pytest.raises(ValueError, match=message):
            SyntheticTcp(*wrong)


def test_a_tagged_frame_carries_its_vlan() -> None:
    """With a VLAN the 802.1Q tag stands before the Ethertype."""
    (frame,) = SyntheticUdp(*V4, vlan=42).data(True, b"x")
    assert frame[12:18] == bytes.fromhex("8100002a0800")
