"""Runs the catalogue against one address: one check after another, each bounded in time, all of it bounded.

Nothing is ever sent to another address than the one given; a name is looked
up once, before the first check, and its first address that takes a connection is used throughout.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from cosemscope import __version__
from cosemscope.live.check.bench import (
    Bench,
    Check,
    CheckOptions,
    CheckVerdict,
    Finding,
    Slots,
    failed,
    inconclusive,
)
from cosemscope.live.check.catalogue import CHECKS
from cosemscope.live.check.probe import ProbeStep, StepKind
from cosemscope.live.links.addresses import LinkAddress, resolve
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.live.links.tcp_sockets import LinkOptions, SocketConnection, open_connection
from cosemscope.transport.wpdu import HEADER_SIZE


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
            "meter": self.options.meter or None,
            "firmware": self.options.firmware or None,
            "tester": self.options.tester or None,
            "client_wport": self.options.client,
            "server_wport": self.options.server,
            "limits": limits_of(self.options),
            "started": self.started.isoformat(),
            "seconds": round(self.seconds, 3),
            "cosemscope": self.version,
            "summary": {verdict.value: self.count(verdict) for verdict in CheckVerdict},
            "checks": [_result_json(result) for result in self.results],
        }


#: Limits of a run, in the order of a report.
_LIMITS = ("answer", "quiet", "idle", "connect", "slot", "total")


def limits_of(options: CheckOptions) -> dict[str, float]:
    """The times that a run was held to, in seconds, by name."""
    return {name: getattr(options, name) for name in _LIMITS}


class HeaderFields(NamedTuple):
    """The four fields that octets begin with, read as a header of a WPDU."""

    version: int
    source_wport: int
    destination_wport: int
    length: int


def header_of(step: ProbeStep) -> HeaderFields | None:
    """The header that the octets of a step begin with; None where they have fewer than eight."""
    if len(step.octets) < HEADER_SIZE:
        return None
    fields = (int.from_bytes(step.octets[start : start + 2], "big") for start in range(0, HEADER_SIZE, 2))
    return HeaderFields(*fields)


def _result_json(result: CheckResult) -> dict[str, object]:
    check = result.check
    return {
        "check": check.key,
        "title": check.title,
        "clause": check.clause,
        "rule": check.rule,
        "reading": check.reading or None,
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
    header = header_of(step)
    if header is not None:
        values["header"] = header._asdict()
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
    slots = Slots()
    for check in checks:
        bench = Bench(address, options, recorder, slots=slots)
        lacking = [
            key for key in check.needs if verdicts.get(key, CheckVerdict.PASSED) is not CheckVerdict.PASSED
        ]
        if lacking and verdicts[lacking[0]] is CheckVerdict.INAPPLICABLE:
            reason = f"so is “{_title(checks, lacking[0])}”"
            result = CheckResult(check, Finding(CheckVerdict.INAPPLICABLE, reason), (), 0.0)
        elif lacking:
            result = _not_run(check, f"the server does not pass “{_title(checks, lacking[0])}”")
        else:
            result = await _run_one(check, bench, deadline)
        verdicts[check.key] = result.finding.verdict
        results.append(result)
        if on_result is not None:
            on_result(result)
    return Report(target, address, options, started, tuple(results), time.monotonic() - begun)


def _title(checks: Sequence[Check], key: str) -> str:
    return next(check.title for check in checks if check.key == key)


def _not_run(check: Check, reason: str) -> CheckResult:
    return CheckResult(check, inconclusive(f"not run: {reason}"), (), 0.0)


async def _run_one(check: Check, bench: Bench, deadline: float) -> CheckResult:
    begun = time.monotonic()
    if begun >= deadline:
        return _not_run(check, "the time allowed for the whole run is over")
    finding = await _finding(check.run(bench), bench, deadline)
    if finding is None or finding.verdict is CheckVerdict.FAILED:
        finding = await _controlled(check, bench, deadline, finding)
    return CheckResult(check, finding, tuple(bench.diary.steps), time.monotonic() - begun)


#: The check that is the plain case itself.
_PLAIN = "one-segment"


async def _controlled(check: Check, bench: Bench, deadline: float, first: Finding | None) -> Finding:
    """The finding of a check that failed, or found no connection: control first, then the check once more.

    Where the control, which has not what is checked in it, fails too, the check says nothing. Where it works
    only after a while, the server was still busy with the end of the last connection. Where the plain case
    works no more at all, although every check before has left it working, this one broke it.
    """
    first = first or failed("no connection could be opened for this check")
    bench.diary.note(StepKind.REMARK, text=f"{first.reason}: now the control, without what is checked")
    slot = bench.slots.seconds
    trouble = await _within(bench.works_again(), bench, deadline)
    if trouble is not None:
        if _PLAIN not in check.needs:
            return first
        if bench.slots.gone:
            return inconclusive(f"the plain case does not work any more, since an earlier check: {trouble}")
        bench.slots.gone = True
        return failed(f"{first.reason}; since then the plain case does not work either: {trouble}")
    if check.control is not None:
        trouble = await _within(check.control(bench), bench, deadline)
        if trouble is not None:
            return inconclusive(f"{first.reason}; but without what is checked, too: {trouble}")
    bench.diary.note(StepKind.REMARK, text="the control works: the check once more")
    second = await _finding(check.run(bench), bench, deadline)
    if second is None or second.verdict is first.verdict:
        return second or first
    if bench.slots.seconds > slot or second.verdict is not CheckVerdict.PASSED:
        return second
    return inconclusive(f"failed once, passed once. First: {first.reason}. Then: {second.reason}")


async def _within(control: Awaitable[str | None], bench: Bench, deadline: float) -> str | None:
    """What a control says, within the time of the whole run."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(loop.time() + deadline - time.monotonic()):
            return await control
    except LinkError as error:
        return error.message
    except TimeoutError:
        return "the time allowed for the whole run is over"
    finally:
        await bench.clear()


async def _finding(check: Awaitable[Finding], bench: Bench, deadline: float) -> Finding | None:
    """Finding of the check; None when it could not open its first connection."""
    loop = asyncio.get_running_loop()
    connected = _connections(bench)
    try:
        async with asyncio.timeout_at(loop.time() + deadline - time.monotonic()):
            return await check
    except LinkError as error:  # some of which are TimeoutErrors
        return None if _connections(bench) == connected else failed(error.message)
    except TimeoutError:
        return inconclusive("broken off: the time allowed for the whole run is over")
    finally:
        await bench.clear()


def _connections(bench: Bench) -> int:
    return sum(step.kind is StepKind.CONNECTED for step in bench.diary.steps)
