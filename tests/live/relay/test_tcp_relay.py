"""What one end of a relayed TCP connection does the other does: octets, ends, resets; and it is recorded."""

import asyncio
import contextlib
import random
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.events import Trouble
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.relay.relay_events import RelayJoined, RelayParted
from tests.helpers.coroutines import run, settled, until
from tests.helpers.tshark import complaints, tshark
from tests.live.relay.relays import Ends, ends, job_for, listening, read_all, read_exactly, relaying, reset

CHUNKS = st.lists(st.binary(min_size=1, max_size=3000), max_size=8)
#: What an end does once it has sent all: nothing until the other one is done, half-closes, closes by a reset.
ENDINGS = st.sampled_from(["finish", "finish-first", "reset"])


@settings(max_examples=40, deadline=None)
@given(CHUNKS, CHUNKS, ENDINGS, ENDINGS)
def test_whatever_one_end_sends_the_other_gets(
    up: list[bytes], down: list[bytes], client_ends: str, server_ends: str
) -> None:
    """Any octets in any pieces, both ways at once, ended in any way: equal, or a prefix before a reset."""

    async def work() -> None:
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1])) as relay, ends(relay, target) as both:
                await _converse(both, up, down, client_ends, server_ends)

    run(work())


async def _converse(
    both: Ends, up: list[bytes], down: list[bytes], client_ends: str, server_ends: str
) -> None:
    loop = asyncio.get_running_loop()
    broken = "reset" in (client_ends, server_ends)
    got: dict[str, bytes] = {}

    async def one(name: str, handle: socket.socket, chunks: list[bytes], how: str, expected: int) -> None:
        with contextlib.suppress(ConnectionError if broken else ()):
            for chunk in chunks:
                await loop.sock_sendall(handle, chunk)
            if how == "reset":
                reset(handle)
                return
            if how == "finish-first":
                handle.shutdown(socket.SHUT_WR)
                got[name] = await read_all(handle)
                return
            got[name] = await read_exactly(handle, expected)
            handle.shutdown(socket.SHUT_WR)
            got[name] += await read_all(handle)

    sizes = sum(map(len, up)), sum(map(len, down))
    await asyncio.wait_for(
        asyncio.gather(
            one("client", both.client, up, client_ends, sizes[1]),
            one("server", both.server, down, server_ends, sizes[0]),
            return_exceptions=broken,
        ),
        20,
    )
    if not broken:
        assert got == {"client": b"".join(down), "server": b"".join(up)}
    for name, whole in (("client", b"".join(down)), ("server", b"".join(up))):
        assert whole.startswith(got.get(name, b""))


