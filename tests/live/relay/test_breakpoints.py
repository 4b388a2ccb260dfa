"""What a breakpoint holds waits for a word about it or goes on by itself; both are told and recorded."""

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosemscope.capture.events import Command, Trouble
from cosemscope.live.links.recording import Recorder
from cosemscope.live.relay.breakpoints import Matches, Passing
from cosemscope.live.relay.held_edits import DelayBy, DropIt, GoOn, HeldEdit, SplitAt
from cosemscope.live.relay.relay_events import (
    BreakpointSet,
    DelayHeld,
    DoubleHeld,
    DropHeld,
    EditHeld,
    HeldGone,
    LetGo,
    RelayJoined,
    RelayParted,
    ReplaceHeld,
    SetBreakpoint,
    SplitHeld,
    WpduHeld,
)
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run, until
from tests.helpers.tshark import complaints, tshark
from tests.live.relay.relays import (
    GET,
    SET,
    Relay,
    ends,
    job_for,
    listening,
    read_all,
    read_exactly,
    relaying,
    reset,
)
from tests.live.relay.test_wpdu_cutter import chunks

ANSWERS = [
    (LetGo(let_go=1), GET, "go"),
    (DropHeld(drop=1), b"", "drop"),
    (DoubleHeld(double=1), GET + GET, "double"),
    (SplitHeld(split=1, at=3), GET, "split=3"),
    (DelayHeld(delay=1, ms=20.0), GET, "delay=20ms"),
    (ReplaceHeld(replace=1, apdu=b"\xc0\x02"), Wpdu(16, 1, b"\xc0\x02").encode(), "replace=c002"),
    (EditHeld(edit=1, source_wport=17), GET[:3] + b"\x11" + GET[4:], "source=17"),
    (
        EditHeld(edit=1, at=9, octets=b"\x03", invoke_id=2),
        GET[:9] + b"\x03\xc2" + GET[11:],
        "invoke-id=2, at=9:03",
    ),
]


@pytest.mark.parametrize(("command", "expected", "how"), ANSWERS, ids=[how for _, _, how in ANSWERS])
def test_what_becomes_of_a_wpdu_that_is_held(command: Command, expected: bytes, how: str) -> None:
    """It is told with its octets, nothing behind it overtakes it, and the other direction is free."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0")
            async with relaying(job) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, SET + GET + SET)
                held = await relay.event(WpduHeld)
                assert (held.number, held.direction, held.octets) == (1, "to-target", GET)
                assert held.name == "get-request"
                assert held.client == f"127.0.0.1:{both.client.getsockname()[1]}"
                await loop.sock_sendall(both.server, SET)
                assert await read_exactly(both.client, len(SET)) == SET
                assert await read_exactly(both.server, len(SET)) == SET
                relay.tell(command)
                gone = await relay.event(HeldGone)
                assert (gone.number, gone.how) == (1, how)
                assert await read_exactly(both.server, len(expected) + len(SET)) == expected + SET

    run(work())


@pytest.mark.parametrize("edit", [DropIt(), DelayBy(0.01), SplitAt(8)], ids=lambda edit: edit.words)
def test_what_is_to_be_done_may_be_said_before(edit: HeldEdit) -> None:
    """Then it is done at once, both ways, and told all the same."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0", on_match=edit)
            async with relaying(job) as relay, ends(relay, target) as both:
                expected = b"".join(step.octets for step in edit.plan(GET)) + SET
                for one, other in ((both.client, both.server), (both.server, both.client)):
                    await loop.sock_sendall(one, GET + SET)
                    assert await read_exactly(other, len(expected)) == expected
                assert [gone.how for gone in relay.events(HeldGone)] == [edit.words] * 2
                assert [held.direction for held in relay.events(WpduHeld)] == ["to-target", "to-client"]

    run(work())


def test_an_edit_that_cannot_be_made_lets_go() -> None:
    """On match it must not end the traffic; by a command it is told, and what is held stays."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            port = target.getsockname()[1]
            async with (
                relaying(job_for(port, hold="c0", on_match=SplitAt(99))) as relay,
                ends(relay, target) as both,
            ):
                await loop.sock_sendall(both.client, GET)
                assert await read_exactly(both.server, len(GET)) == GET
                assert "cannot be split at 99" in relay.events(HeldGone)[0].how
            async with relaying(job_for(port, hold="c0")) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, GET)
                await relay.event(WpduHeld)
                relay.tell(SplitHeld(split=1, at=99))
                assert "cannot be split at 99" in (await relay.event(Trouble)).message
                relay.tell(LetGo(let_go=2))
                assert "nothing is held as number 2" in (await relay.event(Trouble, 1)).message
                relay.tell(LetGo(let_go=1))
                assert await read_exactly(both.server, len(GET)) == GET

    run(work())


def test_what_nobody_answers_goes_on_by_itself() -> None:
    """Held WPDUs, and what is not whole yet: neither waits for longer than is said."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0", hold_seconds=0.1)
            async with relaying(job) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, GET + GET[:12])
                assert await read_exactly(both.server, len(GET) + 12) == GET + GET[:12]
                assert [gone.how for gone in relay.events(HeldGone)] == ["let go after 0.1 s"]
                await loop.sock_sendall(both.client, GET[12:] + SET)
                assert await read_exactly(both.server, len(GET) - 12 + len(SET)) == GET[12:] + SET
                await loop.sock_sendall(both.client, GET)
                assert (await relay.event(WpduHeld, 1)).octets == GET

    run(work())


