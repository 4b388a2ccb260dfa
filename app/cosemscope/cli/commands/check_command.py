"""`check`: transport-layer tests against a server, and their report as text, JSON or HTML."""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from cosemscope.capture.job_options import add_options, job_of
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.cli.capture_arguments import CommandError
from cosemscope.live.check.bench import CheckOptions, CheckVerdict
from cosemscope.live.check.evidence import evidence
from cosemscope.live.check.report import html_report
from cosemscope.live.check.runner import CheckResult, Report, run_checks, settle_address
from cosemscope.live.links.addresses import parse_address
from cosemscope.live.links.faults import LinkError
from cosemscope.live.links.recording import Recorder
from cosemscope.transport.wports import DLMS_PORT

DESCRIPTION = (
    "Run a list of transport-layer tests (IEC 62056-4-7) against a server. Only harmless "
    "APDUs are sent (public client AARQ, RLRQ), only to the address given."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    parser.add_argument("address", metavar="HOST[:PORT]", help=f"port {DLMS_PORT} unless given")
    add_options(parser, CheckOptions)
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as an HTML file")
    parser.add_argument(
        "--evidence", type=Path, metavar="FILE", help="write report, capture and versions as one zip file"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the traffic in this pcapng file")


def _write(path: Path | None, octets: bytes) -> None:
    """Write a file if it is wanted. Raises CommandError."""
    if path is None:
        return
    try:
        path.write_bytes(octets)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope check`; 0 when no check failed, 1 when one did or the address cannot be tested."""
    try:
        _write(arguments.html, b"")  # a path that cannot be written is told before minutes of testing
        _write(arguments.evidence, b"")
        with tempfile.TemporaryDirectory() as folder:
            capture = arguments.write or (Path(folder) / "check.pcapng" if arguments.evidence else None)
            report = _recorded(arguments, job_of(CheckOptions, arguments), capture)
            _write(arguments.html, html_report(report).encode())
            if capture is not None:
                _write(arguments.evidence, evidence(report, capture))
    except (CommandError, LinkError, SpoolError) as error:
        print(f"cosemscope check: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in CheckVerdict)
        print(f"\n{counts} in {report.seconds:.1f} s")
    return 1 if report.count(CheckVerdict.FAILED) else 0


def _recorded(arguments: argparse.Namespace, options: CheckOptions, capture: Path | None) -> Report:
    """Run the checks, what goes over the wire kept in `capture`."""
    recorder = Recorder(capture) if capture else None
    try:
        return asyncio.run(_check(arguments, options, recorder))
    finally:
        if recorder is not None:
            recorder.close()


async def _check(arguments: argparse.Namespace, options: CheckOptions, recorder: Recorder | None) -> Report:
    address = await settle_address(parse_address(arguments.address), options)
    return await run_checks(
        arguments.address,
        address,
        options,
        recorder=recorder,
        on_result=None if arguments.json else _print_result,
    )


def _print_result(result: CheckResult) -> None:
    """One check: verdict, title, clause, reason; what was sent and came back when it did not pass."""
    check, finding = result.check, result.finding
    print(f"{finding.verdict.value:<14} {check.title} ({check.clause}), {result.seconds:.2f} s")
    print(f"{'':<14} {finding.reason}", flush=True)
    if finding.verdict is CheckVerdict.FAILED:
        print(f"{'':<14} sent: {check.sends}")
        for step in result.steps:
            words = " ".join(filter(None, (step.octets.hex(" "), step.text)))
            print(f"{'':<14} {step.time:8.3f} s  {step.kind.value:<12} {words}")
