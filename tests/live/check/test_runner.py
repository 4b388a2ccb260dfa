"""A run of the checks: what it does where nothing is, how long it takes, which address it settles on."""

import socket

from cosemscope.live.check.bench import CheckOptions, CheckVerdict
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.runner import run_checks, settle_address
from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.tcp_server import serve_tcp
from tests.helpers.coroutines import run
from tests.helpers.quirks import Quirk, QuirkyMeter
from tests.live.check.checked import QUICK, serve_meter, verdicts


def test_nothing_there_is_a_failure_and_the_rest_is_not_run() -> None:
    """One failure with its reason instead of sixteen."""

    async def work() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        report = await run_checks("nobody", LinkAddress("127.0.0.1", port), QUICK)
        assert verdicts(report)["tcp-connect"] is CheckVerdict.FAILED
        assert report.count(CheckVerdict.FAILED) == 1
        assert verdicts(report)["udp"] is CheckVerdict.INAPPLICABLE
        assert report.count(CheckVerdict.INCONCLUSIVE) == len(CHECKS) - 5
        assert report.seconds < 5

    run(work())


def test_the_whole_run_is_bounded() -> None:
    """A server that never answers cannot hold the check longer than it was given."""

    async def work() -> None:
        options = CheckOptions(answer=30, quiet=0.1, total=0.5, udp=False)
        async with QuirkyMeter(Quirk.NEVER_ANSWERS) as meter:
            report = await run_checks("slow", LinkAddress("127.0.0.1", meter.port), options)
        assert report.seconds < 3
        reasons = [result.finding.reason for result in report.results]
        assert "broken off: the time allowed for the whole run is over" in reasons

    run(work())


def test_a_name_is_settled_to_the_address_that_answers() -> None:
    """All checks go to one address, though a name has several."""

    async def work() -> None:
        async with serve_tcp("127.0.0.1", 0, handler=serve_meter) as server:
            address = await settle_address(LinkAddress("localhost", server.address.port), QUICK)
            assert address == server.address

    run(work())
