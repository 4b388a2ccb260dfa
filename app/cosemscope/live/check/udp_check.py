"""Checks over UDP: one datagram there, one datagram back, from where it was sent to.

UDP may lose, and a server need not offer it: silence proves nothing. A
datagram that does come back has to be right. The socket takes datagrams from
everywhere, so that an answer from the wrong port is seen.
"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from cosemscope.live.check.addressing_checks import wrong_pair
from cosemscope.live.check.bench import (
    Bench,
    CheckVerdict,
    Finding,
    describe,
    failed,
    inapplicable,
    inconclusive,
    passed,
)
from cosemscope.live.check.probe import StepKind
from cosemscope.live.links.addresses import EVERY_IPV4, EVERY_IPV6, LinkAddress
from cosemscope.live.links.answers import AnswerBook, Standing
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.udp_sockets import (
    Datagram,
    DatagramSocket,
    bind_datagrams,
    open_datagrams,
)
from cosemscope.transport.wpdu import HEADER_SIZE, BadVersion, Truncated, Wpdu, decode_datagram


class _Line:
    """A socket of one check and what came by it."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.came: asyncio.Queue[Datagram | LinkError] = asyncio.Queue(64)
        self.answers = AnswerBook()
        self._socket: DatagramSocket | None = None

    def received(self, datagram: Datagram) -> None:
        """A datagram, from anyone."""
        self.bench.diary.note(StepKind.RECEIVED, datagram.octets, f"datagram from {datagram.sender}")
        if not self.came.full():
            self.came.put_nowait(datagram)

    def failed(self, error: LinkError) -> None:
        """The system's word on a datagram that was sent."""
        self.bench.diary.note(StepKind.FAULT, text=error.message)
        if not self.came.full():
            self.came.put_nowait(error)

    def use(self, opened: DatagramSocket) -> None:
        """The socket to send by."""
        self._socket = opened

    def send(self, wpdu: bytes, to: LinkAddress | None = None) -> None:
        """Send one datagram to the server, or to another address. Raises LinkError."""
        assert self._socket is not None
        self.answers.ask(wpdu[HEADER_SIZE:], 0, 0, time.monotonic())
        self._socket.send(wpdu, to or self.bench.address)
        self.bench.diary.note(StepKind.SENT, wpdu, f"datagram to {to}" if to else "datagram")

    async def next(self, seconds: float) -> Datagram | LinkError | None:
        """What comes next, None for nothing."""
        try:
            async with asyncio.timeout(seconds):
                return await self.came.get()
        except TimeoutError:
            self.bench.diary.note(StepKind.WAITED, text=f"{seconds:.2f} s, nothing came")
            return None


@asynccontextmanager
async def _line(bench: Bench) -> AsyncIterator[_Line]:
    """A socket that takes from everyone; the server's address is of its IP version."""
    line = _Line(bench)
    every = EVERY_IPV6 if ":" in bench.address.host else EVERY_IPV4

    def make(handle: socket.socket) -> DatagramSocket:
        return DatagramSocket(handle, line.received, line.failed, bench.recorder)

    sockets = await bind_datagrams(make, LinkAddress(every, 0))
    line.use(sockets[0])
    try:
        yield line
    finally:
        for each in sockets:
            each.close()


class _Offered(NamedTuple):
    """What a datagram with AARQ brought: datagrams in order, or the finding that there are none."""

    datagrams: tuple[Datagram, ...] = ()
    finding: Finding | None = None


async def _offered(bench: Bench, line: _Line) -> _Offered:
    """Ask over UDP and take what comes until it has been quiet; a finding where UDP is not offered."""
    if not bench.options.udp:
        return _Offered(finding=inapplicable("not asked for (--no-udp)"))
    line.send(bench.aarq)
    came: list[Datagram] = []
    seconds = bench.options.answer
    while (one := await line.next(seconds)) is not None:
        if isinstance(one, LinkError):
            return _Offered(finding=inapplicable(f"the server does not offer UDP there ({one.message})"))
        came.append(one)
        seconds = bench.options.quiet
    if came:
        return _Offered(tuple(came))
    refusal = await _refusal(bench)
    return _Offered(
        finding=refusal or inconclusive("nothing came back: lost, or the server does not offer UDP")
    )


async def _refusal(bench: Bench) -> Finding | None:
    """Whether the system says that nothing listens, which it tells a connected socket only."""
    line = _Line(bench)
    probe = await open_datagrams(
        lambda handle: DatagramSocket(handle, line.received, line.failed, bench.recorder), bench.address
    )
    try:
        probe.send(bench.rlrq)
        word = await line.next(bench.options.quiet)
    finally:
        probe.close()
    if isinstance(word, LinkError) and word.fault is Fault.REFUSED:
        return inapplicable(f"the server does not offer UDP there ({word.message})")
    return None


