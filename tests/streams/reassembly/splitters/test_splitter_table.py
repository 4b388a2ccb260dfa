"""Which framing is split how, and where the octets of use are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.splitters.coap_splitter import CoapSplitter
from cosemscope.streams.reassembly.splitters.hdlc_splitter import HdlcSplitter
from cosemscope.streams.reassembly.splitters.mbus_splitter import MBusSplitter
from cosemscope.streams.reassembly.splitters.single_splitters import BareSplitter, LlcSplitter, NoSplitter
from cosemscope.streams.reassembly.splitters.splitter import Trail
from cosemscope.streams.reassembly.splitters.splitter_table import splitter_for
from cosemscope.streams.reassembly.splitters.wrapper_splitter import WrapperSplitter
from cosemscope.streams.tables.framing import Framing
from tests.helpers.made_streams import ADDRESS, Listener, piece
from tests.helpers.wire import get_request

SPLITTER = {
    Framing.WRAPPER: WrapperSplitter,
    Framing.SWAPPED: WrapperSplitter,
    Framing.HDLC: HdlcSplitter,
    Framing.BARE: BareSplitter,
    Framing.IEC_61334_4_32: LlcSplitter,
    Framing.MBUS: MBusSplitter,
    Framing.COAP: CoapSplitter,
}


@pytest.mark.parametrize("framing", Framing)
def test_every_framing_has_its_splitter(framing: Framing) -> None:
    """Those that carry no units have the one that does nothing."""
    assert type(splitter_for(framing, Listener(b""), 0, trusted=True)) is SPLITTER.get(framing, NoSplitter)


@pytest.mark.parametrize("framing", [Framing.WRAPPER, Framing.SWAPPED])
@pytest.mark.parametrize("trusted", [False, True])
def test_start_and_trust_are_handed_on(framing: Framing, trusted: bool) -> None:
    """A header that nobody would believe begins a WPDU only where the start is trusted."""
    header = bytes.fromhex("0001000100100002" if framing is Framing.WRAPPER else "0100010010000200")
    octets = b"?" * 30 + header + b"\x54\x54" + b"?"
    listener = Listener(octets)
    splitter_for(framing, listener, 30, trusted=trusted).chunk(piece(30, 41, 0), 0)
    assert [(unit.framing, unit.header) for unit, _ in listener.units] == [(framing, (1, 1, 16, 2))] * trusted


def test_an_untrusted_start_is_searched() -> None:
    """Octets before the first header are skipped, counted from the start that was given."""
    octets = b"?" * 33 + get_request(1)
    listener = Listener(octets)
    splitter_for(Framing.WRAPPER, listener, 30, trusted=False).chunk(piece(30, len(octets), 0), 0)
    assert [told[0] for told in listener.told()] == [get_request(1)]
    assert [(one.start, one.stop) for one in listener.items] == [(30, 33)]


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=8),
    forget=st.integers(0, 40),
    span=st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_a_trail_gives_the_pieces_of_any_octets(
    lengths: list[tuple[int, int]], forget: int, span: tuple[int, int]
) -> None:
    """Octet by octet: each that was captured and not forgotten lies where its piece says."""
    trail, owner, at = Trail(), {}, 0
    stops = []
    for packet, (length, captured) in enumerate(lengths):
        captured = min(length, captured)
        trail.add(piece(at, at + length, packet, captured=captured))
        owner |= {at + octet: packet for octet in range(captured)}
        at += length
        stops.append(at)
    trail.forget(forget)
    kept = [packet for packet, stop in enumerate(stops) if stop > forget]
    start, stop = min(span), max(span)
    found = {
        octet: one.packet
        for one in trail.cut(start, stop)
        for octet in range(one.start, one.start + one.captured)
        if one.address == ADDRESS + one.start
    }
    assert found == {octet: one for octet, one in owner.items() if start <= octet < stop and one in kept}
    assert trail.stops == {stops[packet] for packet in kept}
    assert trail.starts == {stops[packet] - lengths[packet][0] for packet in kept}
    holder = [packet for packet in kept if stops[packet] > start]
    assert trail.packet_at(start, -7) == (holder[0] if holder else -7)