def test_a_half_closed_connection_still_carries_the_other_way() -> None:
    """The client's FIN reaches the target, whose answer reaches the client, and its FIN behind it."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1])) as relay, ends(relay, target) as both:
                both.client.shutdown(socket.SHUT_WR)
                assert await loop.sock_recv(both.server, 1) == b""
                await loop.sock_sendall(both.server, b"answer" * 1000)
                assert await read_exactly(both.client, 6000) == b"answer" * 1000
                assert len(relay.events(RelayParted)) == 0
                both.server.shutdown(socket.SHUT_WR)
                assert await loop.sock_recv(both.client, 1) == b""
                parted = await relay.event(RelayParted)
                assert (parted.sent, parted.received) == (0, 6000)
                assert parted.message == "closed in order"

    run(work())


@pytest.mark.parametrize("half_closed", [False, True])
@pytest.mark.parametrize("from_client", [True, False])
def test_a_reset_is_a_reset_at_the_other_end(from_client: bool, half_closed: bool) -> None:
    """From either side, in the middle of a WPDU, and after that side's or the other's FIN."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1])) as relay, ends(relay, target) as both:
                one, other = (both.client, both.server) if from_client else (both.server, both.client)
                await loop.sock_sendall(one, bytes.fromhex("00010010000100"))
                assert len(await read_exactly(other, 7)) == 7
                if half_closed:
                    one.shutdown(socket.SHUT_WR)
                    assert await loop.sock_recv(other, 1) == b""
                reset(one)
                if half_closed:  # nothing is left to read
                    await until(lambda: other.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
                else:
                    with pytest.raises(ConnectionResetError):
                        await loop.sock_recv(other, 1)
                parted = await relay.event(RelayParted)
                assert "reset" in parted.message

    run(work())


def test_a_target_that_refuses_resets_the_client_and_is_told() -> None:
    """In a sentence with the target, why, and for whom; the relay goes on."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            port = target.getsockname()[1]
        async with relaying(job_for(port)) as relay:
            for number in range(2):
                with socket.socket() as client:
                    client.setblocking(False)
                    await loop.sock_connect(client, tuple(relay.addresses[0]))
                    with pytest.raises(ConnectionResetError):
                        await loop.sock_recv(client, 1)
                    trouble = await relay.event(Trouble, number)
                    assert trouble.fault == "refused"
                    assert f"refused by 127.0.0.1:{port}: nothing listens" in trouble.message
                    assert f"(for 127.0.0.1:{client.getsockname()[1]}, which is reset)" in trouble.message

    run(work())


def test_a_slow_reader_slows_the_sender() -> None:
    """What the relay itself holds for a reader that does not read is one read, not all that is sent."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            target.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            async with relaying(job_for(target.getsockname()[1])) as relay, ends(relay, target) as both:
                sent = 0
                whole = random.Random(1).randbytes(32 << 20)

                async def send() -> None:
                    nonlocal sent
                    while sent < len(whole):
                        part = whole[sent : sent + 65536]
                        await loop.sock_sendall(both.client, part)
                        sent += len(part)
                    both.client.shutdown(socket.SHUT_WR)

                sending = asyncio.ensure_future(send())
                assert await settled(lambda: sent) < len(whole)
                got = bytearray()
                while part := await loop.sock_recv(both.server, 1 << 18):
                    got += part
                await sending
                assert got == whole

    run(work())


def test_a_client_of_one_ip_version_and_a_target_of_the_other() -> None:
    """Both ways; also with a breakpoint, where both connections are recorded."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening("::1") as target:
            job = job_for(target.getsockname()[1], "::1", listen="127.0.0.1:0")
            async with relaying(job) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, b"over IPv4")
                assert await read_exactly(both.server, 9) == b"over IPv4"
                await loop.sock_sendall(both.server, b"over IPv6")
                assert await read_exactly(both.client, 9) == b"over IPv6"

    run(work())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_tshark_reads_what_was_recorded_without_a_complaint(host: str, tmp_path: Path) -> None:
    """The connection to the target with its real ends, all octets, and a comment on whom it was for."""
    path = tmp_path / "relay.pcapng"
    joined: list[RelayJoined] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        recorder = Recorder(path)
        with listening(host) as target:
            job = job_for(target.getsockname()[1], host)
            async with relaying(job, recorder) as relay, ends(relay, target) as both:
                for size in (1, 3000, 70000):
                    await loop.sock_sendall(both.client, bytes(size))
                    await read_exactly(both.server, size)
                    await loop.sock_sendall(both.server, bytes(size))
                    await read_exactly(both.client, size)
                both.client.shutdown(socket.SHUT_WR)
                await read_all(both.server)
                both.server.close()
                await relay.event(RelayParted)
                joined.extend(relay.events(RelayJoined))
        recorder.close()

    run(work())
    assert complaints(path) == []
    assert set(tshark(path, "-T", "fields", "-e", "tcp.stream")) == {"0"}
    assert sum(map(int, tshark(path, "-T", "fields", "-e", "tcp.len"))) == 2 * 73001
    ports = tshark(path, "-c", "1", "-T", "fields", "-e", "tcp.srcport", "-e", "tcp.dstport")[0].split()
    assert [joined[0].local.rpartition(":")[2], joined[0].target.rpartition(":")[2]] == ports
    comments = [words for words in tshark(path, "-T", "fields", "-e", "frame.comment") if words]
    assert comments == [f"relayed for {joined[0].client}, which came to {joined[0].address}"]


def test_many_connections_at_once_lose_nothing() -> None:
    """Two hundred, each with octets of its own, back and forth while all are open."""

    async def work() -> None:
        loop = asyncio.get_running_loop()

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while octets := await reader.read(4096):
                writer.write(octets)
                await writer.drain()
            writer.close()

        async def talk(number: int, everybody: asyncio.Barrier) -> None:
            reader, writer = await asyncio.open_connection(*relay.addresses[0])
            octets = random.Random(number).randbytes(5000)
            await everybody.wait()
            for start in range(0, 5000, 500):
                writer.write(octets[start : start + 500])
                assert await reader.readexactly(500) == octets[start : start + 500]
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0, backlog=256)
        async with server, relaying(job_for(server.sockets[0].getsockname()[1])) as relay:
            everybody = asyncio.Barrier(200)
            await asyncio.gather(*(talk(number, everybody) for number in range(200)))
            await until(lambda: len(relay.events(RelayParted)) == 200)
            assert {(each.sent, each.received) for each in relay.events(RelayParted)} == {(5000, 5000)}
            assert relay.events(Trouble) == []
            assert loop.is_running()

    run(work())


async def is_reset(client: socket.socket, address: LinkAddress) -> bool:
    """True when the peer breaks the connection, at once or when something is to come."""
    loop = asyncio.get_running_loop()
    client.setblocking(False)
    try:
        await loop.sock_connect(client, tuple(address))
        return await loop.sock_recv(client, 1) == b"never"
    except ConnectionResetError:
        return True


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are bounded elsewhere")
def test_a_full_table_refuses_others_in_one_sentence_and_goes_on() -> None:
    """Ten beyond the limit are reset; who is inside is served; a place that is free is given again."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1], limit=1)) as relay:
                async with ends(relay, target) as both:
                    for _ in range(10):
                        with socket.socket() as client:
                            assert await is_reset(client, relay.addresses[0])
                    await loop.sock_sendall(both.client, b"still here")
                    assert await read_exactly(both.server, 10) == b"still here"
                assert [each.fault for each in relay.events(Trouble)] == ["full"]
                await relay.event(RelayParted)
                async with ends(relay, target) as both:
                    await loop.sock_sendall(both.server, b"again")
                    assert await read_exactly(both.client, 5) == b"again"

    run(work())


def test_a_port_that_is_taken_is_told() -> None:
    """By its address, and nothing is left open."""

    async def work() -> None:
        with listening() as taken, listening() as target:
            here = f"127.0.0.1:{taken.getsockname()[1]}"
            with pytest.raises(LinkError, match=f"{here} is in use by another program"):
                async with relaying(job_for(target.getsockname()[1], listen=here)):
                    pass

    run(work())


def test_the_end_of_the_relay_ends_connections_in_order() -> None:
    """Both ends get a FIN; one that does not close its side is not waited for long."""

    async def work() -> None:
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1])) as relay:
                joining = ends(relay, target)
                both = await joining.__aenter__()
                await relay.event(RelayJoined)
            assert await asyncio.get_running_loop().sock_recv(both.client, 1) == b""
            assert await asyncio.get_running_loop().sock_recv(both.server, 1) == b""
            await joining.__aexit__(None, None, None)

    run(work())