def test_a_breakpoint_comes_and_goes_while_octets_pass() -> None:
    """Set within a WPDU it begins with the next; ended it lets all go, what is not whole too."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            async with relaying(job_for(target.getsockname()[1])) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, GET + GET[:11])
                assert await read_exactly(both.server, len(GET) + 11) == GET + GET[:11]
                relay.tell(SetBreakpoint(hold="c0"))
                assert (await relay.event(BreakpointSet)).hold == "c0"
                await loop.sock_sendall(both.client, GET[11:] + GET + SET + SET[:5])
                assert await read_exactly(both.server, len(GET) - 11) == GET[11:]
                await relay.event(WpduHeld)
                await loop.sock_sendall(both.server, SET[:9])
                await asyncio.sleep(0.05)
                relay.tell(SetBreakpoint(hold=None))
                rest = GET + SET + SET[:5]
                assert await read_exactly(both.server, len(rest)) == rest
                assert await read_exactly(both.client, 9) == SET[:9]
                assert relay.events(HeldGone)[0].how == "the breakpoint ended"
                assert (await relay.event(BreakpointSet, 1)).hold is None
                relay.tell(SetBreakpoint(hold="zz"))
                assert "non-hexadecimal" in (await relay.event(Trouble)).message

    run(work())


def test_a_wpdu_that_trickles_is_not_kept_for_long() -> None:
    """Octet after octet, each in time: the first ones go on when the first has waited long enough."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0", hold_seconds=0.1)
            async with relaying(job) as relay, ends(relay, target) as both:

                async def trickle() -> None:
                    for octet in GET[:-1]:
                        await loop.sock_sendall(both.client, bytes((octet,)))
                        await asyncio.sleep(0.03)

                trickling = asyncio.ensure_future(trickle())
                assert await read_exactly(both.server, len(GET) - 1) == GET[:-1]
                await trickling
                assert relay.events(WpduHeld) == []

    run(work())


UNITS = st.lists(
    st.sampled_from([GET, SET, Wpdu(1, 16, b"").encode(), Wpdu(16, 1, b"\xc0" + bytes(5000)).encode()]),
    max_size=6,
)


@settings(max_examples=15, deadline=None)
@given(UNITS, st.binary(max_size=9), st.lists(st.integers(1, 3000), max_size=6))
def test_what_is_held_and_let_go_comes_as_it_was_sent(
    units: list[bytes], rest: bytes, sizes: list[int]
) -> None:
    """WPDUs and what is none behind them, in any pieces, both ways at once, each to its end."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        octets = b"".join(units) + rest
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0", on_match=GoOn())
            async with relaying(job) as relay, ends(relay, target) as both:

                async def send(handle: socket.socket) -> None:
                    for piece in chunks(octets, sizes):
                        await loop.sock_sendall(handle, piece)
                    handle.shutdown(socket.SHUT_WR)

                sides = both.client, both.server
                got = await asyncio.gather(*map(read_all, sides), *map(send, sides))
                assert got[:2] == [octets, octets]
                held = sum(unit[8:9] == b"\xc0" for unit in units)
                assert len(relay.events(WpduHeld)) == 2 * held

    run(work())


def test_ends_wait_behind_what_is_held() -> None:
    """A FIN comes behind the WPDU it came behind; half a WPDU before it goes on as it is."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0")
            async with relaying(job) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, GET + SET[:7])
                await relay.event(WpduHeld)
                both.client.shutdown(socket.SHUT_WR)
                await loop.sock_sendall(both.server, SET)
                assert await read_exactly(both.client, len(SET)) == SET
                relay.tell(LetGo(let_go=1))
                assert await read_exactly(both.server, len(GET) + 7) == GET + SET[:7]
                assert await loop.sock_recv(both.server, 1) == b""

    run(work())


