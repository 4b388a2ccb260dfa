"""`list`, `sessions` and `stats`: what a capture holds, as text for people or JSON lines for scripts.

`list` prints while it reads, a batch of rows at a time. The keys of the JSON
lines are an interface: more may come, none goes away.
"""

import argparse
import gc
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cosemscope.cli.capture_arguments import (
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)

if TYPE_CHECKING:
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.sessions.session_tree import StreamSession, WPortPair
    from cosemscope.cli.times import Clock


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `list`, `sessions` and `stats`."""
    table: tuple[tuple[str, Callable[[argparse.Namespace], int], str], ...] = (
        ("list", run_list, "a line for each WPDU of a capture"),
        ("sessions", run_sessions, "the session tree of a capture: peers, streams, wPort pairs"),
        ("stats", run_stats, "counts of a capture"),
    )
    for name, run, summary in table:
        parser = commands.add_parser(name, help=summary, description=f"Print {summary}.")
        add_capture_arguments(parser)
        parser.add_argument("--json", action="store_true", help="JSON, one object a line")
        parser.set_defaults(run=run)
        if name == "list":
            add_keys_argument(parser)
            parser.add_argument(
                "--follow",
                action="store_true",
                help="go on as FILE grows, and into the next file of a ring, until Ctrl+C; with - or a "
                "named pipe, as packets come",
            )
            parser.add_argument(
                "--truncated", action="store_true", help="list also WPDUs of which octets are missing"
            )


def run_list(arguments: argparse.Namespace) -> int:
    """`list`: returns the exit status."""
    return with_analysis(arguments, _list)


def run_sessions(arguments: argparse.Namespace) -> int:
    """`sessions`: returns the exit status."""
    return with_analysis(arguments, _sessions)


def run_stats(arguments: argparse.Namespace) -> int:
    """`stats`: returns the exit status."""
    return with_analysis(arguments, _stats)


# ---- list

#: Lines that are made before they are printed.
_AT_ONCE = 4096
#: Objects that are made before unused circles of them are looked for: lines make many objects and no circles.
_COLLECTED = 100_000


def _list(analysis: "Analysis", arguments: argparse.Namespace) -> int:
    from cosemscope.cli.following import more_comes
    from cosemscope.cli.wpdu_lines import JsonLines, TextLines

    gc.set_threshold(_COLLECTED)
    kind = JsonLines if arguments.json else TextLines
    lines = kind(analysis, load_keys(arguments), truncated=arguments.truncated)
    done = 0
    going = True
    while going:
        going = analysis.step()
        if not going:
            going = arguments.follow and more_comes(analysis.reader)
        if not going:
            analysis.finish()
        stop = len(analysis.wpdus)
        for start in range(done, stop, _AT_ONCE):
            sys.stdout.write("".join(lines.lines(start, min(start + _AT_ONCE, stop))))
        done = stop
    if lines.left_out:
        sys.stdout.flush()
        what = "WPDU lacks octets and is" if lines.left_out == 1 else "WPDUs lack octets and are"
        print(f"cosemscope: {lines.left_out} {what} not listed (--truncated lists them)", file=sys.stderr)
    return 0


# ---- sessions


def _sessions(analysis: "Analysis", arguments: argparse.Namespace) -> int:
    from cosemscope.analysis.annotations import named, plain_lines
    from cosemscope.cli.times import Clock

    analysis.run()
    clock, names = Clock(), {address: plain_lines(name) for address, name in analysis.reader.names.items()}
    for peers in analysis.sessions():
        if not arguments.json:
            print(f"{named(peers.client, names)} - {named(peers.server, names)}")
        for session in peers.streams:
            if arguments.json:
                print(json.dumps(_session_object(session)))
            else:
                _print_session(session, clock)
    return 0


def _session_object(session: "StreamSession") -> dict[str, Any]:
    from cosemscope.analysis.sessions.session_tree import protocol_name
    from cosemscope.cli.times import epoch_seconds

    return {
        "protocol": protocol_name(session.protocol),
        "stream": session.stream,
        "client": str(session.client),
        "server": str(session.server),
        "wports": [_pair_object(pair) for pair in session.wports],
        "packets": session.packets,
        "wpdus": session.wpdus,
        "bytes": session.octets,
        "first_time": epoch_seconds(session.first_time),
        "last_time": epoch_seconds(session.last_time),
        "framing": session.framing.word,
    }


def _pair_object(pair: "WPortPair") -> dict[str, Any]:
    from cosemscope.cli.times import epoch_seconds

    return {
        "client_wport": pair.client_wport,
        "server_wport": pair.server_wport,
        "client_name": pair.client_name,
        "server_name": pair.server_name,
        "wpdus": pair.wpdus,
        "bytes": pair.octets,
        "first_time": epoch_seconds(pair.first_time),
        "last_time": epoch_seconds(pair.last_time),
    }


def _print_session(session: "StreamSession", clock: "Clock") -> None:
    from cosemscope.analysis.sessions.session_tree import protocol_name
    from cosemscope.streams.tables.framing import Framing

    times = f"{clock.text(session.first_time)} to {clock.text(session.last_time)}"
    # What HDLC carries is no WPDU.
    unit = "WPDU" if session.framing in (Framing.WRAPPER, Framing.SWAPPED) else "APDU"
    print(
        f"  {protocol_name(session.protocol)} {session.stream}  {session.client} > {session.server}  "
        f"{session.framing.label}: {_number(session.packets, 'packet')}, {_number(session.wpdus, unit)}, "
        f"{_number(session.octets, 'octet')}, {times}"
    )
    for pair in session.wports:
        client = f"{pair.client_wport} ({pair.client_name})"
        server = f"{pair.server_wport} ({pair.server_name})"
        print(
            f"    wPorts {client} - {server}: "
            f"{_number(pair.wpdus, unit)}, {_number(pair.octets, 'octet')}, "
            f"{clock.text(pair.first_time)} to {clock.text(pair.last_time)}"
        )


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


# ---- stats


def _stats(analysis: "Analysis", arguments: argparse.Namespace) -> int:
    from cosemscope.analysis.annotations import dropped_of

    counts = analysis.run().statistics()
    dropped = dropped_of(analysis.reader)
    if dropped is not None:
        counts = {**counts, "dropped_packets": dropped}
    if arguments.json:
        print(json.dumps(counts))
        return 0
    for name, value in counts.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            print(f"{label}:")
            for key, count in value.items():
                print(f"  {key:<32}{count:>14,}")
        else:
            print(f"{label:<34}{value:>14,}")
    return 0
