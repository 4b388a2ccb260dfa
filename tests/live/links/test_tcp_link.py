"""TCP links over real sockets: what protects users from a stuck link when a network or a peer misbehaves."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cosemscope.live.links import tcp_sockets
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_link import TcpLink, connect_tcp
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.parameters import ConnectResult, DisconnectReason, ReasonOfFailure
from cosemscope.transport.primitives import (
    TcpAbortIndication,
    TcpConnectConfirm,
    TcpConnectRequest,
    TcpDataConfirm,
    TcpDataIndication,
    TcpDisconnectConfirm,
    TcpDisconnectIndication,
)
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run, settled, until
from tests.helpers.proxy import FaultProxy, Harm, Then
from tests.live.links.ends import APDU, Primitives, echo, fault_of

QUICK = LinkOptions(
    connect_timeout=2, answer_timeout=2, wpdu_timeout=0.2, send_timeout=0.5, close_timeout=0.3
)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_apdus_go_there_and_back(host: str) -> None:
    """From one octet to the most that the length field can say, over IPv4 and IPv6."""

    async def work() -> None:
        told = Primitives()
        async with (
            serve_tcp(host, 0, handler=echo) as server,
            connect_tcp(host, server.address.port, observer=told) as link,
        ):
            for size in (1, 12, 1400, 65534):
                await link.send(bytes(size))
                assert await link.receive() == b"\xc4" + bytes(size)
            assert link.remote == server.address
        assert told.names[:2] == ["TCP-CONNECT.request", "TCP-CONNECT.confirm"]
        assert told.names[2:5] == ["TCP-DATA.request", "TCP-DATA.confirm", "TCP-DATA.indication"]
        assert told.names[-2:] == ["TCP-DISCONNECT.request", "TCP-DISCONNECT.confirm"]
        assert isinstance(told.seen[-1], TcpDisconnectConfirm)
        assert told.seen[-1].result is ConnectResult.SUCCESS

    run(work())


def test_several_entities_share_one_connection() -> None:
    """Answers find the wPort that asked, in the order they were sent."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, local_wports=(1, 20), handler=echo) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            await link.send(b"a", local_wport=64, remote_wport=20)
            await link.send(b"b")
            answers = [await link.indication(), await link.indication()]
        assert [(each.local_wport, each.remote_wport, each.data) for each in answers] == [
            (64, 20, b"\xc4a"),
            (16, 1, b"\xc4b"),
        ]

    run(work())


def test_an_unbound_wport_gets_no_answer_and_the_connection_goes_on() -> None:
    """6.3.4: such a WPDU is discarded, nothing else happens."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            await link.send(b"x", remote_wport=15)
            await link.send(b"y")
            assert await link.receive() == b"\xc4y"

    run(work())


@pytest.mark.parametrize(
    "harm", [Harm(chunk=1), Harm(chunk=3), Harm(chunk=9, delay=0.001), Harm(delay=0.02)], ids=str
)
def test_split_and_delayed_octets_make_the_same_apdus(harm: Harm) -> None:
    """However the network cuts the stream."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo) as server,
            FaultProxy(("127.0.0.1", server.address.port), harm, harm) as proxy,
            connect_tcp("127.0.0.1", proxy.port) as link,
        ):
            for index in range(20):
                await link.send(bytes((index,)) * 40)
            for index in range(20):
                assert await link.receive() == b"\xc4" + bytes((index,)) * 40

    run(work())


def test_nothing_listens() -> None:
    """The refusal is told as a fault, in words and as a primitive."""

    async def work() -> None:
        told = Primitives()
        port = free_port()
        with pytest.raises(LinkError) as caught:
            async with connect_tcp("127.0.0.1", port, observer=told):
                pass
        assert caught.value.fault is Fault.REFUSED
        assert f"connection refused by 127.0.0.1:{port}" in caught.value.message
        request, confirm = told.seen
        assert isinstance(request, TcpConnectRequest)
        assert isinstance(confirm, TcpConnectConfirm)
        assert (confirm.result, confirm.reason_of_failure) == (ConnectResult.FAILURE, ReasonOfFailure.REFUSED)

    run(work())


