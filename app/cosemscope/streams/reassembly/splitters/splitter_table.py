"""The table of splitters: one for each framing."""

from collections.abc import Callable

from cosemscope.streams.reassembly.splitters.coap_splitter import CoapSplitter
from cosemscope.streams.reassembly.splitters.hdlc_splitter import HdlcSplitter
from cosemscope.streams.reassembly.splitters.mbus_splitter import MBusSplitter
from cosemscope.streams.reassembly.splitters.single_splitters import BareSplitter, LlcSplitter, NoSplitter
from cosemscope.streams.reassembly.splitters.splitter import Splitter, UnitListener
from cosemscope.streams.reassembly.splitters.wrapper_splitter import WrapperSplitter
from cosemscope.streams.tables.framing import Framing

#: The splitter of each framing: of the listener, the first octet's offset, and whether that begins a unit.
SPLITTERS: dict[Framing, Callable[[UnitListener, int, bool], Splitter]] = {
    Framing.WRAPPER: lambda listener, start, trusted: WrapperSplitter(listener, start, trusted=trusted),
    Framing.SWAPPED: lambda listener, start, trusted: WrapperSplitter(
        listener, start, trusted=trusted, swapped=True
    ),
    Framing.HDLC: lambda listener, start, trusted: HdlcSplitter(listener, start),
    Framing.IEC_61334_4_32: lambda listener, start, trusted: LlcSplitter(listener),
    Framing.MBUS: lambda listener, start, trusted: MBusSplitter(listener, start),
    Framing.COAP: lambda listener, start, trusted: CoapSplitter(listener, start),
    Framing.BARE: lambda listener, start, trusted: BareSplitter(listener),
}


def splitter_for(framing: Framing, listener: UnitListener, start: int, *, trusted: bool) -> Splitter:
    """A splitter for one direction of a stream of this framing, from offset `start` on."""
    make = SPLITTERS.get(framing)
    return make(listener, start, trusted) if make else NoSplitter()
