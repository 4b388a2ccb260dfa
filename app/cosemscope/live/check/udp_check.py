"""The check over UDP: one datagram there, one datagram back.

UDP may lose, and a server need not offer it: silence proves nothing. A
datagram that does come back has to be right.
"""

import asyncio

from cosemscope.live.check.bench import Bench, Finding, describe, failed, passed, undecided
from cosemscope.live.check.probe import StepKind
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.udp_sockets import Datagram, DatagramSocket, open_datagrams
from cosemscope.transport.wpdu import BadVersion, Truncated, decode_datagram


async def check_udp(bench: Bench) -> Finding:
    """Send AARQ in one datagram and judge what comes back."""
    if not bench.options.udp:
        return undecided("not asked for")
    arrived: asyncio.Queue[bytes | LinkError] = asyncio.Queue(16)

    def received(datagram: Datagram) -> None:
        bench.diary.note(StepKind.RECEIVED, datagram.octets, f"datagram from {datagram.sender}")
        if not arrived.full():
            arrived.put_nowait(datagram.octets)

    def fault(error: LinkError) -> None:
        bench.diary.note(StepKind.FAULT, text=error.message)
        if not arrived.full():
            arrived.put_nowait(error)

    socket = await open_datagrams(
        lambda handle: DatagramSocket(handle, received, fault, bench.recorder), bench.address
    )
    try:
        came = await _ask(bench, socket, arrived, bench.aarq, bench.options.answer)
        if came is None:
            return undecided("nothing came back: lost, or the server does not offer UDP")
        finding = _judge(bench, came)
        if not isinstance(came, LinkError):
            await _ask(bench, socket, arrived, bench.rlrq, bench.options.quiet)
        return finding
    finally:
        socket.close()


async def _ask(
    bench: Bench,
    socket: DatagramSocket,
    arrived: asyncio.Queue[bytes | LinkError],
    octets: bytes,
    seconds: float,
) -> bytes | LinkError | None:
    socket.send(octets)
    bench.diary.note(StepKind.SENT, octets, "datagram")
    try:
        async with asyncio.timeout(seconds):
            return await arrived.get()
    except TimeoutError:
        bench.diary.note(StepKind.WAITED, text=f"{seconds:.2f} s, nothing came")
        return None


def _judge(bench: Bench, came: bytes | LinkError) -> Finding:
    if isinstance(came, LinkError):
        return undecided(f"the server does not offer UDP there ({came.message})")
    result = decode_datagram(came)
    if isinstance(result.problem, BadVersion):
        return failed(f"the datagram that came back is no WPDU ({came[:8].hex(' ')})")
    if isinstance(result.problem, Truncated):
        return failed(f"the datagram that came back lacks {result.problem.missing} octets of its WPDU")
    if len(result.wpdus) > 1:
        return failed(f"the datagram that came back holds {len(result.wpdus)} WPDUs; one is allowed")
    if result.trailing:
        return failed(f"the datagram that came back has {len(result.trailing)} octets after its WPDU")
    wpdu = result.wpdus[0].wpdu
    if (wpdu.source_wport, wpdu.destination_wport) != (bench.options.server, bench.options.client):
        return failed(
            f"the answer has source {wpdu.source_wport}, destination {wpdu.destination_wport}; "
            f"it must have {bench.options.server} and {bench.options.client}"
        )
    return passed(describe(wpdu))
