"""Lines of WPDU rows, as `list` prints them: text for people, or JSON objects for scripts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from cosemscope.analysis.associations.insights import Insight, Insights
from cosemscope.analysis.engine import Analysis
from cosemscope.analysis.keys.key_table import KeyTable
from cosemscope.analysis.sessions.session_tree import protocol_name
from cosemscope.apdu.names.tags import apdu_name
from cosemscope.cli.times import Clock, epoch_seconds
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark

_TRUNCATED = int(Mark.TRUNCATED)


class Lines(ABC):
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
        "framing",
    )

    def __init__(self, analysis: Analysis, keys: KeyTable, *, truncated: bool) -> None:
        self.analysis = analysis
        self.left_out = 0
        self._insights = Insights(analysis, keys)
        self._truncated = truncated
        self._ends: dict[tuple[int, int], tuple[str, str]] = {}
        self._names: dict[int, str] = {}
        self._protocol: dict[int, str] = {}

    def lines(self, start: int, stop: int) -> Iterator[str]:
        """A line, with its end, for each of these rows, which are to be asked for in order.

        WPDUs that lack octets are left out, and counted, unless `truncated`.
        """
        wpdus, rows = self.analysis.wpdus, slice(start, stop)
        columns = zip(*(wpdus[name][rows].tolist() for name in self._columns), strict=True)
        marks = wpdus["marks"][rows].tolist()
        insights = self._insights.rows(start, stop)
        for row, (mark, values, insight) in enumerate(zip(marks, columns, insights, strict=True), start):
            if mark & _TRUNCATED and not self._truncated:
                self.left_out += 1
            else:
                yield self.line(row, insight, *values)

    @abstractmethod
    def line(self, row: int, insight: Insight, *values: Any) -> str:
        """The line of one row; `values` in the order of `_columns`."""

    def ends(self, stream: int, direction: int) -> tuple[str, str]:
        """Source and destination of a WPDU."""
        key = stream, direction
        if key not in self._ends:
            client, server = (str(end) for end in self.analysis.endpoints(stream))
            self._ends[key] = (server, client) if direction else (client, server)
        return self._ends[key]

    def apdu(self, tag: int) -> str:
        """The name of an APDU, "" where there is none."""
        if tag not in self._names:
            self._names[tag] = apdu_name(tag) if tag >= 0 else ""
        return self._names[tag]


class JsonLines(Lines):
    """JSON objects; what does not apply is null."""

    def line(self, row: int, insight: Insight, *values: Any) -> str:
        """Addresses, names and words of the standard hold nothing that JSON would have to escape."""
        (
            time,
            stream,
            direction,
            source_wport,
            destination_wport,
            version,
            length,
            tag,
            segments,
            first,
            framing,
        ) = values
        source, destination = self.ends(stream, direction)
        packets = str(first + 1)
        if segments > 1:
            numbers = self._packets(row)
            packets, segments = ", ".join(str(packet + 1) for packet in numbers), len(numbers)
        return (
            f'{{"number": {row + 1}, "time": "{epoch_seconds(time)}", "source": "{source}", '
            f'"destination": "{destination}", "protocol": "{self._protocol_of(stream)}", "stream": {stream}, '
            f'"framing": "{_FRAMINGS[framing]}", "source_wport": {source_wport}, '
            f'"destination_wport": {destination_wport}, "version": {version}, "length": {length}, '
            f'"apdu_tag": {tag if tag >= 0 else "null"}, "apdu": "{self.apdu(tag)}", "packets": [{packets}], '
            f'"segments": {segments}, {_insight_json(insight)}}}\n'
        )

    def _packets(self, row: int) -> list[int]:
        packets: list[int] = self.analysis.packets_of(row).tolist()
        return packets

    def _protocol_of(self, stream: int) -> str:
        if stream not in self._protocol:
            self._protocol[stream] = protocol_name(int(self.analysis.streams["protocol"][stream]))
        return self._protocol[stream]


_FRAMINGS = {int(framing): framing.word for framing in Framing}


def _insight_json(insight: Insight) -> str:
    """The part of a JSON object that an insight makes."""
    info, invoke_id, class_id, obis, attribute, result, security, inner = insight
    return (
        f'"info": {quoted(info)}, "invoke_id": {_number(invoke_id)}, "class_id": {_number(class_id)}, '
        f'"obis": {_word(obis)}, "attribute": {_number(attribute)}, "result": {_word(result)}, '
        f'"security": "{security}", "inner": {_word(inner)}'
    )


def _number(number: int | None) -> str:
    return "null" if number is None else str(number)


def _word(word: str | None) -> str:
    return "null" if word is None else f'"{word}"'


class TextLines(Lines):
    """Aligned columns."""

    def __init__(self, analysis: Analysis, keys: KeyTable, *, truncated: bool) -> None:
        super().__init__(analysis, keys, truncated=truncated)
        self._width = 21  # an IPv4 address and port; wider once a longer one came
        self._clock = Clock()

    def line(self, row: int, insight: Insight, *values: Any) -> str:
        """Number, time, from whom to whom, wPorts, octets, segments, APDU, security, what it is about."""
        time, stream, direction, source_wport, destination_wport, _, length, tag, segments, *_ = values
        source, destination = self.ends(stream, direction)
        self._width = width = max(self._width, len(source), len(destination))
        return (
            f"{row + 1:>7}  {self._clock.text(time)}  {source:<{width}} > {destination:<{width}}  "
            f"{source_wport:>5} > {destination_wport:<5}  {length:>5} octets  {segments:>2} seg  "
            f"{self.apdu(tag):<19}  {insight.security:<8}  {insight.info}\n"
        )
