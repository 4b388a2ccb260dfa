"""`capture`: live packets into a pcapng, in a process of its own.

The window starts `capture --control`, commands it in JSON lines and follows its file; a shell does the same
by hand. The events and commands are those of `capture_events`.
"""

import argparse
import signal
import sys
import threading
from pathlib import Path

from cosemscope.capture.capturing.capture_events import (
    CAPTURE_COMMANDS,
    CaptureBegun,
    CaptureCounts,
    CaptureKept,
    CaptureStopped,
    RingTurned,
    StopCapture,
)
from cosemscope.capture.capturing.capture_filters import DLMS_PORT
from cosemscope.capture.capturing.capture_job import CaptureControl, CaptureJob, run_capture
from cosemscope.capture.capturing.libpcap import DEFAULT_BUFFER, OpenOptions
from cosemscope.capture.events import Event, Trouble, not_obeyed
from cosemscope.capture.option_values import count, port, size, some_seconds
from cosemscope.capture.spool.spool_ring import RingOptions, StopOptions
from cosemscope.cli.event_lines import Teller, commands

DESCRIPTION = (
    "Capture packets into a pcapng file that may be followed while it grows. Without -f the "
    "filter fits DLMS: port 4059 and those of --port, inside VLAN tags too, and later IP fragments. With "
    "PIPE a pcap or pcapng stream is taken: ssh host tcpdump -U -w - port 4059 | cosemscope capture -"
)
_MEBI = 1 << 20

#: Options that turn to new files, and that end a capture: name, kind of number, explanation.
_BOUNDS = (
    ("--ring-size", size, "go on in a new file after so many octets (k, M, G may follow)"),
    ("--ring-seconds", some_seconds, "go on in a new file after so many seconds"),
    ("--ring-files", count, "keep only so many files, the newest"),
    ("--packets", count, "end after so many packets"),
    ("--size", size, "end before the files have more octets"),
    ("--seconds", some_seconds, "end after so many seconds"),
    ("--files", count, "end when so many files are full"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `capture`."""
    parser.add_argument(
        "pipe", nargs="?", metavar="PIPE", help="- for standard input, or a named pipe's path"
    )
    parser.add_argument("-i", "--interface", action="append", default=[], metavar="IFACE", help="repeatable")
    parser.add_argument("-f", "--filter", metavar="FILTER", help='capture filter (BPF); "" takes everything')
    parser.add_argument("--port", type=port, action="append", default=[], help="a DLMS port besides 4059")
    parser.add_argument(
        "-w", "--write", type=Path, metavar="FILE", help="keep the packets in this pcapng file"
    )
    parser.add_argument("-p", "--no-promiscuous", action="store_true", help="only packets to or from us")
    parser.add_argument(
        "-s", "--snap-length", type=count, default=262_144, metavar="OCTETS", help="of a packet (262144)"
    )
    most = DEFAULT_BUFFER
    parser.add_argument(
        "-B", "--buffer", type=count, default=most, metavar="MIB", help=f"kernel's buffer ({most})"
    )
    parser.add_argument(
        "--immediate",
        action="store_true",
        help="hand over each packet at once, not every 50 ms (dumpcap: every 250 ms in any case)",
    )
    parser.add_argument(
        "--by", choices=("auto", "libpcap", "dumpcap"), default="auto", help="the way to the interface (auto)"
    )
    for name, kind, words in _BOUNDS:
        parser.add_argument(name, type=kind, default=0, metavar="N", help=words)
    parser.add_argument("--json", action="store_true", help="events as lines of JSON")
    parser.add_argument("--control", action="store_true", help="commands as lines of JSON on standard input")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope capture`; 0 when all went well, 1 when something did not, 2 for wrong usage."""
    wrong = _wrong_usage(arguments)
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
    if arguments.control:
        threading.Thread(target=_obey, args=(control, tell), name="commands", daemon=True).start()
    return 0 if run_capture(_job(arguments), tell, control) else 1


def _wrong_usage(arguments: argparse.Namespace) -> str:
    """What contradicts itself in the options; empty if nothing does."""
    if bool(arguments.interface) == (arguments.pipe is not None):
        return "name an interface (-i, see: cosemscope interfaces), or a pipe (- is standard input)"
    if arguments.pipe is not None and (arguments.filter is not None or arguments.port):
        return "a pipe is filtered where its packets are captured, not here"
    if arguments.pipe == "-" and arguments.control:
        return "--control needs the standard input for commands: use a named pipe"
    ring = arguments.ring_size or arguments.ring_seconds
    if (arguments.ring_files or arguments.files) and not ring:
        return "more than one file needs --ring-size or --ring-seconds"
    return ""


def _job(arguments: argparse.Namespace) -> CaptureJob:
    return CaptureJob(
        interfaces=arguments.interface,
        pipe=arguments.pipe,
        capture_filter=arguments.filter,
        ports=(DLMS_PORT, *arguments.port),
        options=OpenOptions(
            snap_length=arguments.snap_length,
            promiscuous=not arguments.no_promiscuous,
            immediate=arguments.immediate,
            buffer=arguments.buffer * _MEBI,
        ),
        way=arguments.by,
        write=arguments.write,
        ring=RingOptions(arguments.ring_size, arguments.ring_seconds, arguments.ring_files),
        stop=StopOptions(arguments.packets, arguments.size, arguments.seconds, arguments.files),
    )


def _line(event: Event) -> str:
    """An event as a line for people; empty for one that they need not see."""
    match event:
        case CaptureBegun():
            where = f"on {', '.join(event.interfaces)} by" if event.interfaces else "from"
            chosen = f", filter: {event.filter}" if event.filter else ""
            held = f" (up to {event.hold} ms)" if event.hold else ""
            return f"capturing  {where} {event.by}, {event.mode}{held}{chosen}"
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
    text = f"{event.packets:,} packet{'' if event.packets == 1 else 's'}"
    return text if event.dropped is None else f"{text}, {event.dropped:,} dropped"


def _obey(control: CaptureControl, tell: Teller) -> None:
    """In a thread: commands as they come; the end of them ends the capture."""
    for command in commands(CAPTURE_COMMANDS, lambda words: tell(not_obeyed(words))):
        (control.stop if isinstance(command, StopCapture) else control.counts).set()
    control.stop.set()
