"""UDP sockets: what the system refuses is a fault and NOK; what it says of one datagram harms no other."""

import socket
from pathlib import Path

import pytest

from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.udp_link import connect_udp, serve_udp
from cosemscope.transport.calls import UdpSend
from cosemscope.transport.primitives import UdpDataConfirm, UdpDataRequest
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run, until

APDU = bytes.fromhex("c001c1000100002a0000ff0200")
_MOST_ROOM = Path("/proc/sys/net/core/rmem_max")


def request_to(host: str, local: tuple[str, int]) -> UdpDataRequest:
    return UdpDataRequest(
        local_wport=1,
        remote_wport=16,
        local_udp_port=local[1],
        remote_udp_port=4059,
        local_ip_address=local[0],
        remote_ip_address=host,
        data=APDU,
    )


@pytest.mark.parametrize(
    ("bound", "to", "fault", "words"),
    [
        ("127.0.0.1", "255.255.255.255", Fault.PERMISSION, "not allowed to use 255.255.255.255:4059"),
        ("::1", "127.0.0.1", Fault.ADDRESS, r"127.0.0.1:4059 cannot be reached from \[::1\]"),
    ],
)
def test_a_datagram_that_the_system_refuses_is_nok(bound: str, to: str, fault: Fault, words: str) -> None:
    """UDP-DATA.confirm is NOK, the sentence names the destination, nothing counts as sent (5.2.2.3)."""

    async def work() -> None:
        told: list[object] = []
        async with serve_udp(bound, 0, observer=told.append) as server:
            with pytest.raises(LinkError, match=words) as caught:
                server.endpoint.submit(request_to(to, server.address))
            counters = server.endpoint.transport.counters
            assert (caught.value.fault, counters.sent, counters.failed) == (fault, 0, 1)
        kinds = [type(each).__name__ for each in told if not isinstance(each, LinkError)]
        assert kinds == ["UdpDataRequest", "UdpSend", "UdpDataConfirm"]
        assert [each.result.value for each in told if isinstance(each, UdpDataConfirm)] == ["NOK"]
        assert sum(isinstance(each, LinkError) for each in told) == 1

    run(work())


def test_what_the_system_says_of_one_datagram_keeps_no_other_from_leaving() -> None:
    """One to a closed port, two more when it is open: both arrive, the refusal is told once."""

    async def work() -> None:
        told: list[object] = []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", 0))
            where = late.getsockname()
        async with connect_udp(*where, observer=told.append) as link:
            await link.send(APDU)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.bind(where)
                peer.settimeout(2)
                await link.send(b"\xc2")
                await link.send(b"\xc3")
                assert [peer.recv(100)[8:] for _ in range(2)] == [b"\xc2", b"\xc3"]
        assert [each.fault for each in told if isinstance(each, LinkError)] == [Fault.REFUSED]
        assert sum(isinstance(each, UdpSend) for each in told) == 3
        assert [each.result.value for each in told if isinstance(each, UdpDataConfirm)] == ["OK"] * 3

    run(work())


def test_a_burst_is_read_to_its_end() -> None:
    """More than are read in a row: what is left is read in the next turn."""

    async def work() -> None:
        async with serve_udp(port=0) as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
                for number in range(150):
                    raw.sendto(Wpdu(16, 1, bytes([number])).encode(), tuple(server.address))
            counters = server.endpoint.transport.counters
            await until(lambda: counters.received == 150)

    run(work())


def test_an_apdu_is_octets() -> None:
    """Text in hexadecimal is a mistake of the program, not one of the peer's."""

    async def work() -> None:
        async with connect_udp("127.0.0.1", 9) as link:
            with pytest.raises(TypeError, match="fromhex"):
                await link.send("c001")  # type: ignore[arg-type]

    run(work())


@pytest.mark.skipif(not _MOST_ROOM.exists(), reason="the system does not tell how much room it may give")
def test_a_burst_waits_until_it_is_read() -> None:
    """A thousand meters that push at once, while the reader is busy: as far as the system has room."""
    if int(_MOST_ROOM.read_text(encoding="ascii")) < 1 << 20:
        pytest.skip("the system gives less room than a burst needs")

    async def work() -> None:
        async with serve_udp("127.0.0.1", 0) as server:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as meters:
                for number in range(1000):
                    octets = Wpdu(16, 1, APDU + number.to_bytes(2, "big")).encode()
                    meters.sendto(octets, tuple(server.address))
            for number in range(1000):
                assert (await server.receive(10)).data == APDU + number.to_bytes(2, "big")

    run(work())
