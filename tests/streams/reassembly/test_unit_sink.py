"""One sink for TCP and UDP: units, items, frames and octets of one direction go where they belong."""

from cosemscope.streams.reassembly.splitters.splitter import Unit
from cosemscope.streams.reassembly.unit_sink import UnitSink
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.stream_kinds import CUT_FRAME, SKIPPED
from cosemscope.transport.wpdu import WpduHeader
from tests.helpers.made_streams import BASE, Made, Sent, piece


def test_everything_goes_to_its_stream_and_side() -> None:
    """Seen from the client; frames are counted, octets are those of the capture."""
    made = Made([Sent(b"abc"), Sent(b"defg", stream=1)], client_sides=(0, 1))
    sink = UnitSink(1, 1, made.streams, made.source, made.output)
    sink.unit(Unit(WpduHeader(1, 2, 3, 4), 0xC0, 12, 0, (piece(0, 12, 1),), Framing.WRAPPER), 1)
    sink.found(SKIPPED, 1, 10, 5)
    sink.frames(2)
    sink.frames(3)
    made.flush()
    assert made.told("stream", "direction", "source_wport") == [(1, 0, 2)]
    assert made.found() == [("skipped-octets", 1, 0, 1, 10, 5)]
    assert made.streams["frames"].tolist() == [0, 5]
    assert sink.read(BASE + 2, 3) == b"cde"


def test_spans_count_from_the_base() -> None:
    """Of a datagram, whose octets the splitter counts on from those before it."""
    made = Made([Sent(b"abc")])
    sink = UnitSink(0, 0, made.streams, made.source, made.output)
    sink.base = 100
    sink.found(CUT_FRAME, 0, 110, 7, 115)
    sink.found(SKIPPED, 0, 110, 7)
    made.flush()
    assert list(zip(made.items["start"].tolist(), made.items["stop"].tolist(), strict=True)) == [
        (10, 15),
        (10, 17),
    ]
