"""A live command from start to end: its recording, its events, its commands.

It keeps what goes over the wire as a pcapng that any of the other commands,
the window and Wireshark open. With `--json` every event is a line of JSON;
with `--control` commands are read as lines of JSON, too (see `live.commands.live_events`).
"""

import argparse
import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from cosemscope.capture.events import Command, Event, Trouble, Vocabulary, not_obeyed
from cosemscope.capture.option_values import SIZE
from cosemscope.capture.spool.spool_file import SpoolError
from cosemscope.capture.spool.spool_folder import spool_path
from cosemscope.cli.event_lines import Teller, commands
from cosemscope.live.commands.live_events import (
    LIVE_COMMANDS,
    ApduDiscarded,
    ApduEvent,
    ApduReceived,
    ApduSent,
    Commands,
    Connected,
    LinkClosed,
    LinkKept,
    Listening,
    trouble_of,
)
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.recording import MOST_OCTETS, Recorder
from cosemscope.wording import count

_SHOWN_OCTETS = 48
#: Kinds of trouble beside the work that are told, each once.
_MOST_KINDS = 16


def add_live_arguments(parser: argparse.ArgumentParser, *, control: bool = True) -> None:
    """`--json`, `--control` where there is something to be told meanwhile, `--write` and `--size`."""
    parser.add_argument("--json", action="store_true", help="events as lines of JSON")
    if control:
        words = "commands as lines of JSON on standard input"
        parser.add_argument("--control", action="store_true", help=words)
    parser.set_defaults(control=False)
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep the traffic in this pcapng file")
    parser.add_argument(
        "--size",
        type=SIZE.read,
        default=MOST_OCTETS,
        metavar=SIZE.placeholder,
        help=f"record so many octets at most ({MOST_OCTETS // 10**9}G; k, M, G may follow); the link goes on",
    )


Work = Callable[[Teller, Recorder], Coroutine[Any, Any, bool]]


class _Ending:
    """Ends the work of a live command, from any thread, while it is under way.

    What goes wrong beside it, where nobody waits for the outcome, is told once each, not as a traceback.
    """

    def __init__(self) -> None:
        self.tell: Callable[[Event], None] = lambda event: None
        self._end: Callable[[], object] | None = None
        self._told: set[str] = set()

    async def of(self, work: Coroutine[Any, Any, bool]) -> bool:
        """Do the work; CancelledError when it was ended."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._end = partial(loop.call_soon_threadsafe, task.cancel)
        loop.set_exception_handler(self._beside)
        logging.getLogger("asyncio").addHandler(logging.NullHandler())  # its remarks are no events
        try:
            return await work
        finally:
            self._end = None

    def _beside(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        words = ": ".join(str(each) for each in (context.get("message"), error) if each)
        kind = f"{type(error).__name__} {context.get('message')}"
        if kind not in self._told and len(self._told) < _MOST_KINDS:
            self._told.add(kind)
            self.tell(Trouble(fault=Fault.FAILED.value, message=f"{words} (told once)"))

    def __call__(self) -> None:
        if self._end is not None:
            self._end()


def run_live(
    command: str,
    arguments: argparse.Namespace,
    work: Work,
    line: Callable[[Event], str] = lambda event: "",
    quiet: tuple[type[Event], ...] = (),
    progress: Callable[[Event], str] = lambda event: "",
) -> int:
    """Run a live command with a recording; what went wrong is told as an event.

    `line` words those events for people that the command has for itself; those of `quiet` are not told.
    `progress` words those that replace each other in place.
    """
    ending = _Ending()
    tell = Teller(
        lambda event: "" if isinstance(event, quiet) else line(event) or _line(event),
        as_json=arguments.json or arguments.control,
        on_reader_gone=ending,
        progress=progress,
    )
    ending.tell = tell
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends it in order, as Ctrl+C does
    try:
        path = arguments.write or spool_path(command)
        recorder = Recorder(
            path,
            limit=arguments.size,
            on_trouble=lambda error: tell(Trouble(fault="file", message=str(error))),
        )
    except (SpoolError, OSError) as error:
        tell(Trouble(fault=Fault.FAILED.value, message=str(error)))
        return 1
    try:
        return 0 if asyncio.run(ending.of(work(tell, recorder))) else 1
    except LinkError as error:
        tell(trouble_of(error))
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    finally:
        recorder.close()
        if recorder.packets or arguments.write:
            tell(LinkKept(file=path, packets=recorder.packets))
        else:
            path.unlink(missing_ok=True)  # nothing happened, and nobody asked for this file by name


def _line(event: Event) -> str:
    """An event as a line for people; empty for one that they need not see."""
    match event:
        case Connected():
            return f"connected  {event.local} to {event.remote} over {event.transport.upper()}"
        case Listening():
            return f"listening  {event.address} {event.transport.upper()}"
        case ApduSent():
            return _apdu_line(event, event.local_wport, ">", event.remote_wport)
        case ApduReceived():
            line = _apdu_line(event, event.local_wport, "<", event.remote_wport, event.response_ms)
            return _with(line, event.remark)
        case ApduDiscarded():
            return _with(_apdu_line(event, event.destination_wport, "<", event.source_wport), event.advice)
        case LinkClosed():
            return f"closed     {event.message}"
        case Trouble():
            return f"error      {event.message}"
        case LinkKept():
            return f"kept       {event.file} ({count(event.packets, 'packet')})"
    return ""


def _with(line: str, remark: str | None) -> str:
    """The line, and a remark on it in one of its own."""
    return f"{line}\n           {remark}" if remark else line


def _apdu_line(event: ApduEvent, local: int, arrow: str, remote: int, taken: float | None = None) -> str:
    octets = event.apdu
    shown = octets[:_SHOWN_OCTETS].hex(" ") + (" ..." if len(octets) > _SHOWN_OCTETS else "")
    way = f"wPort {local} {arrow} wPort {remote}"
    time = f"{taken:.1f} ms" if taken is not None else ""
    what = f"{event.word:<9}  {way:<20} {event.name:<22} {len(octets):>5} octets"
    return f"{what} {time:>10}  {shown}".rstrip()


def read_commands(
    tell: Teller, vocabulary: Vocabulary[Command] = LIVE_COMMANDS, *, ends: bool = True
) -> Commands:
    """Commands from standard input, read in a thread: no event loop waits for a pipe on every system.

    `ends`: the end of standard input ends the command.
    """
    given: Commands = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for command in commands(vocabulary, lambda words: tell(not_obeyed(words))):
                loop.call_soon_threadsafe(given.put_nowait, command)
            if ends:
                loop.call_soon_threadsafe(given.put_nowait, None)

    threading.Thread(target=read, name="commands", daemon=True).start()
    return given
