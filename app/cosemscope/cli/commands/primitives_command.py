"""`primitives`: what passed between the transport layers of a connection and their users.

A line a primitive, in the order of the capture. The keys of the JSON lines are an interface: more may come,
none goes away.
"""

import argparse
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import islice

import numpy as np
import orjson

from cosemscope.analysis.associations.insights import Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.fields.asked_rows import AskedRows
from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.row_records import AlignedColumns
from cosemscope.analysis.fields.value_types import seconds_text
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.primitives.happenings import REPLAYED
from cosemscope.analysis.primitives.replay import Replay
from cosemscope.analysis.primitives.stream_ends import ENDS, Occurred, Refused, Told
from cosemscope.cli.capture_arguments import (
    CommandError,
    add_capture_arguments,
    add_keys_argument,
    load_keys,
    with_analysis,
)
from cosemscope.cli.terminal import show_progress, write_octets
from cosemscope.transport.primitives import Direction, ServiceUser
from cosemscope.wording import printable

DESCRIPTION = (
    "Print the service primitives of IEC 62056-4-7 that passed at both ends of each connection: "
    "the capture is replayed through the transport layer's own state machines, one an end. "
    "The initiator is who opened the connection, or sent the first datagram. Of a connection that carries "
    "no WPDUs there is its beginning and its end. With --json: stream, end "
    "(initiator or responder), time, primitive, parameters (by the standard's names, the data in words), "
    "number (of the WPDU), packet; null is for nothing."
)
#: Primitives that are made into lines at once.
_AT_ONCE = 4096
_HEADS = ("Stream", "Seconds", "Packet", "WPDU", "End", "Primitive", "Parameters")
_NUMBERS = ("Stream", "Seconds", "Packet", "WPDU")
#: Parameters that are the same in every primitive of a connection, or stand in a column of their own.
_UNSAID = ("_IP_Address", "_Port")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `primitives`."""
    add_capture_arguments(parser)
    parser.add_argument(
        "--stream", type=int, metavar="N", help="only this stream, as `sessions` numbers them"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON, one object a line")
    form.add_argument("--mermaid", action="store_true", help="a sequence diagram of one stream for Mermaid")
    add_keys_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run `cosemscope primitives`; returns the exit status."""
    return with_analysis(arguments, _primitives)


def _primitives(analysis: Analysis, arguments: argparse.Namespace) -> int:
    analysis.run()
    replay = Replay(analysis)
    streams = _streams(analysis, replay, arguments)
    words = _Words(analysis, load_keys(arguments), streams)
    if arguments.mermaid:
        print("\n".join(_diagram(analysis, replay.told(streams[0]), streams[0], words)))
        return 0
    table = AlignedColumns(_HEADS, _NUMBERS)
    for stream in streams:
        start = int(analysis.streams["first_time"][stream])
        for told in _parts(replay.told(stream)):
            if arguments.json:
                objects = [_object(one, stream, words) for one in told if isinstance(one, Occurred)]
                write_octets(b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in objects))
            else:
                cells = [_cells(one, stream, start, words) for one in told]
                print(table.lines(zip(*cells, strict=True)), end="")
    sys.stdout.flush()
    return 0


def _streams(analysis: Analysis, replay: Replay, arguments: argparse.Namespace) -> list[int]:
    """The streams to tell of. Raises CommandError where there is none, or where one must be chosen."""
    carried = replay.streams()
    if arguments.stream is not None:
        if not 0 <= arguments.stream < len(analysis.streams):
            raise CommandError(f"There is no stream {arguments.stream}; `cosemscope sessions` lists them.")
        if arguments.stream not in carried:
            raise CommandError(
                f"Stream {arguments.stream} is a UDP flow without WPDUs of IEC 62056-4-7: "
                "its ends have no primitives."
            )
        return [arguments.stream]
    if not carried:
        raise CommandError(
            f"{arguments.file}: no TCP connection, nor a UDP flow with WPDUs of IEC 62056-4-7."
        )
    if arguments.mermaid and len(carried) > 1:
        some = ", ".join(map(str, carried[:10])) + (", ..." if len(carried) > 10 else "")
        raise CommandError(f"A diagram shows one stream: name it with --stream, one of {some}.")
    return carried


def _parts(told: Iterator[Told]) -> Iterator[list[Told]]:
    while part := list(islice(told, _AT_ONCE)):
        yield part