def test_nobody_answers_the_attempt_to_connect() -> None:
    """A full backlog swallows SYNs on Linux as a sleeping modem does."""

    async def work() -> None:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(("127.0.0.1", port))
            told = Primitives()
            options = LinkOptions(connect_timeout=0.3)
            with pytest.raises(LinkError) as caught:
                async with connect_tcp("127.0.0.1", port, options=options, observer=told):
                    pass
            assert caught.value.message == f"no answer from 127.0.0.1:{port} in 0.3 s"
            assert caught.value.fault is Fault.TIMEOUT
            assert told.names == ["TCP-CONNECT.request", "TCP-CONNECT.confirm"]
        finally:
            for end in (listener, *fillers):
                end.close()

    run(work())


def test_a_name_that_nobody_knows() -> None:
    """It is a sentence, not a hang, whatever resolver there is."""

    async def work() -> None:
        with pytest.raises(LinkError, match="not known") as caught:
            async with connect_tcp("no-such-host.invalid", options=LinkOptions(connect_timeout=5)):
                pass
        assert caught.value.fault in {Fault.ADDRESS, Fault.TIMEOUT}

    run(work())


def test_a_group_address_is_no_address_for_tcp() -> None:
    """It is refused here, not left to time out."""

    async def work() -> None:
        with pytest.raises(LinkError, match="group") as caught:
            async with connect_tcp("224.0.0.1"):
                pass
        assert caught.value.fault is Fault.ADDRESS

    run(work())


def test_silence_is_a_timeout_and_the_link_lives_on() -> None:
    """What comes after the time-out can still be received."""

    async def work() -> None:
        async with serve_tcp(port=0) as server, connect_tcp("127.0.0.1", server.address.port) as link:
            with pytest.raises(LinkError, match=r"no answer from 127.0.0.1:\d+ in 0.05 s"):
                await link.receive(0.05)
            async with await server.accept(1) as served:
                await link.send(APDU)
                assert await served.receive() == APDU
                await served.send(b"\x01")
                assert await link.receive() == b"\x01"

    run(work())


@pytest.mark.parametrize(
    ("then", "octets", "fault", "reason"),
    [
        (Then.RESET, 12, Fault.RESET, ReasonOfFailure.RESET),
        (Then.CLOSE, 12, Fault.TRUNCATED, ReasonOfFailure.TRUNCATED),
        (Then.HALF_CLOSE, 12, Fault.TRUNCATED, ReasonOfFailure.TRUNCATED),
        (Then.HALF_CLOSE, 3, Fault.TRUNCATED, ReasonOfFailure.TRUNCATED),
        (Then.STALL, 12, Fault.TRUNCATED, ReasonOfFailure.WPDU_TIMED_OUT),
        (Then.STALL, 1, Fault.TRUNCATED, ReasonOfFailure.WPDU_TIMED_OUT),
    ],
)
def test_every_fault_inside_a_wpdu_ends_in_an_abort(
    then: Then, octets: int, fault: Fault, reason: ReasonOfFailure
) -> None:
    """The answer breaks off after some octets: TCP-ABORT and TCP-DISCONNECT, and a sentence."""

    async def work() -> None:
        told = Primitives()
        async with serve_tcp(port=0, handler=echo) as server:
            harm = Harm(after=octets, then=then)
            async with (
                FaultProxy(("127.0.0.1", server.address.port), downstream=harm) as proxy,
                connect_tcp("127.0.0.1", proxy.port, options=QUICK, observer=told) as link,
            ):
                await link.send(APDU)
                error = await fault_of(link)
                assert error.fault is fault
                assert (await fault_of(link)).message == error.message
                with pytest.raises(LinkError):
                    await link.send(APDU)
        abort, disconnect = told.seen[-2:]
        assert isinstance(abort, TcpAbortIndication)
        assert abort.reason is reason
        assert isinstance(disconnect, TcpDisconnectIndication)
        assert disconnect.reason is DisconnectReason.ABORT

    run(work())


