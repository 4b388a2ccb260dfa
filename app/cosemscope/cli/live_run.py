"""How a live command runs: its recording, its events, its commands, and its end.

It keeps what goes over the wire as a pcapng that any of the other commands,
the window and Wireshark open. With `--json` every event is a line of JSON;
with `--control` commands are read as lines of JSON, too (see `live.commands.live_events`).
"""

import argparse
import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.cli.event_lines import Event, Teller, commands
from cosemscope.live.commands.live_events import error_event, event, octets_of
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import Recorder, spool_path

_SHOWN_OCTETS = 48


def add_live_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`, `--control` and `--write`."""
    parser.add_argument("--json", action="store_true", help="events as lines of JSON")
    parser.add_argument("--control", action="store_true", help="commands as lines of JSON on standard input")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the traffic in this pcapng file")


def octets(text: str) -> bytes:
    """An APDU in hexadecimal, for argparse."""
    try:
        return octets_of(text)
    except LinkError as error:
        raise argparse.ArgumentTypeError(error.message) from None


Work = Callable[[Teller, Recorder], Coroutine[Any, Any, bool]]


class _Ending:
    """Ends the work of a live command, from any thread, while it is under way."""

    def __init__(self) -> None:
        self._end: Callable[[], object] | None = None

    async def of(self, work: Coroutine[Any, Any, bool]) -> bool:
        """Do the work; CancelledError when it was ended."""
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


def run_live(command: str, arguments: argparse.Namespace, work: Work) -> int:
    """Run a live command with a recording; what went wrong is told as an event."""
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


def read_commands(tell: Teller) -> asyncio.Queue[Event | None]:
    """Commands from standard input, read in a thread: no event loop waits for a pipe on every system."""
    given: asyncio.Queue[Event | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for command in commands(lambda words: tell(event("error", fault="command", message=words))):
                loop.call_soon_threadsafe(given.put_nowait, command)
            loop.call_soon_threadsafe(given.put_nowait, None)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return given
