"""`connect`, `listen` and `check`: live links from a shell.

Each keeps what goes over the wire as a pcapng that any of the other commands,
the window and Wireshark open. With `--json` every event is a line of JSON;
with `--control` commands are read as lines of JSON, too (see `live.commands.live_events`).
"""

import argparse
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosemscope.cli.capture_arguments import CommandError
from cosemscope.cli.event_lines import Event, Teller, commands
from cosemscope.cli.option_values import count, seconds, wport

if TYPE_CHECKING:
    import asyncio

    from cosemscope.live.check import CheckOptions, CheckResult, Report
    from cosemscope.live.links.recording import Recorder

_SHOWN_OCTETS = 48


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of this module."""
    _add_connect(commands)
    _add_listen(commands)
    _add_check(commands)


def _add_connect(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    connect = commands.add_parser(
        "connect",
        help="connect to a server, send APDUs, show the answers",
        description="Connect over TCP (or UDP) with the wrapper, send APDUs one by one and show each answer "
        "with its response time. Without --send a public client's AARQ is sent, then RLRQ.",
    )
    connect.add_argument("address", metavar="HOST[:PORT]", help="port 4059 unless given; [::1]:4059 for IPv6")
    connect.add_argument("--client", type=wport, default=16, metavar="WPORT", help="own wPort (default 16)")
    connect.add_argument("--server", type=wport, default=1, metavar="WPORT", help="its wPort (default 1)")
    connect.add_argument("--udp", action="store_true", help="UDP instead of TCP")
    connect.add_argument(
        "--send", type=_octets, action="append", metavar="HEX", help="an APDU; may be repeated"
    )
    connect.add_argument("--repeat", type=count, default=1, metavar="N", help="send the APDUs N times")
    connect.add_argument("--pause", type=seconds, default=0.0, metavar="S", help="seconds between repeats")
    connect.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="wait for an answer (10 s)"
    )
    connect.add_argument("--connect-timeout", type=seconds, default=10.0, metavar="S", help="(10 s)")
    connect.add_argument(
        "--keep-alive", type=seconds, metavar="S", help="TCP keep-alive after S idle seconds"
    )
    _add_common(connect)
    connect.set_defaults(run=run_connect)


def _add_listen(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    listen = commands.add_parser(
        "listen",
        help="accept connections and datagrams, show what comes, answer if told to",
        description="Listen for TCP connections and UDP datagrams with the wrapper and show each APDU. On "
        "this computer only (127.0.0.1) unless another address is given; 0.0.0.0 or [::] is every network.",
    )
    listen.add_argument("address", nargs="?", default="", metavar="HOST:PORT", help="default 127.0.0.1:4059")
    listen.add_argument("--wport", type=wport, action="append", metavar="WPORT", help="listens (default 1)")
    listen.add_argument(
        "--answer",
        type=_answer,
        action="append",
        default=[],
        metavar="[TAG=]HEX",
        help="the APDU to answer with; several are given in turn; 60=61... answers requests of tag 60 only",
    )
    only = listen.add_mutually_exclusive_group()
    only.add_argument("--tcp-only", action="store_true", help="no UDP")
    only.add_argument("--udp-only", action="store_true", help="no TCP")
    listen.add_argument("--count", type=count, default=0, metavar="N", help="end after N APDUs")
    listen.add_argument("--limit", type=count, default=1000, metavar="N", help="connections at most (1000)")
    listen.add_argument("--inactivity", type=seconds, default=180.0, metavar="S", help="close after (180 s)")
    _add_common(listen)
    listen.set_defaults(run=run_listen)


def _add_common(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="events as lines of JSON")
    command.add_argument("--control", action="store_true", help="commands as lines of JSON on standard input")
    command.add_argument("--write", type=Path, metavar="FILE", help="keep the traffic in this pcapng file")


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check",
        help="test a server's transport layer and report",
        description="Run a list of transport-layer tests (IEC 62056-4-7) against a server. Only harmless "
        "APDUs are sent (public client AARQ, RLRQ), only to the address given.",
    )
    check.add_argument("address", metavar="HOST[:PORT]", help="port 4059 unless given")
    check.add_argument("--client", type=wport, default=16, metavar="WPORT", help="own wPort (default 16)")
    check.add_argument("--server", type=wport, default=1, metavar="WPORT", help="its wPort (default 1)")
    check.add_argument("--no-udp", action="store_true", help="leave out the check over UDP")
    times = (
        ("--timeout", 5.0, "wait for an answer"),
        ("--quiet", 1.0, "wait where no answer should come"),
        ("--idle", 5.0, "rest of the idle check"),
        ("--connect-timeout", 5.0, "wait for a connection"),
        ("--total", 180.0, "the whole run at most"),
    )
    for name, default, words in times:
        check.add_argument(name, type=seconds, default=default, metavar="S", help=f"{words} ({default:g} s)")
    check.add_argument("--json", action="store_true", help="the report as JSON")
    check.add_argument("--html", type=Path, metavar="FILE", help="write the report as an HTML file")
    check.add_argument("--write", type=Path, metavar="FILE", help="keep the traffic in this pcapng file")
    check.set_defaults(run=run_check)


# Values of options


def _octets(text: str) -> bytes:
    from cosemscope.live.commands.live_events import octets_of
    from cosemscope.live.links.faults import LinkError

    try:
        return octets_of(text)
    except LinkError as error:
        raise argparse.ArgumentTypeError(error.message) from None


def _answer(text: str) -> tuple[int | None, bytes]:
    tag, equals, octets = text.rpartition("=")
    if not equals:
        return None, _octets(text)
    first = _octets(tag)
    if len(first) != 1:
        raise argparse.ArgumentTypeError(f"{tag!r} is no tag: one octet in hexadecimal, as in 60=61...")
    return first[0], _octets(octets)


# connect and listen


def run_connect(arguments: argparse.Namespace) -> int:
    """Run `cosemscope connect`; 0 when everything was answered, else 1."""
    from cosemscope.live.commands.link_job import ConnectJob, run_connect
    from cosemscope.live.links.addresses import parse_address
    from cosemscope.live.links.tcp_sockets import LinkOptions

    async def work(tell: Teller, recorder: "Recorder") -> bool:
        job = ConnectJob(
            parse_address(arguments.address),
            client=arguments.client,
            server=arguments.server,
            udp=arguments.udp,
            repeat=arguments.repeat,
            pause=arguments.pause,
            options=LinkOptions(
                connect_timeout=arguments.connect_timeout,
                answer_timeout=arguments.timeout,
                keep_alive=arguments.keep_alive,
            ),
            **({"apdus": arguments.send} if arguments.send else {}),
        )
        return await run_connect(job, tell, recorder, _read_commands(tell) if arguments.control else None)

    return _run_live("connect", arguments, work)


def run_listen(arguments: argparse.Namespace) -> int:
    """Run `cosemscope listen` until it is interrupted."""
    from dataclasses import replace

    from cosemscope.live.commands.listen_job import ListenJob, run_listen
    from cosemscope.live.links.addresses import parse_address
    from cosemscope.live.links.tcp_server import SERVER_OPTIONS

    async def work(tell: Teller, recorder: "Recorder") -> bool:
        job = ListenJob(
            parse_address(arguments.address),
            wports=arguments.wport or (1,),
            tcp=not arguments.udp_only,
            udp=not arguments.tcp_only,
            answers=[octets for tag, octets in arguments.answer if tag is None],
            by_tag={tag: octets for tag, octets in arguments.answer if tag is not None},
            count=arguments.count,
            limit=arguments.limit,
            options=replace(SERVER_OPTIONS, inactivity_timeout=arguments.inactivity),
        )
        await run_listen(job, tell, recorder, _read_commands(tell) if arguments.control else None)
        return True

    return _run_live("listen", arguments, work)


Work = Callable[[Teller, "Recorder"], Coroutine[Any, Any, bool]]


class _Ending:
    """Ends the work of a live command, from any thread, while it is under way."""

    def __init__(self) -> None:
        self._end: Callable[[], object] | None = None

    async def of(self, work: Coroutine[Any, Any, bool]) -> bool:
        """Do the work; CancelledError when it was ended."""
        import asyncio

        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._end = partial(loop.call_soon_threadsafe, task.cancel)
        try:
            return await work
        finally:
            self._end = None

    def __call__(self) -> None:
        if self._end is not None:
            self._end()


def _run_live(command: str, arguments: argparse.Namespace, work: Work) -> int:
    """Run a live command with a recording; what went wrong is told as an event."""
    import asyncio

    from cosemscope.capture.spool.spool_writer import SpoolError
    from cosemscope.live.commands.live_events import error_event, event
    from cosemscope.live.links.faults import Fault, LinkError
    from cosemscope.live.links.recording import Recorder, spool_path

    ending = _Ending()
    tell = Teller(_line, as_json=arguments.json or arguments.control, on_reader_gone=ending)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it in order, as Ctrl+C does
    try:
        path = arguments.write or spool_path(command)
        recorder = Recorder(
            path, on_trouble=lambda error: tell(event("error", fault="file", message=str(error)))
        )
    except (SpoolError, OSError) as error:
        tell(error_event(LinkError(Fault.FAILED, str(error))))
        return 1
    try:
        return 0 if asyncio.run(ending.of(work(tell, recorder))) else 1
    except LinkError as error:
        tell(error_event(error))
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    finally:
        recorder.close()
        if recorder.packets or arguments.write:
            tell(event("kept", file=str(path), packets=recorder.packets))
        else:
            path.unlink(missing_ok=True)  # nothing happened, and nobody asked for this file by name


def _line(event: Event) -> str:
    """An event as a line for people; empty for one that they need not see."""
    match event["event"]:
        case "connected":
            return f"connected  {event['local']} to {event['remote']} over {event['transport'].upper()}"
        case "listening":
            return f"listening  {event['address']} {event['transport'].upper()}"
        case "sent" | "received":
            return _apdu_line(event, f"wPort {event['local_wport']}", f"wPort {event['remote_wport']}")
        case "discarded":
            wports = (f"wPort {event['destination_wport']}", f"wPort {event['source_wport']}")
            return _apdu_line(event, *wports)
        case "closed":
            return f"closed     {event['message']}"
        case "error":
            return f"error      {event['message']}"
        case "kept":
            count = event["packets"]
            return f"kept       {event['file']} ({count} packet{'' if count == 1 else 's'})"
    return ""


def _apdu_line(event: Event, local: str, remote: str) -> str:
    octets = bytes.fromhex(event["apdu"])
    shown = octets[:_SHOWN_OCTETS].hex(" ") + (" ..." if len(octets) > _SHOWN_OCTETS else "")
    way = f"{local} > {remote}" if event["event"] == "sent" else f"{local} < {remote}"
    taken = f"{event['response_ms']:.1f} ms" if "response_ms" in event else ""
    what = f"{event['event']:<9}  {way:<20} {event['name']:<22} {len(octets):>5} octets"
    return f"{what} {taken:>10}  {shown}".rstrip()


def _read_commands(tell: Teller) -> "asyncio.Queue[Event | None]":
    """Commands from standard input, read in a thread: no event loop waits for a pipe on every system."""
    import asyncio

    from cosemscope.live.commands.live_events import event

    given: asyncio.Queue[Event | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for command in commands(lambda words: tell(event("error", fault="command", message=words))):
                loop.call_soon_threadsafe(given.put_nowait, command)
            loop.call_soon_threadsafe(given.put_nowait, None)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return given


# check


def _write_html(path: Path | None, html: str) -> None:
    """Write the report if it is wanted. Raises CommandError."""
    if path is None:
        return
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


def run_check(arguments: argparse.Namespace) -> int:
    """Run `cosemscope check`; 0 when no check failed, 1 when one did or the address cannot be tested."""
    import asyncio

    from cosemscope.capture.spool.spool_writer import SpoolError
    from cosemscope.live.check import CheckOptions, CheckVerdict
    from cosemscope.live.check.report import html_report
    from cosemscope.live.links.faults import LinkError
    from cosemscope.live.links.recording import Recorder

    options = CheckOptions(
        client=arguments.client,
        server=arguments.server,
        answer=arguments.timeout,
        quiet=arguments.quiet,
        idle=arguments.idle,
        connect=arguments.connect_timeout,
        total=arguments.total,
        udp=not arguments.no_udp,
    )
    recorder = None
    try:
        _write_html(arguments.html, "")  # a path that cannot be written is told before minutes of testing
        recorder = Recorder(arguments.write) if arguments.write else None
        report = asyncio.run(_check(arguments, options, recorder))
        _write_html(arguments.html, html_report(report))
    except (CommandError, LinkError, SpoolError) as error:
        print(f"cosemscope check: {error}", file=sys.stderr)
        return 1
    finally:
        if recorder is not None:
            recorder.close()
    if arguments.json:
        print(json.dumps(report.as_json(), indent=2))
    else:
        counts = ", ".join(f"{report.count(verdict)} {verdict.value}" for verdict in CheckVerdict)
        print(f"\n{counts} in {report.seconds:.1f} s")
    return 1 if report.count(CheckVerdict.FAIL) else 0


async def _check(
    arguments: argparse.Namespace, options: "CheckOptions", recorder: "Recorder | None"
) -> "Report":
    from cosemscope.live.check import run_checks, settle_address
    from cosemscope.live.links.addresses import parse_address

    address = await settle_address(parse_address(arguments.address), options)
    return await run_checks(
        arguments.address,
        address,
        options,
        recorder=recorder,
        on_result=None if arguments.json else _print_result,
    )


def _print_result(result: "CheckResult") -> None:
    """One check: verdict, title, clause, reason; what was sent and came back when it did not pass."""
    from cosemscope.live.check import CheckVerdict

    check, finding = result.check, result.finding
    print(f"{finding.verdict.value:<14} {check.title} ({check.clause}), {result.seconds:.2f} s")
    print(f"{'':<14} {finding.reason}", flush=True)
    if finding.verdict is CheckVerdict.FAIL:
        print(f"{'':<14} sent: {check.sends}")
        for step in result.steps:
            words = " ".join(filter(None, (step.octets.hex(" "), step.text)))
            print(f"{'':<14} {step.time:8.3f} s  {step.kind.value:<12} {words}")
