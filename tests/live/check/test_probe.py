"""Probes: octets go out as they are, and what comes back is a WPDU, no WPDU, an end or silence."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from cosemscope.live.check.probe import SILENCE, Diary, Gone, Probe, StepKind, Unfinished
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.wpdu import BadVersion, Wpdu
from tests.helpers.coroutines import run

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
#: A whole WPDU: version, source 1, destination 16, three octets.
ANSWER = bytes.fromhex("0001 0001 0010 0003 d80102")
#: Lingering for no time: a close is a RST.
RESET = struct.pack("ii", 1, 0)
OPTIONS = LinkOptions(connect_timeout=2, send_timeout=1)


def says(*pieces: bytes, then: str = "waits") -> Peer:
    """A peer that waits for an octet, says something, and closes, resets or waits."""

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then == "closes":
            writer.close()
        elif then == "resets":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()
        else:
            await reader.read()

    return peer


def against(peer: Peer, work: Callable[[Probe], Awaitable[None]]) -> list[tuple[StepKind, bytes, str]]:
    """Run `work` on a probe of `peer`; its diary."""
    diary = Diary()

    async def both() -> None:
        server = await asyncio.start_server(peer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        probe = await Probe.connect(LinkAddress("127.0.0.1", port), OPTIONS, None, diary, "one")
        await work(probe)
        probe.reset()
        await probe.wait_ended()
        server.close()

    run(both())
    times = [step.time for step in diary.steps]
    assert times == sorted(times)
    return [(step.kind, step.octets, step.text) for step in diary.steps]


def test_answers_come_one_by_one_however_they_are_cut() -> None:
    """Two WPDUs in pieces across their border."""

    async def work(probe: Probe) -> None:
        await probe.send(b"\1")
        for _ in range(2):
            assert await probe.outcome(2) == Wpdu(1, 16, b"\xd8\1\2")

    steps = against(says(ANSWER[:5], ANSWER[5:] + ANSWER[:9], ANSWER[9:]), work)
    assert steps[0][0] is StepKind.CONNECTED
    assert steps[0][2].startswith("(one) from 127.0.0.1:")
    assert b"".join(octets for kind, octets, _ in steps if kind is StepKind.RECEIVED) == ANSWER * 2
    assert (StepKind.SENT, b"\1", "(one)") in steps


def test_what_is_no_wpdu_is_an_outcome() -> None:
    """With the octets that stand in the place of a header."""

    async def work(probe: Probe) -> None:
        await probe.send(b"\1")
        outcome = await probe.outcome(2)
        assert isinstance(outcome, BadVersion)
        assert outcome.octets == b"HTTP/1.1"[: len(outcome.octets)]

    against(says(b"HTTP/1.1 400"), work)


@pytest.mark.parametrize(
    ("then", "fault", "words"),
    [("closes", Fault.CLOSED, "closed the connection"), ("resets", Fault.RESET, "reset the connection")],
)
def test_an_end_is_an_outcome_that_stays(then: str, fault: Fault, words: str) -> None:
    """What came before it is given first; then it is the outcome of every further question."""

    async def work(probe: Probe) -> None:
        await probe.send(b"\1")
        if then == "closes":
            assert await probe.outcome(2) == Wpdu(1, 16, b"\xd8\1\2")
        for _ in range(2):
            gone = await probe.outcome(2)
            assert isinstance(gone, Gone)
            assert (gone.fault.fault, gone.words) == (fault, words)

    against(says(*((ANSWER,) if then == "closes" else ()), then=then), work)


def test_silence_is_an_outcome() -> None:
    """The diary has how long was waited, and what came of a WPDU that did not end."""

    async def work(probe: Probe) -> None:
        assert await probe.outcome(0.02) is SILENCE
        await probe.send(b"\1")
        assert await probe.outcome(0.2) == Unfinished(ANSWER[:9], 2)

    steps = against(says(ANSWER[:9]), work)
    first, second = (text for kind, _, text in steps if kind is StepKind.WAITED)
    assert first.endswith("s, nothing more came")
    assert second.endswith("s, nothing more came, 9 octets of a WPDU not ended")


def test_pieces_go_out_one_by_one() -> None:
    """Each is a step; the peer gets them all, in order, also after this side has sent its FIN."""
    got = asyncio.Queue[bytes]()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await got.put(await reader.read())
        writer.write(ANSWER)
        writer.close()

    async def work(probe: Probe) -> None:
        await probe.send(b"ab", b"c", pause=0.001)
        probe.half_close()
        assert await got.get() == b"abc"
        assert isinstance(await probe.outcome(2), Wpdu)
        assert isinstance(await probe.outcome(2), Gone)
        await probe.close()

    steps = against(peer, work)
    assert [(kind, octets) for kind, octets, _ in steps if kind is StepKind.SENT] == [
        (StepKind.SENT, b"ab"),
        (StepKind.SENT, b"c"),
    ]
    kinds = [kind for kind, _, _ in steps]
    assert kinds.index(StepKind.FINISHED) < kinds.index(StepKind.PEER_FINISHED)


def test_an_abort_is_a_step() -> None:
    """The connection is gone at once; sending on is a fault."""

    async def work(probe: Probe) -> None:
        probe.abort()
        await probe.wait_ended()
        with pytest.raises(LinkError):
            await probe.send(b"x")

    assert against(says(), work)[-1][0] is StepKind.RESET


def test_a_connection_that_cannot_be_opened_is_in_the_diary() -> None:
    """With the words that are raised."""
    diary = Diary()

    async def work() -> None:
        with pytest.raises(LinkError) as caught:
            await Probe.connect(LinkAddress("127.0.0.1", 1), OPTIONS, None, diary)
        assert [(step.kind, step.text) for step in diary.steps] == [(StepKind.FAULT, caught.value.message)]

    run(work())
