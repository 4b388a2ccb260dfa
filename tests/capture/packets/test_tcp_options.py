"""Time stamps in TCP's options: one header and a batch tell the same, whatever the octets are."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.packets.tcp_options import timestamp, timestamps
from cosemscope.capture.records import PADDING

STAMP = b"\x08\x0a\0\1\2\3\0\0\0\7"


@pytest.mark.parametrize(
    ("options", "value"),
    [
        (b"", 0),
        (STAMP, 0x10203),
        (b"\1\1" + STAMP, 0x10203),
        (b"\2\4\5\xb4\4\2" + STAMP + b"\1\3\3\7", 0x10203),
        (b"\0" + STAMP, 0),
        (b"\5\1" + STAMP, 0),
        (b"\1" * 30 + STAMP[:9], 0),
        (b"\1\1" + STAMP[:9], 0),
        (b"\x08\x09" + STAMP[2:], 0),
    ],
)
def test_where_a_time_stamp_stands(options: bytes, value: int) -> None:
    """Anywhere before the end of the list, whole, of its own size."""
    assert timestamp(options) == value


@given(st.lists(st.lists(st.sampled_from([b"\0", b"\1", b"\2", b"\5\4", b"\x08\x0a", STAMP]), max_size=12)))
def test_both_ways_tell_the_same(parts: list[list[bytes]]) -> None:
    """The one-header way is the measure of the other."""
    options = [b"".join(some)[:40] for some in parts]
    starts = np.cumsum([0, *map(len, options)])
    buffer = np.frombuffer(b"".join(options) + bytes(PADDING), np.uint8)
    found = timestamps(buffer, starts[:-1], starts[1:])
    assert found.tolist() == [timestamp(some) for some in options]
