"""Runs the catalogue against one address: one check after another, each bounded in time, all of it bounded.

Nothing is ever sent to another address than the one given; a name is looked
up once, before the first check, and its first address that takes a connection is used throughout.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cosemscope import __version__
from cosemscope.live.check.bench import Bench, Check, CheckOptions, CheckVerdict, Finding, failed, undecided
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.probe import ProbeStep, StepKind
from cosemscope.live.links.addresses import LinkAddress, resolve
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions, SocketConnection, open_connection


@dataclass(frozen=True)
class CheckResult:
    """One check that was run: its verdict and reason, what happened, and the seconds it took."""

    check: Check
    finding: Finding
    steps: tuple[ProbeStep, ...]
    seconds: float


@dataclass(frozen=True)
class Report:
    """A whole run against `target` (as given) at `address`."""

    target: str
    address: LinkAddress
    options: CheckOptions
    started: datetime
    results: tuple[CheckResult, ...]
    seconds: float
    version: str = field(default=__version__)

    def count(self, verdict: CheckVerdict) -> int:
        """Number of checks with that verdict."""
        return sum(result.finding.verdict is verdict for result in self.results)

    def as_json(self) -> dict[str, object]:
        """The report as JSON values; octets in hex, times in seconds."""
        return {
            "target": self.target,
            "address": str(self.address),
            "client_wport": self.options.client,
            "server_wport": self.options.server,
            "started": self.started.isoformat(),
            "seconds": round(self.seconds, 3),
            "cosemscope": self.version,
            "summary": {verdict.value: self.count(verdict) for verdict in CheckVerdict},
            "checks": [_result_json(result) for result in self.results],
        }


def _result_json(result: CheckResult) -> dict[str, object]:
    check = result.check
    return {
        "check": check.key,
        "title": check.title,
        "clause": check.clause,
        "verdict": result.finding.verdict.value,
        "reason": result.finding.reason,
        "sends": check.sends,
        "expects": check.expects,
        "seconds": round(result.seconds, 3),
        "steps": [_step_json(step) for step in result.steps],
    }


def _step_json(step: ProbeStep) -> dict[str, object]:
    values: dict[str, object] = {"time": round(step.time, 6), "step": step.kind.value}
    if step.octets:
        values["octets"] = step.octets.hex()
    if step.text:
        values["text"] = step.text
    return values


async def settle_address(address: LinkAddress, options: CheckOptions) -> LinkAddress:
    """The one numeric address to test: the first of the host's that takes a connection, else its first.

    Raises LinkError when the host is not known.
    """
    found = [candidate.address for candidate in await resolve(address, socket.SOCK_STREAM)]
    if len(found) > 1:
        limits = LinkOptions(connect_timeout=options.connect)
        for candidate in found:
            with contextlib.suppress(LinkError):
                connection = await open_connection(
                    lambda: SocketConnection(limits, None, initiated=True), candidate, limits
                )
                connection.shut()
                await connection.wait_ended()
                return candidate
    return found[0]


async def run_checks(
    target: str,
    address: LinkAddress,
    options: CheckOptions,
    *,
    recorder: Recorder | None = None,
    on_result: Callable[[CheckResult], None] | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Report:
    """Run `checks` against `address`; `on_result` is called after each.

    Whatever the server does ends in a verdict, never in an error.
    """
    started = datetime.now(UTC).astimezone()
    begun = time.monotonic()
    deadline = begun + options.total
    results: list[CheckResult] = []
    verdicts: dict[str, CheckVerdict] = {}
    answers = 0
    for check in checks:
        bench = Bench(address, options, recorder, answers_to_pair=answers)
        lacking = [
            key for key in check.needs if verdicts.get(key, CheckVerdict.PASS) is not CheckVerdict.PASS
        ]
        if lacking:
            result = _not_run(check, f"the server does not pass “{_title(checks, lacking[0])}”")
        else:
            result = await _run_one(check, bench, deadline)
        answers = bench.answers_to_pair
        verdicts[check.key] = result.finding.verdict
        results.append(result)
        if on_result is not None:
            on_result(result)
    return Report(target, address, options, started, tuple(results), time.monotonic() - begun)


def _title(checks: Sequence[Check], key: str) -> str:
    return next(check.title for check in checks if check.key == key)


def _not_run(check: Check, reason: str) -> CheckResult:
    return CheckResult(check, undecided(f"not run: {reason}"), (), 0.0)


async def _run_one(check: Check, bench: Bench, deadline: float) -> CheckResult:
    begun = time.monotonic()
    if begun >= deadline:
        return _not_run(check, "the time allowed for the whole run is over")
    finding = await _finding(check, bench, deadline)
    if finding is None:  # the server may still be busy with the end of the last connection
        bench.diary.note(StepKind.WAITED, text=f"{bench.options.quiet:.2f} s before another attempt")
        await asyncio.sleep(bench.options.quiet)
        finding = await _finding(check, bench, deadline) or undecided(
            "no connection could be opened for this check"
        )
    return CheckResult(check, finding, tuple(bench.diary.steps), time.monotonic() - begun)


async def _finding(check: Check, bench: Bench, deadline: float) -> Finding | None:
    """Finding of the check; None when it could not open its first connection."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(loop.time() + deadline - time.monotonic()):
            return await check.run(bench)
    except LinkError as error:  # some of which are TimeoutErrors
        if not any(step.kind is StepKind.CONNECTED for step in bench.diary.steps):
            return None
        return failed(error.message)
    except TimeoutError:
        return undecided("broken off: the time allowed for the whole run is over")
    finally:
        await bench.clear()