async def check_udp(bench: Bench) -> Finding:
    """Send AARQ in one datagram and judge what comes back."""
    async with _line(bench) as line:
        offered = await _offered(bench, line)
        if offered.finding is not None:
            return offered.finding
        for datagram in offered.datagrams:
            finding = _judge(bench, datagram.octets)
            if finding.verdict is not CheckVerdict.PASSED:
                return finding
        line.send(bench.rlrq)
        await line.next(bench.options.quiet)
        return finding


async def check_reply_port(bench: Bench) -> Finding:
    """The answer comes from the address and port that the request was sent to."""
    async with _line(bench) as line:
        offered = await _offered(bench, line)
        if offered.finding is not None:
            return offered.finding
        for datagram in offered.datagrams:
            if datagram.sender != bench.address:
                return failed(
                    f"the answer comes from {datagram.sender}, the request went to {bench.address}: "
                    "a client that is connected there never sees it"
                )
        return passed(f"the answer comes from {bench.address}")


async def check_udp_count(bench: Bench) -> Finding:
    """One datagram is answered by one; the next one, on the same socket, too."""
    async with _line(bench) as line:
        for turn in ("first", "second"):
            offered = await _offered(bench, line)
            if offered.finding is not None:
                if turn == "first" or offered.finding.verdict is CheckVerdict.INAPPLICABLE:
                    return offered.finding
                return inconclusive("the second datagram is not answered: lost, or one is all that is served")
            answers = sum(_standing(line, each) is not Standing.UNASKED for each in offered.datagrams)
            if answers > 1:
                return failed(f"the {turn} datagram is answered {answers} times")
        return passed("two datagrams, one answer to each")


async def check_group(bench: Bench) -> Finding:
    """A datagram to a group or broadcast address is not answered."""
    if not bench.options.group:
        return inapplicable("no group or broadcast address was named (--group); no other address is sent to")
    if not bench.options.udp:
        return inapplicable("not asked for (--no-udp)")
    to = LinkAddress(bench.options.group, bench.address.port)
    try:
        sender = await open_datagrams(
            lambda handle: DatagramSocket(handle, lambda came: None, lambda error: None, bench.recorder), to
        )
    except LinkError as error:
        return inconclusive(f"{to} cannot be sent to: {error.message}")
    local = sender.local
    sender.close()
    async with _bound(bench, local) as line:
        try:
            line.send(bench.aarq, to)
        except LinkError as error:
            return inconclusive(f"{to} cannot be sent to: {error.message}")
        came = await line.next(bench.options.answer)
    if isinstance(came, Datagram):
        return failed(f"an APDU for {to} must not be answered; {came.sender} answers")
    if came is not None:
        return inconclusive(came.message)
    return passed(f"nobody answers an APDU for {to}")


@asynccontextmanager
async def _bound(bench: Bench, local: LinkAddress) -> AsyncIterator[_Line]:
    """A socket that may broadcast, at the address of ours from which the group is reached."""
    line = _Line(bench)

    def make(handle: socket.socket) -> DatagramSocket:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return DatagramSocket(handle, line.received, line.failed, bench.recorder)

    sockets = await bind_datagrams(make, LinkAddress(local.host, 0))
    line.use(sockets[0])
    try:
        yield line
    finally:
        for each in sockets:
            each.close()


def _standing(line: _Line, datagram: Datagram) -> Standing:
    wpdus = decode_datagram(datagram.octets).wpdus
    data = wpdus[0].wpdu.data if wpdus else b""
    return line.answers.came(data, 0, 0, time.monotonic()).standing if data else Standing.ANSWER


def _judge(bench: Bench, came: bytes) -> Finding:
    result = decode_datagram(came)
    if isinstance(result.problem, BadVersion):
        return failed(f"the datagram that came back is no WPDU ({came[:8].hex(' ')})")
    if isinstance(result.problem, Truncated):
        return failed(f"the datagram that came back lacks {result.problem.missing} octets of its WPDU")
    if len(result.wpdus) > 1:
        return failed(f"the datagram that came back holds {len(result.wpdus)} WPDUs; one is allowed")
    if result.trailing:
        return failed(f"the datagram that came back has {len(result.trailing)} octets after its WPDU")
    wpdu: Wpdu = result.wpdus[0].wpdu
    wrong = wrong_pair(bench, wpdu, bench.options.server)
    return failed(wrong) if wrong else passed(describe(wpdu))