class _Words:
    """What stands for the octets of an APDU: its line in the table, which holds no secrets, else its name."""

    def __init__(self, analysis: Analysis, keys: KeyTable, streams: list[int]) -> None:
        carried = np.isin(analysis.streams["framing"], REPLAYED)
        carried &= np.isin(np.arange(len(carried)), streams)
        rows = np.flatnonzero(carried[analysis.wpdus["stream"]])
        insights = Insights(analysis, keys)
        self._words: dict[int, str] = {}
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            asked = AskedRows(analysis, part, insights)
            texts = zip(FIELDS["apdu"].texts(asked), FIELDS["info"].texts(asked), strict=True)
            words = (info or apdu for apdu, info in texts)
            self._words.update(zip(part.tolist(), words, strict=True))
            show_progress(min(start + _AT_ONCE, len(rows)), len(rows))

    def of(self, row: int) -> str:
        """The words of a WPDU row."""
        return self._words[row]


def _parameters(one: Occurred, words: _Words) -> dict[str, object]:
    """The parameters by the standard's names; the data in words."""
    return {
        name: words.of(one.row) if name == "Data" else value.value if isinstance(value, Enum) else value
        for name, value in one.primitive.parameters()
    }


def _object(one: Occurred, stream: int, words: _Words) -> dict[str, object]:
    """A primitive for scripts: WPDU `number` and `packet` count from 1, null is for nothing."""
    return {
        "stream": stream,
        "end": ENDS[one.end],
        "time": seconds_text(one.time),
        "primitive": one.primitive.name,
        "parameters": _parameters(one, words),
        "number": one.row + 1 if one.row >= 0 else None,
        "packet": one.packet + 1,
    }


def _cells(one: Told, stream: int, start: int, words: _Words) -> tuple[str, ...]:
    """A primitive or refusal for people, a text for each head; seconds since the stream began."""
    number = str(one.row + 1) if one.row >= 0 else ""
    seconds = seconds_text(one.time - start)[:-3]
    said = (one.sentence, one.clause) if isinstance(one, Refused) else (one.primitive.name, _said(one, words))
    return (str(stream), seconds, str(one.packet + 1), number, ENDS[one.end], *said)


def _said(one: Occurred, words: _Words) -> str:
    """The parameters that tell this primitive from its like; the data last."""
    parameters = _parameters(one, words)
    about = parameters.pop("Data", None)
    told = [f"{name}={value}" for name, value in parameters.items() if not name.endswith(_UNSAID)]
    return ", ".join(told) + (f": {about}" if about is not None else "")


# --- a diagram for Mermaid, in the manner of Annex A ---

_USERS = {ServiceUser.CONNECTION_MANAGER: "M", ServiceUser.APPLICATION_LAYER: "A"}
_ESCAPED = str.maketrans({"#": "#35;", ";": "#59;"})


def _diagram(analysis: Analysis, told: Iterator[Told], stream: int, words: _Words) -> Iterator[str]:
    """The lines of a sequence diagram: manager, application layer and transport layer of each end."""
    near, far = analysis.endpoints(stream)
    yield "sequenceDiagram"
    for end, endpoint, parts in ((0, near, "MAT"), (1, far, "TAM")):
        yield f"  box {ENDS[end]} {endpoint}"
        for part in parts:
            yield f"    participant {part}{end} as {_PARTS[part]}"
        yield "  end"
    for one in told:
        yield _arrow(one, words)


_PARTS = {"M": "connection manager", "A": "application layer", "T": "transport layer"}


def _arrow(one: Told, words: _Words) -> str:
    layer = f"T{one.end}"
    if isinstance(one, Refused):
        return f"  Note over {layer}: {_escaped(one.sentence)}"
    user = f"{_USERS[one.primitive.user]}{one.end}"
    source, target = (user, layer) if one.primitive.direction is Direction.DOWN else (layer, user)
    return f"  {source}->>{target}: {_escaped(f'{one.primitive.name} {_label(one, words)}'.strip())}"


def _label(one: Occurred, words: _Words) -> str:
    """What an arrow says besides the primitive's name: the WPDU with its APDU, or results and reasons."""
    parameters = _parameters(one, words)
    if "Data" in parameters:
        return f"WPDU {one.row + 1}: {parameters['Data']}"
    told = (str(value) for name, value in parameters.items() if not name.endswith((*_UNSAID, "_wPort")))
    return ", ".join(told)


def _escaped(text: str) -> str:
    """A text of one line in which nothing is Mermaid's own."""
    return printable(text).translate(_ESCAPED)
