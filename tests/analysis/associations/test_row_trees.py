"""Trees by framing: the same APDU with any header, or none, is found and decoded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosemscope.analysis.associations.row_trees import decode_framed
from cosemscope.apdu.fields import first
from cosemscope.streams.tables.framing import Framing
from cosemscope.streams.tables.row_apdus import apdu_octets
from tests.helpers import traffic_apdus as a
from tests.helpers.apdu_checks import check_tree

APDU = a.get_request(0xC1, 3, "1.0.1.8.0.255")
STRAIGHT = a.wpdu(16, 1, APDU)
SWAPPED = b"".join(STRAIGHT[at : at + 2][::-1] for at in range(0, 8, 2)) + APDU
ROWS = {
    Framing.WRAPPER: STRAIGHT,
    Framing.SWAPPED: SWAPPED,
    Framing.BARE: APDU,
    Framing.HDLC: a.hdlc_frame(1, 16, 0x10, b"\xe6\xe6\x00" + APDU),
    Framing.IEC_61334_4_32: b"\x90\x01\x10" + APDU,
}


@pytest.mark.parametrize("framing", list(ROWS), ids=lambda one: one.name)
def test_the_apdu_is_found_behind_any_header(framing: Framing) -> None:
    """And the tree of the row has it, its leaves tiling the octets."""
    octets = ROWS[framing]
    assert apdu_octets(octets, framing) == APDU
    decoded = decode_framed(octets, framing)
    check_tree(decoded, octets)
    assert first(decoded.root, "get-request") is not None


@given(st.binary(max_size=40), st.sampled_from(list(Framing)))
def test_any_octets_in_any_framing(octets: bytes, framing: Framing) -> None:
    """A row that was taken for another framing still gives a tree, and perhaps no APDU."""
    check_tree(decode_framed(octets, framing), octets)
    assert apdu_octets(octets, framing) in octets
