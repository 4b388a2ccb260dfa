"""`list`, `sessions` and `stats`: what a capture holds, as text for people or JSON lines for scripts.

`list` prints while it reads, a batch of rows at a time. The keys of the JSON
lines are an interface: more may come, none goes away.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosemscope.analysis.engine import Analysis
    from cosemscope.analysis.sessions import StreamSession, WPortPair
    from cosemscope.capture.records import RecordSource

SECOND = 1_000_000_000


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `list`, `sessions` and `stats`."""
    table: tuple[tuple[str, Callable[[argparse.Namespace], int], str], ...] = (
        ("list", run_list, "a line for each WPDU of a capture"),
        ("sessions", run_sessions, "the session tree of a capture: peers, streams, wPort pairs"),
        ("stats", run_stats, "counts of a capture"),
    )
    for name, run, summary in table:
        parser = commands.add_parser(name, help=summary, description=f"Print {summary}.")
        parser.add_argument("file", metavar="FILE", help="a pcap or pcapng file, - for standard input")
        parser.add_argument("--json", action="store_true", help="JSON, one object a line")
        parser.add_argument(
            "--decode-as",
            action="append",
            default=[],
            metavar="WHERE=WHAT",
            help="set what is otherwise recognised: PORT, tcp:PORT, udp:PORT or stream:NUMBER = "
            "wrapper, swapped, hdlc, bare or none; may be given several times",
        )
        parser.add_argument(
            "--ring", action="store_true", help="FILE is of a ring: go on through the files that follow it"
        )
        parser.set_defaults(run=run, follow=False)
        if name == "list":
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
    return _with_analysis(arguments, _list)


def run_sessions(arguments: argparse.Namespace) -> int:
    """`sessions`: returns the exit status."""
    return _with_analysis(arguments, _sessions)


def run_stats(arguments: argparse.Namespace) -> int:
    """`stats`: returns the exit status."""
    return _with_analysis(arguments, _stats)


