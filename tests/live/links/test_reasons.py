"""Faults of sockets and reasons of primitives, one for one; and what a person is told of each."""

import pytest

from cosemscope.live.links.addresses import LinkAddress
from cosemscope.live.links.faults import Fault, LinkError
from cosemscope.live.links.reasons import reason_of, words_of
from cosemscope.live.links.tcp_sockets import LinkOptions
from cosemscope.transport.errors import RemoteProtocolError
from cosemscope.transport.parameters import ReasonOfFailure
from cosemscope.transport.wpdu import BadVersion, Truncated, WpduDecoder, WpduHeader

PEER = LinkAddress("192.0.2.7", 4059)
OPTIONS = LinkOptions(wpdu_timeout=1.5, inactivity_timeout=180, send_timeout=30)

REASONS = {
    Fault.REFUSED: ReasonOfFailure.REFUSED,
    Fault.UNREACHABLE: ReasonOfFailure.UNREACHABLE,
    Fault.TIMEOUT: ReasonOfFailure.TIMED_OUT,
    Fault.RESET: ReasonOfFailure.RESET,
    Fault.CLOSED: ReasonOfFailure.LINK_LOST,
    Fault.FAILED: ReasonOfFailure.LINK_LOST,
}


@pytest.mark.parametrize("fault", Fault)
def test_the_reason_for_a_fault(fault: Fault) -> None:
    """What this side does wrong is a local error; all else has its own reason."""
    assert reason_of(LinkError(fault, "x")) is REASONS.get(fault, ReasonOfFailure.LOCAL_ERROR)


@pytest.mark.parametrize(
    ("reason", "fault", "words"),
    [
        (
            ReasonOfFailure.WPDU_TIMED_OUT,
            Fault.TRUNCATED,
            "the rest of a WPDU from 192.0.2.7:4059 did not come in 1.5 s",
        ),
        (
            ReasonOfFailure.INACTIVE,
            Fault.TIMEOUT,
            "nothing came from 192.0.2.7:4059 for 180 s: connection given up",
        ),
        (ReasonOfFailure.NOT_READING, Fault.TIMEOUT, "192.0.2.7:4059 reads nothing: gave up after 30 s"),
        (ReasonOfFailure.RESET, Fault.RESET, "connection reset by 192.0.2.7:4059"),
        (ReasonOfFailure.LINK_LOST, Fault.RESET, "the connection to 192.0.2.7:4059 was lost"),
        (None, Fault.RESET, "the connection to 192.0.2.7:4059 was lost"),
    ],
)
def test_what_is_said_of_a_reason(reason: ReasonOfFailure | None, fault: Fault, words: str) -> None:
    """The peer, and the time that it was given."""
    error = words_of(reason, PEER, OPTIONS, None)
    assert (error.fault, error.message) == (fault, words)


def bad_version(octets: bytes) -> RemoteProtocolError:
    """What the transport core's decoder says of octets that are no WPDU."""
    decoder = WpduDecoder()
    decoder.feed(octets)
    event = decoder.next_event()
    assert isinstance(event, BadVersion)
    return RemoteProtocolError(event)


@pytest.mark.parametrize(
    ("octets", "hint"),
    [
        (b"\x7e\xa0\x0a\x00\x02\x00\x23\x21", "; it looks like HDLC"),
        (b"\x01\x00\x10\x00\x01\x00\x05\x00", "; it looks like a WPDU with its octets swapped"),
        (b"/ABC5\\2x", "; it looks like IEC 62056-21 text"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00", "; it looks like TLS"),
        (b"HTTP/1.1", "; it looks like HTTP"),
        (b"\x60\x1d\xa1\x09\x06\x07\x60\x85", "; it looks like an APDU without a wrapper"),
        (b"\x61\x29\xa1\x09\x06\x07\x60\x85", "; it looks like an APDU without a wrapper"),
        (b"\xc4\x01\xc1\x00\x09\x0c\x07\xea", "; it looks like an APDU without a wrapper"),
        (b"\xff" * 8, ""),
    ],
)
def test_what_came_in_the_place_of_a_wpdu(octets: bytes, hint: str) -> None:
    """Its octets, and what they look like."""
    error = words_of(ReasonOfFailure.LINK_LOST, PEER, OPTIONS, bad_version(octets))
    shown = octets.hex(" ")
    assert error.fault is Fault.NOT_WRAPPER
    assert error.message.startswith("not a wrapper: 192.0.2.7:4059 sent ")
    assert error.message.endswith(f", where a WPDU header must stand{hint}")
    assert error.message.split(" sent ")[1].split(",")[0] in shown
    assert error.message.split(" sent ")[1].startswith(octets[:2].hex(" "))


def test_a_connection_that_ends_within_a_wpdu() -> None:
    """How much is missing."""
    problem = RemoteProtocolError(Truncated(bytes(13), 0, WpduHeader(1, 16, 1, 20)))
    error = words_of(ReasonOfFailure.LINK_LOST, PEER, OPTIONS, problem)
    assert error.fault is Fault.TRUNCATED
    assert error.message == (
        "192.0.2.7:4059 closed the connection inside a WPDU: at least 15 octets are missing"
    )
