"""The transport check: a correct server passes all of it, and every check can fail."""

import asyncio
import html.parser
import re
import socket
from pathlib import Path

import pytest

from cosemscope.live.check import (
    CHECKS,
    Check,
    CheckOptions,
    CheckVerdict,
    Report,
    run_checks,
    settle_address,
)
from cosemscope.live.check.report import html_report
from cosemscope.live.links.addresses import Address
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_link import TcpLink
from cosemscope.live.links.tcp_server import serve_tcp
from cosemscope.live.links.udp_link import UdpServer, serve_udp
from tests.helpers.coroutines import run
from tests.helpers.meter import Meter
from tests.helpers.quirks import Quirk, QuirkyMeter
from tests.helpers.tshark import complaints

QUICK = CheckOptions(answer=0.4, quiet=0.1, idle=0.25, connect=2, pause=0.003)


def with_needs(key: str) -> list[Check]:
    """The check named `key` and those that it needs, in the catalogue's order."""
    wanted = next(check for check in CHECKS if check.key == key)
    return [check for check in CHECKS if check is wanted or check.key in wanted.needs]


def verdicts(report: Report) -> dict[str, CheckVerdict]:
    return {result.check.key: result.finding.verdict for result in report.results}


def everything(report: Report) -> str:
    """Verdicts and reasons, for the message of a failed assertion."""
    return "\n".join(f"{each.check.key}: {each.finding}" for each in report.results)


async def serve_meter(link: TcpLink) -> None:
    meter = Meter()
    while True:
        apdu = await link.receive()
        if apdu:
            await link.send(meter.answer(apdu))


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
            report = await run_checks("plain", Address("127.0.0.1", meter.port), QUICK)
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
                "quirky", Address("127.0.0.1", meter.port), QUICK, checks=with_needs(key)
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
                "quirky", Address("127.0.0.1", meter.port), QUICK, checks=with_needs(key)
            )
        assert verdicts(report)[key] is CheckVerdict.UNDECIDED, everything(report)

    run(work())


def test_nothing_there_is_a_failure_and_the_rest_is_not_run() -> None:
    """One failure with its reason instead of sixteen."""

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        report = await run_checks("nobody", Address("127.0.0.1", port), QUICK)
        assert verdicts(report)["tcp-connect"] is CheckVerdict.FAIL
        assert report.count(CheckVerdict.UNDECIDED) == len(CHECKS) - 1
        assert report.seconds < 5

    run(work())


def test_the_whole_run_is_bounded() -> None:
    """A server that never answers cannot hold the check longer than it was given."""

    async def work() -> None:
        options = CheckOptions(answer=30, quiet=0.1, total=0.5, udp=False)
        async with QuirkyMeter(Quirk.NEVER_ANSWERS) as meter:
            report = await run_checks("slow", Address("127.0.0.1", meter.port), options)
        assert report.seconds < 3
        reasons = [result.finding.reason for result in report.results]
        assert "broken off: the time allowed for the whole run is over" in reasons

    run(work())


def test_a_name_is_settled_to_the_address_that_answers() -> None:
    """All checks go to one address, though a name has several."""

    async def work() -> None:
        async with serve_tcp("127.0.0.1", 0, handler=serve_meter) as server:
            address = await settle_address(Address("localhost", server.address.port), QUICK)
            assert address == server.address

    run(work())


class _Page(html.parser.HTMLParser):
    """Checks that tags are balanced, and keeps what would be loaded from elsewhere."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        assert tag not in {"script", "iframe", "link", "img"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_report_is_one_page_that_loads_nothing() -> None:
    """It can be handed on: well formed, self-contained, every check in it, names escaped."""

    async def work() -> None:
        async with QuirkyMeter(Quirk.ONE_PER_READ) as meter:
            address = Address("127.0.0.1", meter.port)
            report = await run_checks("<b>meter & co</b>", address, QUICK)
        page = _Page()
        page.feed(html_report(report))
        page.close()
        assert page.open == []
        assert all(target.startswith("#") for target in page.loaded)
        words = " ".join(page.text)
        assert "<b>meter & co</b>" in words
        for result in report.results:
            assert result.check.title in words
            assert result.finding.reason in words
        assert words.count("in 39 segments of one octet each") == 1
        assert not re.search(r"url\(|@import", html_report(report))

    run(work())


def test_the_report_as_json_has_every_step() -> None:
    """What was sent, received and found can be read by a program."""

    async def work() -> None:
        async with QuirkyMeter() as meter:
            address = Address("127.0.0.1", meter.port)
            report = await run_checks("m", address, QUICK, checks=with_needs("split-header"))
        values = report.as_json()
        assert values["summary"] == {"pass": 3, "fail": 0, "not decidable": 0}
        checks = values["checks"]
        assert isinstance(checks, list)
        sent = [step["octets"] for step in checks[2]["steps"] if step["step"] == "sent"]
        assert sent[0] == "000100"
        assert bytes.fromhex(sent[0] + sent[1])[:8] == bytes.fromhex("000100100001001f")

    run(work())
