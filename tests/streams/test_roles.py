"""Who is taken for the client where no handshake was seen, and which APDUs tell who is DLMS client."""

import pytest

from cosemscope.apdu.names.tags import APDU_TAGS
from cosemscope.streams.roles import FROM_CLIENT, FROM_SERVER, ROLES, initiator_side


@pytest.mark.parametrize(
    ("tag", "role"),
    [
        (0x60, FROM_CLIENT),  # AARQ
        (0x61, FROM_SERVER),  # AARE
        (0x62, FROM_CLIENT),  # RLRQ
        (0x63, FROM_SERVER),  # RLRE
        (0xC0, FROM_CLIENT),  # GET request
        (0xC4, FROM_SERVER),  # GET response
        (0xC2, FROM_SERVER),  # EventNotification
        (0x0F, FROM_SERVER),  # DataNotification
        (0x10, FROM_CLIENT),  # DataNotification confirm
        (0xD8, FROM_SERVER),  # ExceptionResponse
        (0xC8, FROM_CLIENT),  # glo GET request
        (0xCC, FROM_SERVER),  # glo GET response
        (0xD0, FROM_CLIENT),  # ded GET request
        (0xD7, FROM_SERVER),  # ded ACTION response
        (0x21, FROM_CLIENT),  # glo InitiateRequest
        (0x28, FROM_SERVER),  # glo InitiateResponse
        (0xDB, 0),  # general-glo: either side
        (0xDF, 0),  # general signing
        (0xE0, 0),  # general block transfer
        (0x00, 0),
        (0xFF, 0),
    ],
)
def test_which_side_sends_an_apdu(tag: int, role: int) -> None:
    """IEC 62056-5-3: requests are the client's, answers and what comes unasked the server's."""
    assert ROLES[tag] == role


def test_no_unknown_tag_tells_a_role() -> None:
    """Only tags that have names."""
    assert all(tag in APDU_TAGS for tag in range(256) if ROLES[tag])


@pytest.mark.parametrize(
    ("tag", "sender", "ports", "first", "side"),
    [
        # A request or an answer tells, whatever the ports say.
        (0xC0, 0, (4059, 50_000), 1, 0),
        (0xC0, 1, (4059, 50_000), 0, 1),
        (0xC4, 0, (50_000, 4059), 0, 1),
        (0xC4, 1, (50_000, 4059), 1, 0),
        # What comes unasked, or from either side, or nothing: the side that is not on the DLMS port.
        (0x0F, 0, (4059, 1_000), 0, 1),
        (0xC2, 0, (1_000, 4059), 1, 0),
        (0x18, 1, (1_000, 4059), 1, 0),
        (0xDB, 1, (1_000, 4059), 1, 0),
        (-1, 0, (4059, 1_000), 0, 1),
        # Neither or both on it: the higher port.
        (-1, 0, (1_000, 2_000), 0, 1),
        (-1, 0, (2_000, 1_000), 1, 0),
        # The same port on both sides: the first sender.
        (-1, 0, (4059, 4059), 0, 0),
        (-1, 0, (4059, 4059), 1, 1),
    ],
)
def test_the_client_of_a_stream_without_a_start(
    tag: int, sender: int, ports: tuple[int, int], first: int, side: int
) -> None:
    """In this order: APDU, port, higher port, first sender."""
    assert initiator_side(tag, sender, ports, first) == side
