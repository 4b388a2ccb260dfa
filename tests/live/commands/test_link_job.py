"""A test link against servers with habits of their own: each answer is told with its own request."""

import asyncio

import pytest

from cosemscope.capture.events import Event, Trouble
from cosemscope.live.commands.link_job import ConnectJob, run_connect
from cosemscope.live.commands.live_events import ApduDiscarded, ApduReceived, ApduSent
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.transport.wpdu import Wpdu
from tests.helpers.coroutines import run

GET, GOT = bytes.fromhex("c001c1000100002a0000ff0200"), bytes.fromhex("c401c100090100")
AARQ, AARE = b"\x60\x00", b"\x61\x00"
PUSH = bytes.fromhex("0f00000001000203")


def told_by(handler, **wishes) -> tuple[bool, list[Event]]:  # type: ignore[no-untyped-def]
    """What a link to such a server tells, and whether everything was answered."""
    events: list[Event] = []
    ended: list[bool] = []

    async def work() -> None:
        async with serve_tcp(port=0, handler=handler) as server:
            job = ConnectJob(address=str(server.address), **wishes)
            ended.append(await run_connect(job, events.append))

    run(work())
    return ended[0], events


def received(events: list[Event]) -> list[tuple[bytes, bool, str]]:
    """Each APDU that came, whether it has a response time, and the remark's first word."""
    return [
        (each.apdu, each.response_ms is not None, (each.remark or "").partition(":")[0])
        for each in events
        if isinstance(each, ApduReceived)
    ]


def test_a_late_answer_is_not_that_of_the_next_request() -> None:
    """AARE is never shown as the answer to GET; what is not answered in time is an error."""

    async def late(link: TcpLink) -> None:
        first = await link.indication()
        second = await link.indication()
        await link.reply(first, AARE)
        await asyncio.sleep(0.02)
        await link.reply(second, GOT)
        await link.indication()

    good, events = told_by(late, apdus=(AARQ, GET), timeout=0.3)
    assert not good
    assert received(events) == [(AARE, False, "late"), (GOT, True, "")]
    assert sum(isinstance(each, Trouble) for each in events) == 1


def test_doubled_answers_and_pushes_shift_nothing() -> None:
    """Each answer goes to its request, and all else is named."""

    async def talkative(link: TcpLink) -> None:
        while True:
            indication = await link.indication()
            answer = AARE if indication.data == AARQ else GOT
            for apdu in (PUSH, answer, answer):
                await link.reply(indication, apdu)

    good, events = told_by(talkative, apdus=(AARQ, GET), repeat=2)
    assert good
    told = received(events)
    assert [apdu for apdu, timed, _ in told if timed] == [AARE, GOT, AARE, GOT]
    assert sum(remark == "unasked" for _, _, remark in told) == 4
    assert sum(remark == "doubled" for _, _, remark in told) == 4


@pytest.mark.parametrize(
    ("source", "destination", "advice"),
    [(16, 1, "has them exchanged"), (1, 64, "wPort 64 is none of ours")],
)
def test_an_answer_for_another_wport_is_shown(source: int, destination: int, advice: str) -> None:
    """Not only "no answer", while the recording has one."""

    async def odd(link: TcpLink) -> None:
        await link.indication()
        link.write(Wpdu(source, destination, GOT).encode())
        await link.indication()

    good, events = told_by(odd, apdus=(GET,), timeout=0.2)
    assert not good
    (discarded,) = [each for each in events if isinstance(each, ApduDiscarded)]
    assert advice in (discarded.advice or "")


def test_an_answer_from_a_wport_that_was_not_asked_is_remarked() -> None:
    """From wPort 0, say."""

    async def odd(link: TcpLink) -> None:
        await link.indication()
        link.write(Wpdu(0, 16, GOT).encode())
        await link.indication()

    good, events = told_by(odd, apdus=(GET,))
    assert good
    assert [each.remark for each in events if isinstance(each, ApduReceived)] == [
        "from wPort 0, where 1 was asked"
    ]


def test_what_nobody_answers_is_sent_and_not_waited_for() -> None:
    """A push does not end in a time-out."""

    async def quiet(link: TcpLink) -> None:
        while True:
            await link.indication()

    good, events = told_by(quiet, apdus=(PUSH,))
    assert good
    assert sum(isinstance(each, ApduSent) for each in events) == 1