def test_the_peer_closes_between_two_wpdus() -> None:
    """What came before the end is delivered, then the end; it is a disconnection, not an abort."""

    async def work() -> None:
        told = Primitives()

        async def one_answer(link: TcpLink) -> None:
            await link.send(b"\xc4" + await link.receive())

        async with (
            serve_tcp(port=0, handler=one_answer) as server,
            connect_tcp("127.0.0.1", server.address.port, observer=told) as link,
        ):
            await link.send(APDU)
            await until(lambda: told.names[-1] == "TCP-DISCONNECT.indication")
            assert await link.receive() == b"\xc4" + APDU
            error = await fault_of(link)
            assert error.fault is Fault.CLOSED
            assert error.message == f"{server.address} closed the connection"
        assert told.names[-2:] == ["TCP-DISCONNECT.indication", "TCP-DISCONNECT.response"]

    run(work())


def test_an_answer_still_goes_out_after_the_peers_fin() -> None:
    """A client that half-closes after its request gets its answer."""

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo) as server:
            reader, writer = await asyncio.open_connection(*server.address)
            writer.write(Wpdu(16, 1, APDU).encode())
            writer.write_eof()
            assert await reader.read() == Wpdu(1, 16, b"\xc4" + APDU).encode()
            writer.close()

    run(work())


RawPeer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


