"""Guessed chains of records are the chains that a walk finds, whatever the octets look like."""

import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.capture.files.pcap import PcapWalk
from cosemscope.capture.records import OctetWindow
from tests.helpers.files import pcap

SECONDS = st.sampled_from([0x65010000, 0x6501FFFF, 0x65020000, 0x00000001, 0xFFFFFFFF])


@given(
    records=st.lists(
        st.tuples(SECONDS, st.integers(0, 40), st.sampled_from([b"\x01\x65", b"\x65\x01", b"\0", b"\xff"])),
        max_size=60,
    ),
    order=st.sampled_from("<>"),
    limit=st.integers(1, 70),
    behind=st.binary(max_size=20),
)
def test_guessed_records_are_the_walked_ones(records, order, limit, behind):
    """Protects against records lost or invented where captured octets look like the head of a record."""
    octets = b"".join(
        struct.pack(order + "4I", seconds, 0, length, length) + (fill * length)[:length]
        for seconds, length, fill in records
    )
    octets += behind
    window = OctetWindow(24, len(octets))
    window.buffer[: len(octets)] = np.frombuffer(octets, np.uint8)
    window.fill(len(octets))
    walk = PcapWalk(pcap([], order=order)[:24], [], [])
    guessed, stop = walk._places(window, 0, limit)
    walked, end = walk._one_by_one(window, 0, limit)
    assert guessed.tolist() == walked.tolist()
    assert stop == end
