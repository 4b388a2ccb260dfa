"""Meters that fall silent, close, break off or answer what was not asked: each ends in a sentence, soon."""

import socket
from collections.abc import Callable

import pytest

from cosemscope.live.client.client_refused import MeterError
from cosemscope.live.client.meter_access import MeterAccess
from cosemscope.live.client.meter_client import connect_meter
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.tcp_link import TcpLink
from tests.application.played_meter import PlayedMeter
from tests.helpers.coroutines import run
from tests.helpers.loopback_meter import answering

Answers = Callable[[bytes, TcpLink], list[bytes]]
_SHORT = MeterAccess(timeout=0.3)


def closing(at: int) -> Answers:
    """A meter that closes when it is asked the APDU number `at`."""
    meter, seen = PlayedMeter(), []

    def answers(apdu: bytes, link: TcpLink) -> list[bytes]:
        seen.append(apdu)
        if len(seen) >= at:
            link.reset()
            return []
        return meter.answer(apdu)

    return answers


def silent(at: int) -> Answers:
    """A meter that answers nothing from the APDU number `at` on."""
    meter, seen = PlayedMeter(), []

    def answers(apdu: bytes, link: TcpLink) -> list[bytes]:
        seen.append(apdu)
        return meter.answer(apdu) if len(seen) < at else []

    return answers


def rubbish(apdu: bytes, link: TcpLink) -> list[bytes]:
    """A meter that answers with octets that are no APDU."""
    return [b"\xff\x00\x01"]


def dying_in_a_block(apdu: bytes, link: TcpLink) -> list[bytes]:
    """A meter that is gone after the first of several blocks."""
    if apdu[0] == 0x60:
        return PlayedMeter().answer(apdu)
    if apdu[:2] == b"\xc0\x01":
        return [bytes.fromhex("c402c1000000000100") + b"\x04\x01\x02\x03\x04"]
    link.reset()
    return []


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        (closing(1), "there is no association: .*reset"),
        (closing(2), "there is no answer: .*reset"),
        (silent(1), "no answer came within 0.3 s"),
        (silent(2), "no answer came within 0.3 s.*ask again"),
        (rubbish, "no answer came within 0.3 s that could be taken"),
        (dying_in_a_block, "there is no answer: .*reset"),
    ],
)
def test_each_ends_in_its_sentence(answers: Answers, words: str) -> None:
    """Nothing hangs, and the sentence says what happened."""

    async def work() -> None:
        async with answering(answers) as address:
            with pytest.raises(MeterError, match=words):
                async with connect_meter(*address, access=_SHORT) as meter:
                    await meter.read("1.0.1.8.0.255")

    run(work())


def test_after_a_silence_the_next_question_is_asked() -> None:
    """A request that was given up does not end the association."""
    meter, seen = PlayedMeter(), []

    def answers(apdu: bytes, link: TcpLink) -> list[bytes]:
        seen.append(apdu)
        return meter.answer(apdu) if len(seen) != 2 else []

    async def work() -> None:
        async with answering(answers) as address, connect_meter(*address, access=_SHORT) as client:
            with pytest.raises(MeterError, match="ask again"):
                await client.read("1.0.1.8.0.255")
            with pytest.raises(MeterError, match="the server answers"):
                await client.read("1.0.1.8.0.255")

    run(work())


def test_nobody_listens() -> None:
    """A link's own sentence."""

    async def work() -> None:
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            with pytest.raises(LinkError, match="refused"):
                async with connect_meter(*nobody.getsockname(), access=_SHORT):
                    pass

    run(work())