def _with_analysis(
    arguments: argparse.Namespace, command: "Callable[[Analysis, argparse.Namespace], None]"
) -> int:
    from cosemscope.analysis.decode_as import parse_decode_as
    from cosemscope.analysis.engine import Analysis
    from cosemscope.capture.records import CaptureError

    try:
        decode_as = parse_decode_as(arguments.decode_as)
    except ValueError as error:
        print(f"cosemscope: --decode-as {error}", file=sys.stderr)
        return 2
    try:
        with _opened(arguments) as reader:
            command(Analysis(reader, decode_as), arguments)
            sys.stdout.flush()
            for problem in reader.problems:
                print(
                    f"cosemscope: {arguments.file}, octet {problem.offset}: {problem.message}",
                    file=sys.stderr,
                )
    except CaptureError as error:
        sys.stdout.flush()
        print(f"cosemscope: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def _opened(arguments: argparse.Namespace) -> "Iterator[RecordSource]":
    """The capture file; standard input (`-`) is put into a temporary one first, which is removed."""
    from cosemscope.capture.reader import open_capture
    from cosemscope.capture.sequence import CaptureSequence
    from cosemscope.cli.following import followed

    name = arguments.file
    if arguments.follow:
        with followed(name) as reader:
            yield reader
        return
    if name != "-":
        with CaptureSequence(Path(name)) if arguments.ring else open_capture(name) as reader:
            yield reader
        return
    descriptor, spool = tempfile.mkstemp(prefix="cosemscope-", suffix=".capture")
    try:
        with os.fdopen(descriptor, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        with open_capture(spool) as reader:
            yield reader
    finally:
        with suppress(OSError):
            Path(spool).unlink()


# ---- list


def _list(analysis: "Analysis", arguments: argparse.Namespace) -> None:
    from cosemscope.cli.following import more_comes

    lines = _JsonLines(analysis) if arguments.json else _TextLines(analysis)
    left_out = 0
    done = 0
    going = True
    while going:
        going = analysis.step()
        if not going:
            going = arguments.follow and more_comes(analysis.reader)
        if not going:
            analysis.finish()
        stop = len(analysis.wpdus)
        rows = _whole_rows(analysis, done, stop, truncated=arguments.truncated)
        left_out += stop - done - len(rows)
        sys.stdout.write("".join(lines.lines(rows)))
        done = stop
    if left_out:
        sys.stdout.flush()
        what = "WPDU lacks octets and is" if left_out == 1 else "WPDUs lack octets and are"
        print(f"cosemscope: {left_out} {what} not listed (--truncated lists them)", file=sys.stderr)


def _whole_rows(analysis: "Analysis", start: int, stop: int, *, truncated: bool) -> list[int]:
    from cosemscope.analysis.wpdus import Mark

    if truncated:
        return list(range(start, stop))
    whole = (analysis.wpdus["marks"][start:stop] & Mark.TRUNCATED) == 0
    rows: list[int] = (whole.nonzero()[0] + start).tolist()
    return rows


class _Lines:
    """Makes lines of WPDU rows; names that come again and again are kept."""

    _columns = (
        "time",
        "stream",
        "direction",
        "source_wport",
        "destination_wport",
        "version",
        "length",
        "apdu_tag",
        "segments",
        "first_packet",
    )

    def __init__(self, analysis: "Analysis") -> None:
        self.analysis = analysis
        self._ends: dict[tuple[int, int], tuple[str, str]] = {}
        self._names: dict[int, str] = {}

    def lines(self, rows: list[int]) -> Iterator[str]:
        """A line, with its end, for each of these rows."""
        wpdus = self.analysis.wpdus
        if not rows:
            return
        columns = (wpdus[name][rows].tolist() for name in self._columns)
        for row, values in zip(rows, zip(*columns, strict=True), strict=True):
            yield self.line(row, *values)

    def line(self, row: int, *values: Any) -> str:
        """The line of one row; `values` in the order of `_columns`."""
        raise NotImplementedError

    def ends(self, stream: int, direction: int) -> tuple[str, str]:
        """Source and destination of a WPDU."""
        key = stream, direction
        if key not in self._ends:
            client, server = (str(end) for end in self.analysis.endpoints(stream))
            self._ends[key] = (server, client) if direction else (client, server)
        return self._ends[key]

    def apdu(self, tag: int) -> str:
        """The name of an APDU, "" where there is none."""
        from cosemscope.apdu.tags import apdu_name

        if tag not in self._names:
            self._names[tag] = apdu_name(tag) if tag >= 0 else ""
        return self._names[tag]


class _JsonLines(_Lines):
    def __init__(self, analysis: "Analysis") -> None:
        super().__init__(analysis)
        self._protocol: dict[int, str] = {}

    def line(self, row: int, *values: Any) -> str:
        """A JSON object. Addresses, protocols and APDU names hold nothing that JSON would have to escape."""
        time, stream, direction, source_wport, destination_wport, version, length, tag, segments, first = (
            values
        )
        source, destination = self.ends(stream, direction)
        packets = str(first + 1)
        if segments > 1:
            packets = ", ".join(str(packet + 1) for packet in self._packets(row))
        return (
            f'{{"number": {row + 1}, "time": "{epoch_seconds(time)}", "source": "{source}", '
            f'"destination": "{destination}", "protocol": "{self._protocol_of(stream)}", "stream": {stream}, '
            f'"source_wport": {source_wport}, "destination_wport": {destination_wport}, '
            f'"version": {version}, "length": {length}, "apdu_tag": {tag if tag >= 0 else "null"}, '
            f'"apdu": "{self.apdu(tag)}", "packets": [{packets}], "segments": {segments}}}\n'
        )

    def _packets(self, row: int) -> list[int]:
        packets: list[int] = self.analysis.packets_of(row).tolist()
        return packets

    def _protocol_of(self, stream: int) -> str:
        from cosemscope.analysis.sessions import protocol_name

        if stream not in self._protocol:
            self._protocol[stream] = protocol_name(int(self.analysis.streams["protocol"][stream]))
        return self._protocol[stream]


class _TextLines(_Lines):
    def __init__(self, analysis: "Analysis") -> None:
        super().__init__(analysis)
        self._width = 21  # an IPv4 address and port; wider once a longer one came
        self._clock = Clock()

    def line(self, row: int, *values: Any) -> str:
        """Number, time, from whom to whom, wPorts, octets, segments, APDU."""
        time, stream, direction, source_wport, destination_wport, _, length, tag, segments, _ = values
        source, destination = self.ends(stream, direction)
        self._width = width = max(self._width, len(source), len(destination))
        return (
            f"{row + 1:>7}  {self._clock.text(time)}  {source:<{width}} > {destination:<{width}}  "
            f"{source_wport:>5} > {destination_wport:<5}  {length:>5} octets  {segments:>2} seg  "
            f"{self.apdu(tag)}\n"
        )


class Clock:
    """Local date and time with milliseconds; the text of a second is made once."""

    def __init__(self) -> None:
        self._second = -1
        self._text = ""

    def text(self, time: int) -> str:
        """`time` in ns since the epoch; one that no calendar has is given in seconds."""
        second, rest = divmod(time, SECOND)
        if second != self._second:
            try:
                self._text = datetime.fromtimestamp(second).strftime("%Y-%m-%d %H:%M:%S")
            except (ValueError, OSError, OverflowError):
                self._text = f"{second:>19}"
            self._second = second
        return f"{self._text}.{rest // 1_000_000:03d}"


def epoch_seconds(time: int) -> str:
    """Nanoseconds since the epoch as seconds: a decimal number with nine places."""
    sign = "-" if time < 0 else ""
    second, rest = divmod(abs(time), SECOND)
    return f"{sign}{second}.{rest:09d}"


# ---- sessions


def _sessions(analysis: "Analysis", arguments: argparse.Namespace) -> None:
    analysis.run()
    clock = Clock()
    for peers in analysis.sessions():
        if not arguments.json:
            print(f"{peers.client} - {peers.server}")
        for session in peers.streams:
            if arguments.json:
                print(json.dumps(_session_object(session)))
            else:
                _print_session(session, clock)


def _session_object(session: "StreamSession") -> dict[str, Any]:
    from cosemscope.analysis.sessions import protocol_name

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
        "framing": session.framing.label,
    }


def _pair_object(pair: "WPortPair") -> dict[str, Any]:
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


def _print_session(session: "StreamSession", clock: Clock) -> None:
    from cosemscope.analysis.sessions import protocol_name

    times = f"{clock.text(session.first_time)} to {clock.text(session.last_time)}"
    print(
        f"  {protocol_name(session.protocol)} {session.stream}  {session.client} > {session.server}  "
        f"{session.framing.label}: {_number(session.packets, 'packet')}, {_number(session.wpdus, 'WPDU')}, "
        f"{_number(session.octets, 'octet')}, {times}"
    )
    for pair in session.wports:
        client = f"{pair.client_wport} ({pair.client_name})"
        server = f"{pair.server_wport} ({pair.server_name})"
        print(
            f"    wPorts {client} - {server}: "
            f"{_number(pair.wpdus, 'WPDU')}, {_number(pair.octets, 'octet')}, "
            f"{clock.text(pair.first_time)} to {clock.text(pair.last_time)}"
        )


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


# ---- stats


def _stats(analysis: "Analysis", arguments: argparse.Namespace) -> None:
    counts = analysis.run().statistics()
    if arguments.json:
        print(json.dumps(counts))
        return
    for name, value in counts.items():
        label = name.replace("_", " ")
        if isinstance(value, dict):
            print(f"{label}:")
            for key, count in value.items():
                print(f"  {key:<32}{count:>14,}")
        else:
            print(f"{label:<34}{value:>14,}")
