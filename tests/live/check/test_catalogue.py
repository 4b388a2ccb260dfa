"""The transport check: a correct server passes all of it, and every check can fail."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cosemscope.live.check.bench import CheckVerdict
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.runner import Report, run_checks
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
        if not indication.broadcast:
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
        assert report.count(CheckVerdict.PASSED) == len(CHECKS) - 2, everything(report)
        assert unnamed(report) == ASKED_FOR
        assert recorder.packets > 100

    run(work())
    assert complaints(tmp_path / "check.pcapng") == []


def test_a_correct_server_that_others_could_have_written_passes() -> None:
    """The checks ask for the standard only, not for our server's ways."""

    async def work() -> None:
        async with QuirkyMeter() as meter:
            report = await run_checks("plain", LinkAddress("127.0.0.1", meter.port), QUICK)
        assert report.count(CheckVerdict.PASSED) == len(CHECKS) - 2, everything(report)
        assert unnamed(report) == ASKED_FOR

    run(work())


#: Checks that are run only where an option names what they need.
ASKED_FOR = {"second-device", "udp-group"}


def unnamed(report: Report) -> set[str]:
    return {key for key, verdict in verdicts(report).items() if verdict is CheckVerdict.INAPPLICABLE}


FAILURES = {
    Quirk.LENGTH_TOO_SHORT: "reply-length",
    Quirk.ANSWERS_TWICE: "answer-count",
    Quirk.RESETS_AFTER_FIRST: "second-wpdu",
    Quirk.JUNK_AT_RELEASE: "second-wpdu",
    Quirk.ANSWERS_ALL_STATION: "all-station",
    Quirk.SECOND_AS_FIRST: "second-device",
    Quirk.RESETS_WHEN_DONE: "close-in-order",
    Quirk.UDP_OTHER_PORT: "udp-reply-port",
    Quirk.UDP_TWICE: "udp-count",
    Quirk.UDP_ANSWERS_GROUPS: "udp-group",
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
    Quirk.CLOSES_WHEN_IDLE: "idle",
    Quirk.SKIPS_VERSION: "wrong-version",
    Quirk.CLOSES_AFTER_FIRST: "second-wpdu",
    Quirk.UDP_ONCE: "udp-count",
}
NOT_OFFERED = {Quirk.ONE_CONNECTION: "second-connection", Quirk.NO_UDP: "udp"}
#: Every check with what it needs named.
NAMED = replace(QUICK, second=17, group="127.255.255.255")


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
                "quirky", LinkAddress("127.0.0.1", meter.port), NAMED, checks=with_needs(key)
            )
        seen = verdicts(report)
        assert seen.pop(key) is CheckVerdict.FAILED, everything(report)
        assert set(seen.values()) <= {CheckVerdict.PASSED}, everything(report)

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
        assert verdicts(report)[key] is CheckVerdict.INCONCLUSIVE, everything(report)

    run(work())


@pytest.mark.parametrize("quirk", NOT_OFFERED, ids=lambda quirk: quirk.name.lower())
def test_what_a_server_need_not_have_is_inapplicable(quirk: Quirk) -> None:
    """One connection at a time, no UDP: nothing to check, and the reason says so."""

    async def work() -> None:
        key = NOT_OFFERED[quirk]
        async with QuirkyMeter(quirk) as meter:
            report = await run_checks(
                "quirky", LinkAddress("127.0.0.1", meter.port), QUICK, checks=with_needs(key)
            )
        assert verdicts(report)[key] is CheckVerdict.INAPPLICABLE, everything(report)

    run(work())