async def against(peer: RawPeer, work: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run `work` against a server that is no transport layer at all."""
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    try:
        await work(server.sockets[0].getsockname()[1])
    finally:
        server.close()


@pytest.mark.parametrize(
    ("octets", "hint"),
    [
        (b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e", "HDLC"),
        (b"\x01\x00\x10\x00\x01\x00\x02\x00", "swapped"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"\x00\x02\x00\x01\x00\x10\x00\x00", "not a wrapper"),
    ],
)
def test_what_is_no_wrapper_is_named(octets: bytes, hint: str) -> None:
    """HDLC or text from the far end is called so, instead of waiting for a length."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(octets)
        await reader.read()
        writer.close()

    async def work(port: int) -> None:
        told = Primitives()
        async with connect_tcp("127.0.0.1", port, options=QUICK, observer=told) as link:
            await link.send(APDU)
            error = await fault_of(link)
        assert error.fault is Fault.NOT_WRAPPER
        assert hint in error.message
        assert octets[:8].hex(" ") in error.message
        aborts = [each for each in told.seen if isinstance(each, TcpAbortIndication)]
        assert [each.reason for each in aborts] == [ReasonOfFailure.BAD_VERSION]

    run(against(peer, work))


def test_a_peer_that_does_not_read_holds_up_send_and_then_ends_it() -> None:
    """Back-pressure: send waits, memory stays bounded; after the time allowed it ends in NOK and an abort."""

    never = asyncio.Event()  # held here: a task that only itself refers to may be collected

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()

    async def work(port: int) -> None:
        told = Primitives()
        async with connect_tcp("127.0.0.1", port, options=QUICK, observer=told) as link:
            sent = 0
            error: LinkError | None = None
            while error is None:
                try:
                    await link.send(bytes(65535))
                    sent += 1
                except LinkError as caught:
                    error = caught
            assert error.fault is Fault.TIMEOUT
            assert "reads nothing" in error.message
            assert 0 < sent < 1000
        confirms = [each.result.value for each in told.seen if isinstance(each, TcpDataConfirm)]
        assert confirms == ["OK"] * sent + ["NOK"]
        aborts = [each.reason for each in told.seen if isinstance(each, TcpAbortIndication)]
        assert aborts == [ReasonOfFailure.NOT_READING]

    run(against(peer, work))


def test_what_is_not_received_stops_the_peer_not_the_memory() -> None:
    """A reader that does not call receive makes at most `waiting_limit` APDUs wait, and loses none."""

    async def work() -> None:
        count = 400

        async def flood(link: TcpLink) -> None:
            await link.receive()
            for index in range(count):
                await link.send(index.to_bytes(2, "big") + bytes(30000))
            await link.receive()

        told = Primitives()
        options = LinkOptions(waiting_limit=8)
        async with (
            serve_tcp(port=0, handler=flood) as server,
            connect_tcp("127.0.0.1", server.address.port, options=options, observer=told) as link,
        ):
            await link.send(APDU)
            await until(lambda: told.names.count("TCP-DATA.indication") >= 8)
            # One read may bring a few more than the limit.
            assert await settled(lambda: told.names.count("TCP-DATA.indication")) < 24
            for index in range(count):
                assert (await link.receive())[:2] == index.to_bytes(2, "big")

    run(work())


@pytest.mark.parametrize("timeouts", [{"wpdu_timeout": 0.2}, {"inactivity_timeout": 0.2}])
def test_a_peer_is_not_blamed_for_our_not_reading(timeouts: dict[str, float]) -> None:
    """While nobody calls receive the peer cannot send the rest of a WPDU: its time begins anew after that."""

    async def work() -> None:
        went_on = asyncio.Event()

        async def halves(link: TcpLink) -> None:
            await link.receive()
            whole = Wpdu(1, 16, APDU).encode()
            link.write(whole * 4 + whole[:9])
            await went_on.wait()
            link.write(whole[9:])
            await link.receive()

        options = LinkOptions(waiting_limit=2, **timeouts)
        async with (
            serve_tcp(port=0, handler=halves) as server,
            connect_tcp("127.0.0.1", server.address.port, options=options) as link,
        ):
            await link.send(APDU)
            await asyncio.sleep(0.5)
            for _ in range(4):
                assert await link.receive() == APDU
            went_on.set()
            assert await link.receive() == APDU

    run(work())


def test_a_remote_wport_that_is_none_is_a_matter_of_the_address() -> None:
    """Not of the APDU's size."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            with pytest.raises(LinkError, match="no wPort") as caught:
                await link.send(APDU, remote_wport=65536)
            assert caught.value.fault is Fault.ADDRESS

    run(work())


def test_keep_alive_is_set_on_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The option reaches the operating system, at this end of the link alone."""
    asked: list[float | None] = []
    monkeypatch.setattr(tcp_sockets, "prepare", lambda handle, seconds: asked.append(seconds))

    async def work() -> None:
        async with serve_tcp(port=0, handler=echo) as server:
            options = LinkOptions(keep_alive=30)
            async with connect_tcp("127.0.0.1", server.address.port, options=options) as link:
                await link.send(APDU)
                await link.receive()

    run(work())
    assert sorted(asked, key=str) == [30, None]


def test_a_closed_link_says_so() -> None:
    """Closing twice is fine; using it afterwards is a fault, not a hang."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            await link.close()
            await link.close()
            with pytest.raises(LinkError) as caught:
                await link.send(APDU)
            assert caught.value.fault is Fault.CLOSED
            assert (await fault_of(link)).fault is Fault.CLOSED

    run(work())


def test_too_long_an_apdu_is_refused_and_harms_nothing() -> None:
    """65,536 octets do not fit the length field; the link goes on."""

    async def work() -> None:
        async with (
            serve_tcp(port=0, handler=echo) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            with pytest.raises(LinkError, match="65535") as caught:
                await link.send(bytes(65536))
            assert caught.value.fault is Fault.TOO_LARGE
            await link.send(APDU)
            assert await link.receive() == b"\xc4" + APDU

    run(work())


def test_indications_are_raised_once_each() -> None:
    """An observer sees the standard's primitives in their order."""

    async def work() -> None:
        told = Primitives()
        async with (
            serve_tcp(port=0, handler=echo, observer=told) as server,
            connect_tcp("127.0.0.1", server.address.port) as link,
        ):
            for _ in range(3):
                await link.send(APDU)
                await link.receive()
        assert sum(isinstance(each, TcpDataIndication) for each in told.seen) == 3

    run(work())
