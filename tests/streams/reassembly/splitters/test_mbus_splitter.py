"""M-Bus frames: APDUs joined from them, and what is no frame."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.streams.reassembly.splitters.mbus_splitter import MBusSplitter
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.wpdu_table import Mark
from tests.helpers.foreign_traffic import PUSH, mbus, mbus_apdu
from tests.helpers.made_streams import Listener, piece

LONG = PUSH[:10] + bytes(600)


def split(octets: bytes, cuts: list[int]) -> Listener:
    """Everything told of a direction that came in pieces."""
    listener = Listener(octets)
    splitter = MBusSplitter(listener, 0)
    ends = sorted({0, len(octets), *(cut % (len(octets) + 1) for cut in cuts)})
    for packet, (start, stop) in enumerate(pairwise(ends)):
        splitter.chunk(piece(start, stop, packet), packet)
    splitter.close(len(ends))
    return listener


@given(st.lists(st.integers(0, 2000), max_size=8))
def test_apdus_in_any_segments(cuts: list[int]) -> None:
    """Of one frame and of several, with short frames, acknowledgements and other frames between."""
    between = b"\x10\x40\x05\x45\x16\xe5" + mbus(b"\x72" + bytes(20))
    octets = b"".join(mbus_apdu(PUSH)) + between + b"".join(mbus_apdu(LONG, 200)) + b"".join(mbus_apdu(PUSH))
    listener = split(octets, cuts)
    assert [told[0] for told in listener.told()] == [PUSH, LONG, PUSH]
    unit = listener.units[1][0]
    assert (unit.framing, unit.apdu_tag, unit.marks) == (Framing.MBUS, PUSH[0], 0)
    assert (unit.header.source_wport, unit.header.destination_wport, unit.header.length) == (
        1,
        0x67,
        len(LONG),
    )
    assert listener.items == []


def test_octets_that_are_no_frame() -> None:
    """They are told, and the frames behind them found; a checksum that is wrong makes none."""
    frame = mbus_apdu(PUSH)[0]
    broken = frame[:-2] + bytes((frame[-2] ^ 1,)) + frame[-1:]
    listener = split(b"noise" + frame + broken + frame, [])
    assert [told[0] for told in listener.told()] == [PUSH, PUSH]
    assert {item.kind for item in listener.items} == {"skipped-octets"}
    assert sum(item.amount for item in listener.items) == 5 + len(broken)


@pytest.mark.parametrize(
    ("keep", "kept"), [([0, 2], [LONG[:200], LONG[400:600]]), ([1, 2], [LONG[200:600]]), ([0], [LONG[:200]])]
)
def test_missing_frames_cut_an_apdu(keep: list[int], kept: list[bytes]) -> None:
    """What came of it is told, cut; nothing of two APDUs is joined."""
    frames = mbus_apdu(LONG[:600], 200)
    listener = split(b"".join([*(frames[number] for number in keep), *mbus_apdu(PUSH)]), [])
    assert [told[0] for told in listener.told()] == [*kept, PUSH]
    assert [told[2] for told in listener.told()] == [*[Mark.TRUNCATED] * len(kept), 0]


def test_a_gap_ends_what_was_begun() -> None:
    """And the next frame is found behind it."""
    first, second = mbus_apdu(LONG[:400], 200)
    octets = first + bytes(10) + second + mbus_apdu(PUSH)[0]
    listener = Listener(octets)
    splitter = MBusSplitter(listener, 0)
    splitter.chunk(piece(0, len(first), 0), 0)
    splitter.gap(len(first), len(first) + 10, 1, 1)
    splitter.chunk(piece(len(first) + 10, len(octets), 1), 1)
    splitter.close(2)
    assert [told[0] for told in listener.told()] == [LONG[:200], LONG[200:400], PUSH]


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5))
def test_anything_is_split(octets: bytes, cuts: list[int]) -> None:
    """Every octet is in a frame or told, and nothing is raised."""
    for made in (octets, octets.replace(b"\0", b"\x68"), mbus_apdu(PUSH)[0] + octets):
        split(made, cuts)
