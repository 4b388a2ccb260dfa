"""`capture`: live packets into a pcapng, in a process of its own.

The window starts `capture --control`, commands it in JSON lines and follows its file; a shell does the same
by hand. The events and commands are those of `capture_events`.
"""

import argparse
import signal
import sys
import threading

from cosemscope.capture.capturing.capture_events import (
    CAPTURE_COMMANDS,
    CaptureBegun,
    CaptureCounts,
    CaptureKept,
    CaptureStopped,
    RingTurned,
    StopCapture,
)
from cosemscope.capture.capturing.capture_job import CaptureControl, CaptureJob, run_capture
from cosemscope.capture.capturing.pipes import STANDARD_INPUT
from cosemscope.capture.events import Event, Trouble, not_obeyed
from cosemscope.capture.job_options import add_options, job_of
from cosemscope.cli.event_lines import Teller, commands
from cosemscope.wording import count

DESCRIPTION = (
    "Capture packets into a pcapng file that may be followed while it grows. Without -f the "
    "filter fits DLMS: port 4059 and those of --port, inside VLAN tags too, and later IP fragments. With "
    "PIPE a pcap or pcapng stream is taken: ssh host tcpdump -U -w - port 4059 | cosemscope capture -"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `capture`."""
    add_options(parser, CaptureJob)
    parser.add_argument("--json", action="store_true", help="events as lines of JSON")
    parser.add_argument("--control", action="store_true", help="commands as lines of JSON on standard input")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope capture`; 0 when all went well, 1 when something did not, 2 for wrong usage."""
    job = job_of(CaptureJob, arguments)
    wrong = job.trouble
    if job.pipe == STANDARD_INPUT and arguments.control:
        wrong = "--control needs the standard input for commands: use a named pipe"
    if wrong:
        print(f"cosemscope capture: {wrong}", file=sys.stderr)
        return 2
    control = CaptureControl()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        if hasattr(signal, name):
            # Not an exception: a packet that is being taken must not be cut short.
            signal.signal(getattr(signal, name), lambda *_: control.stop.set())
    tell = Teller(
        _line,
        as_json=arguments.json or arguments.control,
        on_reader_gone=control.stop.set,
        progress=lambda event: _counts_text(event) if isinstance(event, CaptureCounts) else "",
    )
    obeying = threading.Thread(target=_obey, args=(control, tell), name="commands", daemon=True)
    begin = obeying.start if arguments.control else None
    return 0 if run_capture(job, tell, control, on_open=begin) else 1


def _line(event: Event) -> str:
    """An event as a line for people; empty for one that they need not see."""
    match event:
        case CaptureBegun():
            where = f"on {', '.join(event.interfaces)} by" if event.interfaces else "from"
            chosen = f", filter: {event.filter}" if event.filter else ""
            held = f" (up to {event.hold} ms)" if event.hold else ""
            rights = f"\nrights     {event.rights}" if event.rights else ""
            return f"capturing  {where} {event.by}, {event.mode}{held}{chosen}{rights}"
        case RingTurned():
            return f"file       {event.file}"
        case Trouble():
            return f"error      {event.message}"
        case CaptureStopped():
            return f"stopped    {_REASONS[event.reason]}"
        case CaptureKept():
            first_of = f"the first of {len(event.files)} files, " if len(event.files) > 1 else ""
            return f"kept       {event.file} ({first_of}{_counts_text(event)})"
    return ""


_REASONS = {
    "asked": "as asked",
    "packets": "that many packets are there",
    "size": "the files have their size",
    "seconds": "the time is over",
    "files": "that many files are full",
    "ended": "the input has ended",
    "error": "because of the error",
}


def _counts_text(event: CaptureCounts | CaptureKept) -> str:
    text = count(event.packets, "packet")
    return text if event.dropped is None else f"{text}, {event.dropped:,} dropped"


def _obey(control: CaptureControl, tell: Teller) -> None:
    """In a thread: commands as they come; the end of them ends the capture."""
    for command in commands(CAPTURE_COMMANDS, lambda words: tell(not_obeyed(words))):
        (control.stop if isinstance(command, StopCapture) else control.counts).set()
    control.stop.set()
