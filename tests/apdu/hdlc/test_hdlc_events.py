"""Frames are found behind noise and without their first flag, and what is none is told truthfully."""

import pytest

from cosemscope.apdu.hdlc.hdlc_events import bare_size, hdlc_events, holds_frames, skipped_words
from cosemscope.apdu.hdlc.hdlc_frames import FrameReceived

_SNRM = bytes.fromhex("7ea0070321930f017e")


def _frames(octets: bytes) -> list[tuple[int, int]]:
    return [(event.start, event.stop) for event in hdlc_events(octets) if isinstance(event, FrameReceived)]


@pytest.mark.parametrize(
    ("octets", "places"),
    [
        (_SNRM, [(0, 9)]),
        (_SNRM[1:], [(-1, 8)]),
        (_SNRM[1:-1], [(-1, 7)]),
        (_SNRM[1:] + _SNRM, [(-1, 8), (8, 17)]),
        (_SNRM[1:] + _SNRM[1:], [(-1, 8), (7, 16)]),
        (b"\x00\x0a" + _SNRM, [(2, 11)]),
        (_SNRM[1:-2] + b"\x00\x7e", []),
    ],
)
def test_where_frames_stand(octets: bytes, places: list[tuple[int, int]]) -> None:
    """A frame without its first flag is believed by its check sequence alone; others follow it."""
    assert _frames(octets) == places
    assert holds_frames(octets) is bool(places)
    assert bool(bare_size(octets)) is bool(places and places[0][0] < 0)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        ("01020304", "expected a flag (7E) at offset 5, found 01020304; 4 octets belong"),
        ("00", "1 octet belongs to no frame"),
        ("1040014116", "a short frame of M-Bus; 5 octets"),
        ("1040014216", "found 10400142; 5 octets"),
        ("7e1320", "behind the flag at offset 5, found 13: noise, or another parity or speed; 3 octets"),
        ("7ea1e941", "the flag at offset 5 and a length of 489 octets begin no frame"),
        ("7e", "behind the flag at offset 5; 1 octet belongs"),
    ],
)
def test_what_is_no_frame_is_told_by_its_beginning(octets: str, words: str) -> None:
    """No sentence expects what stands there."""
    assert words in skipped_words(bytes.fromhex(octets), 5)