FAIL, OPEN, PASS = CheckVerdict.FAILED, CheckVerdict.INCONCLUSIVE, CheckVerdict.PASSED
#: Servers that a check could easily misjudge: the verdicts that are right, with words of the reason. What is
#: not named fails nothing.
JUDGED: dict[Quirk, dict[str, tuple[CheckVerdict, str]]] = {
    Quirk.NONE: {"answer-count": (PASS, "one answer")},
    Quirk.LENGTH_TOO_LONG: {"one-segment": (FAIL, "5 are missing")},
    Quirk.LENGTH_COUNTS_HEADER: {"one-segment": (FAIL, "as if the length counted the header")},
    Quirk.LENGTH_TOO_SHORT: {"one-segment": (PASS, "AARE"), "reply-length": (FAIL, "too small")},
    Quirk.STRAY_OCTETS: {"one-segment": (PASS, "AARE"), "reply-length": (FAIL, "0d 0a")},
    Quirk.ANSWERS_TWICE: {"answer-count": (FAIL, "answered 2 times"), "half-close": (PASS, "closes")},
    Quirk.ANSWERS_AGAIN: {"answer-count": (FAIL, "answered 2 times"), "half-close": (PASS, "closes")},
    Quirk.PUSHES_FIRST: {"answer-count": (PASS, "unasked"), "half-close": (PASS, "closes")},
    Quirk.CLOSES_AFTER_FIRST: {
        "second-wpdu": (OPEN, "closed the connection"),
        "second-connection": (OPEN, "without what is checked, too"),
    },
    Quirk.RESETS_AFTER_FIRST: {
        "second-wpdu": (FAIL, "resets it"),
        "second-connection": (OPEN, "without what is checked, too"),
        "half-close": (FAIL, "resets instead of closing"),
    },
    Quirk.FREES_LATE: {
        "one-segment": (PASS, "the next connection is served 0."),
        "abort": (PASS, "served"),
        "second-connection": (CheckVerdict.INAPPLICABLE, "one connection only"),
    },
    Quirk.SKIPS_VERSION: {"wrong-version": (OPEN, "skipped by its length field")},
    Quirk.RESETS_AT_FIN: {
        "half-close": (FAIL, "resets instead of closing"),
        "close-in-order": (FAIL, "resets"),
    },
    Quirk.RESETS_WHEN_DONE: {"half-close": (PASS, "closes"), "close-in-order": (FAIL, "resets")},
    Quirk.UDP_OTHER_PORT: {"udp-reply-port": (FAIL, "comes from")},
    Quirk.UDP_TWICE: {"udp-count": (FAIL, "answered 2 times")},
    Quirk.ANSWERS_ANY_LATE: {"unknown-wport": (FAIL, "late"), "all-station": (FAIL, "late")},
    Quirk.NO_RELEASE: {"second-wpdu": (OPEN, "silent"), "second-connection": (PASS, "both")},
    Quirk.UNKNOWN_TAG: {"one-segment": (PASS, "not known")},
    Quirk.NEVER_ANSWERS: {"one-segment": (FAIL, "silent for 0.4 s")},
    Quirk.DIES_OF_RESET: {
        "longer-than-follows": (FAIL, "since then the plain case does not work"),
        "abort": (OPEN, "does not work any more, since an earlier check"),
    },
}


@pytest.mark.parametrize("quirk", JUDGED, ids=lambda quirk: quirk.name.lower())
def test_a_server_is_blamed_for_what_is_wrong_with_it_and_for_nothing_else(quirk: Quirk) -> None:
    """Against all checks: the right ones fail, with the right reason."""
    right = JUDGED[quirk]

    async def work() -> None:
        async with QuirkyMeter(quirk) as meter:
            report = await run_checks("quirky", LinkAddress("127.0.0.1", meter.port), QUICK)
        found = {result.check.key: result.finding for result in report.results}
        for key, (verdict, words) in right.items():
            assert found[key].verdict is verdict, everything(report)
            assert words in found[key].reason, everything(report)
        failing = {key for key, finding in found.items() if finding.verdict is FAIL}
        expected = {key for key, (verdict, _) in right.items() if verdict is FAIL}
        assert failing - expected <= (
            {"idle", "longer-than-follows"} if quirk is Quirk.DIES_OF_RESET else set()
        ), everything(report)

    run(work())


def test_a_group_is_not_answered_by_our_own_server() -> None:
    """One that takes what is sent to all, and a check that sends to nobody unless told to."""

    async def work() -> None:
        async with serve_udp("0.0.0.0", 0) as udp:
            datagrams = asyncio.ensure_future(answer_datagrams(udp))
            where = LinkAddress("127.0.0.1", udp.address.port)
            report = await run_checks("own", where, NAMED, checks=with_needs("udp-group"))
            assert udp.endpoint.transport.counters.received == 1
            datagrams.cancel()
        assert verdicts(report)["udp-group"] is CheckVerdict.PASSED, everything(report)

    run(work())
