"""`sessions`: the session tree of a capture, as text for people or JSON lines, a stream each, for scripts."""

import argparse
import json
from typing import Any

from cosemscope.analysis.annotations import named
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.value_types import Instant, seconds_text
from cosemscope.analysis.sessions.session_tree import StreamSession, WPortPair, protocol_name
from cosemscope.cli.capture_arguments import add_capture_arguments, with_analysis
from cosemscope.streams.tables.framing import Framing
from cosemscope.wording import count, printable

DESCRIPTION = "Print the session tree of a capture: peers, streams, wPort pairs."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `sessions`."""
    add_capture_arguments(parser)
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope sessions`; returns the exit status."""
    return with_analysis(arguments, _sessions)


def _sessions(analysis: Analysis, arguments: argparse.Namespace) -> int:
    analysis.run()
    names = {address: printable(name) for address, name in analysis.reader.names.items()}
    for peers in analysis.sessions():
        if not arguments.json:
            print(f"{named(peers.client, names)} - {named(peers.server, names)}")
        for session in peers.streams:
            if arguments.json:
                print(json.dumps(_session_object(session)))
            else:
                _print_session(session)
    return 0


def _session_object(session: StreamSession) -> dict[str, Any]:
    return {
        "protocol": protocol_name(session.protocol),
        "stream": session.stream,
        "client": str(session.client),
        "server": str(session.server),
        "wports": [_pair_object(pair) for pair in session.wports],
        "packets": session.packets,
        "wpdus": session.wpdus,
        "bytes": session.octets,
        "first_time": seconds_text(session.first_time),
        "last_time": seconds_text(session.last_time),
        "framing": session.framing.word,
    }


def _pair_object(pair: WPortPair) -> dict[str, Any]:
    return {
        "client_wport": pair.client_wport,
        "server_wport": pair.server_wport,
        "client_name": pair.client_name,
        "server_name": pair.server_name,
        "wpdus": pair.wpdus,
        "bytes": pair.octets,
        "first_time": seconds_text(pair.first_time),
        "last_time": seconds_text(pair.last_time),
    }


def _print_session(session: StreamSession) -> None:
    times = f"{_clock(session.first_time)} to {_clock(session.last_time)}"
    # What HDLC carries is no WPDU.
    unit = "WPDU" if session.framing in (Framing.WRAPPER, Framing.SWAPPED) else "APDU"
    print(
        f"  {protocol_name(session.protocol)} {session.stream}  {session.client} > {session.server}  "
        f"{session.framing.label}: {count(session.packets, 'packet')}, {count(session.wpdus, unit)}, "
        f"{count(session.octets, 'octet')}, {times}"
    )
    for pair in session.wports:
        client = f"{pair.client_wport} ({pair.client_name})"
        server = f"{pair.server_wport} ({pair.server_name})"
        print(
            f"    wPorts {client} - {server}: "
            f"{count(pair.wpdus, unit)}, {count(pair.octets, 'octet')}, "
            f"{_clock(pair.first_time)} to {_clock(pair.last_time)}"
        )


def _clock(time: int) -> str:
    """Local date and time with milliseconds."""
    return Instant().text(time)[:23]
