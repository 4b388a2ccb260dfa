"""Of two copies that differ the one with the right checksum stands, in whichever order they came."""

from pathlib import Path

import pytest

from cosemscope.streams.reassembly.repeats.replaced_octets import Replacement, Replacements
from cosemscope.streams.tables.wpdu_table import WpduTable
from tests.helpers.shared import shared
from tests.helpers.stream_truth import analyse, rates, troubled
from tests.helpers.troubled_wire import NUMBERINGS
from tests.helpers.wire import rows


@pytest.mark.parametrize("number", [0, 11])
def test_the_sound_copy_stands(number: int, tmp_path: Path) -> None:
    """Over IPv4 and IPv6, in WPDUs of several segments; however the capture is cut into batches."""
    path = tmp_path / "damaged"
    truth = troubled(path, "damaged first", NUMBERINGS[number], (1, 2))
    plain = analyse(path)
    told = rates(plain, truth)
    assert (told.found, told.invented) == (told.wpdus, 0)
    assert plain.statistics()["conflicts"] == len(truth.roles["damaged"])
    for one_by_one, records in ((True, 65_536), (False, 1), (False, 50)):
        other = analyse(path, one_by_one=one_by_one, records=records)
        assert rows(other) == rows(plain)
        for name in plain.first_look.names:
            assert other.first_look[name].tolist() == plain.first_look[name].tolist(), name


def test_a_captured_one() -> None:
    """The WPDU whose segment was damaged is that of the sound copy: nothing in it is told as wrong."""
    analysis = analyse(shared("cases/streams/bad-checksum-first.pcap"))
    assert analysis.statistics()["wpdus"] == 10
    damaged, sound = 11, 12
    packets = [analysis.packets_of(row).tolist() for row in range(len(analysis.wpdus))]
    assert any(sound in some for some in packets)
    assert not any(damaged in some for some in packets)


def test_without_a_right_checksum_the_first_stands(tmp_path: Path) -> None:
    """Where the sender's card makes the checksums, none is right in the capture: nothing is told by them."""
    truth = troubled(tmp_path / "x", "other octets", NUMBERINGS[0], [1])
    told = rates(analyse(tmp_path / "x"), truth)
    assert (told.found, told.invented) == (told.wpdus, 0)


#: A damaged WPDU of 8 and 2 octets at 10, its sound copy at 60; the same with another length, and cut.
_FILE = bytearray(200)
_DAMAGED, _SOUND = bytes.fromhex("0001ffffffff0002 ffff"), bytes.fromhex("000100100001 0002 c001")


def _read(address: int, length: int) -> bytes:
    return bytes(_FILE[address : address + length])


def _replacement(sound: bytes = _SOUND, **others: int) -> Replacement:
    _FILE[10:20], _FILE[60:160] = _DAMAGED, sound.ljust(100, b"\0")
    given = {"stream": 3, "packet": 5, "address": 10, "length": 10, "other": 7, "time": 900, "by": 50}
    return Replacement(**(given | others), read=_read)


def _row(wpdus: WpduTable, **others: int) -> dict[str, int]:
    """A row of the damaged WPDU, in one segment unless told otherwise; what is given, with the rest."""
    row = {"stream": 3, "first_packet": 5, "last_packet": 5, "segments": 1, "address": 10, "size": 10}
    row |= {"source_wport": 0xFFFF, "destination_wport": 0xFFFF, "length": 2, "apdu_tag": 0xFF, "time": 100}
    wpdus.append(**(row | others))
    return row | others


def test_a_row_in_one_segment() -> None:
    """Place, packets, times, header and tag become those of the sound copy."""
    wpdus = WpduTable()
    _row(wpdus)
    assert _replacement().apply(wpdus, 0) == [0]
    names = ("address", "first_packet", "last_packet", "first_time", "time")
    assert [int(wpdus[name][0]) for name in names] == [60, 7, 7, 900, 900]
    names = ("source_wport", "destination_wport", "apdu_tag", "length")
    assert [int(wpdus[name][0]) for name in names] == [16, 1, 0xC0, 2]


@pytest.mark.parametrize(
    ("packets", "places", "changed", "first", "last", "time"),
    [
        ([5, 6], [10, 30], True, 6, 7, 900),
        ([4, 5], [30, 19], True, 4, 7, 900),
        ([4, 5], [30, 20], False, 4, 5, 100),
        ([4, 5], [30, 9], False, 4, 5, 100),
        ([4, 6], [10, 15], False, 4, 6, 100),
    ],
)
def test_a_row_in_several_segments(
    packets: list[int], places: list[int], changed: bool, first: int, last: int, time: int
) -> None:
    """Only pieces of that packet that begin in the damaged octets give way; the latest time is the row's."""
    wpdus = WpduTable()
    wpdus.extents.extend(2, address=places, length=[8, 2], packet=packets)
    _row(wpdus, address=-1, segments=2, first_packet=min(packets), last_packet=max(packets))
    assert _replacement().apply(wpdus, 0) == [0] * changed
    names = ("first_packet", "last_packet", "time")
    assert [int(wpdus[name][0]) for name in names] == [first, last, time]
    moved = [
        place + 50 if packet == 5 and changed else place
        for packet, place in zip(packets, places, strict=True)
    ]
    assert wpdus.extents["address"][:2].tolist() == moved


@pytest.mark.parametrize(
    "others", [{"stream": 4}, {"packet": 6}, {"packet": 4}, {"address": 11}, {"length": 0}]
)
def test_rows_of_other_segments_stay(others: dict[str, int]) -> None:
    """Another stream, a packet before or behind, octets that begin elsewhere."""
    wpdus = WpduTable()
    _row(wpdus)
    assert _replacement(**others).apply(wpdus, 0) == []
    assert int(wpdus["address"][0]) == 10
    assert _replacement().apply(wpdus, 1) == []


@pytest.mark.parametrize("size", [4, 8, 9, 10])
@pytest.mark.parametrize("length", [2, 3])
def test_headers_that_do_not_fit_the_row_are_not_believed(size: int, length: int) -> None:
    """A row of too few octets has none, one of a header alone no tag; the length must be its own."""
    wpdus = WpduTable()
    _row(wpdus, size=size)
    sound = _SOUND[:7] + bytes((length,)) + _SOUND[8:]
    assert _replacement(sound).apply(wpdus, 0) == [0]
    read = size > 8 and length == 2
    assert int(wpdus["source_wport"][0]) == (16 if read else 0xFFFF)
    assert int(wpdus["apdu_tag"][0]) == (0xC0 if read else 0xFF)


def test_replacements_wait_for_rows() -> None:
    """Those of rows that come later are applied then, each row once."""
    wpdus = WpduTable()
    found = Replacements(wpdus)
    found.add(_replacement())
    assert found.apply() == []
    _row(wpdus)
    assert found.apply() == [0]
    assert found.apply() == []
    _row(wpdus)
    found.add(_replacement(packet=9))
    assert found.apply() == [1]
