"""The sink of splitters: units become WPDU rows, faults expert items, frames are counted.

One class serves both directions of TCP streams and UDP flows, whatever framing they have.
"""

from cosemscope.streams.payload import PayloadSource
from cosemscope.streams.reassembly.row_collector import Output
from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.stream_table import StreamTable
from cosemscope.streams.tables.expert_items import ItemKind


class UnitSink:
    """The `UnitListener` of side `side` (0 or 1) of a flow that carries the stream `stream`.

    Spans of items count from the octet `base` of what the splitter takes: the beginning of a datagram.
    """

    __slots__ = ("_output", "_side", "_source", "_stream", "_streams", "base")

    def __init__(
        self, stream: int, side: int, streams: StreamTable, source: PayloadSource, output: Output
    ) -> None:
        self._stream = stream
        self._side = side
        self._streams = streams
        self._source = source
        self._output = output
        self.base = 0

    def unit(self, unit: Unit, trigger: int) -> None:
        """A unit became known at packet `trigger`."""
        self._output.add_unit(self._stream, self._side, unit, trigger)

    def found(self, kind: ItemKind, packet: int, start: int, amount: int, stop: int | None = None) -> None:
        """Something is wrong from `start` to `stop` (if not given: `amount` octets) of the direction."""
        stop = start + amount if stop is None else stop
        base = self.base
        self._output.find(kind, self._stream, self._side, packet, start - base, amount, stop - base)

    def frames(self, count: int) -> None:
        """So many more HDLC frames have a right check sequence."""
        self._streams["frames"][self._stream] += count

    def read(self, address: int, length: int) -> bytes:
        """Octets of the capture."""
        return self._source.octets(address, length)
