"""A packet walk over made packets, whose sequence numbers are offsets: bases are 0, and known."""

from cosemscope.streams.reassembly.conflicts import ConflictFinder
from cosemscope.streams.reassembly.halves import Halves
from cosemscope.streams.reassembly.packet_walk import PacketWalk
from cosemscope.streams.reassembly.recognising.reopening import WentBy
from cosemscope.streams.reassembly.sent_order import SenderPasts
from cosemscope.streams.tables.framing import Framing
from tests.helpers.made_streams import Made


class Walked:
    """A walk, the packets that it takes, and the halves that it keeps."""

    def __init__(self, made: Made, framing: Framing, *, trusted: bool) -> None:
        self.made = made
        made.streams["framing"][:] = framing
        self.halves = Halves()
        self.halves.grow(len(made.streams))
        self.halves["known"][:] = True
        self.halves["trusted"][:] = trusted
        self.finder = finder = ConflictFinder(made.packets, made.packet_streams, made.source, made.output)
        history = WentBy(made.packets, made.packet_streams)
        pasts = SenderPasts(made.packets, made.packet_streams)
        self.walk = PacketWalk(self.halves, made.streams, made.source, made.output, finder, history, pasts)

    def every(self, stream: int = 0) -> tuple[int, int]:
        """All packets of a stream, whatever its halves are."""
        return self.walk.walk_stream(self.made.batch, stream, one_by_one=True)

    def flush(self) -> None:
        """Look at what came again, and put what was found into the tables, as at the end of a batch."""
        self.finder.look(self.made.batch.rows)
        self.made.flush()

    def told(self) -> list[bytes]:
        """The octets of the rows so far."""
        self.flush()
        return self.made.contents()
