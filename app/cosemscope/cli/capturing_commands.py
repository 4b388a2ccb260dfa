"""`capture`, `interfaces` and `spools`: live packets into a pcapng, in a process of its own.

The window starts `capture --control`, commands it in JSON lines and follows its file; a shell does the same
by hand. The events and commands are told in `cosemscope.capture.capturing`.
"""

import argparse
import json
import re
import signal
import sys
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosemscope.cli.event_lines import Event, Teller, commands
from cosemscope.cli.option_values import count, port, size, some_seconds

if TYPE_CHECKING:
    from cosemscope.capture.capturing.capture_job import CaptureControl, CaptureJob
    from cosemscope.capture.capturing.interfaces import CaptureInterface
    from cosemscope.capture.spool.spool_folder import Spool

_MEBI = 1 << 20
_COMMANDS = ("stop", "counts")

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


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of this module."""
    _add_capture(commands)
    listing = commands.add_parser(
        "interfaces",
        help="the network interfaces of this computer, and whether we may capture on them",
        description="List network interfaces: name, state, addresses, whether a capture on it can begin now.",
    )
    listing.add_argument("--json", action="store_true", help="JSON, one object a line")
    listing.add_argument("--rate", type=some_seconds, metavar="S", help="packets that pass in S seconds, too")
    listing.set_defaults(run=run_interfaces)
    spools = commands.add_parser(
        "spools",
        help="captures and recordings that were left without a name",
        description="List the spools that nobody gave a name; those of a process that died are kept until "
        "you remove them.",
    )
    spools.add_argument("--json", action="store_true", help="JSON, one object a line")
    spools.add_argument("--remove", metavar="NAME", action="append", help="remove this one for good")
    spools.set_defaults(run=run_spools)


def _add_capture(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    from cosemscope.capture.capturing.libpcap import DEFAULT_BUFFER

    capture = commands.add_parser(
        "capture",
        help="capture packets from network interfaces, or from a pipe",
        description="Capture packets into a pcapng file that may be followed while it grows. Without -f the "
        "filter fits DLMS: port 4059 and those of --port, inside VLAN tags too, and later IP fragments. With "
        "PIPE a pcap or pcapng stream is taken: ssh host tcpdump -U -w - port 4059 | cosemscope capture -",
    )
    capture.add_argument(
        "pipe", nargs="?", metavar="PIPE", help="- for standard input, or a named pipe's path"
    )
    capture.add_argument("-i", "--interface", action="append", default=[], metavar="IFACE", help="repeatable")
    capture.add_argument("-f", "--filter", metavar="FILTER", help='capture filter (BPF); "" takes everything')
    capture.add_argument("--port", type=port, action="append", default=[], help="a DLMS port besides 4059")
    capture.add_argument(
        "-w", "--write", type=Path, metavar="FILE", help="keep the packets in this pcapng file"
    )
    capture.add_argument("-p", "--no-promiscuous", action="store_true", help="only packets to or from us")
    capture.add_argument(
        "-s", "--snap-length", type=count, default=262_144, metavar="OCTETS", help="of a packet (262144)"
    )
    most = DEFAULT_BUFFER
    capture.add_argument(
        "-B", "--buffer", type=count, default=most, metavar="MIB", help=f"kernel's buffer ({most})"
    )
    capture.add_argument(
        "--immediate",
        action="store_true",
        help="hand over each packet at once, not every 50 ms (dumpcap: every 250 ms in any case)",
    )
    capture.add_argument(
        "--by", choices=("auto", "libpcap", "dumpcap"), default="auto", help="the way to the interface (auto)"
    )
    for name, kind, words in _BOUNDS:
        capture.add_argument(name, type=kind, default=0, metavar="N", help=words)
    capture.add_argument("--json", action="store_true", help="events as lines of JSON")
    capture.add_argument("--control", action="store_true", help="commands as lines of JSON on standard input")
    capture.set_defaults(run=run_capture)


# capture


def run_capture(arguments: argparse.Namespace) -> int:
    """Run `cosemscope capture`; 0 when all went well, 1 when something did not, 2 for wrong usage."""
    from cosemscope.capture.capturing.capture_job import CaptureControl, run_capture

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
        progress=lambda event: _counts_text(event) if event["event"] == "counts" else "",
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


def _job(arguments: argparse.Namespace) -> "CaptureJob":
    from cosemscope.capture.capturing.capture_filters import DLMS_PORT
    from cosemscope.capture.capturing.capture_job import CaptureJob
    from cosemscope.capture.capturing.libpcap import OpenOptions
    from cosemscope.capture.spool.spool_ring import RingOptions, StopOptions

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
    match event["event"]:
        case "capturing":
            where = f"on {', '.join(event['interfaces'])} by" if event["interfaces"] else "from"
            chosen = f", filter: {event['filter']}" if event["filter"] else ""
            held = f" (up to {event['hold']} ms)" if event["hold"] else ""
            return f"capturing  {where} {event['by']}, {event['mode']}{held}{chosen}"
        case "file":
            return f"file       {event['file']}"
        case "error":
            return f"error      {event['message']}"
        case "stopped":
            return f"stopped    {_REASONS[event['reason']]}"
        case "kept":
            return f"kept       {event['file']} ({_files_text(event)}{_counts_text(event)})"
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


def _files_text(event: Event) -> str:
    count = len(event["files"])
    return f"the first of {count} files, " if count > 1 else ""


def _counts_text(event: Event) -> str:
    packets, dropped = event["packets"], event["dropped"]
    text = f"{packets:,} packet{'' if packets == 1 else 's'}"
    return text if dropped is None else f"{text}, {dropped:,} dropped"


def _obey(control: "CaptureControl", tell: Teller) -> None:
    """In a thread: commands as they come; the end of them ends the capture."""
    from cosemscope.capture.capturing.capture_job import event

    for command in commands(lambda words: tell(event("error", fault="command", message=words)), _COMMANDS):
        if command.get("counts"):
            control.counts.set()
        if command.get("stop"):
            control.stop.set()
    control.stop.set()


# interfaces


def run_interfaces(arguments: argparse.Namespace) -> int:
    """Run `cosemscope interfaces`; 0, or 1 when they cannot be listed."""
    from cosemscope.capture.capturing.interfaces import PacketCounts, interfaces
    from cosemscope.capture.spool.chunks import SourceError

    try:
        found = interfaces()
    except SourceError as fault:
        print(f"cosemscope interfaces: {fault.message}", file=sys.stderr)
        return 1
    rates: dict[str, float] = {}
    if arguments.rate:
        counts = PacketCounts([interface.name for interface in found])
        before, began = counts.now(), time.monotonic()
        time.sleep(arguments.rate)
        after, passed = counts.now(), time.monotonic() - began
        counts.close()
        rates = {name: (after[name] - before[name]) / passed for name in before.keys() & after.keys()}
    if arguments.json:
        for interface in found:
            rate = {"packets_per_second": rates.get(interface.name)} if arguments.rate else {}
            print(json.dumps(_interface_object(interface) | rate))
        return 0
    reasons: dict[str, str] = {}  # that of the first of all interfaces that have the same
    for interface in found:
        print(_interface_line(interface, rates.get(interface.name)))
        if interface.reason and interface.state != "down":
            alike = re.sub(rf"\b{re.escape(interface.title)}\b", "", interface.reason)
            reasons.setdefault(alike, interface.reason)
    for reason in reasons.values():
        print(f"cosemscope interfaces: {reason}", file=sys.stderr)
    return 0


def _interface_object(interface: "CaptureInterface") -> dict[str, Any]:
    return {
        "name": interface.name,
        "title": interface.title,
        "description": interface.description,
        "addresses": list(interface.addresses),
        "state": interface.state,
        "loopback": interface.loopback,
        "wireless": interface.wireless,
        "link_type": interface.link_type if interface.link_type >= 0 else None,
        "may_capture": interface.may_capture,
        "by": interface.way or None,
        "reason": interface.reason or None,
    }


def _interface_line(interface: "CaptureInterface", packets: float | None) -> str:
    may = f"by {interface.way}" if interface.may_capture else "no"
    rate = f"  {packets:>9,.0f}/s" if packets is not None else ""
    words = ", ".join(interface.addresses) or interface.description
    return f"{interface.title:<18} {interface.state:<14} {may:<11}{rate}  {words}".rstrip()


# spools


def run_spools(arguments: argparse.Namespace) -> int:
    """Run `cosemscope spools`; 0, or 1 when one that is to be removed is not there or in use."""
    from cosemscope.capture.spool.spool_folder import remove_spool, spool_folder, spools

    try:
        found = {spool.path.name: spool for spool in spools(spool_folder())}
    except OSError as error:
        print(f"cosemscope spools: the folder cannot be read: {error}", file=sys.stderr)
        return 1
    if not arguments.remove:
        for spool in found.values():
            print(json.dumps(_spool_object(spool)) if arguments.json else _spool_line(spool))
        return 0
    status = 0
    for name in arguments.remove:
        try:
            remove_spool(found[Path(name).name])
        except KeyError:
            print(f"cosemscope spools: there is no spool {name}.", file=sys.stderr)
            status = 1
        except OSError as error:
            print(f"cosemscope spools: {name} is not removed: {error}", file=sys.stderr)
            status = 1
    return status


def _spool_object(spool: "Spool") -> dict[str, Any]:
    return {
        "file": str(spool.path),
        "files": [str(path) for path in spool.files],
        "octets": spool.size,
        "modified": spool.modified,
        "command": spool.command,
        "process": spool.process,
        "in_use": spool.in_use,
        "empty": spool.empty,
    }


def _spool_line(spool: "Spool") -> str:
    moment = datetime.fromtimestamp(spool.modified).strftime("%Y-%m-%d %H:%M:%S")
    state = "in use" if spool.in_use else "empty" if spool.empty else "left over"
    return f"{moment}  {spool.size:>13,} octets  {state:<9}  {spool.path}"
