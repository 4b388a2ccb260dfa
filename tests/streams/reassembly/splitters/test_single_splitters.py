"""One unit a segment: bare APDUs and data units of IEC 61334-4-32; and streams that have no units."""

import pytest

from cosemscope.streams.reassembly.splitters.single_splitters import BareSplitter, LlcSplitter, NoSplitter
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.made_streams import Listener, piece

APDU = bytes.fromhex("c001c100030100010800ff0200")


def test_each_segment_is_a_bare_apdu() -> None:
    """Its first octet is the tag, all of it the length; there are no wPorts."""
    listener = Listener(APDU + b"\xc4\x01")
    splitter = BareSplitter(listener)
    splitter.chunk(piece(0, 13, 3), 4)
    splitter.gap(13, 13, 5, 5)
    splitter.chunk(piece(13, 15, 6), 7)
    splitter.close(8)
    assert listener.told() == [(APDU, 0xC0, 0, 4), (b"\xc4\x01", 0xC4, 0, 7)]
    assert [unit.header for unit, _ in listener.units] == [(0, 0, 0, 13), (0, 0, 0, 2)]
    assert {unit.framing for unit, _ in listener.units} == {Framing.BARE}
    assert not splitter.clean


def test_a_data_unit_has_its_lsaps_for_wports() -> None:
    """Control, destination LSAP, source LSAP; the APDU's length goes without them."""
    listener = Listener(b"\x90\x01\x10" + APDU)
    LlcSplitter(listener).chunk(piece(0, 16, 3), 4)
    assert listener.told() == [(b"\x90\x01\x10" + APDU, 0xC0, 0, 4)]
    assert listener.units[0][0].header == (0, 0x10, 1, 13)
    assert listener.units[0][0].framing is Framing.IEC_61334_4_32


@pytest.mark.parametrize("length", [1, 3])
def test_a_data_unit_without_an_apdu_is_none(length: int) -> None:
    """A header alone tells nothing."""
    listener = Listener(b"\x90\x01\x10"[:length])
    LlcSplitter(listener).chunk(piece(0, length, 0), 0)
    assert not listener.units


@pytest.mark.parametrize(("make", "captured"), [(BareSplitter, 5), (LlcSplitter, 4)])
def test_what_the_snap_length_cut_is_truncated(make, captured: int) -> None:
    """The length is that on the wire, the size what is there."""
    listener = Listener(b"\x90\x01\x10\xc0\x01" + bytes(11))
    make(listener).chunk(piece(0, 16, 1, captured=captured), 1)
    ((unit, _),) = listener.units
    assert (unit.size, unit.marks) == (captured, int(Mark.TRUNCATED))
    assert unit.header.length == (16 if make is BareSplitter else 13)


def test_other_streams_have_no_units() -> None:
    """Their octets are put in order, and that is all: nothing is ever pending."""
    splitter = NoSplitter()
    splitter.chunk(piece(0, 5, 0), 0)
    splitter.gap(5, 9, 1, 1)
    splitter.close(2)
    assert splitter.clean