@pytest.mark.parametrize("from_client", [True, False])
def test_a_reset_does_not_wait(from_client: bool) -> None:
    """It ends what is held too, which is told, whoever resets: also the one that nobody reads."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0")
            async with relaying(job) as relay, ends(relay, target) as both:
                await loop.sock_sendall(both.client, GET)
                await relay.event(WpduHeld)
                one, other = (both.client, both.server) if from_client else (both.server, both.client)
                reset(one)
                with pytest.raises(ConnectionResetError):
                    await loop.sock_recv(other, 1)
                assert (await relay.event(HeldGone)).how == "its connection ended"
                await relay.event(RelayParted)

    run(work())


def test_what_is_no_wrapper_passes_and_that_is_told_once() -> None:
    """With whose octets they are."""

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0")
            async with relaying(job) as relay, ends(relay, target) as both:
                for _ in range(3):
                    await loop.sock_sendall(both.server, b"\x7e\xa0\x07hello")
                    assert await read_exactly(both.client, 8) == b"\x7e\xa0\x07hello"
                (trouble,) = relay.events(Trouble)
                assert trouble.fault == "not-wrapper"
                assert trouble.message.startswith(f"what 127.0.0.1:{target.getsockname()[1]} sends")

    run(work())


def test_a_filter_that_fails_lets_everything_pass() -> None:
    """And is told once a minute."""

    def failing(_: str) -> Matches:
        def matches(passing: Sequence[Passing]) -> Sequence[bool]:
            raise OSError("the disk is full")

        return matches

    async def work() -> None:
        loop = asyncio.get_running_loop()
        with listening() as target:
            job = job_for(target.getsockname()[1], hold="c0")
            async with relaying(job, make_matches=failing) as relay, ends(relay, target) as both:
                for _ in range(3):
                    await loop.sock_sendall(both.client, GET)
                    assert await read_exactly(both.server, len(GET)) == GET
                (trouble,) = relay.events(Trouble)
                assert "the disk is full" in trouble.message

    run(work())


async def _recorded(path: Path, command: Command) -> tuple[Relay, bytes]:
    """A conversation with one held GET that is answered so, recorded; what the target got."""
    loop = asyncio.get_running_loop()
    recorder = Recorder(path)
    got = b""
    with listening() as target:
        job = job_for(target.getsockname()[1], hold="c0")
        async with relaying(job, recorder) as relay, ends(relay, target) as both:
            await loop.sock_sendall(both.client, SET + GET + SET)
            await relay.event(WpduHeld)
            relay.tell(command)
            both.client.shutdown(socket.SHUT_WR)
            got = await read_all(both.server)
            both.server.close()
            await relay.event(RelayParted)
    recorder.close()
    return relay, got


@pytest.mark.parametrize(
    "command", [ReplaceHeld(replace=1, apdu=b"\xc0\x02"), DropHeld(drop=1)], ids=["replace", "drop"]
)
def test_the_recording_has_what_came_and_what_went(command: Command, tmp_path: Path) -> None:
    """In the connections that there are, the client's and the target's, with a comment on what was done."""
    path = tmp_path / "held.pcapng"
    found: list[tuple[Relay, bytes]] = []

    async def work() -> None:
        found.append(await _recorded(path, command))

    run(work())
    ((relay, got),) = found
    (joined,) = relay.events(RelayJoined)
    assert complaints(path) == []

    def sent_from(end: str) -> bytes:
        where = f"tcp.srcport == {end.rpartition(':')[2]}"
        return bytes.fromhex("".join(tshark(path, "-Y", where, "-T", "fields", "-e", "tcp.payload")))

    assert sent_from(joined.client) == SET + GET + SET
    assert sent_from(joined.local) == got != SET + GET + SET
    words = "replace=c002" if isinstance(command, ReplaceHeld) else "drop"
    comments = [each for each in tshark(path, "-T", "fields", "-e", "frame.comment") if "held" in each]
    assert len(comments) == 1
    assert comments[0].startswith("relay: held as number 1 for ")
    assert comments[0].endswith(f" ms, then {words}")


def test_a_connection_that_is_open_is_recorded_at_both_ends_once_a_breakpoint_is_set(tmp_path: Path) -> None:
    """From the middle on, which tshark takes for what it is."""
    path = tmp_path / "later.pcapng"

    async def work() -> None:
        loop = asyncio.get_running_loop()
        recorder = Recorder(path)
        with listening() as target:
            async with (
                relaying(job_for(target.getsockname()[1]), recorder) as relay,
                ends(relay, target) as both,
            ):
                await loop.sock_sendall(both.client, GET)
                await read_exactly(both.server, len(GET))
                relay.tell(SetBreakpoint(hold="ff"))
                await until(lambda: relay.events(BreakpointSet))
                await loop.sock_sendall(both.client, SET)
                await read_exactly(both.server, len(SET))
        recorder.close()

    run(work())
    assert complaints(path) == []
    sizes = tshark(path, "-Y", "tcp.len > 0", "-T", "fields", "-e", "tcp.len")
    assert sorted(map(int, sizes)) == sorted([len(GET), len(SET), len(SET)])
