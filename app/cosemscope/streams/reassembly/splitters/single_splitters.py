"""Splitters of framings with one unit a segment: bare APDUs, IEC 61334-4-32, and nothing at all."""

from cosemscope.streams.reassembly.reassembler import Segment
from cosemscope.streams.reassembly.splitters.splitter import Unit, UnitListener
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from cosemscope.transport.wpdu import WpduHeader


class BareSplitter:
    """APDUs without a header, one a segment."""

    clean = False

    def __init__(self, listener: UnitListener) -> None:
        self._listener = listener

    def chunk(self, segment: Segment, trigger: int) -> None:
        """One APDU."""
        tag = self._listener.read(segment.address, 1)[0]
        length = segment.stop - segment.start
        marks = Mark.TRUNCATED if segment.captured < length else Mark(0)
        header = WpduHeader(0, 0, 0, length)
        self._listener.unit(
            Unit(header, tag, segment.captured, int(marks), (segment,), Framing.BARE), trigger
        )

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """APDUs are missing."""

    def close(self, packet: int) -> None:
        """Nothing is pending."""


class LlcSplitter:
    """Data units of IEC 61334-4-32, one a segment or datagram: control, two LSAPs, an APDU."""

    clean = False
    _HEADER = 3

    def __init__(self, listener: UnitListener) -> None:
        self._listener = listener

    def chunk(self, segment: Segment, trigger: int) -> None:
        """One data unit."""
        octets = self._listener.read(segment.address, min(segment.captured, self._HEADER + 1))
        if len(octets) <= self._HEADER:
            return
        length = segment.stop - segment.start
        marks = Mark.TRUNCATED if segment.captured < length else Mark(0)
        header = WpduHeader(0, octets[2], octets[1], length - self._HEADER)
        self._listener.unit(
            Unit(header, octets[3], segment.captured, int(marks), (segment,), Framing.IEC_61334_4_32), trigger
        )

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Data units are missing."""

    def close(self, packet: int) -> None:
        """Nothing is pending."""


class NoSplitter:
    """Streams that are no DLMS, or whose framing has no units: octets are put in order, and that is all."""

    clean = True

    def chunk(self, segment: Segment, trigger: int) -> None:
        """Nothing to do."""

    def gap(self, start: int, stop: int, packet: int, trigger: int) -> None:
        """Nothing to do."""

    def close(self, packet: int) -> None:
        """Nothing to do."""
