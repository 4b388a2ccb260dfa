"""Datagrams find their way to the target and back; a full table and a dead target are told."""

import asyncio
import socket
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cosemscope.capture.events import Trouble
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.recording import Recorder
from cosemscope.live.relay.breakpoints import Breakpoints
from cosemscope.live.relay.held_edits import parse_edit
from cosemscope.live.relay.relay_events import HeldGone, LetGo, Relaying, RelayJoined, RelayParted, WpduHeld
from cosemscope.live.relay.relay_job import RelayJob
from cosemscope.live.relay.routes import Route
from cosemscope.live.relay.udp_relay import UdpRelay
from tests.helpers.coroutines import run, until
from tests.helpers.tshark import complaints, tshark
from tests.live.relay.relays import GET, SET, Relay, by_tag, relaying

WAIT = 10.0


def bound(host: str = "127.0.0.1") -> socket.socket:
    handle = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    handle.bind((host, 0))
    handle.setblocking(False)
    return handle


def job_of_datagrams(target: socket.socket, **words: object) -> RelayJob:
    host, port = target.getsockname()[:2]
    there, here = str(LinkAddress(host, port)), str(LinkAddress(host, 0))
    return RelayJob(**{"listen": here, "target": there, "tcp": False, **words})  # type: ignore[arg-type]


async def send(handle: socket.socket, octets: bytes, relay: Relay) -> None:
    await asyncio.get_running_loop().sock_sendto(handle, octets, tuple(relay.addresses[0]))


async def received(handle: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(WAIT):
        octets, address = await asyncio.get_running_loop().sock_recvfrom(handle, 1 << 16)
    return octets, address


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_answers_find_back_to_who_asked(host: str, tmp_path: Path) -> None:
    """Three clients at once, long datagrams and empty ones; recorded without a complaint of tshark."""
    path = tmp_path / "udp.pcapng"

    async def work() -> None:
        loop = asyncio.get_running_loop()
        recorder = Recorder(path)
        with bound(host) as target, bound(host) as one, bound(host) as two, bound(host) as three:
            async with relaying(job_of_datagrams(target), recorder) as relay:
                sent = {b"": one, GET * 1000: two, b"x": three}
                for octets, client in sent.items():
                    await send(client, octets, relay)
                for _ in sent:
                    octets, address = await received(target)
                    await loop.sock_sendto(target, b"to " + octets, address)
                for octets, client in sent.items():
                    assert (await received(client))[0] == b"to " + octets
                clients = {str(LinkAddress(*client.getsockname()[:2])) for client in sent.values()}
                assert {joined.client for joined in relay.events(RelayJoined)} == clients
            assert {(parted.sent, parted.received) for parted in relay.events(RelayParted)} == {(1, 1)}
        recorder.close()

    run(work())
    assert complaints(path) == []
    assert sum(map(int, tshark(path, "-T", "fields", "-e", "udp.length"))) == 6 * 8 + 2 * 21001 + 9


def test_what_is_held_is_held_alone() -> None:
    """Later datagrams overtake it, as they may on any network; on match it is split in two."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with bound() as target, bound() as client:
            async with relaying(job_of_datagrams(target, hold="c0")) as relay:
                await send(client, GET, relay)
                await send(client, SET, relay)
                assert (await relay.event(WpduHeld)).transport == "udp"
                octets, address = await received(target)
                assert octets == SET
                relay.tell(LetGo(let_go=1))
                assert (await received(target))[0] == GET
                await loop.sock_sendto(target, GET, address)
                assert (await relay.event(WpduHeld, 1)).direction == "to-client"
                relay.tell(LetGo(let_go=2))
                assert (await received(client))[0] == GET
            job = job_of_datagrams(target, hold="c0", on_match=parse_edit("split=8"))
            async with relaying(job) as relay:
                await send(client, GET, relay)
                assert (await received(target))[0] == GET[:8]
                assert (await received(target))[0] == GET[8:]
                assert len(relay.events(HeldGone)) == 1

    run(work())


def test_what_was_held_is_in_the_recording_as_it_came_and_as_it_went(tmp_path: Path) -> None:
    """Between client and relay, and between relay and target with the comment."""
    path = tmp_path / "held.pcapng"

    async def work() -> None:
        recorder = Recorder(path)
        with bound() as target, bound() as client:
            job = job_of_datagrams(target, hold="c0", on_match=parse_edit("source=17"))
            async with relaying(job, recorder) as relay:
                await send(client, GET, relay)  # the first that passes between the two
                assert (await received(target))[0] == GET[:3] + b"\x11" + GET[4:]
                await send(client, SET, relay)
                await received(target)
        recorder.close()

    run(work())
    assert complaints(path) == []
    payloads = tshark(path, "-T", "fields", "-e", "udp.payload", "-e", "frame.comment")
    rows = [row.split("\t") for row in payloads]
    assert [bytes.fromhex(octets) for octets, _ in rows] == [GET, GET[:3] + b"\x11" + GET[4:], SET, SET]
    assert [words.rpartition(", then ")[2] for _, words in rows] == ["", "source=17", "", ""]


def test_a_full_table_drops_others_in_one_sentence_and_goes_on() -> None:
    """Who is inside is served."""

    async def work() -> None:
        with bound() as target, bound() as inside:
            async with relaying(job_of_datagrams(target, limit=1)) as relay, AsyncExitStack() as stack:
                await send(inside, b"one", relay)
                await received(target)
                for _ in range(20):
                    await send(stack.enter_context(bound()), b"others", relay)
                await send(inside, b"two", relay)
                assert (await received(target))[0] == b"two"
                (trouble,) = relay.events(Trouble)
                assert trouble.fault == "full"
                assert "1 clients are open, the most that may be" in trouble.message

    run(work())


def test_a_client_that_is_silent_is_given_up_and_may_come_again() -> None:
    """Its place is free then."""

    async def work() -> None:
        with bound() as target, bound() as client:
            relay = Relay()
            route = Route(LinkAddress("127.0.0.1", 0), LinkAddress(*target.getsockname()))
            points = Breakpoints(relay.told.append, by_tag)
            flows = UdpRelay(
                route, relay.told.append, points, None, limit=1, is_open=lambda: len(flows), idle=0.05
            )
            await flows.open()
            assert len(relay.events(Relaying)) == 1
            for number in range(2):
                await send(client, GET, relay)
                assert (await received(target))[0] == GET
                parted = await relay.event(RelayParted, number)
                assert parted.message == "nothing came for 0.05 s"
                assert len(flows) == 0
            await flows.close()
            await points.close()

    run(work())


def test_a_dead_target_is_told_once_a_client() -> None:
    """With who sent; the relay goes on."""

    async def work() -> None:
        with bound() as target, bound() as client:
            job = job_of_datagrams(target)
            target.close()
            async with relaying(job) as relay:
                for _ in range(3):
                    await send(client, GET, relay)
                    await asyncio.sleep(0.02)
                await until(lambda: relay.events(Trouble))
                (trouble,) = relay.events(Trouble)
                assert trouble.fault == "refused"
                assert f"(for 127.0.0.1:{client.getsockname()[1]})" in trouble.message

    run(work())
