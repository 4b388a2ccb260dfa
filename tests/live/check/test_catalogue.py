"""The transport check: a correct server passes all of it, and every check can fail."""

import asyncio
from pathlib import Path

import pytest

from cosemscope.live.check.bench import CheckVerdict
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.runner import run_checks
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.udp_link import UdpServer, serve_udp
from tests.helpers.coroutines import run
from tests.helpers.meter import Meter
from tests.helpers.quirks import Quirk, QuirkyMeter
from tests.helpers.tshark import complaints
from tests.live.check.checked import QUICK, everything, serve_meter, verdicts, with_needs


async def answer_datagrams(server: UdpServer) -> None:
    meter = Meter()
    while True:
        indication = await server.receive()
        await server.reply(indication, meter.answer(indication.data))


def test_our_own_server_passes_every_check(tmp_path: Path) -> None:
    """Server and checks are ours both: neither may contradict the other."""

    async def work() -> None:
        recorder = Recorder(tmp_path / "check.pcapng")
        async with serve_tcp(port=0, handler=serve_meter) as tcp, serve_udp(*tcp.address) as udp:
            datagrams = asyncio.ensure_future(answer_datagrams(udp))
            report = await run_checks("own", tcp.address, QUICK, recorder=recorder)
            datagrams.cancel()
        recorder.close()
        assert report.count(CheckVerdict.PASS) == len(CHECKS) == 16, everything(report)
        assert recorder.packets > 100

    run(work())
    assert complaints(tmp_path / "check.pcapng") == []


def test_a_correct_server_that_others_could_have_written_passes() -> None:
    """The checks ask for the standard only, not for our server's ways."""

    async def work() -> None:
        async with QuirkyMeter() as meter:
            report = await run_checks("plain", LinkAddress("127.0.0.1", meter.port), QUICK)
        assert report.count(CheckVerdict.PASS) == len(CHECKS), everything(report)

    run(work())


FAILURES = {
    Quirk.CLOSES_AT_ONCE: "tcp-connect",
    Quirk.TALKS_FIRST: "tcp-connect",
    Quirk.NEVER_ANSWERS: "one-segment",
    Quirk.WANTS_WHOLE_HEADER: "split-header",
    Quirk.WANTS_WHOLE_WPDU: "split-data",
    Quirk.GIVES_UP_ON_CRUMBS: "octet-by-octet",
    Quirk.ONE_PER_READ: "two-in-one",
    Quirk.ECHOES_WPORTS: "swapped-wports",
    Quirk.ANSWERS_ANY_WPORT: "unknown-wport",
    Quirk.IGNORES_VERSION: "wrong-version",
    Quirk.CHOKES_ON_EMPTY: "length-zero",
    Quirk.BELIEVES_THE_READ: "longer-than-follows",
    Quirk.DIES_OF_RESET: "abort",
    Quirk.NEVER_CLOSES: "half-close",
    Quirk.SECOND_ENDS_FIRST: "second-connection",
    Quirk.SLEEPS_IN: "idle",
    Quirk.UDP_TRAILING: "udp",
    Quirk.UDP_TRUNCATED: "udp",
    Quirk.UDP_ECHOES_WPORTS: "udp",
}
UNDECIDED = {
    Quirk.WPORT_ENDS_IT: "unknown-wport",
    Quirk.CLOSES_ON_EMPTY: "length-zero",
    Quirk.FIN_ENDS_IT: "half-close",
    Quirk.ONE_CONNECTION: "second-connection",
    Quirk.CLOSES_WHEN_IDLE: "idle",
    Quirk.NO_UDP: "udp",
}


def test_every_check_has_a_server_that_fails_it() -> None:
    """A check that nothing can fail would be worth nothing."""
    assert set(FAILURES.values()) == {check.key for check in CHECKS}


@pytest.mark.parametrize("quirk", FAILURES, ids=lambda quirk: quirk.name.lower())
def test_a_server_with_one_wrong_habit_fails_that_check(quirk: Quirk) -> None:
    """That one, and none that does not depend on it."""

    async def work() -> None:
        key = FAILURES[quirk]
        async with QuirkyMeter(quirk) as meter:
            report = await run_checks(
                "quirky", LinkAddress("127.0.0.1", meter.port), QUICK, checks=with_needs(key)
            )
        seen = verdicts(report)
        assert seen.pop(key) is CheckVerdict.FAIL, everything(report)
        assert set(seen.values()) <= {CheckVerdict.PASS}, everything(report)

    run(work())


@pytest.mark.parametrize("quirk", UNDECIDED, ids=lambda quirk: quirk.name.lower())
def test_what_the_standard_leaves_open_is_not_decided(quirk: Quirk) -> None:
    """No server is blamed for what it may do."""

    async def work() -> None:
        key = UNDECIDED[quirk]
        async with QuirkyMeter(quirk) as meter:
            report = await run_checks(
                "quirky", LinkAddress("127.0.0.1", meter.port), QUICK, checks=with_needs(key)
            )
        assert verdicts(report)[key] is CheckVerdict.UNDECIDED, everything(report)

    run(work())
