"""A relay with several targets, its job in words, and the ways in which it cannot begin."""

import asyncio
import socket
from pathlib import Path

import pytest

from cosemscope.capture.events import Trouble
from cosemscope.capture.job_options import job_of_words, words_of
from cosemscope.live.commands.live_events import CloseLink, SendApdu
from cosemscope.live.links.faults import LinkError
from cosemscope.live.relay.held_edits import DelayBy
from cosemscope.live.relay.relay_job import RelayJob
from tests.helpers.coroutines import run
from tests.live.relay.relays import listening, read_exactly, relaying


def test_each_port_has_its_target(tmp_path: Path) -> None:
    """By the pair, by a route and by a table, in one relay."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as one, listening() as two, listening() as three:
            ports = [target.getsockname()[1] for target in (one, two, three)]
            table = tmp_path / "meters.toml"
            table.write_text(f'[[relay]]\nlisten = ":0"\ntarget = "127.0.0.1:{ports[2]}"\n', encoding="utf-8")
            routes = (f":0=127.0.0.1:{ports[1]}",)
            job = RelayJob(":0", f"127.0.0.1:{ports[0]}", routes=routes, table=table, udp=False)
            async with relaying(job) as relay:
                for address, target in zip(relay.addresses, (one, two, three), strict=True):
                    with socket.create_connection(tuple(address)) as client:
                        client.sendall(b"hello")
                        server, _ = await loop.sock_accept(target)
                        with server:
                            assert await read_exactly(server, 5) == b"hello"

    run(work())


def test_udp_is_at_the_port_that_tcp_has_got() -> None:
    """Also where the system chooses it."""

    async def work() -> None:
        async with relaying(RelayJob(":0", "127.0.0.1:4059")) as relay:
            tcp, udp = relay.addresses
            assert tcp == udp
            assert tcp.port

    run(work())


def test_the_job_as_words() -> None:
    """What a window asks for is what a command line says."""
    job = RelayJob("0.0.0.0:4059", "192.0.2.7", routes=("1=h",), hold="apdu == aarq", on_match=DelayBy(0.5))
    assert job_of_words(RelayJob, words_of(job)) == job
    assert job_of_words(RelayJob, ["4059", "h"]) == RelayJob("4059", "h")


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (RelayJob(), "nothing to relay"),
        (RelayJob("4060"), "4060 leads nowhere"),
        (RelayJob(":0", "no-such-host.invalid"), "host of no-such-host.invalid:4059 is not known"),
        (RelayJob("192.0.2.99:4060", "127.0.0.1"), "192.0.2.99:4060 is not an address of this computer"),
    ],
)
def test_a_relay_that_cannot_begin_says_why(job: RelayJob, words: str) -> None:
    """Before anything is taken."""

    async def work() -> None:
        with pytest.raises(LinkError, match=words):
            async with relaying(job):
                pass

    run(work())


def test_commands_of_others_are_not_obeyed() -> None:
    """They are told; close ends it."""

    async def work() -> None:
        async with relaying(RelayJob(":0", "127.0.0.1:1", udp=False)) as relay:
            relay.tell(SendApdu(send=b"\0"))
            assert "a relay does not know 'send'" in (await relay.event(Trouble)).message
            relay.tell(CloseLink())

    run(work())
