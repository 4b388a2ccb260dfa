"""`interfaces`: the network interfaces of this computer, and whether a capture on each can begin now."""

import argparse
import json
import re
import sys
import time
from typing import Any

from cosemscope.capture.capturing.interfaces import CaptureInterface, PacketCounts, interfaces
from cosemscope.capture.option_values import some_seconds
from cosemscope.capture.spool.chunks import SourceError

DESCRIPTION = "List network interfaces: name, state, addresses, whether a capture on it can begin now."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `interfaces`."""
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")
    parser.add_argument("--rate", type=some_seconds, metavar="S", help="packets that pass in S seconds, too")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope interfaces`; 0, or 1 when they cannot be listed."""
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


def _interface_object(interface: CaptureInterface) -> dict[str, Any]:
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


def _interface_line(interface: CaptureInterface, packets: float | None) -> str:
    may = f"by {interface.way}" if interface.may_capture else "no"
    rate = f"  {packets:>9,.0f}/s" if packets is not None else ""
    words = ", ".join(interface.addresses) or interface.description
    return f"{interface.title:<18} {interface.state:<14} {may:<11}{rate}  {words}".rstrip()
