"""The fleet's table of sessions: a row a TCP connection or UDP flow, what it carried and what it came to."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from cosemscope.analysis.fields.registry import FIELDS
from cosemscope.analysis.fields.value_arrays import Array, Coded, Values, coded, object_array
from cosemscope.analysis.fields.value_types import (
    ADDRESS,
    Address,
    Duration,
    Instant,
    Integer,
    Text,
    ValueType,
)
from cosemscope.analysis.fleet.rows.arrow_columns import ColumnForm
from cosemscope.analysis.fleet.rows.fleet_columns import FleetColumn, FleetTable, meant_as
from cosemscope.analysis.fleet.rows.taken_capture import KEY, FleetRows, TakenCapture
from cosemscope.analysis.outcomes.cause_sentences import CauseSentences


class SessionRows(FleetRows):
    """The streams of a capture."""

    def __init__(self, taken: TakenCapture) -> None:
        super().__init__(taken, len(taken.analysis.streams))

    def column(self, name: str) -> Array:
        """A column of the stream table."""
        return self.taken.analysis.streams[name][: self.count]

    def end(self, *, side: Array, port: bool) -> Coded:
        """The addresses of these sides of the streams, 0 the initiator; family 0 where the side is -1."""
        side = np.asarray(side)
        of_flow = self.column("client_side") ^ (side > 0)
        codes, used = coded(np.where(side < 0, -1, self.column("flow").astype(np.int64) * 2 + of_flow))
        ends, flows = np.zeros(len(used), ADDRESS), self.taken.analysis.flows
        for number, letter in enumerate("ab"):
            at = np.flatnonzero((used % 2 == number) & (used >= 0))
            flow = used[at] // 2
            ends["family"][at] = flows["family"][flow]
            for part in ("high", "low", "port") if port else ("high", "low"):
                ends[part][at] = flows[f"{letter}_{part}"][flow]
        texts = Address(port=port).texts(ends)
        there = ends["family"].tolist()
        return Coded(
            codes, object_array([text if one else None for text, one in zip(texts, there, strict=True)])
        )

    @cached_property
    def meters(self) -> Coded:
        """The address of each stream's DLMS server, None where nobody knows it."""
        client = self.taken.facts.outcomes.client_side
        return self.end(side=np.where(client < 0, -1, 1 - client), port=False)

    @cached_property
    def causes(self) -> Array:
        """The sentence on each stream's outcome, None where there is none."""
        sentences = CauseSentences(self.taken.analysis, self.taken.facts)
        return object_array([sentences.sentence(stream) or None for stream in range(self.count)])


def _of_stream(name: str, form: ColumnForm, field: str, column: str) -> FleetColumn[SessionRows]:
    return FleetColumn(
        name, form, FIELDS[field].type, meant_as(field), lambda rows: rows.column(column), field
    )


def _outcome(
    name: str, form: ColumnForm, kind: ValueType, meaning: str, field: str = ""
) -> FleetColumn[SessionRows]:
    def values(rows: SessionRows) -> Values:
        found: Array = getattr(rows.taken.facts.outcomes, name)
        return found

    return FleetColumn(name, form, kind, meaning, values, field)


def _side(side: int) -> Callable[[SessionRows], Values]:
    return lambda rows: rows.end(side=np.full(rows.count, side), port=True)


def _offset(rows: SessionRows) -> Values:
    offset: Array = rows.taken.analysis.packets["offset"][rows.column("first_packet")]
    return offset


_COUNTS = {
    "packets": "packets",
    "wpdus": "wpdus",
    "octets": "octets",
    "retransmissions": "retransmissions",
    "out_of_order": "out_of_order",
    "missing": "missing_octets",
    "skipped": "skipped_octets",
}

SESSIONS: FleetTable[SessionRows] = FleetTable(
    "sessions",
    "a TCP connection or UDP flow",
    (
        KEY,
        FleetColumn(
            "stream",
            ColumnForm.COUNT,
            Integer(),
            meant_as("stream"),
            lambda rows: np.arange(rows.count),
            "stream",
        ),
        _of_stream("time", ColumnForm.INSTANT, "stream.first_time", "first_time"),
        FleetColumn(
            "last_time",
            ColumnForm.INSTANT,
            Instant(),
            "When the stream's last packet was captured",
            lambda rows: rows.column("last_time"),
        ),
        FleetColumn("meter", ColumnForm.TEXT, Text(), meant_as("meter"), lambda rows: rows.meters, "meter"),
        FleetColumn("initiator", ColumnForm.TEXT, Text(), "IP address and port of who opened it", _side(0)),
        FleetColumn("responder", ColumnForm.TEXT, Text(), "IP address and port of the other side", _side(1)),
        _of_stream("protocol", ColumnForm.TEXT, "protocol", "protocol"),
        _of_stream("framing", ColumnForm.TEXT, "wpdu.framing", "framing"),
        _of_stream("start_seen", ColumnForm.FLAG, "stream.start_seen", "start_seen"),
        _of_stream("ended", ColumnForm.FLAG, "stream.ended", "ended"),
        *(_of_stream(name, ColumnForm.NUMBER, f"stream.{name}", column) for name, column in _COUNTS.items()),
        FleetColumn(
            "handshake",
            ColumnForm.MICROSECONDS,
            Duration(none=-1),
            "Round trip of TCP's handshake",
            lambda rows: rows.column("rtt"),
        ),
        _outcome("exchanges", ColumnForm.COUNT, Integer(), "Exchanges in it"),
        _outcome("errors", ColumnForm.COUNT, Integer(), "Exchanges in it that were answered with an error"),
        _outcome("unanswered", ColumnForm.COUNT, Integer(), "Requests in it that nobody answered"),
        _outcome(
            "outcome",
            ColumnForm.TEXT,
            FIELDS["stream.outcome"].type,
            meant_as("stream.outcome"),
            "stream.outcome",
        ),
        FleetColumn(
            "cause",
            ColumnForm.TEXT,
            Text(),
            meant_as("stream.cause"),
            lambda rows: rows.causes,
            "stream.cause",
        ),
        FleetColumn(
            "cause_packet",
            ColumnForm.COUNT,
            Integer(none=0),
            meant_as("stream.cause_packet"),
            lambda rows: rows.taken.facts.outcomes.packet + 1,
            "stream.cause_packet",
        ),
        FleetColumn(
            "packet",
            ColumnForm.COUNT,
            Integer(),
            "Number of its first packet in the capture, from 1",
            lambda rows: rows.column("first_packet").astype(np.int64) + 1,
        ),
        FleetColumn(
            "file_offset", ColumnForm.NUMBER, Integer(), "Where that packet lies in the capture file", _offset
        ),
    ),
    lambda rows: rows.column("first_time"),
)
